//! Wrong about another server on the same storage: what this one has seen, or written, is taken for what there is.

use axum::http::Method;

use super::tools::*;

/// The repository that a request is about.
fn repository(asked: &Asked) -> &str {
    asked.route.repository().unwrap_or_default()
}

/// Whether a manifest is read, by its digest or by a tag.
fn reads_manifest(asked: &Asked, by_digest: bool) -> bool {
    let digest = asked.route.reference().is_some_and(|reference| reference.contains(':'));
    (gets_manifest(asked) || heads_manifest(asked)) && digest == by_digest
}

fn reads_blob(asked: &Asked) -> bool {
    gets_blob(asked) || heads_blob(asked)
}

/// A cache that only this server's own writes to the repository empty: the answer that it holds, else this one, which it
/// holds from now on where it is of the `kind` that is kept.
fn cached(reads: bool, kind: StatusCode, asked: &Asked, memory: &mut Memory, answer: Answer) -> Answer {
    let repository = repository(asked);
    if !asked.reads() {
        memory.forget(&format!("{repository} "));
        return answer;
    }
    if !reads {
        return answer;
    }
    let key = format!("{repository} {} {}", asked.method, asked.uri);
    if answer.status == kind && memory.recall(&key).is_none() {
        memory.keep(&key, &answer);
    }
    memory.recall(&key).unwrap_or(answer)
}

/// Remembers what this server was given: manifests by digest and tag, blobs.
pub(super) fn note(asked: &Asked, memory: &mut Memory, answer: &Answer) {
    if answer.status != StatusCode::CREATED {
        return;
    }
    let named = [asked.route.reference(), answer.header("docker-content-digest")];
    for name in named.into_iter().flatten() {
        memory.keep(&own(asked, name), answer);
    }
    // A blob's upload ends by naming its digest.
    for digest in [asked.query.get("digest"), asked.query.get("mount")].into_iter().flatten() {
        memory.keep(&own(asked, digest), answer);
    }
}

fn own(asked: &Asked, name: &str) -> String {
    format!("{} {name}", repository(asked))
}

/// Whether the answer is about a manifest that another server was given.
pub(super) fn is_others(asked: &Asked, memory: &Memory, answer: &Answer) -> bool {
    let digest = answer.header("docker-content-digest").unwrap_or_default();
    (gets_manifest(asked) || heads_manifest(asked))
        && answer.status == StatusCode::OK
        && memory.recall(&own(asked, digest)).is_none()
}

/// Whether an index that another server was given names what is asked for.
fn is_gap_of_another(asked: &Asked, view: &View, memory: &Memory) -> bool {
    let mut named = parents(*view, repository(asked), asked.route.reference().unwrap_or_default());
    named.any(|(digest, _)| memory.recall(&own(asked, digest.as_str())).is_none())
}

/// Whether the answer is about an index with gaps that this server would have refused.
fn is_unwelcome(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let refuses = view.config.version > 1 && view.config.stance.word() != "accept";
    refuses && answer.status == StatusCode::OK && about_index(asked, view, answer) && about_gaps(asked, view, answer)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "skew-manifest-remembered",
        "Manifests are cached by digest: one that another server on the storage deleted is served.",
        "skew.gone",
        &[Seam::Finish(|asked, _, memory, answer| {
            cached(reads_manifest(asked, true), StatusCode::OK, asked, memory, answer)
        })],
    ),
    Defect::new(
        "skew-tag-remembered",
        "Tags are cached: one that another server on the storage moved or deleted leads to where it led.",
        "skew.tag",
        &[Seam::Finish(|asked, _, memory, answer| {
            cached(reads_manifest(asked, false), StatusCode::OK, asked, memory, answer)
        })],
    )
    .also(&["skew.gone"]),
    Defect::new(
        "skew-blob-remembered",
        "That a blob is there is cached: one that another server on the storage deleted is served (distribution with \
         `cache: {blobdescriptor: inmemory}`).",
        "skew.gone",
        &[Seam::Finish(|asked, _, memory, answer| cached(reads_blob(asked), StatusCode::OK, asked, memory, answer))],
    ),
    Defect::new(
        "skew-404-remembered",
        "That a manifest is not there is cached: one that another server on the storage was given is not found.",
        "skew.keeps-manifest",
        &[Seam::Finish(|asked, _, memory, answer| {
            cached(reads_manifest(asked, true), StatusCode::NOT_FOUND, asked, memory, answer)
        })],
    ),
    Defect::new(
        "skew-delete-of-others-404",
        "The deletion of a manifest that another server on the storage was given is done, and answered with 404.",
        "skew.delete",
        &[Seam::Finish(|asked, _, memory, answer| {
            note(asked, memory, &answer);
            let reference = asked.route.reference().unwrap_or_default();
            let done = asked.method == Method::DELETE && answer.status == StatusCode::ACCEPTED;
            let wrong = done && reference.contains(':') && memory.recall(&own(asked, reference)).is_none();
            changed(wrong, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    ),
    Defect::new(
        "skew-blob-404-remembered",
        "That a blob is not there is cached: one that another server on the storage was given is not found.",
        "skew.keeps-blob",
        &[Seam::Finish(|asked, _, memory, answer| {
            cached(reads_blob(asked), StatusCode::NOT_FOUND, asked, memory, answer)
        })],
    ),
    Defect::new(
        "skew-tags-remembered",
        "The list of tags is kept in memory: what another server on the storage tags or deletes does not change it.",
        "skew.tags",
        &[Seam::Finish(|asked, _, memory, answer| cached(lists_tags(asked), StatusCode::OK, asked, memory, answer))],
    ),
    Defect::new(
        "skew-referrers-remembered",
        "Lists of referrers are kept in memory: what another server on the storage is given is not among them.",
        "skew.referrer",
        &[Seam::Finish(|asked, _, memory, answer| {
            let reads = asked.method == Method::GET && matches!(asked.route, Route::Referrers { .. });
            cached(reads, StatusCode::OK, asked, memory, answer)
        })],
    ),
    Defect::new(
        "skew-lists-own-tags",
        "Tags that another server on the storage was given are not listed.",
        "skew.tags",
        &[Seam::Finish(|asked, _, memory, answer| {
            note(asked, memory, &answer);
            let lists = lists_tags(asked) && answer.status == StatusCode::OK;
            changed(lists, answer, |answer| {
                let mut value = answer.value().unwrap_or_default();
                let own = |tag: &serde_json::Value| {
                    tag.as_str().is_some_and(|tag| memory.recall(&own(asked, tag)).is_some())
                };
                if let Some(tags) = value.get_mut("tags").and_then(|tags| tags.as_array_mut()) {
                    tags.retain(own);
                }
                answer.without("content-length").body(value.to_string())
            })
        })],
    )
    .also(&["restart.tags", "upgrade.tags"]),
    Defect::new(
        "skew-reserialises",
        "An index that another server on the storage was given is read into this version's types and written from them.",
        "skew.keeps-manifest",
        &[Seam::Finish(|asked, view, memory, answer| {
            note(asked, memory, &answer);
            let wrong = gets_manifest(asked) && is_others(asked, memory, &answer) && about_index(asked, view, &answer);
            changed(wrong, answer, |answer| {
                let text = answer.value().and_then(|value| serde_json::to_string_pretty(&value).ok());
                answer.without("content-length").body(text.unwrap_or_default())
            })
        })],
    )
    .also(&["skew.tag"]),
    Defect::new(
        "skew-serves-lists-as-indexes",
        "The type of a manifest is remembered by who was given it: another server's lists are served as OCI indexes.",
        "skew.keeps-manifest",
        &[Seam::Finish(|asked, view, memory, answer| {
            note(asked, memory, &answer);
            let wrong = is_others(asked, memory, &answer)
                && about_index(asked, view, &answer)
                && about_docker(asked, view, &answer);
            changed(wrong, answer, |answer| {
                answer.without("content-type").with("content-type", super::super::manifest::OCI_INDEX)
            })
        })],
    )
    .also(&["skew.tag"]),
    Defect::new(
        "skew-knows-own-blobs",
        "A manifest is refused of which a blob was given to another server on the storage.",
        "skew.taken",
        &[Seam::Finish(|asked, view, memory, answer| {
            let taken = puts_manifest(asked) && answer.status == StatusCode::CREATED;
            note(asked, memory, &answer);
            let held = view.state.repository(repository(asked));
            let is_there = |digest: &str| {
                held.zip(Digest::parse(digest)).is_some_and(|(held, digest)| held.blobs.contains_key(&digest))
            };
            let unknown = |digest: &str| is_there(digest) && memory.recall(&own(asked, digest)).is_none();
            let names = named(asked, view, &answer).map_or(&[][..], |(.., stored)| &stored.manifest.blobs);
            // What was there before this start is known from the storage.
            let wrong = taken && view.state.life.starts == 1 && names.iter().any(|blob| unknown(&blob.digest));
            changed(wrong, answer, |_| Problem::blob_unknown(asked.route.reference().unwrap_or_default()).into())
        })],
    ),
    Defect::new(
        "skew-refuses-to-serve-gaps",
        "An index with gaps, which this version refuses, is not served where another took it.",
        "skew.tag",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(is_unwelcome(asked, view, &answer), answer, |_| {
                Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into()
            })
        })],
    )
    .when(stances::ACCEPT)
    .also(&["skew.keeps-manifest", "upgrade.keeps-tag", "upgrade.keeps-manifest"]),
    Defect::new(
        "skew-trims",
        "An index with gaps, which this version refuses, is served without the children that are missing.",
        "skew.tag",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = gets_manifest(asked) && is_unwelcome(asked, view, &answer);
            let there: Vec<String> = match named(asked, view, &answer) {
                Some((repository, _, stored)) if wrong => {
                    let there = present(*view, repository, &stored.manifest.children);
                    there.map(|(digest, ..)| digest.to_string()).collect()
                }
                _ => return answer,
            };
            let mut value = answer.value().unwrap_or_default();
            if let Some(entries) = entries(&mut value) {
                entries.retain(|entry| {
                    entry.get("digest").and_then(|digest| digest.as_str()).is_some_and(|digest| {
                        there.iter().any(|there| there == digest)
                    })
                });
            }
            answer.without("content-length").body(value.to_string())
        })],
    )
    .when(stances::ACCEPT)
    .also(&["skew.keeps-manifest", "upgrade.keeps-tag", "upgrade.keeps-manifest"]),
    Defect::new(
        "skew-missing-child-500",
        "A missing child of an index that another server on the storage was given is answered with 500.",
        "skew.gone",
        &[Seam::Finish(|asked, view, memory, answer| {
            note(asked, memory, &answer);
            let wrong = reads_manifest(asked, true)
                && answer.status == StatusCode::NOT_FOUND
                && is_gap_of_another(asked, view, memory);
            changed(wrong, answer, |_| fault().into())
        })],
    )
    .also(&["restart.missing", "upgrade.missing"]),
    Defect::new(
        "skew-knows-own-signature-tags",
        "Tags that are made of a digest are kept beside the storage: one that another server was given is not found.",
        "skew.tag",
        &[Seam::Finish(|asked, _, memory, answer| {
            note(asked, memory, &answer);
            let reference = asked.route.reference().unwrap_or_default();
            let unknown = reads_manifest(asked, false) && reference.starts_with("sha256-");
            let unknown = unknown && memory.recall(&own(asked, reference)).is_none();
            changed(unknown, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    ),
    Defect::new(
        "skew-knows-own-sha512",
        "What is named by sha512 is found through a table of this server's own: another one's is not.",
        "skew.keeps-manifest",
        &[Seam::Finish(|asked, _, memory, answer| {
            note(asked, memory, &answer);
            let reference = asked.route.reference().unwrap_or_default();
            let unknown = reads_manifest(asked, true) && reference.starts_with("sha512:");
            let unknown = unknown && memory.recall(&own(asked, reference)).is_none();
            changed(unknown, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    ),
];
