//! `needs`: the stance and the capabilities without which a case cannot be asked.

use super::context::Context;
use super::fault::{Fault, shown};
use super::model::{Needs, Presence, StanceWord};
use super::tree::{Entry, Kind, Node};
use super::written::NeedsKeys;
use crate::target::findings::all_capabilities;

/// The keys that are no capabilities.
const KEYS: [&str; 4] = ["stance", "required", "optional", "scope"];

/// Decodes `needs`.
pub fn decode(node: &Node, context: &Context) -> Option<Needs> {
    let Kind::Map(entries) = &node.kind else {
        let fault = node.fault(format!("{} instead of a map of needs", node.what()));
        context.report(fault.help("write needs: {stance: accept}"));
        return None;
    };
    let before = context.reported();
    let (own, capabilities): (Vec<&Entry>, Vec<&Entry>) =
        context.unique(entries).into_iter().partition(|entry| KEYS.contains(&&*entry.key.text));
    let own = Node { at: node.at, put_in: None, kind: Kind::Map(own.into_iter().cloned().collect()) };
    let keys: NeedsKeys = context.decode(&own)?;
    let mut needs = Needs {
        stance: keys.stance.and_then(|stance| stances(&context.node(&stance)?, context)).unwrap_or_default(),
        required: keys.required.and_then(|platform| context.later(&platform)),
        optional: keys.optional.and_then(|platform| context.later(&platform)),
        scope: keys.scope.and_then(|scope| context.later(&scope)),
        ..Needs::default()
    };
    for entry in capabilities {
        let name = &entry.key.text;
        if all_capabilities().any(|(known, _)| known == &**name) {
            if let Some(presence) = context.decode::<Presence>(&entry.value) {
                needs.capabilities.insert(name.to_string(), presence);
            }
        } else {
            let fault = Fault::new(entry.key.at, format!("no probe finds a capability `{}`", shown(name, 60)));
            let known = KEYS.into_iter().chain(all_capabilities().map(|(known, _)| known));
            context.report(fault.choices(name, known, "what can be needed"));
        }
    }
    (context.reported() == before).then_some(needs)
}

/// The needs of a case, with those of its file that it does not name itself.
pub fn merged(file: Option<&Node>, case: Option<Node>) -> Option<Node> {
    match (file, case) {
        (Some(file), Some(case)) => match (&file.kind, &case.kind) {
            (Kind::Map(shared), Kind::Map(own)) => {
                let added = shared.iter().filter(|entry| case.entry(&entry.key.text).is_none());
                let kind = Kind::Map(own.iter().chain(added).cloned().collect());
                Some(Node { at: case.at, put_in: None, kind })
            }
            _ => Some(case),
        },
        (file, case) => case.or_else(|| file.cloned()),
    }
}

/// One stance or a list of them.
fn stances(node: &Node, context: &Context) -> Option<Vec<StanceWord>> {
    match &node.kind {
        Kind::List(items) if items.is_empty() => {
            context.report(
                node.fault("no stance is enough for this case").help("name those that are, or take `stance` out"),
            );
            None
        }
        Kind::List(items) => items.iter().map(|item| context.decode(item)).collect(),
        _ => context.decode(node).map(|one| vec![one]),
    }
}
