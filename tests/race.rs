//! What a race leaves in the reports, and what it sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use lacuna::engine::Stop;
use lacuna::plan::Filter;
use lacuna::record::RunRecord;
use lacuna::reference::Config;
use lacuna::report::{self, progress::Progress};
use lacuna::run::{self, Request};
use lacuna::suite::SuiteSource;
use lacuna::suite::requirement::{Level, Spec};
use lacuna::target::argument::TargetSpec;
use lacuna::verdict::Verdict;

const CASE: &str = "race/tag/two-pushes/oci/full";

fn run(out: &Path, defect: &'static str, variation: Option<&'static str>) -> RunRecord {
    let config = Config {
        defects: [defect].into_iter().filter(|name| !name.is_empty()).collect(),
        variations: variation.into_iter().collect(),
        ..Config::default()
    };
    let request = Request {
        library: lacuna::suite::load(&SuiteSource::Shipped).unwrap(),
        elsewhere: Vec::new(),
        target: TargetSpec::reference(config),
        filters: vec![Filter::parse(CASE).unwrap()],
        out: out.to_owned(),
        jobs: None,
        seed: 7,
        spec: Spec::V1_1,
        level: Level::Must,
        known: Vec::new(),
        shard: None,
        repeat: 1,
        keep: true,
        fail_fast: false,
        pause: run::Pause::default(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let recorded = runtime.block_on(run::run(&request, &Stop::never(), &|cases| Progress::new(cases, false, false)));
    recorded.unwrap().record
}

#[test]
fn a_failure_shows_the_interleaving_that_was_seen() {
    let out = tempfile::tempdir().unwrap();
    let record = run(out.path(), "race-tag-unmoved", None);
    let case = record.cases.iter().find(|case| case.id == CASE).unwrap();
    assert_eq!(case.verdict, Verdict::Fail);
    let mismatch = case.mismatches.iter().find(|m| m.requirement == "race.tag").unwrap();
    let shown = mismatch.diff.as_deref().unwrap();
    assert!(shown.contains("interleaving seen") && shown.contains("PUT manifests/t0"), "{shown}");
    let lanes: Vec<_> = case.exchanges.iter().filter_map(|exchange| exchange.lane.as_ref()).collect();
    let names: BTreeSet<&str> = lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["left", "other"]));
    assert!(lanes.iter().all(|lane| lane.begin >= 0.0 && lane.end >= lane.begin));
    assert!(lanes.windows(2).all(|pair| pair[0].begin <= pair[1].begin), "in the order of their begin");
    let texts = [
        String::from_utf8(report::junit::render(&record).unwrap()).unwrap(),
        report::html::render(&record),
        report::console::render(&record, &report::console::View::default()),
        serde_json::to_string(&record).unwrap(),
    ];
    assert!(texts.iter().all(|text| text.contains("interleaving seen")));
}

#[test]
fn what_the_lanes_send_follows_from_the_seed() {
    let sent = || {
        let out = tempfile::tempdir().unwrap();
        let record = run(out.path(), "race-tag-unmoved", None);
        let case = record.cases.into_iter().find(|case| case.id == CASE).unwrap();
        let mut sent: Vec<(String, Option<String>)> =
            case.exchanges.into_iter().map(|exchange| (exchange.step, exchange.request.body_file)).collect();
        sent.sort();
        sent
    };
    assert_eq!(sent(), sent());
}

#[test]
fn who_is_told_to_come_again_comes_again() {
    let out = tempfile::tempdir().unwrap();
    let record = run(out.path(), "", Some("pushes-that-meet-429"));
    assert!(record.cases.iter().filter(|case| case.id == CASE).all(|case| case.verdict == Verdict::Pass));
}
