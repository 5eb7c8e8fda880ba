//! How a right answer becomes a wrong one.

use axum::http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};

use super::super::answer::{Answer, Body};
use super::super::policy::Memory;
use super::super::question::Asked;
use super::kind::Kind;
use super::wrong::{BodyWrong, ErrorWrong, HeaderWrong, ListWrong, Wrong, list_of};

/// A digest of nothing that anybody pushed.
const NOBODYS: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000ff";

/// The spoilt answer; `None` where this one cannot be spoilt so.
pub(super) fn spoil(wrong: &Wrong, asked: &Asked, memory: &Memory, right: &Answer) -> Option<Answer> {
    let kind = Kind::of(asked, right);
    // One of the same kind says the same, in words that are for people alone; one that asked who is there was no answer yet.
    let says_other = |answer: &Answer| kind.code.is_none() || Kind::of(asked, answer) != kind;
    let is_other = |answer: &Answer| says_other(answer) && answer.status != StatusCode::UNAUTHORIZED;
    let differs = |answer: &Answer| {
        let said = |answer: &Answer| (answer.status, answer.headers.clone(), answer.body.to_bytes());
        said(answer) != said(right)
    };
    let earlier = || memory.recall(&kind.question()).filter(is_other).filter(differs);
    match wrong {
        Wrong::Status(status) => Some(right.clone().status(StatusCode::from_u16(*status).ok()?)),
        Wrong::Header(name, wrong) => header(name, *wrong, right),
        Wrong::Body(BodyWrong::Earlier) => {
            let other = earlier()?.body;
            (other != right.body).then(|| with_body(right, other.to_bytes()))
        }
        Wrong::Body(wrong) => body(*wrong, asked, right),
        // To HEAD nothing comes that could be seen.
        Wrong::Error(_) if asked.method == Method::HEAD => None,
        Wrong::Error(wrong) => error(*wrong, right),
        Wrong::List(wrong) => list(*wrong, list_of(&kind)?, right),
        Wrong::Keyless(key) => keyless(key, list_of(&kind)?, right),
        Wrong::Earlier => earlier(),
        Wrong::Undone | Wrong::Late => None,
    }
}

fn header(name: &str, wrong: HeaderWrong, right: &Answer) -> Option<Answer> {
    let value = right.header(name)?.to_owned();
    let mut answer = right.clone();
    let header = HeaderName::try_from(name).ok()?;
    match wrong {
        HeaderWrong::Dropped => drop(answer.headers.remove(&header)),
        HeaderWrong::Emptied => drop(answer.headers.insert(header, HeaderValue::from_static(""))),
        HeaderWrong::Other => drop(answer.headers.insert(header, other(name, &value).try_into().ok()?)),
        HeaderWrong::Doubled => drop(answer.headers.append(header, other(name, &value).try_into().ok()?)),
    }
    if name == CONTENT_LENGTH.as_str() && wrong == HeaderWrong::Dropped {
        answer.delivery.chunked = true;
    }
    Some(answer)
}

/// Another value of the same kind.
fn other(name: &str, value: &str) -> String {
    match name {
        "docker-content-digest" | "oci-subject" => NOBODYS.to_owned(),
        "content-type" if value == "application/json" => "text/plain".to_owned(),
        "content-type" => "application/json".to_owned(),
        "content-length" => value.parse::<u64>().map_or_else(|_| "1".into(), |n| (n + 1).to_string()),
        "location" => {
            format!("/v2/nobody/has/this{}", if value.contains("/uploads/") { "/blobs/uploads/0" } else { "" })
        }
        "range" => "0-0".to_owned(),
        "content-range" => "bytes 0-0/1".to_owned(),
        "link" => "</v2/nobody/tags/list>; rel=\"next\"".to_owned(),
        "oci-filters-applied" => "annotations".to_owned(),
        "www-authenticate" => "Basic realm=\"another\"".to_owned(),
        _ => format!("not-{value}"),
    }
}

fn body(wrong: BodyWrong, asked: &Asked, right: &Answer) -> Option<Answer> {
    let length = right.body.length();
    if length == 0 || asked.method == Method::HEAD {
        return None;
    }
    let half = length / 2;
    match wrong {
        BodyWrong::Emptied => Some(with_body(right, Bytes::new())),
        BodyWrong::Cut => Some(Answer { body: right.body.clone().slice(0, half), ..of_any_length(right) }),
        BodyWrong::Torn => {
            let mut answer = right.clone();
            answer.delivery.cut_after = Some(half);
            Some(answer)
        }
        BodyWrong::Changed => {
            let mut bytes = right.body.to_bytes().to_vec();
            let byte = bytes.get_mut(usize::try_from(half).ok()?)?;
            *byte ^= 1;
            Some(with_body(right, bytes.into()))
        }
        BodyWrong::Reserialised => {
            let text = serde_json::to_string_pretty(&right.value()?).ok()?;
            (text.as_bytes() != right.body.to_bytes()).then(|| with_body(right, text.into()))
        }
        BodyWrong::Html => {
            let page = Bytes::from_static(b"<!DOCTYPE html><title>Something went wrong</title>");
            Some(with_body(right, page).with("content-type", "text/html"))
        }
        BodyWrong::Earlier => None,
    }
}

/// The same without a length of its handler's own.
fn of_any_length(right: &Answer) -> Answer {
    right.clone().without(CONTENT_LENGTH.as_str())
}

fn with_body(right: &Answer, bytes: Bytes) -> Answer {
    Answer { body: Body::Bytes(bytes), ..of_any_length(right) }
}

fn error(wrong: ErrorWrong, right: &Answer) -> Option<Answer> {
    let mut value = right.value()?;
    match wrong {
        ErrorWrong::None => value["errors"] = json!([]),
        ErrorWrong::Unlike => value["errors"] = value["errors"].get(0)?.clone(),
        _ => {
            for entry in value["errors"].as_array_mut()? {
                match wrong {
                    ErrorWrong::Swapped if entry["code"] == "DENIED" => entry["code"] = json!("NAME_UNKNOWN"),
                    ErrorWrong::Swapped => entry["code"] = json!("DENIED"),
                    ErrorWrong::Unlisted => entry["code"] = json!("NOT_IN_THE_LIST"),
                    _ => drop(entry.as_object_mut()?.remove("code")),
                }
            }
        }
    }
    Some(with_body(right, value.to_string().into()))
}

fn list(wrong: ListWrong, key: &str, right: &Answer) -> Option<Answer> {
    let mut value = right.value()?;
    let items = value[key].as_array_mut()?;
    let before = items.clone();
    match wrong {
        ListWrong::First => drop((!items.is_empty()).then(|| items.remove(0))),
        ListWrong::Last => drop(items.pop()),
        ListWrong::Twice => items.extend(before.first().cloned()),
        ListWrong::Reversed => items.reverse(),
        ListWrong::Emptied => items.clear(),
        ListWrong::Foreign => items.push(match key {
            "manifests" => {
                let media_type = "application/vnd.oci.image.manifest.v1+json";
                json!({ "mediaType": media_type, "digest": NOBODYS, "size": 500, "artifactType": "application/vnd.nobody" })
            }
            _ => json!("zz-nobodys"),
        }),
        ListWrong::Null => {
            value[key] = Value::Null;
            return Some(with_body(right, value.to_string().into()));
        }
    }
    (*items != before).then(|| with_body(right, value.to_string().into()))
}

fn keyless(key: &str, list: &str, right: &Answer) -> Option<Answer> {
    let mut value = right.value()?;
    let mut was = value.as_object_mut()?.remove(key).is_some();
    for item in value[list].as_array_mut().into_iter().flatten() {
        was |= item.as_object_mut().is_some_and(|item| item.remove(key).is_some());
    }
    was.then(|| with_body(right, value.to_string().into()))
}
