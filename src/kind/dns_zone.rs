//! Private DNS zone: the names of a private service. Its records are written by endpoints' zone groups.

use azure_mgmt_privatedns::package_2024_06::models::{PrivateZone, PrivateZoneProperties, TrackedResource};
use serde_json::Value;

use super::Kind;
use super::body::{self, Place};

/// The card.
pub static KIND: Kind = Kind {
    name: "dns_zone",
    arm_type: "Microsoft.Network/privateDnsZones",
    api_version: "2024-06-01",
    ..Kind::PLAIN
};

/// An empty zone.
#[must_use]
pub fn body(place: Place) -> Value {
    let place = place.global();
    body::of(&PrivateZone {
        tracked_resource: TrackedResource {
            location: Some(place.location()),
            tags: Some(place.tags()),
            ..TrackedResource::new()
        },
        properties: Some(PrivateZoneProperties::new()),
        ..PrivateZone::new()
    })
}
