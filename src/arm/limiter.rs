//! One refusal for "too many requests" slows everybody who would get the same. Shared state, no clock of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Azure counts reads, writes and deletes apart, and each provider has limits of its own (azure-facts 5.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    provider: String,
    kind: &'static str,
}

impl Lane {
    /// The lane of a request.
    #[must_use]
    pub(super) fn of(method: &str, path: &str) -> Self {
        let kind = match method {
            "GET" | "HEAD" => "read",
            "DELETE" => "delete",
            _ => "write",
        };
        let path = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
        let provider = path.rsplit_once("/providers/").map_or("", |(_, tail)| tail);
        Self { provider: provider.split('/').next().unwrap_or_default().to_owned(), kind }
    }
}

/// Until when each lane is closed.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    closed: Mutex<BTreeMap<Lane, Duration>>,
}

impl Limiter {
    /// Closes a lane for `pause` from `now` on.
    pub(super) fn slow(&self, lane: &Lane, now: Duration, pause: Duration) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let until = closed.entry(lane.clone()).or_default();
        *until = (*until).max(now + pause);
    }

    /// How long a request on this lane has to wait.
    #[must_use]
    pub(super) fn wait(&self, lane: &Lane, now: Duration) -> Duration {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.get(lane).map_or(Duration::ZERO, |until| until.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_a_provider_and_a_kind() {
        let put = Lane::of("PUT", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/a/b?api-version=1");
        assert_eq!(put, Lane::of("PUT", "/subscriptions/s/providers/microsoft.network/x"));
        assert_ne!(put, Lane::of("GET", "/subscriptions/s/providers/microsoft.network/x"));
        let limiter = Limiter::default();
        limiter.slow(&put, Duration::from_secs(5), Duration::from_secs(10));
        limiter.slow(&put, Duration::from_secs(5), Duration::from_secs(2));
        assert_eq!(limiter.wait(&put, Duration::from_secs(7)), Duration::from_secs(8));
        assert_eq!(limiter.wait(&Lane::of("GET", "/x"), Duration::ZERO), Duration::ZERO);
    }
}
