//! What makes a comparison weaker, said before anything else.

use super::case::by_id;
use super::claims;
use crate::plan::Filter;
use crate::record::{RunRecord, counted};
use crate::report::{groups, text};
use crate::suite::requirement::Spec;

/// Sentences; none where both records came of the same question, asked to its end.
pub(super) fn cautions(old: &RunRecord, new: &RunRecord, patterns: &[Filter]) -> Vec<String> {
    let mut said = Vec::new();
    for (name, record) in [("OLD", old), ("NEW", new)] {
        if !record.complete {
            said.push(format!(
                "{name} is incomplete: the run did not come to its end, and cases that were not asked count as errors, \
                 or are not there"
            ));
        }
        if record.stance.is_empty() {
            said.push(format!("{name} has no stance: the probe did not come to its end"));
        }
        let twice = record.cases.len() - by_id(record).len();
        if twice > 0 {
            said.push(format!("{name} has {} more than ids; the worst of each id counts", counted::cases(twice)));
        }
    }
    if (&old.started, &old.finished, &old.seed) == (&new.started, &new.finished, &new.seed) {
        said.push("OLD and NEW are of one run".into());
    }
    let mut differ = |what: &str, was: String, now: String, why: &str| {
        if was != now {
            said.push(format!("{what}: {was} in OLD, {now} in NEW; {why}"));
        }
    };
    let filters = |record: &RunRecord| match record.selection.filters.as_slice() {
        [] => "none".to_owned(),
        filters => filters.join(" "),
    };
    let shard = |record: &RunRecord| record.selection.shard.clone().unwrap_or_else(|| "all".into());
    differ("lacuna", old.lacuna.version.clone(), new.lacuna.version.clone(), "it may judge differently");
    let suites = |record: &RunRecord| record.lacuna.suites.clone();
    differ("suites", suites(old), suites(new), "a case of the same id may ask something else");
    differ("spec", spec(old).into(), spec(new).into(), "levels of requirements differ");
    differ(
        "level",
        text::level(groups::level(old)).into(),
        text::level(groups::level(new)).into(),
        "what fails in one may only warn in the other",
    );
    differ("filters", filters(old), filters(new), "other cases were selected");
    differ("shard", shard(old), shard(new), "other cases were selected");
    let repeat = |record: &RunRecord| record.selection.repeat.max(1).to_string();
    differ("repeat", repeat(old), repeat(new), "of several attempts the worst counts");
    differ("seed", old.seed.clone(), new.seed.clone(), "the content is not the same; `--seed` repeats it");
    let unmatched = patterns.iter().filter(|pattern| ![old, new].into_iter().any(|record| selects(pattern, record)));
    said.extend(
        unmatched.map(|pattern| format!("`--only-in {pattern}` selects no case and no capability of OLD or NEW")),
    );
    said
}

fn selects(pattern: &Filter, record: &RunRecord) -> bool {
    record.cases.iter().any(|case| pattern.selects(&case.id))
        || record.capabilities.keys().any(|name| pattern.selects(&claims::id(name)))
}

fn spec(record: &RunRecord) -> &'static str {
    match record.spec {
        Spec::V1_1 => "1.1",
        Spec::Dev => "dev",
    }
}
