//! A private DNS zone made visible to a network.

use azure_mgmt_privatedns::package_2024_06::models::{
    SubResource, TrackedResource, VirtualNetworkLink, VirtualNetworkLinkProperties,
    virtual_network_link_properties::ResolutionPolicy,
};
use serde_json::Value;

use super::Kind;
use super::body::{self, Place};
use crate::model::ResourceId;

/// The card.
pub static KIND: Kind = Kind {
    name: "dns_link",
    arm_type: "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    api_version: "2024-06-01",
    immutable: &["/location", "/properties/virtualNetwork"],
    caseless: &["/properties/resolutionPolicy"],
    ..Kind::PLAIN
};

/// Makes the zone visible to `network`, without registering machines in it.
#[must_use]
pub fn body(place: Place, network: &ResourceId) -> Value {
    let place = place.global();
    let properties = VirtualNetworkLinkProperties {
        virtual_network: Some(SubResource { id: Some(network.to_string()) }),
        registration_enabled: Some(false),
        // The other policy would send names without a record to public DNS: other tenants' accounts.
        resolution_policy: Some(ResolutionPolicy::Default),
        ..VirtualNetworkLinkProperties::new()
    };
    body::of(&VirtualNetworkLink {
        tracked_resource: TrackedResource {
            location: Some(place.location()),
            tags: Some(place.tags()),
            ..TrackedResource::new()
        },
        properties: Some(properties),
        ..VirtualNetworkLink::new()
    })
}
