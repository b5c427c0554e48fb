//! A secret in a key vault, written through ARM: the vault's own door is closed to us.

use azure_mgmt_keyvault::package_preview_2022_02::models::{SecretCreateOrUpdateParameters, SecretProperties};
use serde_json::Value;

use super::{Delete, Kind, Turn, body};

/// The card. Untagged because the secret's limit is 15 tags and the user's may be more; its vault carries them.
pub static KIND: Kind = Kind {
    name: "vault_secret",
    arm_type: "Microsoft.KeyVault/vaults/secrets",
    api_version: "2026-02-01",
    tagged: false,
    immutable: &[],
    hidden: &["/properties/value"],
    // Parallel writes on one vault: 409 `ConflictError`.
    turn: Turn::Parent,
    delete: Delete::WithParent,
    ..Kind::PLAIN
};

/// A secret of `value`, a placeholder (`model::late::secret_text`).
#[must_use]
pub fn body(value: &str, content_type: &str) -> Value {
    body::of(&SecretCreateOrUpdateParameters::new(SecretProperties {
        value: Some(value.to_owned()),
        content_type: Some(content_type.to_owned()),
        ..SecretProperties::new()
    }))
}
