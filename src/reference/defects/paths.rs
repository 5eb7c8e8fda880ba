//! Wrong about paths and queries: what is percent-encoded in them, dot segments, bytes that nobody expects.

use axum::http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::names::read_elsewhere;
use super::tools::*;

fn raw(asked: &Asked) -> &str {
    asked.uri.path()
}

fn raw_query(asked: &Asked) -> &str {
    asked.uri.query().unwrap_or_default()
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn repository(asked: &Asked) -> &str {
    asked.route.repository().unwrap_or_default()
}

fn served_one(asked: &Asked, answer: &Answer) -> bool {
    asked.reads() && answer.status == StatusCode::OK
}

fn not_there(asked: &Asked) -> Answer {
    Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into()
}

/// Whether a path goes up or nowhere, encoded or not.
fn has_dots(asked: &Asked) -> bool {
    decoded(raw(asked)).split(['/', '\\']).any(|part| matches!(part, "." | ".."))
}

/// Whether a path leads above `/v2/`.
fn climbs(asked: &Asked) -> bool {
    let mut depth = 0_i32;
    decoded(raw(asked)).split(['/', '\\']).filter(|part| !part.is_empty()).any(|part| {
        depth += if part == ".." { -1 } else { 1 };
        depth < 1
    })
}

/// A tag that nobody can have is acknowledged, and listed from then on.
fn tags_as_written(asked: &Asked, memory: &mut Memory, answer: Answer, tag: Option<String>) -> Answer {
    if let Some(tag) = tag {
        let path = raw(asked).rsplit_once("/manifests/").map_or("", |(path, _)| path);
        memory.keep(path, &Answer::new(StatusCode::CREATED).body(tag));
        return Answer::new(StatusCode::CREATED).with("location", raw(asked));
    }
    let kept = memory.recall(&format!("/v2/{}", repository(asked)));
    let Some(kept) = kept.filter(|_| lists_tags(asked) && answer.status.is_success()) else { return answer };
    let mut value = answer.value().unwrap_or_default();
    if let Some(tags) = value.get_mut("tags").and_then(Value::as_array_mut) {
        tags.push(json!(String::from_utf8_lossy(&kept.body.to_bytes())));
    }
    answer.body(value.to_string())
}

/// Bytes at which one decoder or another gives up.
fn has_odd_bytes(text: &str) -> bool {
    ["%00", "%ff", "%ed%a0%80"].iter().any(|bytes| text.contains(bytes))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "encoded-reference-404",
        "A reference with a percent sign is not decoded, and so not found.",
        "http.path.encoded-served",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(served_one(asked, &answer) && last(raw(asked)).contains('%'), answer, |_| not_there(asked))
        })],
    ),
    Defect::new(
        "encoded-reference-is-latest",
        "A reference with a percent sign is thrown away: `latest` is served.",
        "http.path.encoded",
        &[Seam::Resolve(|lookup, right| {
            let latest =
                lookup.view.state.tag(lookup.repository, "latest").filter(|_| last(raw(lookup.asked)).contains('%'));
            latest.and_then(|digest| served(lookup.view, lookup.repository, digest)).or(right)
        })],
    ),
    Defect::new(
        "encoded-word-404",
        "The words of a path are compared as they are written.",
        "http.path.encoded-served",
        &[Seam::Finish(|asked, _, _, answer| {
            let written = ["/manifests/", "/blobs/", "/tags/"].iter().any(|word| raw(asked).contains(word));
            let wrong = served_one(asked, &answer) && !written && asked.route.reference().is_some();
            changed(wrong, answer, |_| not_there(asked))
        })],
    ),
    Defect::new(
        "encoded-slash-cuts-name",
        "A name ends at an encoded slash.",
        "http.path.encoded",
        &[Seam::Finish(|asked, view, _, answer| {
            let cut = raw(asked).strip_prefix("/v2/").and_then(|path| path.split_once("%2F"));
            match cut {
                Some((name, _)) if repository(asked).starts_with(name) => read_elsewhere(asked, view, name, answer),
                _ => answer,
            }
        })],
    ),
    Defect::new(
        "decoded-twice",
        "A reference is decoded by the router, and again by the store.",
        "manifest.get.malformed",
        &[Seam::Resolve(|lookup, right| {
            let again = decoded(lookup.reference.as_str());
            let digest = Digest::parse(&again);
            let digest = digest.as_ref().or_else(|| lookup.view.state.tag(lookup.repository, &again));
            right.or_else(|| served(lookup.view, lookup.repository, digest?))
        })],
    ),
    Defect::new(
        "encoded-tag-taken-literally",
        "A push to a tag with a percent sign makes a tag with a percent sign.",
        "tags.bad-name",
        &[Seam::Finish(|asked, _, memory, answer| {
            let tag = last(raw(asked));
            let taken = puts_manifest(asked) && tag.contains('%') && answer.status == StatusCode::CREATED;
            tags_as_written(asked, memory, answer, taken.then(|| tag.to_owned()))
        })],
    ),
    Defect::new(
        "digest-in-query-literal",
        "The digest of an upload's end is read as it is written, its colon encoded or not.",
        "http.query.encoded",
        &[Seam::Hear(|asked, _, right| {
            let wrong = closes_upload(asked) && raw_query(asked).to_ascii_lowercase().contains("sha256%3a");
            if wrong { Err(Problem::digest_invalid("the digest is malformed", raw_query(asked))) } else { right }
        })],
    ),
    Defect::new(
        "dots-500",
        "A path with dot segments makes the registry fall over.",
        "http.path.dots",
        &[Seam::Finish(|asked, _, _, answer| changed(has_dots(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "dots-cut-off",
        "Rights are looked up by the cleaned path, and the repository is what stands before the first dot segment.",
        "http.path.dots",
        &[Seam::Finish(|asked, view, _, answer| {
            let path = decoded(raw(asked));
            let before = path.strip_prefix("/v2/").and_then(|path| path.split_once("/.."));
            let name = before.map(|(name, _)| name.trim_end_matches("/manifests").trim_end_matches("/blobs"));
            match name {
                Some(name) => read_elsewhere(asked, view, name, answer),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "dots-reach-files",
        "A path that leads out of the store is opened all the same.",
        "http.path.dots",
        &[Seam::Finish(|asked, _, _, answer| {
            let file = "root:x:0:0:root:/root:/bin/sh\n";
            changed(asked.reads() && climbs(asked), answer, |_| {
                Answer::new(StatusCode::OK).with("content-type", "application/octet-stream").body(file)
            })
        })],
    ),
    Defect::new(
        "dots-taken-as-tag",
        "A push to a reference of dots and slashes makes a tag of them.",
        "tags.bad-name",
        &[Seam::Finish(|asked, _, memory, answer| {
            let tag = decoded(last(raw(asked)));
            let taken = tag.starts_with('.') && asked.method == Method::PUT;
            tags_as_written(asked, memory, answer, taken.then_some(tag))
        })],
    ),
    Defect::new(
        "odd-bytes-500",
        "Bytes in a path that are no text make the registry fall over.",
        "http.path.bytes",
        &[Seam::Finish(|asked, _, _, answer| changed(has_odd_bytes(raw(asked)), answer, |_| fault().into()))],
    ),
    Defect::new(
        "odd-bytes-in-query-500",
        "Bytes in a query that are no text make the registry fall over.",
        "http.path.bytes",
        &[Seam::Finish(|asked, _, _, answer| changed(has_odd_bytes(raw_query(asked)), answer, |_| fault().into()))],
    ),
];
