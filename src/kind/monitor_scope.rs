//! Azure Monitor private link scope: the private door of the log workspace and Application Insights.

use serde::Serialize;
use serde_json::Value;

use super::Kind;
use super::body::{self, Place, Tags};

/// The card.
pub static KIND: Kind = Kind {
    name: "monitor_scope",
    arm_type: "Microsoft.Insights/privateLinkScopes",
    api_version: "2021-09-01",
    caseless: &[
        "/properties/accessModeSettings/queryAccessMode",
        "/properties/accessModeSettings/ingestionAccessMode",
    ],
    ..Kind::PLAIN
};

// azure_mgmt_monitor 0.21 does not compile with the tag that has scopes, so these structs are ours.
#[derive(Serialize)]
struct Scope<'a> {
    location: &'static str,
    tags: &'a Tags,
    properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    access_mode_settings: AccessModes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessModes {
    query_access_mode: &'static str,
    ingestion_access_mode: &'static str,
}

/// A scope in `Open` mode, which Azure ML demands (`azure-facts` 2.5); both modes must be said since 2021-07.
#[must_use]
pub fn body(place: Place) -> Value {
    let open = AccessModes { query_access_mode: "Open", ingestion_access_mode: "Open" };
    body::of(&Scope { location: "global", tags: place.tags, properties: Properties { access_mode_settings: open } })
}
