//! Firewall rules: their order, their names, what is not evaluated.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::isolation::firewall;
use crate::isolation::notes::Notes;
use crate::isolation::party;
use crate::isolation::read::Bodies;
use crate::model::ResourceId;

fn id(kind: &str, name: &str) -> ResourceId {
    ResourceId::group("s", "g").provider(&format!("Microsoft.Network/{kind}"), name)
}

/// A firewall whose policy has these groups: (policy, group, body).
fn firewall(parent: Option<&str>, groups: &[(&str, &str, Value)]) -> Firewall {
    let mut bodies = vec![
        (id("azureFirewalls", "f"), json!({"properties": {"firewallPolicy": {"id": id("firewallPolicies", "own")}}})),
        (
            id("firewallPolicies", "own"),
            json!({"properties": {
            "basePolicy": parent.map(|name| json!({"id": id("firewallPolicies", name)})),
            "dnsSettings": {"enableProxy": true}}}),
        ),
        (id("firewallPolicies", "parent"), json!({"properties": {}})),
    ];
    for (policy, group, body) in groups {
        bodies.push((id("firewallPolicies", policy).child("ruleCollectionGroups", group), body.clone()));
    }
    let bodies = Bodies::new(bodies.iter().map(|(id, body)| (id.clone(), body)));
    firewall::read(&bodies, &mut Notes::default()).remove(0)
}

fn group(priority: u32, collections: &[Value]) -> Value {
    json!({"properties": {"priority": priority, "ruleCollections": collections}})
}

fn collection(name: &str, priority: u32, action: &str, rules: &[Value]) -> Value {
    json!({"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": name, "priority": priority,
        "action": {"type": action}, "rules": rules})
}

fn net(to: &[&str], ports: &[&str]) -> Value {
    json!({"ruleType": "NetworkRule", "name": "net", "ipProtocols": ["TCP"], "sourceAddresses": ["*"],
        "destinationAddresses": to, "destinationPorts": ports})
}

fn web(hosts: &[&str]) -> Value {
    json!({"ruleType": "ApplicationRule", "name": "web", "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": hosts,
        "protocols": [{"protocolType": "Https", "port": 443}, {"protocolType": "Http", "port": 80}]})
}

fn ask(firewall: &Firewall, host: &str, port: u16, kind: Option<&str>) -> Filtered {
    let from = Party::Within(Span::parse("10.0.0.9").unwrap());
    let to = party::of_host(host);
    let seen = Seen { from: &from, to: &to, host: Some(host), port: Some(port), transport: Transport::Tcp, web: kind };
    judge(firewall, &seen)
}

fn https(firewall: &Firewall, host: &str) -> Verdict {
    ask(firewall, host, 443, Some("https")).verdict
}

#[test]
fn network_rules_go_before_application_rules_whatever_the_priorities() {
    let groups = [(
        "own",
        "g",
        group(
            100,
            &[
                collection("deny-web", 100, "Deny", &[web(&["*"])]),
                collection("allow-net", 60000, "Allow", &[net(&["*"], &["443"])]),
            ],
        ),
    )];
    let fw = firewall(None, &groups);
    assert_eq!(https(&fw, "a.example"), Verdict::Allow);
    assert_eq!(ask(&fw, "a.example", 80, Some("http")).verdict, Verdict::Deny);
}

#[test]
fn a_parents_groups_go_first_even_with_a_worse_priority() {
    let groups = [
        ("parent", "p", group(60000, &[collection("deny", 60000, "Deny", &[web(&["a.example"])])])),
        ("own", "g", group(100, &[collection("allow", 100, "Allow", &[web(&["*"])])])),
    ];
    assert_eq!(https(&firewall(Some("parent"), &groups), "a.example"), Verdict::Deny);
    assert_eq!(https(&firewall(None, &groups), "a.example"), Verdict::Allow);
}

#[test]
fn a_group_goes_before_a_collection() {
    let groups = [
        ("own", "late", group(200, &[collection("allow", 100, "Allow", &[web(&["a.example"])])])),
        ("own", "soon", group(150, &[collection("deny", 65000, "Deny", &[web(&["a.example"])])])),
    ];
    let said = ask(&firewall(None, &groups), "a.example", 443, Some("https"));
    assert_eq!((said.verdict, said.rule.as_str()), (Verdict::Deny, "soon/deny/web"));
}

#[test]
fn plain_tcp_never_reaches_application_rules() {
    let fw = firewall(None, &[("own", "g", group(100, &[collection("c", 100, "Allow", &[web(&["*"])])]))]);
    assert_eq!(https(&fw, "a.example"), Verdict::Allow);
    assert_eq!(ask(&fw, "a.example", 443, None).verdict, Verdict::Deny);
    assert_eq!(ask(&fw, "a.example", 8443, Some("https")).verdict, Verdict::Deny, "another port");
}

#[test]
fn an_unknown_parent_or_group_leaves_everything_open() {
    assert_eq!(https(&firewall(Some("elsewhere"), &[]), "a.example"), Verdict::Unknown);
}

#[test]
fn names_in_network_rules_need_the_dns_proxy() {
    let named = json!({"ruleType": "NetworkRule", "name": "n", "ipProtocols": ["TCP"], "sourceAddresses": ["*"],
        "destinationFqdns": ["a.example"], "destinationPorts": ["1688"]});
    let mut fw = firewall(None, &[("own", "g", group(100, &[collection("c", 100, "Allow", &[named])]))]);
    assert_eq!(ask(&fw, "a.example", 1688, None).verdict, Verdict::Allow);
    assert_eq!(ask(&fw, "b.example", 1688, None).verdict, Verdict::Deny);
    fw.proxy = false;
    assert_eq!(ask(&fw, "a.example", 1688, None).verdict, Verdict::Deny);
}

#[test]
fn what_microsoft_keeps_is_not_evaluated() {
    let tag = json!({"ruleType": "ApplicationRule", "name": "t", "sourceAddresses": ["*"], "fqdnTags": ["WindowsUpdate"],
        "protocols": [{"protocolType": "Https", "port": 443}]});
    let fw = firewall(None, &[("own", "g", group(100, &[collection("c", 100, "Allow", &[tag])]))]);
    assert_eq!(https(&fw, "fe2.update.microsoft.com"), Verdict::Unknown);
    assert_eq!(https(&fw, "evil.example"), Verdict::Deny);
    assert_eq!(https(&fw, "stranger.blob.core.windows.net"), Verdict::Deny);
}

#[test]
fn tls_to_an_address_names_no_host() {
    let fw = firewall(None, &[("own", "g", group(100, &[collection("c", 100, "Allow", &[web(&["*"])])]))]);
    let (from, to) =
        (Party::Within(Span::parse("10.0.0.9").unwrap()), Party::Within(Span::parse("203.0.113.7").unwrap()));
    let seen = |web, port| Seen {
        from: &from,
        to: &to,
        host: None,
        port: Some(port),
        transport: Transport::Tcp,
        web: Some(web),
    };
    assert_eq!(judge(&fw, &seen("https", 443)).verdict, Verdict::Deny);
    assert_eq!(judge(&fw, &seen("http", 80)).verdict, Verdict::Allow);
}

#[test]
fn classic_rules_follow_the_same_order() {
    let rules = |name: &str, priority: u32, action: &str, rule: Value| json!({"name": name, "properties": {"priority": priority, "action": {"type": action}, "rules": [rule]}});
    let body = json!({"properties": {
        "networkRuleCollections": [
            rules("late", 300, "Allow", json!({"name": "n", "protocols": ["Any"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["*"]})),
            rules("soon", 200, "Deny", json!({"name": "n", "protocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["22"]})),
        ],
        "applicationRuleCollections": [rules("web", 100, "Deny", web(&["*"]))]}});
    let bodies = Bodies::new([(id("azureFirewalls", "f"), &body)]);
    let fw = firewall::read(&bodies, &mut Notes::default()).remove(0);
    assert_eq!(ask(&fw, "a.example", 22, None).verdict, Verdict::Deny);
    assert_eq!(https(&fw, "a.example"), Verdict::Allow);
}

proptest! {
    #[test]
    fn the_order_of_groups_and_collections_is_that_of_their_priorities(
        given in prop::collection::vec((0u32..2, 0u32..3, any::<bool>(), any::<bool>(), any::<bool>()), 1..12),
    ) {
        // Each entry is one collection with one rule: (is network, group, allow, port matches, belongs to the parent).
        let of = |parent: bool, which: u32| given.iter().enumerate()
            .filter(move |(_, one)| one.4 == parent && one.1 == which)
            .map(|(at, one)| {
                let at = u32::try_from(at).unwrap();
                // Later entries get better priorities.
                let rule = if one.0 == 0 { net(&["*"], &[if one.3 { "443" } else { "1" }]) } else { web(&[if one.3 { "*.example" } else { "no.example.org" }]) };
                collection(&format!("c{at}"), 1000 - at, if one.2 { "Allow" } else { "Deny" }, &[rule])
            }).collect::<Vec<_>>();
        let names = ["g0", "g1", "g2"];
        let mut groups = Vec::new();
        for (which, name) in (0u32..3).zip(names) {
            // Groups with a higher number get better priorities.
            groups.push(("parent", name, group(900 - which, &of(true, which))));
            groups.push(("own", name, group(500 - which, &of(false, which))));
        }
        let fw = firewall(Some("parent"), &groups);
        let mut best: Option<((u32, bool, u32, u32), bool)> = None;
        for (at, (kind, which, allow, hit, parent)) in given.iter().enumerate() {
            let key = (*kind, !*parent, 900 - *which, 1000 - u32::try_from(at).unwrap());
            if *hit && best.is_none_or(|(other, _)| key < other) {
                best = Some((key, *allow));
            }
        }
        prop_assert_eq!(https(&fw, "a.example"), Verdict::of(best.is_some_and(|(_, allow)| allow)));
    }
}
