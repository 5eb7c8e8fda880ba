//! Wrong about what the tests of other registries ask: a second try, a query that is odd, a shape that is two things.

use axum::http::Method;
use serde_json::Value;

use super::super::manifest::{OCI_IMAGE, OCI_INDEX};
use super::super::route::is_tag;
use super::conditional::asked_tags;
use super::docker::relisted;
use super::gc_tools::*;
use super::sessions::is_upload;

/// A closing PUT that is refused for what it claims.
fn close_refused(asked: &Asked, answer: &Answer) -> bool {
    is_upload(asked, Method::PUT) && answer.status == StatusCode::BAD_REQUEST
}

/// Whether a `Content-Range` says where its bytes begin and end, in this order.
fn is_readable(range: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    range.split_once('-').and_then(|(first, last)| number(first).zip(number(last))).is_some_and(|(a, b)| a <= b)
}

/// Whether this JSON has the lists of an index and those of an image.
fn is_ambiguous(bytes: &[u8]) -> bool {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    value.get("manifests").is_some() && ["config", "layers"].iter().any(|name| value.get(name).is_some())
}

/// Whether a scope has a type, a name and actions, each of which a registry may know.
fn is_scope(scope: &str) -> bool {
    let parts: Vec<&str> = scope.split(':').collect();
    matches!(parts[..], ["repository", name, actions] if super::super::route::is_name(name) && !actions.is_empty())
}

/// A field that a proxy adds, of which nothing can be read.
fn forwards_nonsense(asked: &Asked) -> bool {
    let of_a_proxy = |name: &str| name == "forwarded" || name.starts_with("x-forwarded-") || name == "x-real-ip";
    let says = |value: &[u8]| value.iter().any(u8::is_ascii_alphanumeric);
    asked.headers.iter().any(|(name, value)| of_a_proxy(name.as_str()) && !says(value.as_bytes()))
}

/// The manifests that a repository lost and that referred to this digest.
fn lost_referrers(held: &Repository, subject: &str) -> bool {
    gone_manifests(held).any(|(_, stored)| stored.manifest.subject.as_deref() == Some(subject))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "query-tags-malformed-500",
        "A tag in the query of a push that is none makes the registry fall over.",
        "manifest.put.tags-answered",
        &[Seam::Hear(|asked, _, right| falls_over(asked_tags(asked).iter().any(|tag| !is_tag(tag)), right))],
    ),
    Defect::new(
        "query-tags-stay",
        "A tag in the query of a push that leads to something already stays where it is.",
        "manifest.put.tags-true",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => {
                let taken =
                    |tag: &String| push.tags.contains(tag) && push.view.state.tag(push.repository, tag).is_some();
                right.into_iter().filter(|write| !matches!(write, Write::Tag { tag, .. } if taken(tag))).collect()
            }
            None => right,
        })],
    ),
    Defect::new(
        "query-tags-doubled-500",
        "The same tag twice in the query of a push makes the registry fall over.",
        "manifest.put.tags-answered",
        &[Seam::Hear(|asked, _, right| {
            let tags = asked_tags(asked);
            falls_over(tags.iter().enumerate().any(|(place, tag)| tags[..place].contains(tag)), right)
        })],
    ),
    Defect::new(
        "close-after-refusal-500",
        "An upload whose close was refused makes the registry fall over when it is closed again.",
        "upload.closed-again",
        &[Seam::Finish(|asked, _, memory, answer| {
            let again = is_upload(asked, Method::PUT) && memory.recall(asked.uri.path()).is_some();
            if close_refused(asked, &answer) {
                memory.keep(asked.uri.path(), &answer);
            }
            changed(again, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "claimed-digest-refused-for-ever",
        "A digest that an upload claimed wrongly is remembered: its own bytes are refused too.",
        "upload.created",
        &[Seam::Finish(|asked, _, memory, answer| {
            let Some(digest) = asked.query.get("digest").filter(|_| is_upload(asked, Method::PUT)) else {
                return answer;
            };
            let refused = close_refused(asked, &answer);
            refused_once(memory, digest, refused, answer)
        })],
    ),
    Defect::new(
        "put-malformed-range-500",
        "A Content-Range of the closing PUT that cannot be read makes the registry fall over.",
        "upload.put-malformed",
        &[Seam::Append(|chunk, right| {
            falls_over(chunk.closing && chunk.range.is_some_and(|range| !is_readable(range)), right)
        })],
    ),
    Defect::new(
        "mount-of-manifest-500",
        "A mount of what is a manifest makes the registry fall over.",
        "mount.fault",
        &[Seam::Hear(|asked, view, right| {
            let source = asked.query.get("from").and_then(|from| view.state.repository(from));
            let manifest = source.zip(asked.query.get("mount")).is_some_and(|(held, digest)| has(held, digest));
            falls_over(asked.method == Method::POST && manifest, right)
        })],
    ),
    Defect::new(
        "put-second-type-500",
        "Bytes that are there under another media type make the registry fall over when they are pushed.",
        "manifest.put.type-mismatch",
        &[Seam::Accept(|push, right| {
            let there = push.view.state.manifest(push.repository, push.digest);
            falls_over(there.is_some_and(|there| there.manifest.media_type != push.manifest.media_type), right)
        })],
    ),
    Defect::new(
        "put-schema-one-500",
        "An image of Docker's first schema makes the registry fall over.",
        "manifest.put.foreign-type",
        &[Seam::Hear(|asked, _, right| {
            let first = asked.header("content-type").is_some_and(|t| t.contains("docker.distribution.manifest.v1+"));
            falls_over(puts_manifest(asked) && first, right)
        })],
    ),
    Defect::new(
        "ambiguous-manifest-500",
        "A manifest that has a list of manifests, and a config or layers, makes the registry fall over.",
        "manifest.put.shape-answered",
        &[Seam::Accept(|push, right| falls_over(is_ambiguous(push.bytes), right))],
    ),
    Defect::new(
        "ambiguous-manifest-retyped",
        "An image that has a list of manifests is served as an index, and an index that has layers as an image \
         (https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh).",
        "manifest.get.type",
        &[Seam::Resolve(|_, right| {
            let served = right?;
            let other = if served.media_type == OCI_INDEX { OCI_IMAGE } else { OCI_INDEX };
            let ambiguous = is_ambiguous(&served.body.to_bytes());
            let media_type = if ambiguous { other.to_owned() } else { served.media_type };
            Some(Served { media_type, ..served })
        })],
    ),
    Defect::new(
        "referrers-404-when-emptied",
        "A list of referrers whose last entry was deleted is 404.",
        "referrers.empty",
        &[Seam::Finish(|asked, view, _, answer| {
            let Route::Referrers { repository, digest } = &asked.route else { return answer };
            let held = view.state.repository(repository);
            let emptied = held.is_some_and(|held| !held.referrers.contains_key(digest) && lost_referrers(held, digest));
            changed(asked.reads() && emptied, answer, |_| Problem::manifest_unknown(digest).into())
        })],
    ),
    Defect::new(
        "referrers-odd-filter-500",
        "A filter of referrers that is empty, or there twice, makes the registry fall over.",
        "referrers.query-answered",
        &[Seam::Hear(|asked, _, right| {
            let filters: Vec<&str> = asked.query.all("artifactType").collect();
            let odd = filters.len() > 1 || filters.contains(&"");
            falls_over(odd && matches!(asked.route, Route::Referrers { .. }), right)
        })],
    ),
    Defect::new(
        "referrers-filter-said-unasked",
        "Each list of referrers says that it was filtered.",
        "referrers.filter-unasked",
        &[Seam::Finish(|asked, _, _, answer| {
            let list = matches!(asked.route, Route::Referrers { .. }) && answer.status == StatusCode::OK;
            changed(list, answer, |a| a.with("oci-filters-applied", "artifactType"))
        })],
    )
    .also(&["referrers.filter-honest", "referrers.filter-said"]),
    Defect::new(
        "gc-stops-at-circle",
        "The collector stops at an index that refers to one of its own children.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let own = |stored: &Stored| {
                let subject = stored.manifest.subject.as_deref();
                stored.manifest.children.iter().any(|child| Some(child.digest.as_str()) == subject)
            };
            stops(collection.held.manifests.values().any(own), right)
        })],
    ),
    Defect::new(
        "gc-drops-broken-chains",
        "The collector takes a signature whose own signature was deleted.",
        "gc.keeps-referrer",
        &[Seam::Reach(|marked, right| {
            let broken = |digest: &Digest| {
                refers_to(marked.held, marked.digest, digest) && lost_referrers(marked.held, digest.as_str())
            };
            right.into_iter().filter(|digest| !broken(digest)).collect()
        })],
    ),
    Defect::new(
        "catalog-unprotected",
        "The catalog is open to everybody, and names every repository.",
        "docker.catalog.closed",
        &[Seam::Enter(|entering, right| right || entering.asked.route == Route::Catalog)],
    ),
    Defect::new(
        "token-odd-scope-500",
        "A token that is asked for with a scope that cannot be read makes the registry fall over.",
        "token.odd",
        &[Seam::Hear(|asked, _, right| {
            let odd = asked.query.all("scope").any(|scope| !is_scope(scope));
            falls_over(asked.route == Route::Token && odd, right)
        })],
    ),
    Defect::new(
        "forwarded-500",
        "What a field about forwarding says makes the registry fall over where it cannot be read.",
        "http.forwarded",
        &[Seam::Hear(|asked, _, right| falls_over(forwards_nonsense(asked), right))],
    ),
    Defect::new(
        "options-500",
        "OPTIONS makes the registry fall over.",
        "http.method.answered",
        &[Seam::Hear(|asked, _, right| falls_over(asked.method == Method::OPTIONS, right))],
    ),
    Defect::new(
        "delete-sha512-kept",
        "A deletion by sha512 is acknowledged, and nothing goes.",
        "delete.manifest-gone",
        &[Seam::Store(|change, right| {
            let sha512 = deleted(change).is_some_and(|removal| match removal.target {
                Target::Manifest(digest) | Target::Blob(digest) => digest.as_str().starts_with("sha512:"),
                Target::Tag(_) => false,
            });
            if sha512 { Vec::new() } else { right }
        })],
    )
    .also(&["delete.blob-gone"]),
    Defect::new(
        "catalog-passes-over-longer-names",
        "A repository whose name begins with that of the one before it is not in the catalog \
         (https://github.com/distribution/distribution/issues/4891).",
        "docker.catalog.listed",
        &[Seam::Finish(|asked, _, _, answer| {
            relisted(asked, answer, |names| {
                let mut kept: Vec<String> = Vec::new();
                for name in names {
                    if !kept.last().is_some_and(|before| name.starts_with(before.as_str())) {
                        kept.push(name);
                    }
                }
                kept
            })
        })],
    )
    .also(&["docker.catalog.last"]),
];
