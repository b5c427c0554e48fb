//! Routes of a subnet: Azure's own, the user's, those of service endpoints; the longest prefix wins, and among equal
//! ones user before BGP before system (Virtual network traffic routing).

use super::network::{Network, Subnet};
use super::party::Party;
use super::read::{Bodies, Item, text};
use super::span::{Ranges, Span, Tri};
use super::tag::{self, Tag};
use crate::model::ResourceId;

/// Where a packet goes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NextHop {
    /// Inside the network.
    Local,
    /// Over the peering with the network of this key.
    Peering(String),
    /// Straight out.
    Internet,
    /// To the appliance at this address.
    Appliance(Option<Span>),
    /// To a gateway, and so to other networks.
    Gateway,
    /// Nowhere.
    Nowhere,
    /// Straight to an Azure service, over its service endpoint.
    ServiceEndpoint,
    /// Something this model does not know.
    Other(String),
}

impl std::fmt::Display for NextHop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.write_str("the virtual network"),
            Self::Peering(remote) => write!(f, "the peered network {}", remote.rsplit('/').next().unwrap_or_default()),
            Self::Internet => f.write_str("the Internet"),
            Self::Appliance(Some(address)) => write!(f, "the appliance {address}"),
            Self::Appliance(None) => f.write_str("an appliance without address"),
            Self::Gateway => f.write_str("the virtual network gateway"),
            Self::Nowhere => f.write_str("nowhere: the packet is dropped"),
            Self::ServiceEndpoint => f.write_str("the service, over its endpoint"),
            Self::Other(word) => write!(f, "{word}"),
        }
    }
}

/// Who made a route; the order is the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A route table.
    User,
    /// A gateway.
    Bgp,
    /// Azure.
    System,
}

/// What a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Addresses.
    Span(Span),
    /// The addresses of a service.
    Tag(Tag),
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Span(span) => span.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
        }
    }
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Its name, or what it is.
    pub name: String,
    /// For whom.
    pub prefix: Prefix,
    /// Where to.
    pub hop: NextHop,
    /// Whose.
    pub origin: Origin,
    /// A service endpoint that reaches one region and its pair only.
    pub near: bool,
}

/// A route table.
#[derive(Clone, Debug)]
pub(super) struct RouteTable {
    /// Where it lives.
    pub id: ResourceId,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Whether routes of gateways reach the subnet.
    pub propagates: bool,
}

/// Reads every table.
pub(super) fn read(bodies: &Bodies) -> Vec<RouteTable> {
    let table = |item: &Item| RouteTable {
        id: item.id.clone(),
        routes: bodies.children(item, "routes").iter().filter_map(user).collect(),
        propagates: item.flag("/properties/disableBgpRoutePropagation") != Some(true),
    };
    bodies.of("Microsoft.Network/routeTables").iter().map(table).collect()
}

fn user(item: &Item) -> Option<Route> {
    let prefix = item.text("/properties/addressPrefix")?;
    if prefix.contains(':') {
        return None;
    }
    let hop = item.text("/properties/nextHopType").unwrap_or_default();
    let hop = match hop.to_ascii_lowercase().as_str() {
        "vnetlocal" | "virtualnetwork" => NextHop::Local,
        "internet" => NextHop::Internet,
        "virtualappliance" => NextHop::Appliance(text(item.body, "/properties/nextHopIpAddress").and_then(Span::parse)),
        "virtualnetworkgateway" => NextHop::Gateway,
        "none" => NextHop::Nowhere,
        _ => NextHop::Other(hop.to_owned()),
    };
    let prefix = Span::parse(prefix).map_or_else(|| Prefix::Tag(Tag::new(prefix)), Prefix::Span);
    Some(Route { name: item.id.name().to_owned(), prefix, hop, origin: Origin::User, near: false })
}

/// Every route of one subnet, in the order in which they are tried.
pub(super) fn effective(
    network: &Network,
    subnet: &Subnet,
    table: Option<&RouteTable>,
    gateway: &[Span],
) -> Vec<Route> {
    let system = |name: &str, span, hop| Route {
        name: name.to_owned(),
        prefix: Prefix::Span(span),
        hop,
        origin: Origin::System,
        near: false,
    };
    let mut routes: Vec<Route> = table.map(|table| table.routes.clone()).unwrap_or_default();
    routes.extend(network.ranges.iter().map(|span| system("virtual network", *span, NextHop::Local)));
    for peering in network.peerings.iter().filter(|peering| peering.connected) {
        let hop = || NextHop::Peering(peering.remote.clone());
        routes.extend(peering.ranges.iter().map(|span| system("virtual network peering", *span, hop())));
    }
    for text in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"] {
        // A network that holds the whole reserved range has a route for its own instead.
        let taken = |span: Span| network.ranges.iter().any(|range| range.contains(span));
        routes.extend(Span::parse(text).filter(|s| !taken(*s)).map(|s| system("reserved", s, NextHop::Nowhere)));
    }
    routes.push(system("default", Span::ALL, NextHop::Internet));
    if network.has_gateway && table.is_none_or(|table| table.propagates) {
        // Azure prefers its own routes for network and peers even where BGP is more specific.
        let own = Ranges::new(routes.iter().filter_map(near_span));
        let learned = gateway.iter().filter(|span| own.covers(**span) != Tri::Yes);
        routes.extend(learned.map(|span| Route { origin: Origin::Bgp, ..system("gateway", *span, NextHop::Gateway) }));
    }
    for (service, regions) in &subnet.endpoints {
        let route = system(service, Span::ALL, NextHop::ServiceEndpoint);
        let tags = endpoint_tags(service, regions, network.location.as_deref());
        routes.extend(tags.into_iter().map(|(tag, near)| Route { prefix: Prefix::Tag(tag), near, ..route.clone() }));
    }
    routes.sort_by_key(order);
    routes
}

/// The tags to which a service endpoint leads, and whether it leads to a part of them only. Storage is reached in the
/// network's own region and in its pair, whose name no body tells.
fn endpoint_tags(service: &str, regions: &[String], home: Option<&str>) -> Vec<(Tag, bool)> {
    let Some((name, everywhere)) = tag::of_endpoint(service) else { return Vec::new() };
    let whole = Tag::new(name);
    if everywhere || regions.iter().any(|region| region == "*") {
        return vec![(whole, false)];
    }
    let own = home.into_iter().chain(regions.iter().map(String::as_str));
    let own = own.map(|region| (Tag::regional(name, Some(region)), false));
    let pair = regions.len() < 2;
    own.chain(pair.then_some((whole, true))).collect()
}

fn near_span(route: &Route) -> Option<Span> {
    match (&route.prefix, &route.hop) {
        (Prefix::Span(span), NextHop::Local | NextHop::Peering(_)) => Some(*span),
        _ => None,
    }
}

/// Published ranges of services are longer than /8, so their routes go before written ones that are not.
const TAG_ORDER: u32 = 24;

/// Longest first. A tag's ranges are longer than the default route and of unknown length otherwise; where they equal
/// a range that is written down, the written one wins. Regions of a service go before the service.
fn order(route: &Route) -> (u32, u32, Origin) {
    match &route.prefix {
        Prefix::Span(span) => (32 - span.bits(), 0, route.origin),
        Prefix::Tag(tag) => {
            let rank = u32::from(tag.is_whole()) + 2 * u32::from(tag.is("AzureCloud"));
            (TAG_ORDER, 1 + rank, route.origin)
        }
    }
}

/// The route that a packet takes; several where it cannot be told which.
pub(super) fn choose<'r>(routes: &'r [Route], to: &Party) -> Vec<&'r Route> {
    let mut chosen: Vec<&Route> = Vec::new();
    for route in routes {
        // A range that an earlier route covers wholly for this destination never comes here: the loop has ended.
        match matches(route, to) {
            Tri::No => {}
            Tri::Maybe => chosen.push(route),
            Tri::Yes => {
                chosen.push(route);
                break;
            }
        }
    }
    chosen
}

fn matches(route: &Route, to: &Party) -> Tri {
    match &route.prefix {
        Prefix::Span(span) => match to {
            Party::Within(other) if span.contains(*other) => Tri::Yes,
            Party::Within(other) => Tri::of(span.meets(*other)).min(Tri::Maybe),
            _ => Ranges::new([*span]).covers_public(),
        },
        Prefix::Tag(tag) => {
            let sure = match to {
                Party::Within(span) if span.is_public() == Tri::No => Tri::No,
                Party::Within(_) | Party::Internet => Tri::Maybe,
                Party::Tag(other) | Party::Host(Some(other)) => tag.covers(other),
                Party::Host(None) => Tri::No,
            };
            if route.near { sure.min(Tri::Maybe) } else { sure }
        }
    }
}

#[cfg(test)]
mod tests;
