//! Storage, vault, registry, workspace, machine, monitor, roles.

use serde_json::{Value, json};

use super::{Bench, NETWORK, storage_body, vault_body, workspace_body};

const STORAGE: &str = "Microsoft.Storage/storageAccounts/stg1";
const VAULT: &str = "Microsoft.KeyVault/vaults/kv1";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries/acr12";
const ML: &str = "Microsoft.MachineLearningServices/workspaces/ml1";
const VM: &str = "Microsoft.Compute/virtualMachines/vm1";

#[test]
fn storage_names_and_shapes_are_checked() {
    let mut bench = Bench::new();
    bench.refuse("Microsoft.Storage/storageAccounts/No-Good", "2023-05-01", &storage_body(), 400, "AccountNameInvalid");
    bench.world.taken.insert("stg1".to_owned());
    bench.refuse(STORAGE, "2023-05-01", &storage_body(), 409, "StorageAccountAlreadyTaken");
    bench.world.taken.clear();
    let mut body = storage_body();
    body["properties"]["minimumTlsVersion"] = json!("TLS1_3");
    bench.refuse(STORAGE, "2023-05-01", &body, 400, "InvalidValuesForRequestParameters");
    bench.storage();
    body = storage_body();
    body["kind"] = json!("BlobStorage");
    bench.refuse(STORAGE, "2023-05-01", &body, 409, "PropertyChangeNotAllowed");
    bench.make("/resourceGroups/h", "2021-04-01", &json!({"location": "westeurope"}));
    let other = bench.id("/resourceGroups/h/providers/Microsoft.Storage/storageAccounts/stg1");
    bench.refuse(&other, "2023-05-01", &storage_body(), 409, "StorageAccountInAnotherResourceGroup");
}

#[test]
fn vault_rules() {
    let mut bench = Bench::new();
    let good = vault_body(&bench.world.tenant);
    let change = |at: &str, value: Value| {
        let mut bad = good.clone();
        bad["properties"][at] = value;
        bad
    };
    for bad in [
        change("enablePurgeProtection", json!(false)),
        change("tenantId", json!("x")),
        change("softDeleteRetentionInDays", json!(6)),
        change("networkAcls", json!({"ipRules": [{"value": "10.0.0.0/8"}]})),
    ] {
        bench.refuse(VAULT, "2026-02-01", &bad, 400, "BadRequest");
    }
    for name in ["1kv", "kv--1", "kv-", "k"] {
        bench.refuse(&format!("Microsoft.KeyVault/vaults/{name}"), "2026-02-01", &good, 400, "VaultNameNotValid");
    }
    bench.make(VAULT, "2026-02-01", &good);
    bench.refuse(VAULT, "2026-02-01", &change("softDeleteRetentionInDays", json!(9)), 409, "PropertyChangeNotAllowed");
}

#[test]
fn a_vault_without_the_flag_is_an_rbac_vault() {
    let mut bench = Bench::new();
    let mut body = vault_body(&bench.world.tenant);
    body["properties"].as_object_mut().unwrap().remove("enableRbacAuthorization");
    assert_eq!(bench.make(VAULT, "2026-02-01", &body)["properties"]["enableRbacAuthorization"], true);
}

#[test]
fn a_secrets_value_never_comes_back() {
    let mut bench = Bench::new();
    bench.vault();
    let path = format!("{VAULT}/secrets/pass");
    bench.refuse(&path, "2026-02-01", &json!({"properties": {}}), 400, "BadRequest");
    let made = bench.put(&path, "2026-02-01", &json!({"properties": {"value": "hush-hush"}}));
    assert_eq!(made.status, 200);
    assert!(!serde_json::to_string(&bench.world).unwrap().contains("hush-hush"));
    let read = bench.read(&path, "2026-02-01");
    assert!(read["properties"].get("value").is_none());
    assert_eq!(read["properties"]["secretUri"], "https://kv1.vault.azure.net/secrets/pass");
}

#[test]
fn registry_rules() {
    let mut bench = Bench::new();
    let body = |sku: &str, properties: Value| json!({"location": "westeurope", "sku": {"name": sku}, "properties": properties});
    bench.refuse(
        "Microsoft.ContainerRegistry/registries/a-b-c",
        "2025-11-01",
        &body("Premium", json!({})),
        400,
        "RegistryNameInvalid",
    );
    bench.refuse(
        REGISTRY,
        "2025-11-01",
        &body("Basic", json!({"publicNetworkAccess": "Disabled"})),
        400,
        "FeatureNotSupportedForSku",
    );
    bench.refuse(
        REGISTRY,
        "2025-11-01",
        &body("Premium", json!({"policies": {"exportPolicy": {"status": "disabled"}}})),
        400,
        "ExportPolicyNotAllowed",
    );
    bench.world.taken.insert("acr12".to_owned());
    bench.refuse(REGISTRY, "2025-11-01", &body("Premium", json!({})), 409, "AlreadyInUse");
}

#[test]
fn workspace_rules() {
    let mut bench = Bench::new();
    let (storage, vault, insights) = (bench.storage(), bench.vault(), bench.insights());
    let good = workspace_body(&storage, &vault, &insights);
    let change = |at: &str, value: Value| {
        let mut bad = good.clone();
        bad["properties"][at] = value;
        bad
    };
    bench.refuse(ML, "2025-06-01", &change("storageAccount", json!(vault)), 400, "ValidationError");
    bench.refuse(ML, "2025-06-01", &change("systemDatastoresAuthMode", json!("Magic")), 400, "ValidationError");
    let missing = bench.id("Microsoft.ContainerRegistry/registries/none");
    bench.refuse(ML, "2025-06-01", &change("containerRegistry", json!(missing)), 400, "ReferencedResourceNotFound");
    bench.refuse("Microsoft.MachineLearningServices/workspaces/x", "2025-06-01", &good, 400, "InvalidWorkspaceName");
    let read = bench.make(ML, "2025-06-01", &good);
    assert_eq!(read["properties"]["discoveryUrl"], "https://westeurope.api.azureml.ms/discovery");
    bench.refuse(ML, "2025-06-01", &change("hbiWorkspace", json!(true)), 409, "PropertyChangeNotAllowed");
    // Ids compare without case.
    bench.make(ML, "2025-06-01", &change("keyVault", json!(vault.to_uppercase())));
}

#[test]
fn a_private_compute_needs_the_workspaces_endpoint() {
    let mut bench = Bench::new();
    bench.workspace();
    let body = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_DS3_v2", "enableNodePublicIp": false}}});
    bench.refuse(&format!("{ML}/computes/cpu"), "2025-06-01", &body, 400, "ValidationError");
    let open = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {}}});
    bench.make(&format!("{ML}/computes/cpu"), "2025-06-01", &open);
    bench.keep(&format!("{ML}/computes/cpu"), "2025-06-01", 400, "BadArgument");
    assert_eq!(bench.delete(&format!("{ML}/computes/cpu?underlyingResourceAction=Delete"), "2025-06-01").status, 202);
    bench.keep(ML, "2025-06-01", 409, "Conflict");
}

pub(super) fn machine(card: &str) -> Value {
    json!({"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"imageReference": {"publisher": "MicrosoftWindowsDesktop", "offer": "windows-11", "sku": "win11-25h2-pro", "version": "latest"},
            "osDisk": {"name": "disk1", "createOption": "FromImage", "deleteOption": "Delete", "managedDisk": {"storageAccountType": "StandardSSD_LRS"}}},
        "osProfile": {"computerName": "vm1", "adminUsername": "jbxabcd", "adminPassword": "Aa1_Aa1_Aa1_"},
        "networkProfile": {"networkInterfaces": [{"id": card, "properties": {"primary": true, "deleteOption": "Delete"}}]}}})
}

pub(super) fn card(bench: &mut Bench, name: &str) -> String {
    let path = format!("Microsoft.Network/networkInterfaces/{name}");
    let body = json!({"location": "westeurope", "properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": bench.subnet("SharedSubnet")}}}]}});
    bench.make(&path, NETWORK, &body);
    bench.id(&path)
}

#[test]
fn machine_rules() {
    let mut bench = Bench::new();
    bench.network();
    let card = card(&mut bench, "nic1");
    let good = machine(&card);
    let change = |at: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(at).unwrap() = value;
        bad
    };
    for (at, value) in [
        ("/properties/osProfile/adminPassword", json!("short1A_")),
        ("/properties/osProfile/adminPassword", json!("onlylowercaseletters")),
        ("/properties/osProfile/computerName", json!("a-name-of-sixteen")),
        ("/properties/osProfile/adminUsername", json!("Administrator")),
        ("/properties/hardwareProfile/vmSize", json!("Standard_Huge")),
        ("/properties/networkProfile/networkInterfaces", json!([])),
    ] {
        bench.refuse(VM, "2024-07-01", &change(at, value), 400, "InvalidParameter");
    }
    for (part, value) in [("offer", "windows-10"), ("sku", "20h2-pro-g2")] {
        let at = format!("/properties/storageProfile/imageReference/{part}");
        bench.refuse(VM, "2024-07-01", &change(&at, json!(value)), 404, "PlatformImageNotFound");
    }
    let read = bench.make(VM, "2024-07-01", &good);
    assert!(!serde_json::to_string(&bench.world).unwrap().contains("Aa1_Aa1_"));
    assert!(read["properties"]["vmId"].is_string() && read["identity"]["principalId"].is_string());
    bench.refuse("Microsoft.Compute/virtualMachines/vm2", "2024-07-01", &good, 400, "NicInUse");
    bench.keep(&card, NETWORK, 400, "NicInUse");
    bench.refuse(
        VM,
        "2024-07-01",
        &change("/properties/osProfile/adminUsername", json!("jbxother")),
        409,
        "PropertyChangeNotAllowed",
    );
    // The same body again is no change, though the server added to the image reference.
    assert_eq!(bench.put(VM, "2024-07-01", &good).status, 200);
}

#[test]
fn components_make_siblings_by_themselves() {
    let mut bench = Bench::new();
    let logs = bench.logs();
    let body = json!({"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": logs}});
    let mut classic = body.clone();
    classic["properties"].as_object_mut().unwrap().remove("WorkspaceResourceId");
    bench.refuse("Microsoft.Insights/components/appi1", "2020-02-02", &classic, 400, "BadRequest");
    assert_eq!(bench.put("Microsoft.Insights/components/appi1", "2020-02-02", &body).status, 200);
    let group = "Microsoft.Insights/actionGroups/Application%20Insights%20Smart%20Detection";
    let rule = "Microsoft.AlertsManagement/smartDetectorAlertRules/Failure%20Anomalies%20-%20appi1";
    assert_eq!(bench.get(group, "2023-01-01").status, 404);
    bench.pass(30);
    assert_eq!((bench.get(group, "2023-01-01").status, bench.get(rule, "2021-04-01").status), (200, 200));
    assert_eq!(bench.delete(group, "2023-01-01").status, 200);
}

const SETTING: &str = "2021-05-01-preview";

#[test]
fn diagnostic_settings_rules() {
    let mut bench = Bench::new();
    let (vault, logs) = (bench.vault(), bench.logs());
    let path = |name: &str| format!("{vault}/providers/Microsoft.Insights/diagnosticSettings/{name}");
    let body = |log: Value| json!({"properties": {"workspaceId": logs, "logs": [log], "metrics": [{"category": "AllMetrics", "enabled": true}]}});
    let retained = json!({"category": "AuditEvent", "enabled": true, "retentionPolicy": {"enabled": true, "days": 30}});
    let refused = bench.put(&path("d"), SETTING, &body(retained));
    assert_eq!(
        refused.body,
        Some(
            json!({"code": "BadRequest", "message": "Diagnostic settings does not support retention for new diagnostic settings."})
        )
    );
    bench.refuse(&path("d"), SETTING, &body(json!({"category": "Nonsense", "enabled": true})), 400, "BadRequest");
    let mixed = json!({"properties": {"workspaceId": logs, "logs": [{"category": "AuditEvent", "enabled": true}, {"categoryGroup": "allLogs", "enabled": true}]}});
    bench.refuse(&path("d"), SETTING, &mixed, 400, "BadRequest");
    bench.refuse(&path("d"), SETTING, &json!({"properties": {"logs": []}}), 400, "BadRequest");
    let good = body(json!({"category": "AuditEvent", "enabled": true}));
    let made = bench.put(&path("d"), SETTING, &good);
    assert_eq!(made.status, 200);
    assert_eq!(
        made.body.unwrap().pointer("/properties/logs/0/retentionPolicy"),
        Some(&json!({"enabled": false, "days": 0}))
    );
    bench.refuse(&path("e"), SETTING, &good, 409, "Conflict");
    let known = bench.read(&format!("{vault}/providers/Microsoft.Insights/diagnosticSettingsCategories"), SETTING);
    assert_eq!(known["value"].as_array().unwrap().len(), 3);
    let blobs = format!("{}/blobServices/default/providers/Microsoft.Insights/diagnosticSettings/d", bench.storage());
    let body = json!({"properties": {"workspaceId": logs, "logs": [{"category": "StorageRead", "enabled": true}], "metrics": [{"category": "Transaction", "enabled": true}]}});
    assert_eq!(bench.put(&blobs, SETTING, &body).status, 200);
}

#[test]
fn scopes_take_one_resource_at_a_time_and_hold_it() {
    let mut bench = Bench::new();
    let insights = bench.insights();
    let logs = bench.id("Microsoft.OperationalInsights/workspaces/log1");
    let scope = "Microsoft.Insights/privateLinkScopes/ampls";
    bench.refuse(scope, "2021-09-01", &json!({"location": "global", "properties": {}}), 400, "BadRequest");
    let modes = json!({"location": "global", "properties": {"accessModeSettings": {"queryAccessMode": "Open", "ingestionAccessMode": "Open"}}});
    assert_eq!(bench.put(scope, "2021-09-01", &modes).status, 201);
    let (one, two) = (format!("{scope}/scopedResources/one"), format!("{scope}/scopedResources/two"));
    bench.put(&one, "2021-09-01", &json!({"properties": {"linkedResourceId": logs}}));
    let second = json!({"properties": {"linkedResourceId": insights}});
    bench.refuse(&two, "2021-09-01", &second, 409, "Conflict");
    bench.pass(60);
    bench.make(&two, "2021-09-01", &second);
    bench.keep(scope, "2021-09-01", 409, "CannotDeleteResource");
    bench.keep(&format!("{logs}?force=true"), "2023-09-01", 409, "CannotDeleteResource");
    bench.keep(&insights, "2020-02-02", 409, "CannotDeleteResource");
    bench.unmake(&two, "2021-09-01");
    bench.unmake(&one, "2021-09-01");
    bench.unmake(scope, "2021-09-01");
}

#[test]
fn role_assignment_rules() {
    const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    const USER: &str = "11111111-2222-3333-4444-555555555555";
    let mut bench = Bench::new();
    let vault = bench.vault();
    let path = |guid: &str| format!("{vault}/providers/Microsoft.Authorization/roleAssignments/{guid}");
    let role = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
        bench.world.subscription
    );
    let body = |principal: &str, kind: &str| json!({"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": kind}});
    let (one, two) = (path("00000000-0000-0000-0000-000000000001"), path("00000000-0000-0000-0000-000000000002"));
    bench.refuse(&path("reader"), "2022-04-01", &body(USER, "User"), 400, "InvalidRoleAssignmentId");
    bench.refuse(&one, "2022-04-01", &body(USER, "ServicePrincipal"), 400, "PrincipalNotFound");
    assert_eq!(bench.put(&one, "2022-04-01", &body(USER, "User")).status, 201);
    assert_eq!(bench.put(&one, "2022-04-01", &body(USER, "User")).status, 200);
    bench.refuse(&two, "2022-04-01", &body(USER, "User"), 409, "RoleAssignmentExists");
    bench.refuse(
        &one,
        "2022-04-01",
        &body("11111111-2222-3333-4444-666666666666", "User"),
        400,
        "RoleAssignmentUpdateNotPermitted",
    );
}

#[test]
fn a_fresh_identity_must_be_introduced() {
    let mut bench = Bench::new();
    let (storage, vault, insights) = (bench.storage(), bench.vault(), bench.insights());
    bench.put(ML, "2025-06-01", &workspace_body(&storage, &vault, &insights));
    bench.pass(55);
    let principal = bench.read(ML, "2025-06-01")["identity"]["principalId"].clone();
    let role = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
        bench.world.subscription
    );
    let path =
        format!("{vault}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000001");
    let mut body = json!({"properties": {"roleDefinitionId": role, "principalId": principal}});
    bench.refuse(&path, "2022-04-01", &body, 400, "PrincipalNotFound");
    body["properties"]["principalType"] = json!("ServicePrincipal");
    assert_eq!(bench.put(&path, "2022-04-01", &body).status, 201);
}

#[test]
fn access_policies_are_added_replaced_and_removed() {
    let mut bench = Bench::new();
    bench.vault();
    let policy = |who: &str| json!({"properties": {"accessPolicies": [{"tenantId": "t", "objectId": who, "permissions": {"secrets": ["get"]}}]}});
    let listed = |bench: &mut Bench, verb: &str, who: &str| {
        assert!(bench.put(&format!("{VAULT}/accessPolicies/{verb}"), "2026-02-01", &policy(who)).status < 300);
        let read = bench.read(VAULT, "2026-02-01");
        let list = read["properties"]["accessPolicies"].as_array().unwrap().clone();
        list.iter().map(|p| p["objectId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut bench, "add", "a"), ["a"]);
    assert_eq!(listed(&mut bench, "add", "b"), ["a", "b"]);
    assert_eq!(listed(&mut bench, "remove", "a"), ["b"]);
    assert_eq!(listed(&mut bench, "replace", "c"), ["c"]);
    bench.refuse(&format!("{VAULT}/accessPolicies/burn"), "2026-02-01", &policy("a"), 400, "BadRequest");
}
