//! Blobs: get, head, delete (end-2, end-10), with single ranges (RFC 9110, 14).

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::answer::Answer;
use super::manifest::is_digest;
use super::manifests::remove;
use super::problem::Problem;
use super::question::{Asked, Lookup, Reference, Served, Target};
use super::registry::Registry;
use crate::content::digest::Digest;

/// The blob routes.
pub fn route(registry: &Registry, asked: &Asked, repository: &str, digest: &str) -> Answer {
    match asked.method {
        Method::GET | Method::HEAD => get(registry, asked, repository, digest),
        Method::DELETE => match Digest::parse(digest) {
            Some(digest) => remove(registry, repository, &Target::Blob(digest)).unwrap_or_else(Answer::from),
            None => unknown(registry, repository, digest).into(),
        },
        _ => Problem::unsupported("a blob has GET, HEAD and DELETE").into(),
    }
}

fn get(registry: &Registry, asked: &Asked, repository: &str, digest: &str) -> Answer {
    let reference = Reference::parse(digest);
    let served = {
        let state = registry.state();
        let lookup = Lookup { view: registry.view(&state), repository, reference: &reference, asked };
        registry.policy.find(&lookup, find(&lookup))
    };
    match served {
        Some(served) => serve(asked, served),
        None => unknown(registry, repository, digest).into(),
    }
}

/// What a blob's digest leads to.
fn find(lookup: &Lookup) -> Option<Served> {
    let Lookup { view, repository, reference, .. } = lookup;
    let digest = reference.digest()?;
    view.state.repository(repository)?.blobs.get(digest)?;
    let body = view.content.body(digest)?;
    Some(Served { media_type: "application/octet-stream".into(), digest: digest.clone(), body })
}

fn unknown(registry: &Registry, repository: &str, digest: &str) -> Problem {
    if !is_digest(digest) {
        return Problem::digest_invalid("the digest is malformed", digest);
    }
    match registry.state().repository(repository) {
        None => Problem::name_unknown(repository),
        Some(_) => Problem::blob_unknown(digest),
    }
}

fn serve(asked: &Asked, served: Served) -> Answer {
    let etag = format!("\"{}\"", served.digest);
    let total = served.body.length();
    let answer = Answer::new(StatusCode::OK)
        .with("content-type", &served.media_type)
        .with("docker-content-digest", served.digest.as_str())
        .with("accept-ranges", "bytes")
        .with("etag", &etag);
    let fresh = asked.header("if-range").is_none_or(|condition| condition == etag);
    let range = asked.header("range").filter(|_| asked.method == Method::GET && fresh);
    let mut answer = match range.map_or(Range::Whole, |range| read_range(range, total)) {
        Range::Whole => Answer { body: served.body, ..answer },
        Range::Part { start, length } => {
            let content_range = format!("bytes {start}-{}/{total}", start + length - 1);
            let answer = answer.status(StatusCode::PARTIAL_CONTENT).with("content-range", &content_range);
            Answer { body: served.body.slice(start, length), ..answer }
        }
        Range::Outside => {
            let detail = json!({ "size": total });
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "SIZE_INVALID",
                "no byte of the range is there",
                detail,
            );
            Answer::from(problem).with("content-range", &format!("bytes */{total}"))
        }
    };
    answer = answer.clone().with("content-length", &answer.body.length().to_string());
    answer
}

/// What a `Range` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// All of it: no range, one that is malformed, or several (RFC 9110, 14.2 lets a server ignore them).
    Whole,
    /// A part.
    Part { start: u64, length: u64 },
    /// Nothing that is there.
    Outside,
}

fn read_range(text: &str, total: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|spec| spec.trim().split_once('-')) else {
        return Range::Whole;
    };
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse::<u64>().ok()).flatten();
    match (first, last) {
        ("", last) => match number(last) {
            None => Range::Whole,
            Some(0) => Range::Outside,
            Some(_) if total == 0 => Range::Outside,
            Some(suffix) => {
                let length = suffix.min(total);
                Range::Part { start: total - length, length }
            }
        },
        (first, last) => {
            let Some(start) = number(first) else { return Range::Whole };
            let end = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match end {
                None => Range::Whole,
                Some(end) if end < start => Range::Whole,
                Some(_) if start >= total => Range::Outside,
                Some(end) => Range::Part { start, length: end.min(total - 1) - start + 1 },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |start, length| Range::Part { start, length };
        for (text, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-5", part(2, 4)),
            ("bytes=2-", part(2, 8)),
            ("bytes=2-999", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-30", part(0, 10)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-2", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("lines=0-1", Range::Whole),
            ("bytes=0-99999999999999999999999", Range::Whole),
        ] {
            assert_eq!(read_range(text, 10), expected, "{text}");
        }
        assert_eq!(read_range("bytes=0-", 0), Range::Outside);
    }
}
