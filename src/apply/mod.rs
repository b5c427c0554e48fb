//! Carries a plan out. Decides nothing: no comparing, no parameters, no "if it exists".
//!
//! [`run()`] owns the schedule, the journal and the numbering of events; a step only sends requests and
//! messages. The order on disk is the promise: `Started` before the request leaves, `Accepted` right after the reply,
//! `Ended` before a dependent starts. A step whose fate is unknown (no answer) stays open in the state, and
//! [`resume()`] asks Azure about it before the next plan is made.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::kind::durations;
use crate::model::{Cause, Event, Step, StepId};
use crate::plan::Plan;
use crate::store::StoreError;

mod cloud;
mod crew;
mod errand;
mod ledger;
mod resume;
mod run;
mod schedule;
mod secrets;
mod step;
mod stop;

pub use cloud::Cloud;
pub use resume::resume;
pub use run::run;
pub use schedule::{BadPlan, Schedule, Skip};
pub use secrets::Secrets;
pub use stop::Stop;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

/// Where events go once they are on disk: screen, JSON output.
pub type Sink<'a> = &'a mut (dyn FnMut(&Event) + Send);

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most steps at once.
    pub parallelism: usize,
    /// How long each step alone is expected to take ([`step_times`], or measured); only ranks what starts first.
    pub times: BTreeMap<StepId, Duration>,
}

/// Why a run did not come to its end. A step that fails is no such error: it is in the tally.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The state cannot be written; nothing new was sent after that.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The plan cannot be carried out: a defect of the program.
    #[error("the plan cannot be carried out: {0}")]
    BadPlan(#[from] BadPlan),
    /// Steps that neither run nor may start: a defect of the program.
    #[error("steps were never started: {0:?}")]
    Unended(Vec<StepId>),
    /// The user asked twice. What Azure is still doing is in the journal; the next run picks it up.
    #[error("left while operations were running; the next run picks them up")]
    Left,
    /// Nobody could say how a step of an earlier run ended; it stays open.
    #[error("cannot tell how {step} of an earlier run ended: {}", cause.message)]
    Unresolved {
        /// The step.
        step: StepId,
        /// Why there was no answer.
        cause: Box<Cause>,
    },
}

/// How long each step alone takes by the table of durations.
#[must_use]
pub fn step_times(plan: &Plan) -> BTreeMap<StepId, Duration> {
    let time = |step: &Step| durations::of_step(&step.resource.arm_type(), step.id.verb);
    plan.steps.iter().map(|step| (step.id.clone(), time(step))).collect()
}
