//! Whole flows through the environments that the blueprint draws, and through bodies made by hand.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Flow, Model, Verdict};
use crate::blueprint;
use crate::config::{self, Config, Profile};
use crate::model::{CloudNames, Desired, Facts, ResourceId};

pub(super) fn facts() -> Facts {
    Facts {
        subscription: "00000000-0000-0000-0000-00000000000a".to_owned(),
        tenant: "00000000-0000-0000-0000-00000000000b".to_owned(),
        lineage: Uuid::from_u128(12),
        suffix: "1234".to_owned(),
        jumpbox_user: "jbxabcd".to_owned(),
        cloud: CloudNames::public(),
        firewall_address: None,
    }
}

pub(super) fn plan(profile: Profile) -> Vec<Desired> {
    blueprint::draw(&Config { profile, ..config::defaults() }, &facts())
}

pub(super) fn drawn(profile: Profile) -> Model {
    Model::of_plan(&plan(profile))
}

pub(super) fn ask(model: &Model, from: &str, to: &str) -> Answer {
    model.flow(&Flow::new(from, to, None, None).unwrap())
}

fn verdict(model: &Model, from: &str, to: &str) -> Verdict {
    ask(model, from, to).verdict
}

fn all(model: &Model, flows: &[(&str, &str, Verdict)]) {
    for (from, to, expected) in flows {
        let answer = ask(model, from, to);
        assert_eq!(answer.verdict, *expected, "{from} -> {to}: {}\n{:#?}", answer.reason, answer.by);
    }
}

use Verdict::{Allow, Deny, Unknown};

#[test]
fn the_leaks_of_the_baseline_are_found() {
    let model = drawn(Profile::Baseline);
    all(
        &model,
        &[
            ("jumpbox", "https://evilgithub.com", Allow),
            ("shared", "https://github.com", Allow),
            ("shared", "https://stranger.blob.core.windows.net", Allow),
            ("shared", "tag:Storage.WestEurope:22", Allow),
            ("shared", "tag:AzureContainerRegistry:443", Allow),
            ("shared", "203.0.113.9:123/udp", Allow),
            ("shared", "ml.azure.com:443", Allow),
        ],
    );
    let answer = ask(&model, "shared", "https://evilgithub.com");
    assert!(answer.reason.contains("arc-shared_subnet/any-github.com"), "{}", answer.reason);
}

#[test]
fn hardened_denies_them() {
    let model = drawn(Profile::Hardened);
    all(
        &model,
        &[
            ("jumpbox", "https://evilgithub.com", Deny),
            ("shared", "https://github.com", Deny),
            ("shared", "https://stranger.blob.core.windows.net", Deny),
            ("shared", "tag:AzureContainerRegistry:443", Deny),
            ("shared", "203.0.113.9:123/udp", Deny),
            ("shared", "ml.azure.com:443", Allow),
            ("shared", "tag:AzureMachineLearning:5831/udp", Allow),
            ("shared", "tag:BatchNodeManagement.WestEurope:443/tcp", Allow),
        ],
    );
}

#[test]
fn what_must_be_closed_is_and_what_must_work_does() {
    for profile in [Profile::Baseline, Profile::Hardened] {
        all(
            &drawn(profile),
            &[
                ("internet", "storage", Deny),
                ("internet", "vault", Deny),
                ("internet", "registry", Deny),
                ("internet", "workspace", Deny),
                ("internet", "jumpbox:3389", Deny),
                ("internet", "subnet:SharedSubnet:44224", Deny),
                ("internet", "bastion:443", Allow),
                ("internet", "bastion:22", Deny),
                ("internet", "firewall:443", Deny),
                ("shared", "https://stgtest1234.blob.core.windows.net", Allow),
                ("shared", "storage:445", Allow),
                ("shared", "vault", Allow),
                ("shared", "registry", Allow),
                ("shared", "workspace", Allow),
                ("bastion", "jumpbox:3389", Allow),
                ("shared", "169.254.169.254:80", Allow),
                ("shared", "10.99.0.4:443", Deny),
                ("shared", "ftp.example:21", Deny),
                ("shared", "example.com:22", Deny),
            ],
        );
    }
}

#[test]
fn storage_without_a_zone_link_is_not_reached() {
    let mut resources = plan(Profile::Hardened);
    resources.retain(|one| one.address.as_str() != "dns_link.blob");
    let answer = ask(&Model::of_plan(&resources), "shared", "https://stgtest1234.blob.core.windows.net");
    assert_eq!(answer.verdict, Deny, "{answer:#?}");
}

fn id(kind: &str, name: &str) -> String {
    ResourceId::group("s", "g").provider(&format!("Microsoft.Network/{kind}"), name).to_string()
}

/// Two subnets, a group on the first and a table of routes, as given.
pub(super) fn network(rules: &Value, routes: &Value) -> Vec<Value> {
    vec![
        json!({"id": id("virtualNetworks", "v"), "location": "westeurope", "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [
            {"name": "a", "properties": {"addressPrefix": "10.0.1.0/24",
                "networkSecurityGroup": {"id": id("networkSecurityGroups", "n")},
                "routeTable": {"id": id("routeTables", "r")}}},
            {"name": "b", "properties": {"addressPrefix": "10.0.2.0/24"}},
        ]}}),
        json!({"id": id("networkSecurityGroups", "n"), "properties": {"securityRules": rules}}),
        json!({"id": id("routeTables", "r"), "properties": {"routes": routes}}),
    ]
}

fn rule(name: &str, priority: u32, way: &str, access: &str, to: &str, port: &str) -> Value {
    json!({"name": name, "properties": {"priority": priority, "direction": way, "access": access, "protocol": "*",
        "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": to,
        "destinationPortRange": port}})
}

#[test]
fn a_bare_network_is_open_outward_and_inside() {
    let model = Model::of_bodies(&network(&json!([]), &json!([])));
    all(
        &model,
        &[
            ("a", "https://example.com", Allow),
            ("a", "subnet:b:22", Allow),
            ("b", "subnet:a:22", Allow),
            ("internet", "subnet:a:22", Deny),
            ("a", "192.168.7.7:22", Deny),
            ("nowhere", "subnet:a:22", Unknown),
        ],
    );
}

#[test]
fn an_address_that_a_service_tag_may_hold_is_unknown_only_if_it_matters() {
    let deny = rule("deny-storage", 100, "Outbound", "Deny", "Storage", "443");
    let model = Model::of_bodies(&network(&json!([deny]), &json!([])));
    all(
        &model,
        &[
            ("a", "20.60.1.1:443", Unknown),
            ("a", "20.60.1.1:80", Allow),
            ("a", "https://x.blob.core.windows.net", Deny),
            ("a", "10.0.2.4:443", Allow),
            ("a", "tag:Storage.WestEurope:443", Deny),
            ("a", "tag:AzureKeyVault:443", Allow),
        ],
    );
    let allow = rule("allow-storage", 100, "Outbound", "Allow", "Storage", "443");
    let model = Model::of_bodies(&network(&json!([allow]), &json!([])));
    assert_eq!(verdict(&model, "a", "20.60.1.1:443"), Allow, "Azure's own rule allows it too");
}

#[test]
fn a_route_to_nowhere_stops_a_flow_that_every_rule_allows() {
    let routes = json!([{"name": "drop", "properties": {"addressPrefix": "10.0.2.0/24", "nextHopType": "None"}}]);
    let model = Model::of_bodies(&network(&json!([]), &routes));
    all(&model, &[("a", "subnet:b:443", Deny), ("b", "subnet:a:443", Allow)]);
}

#[test]
fn an_appliance_that_is_no_firewall_is_not_guessed() {
    let routes = json!([{"name": "out", "properties": {"addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.2.4"}}]);
    let model = Model::of_bodies(&network(&json!([]), &routes));
    all(&model, &[("a", "https://example.com", Unknown), ("a", "subnet:b:22", Allow)]);
}

#[test]
fn implicit_outbound_access_is_a_way_out_and_a_private_subnet_has_none() {
    let mut bodies = network(&json!([]), &json!([]));
    bodies[0]["properties"]["subnets"][0]["properties"]["defaultOutboundAccess"] = json!(false);
    let model = Model::of_bodies(&bodies);
    all(&model, &[("a", "https://example.com", Deny), ("b", "https://example.com", Allow)]);
    bodies[0]["properties"]["subnets"][0]["properties"]["natGateway"] = json!({"id": id("natGateways", "n")});
    assert_eq!(verdict(&Model::of_bodies(&bodies), "a", "https://example.com"), Allow);
}

#[test]
fn a_missing_group_is_not_taken_for_none() {
    let mut bodies = network(&json!([]), &json!([]));
    bodies.remove(1);
    assert_eq!(verdict(&Model::of_bodies(&bodies), "a", "https://example.com"), Unknown);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Bodies from elsewhere may lack anything and hold anything: the verdict may change, the program goes on.
    #[test]
    fn damaged_bodies_are_judged_without_a_panic(
        hits in proptest::collection::vec((0usize..10_000, 0u8..5), 1..40),
    ) {
        let mut all: Vec<(ResourceId, Value)> = plan(Profile::Hardened).into_iter().map(|one| (one.id, one.body)).collect();
        for (at, how) in hits {
            let (which, node) = (at % all.len(), at / all.len());
            if how == 4 {
                all.remove(which);
                continue;
            }
            damage(&mut all[which].1, node, how);
        }
        let model = Model::new(all.iter().map(|(id, body)| (id.clone(), body)));
        let report = super::verify(&model, &super::Asked::nothing("westeurope"));
        proptest::prop_assert!(!report.checks.is_empty());
        for to in ["https://example.com", "storage", "10.1.2.200:22", "tag:Storage:443", "subnet:AzureBastionSubnet:443"] {
            for from in ["shared", "internet", "bastion", "10.1.2.140"] {
                let _ = ask(&model, from, to);
            }
        }
    }
}

/// Spoils the node that is `at`-th in the order of reading.
fn damage(value: &mut Value, at: usize, how: u8) {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum::<usize>(),
            Value::Object(map) => map.values().map(count).sum(),
            _ => 0,
        }
    }
    let mut left = at % count(value);
    let mut node = value;
    loop {
        if left == 0 {
            *node = match how {
                0 => Value::Null,
                1 => json!("255.255.255.255/0"),
                2 => json!([]),
                _ => json!(-1),
            };
            return;
        }
        left -= 1;
        let children: Vec<&mut Value> = match node {
            Value::Array(items) => items.iter_mut().collect(),
            Value::Object(map) => map.values_mut().collect(),
            _ => return,
        };
        let mut next = None;
        for child in children {
            let size = count(child);
            if left < size {
                next = Some(child);
                break;
            }
            left -= size;
        }
        let Some(child) = next else { return };
        node = child;
    }
}
