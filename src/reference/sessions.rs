//! Pushing blobs: in one request, in two, in chunks; resuming, cancelling, mounting (end-4 to end-6, end-11, end-13).

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::problem::{Problem, Verdict};
use super::question::{Asked, Blob, Change, Chunk, Closing};
use super::registry::Registry;
use super::route::is_name;
use super::state::Write;
use super::uploads::{Broken, Received, Session};
use crate::content::digest::Digest;

/// POST `/blobs/uploads/`: a session, a whole blob, or a mount.
pub async fn open(
    registry: &Arc<Registry>,
    asked: &Asked,
    repository: &str,
    body: HttpBody,
) -> Result<Answer, Problem> {
    if asked.method != Method::POST {
        return Err(Problem::unsupported("an upload begins with POST"));
    }
    if let Some(answer) = mount(registry, asked, repository).await? {
        return Ok(answer);
    }
    let claimed = asked.query.get("digest").filter(|_| registry.config.single_post);
    let claimed = claimed.map(parse_digest).transpose()?;
    let session = registry.uploads.begin(repository).await.map_err(|e| Problem::storage(&e))?;
    let Some(claimed) = claimed else {
        return Ok(progress(StatusCode::ACCEPTED, &session, 0));
    };
    let answer = async {
        let mut received = session.received.lock().await;
        append(registry, &mut received, asked, body).await?;
        close(registry, asked, &session, &mut received, claimed).await
    };
    let answer = answer.await;
    registry.uploads.end(&session);
    answer
}

/// PATCH, PUT, GET, DELETE of a session.
pub async fn proceed(
    registry: &Arc<Registry>,
    asked: &Asked,
    repository: &str,
    id: &str,
    body: HttpBody,
) -> Result<Answer, Problem> {
    let session = registry.uploads.find(repository, id).ok_or_else(|| Problem::upload_unknown(id))?;
    let mut received = session.received.lock().await;
    match asked.method {
        Method::GET | Method::HEAD => Ok(progress(StatusCode::NO_CONTENT, &session, received.length())),
        Method::DELETE => {
            registry.uploads.end(&session);
            Ok(Answer::new(StatusCode::NO_CONTENT))
        }
        Method::PATCH => {
            if let Err(problem) = registry.policy.append(&chunk(asked, &received, false), fits(asked, &received)) {
                return Ok(misfit(problem, &session, &received));
            }
            append(registry, &mut received, asked, body).await?;
            Ok(progress(StatusCode::ACCEPTED, &session, received.length()))
        }
        Method::PUT => {
            let claimed = asked.query.get("digest").ok_or_else(|| {
                Problem::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "the closing PUT needs `digest`", Value::Null)
            })?;
            let claimed = parse_digest(claimed)?;
            if let Err(problem) = registry.policy.append(&chunk(asked, &received, true), fits(asked, &received)) {
                return Ok(misfit(problem, &session, &received));
            }
            append(registry, &mut received, asked, body).await?;
            let answer = close(registry, asked, &session, &mut received, claimed).await;
            registry.uploads.end(&session);
            answer
        }
        _ => Err(Problem::unsupported("an upload has GET, PATCH, PUT and DELETE")),
    }
}

fn parse_digest(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text)
        .ok_or_else(|| Problem::digest_invalid("the digest is malformed, or its algorithm is not known", text))
}

fn chunk<'a>(asked: &'a Asked, received: &Received, closing: bool) -> Chunk<'a> {
    let length = asked.header("content-length").and_then(|v| v.parse().ok());
    Chunk { have: received.length(), range: asked.header("content-range"), length, closing, cut: false }
}

/// Whether a chunk begins where the last one ended, and is as long as it says.
fn fits(asked: &Asked, received: &Received) -> Verdict {
    let chunk = chunk(asked, received, false);
    let Some(range) = chunk.range else { return Ok(()) };
    let (first, last) = read_content_range(range)
        .ok_or_else(|| Problem::upload_invalid("Content-Range is not `<first>-<last>` with first <= last"))?;
    if first != chunk.have {
        let detail = json!({ "have": chunk.have, "first": first });
        return Err(Problem::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "BLOB_UPLOAD_INVALID",
            "the chunk does not begin where the last one ended",
            detail,
        ));
    }
    match chunk.length {
        Some(length) if length != last - first + 1 => {
            let message = "Content-Length is not that of Content-Range";
            Err(Problem::new(StatusCode::BAD_REQUEST, "SIZE_INVALID", message, Value::Null))
        }
        _ => Ok(()),
    }
}

/// `^[0-9]+-[0-9]+$`
fn read_content_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-')?;
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse::<u64>().ok()).flatten();
    let (first, last) = (number(first)?, number(last)?);
    (first <= last && last < u64::MAX).then_some((first, last))
}

/// A 416 says where the upload stands, as GET would.
fn misfit(problem: Problem, session: &Session, received: &Received) -> Answer {
    let standing = progress(problem.status, session, received.length());
    let mut answer = Answer::from(problem);
    for name in ["location", "range"] {
        if let Some(value) = standing.header(name) {
            answer = answer.with(name, value);
        }
    }
    answer
}

fn progress(status: StatusCode, session: &Session, length: u64) -> Answer {
    Answer::new(status)
        .with("location", &format!("/v2/{}/blobs/uploads/{}", session.repository, session.id))
        .with("range", &format!("0-{}", length.saturating_sub(1)))
        .with("docker-upload-uuid", &session.id)
}

async fn append(registry: &Registry, received: &mut Received, asked: &Asked, body: HttpBody) -> Result<(), Problem> {
    let declared = asked.header("content-range").and_then(read_content_range).map(|(first, last)| last - first + 1);
    let came = match received.append(body).await {
        Ok(came) => came,
        Err(Broken::Storage(error)) => return Err(Problem::storage(&error)),
        Err(Broken::Client) => {
            let chunk = Chunk { cut: true, ..chunk(asked, received, asked.method != Method::PATCH) };
            let problem = Problem::upload_invalid("the body ended too early; GET the upload to see what arrived");
            return registry.policy.append(&chunk, Err(problem));
        }
    };
    match declared {
        Some(declared) if declared != came => {
            let message = "the body is not as long as Content-Range says";
            Err(Problem::new(StatusCode::BAD_REQUEST, "SIZE_INVALID", message, Value::Null))
        }
        _ => Ok(()),
    }
}

async fn close(
    registry: &Arc<Registry>,
    asked: &Asked,
    session: &Session,
    received: &mut Received,
    claimed: Digest,
) -> Result<Answer, Problem> {
    let computed = received.digest(claimed.algorithm()).map_err(|e| Problem::storage(&e))?;
    let verdict = match computed == claimed {
        true => Ok(()),
        false => Err(Problem::digest_invalid("provided digest did not match uploaded content", claimed.as_str())),
    };
    let closing = Closing { asked, claimed: &claimed, computed: &computed, length: received.length() };
    registry.policy.close(&closing, verdict)?;
    let (source, repository) = (received.take(), session.repository.clone());
    let arrive = move |registry: &Registry| {
        // Under the lock: the collector must not find the content before its link.
        let mut state = registry.changing();
        registry.content.put(&claimed, source).map_err(|e| Problem::storage(&e))?;
        let blob = Blob { view: registry.view(&state), repository: &repository, from: None, digest: &claimed };
        let writes = registry.policy.store(&Change::Upload(&blob), link(&blob));
        registry.apply(&mut state, &writes)?;
        Ok(created(&repository, &claimed))
    };
    registry.working(arrive).await?
}

fn link(blob: &Blob) -> Vec<Write> {
    vec![Write::Link { repository: blob.repository.to_owned(), digest: blob.digest.clone() }]
}

fn created(repository: &str, digest: &Digest) -> Answer {
    Answer::new(StatusCode::CREATED)
        .with("location", &format!("/v2/{repository}/blobs/{digest}"))
        .with("docker-content-digest", digest.as_str())
}

/// 201 where the blob can be mounted; `None` where an upload begins instead.
async fn mount(registry: &Arc<Registry>, asked: &Asked, repository: &str) -> Result<Option<Answer>, Problem> {
    let Some(digest) = asked.query.get("mount") else { return Ok(None) };
    let digest = parse_digest(digest)?;
    let from = asked.query.get("from").filter(|from| is_name(from)).map(str::to_owned);
    let named = asked.query.get("from").is_some();
    let allowed = from.as_deref().is_none_or(|from| registry.may_pull(asked, from));
    let repository = repository.to_owned();
    let arrive = move |registry: &Registry| {
        let mut state = registry.changing();
        let blob =
            Blob { view: registry.view(&state), repository: &repository, from: from.as_deref(), digest: &digest };
        let there = match blob.from {
            Some(from) => allowed && blob.view.state.has_blob(from, &digest),
            None => !named && registry.config.anonymous_mount && blob.view.state.blob_anywhere(&digest).is_some(),
        };
        if !registry.policy.mount(&blob, there) {
            return Ok(None);
        }
        let writes = registry.policy.store(&Change::Mount(&blob), link(&blob));
        registry.apply(&mut state, &writes)?;
        Ok(Some(created(&repository, &digest)))
    };
    registry.working(arrive).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(read_content_range("0-99"), Some((0, 99)));
        for wrong in ["", "-", "5-2", "a-b", "bytes 0-1/2", "0-99/100", "0-18446744073709551615", "0--1", "+0-1"] {
            assert_eq!(read_content_range(wrong), None, "{wrong}");
        }
    }
}
