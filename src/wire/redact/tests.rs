//! What is redacted, and what is not.

use super::*;

#[test]
fn urls_lose_what_may_be_secret() {
    for (text, shown) in [
        ("/v2/a/tags/list?n=2&last=b", "/v2/a/tags/list?n=2&last=b"),
        ("http://h/x?sig=a&digest=d#f", "http://h/x?sig=(redacted)&digest=d#(redacted)"),
        ("http://u:p@h/x@y?a", "http://(redacted)@h/x@y?(redacted)"),
        ("http://u@v@h/", "http://(redacted)@h/"),
        ("http://u@h?n=1", "http://(redacted)@h?n=1"),
        ("//u:p@h/x", "//(redacted)@h/x"),
        ("/x?n=1;sig=a&&N=2", "/x?n=1;sig=(redacted)&&N=(redacted)"),
        ("/x?%6E=1&n", "/x?%6E=(redacted)&n"),
        ("/x?n=1\\u0026sig=a", "/x?n=1&sig=(redacted)"),
        ("/x?token=a?n=b", "/x?token=(redacted)"),
        ("", ""),
    ] {
        assert_eq!(url(text), shown, "{text}");
    }
}

#[test]
fn urls_are_found_in_texts() {
    for (text, shown) in [
        (
            "see http://h/?sig=a, or \"//u@h/x?k=b\"",
            "see http://h/?sig=(redacted) or \"//(redacted)@h/x?k=(redacted)\"",
        ),
        ("<http://h/?sig=a,b;c>; rel=next", "<http://h/?sig=(redacted);(redacted)>; rel=next"),
        ("what? nothing?", "what? nothing?"),
        ("\u{e9} 'http://h/?a=b'", "\u{e9} 'http://h/?a=(redacted)'"),
        (r#""https:\/\/u:p@h\/x\u003fa\u003dsecret""#, "\"https://(redacted)@h/x?a=(redacted)\""),
        ("https%3A%2F%2Fh%2Fx%3Fa%3Dsecret end", "https%3A%2F%2Fh%2Fx%3F(redacted) end"),
    ] {
        assert_eq!(urls_within(text), shown, "{text}");
    }
}

#[test]
fn secrets_are_found_in_every_form_and_length() {
    let mut secrets = Secrets::default();
    secrets.add("p\"ss/wörd");
    secrets.add("abc");
    for echoed in ["p\"ss/wörd", "p%22ss%2Fw%C3%B6rd", "p\\\"ss/wörd", "cCJzcy93w7ZyZA"] {
        assert_eq!(secrets.scrub_text(&format!("<{echoed}>")), "<(redacted)>");
    }
    assert_eq!(secrets.scrub_text("abc"), "abc");
    // Bytes that are no text are searched, too, and else stay as they are.
    let mut secrets = Secrets::default();
    secrets.add("longer-secret");
    assert_eq!(secrets.body(200, b"\xfflonger-secret\xfe").as_ref(), b"\xff(redacted)\xfe");
    assert_eq!(secrets.header("Location", b"/\xff?n=1"), b"/\xff?n=1");
}

#[test]
fn what_signed_a_url_is_shown_in_no_error() {
    let mut secrets = Secrets::default();
    secrets.add_signatures(
        "http://h/x?X-Amz-Signature=0123456789abcdef&X-Amz-Expires=300&k=a%2Fb%2Fc%2Fd%2Fe&digest=sha256:ab",
    );
    let body = "<Error><SignatureProvided>0123456789abcdef</SignatureProvided> a/b/c/d/e a%2Fb%2Fc%2Fd%2Fe 300</Error>";
    let shown = "<Error><SignatureProvided>(redacted)</SignatureProvided> (redacted) (redacted) 300</Error>";
    assert_eq!(String::from_utf8_lossy(&secrets.body(403, body.as_bytes())), shown);
    // Content is compared byte by byte.
    assert_eq!(secrets.body(200, body.as_bytes()).as_ref(), body.as_bytes());
}

#[test]
fn tokens_of_other_exchanges_are_known_to_all() {
    let secrets = Secrets::default();
    let other = secrets.clone();
    other.issue("Bearer tok-1234567890");
    other.issue("Bearer short");
    assert_eq!(secrets.scrub_text("<tok-1234567890> short tok-12345678901"), "<(redacted)> short (redacted)1");
    assert_eq!(secrets.body(200, b"{\"t\":\"tok-1234567890\"}").as_ref(), b"{\"t\":\"(redacted)\"}");
}

#[test]
fn a_short_password_spoils_no_comparison() {
    let mut secrets = Secrets::default();
    secrets.add("1234");
    let digest = format!("sha256:{}1234", "0".repeat(60));
    assert_eq!(secrets.header("Docker-Content-Digest", digest.as_bytes()), digest.as_bytes());
    assert_eq!(secrets.header("Content-Length", b"12345"), b"12345");
    assert_eq!(secrets.body(200, digest.as_bytes()).as_ref(), digest.as_bytes());
    assert_eq!(secrets.header("Warning", b"1234"), b"1234");
    assert_eq!(secrets.header("Warning", b"it is 1234"), b"it is (redacted)");
}

#[test]
fn a_scheme_alone_is_no_secret() {
    let mut secrets = Secrets::default();
    secrets.add_authorization("Basic");
    secrets.add_authorization("Bearer ");
    let challenge = br#"Bearer realm="lacuna""#;
    assert_eq!(secrets.header("www-authenticate", challenge), challenge);
    assert_eq!(secrets.header("WWW-Authenticate", b"Basic realm=\"x\""), b"Basic realm=\"x\"");
}
