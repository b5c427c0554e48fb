//! `privaml apply`: makes or changes the environment. Gathers, asks, hands over; the plan decides.

use super::connect::{self, Connection};
use super::proof::{self, Overrides};
use super::session::Session;
use super::{drawing, errors, running};
use crate::blueprint;
use crate::cli::{ConsentArgs, ProofArgs};
use crate::config::{Config, regions};
use crate::failure::{ExitCode, Failure};
use crate::kind::virtual_network;
use crate::model::{Address, Desired, Facts, Known, State};
use crate::plan::{self, Adopt, Consent, Plan};
use crate::report::{json, outputs};
use crate::store::Store;

/// A second pass corrects the route where Azure chose another firewall address; a third would be a defect.
const PASSES: usize = 2;

pub(super) async fn run(
    session: &Session,
    yes: bool,
    consent: &ConsentArgs,
    args: &ProofArgs,
) -> Result<ExitCode, Failure> {
    let config = session.parameters()?;
    let overrides = Overrides::of(&args.accept)?;
    let mut store = session.store("apply")?;
    let connection = connect::connect(session, store.state().home.as_ref()).await?;
    check_region(&config, &connection)?;
    running::resume(session, &connection, &mut store).await?;
    drawing::settle_names(&mut store)?;
    let (facts, plan) = think(&connection, &config, &store, consent).await?;
    running::show(session, &plan);
    let is_change = !plan.is_empty();
    proof::of_plan(session, &config, &blueprint::draw(&config, &facts), &overrides)?;
    if !plan.is_empty() {
        let question = "Apply this plan? Only `yes` is taken: ";
        running::approve(session, yes, connection.sandbox.is_some(), question, "yes").await?;
    }
    remember(&mut store, &connection, &config, is_change)?;
    let mut code = passes(session, &connection, &config, &mut store, (facts, plan)).await?;
    if code == ExitCode::Done && is_change && !args.no_verify {
        let desired = blueprint::draw(&config, &drawing::facts(store.state(), &connection)?);
        code = proof::of_live(session, &connection, store.state(), (&config, &desired), &overrides).await;
    }
    close(session, store, code)?;
    Ok(code)
}

/// The parameters name a region of one cloud; another cloud would refuse it late.
pub(super) fn check_region(config: &Config, connection: &Connection) -> Result<(), Failure> {
    let home = &connection.home.cloud;
    let named = ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"].contains(&home.as_str());
    match regions::find(&config.location) {
        Some(region) if named && region.cloud.name() != home => {
            Err(Failure::new(ExitCode::Usage, format!("`{}` is a region of {}", config.location, region.cloud.name()))
                .because(format!("this command speaks to {home}"))
                .remedy("give another location, or --cloud"))
        }
        _ => Ok(()),
    }
}

/// Azure changes the range of no subnet in use, and refuses only when other writes are done (`azure-facts` 2.7).
fn check_ranges(desired: &[Desired], state: &State) -> Result<(), Failure> {
    let address = Address::new(virtual_network::KIND.name, "core");
    let wanted = desired.iter().find(|one| one.address == address);
    let Some((known, wanted)) = state.resources.get(&address).zip(wanted) else { return Ok(()) };
    if known.id != wanted.id || known.applied["location"] != wanted.body["location"] {
        return Ok(()); // Another network: everything in it is made anew.
    }
    for (subnet, old, new) in virtual_network::moved(&known.applied, &wanted.body) {
        let place = format!("{}/subnets/{subnet}\"", known.id);
        let stands = |one: &&Known| one.applied.to_string().contains(&place);
        if let Some(inside) = state.resources.values().find(stands) {
            return Err(Failure::new(
                ExitCode::Usage,
                format!("the range of {subnet} cannot change while it is in use"),
            )
            .because(format!("it is {old} and would be {new}; {} is in it", inside.id.name()))
            .remedy("put vnet_address_space or [network] back; for other ranges, `privaml destroy` first"));
        }
    }
    Ok(())
}

/// Draws, reads and plans.
pub(super) async fn think(
    connection: &Connection,
    config: &Config,
    store: &Store,
    consent: &ConsentArgs,
) -> Result<(Facts, Plan), Failure> {
    let facts = drawing::facts(store.state(), connection)?;
    let desired = blueprint::draw(config, &facts);
    known_names(consent, &desired)?;
    check_ranges(&desired, store.state())?;
    let observed = running::observe(connection, &desired, store).await?;
    let plan = plan::plan(&desired, store.state(), &observed, &consent_of(consent)?)
        .map_err(|error| errors::of_plan(&error))?;
    Ok((facts, plan))
}

/// A consent to something that is not there is a slip of the pen.
fn known_names(args: &ConsentArgs, desired: &[Desired]) -> Result<(), Failure> {
    let unknown = args
        .adopt
        .iter()
        .filter(|name| *name != "all")
        .chain(&args.allow_replace)
        .find(|name| !desired.iter().any(|one| one.is_called(name)));
    match unknown {
        None => Ok(()),
        Some(name) => Err(Failure::new(ExitCode::Usage, format!("this environment has no resource `{name}`"))
            .because("it is named by --adopt or --allow-replace")
            .remedy("`privaml plan` shows the addresses")),
    }
}

fn consent_of(args: &ConsentArgs) -> Result<Consent, Failure> {
    let adopt = match args.adopt.as_slice() {
        [] => Adopt::Nothing,
        list if list.iter().any(|text| text == "all") => Adopt::All,
        list => Adopt::These(list.iter().cloned().collect()),
    };
    let parsed: Result<_, _> = args.allow_replace.iter().map(|text| text.parse()).collect();
    let allow_replace = parsed.map_err(|error: crate::model::BadAddress| {
        Failure::new(ExitCode::Usage, error.to_string()).remedy("`privaml plan` shows the addresses")
    })?;
    Ok(Consent { adopt, allow_replace })
}

fn remember(store: &mut Store, connection: &Connection, config: &Config, is_change: bool) -> Result<(), Failure> {
    let parameters = drawing::recorded(config)?;
    let home = Some(connection.home.clone());
    let names = connection.own_names();
    let known = store.state();
    if known.parameters == parameters && known.home == home && known.cloud_names == names && !is_change {
        return Ok(());
    }
    store
        .amend(|state| {
            state.home = home;
            state.cloud_names = names;
            state.parameters = parameters;
            if is_change {
                state.begin_trail();
            }
        })
        .map_err(|error| errors::of_store(&error))
}

async fn passes(
    session: &Session,
    connection: &Connection,
    config: &Config,
    store: &mut Store,
    first: (Facts, Plan),
) -> Result<ExitCode, Failure> {
    let (mut facts, mut plan) = first;
    let mut code = ExitCode::Done;
    for pass in 1..=PASSES {
        if !plan.is_empty() {
            let secrets = drawing::secrets(store, &plan)?;
            let run = running::carry_out(session, connection, &plan, store, &secrets).await?;
            code = running::exit(&run.tally);
            session.screen.summary(&run.summary);
            running::measures(session, connection, &plan, run.elapsed);
        }
        let planned = blueprint::Scene::new(config, &facts).firewall_address();
        let is_where_planned = drawing::firewall_address(store.state()).is_none_or(|real| real == planned);
        if code != ExitCode::Done || is_where_planned || pass == PASSES {
            break;
        }
        session.screen.notify("Azure put the firewall at another address than planned; correcting the route.");
        (facts, plan) = think(connection, config, store, &ConsentArgs::default()).await?;
    }
    let outputs = drawing::outputs(store.state(), config, &facts);
    let is_over = code == ExitCode::Done && store.state().trail.as_ref().is_some_and(|trail| !trail.is_whole);
    if store.state().outputs != outputs || is_over {
        let amended = store.amend(|state| {
            state.outputs = outputs;
            if is_over {
                state.end_trail();
            }
        });
        amended.map_err(|error| errors::of_store(&error))?;
    }
    Ok(code)
}

fn close(session: &Session, store: Store, code: ExitCode) -> Result<(), Failure> {
    if code == ExitCode::Done {
        let rows = drawing::rows(store.state(), drawing::Reveal::Nothing)?;
        if session.screen.is_json() {
            session.screen.event(json::of_outputs(&rows));
        } else {
            session.screen.answer(outputs::table(&rows).trim_end());
            session.screen.answer(outputs::next_steps(&rows).trim_end());
        }
    }
    store.close().map_err(|error| errors::of_store(&error))
}
