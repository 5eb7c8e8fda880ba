use std::collections::{BTreeMap, BTreeSet};

use super::super::{defects, variations};
use super::*;
use crate::proof::coverage::case_name;
use crate::suite::{SuiteSource, load};

fn is_kebab(name: &str) -> bool {
    name.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

#[test]
fn names_are_unique_and_sentences_are_sentences() {
    let rows = defects().iter().map(|d| (d.name, d.sentence)).chain(variations().iter().map(|v| (v.name, v.sentence)));
    let mut names = BTreeSet::new();
    for (name, sentence) in rows {
        assert!(is_kebab(name) && names.insert(name), "{name}");
        assert!(sentence.ends_with('.') && !sentence.contains("  "), "{name}: {sentence}");
    }
    assert!(defects().len() >= 80 && variations().len() >= 20);
}

#[test]
fn each_defect_breaks_requirements_that_there_are() {
    let library = load(&SuiteSource::Shipped).unwrap();
    for defect in defects() {
        let broken = std::iter::once(&defect.requirement).chain(defect.also);
        let unknown: Vec<_> = broken.filter(|id| !library.requirements.contains_key(**id)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", defect.name);
    }
}

/// A case that shows no more than many others do adds nothing: each has a defect that few name.
#[test]
fn each_case_has_a_defect_that_few_cases_name() {
    const FEW: usize = 5;
    let library = load(&SuiteSource::Shipped).unwrap();
    let mut named = BTreeMap::<&str, BTreeSet<String>>::new();
    for case in &library.instances {
        for defect in &case.caught_by {
            named.entry(defect).or_default().insert(case_name(&case.id));
        }
    }
    let few = |defect: &String| named[defect.as_str()].len() <= FEW;
    let adds_nothing = library.instances.iter().filter(|case| !case.caught_by.iter().any(few));
    let adds_nothing: BTreeSet<String> = adds_nothing.map(|case| case_name(&case.id)).collect();
    assert!(adds_nothing.is_empty(), "{adds_nothing:?}");
}

#[tokio::test]
async fn a_name_that_is_in_no_catalogue_does_not_start() {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let wrong = Config { defects: ["no-such-defect"].into(), ..Config::default() };
    assert!(start(wrong, listen).await.is_err_and(|e| e.to_string().contains("no-such-defect")));
    let wrong = Config { variations: ["no-such-variation"].into(), ..Config::default() };
    assert!(start(wrong, listen).await.is_err());
}

#[tokio::test]
async fn a_defect_is_wrong_and_stopping_ends_it() {
    let peer = Peer::new(Config { defects: ["tags-n-zero-500"].into(), ..Config::default() }).await;
    assert_eq!(peer.put("a", "t", OCI_INDEX, &index(&[])).await.status, 201);
    assert_eq!(peer.status("GET", "/v2/a/tags/list?n=0").await, 500);
    assert_eq!(peer.status("GET", "/v2/a/tags/list?n=1").await, 200);
    peer.running.stop().await;
    assert!(peer.client.send(Ask::new("GET", "/v2/")).await.result.is_err());
}
