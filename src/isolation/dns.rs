//! Private DNS: zones, the networks they are linked to, their records; and what a name resolves to from a network
//! (Azure private endpoint DNS; custom DNS for Azure ML). A linked zone answers alone: no record, no address.

use std::collections::BTreeMap;

use serde_json::Value;

use super::endpoint::Endpoint;
use super::notes::Notes;
use super::read::{Bodies, Item, key, list, text, texts};
use super::service::Service;
use super::span::Span;
use super::tag::is_below;
use crate::model::ResourceId;

/// What a record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Its addresses; empty where Azure has not chosen them yet.
    pub addresses: Vec<Span>,
    /// Index of the private endpoint whose zone group keeps it.
    pub endpoint: Option<usize>,
}

/// A link of a zone.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Key of the network.
    pub network: String,
    /// Whether a name without a record goes on to public DNS.
    pub falls_back: bool,
}

/// One zone.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    /// Where it lives.
    pub id: ResourceId,
    /// Its name, lower case.
    pub name: String,
    /// Its links.
    pub links: Vec<Link>,
    /// Records by name below the zone; `@` for the zone itself.
    pub records: BTreeMap<String, Record>,
}

/// What a name is, seen from a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A private address; of this zone and record.
    Private {
        /// Index of the zone.
        zone: usize,
        /// The record.
        record: Record,
    },
    /// No such name: this zone is linked and has no record.
    Missing {
        /// Index of the zone.
        zone: usize,
    },
    /// Whatever public DNS says.
    Public,
}

/// Reads every zone; records of zone groups are worked out where Azure has not written them yet.
pub(super) fn read(bodies: &Bodies, endpoints: &[Endpoint], services: &[Service], notes: &mut Notes) -> Vec<Zone> {
    let items = bodies.of("Microsoft.Network/privateDnsZones");
    let mut zones: Vec<Zone> = items.iter().map(|item| zone(bodies, item, notes)).collect();
    let were_read = !bodies.of("Microsoft.Network/privateDnsZones/A").is_empty();
    for group in bodies.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups") {
        let owner = endpoints.iter().position(|endpoint| group.id.parent().as_ref() == Some(&endpoint.id));
        let Some(at) = owner else { continue };
        for config in group.list("/properties/privateDnsZoneConfigs") {
            let Some(id) = key(config, "/properties/privateDnsZoneId") else { continue };
            match zones.iter_mut().find(|zone| zone.id.key() == id) {
                Some(zone) => keep(zone, at, &endpoints[at], config, services, were_read),
                None => notes.add(
                    &group.id,
                    "privateDnsZoneConfigs",
                    &format!("the zone {id}, which is not among the resources"),
                ),
            }
        }
    }
    zones
}

fn zone(bodies: &Bodies, item: &Item, notes: &mut Notes) -> Zone {
    let link = |item: &Item| {
        let state = item.text("/properties/virtualNetworkLinkState").unwrap_or("Completed");
        let network = item.key("/properties/virtualNetwork/id")?;
        let falls_back =
            item.text("/properties/resolutionPolicy").is_some_and(|p| p.eq_ignore_ascii_case("NxDomainRedirect"));
        (!state.eq_ignore_ascii_case("InProgress")).then_some(Link { network, falls_back })
    };
    let mut records = BTreeMap::new();
    let parent = |child: &&Item| child.id.parent().as_ref() == Some(&item.id);
    for child in bodies.of("Microsoft.Network/privateDnsZones/A").iter().filter(parent) {
        let addresses = ["/properties/aRecords", "/properties/ARecords"].iter().flat_map(|at| child.list(at));
        let addresses = addresses.filter_map(|one| Span::parse(text(one, "/ipv4Address")?)).collect();
        records.insert(child.id.name().to_ascii_lowercase(), Record { addresses, endpoint: None });
    }
    if bodies
        .of("Microsoft.Network/privateDnsZones/CNAME")
        .iter()
        .any(|child| child.id.parent().as_ref() == Some(&item.id))
    {
        notes.add(&item.id, "CNAME", "records that name another name");
    }
    let links = bodies.children(item, "virtualNetworkLinks");
    Zone {
        id: item.id.clone(),
        name: item.id.name().to_ascii_lowercase(),
        links: links.iter().filter_map(link).collect(),
        records,
    }
}

/// The records that a zone group keeps in a zone: as Azure wrote them, else as it will. Where records were read by
/// themselves, one that is missing is missing.
fn keep(zone: &mut Zone, at: usize, endpoint: &Endpoint, config: &Value, services: &[Service], were_read: bool) {
    for set in list(config, "/properties/recordSets") {
        let name = text(set, "/recordSetName").unwrap_or_default().to_ascii_lowercase();
        let addresses = texts(set, "/ipAddresses").filter_map(Span::parse).collect();
        match zone.records.get_mut(&name) {
            // The record itself counts, not what its group once wrote.
            Some(record) if were_read => {
                record.endpoint = record.endpoint.or((record.addresses == addresses).then_some(at));
            }
            None if were_read => {}
            _ => {
                zone.records.insert(name, Record { addresses, endpoint: Some(at) });
            }
        }
    }
    if config.pointer("/properties/recordSets").is_some_and(Value::is_array) {
        return;
    }
    let behind = |service: &&Service| service.id == endpoint.target || service.scopes.contains(&endpoint.target);
    let hosts = services.iter().filter(behind).flat_map(|service| &service.hosts);
    for host in hosts.filter(|host| host.zone == zone.name && endpoint.groups.iter().any(|group| group == host.face)) {
        if were_read && !zone.records.contains_key(&host.record) {
            continue;
        }
        let record = zone.records.entry(host.record.clone()).or_default();
        if let ([one], true) = (endpoint.addresses.as_slice(), record.addresses.is_empty()) {
            // Of several addresses, which one is not told before a record is written.
            record.addresses.push(*one);
        }
        record.endpoint.get_or_insert(at);
    }
}

/// The name's answer from `network`, by the zones linked to it.
pub(super) fn ask(zones: &[Zone], network: &str, host: &str, cname: Option<(&str, &str)>) -> Answer {
    if let Some(answer) = in_zones(zones, network, host) {
        return answer;
    }
    // Public DNS points a service with a private endpoint to its name below `privatelink`.
    let alias = cname.map(|(zone, record)| format!("{record}.{zone}"));
    alias.and_then(|alias| in_zones(zones, network, &alias)).unwrap_or(Answer::Public)
}

fn in_zones(zones: &[Zone], network: &str, host: &str) -> Option<Answer> {
    let link = |zone: &Zone| zone.links.iter().find(|link| link.network == network).map(|link| link.falls_back);
    let holding = zones.iter().enumerate().filter(|(_, zone)| is_below(host, &zone.name));
    let linked = holding.filter_map(|(at, zone)| link(zone).map(|falls_back| (at, zone, falls_back)));
    let (at, zone, falls_back) = linked.max_by_key(|(_, zone, _)| zone.name.len())?;
    let front = host.strip_suffix(&zone.name).unwrap_or_default().trim_end_matches('.');
    let front = if front.is_empty() { "@" } else { front };
    match zone.records.get(front).or_else(|| wildcard(zone, front)) {
        Some(record) => Some(Answer::Private { zone: at, record: record.clone() }),
        None if falls_back => Some(Answer::Public),
        None => Some(Answer::Missing { zone: at }),
    }
}

/// `*` stands for any labels, the nearest one first.
fn wildcard<'z>(zone: &'z Zone, front: &str) -> Option<&'z Record> {
    let mut rest = front;
    while let Some((_, after)) = rest.split_once('.') {
        if let Some(record) = zone.records.get(&format!("*.{after}")) {
            return Some(record);
        }
        rest = after;
    }
    zone.records.get("*")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A zone linked to the network `v`, and to `w` with a fallback.
    fn zones(records: &[(&str, &str)]) -> Vec<Zone> {
        let id = ResourceId::group("s", "g")
            .provider("Microsoft.Network/privateDnsZones", "privatelink.blob.core.windows.net");
        let body = json!({"properties": {}});
        let link = |network: &str, policy: &str| json!({"properties": {"virtualNetwork": {"id": network}, "resolutionPolicy": policy}});
        let (v, w) = (link("/subscriptions/v", "Default"), link("/subscriptions/w", "NxDomainRedirect"));
        let a: Vec<Value> = records
            .iter()
            .map(|(_, address)| json!({"properties": {"aRecords": [{"ipv4Address": address}]}}))
            .collect();
        let mut all = vec![
            (id.clone(), &body),
            (id.child("virtualNetworkLinks", "v"), &v),
            (id.child("virtualNetworkLinks", "w"), &w),
        ];
        all.extend(records.iter().zip(&a).map(|((name, _), body)| (id.child("A", name), body)));
        read(&Bodies::new(all), &[], &[], &mut Notes::default())
    }

    const CNAME: Option<(&str, &str)> = Some(("privatelink.blob.core.windows.net", "mine"));

    fn address(answer: &Answer) -> Option<String> {
        match answer {
            Answer::Private { record, .. } => record.addresses.first().map(ToString::to_string),
            _ => None,
        }
    }

    #[test]
    fn a_linked_zone_answers_for_a_service_with_an_endpoint_only() {
        let zones = zones(&[("mine", "10.0.0.5")]);
        let host = "mine.blob.core.windows.net";
        assert_eq!(address(&ask(&zones, "/subscriptions/v", host, CNAME)).as_deref(), Some("10.0.0.5"));
        assert_eq!(ask(&zones, "/subscriptions/v", host, None), Answer::Public);
        assert_eq!(ask(&zones, "/subscriptions/other", host, CNAME), Answer::Public);
    }

    #[test]
    fn a_missing_record_is_no_name_unless_the_link_falls_back() {
        let zones = zones(&[("other", "10.0.0.5")]);
        let host = "mine.blob.core.windows.net";
        assert_eq!(ask(&zones, "/subscriptions/v", host, CNAME), Answer::Missing { zone: 0 });
        assert_eq!(ask(&zones, "/subscriptions/w", host, CNAME), Answer::Public);
    }

    #[test]
    fn a_star_record_stands_for_any_label() {
        let zones = zones(&[("*.inference.westeurope", "10.0.0.7")]);
        let asked =
            |front: &str| ask(&zones, "/subscriptions/v", &format!("{front}.privatelink.blob.core.windows.net"), None);
        assert_eq!(address(&asked("x.inference.westeurope")).as_deref(), Some("10.0.0.7"));
        assert_eq!(asked("x.westeurope"), Answer::Missing { zone: 0 });
    }
}
