//! `privaml state`: looks at the state, moves it between this folder and a blob, frees its lock. Never speaks to ARM.

use serde_json::json;

use super::errors::of_store;
use super::session::Session;
use super::{remote, running};
use crate::cli::StateAct;
use crate::config::Azblob;
use crate::failure::{ExitCode, Failure};
use crate::model::{Address, State};
use crate::store::{Holder, Remote, Store, StoreError};

pub(super) async fn run(session: &Session, act: StateAct) -> Result<ExitCode, Failure> {
    match act {
        StateAct::List => list(session, &existing(session)?),
        StateAct::Show { address } => show(session, &existing(session)?, &address)?,
        StateAct::Pull { save, force } => pull(session, save, force)?,
        StateAct::Push { force, yes } => push(session, force, yes).await?,
        StateAct::Migrate { yes } => migrate(session, yes).await?,
        StateAct::Unlock { yes } => unlock(session, yes).await?,
    }
    Ok(ExitCode::Done)
}

fn existing(session: &Session) -> Result<State, Failure> {
    session.state()?.ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("there is no state {}", session.options.state.display()))
            .remedy("run `privaml apply` first, or give --state FILE or -c FILE")
    })
}

fn list(session: &Session, state: &State) {
    if session.screen.is_json() {
        let resources: Vec<_> = state
            .resources
            .iter()
            .map(|(address, known)| json!({"address": address, "id": known.id, "api_version": known.api_version}))
            .collect();
        let open: Vec<_> =
            state.open.iter().map(|(step, open)| json!({"step": step.to_string(), "id": open.resource})).collect();
        let document = json!({"format": state.format, "lineage": state.lineage, "serial": state.serial,
            "home": state.home, "resources": resources, "open": open});
        session.screen.answer(&pretty(&document));
        return;
    }
    let width = state.resources.keys().map(|address| address.to_string().len()).max().unwrap_or_default();
    for (address, known) in &state.resources {
        session.screen.answer(&format!("{:width$}  {}", address.to_string(), known.id));
    }
    for (step, open) in &state.open {
        session.screen.status(&format!("open: {step}  {}", open.resource));
    }
    session.screen.notify(&format!("{} resources, serial {}.", state.resources.len(), state.serial));
}

fn show(session: &Session, state: &State, text: &str) -> Result<(), Failure> {
    let address = text.parse::<Address>().ok();
    let known = address.and_then(|address| state.resources.get(&address)).ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("the state knows no `{text}`"))
            .remedy("`privaml state list` shows the addresses")
    })?;
    session.screen.answer(&pretty(&serde_json::to_value(known).unwrap_or_default()));
    Ok(())
}

fn pretty(document: &serde_json::Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

fn pull(session: &Session, save: bool, force: bool) -> Result<(), Failure> {
    let remote = shared(session)?;
    if save {
        let holder = holder("state pull");
        let state = Store::pull(&session.options.state, &holder, session.patience(), remote, force);
        let state = state.map_err(|error| of_store(&error))?;
        session.screen.notify(&format!("{} has serial {} now.", session.options.state.display(), state.serial));
        return Ok(());
    }
    let place = remote.place().to_owned();
    let state = Store::read_shared(remote).map_err(|error| of_store(&error))?;
    let state = state.ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("there is no remote state {place} yet"))
            .remedy("run `privaml apply` first")
    })?;
    let text = Store::text(&state).map_err(|error| of_store(&error))?;
    session.screen.answer(String::from_utf8_lossy(&text).trim_end());
    Ok(())
}

async fn push(session: &Session, force: bool, yes: bool) -> Result<(), Failure> {
    let remote = shared(session)?;
    let place = remote.place().to_owned();
    if force {
        let question = format!("{place} will be replaced, whatever it holds. Only `yes` is taken: ");
        running::approve(session, yes, session.options.sandbox, &question, "yes").await?;
    }
    let state = Store::push(&session.options.state, &holder("state push"), session.patience(), remote, force);
    let state = state.map_err(|error| of_store(&error))?;
    session.screen.notify(&format!("{place} has serial {} now.", state.serial));
    Ok(())
}

/// Between here and where the parameters say.
async fn migrate(session: &Session, yes: bool) -> Result<(), Failure> {
    if !session.has_parameters() {
        return Err(Failure::new(ExitCode::Usage, "there is no parameter file to say where the state shall be")
            .remedy("give -c FILE; its table [state] says so"));
    }
    let (from, to) = (remote::origin(session)?, session.parameters()?.state.azblob);
    if from == to {
        session.screen.notify("The state is where the parameters say.");
        return Ok(());
    }
    let question =
        format!("Move the state from {} to {}? Only `yes` is taken: ", words(from.as_ref()), words(to.as_ref()));
    running::approve(session, yes, session.options.sandbox, &question, "yes").await?;
    let (path, patience, holder) = (&session.options.state, session.patience(), holder("state migrate"));
    if let Some(from) = from {
        Store::open_shared(path, &holder, patience, remote::at(session, from))
            .and_then(Store::withdraw)
            .map_err(|error| of_store(&error))?;
    }
    if let Some(to) = to.clone() {
        Store::push(path, &holder, patience, remote::at(session, to), false).map_err(|error| of_store(&error))?;
    }
    session.screen.notify(&format!("The state is in {} now.", words(to.as_ref())));
    Ok(())
}

fn words(place: Option<&Azblob>) -> String {
    place.map_or_else(
        || "the local file".to_owned(),
        |azblob| format!("{}/{}/{}", azblob.account, azblob.container, azblob.key),
    )
}

async fn unlock(session: &Session, yes: bool) -> Result<(), Failure> {
    let holder_here = holder("state unlock");
    Store::free(&session.options.state, &holder_here).map_err(|error| match error {
        StoreError::Locked { .. } => of_store(&error)
            .remedy("the lock on the local file ends with that process: end the process, nothing is lost by that"),
        error => of_store(&error),
    })?;
    let Some(azblob) = remote::settings(session)? else {
        session.screen.notify("Nobody holds the lock on the state.");
        return Ok(());
    };
    let place = words(Some(&azblob));
    let occupant = remote::at(session, azblob.clone()).holder().map_err(|error| of_store(&error))?;
    let Some(occupant) = occupant else {
        session.screen.notify(&format!("Nobody holds the lock on {place}."));
        return Ok(());
    };
    let question = format!(
        "{place} is in use by {occupant}. A run that still lives stops before its next step. Only `yes` is taken: "
    );
    running::approve(session, yes, false, &question, "yes").await?;
    remote::at(session, azblob).break_lock().map_err(|error| of_store(&error))?;
    session.screen.notify(&format!("The lock of {occupant} on {place} is ended."));
    Ok(())
}

fn shared(session: &Session) -> Result<Remote, Failure> {
    remote::of(session)?.ok_or_else(|| {
        Failure::new(ExitCode::Usage, "the state is a local file: the parameters name no other place")
            .remedy("set `backend = \"azblob\"` in [state], then `privaml state migrate`")
    })
}

fn holder(command: &str) -> Holder {
    Holder { command: command.to_owned() }
}
