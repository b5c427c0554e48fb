//! Deletes: soft ones, forced ones, machines with their parts, whole groups.

use serde_json::json;

use super::services::{card, machine};
use super::{Bench, NETWORK, vault_body};

const VAULT: &str = "Microsoft.KeyVault/vaults/kv1";
const BURIED: &str = "/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv1";
const KV: &str = "2026-02-01";

#[test]
fn a_deleted_vault_keeps_its_name_until_purged() {
    let mut bench = Bench::new();
    bench.vault();
    assert_eq!(bench.get(BURIED, KV).status, 404);
    assert_eq!(bench.delete(VAULT, KV).status, 200);
    assert_eq!(bench.read(BURIED, KV)["properties"]["vaultId"], bench.id(VAULT));
    assert_eq!(bench.read("/providers/Microsoft.KeyVault/deletedVaults", KV)["value"].as_array().unwrap().len(), 1);
    let body = vault_body(&bench.world.tenant);
    bench.refuse(VAULT, KV, &body, 409, "ConflictError");
    let purge = bench.post(&format!("{BURIED}/purge"), KV, &json!({}));
    assert_eq!(purge.status, 202);
    bench.pass(30);
    assert_eq!(bench.get(BURIED, KV).status, 404);
    bench.make(VAULT, KV, &body);
}

#[test]
fn a_deleted_vault_comes_back_as_it_was() {
    let mut bench = Bench::new();
    let body = json!({"location": "westeurope", "properties": {"createMode": "recover", "tenantId": bench.world.tenant, "sku": {"family": "A", "name": "standard"}}});
    bench.refuse(VAULT, KV, &body, 404, "DeletedVaultNotFound");
    bench.vault();
    bench.delete(VAULT, KV);
    let back = bench.make(VAULT, KV, &body);
    assert_eq!(back["properties"]["softDeleteRetentionInDays"], 7);
    assert!(back["properties"].get("createMode").is_none());
    assert!(bench.world.tombstones.is_empty());
}

#[test]
fn purge_protection_holds_until_time_is_up() {
    let mut bench = Bench::new();
    let mut body = vault_body(&bench.world.tenant);
    body["properties"]["enablePurgeProtection"] = json!(true);
    bench.make(VAULT, KV, &body);
    bench.delete(VAULT, KV);
    let purge = bench.post(&format!("{BURIED}/purge"), KV, &json!({}));
    assert_eq!((purge.status, purge.code()), (400, Some("MethodNotAllowed")));
    bench.pass(7 * 86_400);
    assert_eq!(bench.get(BURIED, KV).status, 404);
}

#[test]
fn workspaces_are_soft_deleted_unless_purged() {
    const ML: &str = "Microsoft.MachineLearningServices/workspaces/ml1";
    let mut bench = Bench::new();
    bench.workspace();
    let body = bench.read(ML, "2025-06-01");
    bench.unmake(ML, "2025-06-01");
    bench.refuse(ML, "2025-06-01", &body, 409, "Conflict");
    assert_eq!(bench.delete(&format!("{ML}?forceToPurge=true"), "2025-06-01").status, 200);
    bench.make(ML, "2025-06-01", &body);
    assert_eq!(bench.delete(&format!("{ML}?forceToPurge=true"), "2025-06-01").status, 202);
    bench.pass(60);
    assert!(bench.world.tombstones.is_empty());
}

#[test]
fn log_workspaces_come_back_with_their_identity() {
    const LOGS: &str = "Microsoft.OperationalInsights/workspaces/log1";
    let mut bench = Bench::new();
    bench.logs();
    let before = bench.read(LOGS, "2023-09-01")["properties"]["customerId"].clone();
    bench.unmake(LOGS, "2023-09-01");
    bench.logs();
    assert_eq!(bench.read(LOGS, "2023-09-01")["properties"]["customerId"], before);
    assert_eq!(bench.delete(&format!("{LOGS}?force=true"), "2023-09-01").status, 200);
    bench.logs();
    assert_ne!(bench.read(LOGS, "2023-09-01")["properties"]["customerId"], before);
}

#[test]
fn a_machine_takes_along_what_it_was_told_to() {
    const VM: &str = "Microsoft.Compute/virtualMachines/vm1";
    const DISK: &str = "Microsoft.Compute/disks/disk1";
    let mut bench = Bench::new();
    bench.network();
    let nic = card(&mut bench, "nic1");
    bench.make(VM, "2024-07-01", &machine(&nic));
    assert_eq!(bench.read(DISK, "2024-03-02")["managedBy"], bench.id(VM));
    bench.keep(DISK, "2024-03-02", 409, "OperationNotAllowed");
    bench.unmake(VM, "2024-07-01");
    assert_eq!((bench.get(DISK, "2024-03-02").status, bench.get(&nic, NETWORK).status), (404, 404));
    let nic = card(&mut bench, "nic2");
    let mut body = machine(&nic);
    body["properties"]["storageProfile"]["osDisk"]["deleteOption"] = json!("Detach");
    body["properties"]["networkProfile"]["networkInterfaces"][0]["properties"]["deleteOption"] = json!("Detach");
    bench.make(VM, "2024-07-01", &body);
    bench.unmake(VM, "2024-07-01");
    assert_eq!(bench.read(DISK, "2024-03-02")["properties"]["diskState"], "Unattached");
    bench.refuse(VM, "2024-07-01", &body, 409, "PropertyChangeNotAllowed");
    bench.unmake(DISK, "2024-03-02");
    bench.unmake(&nic, NETWORK);
}

#[test]
fn a_group_takes_everything_and_leaves_the_soft_deleted() {
    let mut bench = Bench::new();
    bench.network();
    bench.workspace();
    let nic = card(&mut bench, "nic1");
    bench.make("Microsoft.Compute/virtualMachines/vm1", "2024-07-01", &machine(&nic));
    let gone = bench.delete("/resourceGroups/g", "2021-04-01");
    assert_eq!(gone.status, 202);
    assert!(gone.headers["location"].contains("/operationresults/"));
    assert_eq!(bench.read("/resourceGroups/g", "2021-04-01")["properties"]["provisioningState"], "Deleting");
    bench.refuse(
        "Microsoft.Network/routeTables/r",
        NETWORK,
        &json!({"location": "westeurope"}),
        409,
        "ResourceGroupBeingDeleted",
    );
    // The machine stands on its card, the card on the network: they go in this order.
    bench.pass(46);
    assert_eq!(bench.get("Microsoft.Compute/virtualMachines/vm1", "2024-07-01").status, 404);
    assert_eq!(bench.get("Microsoft.Network/virtualNetworks/vnet", NETWORK).status, 200);
    bench.pass(200);
    assert_eq!(bench.get("/resourceGroups/g", "2021-04-01").code(), Some("ResourceGroupNotFound"));
    assert!(bench.world.is_empty(), "{:?}", bench.world.resources.keys());
    assert!(bench.world.leases.is_empty());
    let buried: Vec<&str> =
        bench.world.tombstones.values().map(|t| t.resource.arm_type.rsplit('/').nth(1).unwrap()).collect();
    assert_eq!(buried, ["Microsoft.KeyVault", "Microsoft.MachineLearningServices", "Microsoft.OperationalInsights"]);
}

#[test]
fn locks_hold() {
    let mut bench = Bench::new();
    let storage = bench.storage();
    let lock = format!("{storage}/providers/Microsoft.Authorization/locks/l");
    bench.put(&lock, "2020-05-01", &json!({"properties": {"level": "CanNotDelete"}}));
    bench.keep(&storage, "2023-05-01", 409, "ScopeLocked");
    bench.keep("/resourceGroups/g", "2021-04-01", 409, "ScopeLocked");
    bench.unmake(&lock, "2020-05-01");
    assert_eq!(bench.delete(&storage, "2023-05-01").status, 200);
}
