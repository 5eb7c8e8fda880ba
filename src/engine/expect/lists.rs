//! `tags`, `repositories` and `referrers`: lists, a page of them or all pages together.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Fault, Observation, World, referrers, repositories};
use crate::content::media::OCI_INDEX;
use crate::suite::assertion::{Assertion, TagsAre};
use crate::suite::model::TagSet;
use crate::wire::Response;

/// A list as it came, page by page.
#[derive(Debug, Clone, PartialEq)]
pub enum Listing {
    /// Of tags.
    Tags {
        /// The pages.
        pages: Vec<TagPage>,
        /// Whether they are all that there is, and no part of it.
        whole: bool,
        /// What was wrong with the links between them.
        trail: Option<String>,
    },
    /// Of repositories.
    Repositories {
        /// The names of each page, or why its body is no list of them.
        pages: Vec<Result<Vec<String>, String>>,
        /// What was wrong with the links between the pages.
        trail: Option<String>,
    },
    /// Of referrers: the entries of all pages.
    Referrers {
        /// Descriptors in order, or why the body is no list.
        entries: Result<Vec<Value>, String>,
        /// The first page that is no image index, and why.
        odd: Option<(usize, String)>,
        /// What was wrong with the links between the pages.
        trail: Option<String>,
    },
}

impl Listing {
    /// What was wrong with the links between the pages.
    pub fn trail(&self) -> Option<&str> {
        match self {
            Listing::Tags { trail, .. } | Listing::Repositories { trail, .. } | Listing::Referrers { trail, .. } => {
                trail.as_deref()
            }
        }
    }
}

/// One page of a tag list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// `name`.
    pub name: Option<String>,
    /// `tags`; empty for null and for no such key. Or why the body is none.
    pub tags: Result<Vec<String>, String>,
    /// Why `tags` is no list, where it is null or left out.
    pub unlisted: Option<&'static str>,
    /// Whether there was a `Link`.
    pub linked: bool,
}

impl TagPage {
    /// Reads a response's body.
    pub fn of(response: &Response) -> TagPage {
        let linked = response.header("link").is_some();
        let mut page = TagPage { name: None, tags: Ok(Vec::new()), unlisted: None, linked };
        if !response.body_is_whole {
            return TagPage { tags: Err("a page of more than the 8 MiB that are kept".into()), ..page };
        }
        let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(&response.body) else {
            return TagPage { tags: Err("a body that is no JSON object".into()), ..page };
        };
        page.name = object.get("name").and_then(Value::as_str).map(str::to_owned);
        match object.get("tags") {
            None => page.unlisted = Some("no key \"tags\""),
            Some(Value::Null) => page.unlisted = Some("\"tags\" is null"),
            Some(Value::Array(items)) => {
                let strings: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                page.tags = strings.ok_or_else(|| "a tag that is no string".into());
            }
            Some(_) => page.tags = Err("\"tags\" is no list".into()),
        }
        page
    }
}

/// Reads the descriptors of a referrers answer.
///
/// # Errors
/// Why it is none.
pub fn descriptors(response: &Response) -> Result<Vec<Value>, String> {
    let value: Value = serde_json::from_slice(&response.body).map_err(|_| "a body that is not JSON".to_owned())?;
    if !value.is_object() {
        return Err("JSON that is no object".into());
    }
    match value.get("manifests") {
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(Value::Null) => Err("\"manifests\" is null".into()),
        None => Err("no key \"manifests\"".into()),
        Some(_) => Err("\"manifests\" is no list".into()),
    }
}

/// Why a page of referrers is no image index of descriptors, where it is none (image-spec v1.1.1 image-index.md L12-33).
pub fn no_index(response: &Response) -> Option<String> {
    let entries = match descriptors(response) {
        Ok(entries) => entries,
        Err(problem) => return Some(problem),
    };
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if body.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
        return Some("a schemaVersion that is not 2".into());
    }
    if body.get("mediaType").is_some_and(|media_type| media_type != OCI_INDEX) {
        return Some("a mediaType that is not an index's".into());
    }
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let lacks = |entry: &Value| match entry {
        entry if !text(entry, "mediaType") => Some("mediaType"),
        entry if !text(entry, "digest") => Some("digest"),
        entry if !entry.get("size").is_some_and(Value::is_u64) => Some("size"),
        _ => None,
    };
    entries.iter().find_map(lacks).map(|key| format!("a descriptor without {key}"))
}

/// Evaluates the keys, where the response begins a list.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    // Where something else than a list is lawful too, nothing is said of it.
    if seen.response.status != 200 {
        return Vec::new();
    }
    match seen.listing {
        None => Vec::new(),
        Some(Listing::Tags { pages, whole, .. }) => {
            assertion.tags.iter().flat_map(|expected| tags(expected, pages, *whole, world)).collect()
        }
        Some(Listing::Repositories { pages, .. }) => {
            assertion.repositories.iter().flat_map(|expected| repositories::check(expected, pages)).collect()
        }
        Some(Listing::Referrers { entries, odd, .. }) => match (&assertion.referrers, odd) {
            (Some(expected), Some((page, problem))) if expected.index == Some(true) => {
                vec![Fault::new("referrers", "an image index of descriptors", problem.clone()).on(Some(*page))]
            }
            (Some(expected), _) => referrers::check(expected, entries, seen, world),
            (None, _) => Vec::new(),
        },
    }
}

fn tags(expected: &TagsAre, pages: &[TagPage], whole: bool, world: &World) -> Vec<Fault> {
    // Of a part of a list that others have tags in too, nobody knows which of them it has.
    let knows = whole || world.foreign.is_empty();
    let own = |tag: &&str| !world.foreign.contains(*tag);
    let mut faults = Vec::new();
    let mut all: Vec<&str> = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        match &page.tags {
            Err(problem) => {
                let fault = Fault::new("tags", "{\"name\": ..., \"tags\": [...]}", problem.clone());
                return vec![fault.on(Some(number))];
            }
            Ok(tags) => all.extend(tags.iter().map(String::as_str)),
        }
    }
    // What is wrong is shown by the page on which it stands: what is too much by that tag's, what is missing by the last.
    let has = |page: &TagPage, tag: &str| page.tags.iter().flatten().any(|other| other == tag);
    let first = |tag: &str| pages.iter().position(|page| has(page, tag));
    let again = |tag: &str| pages.iter().rposition(|page| has(page, tag));
    let end = pages.len().checked_sub(1);
    let shown = |extra: &[&str]| extra.first().map_or(end, |tag| first(tag));
    if expected.list == Some(true)
        && let Some((page, problem)) = pages.iter().enumerate().find_map(|(page, p)| Some((page, p.unlisted?)))
    {
        faults.push(Fault::new("tags", "\"tags\" is a list", problem).on(Some(page)));
    }
    let have: BTreeSet<&str> = all.iter().copied().collect();
    let set = |tags: &Option<TagSet>| tags.as_ref().map(|tags| tags.tags().into_iter().collect::<BTreeSet<String>>());
    if let Some(wanted) = set(&expected.exactly).filter(|_| knows) {
        let missing = wanted.iter().filter(|tag| !have.contains(tag.as_str())).map(String::as_str);
        let extra: Vec<&str> = have.iter().copied().filter(own).filter(|tag| !wanted.contains(*tag)).collect();
        let page = shown(&extra);
        let got = differing(missing.collect(), extra);
        faults.extend(got.map(|got| Fault::new("tags", format!("exactly {}", some(wanted.iter())), got).on(page)));
    }
    if let Some(wanted) = set(&expected.including).filter(|_| knows) {
        let missing = wanted.iter().filter(|tag| !have.contains(tag.as_str())).map(String::as_str);
        let got = differing(missing.collect(), Vec::new());
        faults.extend(got.map(|got| Fault::new("tags", format!("including {}", some(wanted.iter())), got).on(end)));
    }
    if let Some(unwanted) = set(&expected.excluding) {
        let extra: Vec<&str> = have.iter().copied().filter(own).filter(|tag| unwanted.contains(*tag)).collect();
        let page = shown(&extra);
        let got = differing(Vec::new(), extra);
        faults.extend(got.map(|got| Fault::new("tags", format!("without {}", some(unwanted.iter())), got).on(page)));
    }
    if let Some(wanted) = set(&expected.within) {
        let extra: Vec<&str> = have.iter().copied().filter(own).filter(|tag| !wanted.contains(*tag)).collect();
        let page = shown(&extra);
        let got = differing(Vec::new(), extra);
        faults.extend(got.map(|got| Fault::new("tags", format!("nothing but {}", some(wanted.iter())), got).on(page)));
    }
    // A list that is to be exact, ordered or unique has nothing twice.
    if (expected.unique == Some(true) || expected.ordered == Some(true) || expected.exactly.is_some())
        && let Some(twice) = duplicates(&all)
    {
        let page = twice.first().and_then(|tag| again(tag));
        faults.push(Fault::new("tags", "each tag once", format!("twice: {}", some(twice.iter()))).on(page));
    }
    if expected.ordered == Some(true)
        && let Some((a, b)) = disorder(&all)
    {
        // Which two it is may differ from one listing to the next, and known failures must match: the pair is detail.
        let diff = Some(format!("{} before {}", word(a), word(b)));
        let expected = "one ascending order, bytewise or case-insensitive, on all pages";
        faults.push(Fault { diff, ..Fault::new("tags", expected, "out of order") }.on(again(b)));
    }
    if let Some(most) = expected.at_most {
        let lengths = pages.iter().map(|page| page.tags.as_ref().map_or(0, Vec::len)).enumerate();
        if let Some((page, longest)) = lengths.rev().max_by_key(|(_, length)| *length)
            && longest as u64 > most
        {
            let (expected, got) = (format!("at most {most} tags on a page"), format!("{longest} tags on a page"));
            faults.push(Fault::new("tags", expected, got).on(Some(page)));
        }
    }
    if let Some(full) = expected.fills
        && let Some((page, tags)) = pages.first().and_then(|page| Some((page, page.tags.as_ref().ok()?)))
        && (tags.len() as u64 > full || (tags.len() as u64) < full && !page.linked)
    {
        let got = format!("{} tags{}", tags.len(), if page.linked { "" } else { " and no Link" });
        faults.push(Fault::new("tags", format!("{full} tags, or fewer and a Link"), got));
    }
    let count = all.iter().copied().filter(|tag| own(tag)).count();
    if let Some(wanted) = expected.count.filter(|_| knows)
        && count as u64 != wanted
    {
        faults.push(Fault::new("tags", format!("{wanted} tags"), format!("{count} tags")).on(end));
    }
    if expected.named == Some(true) {
        let wrong = pages.iter().enumerate().find(|(_, page)| page.name.as_deref() != Some(world.repository));
        if let Some((number, page)) = wrong {
            let got = if page.name.is_some() { "another name" } else { "no name" };
            faults.push(Fault::new("tags", "\"name\" is the repository's", got).on(Some(number)));
        }
    }
    faults
}

/// `missing: a, b; unexpected: c`, or nothing where both are empty.
fn differing(missing: Vec<&str>, extra: Vec<&str>) -> Option<String> {
    let part = |what: &str, names: &[&str]| (!names.is_empty()).then(|| format!("{what}: {}", some(names.iter())));
    let parts: Vec<String> = [part("missing", &missing), part("unexpected", &extra)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A few names, and how many more there are.
pub fn some(names: impl ExactSizeIterator<Item = impl AsRef<str>>) -> String {
    const SHOWN: usize = 5;
    let count = names.len();
    let mut text = names.take(SHOWN).map(|name| word(name.as_ref())).collect::<Vec<_>>().join(", ");
    if count > SHOWN {
        text.push_str(&format!(" and {} more", count - SHOWN));
    }
    if text.is_empty() { "none".into() } else { text }
}

/// A registry's word, fit for a line; a digest, which is another in each run, by its algorithm.
fn word(name: &str) -> String {
    if crate::content::digest::Digest::parse(name).is_some() {
        return format!("{} digest", if name.starts_with("sha512") { "a sha512" } else { "a sha256" });
    }
    match name.char_indices().nth(40) {
        Some((at, _)) => format!("{}...", name.get(..at).unwrap_or_default().escape_default()),
        None => name.escape_default().to_string(),
    }
}

fn duplicates<'a>(all: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> = all.iter().copied().filter(|tag| !seen.insert(*tag)).collect();
    (!twice.is_empty()).then(|| twice.into_iter().collect())
}

/// The first neighbours in the wrong order, where no admitted order explains the whole list: bytewise, or without regard to
/// case (folded either way: the two differ for `_`, which stands between the cases).
fn disorder<'a>(all: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let wrong = |key: &dyn Fn(&str) -> String| {
        all.windows(2).find_map(|pair| match pair {
            [a, b] if key(a) > key(b) => Some((*a, *b)),
            _ => None,
        })
    };
    let bytewise = wrong(&str::to_owned)?;
    wrong(&str::to_ascii_lowercase)?;
    wrong(&str::to_ascii_uppercase)?;
    Some(bytewise)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn a_fault_of_a_list_is_shown_by_the_page_that_has_it() {
        let page = |tags: &[&str]| TagPage {
            name: Some("a/b".into()),
            tags: Ok(tags.iter().map(|tag| (*tag).to_owned()).collect()),
            unlisted: None,
            linked: true,
        };
        let pages = [page(&["a", "b"]), page(&["d", "x"]), page(&["c", "b"]), page(&["z"])];
        let set = |tags: &[&str]| Some(TagSet::Named(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        let content = crate::engine::expect::testing::content();
        let (named, foreign) = (BTreeMap::new(), BTreeSet::new());
        let world =
            World { content: &content, repository: "a/b", absent_children: &[], named: &named, foreign: &foreign };
        let shown = |expected: TagsAre| {
            let faults = tags(&expected, &pages, true, &world);
            faults.into_iter().map(|fault| (fault.got, fault.page)).collect::<Vec<_>>()
        };
        let none = TagsAre::default;
        assert_eq!(shown(TagsAre { excluding: set(&["x"]), ..none() }), [("unexpected: x".to_owned(), 1)]);
        assert_eq!(shown(TagsAre { including: set(&["y"]), ..none() }), [("missing: y".to_owned(), 3)]);
        assert_eq!(shown(TagsAre { unique: Some(true), ..none() }), [("twice: b".to_owned(), 2)]);
        let ordered = shown(TagsAre { ordered: Some(true), ..none() });
        assert_eq!(ordered.last(), Some(&("out of order".to_owned(), 2)));
    }
}
