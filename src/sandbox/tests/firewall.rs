//! Firewalls and their policies, Bastion, public addresses.

use serde_json::{Value, json};

use super::network::{VNET, subnet, vnet};
use super::{Bench, NETWORK};

fn firewall(bench: &Bench, subnet: &str, address: &str) -> Value {
    json!({"location": "westeurope", "properties": {"sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": bench.subnet(subnet)}, "publicIPAddress": {"id": address}}}]}})
}

const FIREWALL: &str = "Microsoft.Network/azureFirewalls/f";

#[test]
fn a_firewall_takes_the_first_address_and_names_it_when_up() {
    let mut bench = Bench::new();
    bench.network();
    let address = bench.address("p");
    let wrong = firewall(&bench, "SharedSubnet", &address);
    bench.refuse(FIREWALL, NETWORK, &wrong, 400, "AzureFirewallInvalidSubnet");
    let body = firewall(&bench, "AzureFirewallSubnet", &address);
    let made = bench.put(FIREWALL, NETWORK, &body);
    assert_eq!(made.status, 201);
    let first = "/properties/ipConfigurations/0/properties/privateIPAddress";
    assert_eq!(made.body.unwrap().pointer(first), None);
    bench.pass(359);
    assert_eq!(bench.read(FIREWALL, NETWORK)["properties"]["provisioningState"], "Updating");
    bench.pass(1);
    assert_eq!(bench.read(FIREWALL, NETWORK).pointer(first), Some(&json!("10.1.1.4")));
    bench.keep("Microsoft.Network/publicIPAddresses/p", NETWORK, 400, "PublicIPAddressCannotBeDeleted");
    bench.keep(VNET, NETWORK, 400, "InUseSubnetCannotBeDeleted");
    bench.keep(
        "Microsoft.Network/virtualNetworks/vnet/subnets/AzureFirewallSubnet",
        NETWORK,
        400,
        "InUseSubnetCannotBeDeleted",
    );
    bench.refuse(VNET, NETWORK, &vnet(&json!([])), 400, "InUseSubnetCannotBeDeleted");
    bench.refuse(
        VNET,
        NETWORK,
        &vnet(&json!([subnet("AzureFirewallSubnet", "10.1.1.0/25")])),
        400,
        "InUseSubnetCannotBeUpdated",
    );
    let back = bench.read(VNET, NETWORK);
    assert!(back.pointer("/properties/subnets/0/properties/ipConfigurations/0/id").is_some());
    bench.unmake(FIREWALL, NETWORK);
    assert_eq!(bench.make(FIREWALL, NETWORK, &body).pointer(first), Some(&json!("10.1.1.4")));
}

#[test]
fn firewall_and_bastion_subnets_need_a_26() {
    let mut bench = Bench::new();
    let address = bench.address("p");
    bench.make(
        VNET,
        NETWORK,
        &vnet(&json!([subnet("AzureFirewallSubnet", "10.1.1.0/27"), subnet("AzureBastionSubnet", "10.1.2.0/27")])),
    );
    let body = firewall(&bench, "AzureFirewallSubnet", &address);
    bench.refuse(FIREWALL, NETWORK, &body, 400, "AzureFirewallInvalidSubnet");
    let body = firewall(&bench, "AzureBastionSubnet", &address);
    bench.refuse("Microsoft.Network/bastionHosts/b", NETWORK, &body, 400, "BastionHostInvalidSubnet");
}

#[test]
fn a_bastion_takes_its_subnet_and_address() {
    let mut bench = Bench::new();
    bench.network();
    let address = bench.address("p");
    let mut body = firewall(&bench, "AzureBastionSubnet", &address);
    body["sku"] = json!({"name": "Standard"});
    body["properties"].as_object_mut().unwrap().remove("sku");
    let read = bench.make("Microsoft.Network/bastionHosts/b", NETWORK, &body);
    assert!(read["properties"]["dnsName"].as_str().unwrap().ends_with(".bastion.azure.com"));
    assert_eq!(read["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"], address);
    body["sku"] = json!({"name": "Basic"});
    bench.refuse("Microsoft.Network/bastionHosts/b", NETWORK, &body, 400, "BastionHostSkuDowngradeNotAllowed");
    body["sku"] = json!({"name": "Basic"});
    body["properties"]["disableCopyPaste"] = json!(true);
    bench.refuse("Microsoft.Network/bastionHosts/c", NETWORK, &body, 400, "BastionHostFeatureNotSupportedForSku");
    bench.refuse(FIREWALL, NETWORK, &firewall(&bench, "AzureFirewallSubnet", &address), 400, "PublicIPAddressInUse");
}

#[test]
fn basic_or_dynamic_addresses_are_gone() {
    let mut bench = Bench::new();
    let path = "Microsoft.Network/publicIPAddresses/p";
    let body = |sku: &str, method: &str| json!({"location": "westeurope", "sku": {"name": sku}, "properties": {"publicIPAllocationMethod": method}});
    bench.refuse(path, NETWORK, &body("Basic", "Static"), 400, "IPv4BasicSkuPublicIpCountLimitReached");
    bench.refuse(path, NETWORK, &body("Standard", "Dynamic"), 400, "PublicIPAndSkuAllocationMethodMismatch");
}

const POLICY: &str = "Microsoft.Network/firewallPolicies/fp";

fn rules(kind: &str, rules: &Value) -> Value {
    json!({"properties": {"priority": 500, "ruleCollections": [{"ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": kind, "priority": 300, "action": {"type": "Allow"}, "rules": rules}]}})
}

fn app(host: &str) -> Value {
    rules(
        "a",
        &json!([{"ruleType": "ApplicationRule", "name": "r", "sourceAddresses": ["10.0.0.0/8"], "targetFqdns": [host],
        "protocols": [{"protocolType": "Https", "port": 443}]}]),
    )
}

#[test]
fn firewall_rules_take_one_asterisk_at_the_left() {
    let mut bench = Bench::new();
    bench.make(POLICY, NETWORK, &json!({"location": "westeurope", "properties": {}}));
    let group = format!("{POLICY}/ruleCollectionGroups/g");
    for host in ["www.*.com", "a.b.*", "https://a.b", "a.b/c", "**.a"] {
        bench.refuse(&group, NETWORK, &app(host), 400, "FirewallPolicyRuleCollectionGroupInvalid");
    }
    for host in ["*.github.com", "*github.com", "ml.azure.com", "169.254.169.254"] {
        bench.make(&group, NETWORK, &app(host));
    }
}

#[test]
fn firewall_rules_and_collections_are_checked() {
    let mut bench = Bench::new();
    bench.make(POLICY, NETWORK, &json!({"location": "westeurope", "properties": {}}));
    let group = format!("{POLICY}/ruleCollectionGroups/g");
    let net = |part: &str, value: Value| {
        let mut rule = json!({"ruleType": "NetworkRule", "name": "r", "ipProtocols": ["TCP"], "sourceAddresses": ["10.0.0.0/8"],
            "destinationAddresses": ["AzureMachineLearning"], "destinationPorts": ["443"]});
        rule[part] = value;
        rules("n", &json!([rule]))
    };
    for (part, value) in [
        ("ipProtocols", json!([])),
        ("destinationAddresses", json!(["Nowhere"])),
        ("destinationPorts", json!(["x"])),
        ("sourceAddresses", json!([])),
        ("destinationFqdns", json!(["time.windows.com"])),
        ("ruleType", json!("Other")),
    ] {
        bench.refuse(&group, NETWORK, &net(part, value), 400, "FirewallPolicyRuleCollectionGroupInvalid");
    }
    let mut low = app("a.b");
    low["properties"]["priority"] = json!(99);
    bench.refuse(&group, NETWORK, &low, 400, "FirewallPolicyRuleCollectionGroupInvalid");
    bench.make(
        POLICY,
        NETWORK,
        &json!({"location": "westeurope", "properties": {"dnsSettings": {"enableProxy": true}}}),
    );
    bench.make(&group, NETWORK, &net("destinationFqdns", json!(["time.windows.com"])));
}

#[test]
fn a_policy_locks_for_groups_and_firewalls() {
    let mut bench = Bench::new();
    bench.network();
    let address = bench.address("p");
    bench.put(POLICY, NETWORK, &json!({"location": "westeurope", "properties": {}}));
    let (one, two) = (format!("{POLICY}/ruleCollectionGroups/one"), format!("{POLICY}/ruleCollectionGroups/two"));
    bench.refuse(&one, NETWORK, &app("a.b"), 409, "AnotherOperationInProgress");
    bench.pass(900);
    bench.put(&one, NETWORK, &app("a.b"));
    bench.refuse(&two, NETWORK, &app("a.b"), 409, "AnotherOperationInProgress");
    bench.pass(900);
    let mut body = firewall(&bench, "AzureFirewallSubnet", &address);
    body["properties"]["firewallPolicy"] = json!({"id": bench.id(POLICY)});
    bench.put(FIREWALL, NETWORK, &body);
    bench.refuse(&two, NETWORK, &app("a.b"), 409, "FirewallPolicyUpdateFailed");
    bench.pass(900);
    bench.keep(POLICY, NETWORK, 400, "FirewallPolicyCannotBeDeleted");
    body["properties"]["applicationRuleCollections"] =
        json!([{"name": "x", "properties": {"priority": 100, "rules": []}}]);
    bench.refuse(FIREWALL, NETWORK, &body, 400, "AzureFirewallPolicyAndRuleCollectionsConflict");
    assert_eq!(bench.read(POLICY, NETWORK)["properties"]["firewalls"][0]["id"], bench.id(FIREWALL));
}
