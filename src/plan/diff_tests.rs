//! Cases of the three-way comparison, one rule a case.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::Address;

const KIND: Kind = Kind {
    keyed: &[("/rules", "name"), ("/shared", "name")],
    carried: &["/shared"],
    sets: &["/set", "/rules/*/hosts", "/bypass"],
    hidden: &["/password", "/profile/secret"],
    immutable: &["/location", "/zone", "/profile/fixed", "/key"],
    ..Kind::PLAIN
};

fn unknown(_: &Late) -> Chosen {
    Chosen::Unknown
}

/// `at: from -> to (origin)` for every change.
fn lines(d: &Value, a: Option<&Value>, l: &Value, chosen: &dyn Fn(&Late) -> Chosen) -> Vec<String> {
    let show = |v: &Option<Value>| v.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    changes(&Sides { kind: &KIND, desired: d, applied: a, live: l }, chosen)
        .iter()
        .map(|Found { change: c, forces }| {
            let bang = if forces.is_some() { "!" } else { "" };
            format!("{}{bang}: {} -> {} {:?}", c.at, show(&c.from), show(&c.to), c.origin)
        })
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the cases read as a table")]
fn case(d: Value, a: Value, l: Value, expected: &[&str]) {
    assert_eq!(lines(&d, Some(&a), &l, &unknown), expected, "desired {d}, applied {a}, live {l}");
}

#[test]
fn plain_members() {
    case(json!({"a": 1}), json!({"a": 1}), json!({"a": 1.0, "more": 2}), &[]);
    case(json!({"a": 2}), json!({"a": 1}), json!({"a": 1}), &["a: 1 -> 2 Edit"]);
    case(json!({"a": 1}), json!({"a": 1}), json!({"a": 2}), &["a: 2 -> 1 Drift"]);
    case(json!({"a": 2}), json!({"a": 1}), json!({"a": 2}), &[]);
    case(json!({"a": 3}), json!({"a": 1}), json!({"a": 2}), &["a: 2 -> 3 Edit"]);
    case(json!({"a": false}), json!({"a": false}), json!({}), &["a: nothing -> false Drift"]);
    case(json!({"a": "", "b": null, "c": {}}), json!({}), json!({}), &[]);
    case(json!({"A": 1}), json!({"A": 1}), json!({"a": 1}), &[]);
}

#[test]
fn what_we_no_longer_say_goes_once() {
    case(json!({}), json!({"a": 1}), json!({"a": 1}), &["a: 1 -> nothing Edit"]);
    case(json!({}), json!({"a": 1}), json!({}), &[]);
    case(json!({}), json!({}), json!({"a": 1}), &[]);
    case(json!({}), json!({"o": {"a": 1}}), json!({"o": {"a": 1, "b": 2}}), &["o/a: 1 -> nothing Edit"]);
    case(json!({}), json!({"o": {"a": 1}}), json!({"o": {"b": 2}}), &[]);
    case(json!({}), json!({"zone": "1"}), json!({"zone": "1"}), &[]);
}

#[test]
fn objects_that_are_missing_are_one_change() {
    let object = json!({"o": {"a": 1, "b": {"c": 2}}});
    case(object.clone(), object, json!({"o": null}), &[r#"o: nothing -> {"a":1,"b":{"c":2}} Drift"#]);
}

#[test]
fn keyed_lists() {
    let rules = |items: Value| json!({"rules": items});
    case(
        rules(json!([{"name": "a", "hosts": ["x", "y"]}, {"name": "b"}])),
        rules(json!([{"name": "a", "hosts": ["x"]}, {"name": "c"}])),
        rules(json!([{"name": "c"}, {"name": "A", "hosts": ["x"], "etag": 1}, {"name": "strange"}])),
        &[
            r#"rules[a]/hosts: ["x"] -> ["x","y"] Edit"#,
            r#"rules[b]: nothing -> {"name":"b"} Edit"#,
            r#"rules[c]: {"name":"c"} -> nothing Edit"#,
            r#"rules[strange]: {"name":"strange"} -> nothing Drift"#,
        ],
    );
    let one = rules(json!([{"name": "a", "hosts": ["x", "y"]}]));
    case(one.clone(), one.clone(), rules(json!([{"name": "a", "hosts": ["y", "x"]}])), &[]);
    case(one.clone(), one, rules(json!([])), &[r#"rules: [] -> [{"hosts":["x","y"],"name":"a"}] Drift"#]);
    case(
        json!({}),
        rules(json!([{"name": "a"}])),
        rules(json!([{"name": "a"}, {"name": "b"}])),
        &[r#"rules[a]: {"name":"a"} -> nothing Edit"#],
    );
}

#[test]
fn strangers_may_share_carried_lists_only() {
    let shared = |items: Value| json!({"shared": items});
    let ours = shared(json!([{"name": "a"}]));
    case(ours.clone(), ours.clone(), shared(json!([{"name": "theirs"}, {"name": "a"}])), &[]);
    case(ours.clone(), ours, shared(json!([{"name": "theirs"}])), &[r#"shared[a]: nothing -> {"name":"a"} Drift"#]);
    case(json!({"shared": []}), json!({"shared": []}), shared(json!([{"name": "theirs"}])), &[]);
}

#[test]
fn plain_lists_are_ours_alone() {
    let list = |items: Value| json!({"list": items});
    case(list(json!(["a"])), list(json!(["a"])), list(json!(["a", "b"])), &[r#"list: ["a","b"] -> ["a"] Drift"#]);
    case(list(json!([])), list(json!([])), list(json!(["b"])), &[r#"list: ["b"] -> [] Drift"#]);
    case(list(json!([])), list(json!([])), json!({}), &[]);
    case(json!({}), json!({}), list(json!(["b"])), &[]);
    case(list(json!([{"a": 1}])), list(json!([{"a": 1}])), list(json!([{"a": 1, "b": 2}])), &[]);
    case(list(json!([{"a": 1}])), list(json!([{"a": 1}])), list(json!([{"a": 2}])), &["list[0]/a: 2 -> 1 Drift"]);
}

#[test]
fn sets_have_no_order() {
    let set = |items: Value| json!({"set": items});
    case(set(json!(["a", "b", "a"])), set(json!([])), set(json!(["b", "a"])), &[]);
    case(set(json!(["a"])), set(json!(["a"])), set(json!(["a", "b"])), &[r#"set: ["a","b"] -> ["a"] Drift"#]);
    case(set(json!([{"c": "x"}])), set(json!([{"c": "x"}])), set(json!([{"c": "x", "added": 0}])), &[]);
    case(json!({"bypass": "A, B"}), json!({"bypass": "A, B"}), json!({"bypass": "B,A"}), &[]);
}

#[test]
fn tags_of_others_are_no_business_of_ours() {
    let tags = |t: Value| json!({"tags": t});
    case(tags(json!({"A": "1"})), tags(json!({"a": "1"})), tags(json!({"a": "1", "policy": "x"})), &[]);
    case(tags(json!({"A": "2"})), tags(json!({"a": "1"})), tags(json!({"a": "1"})), &[r#"tags/A: "1" -> "2" Edit"#]);
    case(tags(json!({})), tags(json!({"a": "1"})), tags(json!({"A": "1"})), &[r#"tags/a: "1" -> nothing Edit"#]);
}

#[test]
fn hidden_values_are_compared_with_our_own_words() {
    let body = json!({"password": "secret:p", "profile": {"secret": "x", "user": "u"}});
    case(body.clone(), body.clone(), json!({"profile": {"user": "u"}}), &[]);
    case(
        json!({"password": "secret:q"}),
        json!({"password": "secret:p"}),
        json!({}),
        &[r#"password: "secret:p" -> "secret:q" Edit"#],
    );
    // Without a history nobody knows what is in there.
    assert_eq!(lines(&json!({"password": "secret:p"}), None, &json!({}), &unknown).len(), 1);
}

#[test]
fn what_cannot_change_forces() {
    case(
        json!({"location": "a"}),
        json!({"location": "b"}),
        json!({"location": "b"}),
        &[r#"location!: "b" -> "a" Edit"#],
    );
    case(json!({"location": "West Europe"}), json!({}), json!({"location": "westeurope"}), &[]);
    case(json!({"key": {"id": 2}}), json!({"key": {"id": 1}}), json!({"key": {"id": 1}}), &["key/id!: 1 -> 2 Edit"]);
    // Not shown by the service, and said before: cannot have changed.
    case(json!({"profile": {"fixed": 1}}), json!({"profile": {"fixed": 1}}), json!({}), &[]);
    case(
        json!({"profile": {"fixed": 2}}),
        json!({"profile": {"fixed": 1}}),
        json!({}),
        &["profile/fixed!: nothing -> 2 Edit"],
    );
}

#[test]
fn prefixes_come_in_one_form_or_the_other() {
    let one = json!({"addressPrefix": "10.0.0.0/24"});
    case(one.clone(), one.clone(), json!({"addressPrefixes": ["10.0.0.0/24"]}), &[]);
    case(
        one.clone(),
        one.clone(),
        json!({"addressPrefix": null, "addressPrefixes": ["x"]}),
        &[r#"addressPrefix: "x" -> "10.0.0.0/24" Drift"#],
    );
    let many = json!({"sourcePortRanges": ["80"]});
    case(many.clone(), many, json!({"sourcePortRange": "80", "sourcePortRanges": []}), &[]);
}

#[test]
fn late_values_are_compared_with_what_azure_told() {
    let late = Late::text(&Address::new("k", "a"), "/id");
    let (body, live) = (json!({"x": late}), json!({"x": "1"}));
    let run = |a: &Value, chosen: Chosen| lines(&body, Some(a), &live, &|_| chosen.clone());
    assert!(run(&body, Chosen::Value(json!("1"))).is_empty());
    assert_eq!(run(&body, Chosen::Value(json!("2"))), [r#"x: "1" -> "2" Drift"#]);
    assert!(run(&body, Chosen::Unknown).is_empty());
    assert_eq!(run(&json!({"x": "0"}), Chosen::Unknown), [r#"x: "1" -> "late:k.a#/id" Edit"#]);
    assert_eq!(run(&body, Chosen::Moving), [r#"x: "1" -> "late:k.a#/id" Drift"#]);
}

/// The answer to a network's PUT with everything that `azure-facts` 2.7 says the service adds or respells.
#[test]
fn a_network_as_azure_answers_it_has_not_drifted() {
    const NETWORK: Kind = Kind {
        keyed: &[("/properties/subnets", "name"), ("/properties/subnets/*/properties/serviceEndpoints", "service")],
        carried: &["/properties/subnets"],
        ..Kind::PLAIN
    };
    let group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network";
    let ours = json!({"location": "westeurope", "tags": {"name": "x"}, "properties": {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/22"]},
        "subnets": [{"name": "SharedSubnet", "properties": {
            "addressPrefix": "10.1.2.128/25", "defaultOutboundAccess": false,
            "networkSecurityGroup": {"id": format!("{group}/networkSecurityGroups/nsg")},
            "serviceEndpoints": [{"service": "Microsoft.Storage"}],
        }}],
    }});
    let mut live = json!({"name": "vnet", "id": "/x", "type": "T", "etag": "W", "location": "westeurope",
        "tags": {"name": "x", "policy": "y"}, "properties": {
        "provisioningState": "Succeeded", "resourceGuid": "g", "enableDdosProtection": false,
        "virtualNetworkPeerings": [], "addressSpace": {"addressPrefixes": ["10.1.0.0/22"]},
        "subnets": [{"name": "theirs", "properties": {"addressPrefix": "10.1.3.0/28"}},
            {"name": "SharedSubnet", "id": "/y", "etag": "W", "properties": {
            "addressPrefixes": ["10.1.2.128/25"], "defaultOutboundAccess": false, "delegations": [],
            "networkSecurityGroup": {"id": format!("{}/networkSecurityGroups/NSG", group.to_lowercase())},
            "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["*"], "provisioningState": "Succeeded"}],
            "privateEndpoints": [{"id": "/z"}], "purpose": "PrivateEndpoints",
        }}],
    }});
    let run = |live: &Value| changes(&Sides { kind: &NETWORK, desired: &ours, applied: Some(&ours), live }, &unknown);
    assert_eq!(run(&live), []);
    live["properties"]["subnets"][1]["properties"]["networkSecurityGroup"] = Value::Null;
    let found = run(&live);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].change.at, "properties/subnets[SharedSubnet]/properties/networkSecurityGroup");
}

/// Bodies with every sort of member that [`KIND`] has a rule for.
fn bodies() -> impl Strategy<Value = Value> {
    let text = || proptest::sample::select(vec!["x", "y", "z"]);
    let texts = || proptest::collection::vec(text(), 0..3);
    let item = (text(), texts()).prop_map(|(name, hosts)| json!({"name": name, "hosts": hosts}));
    let items = || proptest::collection::vec(item.clone(), 0..3);
    let tags = proptest::collection::btree_map(text(), text(), 0..3);
    let plain = proptest::option::of((text(), 0..3_i8).prop_map(|(t, n)| json!({"t": t, "o": {"n": n}})));
    (items(), items(), texts(), texts(), tags, plain).prop_map(|(rules, shared, set, list, tags, plain)| {
        json!({"rules": rules, "shared": shared, "set": set, "list": list, "tags": tags, "plain": plain})
    })
}

proptest! {
    /// A PUT of what we say and of what we carry leaves nothing to do, and takes nothing from strangers.
    #[test]
    fn what_we_send_is_what_we_want(d in bodies(), a in bodies(), l in bodies()) {
        let sent = super::super::merge::with_carried(&KIND, &d, Some(&a), &l);
        prop_assert_eq!(lines(&d, Some(&a), &sent, &unknown), Vec::<String>::new());
        prop_assert_eq!(lines(&d, Some(&d), &sent, &unknown), Vec::<String>::new());
        let names = |body: &Value| by_key(body["shared"].as_array().unwrap(), "name").into_keys().collect::<BTreeSet<_>>();
        let foreign: BTreeSet<String> = names(&l).difference(&names(&a)).cloned().collect();
        prop_assert!(names(&sent).is_superset(&foreign));
    }

    /// Every difference that is found is one, and is shown with both values.
    #[test]
    fn no_change_goes_nowhere(d in bodies(), a in bodies(), l in bodies()) {
        for Found { change, .. } in changes(&Sides { kind: &KIND, desired: &d, applied: Some(&a), live: &l }, &unknown) {
            prop_assert_ne!(&change.from, &change.to, "{}", change.at);
        }
    }
}
