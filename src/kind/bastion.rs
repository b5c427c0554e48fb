//! Bastion: the way in to the jumpbox, through the portal.

use azure_mgmt_network::package_2024_03::models::{
    BastionHost, BastionHostIpConfiguration, BastionHostIpConfigurationPropertiesFormat, BastionHostPropertiesFormat,
    IpAllocationMethod, Resource, Sku, SubResource, sku,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};
use crate::model::ResourceId;

/// The card. Azure upgrades a tier in place but never downgrades one; replacing takes as long and is right both ways.
pub static KIND: Kind = Kind {
    name: "bastion",
    arm_type: "Microsoft.Network/bastionHosts",
    api_version: NETWORK,
    immutable: &["/location", "/sku", "/properties/ipConfigurations"],
    keyed: &[("/properties/ipConfigurations", "name")],
    caseless: &["/sku/name", "/properties/ipConfigurations/*/properties/privateIPAllocationMethod"],
    ..Kind::PLAIN
};

/// What a Bastion stands on and allows.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    /// `Basic`, `Standard`, `Premium`.
    pub sku: &'static str,
    /// `AzureBastionSubnet`.
    pub subnet: &'a ResourceId,
    /// Its public address.
    pub address: &'a ResourceId,
    /// Whether the clipboard is closed; `Basic` cannot.
    pub closed_clipboard: bool,
}

/// A Bastion without any of the doors besides the portal's.
#[must_use]
pub fn body(place: Place, says: &Says) -> Value {
    let refers = |id: &ResourceId| SubResource { id: Some(id.to_string()) };
    let sku = match says.sku {
        "Basic" => sku::Name::Basic,
        "Standard" => sku::Name::Standard,
        "Premium" => sku::Name::Premium,
        other => sku::Name::UnknownValue(other.to_owned()),
    };
    let configuration = BastionHostIpConfiguration {
        name: Some("configuration".to_owned()),
        properties: Some(BastionHostIpConfigurationPropertiesFormat {
            private_ip_allocation_method: Some(IpAllocationMethod::Dynamic),
            ..BastionHostIpConfigurationPropertiesFormat::new(refers(says.subnet), refers(says.address))
        }),
        ..BastionHostIpConfiguration::new()
    };
    let properties = BastionHostPropertiesFormat {
        ip_configurations: vec![configuration],
        disable_copy_paste: Some(says.closed_clipboard),
        enable_file_copy: Some(false),
        enable_ip_connect: Some(false),
        enable_shareable_link: Some(false),
        enable_tunneling: Some(false),
        ..BastionHostPropertiesFormat::new()
    };
    body::of(&BastionHost {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        sku: Some(Sku { name: Some(sku) }),
        properties: Some(properties),
        ..BastionHost::new()
    })
}
