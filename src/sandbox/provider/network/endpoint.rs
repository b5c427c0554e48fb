//! Private endpoints with their network cards, and the zone groups that write DNS records (`azure-facts` 2.16).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::address;
use crate::sandbox::json::{fill, has, items, keep, set, text, texts};
use crate::sandbox::provider::{Card, Fill, Place, Put, said_of};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

use super::{NETWORK, dns, dress, fill_guid, member};

const TYPE: &str = "Microsoft.Network/privateEndpoints";
const GROUP: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";
const LINKS: &str = "/properties/privateLinkServiceConnections";
const CONFIGS: &str = "/properties/privateDnsZoneConfigs";

pub(super) const ENDPOINTS: Card = Card {
    arm_type: TYPE,
    name: crate::sandbox::provider::Name {
        fits: |name| crate::sandbox::provider::fits(name, 2, 64, "-_."),
        ..super::NAME
    },
    immutable: &[
        "/properties/subnet/id",
        "/properties/customNetworkInterfaceName",
        "/properties/privateLinkServiceConnections/0/name",
        "/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId",
        "/properties/privateLinkServiceConnections/0/properties/groupIds",
    ],
    check,
    // One write at a time on a storage account, endpoints included (`azure-facts` 2.12).
    locks: |_, body| {
        let target = member::target_of(body);
        let storage = target.arm_type().eq_ignore_ascii_case("Microsoft.Storage/storageAccounts");
        storage.then(|| target.key()).into_iter().collect()
    },
    fill: fill_endpoint,
    lodge: |world, of, body| if of.old.is_none() { make_card(world, of, body) } else { Ok(()) },
    finished: |world, key| {
        let card = world.resources.get(key).map(|r| card_id(&r.id, &r.body));
        if let Some(card) = card.and_then(|id| world.resources.get_mut(&id.key())) {
            "Succeeded".clone_into(&mut card.state);
        }
    },
    view,
    removed: |world, resource, _| {
        let card = card_id(&resource.id, &resource.body);
        crate::sandbox::operation::vanish(world, &card.key(), false);
        let other_side = member::target_of(&resource.body).child("privateEndpointConnections", &connection(resource));
        world.resources.remove(&other_side.key());
    },
    ..NETWORK
};

pub(super) const ZONE_GROUPS: Card = Card {
    arm_type: GROUP,
    place: Place::None,
    locks: |id, _| id.parent().map(|endpoint| endpoint.key()).into_iter().collect(),
    check: check_group,
    fill: |_, _, _| (),
    finished: |world, key| {
        erase_records(world, key);
        write_records(world, key);
    },
    view: view_group,
    removed: |world, resource, _| erase_records(world, &resource.id.key()),
    ..NETWORK
};

fn check(put: &Put<'_>) -> Result<(), Refusal> {
    let [link] = items(put.body, LINKS) else {
        return Err(Refusal::bad(
            "InvalidRequestFormat",
            format!("Private endpoint {} needs exactly one private link service connection.", put.id),
        ));
    };
    let target = member::target_of(put.body);
    if text(link, "/name").is_empty() || !has(put.body, "/properties/subnet/id") {
        return Err(Refusal::bad("InvalidRequestFormat", "A private endpoint needs a subnet and a named connection."));
    }
    let [group] = texts(link, "/properties/groupIds")[..] else {
        return Err(Refusal::bad(
            "PrivateEndpointInvalidGroupIds",
            format!("Private endpoint {} needs exactly one group id.", put.id),
        ));
    };
    if !member::groups(&target).contains(&group.to_ascii_lowercase().as_str()) {
        return Err(Refusal::bad(
            "PrivateEndpointInvalidGroupIds",
            format!(
                "Call to {} failed. Error message: group id '{group}' is not valid for private link resource {target}.",
                target.arm_type()
            ),
        ));
    }
    check_target(put, &target)?;
    let subnet = ResourceId::new(text(put.body, "/properties/subnet/id"));
    if ["AzureFirewallSubnet", "AzureBastionSubnet"].contains(&subnet.name()) {
        return Err(Refusal::bad(
            "SubnetWithExternalResourcesCannotBeUsedByOtherResources",
            format!("Subnet {subnet} is kept for its own service."),
        ));
    }
    let network = subnet.parent().and_then(|id| put.world.get(&id)).map(|r| text(&r.body, "/location").to_owned());
    match network {
        Some(place) if !place.eq_ignore_ascii_case(text(put.body, "/location")) => Err(Refusal::bad(
            "InvalidResourceReference",
            format!("Private endpoint {} must be in the region of its virtual network, {place}.", put.id),
        )),
        _ => Ok(()),
    }
}

fn check_target(put: &Put<'_>, id: &ResourceId) -> Result<(), Refusal> {
    let Some(target) = put.world.get(id) else { return Ok(()) };
    if target.state != "Succeeded" {
        return Err(Refusal::bad(
            "AccountProvisioningStateInvalid",
            format!(
                "Call to {} failed. Error message: The resource {id} is in provisioning state {} and must be \
                 Succeeded.",
                id.arm_type(),
                target.state
            ),
        ));
    }
    let registry = id.arm_type().eq_ignore_ascii_case("Microsoft.ContainerRegistry/registries");
    if registry && !text(&target.body, "/sku/name").eq_ignore_ascii_case("Premium") {
        return Err(Refusal::bad(
            "PrivateEndpointNotSupportedForSku",
            format!(
                "Call to Microsoft.ContainerRegistry/registries failed. Error message: Private endpoints are only \
                 supported for registries in the Premium SKU ({id})."
            ),
        ));
    }
    Ok(())
}

fn card_id(endpoint: &ResourceId, body: &Value) -> ResourceId {
    let given = text(body, "/properties/networkInterfaces/0/id");
    if !given.is_empty() {
        return ResourceId::new(given);
    }
    let name = text(body, "/properties/customNetworkInterfaceName");
    let group = endpoint.parent().unwrap_or_else(|| endpoint.clone());
    group.provider(super::attached::CARD, name)
}

fn fill_endpoint(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    fill_guid(world, of, body);
    keep(body, of.old, &["/properties/networkInterfaces"]);
    for (list, new) in [
        ("manualPrivateLinkServiceConnections", json!([])),
        ("ipConfigurations", json!([])),
        ("applicationSecurityGroups", json!([])),
    ] {
        fill(body, &format!("/properties/{list}"), new);
    }
    fill(body, "/properties/ipVersionType", "IPv4");
    dress(world, of.id, "privateLinkServiceConnections", LINKS, body);
    if let (Some(old), Some(link)) = (of.old, body.pointer_mut(&format!("{LINKS}/0"))) {
        // The connection keeps its identity, and so its name on the target's side.
        set(link, "/etag", text(old, &format!("{LINKS}/0/etag")));
    }
    if of.old.is_none() {
        let suffix = world.guid();
        if !has(body, "/properties/customNetworkInterfaceName") {
            let group = of.id.parent().unwrap_or_else(|| of.id.clone());
            let card = group.provider(super::attached::CARD, &format!("{}.nic.{suffix}", of.id.name()));
            set(body, "/properties/networkInterfaces", json!([{"id": card.as_str()}]));
        }
    }
}

/// The endpoint's network card: a resource of its own, with one configuration an address.
fn make_card(world: &mut World, of: &Fill<'_>, body: &mut Value) -> Result<(), Refusal> {
    let id = card_id(of.id, body);
    if world.get(&id).is_some() {
        return Err(Refusal::bad("NetworkInterfaceNameInUse", format!("Network interface {id} already exists.")));
    }
    let subnet = ResourceId::new(text(body, "/properties/subnet/id"));
    let group = text(body, &format!("{LINKS}/0/properties/groupIds/0")).to_owned();
    let target = world.get(&member::target_of(body)).cloned();
    let members = target.map(|target| member::members(world, &target, &group)).unwrap_or_default();
    let (holder, guid) = (id.key(), world.guid());
    let mut configurations = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let address =
            address::lease(world, &holder, &subnet, None).inspect_err(|_| address::release(world, &holder))?;
        let name = format!("privateEndpointIpConfig.{}", world.guid());
        configurations.push(json!({
            "name": name, "id": id.child("ipConfigurations", &name).as_str(), "etag": world.etag(),
            "properties": {
                "privateIPAddress": address.to_string(), "privateIPAllocationMethod": "Dynamic", "primary": at == 0,
                "privateIPAddressVersion": "IPv4", "subnet": {"id": subnet.as_str()},
                "privateLinkConnectionProperties": {"groupId": group, "requiredMemberName": member.name, "fqdns": member.hosts},
            },
        }));
    }
    let card = json!({
        "id": id.as_str(), "name": id.name(), "type": super::attached::CARD, "location": body.get("location"),
        "etag": world.etag(), "kind": "Regular",
        "properties": {
            "resourceGuid": guid, "ipConfigurations": configurations, "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "enableAcceleratedNetworking": false, "enableIPForwarding": false, "hostedWorkloads": [], "tapConfigurations": [],
            "nicType": "Standard", "privateEndpoint": {"id": of.id.as_str()},
        },
    });
    set(body, "/properties/networkInterfaces", json!([{"id": id.as_str()}]));
    let mut made = Resource::made(id, super::attached::CARD, card, of.now);
    "Updating".clone_into(&mut made.state);
    world.resources.insert(holder, made);
    Ok(())
}

fn view(world: &World, resource: &Resource, body: &mut Value) {
    let up = resource.state == "Succeeded";
    if let Some(Value::Array(links)) = body.pointer_mut(LINKS) {
        for link in links {
            let (status, words) = if up { ("Approved", "Auto-Approved") } else { ("Pending", "") };
            let said = said_of(world, &member::target_of(&resource.body), &connection(resource));
            let state = json!({"status": status, "description": words, "actionsRequired": "None"});
            set(link, "/properties/privateLinkServiceConnectionState", said.cloned().unwrap_or(state));
            set(link, "/properties/provisioningState", resource.state.as_str());
        }
    }
    let grouped = world.below(&resource.id).any(|r| r.arm_type == GROUP);
    let configs = if grouped || !up { BTreeMap::new() } else { hosts(world, resource) };
    let configs: Vec<Value> =
        configs.into_iter().map(|(host, addresses)| json!({"fqdn": host, "ipAddresses": addresses})).collect();
    set(body, "/properties/customDnsConfigs", configs);
}

/// The name of the endpoint's connection on the target's side.
fn connection(endpoint: &Resource) -> String {
    let etag = text(&endpoint.body, &format!("{LINKS}/0/etag"));
    format!("{}.{}", endpoint.id.name(), etag.trim_start_matches("W/").trim_matches('"'))
}

/// The endpoint's host names with their addresses.
fn hosts(world: &World, endpoint: &Resource) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some(card) = world.get(&card_id(&endpoint.id, &endpoint.body)) else { return found };
    for configuration in items(&card.body, "/properties/ipConfigurations") {
        for host in texts(configuration, "/properties/privateLinkConnectionProperties/fqdns") {
            found
                .entry(host.to_owned())
                .or_default()
                .push(text(configuration, "/properties/privateIPAddress").to_owned());
        }
    }
    found
}

fn check_group(put: &Put<'_>) -> Result<(), Refusal> {
    let configs = items(put.body, CONFIGS);
    if configs.is_empty() || configs.len() > 5 {
        return Err(Refusal::bad(
            "PrivateDnsZoneGroupInvalid",
            format!("Private DNS zone group {} needs one to five zones.", put.id),
        ));
    }
    for config in configs {
        let zone = ResourceId::new(text(config, "/properties/privateDnsZoneId"));
        if !zone.arm_type().eq_ignore_ascii_case(dns::ZONE) {
            return Err(Refusal::bad("PrivateDnsZoneGroupInvalid", format!("'{zone}' is not a private DNS zone.")));
        }
    }
    let parent = put.id.parent();
    match put.world.of_type(GROUP).find(|r| r.id != *put.id && r.id.parent() == parent) {
        Some(other) => Err(Refusal::bad(
            "PrivateEndpointCannotHaveMoreThanOnePrivateDnsZoneGroup",
            format!("Private endpoint already has the private DNS zone group {}.", other.id),
        )),
        None => Ok(()),
    }
}

/// The records of one zone: (name, addresses). The longest matching zone of the group takes a host.
fn records(world: &World, group: &Resource, zone: &str) -> Vec<(String, Vec<String>)> {
    let Some(endpoint) = group.id.parent().and_then(|id| world.get(&id)) else { return Vec::new() };
    let zones: Vec<ResourceId> =
        items(&group.body, CONFIGS).iter().map(|c| ResourceId::new(text(c, "/properties/privateDnsZoneId"))).collect();
    let best = |host: &str| {
        zones
            .iter()
            .map(ResourceId::name)
            .filter(|zone| member::record(host, zone).is_some())
            .max_by_key(|zone| zone.len())
    };
    hosts(world, endpoint)
        .into_iter()
        .filter(|(host, _)| best(host) == Some(zone))
        .filter_map(|(host, addresses)| Some((member::record(&host, zone)?, addresses)))
        .collect()
}

fn view_group(world: &World, resource: &Resource, body: &mut Value) {
    let up = resource.state == "Succeeded";
    let configs = items(&resource.body, CONFIGS).to_vec();
    let Some(Value::Array(list)) = body.pointer_mut(CONFIGS) else { return };
    for (config, shown) in configs.iter().zip(list) {
        let zone = ResourceId::new(text(config, "/properties/privateDnsZoneId"));
        let found = if up { records(world, resource, zone.name()) } else { Vec::new() };
        let sets: Vec<Value> = found
            .into_iter()
            .map(|(name, addresses)| {
                json!({"recordType": "A", "recordSetName": name, "fqdn": format!("{name}.{}", zone.name()), "ttl": 10,
                    "provisioningState": "Succeeded", "ipAddresses": addresses})
            })
            .collect();
        set(shown, "/id", resource.id.child("privateDnsZoneConfigs", text(config, "/name")).as_str());
        set(shown, "/properties/provisioningState", resource.state.as_str());
        set(shown, "/properties/recordSets", sets);
    }
}

fn write_records(world: &mut World, key: &str) {
    let Some(group) = world.resources.get(key).cloned() else { return };
    for config in items(&group.body, CONFIGS) {
        let zone = ResourceId::new(text(config, "/properties/privateDnsZoneId"));
        for (name, addresses) in records(world, &group, zone.name()) {
            dns::write(world, &zone, &name, &addresses, &group.id);
        }
    }
}

fn erase_records(world: &mut World, group: &str) {
    world.resources.retain(|_, r| {
        r.arm_type != dns::RECORD || !text(&r.body, "/properties/metadata/creator").eq_ignore_ascii_case(group)
    });
}
