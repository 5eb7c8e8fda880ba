//! What the profiles claim, which each run records as cases that nobody wrote.

use std::collections::{BTreeMap, BTreeSet};

use super::ClaimChange;
use crate::record::RunRecord;
use crate::target::claims::is;
use crate::target::findings::{Is, is_declared};

/// Before a claim's name in its case's id.
const CLAIMS: &str = "stance/claims/";

/// Whether this is the id of a claim.
pub(super) fn is_claim(id: &str) -> bool {
    id.starts_with(CLAIMS)
}

/// The id under which a capability is claimed: by it, patterns select capabilities.
pub(super) fn id(name: &str) -> String {
    format!("{CLAIMS}{name}")
}

/// Claims that differ, by name.
pub(super) fn changes(old: &RunRecord, new: &RunRecord) -> Vec<ClaimChange> {
    let (was, now) = (claims(old), claims(new));
    let names: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
    let changes = names.into_iter().map(|name| ClaimChange {
        name: name.clone(),
        was: was.get(name).cloned(),
        now: now.get(name).cloned(),
    });
    changes.filter(|change| change.was != change.now).collect()
}

/// What is claimed, by name: from the reason, `` claimed `absent` and is found ..``; of stances there is a field for it.
fn claims(record: &RunRecord) -> BTreeMap<String, String> {
    let stances = record.stance.iter().filter_map(|(format, stance)| Some((format.clone(), stance.claimed.clone()?)));
    // No request shows these: where they are not absent, the profile says so.
    let declared = record.capabilities.iter().filter(|(name, found)| is_declared(name) && found.is != Is::Absent);
    let declared = declared.map(|(name, found)| (name.clone(), is(found.is).to_owned()));
    let mut claims: BTreeMap<String, String> = stances.chain(declared).collect();
    for case in &record.cases {
        let quoted = case.reason.as_deref().and_then(|reason| reason.strip_prefix("claimed `")?.split_once('`'));
        if let (Some(name), Some((claimed, _))) = (case.id.strip_prefix(CLAIMS), quoted) {
            claims.entry(name.to_owned()).or_insert_with(|| claimed.to_owned());
        }
    }
    claims
}
