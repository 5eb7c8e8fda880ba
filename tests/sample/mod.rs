//! Records made by hand: one of each kind of thing that a report shows.
#![allow(dead_code)] // each test file uses its own part

use std::collections::BTreeMap;

use lacuna::record::{
    CaseRecord, CleanUp, ExchangeRecord, Harness, MismatchRecord, RequestRecord, RequirementRecord, ResponseRecord,
    RunRecord, Selection, StanceRecord, TargetRecord, Text, Windows, answers, totals,
};
use lacuna::suite::model::StanceWord;
use lacuna::suite::requirement::{Basis, Level, Spec};
use lacuna::target::findings::{Finding, Is, StanceFinding};
use lacuna::verdict::Verdict;

/// A case without anything but its verdict.
pub fn case(id: &str, verdict: Verdict) -> CaseRecord {
    CaseRecord {
        id: id.into(),
        title: "A missing child is not found".into(),
        source: "suites/missing/child.yaml:12:5".into(),
        verdict,
        reason: None,
        error_kind: None,
        sources: Vec::new(),
        sometimes: false,
        requirements: vec!["manifest.get.absent".into()],
        round: 0,
        attempts: 1,
        seconds: 0.0123,
        requests: 3,
        bytes_sent: 100,
        bytes_received: 200,
        usage: Vec::new(),
        mismatches: Vec::new(),
        exchanges: Vec::new(),
    }
}

/// A mismatch of this requirement, pointing at the case's first exchange.
pub fn mismatch(requirement: &str, level: Level, got: &str) -> MismatchRecord {
    MismatchRecord {
        requirement: requirement.into(),
        level,
        step: "3: get ppc64le by digest".into(),
        source: "suites/expectations.yaml:9:3".into(),
        key: "status".into(),
        expected: "status 404".into(),
        got: got.into(),
        diff: None,
        late: None,
        exchange: Some(0),
    }
}

/// A GET that was answered with this status and body.
pub fn exchange(status: u16, body: &[u8]) -> ExchangeRecord {
    ExchangeRecord {
        step: "3: get ppc64le by digest".into(),
        request: RequestRecord {
            method: "GET".into(),
            url: "http://127.0.0.1:5000/v2/lacuna/r1/child-1/manifests/sha256:0123".into(),
            headers: vec![("accept".into(), "application/vnd.oci.image.manifest.v1+json".into())],
            body_length: 0,
            body_file: None,
        },
        response: Some(ResponseRecord {
            status,
            headers: vec![("content-type".into(), Text::Plain("application/json".into()))],
            body: Text::bounded(body),
            body_length: body.len() as u64,
        }),
        failure: None,
        hops: Vec::new(),
        seconds: 0.004,
        lane: None,
    }
}

/// A record of these cases.
pub fn record(cases: Vec<CaseRecord>) -> RunRecord {
    let requirement = |level, basis, source: &str, text: &str, question| RequirementRecord {
        level,
        basis,
        source: source.into(),
        text: text.into(),
        question,
    };
    let requirements = BTreeMap::from([
        (
            "manifest.get.absent".to_owned(),
            requirement(Level::Must, Basis::Spec, "v1.1.1 L172", "A manifest that is not there is answered 404.", 3),
        ),
        (
            "manifest.get.absent-code".to_owned(),
            requirement(Level::Should, Basis::Spec, "v1.1.1 L816", "The error's code is MANIFEST_UNKNOWN.", 3),
        ),
        ("gap.kept".to_owned(), requirement(Level::Must, Basis::Lacuna, "mission 6", "An index stays what it was.", 6)),
    ]);
    let stance = |is, evidence: &str| StanceRecord {
        found: StanceFinding { is, platforms: Vec::new(), scope: None, evidence: evidence.into() },
        claimed: Some("accept".into()),
    };
    let stance = BTreeMap::from([
        ("oci".to_owned(), stance(StanceWord::Accept, "PUT index with 2 of 4 children -> 201")),
        ("docker".to_owned(), stance(StanceWord::Refuse, "PUT list with 2 of 4 children -> 400 MANIFEST_BLOB_UNKNOWN")),
    ]);
    let finding = |is, evidence: &str| Finding { is, evidence: evidence.into() };
    RunRecord {
        schema: 1,
        lacuna: Harness { version: "0.1.0".into(), suites: "sha256:ab".into() },
        target: TargetRecord {
            not_run: None,
            name: "reference".into(),
            product: Some("lacuna 0.1.0".into()),
            url: "http://127.0.0.1:5000".into(),
            beside: None,
            ca: None,
            insecure: false,
        },
        spec: Spec::V1_1,
        seed: "00000000deadbeef".into(),
        selection: Selection { repeat: 1, ..Selection::default() },
        started: "2026-11-24T05:00:00Z".into(),
        finished: "2026-11-24T05:00:03.25Z".into(),
        answers: answers::answers(&cases, Level::Must, &requirements, &stance),
        stance,
        capabilities: BTreeMap::from([
            ("delete.tag".to_owned(), finding(Is::Absent, "DELETE manifests/<tag> -> 405 UNSUPPORTED")),
            ("referrers".to_owned(), finding(Is::Broken, "GET referrers/<digest> -> 500")),
            ("mount".to_owned(), finding(Is::Supported, "POST blobs/uploads/?mount= -> 201")),
        ]),
        rounds: Vec::new(),
        windows: Windows::default(),
        clean_up: CleanUp { created: 40, removed: 40, left: Vec::new(), discarded: false },
        totals: totals(&cases),
        cases,
        requirements,
        notes: Vec::new(),
        paused: None,
        complete: true,
    }
}

/// A run in which one of everything happened.
pub fn mixed() -> RunRecord {
    let mut cases = vec![case("missing/child/get/oci", Verdict::Pass), case("missing/child/get/docker", Verdict::Pass)];
    for format in ["oci", "docker", "nested"] {
        let mut failed = case(&format!("missing/child/head/{format}"), Verdict::Fail);
        failed.mismatches.push(mismatch("manifest.get.absent", Level::Must, "status 200"));
        failed.mismatches.push(mismatch("manifest.get.absent-code", Level::Should, "no code"));
        failed.exchanges.push(exchange(200, br#"{"schemaVersion":2,"manifests":[]}"#));
        cases.push(failed);
    }
    let mut other = case("missing/tag/reused", Verdict::Fail);
    other.mismatches.push(mismatch("manifest.get.absent", Level::Must, "status 500"));
    other.exchanges.push(exchange(500, b""));
    cases.push(other);
    let mut warned = case("missing/tag/get", Verdict::Warn);
    warned.mismatches.push(mismatch("manifest.get.absent-code", Level::Should, "code NOT_FOUND"));
    warned.exchanges.push(exchange(404, br#"{"errors":[{"code":"NOT_FOUND"}]}"#));
    cases.push(warned);
    for n in 0..3 {
        let mut skipped = case(&format!("tags/delete/by-name/{n}"), Verdict::Skip);
        skipped.reason = Some("delete.tag is absent: DELETE manifests/<tag> -> 405 UNSUPPORTED".into());
        skipped.attempts = 0;
        cases.push(skipped);
    }
    let mut known = case("missing/reference/malformed", Verdict::Known);
    known.reason = Some("answers 500 to a malformed digest (upstream 1234)".into());
    cases.push(known);
    let mut fixed = case("missing/reference/unknown", Verdict::Fixed);
    fixed.reason = Some("listed as known: answers 500; it passes now: remove the entry".into());
    cases.push(fixed);
    let mut error = case("pull/bytes/oci", Verdict::Error);
    error.reason = Some("step 2 (get index by tag): no byte within 10 s".into());
    error.error_kind = Some("timeout".into());
    let mut unanswered = exchange(0, b"");
    unanswered.response = None;
    unanswered.failure = Some("timeout: no byte within 10 s".into());
    error.exchanges.push(unanswered);
    cases.push(error);
    let mut claim = case("stance/claims/oci", Verdict::Fail);
    claim.reason = Some("claimed refuse, found accept: PUT index with 2 of 4 children -> 201".into());
    cases.push(claim);
    record(cases)
}

/// Bytes and characters that no report may pass on as they are.
pub const HOSTILE: &str = "]]> <script>alert(1)</script> \u{0}\u{1}\u{8}\u{b}\u{1b}[31mred\u{1b}]0;title\u{7}\r\n\t\u{7f}\u{9b}2J \
    \u{202e}txt.exe\u{2066}\u{200f}\u{feff}\u{fffe}\u{ffff}\u{1ffff}\u{2028} '\" & &amp; --> <![CDATA[ <!-- $(id) `id` \\ 世界";

/// A run of which everything that a registry or an author can write is hostile.
pub fn hostile() -> RunRecord {
    let mut bytes = HOSTILE.as_bytes().to_vec();
    bytes.extend(0..=255u8);
    let mut record = mixed();
    for case in &mut record.cases {
        case.title = HOSTILE.into();
        case.reason = case.reason.take().map(|reason| format!("{HOSTILE}{reason}"));
        for mismatch in &mut case.mismatches {
            mismatch.expected = HOSTILE.into();
            mismatch.got = format!("{HOSTILE}{}", mismatch.got);
            mismatch.diff = Some(format!("-{HOSTILE}\n+{HOSTILE}"));
            mismatch.step = HOSTILE.into();
        }
        for exchange in &mut case.exchanges {
            exchange.request.url += HOSTILE;
            exchange.request.headers.push((HOSTILE.into(), HOSTILE.into()));
            exchange.hops.push(format!("307 {HOSTILE}"));
            if let Some(response) = &mut exchange.response {
                response.headers.push(("x-odd".into(), Text::bounded(&bytes)));
                response.headers.insert(0, ("content-type".into(), Text::bounded(HOSTILE.as_bytes())));
                response.body = Text::bounded(&bytes);
            } else {
                exchange.failure = Some(HOSTILE.into());
            }
        }
    }
    for finding in record.capabilities.values_mut() {
        finding.evidence = HOSTILE.into();
    }
    for stance in record.stance.values_mut() {
        stance.found.evidence = HOSTILE.into();
        stance.found.platforms.push(HOSTILE.into());
        stance.claimed = Some(HOSTILE.into());
    }
    for requirement in record.requirements.values_mut() {
        requirement.text = HOSTILE.into();
        requirement.source = HOSTILE.into();
    }
    record.notes.push(HOSTILE.into());
    record.clean_up.left.push(HOSTILE.into());
    record.target.name = HOSTILE.into();
    record.target.product = Some(HOSTILE.into());
    record.target.url = HOSTILE.into();
    record.selection.filters.push(HOSTILE.into());
    record
}
