//! Filters as they are typed, and what to say to someone whose filter selects nothing.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::Pattern;
use crate::near::nearest;
use crate::suite::model::CaseInstance;

/// A filter over case ids: a pattern of whole components, which also selects everything below what it matches. Every
/// printed id is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    text: String,
    pattern: Pattern,
}

impl Filter {
    /// Parses a filter as typed.
    ///
    /// # Errors
    /// What is wrong with it, for the person who typed it.
    pub fn parse(text: &str) -> Result<Filter, String> {
        if text.contains('@') {
            // What stands before it may be a password, which is not repeated.
            return Err("a filter has no `@`: it is in no id".into());
        }
        let pattern = Pattern::parse(text).map_err(|problem| format!("filter {text:?}: {problem}"))?;
        Ok(Filter { text: text.to_owned(), pattern })
    }

    /// Whether it selects the case of this id.
    pub fn selects(&self, id: &str) -> bool {
        self.pattern.matches_beginning(id)
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What may have been meant by a filter that selects none of `ids`: the filter with the nearest component that is
    /// there instead of the one that fails (and no further, where the rest fails too), or the place where that very component is.
    fn meant(&self, ids: &[&str]) -> Option<String> {
        let components: Vec<&str> = self.pattern.components().collect();
        let beginning = |count: usize| Pattern::parse(&components[..count].join("/")).ok();
        let fails = (1..=components.len()).find(|&count| {
            beginning(count).is_some_and(|pattern| !ids.iter().any(|id| pattern.matches_beginning(id)))
        })?;
        let (before, wrong) = (&components[..fails - 1], components[fails - 1]);
        // After `**` nobody can say which component was meant.
        if before.contains(&"**") {
            return None;
        }
        let before_pattern = if before.is_empty() { None } else { beginning(before.len()) };
        let reached =
            ids.iter().filter(|id| before_pattern.as_ref().is_none_or(|pattern| pattern.matches_beginning(id)));
        let there: BTreeSet<&str> = reached.filter_map(|id| id.split('/').nth(before.len())).collect();
        if let Some(near) = nearest(wrong, there) {
            let meant: Vec<&str> = before.iter().copied().chain([near]).collect();
            let whole = [meant.as_slice(), &components[fails..]].concat().join("/");
            let selects = |text: &str| Pattern::parse(text).is_ok_and(|p| ids.iter().any(|id| p.matches_beginning(id)));
            return Some(if selects(&whole) { whole } else { meant.join("/") });
        }
        ids.iter().find_map(|id| {
            let end = id.split('/').position(|component| component == wrong)?;
            Some(id.split('/').take(end + 1).collect::<Vec<_>>().join("/"))
        })
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A line for each filter that selects no case at all, with what may have been meant.
pub fn unmatched<C: Borrow<CaseInstance>>(filters: &[Filter], cases: &[C]) -> Vec<String> {
    let ids: Vec<&str> = cases.iter().map(|case| case.borrow().id.as_str()).collect();
    let none = filters.iter().filter(|filter| !ids.iter().any(|id| filter.selects(id)));
    none.map(|filter| {
        let near = filter.meant(&ids).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        format!("filter `{filter}` selects no case{near}")
    })
    .collect()
}
