//! Private endpoints, zones, links, records.

use serde_json::{Value, json};

use super::{Bench, NETWORK, endpoint_body, storage_body};

const DNS: &str = "2024-06-01";
const PE: &str = "Microsoft.Network/privateEndpoints/pe1";

fn zone(bench: &mut Bench, name: &str) -> String {
    let path = format!("Microsoft.Network/privateDnsZones/{name}");
    bench.make(&path, DNS, &json!({"location": "global"}));
    bench.id(&path)
}

fn zone_group(zones: &[String]) -> Value {
    let configs: Vec<Value> = zones.iter().map(|id| json!({"name": id.rsplit('/').next().unwrap().replace('.', "-"), "properties": {"privateDnsZoneId": id}})).collect();
    json!({"properties": {"privateDnsZoneConfigs": configs}})
}

#[test]
fn an_endpoint_brings_its_card_and_connection() {
    let mut bench = Bench::new();
    bench.network();
    let storage = bench.storage();
    let body = endpoint_body(&bench.subnet("SharedSubnet"), &storage, "Blob", "nic-pe1");
    let read = bench.make(PE, NETWORK, &body);
    let card = bench.id("Microsoft.Network/networkInterfaces/nic-pe1");
    assert_eq!(read["properties"]["networkInterfaces"][0]["id"], card);
    assert_eq!(
        read.pointer("/properties/privateLinkServiceConnections/0/properties/privateLinkServiceConnectionState/status"),
        Some(&json!("Approved"))
    );
    assert_eq!(
        read["properties"]["customDnsConfigs"][0],
        json!({"fqdn": "stg1.blob.core.windows.net", "ipAddresses": ["10.1.2.132"]})
    );
    let nic = bench.read(&card, NETWORK);
    assert_eq!(
        nic.pointer("/properties/ipConfigurations/0/properties/privateLinkConnectionProperties/fqdns/0"),
        Some(&json!("stg1.blob.core.windows.net"))
    );
    let account = bench.read(&storage, "2023-05-01");
    assert_eq!(
        account.pointer("/properties/privateEndpointConnections/0/properties/privateLinkServiceConnectionState/status"),
        Some(&json!("Approved"))
    );
    bench.keep(&card, NETWORK, 400, "NicInUse");
    let network = bench.read("Microsoft.Network/virtualNetworks/vnet", NETWORK);
    assert!(network.pointer("/properties/subnets/2/properties/privateEndpoints/0/id").is_some());
    bench.unmake(PE, NETWORK);
    assert_eq!(bench.get(&card, NETWORK).status, 404);
    assert!(bench.world.leases.is_empty());
}

#[test]
fn endpoints_check_target_and_group() {
    let mut bench = Bench::new();
    bench.network();
    let subnet = bench.subnet("SharedSubnet");
    bench.put("Microsoft.Storage/storageAccounts/stg1", "2023-05-01", &storage_body());
    let storage = bench.id("Microsoft.Storage/storageAccounts/stg1");
    bench.refuse(PE, NETWORK, &endpoint_body(&subnet, &storage, "blob", "n"), 409, "StorageAccountOperationInProgress");
    bench.put(
        "Microsoft.ContainerRegistry/registries/acr12",
        "2025-11-01",
        &json!({"location": "westeurope", "sku": {"name": "Basic"}}),
    );
    let registry = bench.id("Microsoft.ContainerRegistry/registries/acr12");
    bench.refuse(
        PE,
        NETWORK,
        &endpoint_body(&subnet, &registry, "registry", "n"),
        400,
        "AccountProvisioningStateInvalid",
    );
    bench.pass(60);
    bench.refuse(
        PE,
        NETWORK,
        &endpoint_body(&subnet, &registry, "registry", "n"),
        400,
        "PrivateEndpointNotSupportedForSku",
    );
    bench.refuse(PE, NETWORK, &endpoint_body(&subnet, &storage, "vault", "n"), 400, "PrivateEndpointInvalidGroupIds");
    bench.make(PE, NETWORK, &endpoint_body(&subnet, &storage, "blob", "n"));
    bench.refuse(PE, NETWORK, &endpoint_body(&subnet, &storage, "blob", "other"), 409, "PropertyChangeNotAllowed");
}

#[test]
fn one_account_takes_one_endpoint_at_a_time() {
    let mut bench = Bench::new();
    bench.network();
    let (subnet, storage) = (bench.subnet("SharedSubnet"), bench.storage());
    bench.put(PE, NETWORK, &endpoint_body(&subnet, &storage, "blob", "n1"));
    let second = "Microsoft.Network/privateEndpoints/pe2";
    let body = endpoint_body(&subnet, &storage, "file", "n2");
    bench.refuse(second, NETWORK, &body, 409, "StorageAccountOperationInProgress");
    bench.refuse(&storage, "2023-05-01", &storage_body(), 409, "StorageAccountOperationInProgress");
    let vault = bench.vault();
    bench.pass(60);
    bench.make(second, NETWORK, &body);
    bench.put("Microsoft.Network/privateEndpoints/pe3", NETWORK, &endpoint_body(&subnet, &vault, "vault", "n3"));
}

#[test]
fn a_registry_takes_two_addresses_and_two_records() {
    let mut bench = Bench::new();
    bench.network();
    let zone = zone(&mut bench, "privatelink.azurecr.io");
    bench.make(
        "Microsoft.ContainerRegistry/registries/acr12",
        "2025-11-01",
        &json!({"location": "westeurope", "sku": {"name": "Premium"}}),
    );
    let body = endpoint_body(
        &bench.subnet("SharedSubnet"),
        &bench.id("Microsoft.ContainerRegistry/registries/acr12"),
        "registry",
        "n",
    );
    bench.make(PE, NETWORK, &body);
    let group = format!("{PE}/privateDnsZoneGroups/z");
    let read = bench.make(&group, NETWORK, &zone_group(&[zone]));
    let sets =
        read.pointer("/properties/privateDnsZoneConfigs/0/properties/recordSets").unwrap().as_array().unwrap().clone();
    let names: Vec<&str> = sets.iter().map(|s| s["recordSetName"].as_str().unwrap()).collect();
    assert_eq!(names, ["acr12", "acr12.westeurope.data"]);
    let record = bench.read("Microsoft.Network/privateDnsZones/privatelink.azurecr.io/A/acr12", DNS);
    assert_eq!(record["properties"]["aRecords"], json!([{"ipv4Address": "10.1.2.132"}]));
    assert_eq!(bench.read(PE, NETWORK)["properties"]["customDnsConfigs"], json!([]));
    bench.refuse(
        &format!("{PE}/privateDnsZoneGroups/y"),
        NETWORK,
        &zone_group(&[bench.id("Microsoft.Network/privateDnsZones/privatelink.azurecr.io")]),
        400,
        "PrivateEndpointCannotHaveMoreThanOnePrivateDnsZoneGroup",
    );
    bench.unmake(&group, NETWORK);
    assert_eq!(bench.get("Microsoft.Network/privateDnsZones/privatelink.azurecr.io/A/acr12", DNS).status, 404);
}

#[test]
fn a_workspaces_hosts_spread_over_three_zones() {
    let mut bench = Bench::new();
    bench.network();
    let workspace = bench.workspace();
    let zones: Vec<String> =
        ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net", "privatelink.cert.api.azureml.ms"]
            .map(|z| zone(&mut bench, z))
            .to_vec();
    bench.make(PE, NETWORK, &endpoint_body(&bench.subnet("SharedSubnet"), &workspace, "amlworkspace", "n"));
    let read = bench.make(&format!("{PE}/privateDnsZoneGroups/z"), NETWORK, &zone_group(&zones));
    let counts: Vec<usize> = read["properties"]["privateDnsZoneConfigs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["properties"]["recordSets"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [2, 1, 1]);
}

#[test]
fn zones_with_links_stay_and_names_do_not_overlap() {
    let mut bench = Bench::new();
    bench.network();
    zone(&mut bench, "privatelink.azurecr.io");
    let link = json!({"location": "global", "properties": {"registrationEnabled": false, "virtualNetwork": {"id": bench.id("Microsoft.Network/virtualNetworks/vnet")}}});
    let path = "Microsoft.Network/privateDnsZones/privatelink.azurecr.io/virtualNetworkLinks/l";
    assert_eq!(bench.make(path, DNS, &link)["properties"]["virtualNetworkLinkState"], "Completed");
    bench.keep("Microsoft.Network/privateDnsZones/privatelink.azurecr.io", DNS, 409, "CannotDeleteResource");
    let twin = "Microsoft.Network/privateDnsZones/privatelink.azurecr.io/virtualNetworkLinks/m";
    bench.refuse(twin, DNS, &link, 400, "BadRequest");
    bench.unmake(path, DNS);
    bench.unmake("Microsoft.Network/privateDnsZones/privatelink.azurecr.io", DNS);
    bench.refuse("Microsoft.Network/privateDnsZones/nodots", DNS, &json!({"location": "global"}), 400, "BadRequest");
}

#[test]
fn the_owner_of_a_service_rejects_a_connection() {
    const STATUS: &str = "/properties/privateLinkServiceConnectionState/status";
    let mut bench = Bench::new();
    bench.network();
    let storage = bench.storage();
    let body = endpoint_body(&bench.subnet("SharedSubnet"), &storage, "Blob", "nic-pe1");
    bench.make(PE, NETWORK, &body);
    let account = bench.read(&storage, "2023-05-01");
    let own = account["properties"]["privateEndpointConnections"][0]["id"].as_str().unwrap().to_owned();
    let said = json!({"properties": {"privateEndpoint": {"id": bench.id(PE)},
        "privateLinkServiceConnectionState": {"status": "Rejected", "description": "by hand"}}});
    bench.make(&own, "2023-05-01", &said);
    assert_eq!(bench.read(&own, "2023-05-01").pointer(STATUS), Some(&json!("Rejected")));
    let endpoint = bench.read(PE, NETWORK);
    let link = &endpoint["properties"]["privateLinkServiceConnections"][0];
    assert_eq!(link.pointer(STATUS), Some(&json!("Rejected")));
    bench.unmake(PE, NETWORK);
    assert_eq!(bench.get(&own, "2023-05-01").status, 404);
}

#[test]
fn the_records_of_a_zone_are_one_list() {
    let mut bench = Bench::new();
    zone(&mut bench, "privatelink.azurecr.io");
    let path = "Microsoft.Network/privateDnsZones/privatelink.azurecr.io";
    let record = json!({"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.1.2.9"}]}});
    bench.make(&format!("{path}/A/acr"), DNS, &record);
    let listed = bench.read(&format!("{path}/ALL"), DNS);
    assert_eq!(listed["value"][0]["name"], "acr");
    bench.refuse(&format!("{path}/ALL/acr"), DNS, &record, 400, "BadRequest");
}
