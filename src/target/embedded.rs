//! Barriers of the embedded registry: it has all that the other registries have.

use super::act::Trouble;
use super::open::{Guard, Live};
use crate::suite::barrier::Barrier;

/// Does what a barrier stands for to the embedded registry.
pub(super) async fn perform(live: &mut Live, barrier: Barrier, output: &mut String) -> Result<(), Trouble> {
    let Guard::Reference(running) = &mut live.guard else { return Ok(()) };
    match barrier {
        Barrier::Gc => {
            let collected = running.collect().map_err(|e| Trouble::new("the collection failed", e.to_string()))?;
            *output = collected.to_json().to_string();
            Ok(())
        }
        _ => Err(Trouble::new(format!("it has no `{barrier}`"), "")),
    }
}
