//! From verdicts to steps: what each step waits for. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::judge::{Act, Scene, Verdict};
use crate::kind::{Delete, Kind};
use crate::model::{Address, Desired, Known, Reason, ResourceId, State, Step, StepId, Verb};

/// The end of one resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Removal {
    pub(super) id: ResourceId,
    /// `Delete` or `Forget`.
    pub(super) verb: Verb,
    pub(super) reason: Reason,
}

/// Everything the steps follow from.
pub(super) struct Draft<'a> {
    /// Who needs whom in the end.
    pub(super) wanted: &'a Graph,
    pub(super) desired: &'a BTreeMap<&'a Address, &'a Desired>,
    pub(super) verdicts: &'a BTreeMap<Address, Verdict>,
    /// Who needs whom now.
    pub(super) existing: Graph,
    pub(super) removals: BTreeMap<Address, Removal>,
}

/// What may exist by our doing: known resources, and creates under way of which no end is known.
pub(super) fn leftovers(state: &State) -> BTreeMap<Address, Known> {
    let mut all = state.resources.clone();
    for (step, open) in &state.open {
        if matches!(step.verb, Verb::Create | Verb::Update | Verb::Adopt) {
            all.entry(step.address.clone()).or_insert_with(|| Known {
                id: open.resource.clone(),
                api_version: open.api_version.clone(),
                applied: open.says.clone().unwrap_or_default(),
                reported: serde_json::Value::Null,
                needs: open.needs.clone(),
                alias: None,
            });
        }
    }
    all
}

/// How one resource ends. What is there is deleted, except what ARM deletes with its parent and what is Azure's own
/// twin; the rest is only forgotten.
pub(super) fn removal(kind: &Kind, known: &Known, there: bool, reason: Reason) -> Removal {
    let own = known.alias.is_none() && kind.delete != Delete::WithParent;
    let verb = if there && own { Verb::Delete } else { Verb::Forget };
    Removal { id: known.id.clone(), verb, reason }
}

/// The graph of what is there now, including resources of ours that the state does not know yet.
pub(super) fn existing(scene: &Scene<'_>) -> Graph {
    let mut all = scene.leftovers.clone();
    for (address, desired) in &scene.desired {
        if scene.observed.live.contains_key(&desired.id) {
            all.entry((*address).clone()).or_insert_with(|| Known {
                id: desired.id.clone(),
                api_version: String::new(),
                applied: desired.body.clone(),
                reported: serde_json::Value::Null,
                needs: desired.after.clone(),
                alias: None,
            });
        }
    }
    Graph::of_known(&all)
}

impl Draft<'_> {
    /// All steps, in no particular order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut soft = Vec::new();
        let mut steps: BTreeMap<StepId, Step> = BTreeMap::new();
        for (address, removal) in &self.removals {
            let id = StepId::new(address.clone(), removal.verb);
            let needs = match removal.verb {
                Verb::Delete => self.leavers(address, &id, &mut soft),
                _ => self.remover_of(removal).into_iter().collect(),
            };
            steps.insert(id.clone(), removal_step(id, removal, needs));
        }
        for (address, verdict) in self.verdicts {
            if let (Some(id), Some(desired)) = (self.writer(address), self.desired.get(address)) {
                let needs = self.builders(address);
                steps.insert(id.clone(), writing_step(id, desired, verdict, needs));
            }
        }
        add_without_cycles(&mut steps, soft);
        steps.into_values().collect()
    }

    /// The step that writes or adopts `address`, if any.
    fn writer(&self, address: &Address) -> Option<StepId> {
        let verb = match self.verdicts.get(address)?.act {
            Act::Keep => return None,
            Act::Adopt => Verb::Adopt,
            Act::Update => Verb::Update,
            Act::Create => Verb::Create,
        };
        Some(StepId::new(address.clone(), verb))
    }

    /// The step that deletes `address`, if any.
    fn deleter(&self, address: &Address) -> Option<StepId> {
        let removal = self.removals.get(address).filter(|removal| removal.verb == Verb::Delete)?;
        Some(StepId::new(address.clone(), removal.verb))
    }

    /// What must be written before `address`: the nearest steps along its needs, looking through kept resources.
    fn builders(&self, address: &Address) -> BTreeSet<StepId> {
        let mut found: BTreeSet<StepId> = self.deleter(address).into_iter().collect();
        let (mut seen, mut open) = (BTreeSet::new(), self.wanted.needs(address).collect::<Vec<_>>());
        while let Some(need) = open.pop() {
            match self.writer(need) {
                _ if !seen.insert(need) => {}
                Some(step) => drop(found.insert(step)),
                None => open.extend(self.wanted.needs(need)),
            }
        }
        found
    }

    /// What must be deleted before `address` is: the nearest deletes among what stands on it now. What stands on it
    /// and stays must let go of it first; those edges are `soft`, because Azure has no order for two that swap places.
    fn leavers(&self, address: &Address, id: &StepId, soft: &mut Vec<(StepId, StepId)>) -> BTreeSet<StepId> {
        let mut found = BTreeSet::new();
        let (mut seen, mut open) = (BTreeSet::new(), self.existing.needed_by(address).collect::<Vec<_>>());
        while let Some(user) = open.pop() {
            if !seen.insert(user) {
                continue;
            }
            if let Some(step) = self.deleter(user) {
                found.insert(step);
                continue;
            }
            soft.extend(self.writer(user).map(|step| (id.clone(), step)));
            open.extend(self.existing.needed_by(user));
        }
        found
    }

    /// The delete that takes a forgotten resource with it: that of the nearest resource above.
    fn remover_of(&self, forgotten: &Removal) -> Option<StepId> {
        let above = self.removals.iter().filter(|(_, r)| r.verb == Verb::Delete && forgotten.id.is_within(&r.id));
        above.max_by_key(|(_, r)| r.id.as_str().len()).and_then(|(address, _)| self.deleter(address))
    }
}

fn removal_step(id: StepId, removal: &Removal, needs: BTreeSet<StepId>) -> Step {
    Step {
        id,
        resource: removal.id.clone(),
        body: None,
        says: None,
        needs: needs.into_iter().collect(),
        reason: removal.reason.clone(),
        changes: Vec::new(),
    }
}

fn writing_step(id: StepId, desired: &Desired, verdict: &Verdict, needs: BTreeSet<StepId>) -> Step {
    Step {
        id,
        resource: desired.id.clone(),
        body: Some(verdict.body.clone()),
        says: Some(desired.body.clone()),
        needs: needs.into_iter().collect(),
        reason: verdict.reason.clone(),
        changes: verdict.changes.clone(),
    }
}

/// Adds `(step, need)` pairs one by one, leaving out those that would close a circle.
fn add_without_cycles(steps: &mut BTreeMap<StepId, Step>, soft: Vec<(StepId, StepId)>) {
    for (step, need) in soft {
        if !reaches(steps, &need, &step)
            && let Some(step) = steps.get_mut(&step)
            && !step.needs.contains(&need)
        {
            step.needs.push(need);
            step.needs.sort();
        }
    }
}

fn reaches(steps: &BTreeMap<StepId, Step>, from: &StepId, to: &StepId) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            open.extend(steps.get(at).into_iter().flat_map(|step| &step.needs));
        }
    }
    false
}
