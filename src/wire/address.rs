//! URLs as text: split, resolved and compared without being rewritten.
//!
//! The `url` crate removes `..` and `%2e` and turns `\` into `/`; a harness must send what a registry named. Only what
//! cannot stand in a request line at all (controls, spaces, bytes that are not ASCII) is percent-encoded.

/// An absolute http(s) URL without userinfo and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether the scheme is https.
    pub secure: bool,
    /// Host, lower-case; IPv6 in brackets.
    pub host: String,
    /// Port, the scheme's own where none is written.
    pub port: u16,
    /// Path and query, as written; never empty.
    pub path: String,
}

impl Address {
    /// Parses an absolute URL. Userinfo and fragment are dropped.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it (it may hold secrets).
    pub fn parse(text: &str) -> Result<Address, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme; write http://... or https://...")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err("its scheme is neither http nor https".into()),
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rfind(':') {
            Some(colon) if !authority.ends_with(']') => (&authority[..colon], &authority[colon + 1..]),
            _ => (authority, ""),
        };
        let port = match port {
            "" if secure => 443,
            "" => 80,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u16>().ok().filter(|p| *p != 0).ok_or("its port is not between 1 and 65535")?
            }
            _ => return Err("its port is not a number".into()),
        };
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let odd = |b: u8| !(b.is_ascii_alphanumeric() || b"-._~%".contains(&b) || (bracketed && b"[]:".contains(&b)));
        if host.is_empty() || host == "[]" || host.bytes().any(odd) {
            return Err("its host is empty or holds characters that no host has".into());
        }
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { encoded(path) } else { format!("/{}", encoded(path)) };
        Ok(Address { secure, host: host.to_ascii_lowercase(), port, path })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// `host` or `host:port`, as the Host header has it.
    pub fn authority(&self) -> String {
        let own = if self.secure { 443 } else { 80 };
        if self.port == own { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// `scheme://host[:port]`: equal for two URLs of the same origin.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// The whole URL.
    pub fn text(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The host without brackets, as a resolver wants it.
    pub fn dial_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether it is this machine: a loopback address, or `localhost`.
    pub fn is_loopback(&self) -> bool {
        let host = self.dial_host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether credentials for `self` may be sent to `other`: scheme, host and port are the same.
    pub fn same_origin(&self, other: &Address) -> bool {
        self.secure == other.secure && self.host == other.host && self.port == other.port
    }

    /// The same origin with another request target.
    pub fn with_path(&self, path: &str) -> Address {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Address { path, ..self.clone() }
    }

    /// What `reference` means when this URL answered with it (RFC 3986 section 5.2, dot segments removed only where
    /// two paths are merged).
    ///
    /// # Errors
    /// It leads somewhere that is not http(s), or to no host.
    pub fn resolve(&self, reference: &[u8]) -> Result<Address, String> {
        let text = encoded_bytes(reference.trim_ascii());
        let text = text.split('#').next().unwrap_or_default();
        if has_scheme(text) {
            return Address::parse(text);
        }
        if let Some(rest) = text.strip_prefix("//") {
            return Address::parse(&format!("{}://{rest}", self.scheme()));
        }
        if text.is_empty() {
            return Ok(self.clone());
        }
        if text.starts_with('/') {
            return Ok(self.with_path(text));
        }
        if text.starts_with('?') {
            return Ok(self.with_path(&format!("{}{text}", self.bare_path())));
        }
        let folder = self.bare_path().rfind('/').map_or("/", |slash| &self.bare_path()[..=slash]);
        let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        Ok(self.with_path(&format!("{}{query}", without_dots(&format!("{folder}{path}")))))
    }

    /// The same as `reqwest` would have it, or `None` where it would send something else.
    pub fn plain(&self) -> Option<reqwest::Url> {
        let text = self.text();
        let url = reqwest::Url::parse(&text).ok()?;
        (url.as_str() == text && !text.contains('#') && text.parse::<hyper::http::Uri>().is_ok()).then_some(url)
    }
}

/// Whether the text begins with `scheme:` (RFC 3986 section 3.1).
fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn encoded(text: &str) -> String {
    encoded_bytes(text.as_bytes())
}

/// Percent-encodes what no request line can hold.
fn encoded_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &b in bytes {
        if b.is_ascii_graphic() {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        match *segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for (text, shown) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("HTTPS://Example.COM:443/v2/A?x=Y#frag", "https://example.com/v2/A?x=Y"),
            ("http://user:pw@h:80/p", "http://h/p"),
            ("http://[::1]:5000/v2/", "http://[::1]:5000/v2/"),
            ("http://h?q", "http://h/?q"),
            ("http://h/a b/\u{e9}", "http://h/a%20b/%C3%A9"),
            ("http://h/../%2e%2e/a\\b", "http://h/../%2e%2e/a\\b"),
        ] {
            assert_eq!(Address::parse(text).unwrap().text(), shown, "{text}");
        }
        for bad in ["", "h:5000", "ftp://h/", "http://", "http://:80/", "http://h:x/", "http://h:70000/", "http://h:0/"]
        {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert!(!Address::parse("http://u:secret@:1/").unwrap_err().contains("secret"));
    }

    #[test]
    fn resolves_as_rfc_3986_has_it() {
        let base = Address::parse("http://h:5000/v2/a/blobs/uploads/?mount=1").unwrap();
        for (reference, wanted) in [
            ("/v2/x?_state=a", "http://h:5000/v2/x?_state=a"),
            ("id?x=1", "http://h:5000/v2/a/blobs/uploads/id?x=1"),
            ("../y", "http://h:5000/v2/a/blobs/y"),
            ("./", "http://h:5000/v2/a/blobs/uploads/"),
            ("../../../../../z", "http://h:5000/z"),
            ("?n=2", "http://h:5000/v2/a/blobs/uploads/?n=2"),
            ("//other/x", "http://other/x"),
            ("https://h/x", "https://h/x"),
            ("", "http://h:5000/v2/a/blobs/uploads/?mount=1"),
            ("/a/../b", "http://h:5000/a/../b"),
            ("up?x=http://q/", "http://h:5000/v2/a/blobs/uploads/up?x=http://q/"),
        ] {
            assert_eq!(base.resolve(reference.as_bytes()).unwrap().text(), wanted, "{reference}");
        }
        assert!(base.resolve(b"file:///etc/passwd").is_err());
        assert!(base.resolve(b"javascript:alert(1)").is_err());
        assert_eq!(base.resolve(b"/\xff").unwrap().path, "/%FF");
    }

    #[test]
    fn knows_which_paths_the_first_door_would_change() {
        for (path, plain) in [
            ("/v2/", true),
            ("/v2/a/manifests/sha256:ab", true),
            ("/v2/a/blobs/uploads/x?_state=a%3D&digest=sha256:ab", true),
            ("/v2/a%2Fb/tags/list", true),
            ("/v2/../a", false),
            ("/v2/%2e%2E/a", false),
            ("/v2/a\\b", false),
            ("/v2/a#b", false),
            ("/v2/a\"b", false),
        ] {
            let address = Address::parse("http://127.0.0.1:5000").unwrap().with_path(path);
            assert_eq!(address.plain().is_some(), plain, "{path}");
        }
    }

    #[test]
    fn origins_and_loopback() {
        let a = Address::parse("http://h/").unwrap();
        assert!(a.same_origin(&Address::parse("http://H:80/x").unwrap()));
        assert!(!a.same_origin(&Address::parse("https://h:80/x").unwrap()));
        assert!(!a.same_origin(&Address::parse("http://h:81/x").unwrap()));
        assert!(Address::parse("http://[::1]/").unwrap().is_loopback());
        assert!(Address::parse("http://127.8.9.1/").unwrap().is_loopback());
        assert!(!Address::parse("http://127.evil.example/").unwrap().is_loopback());
    }
}
