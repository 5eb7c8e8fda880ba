//! `lacuna serve` as a process of its own: what it prints, how it ends, and what a folder holds after `kill -9`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lacuna::content::digest::Digest;
use lacuna::content::graph::Algorithm;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct Served {
    process: Child,
    host: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        Served::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Served {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lacuna"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://").expect(&line).to_owned();
        Served { process, host }
    }

    /// One request on a connection of its own: status and body.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let host = &self.host;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        let chunked = String::from_utf8_lossy(&answer[..end]).to_lowercase().contains("transfer-encoding: chunked");
        assert!(!chunked);
        (status, answer[end + 4..].to_vec())
    }

    fn put(&self, reference: &str, bytes: &[u8]) -> u16 {
        let headers = format!("Content-Type: {INDEX}\r\n");
        self.ask("PUT", &format!("/v2/a/manifests/{reference}"), &headers, bytes).0
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Best effort: it may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn index(note: usize) -> Vec<u8> {
    let gap = Digest::of(Algorithm::Sha256, b"nobody has it");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{gap}","size":13}}],"annotations":{{"note":"{note}"}}}}"#
    )
    .into_bytes()
}

fn files_below(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let mut served = Served::start(&["--dir", folder]);
    let blob = vec![7; 300_000];
    let digest = Digest::of(Algorithm::Sha256, &blob);
    let upload = format!("/v2/a/blobs/uploads/?digest={digest}");
    assert_eq!(served.ask("POST", &upload, "", &blob).0, 201);
    for note in 0..20 {
        assert_eq!(served.put(&format!("t{note}"), &index(note)), 201);
        assert_eq!(served.put("moving", &index(note)), 201);
    }
    served.kill();
    assert!(files_below(dir.path()) > 40);

    let served = Served::start(&["--dir", folder]);
    for note in 0..20 {
        assert_eq!(served.ask("GET", &format!("/v2/a/manifests/t{note}"), "", b""), (200, index(note)));
    }
    assert_eq!(served.ask("GET", "/v2/a/manifests/moving", "", b""), (200, index(19)));
    assert_eq!(served.ask("GET", &format!("/v2/a/blobs/{digest}"), "", b""), (200, blob));
}

#[test]
fn stance_defect_and_variation_are_heeded() {
    let served = Served::start(&["--stance", "refuse", "--variation", "refusals-with-404"]);
    assert_eq!(served.put("a", &index(0)), 404);
    let served = Served::start(&["--stance", "require=linux/amd64,linux/arm64", "--defect", "tags-n-zero-500"]);
    assert_eq!(served.put("a", &index(0)), 201);
    assert_eq!(served.ask("GET", "/v2/a/tags/list?n=0", "", b"").0, 500);
}

/// Who is let in stands in the environment, and in no argument.
#[test]
fn with_auth_it_wants_to_know_who_asks() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
    command.args(["serve", "--auth", "basic", "--listen", "127.0.0.1:0"]).env_remove("LACUNA_USER");
    let refused = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && stderr.contains("LACUNA_USER is not set"), "{stderr}");

    let asked = [("LACUNA_USER", "ann"), ("LACUNA_PASSWORD", "secret")];
    let served = Served::start_with(&["--auth", "basic"], &asked);
    assert_eq!(served.ask("GET", "/v2/", "", b"").0, 401);
    // ann:secret
    assert_eq!(served.ask("GET", "/v2/", "Authorization: Basic YW5uOnNlY3JldA==\r\n", b"").0, 200);
    let served = Served::start_with(&["--auth", "bearer", "--public", "--token-lifetime", "2s"], &asked);
    assert_eq!(served.ask("GET", "/v2/a/tags/list", "", b"").0, 404);
    assert_eq!(served.put("a", &index(0)), 401);
    let token = served.ask("GET", "/token?scope=repository:a:pull", "", b"");
    assert!(token.0 == 200 && String::from_utf8_lossy(&token.1).contains(r#""expires_in":2"#));
}

#[test]
fn a_signal_ends_it_and_unknown_names_are_usage() {
    let mut served = Served::start(&[]);
    let status = Command::new("kill").args(["-TERM", &served.process.id().to_string()]).status().unwrap();
    assert!(status.success());
    let until = Instant::now() + Duration::from_secs(10);
    let ended = loop {
        match served.process.try_wait().unwrap() {
            Some(ended) => break ended,
            None if Instant::now() > until => panic!("it goes on after SIGTERM"),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert_eq!(ended.code(), Some(0));

    for (arguments, hint) in [
        (["--defect", "index-trimed"], "did you mean `index-trimmed`?"),
        (["--variation", "slov"], "did you mean `slow`?"),
        (["--stance", "maybe"], "accept, refuse, or require="),
        (["--stance", "require=linux"], "os/architecture"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_lacuna")).arg("serve").args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(hint), "{arguments:?}: {stderr}");
    }
}
