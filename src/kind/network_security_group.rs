//! Network security group: who may talk to whom at the edge of a subnet. All rules inside, so that none is lost.

use azure_mgmt_network::package_2024_03::models::{
    NetworkSecurityGroup, NetworkSecurityGroupPropertiesFormat, Resource, SecurityRule, SecurityRuleAccess,
    SecurityRuleDirection, SecurityRulePropertiesFormat, security_rule_properties_format::Protocol,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};

/// The card. A rule that is not ours is drift: a security group must say exactly what was signed off.
pub static KIND: Kind = Kind {
    name: "network_security_group",
    arm_type: "Microsoft.Network/networkSecurityGroups",
    api_version: NETWORK,
    keyed: &[("/properties/securityRules", "name")],
    sets: &[
        "/properties/securityRules/*/properties/destinationPortRanges",
        "/properties/securityRules/*/properties/sourceAddressPrefixes",
        "/properties/securityRules/*/properties/destinationAddressPrefixes",
    ],
    // Azure echoes `TCP` as `Tcp`, tags and ranges in the case it knows them by.
    caseless: &[
        "/properties/securityRules/*/properties/protocol",
        "/properties/securityRules/*/properties/sourceAddressPrefix",
        "/properties/securityRules/*/properties/destinationAddressPrefix",
        "/properties/securityRules/*/properties/access",
        "/properties/securityRules/*/properties/direction",
    ],
    ..Kind::PLAIN
};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// 1 to 80 characters.
    pub name: String,
    /// At most 140 characters; longer text is cut.
    pub description: String,
    /// 100 to 4096, unique in its direction; lower goes first.
    pub priority: i32,
    /// Into the subnet rather than out of it.
    pub inbound: bool,
    /// Allow rather than deny.
    pub allow: bool,
    /// `Tcp`, `Udp`, `Icmp`, `*`.
    pub protocol: String,
    /// A range or a service tag; `*` for anybody.
    pub from: Vec<String>,
    /// Likewise.
    pub to: Vec<String>,
    /// Ports at the destination; `*` for all.
    pub ports: Vec<String>,
}

/// A group with exactly these rules.
#[must_use]
pub fn body(place: Place, rules: &[Rule]) -> Value {
    let properties = NetworkSecurityGroupPropertiesFormat {
        security_rules: rules.iter().map(rule).collect(),
        ..NetworkSecurityGroupPropertiesFormat::new()
    };
    body::of(&NetworkSecurityGroup {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..NetworkSecurityGroup::new()
    })
}

fn rule(rule: &Rule) -> SecurityRule {
    let (from, froms) = one_or_many(&rule.from);
    let (to, tos) = one_or_many(&rule.to);
    let (port, ports) = one_or_many(&rule.ports);
    let access = if rule.allow { SecurityRuleAccess::Allow } else { SecurityRuleAccess::Deny };
    let direction = if rule.inbound { SecurityRuleDirection::Inbound } else { SecurityRuleDirection::Outbound };
    let properties = SecurityRulePropertiesFormat {
        description: Some(rule.description.chars().take(140).collect()),
        source_port_range: Some("*".to_owned()),
        source_address_prefix: from,
        source_address_prefixes: froms,
        destination_address_prefix: to,
        destination_address_prefixes: tos,
        destination_port_range: port,
        destination_port_ranges: ports,
        ..SecurityRulePropertiesFormat::new(protocol(&rule.protocol), access, rule.priority, direction)
    };
    SecurityRule { name: Some(rule.name.clone()), properties: Some(properties), ..SecurityRule::new() }
}

/// Azure wants a single value in the singular member and several in the plural one, never both.
fn one_or_many(values: &[String]) -> (Option<String>, Vec<String>) {
    match values {
        [one] => (Some(one.clone()), Vec::new()),
        many => (None, many.to_vec()),
    }
}

fn protocol(word: &str) -> Protocol {
    match word {
        "Tcp" => Protocol::Tcp,
        "Udp" => Protocol::Udp,
        "Icmp" => Protocol::Icmp,
        "*" => Protocol::U2a,
        other => Protocol::UnknownValue(other.to_owned()),
    }
}
