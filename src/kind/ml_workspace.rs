//! The Azure ML workspace: ties vault, storage, registry and Application Insights together.

use azure_mgmt_machinelearningservices::package_2024_04::models::{
    IsolationMode, ManagedNetworkSettings, ManagedServiceIdentity, ManagedServiceIdentityType, Sku, SkuTier, Workspace,
    WorkspaceProperties, workspace_properties::PublicNetworkAccess,
};
use serde_json::{Value, json};

use super::body::{self, Place};
use super::{Delete, Holds, Kind};
use crate::model::ResourceId;

/// The card. Without `forceToPurge` the name stays taken for 14 days.
pub static KIND: Kind = Kind {
    name: "ml_workspace",
    arm_type: "Microsoft.MachineLearningServices/workspaces",
    // The first stable version that knows `systemDatastoresAuthMode`.
    api_version: "2025-06-01",
    immutable: &[
        "/location",
        "/kind",
        "/properties/storageAccount",
        "/properties/keyVault",
        "/properties/hbiWorkspace",
    ],
    caseless: &[
        "/kind",
        "/sku/name",
        "/sku/tier",
        "/identity/type",
        "/properties/publicNetworkAccess",
        "/properties/systemDatastoresAuthMode",
        "/properties/managedNetwork/isolationMode",
    ],
    // The cluster that builds images is made by people, after the workspace, and set by them (`azure-facts` 2.17).
    kept: &["/properties/imageBuildCompute"],
    reports: &["/identity/principalId", "/properties/workspaceId"],
    holds: Holds::Data,
    delete: Delete::Own("forceToPurge=true"),
    ..Kind::PLAIN
};

/// What a workspace stands on.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    /// Shown in the studio.
    pub title: &'a str,
    /// Its own storage account.
    pub storage: &'a ResourceId,
    /// Its own vault.
    pub vault: &'a ResourceId,
    /// Its registry.
    pub registry: &'a ResourceId,
    /// Its telemetry.
    pub insights: &'a ResourceId,
}

/// A workspace without a public side, in a network of ours.
#[must_use]
pub fn body(place: Place, says: &Says) -> Value {
    let properties = WorkspaceProperties {
        friendly_name: Some(says.title.to_owned()),
        storage_account: Some(says.storage.to_string()),
        key_vault: Some(says.vault.to_string()),
        container_registry: Some(says.registry.to_string()),
        application_insights: Some(says.insights.to_string()),
        public_network_access: Some(PublicNetworkAccess::Disabled),
        v1_legacy_mode: Some(false),
        hbi_workspace: Some(false),
        // Computes join our subnet; the managed network is the other, one-way design.
        managed_network: Some(ManagedNetworkSettings {
            isolation_mode: Some(IsolationMode::Disabled),
            ..ManagedNetworkSettings::new()
        }),
        // No `imageBuildCompute`: the cluster it names does not exist yet.
        ..WorkspaceProperties::new()
    };
    let workspace = Workspace {
        location: Some(place.location()),
        tags: Some(place.tags()),
        kind: Some("Default".to_owned()),
        identity: Some(ManagedServiceIdentity::new(ManagedServiceIdentityType::SystemAssigned)),
        sku: Some(Sku { tier: Some(SkuTier::Basic), ..Sku::new("Basic".to_owned()) }),
        properties: Some(properties),
        ..Workspace::new()
    };
    // Newer than the model: identities instead of account keys, which the account refuses.
    body::with(&workspace, json!({"properties": {"systemDatastoresAuthMode": "Identity"}}))
}
