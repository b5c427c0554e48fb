//! What happened: the only thing that flows back from an apply. Read by screen, JSON output and state alike.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Operation, ResourceId, StepId};

/// One numbered happening. `at` is the time since the run began, on the run's own clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counts up from 1 within a journal.
    pub seq: u64,
    /// Time since the run began.
    pub at: Duration,
    /// The happening.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of happening. Journalled ones are written to disk before the next act (see [`What::is_journalled`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// A run begins.
    RunStarted {
        /// Number of steps.
        steps: usize,
    },
    /// A request is about to leave. On disk before it does.
    Started {
        /// The step.
        step: StepId,
        /// Where the resource lives.
        resource: ResourceId,
        /// What we say of it, with placeholders; `None` for deletes.
        says: Option<Value>,
        /// The addresses it needs, kept for a later delete.
        needs: Vec<Address>,
        /// The version the request is sent with.
        api_version: String,
    },
    /// Azure took the request and works on it.
    Accepted {
        /// The step.
        step: StepId,
        /// Where to ask how it goes.
        operation: Operation,
    },
    /// Still running. Shown, not journalled.
    Waiting {
        /// The step.
        step: StepId,
        /// Azure's word for the state.
        status: String,
    },
    /// The request will be sent again. Shown, not journalled.
    Retrying {
        /// The step.
        step: StepId,
        /// Pause before.
        after: Duration,
        /// Why.
        cause: Cause,
    },
    /// The step is over.
    Ended {
        /// The step.
        step: StepId,
        /// How.
        outcome: Outcome,
    },
    /// The run is over.
    RunEnded {
        /// The counts.
        tally: Tally,
    },
}

impl What {
    /// Whether the journal keeps it: everything that changes the state.
    #[must_use]
    pub const fn is_journalled(&self) -> bool {
        matches!(self, Self::Started { .. } | Self::Accepted { .. } | Self::Ended { .. })
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Outcome {
    /// Carried out.
    Done {
        /// What Azure reported that others need: pointer → value (see `Kind::reports`).
        reported: Value,
        /// Set where Azure already had the same thing under another id, which is not ours to delete.
        alias: Option<ResourceId>,
    },
    /// Azure refused or failed it.
    Failed {
        /// Why.
        cause: Cause,
    },
    /// Not started because a need failed.
    Skipped {
        /// The step that failed first.
        because: StepId,
    },
    /// Not started because the user asked to stop.
    Cancelled,
}

/// An error that can be stored, printed and sent: a message with its causes, Azure's words kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What happened.
    pub message: String,
    /// Azure's innermost code, such as `SkuNotAvailable`; empty when there was no answer from Azure.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// HTTP status, if there was a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For Microsoft's support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Nested details, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do about it, from the catalogue of known errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Cause {
    /// A cause that is only a message.
    #[must_use]
    pub fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Steps carried out, by verb word.
    pub created: usize,
    /// Updated in place.
    pub updated: usize,
    /// Taken into the state.
    pub adopted: usize,
    /// Deleted, or forgotten because already gone.
    pub deleted: usize,
    /// Refused or failed.
    pub failed: usize,
    /// Skipped because a need failed.
    pub skipped: usize,
    /// Not started because the user stopped the run.
    pub cancelled: usize,
}

impl Tally {
    /// Whether every step was carried out.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.failed == 0 && self.skipped == 0 && self.cancelled == 0
    }
}
