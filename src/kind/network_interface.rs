//! The jumpbox's network card.

use azure_mgmt_network::package_2024_03::models::{
    IpAllocationMethod, NetworkInterface, NetworkInterfaceIpConfiguration, NetworkInterfaceIpConfigurationPropertiesFormat,
    NetworkInterfacePropertiesFormat, Resource, SubResource, Subnet,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};
use crate::model::ResourceId;

/// The card.
pub static KIND: Kind = Kind {
    name: "network_interface",
    arm_type: "Microsoft.Network/networkInterfaces",
    api_version: NETWORK,
    keyed: &[("/properties/ipConfigurations", "name")],
    caseless: &["/properties/ipConfigurations/*/properties/privateIPAllocationMethod"],
    ..Kind::PLAIN
};

/// A card with one address of `subnet`, and no public one.
#[must_use]
pub fn body(place: Place, subnet: &ResourceId) -> Value {
    let subnet = SubResource { id: Some(subnet.to_string()) };
    let configuration = NetworkInterfaceIpConfiguration {
        name: Some("internalIPConfig".to_owned()),
        properties: Some(NetworkInterfaceIpConfigurationPropertiesFormat {
            private_ip_allocation_method: Some(IpAllocationMethod::Dynamic),
            subnet: Some(Subnet { sub_resource: subnet, ..Subnet::new() }),
            ..NetworkInterfaceIpConfigurationPropertiesFormat::new()
        }),
        ..NetworkInterfaceIpConfiguration::new()
    };
    let properties = NetworkInterfacePropertiesFormat {
        ip_configurations: vec![configuration],
        enable_ip_forwarding: Some(false),
        ..NetworkInterfacePropertiesFormat::new()
    };
    body::of(&NetworkInterface {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..NetworkInterface::new()
    })
}
