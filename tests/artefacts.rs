//! The reports as files that others read: they parse whatever a registry sent, count right, and hide nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use std::io::Write as _;
use std::process::{Command, Stdio};

use lacuna::record::store;
use lacuna::record::{self, RunRecord};
use lacuna::report::console::{self, View};
use lacuna::report::paint::Painter;
use lacuna::report::{html, junit};
use lacuna::verdict::Verdict;
use quick_xml::events::{BytesStart, Event};
use sample::{case, hostile, mixed};

/// Runs Python with a document on its standard input; `None` where there is no Python.
fn python(script: &str, document: &[u8]) -> Option<String> {
    let child = Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => panic!("python3: {e}"),
    };
    child.stdin.take().unwrap().write_all(document).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 refuses the document");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).unwrap()?;
    Some(found.value.into_owned())
}

fn number(element: &BytesStart<'_>, name: &str) -> usize {
    attribute(element, name).unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

/// The rules of the JUnit schema that Jenkins publishes: what may stand where, with which attributes, and true counts.
/// Gives (tests, failures, errors, skipped) of the whole document.
fn check_junit(document: &[u8]) -> (usize, usize, usize, usize) {
    let text = std::str::from_utf8(document).expect("JUnit is UTF-8");
    let xml_char = |c: char| matches!(u32::from(c), 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..);
    assert!(text.chars().all(xml_char), "a character that XML 1.0 forbids");
    let allowed: &[(&str, &[&str], &[&str])] = &[
        ("testsuites", &[], &["name", "time", "tests", "failures", "errors"]),
        (
            "testsuite",
            &["testsuites"],
            &["name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"],
        ),
        ("testcase", &["testsuite"], &["name", "time", "classname"]),
        ("failure", &["testcase"], &["type", "message"]),
        ("error", &["testcase"], &["type", "message"]),
        ("skipped", &["testcase"], &["type", "message"]),
        ("system-out", &["testcase", "testsuite"], &[]),
    ];
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<String> = Vec::new();
    let mut all = (0, 0, 0, 0);
    let mut suite = (0, 0, 0, 0);
    let mut said = (0, 0, 0, 0);
    let mut ids = std::collections::BTreeSet::new();
    loop {
        let event = reader.read_event().expect("well-formed XML");
        let (element, empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(element) => {
                if element.name().as_ref() == "testsuite" {
                    assert_eq!(suite, said, "a suite's counts are its cases'");
                }
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        let (_, parents, attributes) = allowed.iter().find(|(n, ..)| *n == name).unwrap_or_else(|| panic!("<{name}>"));
        assert!(
            open.last().map_or(parents.is_empty(), |parent| parents.contains(&parent.as_str())),
            "{name} in {open:?}"
        );
        for found in element.attributes() {
            let key = found.expect("well-formed attributes").key.as_ref().to_owned();
            assert!(attributes.contains(&key.as_str()), "{key} on <{name}>");
        }
        match name.as_str() {
            "testsuites" => all = (number(element, "tests"), number(element, "failures"), number(element, "errors"), 0),
            "testsuite" => {
                suite = (0, 0, 0, 0);
                said = (
                    number(element, "tests"),
                    number(element, "failures"),
                    number(element, "errors"),
                    number(element, "skipped"),
                );
                all.3 += said.3;
                assert!(ids.insert(attribute(element, "id").unwrap()), "two suites with one id");
            }
            "testcase" => {
                suite.0 += 1;
                assert!(attribute(element, "classname").is_some() && attribute(element, "name").is_some());
                let time = attribute(element, "time").unwrap();
                assert!(time.parse::<f64>().is_ok() && time.split('.').nth(1).is_none_or(|d| d.len() <= 3), "{time}");
            }
            "failure" => suite.1 += 1,
            "error" => suite.2 += 1,
            "skipped" => suite.3 += 1,
            _ => {}
        }
        if matches!(name.as_str(), "failure" | "error" | "skipped") {
            assert!(attribute(element, "type").is_some_and(|t| !t.is_empty()), "<{name}> without a type");
            assert!(attribute(element, "message").is_some(), "<{name}> without a message");
        }
        if !empty {
            open.push(name);
        }
    }
    assert!(open.is_empty());
    all
}

#[test]
fn junit_counts_as_its_cases_do() {
    let document = junit::render(&mixed()).unwrap();
    // Failures: four cases, one contradicted claim, one fixed. Skipped: three, and one that is known.
    assert_eq!(check_junit(&document), (14, 6, 1, 4));
}

#[test]
fn junit_of_nothing_is_junit() {
    assert_eq!(check_junit(&junit::render(&sample::record(Vec::new())).unwrap()), (0, 0, 0, 0));
}

#[test]
fn junit_parses_whatever_a_registry_sent() {
    let document = junit::render(&hostile()).unwrap();
    assert_eq!(check_junit(&document), (14, 6, 1, 4));
    let script = "import sys, xml.etree.ElementTree as E\n\
        t = E.fromstring(sys.stdin.buffer.read())\n\
        print(len(t.findall('.//testcase')), ']]>' in ''.join(f.text for f in t.iter('failure')))";
    if let Some(said) = python(script, &document) {
        assert_eq!(said.trim(), "14 True", "every case is there, and the text is whole");
    }
}

#[test]
fn junit_says_what_was_expected_and_how_to_see_it_again() {
    let document = String::from_utf8(junit::render(&mixed()).unwrap()).unwrap();
    for wanted in [
        "<testsuite id=\"0\" name=\"missing/child\"",
        "classname=\"missing.child\"",
        "name=\"head/oci\"",
        "<failure type=\"manifest.get.absent\" message=\"expected status 404, got status 200\">",
        "requirement: manifest.get.absent (must; v1.1.1 L172)",
        "expected:    status 404",
        "actual:      status 200",
        "curl -sS -i -H 'accept: application/vnd.oci.image.manifest.v1+json' http://127.0.0.1:5000/v2/",
        "<error type=\"timeout\"",
        "<skipped type=\"skip\" message=\"delete.tag is absent: ",
        "<skipped type=\"known\"",
        "<failure type=\"fixed\"",
        "seed: 00000000deadbeef",
        "target: reference (lacuna 0.1.0) http://127.0.0.1:5000",
    ] {
        assert!(document.contains(wanted), "no {wanted} in\n{document}");
    }
}

#[test]
fn the_console_passes_nothing_on_that_moves_a_cursor() {
    for paint in [false, true] {
        let view = View { paint: Painter(paint), out: "reports/x".into() };
        let text = console::render(&hostile(), &view);
        // What we paint is taken away; nothing else may be left of controls.
        let codes = ["\x1b[1;31m", "\x1b[33m", "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"];
        let plain = codes.iter().fold(text.clone(), |text, code| text.replace(code, ""));
        let bad = plain.chars().find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(bad, None, "in {plain}");
        assert_eq!(text.contains('\x1b'), paint);
    }
}

#[test]
fn the_console_tells_each_thing_once() {
    let view = View { paint: Painter(false), out: "reports/reference".into() };
    insta::assert_snapshot!(console::render(&mixed(), &view));
}

#[test]
fn the_console_is_quiet_on_success() {
    let record = sample::record(vec![case("pull/bytes/oci", Verdict::Pass), case("pull/bytes/docker", Verdict::Pass)]);
    insta::assert_snapshot!(console::render(&record, &View { paint: Painter(false), out: "reports/reference".into() }));
}

/// Counts script elements, collects handlers and tags that are not closed in order.
const BALANCED: &str = r#"
import sys
from html.parser import HTMLParser
class Reader(HTMLParser):
    scripts, bad, open = 0, [], []
    def handle_starttag(self, tag, attributes):
        self.scripts += tag == 'script'
        self.bad += [name for name, _ in attributes if name.startswith('on')]
        if tag not in ('meta', 'input'):
            self.open.append(tag)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(tag)
reader = Reader()
reader.feed(sys.stdin.buffer.read().decode())
print(reader.scripts, reader.bad, reader.open)
"#;

#[test]
fn the_page_holds_no_markup_but_ours() {
    for record in [mixed(), hostile(), sample::record(Vec::new())] {
        let page = html::render(&record);
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(!page.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        assert!(!page.contains("http-equiv=\"refresh") && !page.contains("src=\"http"));
        if let Some(said) = python(BALANCED, page.as_bytes()) {
            assert_eq!(said.trim(), "1 [] []", "tags are balanced, and no handler came in");
        }
    }
}

fn schema() -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/results.schema.json");
    serde_json::from_slice(&std::fs::read(path).expect("the schema is shipped")).unwrap()
}

fn as_json(record: &RunRecord) -> serde_json::Value {
    serde_json::from_slice(&store::to_json(record).unwrap()).unwrap()
}

#[test]
fn the_shipped_schema_is_current() {
    let current = serde_json::to_string_pretty(&record::schema()).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/results.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap();
    assert_eq!(shipped, current, "run `UPDATE_SCHEMAS=1 cargo test --test artefacts`");
}

#[test]
fn results_follow_the_schema_and_come_back_as_they_were() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for record in [mixed(), hostile(), sample::record(Vec::new())] {
        let value = as_json(&record);
        let faults: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(value.as_object().unwrap().keys().next_back().unwrap(), "complete");
        let totals = value["totals"].as_object().unwrap();
        assert_eq!(totals.len(), 7, "every verdict is a key");
        let again: RunRecord = serde_json::from_value(value).unwrap();
        assert_eq!(again, record);
    }
    let mut wrong = as_json(&mixed());
    wrong["cases"][0]["verdict"] = "green".into();
    assert!(!validator.is_valid(&wrong), "a schema that takes everything proves nothing");
}

#[test]
fn a_record_without_its_last_key_is_unfinished() {
    let mut value = as_json(&mixed());
    value.as_object_mut().unwrap().remove("complete");
    let record: RunRecord = serde_json::from_value(value).unwrap();
    assert!(!record.complete);
}
