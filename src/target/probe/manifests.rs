//! Which manifests are taken: media types, gaps in an image, odd indexes, sha512; and what is said of them.

use super::answer::Answer;
use super::asks::{blob, manifest};
use super::desk::{Desk, Window};
use super::graphs::{Set, several, sha512, two_layers};
use super::{Question, absent, broken, supported};
use crate::content::Node;
use crate::target::findings::{Finding, Is};

/// Whether a whole image and a whole index over it are taken, and the image by itself.
pub(super) async fn media(desk: &Desk<'_>, question: &Question<'_>) -> (Finding, bool) {
    let set = match question.build(&several()) {
        Ok(set) => set,
        Err(evidence) => return (broken(evidence), false),
    };
    let image = taken(desk, question, &set, "image", "a whole image").await.unwrap_or_else(broken);
    if image.is != Is::Supported {
        return (image, false);
    }
    let index = taken(desk, question, &set, "index", "a whole index").await.unwrap_or_else(broken);
    let evidence = format!("{}; {}", image.evidence, index.evidence);
    (Finding { evidence, ..index }, true)
}

/// Puts a node by tag, after all that it names, and reads it: taken and served, refused, or neither.
async fn taken(desk: &Desk<'_>, question: &Question<'_>, set: &Set, name: &str, what: &str) -> Result<Finding, String> {
    let node = set.get(name)?;
    let needs: Vec<&Node> = node.children.iter().map(AsRef::as_ref).collect();
    desk.push(question.main(), &needs).await?;
    let (put, finding) = judge(desk, question, node, name, what).await?;
    // Nothing that it names is absent: who says so does not say that it cannot take such a thing.
    Ok(if finding.is == Is::Absent && put.has_code("MANIFEST_BLOB_UNKNOWN") {
        broken(format!("{}, though all that it names is there", finding.evidence))
    } else {
        finding
    })
}

/// Puts a node: absent where it is refused.
async fn judge(
    desk: &Desk<'_>,
    question: &Question<'_>,
    node: &Node,
    name: &str,
    what: &str,
) -> Result<(Answer, Finding), String> {
    let (repository, tag) = (question.main(), question.tag(name));
    let put = desk.put(repository, &tag, node, what).await?;
    let finding = match &put {
        put if put.is_denial() => absent(put.say()),
        put if put.is_success() => served(put, &desk.read(repository, &tag, "it").await, node),
        put => broken(put.say()),
    };
    Ok((put, finding))
}

/// What was acknowledged must be there.
fn served(put: &Answer, read: &Answer, node: &Node) -> Finding {
    if put.names_other(node) {
        return broken(format!("{} with the digest of something else", put.say()));
    }
    let evidence = format!("{}; {}", put.say(), read.say());
    match read {
        read if read.serves(node) => supported(evidence),
        read if read.is(200) => broken(format!("{evidence}, with other bytes or another digest")),
        _ => broken(evidence),
    }
}

/// Whether a tag can be moved from one image to another. Where it cannot, the older one stays.
pub(super) async fn tag_move(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    let (first, second) = (set.get("image")?, set.get("other")?);
    for image in [first, second] {
        let needs: Vec<&Node> = image.children.iter().map(AsRef::as_ref).collect();
        desk.push(question.main(), &needs).await?;
    }
    let tag = question.tag("moved");
    let put = desk.put(question.main(), &tag, first, "an image").await?;
    if !put.is_success() {
        return Ok(broken(put.say()));
    }
    let moved = desk.put(question.main(), &tag, second, "another image under its tag").await?;
    let look = manifest("GET", question.main(), &tag);
    let old = |answer: &Answer| answer.is(404) || moved.is_success() && answer.serves(first);
    let read = desk.until(Window::Read, "GET the tag", look, old).await;
    let evidence = format!("{}; {}", moved.say(), read.say());
    Ok(match &moved {
        put if put.is_success() && read.serves(second) => supported(evidence),
        put if put.is_denial() && read.serves(first) => absent(evidence),
        _ => broken(evidence),
    })
}

/// Whether a push by digest takes a tag from its query, as the development version has it (dev L515-520). A registry of v1.1 does
/// not know the query: it passes over it, or refuses.
pub(super) async fn tags_in_query(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    let image = set.get("image")?;
    let needs: Vec<&Node> = image.children.iter().map(AsRef::as_ref).collect();
    desk.push(question.main(), &needs).await?;
    let tag = question.tag("queried");
    let put = desk.put_tagged(question.main(), image, &tag).await?;
    if !put.is_success() {
        return Ok(if put.is_denial() { absent(put.say()) } else { broken(put.say()) });
    }
    let said = put.header("oci-tag").is_some_and(|tags| tags.split(',').any(|said| said.trim() == tag));
    let read = match said {
        true => desk.read(question.main(), &tag, "the tag").await,
        false => desk.look(question.main(), &tag, "the tag").await,
    };
    let evidence = format!("{} {} OCI-Tag; {}", put.say(), if said { "with" } else { "without" }, read.say());
    Ok(match said {
        true if read.serves(image) => supported(evidence),
        false if read.is(404) => absent(evidence),
        _ => broken(evidence),
    })
}

/// Whether an image is taken although a layer is absent.
pub(super) async fn sparse_image(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&two_layers())?;
    let image = set.get("image")?;
    let Some((missing, there)) = image.children.split_last() else {
        return Err("the probe's image has no layer".into());
    };
    for node in there {
        desk.push_blob(question.main(), node).await?;
    }
    let (_, finding) = judge(desk, question, image, "image", "an image of which a layer is absent").await?;
    if finding.is == Is::Supported {
        let layer = desk.send("HEAD the layer", blob("HEAD", question.main(), &missing.digest)).await;
        return Ok(Finding { evidence: format!("{}; {}", finding.evidence, layer.say()), ..finding });
    }
    Ok(finding)
}

/// `Docker-Content-Digest` on GET and HEAD.
pub(super) async fn digest_header(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    let image = set.get("image")?;
    desk.push(question.main(), &[image]).await?;
    let digest = image.digest.as_str();
    let get = desk.read(question.main(), digest, "manifests/<digest>").await;
    let head =
        desk.until(Window::Read, "HEAD manifests/<digest>", manifest("HEAD", question.main(), digest), |a| a.is(404));
    let head = head.await;
    let named = |answer: &Answer| answer.header("docker-content-digest");
    // By whichever algorithm: it may differ from the one that was asked by (v1.1.1 L179).
    let say = |answer: &Answer| match named(answer) {
        None => format!("{} without the header", answer.say()),
        Some(_) if answer.names_other(image) => format!("{} with another digest", answer.say()),
        Some(_) => format!("{} with its digest", answer.say()),
    };
    let evidence = format!("{}; {}", say(&get), say(&head));
    Ok(match (named(&get), named(&head)) {
        _ if !get.is(200) || !head.is(200) => broken(evidence),
        _ if get.names_other(image) || head.names_other(image) => broken(evidence),
        (Some(_), Some(_)) => supported(evidence),
        // v1.1.1 recommends it on each; one of both without it is none that a client can count on.
        _ => absent(evidence),
    })
}

/// An index without children. In a repository that has an image too, for one that never had a blob stops the collector of
/// distribution 3 (registry/storage/garbagecollect.go:122-138) long after the probe.
pub(super) async fn empty_index(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    desk.push(question.main(), &[set.get("image")?]).await?;
    taken(desk, question, &set, "empty", "an index without children").await
}

/// An index that names an index.
pub(super) async fn nested_index(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    taken(desk, question, &set, "nested", "an index that names an index").await
}

/// An index without `mediaType`.
pub(super) async fn bare_index(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    taken(desk, question, &set, "bare", "an index without mediaType").await
}

/// An index that names an image without its platform, as lists of referrers do.
pub(super) async fn platformless_index(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&several())?;
    taken(desk, question, &set, "platformless", "an index that names an image without platform").await
}

/// A blob and a manifest by sha512 digest.
pub(super) async fn sha512_digests(desk: &Desk<'_>, question: &Question<'_>) -> Result<Finding, String> {
    let set = question.build(&sha512())?;
    let layer = set.get("blob")?;
    let upload = desk.upload(question.main(), layer).await?;
    if !upload.is_success() {
        let evidence = upload.say();
        return Ok(if upload.is_denial() { absent(evidence) } else { broken(evidence) });
    }
    let there = desk.read_blob(question.main(), &layer.digest).await;
    let evidence = format!("{}; {}", upload.say(), there.say());
    if !there.is(200) {
        return Ok(broken(evidence));
    }
    let image = set.get("image")?;
    let needs: Vec<&Node> = image.children.iter().map(AsRef::as_ref).collect();
    desk.push(question.main(), &needs).await?;
    let digest = image.digest.as_str();
    let put = desk.put(question.main(), digest, image, "an image").await?;
    let put_evidence = format!("{evidence}; {}", put.say());
    if put.is_denial() {
        return Ok(absent(put_evidence));
    }
    if !put.is_success() {
        return Ok(broken(put_evidence));
    }
    // v1.1.1 L488: after a PUT the header must be equal to the digest that the client gave.
    if put.header("docker-content-digest").is_some_and(|named| named != digest) {
        return Ok(broken(format!("{put_evidence} with another digest than the client's")));
    }
    let read = desk.read(question.main(), digest, "it by sha512").await;
    let finding = served(&put, &read, image);
    Ok(Finding { evidence: format!("{evidence}; {}", finding.evidence), ..finding })
}
