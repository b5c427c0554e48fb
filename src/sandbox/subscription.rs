//! What stands above resources: subscriptions, groups, regions, providers, name checks, soft-deleted vaults, the small
//! tables of sizes and images. Answers; decides nothing about resources.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kind::durations::{self};
use crate::model::ResourceId;

use super::json::{fill, has, text};
use super::operation::{Start, announce, start};
use super::path::Target;
use super::provider::{self, Card, Headers, Put, compute, diagnostics, keyvault, resources};
use super::reply::{Refusal, Reply, Request};
use super::respond::{brief, view};
use super::rules;
use super::world::{OpAct, Resource, Tombstone, World};
use super::write::body_of;

type Answer = Option<Result<Reply, Refusal>>;

/// Answers what is not a resource; `None` for everything else.
pub(super) fn answer(world: &mut World, now: Duration, request: &Request) -> Answer {
    let path = request.path.trim_end_matches('/').to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["subscriptions"]) => {
            ok(json!({"value": [subscription(world)], "count": {"type": "Total", "value": 1}}))
        }
        ("GET", ["tenants"]) => ok(
            json!({"value": [{"id": format!("/tenants/{}", world.tenant), "tenantId": world.tenant, "displayName": "Sandbox"}]}),
        ),
        ("GET", ["subscriptions", _]) => ok(subscription(world)),
        ("GET", ["subscriptions", _, "locations"]) => ok(locations(world)),
        ("GET", ["subscriptions", _, "resourcegroups"]) => ok(groups(world)),
        ("GET", ["subscriptions", _, "resources"]) => ok(all(world, None, request)),
        ("GET", ["subscriptions", _, "resourcegroups", _, "resources"]) => Some(inside(world, request)),
        ("GET", ["subscriptions", _, "providers"]) => ok(providers(world)),
        ("GET", ["subscriptions", _, "providers", namespace]) => Some(one_provider(world, namespace)),
        ("POST", ["subscriptions", _, "providers", namespace, "register"]) => {
            world.unregistered.remove(*namespace);
            Some(one_provider(world, namespace))
        }
        ("POST", ["subscriptions", _, "providers", _, "checknameavailability"]) => {
            Some(name_check(world, request, &segments))
        }
        (_, ["subscriptions", _, "providers", "microsoft.keyvault", rest @ ..]) => {
            deleted_vaults(world, now, request, rest)
        }
        ("GET", ["subscriptions", _, "providers", "microsoft.compute", rest @ ..]) => machines(world, rest),
        ("POST", [.., "providers", "microsoft.resources", "deployments", name, "validate"]) => {
            Some(validate(world, request, name))
        }
        ("GET", [.., "providers", "microsoft.authorization", "permissions"]) => {
            ok(json!({"value": [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}]}))
        }
        ("GET", [.., "providers", "microsoft.insights", "diagnosticsettingscategories"]) => {
            Some(categories(world, request))
        }
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that `answer` returns")]
fn ok(body: Value) -> Answer {
    Some(Ok(Reply::of(200, body)))
}

fn subscription(world: &World) -> Value {
    json!({
        "id": format!("/subscriptions/{}", world.subscription), "subscriptionId": world.subscription,
        "tenantId": world.tenant, "displayName": "Sandbox", "state": "Enabled", "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
        "managedByTenants": [],
    })
}

fn locations(world: &World) -> Value {
    let entry = |(name, display): &(&str, &str)| resources::location_entry(&world.subscription, name, display);
    json!({"value": resources::REGIONS.iter().map(entry).collect::<Vec<_>>()})
}

fn groups(world: &World) -> Value {
    json!({"value": world.of_type(resources::GROUP).map(|g| view(world, g)).collect::<Vec<_>>()})
}

/// Resources of a group: only those that stand directly in it, as the generic listing shows them.
fn inside(world: &World, request: &Request) -> Result<Reply, Refusal> {
    let path = request.path.trim_end_matches('/');
    let group = ResourceId::new(path.rsplit_once('/').map_or("", |(group, _)| group));
    rules::group(world, &group, false)?;
    Ok(Reply::of(200, all(world, Some(&group), request)))
}

fn all(world: &World, group: Option<&ResourceId>, request: &Request) -> Value {
    let wanted = request.query.get("$filter").and_then(|filter| {
        let (name, value) = filter.split_once(" eq ")?;
        name.trim().eq_ignore_ascii_case("resourceType").then(|| value.trim().trim_matches('\'').to_owned())
    });
    let expand = request.query.get("$expand").map(|e| e.to_ascii_lowercase()).unwrap_or_default();
    let listed = |r: &&Resource| {
        r.arm_type != resources::GROUP
            && r.id.parent().is_some_and(|p| p.arm_type().eq_ignore_ascii_case(resources::GROUP))
            && group.is_none_or(|group| r.id.is_within(group))
            && !r.arm_type.ends_with("/diagnosticSettings")
            && !r.arm_type.starts_with("Microsoft.Authorization/")
            && wanted.as_ref().is_none_or(|wanted| r.arm_type.eq_ignore_ascii_case(wanted))
    };
    let shown = |r: &Resource| {
        let mut body = brief(r);
        if expand.contains("provisioningstate") {
            fill(&mut body, "/provisioningState", r.state.as_str());
        }
        body
    };
    json!({"value": world.resources.values().filter(listed).map(shown).collect::<Vec<_>>()})
}

fn namespaces() -> std::collections::BTreeSet<&'static str> {
    provider::all().map(Card::namespace).collect()
}

fn provider_entry(world: &World, namespace: &str) -> Value {
    let places: Vec<&str> = resources::REGIONS.iter().map(|(_, display)| *display).collect();
    let state =
        if world.unregistered.contains(&namespace.to_ascii_lowercase()) { "NotRegistered" } else { "Registered" };
    let types: Vec<Value> = provider::all()
        .filter(|card| card.namespace() == namespace)
        .map(|card| {
            let kind = card.arm_type.split_once('/').map_or("", |(_, kind)| kind);
            json!({"resourceType": kind, "locations": places, "apiVersions": card.versions.iter().rev().collect::<Vec<_>>()})
        })
        .collect();
    json!({
        "id": format!("/subscriptions/{}/providers/{namespace}", world.subscription), "namespace": namespace,
        "registrationState": state, "registrationPolicy": "RegistrationRequired", "resourceTypes": types,
    })
}

fn providers(world: &World) -> Value {
    json!({"value": namespaces().into_iter().map(|n| provider_entry(world, n)).collect::<Vec<_>>()})
}

fn one_provider(world: &World, namespace: &str) -> Result<Reply, Refusal> {
    match namespaces().into_iter().find(|known| known.eq_ignore_ascii_case(namespace)) {
        Some(known) => Ok(Reply::of(200, provider_entry(world, known))),
        None => Err(Refusal::new(
            404,
            "InvalidResourceNamespace",
            format!("The resource namespace '{namespace}' is invalid."),
        )),
    }
}

/// `checkNameAvailability` of storage, vaults and registries.
fn name_check(world: &World, request: &Request, segments: &[&str]) -> Result<Reply, Refusal> {
    let (namespace, arm_type) = match segments[3] {
        "microsoft.storage" => ("Microsoft.Storage", "Microsoft.Storage/storageAccounts"),
        "microsoft.keyvault" => ("Microsoft.KeyVault", keyvault::VAULT),
        "microsoft.containerregistry" => ("Microsoft.ContainerRegistry", "Microsoft.ContainerRegistry/registries"),
        other => return Err(Refusal::new(404, "InvalidResourceType", format!("'{other}' checks no names."))),
    };
    let Some(card) = provider::card(arm_type) else { return Ok(Reply::empty(404)) };
    rules::version(card, request.version())?;
    rules::registered(world, namespace)?;
    let body = body_of(request)?;
    let name = text(&body, "/name");
    let used = world.taken.contains(&name.to_ascii_lowercase())
        || world.of_type(arm_type).any(|r| r.id.name().eq_ignore_ascii_case(name))
        || (arm_type == keyvault::VAULT && keyvault::buried(world, name).is_some());
    let reason = match (used, (card.name.fits)(name)) {
        (_, false) => Some(("AccountNameInvalid", format!("The name '{name}' must be {}.", card.name.rule))),
        (true, true) => Some(("AlreadyExists", format!("The name '{name}' is already in use."))),
        (false, true) => None,
    };
    Ok(Reply::of(
        200,
        match reason {
            None => json!({"nameAvailable": true}),
            Some((reason, message)) => json!({"nameAvailable": false, "reason": reason, "message": message}),
        },
    ))
}

fn deleted_vaults(world: &mut World, now: Duration, request: &Request, rest: &[&str]) -> Answer {
    let card = provider::card(keyvault::VAULT)?;
    if !rest.contains(&"deletedvaults") {
        return None;
    }
    if let Err(refusal) = rules::version(card, request.version()) {
        return Some(Err(refusal));
    }
    match (request.method.as_str(), rest) {
        ("GET", ["deletedvaults"]) => {
            let vaults: Vec<&Tombstone> =
                world.tombstones.values().filter(|t| t.resource.arm_type == keyvault::VAULT).collect();
            ok(json!({"value": vaults.into_iter().map(|t| keyvault::deleted_vault(world, t)).collect::<Vec<_>>()}))
        }
        ("GET", ["locations", place, "deletedvaults", name]) => {
            Some(deleted_vault(world, place, name).map(|(_, body)| Reply::of(200, body)))
        }
        ("POST", ["locations", place, "deletedvaults", name, "purge"]) => {
            Some(purge(world, now, request, card, place, name))
        }
        _ => None,
    }
}

fn deleted_vault(world: &World, place: &str, name: &str) -> Result<(String, Value), Refusal> {
    let found = keyvault::buried(world, name)
        .filter(|(_, tomb)| text(&tomb.resource.body, "/location").eq_ignore_ascii_case(place));
    match found {
        Some((key, tomb)) => Ok((key.clone(), keyvault::deleted_vault(world, tomb))),
        None => Err(Refusal::new(
            404,
            "DeletedVaultNotFound",
            format!("The specified deleted vault '{name}' does not exist."),
        )),
    }
}

fn purge(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &'static Card,
    place: &str,
    name: &str,
) -> Result<Reply, Refusal> {
    let (key, _) = deleted_vault(world, place, name)?;
    if world.tombstones.get(&key).is_some_and(|tomb| tomb.protected) {
        return Err(Refusal::bad(
            "MethodNotAllowed",
            format!("Operation 'DeletedVaultPurge' is not allowed: purge protection is enabled on vault '{name}'."),
        ));
    }
    let id = ResourceId::new(key.as_str());
    // The table of durations gives a purge 30 s under a word of its own; an action of a vault counts the same.
    let takes = durations::of(card.arm_type, durations::Act::Action).max(Duration::from_secs(30));
    let begin = Start {
        act: OpAct::Purge,
        target: key,
        arm_type: card.arm_type,
        takes,
        holds: Vec::new(),
        failure: None,
        purge: true,
    };
    let guid = start(world, now, begin);
    Ok(announce(Reply::empty(202), request, card, &id, place, &guid, Headers::Location))
}

fn machines(world: &World, rest: &[&str]) -> Answer {
    match rest {
        ["skus"] => ok(sizes()),
        ["locations", place, "usages"] => {
            let usage = |name: &str| {
                let name = json!({"value": name, "localizedValue": name});
                json!({"unit": "Count", "currentValue": 0, "limit": 100, "name": name})
            };
            let usages = ["cores", "standardDSv5Family", "standardBsv2Family"].map(usage);
            ok(json!({"value": usages, "location": place}))
        }
        [
            "locations",
            place,
            "publishers",
            publisher,
            "artifacttypes",
            "vmimage",
            "offers",
            offer,
            "skus",
            rest @ ..,
        ] => Some(images(world, place, publisher, offer, rest)),
        _ => None,
    }
}

fn sizes() -> Value {
    let places: Vec<&str> = resources::REGIONS.iter().map(|(name, _)| *name).collect();
    let entry = |(name, cores, memory): &(&str, u32, u32)| {
        json!({"resourceType": "virtualMachines", "name": name, "tier": "Standard", "locations": places, "restrictions": [],
            "capabilities": [{"name": "vCPUs", "value": cores.to_string()}, {"name": "MemoryGB", "value": memory.to_string()},
                {"name": "HyperVGenerations", "value": "V1,V2"}]})
    };
    json!({"value": compute::SIZES.iter().map(entry).collect::<Vec<_>>()})
}

fn images(world: &World, place: &str, publisher: &str, offer: &str, rest: &[&str]) -> Result<Reply, Refusal> {
    let known =
        compute::IMAGES.iter().find(|(p, o, _)| p.eq_ignore_ascii_case(publisher) && o.eq_ignore_ascii_case(offer));
    let gone = || Refusal::new(404, "NotFound", format!("Artifact: VMImage was not found: {publisher}:{offer}."));
    let (publisher, offer, skus) = known.ok_or_else(gone)?;
    let id = |tail: &str| {
        format!(
            "/Subscriptions/{}/Providers/Microsoft.Compute/Locations/{place}/Publishers/{publisher}/ArtifactTypes/VMImage/\
             Offers/{offer}/Skus/{tail}",
            world.subscription
        )
    };
    let entry = |name: &str, tail: String| json!({"location": place, "name": name, "id": id(&tail)});
    let sku = |name: &str| skus.iter().find(|s| s.eq_ignore_ascii_case(name)).copied().ok_or_else(gone);
    let body = match rest {
        [] => Value::Array(skus.iter().map(|s| entry(s, (*s).to_owned())).collect()),
        [name, "versions"] => json!([entry(compute::VERSION, format!("{}/Versions/{}", sku(name)?, compute::VERSION))]),
        [name, "versions", version] => {
            let mut body = entry(version, format!("{}/Versions/{version}", sku(name)?));
            body["properties"] = json!({"hyperVGeneration": "V2", "imageDeprecationStatus": {"imageState": "Active"}});
            body
        }
        [name] => entry(sku(name)?, (*name).to_owned()),
        _ => return Err(gone()),
    };
    Ok(Reply::of(200, body))
}

/// Checks only that a template is there: preflight of single resources is their PUT's work.
fn validate(world: &World, request: &Request, name: &str) -> Result<Reply, Refusal> {
    rules::group(world, &ResourceId::new(request.path.as_str()), false)?;
    let body = body_of(request)?;
    if !has(&body, "/properties/template") {
        return Err(Refusal::bad("InvalidRequestContent", "The template is missing."));
    }
    Ok(Reply::of(
        200,
        json!({"id": request.path, "name": name, "properties": {"provisioningState": "Succeeded", "mode": text(&body, "/properties/mode")}}),
    ))
}

fn categories(world: &World, request: &Request) -> Result<Reply, Refusal> {
    let Some(target) = Target::parse(&request.path).map(|t| ResourceId::new(t.scope)) else {
        return Ok(Reply::empty(404));
    };
    if world.get(&target).is_none() {
        return Err(super::respond::not_found(&target));
    }
    let arm_type = target.arm_type();
    let entry = |name: &str, kind: &str| {
        let id = format!("{target}/providers/microsoft.insights/diagnosticSettingsCategories/{name}");
        json!({"id": id, "name": name, "properties": {"categoryType": kind}})
    };
    let mut found: Vec<Value> = diagnostics::categories(&arm_type).iter().map(|name| entry(name, "Logs")).collect();
    found.push(entry(diagnostics::metric(&arm_type), "Metrics"));
    Ok(Reply::of(200, json!({"value": found})))
}

/// PUT or PATCH of a resource group: at once.
pub(super) fn write_group(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &Card,
    id: &ResourceId,
) -> Result<Reply, Refusal> {
    let given = body_of(request)?;
    let old = world.get(id).cloned();
    let mut body = match (request.method.as_str(), &old) {
        ("PATCH", Some(old)) => {
            let mut body = old.body.clone();
            super::json::merge(&mut body, &given);
            body
        }
        ("PATCH", None) => {
            return Err(Refusal::new(
                404,
                "ResourceGroupNotFound",
                format!("Resource group '{}' could not be found.", id.name()),
            ));
        }
        _ => given,
    };
    rules::group(world, id, true).or_else(|refusal| if old.is_none() { Ok(()) } else { Err(refusal) })?;
    let put = Put { world, now, id, body: &body, old: old.as_ref() };
    rules::name_and_tags(card, &put)?;
    rules::place(card, &put)?;
    super::json::remove(&mut body, "/properties");
    let region = resources::region(text(&body, "/location")).unwrap_or_default();
    super::json::set(&mut body, "/location", region);
    for (at, value) in [("/id", id.as_str()), ("/name", id.name()), ("/type", resources::GROUP)] {
        super::json::set(&mut body, at, value);
    }
    super::json::set(&mut body, "/properties", json!({}));
    let created = old.as_ref().map_or(now, |old| old.created);
    world.resources.insert(id.key(), Resource::made(id.clone(), resources::GROUP, body, created));
    let shown = world.get(id).map(|r| view(world, r)).unwrap_or_default();
    Ok(Reply::of(if old.is_none() { 201 } else { 200 }, shown))
}
