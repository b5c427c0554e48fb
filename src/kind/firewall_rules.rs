//! The rules of a firewall policy: one group of collections, one rule a host, so that a plan can name the host.

use azure_mgmt_network::package_2024_03::models::{
    ApplicationRule, FirewallPolicyFilterRuleCollection, FirewallPolicyFilterRuleCollectionAction,
    FirewallPolicyFilterRuleCollectionActionType, FirewallPolicyRule, FirewallPolicyRuleApplicationProtocol,
    FirewallPolicyRuleApplicationProtocolType as Web, FirewallPolicyRuleCollection, FirewallPolicyRuleCollectionGroup,
    FirewallPolicyRuleCollectionGroupProperties, FirewallPolicyRuleCollectionUnion,
    FirewallPolicyRuleNetworkProtocol as Transport, FirewallPolicyRuleUnion, NetworkRule,
};
use serde_json::Value;

use super::{Kind, NETWORK, Turn, body};

/// The card. A rule that is not ours is drift: the allowlist is what was signed off.
/// Groups of one policy are written one at a time; the policy refuses a second writer.
pub static KIND: Kind = Kind {
    name: "firewall_rules",
    arm_type: "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
    api_version: NETWORK,
    tagged: false,
    immutable: &[],
    keyed: &[
        ("/properties/ruleCollections", "name"),
        ("/properties/ruleCollections/*/rules", "name"),
        ("/properties/ruleCollections/*/rules/*/protocols", "protocolType"),
    ],
    sets: &[
        "/properties/ruleCollections/*/rules/*/targetFqdns",
        "/properties/ruleCollections/*/rules/*/fqdnTags",
        "/properties/ruleCollections/*/rules/*/sourceAddresses",
        "/properties/ruleCollections/*/rules/*/destinationAddresses",
        "/properties/ruleCollections/*/rules/*/destinationFqdns",
        "/properties/ruleCollections/*/rules/*/destinationPorts",
        "/properties/ruleCollections/*/rules/*/ipProtocols",
    ],
    caseless: &[
        "/properties/ruleCollections/*/rules/*/ipProtocols/*",
        "/properties/ruleCollections/*/rules/*/destinationAddresses/*",
    ],
    turn: Turn::Parent,
    ..Kind::PLAIN
};

/// Longest description sent; the limit is not documented, and longer reasons belong into the data file.
const DESCRIPTION: usize = 250;

/// Rules that allow, tried in the order of priority; network rules before application rules whatever they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// At most 80 characters.
    pub name: String,
    /// 100 to 65000; lower goes first.
    pub priority: i32,
    /// In the order in which they are shown.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// At most 80 characters, unique in its collection.
    pub name: String,
    /// For the reviewer; cut at 250 characters.
    pub reason: String,
    /// Ranges it applies to; `*` for all.
    pub from: Vec<String>,
    /// What it opens.
    pub opens: Opens,
}

/// What a rule opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opens {
    /// Web hosts, told by their name.
    Hosts {
        /// Names, a star on the far left only.
        names: Vec<String>,
        /// Plain HTTP on 80.
        http: bool,
        /// TLS on 443.
        https: bool,
    },
    /// Sets of hosts that Microsoft keeps, such as `WindowsUpdate`.
    HostTags(Vec<String>),
    /// Addresses and service tags, or names that the firewall resolves.
    Network {
        /// `TCP`, `UDP`, `Any`.
        protocols: Vec<String>,
        /// Ranges, addresses, service tags, `*`.
        to: Vec<String>,
        /// Exact names.
        names: Vec<String>,
        /// Ports.
        ports: Vec<String>,
    },
}

/// A group of collections at `priority` within its policy.
#[must_use]
pub fn body(priority: i32, collections: &[Collection]) -> Value {
    body::of(&FirewallPolicyRuleCollectionGroup {
        properties: Some(FirewallPolicyRuleCollectionGroupProperties {
            priority: Some(priority),
            rule_collections: collections.iter().map(collection).collect(),
            ..FirewallPolicyRuleCollectionGroupProperties::new()
        }),
        ..FirewallPolicyRuleCollectionGroup::new()
    })
}

fn collection(says: &Collection) -> FirewallPolicyRuleCollectionUnion {
    let named = FirewallPolicyRuleCollection { name: Some(says.name.clone()), priority: Some(says.priority) };
    let allow = FirewallPolicyFilterRuleCollectionAction {
        type_: Some(FirewallPolicyFilterRuleCollectionActionType::Allow),
    };
    FirewallPolicyRuleCollectionUnion::FirewallPolicyFilterRuleCollection(FirewallPolicyFilterRuleCollection {
        action: Some(allow),
        rules: says.rules.iter().map(rule).collect(),
        ..FirewallPolicyFilterRuleCollection::new(named)
    })
}

fn rule(says: &Rule) -> FirewallPolicyRuleUnion {
    let named = FirewallPolicyRule {
        name: Some(says.name.clone()),
        description: Some(says.reason.chars().take(DESCRIPTION).collect()),
    };
    let web = |targets: Vec<String>, tags: Vec<String>, protocols| {
        FirewallPolicyRuleUnion::ApplicationRule(ApplicationRule {
            source_addresses: says.from.clone(),
            target_fqdns: targets,
            fqdn_tags: tags,
            protocols,
            terminate_tls: Some(false),
            ..ApplicationRule::new(named.clone())
        })
    };
    match &says.opens {
        Opens::Hosts { names, http, https } => web(names.clone(), Vec::new(), protocols(*http, *https)),
        // Azure wants protocols beside a tag although the tag implies them.
        Opens::HostTags(tags) => web(Vec::new(), tags.clone(), protocols(true, true)),
        Opens::Network { protocols, to, names, ports } => FirewallPolicyRuleUnion::NetworkRule(NetworkRule {
            ip_protocols: protocols.iter().map(|p| transport(p)).collect(),
            source_addresses: says.from.clone(),
            destination_addresses: to.clone(),
            destination_fqdns: names.clone(),
            destination_ports: ports.clone(),
            ..NetworkRule::new(named)
        }),
    }
}

fn protocols(http: bool, https: bool) -> Vec<FirewallPolicyRuleApplicationProtocol> {
    let on = |kind, port| FirewallPolicyRuleApplicationProtocol { protocol_type: Some(kind), port: Some(port) };
    let mut list = Vec::new();
    if https {
        list.push(on(Web::Https, 443));
    }
    if http {
        list.push(on(Web::Http, 80));
    }
    list
}

fn transport(word: &str) -> Transport {
    match word {
        "TCP" => Transport::Tcp,
        "UDP" => Transport::Udp,
        "Any" => Transport::Any,
        other => Transport::UnknownValue(other.to_owned()),
    }
}
