//! `privaml verify`: proof, or refutation, that the environment is isolated. Reads; changes nothing.

use serde_json::Value;
use time::OffsetDateTime;

use super::audit::{self, Live};
use super::session::Session;
use super::{connect, explain, history};
use crate::cli::{Format, VerifyArgs};
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::isolation::{Asked, Model, Report, verify};
use crate::model::{Desired, Generated, State};
use crate::report::{junit, sarif, verdict};

pub(super) async fn run(session: &Session, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let state = session.state()?.filter(|state| !state.resources.is_empty());
    let (model, asked) = match (state, &args.bodies, &args.resource_group) {
        (_, Some(path), _) => {
            let bodies = explain::of_file(path)?;
            let (model, asked) = by_itself(Model::of_bodies(&bodies));
            (model, asked.without(audit::hollow(&bodies)))
        }
        (state, _, Some(name)) => of_group(session, state.as_ref(), name).await?,
        (Some(state), None, None) if session.options.config.is_none() => {
            of_state(session, &state, args.offline).await?
        }
        (state, None, None) => {
            session.screen.notify("Judged by the plan: what an apply of these parameters would make.");
            let config = session.parameters()?;
            let desired = explain::planned(session, state.as_ref())?;
            (Model::of_plan(&desired), Asked::of(&config, &desired))
        }
    };
    if model.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "there is nothing to judge: no network, firewall or service"));
    }
    let report = verify(&model, &asked.on(today()));
    session.screen.answer(&shown(session, &report, args));
    let fails = report.is_violated() || (args.strict && report.has_warnings());
    Ok(if fails { ExitCode::Violation } else { ExitCode::Done })
}

fn shown(session: &Session, report: &Report, args: &VerifyArgs) -> String {
    let otherwise = if session.screen.is_json() { Format::Json } else { Format::Table };
    let text = match args.format.unwrap_or(otherwise) {
        Format::Table => verdict::text(report, session.options.verbose > 0),
        Format::Json => serde_json::to_string_pretty(report).unwrap_or_default(),
        Format::Sarif => serde_json::to_string_pretty(&sarif::of_report(report)).unwrap_or_default(),
        Format::Junit => junit::of_report(report, args.strict),
    };
    text.trim_end().to_owned()
}

/// The day on which consents are judged (UTC): `2026-11-27`.
pub(super) fn today() -> String {
    OffsetDateTime::now_utc().date().to_string()
}

/// Judged by nothing but itself: no parameters are known.
fn by_itself(model: Model) -> (Model, Asked) {
    let asked = Asked::nothing(model.location().unwrap_or_default());
    (model, asked)
}

/// What the state knows, as it is in Azure now, or as it was applied last; compared with the recorded parameters.
async fn of_state(session: &Session, state: &State, offline: bool) -> Result<(Model, Asked), Failure> {
    let config = recorded(state)?;
    let desired = explain::drawn(&config, Some(state));
    let asked = Asked { history: history::of(state), ..Asked::of(&config, &desired) };
    if offline {
        session.screen.notify("Judged by what was applied last.");
        let bodies: Vec<Value> = state.resources.values().map(explain::applied).collect();
        return Ok((Model::of_bodies(&bodies), asked));
    }
    let live = live(session, state).await?;
    Ok((Model::of_bodies(&live.bodies), asked.without(live.unread)))
}

/// What the state knows and whatever else is around it, read now.
pub(super) async fn live(session: &Session, state: &State) -> Result<Live, Failure> {
    let connection = connect::connect(session, state.home.as_ref()).await?;
    let live = audit::of_state(&connection, state).await?;
    say(session, &live);
    Ok(live)
}

/// The parameters of the last apply.
pub(super) fn recorded(state: &State) -> Result<Config, Failure> {
    serde_json::from_value(state.parameters.clone()).map_err(|error| {
        Failure::new(ExitCode::State, "the state's parameters cannot be read")
            .because(error.to_string())
            .remedy("give the parameters with -c FILE")
    })
}

/// Whatever a group holds. With parameters it is also compared with them.
async fn of_group(session: &Session, state: Option<&State>, name: &str) -> Result<(Model, Asked), Failure> {
    let connection = connect::connect(session, state.and_then(|state| state.home.as_ref())).await?;
    let live = audit::of_group(&connection, name).await?;
    say(session, &live);
    let model = Model::of_bodies(&live.bodies);
    if session.options.config.is_none() {
        let (model, asked) = by_itself(model);
        return Ok((model, asked.without(live.unread)));
    }
    let config = session.parameters()?;
    let desired = named_so(session, &connection, &config, name)?;
    Ok((model, Asked::of(&config, &desired).without(live.unread)))
}

/// The plan of these parameters under the names of that group.
fn named_so(
    session: &Session,
    connection: &connect::Connection,
    config: &Config,
    group: &str,
) -> Result<Vec<Desired>, Failure> {
    let suffix = group.strip_prefix("rg-").and_then(|rest| rest.strip_prefix(config.name.as_str()));
    let Some(suffix) = suffix.filter(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())) else {
        return Err(Failure::new(ExitCode::Usage, format!("{group} is not what these parameters make"))
            .because(format!("their groups are called rg-{} and four digits", config.name))
            .remedy("leave -c out to judge the group by itself"));
    };
    session.screen.notify("Compared with what the parameters would make under these names.");
    let generated = Generated { suffix: Some(suffix.to_owned()), ..Generated::default() };
    let cloud_names = connection.own_names();
    let state =
        State { home: Some(connection.home.clone()), cloud_names, generated, ..State::empty(uuid::Uuid::nil()) };
    Ok(explain::drawn(config, Some(&state)))
}

fn say(session: &Session, live: &Live) {
    session.screen.notify(&format!("Judged by {} resources as they are now.", live.bodies.len()));
    if !live.unread.is_empty() {
        session.screen.notify(&format!("{} things could not be read; all-was-read names them.", live.unread.len()));
    }
}
