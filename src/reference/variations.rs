//! Lawful differences: what another registry may do, and no case may call a failure.

use std::sync::LazyLock;

use super::policy::Seam;

/// One lawful difference.
#[derive(Debug, Clone, Copy)]
pub struct Variation {
    /// Kebab-case, for ever stable.
    pub name: &'static str,
    /// What the registry does.
    pub sentence: &'static str,
    /// Where it decides, and how.
    pub(super) seams: &'static [Seam],
}

static ALL: LazyLock<Vec<Variation>> = LazyLock::new(Vec::new);

/// Every variation.
pub fn variations() -> &'static [Variation] {
    &ALL
}
