//! Shards of one run's cases, judged apart, become one record again.

use std::collections::{BTreeMap, BTreeSet};

use crate::suite::requirement::Level;

use super::{CaseRecord, RunRecord, answers, totals};

/// Every part of a run holds the profile's claims against what it found: these cases are in all of them.
const CLAIMS: &str = "stance/claims/";

/// Why records are not shards of one whole.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShards {
    /// None were given.
    #[error("no results were given")]
    None,
    /// They differ in something that shards share.
    #[error("not shards of one run: {what} is {one} in the first and {other} in another; render them one by one")]
    Differ {
        /// What differs: `target`, `spec`, ...
        what: &'static str,
        /// Its value in the first record.
        one: String,
        /// Its value in another.
        other: String,
    },
    /// A case stands in two of them.
    #[error("case {0} stands in more than one of them: overlapping shards, or the same results twice")]
    Twice(String),
}

/// Joins records of the same target, suites and edition. One record is returned as it is.
///
/// # Errors
/// What contradicts that they are shards of one whole.
pub fn join(mut records: Vec<RunRecord>) -> Result<RunRecord, NotShards> {
    if records.len() == 1 {
        return records.pop().ok_or(NotShards::None);
    }
    records.sort_by_key(|record| shard(record).map(|(k, _)| k));
    let mut rest = records.into_iter();
    let mut whole = rest.next().ok_or(NotShards::None)?;
    let mut shards: Vec<Option<(u32, u32)>> = vec![shard(&whole)];
    let mut parts: Vec<Vec<CaseRecord>> = vec![std::mem::take(&mut whole.cases)];
    for mut record in rest {
        parts.push(std::mem::take(&mut record.cases));
        same("target", &whole.target.name, &record.target.name)?;
        same("the suites' digest", &whole.lacuna.suites, &record.lacuna.suites)?;
        same("spec", &format!("{:?}", whole.spec), &format!("{:?}", record.spec))?;
        same("level", &format!("{:?}", whole.selection.level), &format!("{:?}", record.selection.level))?;
        shards.push(shard(&record));
        if whole.seed != record.seed {
            let of = record.selection.shard.as_deref().unwrap_or("another part");
            whole.notes.push(format!("seed {} is the first part's; that of {of} is {}", whole.seed, record.seed));
        }
        for (format, found) in &record.stance {
            if whole.stance.get(format).is_some_and(|w| w.found.is != found.found.is) {
                whole.notes.push(format!("the stance for {format} differs between the parts"));
            }
        }
        absorb(&mut whole, record);
    }
    whole.cases = in_order(parts);
    let mut seen = BTreeSet::new();
    if let Some(twice) = whole.cases.iter().find(|case| !seen.insert(case.id.as_str())) {
        return Err(NotShards::Twice(twice.id.clone()));
    }
    for missing in missing(&shards) {
        whole.notes.push(format!("shard {missing} is not among the results"));
        whole.complete = false;
    }
    whole.selection.shard = None;
    whole.notes.dedup();
    whole.totals = totals(&whole.cases);
    let level = whole.selection.level.unwrap_or(Level::Must);
    whole.answers = answers::answers(&whole.cases, level, &whole.requirements, &whole.stance);
    Ok(whole)
}

fn absorb(whole: &mut RunRecord, part: RunRecord) {
    // RFC 3339 in UTC orders as text.
    whole.started = whole.started.clone().min(part.started);
    whole.finished = whole.finished.clone().max(part.finished);
    whole.requirements.extend(part.requirements);
    whole.rounds.extend(part.rounds);
    whole.windows.read = whole.windows.read.max(part.windows.read);
    whole.windows.delete = whole.windows.delete.max(part.windows.delete);
    whole.clean_up.created = whole.clean_up.created.saturating_add(part.clean_up.created);
    whole.clean_up.removed = whole.clean_up.removed.saturating_add(part.clean_up.removed);
    whole.clean_up.left.extend(part.clean_up.left);
    whole.clean_up.discarded &= part.clean_up.discarded;
    whole.notes.extend(part.notes);
    whole.paused = whole.paused.take().or(part.paused);
    whole.complete &= part.complete;
}

/// Claims first, the worst of what the parts found; then a case of each part in turn, as a plan is cut into shards.
fn in_order(mut parts: Vec<Vec<CaseRecord>>) -> Vec<CaseRecord> {
    let mut claims: Vec<CaseRecord> = Vec::new();
    for part in &mut parts {
        for claim in part.extract_if(.., |case| case.id.starts_with(CLAIMS)) {
            match claims.iter_mut().find(|known| known.id == claim.id) {
                Some(known) if known.verdict < claim.verdict => *known = claim,
                Some(_) => {}
                None => claims.push(claim),
            }
        }
    }
    let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
    let longest = parts.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
    let rounds = (0..longest).flat_map(|_| parts.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>());
    claims.into_iter().chain(rounds).collect()
}

fn same(what: &'static str, one: &str, other: &str) -> Result<(), NotShards> {
    if one == other { Ok(()) } else { Err(NotShards::Differ { what, one: one.into(), other: other.into() }) }
}

fn shard(record: &RunRecord) -> Option<(u32, u32)> {
    let (k, n) = record.selection.shard.as_deref()?.split_once('/')?;
    Some((k.parse().ok()?, n.parse().ok()?))
}

/// The shards that none of the records is, `K/N`.
fn missing(shards: &[Option<(u32, u32)>]) -> Vec<String> {
    let mut by_count: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (k, n) in shards.iter().flatten() {
        by_count.entry(*n).or_default().insert(*k);
    }
    // A record may come from anywhere: a count without sense names no million shards.
    by_count
        .into_iter()
        .flat_map(|(n, have)| (1..=n.min(1000)).filter(move |k| !have.contains(k)).map(move |k| format!("{k}/{n}")))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn part(k: &str, seed: &str, target: &str) -> RunRecord {
        let json = serde_json::json!({
            "schema": 1, "lacuna": {"version": "0", "suites": "s"}, "target": {"name": target, "url": "http://h"},
            "spec": "1.1", "seed": seed, "selection": {"filters": [], "shard": k, "repeat": 1},
            "started": format!("2026-01-0{}T00:00:00Z", &k[..1]), "finished": "2026-01-09T00:00:00Z", "stance": {},
            "capabilities": {}, "answers": [], "rounds": [], "windows": {"read": 0.0, "delete": 0.0},
            "clean-up": {"created": 1, "removed": 1, "left": []}, "cases": [], "totals": {}, "requirements": {},
            "notes": [], "complete": true
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn parts_become_a_whole_that_says_what_is_not_there() {
        let whole = join(vec![part("3/3", "b", "t"), part("1/3", "a", "t")]).unwrap();
        assert_eq!((whole.seed.as_str(), whole.started.as_str()), ("a", "2026-01-01T00:00:00Z"));
        assert_eq!(whole.clean_up.created, 2);
        assert!(!whole.complete, "shard 2 is missing");
        assert!(whole.notes.iter().any(|note| note.contains("shard 2/3")), "{:?}", whole.notes);
        assert!(whole.notes.iter().any(|note| note.contains("3/3 is b")), "{:?}", whole.notes);
    }

    #[test]
    fn what_is_no_part_of_it_is_refused() {
        assert_eq!(join(Vec::new()), Err(NotShards::None));
        let other = join(vec![part("1/2", "a", "t"), part("2/2", "a", "u")]);
        assert!(matches!(other, Err(NotShards::Differ { what: "target", .. })), "{other:?}");
        let one = part("1/2", "a", "t");
        assert_eq!(join(vec![one.clone()]), Ok(one), "one record is what it is");
    }
}
