//! One resource inside an Azure Monitor private link scope.

use serde::Serialize;
use serde_json::Value;

use super::{Kind, Turn, body};
use crate::model::ResourceId;

/// The card. Two writes on one scope conflict (`azure-facts` 2.5), so they take turns.
pub static KIND: Kind = Kind {
    name: "scoped_resource",
    arm_type: "Microsoft.Insights/privateLinkScopes/scopedResources",
    api_version: "2021-09-01",
    tagged: false,
    immutable: &["/properties/linkedResourceId"],
    turn: Turn::Parent,
    ..Kind::PLAIN
};

// azure_mgmt_monitor 0.21 does not compile with the tag that has scopes, so these structs are ours.
#[derive(Serialize)]
struct Scoped<'a> {
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    linked_resource_id: &'a ResourceId,
}

/// The membership of `resource`.
#[must_use]
pub fn body(resource: &ResourceId) -> Value {
    body::of(&Scoped { properties: Properties { linked_resource_id: resource } })
}
