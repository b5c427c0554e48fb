//! Which addresses and host names a private endpoint gets, by what it points at (`azure-facts` 2.12 to 2.17).

use serde_json::Value;

use crate::model::ResourceId;
use crate::sandbox::json::text;
use crate::sandbox::world::{Resource, World};

/// One address of an endpoint: Azure's member name and the host names it answers for.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
}

impl Member {
    fn new(name: &str, hosts: Vec<String>) -> Self {
        Self { name: name.to_owned(), hosts }
    }
}

/// The groups that a target offers, in lower case.
pub(super) fn groups(target: &ResourceId) -> &'static [&'static str] {
    match target.arm_type().to_ascii_lowercase().as_str() {
        "microsoft.storage/storageaccounts" => &["blob", "file", "queue", "table", "dfs", "web"],
        "microsoft.keyvault/vaults" => &["vault"],
        "microsoft.containerregistry/registries" => &["registry"],
        "microsoft.machinelearningservices/workspaces" => &["amlworkspace"],
        "microsoft.insights/privatelinkscopes" => &["azuremonitor"],
        _ => &[],
    }
}

/// The members of one group of a target.
pub(super) fn members(world: &World, target: &Resource, group: &str) -> Vec<Member> {
    let name = target.id.name().to_ascii_lowercase();
    let place = text(&target.body, "/location");
    match group.to_ascii_lowercase().as_str() {
        "vault" => vec![Member::new("default", vec![format!("{name}.vault.azure.net")])],
        "registry" => vec![
            Member::new("registry", vec![format!("{name}.azurecr.io")]),
            Member::new(&format!("registry_data_{place}"), vec![format!("{name}.{place}.data.azurecr.io")]),
        ],
        "amlworkspace" => workspace(target, place),
        "azuremonitor" => monitor(world, target),
        service => vec![Member::new(service, vec![format!("{name}.{service}.core.windows.net")])],
    }
}

fn workspace(target: &Resource, place: &str) -> Vec<Member> {
    let id = text(&target.body, "/properties/workspaceId");
    let notebooks = text(&target.body, "/properties/notebookInfo/fqdn").to_owned();
    vec![
        Member::new(
            "default",
            vec![
                format!("{id}.workspace.{place}.api.azureml.ms"),
                format!("{id}.workspace.{place}.cert.api.azureml.ms"),
            ],
        ),
        Member::new("notebook", vec![notebooks]),
        Member::new("inference", vec![format!("*.{id}.inference.{place}.api.azureml.ms")]),
    ]
}

/// Global endpoints, and three for each log workspace in the scope.
fn monitor(world: &World, scope: &Resource) -> Vec<Member> {
    let mut found = vec![
        Member::new("api", vec!["api.monitor.azure.com".to_owned()]),
        Member::new("global_in_ai", vec!["global.in.ai.monitor.azure.com".to_owned()]),
        Member::new("live", vec!["live.monitor.azure.com".to_owned()]),
        Member::new("profiler", vec!["profiler.monitor.azure.com".to_owned()]),
        Member::new("scadvisorcontentpl", vec!["scadvisorcontentpl.blob.core.windows.net".to_owned()]),
    ];
    for scoped in world.below(&scope.id) {
        let linked = ResourceId::new(text(&scoped.body, "/properties/linkedResourceId"));
        let customer =
            world.get(&linked).map(|r| text(&r.body, "/properties/customerId").to_owned()).unwrap_or_default();
        if !customer.is_empty() {
            for (service, zone) in [
                ("oms", "oms.opinsights.azure.com"),
                ("ods", "ods.opinsights.azure.com"),
                ("agentsvc", "agentsvc.azure-automation.net"),
            ] {
                found.push(Member::new(&format!("{service}_{customer}"), vec![format!("{customer}.{zone}")]));
            }
        }
    }
    found
}

/// The record's name in a private zone for a public host name; `None` when the zone is not for that host.
pub(super) fn record(host: &str, zone: &str) -> Option<String> {
    let public = match zone.strip_prefix("privatelink.")? {
        "vaultcore.azure.net" => "vault.azure.net",
        "cert.api.azureml.ms" => "cert.api.azureml.ms",
        other => other,
    };
    // Hosts of the cert zone also end with the api zone's suffix; they belong to the longer one.
    let name = host.strip_suffix(public)?.strip_suffix('.')?;
    Some(name.to_owned())
}

/// The id that an endpoint's first connection points at.
pub(super) fn target_of(body: &Value) -> ResourceId {
    ResourceId::new(text(body, "/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_named_by_the_zone() {
        assert_eq!(record("kv.vault.azure.net", "privatelink.vaultcore.azure.net"), Some("kv".to_owned()));
        assert_eq!(
            record("a.westeurope.data.azurecr.io", "privatelink.azurecr.io"),
            Some("a.westeurope.data".to_owned())
        );
        assert_eq!(record("kv.vault.azure.net", "privatelink.azurecr.io"), None);
        assert_eq!(record("api.monitor.azure.com", "example.com"), None);
    }
}
