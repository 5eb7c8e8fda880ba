//! Clean-up on the reference registry.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::engine::expect::testing::{Served, serve};
use crate::engine::journal::Header;

fn thing(kind: Kind, reference: &str) -> Thing {
    Thing { kind, repository: "a/b".into(), reference: reference.into() }
}

/// Answers every DELETE by a table of (end of the path, how often refused, status of the refusal).
async fn refusing(table: &'static [(&'static str, u32, u16)]) -> Served {
    let counts = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeMap::<String, u32>::new()));
    serve(move |method, path, _| {
        let found = table.iter().find(|(end, ..)| path.ends_with(end));
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(format!("{method} {path}")).or_default();
        *count += 1;
        match (method, found) {
            ("DELETE", Some((_, times, status))) if *count <= *times => (*status, Vec::new(), Vec::new()),
            ("DELETE", _) => (202, Vec::new(), Vec::new()),
            ("HEAD", Some((_, _, 405))) => (404, Vec::new(), Vec::new()),
            _ => (200, Vec::new(), Vec::new()),
        }
    })
    .await
}

#[tokio::test]
async fn parents_go_before_children_and_blobs_last() {
    let served = refusing(&[]).await;
    let journal = Journal::unwritten();
    let things = [
        thing(Kind::Blob, "sha256:b"),
        thing(Kind::Manifest, "sha256:child"),
        thing(Kind::Manifest, "sha256:parent"),
        thing(Kind::Tag, "v1"),
    ];
    remove(&served.client, &journal, &things, Removal::ALL, Duration::from_secs(5)).await;
    let asked: Vec<String> = served.seen().into_iter().map(|line| line.replace("/v2/a/b/", "")).collect();
    assert_eq!(
        asked,
        [
            "DELETE manifests/v1",
            "DELETE manifests/sha256:parent",
            "DELETE manifests/sha256:child",
            "DELETE blobs/sha256:b"
        ]
    );
    assert_eq!(journal.tally(), CleanUp { removed: 4, ..CleanUp::default() });
}

#[tokio::test]
async fn what_is_refused_is_tried_again_while_anything_else_goes() {
    let served = refusing(&[("parent", 2, 409), ("child", 1, 405), ("stuck", 99, 403)]).await;
    let journal = Journal::unwritten();
    let things = ["parent", "child", "other", "stuck"].map(|name| thing(Kind::Manifest, name));
    things.iter().for_each(|thing| journal.created(thing).unwrap());
    remove(&served.client, &journal, &things, Removal::ALL, Duration::from_secs(5)).await;
    assert_eq!(journal.tally().removed, 3);
    assert_eq!(journal.tally().left, ["1 manifest (one in a/b): DELETE was answered with status 403"]);
}

#[tokio::test]
async fn a_tag_that_cannot_be_deleted_goes_with_its_manifest() {
    let served = refusing(&[("gone", 99, 405), ("stays", 99, 400)]).await;
    let things = [thing(Kind::Tag, "gone"), thing(Kind::Tag, "stays")];
    for can in [Removal::ALL, Removal { tags: false, ..Removal::ALL }] {
        let journal = Journal::unwritten();
        remove(&served.client, &journal, &things, can, Duration::from_secs(5)).await;
        assert_eq!(journal.tally().removed, 1);
        assert_eq!(journal.tally().left.len(), 1);
    }
}

#[tokio::test]
async fn what_the_registry_does_not_delete_is_not_tried() {
    let served = refusing(&[]).await;
    let journal = Journal::unwritten();
    let things = [thing(Kind::Blob, "b1"), thing(Kind::Blob, "b2"), thing(Kind::Manifest, "m")];
    things.iter().for_each(|thing| journal.created(thing).unwrap());
    let can = Removal { tags: true, manifests: true, blobs: false };
    remove(&served.client, &journal, &things, can, Duration::from_secs(5)).await;
    assert_eq!(served.seen(), ["DELETE /v2/a/b/manifests/m"]);
    assert_eq!(journal.tally().left, ["2 blobs (one in a/b): the registry does not delete such things"]);
}

#[tokio::test]
async fn a_target_that_is_gone_is_not_waited_for() {
    let served = refusing(&[]).await;
    let client = served.client.clone();
    drop(served);
    let journal = Journal::unwritten();
    let things: Vec<Thing> = (0..50).map(|n| thing(Kind::Tag, &n.to_string())).collect();
    remove(&client, &journal, &things, Removal::ALL, Duration::from_secs(5)).await;
    assert_eq!(journal.tally().removed, 0);
    assert!(
        journal.tally().left.first().unwrap().starts_with("50 tags (one in a/b): no answer"),
        "{:?}",
        journal.tally()
    );
}

#[tokio::test]
async fn a_journal_is_cleaned_and_says_so() {
    let served = refusing(&[("stuck", 99, 403)]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let header = Header { run: "r".into(), seed: "0".into(), target: "t".into(), lacuna: "0".into() };
    let journal = Journal::create(&path, &header).unwrap();
    for reference in ["v1", "v2", "stuck"] {
        journal.creating(&thing(Kind::Tag, reference)).unwrap();
    }
    let pool = Repositories { pool: vec!["a/b".into()], ..Repositories::default() };
    journal.created(&thing(Kind::Tag, "stuck")).unwrap();
    let done = clean(&served.client, &path, &pool, Duration::from_secs(5)).await.unwrap();
    assert_eq!((done.created, done.removed, done.left.len()), (3, 2, 1));
    assert_eq!(journal::read(&path).unwrap().things, [thing(Kind::Tag, "stuck")]);
}

#[tokio::test]
async fn what_was_refused_when_it_was_created_is_gone() {
    // A malformed tag is refused by every method, and a blob that nobody sent is not there.
    let served = serve(|method, path, _| match (method, path) {
        (_, path) if path.ends_with("bad") => (400, Vec::new(), Vec::new()),
        ("HEAD", path) if path.ends_with("there") => (200, Vec::new(), Vec::new()),
        ("HEAD", _) => (404, Vec::new(), Vec::new()),
        _ => (405, Vec::new(), Vec::new()),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let header = Header { run: "r".into(), seed: "0".into(), target: "t".into(), lacuna: "0".into() };
    let journal = Journal::create(&path, &header).unwrap();
    for (kind, reference) in [(Kind::Tag, "bad"), (Kind::Blob, "sha256:none"), (Kind::Manifest, "sha256:there")] {
        journal.creating(&thing(kind, reference)).unwrap();
    }
    let acknowledged = thing(Kind::Tag, "acknowledged-bad");
    journal.creating(&acknowledged).unwrap();
    journal.created(&acknowledged).unwrap();
    let pool = Repositories { pool: vec!["a/b".into()], ..Repositories::default() };
    let done = clean(&served.client, &path, &pool, Duration::from_secs(5)).await.unwrap();
    assert_eq!(
        done.left,
        [
            "1 tag (one in a/b): DELETE was answered with status 400",
            "1 manifest (one in a/b): it was never acknowledged; DELETE was answered with status 405, \
             HEAD was answered with status 200"
        ]
    );
    assert_eq!(journal::read(&path).unwrap().things.len(), 2, "the others are not asked for again");
}

#[tokio::test]
async fn no_reference_leads_out_of_its_repository() {
    let served = refusing(&[]).await;
    let things = [thing(Kind::Tag, "../../../c/manifests/v1"), thing(Kind::Tag, "%2e%2e/x")];
    remove(&served.client, &Journal::unwritten(), &things, Removal::ALL, Duration::from_secs(5)).await;
    let mut seen = served.seen();
    seen.sort();
    assert_eq!(
        seen,
        ["DELETE /v2/a/b/manifests/%252e%252e%2Fx", "DELETE /v2/a/b/manifests/..%2F..%2F..%2Fc%2Fmanifests%2Fv1"]
    );
}
