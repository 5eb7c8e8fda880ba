//! `expect`: bundles by name, requirements with what is asserted under them, or a list of both.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assertion::{Assertion, OneOrMany, ReferrersAre, RepositoriesAre, StatusItem, Statuses, TagsAre};
use super::context::Context;
use super::fault::{Fault, shown};
use super::model::{Expectation, Source};
use super::requirement::Requirement;
use super::tree::{Entry, Kind, Node};

/// Error codes: the distribution-spec's (v1.1.1 L811-828), and those that registries took from its forerunner.
pub const CODES: [&str; 20] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
    "MANIFEST_UNVERIFIED",
    "TAG_INVALID",
    "RANGE_INVALID",
    "PAGINATION_NUMBER_INVALID",
    "UNAVAILABLE",
    "UNKNOWN",
];

/// An expectation, and how it came into its step.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The expectation.
    pub expectation: Expectation,
    /// The bundle that it comes from, if any.
    pub bundle: Option<String>,
    /// What was written in the case file: the assertion's map, or the bundle's name.
    pub node: Node,
}

/// Requirements and bundles that can be named.
#[derive(Debug, Default)]
pub struct Law {
    /// By id.
    pub requirements: BTreeMap<String, Requirement>,
    /// By name.
    pub bundles: BTreeMap<String, Vec<Expectation>>,
}

impl Law {
    /// Decodes the value of `expect`.
    pub fn expect(&self, node: &Node, file: &Arc<str>, context: &Context) -> Vec<Expected> {
        let mut out = Vec::new();
        match &node.kind {
            Kind::List(items) => {
                if items.is_empty() {
                    context.report(node.fault("`expect` is an empty list").help("name a bundle or a requirement"));
                }
                items.iter().for_each(|item| self.one(item, file, context, &mut out));
            }
            _ => self.one(node, file, context, &mut out),
        }
        out
    }

    /// What a step is held against that no answer is asserted of: a barrier's action, a client's end.
    pub fn own(&self, requirement: &str, entry: &Entry, file: &Arc<str>, context: &Context) -> Vec<Expected> {
        let requirement = requirement.to_owned();
        if !self.requirements.contains_key(&requirement) {
            let name = &entry.key.text;
            let message = format!("`{name}` rests on the requirement `{requirement}`, which is not declared");
            context.report(entry.value.fault(message).help("declare it in requirements.yaml"));
        }
        let at = entry.key.at;
        let source = Source { file: file.clone(), line: at.line as usize, column: at.column as usize };
        let expectation = Expectation { requirement, assertion: Assertion::default(), source };
        vec![Expected { expectation, bundle: None, node: entry.value.clone() }]
    }

    /// A bundle's name, or a map of requirements.
    fn one(&self, node: &Node, file: &Arc<str>, context: &Context, out: &mut Vec<Expected>) {
        match &node.kind {
            Kind::Map(_) => {
                let own = self.assertions(node, file, context).into_iter();
                out.extend(own.map(|(expectation, node)| Expected { expectation, bundle: None, node }));
            }
            Kind::Scalar { text, .. } => match self.bundles.get(&**text) {
                Some(bundle) => out.extend(bundle.iter().map(|expectation| Expected {
                    expectation: expectation.clone(),
                    bundle: Some(text.to_string()),
                    node: node.clone(),
                })),
                None if self.requirements.contains_key(&**text) => {
                    context.report(
                        node.fault(format!("`{text}` is a requirement, and a bundle's name is due"))
                            .help(format!("say what is asserted under it: {{{text}: {{status: ...}}}}")),
                    );
                }
                None => {
                    let fault = node.fault(format!("no bundle is called `{}`", shown(text, 60)));
                    context.report(fault.choices(text, self.bundles.keys().map(String::as_str), "the bundles are"));
                }
            },
            Kind::List(_) => {
                context.report(node.fault("a list within `expect`'s list").help("write its items one level up"));
            }
        }
    }

    /// Decodes a map of requirements; with each expectation the tree of its assertion.
    pub fn assertions(&self, node: &Node, file: &Arc<str>, context: &Context) -> Vec<(Expectation, Node)> {
        let Kind::Map(entries) = &node.kind else {
            let message = format!("{} instead of a map from requirements to what is asserted under them", node.what());
            context.report(node.fault(message));
            return Vec::new();
        };
        if entries.is_empty() {
            context.report(node.fault("no requirement is named").help("name one, with what is asserted under it"));
        }
        let decode = |entry: &&Entry| {
            let id = &*entry.key.text;
            let Some(requirement) = self.requirements.get(id) else {
                context.report(
                    Fault::new(entry.key.at, format!("no requirement is called `{}`", shown(id, 80)))
                        .choices(id, self.requirements.keys().map(String::as_str), "the requirements are")
                        .help("requirements are declared in requirements.yaml"),
                );
                return None;
            };
            if !matches!(entry.value.kind, Kind::Map(_)) {
                let fault = entry.value.fault(format!("{} instead of what is asserted", entry.value.what()));
                context.report(fault.help("write {status: 200}, or another key with what it must be"));
                return None;
            }
            let assertion: Assertion = context.decode(&entry.value)?;
            check(&assertion, &entry.value, requirement, context);
            let source =
                Source { file: file.clone(), line: entry.key.at.line as usize, column: entry.key.at.column as usize };
            Some((Expectation { requirement: id.to_owned(), assertion, source }, entry.value.clone()))
        };
        context.unique(entries).iter().filter_map(decode).collect()
    }
}

/// What is wrong with an assertion by itself.
fn check(assertion: &Assertion, node: &Node, requirement: &Requirement, context: &Context) {
    if *assertion == Assertion::default() {
        let fault = node.fault(format!("nothing is asserted under `{}`", requirement.id));
        context.report(fault.help("name a status, or another thing that is observed of the answer"));
    }
    if let Some(statuses) = &assertion.status {
        check_statuses(statuses, node, requirement, context);
    }
    for (key, codes) in [("code", &assertion.code), ("not-code", &assertion.not_code)] {
        let many = matches!(codes, Some(OneOrMany::Many(_)));
        for (i, code) in codes.iter().flat_map(|codes| codes.items()).enumerate() {
            if !CODES.contains(&code.as_str()) {
                let index = i.to_string();
                let place = if many { node.find([key, &index]) } else { node.find([key]) };
                let fault = place.fault(format!("`{}` is no error code", shown(code, 60)));
                context.report(fault.choices(code, CODES, "the codes are"));
            }
        }
        if codes.as_ref().is_some_and(|codes| codes.items().is_empty()) {
            context
                .report(node.find([key]).fault(format!("`{key}` names no code")).help("name one, or take the key out"));
        }
    }
    for (key, value) in [("hashes", assertion.hashes), ("content-range", assertion.content_range)]
        .into_iter()
        .chain(list_flags(assertion))
    {
        if value == Some(false) {
            let path: Vec<&str> = key.split('/').collect();
            let name = path.last().copied().unwrap_or_default();
            context.report(
                node.find(path)
                    .fault(format!("`{name}: false` asserts nothing"))
                    .help("write true, or take the key out"),
            );
        }
    }
    for (name, pattern) in assertion.headers.iter().flatten() {
        let entry = node.entry("headers").and_then(|headers| headers.value.entry(name));
        let (key_at, value) = entry.map_or((node.at, node), |entry| (entry.key.at, &entry.value));
        if !super::words::is_token(name) {
            context.report(
                Fault::new(key_at, format!("`{}` cannot be a header's name", shown(name, 60)))
                    .help("a name has letters, digits and hyphens"),
            );
        } else if pattern.is_empty() {
            context.report(
                value
                    .fault(format!("nothing is said of the header `{name}`"))
                    .help("write `present`, `absent`, or a pattern of its value, with `*`"),
            );
        }
    }
    let nothing = |key: &'static str| {
        context.report(node.find([key]).fault(format!("`{key}` asserts nothing")).help("name one of its keys"));
    };
    if assertion.tags.as_ref().is_some_and(|tags| *tags == TagsAre::default()) {
        nothing("tags");
    }
    if assertion.one_of.as_ref().is_some_and(Vec::is_empty) {
        nothing("one-of");
    }
    if assertion.type_among.as_ref().is_some_and(Vec::is_empty) {
        nothing("type-among");
    }
    if assertion.referrers.as_ref().is_some_and(|referrers| *referrers == ReferrersAre::default()) {
        nothing("referrers");
    }
    if assertion.repositories.as_ref().is_some_and(|repositories| *repositories == RepositoriesAre::default()) {
        nothing("repositories");
    }
    if assertion.not_text.as_ref().is_some_and(String::is_empty) {
        nothing("not-text");
    }
}

/// The truth values within `tags` and `referrers`, by path.
fn list_flags(assertion: &Assertion) -> Vec<(&'static str, Option<bool>)> {
    let of_tags = assertion.tags.iter().flat_map(|t| {
        [("tags/ordered", t.ordered), ("tags/unique", t.unique), ("tags/list", t.list), ("tags/named", t.named)]
    });
    of_tags.chain(assertion.referrers.iter().map(|r| ("referrers/index", r.index))).collect()
}

/// A set or a class is allowed only within what the requirement's text leaves open.
fn check_statuses(statuses: &Statuses, node: &Node, requirement: &Requirement, context: &Context) {
    if let Statuses::One(StatusItem::Value(_)) = statuses {
        return;
    }
    for (i, item) in statuses.items().iter().enumerate() {
        let index = i.to_string();
        let place = match statuses {
            Statuses::One(_) => node.find(["status"]),
            Statuses::Many(_) => node.find(["status", &index]),
        };
        let allowed = requirement.statuses.as_ref();
        if allowed.is_some_and(|allowed| is_within(item, allowed)) {
            continue;
        }
        let item = Statuses::One(item.clone());
        let (message, help) = match allowed {
            Some(allowed) => (
                format!("`{}` does not leave the status {item} open", requirement.id),
                format!("it leaves open: {allowed}"),
            ),
            None => (
                format!("`{}` leaves no choice of statuses, and {item} is one of several", requirement.id),
                "name one status; if the requirement's text leaves several open, say so in its `statuses`".to_owned(),
            ),
        };
        context.report(place.fault(message).help(help));
        if allowed.is_none() {
            break;
        }
    }
}

/// Whether every status of the item is in the set.
fn is_within(item: &StatusItem, allowed: &Statuses) -> bool {
    match item {
        StatusItem::Value(value) => allowed.contains(*value),
        StatusItem::Class(_) => allowed.items().contains(item),
    }
}
