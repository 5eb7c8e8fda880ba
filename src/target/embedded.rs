//! Barriers of the embedded registry: it has all that the other registries have.

use std::io;
use std::time::Duration;

use super::act::Trouble;
use super::open::{Guard, Live};
use crate::engine::Meter;
use crate::reference::{Config, Ended, Running, Stance};
use crate::suite::barrier::Barrier;

impl Live {
    /// Measures the embedded registry, where it is the target.
    pub(super) fn reference_meter(&self) -> Option<Meter> {
        match &self.guard {
            Guard::Reference(running) => Some(running.meter()),
            _ => None,
        }
    }
}

/// How long a collection of the embedded registry takes at least that requests are to meet: it would be over before the first.
const MET: Duration = Duration::from_millis(200);

/// What the next start is to be.
type Change = Box<dyn FnOnce(&mut Config) + Send>;

/// Does what a barrier stands for to the embedded registry. Its upgrade is to the next version of itself, which has the
/// other stance; its downgrade leads back.
pub(super) async fn perform(
    live: &mut Live,
    barrier: Barrier,
    is_met: bool,
    output: &mut String,
) -> Result<(), Trouble> {
    let first = live.spec.reference.as_ref().map(|config| config.stance.clone()).unwrap_or_default();
    let Guard::Reference(running) = &mut live.guard else { return Ok(()) };
    let (ended, change): (Ended, Change) = match barrier {
        Barrier::Gc => {
            let collected = running.collect_aside(if is_met { MET } else { Duration::ZERO }).await;
            *output =
                collected.map_err(|e| Trouble::new("the collection failed", e.to_string()))?.to_json().to_string();
            return Ok(());
        }
        Barrier::Restart => (Ended::Orderly, Box::new(|_| {})),
        Barrier::Kill => (Ended::Killed, Box::new(|_| {})),
        Barrier::Upgrade => (
            Ended::Orderly,
            Box::new(move |config| {
                config.version += 1;
                config.stance = other(&first);
            }),
        ),
        Barrier::Downgrade => (
            Ended::Orderly,
            Box::new(move |config| {
                config.version = config.version.saturating_sub(1);
                config.stance = first;
            }),
        ),
        _ => return Err(Trouble::new(format!("it has no `{barrier}`"), "")),
    };
    running.restart(ended, change).await.map_err(|e| Trouble::new("it does not start again", e.to_string()))?;
    live.is_there().await
}

/// A second embedded registry on the storage of this one: its next version, which has the other stance.
///
/// # Errors
/// There is no free port.
pub(super) fn beside(running: &Running, first: &Stance) -> io::Result<Running> {
    running.beside(|config| {
        config.version += 1;
        config.stance = other(first);
    })
}

/// The stance of the next version.
fn other(stance: &Stance) -> Stance {
    match stance {
        Stance::Accept => Stance::Refuse,
        Stance::Refuse | Stance::Require(_) => Stance::Accept,
    }
}
