//! Virtual networks with their subnets, route tables (`azure-facts` 2.7, 2.11).

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::address;
use crate::sandbox::inline;
use crate::sandbox::json::{fill, fill_all, has, is_true, items, keep, set, text, texts};
use crate::sandbox::provider::{Card, Fill, Name, Place, Put};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

use super::{NETWORK, dress, fill_guid, security, show_state, tags};

pub(super) const TYPE: &str = "Microsoft.Network/virtualNetworks";
const LIST: &str = "/properties/subnets";
const PEERINGS: &str = "/properties/virtualNetworkPeerings";
const ROUTE_LIST: &str = "/properties/routes";

pub(super) const NETWORKS: Card = Card {
    arm_type: TYPE,
    name: Name { fits: |name| super::super::fits(name, 2, 64, "-_."), ..super::NAME },
    check: check_network,
    fill: fill_network,
    view: view_network,
    in_use: network_in_use,
    ..NETWORK
};

pub(super) const SUBNETS: Card =
    Card { arm_type: "Microsoft.Network/virtualNetworks/subnets", place: Place::None, ..NETWORK };

pub(super) const ROUTE_TABLES: Card = Card {
    arm_type: "Microsoft.Network/routeTables",
    check: check_routes,
    fill: |world, of, body| {
        fill_guid(world, of, body);
        fill_all(body, "/properties", json!({"disableBgpRoutePropagation": false, "routes": []}));
        dress(world, of.id, "routes", ROUTE_LIST, body);
        if let Some(Value::Array(routes)) = body.pointer_mut(ROUTE_LIST) {
            for route in routes {
                fill(route, "/properties/hasBgpOverride", false);
            }
        }
    },
    view: |world, resource, body| {
        show_state(&resource.state, ROUTE_LIST, body);
        show_subnets(world, resource, body);
    },
    in_use: |world, resource| not_in_subnet(world, resource, "InUseRouteTableCannotBeDeleted"),
    ..NETWORK
};

pub(super) const ROUTES: Card =
    Card { arm_type: "Microsoft.Network/routeTables/routes", place: Place::None, ..NETWORK };

fn bad(code: &str, message: String) -> Refusal {
    Refusal::bad(code, message)
}

fn check_network(put: &Put<'_>) -> Result<(), Refusal> {
    let spaces = parse_spaces(put)?;
    let mut seen: Vec<(String, Ipv4Net)> = Vec::new();
    for subnet in items(put.body, LIST) {
        let name = text(subnet, "/name");
        if !(super::NAME.fits)(name) || seen.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return Err(bad("InvalidResourceName", format!("Subnet name '{name}' is invalid or used twice.")));
        }
        let range = address::range(subnet).filter(|range| range.trunc() == *range && range.prefix_len() <= 29);
        let Some(range) = range else {
            return Err(bad(
                "InvalidCIDRNotation",
                format!("The address prefix of subnet '{name}' is not valid CIDR notation of /29 or larger."),
            ));
        };
        if !spaces.iter().any(|space| space.contains(&range)) {
            return Err(bad(
                "NetcfgInvalidSubnet",
                format!("Subnet '{name}' is not valid in virtual network '{}'.", put.id.name()),
            ));
        }
        if let Some((other, _)) = seen.iter().find(|(_, r)| r.contains(&range) || range.contains(r)) {
            return Err(bad(
                "NetcfgSubnetRangesOverlap",
                format!(
                    "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing \
                     subnet '{other}' in virtual network '{}'.",
                    put.id.name()
                ),
            ));
        }
        seen.push((name.to_owned(), range));
        check_subnet(put, subnet)?;
    }
    check_used_subnets(put)
}

fn parse_spaces(put: &Put<'_>) -> Result<Vec<Ipv4Net>, Refusal> {
    let prefixes = texts(put.body, "/properties/addressSpace/addressPrefixes");
    if prefixes.is_empty() {
        return Err(bad("MissingAddressSpace", format!("Virtual network '{}' has no address space.", put.id.name())));
    }
    let parse = |text: &&str| {
        text.parse::<Ipv4Net>().ok().filter(|range| range.trunc() == *range && range.prefix_len() <= 29).ok_or_else(
            || {
                bad(
                    "InvalidCIDRNotation",
                    format!("The address prefix {text} in resource {} has an invalid CIDR notation.", put.id),
                )
            },
        )
    };
    prefixes.iter().map(parse).collect()
}

/// What single subnets may carry, by their name.
fn check_subnet(put: &Put<'_>, subnet: &Value) -> Result<(), Refusal> {
    let name = text(subnet, "/name");
    let group = text(subnet, "/properties/networkSecurityGroup/id");
    if name == "AzureFirewallSubnet" && !group.is_empty() {
        return Err(bad(
            "NetworkSecurityGroupNotSupportedOnAzureFirewallSubnet",
            format!("Network security group {group} cannot be associated with subnet AzureFirewallSubnet."),
        ));
    }
    if name == "AzureBastionSubnet" {
        if has(subnet, "/properties/routeTable/id") {
            return Err(bad(
                "RouteTableCannotBeAttachedForAzureBastionSubnet",
                format!("Route table cannot be attached to subnet AzureBastionSubnet of {}.", put.id),
            ));
        }
        if let Some(found) = put.world.get(&ResourceId::new(group)) {
            security::check_bastion(&found.id, &found.body)?;
        }
    }
    let policies = !items(subnet, "/properties/serviceEndpointPolicies").is_empty();
    let storage = items(subnet, "/properties/serviceEndpoints")
        .iter()
        .any(|e| text(e, "/service").starts_with("Microsoft.Storage"));
    if policies && !storage {
        return Err(bad(
            "ServiceEndpointPoliciesNotAllowed",
            format!("Subnet '{name}' needs a Microsoft.Storage service endpoint for its service endpoint policies."),
        ));
    }
    Ok(())
}

/// Subnets in use can neither go nor move.
fn check_used_subnets(put: &Put<'_>) -> Result<(), Refusal> {
    let Some(old) = put.old else { return Ok(()) };
    if !has(put.body, LIST) {
        return Ok(());
    }
    for subnet in items(&old.body, LIST) {
        let name = text(subnet, "/name");
        let id = put.id.child("subnets", name);
        let Some(user) = users_of(put.world, &id).first().copied() else { continue };
        let new = items(put.body, LIST).iter().find(|s| text(s, "/name").eq_ignore_ascii_case(name));
        match new {
            None => return Err(subnet_in_use(&id, user)),
            Some(new) if address::range(new) != address::range(subnet) => {
                return Err(bad(
                    "InUseSubnetCannotBeUpdated",
                    format!("Subnet {name} is in use by {} and cannot be updated.", user.id),
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn subnet_in_use(id: &ResourceId, user: &Resource) -> Refusal {
    bad(
        "InUseSubnetCannotBeDeleted",
        format!(
            "Subnet {} is in use by {} and cannot be deleted. In order to delete the subnet, delete all the \
             resources within the subnet. See aka.ms/deletesubnet.",
            id.name(),
            user.id
        ),
    )
}

/// Resources that sit in the subnet: holders of its addresses and whoever names it.
fn users_of<'a>(world: &'a World, subnet: &ResourceId) -> Vec<&'a Resource> {
    const TYPES: [&str; 6] = [
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/azureFirewalls",
        "Microsoft.Network/bastionHosts",
        "Microsoft.Network/virtualNetworkGateways",
        "Microsoft.MachineLearningServices/workspaces/computes",
    ];
    let named = |r: &&Resource| TYPES.contains(&r.arm_type.as_str()) && super::mentions(&r.body, subnet);
    world.resources.values().filter(named).collect()
}

fn fill_network(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    fill_guid(world, of, body);
    // Since 2023-09 a PUT that says nothing of subnets leaves them alone.
    if !has(body, LIST) {
        keep(body, of.old, &[LIST]);
    }
    fill_all(
        body,
        "/properties",
        json!({"subnets": [], "virtualNetworkPeerings": [], "enableDdosProtection": false, "privateEndpointVNetPolicies": "Disabled"}),
    );
    let place = text(body, "/location").to_owned();
    if let Some(Value::Array(subnets)) = body.pointer_mut(LIST) {
        for subnet in subnets {
            fill_all(
                subnet,
                "/properties",
                json!({"delegations": [], "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}),
            );
            set(subnet, "/type", "Microsoft.Network/virtualNetworks/subnets");
            if let Some(Value::Array(services)) = subnet.pointer_mut("/properties/serviceEndpoints") {
                for service in services {
                    fill(service, "/locations", json!([place]));
                }
            }
        }
    }
    dress(world, of.id, "subnets", LIST, body);
    dress(world, of.id, "virtualNetworkPeerings", PEERINGS, body);
}

/// A peering carries traffic once both sides exist.
fn show_peerings(world: &World, resource: &Resource, body: &mut Value) {
    let leads = |peering: &Value, to: &ResourceId| {
        text(peering, "/properties/remoteVirtualNetwork/id").eq_ignore_ascii_case(to.as_str())
    };
    let Some(Value::Array(peerings)) = body.pointer_mut(PEERINGS) else { return };
    for peering in peerings {
        let remote = ResourceId::new(text(peering, "/properties/remoteVirtualNetwork/id"));
        let other = world.get(&remote);
        let back = other.is_some_and(|r| items(&r.body, PEERINGS).iter().any(|p| leads(p, &resource.id)));
        set(peering, "/properties/peeringState", if back { "Connected" } else { "Initiated" });
        let space = other.and_then(|r| r.body.pointer("/properties/addressSpace")).cloned();
        for at in ["remoteAddressSpace", "remoteVirtualNetworkAddressSpace"] {
            set(peering, &format!("/properties/{at}"), space.clone().unwrap_or_default());
        }
    }
}

fn view_network(world: &World, resource: &Resource, body: &mut Value) {
    show_state(&resource.state, LIST, body);
    show_state(&resource.state, PEERINGS, body);
    show_peerings(world, resource, body);
    let Some(Value::Array(subnets)) = body.pointer_mut(LIST) else { return };
    for subnet in subnets {
        let id = resource.id.child("subnets", text(subnet, "/name"));
        let configurations = configurations(world, &id);
        if !configurations.is_empty() {
            set(subnet, "/properties/ipConfigurations", configurations);
        }
        let endpoints: Vec<Value> = world
            .of_type("Microsoft.Network/privateEndpoints")
            .filter(|e| text(&e.body, "/properties/subnet/id").eq_ignore_ascii_case(id.as_str()))
            .map(|e| json!({"id": e.id.as_str()}))
            .collect();
        if !endpoints.is_empty() {
            set(subnet, "/properties/privateEndpoints", endpoints);
            set(subnet, "/properties/purpose", "PrivateEndpoints");
        }
    }
}

/// The back-references of a subnet: the configurations of everything with an address in it.
fn configurations(world: &World, subnet: &ResourceId) -> Vec<Value> {
    let holders: BTreeSet<&String> =
        world.leases.get(&subnet.key()).into_iter().flat_map(|taken| taken.values()).collect();
    let mut found = Vec::new();
    for holder in holders.into_iter().filter_map(|key| world.resources.get(key)) {
        let segment = match holder.arm_type.as_str() {
            "Microsoft.Network/azureFirewalls" => "azureFirewallIpConfigurations",
            "Microsoft.Network/bastionHosts" => "bastionHostIpConfigurations",
            _ => "ipConfigurations",
        };
        for item in items(&holder.body, "/properties/ipConfigurations") {
            found.push(json!({"id": holder.id.child(segment, text(item, "/name")).as_str()}));
        }
    }
    found
}

fn network_in_use(world: &World, resource: &Resource) -> Result<(), Refusal> {
    for subnet in items(&resource.body, LIST) {
        subnet_free(world, &resource.id.child("subnets", text(subnet, "/name")))?;
    }
    let linked = super::users(world, &resource.id, &["Microsoft.Network/privateDnsZones/virtualNetworkLinks"]).next();
    // A network may go while zones are still linked to it; Azure then shows the link as broken. Ours stays strict.
    match linked {
        Some(link) => Err(bad(
            "InUseVirtualNetworkCannotBeDeleted",
            format!("Virtual network {} is in use by {}.", resource.id.name(), link.id),
        )),
        None => Ok(()),
    }
}

/// Refuses the delete of a subnet that something sits in.
pub(in crate::sandbox) fn subnet_free(world: &World, subnet: &ResourceId) -> Result<(), Refusal> {
    match users_of(world, subnet).first() {
        Some(user) => Err(subnet_in_use(subnet, user)),
        None => Ok(()),
    }
}

/// The subnets that name a security group, route table or endpoint policy.
pub(super) fn subnets_with<'a>(world: &'a World, id: &'a ResourceId) -> impl Iterator<Item = ResourceId> + 'a {
    world.of_type(TYPE).flat_map(move |network| {
        items(&network.body, LIST)
            .iter()
            .filter(move |subnet| super::mentions(subnet, id))
            .map(move |subnet| network.id.child("subnets", text(subnet, "/name")))
    })
}

/// Shows those subnets.
pub(super) fn show_subnets(world: &World, resource: &Resource, body: &mut Value) {
    let found: Vec<Value> = subnets_with(world, &resource.id).map(|id| json!({"id": id.as_str()})).collect();
    if !found.is_empty() {
        set(body, "/properties/subnets", found);
    }
}

/// Refuses the delete of what a subnet names.
pub(super) fn not_in_subnet(world: &World, resource: &Resource, code: &str) -> Result<(), Refusal> {
    match subnets_with(world, &resource.id).next() {
        Some(subnet) => Err(bad(
            code,
            format!(
                "Resource {} cannot be deleted because it is in use by the following resources: {subnet}.",
                resource.id
            ),
        )),
        None => Ok(()),
    }
}

fn check_routes(put: &Put<'_>) -> Result<(), Refusal> {
    const HOPS: [&str; 5] = ["VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None"];
    let mut seen = BTreeSet::new();
    for route in items(put.body, ROUTE_LIST) {
        let (name, prefix) = (text(route, "/name"), text(route, "/properties/addressPrefix"));
        if name.is_empty() || !seen.insert(prefix.to_ascii_lowercase()) {
            return Err(bad(
                "RouteConflict",
                format!("Route '{name}' has no name or repeats the address prefix {prefix}."),
            ));
        }
        if !tags::is_range(prefix) && !tags::is_tag(prefix) {
            return Err(bad(
                "InvalidAddressPrefixFormat",
                format!("Address prefix '{prefix}' of route '{name}' is neither a range nor a service tag."),
            ));
        }
        let (hop, next) = (text(route, "/properties/nextHopType"), text(route, "/properties/nextHopIpAddress"));
        if !HOPS.contains(&hop) {
            return Err(bad("InvalidNextHopType", format!("Next hop type '{hop}' of route '{name}' is not valid.")));
        }
        if (hop == "VirtualAppliance") == next.parse::<std::net::Ipv4Addr>().is_err() {
            return Err(bad(
                "InvalidNextHopIpAddress",
                format!("Next hop address '{next}' of route '{name}' does not fit next hop type {hop}."),
            ));
        }
    }
    Ok(())
}

/// The subnet of that id with its range, for what sits in a subnet of a fixed name and size.
pub(super) fn fixed_subnet(put: &Put<'_>, id: &str, name: &str, code: &str) -> Result<(), Refusal> {
    let id = ResourceId::new(id);
    if !id.name().eq_ignore_ascii_case(name) {
        return Err(bad(code, format!("The subnet must be named {name}, not '{}'.", id.name())));
    }
    let subnet = inline::find(put.world, &id);
    let large = subnet.and_then(address::range).is_some_and(|range| range.prefix_len() <= 26);
    if !large {
        return Err(bad(code, format!("Subnet {name} must be /26 or larger.")));
    }
    let delegated =
        subnet.is_some_and(|s| !items(s, "/properties/delegations").is_empty() || is_true(s, "/properties/delegated"));
    if delegated { Err(bad(code, format!("Subnet {name} must not be delegated."))) } else { Ok(()) }
}
