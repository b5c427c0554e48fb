//! What plan, apply and destroy share: reading the cloud, showing a plan, carrying it out under Ctrl-C.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connect::Connection;
use super::errors::{of_apply, of_arm};
use super::interrupt::Listening;
use super::session::Session;
use crate::apply::{self, Options, Secrets, Stop};
use crate::arm::{self, account};
use crate::failure::{ExitCode, Failure};
use crate::kind;
use crate::model::{Address, Desired, Event, Observed, ResourceId, State, Tally};
use crate::plan::{self, Plan};
use crate::report::progress::Progress;
use crate::report::{json, plan_text};
use crate::store::{Store, Watch};

/// How many reads run at once.
pub(super) const READERS: usize = 16;
/// How often the live view is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// Reads everything the planner compares with.
pub(super) async fn observe(connection: &Connection, desired: &[Desired], store: &Store) -> Result<Observed, Failure> {
    let watched = plan::watch(desired, store.state());
    let ids: Vec<(ResourceId, &str)> = watched.iter().map(|w| (w.id.clone(), w.api_version.as_str())).collect();
    let expected = store.state().resources.values().map(|known| known.id.clone()).collect();
    let live = arm::observe(&connection.client, &ids, &expected, READERS)
        .await
        .map_err(|error| of_arm("cannot read what is there", error))?;
    let mut observed = Observed { live, ..Observed::default() };
    for vault in desired.iter().filter(|d| d.address.kind() == kind::key_vault::KIND.name) {
        if observed.live.contains_key(&vault.id) {
            continue;
        }
        let location = vault.body["location"].as_str().unwrap_or_default();
        let twin =
            account::deleted_vault(&connection.client, &connection.home.subscription, location, vault.id.name()).await;
        if matches!(twin, Ok(Some(_))) {
            observed.soft_deleted.insert(vault.id.clone());
        }
    }
    Ok(observed)
}

/// Takes up what an earlier run left open.
pub(super) async fn resume(session: &Session, connection: &Connection, store: &mut Store) -> Result<(), Failure> {
    if store.state().open.is_empty() {
        return Ok(());
    }
    let open = store.state().open.len();
    session.screen.notify(&format!("An earlier run left {open} step(s) open; asking Azure how they ended."));
    let progress = Arc::new(Mutex::new(Progress::start(&session.screen, &Plan::default())));
    let (stop, _listening) = listen(session, &progress);
    let mut sink = |event: &Event| locked(&progress).event(event);
    let ended = apply::resume(store, &connection.client, &mut sink, &stop).await;
    locked(&progress).finish();
    connection.rest()?;
    ended.map_err(of_apply)?;
    Ok(())
}

/// Shows a plan: text on stdout, or one JSON object a line.
pub(super) fn show(session: &Session, plan: &Plan) {
    if session.screen.is_json() {
        for line in json::of_plan(plan) {
            session.screen.event(line);
        }
    } else {
        session.screen.answer(plan_text::plan_text(plan).trim_end());
    }
}

/// Asks for consent; `expected` is what must be typed.
pub(super) async fn approve(
    session: &Session,
    yes: bool,
    is_sandbox: bool,
    question: &str,
    expected: &str,
) -> Result<(), Failure> {
    if yes || is_sandbox {
        return Ok(());
    }
    if session.screen.is_json() {
        return Err(Failure::new(ExitCode::Usage, "nobody can be asked with --json").remedy("give --yes"));
    }
    // On a thread of its own, so that Ctrl-C is heard meanwhile.
    let (screen, question) = (session.screen.clone(), question.to_owned());
    let answer = tokio::task::spawn_blocking(move || screen.ask(&question)).await;
    let Some(answer) = answer.ok().flatten() else {
        return Err(Failure::new(ExitCode::Usage, "there is no terminal to ask on")
            .remedy("give --yes (or --auto-approve) to go ahead without being asked"));
    };
    if answer.trim() == expected {
        Ok(())
    } else {
        Err(Failure::new(ExitCode::Failed, "not confirmed; nothing was touched"))
    }
}

/// How a run went.
pub(super) struct Run {
    /// Counts.
    pub(super) tally: Tally,
    /// Run time.
    pub(super) elapsed: Duration,
    /// The end's text.
    pub(super) summary: String,
}

/// Carries a plan out with progress on screen.
pub(super) async fn carry_out(
    session: &Session,
    connection: &Connection,
    plan: &Plan,
    store: &mut Store,
    secrets: &Secrets,
) -> Result<Run, Failure> {
    let options = Options { parallelism: session.options.parallelism, times: apply::step_times(plan) };
    let begin = connection.client.clock().now();
    let progress = Arc::new(Mutex::new(Progress::start(&session.screen, plan)));
    let (stop, _listening) = listen(session, &progress);
    let ticker = {
        let (progress, clock) = (progress.clone(), *connection.client.clock());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(FRAME).await;
                locked(&progress).tick(clock.now().saturating_sub(begin));
            }
        })
    };
    let guard = store.watch().map(|watch| guard(watch, &stop, &progress));
    let mut sink = |event: &Event| locked(&progress).event(event);
    let ended = apply::run(plan, store, &connection.client, secrets, &options, &mut sink, &stop).await;
    ticker.abort();
    if let Some(guard) = guard {
        guard.abort();
    }
    let mut progress = locked(&progress);
    progress.finish();
    connection.rest()?;
    let tally = ended.map_err(of_apply)?;
    let elapsed = connection.client.clock().now().saturating_sub(begin);
    Ok(Run { summary: progress.summary(&tally, elapsed), tally, elapsed })
}

fn locked(progress: &Mutex<Progress>) -> std::sync::MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run that loses the lock on its state starts nothing new: somebody else may have begun.
fn guard(watch: Watch, stop: &Stop, progress: &Arc<Mutex<Progress>>) -> tokio::task::JoinHandle<()> {
    let (stop, progress) = (stop.clone(), progress.clone());
    tokio::spawn(async move {
        let why = watch.lost().await;
        if !stop.is_asked() {
            stop.ask();
        }
        locked(&progress).say(&format!("Stopping: {why}. Nothing new is started, waiting for what runs."));
    })
}

/// Ctrl-C, SIGTERM or a closed terminal: first time nothing new starts, second time the run is left.
fn listen(session: &Session, progress: &Arc<Mutex<Progress>>) -> (Stop, Listening) {
    let stop = Stop::new();
    let (asked, progress) = (stop.clone(), progress.clone());
    let listening = session.interrupts.listen(move || {
        asked.ask();
        if !asked.is_urgent() {
            locked(&progress).say(
                "Stopping: nothing new is started, waiting for what runs. \
                 Again to leave at once; the next run picks it up.",
            );
        }
    });
    (stop, listening)
}

/// The exit code of a run.
pub(super) const fn exit(tally: &Tally) -> ExitCode {
    if tally.failed > 0 || tally.skipped > 0 {
        ExitCode::Azure
    } else if tally.cancelled > 0 {
        ExitCode::Interrupted
    } else {
        ExitCode::Done
    }
}

/// The `-v` line of every command that speaks to ARM.
pub(super) fn calls(session: &Session, connection: &Connection) {
    if session.options.verbose > 0 {
        session.screen.notify(&format!("{}.", connection.client.calls()));
    }
}

/// The `-v` lines of a run: calls, and the run against its longest chain.
pub(super) fn measures(session: &Session, connection: &Connection, plan: &Plan, elapsed: Duration) {
    calls(session, connection);
    let (chain, steps) = plan::chain(plan);
    let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
    if session.options.verbose > 0 && !chain.is_zero() {
        session.screen.notify(&format!(
            "Longest chain: {:.1} s ({}); this run took {:.1} s, ratio {:.3}.",
            chain.as_secs_f64(),
            names.join(" → "),
            elapsed.as_secs_f64(),
            elapsed.as_secs_f64() / chain.as_secs_f64()
        ));
    }
}

/// The resource group of an environment: known, or in the making.
pub(super) fn group(state: &State) -> Option<ResourceId> {
    let is_group = |address: &Address| address.kind() == kind::resource_group::KIND.name;
    let known = state.resources.iter().find(|(address, _)| is_group(address)).map(|(_, known)| &known.id);
    let open = || state.open.iter().find(|(step, _)| is_group(&step.address)).map(|(_, open)| &open.resource);
    known.or_else(open).cloned()
}

/// Everything in the resource group that is not among ours.
pub(super) async fn strangers(
    connection: &Connection,
    state: &State,
    group: &ResourceId,
) -> Result<Vec<ResourceId>, Failure> {
    let ours: BTreeSet<String> = state
        .resources
        .values()
        .map(|known| known.id.key())
        .chain(state.open.values().map(|open| open.resource.key()))
        .collect();
    let listed = connection.client.list(&format!("{group}/resources"), kind::resource_group::KIND.api_version).await;
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) if error.status == Some(404) => Vec::new(),
        Err(error) => return Err(of_arm("cannot list the resource group", error)),
    };
    let ids = listed.iter().filter_map(|body| body["id"].as_str()).map(ResourceId::new);
    Ok(ids.filter(|id| !ours.contains(&id.key())).collect())
}
