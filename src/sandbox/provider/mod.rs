//! What each resource provider knows of its own types: versions, names, checks, server-made values, its way of
//! answering. One file a namespace; no protocol here, and nothing shared with the client's `kind` cards.

use std::time::Duration;

use serde_json::Value;

use crate::model::ResourceId;

use super::reply::Refusal;
use super::world::{Resource, World};

mod authorization;
pub(super) mod compute;
pub(super) mod diagnostics;
pub(super) mod insights;
pub(super) mod keyvault;
mod machinelearning;
pub(super) mod network;
mod operationalinsights;
mod registry;
pub(super) mod resources;
mod storage;
mod versions;
mod wire;

pub(super) use wire::{Headers, Paths, Wire, polling, signature};

/// A PUT that passed the general checks, for a type's own ones.
pub(super) struct Put<'a> {
    pub(super) world: &'a World,
    pub(super) now: Duration,
    pub(super) id: &'a ResourceId,
    pub(super) body: &'a Value,
    pub(super) old: Option<&'a Resource>,
}

/// What completes a body may read besides the world.
pub(super) struct Fill<'a> {
    pub(super) id: &'a ResourceId,
    pub(super) now: Duration,
    pub(super) old: Option<&'a Value>,
}

/// Where a type may be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A region is required.
    Region,
    /// `global` is required.
    Global,
    /// It has no location of its own.
    None,
}

/// What a name must look like, and how its provider refuses another.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) fits: fn(&str) -> bool,
    pub(super) rule: &'static str,
    pub(super) code: &'static str,
}

/// Everything the protocol must know of one type.
pub(super) struct Card {
    pub(super) arm_type: &'static str,
    pub(super) versions: &'static [&'static str],
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) wire: &'static Wire,
    /// Bodies carry `etag`.
    pub(super) etag: bool,
    /// Pointers that cannot change after create.
    pub(super) immutable: &'static [&'static str],
    /// Pointers that no GET returns.
    pub(super) withheld: &'static [&'static str],
    /// Refuses what the provider refuses.
    pub(super) check: fn(&Put<'_>) -> Result<(), Refusal>,
    /// Other resources that must not be written meanwhile, by key.
    pub(super) locks: fn(&ResourceId, &Value) -> Vec<String>,
    /// Adds what the server makes at once.
    pub(super) fill: fn(&mut World, &Fill<'_>, &mut Value),
    /// Takes addresses, which may have run out.
    pub(super) lodge: fn(&mut World, &Fill<'_>, &mut Value) -> Result<(), Refusal>,
    /// Adds what appears when the operation ends, here or in other resources.
    pub(super) finished: fn(&mut World, &str),
    /// Adds what is looked up in other resources at every GET.
    pub(super) view: fn(&World, &Resource, &mut Value),
    /// Refuses the delete of what is in use.
    pub(super) in_use: fn(&World, &Resource) -> Result<(), Refusal>,
    /// What else goes, once it is gone; `true`: purge instead of soft delete.
    pub(super) removed: fn(&mut World, &Resource, bool),
}

impl Card {
    /// A type without peculiarities.
    pub(super) const PLAIN: Self = Self {
        arm_type: "",
        versions: &[],
        name: Name { fits: any_name, rule: "1 to 260 characters", code: "InvalidResourceName" },
        place: Place::Region,
        wire: &Wire::PLAIN,
        etag: false,
        immutable: &[],
        withheld: &[],
        check: |_| Ok(()),
        locks: |_, _| Vec::new(),
        fill: |_, _, _| (),
        lodge: |_, _, _| Ok(()),
        finished: |_, _| (),
        view: |_, _, _| (),
        in_use: |_, _| Ok(()),
        removed: |_, _, _| (),
    };

    /// `Microsoft.Network`
    pub(super) fn namespace(&self) -> &'static str {
        self.arm_type.split('/').next().unwrap_or_default()
    }
}

/// The card of that type, compared without case.
pub(super) fn card(arm_type: &str) -> Option<&'static Card> {
    all().find(|card| card.arm_type.eq_ignore_ascii_case(arm_type))
}

/// Every type known.
pub(super) fn all() -> impl Iterator<Item = &'static Card> {
    let namespaces: [&[Card]; 10] = [
        network::CARDS,
        storage::CARDS,
        keyvault::CARDS,
        registry::CARDS,
        machinelearning::CARDS,
        compute::CARDS,
        insights::CARDS,
        operationalinsights::CARDS,
        authorization::CARDS,
        resources::CARDS,
    ];
    namespaces.into_iter().flatten()
}

fn any_name(name: &str) -> bool {
    (1..=260).contains(&name.len())
}

/// A name of `low..=high` ASCII letters, digits and `extra`, the first a letter or digit, the last one too or `_`.
pub(super) fn fits(name: &str, low: usize, high: usize, extra: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    (low..=high).contains(&name.len())
        && name.chars().all(inner)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || (c == '_' && extra.contains('_')))
}

/// The private endpoints connected to `target`, as its `privateEndpointConnections` show them.
pub(super) fn connections(world: &World, target: &ResourceId) -> Vec<Value> {
    let text = super::json::text;
    let mut found = Vec::new();
    for endpoint in world.of_type("Microsoft.Network/privateEndpoints") {
        for link in super::json::items(&endpoint.body, "/properties/privateLinkServiceConnections") {
            let guid = text(link, "/etag").trim_start_matches("W/").trim_matches('"');
            if endpoint.state != "Succeeded"
                || !text(link, "/properties/privateLinkServiceId").eq_ignore_ascii_case(target.as_str())
            {
                continue;
            }
            let name = format!("{}.{guid}", endpoint.id.name());
            found.push(serde_json::json!({
                "id": target.child("privateEndpointConnections", &name).as_str(),
                "name": name,
                "type": format!("{}/privateEndpointConnections", target.arm_type()),
                "properties": {
                    "provisioningState": "Succeeded",
                    "groupIds": link.pointer("/properties/groupIds"),
                    "privateEndpoint": {"id": endpoint.id.as_str()},
                    "privateLinkServiceConnectionState":
                        {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"},
                },
            }));
        }
    }
    for one in &mut found {
        if let Some(said) = said_of(world, target, text(one, "/name")).cloned() {
            super::json::set(one, STATE, said);
        }
    }
    found
}

/// Where a connection says whether it is approved.
const STATE: &str = "/properties/privateLinkServiceConnectionState";

/// Whether it is the type of a target's side of private endpoints.
pub(super) fn is_connection(arm_type: &str) -> bool {
    arm_type.to_ascii_lowercase().ends_with("/privateendpointconnections")
}

/// What the owner of `target` said of the connection of that name, if anything.
pub(super) fn said_of<'a>(world: &'a World, target: &ResourceId, name: &str) -> Option<&'a Value> {
    world.get(&target.child("privateEndpointConnections", name))?.body.pointer(STATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_once_and_has_versions() {
        let mut seen = std::collections::BTreeSet::new();
        for card in all() {
            assert!(seen.insert(card.arm_type.to_ascii_lowercase()), "{} twice", card.arm_type);
            assert!(!card.versions.is_empty(), "{} has no versions", card.arm_type);
        }
    }
}
