//! What can be found out: referrers, tags by the page, the catalog.

use serde_json::Value;

use super::answer::Answer;
use super::desk::{Desk, Window};
use super::graphs::{referrer, several};
use super::{Question, absent, broken, supported};
use crate::content::Node;
use crate::target::findings::{Finding, Is};
use crate::wire::Ask;

/// The JSON body of an answer, if it is any.
fn json(answer: &Answer) -> Option<Value> {
    answer.response().and_then(|response| serde_json::from_slice(&response.body).ok())
}

/// The strings of a list in a JSON body.
fn strings(answer: &Answer, key: &str) -> Option<Vec<String>> {
    json(answer)?.get(key)?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// How a registry says that it has no such path: only one that has the API is forbidden to answer 404 (v1.1.1 L577), and
/// of the others the spec says nothing.
const ABSENT: [u16; 7] = [400, 401, 403, 404, 405, 406, 501];

/// The referrers API and `OCI-Subject`: `(referrers, header.subject)`.
///
/// # Errors
/// Evidence, where what must be there for the question cannot be pushed.
pub(super) async fn referrers(desk: &Desk<'_>, question: &Question<'_>) -> Result<(Finding, Finding), String> {
    let set = question.build(&referrer())?;
    let (subject, referrer) = (set.get("image")?, set.get("referrer")?);
    let mut needs: Vec<&Node> = vec![subject];
    needs.extend(referrer.children.iter().map(AsRef::as_ref));
    desk.push(question.main(), &needs).await?;
    let put = desk.put(question.main(), referrer.digest.as_str(), referrer, "a manifest with subject").await?;
    if !put.is_success() {
        let refused = broken(put.say());
        return Ok((refused.clone(), refused));
    }
    let named = put.header("oci-subject");
    let list = Ask::new("GET", &format!("/v2/{}/referrers/{}", question.main(), subject.digest))
        .header("accept", "application/vnd.oci.image.index.v1+json");
    let digests = |answer: &Answer| -> Option<Vec<String>> {
        let body = json(answer)?;
        let digest = |item: &Value| item.get("digest").and_then(Value::as_str).map(str::to_owned);
        body.get("manifests")?.as_array().map(|items| items.iter().filter_map(digest).collect())
    };
    let lists = |answer: &Answer| digests(answer).is_some_and(|all| all.iter().any(|d| d == referrer.digest.as_str()));
    // A list that is there and does not name it yet is the old state.
    let old = |answer: &Answer| answer.is(200) && digests(answer).is_some() && !lists(answer);
    let answer = desk.until(Window::Read, "GET referrers/<digest>", list, old).await;
    let evidence = format!("{}; {}", put.say(), answer.say());
    let api = match &answer {
        a if a.is(200) && lists(a) => supported(format!("{evidence}, the referrer is listed")),
        a if a.is(200) => broken(format!("{evidence}, the referrer is not listed")),
        // `OCI-Subject` says that the referrers are kept: then they are to be had.
        a if a.status().is_some_and(|s| ABSENT.contains(&s)) => match named {
            Some(_) => broken(format!("{evidence}, after OCI-Subject")),
            None => absent(evidence.clone()),
        },
        _ => broken(evidence.clone()),
    };
    let header = match named {
        Some(named) if named == subject.digest.as_str() => supported(format!("{} with OCI-Subject", put.say())),
        Some(_) => broken(format!("{} with an OCI-Subject that is not the subject's digest", put.say())),
        // v1.1.1 "Pushing Manifests with Subject": a registry with the API must send it.
        None if api.is == Is::Supported => {
            broken(format!("{} without OCI-Subject, though there is the API", put.say()))
        }
        None => absent(format!("{} without OCI-Subject", put.say())),
    };
    Ok((api, header))
}

/// Pages that are followed.
const PAGES: usize = 20;

/// Tags by the page: three of them, two on a page.
pub(super) async fn paging(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let repository = question.main();
    let set = question.build(&several())?;
    let wanted = ["a", "b", "c"].map(|tag| question.tag(tag));
    for (tag, image) in wanted.iter().zip(["image", "other", "third"]) {
        let image = set.get(image)?;
        let needs: Vec<&Node> = image.children.iter().map(AsRef::as_ref).collect();
        desk.push(repository, &needs).await?;
        let put = desk.put(repository, tag, image, "an image").await?;
        if !put.is_success() {
            return Err(put.say());
        }
    }
    let all = Ask::new("GET", &format!("/v2/{repository}/tags/list"));
    let short = |tags: Vec<String>| tags.len() < wanted.len();
    let old = |a: &Answer| a.is(404) || (a.is(200) && !has_link(a) && strings(a, "tags").is_some_and(short));
    let whole = desk.until(Window::Read, "GET tags/list", all, old).await;
    let first = Ask::new("GET", &format!("/v2/{repository}/tags/list?n=2"));
    let mut answer = desk.send("GET tags/list?n=2", first).await;
    let mut evidence = format!("3 tags: {}; {}", page(&whole), page(&answer));
    let mut tags = Vec::new();
    let linked = has_link(&answer);
    // Three tags need three pages at most, but a pool's repository may hold more.
    for _ in 0..PAGES {
        let Some(more) = strings(&answer, "tags").filter(|_| answer.is(200)) else { return Ok(broken(evidence)) };
        let count = more.len();
        let new = more.iter().filter(|tag| !tags.contains(*tag)).count();
        tags.extend(more);
        if new < count {
            return Ok(broken(format!("{evidence}: a tag comes twice")));
        }
        if count > 2 {
            return Ok(broken(format!("{evidence}: n is not heeded")));
        }
        let next = answer.response().and_then(|r| r.next.clone());
        let Some(next) = next else { break };
        answer = desk.send("GET its next", Ask::new("GET", &next.0)).await;
        evidence = format!("{evidence}; {}", page(&answer));
    }
    let complete = wanted.iter().all(|tag| tags.contains(tag));
    if complete || answer.response().is_some_and(|r| r.next.is_some()) {
        return Ok(supported(evidence));
    }
    // `Link` is a may: two of three without it is a page, and says nothing of further ones.
    let lawful = tags.len() == 2 && !linked;
    Ok(if lawful { absent(format!("{evidence}, without Link")) } else { broken(evidence) })
}

fn has_link(answer: &Answer) -> bool {
    answer.header("link").is_some()
}

/// `GET tags/list?n=2 -> 200 (2 tags, Link)`.
fn page(answer: &Answer) -> String {
    match strings(answer, "tags") {
        Some(tags) => format!("{} ({} tags{})", answer.say(), tags.len(), if has_link(answer) { ", Link" } else { "" }),
        None => format!("{} (no list)", answer.say()),
    }
}

/// The list of repositories. It is not in the spec: any 4xx says that there is none.
pub(super) async fn catalog(desk: &Desk<'_>, _: &Question<'_>) -> Result<Finding, String> {
    let answer = desk.send("GET _catalog", Ask::new("GET", "/v2/_catalog")).await;
    let evidence = answer.say();
    Ok(match answer.status() {
        Some(200) if strings(&answer, "repositories").is_some() => supported(evidence),
        Some(status) if (400..500).contains(&status) && status != 429 => absent(evidence),
        _ => broken(evidence),
    })
}
