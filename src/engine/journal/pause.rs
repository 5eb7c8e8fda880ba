//! Lines of a run that ended at a barrier, for it to go on another day.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Entry, Journal};
use crate::engine::pause::Saved;
use crate::record::Round;
use crate::suite::barrier::Barrier;
use crate::target::findings::{Findings, Is, StanceFinding};

/// A run that ended at a barrier: all that is not of one case. The lines of those that wait come after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Paused {
    /// The barrier.
    pub barrier: Barrier,
    /// How many cases wait.
    pub cases: u64,
    /// Digest of the suites.
    pub suites: String,
    /// Barriers that were passed until then.
    pub rounds: Vec<Round>,
    /// What the probe had found.
    pub found: Found,
}

/// What a probe found, as far as it is compared with what the next one finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Found {
    /// For OCI indexes.
    pub oci: StanceFinding,
    /// For Docker manifest lists.
    pub docker: StanceFinding,
    /// By name.
    pub capabilities: BTreeMap<String, Is>,
    /// What showed them, by name.
    #[serde(default)]
    pub evidence: BTreeMap<String, String>,
}

impl Found {
    /// Of these findings.
    pub fn of(findings: &Findings) -> Found {
        Found {
            oci: findings.oci.clone(),
            docker: findings.docker.clone(),
            capabilities: findings.capabilities.iter().map(|(name, found)| (name.clone(), found.is)).collect(),
            evidence: findings.capabilities.iter().map(|(name, f)| (name.clone(), f.evidence.clone())).collect(),
        }
    }
}

/// A line of a pause.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Said {
    /// The run ended at a barrier.
    Paused(Box<Paused>),
    /// A case waits.
    Waiting(Box<Saved>),
    /// A case is about to go on, and waits no more.
    Resumed { case: String },
    /// None goes on any more: what they left is about to be removed.
    GivenUp {},
    /// The run came to its end, and its clean-up too: what it could not remove was said.
    Ended {},
}

impl Said {
    /// The repositories that it names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let saved = if let Said::Waiting(saved) = self { Some(saved) } else { None };
        saved.into_iter().flat_map(|saved| saved.repositories.values()).map(String::as_str)
    }
}

/// Any line but the first.
pub(super) enum Any {
    Thing(Entry),
    Pause(Said),
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Any, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let word = value.get("op").and_then(|op| op.as_str()).unwrap_or_default();
        let any = match word {
            "paused" | "waiting" | "resumed" | "given-up" | "ended" => serde_json::from_value(value).map(Any::Pause),
            _ => serde_json::from_value(value).map(Any::Thing),
        };
        any.map_err(serde::de::Error::custom)
    }
}

/// What the lines of pauses come to.
#[derive(Default)]
pub(super) struct Pauses {
    pub paused: Option<Paused>,
    pub waiting: BTreeMap<String, (usize, Saved)>,
    /// Lines that are still to come.
    pub missing: u64,
    /// The run came to its end.
    pub ended: bool,
}

impl Pauses {
    /// Takes the line with this number, from 1.
    pub fn take(&mut self, line: usize, said: Said) {
        match said {
            Said::Paused(paused) => {
                self.missing = paused.cases;
                self.paused = Some(*paused);
            }
            Said::Waiting(saved) => {
                self.missing = self.missing.saturating_sub(1);
                self.waiting.insert(saved.case.clone(), (line, *saved));
            }
            Said::Resumed { case } => drop(self.waiting.remove(&case)),
            Said::Ended {} => self.ended = true,
            Said::GivenUp {} => {
                self.waiting.clear();
                self.missing = 0;
            }
        }
    }
}

impl Journal {
    /// Says that the run ends at a barrier, and who waits.
    ///
    /// # Errors
    /// The file cannot be written: the run cannot go on another day.
    pub fn paused(&self, paused: &Paused, waiting: &[Saved]) -> std::io::Result<()> {
        self.line(&Said::Paused(Box::new(paused.clone())))?;
        waiting.iter().try_for_each(|saved| self.line(&Said::Waiting(Box::new(saved.clone()))))
    }

    /// Says that a case goes on, and waits no more.
    ///
    /// # Errors
    /// The file cannot be written: then it must not go on, for it could twice.
    pub fn resumed(&self, case: &str) -> std::io::Result<()> {
        self.line(&Said::Resumed { case: case.to_owned() })
    }

    /// Says that the run came to its end. A line that cannot be written is no loss: the journal is kept for longer.
    pub fn ended(&self) {
        let _ = self.line(&Said::Ended {});
    }

    /// Says that nobody goes on who waited.
    ///
    /// # Errors
    /// The file cannot be written: then nothing of theirs must be removed.
    pub fn given_up(&self) -> std::io::Result<()> {
        self.line(&Said::GivenUp {})
    }
}
