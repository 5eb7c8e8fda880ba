//! A run's two signals: the first asks to stop and to clean up, the second ends at once, and what was launched with it.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::exit::Exit;
use super::output;
use super::signals::Signals;
use crate::engine::Stop;
use crate::target::groups;

/// Signals that come within this time are one: `timeout` sends its own to the process and then to the group, and a terminal
/// that is closed sends two kinds.
const ONE: Duration = Duration::from_millis(500);

/// Which signal came, if one did.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<Option<i32>>);

impl Interrupt {
    /// Listens from now on; gives what the first signal stops.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn listen(verb: &'static str) -> std::io::Result<(Interrupt, Stop)> {
        let mut signals = Signals::new()?;
        let (stopper, stop) = Stop::pair();
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            sender.send_replace(Some(signals.next().await));
            let first = Instant::now();
            output::complain(verb, "stopping: cleaning up and writing the reports; once more ends at once");
            stopper.stop();
            let second = loop {
                let signal = signals.next().await;
                if first.elapsed() > ONE {
                    break signal;
                }
            };
            groups::kill_all();
            std::process::exit(Exit::Signal(second).code().into());
        });
        Ok((Interrupt(receiver), stop))
    }

    /// The first signal's number.
    pub fn number(&self) -> Option<i32> {
        *self.0.borrow()
    }
}
