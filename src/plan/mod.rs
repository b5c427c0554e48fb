//! What must happen, and why. Pure: desired + state + observed → plan. No IO, no clock, no randomness.
//!
//! The way through: `watch` (what to read) → `graph` (who is built on whom) → `judge` (one verdict a resource, by
//! `diff`, `compare`, `merge`) → `steps` (verdicts become steps with needs) → `order` → `check`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kind::{self, Kind};
use crate::model::{Address, Desired, OWNER_TAG, Observed, Reason, ResourceId, State, Step, Verb};

mod check;
mod compare;
mod destroy;
mod diff;
mod error;
mod graph;
mod judge;
mod merge;
mod order;
mod path;
mod steps;
mod watch;

pub use check::violations;
pub use destroy::{destroy, destroy_with};
pub use error::{PlanError, Problem};
pub use order::{chain, weights};
pub use watch::{Watched, watch, watch_with};

use graph::Graph;
use judge::{Act, Scene, Verdicts};
use steps::{Draft, Removal};

/// How a kind is found by its name: `kind::find`, or a test's own catalogue.
pub type Kinds<'a> = &'a dyn Fn(&str) -> Option<&'static Kind>;

/// What will happen. Serialisable, so that it can be shown, stored and compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In an order that respects every need.
    pub steps: Vec<Step>,
    /// Resources that are as they should be.
    pub kept: Vec<Address>,
    /// Resources in the group that are not ours and stay (destroy only).
    pub strangers: Vec<ResourceId>,
    /// What each written or adopted resource is built on, with or without a step of its own: `Known::needs` to be.
    #[serde(default)]
    pub needs: BTreeMap<Address, Vec<Address>>,
}

impl Plan {
    /// Whether there is nothing to do, neither in Azure nor in the state.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// What the user agreed to beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Resources in the way that may be taken over.
    pub adopt: Adopt,
    /// Resources that may be deleted and created again although they hold data.
    pub allow_replace: BTreeSet<Address>,
}

/// Which resources that are not ours may be taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// None.
    #[default]
    Nothing,
    /// Those named by address or by id.
    These(BTreeSet<String>),
    /// Any that is in the way.
    All,
}

impl Adopt {
    fn includes(&self, desired: &Desired) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::These(names) => names.iter().any(|name| desired.is_called(name)),
        }
    }
}

/// Plans what makes the environment as `desired` says.
///
/// # Errors
/// When something is in the way, would be lost without consent, or contradicts itself; all problems at once.
pub fn plan(desired: &[Desired], state: &State, observed: &Observed, consent: &Consent) -> Result<Plan, PlanError> {
    plan_with(&kind::find, desired, state, observed, consent)
}

/// [`plan`] with another catalogue of kinds.
///
/// # Errors
/// As [`plan`].
pub fn plan_with(
    kinds: Kinds<'_>,
    desired: &[Desired],
    state: &State,
    observed: &Observed,
    consent: &Consent,
) -> Result<Plan, PlanError> {
    let graph = Graph::of_desired(desired);
    let by_address = desired.iter().map(|d| (&d.address, d)).collect();
    let scene =
        Scene { kinds, state, observed, consent, desired: by_address, graph, leftovers: steps::leftovers(state) };
    let (order, cycles) = scene.graph.order();
    let mut problems: Vec<Problem> = cycles.into_iter().map(|addresses| Problem::Cycle { addresses }).collect();
    problems.extend(self_contradictions(kinds, desired));
    let Verdicts { by_address: verdicts, problems: judged, .. } = scene.judge(&order);
    problems.extend(judged);
    let removals = removals(&scene, &verdicts, &mut problems);
    if !problems.is_empty() {
        return Err(PlanError { problems });
    }
    let existing = steps::existing(&scene);
    let steps =
        Draft { wanted: &scene.graph, desired: &scene.desired, verdicts: &verdicts, existing, removals }.steps();
    let kept = |(a, v): (&Address, &judge::Verdict)| (v.act == Act::Keep).then(|| a.clone());
    let needs =
        |s: &Step| s.says.as_ref().map(|_| (s.id.address.clone(), scene.graph.needs(&s.id.address).cloned().collect()));
    let plan = Plan {
        kept: verdicts.iter().filter_map(kept).collect(),
        strangers: Vec::new(),
        needs: steps.iter().filter_map(needs).collect(),
        steps: order::sorted(steps),
    };
    let broken = violations(kinds, &plan, consent);
    if broken.is_empty() { Ok(plan) } else { Err(PlanError { problems: broken }) }
}

/// What each desired resource needs directly, in the order in which they are given: the edges that a plan goes by.
#[must_use]
pub fn needs(desired: &[Desired]) -> Vec<Vec<Address>> {
    let graph = Graph::of_desired(desired);
    desired.iter().map(|one| graph.needs(&one.address).cloned().collect()).collect()
}

/// Problems of the desired resources among themselves.
fn self_contradictions(kinds: Kinds<'_>, desired: &[Desired]) -> Vec<Problem> {
    let (mut addresses, mut ids, mut problems) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for d in desired {
        if !addresses.insert(&d.address) | !ids.insert(&d.id) {
            problems.push(Problem::Twice { address: d.address.clone(), id: d.id.clone() });
        }
    }
    for d in desired {
        let absent = d.after.iter().filter(|need| !addresses.contains(need));
        problems.extend(absent.map(|need| Problem::MissingNeed { address: d.address.clone(), need: need.clone() }));
        for late in d.lates() {
            let reports = kinds(late.of.kind()).map_or(&[][..], |kind| kind.reports);
            let told = reports.iter().any(|report| {
                late.at.strip_prefix(report).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if !told || !addresses.contains(&late.of) {
                problems.push(Problem::MissingLate { address: d.address.clone(), of: late.of, at: late.at });
            }
        }
    }
    problems
}

/// What goes: the old halves of replacements, and what nobody wants any longer.
fn removals(
    scene: &Scene<'_>,
    verdicts: &BTreeMap<Address, judge::Verdict>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Address, Removal> {
    let mut removals = BTreeMap::new();
    for (address, verdict) in verdicts {
        if let Some(id) = &verdict.removes {
            let was = scene.leftovers.get(address).map(|known| &known.id).filter(|was| *was == id);
            let renamed = was.filter(|was| scene.desired.get(address).is_some_and(|d| d.id != **was));
            let reason = renamed.map_or_else(|| verdict.reason.clone(), |from| Reason::Renamed { from: from.clone() });
            removals.insert(address.clone(), Removal { id: id.clone(), verb: Verb::Delete, reason });
        }
    }
    let wanted: BTreeSet<&ResourceId> = scene.desired.values().map(|d| &d.id).collect();
    for (address, known) in &scene.leftovers {
        if scene.desired.contains_key(address) {
            continue;
        }
        let Some(kind) = (scene.kinds)(address.kind()) else {
            problems.push(Problem::UnknownKind { address: address.clone() });
            continue;
        };
        let there = scene.observed.live.contains_key(&known.id);
        if !there && !scene.state.resources.contains_key(address) {
            continue; // A create that came to nothing; its journal entry is not ours to close.
        }
        let mut removal = steps::removal(kind, known, there, Reason::Dropped);
        // The same resource under another address of ours must not be deleted.
        if wanted.contains(&known.id) {
            removal.verb = Verb::Forget;
        }
        removals.insert(address.clone(), removal);
    }
    removals
}

/// The value of the ownership tag in a live body.
fn owner(live: &Value) -> Option<&str> {
    compare::member(compare::member(live.as_object()?, "tags")?.as_object()?, OWNER_TAG)?.as_str()
}

#[cfg(test)]
mod tests;
