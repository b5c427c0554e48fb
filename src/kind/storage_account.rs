//! Storage account: data of the ML workspace. No keys, no public network, no old TLS.

use azure_mgmt_storage::package_2023_05::models::{
    Encryption, EncryptionService, EncryptionServices, NetworkRuleSet, PublicNetworkAccess, Sku, SkuName,
    StorageAccountCreateParameters, StorageAccountPropertiesCreateParameters, encryption::KeySource,
    encryption_service::KeyType, network_rule_set, storage_account_create_parameters::Kind as AccountKind,
    storage_account_properties_create_parameters as words,
};
use serde_json::{Value, json};

use super::body::{self, Place};
use super::{Holds, Kind};

/// The card.
pub static KIND: Kind = Kind {
    name: "storage_account",
    arm_type: "Microsoft.Storage/storageAccounts",
    api_version: "2025-08-01",
    immutable: &["/location", "/kind", "/properties/encryption/requireInfrastructureEncryption"],
    keyed: &[
        ("/properties/networkAcls/ipRules", "value"),
        ("/properties/networkAcls/virtualNetworkRules", "id"),
    ],
    // One text with commas, in an order of Azure's own.
    sets: &["/properties/networkAcls/bypass"],
    caseless: &[
        "/sku/name",
        "/properties/publicNetworkAccess",
        "/properties/networkAcls/defaultAction",
        "/properties/encryption/keySource",
    ],
    holds: Holds::Data,
    ..Kind::PLAIN
};

/// An account that only private endpoints and trusted services with an identity reach.
#[must_use]
pub fn body(place: Place) -> Value {
    let properties = StorageAccountPropertiesCreateParameters {
        access_tier: Some(words::AccessTier::Hot),
        minimum_tls_version: Some(words::MinimumTlsVersion::Tls12),
        supports_https_traffic_only: Some(true),
        allow_blob_public_access: Some(false),
        // The workspace then uses identities: `systemDatastoresAuthMode` (`azure-facts` 2.12).
        allow_shared_key_access: Some(false),
        default_to_o_auth_authentication: Some(true),
        allow_cross_tenant_replication: Some(false),
        allowed_copy_scope: Some(words::AllowedCopyScope::PrivateLink),
        is_local_user_enabled: Some(false),
        public_network_access: Some(PublicNetworkAccess::Disabled),
        // No `resourceAccessRules`: they would name the workspace, which names this account.
        network_acls: Some(NetworkRuleSet {
            bypass: Some(network_rule_set::Bypass::AzureServices),
            ..NetworkRuleSet::new(network_rule_set::DefaultAction::Deny)
        }),
        encryption: Some(encryption()),
        ..StorageAccountPropertiesCreateParameters::new()
    };
    let account = StorageAccountCreateParameters {
        tags: Some(place.tags()),
        properties: Some(properties),
        ..StorageAccountCreateParameters::new(
            Sku::new(SkuName::StandardLrs),
            AccountKind::StorageV2,
            place.location(),
        )
    };
    // The model skips empty lists; said, so that an exception added by somebody is drift.
    body::with(&account, json!({"properties": {"networkAcls": {"ipRules": [], "virtualNetworkRules": []}}}))
}

fn encryption() -> Encryption {
    let service =
        || EncryptionService { enabled: Some(true), key_type: Some(KeyType::Account), ..EncryptionService::new() };
    Encryption {
        key_source: Some(KeySource::MicrosoftStorage),
        require_infrastructure_encryption: Some(true),
        services: Some(EncryptionServices {
            blob: Some(service()),
            file: Some(service()),
            ..EncryptionServices::new()
        }),
        ..Encryption::new()
    }
}
