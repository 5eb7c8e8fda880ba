//! A request to stop: nothing new is sent once it is set.

use tokio::sync::watch;

/// Asks a run to stop; dropping it does not.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

/// Sees whether a run was asked to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A pair: what asks, and what sees.
    pub fn pair() -> (Stopper, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Stop(receiver))
    }

    /// One that is never set.
    pub fn never() -> Stop {
        Stop::pair().1
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is set; for ever where nobody can set it any more.
    pub async fn wait(&self) {
        if self.0.clone().wait_for(|set| *set).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Asks to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn is_seen_by_every_clone() {
        let (stopper, stop) = Stop::pair();
        let other = stop.clone();
        assert!(!other.is_set());
        stopper.clone().stop();
        other.wait().await;
        assert!(stop.is_set());
    }

    #[tokio::test]
    async fn never_is_never_set() {
        let never = Stop::never();
        let waited = tokio::time::timeout(std::time::Duration::from_millis(20), never.wait()).await;
        assert!(waited.is_err());
        assert!(!never.is_set());
    }
}
