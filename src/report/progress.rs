//! How far a run is: a bar on a terminal, nothing anywhere else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A run's progress. Dropping it takes the bar away.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    failed: AtomicU64,
}

impl Progress {
    /// For so many cases. `shown`: standard error is a terminal, and nobody asked for silence.
    pub fn new(cases: usize, shown: bool, colour: bool) -> Progress {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(cases as u64), target);
        let template = if colour {
            "{bar:32.green/dim} {pos}/{len} cases{msg:.red}  {elapsed}"
        } else {
            "{bar:32} {pos}/{len} cases{msg}  {elapsed}"
        };
        // A template is a literal of ours; were it wrong, the plain bar would do.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━─"));
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Progress { bar, failed: AtomicU64::new(0) }
    }

    /// One more case is there; `bad`: something did not hold, or it could not be asked.
    pub fn case(&self, bad: bool) {
        if bad {
            let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar.set_message(format!(", {failed} not as expected"));
        }
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
