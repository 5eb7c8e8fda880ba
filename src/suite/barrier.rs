//! Barriers: points where the cases of a run meet, while something happens to the registry that no request can do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens at a barrier. Ordered as ties between barriers are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Barrier {
    /// Garbage is collected.
    Gc,
    /// The registry is ended in order, and started again.
    Restart,
    /// The registry is killed (`kill -9`), and started again.
    Kill,
    /// The time passes after which the product drops content by itself (the profile's `windows.expiry`).
    Expiry,
    /// Another registry copies this one.
    Mirror,
    /// The registry becomes its newer version or other configuration.
    Upgrade,
    /// The registry becomes again what it was.
    Downgrade,
}

impl Barrier {
    /// Every barrier, in order.
    pub const ALL: [Barrier; 7] = [
        Barrier::Gc,
        Barrier::Restart,
        Barrier::Kill,
        Barrier::Expiry,
        Barrier::Mirror,
        Barrier::Upgrade,
        Barrier::Downgrade,
    ];

    /// Its word in case files and profiles.
    pub fn word(self) -> &'static str {
        match self {
            Barrier::Gc => "gc",
            Barrier::Restart => "restart",
            Barrier::Kill => "kill",
            Barrier::Expiry => "expiry",
            Barrier::Mirror => "mirror",
            Barrier::Upgrade => "upgrade",
            Barrier::Downgrade => "downgrade",
        }
    }

    /// The barrier of this word.
    ///
    /// # Errors
    /// There is none: says which there are.
    pub fn parse(text: &str) -> Result<Barrier, String> {
        Barrier::ALL.into_iter().find(|barrier| barrier.word() == text).ok_or_else(|| {
            let words: Vec<&str> = Barrier::ALL.iter().map(|barrier| barrier.word()).collect();
            format!(
                "`{text}` is no barrier{}; they are {}",
                crate::near::hint(text, words.iter().copied()),
                words.join(", ")
            )
        })
    }

    /// The requirement that its action ends well.
    pub fn requirement(self) -> &'static str {
        match self {
            Barrier::Gc => "gc.finishes",
            Barrier::Restart => "restart.comes-back",
            Barrier::Kill => "kill.comes-back",
            Barrier::Expiry => "expiry.registry-stays",
            Barrier::Mirror => "mirror.finishes",
            Barrier::Upgrade => "upgrade.comes-back",
            Barrier::Downgrade => "downgrade.comes-back",
        }
    }

    /// The first part of the names of what must hold after it: of requirements (`gc.keeps-manifest`), and of the bundles
    /// (`gc-served`) by which `pull` expects what was pushed before.
    pub fn law(self) -> &'static str {
        match self {
            Barrier::Gc => "gc",
            Barrier::Restart | Barrier::Kill => "restart",
            Barrier::Expiry => "expiry",
            Barrier::Mirror => "mirror",
            Barrier::Upgrade | Barrier::Downgrade => "upgrade",
        }
    }

    /// Whether it makes another registry of it: then all that a case has still to ask of the old one is asked before.
    pub fn changes_version(self) -> bool {
        matches!(self, Barrier::Upgrade | Barrier::Downgrade)
    }
}

impl std::fmt::Display for Barrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
