//! Log Analytics workspace: where every log ends up.

use azure_mgmt_operationalinsights::package_2021_06::models::{
    PublicNetworkAccessType, TrackedResource, Workspace, WorkspaceCapping, WorkspaceFeatures, WorkspaceProperties,
    WorkspaceSku, workspace_sku,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Delete, Holds, Kind};

/// The card. Without `force` a deleted workspace lingers for 14 days and a new one of the same name revives it.
pub static KIND: Kind = Kind {
    name: "log_workspace",
    arm_type: "Microsoft.OperationalInsights/workspaces",
    api_version: "2025-07-01",
    // Some versions echo `pergb2018`.
    caseless: &[
        "/properties/sku/name",
        "/properties/publicNetworkAccessForIngestion",
        "/properties/publicNetworkAccessForQuery",
    ],
    reports: &["/properties/customerId"],
    holds: Holds::Data,
    delete: Delete::Own("force=true"),
    ..Kind::PLAIN
};

/// What differs between environments.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    /// Days, 30 to 730.
    pub retention_days: u32,
    /// GB a day; `None`: no cap.
    pub daily_cap_gb: Option<u32>,
    /// Whether logs may be sent from outside the private link scope.
    pub ingestion: bool,
}

/// A workspace paid by volume, with Entra ID as the only way to sign in.
#[must_use]
pub fn body(place: Place, says: &Says) -> Value {
    let properties = WorkspaceProperties {
        sku: Some(WorkspaceSku::new(workspace_sku::Name::PerGb2018)),
        retention_in_days: i32::try_from(says.retention_days).ok(),
        features: Some(WorkspaceFeatures {
            disable_local_auth: Some(true),
            enable_log_access_using_only_resource_permissions: Some(true),
            ..WorkspaceFeatures::new()
        }),
        public_network_access_for_ingestion: Some(access(says.ingestion)),
        // Operators read logs with Entra ID from the portal, which is outside the network.
        public_network_access_for_query: Some(PublicNetworkAccessType::Enabled),
        workspace_capping: Some(WorkspaceCapping {
            daily_quota_gb: Some(says.daily_cap_gb.map_or(-1.0, f64::from)),
            ..WorkspaceCapping::new()
        }),
        ..WorkspaceProperties::new()
    };
    let place = TrackedResource { tags: Some(place.tags()), ..TrackedResource::new(place.location()) };
    let mut body = body::of(&Workspace { properties: Some(properties), ..Workspace::new(place) });
    // The model writes 5.0; Azure answers 5, and the two are different JSON numbers.
    if let Some(quota) = body.pointer_mut("/properties/workspaceCapping/dailyQuotaGb") {
        *quota = says.daily_cap_gb.map_or(Value::from(-1), Value::from);
    }
    body
}

const fn access(open: bool) -> PublicNetworkAccessType {
    if open { PublicNetworkAccessType::Enabled } else { PublicNetworkAccessType::Disabled }
}
