//! Service endpoint policy: which storage accounts a subnet's service endpoint may reach.

use azure_mgmt_network::package_2024_03::models::{
    Resource, ServiceEndpointPolicy, ServiceEndpointPolicyDefinition, ServiceEndpointPolicyDefinitionPropertiesFormat,
    ServiceEndpointPolicyPropertiesFormat,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};
use crate::model::ResourceId;

/// The card. A definition that is not ours is drift: it opens accounts of strangers.
pub static KIND: Kind = Kind {
    name: "service_endpoint_policy",
    arm_type: "Microsoft.Network/serviceEndpointPolicies",
    api_version: NETWORK,
    keyed: &[("/properties/serviceEndpointPolicyDefinitions", "name")],
    sets: &["/properties/serviceEndpointPolicyDefinitions/*/properties/serviceResources"],
    ..Kind::PLAIN
};

/// The environment's own account and the system accounts of Azure ML, nothing else.
#[must_use]
pub fn body(place: Place, account: &ResourceId) -> Value {
    let properties = ServiceEndpointPolicyPropertiesFormat {
        service_endpoint_policy_definitions: vec![
            definition("storage", "Microsoft.Storage", account.as_str()),
            // An alias needs a definition of its own with the service `Global` (`azure-facts` 2.7).
            definition("azureml", "Global", "/services/Azure/MachineLearning"),
        ],
        ..ServiceEndpointPolicyPropertiesFormat::new()
    };
    body::of(&ServiceEndpointPolicy {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..ServiceEndpointPolicy::new()
    })
}

fn definition(name: &str, service: &str, resource: &str) -> ServiceEndpointPolicyDefinition {
    let properties = ServiceEndpointPolicyDefinitionPropertiesFormat {
        service: Some(service.to_owned()),
        service_resources: vec![resource.to_owned()],
        ..ServiceEndpointPolicyDefinitionPropertiesFormat::new()
    };
    ServiceEndpointPolicyDefinition {
        name: Some(name.to_owned()),
        properties: Some(properties),
        ..ServiceEndpointPolicyDefinition::new()
    }
}
