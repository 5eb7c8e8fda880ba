//! One exchange as it is shown: bounded, redacted at birth, and text wherever it can be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One exchange, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ExchangeRecord {
    /// The step: `3: get ppc64le by digest`.
    pub step: String,
    /// The request.
    pub request: RequestRecord,
    /// The response, where one came.
    pub response: Option<ResponseRecord>,
    /// Why none came.
    pub failure: Option<String>,
    /// Redirects: `307 http://...`.
    pub hops: Vec<String>,
    /// Seconds.
    pub seconds: f64,
    /// Where it was sent at once with others: by which lane, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneRecord>,
}

/// An exchange's place among those that were under way at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LaneRecord {
    /// The lane's name.
    pub name: String,
    /// When it was sent, in seconds since the step began.
    pub begin: f64,
    /// When its answer was there.
    pub end: f64,
}

/// A request, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RequestRecord {
    /// Method.
    pub method: String,
    /// URL, redacted.
    pub url: String,
    /// Header lines, redacted.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub body_length: u64,
    /// The file under `exchanges/` that holds the body, where there is one.
    pub body_file: Option<String>,
}

/// A response, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ResponseRecord {
    /// Status.
    pub status: u16,
    /// Header lines, redacted.
    pub headers: Vec<(String, Text)>,
    /// The first bytes of the body.
    pub body: Text,
    /// Bytes that came.
    pub body_length: u64,
}

/// Text, or bytes that are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Text {
    /// UTF-8.
    Plain(String),
    /// Anything else.
    Bytes {
        /// Standard base64.
        base64: String,
    },
}

/// Bytes of a body or a header value that a record keeps.
pub const SHOWN: usize = 16 * 1024;

impl Text {
    /// The first [`SHOWN`] bytes; text is cut between characters.
    pub fn bounded(bytes: &[u8]) -> Text {
        let mut end = bytes.len().min(SHOWN);
        if end < bytes.len() {
            // A character that straddles the limit goes, so that cut text is still text.
            while end > SHOWN - 4 && (bytes[end] & 0xC0) == 0x80 {
                end -= 1;
            }
        }
        match std::str::from_utf8(&bytes[..end]) {
            Ok(text) => Text::Plain(text.to_owned()),
            Err(_) => Text::Bytes { base64: STANDARD.encode(&bytes[..end]) },
        }
    }

    /// As text for a person: what is not UTF-8 with its bad bytes replaced.
    pub fn lossy(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Text::Plain(text) => text.into(),
            Text::Bytes { base64 } => match STANDARD.decode(base64) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
                Err(_) => base64.into(),
            },
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Text::Plain(text) if text.is_empty())
    }
}

/// At most [`SHOWN`] bytes of `text`, cut between characters.
pub fn bounded(text: &str) -> String {
    let mut end = text.len().min(SHOWN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl ResponseRecord {
    /// The first header line of this name.
    pub fn header(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.lossy())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_is_cut_between_characters() {
        assert_eq!(Text::bounded(b"plain"), Text::Plain("plain".into()));
        let long = "\u{20AC}".repeat(SHOWN); // three bytes each: the limit falls into one
        let Text::Plain(cut) = Text::bounded(long.as_bytes()) else { unreachable!("it is UTF-8") };
        assert!(cut.len() <= SHOWN && cut.len() > SHOWN - 4);
        assert_eq!(bounded(&long), cut);
    }

    #[test]
    fn other_bytes_become_base64_and_are_shown_with_replacements() {
        let text = Text::bounded(b"\xff\x00ok");
        assert_eq!(serde_json::to_string(&text).unwrap(), r#"{"base64":"/wBvaw=="}"#);
        assert_eq!(text.lossy(), "\u{FFFD}\0ok");
        // Only continuation bytes: no boundary to be found, and no endless search for one.
        assert!(matches!(Text::bounded(&vec![0x80; SHOWN + 9]), Text::Bytes { .. }));
    }
}
