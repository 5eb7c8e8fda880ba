//! A `curl` line that repeats an exchange: for whoever does not believe us.
//!
//! It sends what was sent - method, path, headers, body - and nothing that curl would add by itself. What it needs may be
//! gone when the run has cleaned up after itself; with `--keep` the registry still has it.

use crate::record::{ExchangeRecord, RequestRecord, TargetRecord, store};

/// What stands where a secret was.
const REDACTED: &str = "(redacted)";

/// From this size on curl would ask for permission (`Expect: 100-continue`).
const ASKS_FIRST: u64 = 1024 * 1024;

/// The line. `exchanges` is the folder of bodies as the reader of the line sees it. No secret is in it: credentials are
/// `$LACUNA_USER`, `$LACUNA_PASSWORD` and `$LACUNA_TOKEN`, for the shell to fill in.
pub fn line(target: &TargetRecord, exchange: &ExchangeRecord, exchanges: &str) -> String {
    let request = &exchange.request;
    let mut words: Vec<String> = vec!["curl -sS".into()];
    words.push(if request.method == "HEAD" { "--head".into() } else { "-i".into() });
    if !matches!(request.method.as_str(), "GET" | "HEAD") || (request.method == "GET" && request.body_length > 0) {
        words.push(format!("-X {}", quote(&request.method)));
    }
    words.extend(options(target, exchange));
    words.extend(headers(request));
    words.extend(body(request, exchanges));
    words.push(quote(&request.url));
    if let Some(why) = not_again(exchange) {
        words.push(format!("# {why}"));
    }
    words.join(" ")
}

/// Why the line will not see the same answer, where that is certain.
fn not_again(exchange: &ExchangeRecord) -> Option<&'static str> {
    let request = &exchange.request;
    if request.method == "DELETE" && exchange.response.as_ref().is_some_and(|r| (200..300).contains(&r.status)) {
        return Some("it is gone now: push it again first");
    }
    if request.url.contains(REDACTED) {
        return Some("a secret or a session of this run stood where it says (redacted)");
    }
    let session =
        request.url.split_once("/blobs/uploads/").is_some_and(|(_, id)| !id.is_empty() && !id.starts_with('?'));
    session.then_some("the upload session was this run's own: begin another")
}

fn options(target: &TargetRecord, exchange: &ExchangeRecord) -> Vec<String> {
    let url = &exchange.request.url;
    let mut words = Vec::new();
    if url.contains("/.") || url.to_ascii_lowercase().contains("%2e") {
        words.push("--path-as-is".to_owned());
    }
    if url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if !exchange.hops.is_empty() {
        words.push("--location".to_owned());
    }
    if url.starts_with("https:") {
        if target.insecure {
            words.push("--insecure".to_owned());
        }
        if let Some(ca) = &target.ca {
            words.push(format!("--cacert {}", quote(ca)));
        }
    }
    words
}

fn headers(request: &RequestRecord) -> Vec<String> {
    let mut words = Vec::new();
    for (name, value) in &request.headers {
        match name.to_ascii_lowercase().as_str() {
            // curl writes these itself, from the URL and the body.
            "host" | "content-length" | "connection" | "transfer-encoding" | "user-agent" => {}
            "authorization" => words.push(credentials(value)),
            _ if value.contains(REDACTED) => {
                words.push(format!("-H {}\"${}\"", quote(&format!("{name}: ")), variable(name)));
            }
            "cookie" => words.push("-H \"Cookie: $LACUNA_COOKIE\"".into()),
            _ if value.is_empty() => words.push(format!("-H {}", quote(&format!("{name};")))),
            _ => words.push(format!("-H {}", quote(&format!("{name}: {value}")))),
        }
    }
    let sent = |name: &str| request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    // What curl would send unasked is switched off where lacuna did not send it.
    if !sent("accept") {
        words.push("-H 'Accept:'".into());
    }
    if has_body(request) && !sent("content-type") {
        words.push("-H 'Content-Type:'".into());
    }
    if request.body_length >= ASKS_FIRST {
        words.push("-H 'Expect:'".into());
    }
    words
}

/// The shell variable for a header whose value is not shown.
fn variable(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    "LACUNA_".chars().chain(letters).collect()
}

/// Never the value, however it was redacted: only its scheme.
fn credentials(value: &str) -> String {
    match value.split_ascii_whitespace().next().map(str::to_ascii_lowercase).as_deref() {
        Some("basic") => "-u \"$LACUNA_USER:$LACUNA_PASSWORD\"".into(),
        Some("bearer") => "-H \"Authorization: Bearer $LACUNA_TOKEN\"".into(),
        _ => "-H \"Authorization: $LACUNA_AUTHORIZATION\"".into(),
    }
}

fn has_body(request: &RequestRecord) -> bool {
    request.body_length > 0 || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH")
}

fn body(request: &RequestRecord, exchanges: &str) -> Vec<String> {
    if !has_body(request) {
        return Vec::new();
    }
    let source = match request.body_file.as_ref().filter(|name| store::is_body(name)) {
        Some(file) if exchanges.is_empty() => quote(&format!("@{file}")),
        Some(file) => quote(&format!("@{}/{file}", exchanges.trim_end_matches('/'))),
        None if request.body_length == 0 => "''".into(),
        None => quote(&format!("@BODY-OF-{}-BYTES", request.body_length)),
    };
    vec![format!("--data-binary {source}")]
}

/// One word of a POSIX shell; what a terminal must not see is written in `$'...'`, which bash, zsh and ksh read.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if super::clean::line(text) == text {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut out = String::from("$'");
    for byte in text.bytes() {
        match byte {
            b'\'' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..=0x7E => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn target() -> TargetRecord {
        TargetRecord {
            name: "t".into(),
            product: None,
            not_run: None,
            url: "http://x".into(),
            beside: None,
            ca: None,
            insecure: false,
        }
    }

    fn exchange(method: &str, url: &str, headers: &[(&str, &str)], length: u64, file: Option<&str>) -> ExchangeRecord {
        ExchangeRecord {
            step: "1: x".into(),
            request: RequestRecord {
                method: method.into(),
                url: url.into(),
                headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
                body_length: length,
                body_file: file.map(str::to_owned),
            },
            response: None,
            failure: None,
            hops: Vec::new(),
            seconds: 0.0,
            lane: None,
        }
    }

    #[test]
    fn a_manifest_push_names_its_body_and_type() {
        let put = exchange(
            "PUT",
            "http://h/v2/a/manifests/t",
            &[("content-type", "a/b+json"), ("host", "h")],
            9,
            Some("0123456789abcdef.json"),
        );
        assert_eq!(
            line(&target(), &put, "reports/x/exchanges"),
            "curl -sS -i -X PUT -H 'content-type: a/b+json' -H 'Accept:' --data-binary @reports/x/exchanges/0123456789abcdef.json \
             http://h/v2/a/manifests/t"
        );
    }

    #[test]
    fn reads_send_no_more_than_was_sent() {
        let head = exchange("HEAD", "http://h/v2/a/blobs/sha256:0", &[("accept", "*/*")], 0, None);
        assert_eq!(line(&target(), &head, ""), "curl -sS --head -H 'accept: */*' http://h/v2/a/blobs/sha256:0");
        let odd = exchange("GET", "http://h/v2/a/../b?n={1}", &[("accept", "")], 0, None);
        assert_eq!(
            line(&target(), &odd, ""),
            "curl -sS -i --path-as-is --globoff -H 'accept;' 'http://h/v2/a/../b?n={1}'"
        );
        let post = exchange("POST", "http://h/v2/a/blobs/uploads/", &[("accept", "*/*")], 0, None);
        assert_eq!(
            line(&target(), &post, ""),
            "curl -sS -i -X POST -H 'accept: */*' -H 'Content-Type:' --data-binary '' http://h/v2/a/blobs/uploads/"
        );
    }

    #[test]
    fn credentials_are_the_shells_to_fill_in() {
        for (value, expected) in [
            ("Basic c2VjcmV0", "-u \"$LACUNA_USER:$LACUNA_PASSWORD\""),
            ("bearer secret", "-H \"Authorization: Bearer $LACUNA_TOKEN\""),
            ("secret", "-H \"Authorization: $LACUNA_AUTHORIZATION\""),
        ] {
            let get = exchange("GET", "https://h/v2/", &[("Authorization", value), ("Cookie", "secret")], 0, None);
            let mut target = target();
            target.insecure = true;
            target.ca = Some("my ca.pem".into());
            let line = line(&target, &get, "");
            assert!(line.contains(expected), "{line}");
            assert!(!line.contains("secret") && !line.contains("c2VjcmV0"), "{line}");
            assert!(line.contains("--insecure --cacert 'my ca.pem'"), "{line}");
        }
    }

    #[test]
    fn no_word_escapes_its_quotes() {
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("$(x)`y`"), "'$(x)`y`'");
        assert_eq!(quote("a\x1b'\\\u{202E}"), r"$'a\x1b\'\\\xe2\x80\xae'");
        for nasty in ["it's", "a\x1b'\\\u{202E}\n", "", "a b;c&d|e>f", "\u{7f}$HOME", "!x"] {
            let out = std::process::Command::new("bash").args(["-c", &format!("printf %s {}", quote(nasty))]).output();
            assert_eq!(String::from_utf8(out.unwrap().stdout).unwrap(), nasty);
        }
    }
}
