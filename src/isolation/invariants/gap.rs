//! Which part between a subnet and the private face of a service is missing: the culprit behind a name that does not
//! lead there. Judges no flow.

use super::super::endpoint::{Approval, Endpoint};
use super::super::model::Model;
use super::super::network::Subnet;
use super::super::service::{HostName, Service};
use super::super::verdicts::Evidence;

/// The first missing part, in the order in which a name is followed: endpoint, approval, zone, link, record. `None`
/// where all are there, and something else stands in the way.
pub(super) fn of(model: &Model, service: &Service, host: &HostName, subnet: &Subnet) -> Option<Evidence> {
    let (what, name) = (service.id.name(), &host.name);
    let mut endpoints = model.endpoints.iter().filter(|one| leads_to(one, service, host)).peekable();
    let Some(first) = endpoints.peek().copied() else {
        let says = format!("{name}: no private endpoint leads to {} of {what}", host.face);
        return Some(Evidence::new(&service.id, "privateEndpointConnections", says));
    };
    if !endpoints.any(|one| one.approval == Approval::Approved) {
        let says = format!("{name}: the private endpoint {} of {what} is not approved", first.id.name());
        return Some(Evidence::new(&first.id, "privateLinkServiceConnectionState", says));
    }
    let mut zones = model.zones.iter().filter(|zone| zone.name == host.zone).peekable();
    let Some(zone) = zones.peek().copied() else {
        let says = format!("{name}: there is no zone {} with its private address", host.zone);
        return Some(Evidence::new(&first.id, "privateDnsZoneGroups", says));
    };
    let network = &model.networks.get(subnet.network)?.id;
    let linked = |zone: &&super::super::dns::Zone| zone.links.iter().any(|link| link.network == network.key());
    let Some(zone_here) = zones.find(linked) else {
        let says = format!("{name}: the zone {} is not linked to {}", zone.name, network.name());
        return Some(Evidence::new(&zone.id, "virtualNetworkLinks", says));
    };
    if !zone_here.records.contains_key(&host.record) {
        let says = format!("{name}: the zone {} has no record {}", zone_here.name, host.record);
        return Some(Evidence::new(&zone_here.id, format!("A/{}", host.record), says));
    }
    None
}

/// Whether an endpoint is for that face of that service.
pub(super) fn leads_to(endpoint: &Endpoint, service: &Service, host: &HostName) -> bool {
    let leads = endpoint.target == service.id || service.scopes.contains(&endpoint.target);
    leads && (endpoint.groups.is_empty() || endpoint.groups.iter().any(|group| group == host.face))
}
