//! The desk, before servers that do one thing each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Pace;
use super::asks::manifest;
use super::desk::{Desk, Window};
use crate::engine::journal::Journal;
use crate::target::profile::Profile;
use crate::wire::{Client, Settings};

/// Answers with one status after the other, the last one for ever. Gives the URL, and the count of requests.
async fn script(statuses: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let n = counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]).await;
            let status = statuses[n.min(statuses.len() - 1)];
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, count)
}

fn client(url: &str) -> Client {
    Client::new(Settings::new(url)).unwrap()
}

fn pace(patience: Duration) -> Pace {
    Pace { patience, longest: Duration::from_secs(30), together: 8 }
}

#[tokio::test]
async fn what_shows_late_is_waited_for_and_measured() {
    let (url, count) = script(&["404 Not Found", "404 Not Found", "404 Not Found", "200 OK"]).await;
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, pace(Duration::from_secs(5)));
    let answer = desk.read("a/b", "tag", "it").await;
    assert_eq!((answer.say().as_str(), count.load(Ordering::SeqCst)), ("GET it -> 200", 4));
    let late = desk.window(Window::Read);
    assert!(late.is_some_and(|late| (0.05..2.0).contains(&late)), "{late:?}");
    assert_eq!(desk.window(Window::Delete), None, "nothing was deleted");
    assert_eq!(desk.requests(), 4);
}

#[tokio::test]
async fn what_never_shows_is_given_up_and_is_no_delay() {
    let (url, _) = script(&["200 OK"]).await;
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, pace(Duration::from_millis(100)));
    let answer = desk.until(Window::Delete, "GET it", manifest("GET", "a", "b"), |a| a.is(200)).await;
    assert_eq!(answer.say(), "GET it (for 100ms) -> 200");
    assert_eq!(desk.window(Window::Delete), None);
}

#[tokio::test]
async fn a_registry_that_has_no_time_is_asked_again() {
    let (url, count) = script(&["429 Too Many Requests", "200 OK"]).await;
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, pace(Duration::from_secs(1)));
    assert_eq!(desk.look("a", "b", "it").await.say(), "GET it -> 200");
    let (url, _) = script(&["503 Service Unavailable"]).await;
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let other = Client::new(Settings::new(&url)).unwrap();
    let busy = Desk::new(&other, &journal, pace(Duration::from_secs(1)));
    let answer = busy.look("a", "b", "it").await;
    assert_eq!((answer.say().as_str(), answer.is_refusal()), ("GET it -> 503", false));
    assert_eq!((busy.requests(), busy.answered(), desk.answered()), (5, false, true));
}

#[tokio::test]
async fn a_question_that_is_given_up_was_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, pace(Duration::from_secs(1)));
    let given_up = tokio::time::timeout(Duration::from_millis(100), desk.look("a", "b", "it")).await;
    assert!(given_up.is_err());
    assert_eq!((desk.requests(), desk.answered()), (1, false));
}

#[test]
fn a_probe_keeps_the_pace_that_the_profile_declares() {
    let pace = |read: u64, delete: u64, total: u64, jobs: Option<usize>| {
        let mut profile = Profile::default();
        let seconds = |n| crate::target::units::Time(Duration::from_secs(n));
        (profile.windows.read, profile.windows.delete) = (seconds(read), seconds(delete));
        (profile.limits.total, profile.limits.jobs) = (seconds(total), jobs);
        let Pace { patience, longest, together } = Pace::of(&profile);
        (patience.as_secs(), longest.as_secs(), together)
    };
    assert_eq!(pace(0, 0, 60, None), (5, 30, 8));
    assert_eq!(pace(20, 0, 60, Some(2)), (20, 90, 2));
    assert_eq!(pace(0, 30, 120, None), (30, 190, 8));
}

#[tokio::test]
async fn no_more_questions_are_asked_at_once_than_the_profile_allows() {
    let (client, journal) = (client("http://127.0.0.1:9"), Journal::unwritten());
    let desk = Desk::new(&client, &journal, Pace { together: 2, ..pace(Duration::from_secs(1)) });
    let (first, second) = (desk.turn().await, desk.turn().await);
    assert!(tokio::time::timeout(Duration::from_millis(20), desk.turn()).await.is_err());
    drop(first);
    assert!(tokio::time::timeout(Duration::from_secs(5), desk.turn()).await.unwrap().is_some());
    drop(second);
}

#[tokio::test]
async fn what_did_not_answer_in_time_is_asked_once_more() {
    for (answers, found, count) in
        [(["GET x -> no answer (timeout: 10 s)", "405"], "405", 2), (["500", "405"], "500", 1)]
    {
        let asked = std::cell::Cell::new(0);
        let once = || {
            let answer = answers[asked.replace(asked.get() + 1)];
            async move { Err::<(), _>(answer.to_owned()) }
        };
        assert_eq!(super::patiently(once, |()| "").await, Err(found.to_owned()));
        assert_eq!(asked.get(), count);
    }
}

#[test]
fn what_says_nothing_contradicts_no_claim() {
    for (evidence, nothing) in [
        ("PUT an image by digest -> 429 TOOMANYREQUESTS", true),
        ("GET it -> 200; PUT an image by digest -> 503", true),
        ("GET it -> no answer (timeout: it sent nothing for 10 s)", true),
        ("no end within 30 s", true),
        ("GET it -> 503; GET it -> 404", false),
        ("GET it -> 500", false),
        ("PUT it -> no answer (closed)", false),
    ] {
        assert_eq!(super::says_nothing(evidence), nothing, "{evidence}");
    }
}
