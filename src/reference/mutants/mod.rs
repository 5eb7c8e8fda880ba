//! Mutants, made by machine: each kind of answer that the registry gives, wrong in each systematic way.
//!
//! Unlike a defect nobody thought of a mutant: a [`Witness`] sees which kinds of answers a run gets and what they look
//! like, and [`mutants`] makes every [`Wrong`] of every [`Kind`] out of that. What no case notices is a hole in the suites,
//! or is left open by a text.

mod kind;
mod spoil;
mod witness;
mod wrong;

pub use kind::Kind;
pub use witness::{Shape, Witness};
pub use wrong::Wrong;

use std::collections::BTreeMap;

use super::answer::Answer;
use super::policy::Memory;
use super::question::{Asked, Change};
use super::state::Write;

/// One kind of answer, wrong in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mutant {
    /// Which answers.
    pub kind: Kind,
    /// What is wrong with them.
    pub wrong: Wrong,
}

impl Mutant {
    /// `GET/manifest-by-tag/200/docker-content-digest/dropped`: the kind, and what is wrong.
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind, self.wrong)
    }

    /// The answer as the mutant gives it. Each answer is remembered, for those that are given again.
    pub(super) fn finish(&self, asked: &Asked, memory: &mut Memory, right: Answer) -> Answer {
        let kind = Kind::of(asked, &right);
        let spoilt = if kind == self.kind { spoil::spoil(&self.wrong, asked, memory, &right) } else { None };
        memory.keep(&kind.question(), &right);
        spoilt.unwrap_or(right)
    }

    /// What a change writes: nothing, where the effect is missing, and with the next change, where it is late.
    pub(super) fn store(&self, cause: &Change, late: &mut Vec<Write>, right: Vec<Write>) -> Vec<Write> {
        let mut writes = std::mem::take(late);
        match self.wrong {
            Wrong::Undone if self.kind.is_of(cause) => {}
            Wrong::Late if self.kind.is_of(cause) => *late = right,
            _ => writes.extend(right),
        }
        writes
    }
}

/// Every mutant of answers that look so, in the order of their names.
pub fn mutants(shapes: &BTreeMap<Kind, Shape>) -> impl Iterator<Item = Mutant> {
    shapes
        .iter()
        .flat_map(|(kind, shape)| Wrong::all(kind, shape).into_iter().map(|wrong| Mutant { kind: kind.clone(), wrong }))
}
