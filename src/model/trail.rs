//! In which order the last apply wrote what it wrote: enough to go through it once more, moment by moment. Part of the
//! state; states of before it was kept have none.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ResourceId, StepId, Verb};

/// The last apply that wrote something; several runs where the first were interrupted or failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trail {
    /// Whether that apply came to its end; nothing is added then.
    pub is_whole: bool,
    /// What it wrote, in the order in which it began.
    pub moments: Vec<Moment>,
}

/// One write or delete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The step.
    pub step: StepId,
    /// Where the resource lives.
    pub resource: ResourceId,
    /// What we had said of it before; `None`: nothing was known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The state's serial as it began.
    pub began: u64,
    /// The state's serial as it ended; `None`: nobody knows yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
}

impl Trail {
    /// A step begins. One that began before and was never heard of again is the same one.
    pub(super) fn begin(&mut self, step: &StepId, resource: &ResourceId, before: Option<&Value>, serial: u64) {
        let is_written = matches!(step.verb, Verb::Create | Verb::Update | Verb::Delete);
        if self.is_whole || !is_written || self.open(step).is_some() {
            return;
        }
        let (step, resource, before) = (step.clone(), resource.clone(), before.cloned());
        self.moments.push(Moment { step, resource, before, began: serial, ended: None });
    }

    /// A step ends: Azure did it, or took it and failed half way.
    pub(super) fn end(&mut self, step: &StepId, serial: u64) {
        if let Some(at) = self.open(step) {
            self.moments[at].ended = Some(serial);
        }
    }

    /// A step was refused at the door: it changed nothing.
    pub(super) fn refuse(&mut self, step: &StepId) {
        if let Some(at) = self.open(step) {
            self.moments.remove(at);
        }
    }

    fn open(&self, step: &StepId) -> Option<usize> {
        self.moments.iter().position(|moment| moment.step == *step && moment.ended.is_none())
    }
}
