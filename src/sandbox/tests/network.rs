//! Networks, security groups, routes, network cards.

use serde_json::{Value, json};

use super::{Bench, NETWORK};

pub(super) const VNET: &str = "Microsoft.Network/virtualNetworks/vnet";
const NSG: &str = "Microsoft.Network/networkSecurityGroups/n";

pub(super) fn vnet(subnets: &Value) -> Value {
    json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/22"]}, "subnets": subnets}})
}

pub(super) fn subnet(name: &str, range: &str) -> Value {
    json!({"name": name, "properties": {"addressPrefix": range}})
}

pub(super) fn rule(
    name: &str,
    direction: &str,
    priority: u32,
    source: &str,
    destination: &str,
    ports: &[&str],
) -> Value {
    json!({"name": name, "properties": {"priority": priority, "direction": direction, "access": "Allow", "protocol": "*",
        "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": destination, "destinationPortRanges": ports}})
}

pub(super) fn bastion_rules() -> Vec<Value> {
    vec![
        rule("a", "Inbound", 4000, "Internet", "*", &["443"]),
        rule("b", "Inbound", 4001, "GatewayManager", "*", &["443"]),
        rule("c", "Inbound", 4002, "AzureLoadBalancer", "*", &["443"]),
        rule("d", "Inbound", 4003, "VirtualNetwork", "VirtualNetwork", &["8080", "5701"]),
        rule("e", "Outbound", 4020, "*", "VirtualNetwork", &["22", "3389"]),
        rule("f", "Outbound", 4021, "*", "AzureCloud", &["443"]),
        rule("g", "Outbound", 4022, "VirtualNetwork", "VirtualNetwork", &["8080", "5701"]),
        rule("h", "Outbound", 4023, "*", "Internet", &["80"]),
    ]
}

fn group(rules: &[Value]) -> Value {
    json!({"location": "westeurope", "properties": {"securityRules": rules}})
}

#[test]
fn subnets_lie_inside_and_apart() {
    let mut bench = Bench::new();
    let cases = [
        (json!([subnet("a", "10.2.0.0/24")]), "NetcfgInvalidSubnet"),
        (json!([subnet("a", "10.1.0.0/24"), subnet("b", "10.1.0.128/25")]), "NetcfgSubnetRangesOverlap"),
        (json!([subnet("a", "10.1.0.1/24")]), "InvalidCIDRNotation"),
        (json!([subnet("-a", "10.1.0.0/24")]), "InvalidResourceName"),
    ];
    for (subnets, code) in cases {
        bench.refuse(VNET, NETWORK, &vnet(&subnets), 400, code);
    }
    let mut bad = vnet(&json!([]));
    bad["properties"]["addressSpace"]["addressPrefixes"] = json!(["10.1.0.0/33"]);
    bench.refuse(VNET, NETWORK, &bad, 400, "InvalidCIDRNotation");
}

#[test]
fn a_network_shows_what_arm_fills_in() {
    let mut bench = Bench::new();
    let read = bench.network();
    let shared = &read["properties"]["subnets"][2];
    assert_eq!(shared["id"], bench.subnet("SharedSubnet"));
    assert_eq!(shared["properties"]["privateEndpointNetworkPolicies"], "Disabled");
    assert_eq!(shared["properties"]["provisioningState"], "Succeeded");
    assert!(read["etag"].as_str().unwrap().starts_with("W/\""));
    assert!(read["properties"]["resourceGuid"].is_string());
}

#[test]
fn a_put_without_subnets_leaves_them_alone() {
    let mut bench = Bench::new();
    bench.network();
    let body = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/22"]}}});
    assert_eq!(bench.make(VNET, NETWORK, &body)["properties"]["subnets"].as_array().unwrap().len(), 3);
    assert_eq!(bench.make(VNET, NETWORK, &vnet(&json!([])))["properties"]["subnets"], json!([]));
}

#[test]
fn subnets_are_resources_of_their_own() {
    let mut bench = Bench::new();
    bench.network();
    let path = "Microsoft.Network/virtualNetworks/vnet/subnets/extra";
    let made = bench.put(path, NETWORK, &json!({"properties": {"addressPrefix": "10.1.3.0/24"}}));
    assert_eq!(made.status, 201);
    // The network is one lock: a second subnet must wait.
    bench.refuse(
        "Microsoft.Network/virtualNetworks/vnet/subnets/more",
        NETWORK,
        &json!({"properties": {"addressPrefix": "10.1.0.0/26"}}),
        409,
        "AnotherOperationInProgress",
    );
    bench.pass(10);
    assert_eq!(bench.read(path, NETWORK)["properties"]["provisioningState"], "Succeeded");
    bench.refuse(
        "Microsoft.Network/virtualNetworks/vnet/subnets/more",
        NETWORK,
        &json!({"properties": {"addressPrefix": "10.1.3.0/26"}}),
        400,
        "NetcfgSubnetRangesOverlap",
    );
    bench.unmake(path, NETWORK);
}

#[test]
fn a_busy_reference_is_retryable() {
    let mut bench = Bench::new();
    bench.put(NSG, NETWORK, &group(&[]));
    let mut shared = subnet("s", "10.1.0.0/24");
    shared["properties"]["networkSecurityGroup"] = json!({"id": bench.id(NSG)});
    let reply = bench.put(VNET, NETWORK, &vnet(&json!([shared])));
    assert_eq!((reply.status, reply.code()), (429, Some("RetryableError")));
    assert_eq!(reply.body.unwrap()["error"]["details"][0]["code"], "ReferencedResourceNotProvisioned");
    bench.pass(5);
    assert_eq!(bench.put(VNET, NETWORK, &vnet(&json!([shared]))).status, 201);
}

#[test]
fn security_rules_are_checked() {
    let mut bench = Bench::new();
    let good = rule("a", "Inbound", 100, "*", "*", &["443"]);
    let change = |at: &str, value: Value| {
        let mut bad = good.clone();
        bad["properties"][at] = value;
        bad
    };
    let cases = [
        (change("priority", json!(99)), "SecurityRuleInvalidPriority"),
        (change("protocol", json!("Smoke")), "SecurityRuleInvalidProtocol"),
        (change("sourceAddressPrefix", json!("10.0.0.1/8")), "SecurityRuleInvalidAddressPrefix"),
        (change("sourceAddressPrefix", json!("NoSuchTag")), "SecurityRuleInvalidAddressPrefix"),
        (change("sourceAddressPrefixes", json!(["10.0.0.0/8"])), "SecurityRuleParameterContradiction"),
        (change("destinationPortRanges", json!(["443-80"])), "SecurityRuleInvalidPortRange"),
        (change("description", json!("x".repeat(141))), "SecurityRuleInvalidDescription"),
    ];
    for (bad, code) in cases {
        bench.refuse(NSG, NETWORK, &group(&[bad]), 400, code);
    }
    let twin = rule("b", "Inbound", 100, "*", "*", &["80"]);
    bench.refuse(NSG, NETWORK, &group(&[good.clone(), twin]), 400, "SecurityRuleConflict");
    let other = rule("b", "Outbound", 100, "*", "*", &["80"]);
    let read = bench.make(NSG, NETWORK, &group(&[good, other]));
    assert_eq!(read["properties"]["defaultSecurityRules"].as_array().unwrap().len(), 6);
    assert_eq!(
        bench.read("Microsoft.Network/networkSecurityGroups/n/securityRules/b", NETWORK)["properties"]["priority"],
        100
    );
}

#[test]
fn bastion_needs_each_of_its_eight_rules() {
    let mut bench = Bench::new();
    let mut place = subnet("AzureBastionSubnet", "10.1.2.0/26");
    place["properties"]["networkSecurityGroup"] = json!({"id": bench.id(NSG)});
    for missing in 0..8 {
        let mut rules = bastion_rules();
        rules.remove(missing);
        bench.make(NSG, NETWORK, &group(&rules));
        bench.refuse(
            VNET,
            NETWORK,
            &vnet(&json!([place])),
            400,
            "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
        );
    }
    let mut denied = bastion_rules();
    let mut deny = rule("deny", "Inbound", 200, "*", "*", &["0-65535"]);
    deny["properties"]["access"] = json!("Deny");
    denied.push(deny);
    bench.make(NSG, NETWORK, &group(&denied));
    bench.refuse(VNET, NETWORK, &vnet(&json!([place])), 400, "NetworkSecurityGroupNotCompliantForAzureBastionSubnet");
    bench.make(NSG, NETWORK, &group(&bastion_rules()));
    bench.make(VNET, NETWORK, &vnet(&json!([place])));
    // Attached, the group may not lose a rule any more.
    bench.refuse(
        NSG,
        NETWORK,
        &group(&bastion_rules()[1..]),
        400,
        "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
    );
    bench.keep(NSG, NETWORK, 400, "InUseNetworkSecurityGroupCannotBeDeleted");
}

#[test]
fn operators_may_narrow_bastions_internet_rule() {
    let mut bench = Bench::new();
    let mut rules = bastion_rules();
    rules[0]["properties"]["sourceAddressPrefix"] = json!("198.51.100.0/24");
    bench.make(NSG, NETWORK, &group(&rules));
    let mut place = subnet("AzureBastionSubnet", "10.1.2.0/26");
    place["properties"]["networkSecurityGroup"] = json!({"id": bench.id(NSG)});
    bench.make(VNET, NETWORK, &vnet(&json!([place])));
}

#[test]
fn the_special_subnets_refuse_groups_and_routes() {
    let mut bench = Bench::new();
    bench.make(NSG, NETWORK, &group(&[]));
    let mut firewall = subnet("AzureFirewallSubnet", "10.1.1.0/24");
    firewall["properties"]["networkSecurityGroup"] = json!({"id": bench.id(NSG)});
    bench.refuse(
        VNET,
        NETWORK,
        &vnet(&json!([firewall])),
        400,
        "NetworkSecurityGroupNotSupportedOnAzureFirewallSubnet",
    );
    bench.make("Microsoft.Network/routeTables/r", NETWORK, &json!({"location": "westeurope"}));
    let mut bastion = subnet("AzureBastionSubnet", "10.1.2.0/26");
    bastion["properties"]["routeTable"] = json!({"id": bench.id("Microsoft.Network/routeTables/r")});
    bench.refuse(VNET, NETWORK, &vnet(&json!([bastion])), 400, "RouteTableCannotBeAttachedForAzureBastionSubnet");
}

#[test]
fn routes_are_checked_and_tables_in_use_stay() {
    let mut bench = Bench::new();
    let path = "Microsoft.Network/routeTables/r";
    let table = |prefix: &str, hop: &str, next: Value| json!({"location": "westeurope", "properties": {"routes": [{"name": "d", "properties": {"addressPrefix": prefix, "nextHopType": hop, "nextHopIpAddress": next}}]}});
    bench.refuse(path, NETWORK, &table("0.0.0.0/0", "Teleport", Value::Null), 400, "InvalidNextHopType");
    bench.refuse(path, NETWORK, &table("0.0.0.0/0", "VirtualAppliance", Value::Null), 400, "InvalidNextHopIpAddress");
    bench.refuse(path, NETWORK, &table("everywhere", "Internet", Value::Null), 400, "InvalidAddressPrefixFormat");
    let read = bench.make(path, NETWORK, &table("0.0.0.0/0", "VirtualAppliance", json!("10.1.1.4")));
    assert_eq!(read["properties"]["routes"][0]["properties"]["hasBgpOverride"], false);
    let mut shared = subnet("s", "10.1.0.0/24");
    shared["properties"]["routeTable"] = json!({"id": bench.id(path)});
    bench.make(VNET, NETWORK, &vnet(&json!([shared])));
    assert!(bench.read(path, NETWORK)["properties"]["subnets"][0]["id"].is_string());
    bench.keep(path, NETWORK, 400, "InUseRouteTableCannotBeDeleted");
}

#[test]
fn cards_get_addresses_and_keep_them() {
    let mut bench = Bench::new();
    bench.network();
    let body = |subnet: String| json!({"location": "westeurope", "properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": subnet}}}]}});
    let shared = bench.subnet("SharedSubnet");
    let at = "/properties/ipConfigurations/0/properties/privateIPAddress";
    let (one, two) = ("Microsoft.Network/networkInterfaces/one", "Microsoft.Network/networkInterfaces/two");
    assert_eq!(bench.make(one, NETWORK, &body(shared.clone())).pointer(at), Some(&json!("10.1.2.132")));
    assert_eq!(bench.make(two, NETWORK, &body(shared.clone())).pointer(at), Some(&json!("10.1.2.133")));
    assert_eq!(bench.make(one, NETWORK, &body(shared.clone())).pointer(at), Some(&json!("10.1.2.132")));
    let mut fixed = body(shared);
    fixed["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = json!("10.1.2.133");
    bench.refuse("Microsoft.Network/networkInterfaces/three", NETWORK, &fixed, 400, "PrivateIPAddressIsAllocated");
    fixed["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = json!("10.1.2.129");
    bench.refuse("Microsoft.Network/networkInterfaces/three", NETWORK, &fixed, 400, "PrivateIPAddressNotInSubnet");
    let special = body(bench.subnet("AzureBastionSubnet"));
    bench.refuse(
        "Microsoft.Network/networkInterfaces/three",
        NETWORK,
        &special,
        400,
        "SubnetWithExternalResourcesCannotBeUsedByOtherResources",
    );
}

#[test]
fn a_peering_stands_in_its_network_and_connects_once_both_sides_are_there() {
    let mut bench = Bench::new();
    bench.network();
    let lab = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.50.0.0/16"]}}});
    bench.make("Microsoft.Network/virtualNetworks/lab", NETWORK, &lab);
    let peering = |to: String| json!({"properties": {"remoteVirtualNetwork": {"id": to}}});
    let (here, there) =
        (bench.id("Microsoft.Network/virtualNetworks/vnet"), bench.id("Microsoft.Network/virtualNetworks/lab"));
    bench.make(&format!("{here}/virtualNetworkPeerings/to-lab"), NETWORK, &peering(there.clone()));
    let shown = bench.read(&here, NETWORK);
    let own = &shown["properties"]["virtualNetworkPeerings"][0]["properties"];
    assert_eq!(own["peeringState"], "Initiated");
    assert_eq!(own["remoteAddressSpace"]["addressPrefixes"][0], "10.50.0.0/16");
    bench.make(&format!("{there}/virtualNetworkPeerings/back"), NETWORK, &peering(here.clone()));
    let shown = bench.read(&format!("{here}/virtualNetworkPeerings/to-lab"), NETWORK);
    assert_eq!(shown["properties"]["peeringState"], "Connected");
    bench.unmake(&format!("{here}/virtualNetworkPeerings/to-lab"), NETWORK);
}
