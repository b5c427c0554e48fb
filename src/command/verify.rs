//! `privaml verify`: proof, or refutation, that the environment is isolated. Reads; changes nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::session::Session;
use super::{connect, errors, explain, running};
use crate::arm;
use crate::cli::VerifyArgs;
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::isolation::{Asked, Model, verify};
use crate::kind;
use crate::model::{ResourceId, State};
use crate::report::verdict;

pub(super) async fn run(session: &Session, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let state = session.state()?.filter(|state| !state.resources.is_empty());
    let (model, asked) = match (state, &args.bodies) {
        (_, Some(path)) => (explain::of_file(path)?, Asked::nothing("")),
        (Some(state), None) if session.options.config.is_none() => of_state(session, &state, args.offline).await?,
        (state, None) => {
            session.screen.notify("Judged by the plan: what an apply of these parameters would make.");
            let config = session.parameters()?;
            let desired = explain::planned(session, state.as_ref())?;
            (Model::of_plan(&desired), Asked::of(&config, &desired))
        }
    };
    if model.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "there is nothing to judge: no network, firewall or service"));
    }
    let report = verify(&model, &asked);
    if session.screen.is_json() {
        session.screen.answer(&serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        session.screen.answer(verdict::text(&report, session.options.verbose > 0).trim_end());
    }
    let fails = report.is_violated() || (args.strict && report.has_warnings());
    Ok(if fails { ExitCode::Violation } else { ExitCode::Done })
}

/// What the state knows, as it is in Azure now, or as it was applied last; compared with the recorded parameters.
async fn of_state(session: &Session, state: &State, offline: bool) -> Result<(Model, Asked), Failure> {
    let config: Config = serde_json::from_value(state.parameters.clone()).map_err(|error| {
        Failure::new(ExitCode::State, "the state's parameters cannot be read")
            .because(error.to_string())
            .remedy("give the parameters with -c FILE")
    })?;
    let desired = explain::drawn(&config, Some(state));
    let bodies = if offline {
        session.screen.notify("Judged by what was applied last.");
        state.resources.values().map(explain::applied).collect()
    } else {
        live(session, state).await?
    };
    Ok((Model::of_bodies(&bodies), Asked::of(&config, &desired)))
}

/// Everything that the state knows and whatever else the group holds of the kinds that matter, read now.
pub(super) async fn live(session: &Session, state: &State) -> Result<Vec<Value>, Failure> {
    let connection = connect::connect(session, state.home.as_ref()).await?;
    let mut ids: Vec<(ResourceId, &str)> =
        state.resources.values().map(|known| (known.id.clone(), known.api_version.as_str())).collect();
    if let Some(group) = running::group(state) {
        let others = running::strangers(&connection, state, &group).await?;
        ids.extend(others.into_iter().filter_map(|id| {
            let version = kind::of_type(&id.arm_type())?.api_version;
            Some((id, version))
        }));
    }
    let found = arm::observe(&connection.client, &ids, &BTreeSet::new(), running::READERS)
        .await
        .map_err(|error| errors::of_arm("cannot read what is there", error))?;
    session.screen.notify(&format!("Judged by {} resources as they are now.", found.len()));
    Ok(found.into_values().collect())
}
