//! Virtual networks, subnets, peerings, network cards, public addresses, gateways: what has an address and what may
//! leave. Reads bodies, decides nothing.

use super::notes::Notes;
use super::read::{Bodies, Item, key, text, texts};
use super::span::Span;
use crate::model::ResourceId;

/// A virtual network.
#[derive(Clone, Debug)]
pub(super) struct Network {
    /// Where it lives.
    pub id: ResourceId,
    /// Its region.
    pub location: Option<String>,
    /// Its ranges.
    pub ranges: Vec<Span>,
    /// DNS servers of its machines; empty is Azure's own.
    pub dns: Vec<String>,
    /// Its peerings.
    pub peerings: Vec<Peering>,
    /// Whether a gateway of its own, or a peer's, links it to other networks.
    pub has_gateway: bool,
}

/// One side of a peering.
#[derive(Clone, Debug)]
pub(super) struct Peering {
    /// Its name.
    pub name: String,
    /// Key of the other network.
    pub remote: String,
    /// The other's ranges.
    pub ranges: Vec<Span>,
    /// Whether traffic flows: both sides exist.
    pub connected: bool,
    /// Whether the other's ranges belong to the tag `VirtualNetwork`.
    pub trusted: bool,
}

/// A subnet.
#[derive(Clone, Debug)]
pub(super) struct Subnet {
    /// Where it lives.
    pub id: ResourceId,
    /// Index of its network.
    pub network: usize,
    /// Its ranges; mostly one.
    pub ranges: Vec<Span>,
    /// Key of its security group.
    pub group: Option<String>,
    /// Key of its route table.
    pub table: Option<String>,
    /// Services with an endpoint here, each with the regions it says; none says nothing.
    pub endpoints: Vec<(String, Vec<String>)>,
    /// Keys of its service endpoint policies.
    pub policies: Vec<String>,
    /// Whether it has a NAT gateway.
    pub has_nat: bool,
    /// What the body says; absent is on below version 2025-07-01.
    pub default_outbound: Option<bool>,
    /// Whether security groups act on its private endpoints.
    pub guards_endpoints: bool,
    /// Whether user routes act on its private endpoints.
    pub routes_endpoints: bool,
}

impl Subnet {
    /// The subnet's name.
    #[must_use]
    pub(super) fn name(&self) -> &str {
        self.id.name()
    }

    /// Its first range, or nothing at all for a subnet without any.
    #[must_use]
    pub(super) fn span(&self) -> Option<Span> {
        self.ranges.first().copied()
    }

    /// Whether the subnet is reserved for an Azure service of that name.
    #[must_use]
    pub(super) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

/// A network card.
#[derive(Clone, Debug)]
pub(super) struct Card {
    /// Where it lives.
    pub id: ResourceId,
    /// Key of its subnet.
    pub subnet: String,
    /// Its addresses, once known.
    pub addresses: Vec<Span>,
    /// Key of its security group.
    pub group: Option<String>,
    /// Keys of its public addresses.
    pub publics: Vec<String>,
    /// Key of the machine it belongs to.
    pub machine: Option<String>,
}

/// A public address.
#[derive(Clone, Debug)]
pub(super) struct PublicAddress {
    /// Where it lives.
    pub id: ResourceId,
    /// The address, once known.
    pub address: Option<Span>,
}

/// Azure Bastion.
#[derive(Clone, Debug)]
pub(super) struct Bastion {
    /// Where it lives.
    pub id: ResourceId,
    /// Key of its subnet.
    pub subnet: Option<String>,
    /// Key of its public address.
    pub public: Option<String>,
}

/// Which accounts a subnet's service endpoint reaches.
#[derive(Clone, Debug)]
pub(super) struct EndpointPolicy {
    /// Where it lives.
    pub id: ResourceId,
    /// Accounts, groups and subscriptions.
    pub resources: Vec<ResourceId>,
    /// Whether an alias lets accounts of an Azure service through.
    pub aliases: Vec<String>,
}

pub(super) fn networks(bodies: &Bodies, notes: &mut Notes) -> Vec<Network> {
    let items = bodies.of("Microsoft.Network/virtualNetworks");
    let mut all: Vec<Network> = items.iter().map(|item| network(bodies, item)).collect();
    let sides: Vec<(String, Vec<Span>, Vec<String>)> = all
        .iter()
        .map(|n| (n.id.key(), n.ranges.clone(), n.peerings.iter().map(|p| p.remote.clone()).collect()))
        .collect();
    for network in &mut all {
        let own = network.id.key();
        for peering in &mut network.peerings {
            match sides.iter().find(|(other, _, _)| *other == peering.remote) {
                Some((_, ranges, back)) => {
                    peering.ranges.clone_from(ranges);
                    peering.connected &= back.contains(&own);
                }
                None => notes.add(&network.id, &format!("virtualNetworkPeerings/{}", peering.name), "the peer's rules"),
            }
        }
    }
    all
}

fn network(bodies: &Bodies, item: &Item) -> Network {
    let spans = |pointer: &str| texts(item.body, pointer).filter_map(Span::parse).collect();
    let peerings = bodies.children(item, "virtualNetworkPeerings");
    let borrows = peerings.iter().any(|p| p.flag("/properties/useRemoteGateways") == Some(true));
    let own = bodies.children(item, "subnets").iter().any(|s| s.id.name().eq_ignore_ascii_case("GatewaySubnet"));
    Network {
        id: item.id.clone(),
        location: item.text("/location").map(ToOwned::to_owned),
        ranges: spans("/properties/addressSpace/addressPrefixes"),
        dns: texts(item.body, "/properties/dhcpOptions/dnsServers").map(ToOwned::to_owned).collect(),
        peerings: peerings.iter().filter_map(peering).collect(),
        has_gateway: borrows || own,
    }
}

fn peering(item: &Item) -> Option<Peering> {
    let places = ["remoteVirtualNetworkAddressSpace", "remoteAddressSpace"];
    let said = |place: &&str| {
        let pointer = format!("/properties/{place}/addressPrefixes");
        let spans: Vec<Span> = texts(item.body, &pointer).filter_map(Span::parse).collect();
        (!spans.is_empty()).then_some(spans)
    };
    let state = item.text("/properties/peeringState");
    Some(Peering {
        name: item.id.name().to_owned(),
        remote: item.key("/properties/remoteVirtualNetwork/id")?,
        ranges: places.iter().find_map(said).unwrap_or_default(),
        connected: state.is_none_or(|state| state.eq_ignore_ascii_case("Connected")),
        trusted: item.flag("/properties/allowVirtualNetworkAccess") != Some(false),
    })
}

pub(super) fn subnets(bodies: &Bodies, networks: &[Network]) -> Vec<Subnet> {
    let items = bodies.of("Microsoft.Network/virtualNetworks");
    let mut all = Vec::new();
    for item in items {
        let network = networks.iter().position(|network| network.id == item.id).unwrap_or_default();
        all.extend(bodies.children(item, "subnets").iter().map(|child| subnet(child, network)));
    }
    all
}

fn subnet(item: &Item, network: usize) -> Subnet {
    let one = item.text("/properties/addressPrefix");
    let many = texts(item.body, "/properties/addressPrefixes");
    let mut ranges: Vec<Span> = one.into_iter().chain(many).filter_map(Span::parse).collect();
    ranges.dedup();
    let services = item.list("/properties/serviceEndpoints").iter();
    let failed = |state: &str| state.eq_ignore_ascii_case("Failed");
    // The service's own default is off (Manage network policies for private endpoints).
    let policies = item.text("/properties/privateEndpointNetworkPolicies").unwrap_or("Disabled").to_ascii_lowercase();
    Subnet {
        id: item.id.clone(),
        network,
        ranges,
        group: item.key("/properties/networkSecurityGroup/id"),
        table: item.key("/properties/routeTable/id"),
        endpoints: services
            .filter(|service| !text(service, "/provisioningState").is_some_and(failed))
            .filter_map(|service| {
                let regions = texts(service, "/locations").map(ToOwned::to_owned).collect();
                Some((text(service, "/service")?.to_owned(), regions))
            })
            .collect(),
        policies: item.list("/properties/serviceEndpointPolicies").iter().filter_map(|p| key(p, "/id")).collect(),
        has_nat: item.text("/properties/natGateway/id").is_some(),
        default_outbound: item.flag("/properties/defaultOutboundAccess"),
        guards_endpoints: matches!(policies.as_str(), "enabled" | "networksecuritygroupenabled"),
        routes_endpoints: matches!(policies.as_str(), "enabled" | "routetableenabled"),
    }
}

pub(super) fn cards(bodies: &Bodies) -> Vec<Card> {
    let card = |item: &Item| {
        let configurations = item.list("/properties/ipConfigurations");
        let subnet = configurations.iter().find_map(|c| key(c, "/properties/subnet/id"))?;
        let address = |c| Span::parse(text(c, "/properties/privateIPAddress")?);
        Some(Card {
            id: item.id.clone(),
            subnet,
            addresses: configurations.iter().filter_map(address).collect(),
            group: item.key("/properties/networkSecurityGroup/id"),
            publics: configurations.iter().filter_map(|c| key(c, "/properties/publicIPAddress/id")).collect(),
            machine: item.key("/properties/virtualMachine/id").or_else(|| machine_of(bodies, &item.id)),
        })
    };
    bodies.of("Microsoft.Network/networkInterfaces").iter().filter_map(card).collect()
}

fn machine_of(bodies: &Bodies, card: &ResourceId) -> Option<String> {
    let has = |item: &&Item| {
        let cards = item.list("/properties/networkProfile/networkInterfaces");
        cards.iter().any(|one| key(one, "/id") == Some(card.key()))
    };
    bodies.of("Microsoft.Compute/virtualMachines").iter().find(has).map(|item| item.id.key())
}

pub(super) fn publics(bodies: &Bodies) -> Vec<PublicAddress> {
    let read = |item: &Item| PublicAddress {
        id: item.id.clone(),
        address: item.text("/properties/ipAddress").and_then(Span::parse),
    };
    bodies.of("Microsoft.Network/publicIPAddresses").iter().map(read).collect()
}

pub(super) fn bastions(bodies: &Bodies) -> Vec<Bastion> {
    let read = |item: &Item| {
        let first = item.list("/properties/ipConfigurations").first();
        Bastion {
            id: item.id.clone(),
            subnet: first.and_then(|c| key(c, "/properties/subnet/id")),
            public: first.and_then(|c| key(c, "/properties/publicIPAddress/id")),
        }
    };
    bodies.of("Microsoft.Network/bastionHosts").iter().map(read).collect()
}

pub(super) fn endpoint_policies(bodies: &Bodies) -> Vec<EndpointPolicy> {
    let read = |item: &Item| {
        let definitions = bodies.children(item, "serviceEndpointPolicyDefinitions");
        let said: Vec<&str> = definitions
            .iter()
            .flat_map(|d| texts(d.body, "/properties/serviceResources").collect::<Vec<_>>())
            .collect();
        let is_id = |text: &&&str| text.to_ascii_lowercase().starts_with("/subscriptions/");
        EndpointPolicy {
            id: item.id.clone(),
            resources: said.iter().filter(is_id).map(|text| ResourceId::new(*text)).collect(),
            aliases: said.iter().filter(|text| !is_id(text)).map(|text| (*text).to_owned()).collect(),
        }
    };
    bodies.of("Microsoft.Network/serviceEndpointPolicies").iter().map(read).collect()
}

/// Ranges behind gateways, as local network gateways tell them. What BGP brings is not in any body.
pub(super) fn on_premises(bodies: &Bodies, networks: &[Network], notes: &mut Notes) -> Vec<Span> {
    for network in networks.iter().filter(|network| network.has_gateway) {
        notes.add(&network.id, "GatewaySubnet", "routes that a gateway learns by BGP");
    }
    let gateways = bodies.of("Microsoft.Network/localNetworkGateways").iter();
    gateways
        .flat_map(|item| texts(item.body, "/properties/localNetworkAddressSpace/addressPrefixes").collect::<Vec<_>>())
        .filter_map(Span::parse)
        .collect()
}

/// Notes types that may open or close something and are not in the model.
pub(super) fn strangers(bodies: &Bodies, notes: &mut Notes) {
    const UNKNOWN: &[(&str, &str)] = &[
        ("microsoft.network/loadbalancers", "load balancer"),
        ("microsoft.network/applicationgateways", "application gateway"),
        ("microsoft.network/virtualhubs", "virtual hub"),
        ("microsoft.network/dnsresolvers", "DNS resolver"),
        ("microsoft.network/networkmanagers", "security admin rules"),
        ("microsoft.network/networksecurityperimeters", "network security perimeter"),
        ("microsoft.network/privatelinkservices", "private link service"),
        ("microsoft.network/expressroutecircuits", "ExpressRoute circuit"),
        ("microsoft.compute/virtualmachinescalesets", "scale set"),
        ("microsoft.web/sites", "web app"),
        ("microsoft.containerinstance/containergroups", "container group"),
    ];
    for (arm_type, items) in bodies.types() {
        let Some((_, what)) = UNKNOWN.iter().find(|(name, _)| *name == arm_type) else { continue };
        for item in items {
            notes.add(&item.id, "properties", &format!("the {what} {}", item.id.name()));
        }
    }
}
