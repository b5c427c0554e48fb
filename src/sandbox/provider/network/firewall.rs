//! Azure Firewall (`azure-facts` 2.10). Classic rule collections are taken as they are; policies check their own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::address;
use crate::sandbox::json::{fill_all, has, items, set, text};
use crate::sandbox::provider::{Card, Fill, Put};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::World;

use super::{NETWORK, attached, dress, vnet};

pub(super) const TYPE: &str = "Microsoft.Network/azureFirewalls";
const LIST: &str = "/properties/ipConfigurations";
const COLLECTIONS: [&str; 3] = ["applicationRuleCollections", "networkRuleCollections", "natRuleCollections"];

pub(super) const FIREWALLS: Card = Card {
    arm_type: TYPE,
    immutable: &["/properties/sku/name", "/zones"],
    check,
    // The policy is read while the firewall takes it over: neither it nor its groups may change meanwhile.
    locks: |_, body| {
        let policy = text(body, "/properties/firewallPolicy/id");
        if policy.is_empty() { Vec::new() } else { vec![ResourceId::new(policy).key()] }
    },
    fill,
    lodge,
    finished,
    view: |_, resource, body| super::show_state(&resource.state, LIST, body),
    ..NETWORK
};

fn check(put: &Put<'_>) -> Result<(), Refusal> {
    let body = put.body;
    let tier = text(body, "/properties/sku/tier");
    if !["", "Basic", "Standard", "Premium"].contains(&tier) {
        return Err(Refusal::bad("AzureFirewallInvalidSku", format!("Azure Firewall tier '{tier}' is not valid.")));
    }
    if has(body, "/properties/firewallPolicy/id")
        && COLLECTIONS.iter().any(|c| !items(body, &format!("/properties/{c}")).is_empty())
    {
        return Err(Refusal::bad(
            "AzureFirewallPolicyAndRuleCollectionsConflict",
            format!("Azure Firewall {} cannot have both a firewall policy and rule collections.", put.id),
        ));
    }
    check_policy(put, tier)?;
    for collection in COLLECTIONS {
        check_collections(body, collection)?;
    }
    for configuration in items(body, LIST) {
        vnet::fixed_subnet(
            put,
            text(configuration, "/properties/subnet/id"),
            "AzureFirewallSubnet",
            "AzureFirewallInvalidSubnet",
        )?;
        attached::check_public(put, text(configuration, "/properties/publicIPAddress/id"))?;
    }
    check_alone(put)
}

fn check_policy(put: &Put<'_>, tier: &str) -> Result<(), Refusal> {
    let policy = ResourceId::new(text(put.body, "/properties/firewallPolicy/id"));
    let Some(policy) = put.world.get(&policy) else { return Ok(()) };
    let theirs = text(&policy.body, "/properties/sku/tier");
    let rank = |tier: &str| ["Basic", "Standard", "Premium"].iter().position(|t| *t == tier).unwrap_or(1);
    if rank(theirs) > rank(tier) {
        return Err(Refusal::bad(
            "AzureFirewallPolicySkuMismatch",
            format!("Firewall policy tier {theirs} needs a firewall of that tier, not '{tier}'."),
        ));
    }
    Ok(())
}

/// One firewall in a subnet.
fn check_alone(put: &Put<'_>) -> Result<(), Refusal> {
    for configuration in items(put.body, LIST) {
        let subnet = ResourceId::new(text(configuration, "/properties/subnet/id"));
        let other = put.world.of_type(TYPE).find(|r| r.id != *put.id && super::mentions(&r.body, &subnet));
        if let Some(other) = other {
            return Err(Refusal::bad(
                "AzureFirewallSubnetInUse",
                format!("Subnet {subnet} already holds {}.", other.id),
            ));
        }
    }
    Ok(())
}

/// Classic collections: a priority of their own, named rules.
fn check_collections(body: &Value, collection: &str) -> Result<(), Refusal> {
    let (mut priorities, mut names) = (BTreeSet::new(), BTreeSet::new());
    for entry in items(body, &format!("/properties/{collection}")) {
        let name = text(entry, "/name");
        let priority = entry.pointer("/properties/priority").and_then(Value::as_i64).unwrap_or_default();
        if !(100..=65000).contains(&priority)
            || !priorities.insert(priority)
            || !names.insert(name.to_ascii_lowercase())
        {
            return Err(Refusal::bad(
                "AzureFirewallRuleCollectionInvalid",
                format!("Rule collection '{name}' needs a name and a priority between 100 and 65000 of its own."),
            ));
        }
        for rule in items(entry, "/properties/rules") {
            for host in items(rule, "/targetFqdns").iter().filter_map(Value::as_str) {
                super::policy::check_host(host, true)?;
            }
        }
    }
    Ok(())
}

fn fill(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    fill_all(
        body,
        "/properties",
        json!({"threatIntelMode": "Alert", "additionalProperties": {}, "ipConfigurations": []}),
    );
    fill_all(body, "/properties/sku", json!({"name": "AZFW_VNet", "tier": "Standard"}));
    if !has(body, "/properties/firewallPolicy/id") {
        for collection in COLLECTIONS {
            fill_all(body, "/properties", json!({collection: []}));
        }
    }
    dress(world, of.id, "azureFirewallIpConfigurations", LIST, body);
}

/// The first free address of its subnet; without configurations the firewall is deallocated and gives it back.
fn lodge(world: &mut World, of: &Fill<'_>, body: &mut Value) -> Result<(), Refusal> {
    let holder = of.id.key();
    if items(body, LIST).is_empty() {
        address::release(world, &holder);
        return Ok(());
    }
    let subnet = ResourceId::new(text(body, &format!("{LIST}/0/properties/subnet/id")));
    if address::held(world, &holder).is_empty() {
        address::lease(world, &holder, &subnet, None)?;
    }
    if of.old.is_some_and(|old| has(old, &format!("{LIST}/0/properties/privateIPAddress"))) {
        show_address(world, &holder, body);
    }
    Ok(())
}

/// Azure names the address only once the firewall runs.
fn finished(world: &mut World, key: &str) {
    if let Some(mut body) = world.resources.get(key).map(|r| r.body.clone()) {
        show_address(world, key, &mut body);
        if let Some(resource) = world.resources.get_mut(key) {
            resource.body = body;
        }
    }
}

fn show_address(world: &World, key: &str, body: &mut Value) {
    if let (Some(address), Some(Value::Array(list))) = (address::held(world, key).first(), body.pointer_mut(LIST)) {
        for configuration in list {
            set(configuration, "/properties/privateIPAddress", address.to_string());
            set(configuration, "/properties/privateIPAllocationMethod", "Dynamic");
        }
    }
}
