//! Zone group: the zones into which a private endpoint writes its records.

use azure_mgmt_network::package_2024_03::models::{
    PrivateDnsZoneConfig, PrivateDnsZoneGroup, PrivateDnsZoneGroupPropertiesFormat, PrivateDnsZonePropertiesFormat,
};
use serde_json::Value;

use super::{Kind, NETWORK, body};
use crate::model::ResourceId;

/// The card. An endpoint has one group of at most five zones; a change of it is delete and create.
pub static KIND: Kind = Kind {
    name: "dns_zone_group",
    arm_type: "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    api_version: NETWORK,
    tagged: false,
    immutable: &["/properties/privateDnsZoneConfigs"],
    keyed: &[("/properties/privateDnsZoneConfigs", "name")],
    ..Kind::PLAIN
};

/// A group of `zones`; each entry is named after its zone with dashes for dots.
#[must_use]
pub fn body(zones: &[ResourceId]) -> Value {
    let config = |zone: &ResourceId| PrivateDnsZoneConfig {
        name: Some(zone.name().replace('.', "-")),
        properties: Some(PrivateDnsZonePropertiesFormat {
            private_dns_zone_id: Some(zone.to_string()),
            ..PrivateDnsZonePropertiesFormat::new()
        }),
    };
    body::of(&PrivateDnsZoneGroup {
        properties: Some(PrivateDnsZoneGroupPropertiesFormat {
            private_dns_zone_configs: zones.iter().map(config).collect(),
            ..PrivateDnsZoneGroupPropertiesFormat::new()
        }),
        ..PrivateDnsZoneGroup::new()
    })
}
