//! Reads a live environment for a verdict: what its group lists, the children that no listing shows, what they mention
//! elsewhere. Reads only; takes no lock and needs no state.

use std::collections::BTreeSet;

use serde_json::Value;

use super::connect::Connection;
use super::{errors, running};
use crate::arm::{self, Reading, Survey};
use crate::failure::{ExitCode, Failure};
use crate::isolation::Note;
use crate::kind;
use crate::model::{ResourceId, State};

/// What was read of an environment.
pub(super) struct Live {
    /// Bodies.
    pub(super) bodies: Vec<Value>,
    /// What could not be read.
    pub(super) unread: Vec<Note>,
}

/// The group's listing shows no more than this of a resource.
const GROUP_VERSION: &str = "2021-04-01";

/// Types that decide over a flow: their lists below, and whether they are read in other groups too. Those that are
/// kinds of ours have our version.
const TYPES: &[(&str, &[&str], bool)] = &[
    ("Microsoft.Network/virtualNetworks", &[], true),
    ("Microsoft.Network/networkSecurityGroups", &[], true),
    ("Microsoft.Network/routeTables", &[], true),
    ("Microsoft.Network/azureFirewalls", &[], false),
    ("Microsoft.Network/firewallPolicies", &["ruleCollectionGroups"], true),
    ("Microsoft.Network/ipGroups", &[], true),
    ("Microsoft.Network/serviceEndpointPolicies", &[], true),
    ("Microsoft.Network/privateEndpoints", &["privateDnsZoneGroups"], false),
    // Every record, whatever its type, in one list.
    ("Microsoft.Network/privateDnsZones", &["virtualNetworkLinks", "ALL"], true),
    ("Microsoft.Network/networkInterfaces", &[], true),
    ("Microsoft.Network/publicIPAddresses", &[], true),
    ("Microsoft.Network/bastionHosts", &[], false),
    ("Microsoft.Network/natGateways", &[], false),
    ("Microsoft.Network/virtualNetworkGateways", &[], false),
    ("Microsoft.Network/localNetworkGateways", &[], false),
    ("Microsoft.Network/loadBalancers", &[], false),
    ("Microsoft.Network/applicationGateways", &[], false),
    ("Microsoft.Network/dnsResolverPolicies", &["virtualNetworkLinks"], false),
    ("Microsoft.Compute/virtualMachines", &[], false),
    ("Microsoft.Storage/storageAccounts", &[], false),
    ("Microsoft.KeyVault/vaults", &[], false),
    ("Microsoft.ContainerRegistry/registries", &[], false),
    ("Microsoft.MachineLearningServices/workspaces", &["computes", "outboundRules"], false),
    ("Microsoft.OperationalInsights/workspaces", &[], false),
    ("Microsoft.Insights/components", &[], false),
    ("Microsoft.Insights/privateLinkScopes", &["scopedResources"], false),
];

/// The version for network types that are no kinds of ours.
const NETWORK_VERSION: &str = kind::virtual_network::KIND.api_version;

fn reading(arm_type: &str) -> Option<Reading> {
    let (name, lists, follow) = TYPES.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(arm_type))?;
    let api_version = match (kind::of_type(name), *name) {
        (Some(kind), _) => kind.api_version,
        // Younger than the rest of its provider.
        (None, "Microsoft.Network/dnsResolverPolicies") => "2025-05-01",
        (None, _) => NETWORK_VERSION,
    };
    Some(Reading { api_version, lists, follow: *follow })
}

/// Whether a body is of a type that decides over a flow by its properties. A DNS zone decides by its links.
pub(super) fn decides(body: &Value) -> bool {
    let arm_type = ResourceId::new(body["id"].as_str().unwrap_or_default()).arm_type();
    let (parent, child) = arm_type.rsplit_once('/').unwrap_or_default();
    let lists = |(name, lists, _): &(&str, &[&str], bool)| {
        name.eq_ignore_ascii_case(parent) && lists.iter().any(|list| list.eq_ignore_ascii_case(child))
    };
    let is_zone = arm_type.eq_ignore_ascii_case("Microsoft.Network/privateDnsZones");
    (!is_zone && reading(&arm_type).is_some()) || TYPES.iter().any(lists)
}

/// Those of them that came without, as listings show resources.
pub(super) fn hollow(bodies: &[Value]) -> Vec<Note> {
    let of = |body: &Value| Note {
        resource: ResourceId::new(body["id"].as_str().unwrap_or_default()),
        property: "properties".to_owned(),
        what: "it is there without `properties`".to_owned(),
    };
    bodies.iter().filter(|body| decides(body) && !body["properties"].is_object()).map(of).collect()
}

/// Everything that the state knows and that its group holds, as it is now.
pub(super) async fn of_state(connection: &Connection, state: &State) -> Result<Live, Failure> {
    let mut seeds: BTreeSet<ResourceId> = state.resources.values().map(|known| known.id.clone()).collect();
    let mut others = Vec::new();
    if let Some(group) = running::group(state) {
        others = listed(connection, &group).await?.unwrap_or_default();
    }
    seeds.extend(others.iter().map(|(id, _)| id.clone()));
    look(connection, seeds, others).await
}

/// Everything that a group holds.
pub(super) async fn of_group(connection: &Connection, name: &str) -> Result<Live, Failure> {
    let group = ResourceId::group(&connection.home.subscription, name);
    let Some(listed) = listed(connection, &group).await? else {
        return Err(Failure::new(ExitCode::Usage, format!("there is no resource group `{name}`"))
            .because(format!("subscription {} has none of that name", connection.home.subscription))
            .remedy("`az group list -o table` shows them; --subscription chooses another subscription"));
    };
    let seeds = listed.iter().map(|(id, _)| id.clone()).collect();
    look(connection, seeds, listed).await
}

/// What a group lists: ids, and the little that the listing says of each. `None` where there is no such group.
async fn listed(connection: &Connection, group: &ResourceId) -> Result<Option<Vec<(ResourceId, Value)>>, Failure> {
    match connection.client.list(&format!("{group}/resources"), GROUP_VERSION).await {
        Ok(items) => {
            let with_id = |item: Value| Some((ResourceId::new(item["id"].as_str()?), item));
            Ok(Some(items.into_iter().filter_map(with_id).collect()))
        }
        Err(error) if error.status == Some(404) => Ok(None),
        Err(error) => Err(errors::of_arm("cannot list the resource group", error)),
    }
}

async fn look(
    connection: &Connection,
    seeds: BTreeSet<ResourceId>,
    listed: Vec<(ResourceId, Value)>,
) -> Result<Live, Failure> {
    let Survey { mut bodies, refused } = arm::survey(&connection.client, seeds, reading, running::READERS)
        .await
        .map_err(|error| errors::of_arm("cannot read what is there", error))?;
    // Of types that the model does not know it must at least know that they are there.
    for (id, brief) in listed {
        if reading(&id.arm_type()).is_none() {
            bodies.entry(id).or_insert(brief);
        }
    }
    let unread = refused.into_iter().map(|(resource, error)| {
        let what = format!("{} could not be read: {} {}", resource.name(), error.code, error.message);
        Note { resource, property: "GET".to_owned(), what }
    });
    Ok(Live { unread: unread.collect(), bodies: bodies.into_values().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_asked_with_a_version() {
        for (name, _, _) in TYPES {
            let reading = reading(name).unwrap();
            assert!(reading.api_version.starts_with("20"), "{name}");
        }
        assert!(reading("Microsoft.Network/privateDnsZones/A").is_none());
    }
}
