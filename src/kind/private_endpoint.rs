//! Private endpoint: a service brought into a subnet. Usable once the service's owner has approved it.

use azure_mgmt_network::package_2024_03::models::{
    PrivateEndpoint, PrivateEndpointProperties, PrivateLinkServiceConnection, PrivateLinkServiceConnectionProperties,
    Resource, Subnet, SubResource,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK, Settled, Turn};
use crate::model::ResourceId;

/// The card. Two endpoints on one storage account: the second is refused while the first is being made
/// (`StorageAccountOperationInProgress`), so writers on one target take turns.
pub static KIND: Kind = Kind {
    name: "private_endpoint",
    arm_type: "Microsoft.Network/privateEndpoints",
    api_version: NETWORK,
    immutable: &[
        "/location",
        "/properties/subnet",
        "/properties/customNetworkInterfaceName",
        "/properties/privateLinkServiceConnections",
    ],
    keyed: &[("/properties/privateLinkServiceConnections", "name")],
    sets: &["/properties/privateLinkServiceConnections/*/properties/groupIds"],
    caseless: &["/properties/privateLinkServiceConnections/*/properties/groupIds/*"],
    turn: Turn::Pointer("/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId"),
    settled,
    ..Kind::PLAIN
};

/// What an endpoint brings where.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    /// Where it gets its addresses.
    pub subnet: &'a ResourceId,
    /// Name of its network card, so that its id is known in advance.
    pub network_card: &'a str,
    /// Name of the connection.
    pub connection: &'a str,
    /// The service.
    pub target: &'a ResourceId,
    /// Which face of the service: `blob`, `vault`, ….
    pub face: &'static str,
}

/// An endpoint with one connection.
#[must_use]
pub fn body(place: Place, says: &Says) -> Value {
    let connection = PrivateLinkServiceConnection {
        name: Some(says.connection.to_owned()),
        properties: Some(PrivateLinkServiceConnectionProperties {
            private_link_service_id: Some(says.target.to_string()),
            group_ids: vec![says.face.to_owned()],
            ..PrivateLinkServiceConnectionProperties::new()
        }),
        ..PrivateLinkServiceConnection::new()
    };
    let subnet = SubResource { id: Some(says.subnet.to_string()) };
    let properties = PrivateEndpointProperties {
        subnet: Some(Subnet { sub_resource: subnet, ..Subnet::new() }),
        custom_network_interface_name: Some(says.network_card.to_owned()),
        private_link_service_connections: vec![connection],
        ..PrivateEndpointProperties::new()
    };
    body::of(&PrivateEndpoint {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..PrivateEndpoint::new()
    })
}

/// `Succeeded` says nothing of approval (`azure-facts` 2.16): every connection must be approved.
fn settled(live: &Value) -> Settled {
    let lists = ["/properties/privateLinkServiceConnections", "/properties/manualPrivateLinkServiceConnections"];
    let states = lists
        .iter()
        .filter_map(|list| live.pointer(list)?.as_array())
        .flatten()
        .filter_map(|connection| connection.pointer("/properties/privateLinkServiceConnectionState"));
    for state in states {
        let word = |name: &str| state.get(name).and_then(Value::as_str).unwrap_or_default();
        match word("status") {
            "Approved" | "" => {}
            "Pending" => return Settled::NotYet("waits for approval by the owner of the service".to_owned()),
            other => return Settled::No(format!("the connection is {other}: {}", word("description"))),
        }
    }
    Settled::Yes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(status: &str) -> Value {
        let state = json!({"status": status, "description": "no"});
        json!({"properties": {"privateLinkServiceConnections": [
            {"properties": {"privateLinkServiceConnectionState": state}}
        ]}})
    }

    #[test]
    fn only_an_approved_endpoint_is_settled() {
        assert_eq!(settled(&live("Approved")), Settled::Yes);
        assert!(matches!(settled(&live("Pending")), Settled::NotYet(_)));
        assert_eq!(settled(&live("Rejected")), Settled::No("the connection is Rejected: no".to_owned()));
    }
}
