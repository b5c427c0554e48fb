//! How fast a cloud is beside the table of durations, learned while it works. Plans no pause itself: see `pace`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How many operations are asked early to see whether the table fits this cloud.
const PROBES: u32 = 3;
/// Operations shorter than this say nothing about the table.
const TELLING: Duration = Duration::from_secs(8);

/// How this cloud compares with the table: learned from its first operations. A rehearsal on a fast ARM is not slowed
/// down by the times of Azure, and Azure is not asked more often than is of use.
#[derive(Debug, Default)]
pub(super) struct Tempo {
    is_swift: AtomicBool,
    probed: AtomicU32,
    turned_swift: Notify,
}

impl Tempo {
    /// Whether an operation that begins now is worth early questions.
    pub(super) fn probes(&self, expected: Duration) -> bool {
        self.is_swift() || (expected >= TELLING && self.probed.fetch_add(1, Ordering::Relaxed) < PROBES)
    }

    /// Learns from an operation that was over `elapsed` after its begin.
    pub(super) fn learn(&self, elapsed: Duration, expected: Duration) {
        if expected >= TELLING && elapsed * 3 < expected && !self.is_swift.swap(true, Ordering::Relaxed) {
            self.turned_swift.notify_waiters();
        }
    }

    /// Whether the cloud was seen to be faster than the table.
    pub(super) fn is_swift(&self) -> bool {
        self.is_swift.load(Ordering::Relaxed)
    }

    /// Comes when that is seen for the first time: who has planned a long pause need not sit it out.
    pub(super) async fn turned_swift(&self) {
        self.turned_swift.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_cloud_that_is_faster_than_the_table_is_noticed() {
        let tempo = Tempo::default();
        assert!(!tempo.probes(secs(4)), "short operations say nothing");
        assert!((0..PROBES).all(|_| tempo.probes(secs(30))));
        assert!(!tempo.probes(secs(30)), "the table fits: no more early questions");
        tempo.learn(secs(29), secs(30));
        assert!(!tempo.probes(secs(30)));
        tempo.learn(secs(2), secs(30));
        assert!(tempo.probes(secs(4)) && tempo.probes(secs(360)));
    }
}
