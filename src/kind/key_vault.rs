//! Key vault: secrets of the ML workspace and the jumpbox's password. Roles instead of access policies.

use azure_mgmt_keyvault::package_preview_2022_02::models::{
    NetworkRuleSet, Sku, VaultCreateOrUpdateParameters, VaultProperties, network_rule_set, sku,
};
use serde_json::{Value, json};

use super::body::{self, Place};
use super::{Holds, Kind};

/// The card. Versions before 2026-02-01 retire on 2027-02-27. Never says `createMode`: recovering a deleted vault is
/// the planner's decision. Access policies of strangers are void in role mode, but a PUT must not drop them.
pub static KIND: Kind = Kind {
    name: "key_vault",
    arm_type: "Microsoft.KeyVault/vaults",
    api_version: "2026-02-01",
    immutable: &["/location", "/properties/softDeleteRetentionInDays"],
    keyed: &[
        ("/properties/accessPolicies", "objectId"),
        ("/properties/networkAcls/ipRules", "value"),
        ("/properties/networkAcls/virtualNetworkRules", "id"),
    ],
    carried: &["/properties/accessPolicies"],
    caseless: &[
        "/properties/publicNetworkAccess",
        "/properties/sku/name",
        "/properties/sku/family",
        "/properties/tenantId",
        "/properties/networkAcls/bypass",
        "/properties/networkAcls/defaultAction",
    ],
    reports: &["/properties/vaultUri"],
    holds: Holds::Data,
    follow_up: recovered,
    ..Kind::PLAIN
};

/// Key Vault brings a deleted vault back as it was and ignores the other settings of that request: they are written
/// after it. Otherwise a vault that somebody opened and deleted would come back open.
fn recovered(body: &Value) -> Option<Value> {
    let mut body = body.clone();
    let properties = body.get_mut("properties")?.as_object_mut()?;
    properties.remove("createMode").map(|_| body)
}

/// Days for which a deleted vault can be brought back and its name stays taken.
///
/// The Terraform project left Azure's 90. With purge protection, which cannot be undone, that blocks the name of a
/// destroyed environment for three months; seven days is the least that Azure accepts, and it is fixed at creation.
const RETENTION_DAYS: i32 = 7;

/// A vault that only private endpoints and trusted services reach.
#[must_use]
pub fn body(place: Place, tenant: &str) -> Value {
    let properties = VaultProperties {
        enable_rbac_authorization: Some(true),
        enable_soft_delete: Some(true),
        soft_delete_retention_in_days: Some(RETENTION_DAYS),
        enable_purge_protection: Some(true),
        enabled_for_deployment: Some(false),
        enabled_for_disk_encryption: Some(false),
        enabled_for_template_deployment: Some(false),
        public_network_access: Some("Disabled".to_owned()),
        network_acls: Some(NetworkRuleSet {
            bypass: Some(network_rule_set::Bypass::AzureServices),
            default_action: Some(network_rule_set::DefaultAction::Deny),
            ..NetworkRuleSet::new()
        }),
        ..VaultProperties::new(tenant.to_owned(), Sku::new(sku::Family::A, sku::Name::Standard))
    };
    let vault = VaultCreateOrUpdateParameters {
        tags: Some(place.tags()),
        ..VaultCreateOrUpdateParameters::new(place.location(), properties)
    };
    // The model skips empty lists. Azure demands `accessPolicies` on create; rules are said so that others are drift.
    let lists = json!({"accessPolicies": [], "networkAcls": {"ipRules": [], "virtualNetworkRules": []}});
    body::with(&vault, json!({"properties": lists}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_recovery_is_followed_up() {
        let plain = json!({"location": "westeurope", "properties": {"publicNetworkAccess": "Disabled"}});
        let mut recovering = plain.clone();
        recovering["properties"]["createMode"] = json!("recover");
        assert_eq!(recovered(&recovering), Some(plain.clone()));
        assert_eq!(recovered(&plain), None);
    }
}
