//! Firewall policies and their rule collection groups (`azure-facts` 2.10, 4.4).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::json::{fill_all, is_true, items, set, text, texts};
use crate::sandbox::provider::{Card, Place, Put};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

use super::{NETWORK, firewall, tags, users};

const POLICY: &str = "Microsoft.Network/firewallPolicies";
const GROUP: &str = "Microsoft.Network/firewallPolicies/ruleCollectionGroups";

pub(super) const POLICIES: Card = Card {
    arm_type: POLICY,
    check: |put| {
        let tier = text(put.body, "/properties/sku/tier");
        if ["", "Basic", "Standard", "Premium"].contains(&tier) {
            Ok(())
        } else {
            Err(invalid(format!("tier '{tier}' is not valid")))
        }
    },
    fill: |_, _, body| {
        fill_all(body, "/properties", json!({"threatIntelMode": "Alert"}));
        fill_all(body, "/properties/sku", json!({"tier": "Standard"}));
    },
    view: |world, resource, body| {
        let ids =
            |found: Vec<&Resource>| -> Vec<Value> { found.iter().map(|r| json!({"id": r.id.as_str()})).collect() };
        set(body, "/properties/firewalls", ids(users(world, &resource.id, &[firewall::TYPE]).collect()));
        set(
            body,
            "/properties/ruleCollectionGroups",
            ids(world.below(&resource.id).filter(|r| r.arm_type == GROUP).collect()),
        );
        set(body, "/properties/childPolicies", json!([]));
    },
    in_use: |world, resource| match users(world, &resource.id, &[firewall::TYPE]).next() {
        Some(user) => Err(Refusal::bad(
            "FirewallPolicyCannotBeDeleted",
            format!(
                "Firewall policy {} cannot be deleted because it is in use by the following resources: {}.",
                resource.id, user.id
            ),
        )),
        None => Ok(()),
    },
    ..NETWORK
};

pub(super) const GROUPS: Card = Card {
    arm_type: GROUP,
    place: Place::None,
    // The parent policy locks: one group at a time.
    locks: |id, _| id.parent().map(|policy| policy.key()).into_iter().collect(),
    check: check_group,
    fill: |_, _, body| {
        fill_all(body, "/properties", json!({"ruleCollections": []}));
    },
    ..NETWORK
};

fn invalid(what: impl std::fmt::Display) -> Refusal {
    Refusal::bad("FirewallPolicyRuleCollectionGroupInvalid", format!("Invalid firewall policy: {what}."))
}

fn check_group(put: &Put<'_>) -> Result<(), Refusal> {
    let proxy = put
        .id
        .parent()
        .and_then(|id| put.world.get(&id))
        .is_some_and(|p| is_true(&p.body, "/properties/dnsSettings/enableProxy"));
    priority(put.body, "/properties/priority")?;
    let (mut names, mut priorities) = (BTreeSet::new(), BTreeSet::new());
    for collection in items(put.body, "/properties/ruleCollections") {
        let name = text(collection, "/name");
        if name.is_empty() || !names.insert(name.to_ascii_lowercase()) {
            return Err(invalid(format!("rule collection name '{name}' is empty or used twice")));
        }
        if !priorities.insert(priority(collection, "/priority")?) {
            return Err(invalid(format!("the priority of rule collection '{name}' is used twice")));
        }
        let kind = text(collection, "/ruleCollectionType");
        if !["FirewallPolicyFilterRuleCollection", "FirewallPolicyNatRuleCollection"].contains(&kind) {
            return Err(invalid(format!("ruleCollectionType '{kind}' of '{name}' is not known")));
        }
        check_rules(collection, proxy)?;
    }
    Ok(())
}

fn priority(value: &Value, at: &str) -> Result<i64, Refusal> {
    let given = value.pointer(at).and_then(Value::as_i64).unwrap_or_default();
    if (100..=65000).contains(&given) {
        Ok(given)
    } else {
        Err(invalid(format!("priority {given} is not between 100 and 65000")))
    }
}

fn check_rules(collection: &Value, proxy: bool) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for rule in items(collection, "/rules") {
        let (name, kind) = (text(rule, "/name"), text(rule, "/ruleType"));
        if name.is_empty() || !names.insert(name.to_ascii_lowercase()) {
            return Err(invalid(format!("rule name '{name}' is empty or used twice")));
        }
        if items(rule, "/sourceAddresses").is_empty() && items(rule, "/sourceIpGroups").is_empty() {
            return Err(invalid(format!("rule '{name}' has no source")));
        }
        kinds.insert(kind);
        match kind {
            "ApplicationRule" => check_application(rule, name)?,
            "NetworkRule" => check_network(rule, name, proxy)?,
            "NatRule" => {}
            _ => return Err(invalid(format!("ruleType '{kind}' of rule '{name}' is not known"))),
        }
    }
    if kinds.len() > 1 {
        return Err(invalid(format!("rule collection '{}' mixes rule types", text(collection, "/name"))));
    }
    Ok(())
}

fn check_application(rule: &Value, name: &str) -> Result<(), Refusal> {
    let hosts = texts(rule, "/targetFqdns");
    let others = ["/fqdnTags", "/targetUrls", "/webCategories"].iter().any(|at| !items(rule, at).is_empty());
    if hosts.is_empty() && !others {
        return Err(invalid(format!("application rule '{name}' has no destination")));
    }
    for host in hosts {
        check_host(host, true)?;
    }
    let protocols = items(rule, "/protocols");
    let known = |p: &Value| {
        ["http", "https", "mssql"].contains(&text(p, "/protocolType").to_ascii_lowercase().as_str())
            && p.pointer("/port").and_then(Value::as_i64).is_some_and(|port| (1..=64000).contains(&port))
    };
    if (protocols.is_empty() && items(rule, "/fqdnTags").is_empty()) || !protocols.iter().all(known) {
        return Err(invalid(format!(
            "application rule '{name}' needs protocols Http, Https or Mssql with a port up to 64000"
        )));
    }
    Ok(())
}

fn check_network(rule: &Value, name: &str, proxy: bool) -> Result<(), Refusal> {
    let (addresses, hosts) = (texts(rule, "/destinationAddresses"), texts(rule, "/destinationFqdns"));
    if addresses.is_empty() && hosts.is_empty() && items(rule, "/destinationIpGroups").is_empty() {
        return Err(invalid(format!("network rule '{name}' has no destination")));
    }
    if !hosts.is_empty() && !proxy {
        return Err(invalid(format!("network rule '{name}' names FQDNs, which needs DNS proxy on the policy")));
    }
    for host in hosts {
        check_host(host, false)?;
    }
    for address in addresses {
        if address != "*" && !tags::is_range(address) && !tags::is_tag(address) && !tags::is_span(address) {
            return Err(invalid(format!(
                "'{address}' in network rule '{name}' is neither an address, a range nor a service tag"
            )));
        }
    }
    let protocols = texts(rule, "/ipProtocols");
    if protocols.is_empty()
        || !protocols.iter().all(|p| ["tcp", "udp", "icmp", "any"].contains(&p.to_ascii_lowercase().as_str()))
    {
        return Err(invalid(format!("network rule '{name}' needs ipProtocols TCP, UDP, ICMP or Any")));
    }
    let ports = texts(rule, "/destinationPorts");
    match ports.iter().find(|p| tags::ports(p).is_none()) {
        Some(port) => Err(invalid(format!("port '{port}' of network rule '{name}' is not valid"))),
        None if ports.is_empty() => Err(invalid(format!("network rule '{name}' has no ports"))),
        None => Ok(()),
    }
}

/// A host name; an asterisk stands at the very left or nowhere.
pub(super) fn check_host(host: &str, wildcard: bool) -> Result<(), Refusal> {
    let bare = if wildcard { host.strip_prefix('*').unwrap_or(host) } else { host };
    let clean = bare.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if (bare.is_empty() && host != "*") || !clean || host.len() > 255 {
        return Err(invalid(format!(
            "'{host}' is not a valid FQDN; an asterisk is allowed only as the left-most character of an application \
             rule's FQDN"
        )));
    }
    Ok(())
}

/// Whether writing to `target` collides with a firewall that takes the policy over.
pub(in crate::sandbox) fn is_policy(world: &World, key: &str) -> bool {
    world.resources.get(key).is_some_and(|r| r.arm_type == POLICY)
        || ResourceId::new(key).arm_type().eq_ignore_ascii_case(GROUP)
}
