//! Security groups against a second, naive reading of the same rules.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::isolation::choice::Verdict;
use crate::isolation::span::{Ranges, Span};

fn compiled(rules: &Value) -> SecurityGroup {
    let id = ResourceId::group("s", "g").provider("Microsoft.Network/networkSecurityGroups", "n");
    let body = json!({"properties": {"securityRules": rules}});
    read(&Bodies::new([(id, &body)]), &mut Notes::default()).remove(0)
}

fn scope() -> Scope {
    let network = Span::parse("10.0.0.0/16").unwrap();
    let host = crate::isolation::party::HOST_ADDRESS;
    Scope { network: Ranges::new([network]), wide: Ranges::new([network, host]) }
}

fn one(text: &str) -> Party {
    Party::Within(Span::parse(text).unwrap())
}

fn decide(group: &SecurityGroup, inbound: bool, from: &str, to: &str, port: u16, transport: Transport) -> Verdict {
    let (from, to) = (one(from), one(to));
    group.decide(inbound, &Packet { from: &from, to: &to, port: Some(port), transport }, &scope()).verdict
}

#[test]
fn the_six_defaults_decide_where_nothing_else_does() {
    let group = compiled(&json!([]));
    let tcp = Transport::Tcp;
    let cases = [
        (true, "10.0.1.4", "10.0.2.4", Verdict::Allow),
        (true, "203.0.113.5", "10.0.2.4", Verdict::Deny),
        (true, "168.63.129.16", "10.0.2.4", Verdict::Allow),
        (false, "10.0.1.4", "10.0.2.4", Verdict::Allow),
        (false, "10.0.1.4", "203.0.113.5", Verdict::Allow),
        (false, "10.0.1.4", "192.168.0.1", Verdict::Deny),
    ];
    for (inbound, from, to, expected) in cases {
        assert_eq!(decide(&group, inbound, from, to, 443, tcp), expected, "{inbound} {from} {to}");
    }
}

#[test]
fn plural_properties_count_like_singular_ones() {
    let group = compiled(&json!([{"name": "x", "properties": {"priority": 100, "direction": "Outbound",
        "access": "Deny", "protocol": "TCP", "sourceAddressPrefixes": ["10.0.1.0/25", "10.0.1.128/25"],
        "sourcePortRange": "*", "destinationAddressPrefixes": ["203.0.113.0/24"],
        "destinationPortRanges": ["80", "8000-8100"]}}]));
    assert_eq!(decide(&group, false, "10.0.1.200", "203.0.113.1", 8050, Transport::Tcp), Verdict::Deny);
    assert_eq!(decide(&group, false, "10.0.1.200", "203.0.113.1", 8050, Transport::Udp), Verdict::Allow);
    assert_eq!(decide(&group, false, "10.0.1.200", "203.0.113.1", 443, Transport::Tcp), Verdict::Allow);
    assert_eq!(decide(&group, false, "10.0.2.1", "203.0.113.1", 80, Transport::Tcp), Verdict::Allow);
}

#[test]
fn an_application_security_group_is_not_evaluated_and_said_so() {
    let id = ResourceId::group("s", "g").provider("Microsoft.Network/networkSecurityGroups", "n");
    let body = json!({"properties": {"securityRules": [{"name": "asg", "properties": {"priority": 100,
        "direction": "Inbound", "access": "Deny", "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
        "sourceApplicationSecurityGroups": [{"id": "/subscriptions/s/x"}], "destinationAddressPrefix": "*"}}]}});
    let mut notes = Notes::default();
    let group = read(&Bodies::new([(id, &body)]), &mut notes).remove(0);
    assert_eq!(decide(&group, true, "10.0.1.4", "10.0.2.4", 443, Transport::Tcp), Verdict::Unknown);
    assert_eq!(decide(&group, true, "203.0.113.4", "10.0.2.4", 443, Transport::Tcp), Verdict::Deny);
    assert!(notes.finish()[0].to_string().starts_with("not evaluated: "));
}

#[test]
fn icmp_has_no_ports() {
    let rule = |port: &str| {
        json!([{"name": "x", "properties": {"priority": 100, "direction": "Outbound", "access": "Deny",
            "protocol": "Icmp", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*",
            "destinationPortRange": port}}])
    };
    let group = compiled(&rule("*"));
    let (from, to) = (one("10.0.1.4"), one("203.0.113.1"));
    let packet = |transport| Packet { from: &from, to: &to, port: None, transport };
    assert_eq!(group.decide(false, &packet(Transport::Icmp), &scope()).verdict, Verdict::Deny);
    assert_eq!(decide(&group, false, "10.0.1.4", "203.0.113.1", 443, Transport::Tcp), Verdict::Allow);
}

/// A rule in the form that the naive reading takes: everything is explicit addresses.
#[derive(Clone, Debug)]
struct Plain {
    inbound: bool,
    allow: bool,
    protocol: &'static str,
    from: (u32, u8),
    to: (u32, u8),
    ports: (u16, u16),
}

fn plain() -> impl Strategy<Value = Plain> {
    let prefix = || {
        ((0u32..4, 0u32..4, 0u32..8), prop_oneof![Just(0u8), Just(16), Just(24), Just(29), Just(32)])
            .prop_map(|((b, c, d), bits)| ((10 << 24) | (b << 16) | (c << 8) | d, bits))
    };
    let protocol = prop_oneof![Just("Tcp"), Just("Udp"), Just("*")];
    let ports = (0u16..20, 0u16..20).prop_map(|(a, b)| (a.min(b), a.max(b)));
    (any::<bool>(), any::<bool>(), protocol, prefix(), prefix(), ports)
        .prop_map(|(inbound, allow, protocol, from, to, ports)| Plain { inbound, allow, protocol, from, to, ports })
}

fn text((base, bits): (u32, u8)) -> String {
    if bits == 0 { "*".to_owned() } else { format!("{}/{bits}", Ipv4Addr::from_bits(base)) }
}

fn naive(rules: &[(u64, Plain)], inbound: bool, from: u32, to: u32, port: u16, tcp: bool) -> bool {
    let within = |(base, bits): (u32, u8), address: u32| {
        let shift = 32 - u32::from(bits);
        bits == 0 || address >> shift == base >> shift
    };
    let word = if tcp { "Tcp" } else { "Udp" };
    let mut best: Option<(u64, bool)> = None;
    for (priority, rule) in rules {
        let hit = rule.inbound == inbound
            && (rule.protocol == "*" || rule.protocol == word)
            && within(rule.from, from)
            && within(rule.to, to)
            && (rule.ports.0..=rule.ports.1).contains(&port);
        if hit && best.is_none_or(|(other, _)| *priority < other) {
            best = Some((*priority, rule.allow));
        }
    }
    // All addresses are in 10.0.0.0/14, of which 10.0.0.0/16 is the network.
    let inside = |address: u32| address >> 16 == 10 << 8;
    best.map_or(inside(from) && inside(to), |(_, allow)| allow)
}

proptest! {
    #[test]
    fn a_naive_reading_agrees(
        rules in prop::collection::vec(plain(), 0..12),
        shuffle in prop::collection::vec(0u64..1000, 12),
        flows in prop::collection::vec((any::<bool>(), 0u32..4, 0u32..8, 0u32..4, 0u32..8, 0u16..20, any::<bool>()), 8),
    ) {
        // Unique priorities, in no order.
        let rules: Vec<(u64, Plain)> =
            rules.into_iter().enumerate().map(|(at, rule)| (100 + shuffle[at] * 12 + at as u64, rule)).collect();
        let bodies: Vec<Value> = rules.iter().map(|(priority, rule)| json!({"name": format!("r{priority}"), "properties": {
            "priority": priority, "direction": if rule.inbound { "Inbound" } else { "Outbound" },
            "access": if rule.allow { "Allow" } else { "Deny" }, "protocol": rule.protocol,
            "sourceAddressPrefix": text(rule.from), "sourcePortRange": "*",
            "destinationAddressPrefix": text(rule.to),
            "destinationPortRange": format!("{}-{}", rule.ports.0, rule.ports.1)}})).collect();
        let group = compiled(&Value::from(bodies));
        for (inbound, b, d, other_b, other_d, port, tcp) in flows {
            let (from, to) = ((10 << 24) | (b << 16) | d, (10 << 24) | (other_b << 16) | other_d);
            let (one, other) = (Party::Within(Span { lo: from, hi: from }), Party::Within(Span { lo: to, hi: to }));
            let transport = if tcp { Transport::Tcp } else { Transport::Udp };
            let packet = Packet { from: &one, to: &other, port: Some(port), transport };
            let expected = Verdict::of(naive(&rules, inbound, from, to, port, tcp));
            prop_assert_eq!(group.decide(inbound, &packet, &scope()).verdict, expected);
        }
    }
}
