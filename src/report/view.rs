//! A run as it stands: a fold of events over a plan. Pure, so that the live table is tested without a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use super::words;
use crate::kind::durations;
use crate::model::{Cause, Event, Outcome, ResourceId, Step, StepId, What};
use crate::plan::Plan;

/// A step that runs.
#[derive(Clone, Debug)]
struct Running {
    since: Duration,
    note: String,
}

/// A step that is over.
#[derive(Clone, Debug)]
pub struct Over {
    /// How.
    pub outcome: Outcome,
    /// How long it ran.
    pub took: Duration,
}

/// The run.
#[derive(Clone, Debug)]
pub struct View {
    steps: BTreeMap<StepId, Step>,
    running: BTreeMap<StepId, Running>,
    /// The steps that are over.
    pub over: BTreeMap<StepId, Over>,
}

impl View {
    /// A run that has not begun.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let steps = plan.steps.iter().map(|step| (step.id.clone(), step.clone())).collect();
        Self { steps, running: BTreeMap::new(), over: BTreeMap::new() }
    }

    /// Where a step's resource lives.
    #[must_use]
    pub fn resource(&self, step: &StepId) -> Option<&ResourceId> {
        self.steps.get(step).map(|s| &s.resource)
    }

    /// How long a step takes on Azure, by the table.
    #[must_use]
    pub fn expected(&self, step: &StepId) -> Duration {
        self.steps.get(step).map_or(Duration::ZERO, |s| durations::of_step(&s.resource.arm_type(), step.verb))
    }

    /// Takes an event in.
    pub fn fold(&mut self, event: &Event) {
        match &event.what {
            What::Started { step, .. } => {
                self.running.insert(step.clone(), Running { since: event.at, note: String::new() });
            }
            What::Waiting { step, status } => self.note(step, status.clone()),
            What::Retrying { step, after, cause } => self.note(step, retry(*after, cause)),
            What::Ended { step, outcome } => {
                let took = self.running.remove(step).map_or(Duration::ZERO, |r| event.at.saturating_sub(r.since));
                self.over.insert(step.clone(), Over { outcome: outcome.clone(), took });
            }
            What::Accepted { .. } | What::RunStarted { .. } | What::RunEnded { .. } => {}
        }
    }

    fn note(&mut self, step: &StepId, note: String) {
        if let Some(running) = self.running.get_mut(step) {
            running.note = note;
        }
    }

    /// Whether every step is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.len() >= self.steps.len()
    }

    /// What is left of the longest chain of unfinished steps: the expected rest of the run.
    #[must_use]
    pub fn eta(&self, now: Duration) -> Duration {
        let mut known = BTreeMap::new();
        let mut blocks: BTreeMap<&StepId, Vec<&StepId>> = BTreeMap::new();
        for step in self.steps.values() {
            for need in &step.needs {
                blocks.entry(need).or_default().push(&step.id);
            }
        }
        self.steps.keys().map(|step| self.rest(step, now, &blocks, &mut known)).max().unwrap_or_default()
    }

    fn rest<'a>(
        &'a self,
        step: &'a StepId,
        now: Duration,
        blocks: &BTreeMap<&'a StepId, Vec<&'a StepId>>,
        known: &mut BTreeMap<&'a StepId, Duration>,
    ) -> Duration {
        if let Some(rest) = known.get(step) {
            return *rest;
        }
        let own = match self.running.get(step) {
            _ if self.over.contains_key(step) => Duration::ZERO,
            Some(running) => self.expected(step).saturating_sub(now.saturating_sub(running.since)),
            None => self.expected(step),
        };
        let after = blocks.get(step).into_iter().flatten().map(|s| self.rest(s, now, blocks, known)).max();
        let rest = own + after.unwrap_or_default();
        known.insert(step, rest);
        rest
    }

    /// The head line: `12/84 done, about 5 min left`.
    #[must_use]
    pub fn head(&self, now: Duration) -> String {
        let eta = self.eta(now);
        let left = if self.is_over() {
            "done".to_owned()
        } else if eta.is_zero() {
            "a bit longer than usual".to_owned()
        } else {
            format!("{} left", words::about(eta))
        };
        format!("{}  {}/{} steps, {left}", words::stamp(now), self.over.len(), self.steps.len())
    }

    /// The rows of what runs, longest rest first, then one of what waits.
    #[must_use]
    pub fn rows(&self, now: Duration, most: usize) -> Vec<String> {
        let mut running: Vec<_> = self.running.iter().collect();
        running.sort_by_key(|(step, r)| (std::cmp::Reverse(self.expected(step)), r.since));
        let mut rows: Vec<String> = running.iter().take(most).map(|(step, r)| self.row(step, r, now)).collect();
        if running.len() > most {
            rows.push(format!("  … and {} more", running.len() - most));
        }
        rows.extend(self.waiting());
        rows
    }

    fn row(&self, step: &StepId, running: &Running, now: Duration) -> String {
        let elapsed = now.saturating_sub(running.since);
        let mut row = format!(
            "  {} {:<32} {:<9} {:>10} of {}",
            step.verb.symbol(),
            step.address,
            step.verb.running(),
            words::time(elapsed),
            words::about(self.expected(step))
        );
        if !running.note.is_empty() {
            let _ = write!(row, "  {}", running.note);
        }
        row
    }

    /// How many wait, and one of them with what it waits for.
    fn waiting(&self) -> Option<String> {
        let is_idle = |id: &&StepId| !self.over.contains_key(*id) && !self.running.contains_key(*id);
        let idle: BTreeSet<&StepId> = self.steps.keys().filter(is_idle).collect();
        let example = idle.iter().find_map(|id| {
            let need = self.steps.get(*id)?.needs.iter().find(|need| self.running.contains_key(*need))?;
            Some(format!(" ({} waits for {})", id.address, need.address))
        });
        (!idle.is_empty()).then(|| format!("  {} wait{}", idle.len(), example.unwrap_or_default()))
    }

    /// The line for a log without a terminal; `None` for what nobody reads.
    #[must_use]
    pub fn line(&self, event: &Event) -> Option<String> {
        let text = match &event.what {
            What::Started { step, .. } => {
                let expected = self.expected(step);
                let hint =
                    if expected.as_secs() > 20 { format!(" ({})", words::about(expected)) } else { String::new() };
                format!("{} {}  {}{hint}", step.verb.symbol(), step.address, step.verb.running())
            }
            What::Retrying { step, after, cause } => {
                format!("{} {}  {}", step.verb.symbol(), step.address, retry(*after, cause))
            }
            What::Ended { step, outcome } => {
                format!("{} {}  {}", step.verb.symbol(), step.address, self.ended(step, outcome))
            }
            _ => return None,
        };
        Some(format!("{}  {text}", words::stamp(event.at)))
    }

    fn ended(&self, step: &StepId, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Done { .. } => {
                let took = self.over.get(step).map_or(Duration::ZERO, |over| over.took);
                // Of a step that an earlier run began the time is not known.
                if took.is_zero() {
                    step.verb.past().to_owned()
                } else {
                    format!("{} in {}", step.verb.past(), words::time(took))
                }
            }
            Outcome::Failed { cause } => format!("failed: {} {}", cause.code, cause.message),
            Outcome::Skipped { because } => format!("skipped: {because} failed"),
            Outcome::Cancelled => "not started".to_owned(),
        }
    }
}

fn retry(after: Duration, cause: &Cause) -> String {
    let why = if cause.code.is_empty() { &cause.message } else { &cause.code };
    format!("waiting {}: {why}", words::time(after))
}
