//! From parameters and state to desired resources, outputs and secrets. Draws random values once, into the state.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::connect::Connection;
use super::errors::{of_seal, of_store};
use crate::apply::Secrets;
use crate::blueprint::{self, Output};
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::model::{Address, Facts, JUMPBOX_PASSWORD, State, late};
use crate::plan::Plan;
use crate::report::outputs::OutputRow;
use crate::store::{Sealer, Store, draw, seal};

/// Where the firewall's address is reported.
const FIREWALL_ADDRESS: &str = "/properties/ipConfigurations/0/properties/privateIPAddress";

/// Draws suffix and user name if the state has none yet, so that a plan already shows the final names.
pub(super) fn settle_names(store: &mut Store) -> Result<(), Failure> {
    let drawn = &store.state().generated;
    if drawn.suffix.is_some() && drawn.jumpbox_user.is_some() {
        return Ok(());
    }
    store
        .amend(|state| {
            state.generated.suffix.get_or_insert_with(draw::draw_suffix);
            state.generated.jumpbox_user.get_or_insert_with(draw::draw_user);
        })
        .map_err(|error| of_store(&error))
}

/// The keys of this machine, and those of colleagues that the parameters name.
fn sealer(parameters: &Value) -> Result<Sealer, Failure> {
    let given = std::env::var_os("PRIVAML_CONFIG_DIR").map(PathBuf::from);
    let folder = seal::config_folder(given).map_err(|error| of_seal(&error))?;
    let passphrase = std::env::var("PRIVAML_PASSPHRASE").ok().filter(|p| !p.is_empty()).map(SecretString::from);
    let named = parameters.pointer("/state/recipients").and_then(Value::as_array).into_iter().flatten();
    let recipients: Vec<String> = named.filter_map(Value::as_str).map(str::to_owned).collect();
    Sealer::open(&folder, passphrase, &recipients).map_err(|error| of_seal(&error))
}

/// The parameters as the state keeps them.
pub(super) fn recorded(config: &Config) -> Result<Value, Failure> {
    serde_json::to_value(config)
        .map_err(|error| Failure::new(ExitCode::Failed, "cannot store the parameters").because(error.to_string()))
}

/// Seals a secret for the state.
pub(super) fn seal(secret: &SecretString, parameters: &Value) -> Result<String, Failure> {
    sealer(parameters)?.seal(secret).map_err(|error| of_seal(&error))
}

/// The secrets that a plan needs: opened from the state, drawn and sealed into it the first time.
pub(super) fn secrets(store: &mut Store, plan: &Plan) -> Result<Secrets, Failure> {
    let mut is_needed = false;
    for body in plan.steps.iter().filter_map(|step| step.body.as_ref()) {
        late::visit_strings(body, &mut |text| is_needed |= late::secret_name(text).is_some());
    }
    if !is_needed {
        return Ok(Secrets::new());
    }
    // A new password would not be the machine's: Azure takes one at its creation only.
    let has_machine = store.state().resources.contains_key(&Address::new("virtual_machine", "jumpbox"));
    if has_machine && !store.state().generated.sealed.contains_key(JUMPBOX_PASSWORD) {
        return Err(Failure::new(ExitCode::State, "the plan needs the jumpbox password, and the state has none")
            .because("the state was recovered without it")
            .remedy("move the state away and run `privaml recover` with PRIVAML_JUMPBOX_PASSWORD set to it"));
    }
    let keys = sealer(&store.state().parameters)?;
    let known = store.state().generated.sealed.get(JUMPBOX_PASSWORD);
    let password = if let Some(armour) = known {
        keys.unseal(armour).map_err(|error| of_seal(&error))?
    } else {
        let password = draw::draw_password();
        let armour = keys.seal(&password).map_err(|error| of_seal(&error))?;
        store
            .amend(|state| {
                state.generated.sealed.insert(JUMPBOX_PASSWORD.to_owned(), armour);
            })
            .map_err(|error| of_store(&error))?;
        password
    };
    Ok(Secrets::new().with(JUMPBOX_PASSWORD, password))
}

/// What the blueprint must be told.
pub(super) fn facts(state: &State, connection: &Connection) -> Result<Facts, Failure> {
    let missing = || Failure::new(ExitCode::State, "the state holds no name suffix");
    Ok(Facts {
        subscription: connection.home.subscription.clone(),
        tenant: connection.home.tenant.clone(),
        lineage: state.lineage,
        suffix: state.generated.suffix.clone().ok_or_else(missing)?,
        jumpbox_user: state.generated.jumpbox_user.clone().ok_or_else(missing)?,
        cloud: connection.names.clone(),
        firewall_address: firewall_address(state),
    })
}

/// Where Azure put the firewall, once it said so.
pub(super) fn firewall_address(state: &State) -> Option<Ipv4Addr> {
    state.reported(&Address::new("firewall", "core"), FIREWALL_ADDRESS)?.as_str()?.parse().ok()
}

/// The outputs as the state keeps them: secrets stay placeholders.
pub(super) fn outputs(state: &State, config: &Config, facts: &Facts) -> BTreeMap<String, Value> {
    let reported = |address: &Address, pointer: &str| state.reported(address, pointer).cloned();
    let plain = |output: Output| output.value;
    blueprint::outputs(config, facts, &reported).into_iter().map(|(name, out)| (name, plain(out))).collect()
}

/// Which sealed values are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reveal<'a> {
    /// None.
    Nothing,
    /// The output of this name.
    One(&'a str),
    /// All; one that was lost is null.
    All,
}

/// The rows to show.
pub(super) fn rows(state: &State, reveal: Reveal<'_>) -> Result<Vec<OutputRow>, Failure> {
    let mut rows = Vec::new();
    for (name, value) in &state.outputs {
        let secret = value.as_str().and_then(late::secret_name);
        let value = match (secret, reveal) {
            (Some(secret), Reveal::All) if !state.generated.sealed.contains_key(secret) => Value::Null,
            (Some(secret), Reveal::All) => Value::from(open(state, secret)?),
            (Some(secret), Reveal::One(wanted)) if wanted == name => Value::from(open(state, secret)?),
            _ => value.clone(),
        };
        rows.push(OutputRow { name: name.clone(), value, sensitive: secret.is_some() });
    }
    Ok(rows)
}

fn open(state: &State, secret: &str) -> Result<String, Failure> {
    let sealed = state.generated.sealed.get(secret).ok_or_else(|| {
        Failure::new(ExitCode::State, format!("the state holds no secret `{secret}`"))
            .remedy("read it from the key vault, from inside the environment")
    })?;
    Ok(sealer(&state.parameters)?.unseal(sealed).map_err(|error| of_seal(&error))?.expose_secret().to_owned())
}
