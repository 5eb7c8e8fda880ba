//! What came of a case, before anybody judges it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::suite::model::Source;
use crate::wire::{Exchange, FailureKind};

/// What was observed of one case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case's id.
    pub id: String,
    /// The round in which it ended: how many barriers the run had passed.
    pub round: u32,
    /// Everything that did not hold, in order.
    pub mismatches: Vec<Mismatch>,
    /// Every requirement that was observed (its assertion was evaluated on a response), sorted, each once.
    pub observed: Vec<String>,
    /// Set where the case could not be asked to its end.
    pub error: Option<NotAsked>,
    /// Whether the registry gave any answer, right or wrong; 429 and 503 are none.
    pub answered: bool,
    /// Every exchange, with the step that it belongs to.
    pub exchanges: Vec<StepExchange>,
    /// By how much the storage grew, for each time that it was compared.
    pub usage: Vec<Grown>,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Requests sent, redirects and tokens too.
    pub requests: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received.
    pub bytes_received: u64,
}

impl Outcome {
    /// Whether everything held, and something was looked at.
    pub fn is_spotless(&self) -> bool {
        self.error.is_none() && self.mismatches.is_empty() && !self.observed.is_empty()
    }
}

/// By how much a storage grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Grown {
    /// Bytes; negative where something else went meanwhile.
    pub bytes: i64,
    /// Files.
    pub files: i64,
    /// Bytes of what was pushed meanwhile, and is still there.
    pub pushed: u64,
}

/// An exchange within a case.
#[derive(Debug, Clone)]
pub struct StepExchange {
    /// Number of the step, from 0.
    pub step: usize,
    /// What it was for: `put index by tag`, `pull amd64/layer-0`.
    pub label: String,
    /// The exchange.
    pub exchange: Exchange,
    /// The lane that it was sent in, where the step has lanes.
    pub lane: Option<InLane>,
}

/// An exchange's place in a race.
#[derive(Debug, Clone, PartialEq)]
pub struct InLane {
    /// The lane's name.
    pub name: Arc<str>,
    /// When it was sent, in seconds since the step began.
    pub begin: f64,
    /// When its answer was there.
    pub end: f64,
}

/// One thing that did not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The requirement that it breaks.
    pub requirement: String,
    /// Number of the step, from 0.
    pub step: usize,
    /// What the step was doing: `get ppc64le by digest`.
    pub label: String,
    /// The assertion's key: `status`, `code`, `body`, ...
    pub key: String,
    /// What was expected, short.
    pub expected: String,
    /// What came, short and stable over runs (no digests, ids or times): `status 500`. Known failures match it.
    pub got: String,
    /// First differing byte and, where both are text, a unified diff; of a barrier's action the end of what it wrote.
    pub diff: Option<String>,
    /// Where the expectation stands.
    pub source: Source,
    /// Index into [`Outcome::exchanges`].
    pub exchange: Option<usize>,
    /// Held after all within a declared or measured window: seconds that it took. Such a mismatch is a warning.
    pub late: Option<f64>,
}

/// Why a case could not be asked to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct NotAsked {
    /// The kind, or `None` where it is not the target's doing.
    pub kind: Option<FailureKind>,
    /// What happened, with the step.
    pub text: String,
}
