//! Long-running operations: statuses, headers, documents and states over time.

use serde_json::{Value, json};

use crate::sandbox::fault::{Fault, Misfortune};
use crate::sandbox::reply::Reply;

use super::{Bench, NETWORK, storage_body, vault_body, workspace_body};

const IP: &str = "Microsoft.Network/publicIPAddresses/p";

fn ip_body() -> Value {
    json!({"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}})
}

fn follow(bench: &mut Bench, reply: &Reply, header: &str) -> Reply {
    let url = reply.headers[header].strip_prefix("https://management.azure.com").unwrap().to_owned();
    bench.send("GET", &url, None)
}

#[test]
fn network_creates_with_201_and_a_status_document() {
    let mut bench = Bench::new();
    let made = bench.put(IP, NETWORK, &ip_body());
    assert_eq!(made.status, 201);
    assert_eq!(made.headers["retry-after"], "3");
    assert!(!made.headers.contains_key("location"));
    let body = made.body.clone().unwrap();
    assert_eq!(body["properties"]["provisioningState"], "Updating");
    assert!(body["properties"].get("ipAddress").is_none());
    assert_eq!(follow(&mut bench, &made, "azure-asyncoperation").body, Some(json!({"status": "InProgress"})));
    bench.pass(3);
    assert_eq!(follow(&mut bench, &made, "azure-asyncoperation").body, Some(json!({"status": "Succeeded"})));
    let read = bench.read(IP, NETWORK);
    assert_eq!(read["properties"]["provisioningState"], "Succeeded");
    assert_eq!(read["properties"]["ipAddress"], "203.0.113.4");
    assert_eq!(bench.put(IP, NETWORK, &ip_body()).status, 200);
}

#[test]
fn a_signed_polling_url_must_come_back_whole() {
    let mut bench = Bench::new();
    let made = bench.put(IP, NETWORK, &ip_body());
    let url = made.headers["azure-asyncoperation"].strip_prefix("https://management.azure.com").unwrap().to_owned();
    let cut = url.split("&t=").next().unwrap().to_owned();
    assert_eq!(bench.send("GET", &cut, None).status, 403);
    assert_eq!(bench.send("GET", &url, None).status, 200);
}

#[test]
fn network_deletes_with_202_and_both_headers() {
    let mut bench = Bench::new();
    bench.make(IP, NETWORK, &ip_body());
    let gone = bench.delete(IP, NETWORK);
    assert_eq!((gone.status, gone.body.as_ref()), (202, None));
    assert_eq!(bench.read(IP, NETWORK)["properties"]["provisioningState"], "Deleting");
    assert_eq!(follow(&mut bench, &gone, "location").status, 202);
    // A second delete while the first runs is the same delete.
    assert_eq!(bench.delete(IP, NETWORK).status, 202);
    bench.pass(10);
    assert_eq!(follow(&mut bench, &gone, "location").status, 204);
    assert_eq!(bench.get(IP, NETWORK).status, 404);
    assert_eq!(bench.delete(IP, NETWORK).status, 204);
}

#[test]
fn storage_creates_with_202_without_body_and_a_location() {
    let mut bench = Bench::new();
    let path = "Microsoft.Storage/storageAccounts/stg1";
    let made = bench.put(path, "2023-05-01", &storage_body());
    assert_eq!((made.status, made.body.as_ref()), (202, None));
    assert_eq!(made.headers["retry-after"], "17");
    assert!(!made.headers.contains_key("azure-asyncoperation"));
    assert_eq!(follow(&mut bench, &made, "location").status, 202);
    bench.pass(15);
    let done = follow(&mut bench, &made, "location");
    assert_eq!(done.status, 200);
    assert_eq!(done.body.unwrap()["properties"]["primaryEndpoints"]["blob"], "https://stg1.blob.core.windows.net/");
    let again = bench.put(path, "2023-05-01", &storage_body());
    assert_eq!(again.status, 200);
    assert_eq!(bench.delete(path, "2023-05-01").status, 200);
}

#[test]
fn a_vault_tells_by_itself() {
    let mut bench = Bench::new();
    let body = vault_body(&bench.world.tenant);
    let made = bench.put("Microsoft.KeyVault/vaults/kv1", "2026-02-01", &body);
    assert_eq!(made.status, 201);
    assert!(!made.headers.contains_key("azure-asyncoperation") && !made.headers.contains_key("location"));
    assert_eq!(made.body.unwrap()["properties"]["provisioningState"], "RegisteringDns");
    bench.pass(15);
    let read = bench.read("Microsoft.KeyVault/vaults/kv1", "2026-02-01");
    assert_eq!(read["properties"]["provisioningState"], "Succeeded");
    assert_eq!(read["properties"]["vaultUri"], "https://kv1.vault.azure.net/");
}

#[test]
fn a_workspace_answers_202_with_both_headers() {
    let mut bench = Bench::new();
    let (storage, vault, insights) = (bench.storage(), bench.vault(), bench.insights());
    let body = workspace_body(&storage, &vault, &insights);
    let made = bench.put("Microsoft.MachineLearningServices/workspaces/ml1", "2025-06-01", &body);
    assert_eq!(made.status, 202);
    let status = follow(&mut bench, &made, "azure-asyncoperation").body.unwrap();
    assert_eq!(status["status"], "InProgress");
    bench.pass(55);
    let done = follow(&mut bench, &made, "location");
    assert_eq!(done.status, 200);
    let body = done.body.unwrap();
    assert!(body["identity"]["principalId"].is_string() && body["properties"]["workspaceId"].is_string());
}

#[test]
fn a_registry_polls_below_itself() {
    let mut bench = Bench::new();
    let body = json!({"location": "westeurope", "sku": {"name": "Premium"}, "properties": {}});
    let made = bench.put("Microsoft.ContainerRegistry/registries/acr12", "2025-11-01", &body);
    assert_eq!(made.status, 201);
    assert!(made.headers["azure-asyncoperation"].contains("/registries/acr12/operationStatuses/registries-"));
    bench.pass(6);
    let status = follow(&mut bench, &made, "azure-asyncoperation").body.unwrap();
    assert_eq!(status["status"], "Succeeded");
    let read = bench.read("Microsoft.ContainerRegistry/registries/acr12", "2025-11-01");
    assert_eq!(read["properties"]["loginServer"], "acr12.azurecr.io");
}

#[test]
fn zones_answer_202_with_both_headers() {
    let mut bench = Bench::new();
    let made = bench.put("Microsoft.Network/privateDnsZones/a.example", "2024-06-01", &json!({"location": "global"}));
    assert_eq!(made.status, 202);
    assert!(made.headers["location"].contains("/privateDnsOperationResults/"));
    bench.pass(20);
    assert_eq!(follow(&mut bench, &made, "azure-asyncoperation").body.unwrap()["status"], "Succeeded");
}

#[test]
fn an_operation_can_fail_and_be_put_again() {
    let mut bench = Bench::new();
    let what = Misfortune::FailOperation {
        code: "GatewayAllocationFailed".to_owned(),
        message: "Compute allocation failed.".to_owned(),
    };
    bench.world.faults.push(Fault::once("PUT", "/publicIPAddresses/", what));
    let made = bench.put(IP, NETWORK, &ip_body());
    assert_eq!(made.status, 201);
    bench.pass(3);
    let status = follow(&mut bench, &made, "azure-asyncoperation").body.unwrap();
    assert_eq!(
        (status["status"].as_str(), status["error"]["code"].as_str()),
        (Some("Failed"), Some("GatewayAllocationFailed"))
    );
    assert_eq!(bench.read(IP, NETWORK)["properties"]["provisioningState"], "Failed");
    assert_eq!(bench.make(IP, NETWORK, &ip_body())["properties"]["provisioningState"], "Succeeded");
}

#[test]
fn faults_throttle_break_and_swallow_replies() {
    let mut bench = Bench::new();
    bench.world.faults = vec![
        Fault::once("PUT", "", Misfortune::Throttle { retry_after: 7 }),
        Fault::once("PUT", "", Misfortune::ServerError),
        Fault::once("PUT", "", Misfortune::DropReply),
    ];
    let first = bench.put(IP, NETWORK, &ip_body());
    assert_eq!((first.status, first.headers["retry-after"].as_str()), (429, "7"));
    assert_eq!(bench.put(IP, NETWORK, &ip_body()).status, 500);
    assert_eq!(bench.get(IP, NETWORK).status, 404);
    assert!(bench.put(IP, NETWORK, &ip_body()).lost);
    assert_eq!(bench.get(IP, NETWORK).status, 200);
}

#[test]
fn a_second_write_meets_the_first() {
    let mut bench = Bench::new();
    bench.put(IP, NETWORK, &ip_body());
    bench.refuse(IP, NETWORK, &ip_body(), 409, "AnotherOperationInProgress");
    bench.keep(IP, NETWORK, 409, "AnotherOperationInProgress");
    bench.put("Microsoft.Storage/storageAccounts/stg1", "2023-05-01", &storage_body());
    bench.refuse(
        "Microsoft.Storage/storageAccounts/stg1",
        "2023-05-01",
        &storage_body(),
        409,
        "StorageAccountOperationInProgress",
    );
    let body = vault_body(&bench.world.tenant);
    bench.put("Microsoft.KeyVault/vaults/kv1", "2026-02-01", &body);
    bench.refuse("Microsoft.KeyVault/vaults/kv1", "2026-02-01", &body, 409, "ConflictError");
}

#[test]
fn patch_merges_and_replaces_tags() {
    let mut bench = Bench::new();
    let mut body = storage_body();
    body["tags"] = json!({"a": "1"});
    bench.make("Microsoft.Storage/storageAccounts/stg1", "2023-05-01", &body);
    let patch = json!({"tags": {"b": "2"}, "properties": {"allowSharedKeyAccess": false}});
    let done = bench.patch("Microsoft.Storage/storageAccounts/stg1", "2023-05-01", &patch);
    assert_eq!(done.status, 200);
    let read = bench.read("Microsoft.Storage/storageAccounts/stg1", "2023-05-01");
    assert_eq!(read["tags"], json!({"b": "2"}));
    assert_eq!(
        (&read["properties"]["allowSharedKeyAccess"], &read["properties"]["accessTier"]),
        (&json!(false), &json!("Hot"))
    );
    assert_eq!(bench.patch("Microsoft.Storage/storageAccounts/none", "2023-05-01", &patch).status, 404);
}
