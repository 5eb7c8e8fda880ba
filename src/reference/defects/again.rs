//! Wrong about what is pushed again, and about tags that move.

use axum::http::StatusCode;

use super::tools::*;

fn is_known(push: &Push) -> bool {
    push.view.state.manifest(push.repository, push.digest).is_some()
}

/// What the tag of a push led to before it, where that was something else.
fn older<'a>(push: &'a Push<'a>) -> Option<&'a Digest> {
    let digest = push.view.state.tag(push.repository, push.reference.tag()?)?;
    (digest != push.digest).then_some(digest)
}

fn tags_of(push: &Push, digest: &Digest) -> Vec<String> {
    let repository = push.view.state.repository(push.repository);
    let tags = repository.into_iter().flat_map(|r| r.tags_of(digest).cloned());
    tags.filter(|tag| push.reference.tag() != Some(tag)).collect()
}

fn tag_of(asked: &Asked) -> Option<&str> {
    asked.route.reference().filter(|reference| !reference.contains(':'))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "put-again-409",
        "A manifest of Docker's types that is there is refused with 409 when it is pushed again.",
        "manifest.put.again",
        &[Seam::Accept(|push, right| match is_known(push) && is_docker(push) {
            true => Err(Problem::manifest_invalid("the manifest is there already").status(StatusCode::CONFLICT)),
            false => right,
        })],
    )
    .also(&["late.index.unchanged", "manifest.put.created"]),
    Defect::new(
        "put-again-200",
        "A manifest of Docker's types that is there is answered with 200 instead of 201 when it is pushed again.",
        "manifest.put.again",
        &[Seam::Finish(|asked, view, memory, answer| {
            if !puts_manifest(asked) || answer.status != StatusCode::CREATED || !about_docker(asked, view, &answer) {
                return answer;
            }
            let key = format!(
                "{} {}",
                asked.route.repository().unwrap_or_default(),
                answer.header("docker-content-digest").unwrap_or_default()
            );
            let again = memory.count(&key) > 1;
            changed(again, answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "put-again-moves-older-tag",
        "A manifest has one tag: pushed under another, it loses the older one.",
        "late.index.unchanged",
        &[Seam::Store(|change, right| match accepted(change).filter(|push| push.reference.tag().is_some()) {
            Some(push) => {
                let repository = push.repository.to_owned();
                let untag = |tag| Write::Untag { repository: repository.clone(), tag };
                plus(right, tags_of(push, push.digest).into_iter().map(untag))
            }
            None => right,
        })],
    )
    .also(&["manifest.get.served"]),
    Defect::new(
        "put-never-moves-tag",
        "A tag that is there stays where it is, whatever is pushed under it.",
        "manifest.put.tag-moved",
        &[Seam::Store(|change, right| match accepted(change).filter(|push| older(push).is_some()) {
            Some(_) => right.into_iter().filter(|write| !matches!(write, Write::Tag { .. })).collect(),
            None => right,
        })],
    ),
    Defect::new(
        "tag-moved-old-digest-lost",
        "When a tag moves, the manifest that it led to is thrown away.",
        "late.index.unchanged",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => plus(right, older(push).map(|digest| drop_manifest(push.repository, digest))),
            None => right,
        })],
    )
    .also(&["manifest.get.untagged"]),
    Defect::new(
        "tag-moved-to-index-child-lost",
        "When a tag moves from an image to an index that names it, the image is thrown away.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => {
                let named = |digest: &&Digest| push.manifest.children.iter().any(|c| c.digest == digest.as_str());
                let lost = older(push).filter(named);
                plus(right, lost.map(|digest| drop_manifest(push.repository, digest)))
            }
            None => right,
        })],
    ),
    Defect::new(
        "tags-of-digest-move-together",
        "When a tag moves, every other tag of the manifest that it led to moves with it.",
        "late.index.unchanged",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => {
                let others = older(push).map(|digest| tags_of(push, digest)).unwrap_or_default();
                plus(right, others.iter().map(|tag| set_tag(push.repository, tag, push.digest)))
            }
            None => right,
        })],
    ),
    Defect::new(
        "put-index-over-image-refused",
        "A tag that leads to an image cannot be moved to an index, nor back.",
        "manifest.put.tag-moved",
        &[Seam::Accept(|push, right| {
            let before = older(push).and_then(|digest| push.view.state.manifest(push.repository, digest));
            match before.is_some_and(|stored| stored.manifest.kind != push.manifest.kind) {
                true => Err(Problem::manifest_invalid("the tag is that of a manifest of another type")),
                false => right,
            }
        })],
    ),
    Defect::new(
        "tag-type-sticks",
        "A tag keeps the Content-Type of what was pushed under it first.",
        "manifest.get.type",
        &[Seam::Finish(|asked, _, memory, answer| {
            let Some(_) = tag_of(asked) else { return answer };
            let key = asked.uri.path();
            if puts_manifest(asked) && answer.status == StatusCode::CREATED && memory.recall(key).is_none() {
                let pushed = asked.header("content-type").unwrap_or_default();
                memory.keep(key, &Answer::new(StatusCode::OK).with("content-type", pushed));
            }
            let first = memory.recall(key).and_then(|kept| kept.header("content-type").map(str::to_owned));
            match first {
                Some(first) if asked.reads() && answer.status == StatusCode::OK => answer.with("content-type", &first),
                _ => answer,
            }
        })],
    ),
];
