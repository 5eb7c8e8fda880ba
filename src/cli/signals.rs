//! Ctrl-C, SIGTERM and SIGHUP, heard instead of obeyed: what was started is ended, and what was created removed, first.

use futures_util::future::OptionFuture;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears the signals that ask a verb to end.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None under `nohup`, which asks that a terminal that is closed ends nothing.
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// The next signal's number.
    pub async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            Some(_) = OptionFuture::from(self.hangup.as_mut().map(Signal::recv)) => SignalKind::hangup().as_raw_value(),
        }
    }
}

/// Whether whoever started us wants SIGHUP, the lowest bit of the mask, to do nothing.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
