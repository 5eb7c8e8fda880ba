//! What can be deleted: a manifest, a tag, a blob, a manifest that an index names.

use super::answer::Answer;
use super::asks::{blob, manifest};
use super::desk::{Desk, Window};
use super::graphs::{blobs, several};
use super::{Question, absent, broken, supported};
use crate::content::Node;
use crate::engine::journal::Kind;
use crate::target::findings::Finding;
use crate::wire::Ask;

/// DELETE, then what the thing looks like. Supported where it goes; absent by the statuses that are given, where it stays.
async fn delete(
    desk: &Desk<'_>,
    repository: &str,
    kind: Kind,
    reference: &str,
    what: &str,
    unable: &[u16],
) -> (Finding, Answer) {
    let folder = if kind == Kind::Blob { "blobs" } else { "manifests" };
    let path = format!("/v2/{repository}/{folder}/{reference}");
    let answer = desk.send(format!("DELETE {what}"), Ask::new("DELETE", &path)).await;
    let (look, label) = match kind {
        Kind::Blob => (Ask::new("HEAD", &path), "HEAD it"),
        _ => (manifest("GET", repository, reference), "GET it"),
    };
    let deleted = answer.is_success();
    let after = desk.until(Window::Delete, label, look, |a| deleted && a.is(200)).await;
    let evidence = format!("{}; {}", answer.say(), after.say());
    let finding = match answer.status() {
        _ if deleted && after.is(404) => {
            desk.gone(kind, repository, reference);
            supported(evidence)
        }
        // It says that it cannot, and it has not.
        Some(status) if unable.contains(&status) && after.is(200) => absent(evidence),
        _ => broken(evidence),
    };
    (finding, answer)
}

/// What the spec names for a registry that does not delete (v1.1.1 "Content Management"), and the refusals of one that does not
/// delete this, or not for this user: that a deletion succeeds no sentence says.
const DISABLED: [u16; 5] = [400, 403, 405, 409, 412];

/// Pushes an image and puts it under a tag.
async fn tagged(desk: &Desk<'_>, repository: &str, tag: &str, image: &Node) -> Result<(), String> {
    let needs: Vec<&Node> = image.children.iter().map(AsRef::as_ref).collect();
    desk.push(repository, &needs).await?;
    let put = desk.put(repository, tag, image, "an image").await?;
    let read = desk.read(repository, tag, "it").await;
    if put.is_success() && read.is(200) { Ok(()) } else { Err(format!("{}; {}", put.say(), read.say())) }
}

/// A manifest by its digest.
pub(super) async fn of_manifest(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    let image = set.get("image")?;
    tagged(desk, question.main(), &question.tag("image"), image).await?;
    let digest = image.digest.as_str();
    Ok(delete(desk, question.main(), Kind::Manifest, digest, "manifests/<digest>", &DISABLED).await.0)
}

/// A tag.
pub(super) async fn of_tag(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    let tag = question.tag("image");
    tagged(desk, question.main(), &tag, set.get("image")?).await?;
    Ok(delete(desk, question.main(), Kind::Tag, &tag, "manifests/<tag>", &DISABLED).await.0)
}

/// A blob that nothing names.
pub(super) async fn of_blob(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&blobs(1))?;
    let node = set.get("blob")?;
    desk.push_blob(question.main(), node).await?;
    let there = desk.until(Window::Read, "HEAD it", blob("HEAD", question.main(), &node.digest), |a| a.is(404)).await;
    if !there.is(200) {
        return Ok(broken(format!("a pushed blob: {}", there.say())));
    }
    let digest = node.digest.as_str();
    Ok(delete(desk, question.main(), Kind::Blob, digest, "blobs/<digest>", &DISABLED).await.0)
}

/// A manifest that an index names.
pub(super) async fn of_child(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    let (index, child) = (set.get("index")?, set.get("image")?);
    let needs: Vec<&Node> = index.children.iter().map(AsRef::as_ref).collect();
    desk.push(question.main(), &needs).await?;
    let put = desk.put(question.main(), &question.tag("index"), index, "an index").await?;
    if !put.is_success() {
        return Err(put.say());
    }
    // To protect what an index names is lawful, and the spec names no status for it: these say so in HTTP's words (412 is
    // Harbor's, src/lib/http/error.go).
    let digest = child.digest.as_str();
    let protected = [400, 403, 405, 409, 412];
    let (finding, answer) =
        delete(desk, question.main(), Kind::Manifest, digest, "a child by digest", &protected).await;
    if !answer.is_success() {
        return Ok(finding);
    }
    let kept = desk.look(question.main(), index.digest.as_str(), "the index").await;
    let evidence = format!("{}; {}", finding.evidence, kept.say());
    Ok(if kept.serves(index) { Finding { evidence, ..finding } } else { broken(evidence) })
}
