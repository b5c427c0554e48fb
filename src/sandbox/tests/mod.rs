//! Rules of the sandbox, one small test each, through `respond` alone: [`Bench`] is a world with its own clock.

mod delete;
mod endpoints;
mod environment;
mod firewall;
mod network;
mod operations;
mod platform;
mod services;
mod shells;

use std::time::Duration;

use serde_json::{Value, json};

use super::reply::{Reply, Request};
use super::respond::respond;
use super::world::World;

pub(super) const NETWORK: &str = "2025-01-01";

/// A world, its time, and short ways to speak to it.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) now: Duration,
}

impl Bench {
    /// A subscription with the resource group `g` in West Europe.
    pub(super) fn new() -> Self {
        let mut bench = Self { world: World::new(7), now: Duration::ZERO };
        let made = bench.put("/resourceGroups/g", "2021-04-01", &json!({"location": "westeurope"}));
        assert_eq!(made.status, 201);
        bench
    }

    /// The id behind a short path: `/resourceGroups/…`, or `Microsoft.X/…` for a resource of group `g`.
    pub(super) fn id(&self, path: &str) -> String {
        let subscription = &self.world.subscription;
        if path.starts_with("/subscriptions") {
            path.to_owned()
        } else if path.starts_with('/') {
            format!("/subscriptions/{subscription}{path}")
        } else {
            format!("/subscriptions/{subscription}/resourceGroups/g/providers/{path}")
        }
    }

    pub(super) fn send(&mut self, method: &str, target: &str, body: Option<&Value>) -> Reply {
        let mut request = Request::new(method, target).header("Authorization", "Bearer t");
        if let Some(body) = body {
            request = request.json(body);
        }
        respond(&mut self.world, self.now, &request)
    }

    fn call(&mut self, method: &str, path: &str, version: &str, body: Option<&Value>) -> Reply {
        let separator = if path.contains('?') { '&' } else { '?' };
        let target = format!("{}{separator}api-version={version}", self.id(path));
        self.send(method, &target, body)
    }

    pub(super) fn put(&mut self, path: &str, version: &str, body: &Value) -> Reply {
        self.call("PUT", path, version, Some(body))
    }

    pub(super) fn patch(&mut self, path: &str, version: &str, body: &Value) -> Reply {
        self.call("PATCH", path, version, Some(body))
    }

    pub(super) fn post(&mut self, path: &str, version: &str, body: &Value) -> Reply {
        self.call("POST", path, version, Some(body))
    }

    pub(super) fn get(&mut self, path: &str, version: &str) -> Reply {
        self.call("GET", path, version, None)
    }

    pub(super) fn delete(&mut self, path: &str, version: &str) -> Reply {
        self.call("DELETE", path, version, None)
    }

    /// The body of a GET that must succeed.
    pub(super) fn read(&mut self, path: &str, version: &str) -> Value {
        let reply = self.get(path, version);
        assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
        reply.body.unwrap()
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// A PUT that must be taken, and enough time for it.
    pub(super) fn make(&mut self, path: &str, version: &str, body: &Value) -> Value {
        let reply = self.put(path, version, body);
        assert!(reply.status < 300, "{path}: {:?}", reply.body);
        self.pass(900);
        self.read(path, version)
    }

    /// A DELETE that must be taken, and enough time for it.
    pub(super) fn unmake(&mut self, path: &str, version: &str) {
        let reply = self.delete(path, version);
        assert!(reply.status < 300, "{path}: {:?}", reply.body);
        self.pass(900);
        assert_eq!(self.get(path, version).status, 404, "{path} is still there");
    }

    /// Asserts a refusal.
    #[track_caller]
    pub(super) fn refuse(&mut self, path: &str, version: &str, body: &Value, status: u16, code: &str) {
        let reply = self.put(path, version, body);
        assert_eq!((reply.status, reply.code()), (status, Some(code)), "{:?}", reply.body);
    }

    /// Asserts a refused delete.
    #[track_caller]
    pub(super) fn keep(&mut self, path: &str, version: &str, status: u16, code: &str) {
        let reply = self.delete(path, version);
        assert_eq!((reply.status, reply.code()), (status, Some(code)), "{:?}", reply.body);
    }

    // The usual inhabitants.

    pub(super) fn network(&mut self) -> Value {
        let body = json!({"location": "westeurope", "properties": {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/22"]},
        "subnets": [
            {"name": "AzureFirewallSubnet", "properties": {"addressPrefix": "10.1.1.0/24"}},
            {"name": "AzureBastionSubnet", "properties": {"addressPrefix": "10.1.2.0/26"}},
            {"name": "SharedSubnet", "properties": {"addressPrefix": "10.1.2.128/25"}},
        ]}});
        self.make("Microsoft.Network/virtualNetworks/vnet", NETWORK, &body)
    }

    pub(super) fn subnet(&self, name: &str) -> String {
        self.id(&format!("Microsoft.Network/virtualNetworks/vnet/subnets/{name}"))
    }

    pub(super) fn address(&mut self, name: &str) -> String {
        let path = format!("Microsoft.Network/publicIPAddresses/{name}");
        let body = json!({"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}});
        self.make(&path, NETWORK, &body);
        self.id(&path)
    }

    pub(super) fn storage(&mut self) -> String {
        self.make("Microsoft.Storage/storageAccounts/stg1", "2023-05-01", &storage_body());
        self.id("Microsoft.Storage/storageAccounts/stg1")
    }

    pub(super) fn vault(&mut self) -> String {
        let body = vault_body(&self.world.tenant);
        self.make("Microsoft.KeyVault/vaults/kv1", "2026-02-01", &body);
        self.id("Microsoft.KeyVault/vaults/kv1")
    }

    pub(super) fn logs(&mut self) -> String {
        self.make(
            "Microsoft.OperationalInsights/workspaces/log1",
            "2023-09-01",
            &json!({"location": "westeurope", "properties": {}}),
        );
        self.id("Microsoft.OperationalInsights/workspaces/log1")
    }

    pub(super) fn insights(&mut self) -> String {
        let logs = self.logs();
        let body = json!({"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": logs}});
        self.make("Microsoft.Insights/components/appi1", "2020-02-02", &body);
        self.id("Microsoft.Insights/components/appi1")
    }

    pub(super) fn workspace(&mut self) -> String {
        let (storage, vault, insights) = (self.storage(), self.vault(), self.insights());
        let body = workspace_body(&storage, &vault, &insights);
        self.make("Microsoft.MachineLearningServices/workspaces/ml1", "2025-06-01", &body);
        self.id("Microsoft.MachineLearningServices/workspaces/ml1")
    }
}

pub(super) fn storage_body() -> Value {
    json!({"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}})
}

pub(super) fn vault_body(tenant: &str) -> Value {
    json!({"location": "westeurope", "properties": {"tenantId": tenant, "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": true, "accessPolicies": [], "softDeleteRetentionInDays": 7}})
}

pub(super) fn workspace_body(storage: &str, vault: &str, insights: &str) -> Value {
    json!({"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {
        "storageAccount": storage, "keyVault": vault, "applicationInsights": insights}})
}

pub(super) fn endpoint_body(subnet: &str, target: &str, group: &str, card: &str) -> Value {
    json!({"location": "westeurope", "properties": {"subnet": {"id": subnet}, "customNetworkInterfaceName": card,
        "privateLinkServiceConnections": [{"name": "psc", "properties": {"privateLinkServiceId": target, "groupIds": [group]}}]}})
}
