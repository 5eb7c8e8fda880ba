//! Wrong about the children of a stored index: what is served for one, and what becomes of their layers.

use axum::http::StatusCode;

use super::super::answer::Body;
use super::super::manifest::{OCI_IMAGE, OCI_INDEX};
use super::gc_tools::is_late;
use super::tools::*;

/// What a lookup of an absent child is given instead.
fn instead(
    lookup: &Lookup,
    right: Option<Served>,
    choose: impl Fn(&Digest, &Stored, &Descriptor) -> Option<Served>,
) -> Option<Served> {
    if right.is_some() {
        return right;
    }
    let digest = lookup.reference.digest()?;
    parents(lookup.view, lookup.repository, digest.as_str()).find_map(|(parent, stored)| {
        let descriptor = stored.manifest.children.iter().find(|child| child.digest == digest.as_str())?;
        choose(parent, stored, descriptor)
    })
}

fn sibling(lookup: &Lookup, parent: &Stored, is: impl Fn(&Descriptor) -> bool) -> Option<Served> {
    let mut all = present(lookup.view, lookup.repository, &parent.manifest.children);
    let (digest, ..) = all.find(|(_, _, child)| is(child))?;
    served(lookup.view, lookup.repository, &digest)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "missing-child-answered-with-index",
        "Asked for an absent child of a manifest list, the registry serves the list.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            instead(lookup, right, |parent, list, _| {
                served(lookup.view, lookup.repository, parent).filter(|_| is_docker_type(&list.manifest.media_type))
            })
        })],
    ),
    Defect::new(
        "missing-child-answered-with-sibling",
        "Asked for an absent child of a manifest list, the registry serves the first of its siblings that is there.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            instead(lookup, right, |_, parent, _| {
                sibling(lookup, parent, |_| is_docker_type(&parent.manifest.media_type))
            })
        })],
    ),
    Defect::new(
        "missing-variant-answered-with-other",
        "Asked for an absent child, the registry serves one of the same operating system and architecture.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            instead(lookup, right, |_, parent, child| {
                let wanted = child.platform.as_deref().map(without_variant)?;
                sibling(lookup, parent, |c| c.platform.as_deref().map(without_variant) == Some(wanted.clone()))
            })
        })],
    ),
    Defect::new(
        "inner-index-conjured",
        "Asked for an absent index that another index names, the registry serves an empty one.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            instead(lookup, right, |_, _, child| {
                let body = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, child.media_type);
                child.names_index().then(|| Served {
                    media_type: child.media_type.clone(),
                    digest: Digest::of(Default::default(), body.as_bytes()),
                    body: Body::Bytes(body.into()),
                })
            })
        })],
    ),
    Defect::new(
        "missing-child-200-empty",
        "GET of an absent child of a manifest list is answered with 200 and no body.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = gets_manifest(asked) && absent_child_of_list(asked, view, &answer);
            changed(wrong, answer, |_| Answer::new(StatusCode::OK).with("content-type", OCI_IMAGE))
        })],
    ),
    Defect::new(
        "missing-child-head-200",
        "HEAD of an absent child of a manifest list is answered with 200.",
        "manifest.head.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = heads_manifest(asked) && absent_child_of_list(asked, view, &answer);
            changed(wrong, answer, |_| Answer::new(StatusCode::OK).with("content-type", OCI_IMAGE))
        })],
    ),
    Defect::new(
        "missing-child-500",
        "An absent child that a manifest list names makes the registry fall over when it is asked for.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(absent_child_of_list(asked, view, &answer), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "missing-child-code-blob-unknown",
        "An absent child is coded MANIFEST_BLOB_UNKNOWN when it is asked for.",
        "error.code.manifest",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(absent_child(asked, view, &answer), answer, |_| {
                let reference = asked.route.reference().unwrap_or_default();
                Problem::manifest_unknown(reference).coded("MANIFEST_BLOB_UNKNOWN").into()
            })
        })],
    ),
    Defect::new(
        "gap-as-blob-200",
        "The digest of an absent child is answered with 200 when it is asked for as a blob.",
        "blob.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = match &asked.route {
                Route::Blob { repository, digest } => parents(*view, repository, digest).next().is_some(),
                _ => false,
            };
            changed(wrong && answer.status == StatusCode::NOT_FOUND, answer, |_| Answer::new(StatusCode::OK))
        })],
    )
    .also(&["blob.head.absent"]),
    Defect::new(
        "single-index-unwrapped",
        "An index of one child is answered with that child.",
        "manifest.get.bytes",
        &[Seam::Resolve(|lookup, right| {
            let served_now = right?;
            let only =
                lookup.view.state.manifest(lookup.repository, &served_now.digest).and_then(|stored| {
                    match stored.manifest.children.as_slice() {
                        [_] => sibling(lookup, stored, |_| true),
                        _ => None,
                    }
                });
            Some(only.unwrap_or(served_now))
        })],
    ),
    Defect::new(
        "child-type-from-descriptor",
        "A child is served under the media type that an index's descriptor gives it.",
        "manifest.get.type",
        &[Seam::Resolve(|lookup, right| {
            let mut served = right?;
            let digest = lookup.reference.digest().map(Digest::as_str).unwrap_or_default();
            let named = parents(lookup.view, lookup.repository, digest)
                .flat_map(|(_, parent)| &parent.manifest.children)
                .find(|child| child.digest == digest && child.names_manifest());
            if let Some(child) = named {
                served.media_type = child.media_type.clone();
            }
            Some(served)
        })],
    ),
    Defect::new(
        "no-media-type-served-as-image",
        "An index that does not say what it is is served as an image manifest.",
        "manifest.get.type",
        &[Seam::Resolve(|_, right| {
            let mut served = right?;
            let value: serde_json::Value = serde_json::from_slice(&served.body.to_bytes()).unwrap_or_default();
            if value.get("mediaType").is_none() && served.media_type == OCI_INDEX {
                served.media_type = OCI_IMAGE.to_owned();
            }
            Some(served)
        })],
    )
    .also(&["manifest.head.type"]),
    Defect::new(
        "child-answered-with-index",
        "A child of a manifest list is answered, by GET, with the list.",
        "manifest.get.bytes",
        &[Seam::Resolve(|lookup, right| {
            let served_now = right?;
            let parent = parents(lookup.view, lookup.repository, served_now.digest.as_str()).next();
            let get = lookup.asked.method == axum::http::Method::GET && lookup.reference.digest().is_some();
            match parent.filter(|_| get) {
                Some((parent, stored)) if is_docker_type(&stored.manifest.media_type) => {
                    served(lookup.view, lookup.repository, parent)
                }
                _ => Some(served_now),
            }
        })],
    )
    .also(&["client.ends"]),
    Defect::new(
        "shared-layer-dropped",
        "When an index is stored, the layers that two of its children share are dropped with the first.",
        "blob.get.served",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => {
                let children = present(push.view, push.repository, &push.manifest.children);
                let mut layers: Vec<&str> = children
                    .flat_map(|(_, stored, _)| stored.manifest.blobs.iter().skip(1))
                    .map(|layer| layer.digest.as_str())
                    .collect();
                layers.sort_unstable();
                let shared = layers.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
                let drops: Vec<Write> = shared.filter_map(|layer| unlink(push.repository, layer)).collect();
                plus(right, drops)
            }
            None => right,
        })],
    ),
    Defect::new(
        "missing-child-answered-with-late-sibling",
        "Once a missing child has come, the registry serves it for those that are still absent.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            instead(lookup, right, |_, parent, _| {
                let held = lookup.view.state.repository(lookup.repository)?;
                sibling(lookup, parent, |child| Digest::parse(&child.digest).is_some_and(|child| is_late(held, &child)))
            })
        })],
    )
    .also(&["manifest.head.absent"]),
    Defect::new(
        "missing-child-406",
        "An absent child is answered with 406 where the Accept does not name its type.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let accepts = asked.accepts();
            let type_of = |child: &Descriptor| child.media_type.to_ascii_lowercase();
            let named = asked.route.repository().zip(asked.route.reference()).is_some_and(|(repository, reference)| {
                let mut naming = parents(*view, repository, reference).flat_map(|(_, index)| &index.manifest.children);
                naming.any(|child| child.digest == reference && accepts.contains(&type_of(child)))
            });
            let wrong = absent_child(asked, view, &answer) && !accepts.is_empty() && !named;
            changed(wrong, answer, |a| a.status(StatusCode::NOT_ACCEPTABLE))
        })],
    )
    .also(&["manifest.head.absent"]),
    Defect::new(
        "missing-child-200-from-the-second-time",
        "That a child is absent is kept in a cache, out of which it is answered with 200 and no body.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, memory, answer| {
            let again =
                absent_child(asked, view, &answer) && gets_manifest(asked) && memory.count(asked.uri.path()) > 1;
            changed(again, answer, |_| Answer::new(StatusCode::OK))
        })],
    ),
];

/// Whether the answer is a 404 for what an index of the repository names.
fn absent_child(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let Route::Manifest { repository, reference } = &asked.route else { return false };
    asked.reads() && answer.status == StatusCode::NOT_FOUND && parents(*view, repository, reference).next().is_some()
}

/// The same, where a manifest list names it.
fn absent_child_of_list(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let Route::Manifest { repository, reference } = &asked.route else { return false };
    let mut naming = parents(*view, repository, reference);
    absent_child(asked, view, answer) && naming.any(|(_, list)| is_docker_type(&list.manifest.media_type))
}
