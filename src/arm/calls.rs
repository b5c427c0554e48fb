//! How many requests a run cost. Counts; nothing else.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests by verb. Every sending counts once, repeats included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// GETs of resources and lists.
    pub get: u64,
    /// PUTs.
    pub put: u64,
    /// DELETEs.
    pub delete: u64,
    /// POSTs.
    pub post: u64,
    /// GETs that asked how an operation goes.
    pub polls: u64,
    /// How many of all these were repeats.
    pub retries: u64,
}

impl Calls {
    /// All that were sent.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.get + self.put + self.delete + self.post + self.polls
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { get, put, delete, post, polls, retries } = self;
        let total = self.total();
        write!(
            f,
            "{total} ARM calls ({get} GET, {put} PUT, {delete} DELETE, {post} POST, {polls} polls; {retries} repeats)"
        )
    }
}

/// What a request counts as.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Get,
    Put,
    Delete,
    Post,
    Poll,
    Retry,
}

/// The running counts.
#[derive(Debug, Default)]
pub(super) struct Counter([AtomicU64; 6]);

impl Counter {
    /// One more.
    pub(super) fn add(&self, what: Count) {
        self.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    pub(super) fn read(&self) -> Calls {
        let [get, put, delete, post, polls, retries] = self.0.each_ref().map(|n| n.load(Ordering::Relaxed));
        Calls { get, put, delete, post, polls, retries }
    }
}
