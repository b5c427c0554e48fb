//! Microsoft.Network: the list of its types, and what they share. Each group of types has its own file.

use serde_json::Value;

use crate::model::ResourceId;
use crate::sandbox::json::{keep, set, text};
use crate::sandbox::world::{Resource, World};

use super::{Card, Fill, Name, Paths, Place, Wire, versions};

mod attached;
pub(in crate::sandbox) mod dns;
pub(super) mod endpoint;
mod firewall;
mod member;
mod policy;
mod security;
mod tags;
mod vnet;

pub(in crate::sandbox) use policy::is_policy;
pub(in crate::sandbox) use vnet::subnet_free;

const WIRE: Wire = Wire { paths: Paths::Network, creating: "Updating", ..Wire::PLAIN };

const NAME: Name = Name {
    fits: |name| super::fits(name, 1, 80, "-_."),
    rule: "1 to 80 letters, digits, underscores, dots and hyphens, a letter or digit first, a letter, digit or \
     underscore last",
    code: "InvalidResourceName",
};

/// A network type without peculiarities.
const NETWORK: Card =
    Card { versions: versions::NETWORK, name: NAME, wire: &WIRE, etag: true, fill: fill_guid, ..Card::PLAIN };

pub(super) const CARDS: &[Card] = &[
    vnet::NETWORKS,
    vnet::SUBNETS,
    security::GROUPS,
    security::RULES,
    vnet::ROUTE_TABLES,
    vnet::ROUTES,
    attached::ADDRESSES,
    attached::INTERFACES,
    attached::BASTIONS,
    firewall::FIREWALLS,
    policy::POLICIES,
    policy::GROUPS,
    endpoint::ENDPOINTS,
    endpoint::ZONE_GROUPS,
    dns::ZONES,
    dns::LINKS,
    dns::RECORDS,
    dns::EVERY_RECORD,
    Card {
        arm_type: "Microsoft.Network/serviceEndpointPolicies",
        in_use: |w, r| vnet::not_in_subnet(w, r, "InUseServiceEndpointPolicyCannotBeDeleted"),
        ..NETWORK
    },
    Card {
        arm_type: "Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions",
        place: Place::None,
        ..NETWORK
    },
    Card { arm_type: "Microsoft.Network/virtualNetworks/virtualNetworkPeerings", place: Place::None, ..NETWORK },
    Card {
        arm_type: "Microsoft.Network/natGateways",
        in_use: |w, r| vnet::not_in_subnet(w, r, "InUseNatGatewayCannotBeDeleted"),
        ..NETWORK
    },
    Card { arm_type: "Microsoft.Network/publicIPPrefixes", ..NETWORK },
    Card { arm_type: "Microsoft.Network/ipGroups", ..NETWORK },
    Card { arm_type: "Microsoft.Network/virtualNetworkGateways", ..NETWORK },
    Card { arm_type: "Microsoft.Network/localNetworkGateways", ..NETWORK },
    Card { arm_type: "Microsoft.Network/connections", ..NETWORK },
    Card { arm_type: "Microsoft.Network/networkWatchers", ..NETWORK },
    Card { arm_type: "Microsoft.Network/networkWatchers/flowLogs", ..NETWORK },
    Card { arm_type: "Microsoft.Network/loadBalancers", ..NETWORK },
    Card { arm_type: "Microsoft.Network/applicationSecurityGroups", ..NETWORK },
    Card { arm_type: "Microsoft.Network/dnsResolvers", ..NETWORK },
    Card { arm_type: "Microsoft.Network/dnsResolvers/inboundEndpoints", ..NETWORK },
    Card { arm_type: "Microsoft.Network/dnsResolverPolicies", ..NETWORK },
    Card { arm_type: "Microsoft.Network/dnsResolverPolicies/dnsSecurityRules", ..NETWORK },
    Card { arm_type: "Microsoft.Network/dnsResolverPolicies/virtualNetworkLinks", ..NETWORK },
    Card { arm_type: "Microsoft.Network/dnsResolverDomainLists", ..NETWORK },
];

fn fill_guid(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    keep(body, of.old, &["/properties/resourceGuid"]);
    if text(body, "/properties/resourceGuid").is_empty() {
        let made = world.guid();
        set(body, "/properties/resourceGuid", made);
    }
}

/// Resources of these types whose body names `id` or something below it.
fn users<'a>(world: &'a World, id: &'a ResourceId, types: &'a [&'a str]) -> impl Iterator<Item = &'a Resource> {
    world
        .resources
        .values()
        .filter(move |r| types.contains(&r.arm_type.as_str()) && r.id != *id && mentions(&r.body, id))
}

/// Whether `value` names `id` or something below it.
pub(in crate::sandbox) fn mentions(value: &Value, id: &ResourceId) -> bool {
    match value {
        Value::String(text) => text.starts_with('/') && ResourceId::new(text.as_str()).is_within(id),
        Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        Value::Object(map) => map.values().any(|item| mentions(item, id)),
        _ => false,
    }
}

/// Gives every item of the list at `list` an id, a type-free etag and its parent's state.
fn dress(world: &mut World, parent: &ResourceId, segment: &str, list: &str, body: &mut Value) {
    let Some(Value::Array(items)) = body.pointer_mut(list) else { return };
    for item in items {
        let id = parent.child(segment, text(item, "/name")).to_string();
        set(item, "/id", id);
        if text(item, "/etag").is_empty() {
            let etag = world.etag();
            set(item, "/etag", etag);
        }
    }
}

/// Shows the parent's state on every item of the list.
fn show_state(state: &str, list: &str, body: &mut Value) {
    if let Some(Value::Array(items)) = body.pointer_mut(list) {
        for item in items {
            set(item, "/properties/provisioningState", state);
        }
    }
}
