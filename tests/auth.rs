//! Authentication and TLS against registries as they are: `docker-registry` with htpasswd, with a certificate of its own,
//! and the reference registry with tokens. What is not installed is skipped, and says so.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lacuna::content::BlobSource;
use lacuna::content::digest::Digest;
use lacuna::content::graph::Algorithm;
use lacuna::reference::{AuthConfig, Config, Scheme, start};
use lacuna::wire::{Ask, AskBody, Client, Credentials, Exchange, FailureKind, Keep, RawAsk, Secret, Settings};

const PASSWORD: &str = "correct-horse-battery";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Said past the test harness, which hides what passing tests print.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn installed(program: &str) -> bool {
    let found =
        std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|p| p.join(program).is_file()));
    if !found {
        skipped(&format!("{program} is not installed (apt-get install docker-registry apache2-utils openssl)"));
    }
    found
}

/// A `docker-registry` that ends with its test.
struct Registry {
    process: Child,
    at: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn registry(folder: &Path, http: &str, auth: &str) -> Registry {
    // Between finding a free port and listening on it another program may take it: then the next one is tried.
    for _ in 0..5 {
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}}}\nhttp: {{addr: \"{at}\"{http}}}\n{auth}",
            folder.join("data").display()
        );
        std::fs::write(folder.join("config.yml"), config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(folder.join("config.yml")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut registry = Registry { process: command.spawn().unwrap(), at };
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && registry.process.try_wait().unwrap().is_none() {
            if std::net::TcpStream::connect(&registry.at).is_ok() {
                return registry;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("docker-registry did not start");
}

fn client(base: &str, credentials: Option<Credentials>) -> Client {
    Client::new(Settings { credentials, ..Settings::new(base) }).unwrap()
}

fn blob(source: &BlobSource) -> AskBody {
    AskBody::Generated { source: source.clone(), offset: 0, length: source.size }
}

/// Pushes an image of one layer as its own config, and pulls it.
async fn push_and_pull(client: &Client, repository: &str) {
    let scopes = vec![format!("repository:{repository}:pull,push")];
    let ask = |method: &str, target: &str| {
        let mut ask = Ask::new(method, target);
        ask.scopes.clone_from(&scopes);
        ask
    };
    let source = BlobSource { key: [9; 32], size: 3 << 20 };
    let digest = source.digest(Algorithm::Sha256);
    let begun = client.send(ask("POST", &format!("/v2/{repository}/blobs/uploads/"))).await;
    assert_eq!(begun.status(), Some(202), "{begun:?}");
    let Secret(location) = begun.response().unwrap().location.clone().unwrap();
    let mark = if location.contains('?') { '&' } else { '?' };
    let put =
        ask("PUT", &format!("{location}{mark}digest={digest}")).header("Content-Type", "application/octet-stream");
    let put = client.send(put.body(blob(&source))).await;
    assert_eq!((put.status(), put.request.body_length), (Some(201), 3 << 20), "{put:?}");
    assert!(!put.request.url.contains("_state=") || put.request.url.contains("_state=(redacted)"));

    let entry =
        |media_type: &str| serde_json::json!({"mediaType": media_type, "size": source.size, "digest": digest.as_str()});
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": entry("application/vnd.oci.image.config.v1+json"),
        "layers": [entry("application/vnd.oci.image.layer.v1.tar")],
    });
    let manifest = Bytes::from(manifest.to_string());
    let target = format!("/v2/{repository}/manifests/latest");
    let put = ask("PUT", &target).header("Content-Type", MANIFEST).body(AskBody::Bytes(manifest.clone()));
    assert_eq!(client.send(put).await.status(), Some(201));
    let got = client.send(ask("GET", &target).header("Accept", MANIFEST)).await;
    assert_eq!(got.response().unwrap().body, manifest);
    assert_eq!(got.response().unwrap().body_digest, Digest::of(Algorithm::Sha256, &manifest));
    let mut layer = ask("GET", &format!("/v2/{repository}/blobs/{digest}"));
    layer.keep = Keep::Hash(Algorithm::Sha256);
    let layer = client.send(layer).await;
    assert_eq!((layer.status(), layer.response().unwrap().body_digest.clone()), (Some(200), digest));
    for exchange in [&begun, &got, &layer] {
        assert!(!format!("{exchange:?}").contains(PASSWORD));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_registry_with_htpasswd() {
    if !installed("docker-registry") || !installed("htpasswd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("htpasswd").args(["-Bbn", "user", PASSWORD]).output().unwrap();
    assert!(made.status.success());
    std::fs::write(folder.path().join("htpasswd"), made.stdout).unwrap();
    let auth = format!("auth: {{htpasswd: {{realm: r, path: \"{}\"}}}}", folder.path().join("htpasswd").display());
    let registry = registry(folder.path(), "", &auth);
    let base = format!("http://{}", registry.at);

    let user = client(&base, Some(Credentials::basic("user", PASSWORD)));
    push_and_pull(&user, "lacuna/auth").await;
    // The first request was challenged; from then on the line is sent with every one.
    let exchange = user.send(Ask::new("GET", "/v2/")).await;
    assert_eq!((exchange.status(), exchange.requests), (Some(200), 1));
    // The raw door asks as the same user.
    assert_eq!(user.send_raw(RawAsk::new("GET", "/v2/")).await.status(), Some(200));
    let fresh = client(&base, Some(Credentials::basic("user", PASSWORD)));
    assert_eq!(fresh.send_raw(RawAsk::new("GET", "/v2/")).await.requests, 2);

    for credentials in [None, Some(Credentials::basic("user", "wrong-password"))] {
        let exchange = client(&base, credentials).send(Ask::new("GET", "/v2/lacuna/auth/tags/list")).await;
        assert_eq!(exchange.status(), Some(401));
        let header = exchange.response().unwrap().header("www-authenticate").unwrap();
        assert!(header.starts_with("Basic realm="), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_registry_with_either_scheme() {
    for (scheme, anonymous_pull) in [(Scheme::Basic, false), (Scheme::Bearer, false), (Scheme::Bearer, true)] {
        let users = BTreeMap::from([("user".to_owned(), PASSWORD.to_owned())]);
        let token_lifetime = Duration::from_secs(60);
        let auth = Some(AuthConfig { scheme, users, anonymous_pull, token_lifetime });
        let running = start(Config { auth, ..Config::default() }, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let user = client(&running.url, Some(Credentials::basic("user", PASSWORD)));
        push_and_pull(&user, "lacuna/auth").await;
        let nobody = client(&running.url, None).send(Ask::new("GET", "/v2/lacuna/auth/tags/list")).await;
        match (scheme, anonymous_pull) {
            (_, true) => assert_eq!(nobody.status(), Some(200)),
            (Scheme::Basic, _) => assert_eq!(nobody.status(), Some(401)),
            (Scheme::Bearer, _) => assert_eq!(nobody.result.unwrap_err().kind, FailureKind::Auth),
        }
        running.stop().await;
    }
}

/// A CA and a certificate for 127.0.0.1 that it signed, as PEM files of this folder: `ca.pem`, `cert.pem`, `key.pem`.
fn certificates(folder: &Path) -> bool {
    if !installed("openssl") {
        return false;
    }
    std::fs::write(folder.join("ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    let lines = [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj /CN=lacuna-test-ca -days 2",
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out req.pem -subj /CN=registry",
        "x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile ext",
    ];
    lines.iter().all(|line| {
        let made = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
        assert!(made.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&made.stderr));
        true
    })
}

fn over_tls(base: &str, ca: Option<PathBuf>, insecure: bool) -> Client {
    Client::new(Settings { ca, insecure, ..Settings::new(base) }).unwrap()
}

async fn both_doors(client: &Client) -> [Exchange; 2] {
    [client.send(Ask::new("GET", "/v2/")).await, client.send_raw(RawAsk::new("GET", "/v2/")).await]
}

/// Both doors trust the CA that is named, and everybody only where that is asked for.
async fn trust(base: &str, ca: PathBuf) -> [Exchange; 2] {
    for exchange in both_doors(&over_tls(base, None, false)).await {
        let failure = exchange.result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.text);
        assert!(failure.text.contains("signed by nobody that is trusted"), "{}", failure.text);
    }
    for exchange in both_doors(&over_tls(base, None, true)).await {
        assert_eq!(exchange.status(), Some(200));
    }
    let named = base.replace("127.0.0.1", "localhost");
    for exchange in both_doors(&over_tls(&named, Some(ca.clone()), false)).await {
        let failure = exchange.result.unwrap_err();
        assert!(failure.text.contains("is for another name"), "{}", failure.text);
    }
    both_doors(&over_tls(base, Some(ca), false)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_registry_over_tls_speaks_http_2() {
    let folder = tempfile::tempdir().unwrap();
    if !installed("docker-registry") || !certificates(folder.path()) {
        return;
    }
    let path = |name: &str| folder.path().join(name).display().to_string();
    let http = format!(", tls: {{certificate: \"{}\", key: \"{}\"}}", path("cert.pem"), path("key.pem"));
    let registry = registry(folder.path(), &http, "");
    let base = format!("https://{}", registry.at);
    let [first, second] = trust(&base, folder.path().join("ca.pem")).await;
    assert_eq!((first.status(), first.response().unwrap().version), (Some(200), "HTTP/2.0"));
    assert_eq!((second.status(), second.response().unwrap().version), (Some(200), "HTTP/1.1"));
    push_and_pull(&over_tls(&base, Some(folder.path().join("ca.pem")), false), "lacuna/tls").await;

    // From https nothing leads back to http.
    let client = over_tls(&base, None, true);
    let failure = client.send(Ask::new("GET", &format!("http://{}/v2/", registry.at))).await.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Redirect);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_from_https_to_http_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    if !certificates(folder.path()) {
        return;
    }
    let at = serve_tls(folder.path());
    let [first, second] = trust(&format!("https://{at}"), folder.path().join("ca.pem")).await;
    assert_eq!((first.status(), second.status()), (Some(200), Some(200)));
    assert_eq!(first.response().unwrap().version, "HTTP/1.1");
    let client = over_tls(&format!("https://{at}"), Some(folder.path().join("ca.pem")), false);
    let failure = client.send(Ask::new("GET", "/down")).await.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Redirect);
    assert!(failure.text.contains("from https to http, http://"), "{}", failure.text);
}

/// A server with this folder's certificate: 307 to http for `/down`, 200 for the rest. Ends with the process.
fn serve_tls(folder: &Path) -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || {
                let session = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::StreamOwned::new(session, tcp);
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut byte) {
                        Ok(1) => head.push(byte[0]),
                        _ => return,
                    }
                }
                let answer: &[u8] = if head.starts_with(b"GET /down") {
                    b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                } else {
                    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                };
                let _ = stream.write_all(answer);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    at
}

/// Runs `in_a_process_of_its_own` below with this environment: a test must not change its own.
fn with_environment(case: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "in_a_process_of_its_own", "--ignored", "--nocapture"]).env("LACUNA_TEST_CASE", case);
    let ran = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && text.contains("1 passed"), "{case}: {text}");
}

#[test]
fn credentials_come_from_the_environment_and_from_docker() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    with_environment("env", &[("LACUNA_TEST_USER", "user"), ("LACUNA_TEST_PASSWORD", PASSWORD)]);
    with_environment("no-config", &[("DOCKER_CONFIG", &at)]);
    std::fs::write(
        folder.path().join("config.json"),
        r#"{"auths": {"h:1": {"auth": "dXNlcjpwYXNz"}}, "credHelpers": {"h:2": "lacunatest"}}"#,
    )
    .unwrap();
    let helper = folder.path().join("docker-credential-lacunatest");
    std::fs::write(&helper, "#!/bin/sh\nread server\ncase \"$server\" in\nh:2) echo '{\"Username\": \"u2\", \"Secret\": \"s2\"}';;\nh:3) echo '{\"Username\": \"<token>\", \"Secret\": \"refresh\"}';;\n*) echo 'credentials not found in native keychain'; exit 1;;\nesac\n").unwrap();
    let made = Command::new("chmod").arg("+x").arg(&helper).status().unwrap();
    assert!(made.success());
    let path = format!("{at}:{}", std::env::var("PATH").unwrap());
    with_environment("docker", &[("DOCKER_CONFIG", &at), ("PATH", &path)]);
}

#[test]
#[ignore = "started by the test above, with an environment of its own"]
fn in_a_process_of_its_own() {
    match std::env::var("LACUNA_TEST_CASE").unwrap_or_default().as_str() {
        "env" => {
            let found = Credentials::from_env("LACUNA_TEST_USER", "LACUNA_TEST_PASSWORD").unwrap();
            assert_eq!(found, Credentials::basic("user", PASSWORD));
        }
        "no-config" => assert!(Credentials::from_docker_config("h:1").unwrap_err().contains("config.json")),
        "docker" => {
            assert_eq!(Credentials::from_docker_config("h:1").unwrap(), Some(Credentials::basic("user", "pass")));
            assert_eq!(Credentials::from_docker_config("h:2").unwrap(), Some(Credentials::basic("u2", "s2")));
            assert_eq!(Credentials::from_docker_config("h:9").unwrap(), None);
            let token = Credentials::IdentityToken(Secret("refresh".into()));
            assert_eq!(Credentials::from_helper("lacunatest", "h:3").unwrap(), token);
            let problem = Credentials::from_helper("lacunatest", "h:9").unwrap_err();
            assert!(problem.contains("knows nothing of h:9"), "{problem}");
        }
        // Run by hand with all ignored tests: there is nothing to see.
        _ => {}
    }
}

/// Every file below a folder, as text.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(texts(&path));
        } else {
            out.push((path.clone(), String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()));
        }
    }
    out
}

/// Cases that ask for tokens, send them, and send wrong passwords leave none of it in what is written: neither in the records
/// nor in what a request takes to be sent again.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_no_password_is_written() {
    use lacuna::run::{self, Pause, Request};
    let out = tempfile::tempdir().unwrap();
    // Cases that pass keep no exchange: each of them is to warn or fail.
    let defects = ["token-short-lived", "token-unchecked", "scope-action-ignored", "basic-password-unchecked"];
    let auth = Some(AuthConfig::of(Scheme::Bearer, "user", PASSWORD));
    let config = Config { auth, defects: defects.into(), ..Config::default() };
    let request = Request {
        library: lacuna::suite::load(&lacuna::suite::SuiteSource::Shipped).unwrap(),
        elsewhere: Vec::new(),
        target: lacuna::target::argument::TargetSpec::reference(config),
        filters: vec![lacuna::plan::Filter::parse("auth/**").unwrap()],
        out: out.path().to_owned(),
        jobs: None,
        seed: 7,
        spec: lacuna::suite::requirement::Spec::V1_1,
        level: lacuna::suite::requirement::Level::Must,
        known: Vec::new(),
        shard: None,
        repeat: 1,
        keep: false,
        fail_fast: false,
        pause: Pause::default(),
    };
    let progress = |cases| lacuna::report::progress::Progress::new(cases, false, false);
    let recorded = run::run(&request, &lacuna::engine::Stop::never(), &progress).await.unwrap();
    let shown = serde_json::to_string(&recorded.record).unwrap();
    let mut written = texts(out.path());
    written.push((PathBuf::from("the record"), shown.clone()));
    assert!(shown.contains("Bearer (redacted)") && shown.contains(r#"\"token\":\"(redacted)\""#), "nothing was shown");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("user:{PASSWORD}"));
    for (path, text) in &written {
        for secret in [PASSWORD, encoded.trim_end_matches('=')] {
            assert!(!text.contains(secret), "{}", path.display());
        }
        // Tokens of the reference registry are as long as digests, which have their algorithm before them.
        for marker in ["Bearer ", "bearer ", "BEARER ", r#"\"token\":\""#, r#"\"access_token\":\""#, "token="] {
            for rest in text.split(marker).skip(1) {
                let token = rest.chars().take_while(char::is_ascii_hexdigit).count();
                assert!(token < 32, "{}: {marker}{}", path.display(), rest.chars().take(40).collect::<String>());
            }
        }
    }
}
