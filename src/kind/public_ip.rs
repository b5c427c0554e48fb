//! A static public address, for the firewall and for Bastion.

use azure_mgmt_network::package_2024_03::models::{
    IpAllocationMethod, IpVersion, PublicIpAddress, PublicIpAddressPropertiesFormat, PublicIpAddressSku, Resource,
    public_ip_address_sku::{Name, Tier},
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};

/// The card.
pub static KIND: Kind = Kind {
    name: "public_ip",
    arm_type: "Microsoft.Network/publicIPAddresses",
    api_version: NETWORK,
    immutable: &["/location", "/sku", "/properties/publicIPAddressVersion"],
    caseless: &["/sku/name", "/sku/tier", "/properties/publicIPAllocationMethod"],
    reports: &["/properties/ipAddress"],
    ..Kind::PLAIN
};

/// A Standard address, the only kind left (`azure-facts` 2.9). Zones are left to the region.
#[must_use]
pub fn body(place: Place) -> Value {
    let properties = PublicIpAddressPropertiesFormat {
        public_ip_allocation_method: Some(IpAllocationMethod::Static),
        public_ip_address_version: Some(IpVersion::IPv4),
        idle_timeout_in_minutes: Some(4),
        ..PublicIpAddressPropertiesFormat::new()
    };
    body::of(&PublicIpAddress {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        sku: Some(PublicIpAddressSku { name: Some(Name::Standard), tier: Some(Tier::Regional) }),
        properties: Some(Box::new(properties)),
        ..PublicIpAddress::new()
    })
}
