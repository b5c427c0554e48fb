//! `privaml recover`: a lost state is made again from what Azure holds. Reads Azure and writes the state, nothing else.

use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use super::connect::{self, Connection};
use super::session::Session;
use super::{apply, drawing, errors, running};
use crate::apply::Secrets;
use crate::blueprint;
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::kind;
use crate::model::{Address, JUMPBOX_PASSWORD, OWNER_TAG, Observed, ResourceId, StepId, Verb};
use crate::plan::{self, Adopt, Consent, Plan};
use crate::store::{Store, draw};

/// Where a password known from elsewhere is taken from.
const PASSWORD: &str = "PRIVAML_JUMPBOX_PASSWORD";

/// An environment found by its tag.
struct Found {
    group: ResourceId,
    lineage: Uuid,
    suffix: String,
}

pub(super) async fn run(session: &Session, group: Option<&str>) -> Result<ExitCode, Failure> {
    let config = session.parameters()?;
    let mut store = session.store("recover")?;
    if !store.state().is_bare() {
        return Err(Failure::new(ExitCode::State, "there is nothing to recover: the state knows resources")
            .because(session.options.state.display().to_string())
            .remedy("give another --state FILE, or move the file away if it is wrong"));
    }
    let connection = connect::connect(session, store.state().home.as_ref()).await?;
    apply::check_region(&config, &connection)?;
    let found = search(&connection, &config, group).await?;
    session.screen.notify(&format!("Found {}, made by privaml as {}.", found.group.name(), found.lineage));
    settle(&connection, &config, &mut store, &found).await?;
    let plan = adoptions(&connection, &config, &mut store).await?;
    let run = running::carry_out(session, &connection, &plan, &mut store, &Secrets::new()).await?;
    session.screen.summary(&run.summary);
    let facts = drawing::facts(store.state(), &connection)?;
    let outputs = drawing::outputs(store.state(), &config, &facts);
    store.amend(|state| state.outputs = outputs).map_err(|error| errors::of_store(&error))?;
    if config.jumpbox.is_some() && !store.state().generated.sealed.contains_key(JUMPBOX_PASSWORD) {
        session.screen.notify(&lost_password());
    }
    store.close().map_err(|error| errors::of_store(&error))?;
    Ok(running::exit(&run.tally))
}

fn lost_password() -> String {
    format!(
        "Lost: the jumpbox password; Azure never shows it. It stands in the key vault as `jumpbox-password`, readable \
         from inside the environment.\nTo have it here again: move the new state away and run `privaml recover` with \
         {PASSWORD} set to it. Everything else is recovered; `privaml plan` shows what differs from the parameters."
    )
}

/// The resource group of this name that carries our tag.
async fn search(connection: &Connection, config: &Config, wanted: Option<&str>) -> Result<Found, Failure> {
    let path = format!("/subscriptions/{}/resourcegroups", connection.home.subscription);
    let groups = connection
        .client
        .list(&path, kind::resource_group::KIND.api_version)
        .await
        .map_err(|error| errors::of_arm("cannot list the resource groups", error))?;
    let mut found: Vec<Found> = groups.iter().filter_map(|group| candidate(group, &config.name)).collect();
    if let Some(wanted) = wanted {
        found.retain(|one| one.group.name().eq_ignore_ascii_case(wanted));
    }
    let names: Vec<&str> = found.iter().map(|one| one.group.name()).collect();
    match names.as_slice() {
        [] => Err(Failure::new(ExitCode::Usage, "no environment of these parameters was found")
            .because(format!("no resource group rg-{}NNNN carries the tag `{OWNER_TAG}`", config.name))
            .remedy("check `name` in the parameters, and --subscription")),
        [_] => Ok(found.remove(0)),
        many => Err(Failure::new(ExitCode::Usage, "several environments fit these parameters")
            .because(many.join(", "))
            .remedy("name one: privaml recover --group NAME")),
    }
}

fn candidate(group: &Value, name: &str) -> Option<Found> {
    let id = ResourceId::new(group["id"].as_str()?);
    let suffix = id.name().to_ascii_lowercase().strip_prefix(&format!("rg-{name}"))?.to_owned();
    let is_ours = suffix.len() == 4 && suffix.bytes().all(|byte| byte.is_ascii_digit());
    let lineage = group["tags"][OWNER_TAG].as_str()?.parse().ok()?;
    is_ours.then_some(Found { group: id, lineage, suffix })
}

/// Writes down what was drawn once: lineage, suffix, user, and the password if somebody knows it.
async fn settle(connection: &Connection, config: &Config, store: &mut Store, found: &Found) -> Result<(), Failure> {
    let known = std::env::var(PASSWORD).ok().map(|text| text.trim_end().to_owned()).filter(|text| !text.is_empty());
    let known = known.map(SecretString::from);
    let parameters = drawing::recorded(config)?;
    let sealed = known.map(|password| drawing::seal(&password, &parameters)).transpose()?;
    store
        .amend(|state| {
            state.lineage = found.lineage;
            state.home = Some(connection.home.clone());
            state.cloud_names = connection.own_names();
            state.parameters = parameters;
            state.generated.suffix = Some(found.suffix.clone());
            state.generated.jumpbox_user.get_or_insert_with(draw::draw_user);
            state.generated.sealed.extend(sealed.map(|armour| (JUMPBOX_PASSWORD.to_owned(), armour)));
        })
        .map_err(|error| errors::of_store(&error))?;
    let Some(user) = live_user(connection, config, store).await? else { return Ok(()) };
    store.amend(|state| state.generated.jumpbox_user = Some(user)).map_err(|error| errors::of_store(&error))
}

/// The administrator's name, where the jumpbox is there to tell.
async fn live_user(connection: &Connection, config: &Config, store: &Store) -> Result<Option<String>, Failure> {
    let facts = drawing::facts(store.state(), connection)?;
    let machine = blueprint::Scene::new(config, &facts).names.jumpbox();
    let live = connection
        .client
        .get(&machine, kind::virtual_machine::KIND.api_version)
        .await
        .map_err(|error| errors::of_arm("cannot read the jumpbox", error))?;
    Ok(live.and_then(|body| Some(body.pointer("/properties/osProfile/adminUsername")?.as_str()?.to_owned())))
}

/// The plan, of which only the taking over is kept. Children carry no tags; they lie in our group, so they are ours.
async fn adoptions(connection: &Connection, config: &Config, store: &mut Store) -> Result<Plan, Failure> {
    let facts = drawing::facts(store.state(), connection)?;
    let desired = blueprint::draw(config, &facts);
    let observed: Observed = running::observe(connection, &desired, store).await?;
    let consent = Consent { adopt: Adopt::All, ..Consent::default() };
    let whole = plan::plan(&desired, store.state(), &observed, &consent).map_err(|error| errors::of_plan(&error))?;
    Ok(taking_over(whole))
}

fn taking_over(mut plan: Plan) -> Plan {
    plan.steps.retain(|step| matches!(step.id.verb, Verb::Adopt | Verb::Update));
    let kept: Vec<Address> = plan.steps.iter().map(|step| step.id.address.clone()).collect();
    for step in &mut plan.steps {
        step.id.verb = Verb::Adopt;
        step.changes.clear();
        step.says = step.says.take().or_else(|| step.body.take());
        step.body = None;
        let needs = step.needs.drain(..).map(|need| StepId::new(need.address, Verb::Adopt));
        step.needs = needs.filter(|need| kept.contains(&need.address)).collect();
    }
    plan
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_tagged_group_of_the_name_is_a_candidate() {
        let group = |name: &str, tag: Value| {
            json!({"id": format!("/subscriptions/s/resourceGroups/{name}"),
            "tags": {OWNER_TAG: tag}})
        };
        let ours = json!(Uuid::nil().to_string());
        assert_eq!(candidate(&group("RG-test1234", ours.clone()), "test").unwrap().suffix, "1234");
        assert!(candidate(&group("rg-test12345", ours.clone()), "test").is_none());
        assert!(candidate(&group("rg-tes1234", ours.clone()), "test").is_none());
        assert!(candidate(&group("rg-test1234", json!("somebody")), "test").is_none());
        assert!(candidate(&json!({"id": "/subscriptions/s/resourceGroups/rg-test1234"}), "test").is_none());
    }
}
