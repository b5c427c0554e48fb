//! What we know: a fold over events. Nothing else changes what is known of resources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Address, CloudNames, Event, Operation, Outcome, ResourceId, StepId, Trail, Verb, What};

/// Format version of the state file written by this version of the program.
pub const FORMAT: u32 = 1;

/// Everything privaml remembers of one environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Format version; see [`FORMAT`].
    pub format: u32,
    /// Identity of the environment: the value of the ownership tag. Never changes.
    pub lineage: Uuid,
    /// Counts every change.
    pub serial: u64,
    /// Where the environment lives; `None` before the first apply.
    pub home: Option<Home>,
    /// The names of a custom cloud, as its metadata gave them: what was asked for can be drawn without asking it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_names: Option<CloudNames>,
    /// What was drawn once and must not change.
    pub generated: Generated,
    /// The checked parameters of the last apply, as JSON (`config::Config`).
    pub parameters: Value,
    /// The resources that exist, as far as we know.
    pub resources: BTreeMap<Address, Known>,
    /// Steps that began and of whose end we do not know.
    pub open: BTreeMap<StepId, Open>,
    /// The values for the user, by name; secrets are named in `sealed`, never here.
    pub outputs: BTreeMap<String, Value>,
    /// In which order the last apply wrote; `None` where that was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
}

/// The cloud and account of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// `AzureCloud`, `AzureUSGovernment`, `AzureChinaCloud`, a custom base URL, or `sandbox`.
    pub cloud: String,
    /// Subscription id.
    pub subscription: String,
    /// Tenant id.
    pub tenant: String,
}

/// Values drawn from randomness on the first run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// Four digits behind the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// User name of the jumpbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumpbox_user: Option<String>,
    /// Sealed secrets by name: age armour.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed: BTreeMap<String, String>,
}

/// One resource that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Where it lives.
    pub id: ResourceId,
    /// The api-version it was last written with.
    pub api_version: String,
    /// What we said last, with placeholders.
    pub applied: Value,
    /// What Azure reported that others need: pointer → value.
    #[serde(default)]
    pub reported: Value,
    /// What it was built on: the order of a later delete.
    pub needs: Vec<Address>,
    /// Azure's own twin that stands in for it; never deleted by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<ResourceId>,
}

/// A step that began and did not end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Where the resource lives.
    pub resource: ResourceId,
    /// What we say of it.
    pub says: Option<Value>,
    /// What it was built on.
    pub needs: Vec<Address>,
    /// The version the request was sent with.
    pub api_version: String,
    /// Where to ask; `None` when no reply was seen.
    pub operation: Option<Operation>,
}

/// An event that does not fit the state: a damaged journal.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("event {seq} does not fit the state: {step} {problem}")]
pub struct IllegalEvent {
    /// Number of the event.
    pub seq: u64,
    /// Its step.
    pub step: StepId,
    /// What is wrong.
    pub problem: &'static str,
}

impl State {
    /// A state that knows nothing, of the given lineage.
    #[must_use]
    pub const fn empty(lineage: Uuid) -> Self {
        Self {
            format: FORMAT,
            lineage,
            serial: 0,
            home: None,
            cloud_names: None,
            generated: Generated { suffix: None, jumpbox_user: None, sealed: BTreeMap::new() },
            parameters: Value::Null,
            resources: BTreeMap::new(),
            open: BTreeMap::new(),
            outputs: BTreeMap::new(),
            trail: None,
        }
    }

    /// From now on the order of writes is kept; an apply that did not come to its end is continued.
    pub fn begin_trail(&mut self) {
        if self.trail.as_ref().is_none_or(|trail| trail.is_whole) {
            self.trail = Some(Trail::default());
        }
    }

    /// The apply came to its end: what comes later is not part of it.
    pub const fn end_trail(&mut self) {
        if let Some(trail) = &mut self.trail {
            trail.is_whole = true;
        }
    }

    /// Folds one event in.
    ///
    /// # Errors
    /// When the event cannot follow what is known, which means a damaged journal; the state is then unchanged.
    pub fn fold(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let illegal = |step: &StepId, problem| IllegalEvent { seq: event.seq, step: step.clone(), problem };
        match &event.what {
            What::Started { step, resource, says, needs, api_version } => {
                // A second `Started` is a repeat after a crash: the later one counts.
                let open = Open {
                    resource: resource.clone(),
                    says: says.clone(),
                    needs: needs.clone(),
                    api_version: api_version.clone(),
                    operation: None,
                };
                if let Some(trail) = &mut self.trail {
                    let before = self.resources.get(&step.address).map(|known| &known.applied);
                    trail.begin(step, resource, before, self.serial + 1);
                }
                self.open.insert(step.clone(), open);
            }
            What::Accepted { step, operation } => {
                let open = self.open.get_mut(step).ok_or_else(|| illegal(step, "was accepted but never started"))?;
                open.operation = Some(operation.clone());
            }
            What::Ended { step, outcome } => {
                let open = self.open.remove(step);
                if matches!(outcome, Outcome::Done { .. }) && open.is_none() {
                    return Err(illegal(step, "is done but never started"));
                }
                self.close(step, outcome, open);
            }
            _ => return Ok(()),
        }
        // A made-up file may already hold the last number.
        self.serial = self.serial.saturating_add(1);
        Ok(())
    }

    /// What an end means for what exists, and for the order of writes.
    fn close(&mut self, step: &StepId, outcome: &Outcome, open: Option<Open>) {
        let was_taken = open.as_ref().is_some_and(|open| open.operation.is_some());
        if let Some(trail) = &mut self.trail {
            match outcome {
                Outcome::Done { .. } => trail.end(step, self.serial + 1),
                Outcome::Failed { .. } if was_taken => trail.end(step, self.serial + 1),
                _ => trail.refuse(step),
            }
        }
        match (outcome, open) {
            (Outcome::Done { reported, alias }, Some(open)) => self.finish(step, open, reported.clone(), alias.clone()),
            // Azure leaves what it failed to make in place, in state `Failed` (`azure-facts` 5.2): it is ours, it may
            // cost money, and a destroy must remove it.
            (Outcome::Failed { .. }, Some(open)) if matches!(step.verb, Verb::Create | Verb::Adopt) && was_taken => {
                self.finish(step, open, Value::Object(serde_json::Map::new()), None);
            }
            _ => {}
        }
        if self.is_bare() {
            self.trail = None;
        }
    }

    fn finish(&mut self, step: &StepId, open: Open, reported: Value, alias: Option<ResourceId>) {
        match step.verb {
            Verb::Delete | Verb::Forget => {
                self.resources.remove(&step.address);
            }
            Verb::Create | Verb::Update | Verb::Adopt => {
                let known = Known {
                    id: open.resource,
                    api_version: open.api_version,
                    applied: open.says.unwrap_or_default(),
                    reported,
                    needs: open.needs,
                    alias,
                };
                self.resources.insert(step.address.clone(), known);
            }
        }
    }

    /// The value at `pointer` that Azure reported for `address`.
    #[must_use]
    pub fn reported(&self, address: &Address, pointer: &str) -> Option<&Value> {
        self.resources.get(address)?.reported.get(pointer)
    }

    /// Whether nothing exists and nothing is under way.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.resources.is_empty() && self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, what: What) -> Event {
        Event { seq, at: std::time::Duration::ZERO, what }
    }

    fn started(step: &StepId) -> What {
        What::Started {
            step: step.clone(),
            resource: ResourceId::group("s", "g"),
            says: Some(serde_json::json!({"location": "x"})),
            needs: vec![],
            api_version: "v".to_owned(),
        }
    }

    fn done() -> Outcome {
        Outcome::Done { reported: Value::Null, alias: None }
    }

    #[test]
    fn a_step_opens_and_closes() {
        let mut state = State::empty(Uuid::nil());
        let step = StepId::new(Address::new("resource_group", "core"), Verb::Create);
        state.fold(&event(1, started(&step))).unwrap();
        assert!(state.open.contains_key(&step));
        state.fold(&event(2, What::Ended { step: step.clone(), outcome: done() })).unwrap();
        assert!(state.open.is_empty());
        assert_eq!(state.resources[&step.address].api_version, "v");
        assert_eq!(state.serial, 2);
    }

    #[test]
    fn what_azure_took_and_failed_to_make_is_known() {
        let mut state = State::empty(Uuid::nil());
        let step = StepId::new(Address::new("firewall", "core"), Verb::Create);
        let failed = || Outcome::Failed { cause: crate::model::Cause::of("no room") };
        // Refused at the door: nothing is there.
        state.fold(&event(1, started(&step))).unwrap();
        state.fold(&event(2, What::Ended { step: step.clone(), outcome: failed() })).unwrap();
        assert!(state.is_bare());
        let operation =
            Operation { flavour: crate::model::Flavour::AsyncOperation, url: "/x".to_owned(), retry_after: None };
        state.fold(&event(3, started(&step))).unwrap();
        state.fold(&event(4, What::Accepted { step: step.clone(), operation })).unwrap();
        state.fold(&event(5, What::Ended { step: step.clone(), outcome: failed() })).unwrap();
        assert!(state.open.is_empty() && state.resources.contains_key(&step.address));
    }

    #[test]
    fn the_last_serial_is_not_passed() {
        let mut state = State { serial: u64::MAX, ..State::empty(Uuid::nil()) };
        state.fold(&event(1, started(&StepId::new(Address::new("vault", "core"), Verb::Create)))).unwrap();
        assert_eq!(state.serial, u64::MAX);
    }

    #[test]
    fn the_order_of_writes_is_kept_from_the_start_of_an_apply_to_its_end() {
        let mut state = State::empty(Uuid::nil());
        let make = StepId::new(Address::new("resource_group", "core"), Verb::Create);
        let change = StepId::new(Address::new("resource_group", "core"), Verb::Update);
        let mut seq = 0;
        let mut fold = |state: &mut State, what: What| {
            seq += 1;
            state.fold(&event(seq, what)).unwrap();
        };
        let ended = |step: &StepId, outcome: Outcome| What::Ended { step: step.clone(), outcome };
        state.begin_trail();
        fold(&mut state, started(&make));
        // The run is killed; the next one finds out how it went.
        fold(&mut state, started(&make));
        fold(&mut state, ended(&make, done()));
        state.begin_trail();
        fold(&mut state, started(&change));
        fold(&mut state, ended(&change, Outcome::Failed { cause: crate::model::Cause::of("refused") }));
        fold(&mut state, started(&change));
        fold(&mut state, ended(&change, done()));
        state.end_trail();
        let moments = &state.trail.as_ref().unwrap().moments;
        let shown: Vec<_> = moments.iter().map(|m| (m.step.verb, m.before.is_some(), m.began, m.ended)).collect();
        assert_eq!(shown, [(Verb::Create, false, 1, Some(3)), (Verb::Update, true, 6, Some(7))]);
        fold(&mut state, started(&change));
        assert_eq!(state.trail.as_ref().unwrap().moments.len(), 2, "it had come to its end");
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
        state.begin_trail();
        assert!(state.trail.as_ref().unwrap().moments.is_empty(), "another apply begins");
    }

    #[test]
    fn a_state_of_before_the_order_was_kept_is_read() {
        let mut old = serde_json::to_value(State::empty(Uuid::nil())).unwrap();
        assert!(old.as_object_mut().unwrap().remove("trail").is_none());
        assert_eq!(serde_json::from_value::<State>(old).unwrap().trail, None);
    }

    #[test]
    fn an_end_without_a_start_is_illegal() {
        let mut state = State::empty(Uuid::nil());
        let step = StepId::new(Address::new("resource_group", "core"), Verb::Create);
        let before = state.clone();
        assert!(state.fold(&event(1, What::Ended { step, outcome: done() })).is_err());
        assert_eq!(state, before);
    }
}
