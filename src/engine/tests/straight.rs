//! On the reference registry: what is sent, what is found, what is left.

use super::*;
use crate::reference::{Config, Running, Stance, start};
use crate::wire::Settings;

async fn reference(config: Config) -> (Running, Client) {
    let running = start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = Client::new(Settings::new(&running.url)).unwrap();
    (running, client)
}

fn refusing() -> Config {
    Config { stance: Stance::Refuse, ..Config::default() }
}

fn sparse() -> Value {
    json!([
        { "push": { "images": ["amd64"] } },
        { "put": { "manifest": "index", "expect": { "index.accept.taken": { "status": 201, "location": "resolves" } } } },
        { "settled": { "manifest": "index" } },
        { "pull": { "graphs": ["index"] } },
        { "absent": { "graphs": ["index"] } },
        { "tags": { "follow": true, "expect": { "tags.complete": { "status": 200, "tags": { "exactly": ["latest"] } } } } },
    ])
}

#[tokio::test]
async fn a_sparse_index_is_pushed_pulled_and_its_gaps_are_asked_for() {
    let (_running, client) = reference(Config::default()).await;
    let outcomes = run_with(&client, vec![case("a/b/c", sparse())], |_| {}).await;
    let outcome = &outcomes[0];
    assert_eq!((said(outcome), &outcome.error), (vec![], &None));
    let sent = sent(outcome);
    let count = |text: &str| sent.iter().filter(|line| line.starts_with(text)).count();
    // Config and layer of amd64; amd64 itself and the index.
    assert_eq!((count("POST blobs/uploads/"), count("PUT blobs/uploads/"), count("PUT manifests/")), (2, 2, 2));
    // Absent are two manifests, their configs and layers: each by GET and HEAD.
    let absent: Vec<_> = outcome.exchanges.iter().filter(|e| e.step == 4).collect();
    assert_eq!(absent.len(), 12);
    assert!(absent.iter().all(|e| e.exchange.status() == Some(404)));
    for requirement in ["blob.get.absent", "index.accept.kept", "manifest.get.bytes", "tags.complete", "upload.created"]
    {
        assert!(outcome.observed.iter().any(|r| r == requirement), "{requirement}: {:?}", outcome.observed);
    }
    assert!(
        outcome.seconds > 0.0 && outcome.requests >= 20 && outcome.bytes_sent > 1000 && outcome.bytes_received > 1000
    );
}

#[tokio::test]
async fn a_refusal_is_held_to_its_word() {
    let (_running, client) = reference(refusing()).await;
    let steps = json!([
        { "push": { "images": ["amd64"] } },
        { "put": { "manifest": "amd64", "expect": { "r": { "status": 201 } } } },
        { "put": { "manifest": "index", "expect": { "r": { "status": "4xx", "code": "MANIFEST_BLOB_UNKNOWN" },
            "d": { "detail": "absent-children" } } } },
        { "settled": { "manifest": "index" } },
        { "get": { "tag": "latest", "expect": { "r": { "status": 200, "body": "amd64" } } } },
    ]);
    let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
    assert_eq!((said(&outcomes[0]), &outcomes[0].error), (vec![], &None));
    let labels: Vec<&str> = outcomes[0].exchanges.iter().filter(|e| e.step == 3).map(|e| e.label.as_str()).collect();
    assert_eq!(labels, ["get index by digest", "head index by digest", "get amd64 by tag latest"]);
}

#[tokio::test]
async fn a_write_that_breaks_a_must_ends_the_case_and_one_below_does_not() {
    let (_running, client) = reference(refusing()).await;
    let put =
        |requirement: &str| json!({ "put": { "manifest": "index", "expect": { requirement: { "status": 201 } } } });
    let get = json!({ "get": { "manifest": "index", "expect": { "s": { "status": 200 } } } });
    let cases =
        vec![case("must/b/c", json!([put("must"), get])), case("may/b/c", json!([put("index.refuse.detail"), get]))];
    let outcomes = run_with(&client, cases, |_| {}).await;
    assert_eq!(said(&outcomes[0]), ["must status: status 400"]);
    assert_eq!(said(&outcomes[1]), ["index.refuse.detail status: status 400", "s status: status 404"]);
    assert!(outcomes.iter().all(|o| o.error.is_none()));
}

#[tokio::test]
async fn a_mismatch_says_where_it_stands_and_shows_the_difference() {
    let (_running, client) = reference(Config::default()).await;
    let steps = json!([
        { "push": { "images": ["amd64", "arm64"] } },
        { "put": { "manifest": "amd64", "tag": "v1", "expect": { "r": { "status": 201 } } } },
        { "get": { "manifest": "arm64", "tag": "v1", "expect": { "r": { "status": 200, "body": "self" } } } },
    ]);
    let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
    let mismatch = &outcomes[0].mismatches[0];
    assert_eq!((mismatch.step, mismatch.label.as_str(), mismatch.source.line), (2, "get arm64 by tag v1", 9));
    assert_eq!((mismatch.expected.as_str(), mismatch.got.as_str()), ("the bytes of self", "other bytes"));
    assert!(mismatch.diff.as_ref().unwrap().contains("--- expected\n+++ got"), "{:?}", mismatch.diff);
    let exchange = &outcomes[0].exchanges[mismatch.exchange.unwrap()];
    assert_eq!((exchange.step, exchange.exchange.status()), (2, Some(200)));
}

#[tokio::test]
async fn the_same_traffic_alone_as_among_others() {
    let (_running, client) = reference(Config::default()).await;
    let all: Vec<_> = (0..12).map(|n| case(&format!("a/b/c{n}"), sparse())).collect();
    let among = run_with(&client, all.clone(), |_| {}).await;
    let (_running, client) = reference(Config::default()).await;
    let alone = run_with(&client, vec![all[5].clone()], |_| {}).await;
    assert_eq!(sent(&among[5]), sent(&alone[0]));
    let ids: Vec<&str> = among.iter().map(|o| o.id.as_str()).collect();
    assert_eq!(ids, all.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), "the order of the cases");
}

#[tokio::test]
async fn everything_created_is_journaled_first_and_removed_after() {
    let (_running, client) = reference(Config::default()).await;
    let (bundles, levels) = law();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let header = journal::Header { run: "t".into(), seed: "1".into(), target: "x".into(), lacuna: "0".into() };
    let cases = || vec![case("a/b/c", sparse())];
    let journal = Journal::create(&path, &header).unwrap();
    run(cases(), &bundles, &mut client.clone(), &journal, &options(levels.clone()), |_| {}, Stop::never()).await;
    let tally = journal.tally();
    // Two blobs, two manifests, a tag.
    assert_eq!((tally.created, tally.removed, tally.left), (5, 5, vec![]));
    assert_eq!(journal::read(&path).unwrap().things, []);
    drop(journal);
    let journal = Journal::create(&path, &header).unwrap();
    let keep = Options { removal: None, ..options(levels) };
    run(cases(), &bundles, &mut client.clone(), &journal, &keep, |_| {}, Stop::never()).await;
    assert_eq!(journal::read(&path).unwrap().things.len(), 5);
    let done = clean(&client, &path, &Default::default(), Duration::from_secs(5)).await.unwrap();
    assert_eq!((done.created, done.removed, done.left), (5, 5, vec![]));
    assert_eq!(journal::read(&path).unwrap().things, []);
}

#[tokio::test]
async fn blobs_are_uploaded_in_every_way_and_mounted() {
    let (_running, client) = reference(Config::default()).await;
    let expect = json!({ "r": { "status": 201, "location": "resolves" } });
    let read = |node: &str, place: &str| {
        json!({ "blob": { "of": node, "in": place, "expect": { "r": { "status": 200,
        "body": "self", "hashes": true } } } })
    };
    let steps = json!([
        { "upload": { "blob": "layer", "how": "post", "in": "one", "expect": expect } },
        read("layer", "one"),
        { "upload": { "blob": "layer", "how": "chunked", "chunk": 1024, "in": "two", "expect": expect } },
        read("layer", "two"),
        { "mount": { "blob": "layer", "from": "two", "in": "three", "expect": expect } },
        read("layer", "three"),
        { "upload": { "blob": "sha", "how": "post-put", "in": "one", "expect": expect } },
        read("sha", "one"),
        { "upload": { "blob": "layer", "how": "post-put", "claim": "sha", "in": "four",
            "expect": { "r": { "status": "4xx", "code": "DIGEST_INVALID" } } } },
        { "blob": { "of": "layer", "in": "four", "expect": { "r": { "status": 404 } } } },
        { "blob": { "of": "layer", "in": "one", "range": "bytes=10-19", "expect": { "r": { "status": 206, "body": "range",
            "content-range": true } } } },
    ]);
    let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
    assert_eq!((said(&outcomes[0]), &outcomes[0].error), (vec![], &None));
    let chunks = sent(&outcomes[0]).iter().filter(|line| line.starts_with("PATCH")).count();
    assert_eq!(chunks, 5);
}

#[tokio::test]
async fn what_was_deleted_is_asked_for_again() {
    let (_running, client) = reference(Config::default()).await;
    let deleted = json!({ "r": { "status": 202 } });
    let steps = json!([
        { "push": { "graphs": ["index"] } },
        { "put": { "manifest": "index", "tags": ["a", "b", "c"], "expect": { "r": { "status": 201 } } } },
        { "tags": { "n": 1, "follow": true, "delete-between": "b", "expect": { "r": { "status": 200,
            "tags": { "exactly": ["a", "c"], "at-most": 1 } } } } },
        { "delete": { "manifest": "ppc64le", "expect": deleted } },
        { "absent": { "graphs": ["index"] } },
        { "delete": { "manifest": "index", "expect": deleted } },
        { "pull": { "graphs": ["index"] } },
        { "absent": { "manifests": ["index"] } },
        { "get": { "tag": "a", "expect": { "r": { "status": 404 } } } },
    ]);
    let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
    assert_eq!((said(&outcomes[0]), &outcomes[0].error), (vec![], &None));
    let labels = |step: usize| -> Vec<&str> {
        outcomes[0].exchanges.iter().filter(|e| e.step == step).map(|e| e.label.as_str()).collect()
    };
    assert_eq!(labels(4), ["get ppc64le by digest", "head ppc64le by digest"]);
    assert!(labels(6).contains(&"pull amd64/layer-0") && !labels(6).iter().any(|l| l.contains("ppc64le")));
}

#[tokio::test]
async fn placeholders_stand_for_nodes() {
    let (_running, client) = reference(Config::default()).await;
    let steps = json!([
        { "push": { "images": ["amd64"] } },
        { "get": { "manifest": "amd64", "accept": ["text/plain, {type:self};q=0.5"], "as": "got",
            "expect": { "r": { "status": 200, "headers": { "Content-Type": "{type:amd64}" } } } } },
        { "head": { "reference": "{digest:amd64}", "manifest": "amd64", "expect": { "r": { "status": 200, "same-as": "got" } } } },
        { "raw": { "method": "GET", "path": "/v2/{repo}/manifests/{digest:amd64}", "headers": { "Accept": "{type:self}" },
            "expect": { "r": { "status": 200, "body": "self", "hashes": true } } } },
        { "raw": { "method": "PUT", "path": "/v2/{repo}/manifests/v9", "bytes-of": "amd64", "headers": { "Content-Type": "{type:self}" },
            "expect": { "r": { "status": 201 } } } },
        { "get": { "tag": "v9", "expect": { "r": { "status": 200, "body": "self" } } } },
    ]);
    let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
    assert_eq!((said(&outcomes[0]), &outcomes[0].error), (vec![], &None));
}

#[tokio::test]
async fn of_many_that_nobody_has_a_sample_is_asked_for() {
    let (_running, client) = reference(Config::default()).await;
    let steps = json!([
        { "put": { "manifest": "wide", "expect": { "r": { "status": 201 } } } },
        { "absent": { "graphs": ["wide"] } },
    ]);
    let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
    assert_eq!((said(&outcomes[0]), &outcomes[0].error), (vec![], &None));
    assert_eq!(outcomes[0].exchanges.iter().filter(|e| e.step == 1).count(), 32);
}

#[tokio::test]
async fn a_pool_is_used_in_turn() {
    let (_running, client) = reference(Config::default()).await;
    let outcomes = run_with(&client, (0..6).map(|n| case(&format!("a/b/c{n}"), sparse())).collect(), |options| {
        options.repositories.pool = vec!["p/one".into(), "p/two".into()];
    })
    .await;
    for outcome in &outcomes {
        assert_eq!((said(outcome), &outcome.error), (vec![], &None));
        let urls = outcome.exchanges.iter().map(|e| e.exchange.request.url.as_str());
        assert!(urls.into_iter().all(|url| url.contains("/v2/p/")));
    }
}

#[tokio::test]
async fn a_case_that_cannot_be_run_says_why() {
    let (_running, client) = reference(Config::default()).await;
    let table = [
        (json!([{ "pull": { "images": ["amd64"] } }]), "step 1: there is nothing to pull"),
        (json!([{ "settled": { "manifest": "index" } }]), "step 1: index was never put"),
        (json!([{ "get": { "manifest": "nope" } }]), "step 1: the fixture has no node \"nope\""),
        (json!([{ "delete": {} }]), "step 1: delete names neither"),
        (json!([{ "wait": { "time": "1ms" } }, { "wait": { "time": "soon" } }]), "step 2: `soon` is no duration"),
    ];
    for (steps, text) in table {
        let outcomes = run_with(&client, vec![case("a/b/c", steps)], |_| {}).await;
        let error = outcomes[0].error.as_ref().unwrap();
        assert!(error.text.starts_with(text) && error.kind.is_none(), "{error:?}");
    }
}
