//! The desk, before servers that do one thing each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::asks::manifest;
use super::desk::{Desk, Window};
use crate::engine::journal::Journal;
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

#[tokio::test]
async fn what_shows_late_is_waited_for_and_measured() {
    let (url, count) = script(&["404 Not Found", "404 Not Found", "404 Not Found", "200 OK"]).await;
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, Duration::from_secs(5));
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
    let desk = Desk::new(&client, &journal, Duration::from_millis(100));
    let answer = desk.until(Window::Delete, "GET it", manifest("GET", "a", "b"), |a| a.is(200)).await;
    assert_eq!(answer.say(), "GET it (for 100ms) -> 200");
    assert_eq!(desk.window(Window::Delete), None);
}

#[tokio::test]
async fn a_registry_that_has_no_time_is_asked_once_more() {
    let (url, count) = script(&["429 Too Many Requests", "200 OK"]).await;
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, Duration::from_secs(1));
    assert_eq!(desk.look("a", "b", "it").await.say(), "GET it -> 200");
    let (url, _) = script(&["503 Service Unavailable"]).await;
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let other = Client::new(Settings::new(&url)).unwrap();
    let busy = Desk::new(&other, &journal, Duration::from_secs(1));
    let answer = busy.look("a", "b", "it").await;
    assert_eq!((answer.say().as_str(), answer.is_refusal()), ("GET it -> 503", false));
    assert_eq!((busy.requests(), busy.answered(), desk.answered()), (2, false, true));
}

#[tokio::test]
async fn a_question_that_is_given_up_was_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (client, journal) = (client(&url), Journal::unwritten());
    let desk = Desk::new(&client, &journal, Duration::from_secs(1));
    let given_up = tokio::time::timeout(Duration::from_millis(100), desk.look("a", "b", "it")).await;
    assert!(given_up.is_err());
    assert_eq!((desk.requests(), desk.answered()), (1, false));
}

#[test]
fn a_probe_is_as_patient_as_the_profile_declares() {
    let windows = |read: u64, delete: u64| crate::target::profile::Windows {
        read: crate::target::units::Time(Duration::from_secs(read)),
        delete: crate::target::units::Time(Duration::from_secs(delete)),
        ..crate::target::profile::Windows::default()
    };
    let patience = |read, delete| super::patience(&windows(read, delete)).as_secs();
    assert_eq!([patience(0, 0), patience(20, 0), patience(0, 30)], [5, 20, 30]);
    assert_eq!(super::longest(Duration::from_secs(5)).as_secs(), 30);
    assert!(super::longest(Duration::from_secs(20)) > Duration::from_secs(80));
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
