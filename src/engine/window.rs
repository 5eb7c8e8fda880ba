//! Windows: for how long after a write or a delete a read may show what was before.

use std::time::{Duration, Instant};

use super::stop::Stop;

/// The pause before a read is repeated, while the window is young.
const PAUSE: Duration = Duration::from_millis(50);

/// Later it is one in so many of the window's age: a minute takes some sixty looks, not a thousand of the target's `rate`.
const SHARE: u32 = 10;

/// The pause in a window of this age.
fn pause(age: Duration) -> Duration {
    PAUSE.max(age / SHARE)
}

/// A window, and the looks that are taken in it.
#[derive(Debug)]
pub(super) struct Window {
    /// When what was written was acknowledged.
    pub since: Instant,
    /// Until when a read may come too early.
    pub deadline: Instant,
    /// Whether the last look has been taken.
    is_over: bool,
}

impl Window {
    /// That which begins then; one that lasts no time is none.
    pub fn of(since: Instant, lasts: Duration) -> Option<Window> {
        (!lasts.is_zero()).then(|| Window { since, deadline: since + lasts, is_over: false })
    }

    /// Waits for the next look, and says whether there is one. The last begins when the window has closed: an answer that came
    /// too early is no fault until the registry was asked after that, however many others were looked at meanwhile.
    pub async fn opens(&mut self, stop: &Stop) -> bool {
        if self.is_over || stop.is_set() {
            return false;
        }
        self.is_over = Instant::now() >= self.deadline;
        if !self.is_over {
            let pause = pause(self.since.elapsed());
            tokio::time::sleep(pause.min(self.deadline.saturating_duration_since(Instant::now()))).await;
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_window_that_has_closed_leaves_one_look() {
        let past = Instant::now() - Duration::from_secs(2);
        let mut window = Window::of(past, Duration::from_secs(1)).unwrap();
        let stop = Stop::never();
        assert!(window.opens(&stop).await);
        assert!(!window.opens(&stop).await);
        assert!(Window::of(past, Duration::ZERO).is_none());
    }

    #[test]
    fn the_pauses_grow_with_the_window() {
        let ages = std::iter::successors(Some(Duration::ZERO), |age| Some(*age + pause(*age)));
        let ages: Vec<Duration> = ages.take_while(|age| *age < Duration::from_secs(60)).collect();
        assert_eq!(ages[..3], [0, 50, 100].map(Duration::from_millis));
        assert!((50..70).contains(&ages.len()), "{} looks", ages.len());
    }

    #[tokio::test]
    async fn the_last_look_begins_after_the_window() {
        let mut window = Window::of(Instant::now(), Duration::from_millis(120)).unwrap();
        let stop = Stop::never();
        let mut last = Instant::now();
        while window.opens(&stop).await {
            last = Instant::now();
        }
        assert!(last >= window.deadline);
    }
}
