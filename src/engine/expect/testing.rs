//! What tests of expectations share: content, responses, a world.

#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::content::digest::Digest;
use crate::content::graph::{Algorithm, Format, Graph};
use crate::content::{Content, Key};
use crate::wire::{Exchange, Request, Response, Secret};

fn build(graph: serde_json::Value) -> Content {
    let graph: Graph = serde_json::from_value(graph).expect("the graph's form");
    let key = Key { seed: 7, owner: "test".into() };
    Content::build(&graph, Format::Oci, &key).expect("the graph's content")
}

/// Four images, an index over them, an index over that, a blob, and an artifact.
pub(crate) fn content() -> Content {
    let image = |platform: &str| serde_json::json!({ "platform": platform });
    build(serde_json::json!({
        "blobs": { "layer": { "size": 1000 }, "big": { "size": 200_000 } },
        "images": {
            "amd64": image("linux/amd64"), "arm64": image("linux/arm64"),
            "ppc64le": image("linux/ppc64le"), "s390x": image("linux/s390x"),
            "sig": { "subject": "amd64", "artifact-type": "application/x.sig", "annotations": { "k": "v" } }
        },
        "indexes": {
            "index": { "manifests": ["amd64", "ppc64le", "s390x", "arm64"] },
            "outer": { "manifests": ["index"] }
        }
    }))
}

/// An index over so many manifests that nobody has.
pub(crate) fn wide(absent: u32) -> Content {
    build(serde_json::json!({ "indexes": { "wide": { "absent": absent } } }))
}

/// A response as the wire gives it.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let header = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| (*v).to_owned());
    Response {
        status,
        version: "HTTP/1.1",
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), Bytes::copy_from_slice(v.as_bytes()))).collect(),
        body: Bytes::copy_from_slice(body),
        body_is_whole: true,
        body_digest: Digest::of(Algorithm::Sha256, body),
        location: header("location").map(|l| Secret(format!("http://h{l}"))),
        next: None,
        link_problem: None,
    }
}

/// An exchange that ended in a response.
pub(crate) fn exchange(response: Response) -> Exchange {
    let request = Request {
        method: "GET".into(),
        url: "http://h/".into(),
        headers: Vec::new(),
        body: None,
        generated: None,
        body_length: 0,
    };
    Exchange {
        request,
        result: Ok(response),
        hops: Vec::new(),
        begun: std::time::Instant::now(),
        ended: std::time::Instant::now(),
        seconds: 0.0,
        first_byte_seconds: Some(0.0),
        bytes_sent: 0,
        bytes_received: 0,
        requests: 1,
    }
}

/// Responses of earlier steps: none.
pub(crate) fn unnamed() -> BTreeMap<String, super::Seen> {
    BTreeMap::new()
}

/// What a scripted registry answers: status, headers, body.
pub(crate) type Script = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// A scripted registry. Dropping it ends it.
pub(crate) struct Served {
    /// Asks it.
    pub client: crate::wire::Client,
    seen: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    /// `METHOD path`, as they came.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a script of (method, path and query, body), one request a connection. Status 0 hangs up without an answer; status 1
/// never answers.
pub(crate) async fn serve(script: impl Fn(&str, &str, &[u8]) -> Script + Send + Sync + 'static) -> Served {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut settings = crate::wire::Settings::new(&url);
    settings.idle = std::time::Duration::from_millis(500);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (script, log) = (Arc::new(script), seen.clone());
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(connection(stream, script.clone(), log.clone()));
        }
    });
    Served { client: crate::wire::Client::new(settings).expect("a client"), seen, task }
}

async fn connection(
    mut stream: tokio::net::TcpStream,
    script: Arc<impl Fn(&str, &str, &[u8]) -> Script>,
    log: Arc<Mutex<Vec<String>>>,
) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let length =
                head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head, at + 4 + length.unwrap_or(0usize));
        }
    };
    while bytes.len() < length {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let mut line = head.lines().next().unwrap_or_default().split(' ');
    let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    log.lock().expect("no panic").push(format!("{method} {path}"));
    let start = head.len() + 4;
    let (status, headers, body) = script(method, path, bytes.get(start..).unwrap_or_default());
    match status {
        0 => return,
        1 => std::future::pending::<()>().await,
        _ => {}
    }
    let mut answer = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    for (name, value) in &headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        answer.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    answer.push_str("\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
    if method != "HEAD" {
        let _ = stream.write_all(&body).await;
    }
    let _ = stream.shutdown().await;
}
