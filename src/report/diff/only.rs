//! The promise that a switch changed nothing else: which changes it covers, and which it excuses.
//!
//! - A case is within where a pattern selects it. A capability is within where a pattern selects `stance/claims/NAME`,
//!   the id under which it is claimed; `sparse-image` always is: what it says is about sparse content.
//! - A change of stance is what the switch is for: it is always within.
//! - A case elsewhere that is skipped in one record and not in the other is excused where the reason of its skip is the
//!   stance of a format, or a capability within, and that did change. That it fails now is never excused.
//! - Everything else is outside: also a case that is new or has vanished, of which nobody can say that it did not change.

use super::{CapabilityChange, CaseChange, Kind, OnlyIn, Place, claims, found};
use crate::plan::Filter;
use crate::record::RunRecord;

/// The capability that is about sparse content itself.
const SPARSE: &str = "sparse-image";

/// Between which records a stance or a capability may have moved.
pub(super) struct Moved<'a> {
    /// The old record.
    pub old: &'a RunRecord,
    /// The new record.
    pub new: &'a RunRecord,
}

/// Says of each change where it stands, and counts.
pub(super) fn place(
    patterns: &[Filter],
    cases: &mut [CaseChange],
    capabilities: &mut [CapabilityChange],
    moved: &Moved<'_>,
) -> OnlyIn {
    let selected = |id: &str| patterns.iter().any(|pattern| pattern.selects(id));
    let within = |name: &str| name == SPARSE || selected(&claims::id(name));
    for change in capabilities.iter_mut() {
        change.place = Some(if within(&change.name) { Place::Within } else { Place::Outside });
    }
    for change in cases.iter_mut() {
        change.place = Some(if selected(&change.id) {
            Place::Within
        } else if skip(change).is_some_and(|reason| moved.excuses(reason, &within)) {
            Place::Excused
        } else {
            Place::Outside
        });
    }
    let places = cases.iter().map(|change| change.place).chain(capabilities.iter().map(|change| change.place));
    let places: Vec<Place> = places.flatten().collect();
    let count = |place| places.iter().filter(|p| **p == place).count() as u64;
    OnlyIn {
        patterns: patterns.iter().map(ToString::to_string).collect(),
        outside: count(Place::Outside),
        within: count(Place::Within),
        excused: count(Place::Excused),
    }
}

/// Why one record skips the case and the other does not.
fn skip(change: &CaseChange) -> Option<&str> {
    match change.kind {
        Kind::Asked => change.was_reason.as_deref(),
        Kind::NotAsked => change.now_reason.as_deref(),
        _ => None,
    }
}

impl Moved<'_> {
    /// The reasons are those of `plan`: `oci stance is refuse: ..`, `oci scope is registry: ..`, `sparse-image is absent: ..`.
    fn excuses(&self, reason: &str, within: &impl Fn(&str) -> bool) -> bool {
        let mut words = reason.split([' ', ':']);
        let (Some(subject), Some(what)) = (words.next(), words.next()) else { return false };
        if matches!(what, "stance" | "scope") {
            let stances = self.old.stance.get(subject).zip(self.new.stance.get(subject));
            return stances.is_some_and(|(was, now)| found::moved(was, now));
        }
        let capabilities = self.old.capabilities.get(subject).zip(self.new.capabilities.get(subject));
        within(subject) && capabilities.is_some_and(|(was, now)| was.is != now.is)
    }
}
