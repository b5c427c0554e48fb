//! The order of steps: needs first, then the longest remaining chain. Expected durations only rank; they decide nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Plan;
use crate::kind::durations;
use crate::model::{Step, StepId};

/// The expected time from the start of each step to the end of the longest chain that waits for it, itself included.
#[must_use]
pub fn weights(plan: &Plan) -> BTreeMap<StepId, Duration> {
    weigh(plan.steps.iter())
}

/// The longest chain of steps that wait for each other, and its expected time: no apply can be faster.
#[must_use]
pub fn chain(plan: &Plan) -> (Duration, Vec<StepId>) {
    let weights = weights(plan);
    // Among equals the first counts, so that the answer is stable.
    let heaviest = |ids: Vec<&StepId>| ids.into_iter().min_by_key(|id| Reverse(weights[*id])).cloned();
    let mut chain: Vec<StepId> = Vec::new();
    let mut next = heaviest(plan.steps.iter().map(|step| &step.id).collect());
    let total = next.as_ref().map_or(Duration::ZERO, |first| weights[first]);
    while let Some(id) = next {
        next = heaviest(plan.steps.iter().filter(|step| step.needs.contains(&id)).map(|step| &step.id).collect());
        chain.push(id);
    }
    (total, chain)
}

/// Expected time of one step.
fn duration(step: &Step) -> Duration {
    durations::of_step(&step.resource.arm_type(), step.id.verb)
}

/// Weights of steps that stand after what they need.
fn weigh<'a>(steps: impl DoubleEndedIterator<Item = &'a Step>) -> BTreeMap<StepId, Duration> {
    let mut after: BTreeMap<&StepId, Duration> = BTreeMap::new();
    let mut weights = BTreeMap::new();
    for step in steps.rev() {
        let weight = duration(step) + after.get(&step.id).copied().unwrap_or_default();
        for need in &step.needs {
            let longest = after.entry(need).or_default();
            *longest = weight.max(*longest);
        }
        weights.insert(step.id.clone(), weight);
    }
    weights
}

/// Puts every step after what it needs, the longest remaining chain first, ties by id.
pub(super) fn sorted(steps: Vec<Step>) -> Vec<Step> {
    let any_order = arrange(steps, &BTreeMap::new());
    let weights = weigh(any_order.iter());
    arrange(any_order, &weights)
}

fn arrange(steps: Vec<Step>, weights: &BTreeMap<StepId, Duration>) -> Vec<Step> {
    let rank = |id: &StepId| (Reverse(weights.get(id).copied().unwrap_or_default()), id.clone());
    let mut waiting: BTreeMap<StepId, Step> = steps.into_iter().map(|step| (step.id.clone(), step)).collect();
    let is_free = |step: &Step, waiting: &BTreeMap<StepId, Step>| !step.needs.iter().any(|n| waiting.contains_key(n));
    let mut ready: BTreeSet<_> = waiting.values().filter(|s| is_free(s, &waiting)).map(|s| rank(&s.id)).collect();
    let mut done = Vec::new();
    while let Some((_, id)) = ready.pop_first() {
        done.extend(waiting.remove(&id));
        let freed = waiting.values().filter(|s| s.needs.contains(&id) && is_free(s, &waiting));
        ready.extend(freed.map(|step| rank(&step.id)));
    }
    // Steps in a circle cannot be placed; `check` names them.
    done.extend(waiting.into_values());
    done
}
