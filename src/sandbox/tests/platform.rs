//! What ARM itself does: tokens, versions, groups, references, listings, names.

use serde_json::json;

use crate::sandbox::{Request, respond};

use super::{Bench, NETWORK, storage_body};

const NSG: &str = "Microsoft.Network/networkSecurityGroups/n";

#[test]
fn a_token_is_required() {
    let mut bench = Bench::new();
    let target = format!("{}?api-version=2021-04-01", bench.id("/resourceGroups/g"));
    let bare = respond(&mut bench.world, bench.now, &Request::new("GET", &target));
    assert_eq!((bare.status, bare.code()), (401, Some("AuthenticationFailed")));
    assert!(bare.headers["www-authenticate"].starts_with("Bearer "));
    let basic = Request::new("GET", &target).header("Authorization", "Basic x");
    assert_eq!(respond(&mut bench.world, bench.now, &basic).code(), Some("InvalidAuthenticationToken"));
}

#[test]
fn the_api_version_is_required_and_known() {
    let mut bench = Bench::new();
    let missing = bench.send("GET", &bench.id(NSG), None);
    assert_eq!(missing.code(), Some("MissingApiVersionParameter"));
    let unknown = bench.get(NSG, "1999-01-01");
    assert_eq!((unknown.status, unknown.code()), (400, Some("NoRegisteredProviderFound")));
    assert!(unknown.body.unwrap().to_string().contains("2025-01-01"));
    assert_eq!(bench.get("Microsoft.Network/teapots/t", NETWORK).code(), Some("InvalidResourceType"));
}

#[test]
fn only_the_own_subscription_is_known() {
    let mut bench = Bench::new();
    let reply = bench.get("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g", "2021-04-01");
    assert_eq!((reply.status, reply.code()), (404, Some("SubscriptionNotFound")));
}

#[test]
fn groups_answer_head_and_keep_their_place() {
    let mut bench = Bench::new();
    let head = |bench: &mut Bench, name: &str| {
        let target = format!("{}?api-version=2021-04-01", bench.id(&format!("/resourceGroups/{name}")));
        bench.send("HEAD", &target, None).status
    };
    assert_eq!((head(&mut bench, "G"), head(&mut bench, "other")), (204, 404));
    let moved = bench.put("/resourceGroups/g", "2021-04-01", &json!({"location": "northeurope"}));
    assert_eq!((moved.status, moved.code()), (409, Some("InvalidResourceGroupLocation")));
    let again = bench.put("/resourceGroups/g", "2021-04-01", &json!({"location": "West Europe", "tags": {"a": "b"}}));
    assert_eq!(again.status, 200);
    assert_eq!(again.body.unwrap()["location"], "westeurope");
    bench.refuse("/resourceGroups/x.", "2021-04-01", &json!({"location": "westeurope"}), 400, "InvalidResourceGroup");
}

#[test]
fn group_parent_and_references_must_exist() {
    let mut bench = Bench::new();
    let nowhere = bench.id("/resourceGroups/none/providers/Microsoft.Network/networkSecurityGroups/n");
    bench.refuse(&nowhere, NETWORK, &json!({"location": "westeurope"}), 404, "ResourceGroupNotFound");
    let link = json!({"location": "global", "properties": {"virtualNetwork": {"id": bench.id("Microsoft.Network/virtualNetworks/vnet")}}});
    let path = "Microsoft.Network/privateDnsZones/a.example/virtualNetworkLinks/l";
    bench.refuse(path, "2024-06-01", &link, 404, "ParentResourceNotFound");
    bench.make("Microsoft.Network/privateDnsZones/a.example", "2024-06-01", &json!({"location": "global"}));
    bench.refuse(path, "2024-06-01", &link, 400, "InvalidResourceReference");
    let foreign = "/subscriptions/11111111-0000-0000-0000-000000000000/resourceGroups/x/providers/Microsoft.Network/virtualNetworks/vnet";
    let link = json!({"location": "global", "properties": {"virtualNetwork": {"id": foreign}}});
    bench.refuse(path, "2024-06-01", &link, 403, "LinkedAuthorizationFailed");
}

#[test]
fn locations_are_required_known_and_fixed() {
    let mut bench = Bench::new();
    bench.refuse(NSG, NETWORK, &json!({}), 400, "LocationRequired");
    bench.refuse(NSG, NETWORK, &json!({"location": "atlantis"}), 400, "LocationNotAvailableForResourceType");
    bench.refuse(
        "Microsoft.Network/privateDnsZones/a.b",
        "2024-06-01",
        &json!({"location": "westeurope"}),
        400,
        "LocationNotAvailableForResourceType",
    );
    bench.make(NSG, NETWORK, &json!({"location": "westeurope"}));
    bench.refuse(NSG, NETWORK, &json!({"location": "northeurope"}), 409, "InvalidResourceLocation");
}

#[test]
fn bodies_must_be_objects_and_tags_short() {
    let mut bench = Bench::new();
    let target = format!("{}?api-version={NETWORK}", bench.id(NSG));
    let request = Request::new("PUT", &target).header("authorization", "Bearer t");
    assert_eq!(respond(&mut bench.world, bench.now, &request).code(), Some("InvalidRequestContent"));
    bench.refuse(NSG, NETWORK, &json!({"location": "westeurope", "tags": {"a": "x".repeat(257)}}), 400, "InvalidTag");
}

#[test]
fn an_unregistered_namespace_refuses_until_registered() {
    let mut bench = Bench::new();
    bench.world.unregistered.insert("microsoft.storage".to_owned());
    let path = "Microsoft.Storage/storageAccounts/stg1";
    bench.refuse(path, "2023-05-01", &storage_body(), 409, "MissingSubscriptionRegistration");
    let state = bench.read("/providers/Microsoft.Storage", "2021-04-01");
    assert_eq!(state["registrationState"], "NotRegistered");
    assert_eq!(bench.post("/providers/Microsoft.Storage/register", "2021-04-01", &json!({})).status, 200);
    assert_eq!(bench.put(path, "2023-05-01", &storage_body()).status, 202);
}

#[test]
fn listings_show_the_group_the_type_and_the_children() {
    let mut bench = Bench::new();
    bench.network();
    bench.storage();
    let all = bench.read("/resourceGroups/g/resources?$expand=provisioningState", "2021-04-01");
    let listed: Vec<&str> = all["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(listed, ["vnet", "stg1"]);
    assert_eq!(all["value"][0]["provisioningState"], "Succeeded");
    assert!(all["value"][0].get("properties").is_none());
    let only = bench.read(
        "/resourceGroups/g/resources?$filter=resourceType%20eq%20'Microsoft.Storage/storageAccounts'",
        "2021-04-01",
    );
    assert_eq!(only["value"].as_array().unwrap().len(), 1);
    for (path, count) in [
        ("Microsoft.Network/virtualNetworks", 1),
        ("/providers/Microsoft.Network/virtualNetworks", 1),
        ("Microsoft.Network/virtualNetworks/vnet/subnets", 3),
        ("Microsoft.Network/bastionHosts", 0),
    ] {
        assert_eq!(bench.read(path, NETWORK)["value"].as_array().unwrap().len(), count, "{path}");
    }
    assert_eq!(bench.read("/resourceGroups", "2021-04-01")["value"].as_array().unwrap().len(), 1);
    assert!(bench.read("/locations", "2022-12-01")["value"].as_array().unwrap().len() > 40);
}

#[test]
fn names_are_checked_before_use() {
    let mut bench = Bench::new();
    let check = |bench: &mut Bench, name: &str| {
        let body = json!({"name": name, "type": "Microsoft.Storage/storageAccounts"});
        bench.post("/providers/Microsoft.Storage/checkNameAvailability", "2023-05-01", &body).body.unwrap()
    };
    assert_eq!(check(&mut bench, "stg1")["nameAvailable"], true);
    bench.storage();
    assert_eq!(check(&mut bench, "stg1")["reason"], "AlreadyExists");
    assert_eq!(check(&mut bench, "No-Good")["reason"], "AccountNameInvalid");
    let vault = json!({"name": "kv1", "type": "Microsoft.KeyVault/vaults"});
    assert_eq!(
        bench.post("/providers/Microsoft.KeyVault/checkNameAvailability", "2026-02-01", &vault).body.unwrap()["nameAvailable"],
        true
    );
}

#[test]
fn a_missing_resource_is_named_as_arm_names_it() {
    let mut bench = Bench::new();
    bench.network();
    let gone = bench.get("Microsoft.Network/virtualNetworks/vnet/subnets/none", NETWORK);
    let message = gone.body.as_ref().unwrap()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(gone.code(), Some("ResourceNotFound"));
    assert!(
        message.starts_with(
            "The Resource 'Microsoft.Network/virtualNetworks/vnet/subnets/none' under resource group 'g' was not found."
        ),
        "{message}"
    );
}

#[test]
fn correlation_ids_come_back() {
    let mut bench = Bench::new();
    let target = format!("{}?api-version=2021-04-01", bench.id("/resourceGroups/g"));
    let request =
        Request::new("GET", &target).header("authorization", "Bearer t").header("x-ms-correlation-request-id", "c-1");
    let reply = respond(&mut bench.world, bench.now, &request);
    assert_eq!(reply.headers["x-ms-correlation-request-id"], "c-1");
    assert!(reply.headers.contains_key("x-ms-request-id"));
}

#[test]
fn preflight_and_tables_answer() {
    let mut bench = Bench::new();
    let template = json!({"properties": {"mode": "Incremental", "template": {}}});
    assert_eq!(
        bench
            .post("/resourceGroups/g/providers/Microsoft.Resources/deployments/d/validate", "2021-04-01", &template)
            .status,
        200
    );
    let skus = bench.read("/providers/Microsoft.Compute/skus?$filter=location eq 'westeurope'", "2024-07-01");
    assert!(skus["value"].as_array().unwrap().iter().any(|s| s["name"] == "Standard_D2s_v5"));
    let base = "/providers/Microsoft.Compute/locations/westeurope/publishers/MicrosoftWindowsDesktop/artifacttypes/vmimage/offers/windows-11/skus";
    assert!(bench.read(base, "2024-07-01").as_array().unwrap().iter().any(|s| s["name"] == "win11-25h2-pro"));
    assert_eq!(bench.get(&base.replace("windows-11", "windows-10"), "2024-07-01").status, 404);
    assert_eq!(bench.get("/providers/Microsoft.Nothing", "2021-04-01").code(), Some("InvalidResourceNamespace"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    /// Whatever arrives is answered: no panic, and every error carries a code.
    #[test]
    fn nonsense_is_answered(
        method in "GET|HEAD|PUT|PATCH|POST|DELETE",
        pieces in proptest::collection::vec("subscriptions|SUB|resourceGroups|g|providers|Microsoft\\.Network|virtualNetworks|subnets|vnet|privateEndpoints|operations|deletedVaults|Microsoft\\.KeyVault|vaults|checkNameAvailability|[a-zA-Z%.é]{0,6}", 0..12),
        member in "location|properties|tags|identity|sku",
        value in "westeurope|/subscriptions/x|10\\.0\\.0\\.0/8|",
        version in "2025-01-01|2026-02-01|x|",
    ) {
        let mut bench = Bench::new();
        bench.network();
        let path = pieces.join("/").replace("SUB", &bench.world.subscription);
        let mut body = json!({"location": "westeurope"});
        body[&member] = json!(value);
        let reply = bench.send(&method, &format!("/{path}?api-version={version}"), Some(&body));
        proptest::prop_assert!(reply.status < 400 || method == "HEAD" || reply.code().is_some(), "{reply:?}");
        body[&member] = json!({"subnets": [{"name": value, "properties": value}], "ipConfigurations": value});
        let vnet = format!("{}?api-version={version}", bench.id("Microsoft.Network/virtualNetworks/vnet"));
        let reply = bench.send(&method, &vnet, Some(&body));
        proptest::prop_assert!(reply.status < 400 || method == "HEAD" || reply.code().is_some(), "{reply:?}");
    }
}
