//! Which step may start now. Pure: told what ended, it says what begins; no tasks, no clock, no sending.
//!
//! Rules: the longest remaining chain first; at most `limit` at once; one writer per turn; what needs a failed step is
//! skipped and names the step that failed first; after a cancel nothing new starts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::{Step, StepId};
use crate::plan::Plan;

/// A plan that cannot be carried out. Plans are checked when made, so this is a defect of the program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadPlan {
    /// A need that is no step of the plan would never end.
    #[error("step {step} needs {need}, which is not in the plan")]
    UnknownNeed {
        /// Who needs.
        step: StepId,
        /// What is missing.
        need: StepId,
    },
    /// The same step twice.
    #[error("step {0} is in the plan twice")]
    Twice(StepId),
    /// Steps that wait for each other.
    #[error("step {0} waits for itself")]
    Cycle(StepId),
}

/// A step that will never start, and the step whose failure is the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// What does not start.
    pub step: StepId,
    /// What failed first.
    pub because: StepId,
}

/// One step that has not ended.
struct Node {
    /// Taken when the step starts.
    step: Option<Step>,
    /// Needs that have not ended.
    missing: usize,
    /// Who needs it.
    wanted_by: Vec<StepId>,
    /// Its own time and that of the longest chain behind it.
    chain: Duration,
    /// Whose turn it takes.
    turn: Option<String>,
}

/// The steps of a run that have not ended.
pub struct Schedule {
    nodes: BTreeMap<StepId, Node>,
    ready: BTreeSet<StepId>,
    running: BTreeSet<StepId>,
    /// Turns held by running steps.
    taken: BTreeSet<String>,
    limit: usize,
}

impl Schedule {
    /// Steps without a weight count as instant; steps without a turn never wait for one. A limit of 0 counts as 1.
    ///
    /// # Errors
    /// When the plan can never end.
    pub fn new(
        plan: &Plan,
        weights: &BTreeMap<StepId, Duration>,
        limit: usize,
        turns: &BTreeMap<StepId, String>,
    ) -> Result<Self, BadPlan> {
        let mut nodes = BTreeMap::new();
        for step in &plan.steps {
            let node = Node {
                missing: distinct(&step.needs).len(),
                step: Some(step.clone()),
                wanted_by: Vec::new(),
                chain: weights.get(&step.id).copied().unwrap_or_default(),
                turn: turns.get(&step.id).cloned(),
            };
            if nodes.insert(step.id.clone(), node).is_some() {
                return Err(BadPlan::Twice(step.id.clone()));
            }
        }
        link(plan, &mut nodes)?;
        weigh(&mut nodes)?;
        let ready = nodes.iter().filter(|(_, node)| node.missing == 0).map(|(id, _)| id.clone()).collect();
        Ok(Self { nodes, ready, running: BTreeSet::new(), taken: BTreeSet::new(), limit: limit.max(1) })
    }

    /// The step to start now, if any. It counts as running until [`Self::finish`] is told of it.
    #[expect(clippy::should_implement_trait, reason = "what is next changes with every end: no iterator")]
    pub fn next(&mut self) -> Option<Step> {
        if self.running.len() >= self.limit {
            return None;
        }
        let best = self.ready.iter().filter(|id| self.may_write(id)).max_by_key(|id| self.nodes[*id].chain)?.clone();
        self.ready.remove(&best);
        let node = self.nodes.get_mut(&best)?;
        self.taken.extend(node.turn.clone());
        self.running.insert(best);
        node.step.take()
    }

    fn may_write(&self, id: &StepId) -> bool {
        self.nodes[id].turn.as_ref().is_none_or(|turn| !self.taken.contains(turn))
    }

    /// Takes note of a running step's end and returns what will never start because of it.
    pub fn finish(&mut self, id: &StepId, ok: bool) -> Vec<Skip> {
        if !self.running.remove(id) {
            return Vec::new();
        }
        let Some(node) = self.nodes.remove(id) else { return Vec::new() };
        if let Some(turn) = &node.turn {
            self.taken.remove(turn);
        }
        if ok { self.release(&node.wanted_by) } else { self.skip(id, node.wanted_by) }
    }

    fn release(&mut self, wanted_by: &[StepId]) -> Vec<Skip> {
        for id in wanted_by {
            if let Some(node) = self.nodes.get_mut(id) {
                node.missing -= 1;
                if node.missing == 0 {
                    self.ready.insert(id.clone());
                }
            }
        }
        Vec::new()
    }

    fn skip(&mut self, because: &StepId, mut doomed: Vec<StepId>) -> Vec<Skip> {
        let mut skips = Vec::new();
        while let Some(step) = doomed.pop() {
            // A step reached by two paths is already gone the second time.
            if let Some(node) = self.nodes.remove(&step) {
                doomed.extend(node.wanted_by);
                skips.push(Skip { step, because: because.clone() });
            }
        }
        skips.sort_by(|a, b| a.step.cmp(&b.step));
        skips
    }

    /// Nothing new starts from now on; returns what never will. What runs goes on.
    pub fn cancel(&mut self) -> Vec<StepId> {
        self.ready.clear();
        let waiting: Vec<_> = self.nodes.keys().filter(|id| !self.running.contains(*id)).cloned().collect();
        for id in &waiting {
            self.nodes.remove(id);
        }
        waiting
    }

    /// Whether every step has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The steps that have not ended. Asked when nothing runs and nothing may start, any is a defect of the program.
    pub fn unended(&self) -> impl Iterator<Item = &StepId> {
        self.nodes.keys()
    }
}

fn distinct(needs: &[StepId]) -> BTreeSet<&StepId> {
    needs.iter().collect()
}

/// Tells every need who waits for it.
fn link(plan: &Plan, nodes: &mut BTreeMap<StepId, Node>) -> Result<(), BadPlan> {
    for step in &plan.steps {
        for need in distinct(&step.needs) {
            let unknown = || BadPlan::UnknownNeed { step: step.id.clone(), need: need.clone() };
            nodes.get_mut(need).ok_or_else(unknown)?.wanted_by.push(step.id.clone());
        }
    }
    Ok(())
}

/// Adds to every step's time the longest chain behind it, from the ends backwards.
fn weigh(nodes: &mut BTreeMap<StepId, Node>) -> Result<(), BadPlan> {
    let mut missing: BTreeMap<StepId, usize> = nodes.iter().map(|(id, node)| (id.clone(), node.missing)).collect();
    let mut order: Vec<StepId> = missing.iter().filter(|(_, count)| **count == 0).map(|(id, _)| id.clone()).collect();
    let mut at = 0;
    while let Some(id) = order.get(at).cloned() {
        at += 1;
        for next in &nodes[&id].wanted_by {
            if let Some(count) = missing.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    order.push(next.clone());
                }
            }
        }
    }
    if let Some((stuck, _)) = missing.iter().find(|(_, count)| **count > 0) {
        return Err(BadPlan::Cycle(stuck.clone()));
    }
    for id in order.iter().rev() {
        let behind = nodes[id].wanted_by.iter().map(|next| nodes[next].chain).max().unwrap_or_default();
        if let Some(node) = nodes.get_mut(id) {
            node.chain += behind;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::fake::{id, plan_of};
    use proptest::prelude::*;

    fn seconds(of: &[(&str, u64)]) -> BTreeMap<StepId, Duration> {
        of.iter().map(|&(name, seconds)| (id(name), Duration::from_secs(seconds))).collect()
    }

    fn schedule(steps: &[(&str, &[&str])], weights: &[(&str, u64)], limit: usize) -> Schedule {
        Schedule::new(&plan_of(steps), &seconds(weights), limit, &BTreeMap::new()).unwrap()
    }

    fn started(schedule: &mut Schedule) -> Vec<String> {
        std::iter::from_fn(|| schedule.next()).map(|step| step.id.address.name().to_owned()).collect()
    }

    #[test]
    fn the_longest_chain_goes_first() {
        let steps: &[(&str, &[&str])] = &[("a", &[]), ("b", &[]), ("c", &["b"]), ("d", &[])];
        let mut schedule = schedule(steps, &[("a", 5), ("b", 1), ("c", 9), ("d", 2)], 2);
        assert_eq!(started(&mut schedule), ["b", "a"]);
        schedule.finish(&id("b"), true);
        assert_eq!(started(&mut schedule), ["c"]);
    }

    #[test]
    fn writers_of_one_turn_do_not_overlap() {
        let turns = [("a", "net"), ("b", "net")].map(|(name, turn)| (id(name), turn.to_owned())).into();
        let plan = plan_of(&[("a", &[]), ("b", &[]), ("c", &[])]);
        let mut schedule = Schedule::new(&plan, &seconds(&[("b", 9), ("a", 5)]), 9, &turns).unwrap();
        assert_eq!(started(&mut schedule), ["b", "c"]);
        schedule.finish(&id("b"), false);
        assert_eq!(started(&mut schedule), ["a"]);
    }

    #[test]
    fn a_failure_skips_what_needs_it_and_nothing_else() {
        let mut schedule =
            schedule(&[("a", &[]), ("b", &["a"]), ("c", &["b", "d"]), ("d", &[]), ("e", &["d"])], &[], 9);
        started(&mut schedule);
        let skips = schedule.finish(&id("a"), false);
        let expected = ["b", "c"].map(|name| Skip { step: id(name), because: id("a") });
        assert_eq!(skips, expected);
        assert_eq!(schedule.finish(&id("d"), true), []);
        assert_eq!(started(&mut schedule), ["e"]);
        schedule.finish(&id("e"), true);
        assert!(schedule.is_over());
    }

    #[test]
    fn a_cancel_lets_what_runs_end() {
        let mut schedule = schedule(&[("a", &[]), ("b", &["a"]), ("c", &[])], &[("a", 1)], 1);
        assert_eq!(started(&mut schedule), ["a"]);
        assert_eq!(schedule.cancel(), [id("b"), id("c")]);
        assert!(!schedule.is_over());
        assert_eq!(schedule.finish(&id("a"), true), []);
        assert!(schedule.is_over() && started(&mut schedule).is_empty());
    }

    #[test]
    fn plans_that_never_end_are_refused() {
        let refused = |steps| Schedule::new(&plan_of(steps), &BTreeMap::new(), 1, &BTreeMap::new()).err().unwrap();
        assert_eq!(refused(&[("a", &["x"])]), BadPlan::UnknownNeed { step: id("a"), need: id("x") });
        assert_eq!(refused(&[("a", &[]), ("a", &[])]), BadPlan::Twice(id("a")));
        assert_eq!(refused(&[("a", &[]), ("b", &["a", "c"]), ("c", &["b"])]), BadPlan::Cycle(id("b")));
    }

    /// A random acyclic plan: every step may need earlier ones; each with weight, turn and fate.
    #[derive(Clone, Debug)]
    struct Case {
        needs: Vec<Vec<usize>>,
        weights: Vec<u64>,
        turns: Vec<Option<u8>>,
        fails: Vec<bool>,
        picks: Vec<usize>,
        limit: usize,
        cancel_after: Option<usize>,
    }

    fn cases() -> impl Strategy<Value = Case> {
        (1usize..24).prop_flat_map(|n| {
            let needs = (0..n).map(|i| proptest::collection::vec(0..i.max(1), 0..=i.min(4))).collect::<Vec<_>>();
            let turn = proptest::option::weighted(0.4, 0u8..3);
            (
                needs,
                proptest::collection::vec(0u64..50, n),
                proptest::collection::vec(turn, n),
                proptest::collection::vec(proptest::bool::weighted(0.1), n),
                proptest::collection::vec(any::<usize>(), n),
                1usize..8,
                proptest::option::weighted(0.2, 0usize..24),
            )
                .prop_map(|(needs, weights, turns, fails, picks, limit, cancel_after)| Case {
                    needs,
                    weights,
                    turns,
                    fails,
                    picks,
                    limit,
                    cancel_after,
                })
        })
    }

    fn name(index: usize) -> String {
        format!("n{index:02}")
    }

    fn build(case: &Case) -> (Plan, Schedule) {
        let names: Vec<String> = (0..case.needs.len()).map(name).collect();
        let needs: Vec<Vec<&str>> =
            case.needs.iter().map(|of| of.iter().map(|&need| names[need].as_str()).collect()).collect();
        let steps: Vec<(&str, &[&str])> =
            names.iter().zip(&needs).map(|(name, needs)| (name.as_str(), needs.as_slice())).collect();
        let plan = plan_of(&steps);
        let weights = names.iter().zip(&case.weights).map(|(n, &w)| (id(n), Duration::from_secs(w))).collect();
        let turns = names.iter().zip(&case.turns).filter_map(|(n, t)| Some((id(n), t.as_ref()?.to_string()))).collect();
        let schedule = Schedule::new(&plan, &weights, case.limit, &turns).unwrap();
        (plan, schedule)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_step_ends_once_and_every_rule_holds(case in cases()) {
            let (plan, mut schedule) = build(&case);
            let index = |id: &StepId| id.address.name()[1..].parse::<usize>().unwrap();
            let (mut done, mut ended) = (BTreeSet::new(), BTreeSet::new());
            let mut running: Vec<Step> = Vec::new();
            let mut finished = 0;
            let mut is_cancelled = false;
            while !schedule.is_over() {
                while let Some(step) = schedule.next() {
                    prop_assert!(!is_cancelled, "started after the cancel");
                    prop_assert!(step.needs.iter().all(|need| done.contains(need)), "{} started early", step.id);
                    let turn = case.turns[index(&step.id)];
                    let taken = running.iter().any(|other| turn.is_some() && case.turns[index(&other.id)] == turn);
                    prop_assert!(!taken, "{} took a turn that was taken", step.id);
                    running.push(step);
                }
                prop_assert!(running.len() <= case.limit);
                prop_assert!(!running.is_empty(), "stuck");
                let step = running.swap_remove(case.picks[finished % case.picks.len()] % running.len());
                let ok = !case.fails[index(&step.id)];
                prop_assert!(ended.insert(step.id.clone()));
                if ok { done.insert(step.id.clone()); }
                for skip in schedule.finish(&step.id, ok) {
                    prop_assert!(!ok && skip.because == step.id);
                    prop_assert!(ended.insert(skip.step), "ended twice");
                }
                finished += 1;
                if case.cancel_after == Some(finished) {
                    is_cancelled = true;
                    for id in schedule.cancel() { prop_assert!(ended.insert(id), "ended twice"); }
                }
            }
            prop_assert_eq!(ended.len(), plan.steps.len());
        }

        #[test]
        fn with_room_for_all_the_run_takes_the_longest_chain(mut case in cases()) {
            case.limit = usize::MAX;
            case.turns.fill(None);
            case.fails.fill(false);
            let (plan, mut schedule) = build(&case);
            // The longest chain by hand: steps are numbered in an order that respects every need.
            let mut ends: BTreeMap<StepId, u64> = BTreeMap::new();
            for (step, weight) in plan.steps.iter().zip(&case.weights) {
                let begin = step.needs.iter().map(|need| ends[need]).max().unwrap_or(0);
                ends.insert(step.id.clone(), begin + weight);
            }
            // The same by running the schedule against a clock.
            let (mut now, mut running) = (0, BTreeSet::new());
            while !schedule.is_over() {
                while let Some(step) = schedule.next() {
                    let weight = case.weights[step.id.address.name()[1..].parse::<usize>().unwrap()];
                    running.insert((now + weight, step.id));
                }
                let (end, id) = running.pop_first().unwrap();
                now = end;
                schedule.finish(&id, true);
            }
            prop_assert_eq!(now, ends.values().copied().max().unwrap());
        }
    }
}
