//! `referrers`: the descriptors of all pages together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::lists::some;
use super::{Fault, Observation, World, node};
use crate::content::Node;
use crate::suite::assertion::ReferrersAre;

/// What does not hold of the entries of all pages.
pub fn check(
    expected: &ReferrersAre,
    entries: &Result<Vec<Value>, String>,
    seen: &Observation,
    world: &World,
) -> Vec<Fault> {
    let entries = match entries {
        Ok(entries) => entries,
        Err(problem) => return vec![Fault::new("referrers", "an index with a list of descriptors", problem.clone())],
    };
    let mut faults = Vec::new();
    let mut by_digest: BTreeMap<&str, &Value> = BTreeMap::new();
    for entry in entries {
        let digest = entry.get("digest").and_then(Value::as_str).unwrap_or_default();
        if by_digest.insert(digest, entry).is_some() {
            faults.push(Fault::new("referrers", "each referrer once", "a referrer twice"));
        }
    }
    faults.dedup();
    let nodes = |names: &Option<Vec<String>>| -> Option<Vec<(String, Node)>> {
        let names = names.as_ref()?;
        Some(names.iter().filter_map(|name| Some((name.clone(), (**node(name, seen, world)?).clone()))).collect())
    };
    let exactly = nodes(&expected.exactly);
    for (name, node) in exactly.iter().flatten().chain(nodes(&expected.including).iter().flatten()) {
        match by_digest.get(node.digest.as_str()) {
            None => faults.push(Fault::new("referrers", format!("a descriptor of {name}"), format!("missing: {name}"))),
            Some(entry) => faults.extend(descriptor(name, node, entry)),
        }
    }
    if let Some(exactly) = &exactly {
        let known: BTreeSet<&str> = exactly.iter().map(|(_, node)| node.digest.as_str()).collect();
        let extra = by_digest.keys().filter(|digest| !known.contains(*digest)).count();
        if extra > 0 {
            let names = some(exactly.iter().map(|(name, _)| name));
            faults.push(Fault::new("referrers", format!("exactly {names}"), format!("{extra} unexpected")));
        }
    }
    for (name, node) in nodes(&expected.excluding).iter().flatten() {
        if by_digest.contains_key(node.digest.as_str()) {
            faults.push(Fault::new("referrers", format!("no descriptor of {name}"), format!("unexpected: {name}")));
        }
    }
    let (wanted, whole) = match is_said_to_be_filtered(seen) {
        true => (expected.filtered.as_ref(), None),
        false => (None, nodes(&expected.unfiltered)),
    };
    faults.extend(wanted.and_then(|wanted| others_than(wanted, entries)));
    for (name, _) in whole.iter().flatten().filter(|(_, node)| !by_digest.contains_key(node.digest.as_str())) {
        let expected = format!("a descriptor of {name}, where nothing says that it was filtered");
        faults.push(Fault::new("referrers", expected, format!("missing: {name}")));
    }
    faults
}

/// v1.1.1 L632: a registry that filtered says so, and one that says so has filtered.
fn is_said_to_be_filtered(seen: &Observation) -> bool {
    let applied = seen.response.header("oci-filters-applied").unwrap_or_default();
    applied.split(',').any(|filter| filter.trim() == "artifactType")
}

/// What a list that is said to be filtered has beside the artifactType.
fn others_than(wanted: &str, entries: &[Value]) -> Option<Fault> {
    let others = entries.iter().filter(|entry| entry.get("artifactType").and_then(Value::as_str) != Some(wanted));
    let others = others.count();
    let expected = format!("only the artifactType {wanted}, where OCI-Filters-Applied says so");
    (others > 0).then(|| Fault::new("referrers", expected, format!("{others} of another artifactType")))
}

/// v1.1.1 L583-586: size, type, artifactType and annotations as the manifest has them.
fn descriptor(name: &str, node: &Node, entry: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut wrong = |what: &str, expected: String, got: &str| {
        faults.push(Fault::new("referrers", format!("{what} {expected} of {name}"), format!("{got} {what} of {name}")));
    };
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("mediaType") != node.media_type {
        wrong("mediaType", node.media_type.clone(), "another");
    }
    if entry.get("size").and_then(Value::as_u64) != Some(node.size) {
        wrong("size", node.size.to_string(), "another");
    }
    match (&node.artifact_type, text("artifactType")) {
        (None, "") => {}
        (None, _) => wrong("artifactType", "none".into(), "an"),
        (Some(expected), "") => wrong("artifactType", expected.clone(), "no"),
        (Some(expected), came) if came != expected => wrong("artifactType", expected.clone(), "another"),
        _ => {}
    }
    for (key, value) in &node.annotations {
        let came = entry.get("annotations").and_then(|all| all.get(key)).and_then(Value::as_str);
        if came != Some(value) {
            wrong("annotation", key.clone(), if came.is_some() { "another" } else { "no" });
        }
    }
    faults
}
