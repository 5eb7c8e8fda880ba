//! Known failures: which cases an entry covers, for which product, and which entries are mistakes.

use crate::near::hint;
use crate::plan::{Pattern, globs};
use crate::target::profile::Known;

/// The known failures of a target, checked.
#[derive(Debug, Clone, Default)]
pub struct KnownFailures {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    cases: Vec<Cases>,
    known: Known,
}

/// One of an entry's patterns.
#[derive(Debug, Clone)]
struct Cases {
    pattern: Pattern,
    /// Whether `*` ends it, which stands for all parameters that follow.
    open: bool,
}

impl Cases {
    fn cover(&self, id: &str) -> bool {
        if self.open { self.pattern.matches_beginning(id) } else { self.pattern.matches(id) }
    }
}

impl KnownFailures {
    /// Checks the entries against all ids and requirements of the library, selected or not, and leaves out those of other versions than
    /// `product` (`distribution 2.8.2`) has. Where the version is not known, an entry that names versions excuses nothing. What speaks of a
    /// case that is only `elsewhere`, in the shipped suites where the library is the user's own, is left out.
    ///
    /// # Errors
    /// A line for each mistake in an entry (exit code 2): a pattern that is none, that has `*` in area, topic or name,
    /// or that covers no case at all; no pattern; a requirement that is none.
    pub fn new<'i>(
        known: impl IntoIterator<Item = Known>,
        product: Option<&str>,
        ids: impl IntoIterator<Item = &'i str>,
        elsewhere: impl IntoIterator<Item = &'i str>,
        requirements: impl IntoIterator<Item = &'i str>,
    ) -> Result<KnownFailures, Vec<String>> {
        let ids: Vec<&str> = ids.into_iter().collect();
        let elsewhere: Vec<&str> = elsewhere.into_iter().collect();
        let requirements: Vec<&str> = requirements.into_iter().collect();
        let (mut entries, mut errors) = (Vec::new(), Vec::new());
        for known in known {
            let (cases, wrong): (Vec<_>, Vec<_>) = known
                .cases
                .items()
                .iter()
                .map(|text| cases(text, &ids))
                .zip(known.cases.items())
                .filter(|(found, text)| found.is_ok() || cases(text, &elsewhere).is_err())
                .map(|(found, _)| found)
                .partition(Result::is_ok);
            if cases.is_empty() && wrong.is_empty() && !known.cases.items().is_empty() {
                continue;
            }
            errors.extend(wrong.into_iter().filter_map(Result::err));
            if known.cases.items().is_empty() {
                errors.push(format!("a known failure of `{}` names no case", known.requirement));
            }
            if !requirements.contains(&known.requirement.as_str()) {
                let near = hint(&known.requirement, requirements.iter().copied());
                let of = known.cases.items().join("`, `");
                errors.push(format!("known failure `{of}`: `{}` is no requirement{near}", known.requirement));
            }
            if applies(known.versions.as_deref(), product) {
                entries.push(Entry { cases: cases.into_iter().flatten().collect(), known });
            }
        }
        if errors.is_empty() { Ok(KnownFailures { entries }) } else { Err(errors) }
    }

    /// The entries that cover the case of this id.
    pub fn covering(&self, id: &str) -> impl Iterator<Item = &Known> {
        self.entries
            .iter()
            .filter(move |entry| entry.cases.iter().any(|cases| cases.cover(id)))
            .map(|entry| &entry.known)
    }
}

fn cases(text: &str, ids: &[&str]) -> Result<Cases, String> {
    let wrong = |problem: &str| format!("known failure `{text}`: {problem}");
    let pattern = Pattern::parse(text).map_err(|problem| wrong(&problem))?;
    let components: Vec<&str> = pattern.components().collect();
    if components.len() < 3 || components[..3].iter().any(|component| component.contains('*')) {
        return Err(wrong("write out area, topic and name; `*` stands for parameters only"));
    }
    let open = components.last().is_some_and(|last| matches!(*last, "*" | "**"));
    let found = Cases { open, pattern };
    if ids.iter().any(|id| found.cover(id)) {
        return Ok(found);
    }
    let case = text.split('/').take(3).collect::<Vec<_>>().join("/");
    let mut cases: Vec<String> = ids.iter().map(|id| id.split('/').take(3).collect::<Vec<_>>().join("/")).collect();
    cases.sort_unstable();
    cases.dedup();
    let near = if cases.contains(&case) {
        "; its parameters match none of the case's; end it with `/*` for all of them".to_owned()
    } else {
        hint(&case, cases.iter().map(String::as_str))
    };
    Err(wrong(&format!("it covers no case of the library{near}")))
}

/// Whether a glob over versions covers the version in a product's name, its last word that has a digit; without `v`.
fn applies(versions: Option<&str>, product: Option<&str>) -> bool {
    let Some(versions) = versions else { return true };
    let words = product.unwrap_or_default().split_whitespace();
    let version = words.rev().find(|word| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()));
    version.is_some_and(|version| globs(versions.trim_start_matches('v'), version.trim_start_matches('v')))
}
