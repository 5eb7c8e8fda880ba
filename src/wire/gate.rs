//! A target's rate: so many requests a second, evenly.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets requests through one after the other.
#[derive(Debug)]
pub(crate) struct Gate {
    interval: Option<Duration>,
    next: Mutex<Instant>,
}

impl Gate {
    /// For so many requests a second; `None` lets everything through.
    ///
    /// # Errors
    /// The rate is no positive number.
    pub fn new(rate: Option<f64>) -> Result<Gate, String> {
        let interval = match rate {
            None => None,
            Some(rate) if rate.is_finite() && rate >= 0.001 => Some(Duration::from_secs_f64(1.0 / rate)),
            Some(rate) => return Err(format!("limits.rate: {rate} requests a second cannot be kept to")),
        };
        Ok(Gate { interval, next: Mutex::new(Instant::now()) })
    }

    /// Waits for its turn.
    pub async fn pass(&self) {
        let Some(interval) = self.interval else { return };
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + interval;
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}
