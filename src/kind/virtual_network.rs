//! The virtual network with its subnets inside, so that none is ever without its security group and route.

use azure_mgmt_network::package_2024_03::models::{
    AddressSpace, NetworkSecurityGroup, Resource, RouteTable, ServiceEndpointPolicy, ServiceEndpointPropertiesFormat,
    Subnet as SubnetModel, SubnetPropertiesFormat, VirtualNetwork, VirtualNetworkPropertiesFormat,
    subnet_properties_format::{PrivateEndpointNetworkPolicies, PrivateLinkServiceNetworkPolicies},
};
use ipnet::Ipv4Net;
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};
use crate::model::ResourceId;

/// The card. A subnet or a peering that somebody added is carried along: a PUT without it would delete it.
pub static KIND: Kind = Kind {
    name: "virtual_network",
    arm_type: "Microsoft.Network/virtualNetworks",
    // Below 2025-07-01, where `defaultOutboundAccess` changes its default; we say it anyway.
    api_version: NETWORK,
    keyed: &[
        ("/properties/subnets", "name"),
        ("/properties/virtualNetworkPeerings", "name"),
        ("/properties/subnets/*/properties/serviceEndpoints", "service"),
        ("/properties/subnets/*/properties/serviceEndpointPolicies", "id"),
    ],
    carried: &["/properties/subnets", "/properties/virtualNetworkPeerings"],
    kept: &["/properties/dhcpOptions", "/properties/ddosProtectionPlan", "/properties/enableDdosProtection"],
    sets: &["/properties/addressSpace/addressPrefixes"],
    caseless: &[
        "/properties/subnets/*/properties/privateEndpointNetworkPolicies",
        "/properties/subnets/*/properties/privateLinkServiceNetworkPolicies",
    ],
    ..Kind::PLAIN
};

/// One subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Azure reads meaning into `AzureFirewallSubnet` and `AzureBastionSubnet`.
    pub name: &'static str,
    /// Its range.
    pub range: Ipv4Net,
    /// Its security group; the firewall's subnet may have none.
    pub security_group: Option<ResourceId>,
    /// Its route table; Bastion's subnet may have none.
    pub route_table: Option<ResourceId>,
    /// Which storage accounts its service endpoint reaches; `None`: no service endpoint.
    pub storage_policy: Option<ResourceId>,
    /// Whether private endpoints live here, which Azure ML wants free of network policies.
    pub private_endpoints: bool,
}

/// A network with exactly one range.
#[must_use]
pub fn body(place: Place, range: Ipv4Net, subnets: &[Subnet]) -> Value {
    let properties = VirtualNetworkPropertiesFormat {
        address_space: Some(AddressSpace { address_prefixes: vec![range.to_string()] }),
        subnets: subnets.iter().map(subnet).collect(),
        ..VirtualNetworkPropertiesFormat::new()
    };
    body::of(&VirtualNetwork {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..VirtualNetwork::new()
    })
}

/// Subnets of `said` that have another range in `wanted`: name, range there, range here.
#[must_use]
pub fn moved<'a>(said: &'a Value, wanted: &'a Value) -> Vec<(&'a str, &'a str, &'a str)> {
    let known = ranges(said);
    let other = |(name, range): (&'a str, &'a str)| {
        let (_, old) = known.iter().find(|(known, _)| *known == name)?;
        (*old != range).then_some((name, *old, range))
    };
    ranges(wanted).into_iter().filter_map(other).collect()
}

fn ranges(body: &Value) -> Vec<(&str, &str)> {
    let subnets = body.pointer("/properties/subnets").and_then(Value::as_array).into_iter().flatten();
    subnets
        .filter_map(|subnet| Some((subnet["name"].as_str()?, subnet.pointer("/properties/addressPrefix")?.as_str()?)))
        .collect()
}

fn subnet(subnet: &Subnet) -> SubnetModel {
    let refers = |id: &ResourceId| Resource { id: Some(id.to_string()), ..Resource::new() };
    let closed = subnet.private_endpoints;
    let endpoint =
        ServiceEndpointPropertiesFormat { service: Some("Microsoft.Storage".to_owned()), ..Default::default() };
    let properties = SubnetPropertiesFormat {
        address_prefix: Some(subnet.range.to_string()),
        // Absent means on: a machine here would have its own way out beside the firewall.
        default_outbound_access: Some(false),
        network_security_group: subnet
            .security_group
            .as_ref()
            .map(|id| NetworkSecurityGroup { resource: refers(id), ..NetworkSecurityGroup::new() }),
        route_table: subnet.route_table.as_ref().map(|id| RouteTable { resource: refers(id), ..RouteTable::new() }),
        service_endpoints: subnet.storage_policy.iter().map(|_| endpoint.clone()).collect(),
        service_endpoint_policies: subnet
            .storage_policy
            .iter()
            .map(|id| ServiceEndpointPolicy { resource: refers(id), ..ServiceEndpointPolicy::new() })
            .collect(),
        private_endpoint_network_policies: closed.then_some(PrivateEndpointNetworkPolicies::Disabled),
        private_link_service_network_policies: closed.then_some(PrivateLinkServiceNetworkPolicies::Disabled),
        ..SubnetPropertiesFormat::new()
    };
    SubnetModel { name: Some(subnet.name.to_owned()), properties: Some(properties), ..SubnetModel::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_subnet_that_stays_can_move() {
        let of = |subnets: &[(&str, &str)]| {
            let one = |(name, range): &(&str, &str)| json!({"name": name, "properties": {"addressPrefix": range}});
            json!({"properties": {"subnets": subnets.iter().map(one).collect::<Vec<_>>()}})
        };
        let said = of(&[("a", "10.0.0.0/26"), ("b", "10.0.0.64/26"), ("gone", "10.0.1.0/26")]);
        let wanted = of(&[("b", "10.0.0.128/26"), ("a", "10.0.0.0/26"), ("new", "10.0.1.0/26")]);
        assert_eq!(moved(&said, &wanted), [("b", "10.0.0.64/26", "10.0.0.128/26")]);
        assert!(moved(&said, &said).is_empty() && moved(&json!({}), &wanted).is_empty());
    }
}
