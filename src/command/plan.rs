//! `privaml plan`: what would change and why. Writes nothing to Azure; keeps only the drawn names.

use super::proof::{self, Overrides};
use super::session::Session;
use super::{apply, connect, drawing, errors, running};
use crate::blueprint;
use crate::cli::ConsentArgs;
use crate::failure::{ExitCode, Failure};

pub(super) async fn run(session: &Session, detailed: bool, consent: &ConsentArgs) -> Result<ExitCode, Failure> {
    let config = session.parameters()?;
    let mut store = session.store("plan")?;
    let connection = connect::connect(session, store.state().home.as_ref()).await?;
    apply::check_region(&config, &connection)?;
    running::resume(session, &connection, &mut store).await?;
    drawing::settle_names(&mut store)?;
    let (facts, plan) = apply::think(&connection, &config, &store, consent).await?;
    store.close().map_err(|error| errors::of_store(&error))?;
    running::show(session, &plan);
    // A plan only warns; the apply of it stops.
    let _ = proof::of_plan(session, &config, &blueprint::draw(&config, &facts), &Overrides::of(&[])?);
    running::calls(session, &connection);
    Ok(if detailed && !plan.is_empty() { ExitCode::Usage } else { ExitCode::Done })
}
