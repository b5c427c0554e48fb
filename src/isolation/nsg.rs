//! Network security groups: rules by priority, Azure's six at the end, the first match decides (network security
//! groups overview). Stateful: only the first packet of a flow is judged, answers pass.

use serde_json::Value;

use super::choice::{Choice, first};
use super::notes::Notes;
use super::party::{Party, Scope, Side};
use super::read::{Bodies, Item, list, name, text, texts};
use super::span::{Ports, Tri};
use crate::model::ResourceId;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, which has no ports.
    Icmp,
}

impl Transport {
    /// The word of rules.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

/// The first packet of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// Whose.
    pub from: &'a Party,
    /// To whom.
    pub to: &'a Party,
    /// At the destination.
    pub port: Option<u16>,
    /// How.
    pub transport: Transport,
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct SecurityRule {
    /// Its name.
    pub name: String,
    /// Lower goes first.
    pub priority: u64,
    /// Into the subnet rather than out of it.
    pub inbound: bool,
    /// Allow rather than deny.
    pub allow: bool,
    /// `tcp`, …, `*`.
    pub protocol: String,
    /// Sources.
    pub from: Side,
    /// Destinations.
    pub to: Side,
    /// Ports at the source.
    pub source_ports: Ports,
    /// Ports at the destination.
    pub ports: Ports,
}

impl SecurityRule {
    fn matches(&self, packet: &Packet, scope: &Scope) -> Tri {
        let icmp = packet.transport == Transport::Icmp;
        let protocol = Tri::of(self.protocol == "*" || self.protocol == packet.transport.word());
        let has = |ports: &Ports, port| if icmp { Tri::Yes } else { ports.has(port) };
        // The source's port is chosen by its system: only "all" certainly has it.
        let ports = has(&self.source_ports, None).and(has(&self.ports, packet.port));
        let ends = || self.from.has(packet.from, scope).and(self.to.has(packet.to, scope));
        let plain = protocol.and(ports);
        if plain == Tri::No { Tri::No } else { plain.and(ends()) }
    }
}

/// One group.
#[derive(Clone, Debug)]
pub(super) struct SecurityGroup {
    /// Where it lives.
    pub id: ResourceId,
    /// By priority; both directions; Azure's own last.
    pub rules: Vec<SecurityRule>,
}

impl SecurityGroup {
    /// What the group says of a packet.
    pub(super) fn decide(&self, inbound: bool, packet: &Packet, scope: &Scope) -> Choice<'_, SecurityRule> {
        let rules = self.rules.iter().filter(|rule| rule.inbound == inbound);
        first(rules, |rule| rule.matches(packet, scope), |rule| rule.allow)
    }

    /// What the group says of a packet to Azure's own addresses of the host, which only rules with a tag of their
    /// own reach (network security groups overview, platform considerations).
    pub(super) fn decide_platform(&self, packet: &Packet, scope: &Scope) -> Choice<'_, SecurityRule> {
        let named = |rule: &&SecurityRule| {
            !rule.inbound && rule.to.tags().iter().any(|tag| tag.is("AzurePlatformDNS") || tag.is("AzurePlatformIMDS"))
        };
        first(self.rules.iter().filter(named), |rule| rule.matches(packet, scope), |rule| rule.allow)
    }
}

/// Reads every group.
pub(super) fn read(bodies: &Bodies, notes: &mut Notes) -> Vec<SecurityGroup> {
    let groups = bodies.of("Microsoft.Network/networkSecurityGroups");
    groups.iter().map(|item| group(bodies, item, notes)).collect()
}

fn group(bodies: &Bodies, item: &Item, notes: &mut Notes) -> SecurityGroup {
    let children = bodies.children(item, "securityRules");
    let mut rules: Vec<SecurityRule> = children.iter().map(|child| rule(&item.id, child.body, notes)).collect();
    rules.extend(defaults());
    rules.sort_by_key(|rule| rule.priority);
    SecurityGroup { id: item.id.clone(), rules }
}

fn rule(group: &ResourceId, body: &Value, notes: &mut Notes) -> SecurityRule {
    let word = |pointer: &str| text(body, pointer).unwrap_or_default().to_ascii_lowercase();
    let grouped = |pointer: &str| !list(body, pointer).is_empty();
    let froms = grouped("/properties/sourceApplicationSecurityGroups");
    let tos = grouped("/properties/destinationApplicationSecurityGroups");
    if froms || tos {
        notes.add(group, &format!("securityRules/{}", name(body)), "its application security groups");
    }
    let ports = |one: &str, many: &str| Ports::new(text(body, one).into_iter().chain(texts(body, many)));
    let side = |end: &str, opaque| {
        let (one, many) = (format!("/properties/{end}AddressPrefix"), format!("/properties/{end}AddressPrefixes"));
        Side::of(body, &one, &many, opaque)
    };
    SecurityRule {
        name: name(body).to_owned(),
        priority: body.pointer("/properties/priority").and_then(Value::as_u64).unwrap_or(u64::MAX),
        inbound: word("/properties/direction") == "inbound",
        allow: word("/properties/access") == "allow",
        protocol: word("/properties/protocol"),
        from: side("source", froms),
        to: side("destination", tos),
        source_ports: ports("/properties/sourcePortRange", "/properties/sourcePortRanges"),
        ports: ports("/properties/destinationPortRange", "/properties/destinationPortRanges"),
    }
}

/// The six that every group has.
fn defaults() -> [SecurityRule; 6] {
    let rule = |name: &str, priority, inbound, allow, from: &str, to: &str| SecurityRule {
        name: name.to_owned(),
        priority,
        inbound,
        allow,
        protocol: "*".to_owned(),
        from: Side::new([from], false),
        to: Side::new([to], false),
        source_ports: Ports::new(["*"]),
        ports: Ports::new(["*"]),
    };
    let (network, all) = ("VirtualNetwork", "*");
    [
        rule("AllowVnetInBound", 65000, true, true, network, network),
        rule("AllowAzureLoadBalancerInBound", 65001, true, true, "AzureLoadBalancer", all),
        rule("DenyAllInBound", 65500, true, false, all, all),
        rule("AllowVnetOutBound", 65000, false, true, network, network),
        rule("AllowInternetOutBound", 65001, false, true, all, "Internet"),
        rule("DenyAllOutBound", 65500, false, false, all, all),
    ]
}

#[cfg(test)]
mod tests;
