//! Route table: where a subnet's traffic goes next.

use std::net::Ipv4Addr;

use azure_mgmt_network::package_2024_03::models::{
    Resource, Route, RouteNextHopType, RoutePropertiesFormat, RouteTable, RouteTablePropertiesFormat,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};

/// The card. A route that is not ours is drift: it could lead around the firewall.
pub static KIND: Kind = Kind {
    name: "route_table",
    arm_type: "Microsoft.Network/routeTables",
    api_version: NETWORK,
    keyed: &[("/properties/routes", "name")],
    caseless: &["/properties/routes/*/properties/nextHopType"],
    ..Kind::PLAIN
};

/// A table that sends everything to `appliance`.
#[must_use]
pub fn body(place: Place, appliance: Ipv4Addr) -> Value {
    let everything = RoutePropertiesFormat {
        address_prefix: Some("0.0.0.0/0".to_owned()),
        next_hop_ip_address: Some(appliance.to_string()),
        ..RoutePropertiesFormat::new(RouteNextHopType::VirtualAppliance)
    };
    let route = Route { name: Some("DefaultRoute".to_owned()), properties: Some(everything), ..Route::new() };
    let properties = RouteTablePropertiesFormat {
        routes: vec![route],
        // A later VPN gateway must not inject routes around the firewall (`azure-facts` 2.11).
        disable_bgp_route_propagation: Some(true),
        ..RouteTablePropertiesFormat::new()
    };
    body::of(&RouteTable {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..RouteTable::new()
    })
}
