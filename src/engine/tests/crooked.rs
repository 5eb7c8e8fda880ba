//! On scripted registries: hanging up, being busy, being late, lists without end, being told to stop.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;
use crate::engine::expect::testing::serve;
use crate::wire::FailureKind;

pub(super) fn answer(status: u16) -> Script {
    (status, Vec::new(), Vec::new())
}

pub(super) fn get(status: Value) -> Value {
    json!({ "get": { "reference": "v1", "expect": { "r": { "status": status } } } })
}

pub(super) async fn one(client: &Client, steps: Value) -> Outcome {
    run_with(client, vec![case("a/b/c", steps)], |_| {}).await.remove(0)
}

#[tokio::test]
async fn hanging_up_is_a_wrong_answer_of_a_registry_that_answers_others() {
    let served = serve(|_, path, _| answer(if path.ends_with("/v1") { 0 } else { 200 })).await;
    let outcome = one(
        &served.client,
        json!([get(json!(200)), { "get": { "reference": "v2", "expect": { "r": { "status": 200 } } } }]),
    )
    .await;
    assert_eq!((said(&outcome), &outcome.error), (vec!["r status: connection closed without an answer".into()], &None));
    assert_eq!(outcome.exchanges.len(), 2, "a read that failed does not end the case");
}

#[tokio::test]
async fn hanging_up_once_is_forgiven() {
    let count = AtomicUsize::new(0);
    let served = serve(move |_, _, _| answer(if count.fetch_add(1, SeqCst) == 0 { 0 } else { 200 })).await;
    let outcome = one(&served.client, json!([get(json!(200))])).await;
    assert_eq!((said(&outcome), &outcome.error), (vec![], &None));
    assert_eq!(outcome.requests, 2);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_wrong_answer() {
    let served = serve(|_, path, _| {
        if path.ends_with("/v1") {
            (200, vec![("Content-Length", "100".into())], b"short".to_vec())
        } else {
            answer(200)
        }
    })
    .await;
    let outcome = one(&served.client, json!([get(json!(200))])).await;
    assert_eq!((said(&outcome), &outcome.error), (vec!["r status: connection closed within the answer".into()], &None));
}

#[tokio::test]
async fn a_registry_that_hangs_up_on_everybody_was_not_asked() {
    let served = serve(|_, _, _| answer(0)).await;
    let outcome = one(&served.client, json!([get(json!(200))])).await;
    let error = outcome.error.unwrap();
    assert_eq!((error.kind, outcome.answered), (Some(FailureKind::Closed), false));
    assert!(outcome.mismatches.is_empty());
    assert!(error.text.starts_with("step 1: get v1: "), "{}", error.text);
}

#[tokio::test]
async fn silence_ends_a_case_and_what_was_wrong_before_stays() {
    let served = serve(|_, path, _| answer(if path.ends_with("/v2") { 1 } else { 500 })).await;
    let steps = json!([get(json!(200)), { "get": { "reference": "v2", "expect": { "r": { "status": 200 } } } }, get(json!(200))]);
    let outcome = one(&served.client, steps).await;
    assert_eq!(said(&outcome), ["r status: status 500"]);
    let error = outcome.error.unwrap();
    assert_eq!((error.kind, outcome.answered), (Some(FailureKind::Timeout), true));
    assert_eq!(outcome.exchanges.len(), 2);
}

#[tokio::test]
async fn a_busy_registry_is_asked_twice() {
    for (times, status, fails) in [(1, 429, false), (1, 503, false), (9, 429, true), (9, 503, true)] {
        let count = AtomicUsize::new(0);
        let served = serve(move |_, _, _| {
            let busy = count.fetch_add(1, SeqCst) < times;
            if busy { (status, vec![("Retry-After", "0".into())], Vec::new()) } else { answer(404) }
        })
        .await;
        let outcome = one(&served.client, json!([get(json!("4xx"))])).await;
        assert_eq!((said(&outcome), outcome.requests), (vec![], 2));
        match outcome.error {
            None => assert!(!fails),
            Some(error) => {
                assert!(fails && error.kind == Some(FailureKind::Unavailable) && !outcome.answered);
                assert_eq!(
                    error.text,
                    format!("step 1: get v1: status {status} twice: the registry will not answer now")
                );
            }
        }
    }
}

#[tokio::test]
async fn what_comes_late_but_within_its_window_is_said_to_be_late() {
    let (put_at, gone_at): (Mutex<Option<Instant>>, Mutex<Option<Instant>>) = Default::default();
    let served = serve(move |method, path, body| {
        let since = |at: &Mutex<Option<Instant>>| {
            at.lock().unwrap().is_some_and(|at| at.elapsed() > Duration::from_millis(150))
        };
        match method {
            "PUT" => {
                *put_at.lock().unwrap() = Some(Instant::now());
                let _ = body;
                answer(201)
            }
            "DELETE" => {
                *gone_at.lock().unwrap() = Some(Instant::now());
                answer(202)
            }
            _ if path.ends_with("/latest") && since(&put_at) && !since(&gone_at) => answer(200),
            _ => answer(404),
        }
    })
    .await;
    let steps = || {
        json!([
            { "put": { "manifest": "amd64", "expect": { "r": { "status": 201 } } } },
            { "get": { "tag": "latest", "expect": { "r": { "status": 200 } } } },
            { "wait": { "time": "300ms" } },
            { "delete": { "tag": "latest", "expect": { "r": { "status": 202 } } } },
            { "get": { "tag": "latest", "expect": { "r": { "status": 404 } } } },
        ])
    };
    let outcomes = run_with(&served.client, vec![case("a/b/c", steps())], |options| {
        options.read_window = Duration::from_secs(2);
        options.delete_window = Duration::from_secs(2);
        options.removal = None;
    })
    .await;
    assert_eq!(said(&outcomes[0]), ["r status: status 404", "r status: status 200"]);
    for mismatch in &outcomes[0].mismatches {
        assert!(mismatch.late.is_some_and(|s| (0.1..2.0).contains(&s)), "{mismatch:?}");
    }
}

#[tokio::test]
async fn a_location_that_resolves_within_the_window_is_late_and_the_push_is_not_repeated() {
    let put_at = Mutex::new(None::<(Instant, Vec<u8>)>);
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = puts.clone();
    let served = serve(move |method, _, body| {
        if method == "PUT" {
            counted.fetch_add(1, SeqCst);
            *put_at.lock().unwrap() = Some((Instant::now(), body.to_vec()));
            return (201, vec![("Location", "/v2/a/manifests/x".to_owned())], Vec::new());
        }
        match put_at.lock().unwrap().as_ref() {
            Some((at, bytes)) if at.elapsed().as_millis() > 200 => (200, Vec::new(), bytes.clone()),
            _ => answer(404),
        }
    })
    .await;
    let expect = json!({ "r": { "status": 201 }, "l": { "location": "resolves" } });
    let steps = json!([{ "put": { "manifest": "amd64", "expect": expect } }]);
    let outcomes = run_with(&served.client, vec![case("a/b/c", steps)], |options| {
        options.read_window = Duration::from_secs(2);
        options.removal = None;
    })
    .await;
    assert_eq!(outcomes[0].mismatches.len(), 1, "{:?}", said(&outcomes[0]));
    assert!(outcomes[0].mismatches[0].late.is_some(), "{:?}", said(&outcomes[0]));
    assert_eq!(puts.load(SeqCst), 1);
}

#[tokio::test]
async fn without_a_window_and_after_it_nothing_is_late() {
    let served = serve(|method, _, _| answer(if method == "PUT" { 201 } else { 404 })).await;
    let steps = || json!([{ "put": { "manifest": "amd64", "expect": { "r": { "status": 201 } } } }, get(json!(200))]);
    for window in [0, 120] {
        let outcomes = run_with(&served.client, vec![case("a/b/c", steps())], |options| {
            options.read_window = Duration::from_millis(window);
            options.removal = None;
        })
        .await;
        assert_eq!(said(&outcomes[0]), ["r status: status 404"]);
        assert_eq!(outcomes[0].mismatches[0].late, None);
    }
}

#[tokio::test]
async fn lists_without_end_are_left() {
    let step =
        json!([{ "tags": { "follow": true, "expect": { "r": { "status": 200 }, "s": { "link": "well-formed" } } } }]);
    let page = |tags: String, next: String| {
        let body = format!("{{\"name\":\"x\",\"tags\":[{tags}]}}");
        (200, vec![("Link", format!("<{next}>; rel=\"next\""))], body.into_bytes())
    };
    let served = serve(move |_, path, _| page("\"a\"".into(), path.into())).await;
    let outcome = one(&served.client, step.clone()).await;
    assert_eq!(said(&outcome), ["s link: a page that repeats earlier ones"]);
    assert_eq!(outcome.requests, 2);
    let served = serve(move |_, path, _| page(String::new(), path.into())).await;
    assert_eq!(said(&one(&served.client, step.clone()).await), ["s link: a Link that leads back"]);
    let count = AtomicUsize::new(0);
    let served = serve(move |_, _, _| {
        let n = count.fetch_add(1, SeqCst);
        page(format!("\"t{n}\""), format!("/v2/x/tags/list?last={n}"))
    })
    .await;
    let bare = json!([{ "tags": { "follow": true, "expect": { "r": { "status": 200 } } } }]);
    let outcome = one(&served.client, bare).await;
    assert_eq!(said(&outcome), ["r link: no end after 2000 pages"]);
}

#[tokio::test]
async fn a_list_that_leads_elsewhere_is_not_followed() {
    let served = serve(|_, _, _| {
        let link = "<http://127.0.0.9:9/v2/x/tags/list>; rel=\"next\"".into();
        (200, vec![("Link", link)], b"{\"name\":\"x\",\"tags\":[\"a\"]}".to_vec())
    })
    .await;
    let outcome =
        one(&served.client, json!([{ "tags": { "follow": true, "expect": { "r": { "status": 200 } } } }])).await;
    assert_eq!(outcome.requests, 1);
    assert_eq!(said(&outcome), ["r link: Link rel=\"next\" leads to another host"]);
}

#[tokio::test]
async fn an_upload_that_goes_wrong_on_its_way_is_said_and_ends_the_case() {
    let steps = || json!([{ "push": { "blobs": ["layer"] } }, get(json!(200))]);
    type ByMethod = fn(&str) -> Script;
    let table: [(ByMethod, &str); 4] = [
        (|_| answer(500), "upload.created status: status 500"),
        (|_| answer(202), "upload.created location: no Location"),
        (|_| answer(0), "upload.created status: connection closed without an answer"),
        (
            |method| match method {
                "POST" => (202, vec![("Location", "/up?x=1".into())], Vec::new()),
                _ => answer(400),
            },
            "upload.created status: status 400",
        ),
    ];
    for (script, text) in table {
        let served = serve(move |method, path, _| if path == "/v2/" { answer(200) } else { script(method) }).await;
        let outcome = one(&served.client, steps()).await;
        assert_eq!((said(&outcome), &outcome.error), (vec![text.to_owned()], &None));
        assert!(!served.seen().iter().any(|line| line.starts_with("GET") && line.ends_with("/v1")));
    }
}

#[tokio::test]
async fn a_location_is_used_as_it_was_given() {
    for (location, wanted) in [
        ("/v2/up/1", "PUT /v2/up/1?digest=sha256:"),
        ("/v2/up/1?state=a%2Fb&x=", "PUT /v2/up/1?state=a%2Fb&x=&digest=sha256:"),
        ("/v2/up/1?", "PUT /v2/up/1?digest=sha256:"),
        ("1?a=b", "PUT /v2/lacuna/t/a-b-c-"),
    ] {
        let served = serve(move |method, _, _| match method {
            "POST" => (202, vec![("Location", location.into())], Vec::new()),
            _ => (201, vec![("Location", "/v2/x".into())], Vec::new()),
        })
        .await;
        let outcome = one(&served.client, json!([{ "push": { "blobs": ["layer"] } }])).await;
        assert_eq!((said(&outcome), &outcome.error), (vec![], &None));
        assert!(served.seen().iter().any(|line| line.starts_with(wanted)), "{location}: {:?}", served.seen());
    }
}

#[tokio::test]
async fn the_first_failure_may_end_the_run() {
    let served = serve(|_, path, _| answer(if path.contains("c3") { 500 } else { 200 })).await;
    let cases: Vec<_> = (0..20).map(|n| case(&format!("a/b/c{n}"), json!([get(json!(200))]))).collect();
    let outcomes = run_with(&served.client, cases, |options| (options.jobs, options.fail_fast) = (1, true)).await;
    assert!(outcomes[..3].iter().all(|o| o.error.is_none() && o.mismatches.is_empty()));
    assert_eq!(said(&outcomes[3]), ["r status: status 500"]);
    assert!(outcomes[4..].iter().all(|o| o.error.as_ref().unwrap().text.starts_with("not started: a/b/c3 failed")));
}

#[tokio::test]
async fn who_wants_to_be_alone_is() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (n, m) = (now.clone(), most.clone());
    let served = serve(move |_, path, _| {
        let at_once = n.fetch_add(1, SeqCst) + 1;
        std::thread::sleep(Duration::from_millis(2));
        m.lock().unwrap().push((path.contains("alone"), at_once));
        n.fetch_sub(1, SeqCst);
        answer(200)
    })
    .await;
    let mut cases: Vec<_> = (0..10).map(|n| case(&format!("a/b/c{n}"), json!([get(json!(200))]))).collect();
    let alone = CaseInstance { alone: true, ..(*case("a/b/alone", json!([get(json!(200)), get(json!(200))]))).clone() };
    cases.insert(0, Arc::new(alone));
    let outcomes = run_with(&served.client, cases, |_| {}).await;
    assert_eq!(outcomes[0].id, "a/b/alone");
    let seen = most.lock().unwrap();
    let first = seen.iter().position(|(alone, _)| *alone).unwrap();
    assert_eq!(first, 10, "after all others: {seen:?}");
}

#[tokio::test]
async fn told_to_stop_it_sends_nothing_new_and_still_cleans_up() {
    let served = serve(|method, path, _| match method {
        "PUT" => answer(201),
        "DELETE" => answer(202),
        _ if path.ends_with("/slow") => answer(1),
        _ => answer(200),
    })
    .await;
    let steps = json!([
        { "put": { "manifest": "amd64", "tag": "v1", "expect": { "r": { "status": 201 } } } },
        { "wait": { "time": "60s" } },
        { "get": { "reference": "never", "expect": { "r": { "status": 200 } } } },
    ]);
    let cases: Vec<_> = (0..30).map(|n| case(&format!("a/b/c{n}"), steps.clone())).collect();
    let (bundles, levels) = law();
    let (stopper, stop) = Stop::pair();
    let journal = Journal::unwritten();
    let begun = Instant::now();
    let stopping = async {
        // However slow the machine is: each of the eight slots has put a manifest under a tag by then, and waits.
        while journal.tally().created < 16 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stopper.stop();
    };
    let (bundles, options) = (&bundles, options(levels));
    let mut client = served.client.clone();
    let (ran, ()) = tokio::join!(run(cases, bundles, &mut client, &journal, &options, |_| {}, stop), stopping);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(ran.outcomes.len(), 30);
    for outcome in &ran.outcomes {
        assert_eq!(outcome.error.as_ref().unwrap().kind, Some(FailureKind::Interrupted), "{outcome:?}");
    }
    assert!(!served.seen().iter().any(|line| line.ends_with("/never")));
    let tally = journal.tally();
    assert!(tally.created > 0);
    assert_eq!((tally.created, tally.left), (tally.removed, vec![]));
}

#[tokio::test]
async fn a_location_that_is_not_answered_is_no_fault_of_the_push() {
    // Silence, busy twice, and a connection that is closed on a registry which answers others: only that is wrong.
    for (status, error, wrong) in [
        (1, Some(FailureKind::Timeout), None),
        (503, Some(FailureKind::Unavailable), None),
        (429, Some(FailureKind::Unavailable), None),
        (0, None, Some("r location: a Location that gives no answer (closed)")),
        (404, None, Some("r location: a Location that gives status 404")),
    ] {
        let served = serve(move |method, path, _| match method {
            "PUT" => (201, vec![("Location", "/v2/there/manifests/x".into())], Vec::new()),
            _ => answer(if path.starts_with("/v2/there/") { status } else { 200 }),
        })
        .await;
        let put = json!({ "raw": { "method": "PUT", "path": "/v2/{repo}/manifests/x",
            "expect": { "r": { "status": 201, "location": "resolves" } } } });
        let outcome = one(&served.client, json!([put])).await;
        assert_eq!(said(&outcome), wrong.map(str::to_owned).into_iter().collect::<Vec<_>>());
        assert_eq!(outcome.error.map(|error| error.kind), error.map(Some), "{status}");
    }
}
