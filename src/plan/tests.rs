//! Which cases run, and why others do not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::content::graph::{Format, Graph};
use crate::suite::model::{Needs, Presence, Scope, Source, StanceWord};
use crate::target::findings::{CAPABILITIES, Finding, Is, StanceFinding};

fn case(id: &str, format: Format, needs: Needs) -> CaseInstance {
    CaseInstance {
        id: id.to_owned(),
        title: String::new(),
        source: Source { file: Arc::from("suites/x.yaml"), line: 1, column: 1 },
        needs,
        fixture: Arc::new(Graph::default()),
        format,
        steps: Vec::new(),
        caught_by: Vec::new(),
        alone: false,
    }
}

fn stance(is: StanceWord) -> StanceFinding {
    StanceFinding { is, platforms: Vec::new(), scope: None, evidence: format!("evidence of {is:?}") }
}

fn require(platforms: &[&str]) -> StanceFinding {
    StanceFinding { platforms: platforms.iter().map(|p| (*p).to_owned()).collect(), ..stance(StanceWord::Require) }
}

fn findings(oci: StanceFinding) -> Findings {
    let finding = Finding { is: Is::Supported, evidence: "asked -> answered".into() };
    Findings {
        oci,
        docker: stance(StanceWord::Refuse),
        capabilities: CAPABILITIES.iter().map(|(name, _)| ((*name).to_owned(), finding.clone())).collect(),
        read_window: 0.0,
        delete_window: 0.0,
        write_seen: true,
        delete_seen: true,
        seconds: 0.0,
        requests: 0,
    }
}

fn reason(needs: &Needs, format: Format, findings: &Findings) -> Option<String> {
    let planned = plan(&[case("a/b/c", format, needs.clone())], findings, &Barriers::default(), &[], None);
    planned.into_iter().next().expect("planned").skip.map(|skip| skip.reason)
}

fn needs_stance(words: &[StanceWord]) -> Needs {
    Needs { stance: words.to_vec(), ..Needs::default() }
}

#[test]
fn stances() {
    use StanceWord::{Accept, Broken, Refuse, Require};
    let table: [(&[StanceWord], [bool; 4]); 8] = [
        // needed, and whether it runs where accept, refuse, require, broken was found
        (&[], [true, true, true, true]),
        (&[Accept], [true, false, false, true]),
        (&[Refuse], [false, true, false, false]),
        (&[Require], [false, false, true, false]),
        (&[Refuse, Require], [false, true, true, false]),
        (&[Accept, Refuse], [true, true, false, true]),
        (&[Broken], [false, false, false, true]),
        (&[Accept, Refuse, Require], [true, true, true, true]),
    ];
    for (needed, runs) in table {
        for (found, runs) in [Accept, Refuse, Require, Broken].into_iter().zip(runs) {
            let skip = reason(&needs_stance(needed), Format::Oci, &findings(stance(found)));
            assert_eq!(skip.is_none(), runs, "{needed:?} on {found:?}: {skip:?}");
        }
    }
    let accepting = findings(stance(Accept));
    assert_eq!(reason(&needs_stance(&[Refuse]), Format::Docker, &accepting), None, "each format has its own");
    let skipped =
        plan(&[case("a/b/c", Format::Docker, needs_stance(&[Accept]))], &accepting, &Barriers::default(), &[], None);
    let skip = Skip { reason: "docker stance is refuse".into(), evidence: "evidence of Refuse".into() };
    assert_eq!(skipped, [Planned { case: 0, skip: Some(skip) }]);
}

#[test]
fn platforms() {
    let required = |platform: &str| Needs { required: Some(platform.into()), ..Needs::default() };
    let optional = |platform: &str| Needs { optional: Some(platform.into()), ..Needs::default() };
    let found = findings(require(&["linux/amd64", "linux/arm/v7"]));
    for (platform, is_required, is_optional) in [
        ("linux/amd64", true, false),
        ("linux/arm/v7", true, false),
        // Not demanded by its name, and not safely left out either.
        ("linux/arm", false, false),
        ("linux/arm/v6", false, false),
        ("linux/amd64/v3", false, false),
        ("linux/arm64", false, true),
        ("windows/amd64", false, true),
    ] {
        assert_eq!(reason(&required(platform), Format::Oci, &found).is_none(), is_required, "required {platform}");
        assert_eq!(reason(&optional(platform), Format::Oci, &found).is_none(), is_optional, "optional {platform}");
    }
    for (found, is_required, is_optional) in
        [(StanceWord::Accept, false, true), (StanceWord::Refuse, true, false), (StanceWord::Broken, true, true)]
    {
        let found = findings(stance(found));
        assert_eq!(reason(&required("linux/amd64"), Format::Oci, &found).is_none(), is_required, "{found:?}");
        assert_eq!(reason(&optional("linux/amd64"), Format::Oci, &found).is_none(), is_optional, "{found:?}");
    }
    assert_eq!(reason(&required("a/b"), Format::Oci, &found).as_deref(), Some("oci stance does not require a/b"));
    let skip = reason(&optional("linux/amd64"), Format::Oci, &found);
    assert_eq!(skip.as_deref(), Some("oci stance requires linux/amd64"));
}

#[test]
fn scopes() {
    let needs = |scope| Needs { scope: Some(scope), ..needs_stance(&[StanceWord::Refuse]) };
    let found = |scope| findings(StanceFinding { scope, ..stance(StanceWord::Refuse) });
    assert_eq!(reason(&needs(Scope::Registry), Format::Oci, &found(Some(Scope::Registry))), None);
    let skip = reason(&needs(Scope::Registry), Format::Oci, &found(Some(Scope::Repository)));
    assert_eq!(skip.as_deref(), Some("oci scope is repository"));
    let skip = reason(&needs(Scope::Repository), Format::Oci, &found(None));
    assert_eq!(skip.as_deref(), Some("oci stance has no scope"));
}

#[test]
fn capabilities() {
    let needs = |name: &str, presence| Needs {
        capabilities: BTreeMap::from([(name.to_owned(), presence)]),
        ..Needs::default()
    };
    for (is, with_supported, with_absent) in
        [(Is::Supported, true, false), (Is::Absent, false, true), (Is::Broken, true, false)]
    {
        let mut found = findings(stance(StanceWord::Accept));
        found.capabilities.insert("delete.tag".into(), Finding { is, evidence: "DELETE -> 405".into() });
        let runs = |presence| reason(&needs("delete.tag", presence), Format::Oci, &found).is_none();
        assert_eq!((runs(Presence::Supported), runs(Presence::Absent)), (with_supported, with_absent), "{is:?}");
    }
    let found = findings(stance(StanceWord::Accept));
    assert_eq!(reason(&needs("unheard-of", Presence::Supported), Format::Oci, &found), None);
    assert!(reason(&needs("unheard-of", Presence::Absent), Format::Oci, &found).is_some());
}

#[test]
fn a_media_type_that_is_not_taken_is_a_skip_before_all_else() {
    let mut found = findings(stance(StanceWord::Broken));
    let absent = Finding { is: Is::Absent, evidence: "PUT -> 415".into() };
    found.capabilities.insert("media.oci".into(), absent.clone());
    let planned = plan(
        &[case("a/b/c", Format::Oci, needs_stance(&[StanceWord::Refuse]))],
        &found,
        &Barriers::default(),
        &[],
        None,
    );
    let skip = Skip { reason: "media.oci is absent".into(), evidence: "PUT -> 415".into() };
    assert_eq!(planned[0].skip, Some(skip));
    assert_eq!(reason(&Needs::default(), Format::Docker, &found), None);
    found.capabilities.insert("media.oci".into(), Finding { is: Is::Broken, ..absent });
    assert_eq!(reason(&Needs::default(), Format::Oci, &found), None);
}

const IDS: [&str; 7] = [
    "sparse/push/some-children-present/docker/tag/amd64+arm64",
    "sparse/push/some-children-present/oci/digest/none",
    "sparse/push/none-present/oci",
    "sparse/push-more/none-present/oci",
    "sparse/refuse/code",
    "pull/head/as-get/1.2",
    "tags/order/ordered",
];

fn selected(filters: &[&str], shard: Option<&str>) -> Vec<&'static str> {
    let cases: Vec<Arc<CaseInstance>> =
        IDS.iter().map(|id| Arc::new(case(id, Format::Oci, Needs::default()))).collect();
    let filters: Vec<Filter> = filters.iter().map(|text| Filter::parse(text).unwrap()).collect();
    let shard = shard.map(|text| Shard::parse(text).unwrap());
    let planned = plan(&cases, &findings(stance(StanceWord::Accept)), &Barriers::default(), &filters, shard);
    planned.iter().map(|planned| IDS[planned.case]).collect()
}

#[test]
fn filters_select_beginnings_of_whole_components() {
    assert_eq!(selected(&[], None), IDS);
    assert_eq!(selected(&["**"], None), IDS);
    assert_eq!(selected(&["*"], None), IDS);
    assert_eq!(selected(&["sparse/push"], None), IDS[..3]);
    assert_eq!(selected(&["sparse/push*"], None), IDS[..4]);
    assert_eq!(selected(&["tags", "sparse/refuse", "tags"], None), [IDS[4], IDS[6]], "in the library's order, once");
    assert_eq!(selected(&["**/oci"], None), [IDS[1], IDS[2], IDS[3]]);
    assert_eq!(selected(&["**/amd64*"], None), [IDS[0]]);
    assert!(selected(&["sparse/pus"], None).is_empty());
    for id in IDS {
        assert_eq!(selected(&[id], None), [id], "every id is a filter");
    }
}

#[test]
fn shards_are_parts_of_the_selection() {
    let all = selected(&["sparse"], None);
    let mut parts: Vec<&str> = ["1/3", "2/3", "3/3"].iter().flat_map(|k| selected(&["sparse"], Some(k))).collect();
    parts.sort_unstable();
    let mut expected = all.clone();
    expected.sort_unstable();
    assert_eq!(parts, expected);
    assert_eq!(selected(&["sparse"], Some("1/3")), [all[0], all[3]]);
    assert!(selected(&["sparse/refuse"], Some("2/2")).is_empty());
}

#[test]
fn a_filter_that_selects_nothing_says_what_may_have_been_meant() {
    let cases: Vec<CaseInstance> = IDS.iter().map(|id| case(id, Format::Oci, Needs::default())).collect();
    let line = |text: &str| unmatched(&[Filter::parse(text).unwrap()], &cases).pop().unwrap_or_default();
    assert_eq!(line("sparse/push"), "");
    assert_eq!(line("sparse/psh"), "filter `sparse/psh` selects no case; did you mean `sparse/push`?");
    assert_eq!(line("sprase/push"), "filter `sprase/push` selects no case; did you mean `sparse/push`?");
    assert_eq!(line("sprase/zebra"), "filter `sprase/zebra` selects no case; did you mean `sparse`?");
    assert_eq!(line("refuse"), "filter `refuse` selects no case; did you mean `sparse/refuse`?");
    assert_eq!(line("*/ordr"), "filter `*/ordr` selects no case; did you mean `*/order`?");
    assert_eq!(line("**/zebra"), "filter `**/zebra` selects no case");
    assert_eq!(line("sparse/refuse/code/deeper"), "filter `sparse/refuse/code/deeper` selects no case");
    let error = Filter::parse("sparse/pu?h").unwrap_err();
    assert_eq!(error, "filter \"sparse/pu?h\": '?' is in no id; only `*` and `**` are special");
    assert!(unmatched::<CaseInstance>(&[Filter::parse("a").unwrap()], &[]).len() == 1);
}
