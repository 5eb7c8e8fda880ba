//! Mutants, made by machine: each kind of answer that the registry gives, wrong in each systematic way.
//!
//! Unlike a defect nobody thought of a mutant: a [`Witness`] sees which kinds of answers a run gets and what they look
//! like, and [`mutants`] makes every [`Wrong`] of every [`Kind`] out of that. What no case notices is a hole in the suites,
//! or is left open by a text.

mod kind;
mod spoil;
mod spread;
mod witness;
mod wrong;

pub use kind::Kind;
pub(super) use spread::Spoiler;
pub use spread::Spread;
pub use witness::{Shape, Witness};
pub use wrong::Wrong;

use std::collections::BTreeMap;

use super::answer::Answer;
use super::policy::Memory;
use super::question::{Asked, Change};

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

    /// The answer as the mutant gives it, who remembers earlier ones; `None` where it gives the right one.
    fn spoil(&self, asked: &Asked, memory: &Memory, right: &Answer) -> Option<Answer> {
        (Kind::of(asked, right) == self.kind).then(|| spoil::spoil(&self.wrong, asked, memory, right)).flatten()
    }

    /// What is wrong with the effect of a change, where it is of the kind that this is about.
    fn without(&self, cause: &Change) -> Option<&Wrong> {
        self.kind.is_of(cause).then_some(&self.wrong)
    }
}

/// Every mutant of answers that look so, in the order of their names.
pub fn mutants(shapes: &BTreeMap<Kind, Shape>) -> impl Iterator<Item = Mutant> {
    shapes
        .iter()
        .flat_map(|(kind, shape)| Wrong::all(kind, shape).into_iter().map(|wrong| Mutant { kind: kind.clone(), wrong }))
}
