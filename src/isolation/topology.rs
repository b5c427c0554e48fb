//! The model as places, members and ways between them: what a picture shows. Verdicts are the model's own; nothing is
//! laid out here.

use super::asked::Asked;
use super::choice::Verdict;
use super::endpoint::{Approval, Endpoint};
use super::firewall::Firewall;
use super::flow::Flow;
use super::invariants::RUN_BY_AZURE;
use super::model::Model;
use super::network::Subnet;
use super::party::Party;
use super::route::{self, NextHop};
use super::service::{Access, Kind, Service};
use super::span::Span;

/// An environment as a picture shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Whatever is outside: the Internet, its people, other networks.
    pub outside: Vec<Member>,
    /// Virtual networks.
    pub networks: Vec<NetworkZone>,
    /// Azure services.
    pub services: Vec<Member>,
    /// Who reaches whom, or does not.
    pub ways: Vec<Way>,
}

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkZone {
    /// For ways.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Ranges, peers.
    pub lines: Vec<String>,
    /// Its subnets.
    pub subnets: Vec<SubnetZone>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetZone {
    /// For ways.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Range, rules, route, openings.
    pub lines: Vec<String>,
    /// Whether an Azure service runs it by itself: firewall, Bastion, gateway.
    pub is_door: bool,
    /// What stands in it.
    pub members: Vec<Member>,
    /// Its private endpoints.
    pub endpoints: Vec<Member>,
}

/// One box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// For ways.
    pub key: String,
    /// What it is.
    pub kind: MemberKind,
    /// Its name.
    pub name: String,
    /// What is to be said of it.
    pub lines: Vec<String>,
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// Everybody.
    Internet,
    /// Those who come in by Bastion.
    People,
    /// A network beyond the resources.
    OtherNetwork,
    /// Azure Firewall.
    Firewall,
    /// Azure Bastion.
    Bastion,
    /// A machine, or what has a network card.
    Machine,
    /// Computes of Azure ML.
    Computes,
    /// A way out that passes the firewall by.
    Leak,
    /// A private endpoint.
    Endpoint,
    /// A service without a public side.
    Closed,
    /// A service that some outside reach, as asked for.
    Limited,
    /// A service that anybody reaches.
    Open,
}

/// What a way is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayKind {
    /// Into the network.
    In,
    /// Out of it.
    Out,
    /// Over a private endpoint.
    Private,
    /// Between networks.
    Joined,
    /// It is tried and refused.
    Closed,
    /// Open to everybody.
    Open,
}

/// One way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Key of its start.
    pub from: String,
    /// Key of its end.
    pub to: String,
    /// What it is for.
    pub kind: WayKind,
    /// A word or two.
    pub label: String,
}

const INTERNET: &str = "internet";
const PEOPLE: &str = "people";

impl Topology {
    /// Draws it. `asked` tells which openings were asked for.
    #[must_use]
    pub fn of(model: &Model, asked: &Asked) -> Self {
        let mut all =
            Self { outside: vec![member(INTERNET, MemberKind::Internet, "Internet", &[])], ..Self::default() };
        for network in 0..model.networks.len() {
            all.networks.push(zone(model, network));
        }
        all.doors(model);
        all.peers(model);
        all.services(model, asked);
        for (at, subnet) in model.subnets.iter().enumerate().filter(|(_, subnet)| !is_door(subnet)) {
            all.ways.extend(way_out(model, at, subnet));
        }
        all.align();
        all
    }

    /// Endpoints in the order of their services, so that ways do not cross.
    fn align(&mut self) {
        let target = |key: &str| {
            let way = self.ways.iter().find(|way| way.from == key)?;
            self.services.iter().position(|service| service.key == way.to)
        };
        for subnet in self.networks.iter_mut().flat_map(|network| &mut network.subnets) {
            subnet.endpoints.sort_by_key(|endpoint| target(&endpoint.key).unwrap_or(usize::MAX));
        }
    }

    fn way(&mut self, from: &str, to: &str, kind: WayKind, label: impl Into<String>) {
        self.ways.push(Way { from: from.to_owned(), to: to.to_owned(), kind, label: label.into() });
    }

    /// Firewalls to the Internet, people to Bastion, Bastion to machines.
    fn doors(&mut self, model: &Model) {
        for firewall in &model.firewalls {
            self.way(&firewall.id.key(), INTERNET, WayKind::Out, "allowlist only");
        }
        for bastion in &model.bastions {
            if !self.outside.iter().any(|one| one.key == PEOPLE) {
                self.outside.push(member(PEOPLE, MemberKind::People, "People", &["a browser and", "an Azure sign-in"]));
            }
            let verdict = ask(model, INTERNET, "bastion", 443, "https");
            self.way(PEOPLE, &bastion.id.key(), kind_of(verdict, WayKind::In), "443");
            for card in &model.cards {
                let Some(machine) = &card.machine else { continue };
                let open = |port: u16| ask(model, "bastion", machine, port, "tcp") == Verdict::Allow;
                let ports: Vec<String> = [22, 3389].into_iter().filter(|p| open(*p)).map(|p| p.to_string()).collect();
                if !ports.is_empty() {
                    self.way(&bastion.id.key(), &card.id.key(), WayKind::In, ports.join(", "));
                }
            }
        }
    }

    /// Networks that are joined and not among the resources.
    fn peers(&mut self, model: &Model) {
        for network in &model.networks {
            let known = |remote: &str| model.networks.iter().any(|one| one.id.key() == remote);
            for peering in network.peerings.iter().filter(|peering| !known(&peering.remote)) {
                let name = peering.remote.rsplit('/').next().unwrap_or_default();
                let ranges: Vec<String> = peering.ranges.iter().map(ToString::to_string).collect();
                let lines = [vec!["a peered network".to_owned()], ranges].concat();
                let key = peering.remote.clone();
                self.outside.push(Member { key, kind: MemberKind::OtherNetwork, name: name.to_owned(), lines });
                let kind = if peering.connected { WayKind::Joined } else { WayKind::Closed };
                self.way(&peering.remote, &network.id.key(), kind, "peering");
            }
            if network.has_gateway {
                let ranges: Vec<String> = model.on_premises.iter().map(ToString::to_string).collect();
                let key = format!("{}/behind", network.id.key());
                let lines = if ranges.is_empty() { vec!["ranges unknown".to_owned()] } else { ranges };
                let name = "Behind the gateway".to_owned();
                self.outside.push(Member { key: key.clone(), kind: MemberKind::OtherNetwork, name, lines });
                self.way(&key, &network.id.key(), WayKind::Joined, "gateway");
            }
        }
    }

    fn services(&mut self, model: &Model, asked: &Asked) {
        for service in &model.services {
            let (kind, says) = side(service, asked);
            let name = service.id.name().to_owned();
            let lines = vec![word(service.kind).to_owned(), says];
            self.services.push(Member { key: service.id.key(), kind, name, lines });
            let way = if kind == MemberKind::Closed { WayKind::Closed } else { WayKind::Open };
            self.way(INTERNET, &service.id.key(), way, if way == WayKind::Closed { "closed" } else { "open" });
        }
        for endpoint in &model.endpoints {
            let target = endpoint.target.key();
            let served: Vec<String> = model
                .services
                .iter()
                .filter(|service| service.id == endpoint.target || service.scopes.contains(&endpoint.target))
                .map(|service| service.id.key())
                .collect();
            if !self.services.iter().any(|one| one.key == target) {
                let what = if endpoint.target.arm_type().eq_ignore_ascii_case("Microsoft.Insights/privateLinkScopes") {
                    "monitor scope of what follows".to_owned()
                } else {
                    endpoint.target.arm_type()
                };
                let name = endpoint.target.name().to_owned();
                let one = Member { key: target.clone(), kind: MemberKind::Closed, name, lines: vec![what] };
                let at = self.services.iter().position(|service| served.contains(&service.key));
                self.services.insert(at.unwrap_or(self.services.len()), one);
            }
            let (kind, label) = match endpoint.approval {
                Approval::Approved => (WayKind::Private, endpoint.groups.join(", ")),
                Approval::Pending => (WayKind::Closed, "not approved yet".to_owned()),
                Approval::Refused => (WayKind::Closed, "refused".to_owned()),
            };
            self.way(&endpoint.id.key(), &target, kind, label);
        }
    }
}

fn member(key: &str, kind: MemberKind, name: &str, lines: &[&str]) -> Member {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Member { key: key.to_owned(), kind, name: name.to_owned(), lines }
}

fn is_door(subnet: &Subnet) -> bool {
    RUN_BY_AZURE.iter().any(|name| subnet.is(name))
}

fn zone(model: &Model, at: usize) -> NetworkZone {
    let network = &model.networks[at];
    let mut lines = vec![network.ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")];
    for peering in &network.peerings {
        if let Some(other) = model.networks.iter().find(|one| one.id.key() == peering.remote) {
            lines.push(format!("peered with {}", other.id.name()));
        }
    }
    let subnets = model.subnets.iter().enumerate().filter(|(_, subnet)| subnet.network == at);
    let mut subnets: Vec<SubnetZone> = subnets.map(|(at, subnet)| subnet_zone(model, at, subnet)).collect();
    // The firewall first, then Bastion; the busiest of the others first.
    let rank = |subnet: &SubnetZone| {
        let door = RUN_BY_AZURE.iter().position(|name| subnet.name.eq_ignore_ascii_case(name));
        (door.unwrap_or(RUN_BY_AZURE.len()), usize::MAX - subnet.members.len() - subnet.endpoints.len())
    };
    subnets.sort_by_key(rank);
    NetworkZone { key: network.id.key(), name: network.id.name().to_owned(), lines, subnets }
}

fn subnet_zone(model: &Model, at: usize, subnet: &Subnet) -> SubnetZone {
    let key = subnet.id.key();
    let name_of = |key: &String| key.rsplit('/').next().unwrap_or_default().to_owned();
    let mut lines = vec![subnet.ranges.iter().map(Span::to_string).collect::<Vec<_>>().join(", ")];
    let said: Vec<String> = subnet.group.iter().chain(&subnet.table).map(name_of).collect();
    if !said.is_empty() {
        lines.push(said.join(", "));
    }
    for (service, _) in &subnet.endpoints {
        let by = if subnet.policies.is_empty() { "to every tenant" } else { "by policy" };
        lines.push(format!("{service} {by}"));
    }
    let here = |other: &Option<String>| other.as_ref() == Some(&key);
    let firewalls = model.firewalls.iter().filter(|one| here(&one.subnet)).map(firewall);
    let bastions = model.bastions.iter().filter(|one| here(&one.subnet));
    let bastions = bastions
        .map(|one| member(&one.id.key(), MemberKind::Bastion, one.id.name(), &["Bastion", "remote desktop over TLS"]));
    let mut members: Vec<Member> = firewalls.chain(bastions).collect();
    let endpoints: Vec<Member> = model.endpoints.iter().filter(|one| one.subnet == key).map(endpoint).collect();
    if !is_door(subnet) {
        members.extend(leaks(model, at, subnet));
        let users = !endpoints.is_empty() && model.services.iter().any(|one| one.kind == Kind::Workspace);
        if users {
            let lines = ["clusters and instances,", "made in the studio"];
            members.push(member(&format!("{key}/computes"), MemberKind::Computes, "ML computes", &lines));
        }
    }
    members.extend(machines(model, &key));
    SubnetZone { key, name: subnet.name().to_owned(), lines, is_door: is_door(subnet), members, endpoints }
}

/// Machines and other cards, but not the cards of private endpoints.
fn machines<'m>(model: &'m Model, subnet: &'m str) -> impl Iterator<Item = Member> + 'm {
    let of_endpoint = |card: &super::network::Card| {
        model.endpoints.iter().any(|one| one.addresses.iter().any(|address| card.addresses.contains(address)))
    };
    let cards = model.cards.iter().filter(move |card| card.subnet == subnet && !of_endpoint(card));
    cards.map(|card| {
        let public = if card.publics.is_empty() { "no public address" } else { "A PUBLIC ADDRESS" };
        let name = card.machine.as_deref().unwrap_or(card.id.name()).rsplit('/').next().unwrap_or_default();
        let what = if card.machine.is_some() { "virtual machine" } else { "network card" };
        member(&card.id.key(), MemberKind::Machine, name, &[what, public])
    })
}

fn firewall(one: &Firewall) -> Member {
    let hosts: usize = one.web.iter().filter(|rule| rule.allow).map(|rule| rule.hosts.len() + rule.tags.len()).sum();
    let rules = one.network.iter().filter(|rule| rule.allow).count();
    let mut lines = vec!["Firewall".to_owned()];
    match &one.blind {
        Some(_) => lines.push("rules not known".to_owned()),
        None => lines.extend([format!("{hosts} hosts allowed"), format!("{rules} network rules")]),
    }
    if !one.nat.is_empty() {
        lines.push(format!("{} RULES LEAD IN", one.nat.len()));
    }
    lines.push("all else is refused".to_owned());
    Member { key: one.id.key(), kind: MemberKind::Firewall, name: one.id.name().to_owned(), lines }
}

fn endpoint(one: &Endpoint) -> Member {
    let name = if one.groups.is_empty() { one.id.name().to_owned() } else { one.groups.join(", ") };
    Member { key: one.id.key(), kind: MemberKind::Endpoint, name, lines: vec![one.id.name().to_owned()] }
}

/// The next hop for what goes to the Internet, if it is a firewall of the model.
fn way_out(model: &Model, at: usize, subnet: &Subnet) -> Vec<Way> {
    let mut ways = Vec::new();
    for route in route::choose(&model.routes[at], &Party::Internet) {
        let NextHop::Appliance(Some(address)) = route.hop else { continue };
        let Some(firewall) = model.firewalls.iter().find(|one| one.address == Some(address)) else { continue };
        let label = route.prefix.to_string();
        ways.push(Way { from: subnet.id.key(), to: firewall.id.key(), kind: WayKind::Out, label });
    }
    ways
}

/// Ways out that pass the firewall by.
fn leaks(model: &Model, at: usize, subnet: &Subnet) -> Vec<Member> {
    let mut all = Vec::new();
    let mut leak = |name: &str, line: &str| {
        let key = format!("{}/leak{}", subnet.id.key(), all.len());
        all.push(member(&key, MemberKind::Leak, name, &[line]));
    };
    let direct = route::choose(&model.routes[at], &Party::Internet).iter().any(|r| r.hop == NextHop::Internet);
    if direct && subnet.default_outbound != Some(false) {
        leak("Way out past the firewall", "implicit outbound access");
    }
    if subnet.has_nat {
        leak("Way out past the firewall", "a NAT gateway");
    }
    all
}

fn side(service: &Service, asked: &Asked) -> (MemberKind, String) {
    let plan = asked.plan.as_ref().and_then(|plan| plan.services.iter().find(|one| one.id == service.id));
    let as_asked = plan.is_some_and(|plan| plan.access == service.access);
    match &service.access {
        Access::Closed(_) => (MemberKind::Closed, "closed to the Internet".to_owned()),
        Access::Open(why) if as_asked && matches!(service.kind, Kind::Logs | Kind::Insights) => {
            let what = if why.contains("Query") && why.contains("Ingestion") {
                "takes and shows logs from outside"
            } else if why.contains("Query") {
                "shows logs to outside, by role"
            } else {
                "takes telemetry from outside"
            };
            (MemberKind::Limited, what.to_owned())
        }
        Access::Open(_) => (MemberKind::Open, "OPEN to the Internet".to_owned()),
        Access::Limited { .. } => (MemberKind::Open, "OPEN to some outside".to_owned()),
        Access::Unknown(_) => (MemberKind::Open, "public side not known".to_owned()),
    }
}

fn ask(model: &Model, from: &str, to: &str, port: u16, protocol: &str) -> Verdict {
    Flow::new(from, to, Some(port), Some(protocol)).map_or(Verdict::Unknown, |flow| model.flow(&flow).verdict)
}

const fn kind_of(verdict: Verdict, open: WayKind) -> WayKind {
    match verdict {
        Verdict::Deny => WayKind::Closed,
        Verdict::Allow | Verdict::Unknown => open,
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Storage => "storage account",
        Kind::Vault => "key vault",
        Kind::Registry => "container registry",
        Kind::Workspace => "Azure ML workspace",
        Kind::Logs => "log workspace",
        Kind::Insights => "Application Insights",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NET: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network";

    fn of(bodies: &[Value]) -> Topology {
        Topology::of(&Model::of_bodies(bodies), &Asked::nothing("westeurope"))
    }

    fn network(subnets: &Value, peerings: &Value) -> Value {
        json!({"id": format!("{NET}/virtualNetworks/v"), "location": "westeurope", "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets,
            "virtualNetworkPeerings": peerings}})
    }

    fn subnet(name: &str, range: &str, extra: &Value) -> Value {
        let mut properties = json!({"addressPrefix": range});
        properties.as_object_mut().unwrap().extend(extra.as_object().cloned().unwrap());
        json!({"id": format!("{NET}/virtualNetworks/v/subnets/{name}"), "name": name, "properties": properties})
    }

    #[test]
    fn a_way_past_the_firewall_stands_in_its_subnet() {
        let subnets = json!([
            subnet("open", "10.0.1.0/24", &json!({})),
            subnet("nat", "10.0.2.0/24", &json!({"natGateway": {"id": "/x"}, "defaultOutboundAccess": false})),
            subnet("closed", "10.0.3.0/24", &json!({"defaultOutboundAccess": false})),
        ]);
        let topology = of(&[network(&subnets, &json!([]))]);
        let leaks = |name: &str| {
            let subnet = topology.networks[0].subnets.iter().find(|subnet| subnet.name == name).unwrap();
            subnet.members.iter().filter(|one| one.kind == MemberKind::Leak).count()
        };
        assert_eq!((leaks("open"), leaks("nat"), leaks("closed")), (1, 1, 0));
    }

    #[test]
    fn another_network_and_an_open_service_are_seen() {
        let peering = json!([{"id": format!("{NET}/virtualNetworks/v/virtualNetworkPeerings/p"), "name": "p", "properties": {
            "peeringState": "Connected", "remoteVirtualNetwork": {"id": format!("{NET}/virtualNetworks/hub")},
            "remoteAddressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}}]);
        let account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
        let topology = of(&[network(&json!([]), &peering), json!({"id": account, "properties": {}})]);
        let hub = topology.outside.iter().find(|one| one.name == "hub").unwrap();
        assert_eq!((hub.kind, hub.lines.last().unwrap().as_str()), (MemberKind::OtherNetwork, "10.9.0.0/16"));
        assert!(topology.ways.iter().any(|way| way.from == hub.key && way.kind == WayKind::Joined));
        assert_eq!(topology.services[0].kind, MemberKind::Open);
        let to = account.to_ascii_lowercase();
        assert!(topology.ways.iter().any(|way| way.from == "internet" && way.to == to && way.kind == WayKind::Open));
    }
}
