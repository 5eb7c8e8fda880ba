//! Lawful differences: what another registry may do, and no case may call a failure.
//!
//! They sit at the seams of [`super::policy`], as defects do, or are a choice of [`Config`].

mod answers;
mod auth;
mod collection;
mod content;
mod lists;
mod paths;
mod pushes;
mod race;
mod ranges;
mod untagged;
mod uploads;

use std::sync::LazyLock;

use super::config::Config;
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
    /// What it configures.
    pub(super) configure: fn(&mut Config),
}

impl Variation {
    /// A difference at seams.
    const fn new(name: &'static str, sentence: &'static str, seams: &'static [Seam]) -> Variation {
        Variation { name, sentence, seams, configure: |_| {} }
    }

    /// A difference of configuration.
    const fn configured(name: &'static str, sentence: &'static str, configure: fn(&mut Config)) -> Variation {
        Variation { name, sentence, seams: &[], configure }
    }
}

static ALL: LazyLock<Vec<Variation>> = LazyLock::new(|| {
    [
        answers::VARIATIONS,
        auth::VARIATIONS,
        collection::VARIATIONS,
        content::VARIATIONS,
        lists::VARIATIONS,
        pushes::VARIATIONS,
        paths::VARIATIONS,
        race::VARIATIONS,
        ranges::VARIATIONS,
        untagged::VARIATIONS,
        uploads::VARIATIONS,
    ]
    .concat()
});

/// Whether a registry of this configuration takes writes while it collects.
pub fn writes_while_collecting(config: &Config) -> bool {
    let mut configured = config.clone();
    let named = variations().iter().filter(|variation| config.variations.contains(variation.name));
    named.for_each(|variation| (variation.configure)(&mut configured));
    configured.gc.refuses.is_none()
}

/// Every variation, by area.
pub fn variations() -> &'static [Variation] {
    &ALL
}
