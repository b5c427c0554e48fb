//! Microsoft.KeyVault: vaults with soft delete, secrets written through ARM (`azure-facts` 2.13).

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::json::{fill, fill_all, has, is_true, items, keep, remove, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, Tombstone, World, stamp, system_data};

use super::{Card, Fill, Headers, Name, Place, Put, Wire, connections, versions};

pub(in crate::sandbox) const VAULT: &str = "Microsoft.KeyVault/vaults";

const WIRE: Wire = Wire { put: Headers::None, creating: "RegisteringDns", update_at_once: true, ..Wire::PLAIN };

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: VAULT,
        versions: versions::VAULT,
        name: Name {
            fits: name_fits,
            rule: "3 to 24 letters, digits and hyphens, from a letter to a letter or digit, no two hyphens together",
            code: "VaultNameNotValid",
        },
        wire: &WIRE,
        immutable: &["/properties/softDeleteRetentionInDays", "/properties/tenantId"],
        check: check_vault,
        fill: fill_vault,
        view: |world, resource, body| {
            let found = connections(world, &resource.id);
            if !found.is_empty() {
                set(body, "/properties/privateEndpointConnections", found);
            }
        },
        removed: bury,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.KeyVault/vaults/secrets",
        versions: versions::VAULT,
        name: Name {
            fits: |name| super::fits(name, 1, 127, "-"),
            rule: "1 to 127 letters, digits and hyphens",
            code: "BadRequest",
        },
        place: Place::None,
        wire: &Wire { made: 200, stateful: false, ..Wire::AT_ONCE },
        withheld: &["/properties/value"],
        check: check_secret,
        fill: fill_secret,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.KeyVault/vaults/keys",
        versions: versions::VAULT,
        place: Place::None,
        wire: &Wire { made: 200, stateful: false, ..Wire::AT_ONCE },
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.KeyVault/vaults/accessPolicies",
        versions: versions::VAULT,
        name: Name {
            fits: |name| ["add", "replace", "remove"].contains(&name),
            rule: "add, replace or remove",
            code: "BadRequest",
        },
        place: Place::None,
        wire: &Wire { stateful: false, ..Wire::AT_ONCE },
        finished: apply_policies,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.KeyVault/vaults/privateEndpointConnections",
        versions: versions::VAULT,
        place: Place::None,
        ..Card::PLAIN
    },
];

fn name_fits(name: &str) -> bool {
    super::fits(name, 3, 24, "-") && name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains("--")
}

/// The soft-deleted vault of that name; names are global.
pub(in crate::sandbox) fn buried<'a>(world: &'a World, name: &str) -> Option<(&'a String, &'a Tombstone)> {
    let is_it = |t: &Tombstone| t.resource.arm_type == VAULT && t.resource.id.name().eq_ignore_ascii_case(name);
    world.tombstones.iter().find(|(_, tomb)| is_it(tomb))
}

fn check_vault(put: &Put<'_>) -> Result<(), Refusal> {
    let name = put.id.name();
    if put.old.is_none() {
        check_free(put, name)?;
    }
    if text(put.body, "/properties/createMode") == "recover" && put.old.is_none() {
        return Ok(());
    }
    check_shape(put)
}

fn check_free(put: &Put<'_>, name: &str) -> Result<(), Refusal> {
    let recover = text(put.body, "/properties/createMode") == "recover";
    let elsewhere = put.world.of_type(VAULT).any(|r| r.id.name().eq_ignore_ascii_case(name));
    if elsewhere || put.world.taken.contains(name) {
        return Err(Refusal::conflict(
            "VaultAlreadyExists",
            format!(
                "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that \
                 the name is already taken."
            ),
        ));
    }
    match buried(put.world, name) {
        Some((key, tomb)) if recover => {
            let same = *key == put.id.key()
                && text(put.body, "/location").eq_ignore_ascii_case(text(&tomb.resource.body, "/location"));
            if same {
                return Ok(());
            }
            Err(Refusal::conflict(
                "ConflictError",
                format!("Deleted vault '{name}' can only be recovered to its own resource group and location."),
            ))
        }
        Some(_) => Err(Refusal::conflict(
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge \
             existing key vault. \
             Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
        )),
        None if recover => Err(Refusal::new(
            404,
            "DeletedVaultNotFound",
            format!("The specified deleted vault '{name}' does not exist."),
        )),
        None => Ok(()),
    }
}

fn check_shape(put: &Put<'_>) -> Result<(), Refusal> {
    let body = put.body;
    let bad = |message: String| Err(Refusal::bad("BadRequest", message));
    if !text(body, "/properties/tenantId").eq_ignore_ascii_case(&put.world.tenant) {
        return bad(format!("The tenant ID in the request does not match tenant '{}'.", put.world.tenant));
    }
    if !["standard", "premium"].contains(&text(body, "/properties/sku/name").to_ascii_lowercase().as_str()) {
        return bad("The parameter sku.name is not specified or invalid.".to_owned());
    }
    if body.pointer("/properties/enablePurgeProtection") == Some(&Value::Bool(false)) {
        return bad(
            "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a \
             vault is an irreversible action."
                .to_owned(),
        );
    }
    let rbac = is_true(body, "/properties/enableRbacAuthorization");
    let explicit = has(body, "/properties/enableRbacAuthorization");
    if explicit && !rbac && !has(body, "/properties/accessPolicies") {
        return bad("The parameter accessPolicies is not specified.".to_owned());
    }
    if let Some(days) = body.pointer("/properties/softDeleteRetentionInDays").and_then(Value::as_u64)
        && !(7..=90).contains(&days)
    {
        return bad(format!(
            "The retention of {days} days is out of range: softDeleteRetentionInDays must be 7 to 90."
        ));
    }
    for rule in items(body, "/properties/networkAcls/ipRules") {
        let value = text(rule, "/value");
        if value.starts_with("10.") || value.starts_with("192.168.") {
            return bad(format!("The IP rule '{value}' is a private address."));
        }
    }
    Ok(())
}

fn fill_vault(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    if of.old.is_none() && text(body, "/properties/createMode") == "recover" {
        let tomb = world.tombstones.remove(&of.id.key());
        let tags = body.get("tags").cloned();
        if let Some(tomb) = tomb {
            *body = tomb.resource.body;
        }
        if let Some(tags) = tags {
            set(body, "/tags", tags);
        }
    }
    remove(body, "/properties/createMode");
    keep(body, of.old, &["/properties/enablePurgeProtection", "/properties/softDeleteRetentionInDays"]);
    let name = of.id.name().to_owned();
    fill_all(
        body,
        "/properties",
        json!({
            "accessPolicies": [], "enabledForDeployment": false, "enableSoftDelete": true,
            "softDeleteRetentionInDays": 90, "enableRbacAuthorization": true, "publicNetworkAccess": "Enabled",
        }),
    );
    set(body, "/properties/vaultUri", format!("https://{name}.vault.azure.net/"));
    keep(body, of.old, &["/systemData"]);
    fill(body, "/systemData", system_data(of.now, of.now));
}

/// Deleting a vault is always soft; only a purge or the passing of time ends it.
fn bury(world: &mut World, resource: &Resource, _: bool) {
    let days = resource.body.pointer("/properties/softDeleteRetentionInDays").and_then(Value::as_u64).unwrap_or(90);
    let tomb = Tombstone {
        resource: resource.clone(),
        deleted: world.now,
        purges: world.now + Duration::from_secs(days * 86_400),
        protected: is_true(&resource.body, "/properties/enablePurgeProtection"),
    };
    world.tombstones.insert(resource.id.key(), tomb);
}

/// The document of a soft-deleted vault.
pub(in crate::sandbox) fn deleted_vault(world: &World, tomb: &Tombstone) -> Value {
    let (id, body) = (&tomb.resource.id, &tomb.resource.body);
    let place = text(body, "/location");
    json!({
        "id": format!("/subscriptions/{}/providers/Microsoft.KeyVault/locations/{place}/deletedVaults/{}", world.subscription, id.name()),
        "name": id.name(),
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": id.as_str(), "location": place, "tags": body.get("tags"),
            "deletionDate": stamp(tomb.deleted), "scheduledPurgeDate": stamp(tomb.purges),
            "purgeProtectionEnabled": tomb.protected,
        },
    })
}

fn check_secret(put: &Put<'_>) -> Result<(), Refusal> {
    let new = put.old.is_none();
    if new && text(put.body, "/properties/value").is_empty() {
        return Err(Refusal::bad("BadRequest", "The secret value must be specified."));
    }
    Ok(())
}

fn fill_secret(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    let uri = format!(
        "https://{}.vault.azure.net/secrets/{}",
        of.id.parent().map(|p| p.name().to_owned()).unwrap_or_default(),
        of.id.name()
    );
    let version = world.guid().replace('-', "");
    set(body, "/properties/secretUri", uri.clone());
    set(body, "/properties/secretUriWithVersion", format!("{uri}/{version}"));
    fill(body, "/properties/attributes", json!({"enabled": true}));
}

/// `accessPolicies/{add|replace|remove}` is a verb in a resource's clothes: the vault's own list changes.
fn apply_policies(world: &mut World, key: &str) {
    let Some(call) = world.resources.get(key).cloned() else { return };
    let Some(vault) = call.id.parent().and_then(|id| world.resources.get_mut(&id.key())) else { return };
    let given = items(&call.body, "/properties/accessPolicies").to_vec();
    let who = |policy: &Value| text(policy, "/objectId").to_ascii_lowercase();
    let mut list = items(&vault.body, "/properties/accessPolicies").to_vec();
    if call.id.name().eq_ignore_ascii_case("replace") {
        list.clear();
    }
    list.retain(|old| !given.iter().any(|new| who(new) == who(old)));
    if !call.id.name().eq_ignore_ascii_case("remove") {
        list.extend(given);
    }
    set(&mut vault.body, "/properties/accessPolicies", list);
}
