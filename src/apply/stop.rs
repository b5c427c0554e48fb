//! The user's wish to stop, told to a running apply. Knows no signals: the command feeds it.

use tokio::sync::watch;

/// Asked once: start nothing new, wait for what runs. Asked again: leave at once. Clones share the wish.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<usize>);

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nobody asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Asks to stop, or once more to leave (Ctrl-C, SIGTERM).
    pub fn ask(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() >= 1
    }

    /// Whether somebody asked to leave at once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        *self.0.borrow() >= 2
    }

    /// Returns once somebody asked to stop.
    pub async fn asked(&self) {
        self.at_least(1).await;
    }

    /// Returns once somebody asked to leave at once.
    pub async fn urgent(&self) {
        self.at_least(2).await;
    }

    async fn at_least(&self, count: usize) {
        // Cannot fail: `self` keeps the sender alive.
        let _ = self.0.subscribe().wait_for(|asked| *asked >= count).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn one_wish_stops_and_two_leave() {
        let stop = Stop::new();
        assert!(stop.asked().now_or_never().is_none() && !stop.is_asked());
        stop.clone().ask();
        assert!(stop.asked().now_or_never().is_some() && stop.is_asked());
        assert!(stop.urgent().now_or_never().is_none() && !stop.is_urgent());
        stop.ask();
        assert!(stop.urgent().now_or_never().is_some() && stop.is_urgent());
    }
}
