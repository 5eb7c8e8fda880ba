//! What a token is asked for: sets of `repository:NAME:actions`.

use std::collections::{BTreeMap, BTreeSet};

/// A set of scopes in one canonical form: resources sorted, each once, its actions sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// The union of scopes, each of which may hold several separated by spaces.
    pub fn of<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Scopes {
        let mut resources: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        let mut others = BTreeSet::new();
        for scope in scopes.into_iter().flat_map(str::split_ascii_whitespace) {
            // A name may hold a colon (a host's port), so the actions are what follows the last one.
            match scope.split_once(':').and_then(|(kind, rest)| Some((kind, rest.rsplit_once(':')?))) {
                Some((kind, (name, actions))) => {
                    resources.entry((kind, name)).or_default().extend(actions.split(',').filter(|a| !a.is_empty()));
                }
                None => {
                    others.insert(scope.to_owned());
                }
            }
        }
        let joined = resources.into_iter().map(|((kind, name), actions)| {
            format!("{kind}:{name}:{}", actions.into_iter().collect::<Vec<_>>().join(","))
        });
        Scopes(joined.chain(others).collect())
    }

    /// Just these, in their order: a client may name a resource twice.
    pub fn as_written(scopes: &[String]) -> Scopes {
        Scopes(scopes.to_vec())
    }

    /// All of both.
    pub fn union(&self, other: &Scopes) -> Scopes {
        Scopes::of(self.iter().chain(other.iter()))
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Separated by spaces, as OAuth2 has them.
    pub fn joined(&self) -> String {
        self.0.join(" ")
    }
}

/// Where a request goes, so that the scope that a challenge once named can be sent with the next one: what is done, and
/// the repository.
pub(crate) fn place(method: &str, path: &str) -> String {
    let class = match method {
        "GET" | "HEAD" => "read",
        "DELETE" => "delete",
        _ => "write",
    };
    let path = path.split('?').next().unwrap_or_default();
    let kinds = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    let end = kinds.iter().filter_map(|kind| path.rfind(kind)).max().unwrap_or(path.len());
    format!("{class} {}", &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_one_form() {
        for (scopes, wanted) in [
            (&["repository:a:push,pull"][..], "repository:a:pull,push"),
            (&["repository:a:pull", "repository:a:push"], "repository:a:pull,push"),
            (&["repository:b:pull repository:a:pull"], "repository:a:pull repository:b:pull"),
            (&["repository:h:5000/a:pull,"], "repository:h:5000/a:pull"),
            (&["registry:catalog:*"], "registry:catalog:*"),
            (&["odd", "", "odd"], "odd"),
            (&[], ""),
        ] {
            assert_eq!(Scopes::of(scopes.iter().copied()).joined(), wanted);
        }
    }

    #[test]
    fn requests_of_one_kind_on_one_repository_are_one_place() {
        assert_eq!(place("PATCH", "/v2/a/b/blobs/uploads/x?y=/tags/"), place("PUT", "/v2/a/b/manifests/t"));
        assert_ne!(place("GET", "/v2/a/tags/list"), place("GET", "/v2/b/tags/list"));
        assert_ne!(place("GET", "/v2/a/tags/list"), place("DELETE", "/v2/a/manifests/x"));
        assert_eq!(place("GET", "/v2/"), "read /v2/");
    }
}
