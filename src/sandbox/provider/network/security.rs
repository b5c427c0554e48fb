//! Network security groups, and the rules that Bastion insists on (`azure-facts` 2.8).

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::json::{fill, fill_all, items, set, text, texts};
use crate::sandbox::provider::{Card, Place, Put};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

use super::{NETWORK, dress, fill_guid, show_state, tags, users, vnet};

const LIST: &str = "/properties/securityRules";

pub(super) const GROUPS: Card = Card {
    arm_type: "Microsoft.Network/networkSecurityGroups",
    check,
    fill: |world, of, body| {
        fill_guid(world, of, body);
        fill(body, LIST, json!([]));
        if let Some(Value::Array(rules)) = body.pointer_mut(LIST) {
            for rule in rules {
                let lists = json!({"sourcePortRanges": [], "destinationPortRanges": [],
                    "sourceAddressPrefixes": [], "destinationAddressPrefixes": []});
                fill_all(rule, "/properties", lists);
            }
        }
        dress(world, of.id, "securityRules", LIST, body);
        set(body, "/properties/defaultSecurityRules", defaults(of.id));
    },
    view,
    in_use,
    ..NETWORK
};

pub(super) const RULES: Card =
    Card { arm_type: "Microsoft.Network/networkSecurityGroups/securityRules", place: Place::None, ..NETWORK };

fn view(world: &World, resource: &Resource, body: &mut Value) {
    show_state(&resource.state, LIST, body);
    vnet::show_subnets(world, resource, body);
    let cards: Vec<Value> = users(world, &resource.id, &["Microsoft.Network/networkInterfaces"])
        .map(|r| json!({"id": r.id.as_str()}))
        .collect();
    if !cards.is_empty() {
        set(body, "/properties/networkInterfaces", cards);
    }
}

fn in_use(world: &World, resource: &Resource) -> Result<(), Refusal> {
    vnet::not_in_subnet(world, resource, "InUseNetworkSecurityGroupCannotBeDeleted")?;
    match users(world, &resource.id, &["Microsoft.Network/networkInterfaces"]).next() {
        Some(card) => Err(Refusal::bad(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            format!(
                "Network security group {} cannot be deleted because it is in use by the following resources: {}.",
                resource.id, card.id
            ),
        )),
        None => Ok(()),
    }
}

/// Azure's own rules, below all others.
fn defaults(group: &ResourceId) -> Vec<Value> {
    const RULES: [(&str, &str, &str, u32, &str, &str); 6] = [
        ("AllowVnetInBound", "Inbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
        ("AllowAzureLoadBalancerInBound", "Inbound", "Allow", 65001, "AzureLoadBalancer", "*"),
        ("DenyAllInBound", "Inbound", "Deny", 65500, "*", "*"),
        ("AllowVnetOutBound", "Outbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
        ("AllowInternetOutBound", "Outbound", "Allow", 65001, "*", "Internet"),
        ("DenyAllOutBound", "Outbound", "Deny", 65500, "*", "*"),
    ];
    let rule = |(name, direction, access, priority, source, destination): (&str, &str, &str, u32, &str, &str)| {
        json!({
            "id": group.child("defaultSecurityRules", name).as_str(), "name": name,
            "properties": {
                "provisioningState": "Succeeded", "priority": priority, "direction": direction, "access": access,
                "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
                "sourceAddressPrefix": source, "destinationAddressPrefix": destination,
            },
        })
    };
    RULES.into_iter().map(rule).collect()
}

fn check(put: &Put<'_>) -> Result<(), Refusal> {
    let mut seen: Vec<(&str, i64, &str)> = Vec::new();
    for rule in items(put.body, LIST) {
        let name = text(rule, "/name");
        check_rule(rule)?;
        let priority = rule.pointer("/properties/priority").and_then(Value::as_i64).unwrap_or_default();
        let direction = text(rule, "/properties/direction");
        if seen.iter().any(|(other, ..)| other.eq_ignore_ascii_case(name)) {
            return Err(Refusal::bad(
                "DuplicateResourceName",
                format!("Resource {} has two child resources with the same name ({name}).", put.id),
            ));
        }
        if let Some((other, ..)) = seen.iter().find(|(_, p, d)| *p == priority && d.eq_ignore_ascii_case(direction)) {
            return Err(Refusal::bad(
                "SecurityRuleConflict",
                format!(
                    "Security rule {name} conflicts with rule {other}. Rules cannot have the same Priority and \
                     Direction. To learn more, see https://aka.ms/nsgrules."
                ),
            ));
        }
        seen.push((name, priority, direction));
    }
    if vnet::subnets_with(put.world, put.id).any(|subnet| subnet.name().eq_ignore_ascii_case("AzureBastionSubnet")) {
        check_bastion(put.id, put.body)?;
    }
    Ok(())
}

fn check_rule(rule: &Value) -> Result<(), Refusal> {
    let name = text(rule, "/name");
    let invalid =
        |code: &str, what: String| Err(Refusal::bad(code, format!("Security rule '{name}' is invalid: {what}.")));
    if !(super::NAME.fits)(name) {
        return invalid("InvalidResourceName", "its name does not fit".to_owned());
    }
    let at = |part: &str| text(rule, &format!("/properties/{part}")).to_ascii_lowercase();
    if !["inbound", "outbound"].contains(&at("direction").as_str())
        || !["allow", "deny"].contains(&at("access").as_str())
    {
        return invalid("InvalidRequestFormat", "direction and access must be given".to_owned());
    }
    if !["tcp", "udp", "icmp", "esp", "ah", "*"].contains(&at("protocol").as_str()) {
        return invalid("SecurityRuleInvalidProtocol", format!("protocol '{}'", at("protocol")));
    }
    let priority = rule.pointer("/properties/priority").and_then(Value::as_i64).unwrap_or_default();
    if !(100..=4096).contains(&priority) {
        return invalid("SecurityRuleInvalidPriority", format!("priority {priority} is not between 100 and 4096"));
    }
    if text(rule, "/properties/description").chars().count() > 140 {
        return invalid("SecurityRuleInvalidDescription", "the description is longer than 140 characters".to_owned());
    }
    for side in ["source", "destination"] {
        check_side(rule, name, side)?;
    }
    Ok(())
}

/// One side of a rule: a prefix or a list of them, never both; the same for ports.
fn check_side(rule: &Value, name: &str, side: &str) -> Result<(), Refusal> {
    let (one, many) = (
        text(rule, &format!("/properties/{side}AddressPrefix")),
        texts(rule, &format!("/properties/{side}AddressPrefixes")),
    );
    let groups = !items(rule, &format!("/properties/{side}ApplicationSecurityGroups")).is_empty();
    if usize::from(!one.is_empty()) + usize::from(!many.is_empty()) + usize::from(groups) != 1 {
        return Err(Refusal::bad(
            "SecurityRuleParameterContradiction",
            format!(
                "Security rule '{name}' must have exactly one of {side}AddressPrefix, {side}AddressPrefixes and \
                 {side}ApplicationSecurityGroups."
            ),
        ));
    }
    for prefix in many.iter().copied().chain((!one.is_empty()).then_some(one)) {
        if prefix != "*" && !tags::is_range(prefix) && !tags::is_tag(prefix) {
            return Err(Refusal::bad(
                "SecurityRuleInvalidAddressPrefix",
                format!("Security rule has invalid Address prefix. Value provided: {prefix}"),
            ));
        }
    }
    let (port, ports) =
        (text(rule, &format!("/properties/{side}PortRange")), texts(rule, &format!("/properties/{side}PortRanges")));
    if port.is_empty() == ports.is_empty() {
        return Err(Refusal::bad(
            "SecurityRuleParameterContradiction",
            format!("Security rule '{name}' must have exactly one of {side}PortRange and {side}PortRanges."),
        ));
    }
    let wrong = ports.iter().copied().chain((!port.is_empty()).then_some(port)).find(|p| tags::ports(p).is_none());
    match wrong {
        Some(wrong) => Err(Refusal::bad(
            "SecurityRuleInvalidPortRange",
            format!(
                "Security rule has invalid Port range. Value provided: {wrong}. Value should be an integer OR \
                 integer range with '-' delimiter. Valid range 0-65535."
            ),
        )),
        None => Ok(()),
    }
}

/// One rule that Bastion needs: name in Microsoft's table, direction, source, destination, ports.
const BASTION: [(&str, &str, &str, &str, &[u16]); 8] = [
    ("AllowHttpsInbound", "Inbound", "Internet", "*", &[443]),
    ("AllowGatewayManagerInbound", "Inbound", "GatewayManager", "*", &[443]),
    ("AllowAzureLoadBalancerInbound", "Inbound", "AzureLoadBalancer", "*", &[443]),
    ("AllowBastionHostCommunicationInbound", "Inbound", "VirtualNetwork", "VirtualNetwork", &[8080, 5701]),
    ("AllowSshRdpOutbound", "Outbound", "*", "VirtualNetwork", &[22, 3389]),
    ("AllowAzureCloudOutbound", "Outbound", "*", "AzureCloud", &[443]),
    ("AllowBastionHostCommunicationOutbound", "Outbound", "VirtualNetwork", "VirtualNetwork", &[8080, 5701]),
    ("AllowGetSessionInformationOutbound", "Outbound", "*", "Internet", &[80]),
];

/// Refuses a group that does not let Bastion work: each of the eight flows must be allowed by a rule of its own, and
/// not be denied before it.
pub(super) fn check_bastion(group: &ResourceId, body: &Value) -> Result<(), Refusal> {
    let mut rules: Vec<&Value> = items(body, LIST).iter().collect();
    rules.sort_by_key(|rule| rule.pointer("/properties/priority").and_then(Value::as_i64));
    for (name, direction, source, destination, ports) in BASTION {
        let allowed = |port: &u16| {
            let first = rules.iter().find(|rule| covers(rule, direction, source, destination, *port));
            first.is_some_and(|rule| text(rule, "/properties/access").eq_ignore_ascii_case("Allow"))
        };
        if !ports.iter().all(allowed) {
            return Err(Refusal::bad(
                "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
                format!(
                    "Network security group {} does not have necessary rules for Azure Bastion Subnet \
                     AzureBastionSubnet ({name}, ports {ports:?}). Please follow the rules provided here: \
                     https://aka.ms/bastionnsg",
                    group.name()
                ),
            ));
        }
    }
    Ok(())
}

fn covers(rule: &Value, direction: &str, source: &str, destination: &str, port: u16) -> bool {
    let protocol = text(rule, "/properties/protocol");
    text(rule, "/properties/direction").eq_ignore_ascii_case(direction)
        && ["*", "tcp"].contains(&protocol.to_ascii_lowercase().as_str())
        && reaches(rule, "source", source)
        && reaches(rule, "destination", destination)
        && part(rule, "destinationPort", "Range")
            .iter()
            .filter_map(|p| tags::ports(p))
            .any(|(low, high)| (low..=high).contains(&port))
}

/// Whether one side of a rule covers what Bastion needs; operators may narrow `Internet` to ranges of their own.
fn reaches(rule: &Value, side: &str, need: &str) -> bool {
    part(rule, &format!("{side}Address"), "Prefix").iter().any(|given| {
        *given == "*"
            || given.eq_ignore_ascii_case(need)
            || *given == "0.0.0.0/0"
            || (side == "source" && need == "Internet" && tags::is_range(given))
            || (need == "AzureCloud" && given.eq_ignore_ascii_case("Internet"))
    })
}

/// The single and the plural spelling of one member together.
fn part<'a>(rule: &'a Value, stem: &str, word: &str) -> Vec<&'a str> {
    let mut found = texts(rule, &format!("/properties/{stem}{word}{}", if word == "Prefix" { "es" } else { "s" }));
    let one = text(rule, &format!("/properties/{stem}{word}"));
    if !one.is_empty() {
        found.push(one);
    }
    found
}
