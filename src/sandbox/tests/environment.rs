//! The whole environment, as `azure-facts` spells its bodies and `DESIGN` 3.2 orders them: everything is taken, side by
//! side where the design puts it side by side, and everything goes again.

use serde_json::{Value, json};

use super::network::{bastion_rules, rule};
use super::services::machine;
use super::{Bench, NETWORK, endpoint_body};

const DNS: &str = "2024-06-01";

/// PUTs side by side, all of which must be taken; then enough time for the slowest.
fn together(bench: &mut Bench, writes: &[(String, &str, Value)]) {
    for (path, version, body) in writes {
        let reply = bench.put(path, version, body);
        assert!(reply.status < 300, "{path}: {} {:?}", reply.status, reply.body);
    }
    bench.pass(900);
    for (path, version, _) in writes {
        let read = bench.read(path, version);
        let state = read.pointer("/properties/provisioningState");
        assert!(state.is_none_or(|state| state == "Succeeded"), "{path}: {state:?}");
    }
}

fn net(path: &str) -> String {
    format!("Microsoft.Network/{path}")
}

fn base(bench: &mut Bench) {
    let place = |properties: Value| json!({"location": "westeurope", "tags": {"privaml-environment": "x"}, "properties": properties});
    let ip = json!({"location": "westeurope", "sku": {"name": "Standard", "tier": "Regional"}, "properties": {
        "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "idleTimeoutInMinutes": 4}});
    let shared = [
        rule("batch", "Inbound", 200, "BatchNodeManagement", "VirtualNetwork", &["29877", "29876"]),
        rule("storage", "Outbound", 202, "VirtualNetwork", "Storage", &["445"]),
    ];
    let route = json!([{"name": "DefaultRoute", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.1.1.4"}}]);
    let modes = json!({"location": "global", "properties": {"accessModeSettings": {"queryAccessMode": "Open", "ingestionAccessMode": "Open"}}});
    let mut writes = vec![
        (net("networkSecurityGroups/nsg-bastion-subnet"), NETWORK, place(json!({"securityRules": bastion_rules()}))),
        (net("networkSecurityGroups/nsg-shared"), NETWORK, place(json!({"securityRules": shared}))),
        (net("routeTables/rt"), NETWORK, place(json!({"disableBgpRoutePropagation": true, "routes": route}))),
        (net("publicIPAddresses/pip-fw"), NETWORK, ip.clone()),
        (net("publicIPAddresses/pip-bas"), NETWORK, ip),
        (
            net("firewallPolicies/fp"),
            NETWORK,
            place(
                json!({"sku": {"tier": "Standard"}, "threatIntelMode": "Alert", "dnsSettings": {"enableProxy": true}}),
            ),
        ),
        (
            "Microsoft.OperationalInsights/workspaces/log1".to_owned(),
            "2023-09-01",
            place(
                json!({"sku": {"name": "PerGB2018"}, "retentionInDays": 30, "workspaceCapping": {"dailyQuotaGb": -1}}),
            ),
        ),
        ("Microsoft.Insights/privateLinkScopes/ampls".to_owned(), "2021-09-01", modes),
    ];
    for zone in ZONES {
        writes.push((net(&format!("privateDnsZones/{zone}")), DNS, json!({"location": "global", "properties": {}})));
    }
    together(bench, &writes);
}

const ZONES: [&str; 11] = [
    "privatelink.blob.core.windows.net",
    "privatelink.file.core.windows.net",
    "privatelink.vaultcore.azure.net",
    "privatelink.azurecr.io",
    "privatelink.api.azureml.ms",
    "privatelink.cert.api.azureml.ms",
    "privatelink.notebooks.azure.net",
    "privatelink.monitor.azure.com",
    "privatelink.oms.opinsights.azure.com",
    "privatelink.ods.opinsights.azure.com",
    "privatelink.agentsvc.azure-automation.net",
];

fn network(bench: &mut Bench) {
    let id = |bench: &Bench, path: &str| json!({"id": bench.id(&net(path))});
    let subnets = json!([
        {"name": "AzureFirewallSubnet", "properties": {"addressPrefix": "10.1.1.0/24", "defaultOutboundAccess": false}},
        {"name": "AzureBastionSubnet", "properties": {"addressPrefix": "10.1.2.0/26", "defaultOutboundAccess": false,
            "networkSecurityGroup": id(bench, "networkSecurityGroups/nsg-bastion-subnet")}},
        {"name": "SharedSubnet", "properties": {"addressPrefix": "10.1.2.128/25", "defaultOutboundAccess": false,
            "networkSecurityGroup": id(bench, "networkSecurityGroups/nsg-shared"), "routeTable": id(bench, "routeTables/rt"),
            "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Disabled"}},
    ]);
    let vnet = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/22"]}, "subnets": subnets}});
    let rules = json!({"properties": {"priority": 500, "ruleCollections": [
        {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "arc", "priority": 301, "action": {"type": "Allow"}, "rules": [
            {"ruleType": "ApplicationRule", "name": "studio", "protocols": [{"protocolType": "Https", "port": 443}], "targetFqdns": ["ml.azure.com", "*github.com"], "sourceAddresses": ["10.1.2.128/25"], "terminateTLS": false}]},
        {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "nrc", "priority": 202, "action": {"type": "Allow"}, "rules": [
            {"ruleType": "NetworkRule", "name": "aml", "ipProtocols": ["TCP"], "sourceAddresses": ["10.1.2.128/25"], "destinationAddresses": ["AzureMachineLearning", "Storage.WestEurope"], "destinationPorts": ["443", "8787"]},
            {"ruleType": "NetworkRule", "name": "kms", "ipProtocols": ["TCP"], "sourceAddresses": ["10.1.2.128/25"], "destinationFqdns": ["azkms.core.windows.net"], "destinationPorts": ["1688"]}]}]}});
    together(
        bench,
        &[
            (net("virtualNetworks/vnet"), NETWORK, vnet),
            (net("firewallPolicies/fp/ruleCollectionGroups/rcg"), NETWORK, rules),
        ],
    );
}

fn services(bench: &mut Bench) {
    let configuration = |bench: &Bench, subnet: &str, address: &str| json!([{"name": "c", "properties": {"subnet": {"id": bench.subnet(subnet)}, "publicIPAddress": {"id": bench.id(&net(address))}}}]);
    let firewall = json!({"location": "westeurope", "properties": {"sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "firewallPolicy": {"id": bench.id(&net("firewallPolicies/fp"))}, "ipConfigurations": configuration(bench, "AzureFirewallSubnet", "publicIPAddresses/pip-fw")}});
    let bastion = json!({"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"ipConfigurations": configuration(bench, "AzureBastionSubnet", "publicIPAddresses/pip-bas")}});
    let storage = json!({"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {
        "accessTier": "Hot", "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": true, "allowSharedKeyAccess": false, "publicNetworkAccess": "Disabled",
        "networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": [], "virtualNetworkRules": []},
        "encryption": {"keySource": "Microsoft.Storage", "requireInfrastructureEncryption": true, "services": {"blob": {"enabled": true, "keyType": "Account"}}}}});
    let vault = json!({"location": "westeurope", "properties": {"tenantId": bench.world.tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": true,
        "accessPolicies": [], "enableSoftDelete": true, "softDeleteRetentionInDays": 90, "enablePurgeProtection": true, "publicNetworkAccess": "Disabled",
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}}});
    let registry = json!({"location": "westeurope", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": false, "publicNetworkAccess": "Disabled",
        "dataEndpointEnabled": true, "networkRuleSet": {"defaultAction": "Deny", "ipRules": []}, "policies": {"exportPolicy": {"status": "disabled"}}}});
    let insights = json!({"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web", "Flow_Type": "Bluefield", "Request_Source": "rest",
        "WorkspaceResourceId": bench.id("Microsoft.OperationalInsights/workspaces/log1"), "IngestionMode": "LogAnalytics"}});
    let nic = json!({"location": "westeurope", "properties": {"ipConfigurations": [{"name": "internalIPConfig", "properties": {"privateIPAllocationMethod": "Dynamic", "subnet": {"id": bench.subnet("SharedSubnet")}}}]}});
    let linked = json!({"properties": {"linkedResourceId": bench.id("Microsoft.OperationalInsights/workspaces/log1")}});
    let mut writes = vec![
        (net("azureFirewalls/fw"), NETWORK, firewall),
        (net("bastionHosts/bas"), NETWORK, bastion),
        ("Microsoft.Storage/storageAccounts/stgtest1234".to_owned(), "2023-05-01", storage),
        ("Microsoft.KeyVault/vaults/kv-test1234".to_owned(), "2026-02-01", vault),
        ("Microsoft.ContainerRegistry/registries/acrtest1234".to_owned(), "2025-11-01", registry),
        ("Microsoft.Insights/components/appi".to_owned(), "2020-02-02", insights),
        ("Microsoft.Insights/privateLinkScopes/ampls/scopedResources/log".to_owned(), "2021-09-01", linked),
        (net("networkInterfaces/nic-vm"), NETWORK, nic),
    ];
    for zone in ZONES {
        let body = json!({"location": "global", "properties": {"registrationEnabled": false, "resolutionPolicy": "Default", "virtualNetwork": {"id": bench.id(&net("virtualNetworks/vnet"))}}});
        writes.push((net(&format!("privateDnsZones/{zone}/virtualNetworkLinks/link")), DNS, body));
    }
    together(bench, &writes);
}

fn workspace(bench: &mut Bench) {
    let id = |bench: &Bench, path: &str| bench.id(path);
    let body = json!({"location": "westeurope", "kind": "Default", "identity": {"type": "SystemAssigned"}, "sku": {"name": "Basic", "tier": "Basic"}, "properties": {
        "storageAccount": id(bench, "Microsoft.Storage/storageAccounts/stgtest1234"), "keyVault": id(bench, "Microsoft.KeyVault/vaults/kv-test1234"),
        "applicationInsights": id(bench, "Microsoft.Insights/components/appi"), "containerRegistry": id(bench, "Microsoft.ContainerRegistry/registries/acrtest1234"),
        "publicNetworkAccess": "Disabled", "v1LegacyMode": false, "hbiWorkspace": false, "systemDatastoresAuthMode": "Identity", "managedNetwork": {"isolationMode": "Disabled"}}});
    let vm = machine(&bench.id(&net("networkInterfaces/nic-vm")));
    let scoped = json!({"properties": {"linkedResourceId": bench.id("Microsoft.Insights/components/appi")}});
    let secret = json!({"properties": {"value": "Aa1_Aa1_Aa1_Aa1_"}});
    together(
        bench,
        &[
            ("Microsoft.MachineLearningServices/workspaces/ml-test1234".to_owned(), "2025-06-01", body),
            ("Microsoft.Compute/virtualMachines/vm".to_owned(), "2024-07-01", vm),
            ("Microsoft.Insights/privateLinkScopes/ampls/scopedResources/appi".to_owned(), "2021-09-01", scoped),
            ("Microsoft.KeyVault/vaults/kv-test1234/secrets/jumpbox-password".to_owned(), "2026-02-01", secret),
        ],
    );
}

fn endpoints(bench: &mut Bench) {
    let subnet = bench.subnet("SharedSubnet");
    let pe = |bench: &Bench, name: &str, target: &str, group: &str| {
        (
            net(&format!("privateEndpoints/pe-{name}")),
            NETWORK,
            endpoint_body(&subnet, &bench.id(target), group, &format!("nic-pe-{name}")),
        )
    };
    let writes = [
        pe(bench, "blob", "Microsoft.Storage/storageAccounts/stgtest1234", "blob"),
        pe(bench, "kv", "Microsoft.KeyVault/vaults/kv-test1234", "vault"),
        pe(bench, "acr", "Microsoft.ContainerRegistry/registries/acrtest1234", "registry"),
        pe(bench, "ml", "Microsoft.MachineLearningServices/workspaces/ml-test1234", "amlworkspace"),
        pe(bench, "ampls", "Microsoft.Insights/privateLinkScopes/ampls", "azuremonitor"),
    ];
    together(bench, &writes);
    let file = [pe(bench, "file", "Microsoft.Storage/storageAccounts/stgtest1234", "file")];
    together(bench, &file);
    let zones: [(&str, &[&str]); 6] = [
        ("blob", &ZONES[..1]),
        ("file", &ZONES[1..2]),
        ("kv", &ZONES[2..3]),
        ("acr", &ZONES[3..4]),
        ("ml", &ZONES[4..7]),
        (
            "ampls",
            &[
                "privatelink.monitor.azure.com",
                "privatelink.oms.opinsights.azure.com",
                "privatelink.ods.opinsights.azure.com",
                "privatelink.agentsvc.azure-automation.net",
                "privatelink.blob.core.windows.net",
            ],
        ),
    ];
    let groups: Vec<(String, &str, Value)> = zones.iter().map(|(name, zones)| {
        let configs: Vec<Value> = zones.iter().map(|z| json!({"name": z.replace('.', "-"), "properties": {"privateDnsZoneId": bench.id(&net(&format!("privateDnsZones/{z}")))}})).collect();
        (net(&format!("privateEndpoints/pe-{name}/privateDnsZoneGroups/default")), NETWORK, json!({"properties": {"privateDnsZoneConfigs": configs}}))
    }).collect();
    together(bench, &groups);
}

#[test]
fn the_whole_environment_comes_and_goes() {
    let mut bench = Bench::new();
    base(&mut bench);
    network(&mut bench);
    services(&mut bench);
    workspace(&mut bench);
    endpoints(&mut bench);
    let nic = "Microsoft.Network/networkInterfaces/nic-pe-blob/providers/Microsoft.Insights/diagnosticSettings/d";
    let metrics = json!({"properties": {"workspaceId": bench.id("Microsoft.OperationalInsights/workspaces/log1"), "metrics": [{"category": "AllMetrics", "enabled": true}]}});
    assert_eq!(bench.put(nic, "2021-05-01-preview", &metrics).status, 200);
    let records = bench.read(&net("privateDnsZones/privatelink.blob.core.windows.net/A"), DNS);
    let names: Vec<&str> = records["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["scadvisorcontentpl", "stgtest1234"]);
    // Everything read can be written again: what the server adds does not stand in the way.
    let all: Vec<(String, String)> = bench
        .world
        .resources
        .values()
        .filter(|r| !r.arm_type.ends_with("/resourceGroups") && !r.arm_type.ends_with("/secrets"))
        .map(|r| (r.id.to_string(), r.arm_type.clone()))
        .collect();
    for (id, arm_type) in all {
        let version = *crate::sandbox::provider::card(&arm_type).unwrap().versions.last().unwrap();
        let body = bench.read(&id, version);
        let reply = bench.put(&id, version, &body);
        assert!(reply.status < 300, "{id}: {:?}", reply.body);
        bench.pass(900);
    }
    assert_eq!(bench.delete("/resourceGroups/g", "2021-04-01").status, 202);
    bench.pass(3600);
    assert_eq!(bench.get("/resourceGroups/g", "2021-04-01").status, 404);
    assert!(bench.world.is_empty(), "{:?}", bench.world.resources.keys());
}
