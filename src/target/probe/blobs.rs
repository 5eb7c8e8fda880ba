//! How blobs come in: by mount, in chunks.

use super::answer::Answer;
use super::asks::{algorithm, blob, body_of, with_digest};
use super::desk::Desk;
use super::graphs::blobs;
use super::{Question, absent, broken, supported};
use crate::content::Node;
use crate::target::findings::Finding;
use crate::wire::Ask;

/// Bytes of a chunk, where the registry does not ask for more.
const CHUNK: u64 = 16 << 10;

/// Bytes of a small chunk.
const SMALL: u64 = 100;

/// The largest chunk that the probe sends twice because a registry asks for it.
const LARGEST_CHUNK: u64 = 8 << 20;

/// A mount from a named repository.
pub(super) async fn mount(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    mounted(desk, question, true).await
}

/// A mount from wherever the blob is.
pub(super) async fn anonymous_mount(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    mounted(desk, question, false).await
}

async fn mounted(desk: &Desk<'_>, question: &Question<'_>, named: bool) -> Result<Finding, String> {
    let from = question.main();
    let Some(to) = question.other() else {
        return Ok(absent("not asked: it takes two repositories, and the profile's pool has one".into()));
    };
    let set = question.build(&blobs(1))?;
    let node = set.get("blob")?;
    desk.push_blob(from, node).await?;
    let source = if named { format!("&from={from}") } else { String::new() };
    let mut ask = Ask::new("POST", &format!("/v2/{to}/blobs/uploads/?mount={}{source}", node.digest));
    if named {
        ask.scopes = vec![format!("repository:{to}:pull,push"), format!("repository:{from}:pull")];
    }
    let label = if named { "POST blobs/uploads/?mount=..&from=.." } else { "POST blobs/uploads/?mount=.." };
    let answer = desk.create_blob(to, &node.digest, label, ask).await?;
    if answer.is(202) {
        if let Some(location) = answer.response().and_then(|r| r.location.clone()) {
            desk.send("DELETE the session", Ask::new("DELETE", &location.0)).await;
        }
        return Ok(absent(answer.say()));
    }
    if !answer.is(201) {
        return Ok(broken(answer.say()));
    }
    let there = desk.read_blob(to, &node.digest).await;
    let evidence = format!("{}; {}", answer.say(), there.say());
    Ok(if there.is(200) { supported(evidence) } else { broken(evidence) })
}

/// POST, PATCH twice, PUT.
pub(super) async fn chunked(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let repository = question.main();
    let (start, mut location) = desk.open_upload(repository).await?;
    let least = least(&start);
    // Only the last chunk may be smaller than the least: where two of that size are too much, one chunk it is.
    let (chunk, count) = if least > LARGEST_CHUNK { (CHUNK, 1) } else { (least.max(CHUNK), 2) };
    let set = question.build(&blobs(chunk * count))?;
    let node: &Node = set.get("large")?;
    let mut patches = Vec::new();
    for i in 0..count {
        let ask = patch(&location, node, i * chunk, chunk)
            .header("content-range", &format!("{}-{}", i * chunk, (i + 1) * chunk - 1));
        let answer = desk.send(format!("PATCH chunk {} of {count}", i + 1), ask).await;
        patches.push(answer.say());
        // 405 and 501 are HTTP's words for a registry that has no PATCH (RFC 9110 9.1); the spec names none.
        if answer.is(405) || answer.is(501) {
            return Ok(absent(patches.join("; ")));
        }
        match answer.response().and_then(|r| r.location.clone()) {
            Some(next) if answer.is(202) => location = next.0,
            _ => return Ok(broken(patches.join("; "))),
        }
    }
    let label = format!("PUT ..?digest=<{}>", algorithm(&node.digest));
    let ask = Ask::new("PUT", &with_digest(&location, &node.digest));
    let put = desk.create_blob(repository, &node.digest, &label, ask).await?;
    let there = desk.send("HEAD it", blob("HEAD", repository, &node.digest)).await;
    let evidence = format!("{}; {}; {}", patches.join("; "), put.say(), there.say());
    Ok(if put.is(201) && there.is(200) { supported(evidence) } else { broken(evidence) })
}

/// A chunk that does not say where it belongs.
fn patch(location: &str, node: &Node, offset: u64, length: u64) -> Ask {
    Ask::new("PATCH", location).header("content-type", "application/octet-stream").body(body_of(node, offset, length))
}

/// Bytes of a chunk at least, but for the last.
fn least(start: &Answer) -> u64 {
    start.header("oci-chunk-min-length").and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// POST, and a PATCH of a hundred bytes. A registry may want larger chunks, and should say so (v1.1.1 L336-340, L368).
pub(super) async fn small_chunks(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let (start, location) = desk.open_upload(question.main()).await?;
    let least = least(&start);
    if least > SMALL {
        return Ok(absent(format!("OCI-Chunk-Min-Length: {least}")));
    }
    let set = question.build(&blobs(2 * SMALL))?;
    let ask = patch(&location, set.get("large")?, 0, SMALL).header("content-range", &format!("0-{}", SMALL - 1));
    let answer = desk.send(format!("PATCH {SMALL} of {} bytes", 2 * SMALL), ask).await;
    Ok(if answer.is(202) { supported(answer.say()) } else { absent(answer.say()) })
}

/// POST, and a PATCH of a whole blob without Content-Range, which the spec does not know (v1.1.1 L345-351).
pub(super) async fn unranged(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let (_, location) = desk.open_upload(question.main()).await?;
    let set = question.build(&blobs(CHUNK))?;
    let ask = patch(&location, set.get("large")?, 0, CHUNK);
    let answer = desk.send("PATCH without Content-Range", ask).await;
    Ok(if answer.is(202) { supported(answer.say()) } else { absent(answer.say()) })
}
