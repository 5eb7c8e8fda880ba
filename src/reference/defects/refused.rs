//! Wrong about what a refused push leaves behind.

use axum::http::StatusCode;

use super::tools::*;

/// The refused push of an index.
fn refused_index<'a>(change: &Change<'a>) -> Option<&'a Push<'a>> {
    refused(change).filter(|push| is_index(push))
}

fn tag_of<'a>(push: &'a Push<'a>) -> Option<&'a str> {
    push.reference.tag()
}

fn has_older(push: &Push) -> bool {
    tag_of(push).is_some_and(|tag| push.view.state.tag(push.repository, tag).is_some())
}

fn index_refused(asked: &Asked, answer: &Answer) -> bool {
    puts_manifest(asked)
        && asked.header("content-type").is_some_and(|t| t.contains("index") || t.contains("list"))
        && answer.status.is_client_error()
        && String::from_utf8_lossy(&answer.body.to_bytes()).contains("MANIFEST_BLOB_UNKNOWN")
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "refused-tag-kept",
        "The tag is set before the children are looked for: a refused index is served by its tag.",
        "index.refuse.nothing-stored",
        &[Seam::Store(|change, right| match refused_index(change).filter(|push| !has_older(push)) {
            Some(push) => {
                let tag = tag_of(push).map(|tag| set_tag(push.repository, tag, push.digest));
                plus(right, tag.into_iter().flat_map(|tag| [store_manifest(push), tag]))
            }
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-digest-kept",
        "The manifest is stored before the children are looked for: a refused index is served by its digest.",
        "index.refuse.nothing-stored",
        &[Seam::Store(|change, right| match refused_index(change) {
            Some(push) => plus(right, [store_manifest(push)]),
            None => right,
        })],
    )
    .also(&["manifest.get.absent", "manifest.head.absent"])
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-tag-removed",
        "The push of an index that is refused removes the tag's older value.",
        "index.refuse.tag-untouched",
        &[Seam::Store(|change, right| match refused_index(change) {
            Some(push) => {
                let tag = tag_of(push).map(str::to_owned);
                plus(right, tag.map(|tag| Write::Untag { repository: push.repository.to_owned(), tag }))
            }
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-tag-moved",
        "The push of an index that is refused moves an older tag to it.",
        "index.refuse.tag-untouched",
        &[Seam::Store(|change, right| match refused_index(change).filter(|push| has_older(push)) {
            Some(push) => {
                let tag = tag_of(push).map(|tag| set_tag(push.repository, tag, push.digest));
                plus(right, tag.into_iter().flat_map(|tag| [store_manifest(push), tag]))
            }
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-tag-listed",
        "The tag of a refused index is listed, and leads to nothing.",
        "tags.no-phantom",
        &[Seam::Store(|change, right| match refused_index(change).filter(|push| !has_older(push)) {
            Some(push) => plus(right, tag_of(push).map(|tag| set_tag(push.repository, tag, push.digest))),
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-children-dropped",
        "With a refused index the children that are there are thrown away.",
        "index.refuse.children-kept",
        &[Seam::Store(|change, right| match refused_index(change) {
            Some(push) => {
                let children = present(push.view, push.repository, &push.manifest.children);
                let drops: Vec<Write> = children.map(|(digest, ..)| drop_manifest(push.repository, &digest)).collect();
                plus(right, drops)
            }
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-layers-dropped",
        "With a refused index the layers of the children that are there are thrown away.",
        "index.refuse.children-kept",
        &[Seam::Store(|change, right| match refused_index(change) {
            Some(push) => {
                let children = present(push.view, push.repository, &push.manifest.children);
                let layers = children.flat_map(|(_, stored, _)| &stored.manifest.blobs);
                let drops: Vec<Write> = layers.filter_map(|blob| unlink(push.repository, &blob.digest)).collect();
                plus(right, drops)
            }
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-children-conjured",
        "What a refused manifest list names is answered with 200 afterwards, with the first child that is there.",
        "manifest.get.absent",
        &[Seam::Store(|change, right| match refused_index(change).filter(|push| is_docker(push)) {
            Some(push) => {
                let first = present(push.view, push.repository, &push.manifest.children).next();
                let absent = push.missing.first().and_then(|missing| Digest::parse(&missing.digest));
                let conjured = first.zip(absent).and_then(|((digest, stored, _), absent)| {
                    Some(Write::Manifest {
                        repository: push.repository.to_owned(),
                        digest: absent,
                        manifest: stored.manifest.clone(),
                        bytes: push.view.content.body(&digest)?.to_bytes(),
                    })
                });
                plus(right, conjured)
            }
            None => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-for-ever",
        "The refusal of an index is remembered: it is refused again once its children are there.",
        "index.refuse.until-complete",
        &[Seam::Finish(|asked, _, memory, answer| {
            if !puts_manifest(asked) {
                return answer;
            }
            let refused = index_refused(asked, &answer);
            refused_once(memory, asked.uri.path(), refused, answer)
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refused-then-taken",
        "An index that was refused is acknowledged when it is pushed again as it is.",
        "index.refuse.consistent",
        &[Seam::Finish(|asked, _, memory, answer| {
            let again = index_refused(asked, &answer) && memory.count(asked.uri.path()) > 1;
            let location = asked.uri.path().to_owned();
            changed(again, answer, |_| Answer::new(StatusCode::CREATED).with("location", &location))
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refused-by-digest-for-ever",
        "The digest of an index that was refused is remembered: it is refused again once its children are there.",
        "index.refuse.until-complete",
        &[Seam::Finish(|asked, _, memory, answer| {
            let by_digest = asked.route.reference().is_some_and(|reference| reference.contains(':'));
            if !puts_manifest(asked) || !by_digest {
                return answer;
            }
            let refused = index_refused(asked, &answer);
            refused_once(memory, asked.uri.path(), refused, answer)
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "deleted-child-stays-absent",
        "A manifest that was deleted and came again counts as absent where an index names it.",
        "index.refuse.until-complete",
        &[Seam::Present(|wanted, right| {
            let held = wanted.view.state.repository(wanted.repository);
            let deleted = Digest::parse(&wanted.descriptor.digest)
                .is_some_and(|child| held.is_some_and(|held| was_there(held, &child)));
            right && !deleted
        })],
    )
    .when(stances::REFUSE),
];
