//! Whether it wants to know who asks, and what somebody may do who does not say it.

use super::answer::Answer;
use super::asks::manifest;
use super::desk::Desk;
use super::graphs::several;
use super::{Question, absent, broken, supported};
use crate::content::Node;
use crate::target::findings::{Finding, Is};
use crate::wire::{Ask, Secret, Who, challenge};

/// What is found, in this order.
pub(super) const NAMES: [&str; 6] =
    ["auth", "auth.protected", "auth.anonymous-pull", "auth.token", "auth.anonymous-token", "auth.scoped"];

/// What was found, in the order of [`NAMES`].
pub(super) type Found = [Finding; NAMES.len()];

/// All of [`NAMES`].
///
/// # Errors
/// Evidence, where nothing can be asked.
pub(super) async fn all(desk: &Desk<'_>, question: &Question<'_>) -> Result<Found, String> {
    let repository = question.main();
    let set = question.build(&several())?;
    let image = set.get("image")?;
    let base = desk.send("GET /v2/ by nobody", by("", Ask::new("GET", "/v2/"))).await;
    let upload = Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/"));
    let write = desk.send("POST blobs/uploads/ by nobody", by("", upload)).await;
    if let Err(not) = desk.push(repository, &[image]).await {
        // What cannot be pushed says nothing of who may read it.
        let evidence = format!("{}; {}; {}", base.say(), write.say(), String::from(not));
        let asks = base.is(401) || write.is(401);
        let mut found = NAMES.map(|_| broken(evidence.clone()));
        if asks {
            found[0] = supported(evidence);
        }
        return Ok(found);
    }
    let read = desk.send("GET an image by nobody", by("", manifest("GET", repository, image.digest.as_str()))).await;
    let evidence = format!("{}; {}; {}", base.say(), read.say(), write.say());
    if ![&base, &read, &write].iter().any(|answer| answer.is(401)) {
        return Ok(NAMES.map(|_| absent(evidence.clone())));
    }
    let closed = match (is_closed(&read), is_closed(&write)) {
        (true, true) => supported(evidence.clone()),
        (true, false) => broken(evidence.clone()),
        (false, _) => absent(evidence.clone()),
    };
    let public = match read.serves(image) && is_closed(&write) {
        true => supported(evidence.clone()),
        false => absent(evidence.clone()),
    };
    let token = endpoint(&[&base, &read, &write], &evidence);
    let (nobodys, scoped) = match token.is {
        Is::Supported => (nobodys_token(desk, repository, image).await, is_scoped(desk, question, image).await),
        _ => (absent(token.evidence.clone()), absent(token.evidence.clone())),
    };
    Ok([supported(evidence), closed, public, token, nobodys, scoped])
}

/// What all of it rests on.
pub(super) fn evidence(found: &Found) -> &str {
    &found[0].evidence
}

/// The request with this Authorization; with an empty one it has none.
fn by(authorization: &str, ask: Ask) -> Ask {
    ask.header("authorization", authorization)
}

fn bearer(token: &Secret) -> String {
    format!("Bearer {}", token.0)
}

/// An answer by which somebody is kept out.
fn is_closed(answer: &Answer) -> bool {
    answer.status().is_some_and(|status| matches!(status, 401 | 403 | 404))
}

/// Whether a challenge names an endpoint of the token protocol. A realm of Bearer that is no URL is another protocol's.
fn endpoint(answers: &[&Answer], evidence: &str) -> Finding {
    let responses = answers.iter().filter_map(|answer| answer.response());
    let challenges = challenge::parse(responses.flat_map(|response| response.values("www-authenticate")));
    let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
    let evidence = format!("{evidence}; challenges: {}", schemes.join(", "));
    let realms = challenges.iter().filter(|c| c.scheme == "bearer").filter_map(|c| c.parameter("realm"));
    let mut realms = realms.filter(|realm| realm.contains("://") || realm.starts_with('/'));
    if realms.next().is_some() { supported(evidence) } else { absent(evidence) }
}

/// A token for a scope, and what was answered.
async fn token(desk: &Desk<'_>, who: Who, scope: &str) -> (String, Option<Secret>) {
    let label = if who == Who::Nobody { "a token for nobody" } else { "a token to pull" };
    match desk.token(who, &[scope.to_owned()]).await {
        Ok((exchange, token)) => (Answer { label: label.into(), exchange }.say(), token),
        Err(problem) => (format!("{label}: {problem}"), None),
    }
}

async fn nobodys_token(desk: &Desk<'_>, repository: &str, image: &Node) -> Finding {
    let (evidence, token) = token(desk, Who::Nobody, &format!("repository:{repository}:pull")).await;
    let Some(token) = token else { return absent(evidence) };
    let ask = by(&bearer(&token), manifest("GET", repository, image.digest.as_str()));
    let read = desk.send("GET an image with it", ask).await;
    let evidence = format!("{evidence}; {}", read.say());
    if read.serves(image) { supported(evidence) } else { absent(evidence) }
}

/// A token to pull from one repository opens it, and not another. Where it opens both, tokens are their user's.
async fn is_scoped(desk: &Desk<'_>, question: &Question<'_>, image: &Node) -> Finding {
    let Some(other) = question.other() else {
        return absent("not asked: it takes two repositories, and the profile's pool has one".into());
    };
    if let Err(not) = desk.push(other, &[image]).await {
        return broken(String::from(not));
    }
    let (evidence, token) = token(desk, Who::Ours, &format!("repository:{}:pull", question.main())).await;
    let Some(token) = token else { return broken(evidence) };
    let ask = |repository: &str| by(&bearer(&token), manifest("GET", repository, image.digest.as_str()));
    let own = desk.send("GET an image there with it", ask(question.main())).await;
    let foreign = desk.send("in another repository", ask(other)).await;
    let evidence = format!("{evidence}; {}; {}", own.say(), foreign.say());
    match (own.serves(image), is_closed(&foreign)) {
        (true, true) => supported(evidence),
        (true, false) => absent(evidence),
        (false, _) => broken(evidence),
    }
}
