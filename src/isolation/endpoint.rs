//! Private endpoints: which face of which service, with which state and address. Reads bodies, decides nothing.

use super::read::{Bodies, Item, key, list, text, texts};
use super::span::Span;
use crate::model::ResourceId;

/// Whether the service's owner agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approval {
    /// It works.
    Approved,
    /// Nobody has agreed yet.
    Pending,
    /// Refused, or cut off.
    Refused,
}

/// One private endpoint.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// Where it lives.
    pub id: ResourceId,
    /// Key of its subnet.
    pub subnet: String,
    /// The service.
    pub target: ResourceId,
    /// Faces, lower case.
    pub groups: Vec<String>,
    /// State of its connection.
    pub approval: Approval,
    /// Its addresses, once known.
    pub addresses: Vec<Span>,
}

/// Reads every endpoint.
pub(super) fn read(bodies: &Bodies) -> Vec<Endpoint> {
    let items = bodies.of("Microsoft.Network/privateEndpoints");
    items.iter().filter_map(|item| endpoint(bodies, item)).collect()
}

fn endpoint(bodies: &Bodies, item: &Item) -> Option<Endpoint> {
    let own = item.list("/properties/privateLinkServiceConnections").first().map(|c| (c, Approval::Approved));
    let manual = item.list("/properties/manualPrivateLinkServiceConnections").first().map(|c| (c, Approval::Pending));
    let (connection, unless_said) = own.or(manual)?;
    let target = ResourceId::new(text(connection, "/properties/privateLinkServiceId")?);
    let said = text(connection, "/properties/privateLinkServiceConnectionState/status").map(approval);
    let subnet = item.key("/properties/subnet/id")?;
    Some(Endpoint {
        id: item.id.clone(),
        subnet,
        groups: texts(connection, "/properties/groupIds").map(str::to_ascii_lowercase).collect(),
        approval: service_side(bodies, &target, &item.id).or(said).unwrap_or(unless_said),
        addresses: addresses(bodies, item),
        target,
    })
}

fn approval(word: &str) -> Approval {
    match word.to_ascii_lowercase().as_str() {
        "approved" => Approval::Approved,
        "pending" | "" => Approval::Pending,
        _ => Approval::Refused,
    }
}

/// What the service says of the connection, which its owner may change without asking the endpoint.
fn service_side(bodies: &Bodies, target: &ResourceId, endpoint: &ResourceId) -> Option<Approval> {
    let service = bodies.find(&target.arm_type(), &target.key())?;
    let connections = service.list("/properties/privateEndpointConnections");
    let own = connections.iter().find(|c| key(c, "/properties/privateEndpoint/id") == Some(endpoint.key()))?;
    text(own, "/properties/privateLinkServiceConnectionState/status").map(approval)
}

fn addresses(bodies: &Bodies, item: &Item) -> Vec<Span> {
    let configured = item.list("/properties/ipConfigurations").iter();
    let mut found: Vec<Span> =
        configured.filter_map(|c| Span::parse(text(c, "/properties/privateIPAddress")?)).collect();
    for dns in item.list("/properties/customDnsConfigs") {
        found.extend(texts(dns, "/ipAddresses").filter_map(Span::parse));
    }
    let cards = item.list("/properties/networkInterfaces").iter().filter_map(|card| key(card, "/id"));
    let own = item.text("/properties/customNetworkInterfaceName");
    let named = own.and_then(|name| {
        let group = item.id.parent()?;
        Some(group.provider("Microsoft.Network/networkInterfaces", name).key())
    });
    for card in cards.chain(named) {
        let Some(card) = bodies.find("Microsoft.Network/networkInterfaces", &card) else { continue };
        let configurations = list(card.body, "/properties/ipConfigurations").iter();
        found.extend(configurations.filter_map(|c| Span::parse(text(c, "/properties/privateIPAddress")?)));
    }
    found.sort_unstable();
    found.dedup();
    found
}
