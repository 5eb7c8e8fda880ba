//! The form of an answer with several ranges of a blob (RFC 9110, 14.6, 15.3.7.2): no right one has it, as several ranges are
//! ignored; variations and defects do.

use axum::http::StatusCode;

use super::answer::{Answer, Body};

/// What stands between the parts.
const BOUNDARY: &str = "lacuna-part";

/// First and last byte.
pub type Span = (u64, u64);

/// First and last byte of each range of `bytes=0-9,20-29` that is there, where several are asked for.
pub fn several(range: Option<&str>, total: u64) -> Vec<Span> {
    let Some(list) = range.and_then(|range| range.strip_prefix("bytes=")).filter(|list| list.contains(',')) else {
        return Vec::new();
    };
    let bounds = |one: &str| -> Option<Span> {
        let (first, last) = one.trim().split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse::<u64>().unwrap_or(u64::MAX).min(total.checked_sub(1)?));
        (first <= last).then_some((first, last))
    };
    list.split(',').filter_map(bounds).collect()
}

/// The whole answer in parts: of each its range, and that of its bytes.
pub fn in_parts(whole: Answer, parts: &[(Span, Span)]) -> Answer {
    let total = whole.body.length();
    let mut body = Vec::new();
    for ((first, last), bytes) in parts {
        let head = format!("--{BOUNDARY}\r\nContent-Range: bytes {first}-{last}/{total}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&slice(&whole.body, *bytes));
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let answer = whole.status(StatusCode::PARTIAL_CONTENT);
    answer.with("content-type", &format!("multipart/byteranges; boundary={BOUNDARY}")).body(body)
}

/// One range of the whole answer, as if it alone was asked for.
pub fn one_part(whole: Answer, (first, last): Span) -> Answer {
    let total = whole.body.length();
    let bytes = slice(&whole.body, (first, last));
    let answer =
        whole.status(StatusCode::PARTIAL_CONTENT).with("content-range", &format!("bytes {first}-{last}/{total}"));
    answer.body(bytes)
}

/// The bytes of a range.
pub fn slice(body: &Body, (first, last): Span) -> bytes::Bytes {
    body.clone().slice(first, last + 1 - first).to_bytes()
}
