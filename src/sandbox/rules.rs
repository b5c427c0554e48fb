//! What ARM and its providers refuse before a type's own checks: places, names, references, immutable members,
//! overlapping writes. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::ResourceId;

use super::inline;
use super::json::{alike, text};
use super::provider::{Card, Place, Put, network, resources};
use super::reply::Refusal;
use super::world::{OpAct, Operation, Resource, World};

/// The api-version must be given and known for the type.
pub(super) fn version(card: &Card, version: &str) -> Result<(), Refusal> {
    if version.is_empty() {
        return Err(Refusal::bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    if card.versions.contains(&version) {
        return Ok(());
    }
    let kind = card.arm_type.split_once('/').map_or("", |(_, kind)| kind);
    Err(Refusal::bad(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for location '' and API version '{version}' for type '{kind}'. \
             The supported api-versions are '{}'. The supported locations are '{}'.",
            card.versions.join(", "),
            resources::REGIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
        ),
    ))
}

/// The namespace must be registered with the subscription.
pub(super) fn registered(world: &World, namespace: &str) -> Result<(), Refusal> {
    if world.unregistered.contains(&namespace.to_ascii_lowercase()) {
        return Err(Refusal::conflict(
            "MissingSubscriptionRegistration",
            format!(
                "The subscription is not registered to use namespace '{namespace}'. See \
                 https://aka.ms/rps-not-found for how to register subscriptions."
            ),
        ));
    }
    Ok(())
}

/// The resource group must exist, and nothing can be made in one that is going away.
pub(super) fn group(world: &World, id: &ResourceId, writing: bool) -> Result<(), Refusal> {
    let Some(name) = id.resource_group() else { return Ok(()) };
    match world.get(&ResourceId::group(&world.subscription, name)) {
        None => Err(Refusal::new(404, "ResourceGroupNotFound", format!("Resource group '{name}' could not be found."))),
        Some(group) if writing && group.state == "Deleting" => Err(Refusal::conflict(
            "ResourceGroupBeingDeleted",
            format!("The resource group '{name}' is in deprovisioning state and cannot perform this operation."),
        )),
        Some(_) => Ok(()),
    }
}

/// A child's parent and an extension's target must exist.
pub(super) fn parent(world: &World, id: &ResourceId) -> Result<(), Refusal> {
    let Some(parent) = id.parent() else { return Ok(()) };
    let whole =
        parent.resource_group().is_none() || world.get(&parent).is_some() || inline::find(world, &parent).is_some();
    // Storage's services are there with their account, without anybody making them.
    let service = parent.parent().is_some_and(|up| world.get(&up).is_some()) && implied(&parent.arm_type());
    if whole || service {
        return Ok(());
    }
    Err(Refusal::new(
        404,
        "ParentResourceNotFound",
        format!(
            "Failed to perform 'write' on resource(s) of type '{}', because the parent resource '{}' could not be \
             found.",
            id.arm_type(),
            parent
        ),
    ))
}

/// Types that exist by themselves as soon as their parent does.
pub(super) fn implied(arm_type: &str) -> bool {
    let lower = arm_type.to_ascii_lowercase();
    ["blobservices", "fileservices", "queueservices", "tableservices"]
        .iter()
        .any(|service| lower == format!("microsoft.storage/storageaccounts/{service}"))
}

/// Location: required where the type has one, known, and never another than before.
pub(super) fn place(card: &Card, put: &Put<'_>) -> Result<(), Refusal> {
    let given = text(put.body, "/location");
    if card.place == Place::None {
        return Ok(());
    }
    if given.is_empty() {
        return Err(Refusal::bad("LocationRequired", "The location property is required for this definition."));
    }
    let known = match card.place {
        Place::Global => given.eq_ignore_ascii_case("global"),
        _ => resources::region(given).is_some(),
    };
    if !known {
        return Err(Refusal::bad(
            "LocationNotAvailableForResourceType",
            format!(
                "The provided location '{given}' is not available for resource type '{}'. List of available regions \
                 for the resource type is '{}'.",
                card.arm_type,
                resources::REGIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")
            ),
        ));
    }
    let before = put.old.map(|old| text(&old.body, "/location")).unwrap_or_default();
    if !before.is_empty() && !before.eq_ignore_ascii_case(&given.replace(' ', "")) {
        let code =
            if card.arm_type == resources::GROUP { "InvalidResourceGroupLocation" } else { "InvalidResourceLocation" };
        return Err(Refusal::conflict(
            code,
            format!(
                "The resource '{}' already exists in location '{before}'. A resource with the same name cannot be \
                 created in location '{given}'. Please select a new resource name.",
                put.id.name()
            ),
        ));
    }
    Ok(())
}

/// Name and tags.
pub(super) fn name_and_tags(card: &Card, put: &Put<'_>) -> Result<(), Refusal> {
    let name = put.id.name();
    if put.old.is_none() && !(card.name.fits)(name) {
        return Err(Refusal::bad(
            card.name.code,
            format!("Resource name '{name}' is invalid for {}: it must be {}.", card.arm_type, card.name.rule),
        ));
    }
    let Some(Value::Object(tags)) = put.body.get("tags") else { return Ok(()) };
    if tags.len() > 50 {
        return Err(Refusal::bad(
            "InvalidTagCount",
            format!("The tag count '{}' exceeds the maximum of 50.", tags.len()),
        ));
    }
    let wrong = tags.iter().find(|(name, value)| name.len() > 512 || value.as_str().is_none_or(|v| v.len() > 256));
    match wrong {
        Some((name, _)) => Err(Refusal::bad(
            "InvalidTag",
            format!("The tag '{name}' has a name over 512 or a value over 256 characters, or no text as its value."),
        )),
        None => Ok(()),
    }
}

/// Members that cannot change after create.
pub(super) fn immutable(card: &Card, put: &Put<'_>) -> Result<(), Refusal> {
    let Some(old) = put.old else { return Ok(()) };
    for at in card.immutable {
        if let (Some(before), Some(now)) = (old.body.pointer(at), put.body.pointer(at))
            && !before.is_null()
            && !now.is_null()
            && !covered(now, before)
        {
            let name = at.trim_start_matches("/properties/").replace('/', ".");
            return Err(Refusal::conflict(
                "PropertyChangeNotAllowed",
                format!("Changing property '{name}' is not allowed."),
            )
            .detail("PropertyChangeNotAllowed", format!("{name}: {before} to {now}")));
        }
    }
    Ok(())
}

/// Whether everything in `now` stands in `before`; the server may have added members.
fn covered(now: &Value, before: &Value) -> bool {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            now.iter().all(|(name, n)| before.get(name).is_some_and(|b| covered(n, b)))
        }
        _ => alike(now, before),
    }
}

/// Every ARM id in the body that is not the resource itself or below it.
pub(super) fn references(id: &ResourceId, body: &Value) -> BTreeSet<ResourceId> {
    let mut found = BTreeSet::new();
    if let Some(properties) = body.get("properties") {
        collect(properties, id, &mut found);
    }
    let identities = body.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    found.extend(identities.into_iter().flatten().map(|(id, _)| ResourceId::new(id.as_str())));
    found
}

fn collect(value: &Value, own: &ResourceId, found: &mut BTreeSet<ResourceId>) {
    match value {
        Value::String(text) if text.to_ascii_lowercase().starts_with("/subscriptions/") => {
            let id = ResourceId::new(text.as_str());
            // Role definitions and the like stand above groups.
            if id.resource_group().is_some() && !id.is_within(own) {
                found.insert(id);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, own, found)),
        Value::Object(map) => map.values().for_each(|item| collect(item, own, found)),
        _ => {}
    }
}

/// The stored resource that an id means: itself, or the one in whose body it lives.
fn owner<'a>(world: &'a World, id: &ResourceId) -> Option<&'a Resource> {
    if let Some(found) = world.get(id) {
        return Some(found);
    }
    let parent = id.parent()?;
    if inline::list_of(&id.arm_type()).is_some() {
        return inline::find(world, id).and_then(|_| world.get(&parent));
    }
    let known = super::provider::card(&id.arm_type()).is_some() && !implied(&id.arm_type());
    if known { None } else { world.get(&parent).filter(|r| r.arm_type != resources::GROUP) }
}

/// Every id named must exist.
pub(super) fn exist(card: &Card, put: &Put<'_>) -> Result<(), Refusal> {
    for id in references(put.id, put.body) {
        if !id.subscription().is_some_and(|s| s.eq_ignore_ascii_case(&put.world.subscription)) {
            return Err(Refusal::new(
                403,
                "LinkedAuthorizationFailed",
                format!(
                    "The client has permission to perform the action on scope '{}', however the linked subscription \
                     of '{id}' was not found.",
                    put.id
                ),
            ));
        }
        if owner(put.world, &id).is_some() {
            continue;
        }
        if card.namespace() == "Microsoft.Network" {
            return Err(Refusal::bad(
                "InvalidResourceReference",
                format!(
                    "Resource {id} referenced by resource {} was not found. Please make sure that the referenced \
                     resource exists, and that both resources are in the same region.",
                    put.id
                ),
            ));
        }
        return Err(Refusal::bad(
            "ReferencedResourceNotFound",
            format!("The resource '{id}' referenced by '{}' was not found.", put.id),
        ));
    }
    Ok(())
}

/// Every resource named must be provisioned; Network asks to come back (`azure-facts` 11.4).
pub(super) fn provisioned(card: &Card, put: &Put<'_>) -> Result<(), Refusal> {
    for id in references(put.id, put.body) {
        let Some(found) = owner(put.world, &id) else { continue };
        if found.state == "Succeeded" || found.id.is_within(put.id) {
            continue;
        }
        let state = &found.state;
        let message = format!(
            "Cannot proceed with operation because resource {id} used by resource {} is not in Succeeded state. \
             Resource is in {state} state and the last operation that updated/is updating the resource is \
             PutResourceOperation.",
            put.id
        );
        if card.namespace() == "Microsoft.Network" {
            return Err(Refusal::new(429, "RetryableError", "A retryable error occurred.")
                .detail("ReferencedResourceNotProvisioned", message)
                .header("retry-after", "10"));
        }
        return Err(Refusal::conflict("ReferencedResourceNotProvisioned", message));
    }
    Ok(())
}

/// No second write while one runs on the same resource or on what it locks.
pub(super) fn not_busy(world: &World, card: &Card, id: &ResourceId, locks: &[String]) -> Result<(), Refusal> {
    let parent = id.parent().filter(|p| !p.arm_type().eq_ignore_ascii_case(resources::GROUP) && world.get(p).is_some());
    let extension = id.as_str().to_ascii_lowercase().matches("/providers/").count() > 1;
    let own = id.key();
    let above = parent.filter(|_| !extension).map(|p| p.key());
    for key in std::iter::once(&own).chain(locks).chain(&above) {
        // A parent held by a sibling's write is no reason to wait, unless this write locks it too.
        let only_held = Some(key) == above.as_ref() && !locks.contains(key);
        let clash = world.busy(key).filter(|(_, op)| !only_held || op.target == *key);
        if let Some((guid, op)) = clash {
            return Err(busy(world, card, key, guid, op));
        }
    }
    Ok(())
}

fn busy(world: &World, card: &Card, key: &str, guid: &str, op: &Operation) -> Refusal {
    let storage = key.contains("/microsoft.storage/storageaccounts/");
    if storage {
        return Refusal::conflict(
            "StorageAccountOperationInProgress",
            "An operation is currently performing on this storage account that requires exclusive access.",
        );
    }
    match card.namespace() {
        "Microsoft.KeyVault" => Refusal::conflict(
            "ConflictError",
            "A conflict occurred that prevented the operation from completing. The vault is being updated by \
             another operation.",
        ),
        "Microsoft.Network" => {
            let firewall = op.arm_type.eq_ignore_ascii_case("Microsoft.Network/azureFirewalls");
            if firewall && network::is_policy(world, key) {
                return Refusal::conflict(
                    "FirewallPolicyUpdateFailed",
                    format!("Put on Firewall Policy {key} failed: a firewall that uses it is Updating."),
                );
            }
            Refusal::conflict(
                "AnotherOperationInProgress",
                format!(
                    "Another operation on this or dependent resource is in progress. To retrieve status of the \
                     operation use uri: \
                     https://management.azure.com/subscriptions/{}/providers/Microsoft.Network/\
                     locations/westeurope/operations/{guid}?api-version=2025-01-01.",
                    world.subscription
                ),
            )
        }
        _ => {
            let verb = if op.act == OpAct::Delete { "deleted" } else { "updated" };
            Refusal::conflict(
                "Conflict",
                format!("The resource {key} is being {verb} by another operation. Retry later."),
            )
        }
    }
}
