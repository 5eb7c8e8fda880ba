//! What a case makes of an answer: mismatches, or a halt where it is none.

use std::collections::BTreeSet;

use super::ask::{Asked, Question, is_busy};
use super::case::{Case, Halt};
use super::expect::{self, Observation, World, lists::Listing};
use super::outcome::{Mismatch, NotAsked};
use crate::suite::assertion::StatusItem;
use crate::suite::model::Expectation;
use crate::suite::requirement::Level;
use crate::wire::FailureKind;

/// What judging found.
#[derive(Debug, Default)]
pub struct Found {
    /// What did not hold.
    pub mismatches: Vec<Mismatch>,
    /// Requirements that were evaluated.
    pub observed: BTreeSet<String>,
    /// The strongest level at which a status did not hold.
    pub broken: Option<Level>,
}

/// Keys of assertions about the wording of an error, which does not depend on when it is asked for.
const WORDING: &[&str] = &["form", "code", "not-code", "detail"];

impl Found {
    /// Whether any of it may be gone when it is asked for again.
    pub(super) fn may_come_right(&self) -> bool {
        self.mismatches.iter().any(|mismatch| !WORDING.contains(&mismatch.key.as_str()))
    }

    /// It was asked for again, and came right but for the wording, so many seconds after what it waits for.
    pub(super) fn came_right(&mut self, later: Found, seconds: f64) {
        self.mismatches.retain(|mismatch| !WORDING.contains(&mismatch.key.as_str()));
        self.mismatches.iter_mut().for_each(|mismatch| mismatch.late = Some(seconds));
        self.mismatches.extend(later.mismatches);
        self.observed.extend(later.observed);
    }
}

impl Case {
    /// A halt, where what came is no answer.
    pub(super) fn no_answer(&self, question: &Question, asked: &Asked) -> Option<Halt> {
        let label = &question.label;
        let text = |what: String| format!("step {}: {label}: {what}", self.step + 1);
        match &asked.exchange.result {
            Ok(response) if is_busy(&asked.exchange) && !expects(&question.expect, response.status) => {
                let text = text(format!("status {} twice: the registry will not answer now", response.status));
                Some(Halt::NotAsked(NotAsked { kind: Some(FailureKind::Unavailable), text }))
            }
            // What was not looked at did not hold.
            Ok(_) => asked.located.as_ref().filter(|_| asked.is_location_silent()).map(|located| {
                let (kind, what) = match &located.result {
                    Ok(response) => (FailureKind::Unavailable, format!("status {} twice", response.status)),
                    Err(failure) => (failure.kind, failure.text.clone()),
                };
                Halt::NotAsked(NotAsked { kind: Some(kind), text: text(format!("its Location: {what}")) })
            }),
            Err(_) if asked.wrong.is_some() && !question.expect.is_empty() => None,
            Err(failure) => {
                let kind = Some(failure.kind);
                Some(Halt::NotAsked(NotAsked { kind, text: text(failure.text.clone()) }))
            }
        }
    }

    /// Judges an answer of one page or several. The first page carries the list of all.
    pub(super) fn judge(&self, question: &Question, pages: &[Asked], listing: Option<&Listing>) -> Found {
        let mut found = Found::default();
        let level = |requirement: &str| (self.run.options.levels)(requirement);
        let expect = &question.expect;
        let repository = self.repositories.get(&question.repository).map_or("", String::as_str);
        if self.is_of_others(question, repository) {
            return found;
        }
        let absent = match &question.subject.node {
            Some(node) if expect.iter().any(|e| e.assertion.detail.is_some()) => {
                self.facts.absent_children(&question.repository, node)
            }
            _ => Vec::new(),
        };
        let none = BTreeSet::new();
        let foreign = self.facts.of(&question.repository).map_or(&none, |known| &known.foreign);
        let world = World { content: &self.content, repository, absent_children: &absent, named: &self.named, foreign };
        for (page, asked) in pages.iter().enumerate() {
            let first = self.exchanges.len() + page;
            let mut add = |expectation: &Expectation, fault: expect::Fault| {
                let requirement = fault.requirement.unwrap_or(&expectation.requirement).to_owned();
                if fault.key == "status" {
                    found.broken = found.broken.max(Some(level(&requirement)));
                }
                found.observed.insert(requirement.clone());
                found.mismatches.push(Mismatch {
                    requirement,
                    step: self.step,
                    label: question.label.clone(),
                    key: fault.key.to_owned(),
                    expected: fault.expected,
                    got: fault.got,
                    diff: fault.diff,
                    source: expectation.source.clone(),
                    exchange: Some(first + fault.page),
                    late: None,
                });
            };
            match &asked.exchange.result {
                Err(_) => {
                    if let (Some(wrong), Some(expectation)) = (&asked.wrong, strongest(expect, &level)) {
                        add(expectation, no_message(expectation, wrong));
                    }
                }
                Ok(response) if is_busy(&asked.exchange) && !expects(expect, response.status) => {}
                Ok(response) => {
                    let seen = Observation {
                        method: &asked.exchange.request.method,
                        response,
                        subject: &question.subject,
                        located: asked.located.as_ref(),
                        listing: listing.filter(|_| page == 0),
                        page,
                    };
                    let judged = expect::judge(expect, &seen, &world, &level);
                    let silent = asked.is_location_silent();
                    let faults = judged.faults.into_iter().filter(|(_, fault)| !(silent && fault.key == "location"));
                    faults.for_each(|(expectation, fault)| add(expectation, fault));
                    found.observed.extend(judged.observed.into_iter().map(str::to_owned));
                }
            }
        }
        found
    }

    /// Says that a request within a step, of which the case expects nothing of its own, was answered otherwise than the spec
    /// says: under the step's strongest requirement.
    pub(super) fn detour(&mut self, question: &Question, key: &str, expected: &str, got: String) -> Option<Level> {
        let level = |requirement: &str| (self.run.options.levels)(requirement);
        let expectation = strongest(&question.expect, &level)?;
        let level = level(&expectation.requirement);
        self.observed.insert(expectation.requirement.clone());
        self.mismatches.push(Mismatch {
            requirement: expectation.requirement.clone(),
            step: self.step,
            label: question.label.clone(),
            key: key.to_owned(),
            expected: expected.to_owned(),
            got,
            diff: None,
            source: expectation.source.clone(),
            exchange: self.exchanges.len().checked_sub(1),
            late: None,
        });
        Some(level)
    }
}

/// Whether any expectation names this very status; a class that it belongs to does not count.
fn expects(expect: &[Expectation], status: u16) -> bool {
    let statuses = expect.iter().filter_map(|e| e.assertion.status.as_ref());
    statuses.flat_map(|s| s.items()).any(|item| *item == StatusItem::Value(status))
}

/// The first expectation of the highest level.
fn strongest<'e>(expect: &'e [Expectation], level: &dyn Fn(&str) -> Level) -> Option<&'e Expectation> {
    let highest = expect.iter().map(|e| level(&e.requirement)).max()?;
    expect.iter().find(|e| level(&e.requirement) == highest)
}

/// An answer that cannot be read as one, and a connection that is closed on this request and on no other, are answers:
/// wrong ones.
fn no_message(expectation: &Expectation, wrong: &str) -> expect::Fault {
    let expected = match &expectation.assertion.status {
        Some(status) => format!("status {status}"),
        None => "an answer".into(),
    };
    expect::Fault::new("status", expected, wrong)
}
