//! The subscription and what it must have: tenant, registered providers, free names. Changes only registrations.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::error::{ArmError, Class};
use crate::model::ResourceId;

const SUBSCRIPTIONS: &str = "2022-12-01";
const PROVIDERS: &str = "2021-04-01";
const VAULTS: &str = "2026-02-01";

/// The providers an environment needs (azure-facts 5.6).
pub const NAMESPACES: &[&str] = &[
    "Microsoft.Network",
    "Microsoft.Storage",
    "Microsoft.KeyVault",
    "Microsoft.ContainerRegistry",
    "Microsoft.MachineLearningServices",
    "Microsoft.Compute",
    "Microsoft.OperationalInsights",
    "Microsoft.Insights",
    "Microsoft.AlertsManagement",
    "Microsoft.ManagedIdentity",
];

/// A subscription as ARM describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub subscription: String,
    /// Its display name.
    pub name: String,
    /// Its tenant.
    pub tenant: String,
    /// `Enabled`, `Disabled`, `Warned`, ….
    pub state: String,
}

impl Account {
    fn of(body: &Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            subscription: text("subscriptionId"),
            name: text("displayName"),
            tenant: text("tenantId"),
            state: text("state"),
        }
    }
}

/// The subscription named by flag or variable, else the one the Azure CLI has chosen; `profile` is the text of its
/// `azureProfile.json`.
#[must_use]
pub fn chosen(flag: Option<&str>, env: &dyn Fn(&str) -> Option<String>, profile: Option<&str>) -> Option<String> {
    let given = |text: String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    flag.map(ToOwned::to_owned)
        .and_then(given)
        .or_else(|| env("AZURE_SUBSCRIPTION_ID").and_then(given))
        .or_else(|| env("ARM_SUBSCRIPTION_ID").and_then(given))
        .or_else(|| profile.and_then(default_of))
}

/// The CLI writes the file with a byte order mark.
fn default_of(profile: &str) -> Option<String> {
    let profile: Value = serde_json::from_str(profile.trim_start_matches('\u{feff}')).ok()?;
    let subscriptions = profile.get("subscriptions")?.as_array()?;
    let default = subscriptions.iter().find(|s| s.get("isDefault") == Some(&Value::Bool(true)))?;
    default.get("id")?.as_str().map(ToOwned::to_owned)
}

/// The text of the Azure CLI's profile, if there is one.
#[must_use]
pub fn cli_profile(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let folder = env("AZURE_CONFIG_DIR").map(std::path::PathBuf::from).or_else(|| {
        let home = env("HOME").or_else(|| env("USERPROFILE"))?;
        Some(std::path::Path::new(&home).join(".azure"))
    })?;
    std::fs::read_to_string(folder.join("azureProfile.json")).ok()
}

/// What ARM says of a subscription.
///
/// # Errors
/// When there is none for this account, or ARM cannot be asked.
pub async fn account(client: &Client, subscription: &str) -> Result<Account, ArmError> {
    let id = ResourceId::new(format!("/subscriptions/{subscription}"));
    match client.get(&id, SUBSCRIPTIONS).await? {
        Some(body) => {
            let mut account = Account::of(&body);
            if account.subscription.is_empty() {
                subscription.clone_into(&mut account.subscription);
            }
            Ok(account)
        }
        None => Err(ArmError {
            code: "SubscriptionNotFound".to_owned(),
            ..ArmError::local(Class::Invalid, format!("the subscription {subscription} was not found"))
        }),
    }
}

/// The subscriptions this account sees.
///
/// # Errors
/// When ARM refuses or cannot be asked.
pub async fn accounts(client: &Client) -> Result<Vec<Account>, ArmError> {
    Ok(client.list("/subscriptions", SUBSCRIPTIONS).await?.iter().map(Account::of).collect())
}

/// Registers those of the providers that are not, and returns them. A provider is usable while it is still
/// `Registering`, region by region, so that nothing is waited for. One that this cloud does not have is passed over.
///
/// # Errors
/// When ARM refuses: registering needs `{namespace}/register/action` on the subscription.
pub async fn ensure_registered(
    client: &Client,
    subscription: &str,
    namespaces: &[&str],
) -> Result<Vec<String>, ArmError> {
    let states = namespaces.iter().map(|&namespace| async move {
        let id = ResourceId::new(format!("/subscriptions/{subscription}/providers/{namespace}"));
        Ok::<_, ArmError>((namespace, client.get(&id, PROVIDERS).await?))
    });
    let mut registered = Vec::new();
    for (namespace, provider) in futures::future::try_join_all(states).await? {
        if provider.is_some() && !matches!(state_of(provider.as_ref()).as_str(), "registered" | "registering") {
            register(client, subscription, namespace).await?;
            registered.push(namespace.to_owned());
        }
    }
    Ok(registered)
}

fn state_of(provider: Option<&Value>) -> String {
    let state = provider.and_then(|body| body.get("registrationState")).and_then(Value::as_str);
    state.unwrap_or_default().to_ascii_lowercase()
}

async fn register(client: &Client, subscription: &str, namespace: &str) -> Result<(), ArmError> {
    let path = format!("/subscriptions/{subscription}/providers/{namespace}/register");
    client.post(&path, PROVIDERS, &Value::Null).await.map(drop)
}

/// How often, and how many times, a registration is looked at before the refused write is sent again.
const LOOKS: (Duration, usize) = (Duration::from_secs(5), 24);

/// Registers the provider that a write was refused for, and waits until it is usable.
///
/// # Errors
/// The refusal itself where it names no provider; the refusal of the registration otherwise.
pub(super) async fn register_for(client: &Client, id: &ResourceId, refused: &ArmError) -> Result<(), ArmError> {
    let arm_type = id.arm_type();
    let namespace = namespace_in(&refused.message).or_else(|| arm_type.split('/').next()).unwrap_or_default();
    let Some(subscription) = id.subscription().filter(|_| namespace.contains('.')) else { return Err(refused.clone()) };
    register(client, subscription, namespace).await?;
    let provider = ResourceId::new(format!("/subscriptions/{subscription}/providers/{namespace}"));
    for _ in 0..LOOKS.1 {
        if state_of(client.get(&provider, PROVIDERS).await?.as_ref()) == "registered" {
            break;
        }
        client.clock().sleep(LOOKS.0).await;
    }
    Ok(())
}

/// "… not registered to use namespace 'Microsoft.Network'. …".
fn namespace_in(message: &str) -> Option<&str> {
    message.split_once("namespace '")?.1.split('\'').next()
}

/// The soft-deleted vault of that name, if there is one.
///
/// # Errors
/// When ARM refuses or cannot be asked.
pub async fn deleted_vault(
    client: &Client,
    subscription: &str,
    location: &str,
    name: &str,
) -> Result<Option<Value>, ArmError> {
    let place = format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}");
    client.get(&ResourceId::new(format!("{place}/deletedVaults/{name}")), VAULTS).await
}

/// Whether a global name is free; the text says why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Free.
    Free,
    /// Taken or malformed.
    Taken(String),
}

/// Asks a provider for a global name: `Microsoft.Storage` + `Microsoft.Storage/storageAccounts` and the like.
///
/// # Errors
/// When ARM refuses or cannot be asked.
pub async fn availability(
    client: &Client,
    subscription: &str,
    arm_type: &str,
    api_version: &str,
    name: &str,
) -> Result<Availability, ArmError> {
    let namespace = arm_type.split('/').next().unwrap_or_default();
    let path = format!("/subscriptions/{subscription}/providers/{namespace}/checkNameAvailability");
    let answer = client.post(&path, api_version, &json!({"name": name, "type": arm_type})).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(match answer.get("nameAvailable").and_then(Value::as_bool) {
        Some(false) if text("message").is_empty() => Availability::Taken(text("reason").to_owned()),
        Some(false) => Availability::Taken(text("message").to_owned()),
        _ => Availability::Free,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_either_family_then_the_cli() {
        let profile =
            "\u{feff}{\"subscriptions\":[{\"id\":\"a\",\"isDefault\":false},{\"id\":\"b\",\"isDefault\":true}]}";
        let none = |_: &str| None;
        let arm = |name: &str| (name == "ARM_SUBSCRIPTION_ID").then(|| "c".to_owned());
        assert_eq!(chosen(Some("f"), &arm, Some(profile)).as_deref(), Some("f"));
        assert_eq!(chosen(None, &arm, Some(profile)).as_deref(), Some("c"));
        assert_eq!(chosen(None, &none, Some(profile)).as_deref(), Some("b"));
        assert_eq!(chosen(Some(" "), &none, None), None);
    }

    #[test]
    fn the_refusal_names_the_provider() {
        let message = "The subscription is not registered to use namespace 'Microsoft.Network'. See x.";
        assert_eq!(namespace_in(message), Some("Microsoft.Network"));
    }
}
