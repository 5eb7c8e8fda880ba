//! Names of repositories: what the spec allows, and which of them are a run's.

use super::profile::Repositories;
use crate::plan::globs;

/// Whether a name is one by the spec's grammar (v1.1.1 "Pulling manifests"): components of lower-case letters and digits,
/// with `.`, `_`, `__` or hyphens between.
pub fn is_name(name: &str) -> bool {
    name.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let mut between = component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let lawful = |signs: &str| matches!(signs, "" | "." | "_" | "__") || signs.bytes().all(|b| b == b'-');
    let ends = |edge: Option<char>| edge.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends(component.chars().next()) && ends(component.chars().next_back()) && between.all(lawful)
}

impl Repositories {
    /// Whether a repository is one that a run of this id has: one of the pool, one that the template makes, or one below that.
    pub fn are_of(&self, run: &str, name: &str) -> bool {
        if !self.pool.is_empty() {
            return self.pool.iter().any(|pooled| pooled == name);
        }
        let like = |run: &str| self.template.replace("{run}", run).replace("{case}", "*").replace("{n}", "*");
        let parts = |text: &str| text.split('/').count();
        // Repeated cases have a number behind the run's id; a run without an id would be every run.
        let above = name.split('/').take(parts(&self.template)).collect::<Vec<_>>().join("/");
        let made = [run.to_owned(), format!("{run}-*")].iter().any(|run| globs(&like(run), &above));
        is_component(run) && is_name(name) && made && parts(&above) == parts(&self.template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_spec() {
        for name in ["a", "a/b", "a.b_c__d---e/0", "lacuna/0123abcd/some-case-1"] {
            assert!(is_name(name), "{name}");
        }
        for name in
            ["", "/", "a/", "/a", "a//b", "A", "A B", "../x", "..", "-a", "a-", "a..b", "a___b", "a._b", "?x#", "ä"]
        {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_run_has_what_its_template_makes_or_its_pool() {
        let made = Repositories::default();
        assert!(made.are_of("r1", "lacuna/r1/case-0") && made.are_of("r1", "lacuna/r1-2/case-0"));
        assert!(made.are_of("r1", "lacuna/r1/case-0/a.b/c__d"));
        for name in
            ["lacuna/r2/case-0", "lacuna/r12/case-0", "library/r1/case-0", "lacuna/r1/x/case-0", "lacuna/r1/../x-0"]
        {
            assert!(!made.are_of("r1", name), "{name}");
        }
        assert!(!made.are_of("*", "lacuna/r2/case-0") && !made.are_of("", "lacuna/r2/case-0"));
        let pool = Repositories { pool: vec!["a/b".into()], ..Repositories::default() };
        assert!(pool.are_of("r1", "a/b") && !pool.are_of("r1", "lacuna/r1/case-0"));
    }
}
