#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::report::paint::Painter;
use crate::target::findings::Is;

/// A record of these cases: id, verdict, reason or what came.
fn record(stance: &str, cases: &[(&str, &str, &str)]) -> RunRecord {
    let cases: Vec<Value> = cases.iter().map(|(id, verdict, said)| case(id, verdict, said)).collect();
    let found = |is: &str| json!({"is": is, "claimed": null, "evidence": format!("PUT -> {is}")});
    let json = json!({
        "schema": 1, "lacuna": {"version": "0", "suites": "s"}, "target": {"name": "t", "url": "http://h"},
        "spec": "1.1", "seed": "a", "selection": {"filters": [], "repeat": 1}, "started": format!("at {stance}"),
        "finished": "", "stance": {"oci": found(stance), "docker": found("accept")},
        "capabilities": {"mount": {"is": "supported", "evidence": "POST -> 201"}}, "answers": [], "rounds": [],
        "windows": {"read": 0.0, "delete": 0.0}, "clean-up": {"created": 0, "removed": 0, "left": []}, "cases": cases,
        "totals": {}, "requirements": {}, "notes": [], "complete": true
    });
    serde_json::from_value(json).unwrap()
}

fn case(id: &str, verdict: &str, said: &str) -> Value {
    let mismatch = json!({
        "requirement": "a.b", "level": if verdict == "warn" { "should" } else { "must" }, "step": "2: get index",
        "source": "", "key": "status", "expected": "status 200", "got": said, "diff": null, "late": null, "exchange": null
    });
    let failed = matches!(verdict, "fail" | "warn" | "known");
    json!({
        "id": id, "title": "", "source": "", "verdict": verdict, "reason": (!said.is_empty()).then_some(said),
        "error-kind": (verdict == "error").then_some(said), "requirements": [], "round": 0, "attempts": 1,
        "seconds": 0.0, "requests": 0, "bytes-sent": 0, "bytes-received": 0, "exchanges": [],
        "mismatches": if failed { vec![mismatch] } else { vec![] }
    })
}

fn diff(old: &[(&str, &str, &str)], new: &[(&str, &str, &str)], only_in: &[&str]) -> Diff {
    let only: Vec<Filter> = only_in.iter().map(|text| Filter::parse(text).unwrap()).collect();
    compare(&record("refuse", old), &record("accept", new), &only)
}

#[test]
fn every_pair_of_verdicts_has_its_word() {
    use Kind::{Asked, Changed, Fix, NotAsked, Regression, Stronger, Weaker};
    let verdicts = ["pass", "warn", "skip", "known", "fixed", "fail", "error"];
    let table = [
        [None, Some(Weaker), Some(NotAsked), Some(Weaker), Some(Changed), Some(Regression), Some(Regression)],
        [Some(Stronger), None, Some(NotAsked), Some(Weaker), Some(Changed), Some(Regression), Some(Regression)],
        [Some(Asked), Some(Asked), None, Some(Asked), Some(Asked), Some(Regression), Some(Regression)],
        [Some(Fix), Some(Fix), Some(NotAsked), None, Some(Fix), Some(Regression), Some(Regression)],
        [Some(Changed), Some(Changed), Some(NotAsked), Some(Weaker), None, Some(Regression), Some(Regression)],
        [Some(Fix), Some(Fix), Some(NotAsked), Some(Changed), Some(Fix), None, Some(Changed)],
        [Some(Fix), Some(Fix), Some(NotAsked), Some(Changed), Some(Fix), Some(Changed), None],
    ];
    for (was, row) in verdicts.iter().zip(table) {
        for (now, kind) in verdicts.iter().zip(row) {
            let diff = diff(&[("a/b/c", was, "said")], &[("a/b/c", now, "said")], &[]);
            let found = diff.cases.first().map(|change| change.kind);
            assert_eq!(found, kind, "{was} -> {now}");
            assert_eq!(diff.fails(), kind == Some(Regression), "{was} -> {now}");
            assert_eq!(diff.same, u64::from(kind.is_none()));
        }
    }
}

#[test]
fn other_answers_of_what_fails_in_both_are_told_and_are_no_regression() {
    for verdict in ["fail", "known", "warn", "error"] {
        let diff = diff(&[("a/b/c", verdict, "status 500")], &[("a/b/c", verdict, "status 400")], &[]);
        assert_eq!(diff.cases.first().map(|change| change.kind), Some(Kind::Changed), "{verdict}");
        assert!(!diff.fails());
    }
    let diff = diff(&[("a/b/c", "fail", "status 500")], &[("a/b/c", "fail", "status 400")], &[]);
    let answer = &diff.cases[0].answers[0];
    assert_eq!((answer.was.as_deref(), answer.now.as_deref()), (Some("status 500"), Some("status 400")));
    assert!(render(&diff, Painter(false)).contains("was status 500; now status 400"));
}

#[test]
fn a_stance_is_told_in_words_and_a_broken_one_is_worse() {
    let found = compare(&record("refuse", &[]), &record("accept", &[]), &[]);
    assert!(!found.fails());
    assert!(render(&found, Painter(false)).contains("oci: was refuse; now accept"));
    let found = compare(&record("refuse", &[]), &record("broken", &[]), &[]);
    assert!(found.fails() && found.stance[0].what == Found::Broke);
    let mut other = record("refuse", &[]);
    other.capabilities.values_mut().for_each(|found| found.is = Is::Absent);
    assert!(!compare(&record("refuse", &[]), &other, &[]).fails(), "an absent capability is lawful");
    other.capabilities.values_mut().for_each(|found| found.is = Is::Broken);
    assert!(compare(&record("refuse", &[]), &other, &[]).fails());
    let mut other = record("refuse", &[]);
    other.stance.values_mut().for_each(|stance| stance.found.evidence += " DENIED");
    let found = compare(&record("refuse", &[]), &other, &[]);
    assert!(found.stance.iter().all(|stance| stance.what == Found::Answers) && found.stance.len() == 2);
}

#[test]
fn outside_of_the_patterns_only_the_stance_excuses() {
    let refuse = "oci stance is refuse: PUT -> 400";
    for (was, now, patterns, places, fails) in [
        (("a/b/c", "skip", refuse), ("a/b/c", "pass", ""), ["x"].as_slice(), Place::Excused, false),
        (("a/b/c", "skip", refuse), ("a/b/c", "known", "so it is"), &["x"], Place::Excused, false),
        (("a/b/c", "skip", refuse), ("a/b/c", "fail", "status 500"), &["x"], Place::Outside, true),
        (("a/b/c", "fail", "status 1"), ("a/b/c", "skip", "oci scope is registry: .."), &["x"], Place::Excused, false),
        // The stance for docker is what it was.
        (("a/b/c", "skip", "docker stance is refuse: "), ("a/b/c", "pass", ""), &["x"], Place::Outside, true),
        (("a/b/c", "skip", "mount is absent: "), ("a/b/c", "pass", ""), &["x"], Place::Outside, true),
        (("a/b/c", "pass", ""), ("a/b/c", "warn", "status 1"), &["x"], Place::Outside, true),
        (("a/b/c", "fail", "status 1"), ("a/b/c", "pass", ""), &["x"], Place::Outside, true),
        (("a/b/c", "fail", "status 1"), ("a/b/c", "pass", ""), &["x", "a"], Place::Within, false),
        (("a/b/c", "pass", ""), ("a/b/c", "fail", "status 1"), &["a/*/c"], Place::Within, true),
        (("a/b/c", "skip", "oci"), ("a/b/c", "pass", ""), &["x"], Place::Outside, true),
    ] {
        let diff = diff(&[was], &[now], patterns);
        assert_eq!((diff.cases[0].place, diff.fails()), (Some(places), fails), "{was:?} -> {now:?}");
    }
    let new = diff(&[], &[("a/b/c", "pass", "")], &["x"]);
    assert!(new.fails() && new.only_in.is_some_and(|only| only.outside == 1));
}

#[test]
fn a_capability_outside_fails_unless_it_is_named_or_is_about_sparse_content() {
    for (name, pattern, fails) in [
        ("mount", "sparse/**", true),
        ("mount", "stance/claims/mount", false),
        ("mount", "stance", false),
        ("sparse-image", "x", false),
    ] {
        let mut sides = ["absent", "supported"].map(|is| {
            let mut side = record("refuse", &[("a/b/c", "pass", "")]);
            let finding = serde_json::from_value(json!({"is": is, "evidence": ""})).unwrap();
            side.capabilities = [(name.to_owned(), finding)].into();
            side
        });
        sides[0].cases = record("refuse", &[("a/b/c", "skip", &format!("{name} is absent: .."))]).cases;
        let diff = compare(&sides[0], &sides[1], &[Filter::parse(pattern).unwrap()]);
        assert_eq!(diff.fails(), fails, "{name} {pattern}: {diff:?}");
    }
}

#[test]
fn what_weakens_a_comparison_is_said_first() {
    let one = record("refuse", &[("a/b/c", "pass", "")]);
    let other = |change: &dyn Fn(&mut RunRecord)| {
        let mut other = record("accept", &[("a/b/c", "pass", "")]);
        change(&mut other);
        compare(&one, &other, &[]).cautions
    };
    assert_eq!(other(&|_| ()), Vec::<String>::new());
    type Change = fn(&mut RunRecord);
    let changes: [(Change, &str); 9] = [
        (|r| r.complete = false, "NEW is incomplete"),
        (|r| r.seed = "b".into(), "seed: a in OLD, b in NEW"),
        (|r| r.spec = Spec::Dev, "spec: 1.1 in OLD, dev in NEW"),
        (|r| r.lacuna.suites = "x".into(), "suites: s in OLD, x in NEW"),
        (|r| r.selection.filters = vec!["a/**".into()], "filters: none in OLD, a/** in NEW"),
        (|r| r.selection.level = Some(Level::May), "level: must in OLD, may in NEW"),
        (|r| r.selection.shard = Some("1/2".into()), "shard: all in OLD, 1/2 in NEW"),
        (|r| r.stance.clear(), "NEW has no stance"),
        (|r| r.cases.extend(r.cases.clone()), "NEW has 1 case more than ids"),
    ];
    for (change, said) in changes {
        let cautions = other(&change);
        assert!(cautions.len() == 1 && cautions[0].contains(said), "{said}: {cautions:?}");
    }
    assert!(compare(&one, &one, &[Filter::parse("z").unwrap()]).cautions.len() == 2);
}

#[test]
fn claims_are_told_as_claims() {
    let id = "stance/claims/mount";
    let claim = |word: &str| format!("claimed `{word}` and is found `{word}`: POST -> 201");
    let (absent, supported) = (claim("absent"), claim("supported"));
    let changed = diff(&[(id, "pass", &absent)], &[(id, "pass", &supported)], &[]);
    assert_eq!((changed.cases.len(), changed.claims.len()), (0, 1));
    assert!(render(&changed, Painter(false)).contains("claim  mount: was absent; now supported"));
    let gone = diff(&[(id, "pass", &absent)], &[], &["x"]);
    assert_eq!((gone.cases.len(), gone.claims[0].now.as_deref(), gone.fails()), (0, None, false));
    let mut declares = record("refuse", &[]);
    let finding = serde_json::from_value(json!({"is": "supported", "evidence": "as the profile claims"})).unwrap();
    declares.capabilities.insert("gc.untagged".into(), finding);
    let declared = compare(&record("refuse", &[]), &declares, &[Filter::parse("x").unwrap()]);
    assert_eq!((declared.capabilities.len(), declared.claims.len(), declared.fails()), (0, 1, false));
    let contradicted =
        diff(&[(id, "pass", &absent)], &[(id, "fail", "claimed `absent` but is found `supported`")], &[]);
    assert!(contradicted.fails());
}

#[test]
fn a_thousand_changes_are_no_flood_and_nothing_moves_a_cursor() {
    let ids: Vec<String> = (0..2000).map(|n| format!("a{}/b{}/c\u{1b}[31m{n}", n % 7, n % 11)).collect();
    let side = |verdict| ids.iter().map(|id| (id.as_str(), verdict, "status\u{1b}]0;x\u{7}\u{202e}\n1")).collect();
    let (old, new): (Vec<_>, Vec<_>) = (side("pass"), side("fail"));
    let text = render(&diff(&old, &new, &[]), Painter(false));
    assert!(text.lines().count() < 200, "{}", text.lines().count());
    assert!(text.contains("and 57 more groups with "), "{text}");
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
    assert!(json(&diff(&old, &new, &[])).matches("\"regression\"").count() > 2000, "JSON has all of them");
}

#[test]
fn what_is_seen_in_some_runs_only_is_no_difference_unless_it_fails_otherwise() {
    let told = |was: &str, now: &str| {
        let (mut old, new) = (record("accept", &[("a/b/c", was, "x")]), record("accept", &[("a/b/c", now, "y")]));
        old.cases[0].sometimes = true;
        compare(&old, &new, &[]).cases.first().map(|change| change.kind)
    };
    assert_eq!(told("pass", "known"), None);
    assert_eq!(told("known", "pass"), None);
    assert_eq!(told("known", "known"), None);
    assert_eq!(told("known", "fail"), Some(Kind::Regression));
}
