//! The table, line by line.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::engine::outcome::{Mismatch, NotAsked, Outcome};
use crate::record::ALL;
use crate::suite::assertion::OneOrMany;
use crate::suite::model::Source;
use crate::suite::requirement::{Basis, Level, Requirement, Spec};
use crate::target::profile::Known;
use crate::wire::FailureKind;

const ID: &str = "sparse/push/some/oci/tag";

fn requirements() -> BTreeMap<String, Requirement> {
    let requirement = |id: &str, level_1_1, level_dev| Requirement {
        id: id.to_owned(),
        level_1_1,
        level_dev,
        basis: Basis::Spec,
        source: String::new(),
        text: String::new(),
        question: 1,
        statuses: None,
        unobservable: None,
    };
    [
        requirement("must", Level::Must, Level::Must),
        requirement("should", Level::Should, Level::Should),
        requirement("may", Level::May, Level::May),
        requirement("dev", Level::Should, Level::Must),
    ]
    .into_iter()
    .map(|requirement| (requirement.id.clone(), requirement))
    .collect()
}

fn mismatch(requirement: &str, got: &str) -> Mismatch {
    Mismatch {
        requirement: requirement.to_owned(),
        step: 0,
        label: "get index by tag".into(),
        key: "status".into(),
        expected: "status 200".into(),
        got: got.to_owned(),
        diff: None,
        source: Source { file: Arc::from("suites/x.yaml"), line: 1, column: 1 },
        exchange: None,
        late: None,
    }
}

fn late(requirement: &str) -> Mismatch {
    Mismatch { late: Some(0.25), ..mismatch(requirement, "status 404") }
}

fn error(kind: Option<FailureKind>) -> NotAsked {
    NotAsked { kind, text: "step 3: connection refused".into() }
}

fn outcome(mismatches: Vec<Mismatch>, error: Option<NotAsked>) -> Outcome {
    Outcome {
        round: 0,
        id: ID.to_owned(),
        mismatches,
        observed: vec!["must".into()],
        error,
        answered: true,
        exchanges: Vec::new(),
        usage: Vec::new(),
        seconds: 0.0,
        requests: 0,
        bytes_sent: 0,
        bytes_received: 0,
    }
}

/// Those of the entries.
const REQUIREMENTS: [&str; 4] = ["must", "should", "may", "r"];

fn known(cases: &str, requirement: &str, got: &str) -> Known {
    Known {
        cases: OneOrMany::One(cases.to_owned()),
        requirement: requirement.to_owned(),
        got: got.to_owned(),
        reason: format!("because of {requirement}"),
        source: "link".into(),
        versions: None,
        sometimes: false,
    }
}

fn loaded(known: Vec<Known>) -> KnownFailures {
    KnownFailures::new(known, None, [ID], [], REQUIREMENTS).expect("no mistakes")
}

fn judged_by(outcome: &Outcome, known: Vec<Known>, level: Level, spec: Spec) -> Judged {
    judge(outcome, &Law { requirements: &requirements(), spec, level, known: &loaded(known) })
}

fn verdict(mismatches: Vec<Mismatch>, error: Option<NotAsked>, known: Vec<Known>) -> Verdict {
    judged_by(&outcome(mismatches, error), known, Level::Must, Spec::V1_1).verdict
}

#[test]
fn levels_decide_between_warning_and_failure() {
    use Verdict::{Fail, Pass, Warn};
    for (broken, at_must, at_should, at_may) in [
        (vec![], Pass, Pass, Pass),
        (vec!["may"], Warn, Warn, Fail),
        (vec!["should"], Warn, Fail, Fail),
        (vec!["should", "may"], Warn, Fail, Fail),
        (vec!["must"], Fail, Fail, Fail),
        (vec!["may", "must"], Fail, Fail, Fail),
        (vec!["dev"], Warn, Fail, Fail),
        (vec!["not-in-the-list"], Fail, Fail, Fail),
    ] {
        let outcome = outcome(broken.iter().map(|r| mismatch(r, "status 500")).collect(), None);
        for (level, expected) in [(Level::Must, at_must), (Level::Should, at_should), (Level::May, at_may)] {
            assert_eq!(judged_by(&outcome, vec![], level, Spec::V1_1).verdict, expected, "{broken:?} at {level:?}");
        }
    }
    let dev = outcome(vec![mismatch("dev", "x"), mismatch("may", "y")], None);
    let judged = judged_by(&dev, vec![], Level::Must, Spec::Dev);
    assert_eq!((judged.verdict, judged.levels), (Fail, vec![Level::Must, Level::May]));
}

#[test]
fn late_within_a_window_is_a_warning_at_every_level() {
    for level in [Level::Must, Level::Should, Level::May] {
        let judged = judged_by(&outcome(vec![late("must")], None), vec![], level, Spec::V1_1);
        assert_eq!(judged.verdict, Verdict::Warn);
        let reason = judged.reason.unwrap();
        assert_eq!(reason, "must: expected status 200, got status 404 (right after 0.250 s)");
    }
    assert_eq!(verdict(vec![late("must"), mismatch("must", "x")], None, vec![]), Verdict::Fail);
}

#[test]
fn what_could_not_be_asked_is_an_error_and_excuses_no_answer() {
    use Verdict::{Error, Fail};
    let refused = || Some(error(Some(FailureKind::Connect)));
    assert_eq!(verdict(vec![], refused(), vec![]), Error);
    assert_eq!(verdict(vec![mismatch("should", "x")], refused(), vec![]), Error);
    assert_eq!(verdict(vec![late("must")], refused(), vec![]), Error);
    assert_eq!(verdict(vec![mismatch("must", "x")], refused(), vec![]), Fail);
    // Known so far, and nobody knows the rest; nothing is fixed that was not asked.
    assert_eq!(verdict(vec![mismatch("must", "x")], refused(), vec![known(ID, "must", "x")]), Error);
    assert_eq!(verdict(vec![], refused(), vec![known(ID, "must", "x")]), Error);

    let judged = judged_by(&outcome(vec![], refused()), vec![], Level::Must, Spec::V1_1);
    assert_eq!(judged.error_kind.as_deref(), Some("connect"));
    assert_eq!(judged.reason.as_deref(), Some("step 3: connection refused"));
    let judged = judged_by(&outcome(vec![], Some(error(None))), vec![], Level::Must, Spec::V1_1);
    assert_eq!(judged.error_kind.as_deref(), Some("not-run"));

    let both = outcome(vec![mismatch("must", "x"), mismatch("must", "y")], refused());
    let judged = judged_by(&both, vec![], Level::Must, Spec::V1_1);
    let expected = "must: expected status 200, got x (and 1 more); then step 3: connection refused";
    assert_eq!((judged.reason.as_deref(), judged.error_kind), (Some(expected), None));
}

#[test]
fn what_observed_nothing_has_not_passed() {
    let judged = judged_by(&Outcome { observed: vec![], ..outcome(vec![], None) }, vec![], Level::Must, Spec::V1_1);
    assert_eq!((judged.verdict, judged.error_kind.as_deref()), (Verdict::Error, Some("unobserved")));
}

#[test]
fn a_failure_is_known_only_where_every_failing_mismatch_is_recorded() {
    use Verdict::{Fail, Fixed, Pass, Warn};
    let x = || mismatch("must", "x");
    let entry = || vec![known(ID, "must", "x")];
    let verdict = |mismatches, known| verdict(mismatches, None, known);
    assert_eq!(verdict(vec![x()], entry()), Verdict::Known);
    assert_eq!(verdict(vec![x(), x()], entry()), Verdict::Known);
    assert_eq!(verdict(vec![x(), mismatch("should", "y")], entry()), Verdict::Known, "a warning needs no record");
    assert_eq!(verdict(vec![x(), mismatch("must", "y")], entry()), Fail);
    assert_eq!(verdict(vec![x(), mismatch("other", "x")], entry()), Fail);
    assert_eq!(verdict(vec![mismatch("must", "x ")], entry()), Fail, "exactly");
    let two = || vec![known(ID, "must", "x"), known(ID, "must", "y")];
    assert_eq!(verdict(vec![x(), mismatch("must", "y")], two()), Verdict::Known);
    assert_eq!(verdict(vec![x()], two()), Verdict::Known, "one of two is seen still");
    assert_eq!(verdict(vec![], two()), Fixed);
    assert_eq!(verdict(vec![], vec![]), Pass);

    assert_eq!(verdict(vec![], entry()), Fixed);
    assert_eq!(verdict(vec![mismatch("may", "y")], entry()), Fixed, "a warning of another kind");
    let sometimes = || vec![Known { sometimes: true, ..entry().remove(0) }];
    assert_eq!(verdict(vec![], sometimes()), Pass, "what is seen now and then is not fixed by a run without it");
    assert_eq!(verdict(vec![], [sometimes(), entry()].concat()), Fixed);
    assert_eq!(verdict(vec![mismatch("must", "another")], sometimes()), Fail);
    assert_eq!(verdict(vec![Mismatch { late: Some(1.0), ..x() }], entry()), Warn, "seen, only late");
    let below = vec![known(ID, "should", "y")];
    assert_eq!(verdict(vec![mismatch("should", "y")], below.clone()), Warn, "seen, but below the level");
    let outcome = outcome(vec![mismatch("should", "y")], None);
    assert_eq!(judged_by(&outcome, below, Level::Should, Spec::V1_1).verdict, Verdict::Known);

    let judged = judged_by(&self::outcome(vec![x()], None), two(), Level::Must, Spec::V1_1);
    assert_eq!(judged.reason.as_deref(), Some("because of must"));
    let judged = judged_by(&self::outcome(vec![], None), entry(), Level::Must, Spec::V1_1);
    assert!(judged.reason.unwrap().starts_with("recorded as failing, and passes"));
}

#[test]
fn stars_in_known_stand_for_parameters_only() {
    let ids = ["sparse/push/some/oci/tag", "sparse/push/some/docker/digest", "sparse/push/none", "tags/order/all/1.2"];
    let covers = |cases: &str| -> Vec<&str> {
        let all = KnownFailures::new([known(cases, "must", "x")], None, ids, [], REQUIREMENTS).expect(cases);
        ids.into_iter().filter(|id| all.covering(id).next().is_some()).collect()
    };
    assert_eq!(covers("sparse/push/some/oci/tag"), ids[..1]);
    assert_eq!(covers("sparse/push/some/*"), ids[..2]);
    assert_eq!(covers("sparse/push/some/**"), ids[..2]);
    assert_eq!(covers("sparse/push/some/*/digest"), ids[1..2]);
    assert_eq!(covers("sparse/push/some/d*/*"), ids[1..2]);
    assert_eq!(covers("sparse/push/none"), ids[2..3]);
    let refused = |cases: &str| {
        KnownFailures::new([known(cases, "must", "x")], None, ids, [], REQUIREMENTS).unwrap_err().join("\n")
    };
    for cases in
        ["*", "**", "sparse/*/some/oci/tag", "spar*/push/some/*", "sparse/push/*", "sparse/push/so*/*", "sparse/push"]
    {
        assert!(refused(cases).contains("write out area, topic and name"), "{cases}: {}", refused(cases));
    }
    assert!(refused("sparse/push/some/[o]").contains("is in no id"));
    assert_eq!(
        refused("sparse/push/some"),
        "known failure `sparse/push/some`: it covers no case of the library; its parameters match none of the case's; end it with `/*` for all of them"
    );
    assert_eq!(
        refused("sparse/push/sume/*"),
        "known failure `sparse/push/sume/*`: it covers no case of the library; did you mean `sparse/push/some`?"
    );
    // Of the user's own suites: what speaks of a shipped case is no mistake, and excuses nothing.
    let own = |cases: &str| {
        KnownFailures::new([known(cases, "no.such", "x")], None, ids, ["late/tags/gone/oci"], REQUIREMENTS)
    };
    assert!(own("late/tags/gone/*").is_ok_and(|all| all.covering("late/tags/gone/oci").next().is_none()));
    assert!(own("late/tags/come/*").is_err());

    let mistyped =
        KnownFailures::new([known("sparse/push/none", "shoud", "x")], None, ids, [], REQUIREMENTS).unwrap_err();
    assert_eq!(mistyped, ["known failure `sparse/push/none`: `shoud` is no requirement; did you mean `should`?"]);
    let both =
        KnownFailures::new([known("a/b/c", "r", "x"), known("*", "r", "x")], None, ids, [], REQUIREMENTS).unwrap_err();
    assert_eq!(both.len(), 2, "all of them at once");

    let several = |cases: &[&str]| {
        let cases = OneOrMany::Many(cases.iter().map(|&text| text.to_owned()).collect());
        KnownFailures::new([Known { cases, ..known("", "must", "x") }], None, ids, [], REQUIREMENTS)
    };
    let of_all = several(&["sparse/push/none", "sparse/push/some/*/tag"]).expect("no mistake");
    assert_eq!(ids.map(|id| of_all.covering(id).count()), [1, 0, 1, 0]);
    assert_eq!(several(&["sparse/push/none", "a/b/c", "*"]).unwrap_err().len(), 2, "each that covers nothing");
    assert_eq!(several(&[]).unwrap_err(), ["a known failure of `must` names no case"]);
}

#[test]
fn versions_of_the_product() {
    let excuses = |versions: &str, product: Option<&str>| {
        let known = Known { versions: Some(versions.to_owned()), ..known(ID, "must", "x") };
        KnownFailures::new([known], product, [ID], [], REQUIREMENTS).expect("no mistake").covering(ID).next().is_some()
    };
    for (versions, product, expected) in [
        ("2.8.*", Some("distribution 2.8.2"), true),
        ("2.8.*", Some("distribution v2.8.2"), true),
        ("v2.8.*", Some("distribution 2.8.2"), true),
        ("2.8.*", Some("distribution 2.80.2"), false),
        ("2.8.*", Some("distribution 3.1.1"), false),
        ("2.8.*", Some("distribution"), false),
        ("2.8.*", Some("distribution 2.8.2 (patched)"), true),
        ("*", Some("olareg 0.1"), true),
        ("*", Some("olareg"), false),
        ("2.8.*", None, false),
    ] {
        assert_eq!(excuses(versions, product), expected, "{versions} of {product:?}");
    }
    // Of another version, it excuses nothing, and is not fixed either.
    let other = Known { versions: Some("1.*".into()), ..known(ID, "must", "x") };
    let other = KnownFailures::new([other], Some("registry 2.0"), [ID], [], REQUIREMENTS).unwrap();
    let law = Law { requirements: &requirements(), spec: Spec::V1_1, level: Level::Must, known: &other };
    assert_eq!(judge(&outcome(vec![], None), &law).verdict, Verdict::Pass);
    assert_eq!(judge(&outcome(vec![mismatch("must", "x")], None), &law).verdict, Verdict::Fail);
}

#[test]
fn of_several_attempts_the_worst_counts() {
    use Verdict::{Error, Fail, Fixed, Known, Pass, Skip, Warn};
    let worst_of = |verdicts: &[Verdict]| {
        let attempts: Vec<Judged> = verdicts
            .iter()
            .map(|&verdict| Judged { verdict, reason: None, error_kind: None, sources: vec![], levels: vec![] })
            .collect();
        worst(&attempts)
    };
    assert_eq!(worst_of(&[]), None);
    assert_eq!(worst_of(&[Pass, Pass]), Some(0));
    assert_eq!(worst_of(&[Pass, Warn, Pass, Warn]), Some(1));
    assert_eq!(worst_of(&[Pass, Fail, Warn]), Some(1));
    assert_eq!(worst_of(&[Fail, Error, Fail]), Some(1));
    assert_eq!(worst_of(&[Skip, Known, Warn]), Some(1));
    assert_eq!(worst_of(&[Fixed, Fixed]), Some(0));
    assert_eq!(worst_of(&[Fixed, Known, Fixed]), Some(1), "what fails now and then is not fixed");
}

#[test]
fn exit_codes_and_their_precedence() {
    let totals = |counts: &[(Verdict, u64)]| {
        let mut totals: BTreeMap<Verdict, u64> = ALL.iter().map(|verdict| (*verdict, 0)).collect();
        totals.extend(counts.iter().copied());
        totals
    };
    let code = |counts: &[(Verdict, u64)], change: fn(&mut Ending<'_>)| {
        let totals = totals(counts);
        let mut ending = Ending {
            totals: &totals,
            complete: true,
            paused: false,
            refused: false,
            untestable: false,
            mute: false,
            unwritten: false,
            signal: None,
        };
        change(&mut ending);
        exit_code(&ending)
    };
    use Verdict::{Error, Fail, Fixed, Known, Pass, Skip, Warn};
    let same: fn(&mut Ending<'_>) = |_| {};
    for (counts, expected) in [
        (vec![(Pass, 1)], 0),
        (vec![(Pass, 1), (Warn, 2), (Skip, 3), (Known, 4)], 0),
        (vec![(Known, 1)], 0),
        (vec![(Pass, 9), (Fail, 1)], 1),
        (vec![(Pass, 9), (Fixed, 1)], 1),
        (vec![(Pass, 9), (Error, 1)], 1),
        (vec![], 4),
        (vec![(Skip, 7)], 4),
        (vec![(Skip, 7), (Fail, 1)], 1),
    ] {
        assert_eq!(code(&counts, same), expected, "{counts:?}");
    }
    let mute: fn(&mut Ending<'_>) = |e| e.mute = true;
    assert_eq!(code(&[(Error, 3), (Skip, 1)], mute), 3, "no case got an answer");
    assert_eq!(code(&[(Fail, 3), (Error, 1)], mute), 3, "nor do closed connections make one");
    assert_eq!(code(&[(Error, 3)], same), 1, "some answer came");
    let untestable: fn(&mut Ending<'_>) = |e| e.untestable = true;
    assert_eq!(code(&[], untestable), 3);
    assert_eq!(code(&[(Pass, 1)], untestable), 3);
    assert_eq!(code(&[(Pass, 1)], |e| e.unwritten = true), 5);
    assert_eq!(code(&[(Fail, 1)], |e| e.unwritten = true), 5);
    assert_eq!(code(&[(Skip, 1)], |e| e.unwritten = true), 4);
    assert_eq!(code(&[], |e| (e.untestable, e.unwritten) = (true, true)), 3);
    assert_eq!(code(&[(Pass, 1)], |e| e.complete = false), 1, "what did not come to its end is not as expected");
    assert_eq!(code(&[(Pass, 1)], |e| (e.signal, e.complete) = (Some(2), false)), 130);
    assert_eq!(code(&[(Fail, 1)], |e| e.signal = Some(15)), 143);
    assert_eq!(code(&[], |e| (e.signal, e.untestable) = (Some(2), true)), 130);
    assert_eq!(code(&[], |e| (e.signal, e.refused) = (Some(2), true)), 2);
    assert_eq!(code(&[(Fail, 1)], |e| (e.refused, e.untestable, e.unwritten) = (true, true, true)), 2);
    assert_eq!(code(&[(Pass, 1)], |e| e.signal = Some(i32::MAX)), 255);
}
