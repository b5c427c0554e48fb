//! Firewall policy: what the firewall obeys. Its rules are a resource of their own.

use azure_mgmt_network::package_2024_03::models::{
    AzureFirewallThreatIntelMode, DnsSettings, FirewallPolicy, FirewallPolicyPropertiesFormat, FirewallPolicySku,
    Resource, firewall_policy_sku::Tier,
};
use serde_json::Value;

use super::body::{self, Place};
use super::{Kind, NETWORK};

/// The card.
pub static KIND: Kind = Kind {
    name: "firewall_policy",
    arm_type: "Microsoft.Network/firewallPolicies",
    api_version: NETWORK,
    caseless: &["/properties/sku/tier", "/properties/threatIntelMode"],
    ..Kind::PLAIN
};

/// A Standard policy. The DNS proxy is on because host names in network rules need it (`azure-facts` 4.4).
#[must_use]
pub fn body(place: Place) -> Value {
    let properties = FirewallPolicyPropertiesFormat {
        sku: Some(FirewallPolicySku { tier: Some(Tier::Standard) }),
        threat_intel_mode: Some(AzureFirewallThreatIntelMode::Alert),
        dns_settings: Some(DnsSettings { enable_proxy: Some(true), ..DnsSettings::new() }),
        ..FirewallPolicyPropertiesFormat::new()
    };
    body::of(&FirewallPolicy {
        resource: Resource { location: Some(place.location()), tags: Some(place.tags()), ..Resource::new() },
        properties: Some(properties),
        ..FirewallPolicy::new()
    })
}
