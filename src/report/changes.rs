//! What a registry became at a barrier, in the words of `diff`: its stance, its capabilities, and the answers that tell them.

use std::collections::BTreeMap;

use super::diff::{self, Found};
use crate::record::{Change, StanceRecord, TargetRecord};
use crate::target::argument::REFERENCE;
use crate::target::claims::is;
use crate::target::findings::{Finding, Findings, Is, StanceFinding};

/// What was found at one time.
#[derive(Debug, Clone, Default)]
pub struct Was {
    stance: BTreeMap<String, StanceRecord>,
    capabilities: BTreeMap<String, Finding>,
}

impl Was {
    /// Of stances and capabilities.
    pub fn new(oci: &StanceFinding, docker: &StanceFinding, capabilities: BTreeMap<String, Finding>) -> Was {
        let record = |found: &StanceFinding| StanceRecord { found: found.clone(), claimed: None };
        let stance = [("oci".to_owned(), record(oci)), ("docker".to_owned(), record(docker))].into();
        Was { stance, capabilities }
    }

    /// Of findings.
    pub fn of(findings: &Findings) -> Was {
        Was::new(&findings.oci, &findings.docker, findings.capabilities.clone())
    }
}

/// What changed from the one to the other, a line each.
pub fn changes(was: &Was, now: &Was) -> Vec<Change> {
    let accepted = |words: &Option<String>| words.as_deref() == Some("accept");
    let stances = diff::stance(&was.stance, &now.stance).into_iter().map(|change| Change {
        worse: change.what == Found::Broke || accepted(&change.was) && !accepted(&change.now),
        text: words(
            &format!("stance for {}", change.format),
            change.what,
            change.was.as_deref().unwrap_or("not found"),
            change.now.as_deref().unwrap_or("not found"),
        ),
        was: change.was_evidence.unwrap_or_default(),
        now: change.now_evidence.unwrap_or_default(),
    });
    let said = |found: Option<Is>| found.map_or("not probed", is);
    let capabilities = diff::capabilities(&was.capabilities, &now.capabilities).into_iter().map(|change| Change {
        worse: change.what == Found::Broke,
        text: words(&change.name, change.what, said(change.was), said(change.now)),
        was: change.was_evidence.unwrap_or_default(),
        now: change.now_evidence.unwrap_or_default(),
    });
    stances.chain(capabilities).collect()
}

/// What is to be known of the changes of the embedded registry: they are no accident.
pub fn on_purpose(target: &TargetRecord) -> Option<&'static str> {
    let embedded = target.name == REFERENCE && target.product.is_none();
    embedded.then_some("on purpose: the embedded registry is upgraded to a version of the other stance, and back, so that this changes")
}

/// Whether a change is to stand out: something is taken no more, and nobody meant it so.
pub fn stands_out(target: &TargetRecord, change: &Change) -> bool {
    change.worse && on_purpose(target).is_none()
}

fn words(what: &str, how: Found, was: &str, now: &str) -> String {
    match how {
        Found::Answers => format!("{what}: is {now} as it was, by other answers"),
        _ => format!("{what}: was {was}; now {now}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::model::StanceWord;

    fn was(oci: StanceWord, evidence: &str, delete: Is) -> Was {
        let stance = |is, evidence: &str| StanceFinding {
            is,
            platforms: Vec::new(),
            scope: None,
            evidence: evidence.to_owned(),
        };
        let delete = Finding { is: delete, evidence: "DELETE".into() };
        let docker = stance(StanceWord::Refuse, "docker");
        Was::new(&stance(oci, evidence), &docker, [("delete.tag".to_owned(), delete)].into())
    }

    #[test]
    fn a_change_is_told_in_words_and_what_takes_no_more_stands_out() {
        let refuses = was(StanceWord::Refuse, "400", Is::Absent);
        let accepts = was(StanceWord::Accept, "201", Is::Supported);
        let told = |all: Vec<Change>| all.into_iter().map(|c| (c.text, c.worse)).collect::<Vec<_>>();
        assert_eq!(told(changes(&refuses, &refuses)), []);
        assert_eq!(
            told(changes(&refuses, &accepts)),
            [
                ("stance for oci: was refuse; now accept".to_owned(), false),
                ("delete.tag: was absent; now supported".to_owned(), false),
            ]
        );
        assert!(changes(&accepts, &refuses).iter().any(|change| change.worse));
        assert!(changes(&accepts, &was(StanceWord::Accept, "201", Is::Broken)).iter().all(|change| change.worse));
        let coded = was(StanceWord::Refuse, "404", Is::Absent);
        assert_eq!(
            told(changes(&refuses, &coded)),
            [("stance for oci: is refuse as it was, by other answers".to_owned(), false)]
        );
    }
}
