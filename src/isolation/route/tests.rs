//! Routes against the longest prefix found the slow way, and Azure's special cases.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::isolation::network as net;
use crate::isolation::notes::Notes;

fn routes(network: &serde_json::Value, user: &serde_json::Value) -> Vec<Route> {
    let group = ResourceId::group("s", "g");
    let table = group.provider("Microsoft.Network/routeTables", "r");
    let body = json!({"properties": {"routes": user}});
    let id = group.provider("Microsoft.Network/virtualNetworks", "v");
    let bodies = Bodies::new([(id, network), (table, &body)]);
    let networks = net::networks(&bodies, &mut Notes::default());
    let subnets = net::subnets(&bodies, &networks);
    let tables = read(&bodies);
    effective(&networks[0], &subnets[0], Some(&tables[0]), &[])
}

fn bare(service: &[&str]) -> serde_json::Value {
    let endpoints: Vec<_> = service.iter().map(|service| json!({"service": service})).collect();
    json!({"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [
        {"name": "a", "properties": {"addressPrefix": "10.0.1.0/24", "serviceEndpoints": endpoints}}]}})
}

fn hops(routes: &[Route], to: &Party) -> Vec<NextHop> {
    choose(routes, to).into_iter().map(|route| route.hop.clone()).collect()
}

fn one(text: &str) -> Party {
    Party::Within(Span::parse(text).unwrap())
}

#[test]
fn azures_own_routes() {
    let routes = routes(&bare(&[]), &json!([]));
    let cases = [
        ("10.0.7.7", NextHop::Local),
        ("10.1.0.1", NextHop::Nowhere),
        ("172.20.0.1", NextHop::Nowhere),
        ("192.168.1.1", NextHop::Nowhere),
        ("100.65.0.1", NextHop::Nowhere),
        ("8.8.8.8", NextHop::Internet),
    ];
    for (to, hop) in cases {
        assert_eq!(hops(&routes, &one(to)), [hop], "{to}");
    }
}

#[test]
fn a_network_that_holds_a_reserved_range_replaces_its_route() {
    let network = json!({"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]},
        "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.1.0/24"}}]}});
    assert_eq!(hops(&routes(&network, &json!([])), &one("10.200.0.1")), [NextHop::Local]);
}

#[test]
fn a_users_route_wins_over_an_equal_one_but_not_over_a_longer_one() {
    let user = json!([
        {"name": "same", "properties": {"addressPrefix": "10.0.0.0/16", "nextHopType": "None"}},
        {"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4"}},
    ]);
    let routes = routes(&bare(&[]), &user);
    assert_eq!(hops(&routes, &one("10.0.7.7")), [NextHop::Nowhere]);
    assert_eq!(hops(&routes, &one("8.8.8.8")), [NextHop::Appliance(Span::parse("10.0.0.4"))]);
    assert_eq!(hops(&routes, &one("192.168.1.1")), [NextHop::Nowhere], "longer than the default route");
}

#[test]
fn a_service_endpoint_leads_past_the_default_route() {
    let user = json!([{"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}]);
    let routes = routes(&bare(&["Microsoft.KeyVault"]), &user);
    let vault = Party::Host(Some(Tag::new("AzureKeyVault")));
    assert_eq!(hops(&routes, &vault), [NextHop::ServiceEndpoint]);
    assert_eq!(hops(&routes, &Party::Host(None)), [NextHop::Nowhere]);
    assert_eq!(hops(&routes, &one("20.1.1.1")), [NextHop::ServiceEndpoint, NextHop::Nowhere], "may be either");
}

proptest! {
    #[test]
    fn the_longest_prefix_wins(
        prefixes in prop::collection::btree_set((0u32..4, 8u32..33), 0..10),
        target in 0u32..0x0004_0000,
    ) {
        let base = 203u32 << 24;
        let mask = |bits: u32| u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        // Distinct prefixes below 203.0.0.0/8.
        let set: std::collections::BTreeSet<(u32, u32)> =
            prefixes.into_iter().map(|(which, bits)| ((base | (which << 16)) & mask(bits), bits)).collect();
        let user: Vec<_> = set.iter().enumerate().map(|(at, (lo, bits))| {
            let text = format!("{}/{bits}", std::net::Ipv4Addr::from_bits(*lo));
            json!({"name": format!("r{at}"), "properties": {"addressPrefix": text, "nextHopType": "VirtualAppliance",
                "nextHopIpAddress": format!("10.0.0.{}", at + 4)}})
        }).collect();
        let routes = routes(&bare(&[]), &serde_json::Value::from(user));
        let address = base | target;
        let best = set.iter().enumerate().filter(|(_, (lo, bits))| address & mask(*bits) == *lo).max_by_key(|(_, (_, bits))| *bits);
        let expected = best.map_or("default".to_owned(), |(at, _)| format!("r{at}"));
        let chosen = choose(&routes, &Party::Within(Span { lo: address, hi: address }));
        prop_assert_eq!(chosen.len(), 1);
        prop_assert_eq!(&chosen[0].name, &expected);
    }
}
