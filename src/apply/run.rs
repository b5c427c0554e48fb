//! The loop of an apply: starts what may start, writes what is said, follows what ends. Sends nothing itself.

use std::collections::BTreeMap;

use crate::kind;
use crate::model::{Address, Cause, Outcome, Step, StepId, Tally, What};
use crate::plan::Plan;
use crate::store::Store;

use super::crew::{Crew, End, News};
use super::errand::{self, Errand};
use super::ledger::Ledger;
use super::step::carry_out;
use super::{ApplyError, Cloud, Options, Schedule, Secrets, Sink, Stop};

/// Carries out a plan and returns the counts; failed steps are among them. Dropping the future is what a crash is:
/// the journal has everything the next run needs.
///
/// # Errors
/// When the state cannot be written, the plan cannot be carried out, or the user asked to leave at once.
pub async fn run<C: Cloud>(
    plan: &Plan,
    store: &mut Store,
    cloud: &C,
    secrets: &Secrets,
    options: &Options,
    sink: Sink<'_>,
    stop: &Stop,
) -> Result<Tally, ApplyError> {
    let ledger = Ledger::new(store, cloud, sink, kind::find).masking(secrets);
    run_with(ledger, plan, secrets, options, stop).await
}

/// The same with the books made by the caller.
pub(super) async fn run_with<C: Cloud>(
    mut ledger: Ledger<'_, C>,
    plan: &Plan,
    secrets: &Secrets,
    options: &Options,
    stop: &Stop,
) -> Result<Tally, ApplyError> {
    let turns = turns(plan, &ledger);
    let mut schedule = Schedule::new(plan, &options.times, options.parallelism, &turns)?;
    ledger.record(What::RunStarted { steps: plan.steps.len() })?;
    let cloud = ledger.cloud;
    let mut crew = Crew::new();
    let mut is_stopping = false;
    loop {
        while let Some(step) = start_next(&mut schedule, stop) {
            let id = step.id.clone();
            let needs = plan.needs.get(&id.address).cloned().unwrap_or_default();
            match prepare(step, needs, &ledger, secrets) {
                Ok(errand) => crew.send_out(carry_out(errand, cloud, crew.teller(&id))),
                Err(text) => {
                    let outcome = Outcome::Failed { cause: Cause::of(text) };
                    crew.send_back(End { step: id, outcome, is_certain: true });
                }
            }
        }
        if schedule.is_over() {
            break;
        }
        match crew.news(stop, !is_stopping).await {
            News::Urgent => return Err(ApplyError::Left),
            News::Asked => {
                is_stopping = true;
                for step in schedule.cancel() {
                    ledger.end_unstarted(step, Outcome::Cancelled)?;
                }
            }
            News::Said(message) => ledger.hear(message)?,
            News::Ended(end) => follow_up(end, &mut schedule, &mut ledger)?,
            News::Quiet => return Err(ApplyError::Unended(schedule.unended().cloned().collect())),
        }
    }
    ledger.record(What::RunEnded { tally: ledger.tally.clone() })?;
    Ok(ledger.tally)
}

/// The step to start now; none once the user asked to stop.
fn start_next(schedule: &mut Schedule, stop: &Stop) -> Option<Step> {
    if stop.is_asked() { None } else { schedule.next() }
}

fn prepare<C: Cloud>(
    step: Step,
    needs: Vec<Address>,
    ledger: &Ledger<'_, C>,
    secrets: &Secrets,
) -> Result<Errand, String> {
    let kind = ledger.kind(&step.id)?;
    Errand::prepare(step, needs, kind, ledger.state(), secrets)
}

/// Writes an end before anything that depends on it may start.
fn follow_up<C: Cloud>(end: End, schedule: &mut Schedule, ledger: &mut Ledger<'_, C>) -> Result<(), ApplyError> {
    let (step, is_done) = (end.step.clone(), matches!(end.outcome, Outcome::Done { .. }));
    ledger.end(end)?;
    for skip in schedule.finish(&step, is_done) {
        ledger.end_unstarted(skip.step, Outcome::Skipped { because: skip.because })?;
    }
    Ok(())
}

fn turns<C: Cloud>(plan: &Plan, ledger: &Ledger<'_, C>) -> BTreeMap<StepId, String> {
    let turn = |step: &Step| {
        let kind = ledger.kind(&step.id).ok()?;
        Some((step.id.clone(), errand::turn(step, kind, ledger.state())?))
    };
    plan.steps.iter().filter_map(turn).collect()
}
