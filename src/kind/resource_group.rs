//! The group everything lives in. Says its place and tags, nothing else.

use azure_mgmt_resources::package_resources_2021_04::models::ResourceGroup;
use serde_json::Value;

use super::body::{self, Place};
use super::{Holds, Kind};

/// The card. Replacing a group (another region) takes everything in it along.
pub static KIND: Kind = Kind {
    name: "resource_group",
    arm_type: "Microsoft.Resources/resourceGroups",
    api_version: "2021-04-01",
    holds: Holds::Data,
    ..Kind::PLAIN
};

/// A group at a place.
#[must_use]
pub fn body(place: Place) -> Value {
    body::of(&ResourceGroup { tags: Some(place.tags()), ..ResourceGroup::new(place.location()) })
}
