//! What the probe finds of real registries, of the reference registry in every stance, and of things that are no registry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use lacuna::content::graph::Format;
use lacuna::reference::{Config, Stance};
use lacuna::suite::model::{Scope, StanceWord};
use lacuna::target::argument::TargetSpec;
use lacuna::target::claims::{compare, found};
use lacuna::target::findings::{CAPABILITIES, Findings, Is, is_declared};
use lacuna::target::launch::LaunchError;
use lacuna::target::load;
use lacuna::target::open::{Live, OpenError, open};
use lacuna::target::visit::visit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn find(live: &Live) -> Findings {
    let visit = visit(live, Some(7), false, std::future::pending()).await.unwrap();
    assert_eq!(visit.left, Vec::<String>::new());
    visit.findings.unwrap()
}

fn is(findings: &Findings, capability: &str) -> Is {
    findings.capabilities.get(capability).unwrap_or_else(|| panic!("no {capability}")).is
}

/// Opens a shipped profile; `None`, loudly, where its program is not installed here.
async fn shipped(name: &str) -> Option<Live> {
    match open(&TargetSpec::parse(Some(name)).unwrap()).await {
        Ok(live) => Some(live),
        Err(OpenError::Launch(LaunchError::Missing { program, line })) => {
            eprintln!("SKIPPED: {name} was not probed: {program} is not installed; {line}");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Every shipped profile that starts its registry says of its product what the probe finds. One after the other: how long each takes is asserted.
#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_profile_is_what_it_claims() {
    let launched = |name: &&str| load::shipped(name).unwrap().unwrap().launch.is_some();
    for name in load::shipped_names().into_iter().filter(launched) {
        let named = load::shipped(name).unwrap().unwrap().auth.and_then(|auth| auth.env);
        if let Some((user, password)) = named.filter(|(_, password)| std::env::var_os(password).is_none()) {
            eprintln!("SKIPPED: {name} was not probed: {user} and {password} are not set");
            continue;
        }
        let Some(live) = shipped(name).await else { continue };
        let findings = find(&live).await;
        let wrong: Vec<String> = compare(&live.profile.claims, &findings)
            .iter()
            .filter(|c| !c.holds)
            .map(|c| format!("{}: {}", c.id, c.text()))
            .collect();
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
        let known: BTreeSet<&str> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
        let probed = findings.capabilities.keys().map(String::as_str).filter(|name| !is_declared(name));
        let asked: BTreeSet<&str> = probed.collect();
        assert_eq!(known, asked, "{name}");
        // Two seconds where the machine does nothing else; here it may be building. Some have processes behind them.
        let longest = if ["pulp", "distribution-s3"].contains(&name) { 60.0 } else { 6.0 };
        assert!(findings.seconds < longest, "{name} took {} s", findings.seconds);
        println!("{name}: {} requests in {:.2} s", findings.requests, findings.seconds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_lies_is_contradicted_with_the_evidence() {
    // The claims of a registry that refuses, before one that accepts.
    let mut spec = TargetSpec::parse(None).unwrap();
    spec.profile.claims = load::shipped("docker-registry").unwrap().unwrap().claims;
    let live = open(&spec).await.unwrap();
    let checks = compare(&live.profile.claims, &find(&live).await);
    let wrong: BTreeSet<&str> = checks.iter().filter(|check| !check.holds).map(|check| check.id.as_str()).collect();
    for id in ["stance/claims/oci", "stance/claims/docker", "stance/claims/delete.tag", "stance/claims/referrers"] {
        assert!(wrong.contains(id), "{id} holds: {wrong:?}");
    }
    assert!(!wrong.contains("stance/claims/delete.manifest"), "{wrong:?}");
    let stance = checks.iter().find(|check| check.id == "stance/claims/oci").unwrap().text();
    assert!(stance.contains("claimed `refuse: repository` but is found `accept`: PUT an index"), "{stance}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_registry_is_found_in_every_stance_and_scope() {
    let two = vec!["linux/arm64".to_owned(), "windows/amd64".to_owned()];
    for (stance, scope, expected) in [
        (Stance::Accept, Scope::Repository, "accept"),
        (Stance::Refuse, Scope::Repository, "refuse: repository"),
        (Stance::Refuse, Scope::Registry, "refuse: registry"),
        (Stance::Require(two), Scope::Repository, "require: [linux/arm64, windows/amd64]"),
        (Stance::Require(vec!["linux/arm".into()]), Scope::Repository, "require: [linux/arm/v7]"),
    ] {
        let config = Config { stance, scope, ..Config::default() };
        let live = open(&TargetSpec::reference(config)).await.unwrap();
        let findings = find(&live).await;
        for format in [Format::Oci, Format::Docker] {
            assert_eq!(found(findings.stance(format)), expected, "{format:?}: {:?}", findings.stance(format));
        }
        for (name, finding) in &findings.capabilities {
            assert_ne!(finding.is, Is::Broken, "{expected}: {name}: {}", finding.evidence);
        }
        assert!(findings.seconds < 2.0, "{expected} took {} s", findings.seconds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_eight_platforms_required_is_not_all_children() {
    let all: Vec<String> = lacuna::target::probe::PLATFORMS.iter().map(|p| (*p).to_owned()).collect();
    let live = open(&TargetSpec::reference(Config { stance: Stance::Require(all.clone()), ..Config::default() }))
        .await
        .unwrap();
    let findings = find(&live).await;
    assert_eq!((findings.oci.is, findings.oci.platforms), (StanceWord::Require, all));
}

/// Legal differences are found, and none of them is called broken.
#[tokio::test(flavor = "multi_thread")]
async fn no_lawful_variation_is_broken() {
    let every = lacuna::reference::variations().iter().map(|variation| variation.name);
    let sets = every.clone().map(|name| vec![name]).chain([every.collect()]);
    for set in sets {
        for stance in [Stance::Accept, Stance::Refuse] {
            let config = Config { stance, variations: set.iter().copied().collect(), ..Config::default() };
            let findings = find(&open(&TargetSpec::reference(config)).await.unwrap()).await;
            assert_ne!(findings.oci.is, StanceWord::Broken, "{set:?}: {}", findings.oci.evidence);
            assert_ne!(findings.docker.is, StanceWord::Broken, "{set:?}: {}", findings.docker.evidence);
            for (name, finding) in &findings.capabilities {
                assert_ne!(finding.is, Is::Broken, "{set:?}: {name}: {}", finding.evidence);
            }
        }
    }
}

/// What a registry does wrong must not look like something that it does not have: the cases would be skipped.
#[tokio::test(flavor = "multi_thread")]
async fn defects_are_never_taken_for_absence() {
    for (defect, capability) in [
        ("delete-tag-405-done", "delete.tag"),
        ("delete-manifest-405-done", "delete.manifest"),
        ("delete-blob-405-done", "delete.blob"),
        ("delete-child-405-done", "delete.referenced-child"),
        ("tags-n-ignored", "tags.paging"),
        ("link-skips-one", "tags.paging"),
        ("link-unbracketed", "tags.paging"),
        ("image-sparse-500", "sparse-image"),
        ("nested-index-500", "index.nested"),
        ("empty-index-500", "index.empty"),
        ("media-type-added", "index.no-media-type"),
        ("platformless-500", "index.no-platform"),
        ("mount-answers-200", "mount"),
        ("put-never-moves-tag", "tag.move"),
        ("subject-header-of-self", "header.subject"),
    ] {
        let config = Config { defects: [defect].into(), ..Config::default() };
        let findings = find(&open(&TargetSpec::reference(config)).await.unwrap()).await;
        assert_eq!(is(&findings, capability), Is::Broken, "{defect}: {:?}", findings.capabilities.get(capability));
    }
}

/// What decides about an index must be its platforms, and the same for the whole and for the parts.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_no_set_of_platforms_explains_is_broken() {
    let one = Stance::Require(vec!["linux/amd64".into()]);
    for (stance, defect, oci, docker) in [
        (Stance::Accept, "sparse-refused-when-none-present", true, true),
        (one, "sparse-refused-when-last-absent", true, true),
        (Stance::Refuse, "complete-index-refused-at-first", false, true),
    ] {
        let config = Config { stance, defects: [defect].into(), ..Config::default() };
        let findings = find(&open(&TargetSpec::reference(config)).await.unwrap()).await;
        let broken = [&findings.oci, &findings.docker].map(|found| found.is == StanceWord::Broken);
        assert_eq!(broken, [oci, docker], "{defect}: {:?}, {:?}", findings.oci, findings.docker);
    }
}

/// Every tag of every repository. (Repositories themselves cannot be deleted.)
async fn tags(live: &Live) -> Vec<String> {
    let get = async |path: String| {
        let exchange = live.client.send(lacuna::wire::Ask::new("GET", &path)).await;
        serde_json::from_slice::<serde_json::Value>(&exchange.response().unwrap().body).unwrap()
    };
    let list = |value: &serde_json::Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let repositories = list(&get("/v2/_catalog".into()).await["repositories"]);
    assert!(!repositories.is_empty());
    let mut tags = Vec::new();
    for repository in repositories {
        tags.extend(list(&get(format!("/v2/{repository}/tags/list")).await["tags"]));
    }
    tags
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_by_url_removes_what_it_pushed() {
    let reference = open(&TargetSpec::parse(None).unwrap()).await.unwrap();
    let live = open(&TargetSpec::parse(Some(&reference.url)).unwrap()).await.unwrap();
    assert!(!live.is_ours());
    let findings = find(&live).await;
    assert_eq!(is(&findings, "delete.manifest"), Is::Supported);
    assert_eq!(tags(&live).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_probe_removes_what_it_pushed() {
    let reference = open(&TargetSpec::parse(None).unwrap()).await.unwrap();
    let live = open(&TargetSpec::parse(Some(&reference.url)).unwrap()).await.unwrap();
    // As soon as anything is there.
    let pushed = async {
        loop {
            let exchange = live.client.send(lacuna::wire::Ask::new("GET", "/v2/_catalog")).await;
            if exchange.response().is_some_and(|response| response.body.contains(&b'/')) {
                break;
            }
        }
    };
    let visit = visit(&live, None, false, pushed).await.unwrap();
    assert_eq!(visit.left, Vec::<String>::new());
    assert_eq!(tags(&live).await, Vec::<String>::new());
}

/// Answers every request with the same bytes, `/v2/` with 200.
async fn parrot(answer: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 1 << 16];
                let count = stream.read(&mut request).await.unwrap_or(0);
                let ping = request[..count].starts_with(b"GET /v2/ ");
                let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(if ping { ok } else { answer }.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_broken_and_never_absent() {
    for answer in [
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ] {
        let url = parrot(answer).await;
        let live = open(&TargetSpec::parse(Some(&url)).unwrap()).await.unwrap();
        let visit = visit(&live, None, true, std::future::pending()).await.unwrap();
        let findings = visit.findings.unwrap();
        assert_eq!((findings.oci.is, findings.docker.is), (StanceWord::Broken, StanceWord::Broken), "{answer}");
        for (name, finding) in findings.capabilities.iter().filter(|(name, _)| !is_declared(name)) {
            // The catalogue is not in the spec: to be denied it is lawful.
            let denied = name == "catalog" && answer.contains("403");
            assert_eq!(
                finding.is,
                if denied { Is::Absent } else { Is::Broken },
                "{answer}: {name}: {}",
                finding.evidence
            );
            assert!(!finding.evidence.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_no_question_cannot_be_tested_and_left_nothing() {
    for (answer, said) in [
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", "-> 503"),
        (
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            "-> 429",
        ),
        ("", "no answer (closed"),
    ] {
        let url = parrot(answer).await;
        let lacuna = |verb: &'static str, more: Vec<String>| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lacuna"));
            command.arg(verb).arg(&url).args(more);
            async move { tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap() }
        };
        let out = tempfile::tempdir().unwrap();
        let into = vec!["--out".to_owned(), out.path().display().to_string(), "missing/**".to_owned()];
        for (verb, more) in [("probe", Vec::new()), ("list", Vec::new()), ("run", into)] {
            let output = lacuna(verb, more).await;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{verb}: {text}");
            let begins = format!("lacuna {verb}: no answer to any question of the probe: POST blobs");
            assert!(text.starts_with(&begins) && text.contains(said), "{verb}: {text}");
            assert!(!text.contains("left") && !text.contains("; 0 requests"), "{verb}: {text}");
        }
        assert!(!out.path().join("results.json").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_has_no_timing() {
    let url = parrot("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let live = open(&TargetSpec::parse(Some(&url)).unwrap()).await.unwrap();
    let findings = find(&live).await;
    assert!(!findings.write_seen && !findings.delete_seen);
    let paint = lacuna::report::paint::Painter(false);
    let text = lacuna::report::probe::render(&live.record(), &findings, &[], paint);
    assert!(text.contains("was not measured: nothing could be written") && !text.contains("at once"), "{text}");
}
