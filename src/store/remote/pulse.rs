//! Whether the lock on a remote state is still ours, as far as one can know without asking. Shared by the thread that
//! renews it and the run that depends on it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::keeper::LEASE;

/// After this long without a renewal the lease may belong to somebody else.
const LIFE: Duration = Duration::from_secs(LEASE as u64);
/// After this long a step asks before it starts.
const DOUBT: Duration = Duration::from_secs(45);

/// The last sign of life.
#[derive(Debug)]
pub(in crate::store) struct Pulse(Mutex<Beat>);

#[derive(Debug)]
struct Beat {
    renewed: Instant,
    /// The same on the calendar: a monotonic clock stands still while a laptop sleeps.
    on: SystemTime,
    is_late: bool,
    lost: Option<String>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let (renewed, on) = (Instant::now(), SystemTime::now());
        Self(Mutex::new(Beat { renewed, on, is_late: false, lost: None }))
    }

    fn beat_of(&self) -> MutexGuard<'_, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease was renewed by a request that left at `begun`.
    pub(super) fn beat(&self, begun: Instant) {
        let on = SystemTime::now().checked_sub(begun.elapsed()).unwrap_or_else(SystemTime::now);
        let mut beat = self.beat_of();
        (beat.renewed, beat.on, beat.is_late) = (begun, on, false);
    }

    /// A renewal got no answer.
    pub(super) fn miss(&self) {
        self.beat_of().is_late = true;
    }

    pub(super) fn is_late(&self) -> bool {
        self.beat_of().is_late
    }

    /// The lock is somebody else's. The first reason is kept.
    pub(super) fn lose(&self, why: &str) {
        self.beat_of().lost.get_or_insert_with(|| why.to_owned());
    }

    /// Why nothing new may start; `None` while the lock is ours.
    pub(in crate::store) fn fault(&self) -> Option<String> {
        let mut beat = self.beat_of();
        if beat.renewed.elapsed() > LIFE {
            let why = format!("it could not be renewed for {} seconds", LIFE.as_secs());
            beat.lost.get_or_insert(why);
        }
        beat.lost.clone()
    }

    /// Whether the clocks leave it open that somebody else has the lock by now.
    pub(super) fn is_doubtful(&self) -> bool {
        let beat = self.beat_of();
        beat.renewed.elapsed() > DOUBT || beat.on.elapsed().unwrap_or_default() > DOUBT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_not_renewed_is_lost_for_good() {
        let Some(long_ago) = Instant::now().checked_sub(LIFE + Duration::from_secs(1)) else { return };
        let pulse = Pulse::new();
        assert_eq!((pulse.fault(), pulse.is_doubtful()), (None, false));
        pulse.beat(long_ago);
        assert!(pulse.is_doubtful());
        assert!(pulse.fault().unwrap().contains("60 seconds"));
        pulse.beat(Instant::now());
        assert!(pulse.fault().is_some(), "what was lost must not come back");
    }

    #[test]
    fn the_first_reason_is_kept() {
        let pulse = Pulse::new();
        pulse.lose("one");
        pulse.lose("two");
        assert_eq!(pulse.fault().as_deref(), Some("one"));
    }
}
