//! From a URL to what is meant by it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/v2/`
    Base,
    /// `/v2/<name>/manifests/<reference>`
    Manifest {
        /// Repository.
        repository: String,
        /// Tag or digest, as written.
        reference: String,
    },
    /// `/v2/<name>/blobs/<digest>`
    Blob {
        /// Repository.
        repository: String,
        /// Digest, as written.
        digest: String,
    },
    /// `/v2/<name>/blobs/uploads/`
    Uploads {
        /// Repository.
        repository: String,
    },
    /// `/v2/<name>/blobs/uploads/<session>`
    Upload {
        /// Repository.
        repository: String,
        /// Session.
        session: String,
    },
    /// `/v2/<name>/tags/list`
    Tags {
        /// Repository.
        repository: String,
    },
    /// `/v2/<name>/referrers/<digest>`
    Referrers {
        /// Repository.
        repository: String,
        /// The subject's digest, as written.
        digest: String,
    },
    /// `/v2/_catalog`
    Catalog,
    /// `/token`: the registry's own token endpoint.
    Token,
    /// `/_lacuna/gc`: collects garbage, where that is enabled.
    Collect,
    /// Anything else.
    Unknown,
}

impl Route {
    /// Reads a path; its repository name is not checked yet.
    pub fn parse(path: &str) -> Route {
        let path = percent_decode_str(path).decode_utf8_lossy();
        match path.as_ref() {
            "/v2" | "/v2/" => return Route::Base,
            "/v2/_catalog" => return Route::Catalog,
            "/token" => return Route::Token,
            "/_lacuna/gc" => return Route::Collect,
            _ => {}
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return Route::Unknown };
        if let Some(repository) = rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads")) {
            return Route::Uploads { repository: repository.into() };
        }
        if let Some(repository) = rest.strip_suffix("/tags/list") {
            return Route::Tags { repository: repository.into() };
        }
        let Some((head, last)) = rest.rsplit_once('/') else { return Route::Unknown };
        let last = last.to_owned();
        if let Some(repository) = head.strip_suffix("/blobs/uploads") {
            return Route::Upload { repository: repository.into(), session: last };
        }
        let Some((repository, what)) = head.rsplit_once('/') else { return Route::Unknown };
        let repository = repository.to_owned();
        match what {
            "manifests" => Route::Manifest { repository, reference: last },
            "blobs" => Route::Blob { repository, digest: last },
            "referrers" => Route::Referrers { repository, digest: last },
            _ => Route::Unknown,
        }
    }

    /// The repository, where the route has one.
    pub fn repository(&self) -> Option<&str> {
        match self {
            Route::Manifest { repository, .. }
            | Route::Blob { repository, .. }
            | Route::Uploads { repository }
            | Route::Upload { repository, .. }
            | Route::Tags { repository }
            | Route::Referrers { repository, .. } => Some(repository),
            _ => None,
        }
    }

    /// The manifest reference, where the route has one.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Route::Manifest { reference, .. } => Some(reference),
            _ => None,
        }
    }
}

/// A query string, decoded; keys may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string (or a form).
    pub fn parse(text: &str) -> Query {
        let decode = |s: &str| {
            let spaced: Cow<str> = if s.contains('+') { s.replace('+', "%20").into() } else { s.into() };
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|p| !p.is_empty());
        Query(pairs.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(k, v)| (decode(k), decode(v))).collect())
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// Every value of a key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

/// The spec's grammar of `<name>`, and at most 255 characters.
pub fn is_name(name: &str) -> bool {
    name.len() <= 255 && name.split('/').all(is_component)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(first) || !alphanumeric(last) {
        return false;
    }
    component
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-'))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
pub fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_follow_the_grammar() {
        for name in ["a", "a/b", "a.b", "a__b", "a---b", "library/ubuntu", "manifests/blobs"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "a/", "/a", "a//b", "a..b", "a___b", "-a", "a_", "a b", "é"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_tag("_1.2-A") && is_tag(&"a".repeat(128)));
        assert!(!is_tag("") && !is_tag(".a") && !is_tag("a:b") && !is_tag(&"a".repeat(129)));
    }

    #[test]
    fn paths_are_read_from_the_right() {
        let route = Route::parse("/v2/a/manifests/b/manifests/sha256%3Aab");
        assert_eq!(route, Route::Manifest { repository: "a/manifests/b".into(), reference: "sha256:ab".into() });
        assert_eq!(Route::parse("/v2/a/blobs/uploads/"), Route::Uploads { repository: "a".into() });
        assert_eq!(Route::parse("/v2/manifests/x"), Route::Unknown);
        assert_eq!(Route::parse("/v2/x"), Route::Unknown);
        assert_eq!(Query::parse("scope=a+b&n=%31&n").all("n").collect::<Vec<_>>(), ["1", ""]);
    }
}
