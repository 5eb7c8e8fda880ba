//! The catalogue of defects: each is one wrong decision, at a seam of [`super::policy`].
//!
//! A defect knows no case, repository or fixture: it is wrong about a kind of content or request, as products have been.

use std::sync::LazyLock;

use super::policy::Seam;

/// One wrong decision.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// Kebab-case, for ever stable.
    pub name: &'static str,
    /// What the registry does wrong.
    pub sentence: &'static str,
    /// The requirement that it breaks, by its id in `suites/requirements.yaml`.
    pub requirement: &'static str,
    /// The stances in which it shows.
    pub stances: Stances,
    /// Where it decides, and how.
    pub(super) seams: &'static [Seam],
}

/// The stances in which a defect shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stances {
    /// In each.
    Every,
    /// Where an index with absent children is accepted.
    Accept,
    /// Where it is refused.
    Refuse,
    /// Where platforms are required.
    Require,
}

impl Stances {
    /// Whether it shows in the stance of this word (`accept`, `refuse`, `require`).
    pub fn include(self, word: &str) -> bool {
        match self {
            Stances::Every => true,
            Stances::Accept => word == "accept",
            Stances::Refuse => word == "refuse",
            Stances::Require => word == "require",
        }
    }
}

static ALL: LazyLock<Vec<Defect>> = LazyLock::new(|| {
    let areas: [&[Defect]; 0] = [];
    areas.concat()
});

/// Every defect, by area.
pub fn defects() -> &'static [Defect] {
    &ALL
}
