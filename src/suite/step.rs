//! One step: its action, the keys that all actions may have, and what is wrong with it by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::assertion::OneOrMany;
use super::barrier::Barrier;
use super::context::{Context, Later};
use super::expect::{Expected, Law};
use super::fault::{Fault, shown};
use super::model::{Action, Source, Step};
use super::nodes::Fixture;
use super::parallel;
use super::side::Side;
use super::symbols;
use super::tree::{Entry, Kind, Node};
use super::words;

/// Every action.
pub const ACTIONS: [&str; 23] = [
    "push",
    "put",
    "head",
    "get",
    "pull",
    "absent",
    "settled",
    "delete",
    "tags",
    "referrers",
    "catalog",
    "blob",
    "mount",
    "upload",
    "session",
    "raw",
    "token",
    "client",
    "usage",
    "wait",
    "joined",
    "parallel",
    "barrier",
];
/// Actions that bring their own expectations, or have none.
const OWN: [&str; 9] = ["push", "pull", "absent", "settled", "joined", "client", "usage", "wait", "barrier"];
/// The action that is a word alone.
const BARRIER: &str = "barrier";
/// The requirement that a client ends as it must.
const CLIENT: &str = "client.ends";
/// Keys that stand beside the action's own.
pub const COMMON: [&str; 7] = ["in", "at", "accept", "headers", "as", "expect", "during"];

/// The common keys, as they are written.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct CommonKeys {
    /// Repository by nickname, or `NICKNAME/REST` for one below it; `main` where nothing is said.
    pub r#in: Option<Later<String>>,
    /// `beside`: sent to the second server on the target's storage. `main` where nothing is said.
    pub at: Option<Later<Side>>,
    /// `Accept` header lines, instead of what the action itself wants; an empty list sends none.
    pub accept: Option<Later<OneOrMany>>,
    /// Request headers by name, instead of what lacuna would send: a value, or one for each line.
    pub headers: Option<Later<BTreeMap<String, OneOrMany>>>,
    /// A name by which `same-as` of a later step means this step's response.
    pub r#as: Option<Later<String>>,
    /// What must hold of the response: a bundle's name, a map from requirements to assertions, or a list of these.
    pub expect: Option<Later<super::schema::Expect>>,
    /// Sent while the action of the barrier that was met directly before is under way. It begins when the first such step
    /// of each case has its answer.
    pub during: Option<Later<Barrier>>,
}

/// A decoded step, with what later checks need to point at.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The step.
    pub step: Arc<Step>,
    /// The expectations again, each with where it came from.
    pub expected: Vec<Expected>,
    /// The action's map.
    pub node: Node,
    /// The action's name.
    pub action: Arc<str>,
    /// The steps of all its lanes, one lane after the other.
    pub below: Vec<Arc<Decoded>>,
}

/// Decodes a step of which the parameters are put in. Without a fixture, names are not looked at.
pub fn decode(
    node: &Node,
    file: &Arc<str>,
    law: &Law,
    fixture: Option<&Fixture>,
    context: &Context,
) -> Option<Decoded> {
    let entry = action(node, context)?;
    let name = &entry.key.text;
    if !ACTIONS.contains(&&**name) {
        let fault = Fault::new(entry.key.at, format!("no step is called `{}`", shown(name, 60)));
        context.report(fault.choices(name, ACTIONS, "the steps are"));
        return None;
    }
    if &**name == parallel::WORD {
        return parallel::decode(entry, file, law, fixture, context);
    }
    let before = context.reported();
    let (common, own) = match (&entry.value.kind, &**name) {
        (Kind::Scalar { .. }, BARRIER) => (Vec::new(), entry.value.clone()),
        (_, BARRIER) => {
            let fault = entry.value.fault(format!("{} instead of a barrier's name", entry.value.what()));
            context.report(fault.help("write `- barrier: gc`"));
            return None;
        }
        (Kind::Map(keys), _) => {
            let (common, own) = keys.iter().partition(|entry| COMMON.contains(&&*entry.key.text));
            (common, map_of(own, entry))
        }
        _ => {
            let fault = entry.value.fault(format!("{} instead of the keys of `{name}`", entry.value.what()));
            context.report(fault.help(format!("write {name}: {{key: value}}")));
            return None;
        }
    };
    let own_node =
        Node { at: entry.key.at, put_in: None, kind: Kind::Map([Entry { key: entry.key.clone(), value: own }].into()) };
    let action: Option<Action> = context.decode_with(&own_node, &COMMON);
    let common: CommonKeys = context.decode(&map_of(common, entry)).unwrap_or_default();
    let action = action?;
    let expected = match &action {
        Action::Barrier(barrier) => law.own(barrier.requirement(), entry, file, context),
        Action::Usage(usage) => match usage.shows {
            Some(shows) => law.own(shows.requirement(), entry, file, context),
            None => expectations(&common, entry, file, law, context),
        },
        Action::Client(_) => law.own(CLIENT, entry, file, context),
        _ => expectations(&common, entry, file, law, context),
    };
    let at = entry.key.at;
    let step = Step {
        action,
        repository: repository(&common, context),
        at: common.at.as_ref().and_then(|later| context.later(later)).unwrap_or_default(),
        accept: accept(&common, context),
        headers: headers(&common, context),
        name: name_of(&common, context),
        expect: expected.iter().map(|expected| expected.expectation.clone()).collect(),
        during: common.during.as_ref().and_then(|later| context.later(later)),
        source: Source { file: file.clone(), line: at.line as usize, column: at.column as usize },
    };
    let decoded =
        Decoded { step: Arc::new(step), expected, node: entry.value.clone(), action: name.clone(), below: Vec::new() };
    let clear = super::sense::check(&decoded, context);
    if let Some(fixture) = fixture.filter(|_| clear) {
        symbols::check(&decoded, &fixture.nodes, context);
    }
    (context.reported() == before).then_some(decoded)
}

/// The one entry of a step's map.
fn action<'n>(node: &'n Node, context: &Context) -> Option<&'n Entry> {
    let Kind::Map(entries) = &node.kind else {
        let fault = node.fault(format!("{} instead of a step", node.what()));
        context.report(fault.help("a step is one action and its keys: `- get: {manifest: index, expect: served}`"));
        return None;
    };
    let entries = context.unique(entries);
    let Some(first) = entries.first() else {
        context.report(node.fault("a step without an action").help("name one, or take the step out"));
        return None;
    };
    for other in entries.iter().skip(1) {
        let key = shown(&other.key.text, 60);
        let fault = if COMMON.contains(&&*other.key.text) {
            Fault::new(other.key.at, format!("`{key}` stands beside the action instead of within it"))
                .help(format!("indent it deeper, under `{}`", shown(&first.key.text, 60)))
        } else {
            Fault::new(other.key.at, format!("`{key}` is a second key in one step"))
                .help("a step is one action: begin another one with `- `, or indent a key of the action deeper")
        };
        context.report(fault);
    }
    (entries.len() == 1).then_some(first)
}

/// A map of these entries, in the place of the action.
pub(super) fn map_of(entries: Vec<&Entry>, action: &Entry) -> Node {
    Node { at: action.key.at, put_in: None, kind: Kind::Map(entries.into_iter().cloned().collect()) }
}

/// The expectations, and that there are some where some are due.
fn expectations(common: &CommonKeys, entry: &Entry, file: &Arc<str>, law: &Law, context: &Context) -> Vec<Expected> {
    let name = &entry.key.text;
    let own = OWN.contains(&&**name);
    let node = common.expect.as_ref().and_then(|later| context.node(later));
    match (node, own) {
        (None, true) => Vec::new(),
        (None, false) => {
            let fault = Fault::new(entry.key.at, format!("nothing is expected of `{name}`"));
            context.report(fault.help("add `expect: BUNDLE` or `expect: {REQUIREMENT: {status: ...}}`"));
            Vec::new()
        }
        (Some(_), true) => {
            let at = entry.value.entry("expect").map_or(entry.key.at, |entry| entry.key.at);
            let fault = Fault::new(at, format!("`{name}` takes no `expect`"));
            context.report(match &**name {
                "wait" => fault.help("there is no answer of which anything could hold"),
                _ => fault
                    .help(format!("`{name}` knows what must hold; ask again with `get`, `head` or `blob` for more")),
            });
            Vec::new()
        }
        (Some(node), false) => {
            let before = context.reported();
            let expected = law.expect(&node, file, context);
            let status = expected.iter().any(|expected| expected.expectation.assertion.status.is_some());
            if context.reported() == before && !status {
                let fault = node.fault(format!("no status is expected of this `{name}`"));
                context
                    .report(fault.help("an error page could satisfy the rest: add {status: ...} under a requirement"));
            }
            expected
        }
    }
}

/// `in`.
fn repository(common: &CommonKeys, context: &Context) -> String {
    let Some(later) = &common.r#in else { return "main".into() };
    let (Some(name), Some(node)) = (context.later(later), context.node(later)) else { return "main".into() };
    if !words::is_repository(&name) {
        let fault = node.fault(format!("`{}` cannot be a repository's nickname", shown(&name, 60)));
        context.report(fault.help("nicknames have lower-case letters and digits, with hyphens between"));
    }
    name
}

/// `accept`.
fn accept(common: &CommonKeys, context: &Context) -> Option<Vec<String>> {
    let later = common.accept.as_ref()?;
    let lines: OneOrMany = context.later(later)?;
    let node = context.node(later)?;
    values(&lines, &node, "Accept", context);
    Some(lines.items().to_vec())
}

/// `headers`, as lines.
fn headers(common: &CommonKeys, context: &Context) -> Vec<(String, String)> {
    let Some(node) = common.headers.as_ref().and_then(|later| context.node(later)) else { return Vec::new() };
    let Kind::Map(entries) = &node.kind else {
        context.report(node.fault(format!("{} instead of a map from names to values", node.what())));
        return Vec::new();
    };
    let mut out = Vec::new();
    for entry in context.unique(entries) {
        let name = &entry.key.text;
        if !words::is_token(name) {
            let fault = Fault::new(entry.key.at, format!("no header can be called `{}`", shown(name, 60)));
            context.report(fault.help("a name has letters, digits and hyphens"));
        } else if name.eq_ignore_ascii_case("accept") {
            let fault = Fault::new(entry.key.at, "`Accept` among the headers");
            context.report(fault.help("write it as the step's own key: `accept: [...]`"));
        }
        if let Some(lines) = context.decode::<OneOrMany>(&entry.value) {
            values(&lines, &entry.value, name, context);
            out.extend(lines.items().iter().map(|line| (name.to_string(), line.clone())));
        }
    }
    out
}

/// Refuses what cannot be sent as a header's value.
fn values(lines: &OneOrMany, node: &Node, name: &str, context: &Context) {
    for (i, line) in lines.items().iter().enumerate() {
        if !words::is_header_value(line) {
            let place = node.find([i.to_string().as_str()]);
            let fault = place.fault(format!("`{}` cannot be the value of `{}`", shown(line, 60), shown(name, 60)));
            context.report(fault.help("a value has visible ASCII characters and spaces between them"));
        }
    }
}

/// `as`.
fn name_of(common: &CommonKeys, context: &Context) -> Option<String> {
    context.later(common.r#as.as_ref()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_actions_is_that_of_the_type() {
        let error = serde_json::from_str::<Action>(r#"{"no-such-action": {}}"#).unwrap_err().to_string();
        // Lanes are steps, so `parallel` is not decoded by the type.
        for action in ACTIONS.iter().filter(|action| **action != parallel::WORD) {
            assert!(error.contains(&format!("`{action}`")), "{action}: {error}");
        }
        assert_eq!(error.matches('`').count(), 2 * ACTIONS.len(), "{error}");
    }
}
