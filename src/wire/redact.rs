//! Nothing secret outlives the moment in which an exchange is recorded.
//!
//! Two rules. What a *name* marks: header lines and query parameters show their values only if they are known to be
//! harmless. What a *value* marks: the password, the tokens and what signed a redirect's URL are replaced wherever they come back.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::content::digest::Digest;

/// What stands where a secret was.
pub const REDACTED: &str = "(redacted)";

/// Query parameters of the distribution API; all others (signatures, session states, tokens) are replaced.
const SHOWN_PARAMETERS: &[&str] = &["digest", "mount", "from", "n", "last", "artifactType", "tag"];

/// Header lines that are shown with their values; of all others only the name is shown.
const SHOWN_HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-ranges",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "docker-content-digest",
    "docker-distribution-api-version",
    "docker-upload-uuid",
    "etag",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "oci-chunk-max-length",
    "oci-chunk-min-length",
    "oci-filters-applied",
    "oci-namespace",
    "oci-subject",
    "oci-tag",
    "range",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "x-request-id",
];

/// The secrets that an exchange knows, in every form in which they may come back.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// Those of the exchange and of the client, longest first.
    known: Vec<String>,
    /// Tokens that were had for any exchange: shared by clones.
    issued: Arc<Mutex<HashSet<String>>>,
    /// Values of the queries that redirects led to: signatures. A store's error repeats them; in content they are left, since
    /// one may be an ordinary word (a type that the store is to answer with).
    signatures: Vec<String>,
}

/// In larger texts tokens of other exchanges are not looked for, in bytes.
const MOST_SEARCHED: usize = 1 << 20;

/// More tokens are not remembered.
const MOST_ISSUED: usize = 1 << 16;

/// Shorter ones cannot be told from ordinary text.
const SHORTEST: usize = 4;

/// In the body of a success, which is compared byte by byte, only what is long enough to be no word of a manifest.
const SHORTEST_IN_CONTENT: usize = 8;

impl Secrets {
    /// Adds a secret: itself, percent-encoded, base64 of it, and as JSON writes it.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let json = serde_json::Value::from(secret).to_string();
        let forms = [
            secret.to_owned(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret),
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret),
            json.trim_matches('"').to_owned(),
        ];
        for form in forms {
            if !self.known.contains(&form) {
                self.known.push(form);
            }
        }
        // A secret that holds another one goes first, so that nothing of it stays.
        self.known.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Adds a token that was had, for all exchanges of the client.
    pub fn issue(&self, value: &str) {
        let token = value.split_once(' ').map_or(value, |(_, rest)| rest).trim();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if token.len() >= SHORTEST_IN_CONTENT && issued.len() < MOST_ISSUED {
            issued.insert(token.to_owned());
        }
    }

    /// Adds what signs a URL that a redirect led to.
    pub fn add_signatures(&mut self, url: &str) {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            if !SHOWN_PARAMETERS.contains(&name) && value.len() >= SHORTEST_IN_CONTENT {
                self.signatures.push(value.to_owned());
                self.signatures.push(percent_decode_str(value).decode_utf8_lossy().into_owned());
            }
        }
        self.signatures.sort_by_key(|value| std::cmp::Reverse(value.len()));
    }

    /// Adds the value of an Authorization line: all of it, and what follows the scheme.
    pub fn add_authorization(&mut self, value: &str) {
        let credentials = value.split_once(' ').map_or(value, |(_, rest)| rest).trim();
        // A scheme alone is no secret, and stands in every challenge.
        if ["basic", "bearer"].iter().any(|scheme| credentials.eq_ignore_ascii_case(scheme)) {
            return;
        }
        self.add(credentials);
        let decoded = base64::engine::general_purpose::STANDARD.decode(credentials).ok();
        if let Some((_, password)) = decoded.as_deref().and_then(|d| std::str::from_utf8(d).ok()?.split_once(':')) {
            self.add(password);
        }
    }

    /// The text without them.
    pub fn scrub_text(&self, text: &str) -> String {
        let without = |text: String, secret: &String| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), REDACTED) } else { text }
        };
        self.without_issued(&self.known.iter().chain(&self.signatures).fold(text.to_owned(), without)).into_owned()
    }

    /// The text without tokens of other exchanges: each is a word.
    fn without_issued<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
        let words = || text.split(|c| !is_token(c)).filter(|word| issued.contains(*word));
        if issued.is_empty() || text.len() > MOST_SEARCHED || words().next().is_none() {
            return Cow::Borrowed(text);
        }
        let mut words: Vec<&str> = words().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Cow::Owned(words.into_iter().fold(text.to_owned(), |text, word| text.replace(word, REDACTED)))
    }

    /// The bytes without those of at least `shortest` bytes.
    fn scrub<'a>(&self, bytes: &'a [u8], shortest: usize) -> Cow<'a, [u8]> {
        let mut out = Cow::Borrowed(bytes);
        for secret in self.known.iter().filter(|s| s.len() >= shortest) {
            if find(&out, secret.as_bytes(), 0).is_some() {
                out = Cow::Owned(replaced(&out, secret.as_bytes()));
            }
        }
        let other = std::str::from_utf8(&out).ok().and_then(|text| match self.without_issued(text) {
            Cow::Owned(text) => Some(text.into_bytes()),
            Cow::Borrowed(_) => None,
        });
        other.map_or(out, Cow::Owned)
    }

    /// A response's body as it may be recorded. What is no content also loses what signs the URLs in it, and what signed the URL
    /// that it came from.
    pub fn body<'a>(&self, status: u16, body: &'a [u8]) -> Cow<'a, [u8]> {
        if status < 300 {
            return self.scrub(body, SHORTEST_IN_CONTENT);
        }
        let mut scrubbed = self.scrub(body, SHORTEST);
        for signature in &self.signatures {
            if find(&scrubbed, signature.as_bytes(), 0).is_some() {
                scrubbed = Cow::Owned(replaced(&scrubbed, signature.as_bytes()));
            }
        }
        match std::str::from_utf8(&scrubbed) {
            Ok(text) if may_have_urls(text) => Cow::Owned(urls_within(text).into_bytes()),
            _ => scrubbed,
        }
    }

    /// A header line's value as it may be recorded.
    pub fn header(&self, name: &str, value: &[u8]) -> Vec<u8> {
        let name = name.to_ascii_lowercase();
        if name == "authorization" || name == "proxy-authorization" {
            let scheme = value.split(|b| *b == b' ').next().unwrap_or_default();
            return match scheme.to_ascii_lowercase().as_slice() {
                b"basic" | b"bearer" => [scheme, b" ", REDACTED.as_bytes()].concat(),
                _ => REDACTED.into(),
            };
        }
        if !SHOWN_HEADERS.contains(&name.as_str()) {
            return REDACTED.into();
        }
        if is_plain(value) {
            return value.to_vec();
        }
        let scrubbed = self.scrub(value, SHORTEST);
        let holds_urls = matches!(name.as_str(), "location" | "link" | "www-authenticate" | "warning");
        if !holds_urls && !std::str::from_utf8(&scrubbed).is_ok_and(may_have_urls) {
            return scrubbed.into_owned();
        }
        // Bytes that are no UTF-8 are taken as Latin-1 and given back, so that they stay as they were.
        let latin: String = scrubbed.iter().map(|b| char::from(*b)).collect();
        let latin = if name == "location" { url(&latin) } else { urls_within(&latin) };
        latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
    }

    /// A URL as it may be recorded.
    pub fn url(&self, text: &str) -> String {
        url(&self.scrub_text(text))
    }
}

/// A number or a digest: compared by expectations, and no secret though a short password may be part of it by chance.
fn is_plain(value: &[u8]) -> bool {
    let digest = std::str::from_utf8(value).ok().and_then(Digest::parse);
    value.iter().all(u8::is_ascii_digit) || digest.is_some()
}

/// A URL, relative or absolute, without userinfo, fragment, and the values of unknown query parameters.
pub fn url(text: &str) -> String {
    let (text, fragment) = text.split_once('#').map_or((text, ""), |(text, _)| (text, "#(redacted)"));
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let mut out = without_userinfo(path);
    if let Some(query) = query {
        out.push('?');
        out.push_str(&shown_query(query));
    }
    out + fragment
}

fn without_userinfo(path: &str) -> String {
    let Some(start) = path.find("//").map(|at| at + 2) else { return path.to_owned() };
    let end = path[start..].find('/').map_or(path.len(), |at| start + at);
    match path[start..end].rfind('@') {
        Some(at) => format!("{}{REDACTED}{}", &path[..start], &path[start + at..]),
        None => path.to_owned(),
    }
}

fn shown_query(query: &str) -> String {
    // JSON encoders write the ampersand as an escape.
    let joined = query.replace("\\u0026", "&");
    let shown = |part: &str| match part.split_once('=') {
        Some((name, _)) if SHOWN_PARAMETERS.contains(&name) => part.to_owned(),
        Some((name, _)) => format!("{name}={REDACTED}"),
        None if part.is_empty() || SHOWN_PARAMETERS.contains(&part) => part.to_owned(),
        None => REDACTED.to_owned(),
    };
    let parts: Vec<String> =
        joined.split('&').map(|part| part.split(';').map(shown).collect::<Vec<_>>().join(";")).collect();
    parts.join("&")
}

/// Whether a text may have a URL in it, plain, percent-encoded, or as JSON writes one.
fn may_have_urls(text: &str) -> bool {
    text.contains("//") || text.contains('?') || text.contains("\\/") || text.contains("%3F") || text.contains("%3f")
}

/// Every URL within a text, also as JSON writes it, and without what follows a percent-encoded `?`; what ends one is white
/// space, an angle bracket or a quote.
pub fn urls_within(text: &str) -> String {
    let text = &[("\\/", "/"), ("\\u003f", "?"), ("\\u003F", "?"), ("\\u003d", "="), ("\\u003D", "=")]
        .iter()
        .fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain));
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '`');
    text.split_inclusive(ends)
        .map(|run| {
            let (word, end) = match run.chars().next_back() {
                Some(last) if ends(last) => run.split_at(run.len() - last.len_utf8()),
                _ => (run, ""),
            };
            let encoded = word.find("%3F").or_else(|| word.find("%3f"));
            let is_url = word.contains("//") || (word.contains('?') && word.contains('/'));
            match encoded.filter(|_| !word.contains('?')) {
                Some(query) => format!("{}{REDACTED}{end}", url(&word[..query + 3])),
                None if is_url => url(word) + end,
                None => run.to_owned(),
            }
        })
        .collect()
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let wanted = std::str::from_utf8(wanted).ok()?;
            text.get(from..)?.find(wanted).map(|at| at + from)
        }
        Err(_) => bytes.get(from..)?.windows(wanted.len()).position(|w| w == wanted).map(|at| at + from),
    }
}

fn replaced(bytes: &[u8], wanted: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(next) = find(bytes, wanted, at) {
        out.extend_from_slice(&bytes[at..next]);
        out.extend_from_slice(REDACTED.as_bytes());
        at = next + wanted.len();
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

#[cfg(test)]
mod tests;
