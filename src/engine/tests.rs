//! The engine on the reference registry, and on scripted ones that misbehave.

#![allow(clippy::unwrap_used)]

mod crooked;
mod hostile;
mod parts;
mod straight;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value, json};

use super::expect::testing::Script;
use super::*;
use crate::content::graph::{Format, Graph};
use crate::suite::SuiteSource;
use crate::suite::model::{Action, CaseInstance, Needs, Source, Step};
use crate::suite::side::Side;
use crate::wire::Client;

fn source(line: usize) -> Source {
    Source { file: "t.yaml".into(), line, column: 1 }
}

fn expectations(value: &Value) -> Vec<Expectation> {
    let map: BTreeMap<String, _> = serde_json::from_value(value.clone()).unwrap();
    map.into_iter().map(|(requirement, assertion)| Expectation { requirement, assertion, source: source(9) }).collect()
}

/// A step as it is written: the action's keys and the common ones together.
fn step(line: usize, value: &Value) -> Step {
    let (name, keys) = value.as_object().unwrap().iter().next().unwrap();
    let mut keys = keys.as_object().unwrap().clone();
    let mut take = |key: &str| keys.remove(key);
    let expect = take("expect").map(|value| expectations(&value)).unwrap_or_default();
    let repository = take("in").map_or("main".into(), |value| value.as_str().unwrap().to_owned());
    let accept = take("accept").map(|value| serde_json::from_value(value).unwrap());
    let headers: BTreeMap<String, String> =
        take("headers").map(|v| serde_json::from_value(v).unwrap()).unwrap_or_default();
    let as_name = take("as").map(|value| value.as_str().unwrap().to_owned());
    let action: Action = serde_json::from_value(json!({ name: keys })).unwrap();
    let headers = headers.into_iter().collect();
    Step {
        action,
        repository,
        at: Side::Main,
        accept,
        headers,
        name: as_name,
        expect,
        during: None,
        source: source(line),
    }
}

/// A case over four images and an index over them.
fn case(id: &str, steps: Value) -> Arc<CaseInstance> {
    let graph: Graph = serde_json::from_value(json!({
        "blobs": { "layer": { "size": 5000 }, "sha": { "size": 100, "algorithm": "sha512" } },
        "images": {
            "amd64": { "platform": "linux/amd64" }, "arm64": { "platform": "linux/arm64" },
            "ppc64le": { "platform": "linux/ppc64le" }
        },
        "indexes": { "index": { "manifests": ["amd64", "ppc64le", "arm64"] }, "wide": { "absent": 40 } }
    }))
    .unwrap();
    Arc::new(CaseInstance {
        id: id.into(),
        title: id.into(),
        source: source(1),
        needs: Needs::default(),
        fixture: Arc::new(graph),
        format: Format::Oci,
        steps: steps.as_array().unwrap().iter().enumerate().map(|(n, value)| step(n + 2, value).into()).collect(),
        caught_by: Vec::new(),
        alone: false,
    })
}

/// The shipped bundles, and the levels of the shipped requirements (others are musts).
fn law() -> (Bundles, Levels) {
    static LIBRARY: LazyLock<crate::suite::Library> =
        LazyLock::new(|| crate::suite::load(&SuiteSource::Shipped).unwrap());
    let levels = |id: &str| LIBRARY.requirements.get(id).map_or(Level::Must, |r| r.level_1_1);
    (LIBRARY.bundles.clone(), Arc::new(levels))
}

fn options(levels: Levels) -> Options {
    Options::new("t", 1, levels)
}

/// Runs cases with the shipped bundles and these changes to the options.
async fn run_with(client: &Client, cases: Vec<Arc<CaseInstance>>, change: impl FnOnce(&mut Options)) -> Vec<Outcome> {
    let (bundles, levels) = law();
    let mut options = options(levels);
    change(&mut options);
    run(cases, &bundles, &mut client.clone(), &Journal::unwritten(), &options, |_| {}, Stop::never()).await.outcomes
}

/// `requirement key: got`, a line each.
fn said(outcome: &Outcome) -> Vec<String> {
    outcome.mismatches.iter().map(|m| format!("{} {}: {}", m.requirement, m.key, m.got)).collect()
}

/// `METHOD path`, as the case sent them; without repositories, digests and sessions as `..`.
fn sent(outcome: &Outcome) -> Vec<String> {
    outcome
        .exchanges
        .iter()
        .map(|e| {
            let path = e.exchange.request.url.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
            let path = path.split("sha256:").map(|part| part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
            let path = path.collect::<Vec<_>>().join("..");
            let (_, rest) = path.split_once("lacuna/t/").unwrap_or(("", &path));
            let (_, rest) = rest.split_once('/').unwrap_or(("", rest));
            let rest = match rest.split_once("blobs/uploads/") {
                Some((_, session)) if !session.is_empty() => "blobs/uploads/..",
                _ => rest,
            };
            format!("{} {rest}", e.exchange.request.method)
        })
        .collect()
}
