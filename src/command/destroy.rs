//! `privaml destroy`: removes what the state knows, then the group. Touches nothing foreign.

use super::session::Session;
use super::{connect, errors, running};
use crate::apply::Secrets;
use crate::failure::{ExitCode, Failure};
use crate::model::{Generated, Observed, ResourceId};
use crate::plan;
use crate::store::Store;

pub(super) async fn run(session: &Session, yes: bool) -> Result<ExitCode, Failure> {
    let mut store = session.store("destroy")?;
    if store.state().is_bare() {
        session.screen.answer("Nothing to destroy: the state knows no resource.");
        return Ok(ExitCode::Done);
    }
    let connection = connect::connect(session, store.state().home.as_ref()).await?;
    running::resume(session, &connection, &mut store).await?;
    let mut observed = Observed::default();
    let group = running::group(store.state());
    if let Some(group) = &group {
        observed.strangers = running::strangers(&connection, store.state(), group).await?;
    }
    let plan = plan::destroy(store.state(), &observed);
    running::show(session, &plan);
    let name = group.map_or_else(|| "yes".to_owned(), |id| id.name().trim_start_matches("rg-").to_owned());
    let question = format!("Everything above will be deleted. Type `{name}` to go ahead: ");
    running::approve(session, yes, connection.sandbox.is_some(), &question, &name).await?;
    let run = running::carry_out(session, &connection, &plan, &mut store, &Secrets::new()).await?;
    session.screen.summary(&run.summary);
    running::measures(session, &connection, &plan, run.elapsed);
    let code = running::exit(&run.tally);
    let is_bare = store.state().is_bare();
    if is_bare {
        forget(&mut store)?;
    }
    store.close().map_err(|error| errors::of_store(&error))?;
    if code == ExitCode::Done && !is_bare {
        return Err(foreign(&plan.strangers));
    }
    Ok(code)
}

/// A next environment gets a new suffix: the vault's name stays taken while its purge protection lasts.
fn forget(store: &mut Store) -> Result<(), Failure> {
    store
        .amend(|state| {
            state.generated = Generated::default();
            state.outputs.clear();
            state.home = None;
            state.cloud_names = None;
        })
        .map_err(|error| errors::of_store(&error))
}

fn foreign(strangers: &[ResourceId]) -> Failure {
    let list: Vec<String> = strangers.iter().map(ToString::to_string).collect();
    Failure::new(ExitCode::Azure, "the resource group stays: it holds things that are not ours")
        .because(list.join(", "))
        .remedy("move or delete them, then run `privaml destroy` again")
}
