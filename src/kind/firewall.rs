//! The firewall: the only way out. Obeys a policy, so it has no rules of its own.

use azure_mgmt_network::package_2024_03::models::{
    AzureFirewall, AzureFirewallIpConfiguration, AzureFirewallIpConfigurationPropertiesFormat,
    AzureFirewallPropertiesFormat, AzureFirewallSku, Resource, SubResource,
    azure_firewall_sku::{Name, Tier},
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};
use crate::model::ResourceId;

/// The card. Its address is the next hop of the route, read back to check the planned one.
pub static KIND: Kind = Kind {
    name: "firewall",
    arm_type: "Microsoft.Network/azureFirewalls",
    api_version: NETWORK,
    immutable: &["/location", "/properties/sku/name", "/properties/ipConfigurations/*/properties/subnet"],
    keyed: &[("/properties/ipConfigurations", "name")],
    caseless: &["/properties/sku/name", "/properties/sku/tier", "/properties/threatIntelMode"],
    reports: &["/properties/ipConfigurations/0/properties/privateIPAddress"],
    ..Kind::PLAIN
};

/// What a firewall stands on.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    /// `AzureFirewallSubnet`.
    pub subnet: &'a ResourceId,
    /// Its public address.
    pub address: &'a ResourceId,
    /// What it obeys.
    pub policy: &'a ResourceId,
}

/// A Standard firewall: the smallest with a DNS proxy and host names in network rules.
#[must_use]
pub fn body(place: Place, says: &Says) -> Value {
    let refers = |id: &ResourceId| Some(SubResource { id: Some(id.to_string()) });
    let configuration = AzureFirewallIpConfiguration {
        name: Some("fw-ip-configuration".to_owned()),
        properties: Some(AzureFirewallIpConfigurationPropertiesFormat {
            subnet: refers(says.subnet),
            public_ip_address: refers(says.address),
            ..AzureFirewallIpConfigurationPropertiesFormat::new()
        }),
        ..AzureFirewallIpConfiguration::new()
    };
    // `threatIntelMode` is the policy's to say.
    let properties = AzureFirewallPropertiesFormat {
        sku: Some(AzureFirewallSku { name: Some(Name::AzfwVNet), tier: Some(Tier::Standard) }),
        ip_configurations: vec![configuration],
        firewall_policy: refers(says.policy),
        ..AzureFirewallPropertiesFormat::new()
    };
    body::of(&AzureFirewall {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..AzureFirewall::new()
    })
}
