//! Which resources are exported, pictured and reported: the plan's where parameters are given or nothing was applied
//! yet, else those that were applied last. Asks no cloud.

use serde_json::Value;

use super::explain;
use super::session::Session;
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::kind;
use crate::model::{Desired, State};
use crate::plan;
use crate::report::entry::Entry;

/// An environment at hand.
pub(super) struct Environment {
    /// The parameters it was drawn from.
    pub(super) config: Config,
    /// What these parameters draw.
    pub(super) desired: Vec<Desired>,
    /// Its resources.
    pub(super) entries: Vec<Entry>,
    /// The state, where the entries are from it.
    pub(super) state: Option<State>,
}

impl Environment {
    /// Every body as ARM returns it: without secrets, with what Azure reported, such as addresses.
    pub(super) fn bodies(&self) -> Vec<Value> {
        let reported = |entry: &Entry| {
            let known = self.state.as_ref().and_then(|state| state.resources.get(&entry.address));
            known.map_or_else(
                || entry.as_arm(),
                |known| Entry { body: explain::applied(known), ..entry.clone() }.as_arm(),
            )
        };
        self.entries.iter().map(reported).collect()
    }
}

/// Gathers it.
pub(super) fn of(session: &Session) -> Result<Environment, Failure> {
    match session.state()?.filter(|state| !state.resources.is_empty()) {
        Some(state) if session.options.config.is_none() => of_state(state),
        state => {
            if !session.has_parameters() {
                session.screen.notify("No state and no parameters here: the built-in defaults are taken.");
            }
            let config = session.parameters()?;
            let desired = explain::drawn(&config, state.as_ref());
            let entries = planned(&desired);
            Ok(Environment { config, desired, entries, state: None })
        }
    }
}

fn of_state(state: State) -> Result<Environment, Failure> {
    let config: Config = serde_json::from_value(state.parameters.clone()).map_err(|error| {
        Failure::new(ExitCode::State, "the state's parameters cannot be read")
            .because(error.to_string())
            .remedy("give the parameters with -c FILE")
    })?;
    let desired = explain::drawn(&config, Some(&state));
    let entry = |(address, known): (&crate::model::Address, &crate::model::Known)| Entry {
        address: address.clone(),
        id: known.id.clone(),
        api_version: known.api_version.clone(),
        body: known.applied.clone(),
        needs: known.needs.clone(),
    };
    let entries = state.resources.iter().map(entry).collect();
    Ok(Environment { config, desired, entries, state: Some(state) })
}

/// Planned resources as entries.
fn planned(desired: &[Desired]) -> Vec<Entry> {
    let version = |one: &Desired| kind::find(one.address.kind()).map_or("", |kind| kind.api_version).to_owned();
    let entry = |(one, needs): (&Desired, Vec<crate::model::Address>)| Entry {
        address: one.address.clone(),
        id: one.id.clone(),
        api_version: version(one),
        body: one.body.clone(),
        needs,
    };
    desired.iter().zip(plan::needs(desired)).map(entry).collect()
}
