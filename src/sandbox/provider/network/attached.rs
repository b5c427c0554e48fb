//! What is attached to a network: public addresses, network cards, Bastion (`azure-facts` 2.9, 2.18, 2.19).

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::address;
use crate::sandbox::json::{fill, fill_all, has, items, keep, set, text};
use crate::sandbox::provider::{Card, Fill, Put, compute};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

use super::{NETWORK, dress, fill_guid, firewall, show_state, users, vnet};

const ADDRESS: &str = "Microsoft.Network/publicIPAddresses";
pub(super) const CARD: &str = "Microsoft.Network/networkInterfaces";
const BASTION: &str = "Microsoft.Network/bastionHosts";
const HOLDERS: [&str; 5] =
    [firewall::TYPE, BASTION, CARD, "Microsoft.Network/natGateways", "Microsoft.Network/virtualNetworkGateways"];
const LIST: &str = "/properties/ipConfigurations";
/// Ranges for documentation (RFC 5737): they belong to nobody.
const POOLS: [[u8; 3]; 2] = [[203, 0, 113], [198, 51, 100]];

pub(super) const ADDRESSES: Card = Card {
    arm_type: ADDRESS,
    immutable: &["/sku/name", "/properties/publicIPAddressVersion"],
    check: check_address,
    fill: |world, of, body| {
        fill_guid(world, of, body);
        keep(body, of.old, &["/properties/ipAddress"]);
        fill_all(
            body,
            "/properties",
            json!({"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4, "ipTags": []}),
        );
        fill_all(body, "/properties/ddosSettings", json!({"protectionMode": "VirtualNetworkInherited"}));
        fill_all(body, "/sku", json!({"tier": "Regional"}));
    },
    finished: give_address,
    view: |world, resource, body| {
        if let Some(holder) = users(world, &resource.id, &HOLDERS).next() {
            let name = items(&holder.body, LIST).first().map(|c| text(c, "/id").to_owned()).unwrap_or_default();
            set(body, "/properties/ipConfiguration", json!({"id": name}));
        }
    },
    in_use: |world, resource| match users(world, &resource.id, &HOLDERS).next() {
        Some(holder) => Err(Refusal::bad(
            "PublicIPAddressCannotBeDeleted",
            format!(
                "Public IP address {} can not be deleted since it is still allocated to resource {}. In order to \
                 delete the public IP, disassociate/detach the Public IP address from the resource.",
                resource.id, holder.id
            ),
        )),
        None => Ok(()),
    },
    ..NETWORK
};

pub(super) const INTERFACES: Card = Card {
    arm_type: CARD,
    check: check_card,
    fill: fill_card,
    lodge: lodge_card,
    view: |world, resource, body| {
        show_state(&resource.state, LIST, body);
        if let Some(vm) = compute::holder(world, resource.id.as_str()) {
            set(body, "/properties/virtualMachine", json!({"id": vm.id.as_str()}));
        }
    },
    in_use: card_in_use,
    ..NETWORK
};

pub(super) const BASTIONS: Card = Card {
    arm_type: BASTION,
    check: check_bastion,
    fill: fill_bastion,
    lodge: lodge_bastion,
    view: |_, resource, body| show_state(&resource.state, LIST, body),
    ..NETWORK
};

fn check_address(put: &Put<'_>) -> Result<(), Refusal> {
    let sku = text(put.body, "/sku/name");
    match sku {
        "Standard" | "StandardV2" => {}
        "" | "Basic" => {
            return Err(Refusal::bad(
                "IPv4BasicSkuPublicIpCountLimitReached",
                "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
            ));
        }
        _ => return Err(Refusal::bad("PublicIPAddressInvalidSku", format!("Sku '{sku}' is not valid."))),
    }
    if !text(put.body, "/properties/publicIPAllocationMethod").eq_ignore_ascii_case("Static") {
        return Err(Refusal::bad(
            "PublicIPAndSkuAllocationMethodMismatch",
            format!("Standard sku publicIp {} must have AllocationMethod set to Static.", put.id),
        ));
    }
    Ok(())
}

fn give_address(world: &mut World, key: &str) {
    let taken: Vec<String> =
        world.of_type(ADDRESS).map(|r| text(&r.body, "/properties/ipAddress").to_owned()).collect();
    let pool = POOLS.iter().flat_map(|[a, b, c]| (4..=250).map(move |d| Ipv4Addr::new(*a, *b, *c, d).to_string()));
    let free = pool.into_iter().find(|address| !taken.contains(address));
    if let (Some(free), Some(resource)) = (free, world.resources.get_mut(key)) {
        fill(&mut resource.body, "/properties/ipAddress", free);
    }
}

/// A public address for a firewall or Bastion: Standard, Static, free.
pub(super) fn check_public(put: &Put<'_>, id: &str) -> Result<(), Refusal> {
    let id = ResourceId::new(id);
    let Some(found) = put.world.get(&id) else { return Ok(()) };
    if !text(&found.body, "/sku/name").starts_with("Standard") {
        return Err(Refusal::bad(
            "PublicIpAddressSkuNotSupported",
            format!("Public IP address {id} must be of Standard sku."),
        ));
    }
    match users(put.world, &id, &HOLDERS).find(|user| user.id != *put.id) {
        Some(user) => Err(Refusal::bad(
            "PublicIPAddressInUse",
            format!(
                "Resource {} is referencing public IP address {id} that is already allocated to resource {}.",
                put.id, user.id
            ),
        )),
        None => Ok(()),
    }
}

fn check_card(put: &Put<'_>) -> Result<(), Refusal> {
    let list = items(put.body, LIST);
    if list.is_empty() {
        return Err(Refusal::bad(
            "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
            format!("Network interface {} must have one or more IP configurations.", put.id),
        ));
    }
    for configuration in list {
        let id = ResourceId::new(text(configuration, "/properties/subnet/id"));
        if ["AzureFirewallSubnet", "AzureBastionSubnet"].contains(&id.name()) {
            return Err(Refusal::bad(
                "SubnetWithExternalResourcesCannotBeUsedByOtherResources",
                format!("Subnet {id} is kept for its own service."),
            ));
        }
        if !has(configuration, "/properties/subnet/id") {
            return Err(Refusal::bad("InvalidRequestFormat", "A network interface's IP configuration needs a subnet."));
        }
    }
    Ok(())
}

fn fill_card(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    fill_guid(world, of, body);
    fill_all(
        body,
        "/properties",
        json!({"enableAcceleratedNetworking": false, "enableIPForwarding": false, "tapConfigurations": [], "hostedWorkloads": []}),
    );
    fill_all(body, "/properties/dnsSettings", json!({"dnsServers": [], "appliedDnsServers": []}));
    dress(world, of.id, "ipConfigurations", LIST, body);
}

/// An address for each configuration: the wanted one, the one it had, or the next free.
fn lodge_card(world: &mut World, of: &Fill<'_>, body: &mut Value) -> Result<(), Refusal> {
    let holder = of.id.key();
    let mut before = address::held(world, &holder).into_iter();
    let Some(Value::Array(list)) = body.pointer_mut(LIST) else { return Ok(()) };
    for (at, configuration) in list.iter_mut().enumerate() {
        let subnet = ResourceId::new(text(configuration, "/properties/subnet/id"));
        let wanted =
            text(configuration, "/properties/privateIPAddress").parse::<Ipv4Addr>().ok().or_else(|| before.next());
        let address = address::lease(world, &holder, &subnet, wanted)?;
        set(configuration, "/properties/privateIPAddress", address.to_string());
        let defaults =
            json!({"privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4", "primary": at == 0});
        fill_all(configuration, "/properties", defaults);
    }
    Ok(())
}

fn card_in_use(world: &World, resource: &Resource) -> Result<(), Refusal> {
    let endpoint = text(&resource.body, "/properties/privateEndpoint/id");
    let holder = compute::holder(world, resource.id.as_str()).map(|vm| vm.id.to_string());
    match holder.or_else(|| (!endpoint.is_empty()).then(|| endpoint.to_owned())) {
        Some(holder) => Err(Refusal::bad(
            "NicInUse",
            format!(
                "Network Interface {} is used by existing resource {holder}. In order to delete the network \
                 interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
                resource.id
            ),
        )),
        None => Ok(()),
    }
}

fn check_bastion(put: &Put<'_>) -> Result<(), Refusal> {
    let sku = text(put.body, "/sku/name");
    let list = items(put.body, LIST);
    if !["", "Developer", "Basic", "Standard", "Premium"].contains(&sku) {
        return Err(Refusal::bad("BastionHostInvalidSku", format!("Bastion sku '{sku}' is not valid.")));
    }
    let old = put.old.map(|old| text(&old.body, "/sku/name").to_owned()).unwrap_or_default();
    let rank = |sku: &str| ["Developer", "Basic", "Standard", "Premium"].iter().position(|s| *s == sku).unwrap_or(1);
    if !old.is_empty() && rank(sku) < rank(&old) {
        return Err(Refusal::bad(
            "BastionHostSkuDowngradeNotAllowed",
            format!("Bastion cannot go from {old} to {sku}: delete and create it."),
        ));
    }
    if sku == "Developer" {
        return if has(put.body, "/properties/virtualNetwork/id") {
            Ok(())
        } else {
            Err(Refusal::bad("BastionHostInvalid", "A Developer Bastion needs properties.virtualNetwork.id."))
        };
    }
    let units = put.body.pointer("/properties/scaleUnits").and_then(Value::as_u64).unwrap_or(2);
    let copy = put.body.pointer("/properties/disableCopyPaste") == Some(&Value::Bool(true));
    if rank(sku) < 2 && (units != 2 || copy) {
        return Err(Refusal::bad(
            "BastionHostFeatureNotSupportedForSku",
            "scaleUnits other than 2 and disableCopyPaste need the Standard sku.",
        ));
    }
    let [only] = list else {
        return Err(Refusal::bad("BastionHostInvalid", "A Bastion needs exactly one IP configuration."));
    };
    vnet::fixed_subnet(put, text(only, "/properties/subnet/id"), "AzureBastionSubnet", "BastionHostInvalidSubnet")?;
    if !has(only, "/properties/publicIPAddress/id") {
        return Err(Refusal::bad("BastionHostInvalid", "A Bastion needs a public IP address."));
    }
    check_public(put, text(only, "/properties/publicIPAddress/id"))
}

fn fill_bastion(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    keep(body, of.old, &["/properties/dnsName"]);
    if text(body, "/properties/dnsName").is_empty() {
        let made = world.guid();
        set(body, "/properties/dnsName", format!("bst-{made}.bastion.azure.com"));
    }
    let switches = [
        "disableCopyPaste",
        "enableFileCopy",
        "enableIpConnect",
        "enableShareableLink",
        "enableTunneling",
        "enableKerberos",
        "enableSessionRecording",
    ];
    for switch in switches {
        fill(body, &format!("/properties/{switch}"), false);
    }
    fill(body, "/properties/scaleUnits", 2);
    fill_all(body, "/sku", json!({"name": "Basic"}));
    dress(world, of.id, "bastionHostIpConfigurations", LIST, body);
}

/// Two instances, two addresses.
fn lodge_bastion(world: &mut World, of: &Fill<'_>, body: &mut Value) -> Result<(), Refusal> {
    let holder = of.id.key();
    if !items(body, LIST).is_empty() && address::held(world, &holder).is_empty() {
        let subnet = ResourceId::new(text(body, &format!("{LIST}/0/properties/subnet/id")));
        for _ in 0..2 {
            address::lease(world, &holder, &subnet, None)?;
        }
        set(body, &format!("{LIST}/0/properties/privateIPAllocationMethod"), "Dynamic");
    }
    Ok(())
}
