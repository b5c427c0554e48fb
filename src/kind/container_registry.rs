//! Container registry: images of the ML workspace.

use azure_mgmt_containerregistry::package_2023_07::models::{
    ExportPolicy, NetworkRuleSet, Policies, Registry, RegistryProperties, Resource, Sku, export_policy,
    network_rule_set, registry_properties as words, sku,
};
use serde_json::{Value, json};

use super::body::{self, Place};
use super::{Holds, Kind};

/// The card. The login server is read back: newer registries may have a hash in it.
pub static KIND: Kind = Kind {
    name: "container_registry",
    arm_type: "Microsoft.ContainerRegistry/registries",
    api_version: "2025-11-01",
    immutable: &["/location", "/properties/zoneRedundancy"],
    keyed: &[("/properties/networkRuleSet/ipRules", "value")],
    caseless: &[
        "/sku/name",
        "/properties/publicNetworkAccess",
        "/properties/networkRuleBypassOptions",
        "/properties/networkRuleSet/defaultAction",
        "/properties/zoneRedundancy",
        "/properties/roleAssignmentMode",
        "/properties/policies/exportPolicy/status",
        "/properties/policies/azureADAuthenticationAsArmPolicy/status",
    ],
    reports: &["/properties/loginServer"],
    holds: Holds::Data,
    ..Kind::PLAIN
};

/// A Premium registry (private endpoints need it) without admin user, public network or export.
#[must_use]
pub fn body(place: Place) -> Value {
    let properties = RegistryProperties {
        admin_user_enabled: Some(false),
        public_network_access: Some(words::PublicNetworkAccess::Disabled),
        network_rule_bypass_options: Some(words::NetworkRuleBypassOptions::AzureServices),
        data_endpoint_enabled: Some(true),
        zone_redundancy: Some(words::ZoneRedundancy::Disabled),
        network_rule_set: Some(NetworkRuleSet::new(network_rule_set::DefaultAction::Deny)),
        policies: Some(Policies {
            export_policy: Some(ExportPolicy { status: Some(export_policy::Status::Disabled) }),
            ..Policies::new()
        }),
        ..RegistryProperties::new()
    };
    let place = Resource { tags: Some(place.tags()), ..Resource::new(place.location()) };
    let registry =
        Registry { properties: Some(properties), ..Registry::new(place, Sku::new(sku::Name::Premium)) };
    body::with(&registry, json!({"properties": newer()}))
}

/// What the model of 2023 lacks, and an empty list that it would skip.
fn newer() -> Value {
    json!({
        "anonymousPullEnabled": false,
        // Tasks must not pass the network rules with a trusted service's right.
        "networkRuleBypassAllowedForTasks": false,
        // AcrPull, which the workspace's identity gets, works in this mode only.
        "roleAssignmentMode": "LegacyRegistryPermissions",
        "networkRuleSet": {"ipRules": []},
        // Compute signs in with a token for ARM.
        "policies": {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}},
    })
}
