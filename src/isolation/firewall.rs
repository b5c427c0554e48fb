//! Azure Firewall: reads policies and classic rules into lists in Azure's processing order (Azure Firewall rule
//! processing logic): parent policy before child, then group, then collection by priority. Decides nothing.

use serde_json::Value;

use super::fqdn::{self, Pattern};
use super::notes::Notes;
use super::party::Side;
use super::read::{Bodies, Item, flag, key, list, name, text, texts};
use super::span::{Ports, Span};
use crate::model::ResourceId;

/// A network rule.
#[derive(Clone, Debug)]
pub(super) struct NetworkRule {
    /// Where it stands: `group/collection/rule`.
    pub path: String,
    /// Allow rather than deny.
    pub allow: bool,
    /// `tcp`, `udp`, `icmp`, `any`.
    pub protocols: Vec<String>,
    /// Sources.
    pub from: Side,
    /// Destinations by address.
    pub to: Side,
    /// Destinations by name, which the firewall resolves if it is a DNS proxy.
    pub names: Vec<String>,
    /// Ports at the destination.
    pub ports: Ports,
}

/// An application rule.
#[derive(Clone, Debug)]
pub(super) struct WebRule {
    /// Where it stands.
    pub path: String,
    /// Allow rather than deny.
    pub allow: bool,
    /// `http`, `https`, `mssql`, each with its port.
    pub protocols: Vec<(String, u16)>,
    /// Sources.
    pub from: Side,
    /// Hosts.
    pub hosts: Vec<Pattern>,
    /// Sets of hosts that Microsoft keeps.
    pub tags: Vec<String>,
    /// Whether it names web categories, which Microsoft assigns.
    pub categories: bool,
    /// Whether addresses narrow it down.
    pub narrowed: bool,
}

/// A rule that translates the destination.
#[derive(Clone, Debug)]
pub(super) struct NatRule {
    /// Where it stands.
    pub path: String,
    /// `tcp`, `udp`, `any`.
    pub protocols: Vec<String>,
    /// Sources.
    pub from: Side,
    /// The firewall's public address.
    pub to: Side,
    /// Ports there.
    pub ports: Ports,
    /// The machine behind it.
    pub address: Option<Span>,
    /// Its port.
    pub port: Option<u16>,
}

/// One firewall with everything that it obeys.
#[derive(Clone, Debug)]
pub(super) struct Firewall {
    /// Where it lives.
    pub id: ResourceId,
    /// Where rules stand: its policy, or itself.
    pub source: ResourceId,
    /// Key of its subnet.
    pub subnet: Option<String>,
    /// Its address inside: what routes name.
    pub address: Option<Span>,
    /// Keys of its public addresses.
    pub publics: Vec<String>,
    /// In processing order.
    pub nat: Vec<NatRule>,
    /// In processing order.
    pub network: Vec<NetworkRule>,
    /// In processing order.
    pub web: Vec<WebRule>,
    /// Whether it answers DNS for the network.
    pub proxy: bool,
    /// DNS servers it asks; empty is Azure's own.
    pub dns: Vec<String>,
    /// `Off`, `Alert`, `Deny`.
    pub threat: String,
    /// Why its rules are not known: a policy or group that no body tells, or a failed state.
    pub blind: Option<String>,
}

/// Reads every firewall.
pub(super) fn read(bodies: &Bodies, notes: &mut Notes) -> Vec<Firewall> {
    let items = bodies.of("Microsoft.Network/azureFirewalls");
    items.iter().map(|item| firewall(bodies, item, notes)).collect()
}

fn firewall(bodies: &Bodies, item: &Item, notes: &mut Notes) -> Firewall {
    let configurations = item.list("/properties/ipConfigurations");
    let subnet = configurations.iter().find_map(|c| key(c, "/properties/subnet/id"));
    let address = configurations.iter().find_map(|c| Span::parse(text(c, "/properties/privateIPAddress")?));
    let mut one = Firewall {
        id: item.id.clone(),
        source: item.id.clone(),
        subnet,
        address,
        publics: configurations.iter().filter_map(|c| key(c, "/properties/publicIPAddress/id")).collect(),
        nat: Vec::new(),
        network: Vec::new(),
        web: Vec::new(),
        proxy: item.body.pointer("/properties/additionalProperties").is_some_and(classic_proxy),
        dns: Vec::new(),
        threat: item.text("/properties/threatIntelMode").unwrap_or("Alert").to_owned(),
        blind: None,
    };
    if item.text("/properties/provisioningState").is_some_and(|state| state.eq_ignore_ascii_case("Failed")) {
        // Some of its nodes may still run the rules of before.
        one.blind = Some("its last update failed, so old rules may still run".to_owned());
    }
    match item.key("/properties/firewallPolicy/id") {
        Some(policy) => obey(bodies, &mut one, &policy, notes),
        None => classic(bodies, &mut one, item, notes),
    }
    if one.threat.eq_ignore_ascii_case("Deny") {
        notes.add(&one.id, "threatIntelMode", "which destinations threat intelligence denies before every rule");
    }
    if !one.web.is_empty() {
        notes.add(&one.id, "infrastructure", "hosts of the built-in rules for platform images, disks, diagnostics");
    }
    one
}

fn classic_proxy(properties: &Value) -> bool {
    let found = properties.as_object().into_iter().flatten();
    found.filter(|(name, _)| name.eq_ignore_ascii_case("Network.DNS.EnableProxy")).any(|(_, value)| {
        value.as_bool() == Some(true) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    })
}

/// The policy and its parents, the eldest first.
fn obey(bodies: &Bodies, one: &mut Firewall, policy: &str, notes: &mut Notes) {
    const POLICY: &str = "Microsoft.Network/firewallPolicies";
    let mut chain: Vec<&Item> = Vec::new();
    let mut next = Some(policy.to_owned());
    while let Some(at) = next {
        let Some(item) = bodies.find(POLICY, &at) else {
            notes.add(&one.id, "firewallPolicy", &format!("the policy {at}, which is not among the resources"));
            one.blind.get_or_insert_with(|| format!("the policy {at} is not among the resources"));
            break;
        };
        if chain.iter().any(|seen| seen.id == item.id) {
            break;
        }
        chain.push(item);
        next = item.key("/properties/basePolicy/id");
    }
    if let Some(own) = chain.first() {
        one.source = own.id.clone();
        one.proxy = own.flag("/properties/dnsSettings/enableProxy") == Some(true);
        one.dns = texts(own.body, "/properties/dnsSettings/servers").map(ToOwned::to_owned).collect();
    }
    one.threat = strictest(&chain);
    for item in chain.iter().rev() {
        groups(bodies, one, item, notes);
    }
}

/// A child may be stricter than its parent, not laxer.
fn strictest(chain: &[&Item]) -> String {
    let rank = |word: &str| match word.to_ascii_lowercase().as_str() {
        "deny" => 2,
        "off" => 0,
        _ => 1,
    };
    let modes = chain.iter().map(|item| item.text("/properties/threatIntelMode").unwrap_or("Alert"));
    modes.max_by_key(|word| rank(word)).unwrap_or("Alert").to_owned()
}

fn groups(bodies: &Bodies, one: &mut Firewall, policy: &Item, notes: &mut Notes) {
    let children = bodies.of("Microsoft.Network/firewallPolicies/ruleCollectionGroups");
    let mut own: Vec<&Item> = children.iter().filter(|c| c.id.parent().as_ref() == Some(&policy.id)).collect();
    for listed in policy.list("/properties/ruleCollectionGroups") {
        let Some(id) = key(listed, "/id") else { continue };
        if !own.iter().any(|group| group.id.key() == id) {
            notes.add(&policy.id, "ruleCollectionGroups", &format!("the group {id}, which is not among the resources"));
            one.blind.get_or_insert_with(|| format!("the rule collection group {id} is not among the resources"));
        }
    }
    own.sort_by_key(|group| priority(group.body, "/properties/priority"));
    for group in own {
        let mut collections: Vec<&Value> = group.list("/properties/ruleCollections").iter().collect();
        collections.sort_by_key(|collection| priority(collection, "/priority"));
        for collection in collections {
            let place = format!("{}/{}", group.id.name(), name(collection));
            let allow = is_allow(text(collection, "/action/type"));
            let mut reader = Reader { bodies, notes, source: &policy.id, place: &place, allow };
            for rule in list(collection, "/rules") {
                match text(rule, "/ruleType").unwrap_or_default() {
                    kind if kind.eq_ignore_ascii_case("NetworkRule") => {
                        one.network.push(reader.network(rule, "ipProtocols"));
                    }
                    kind if kind.eq_ignore_ascii_case("ApplicationRule") => one.web.push(reader.web(rule)),
                    kind if kind.eq_ignore_ascii_case("NatRule") => one.nat.push(reader.nat(rule, "ipProtocols")),
                    other => reader.notes.add(&policy.id, &place, &format!("a rule of type {other:?}")),
                }
            }
        }
    }
}

fn is_allow(word: Option<&str>) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case("Allow"))
}

fn priority(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or(u64::MAX)
}

/// Rules inside the firewall itself.
fn classic(bodies: &Bodies, one: &mut Firewall, item: &Item, notes: &mut Notes) {
    let sorted = |segment: &str| {
        let mut all: Vec<&Value> = item.list(&format!("/properties/{segment}")).iter().collect();
        all.sort_by_key(|collection| priority(collection, "/properties/priority"));
        all
    };
    let id = item.id.clone();
    for collection in sorted("natRuleCollections") {
        let mut reader = Reader { bodies, notes, source: &id, place: name(collection), allow: true };
        one.nat.extend(list(collection, "/properties/rules").iter().map(|rule| reader.nat(rule, "protocols")));
    }
    for collection in sorted("networkRuleCollections") {
        let allow = is_allow(text(collection, "/properties/action/type"));
        let mut reader = Reader { bodies, notes, source: &id, place: name(collection), allow };
        one.network.extend(list(collection, "/properties/rules").iter().map(|rule| reader.network(rule, "protocols")));
    }
    for collection in sorted("applicationRuleCollections") {
        let allow = is_allow(text(collection, "/properties/action/type"));
        let mut reader = Reader { bodies, notes, source: &id, place: name(collection), allow };
        one.web.extend(list(collection, "/properties/rules").iter().map(|rule| reader.web(rule)));
    }
}

/// Reads the rules of one collection.
struct Reader<'a, 'b> {
    bodies: &'a Bodies<'b>,
    notes: &'a mut Notes,
    source: &'a ResourceId,
    place: &'a str,
    allow: bool,
}

impl Reader<'_, '_> {
    fn path(&self, rule: &Value) -> String {
        format!("{}/{}", self.place, name(rule))
    }

    fn protocols(rule: &Value, list: &str) -> Vec<String> {
        texts(rule, &format!("/{list}")).map(str::to_ascii_lowercase).collect()
    }

    /// Addresses and groups of addresses of one end.
    fn side(&mut self, rule: &Value, addresses: &str, groups: &str) -> Side {
        let mut said: Vec<&str> = texts(rule, &format!("/{addresses}")).collect();
        let mut opaque = false;
        for group in texts(rule, &format!("/{groups}")) {
            let found = self.bodies.find("Microsoft.Network/ipGroups", &ResourceId::new(group).key());
            if let Some(item) = found {
                said.extend(texts(item.body, "/properties/ipAddresses"));
            } else {
                opaque = true;
                self.notes.add(
                    self.source,
                    &self.path(rule),
                    &format!("the IP group {group}, which is not among the resources"),
                );
            }
        }
        Side::new(said, opaque)
    }

    fn network(&mut self, rule: &Value, protocols: &str) -> NetworkRule {
        NetworkRule {
            path: self.path(rule),
            allow: self.allow,
            protocols: Self::protocols(rule, protocols),
            from: self.side(rule, "sourceAddresses", "sourceIpGroups"),
            to: self.side(rule, "destinationAddresses", "destinationIpGroups"),
            names: texts(rule, "/destinationFqdns").map(fqdn::host).collect(),
            ports: Ports::new(texts(rule, "/destinationPorts")),
        }
    }

    fn web(&mut self, rule: &Value) -> WebRule {
        let path = self.path(rule);
        let protocol = |p: &Value| {
            let kind = text(p, "/protocolType")?.to_ascii_lowercase();
            let usual = match kind.as_str() {
                "http" => 80,
                "mssql" => 1433,
                _ => 443,
            };
            let port = p.pointer("/port").and_then(Value::as_u64);
            Some((kind, port.map_or(usual, |port| u16::try_from(port).unwrap_or(usual))))
        };
        let urls = texts(rule, "/targetUrls").map(|url| url.split('/').next().unwrap_or_default());
        let tags: Vec<String> = texts(rule, "/fqdnTags").map(ToOwned::to_owned).collect();
        if !tags.is_empty() {
            self.notes.add(self.source, &path, &format!("which hosts the FQDN tags {} hold", tags.join(", ")));
        }
        let categories = !list(rule, "/webCategories").is_empty();
        if categories {
            self.notes.add(self.source, &path, "which hosts its web categories hold");
        }
        let hosts: Vec<Pattern> = texts(rule, "/targetFqdns").chain(urls).map(Pattern::new).collect();
        if hosts.iter().any(|host| matches!(host, Pattern::Invalid(_))) {
            self.notes.add(self.source, &path, "a host with a star that is not on the far left, which Azure refuses");
        }
        WebRule {
            allow: self.allow,
            protocols: list(rule, "/protocols").iter().filter_map(protocol).collect(),
            from: self.side(rule, "sourceAddresses", "sourceIpGroups"),
            hosts,
            tags,
            categories,
            narrowed: !list(rule, "/destinationAddresses").is_empty() || !list(rule, "/targetUrls").is_empty(),
            path,
        }
    }

    fn nat(&mut self, rule: &Value, protocols: &str) -> NatRule {
        let port = text(rule, "/translatedPort");
        if flag(rule, "/translatedFqdn").is_some() || text(rule, "/translatedFqdn").is_some_and(|name| !name.is_empty())
        {
            self.notes.add(self.source, &self.path(rule), "the address behind its translated host name");
        }
        NatRule {
            path: self.path(rule),
            protocols: Self::protocols(rule, protocols),
            from: self.side(rule, "sourceAddresses", "sourceIpGroups"),
            to: self.side(rule, "destinationAddresses", "destinationIpGroups"),
            ports: Ports::new(texts(rule, "/destinationPorts")),
            address: text(rule, "/translatedAddress").and_then(Span::parse),
            port: port.and_then(|port| port.parse().ok()),
        }
    }
}
