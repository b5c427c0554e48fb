//! What the user gets to know: names, addresses, links. Shows no secret; says where one stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Scene;
use crate::config::Config;
use crate::model::late::secret_text;
use crate::model::{Address, Facts, JUMPBOX_PASSWORD};

/// One output, in the shape of `terraform output -json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Whether plain listings hide it. The value is then a placeholder (`model::late::secret_text`).
    pub sensitive: bool,
    /// The type's word, always `string`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value.
    pub value: Value,
}

/// The outputs by name. `reported` looks up what Azure reported for a resource at a pointer; what is not known yet is
/// left out. The Terraform project's five names are `core_resource_group_name`, `log_analytics_name`,
/// `keyvault_name`, and with a jumpbox `jumpbox_user` and `jumpbox_pass`.
#[must_use]
pub fn outputs(
    config: &Config,
    facts: &Facts,
    reported: &dyn Fn(&Address, &str) -> Option<Value>,
) -> BTreeMap<String, Output> {
    let scene = Scene::new(config, facts);
    let mut all: BTreeMap<String, Output> =
        said(&scene).into_iter().map(|(name, text)| (name.to_owned(), plain(Value::from(text)))).collect();
    for (name, kind, of, pointer) in REPORTED {
        if let Some(value) = reported(&Address::new(kind, of), pointer) {
            all.insert(name.to_owned(), plain(value));
        }
    }
    if config.jumpbox.is_some() {
        let secret = Output { sensitive: true, ..plain(Value::from(secret_text(JUMPBOX_PASSWORD))) };
        all.insert("jumpbox_pass".to_owned(), secret);
    }
    all
}

/// Outputs that only Azure knows: name, kind and name of the resource, pointer (one of the kind's `reports`).
const REPORTED: [(&str, &str, &str, &str); 6] = [
    ("container_registry_login_server", "container_registry", "core", "/properties/loginServer"),
    ("keyvault_uri", "key_vault", "core", "/properties/vaultUri"),
    ("firewall_public_ip", "public_ip", "firewall", "/properties/ipAddress"),
    ("firewall_private_ip", "firewall", "core", "/properties/ipConfigurations/0/properties/privateIPAddress"),
    ("log_analytics_workspace_id", "log_workspace", "core", "/properties/customerId"),
    ("ml_workspace_guid", "ml_workspace", "core", "/properties/workspaceId"),
];

fn plain(value: Value) -> Output {
    Output { sensitive: false, kind: "string".to_owned(), value }
}

/// Outputs that are known before anything exists.
fn said(scene: &Scene) -> Vec<(&'static str, String)> {
    let (names, cloud, tenant) = (&scene.names, &scene.facts.cloud, &scene.facts.tenant);
    let workspace = names.workspace();
    let studio = format!("https://{}/?wsid={workspace}&tid={tenant}", cloud.ml_studio);
    let mut all = vec![
        ("core_resource_group_name", names.group.name().to_owned()),
        ("location", scene.config.location.clone()),
        ("log_analytics_name", names.logs().name().to_owned()),
        ("keyvault_name", names.vault().name().to_owned()),
        ("storage_account_name", names.storage().name().to_owned()),
        ("virtual_network_name", names.vnet().name().to_owned()),
        ("ml_workspace_name", workspace.name().to_owned()),
        ("ml_workspace_id", workspace.to_string()),
        ("ml_studio_url", studio),
    ];
    if let Some(jumpbox) = &scene.config.jumpbox {
        let machine = names.jumpbox();
        // The portal's page that asks for user and password and opens the session.
        let connect = format!("https://{}/#@{tenant}/resource{machine}/bastionHost", cloud.portal);
        all.extend([
            ("bastion_name", names.bastion().name().to_owned()),
            ("jumpbox_name", machine.name().to_owned()),
            ("jumpbox_user", scene.jumpbox_user(jumpbox).to_owned()),
            ("connect_url", connect),
        ]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::tests::{config, facts};
    use crate::kind;

    #[test]
    fn the_terraform_projects_outputs_keep_their_names() {
        let outputs = outputs(&config(), &facts(), &|_, _| None);
        let value = |name: &str| outputs[name].value.as_str().unwrap_or_default().to_owned();
        assert_eq!(value("core_resource_group_name"), "rg-test1234");
        assert_eq!(value("log_analytics_name"), "log-test1234");
        assert_eq!(value("keyvault_name"), "kv-test1234");
        assert_eq!(value("jumpbox_user"), "jbxabcd");
        assert!(outputs["jumpbox_pass"].sensitive);
        assert_eq!(value("jumpbox_pass"), "secret:jumpbox_password");
        assert!(outputs.iter().all(|(name, output)| output.sensitive == (name == "jumpbox_pass")));
        assert!(!outputs.contains_key("firewall_private_ip"), "not known before the firewall is up");
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for (name, kind, _, pointer) in REPORTED {
            let kind = kind::find(kind).unwrap();
            assert!(kind.reports.contains(&pointer), "{name}");
        }
        let outputs = outputs(&config(), &facts(), &|address, _| Some(Value::from(address.to_string())));
        assert_eq!(outputs["keyvault_uri"].value, "key_vault.core");
    }

    #[test]
    fn without_a_jumpbox_nothing_of_it_is_shown() {
        let config = Config { jumpbox: None, ..config() };
        let outputs = outputs(&config, &facts(), &|_, _| None);
        assert!(
            !outputs.keys().any(|name| name.contains("jumpbox") || name.contains("bastion") || name == "connect_url")
        );
    }
}
