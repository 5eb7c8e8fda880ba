//! Mutants that a text leaves open: no case may fail for them, and none need notice them.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::plan::Pattern;

/// The list that is compiled in.
const LIST: &str = include_str!("../../fixtures/mutants.yaml");

static ALLOWED: LazyLock<Vec<Allowed>> = LazyLock::new(|| {
    // A test reads it: what is shipped is well formed.
    parse(LIST).unwrap_or_default()
});

/// Mutants, and the text that leaves them open.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowed {
    /// Their names, as written.
    pub mutants: Vec<String>,
    /// Those among them that it does not leave open.
    pub except: Vec<String>,
    /// The requirement whose text leaves it open, by its id.
    pub by: String,
    /// What is left open, in our own words.
    pub why: String,
    patterns: Vec<Pattern>,
    exceptions: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    mutants: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    by: String,
    why: String,
}

fn parse(text: &str) -> Result<Vec<Allowed>, String> {
    let written: Vec<Written> = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let all = |texts: &[String]| texts.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, String>>();
    let entry = |Written { mutants, except, by, why }: Written| {
        let (patterns, exceptions) = (all(&mutants)?, all(&except)?);
        Ok(Allowed { mutants, except, by, why, patterns, exceptions })
    };
    written.into_iter().map(entry).collect()
}

/// Every entry, in the order in which they are written.
pub fn all() -> &'static [Allowed] {
    &ALLOWED
}

/// The first entry that speaks of the mutant of this name.
pub fn of(name: &str) -> Option<&'static Allowed> {
    let speaks = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
    ALLOWED.iter().find(|entry| speaks(&entry.patterns) && !speaks(&entry.exceptions))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_well_formed() {
        assert!(!parse(LIST).unwrap().is_empty());
    }

    #[test]
    fn a_mutant_is_found_by_its_pattern() {
        let entry = of("GET/tags/200/body/reserialised").unwrap();
        assert_eq!(entry.by, "tags.form");
        assert_eq!(of("GET/manifest-by-tag/200/body/reserialised"), None);
        assert!(of("PUT/manifest-by-tag/404-NAME_UNKNOWN/body/emptied").is_some());
        assert_eq!(of("PUT/manifest-by-tag/400-MANIFEST_BLOB_UNKNOWN/body/emptied"), None);
    }
}
