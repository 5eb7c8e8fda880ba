//! Pauses between two looks at what is not there yet: short at first, for most of it comes at once, then longer.

use std::time::Duration;

/// Pauses, each twice as long as the one before, up to the longest.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// The first pause, and the longest.
    pub fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { next: first, longest }
    }

    /// The next pause: no shorter than the registry asks for.
    pub fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        asked.map_or(now, |asked| asked.max(now))
    }

    /// Waits for it.
    pub async fn wait(&mut self, asked: Option<Duration>) {
        let pause = self.pause(asked);
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_no_shorter_than_asked() {
        let mut pauses = Backoff::new(Duration::from_millis(100), Duration::from_secs(8));
        let all: Vec<u128> = (0..9).map(|_| pauses.pause(None).as_millis()).collect();
        assert_eq!(all, [100, 200, 400, 800, 1600, 3200, 6400, 8000, 8000]);
        let mut pauses = Backoff::new(Duration::from_millis(100), Duration::from_secs(8));
        assert_eq!(pauses.pause(Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(pauses.pause(Some(Duration::ZERO)), Duration::from_millis(200));
    }
}
