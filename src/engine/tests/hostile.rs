//! On scripted registries that are no good to anybody: answers that are no messages or have no bound, and none at all.

use super::crooked::{answer, get, one};
use super::*;
use crate::engine::expect::testing::serve;
use crate::wire::FailureKind;

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_wrong_one() {
    let chunked = |body: &str| (200, vec![("Transfer-Encoding", "chunked".into())], body.as_bytes().to_vec());
    let to = |location: &str| (307, vec![("Location", location.to_owned())], Vec::new());
    let table: [(Script, &str); 5] = [
        (chunked("ZZ\r\nfoo"), "status 200 with a body that breaks HTTP"),
        (
            (200, vec![("Content-Length", "99999999999999999999999".into())], Vec::new()),
            "a head that breaks HTTP: invalid content-length parsed",
        ),
        ((200, vec![("X-\u{1b}", "y".into())], Vec::new()), "a head that breaks HTTP: invalid HTTP header parsed"),
        (to("/v2/x/manifests/v1"), "more than 5 redirects"),
        (to("file:///etc/passwd"), "a redirect (307) that cannot be followed"),
    ];
    for (script, wrong) in table {
        let served = serve(move |_, _, _| script.clone()).await;
        let outcome = one(&served.client, json!([get(json!(200)), get(json!("2xx"))])).await;
        let twice = vec![format!("r status: {wrong}"); 2];
        assert_eq!((said(&outcome), &outcome.error, outcome.answered), (twice, &None, true));
    }
}

#[tokio::test]
async fn of_long_answers_the_beginning_is_kept() {
    let served = serve(|_, _, _| (404, Vec::new(), vec![b'x'; 200_000])).await;
    let outcome = one(&served.client, Value::Array((0..30).map(|_| get(json!(200))).collect())).await;
    assert_eq!((outcome.mismatches.len(), outcome.bytes_received), (30, 30 * 200_000));
    let kept = outcome.exchanges.iter().map(|e| e.exchange.response().unwrap().body.len());
    assert!(kept.clone().all(|bytes| bytes < 20_000) && kept.sum::<usize>() < 100_000);
}

#[tokio::test]
async fn a_target_that_is_busy_or_slow_for_ever_is_lost_too() {
    let busy = || (503, vec![("Retry-After", "0".into())], Vec::new());
    for (script, kind) in [(busy(), FailureKind::Unavailable), (answer(1), FailureKind::Timeout)] {
        let served = serve(move |_, _, _| script.clone()).await;
        let cases: Vec<_> = (0..40).map(|n| case(&format!("a/b/c{n}"), json!([get(json!(200))]))).collect();
        let outcomes = run_with(&served.client, cases, |options| options.jobs = 8).await;
        assert!(outcomes.iter().all(|o| o.error.as_ref().is_some_and(|e| e.kind == Some(kind)) && !o.answered));
        assert!(outcomes.iter().filter(|o| o.requests > 0).count() <= 16);
    }
}

#[tokio::test]
async fn a_target_that_is_lost_is_not_asked_for_ever() {
    let served = serve(|_, _, _| answer(200)).await;
    let client = served.client.clone();
    drop(served);
    let cases: Vec<_> = (0..200).map(|n| case(&format!("a/b/c{n}"), json!([get(json!(200))]))).collect();
    let outcomes = run_with(&client, cases, |options| options.jobs = 2).await;
    assert_eq!(outcomes.len(), 200);
    assert!(outcomes.iter().all(|o| o.error.as_ref().is_some_and(|e| e.kind == Some(FailureKind::Connect))));
    assert!(outcomes.iter().filter(|o| o.requests > 0).count() < 12);
    assert!(outcomes[199].error.as_ref().unwrap().text.starts_with("not started: the target did not answer"));
}
