//! Azure services behind private endpoints: their host names, and who may come in from outside by their own switches.
//! Reads bodies, decides nothing.

use serde_json::Value;

use super::notes::Notes;
use super::read::{Bodies, Item, list, text, texts};
use super::span::{Ranges, Span};
use crate::model::ResourceId;

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A storage account.
    Storage,
    /// A key vault.
    Vault,
    /// A container registry.
    Registry,
    /// An Azure ML workspace.
    Workspace,
    /// A log workspace.
    Logs,
    /// Application Insights.
    Insights,
}

impl Kind {
    /// ARM's word.
    #[must_use]
    pub(super) const fn arm_type(self) -> &'static str {
        match self {
            Self::Storage => "Microsoft.Storage/storageAccounts",
            Self::Vault => "Microsoft.KeyVault/vaults",
            Self::Registry => "Microsoft.ContainerRegistry/registries",
            Self::Workspace => "Microsoft.MachineLearningServices/workspaces",
            Self::Logs => "Microsoft.OperationalInsights/workspaces",
            Self::Insights => "Microsoft.Insights/components",
        }
    }

    /// The word people use.
    #[must_use]
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Vault => "vault",
            Self::Registry => "registry",
            Self::Workspace => "workspace",
            Self::Logs => "logs",
            Self::Insights => "insights",
        }
    }

    /// The tag of its public addresses.
    #[must_use]
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Storage => "Storage",
            Self::Vault => "AzureKeyVault",
            Self::Registry => "AzureContainerRegistry",
            Self::Workspace => "AzureMachineLearning",
            Self::Logs | Self::Insights => "AzureMonitor",
        }
    }

    const ALL: [Self; 6] = [Self::Storage, Self::Vault, Self::Registry, Self::Workspace, Self::Logs, Self::Insights];
}

/// One host name of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostName {
    /// The public name; `{…}` stands for a part that only Azure chooses.
    pub name: String,
    /// The zone in which its private address stands.
    pub zone: String,
    /// Its record there.
    pub record: String,
    /// The face of the service, lower case: the endpoint's group id.
    pub face: &'static str,
}

/// Who may come in from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open(String),
    /// Nobody.
    Closed(String),
    /// These only.
    Limited {
        /// Public addresses.
        addresses: Ranges,
        /// Keys of subnets, over their service endpoints.
        subnets: Vec<String>,
        /// What says so.
        why: String,
    },
    /// Not known to this model.
    Unknown(String),
}

/// One service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// Where it lives.
    pub id: ResourceId,
    /// Which.
    pub kind: Kind,
    /// Its region.
    pub location: Option<String>,
    /// Its host names.
    pub hosts: Vec<HostName>,
    /// Its switches.
    pub access: Access,
    /// Which of Microsoft's own services come in all the same, and by which property.
    pub bypass: Option<String>,
    /// Connections that are approved: keys of private endpoints, ours or anybody's.
    pub connections: Vec<String>,
    /// Private link scopes it belongs to, through which its private endpoint goes.
    pub scopes: Vec<ResourceId>,
}

/// Reads every service.
pub(super) fn read(bodies: &Bodies, notes: &mut Notes) -> Vec<Service> {
    let all = Kind::ALL.into_iter().flat_map(|kind| bodies.of(kind.arm_type()).iter().map(move |item| (kind, item)));
    all.map(|(kind, item)| service(bodies, kind, item, notes)).collect()
}

fn service(bodies: &Bodies, kind: Kind, item: &Item, notes: &mut Notes) -> Service {
    let location = item.text("/location").map(|text| text.to_ascii_lowercase().replace(' ', ""));
    let access = match kind {
        Kind::Storage | Kind::Vault => account(item, "/properties/networkAcls"),
        Kind::Registry => account(item, "/properties/networkRuleSet"),
        Kind::Workspace => workspace(bodies, item),
        Kind::Logs | Kind::Insights => monitor(item),
    };
    if let Access::Unknown(why) = &access {
        notes.add(&item.id, "publicNetworkAccess", why);
    }
    let scoped = bodies.of("Microsoft.Insights/privateLinkScopes/scopedResources").iter();
    let here = |s: &&Item| s.key("/properties/linkedResourceId") == Some(item.id.key());
    Service {
        id: item.id.clone(),
        kind,
        hosts: hosts(kind, item, location.as_deref().unwrap_or("{location}")),
        access,
        bypass: bypass(item),
        connections: connections(item),
        scopes: scoped.filter(here).filter_map(|s| s.id.parent()).collect(),
        location,
    }
}

/// Microsoft's services that the switches do not stop, in one form whatever the order and case.
fn bypass(item: &Item) -> Option<String> {
    let mut said = Vec::new();
    for pointer in ["/properties/networkAcls/bypass", "/properties/networkRuleBypassOptions"] {
        let Some(words) = item.text(pointer).filter(|words| !words.eq_ignore_ascii_case("None")) else { continue };
        let mut words: Vec<&str> = words.split(',').map(str::trim).collect();
        words.sort_unstable();
        said.push(format!("{} = {}", pointer.trim_start_matches("/properties/"), words.join(", ")));
    }
    let mut named: Vec<String> = item
        .list("/properties/networkAcls/resourceAccessRules")
        .iter()
        .filter_map(|rule| super::read::key(rule, "/resourceId"))
        .collect();
    named.sort();
    if !named.is_empty() {
        said.push(format!("networkAcls/resourceAccessRules = {}", named.join(", ")));
    }
    if item.flag("/properties/networkRuleBypassAllowedForTasks") == Some(true) {
        said.push("networkRuleBypassAllowedForTasks = true".to_owned());
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// Private endpoints that the service lets in.
fn connections(item: &Item) -> Vec<String> {
    let approved = |connection: &&Value| {
        let status = text(connection, "/properties/privateLinkServiceConnectionState/status").unwrap_or_default();
        status.eq_ignore_ascii_case("Approved")
    };
    let all = item.list("/properties/privateEndpointConnections").iter().filter(approved);
    all.filter_map(|connection| super::read::key(connection, "/properties/privateEndpoint/id")).collect()
}

/// Storage account, vault, registry: one switch, then a list with a default.
fn account(item: &Item, rules: &str) -> Access {
    let switch = item.text("/properties/publicNetworkAccess").unwrap_or("Enabled");
    match switch.to_ascii_lowercase().as_str() {
        "disabled" => return Access::Closed("publicNetworkAccess = Disabled".to_owned()),
        "enabled" => {}
        _ => return Access::Unknown(format!("publicNetworkAccess = {switch}")),
    }
    let Some(set) = item.body.pointer(rules).filter(|set| set.is_object()) else {
        return Access::Open("publicNetworkAccess = Enabled, and no network rules".to_owned());
    };
    let place = rules.trim_start_matches("/properties/");
    let default = text(set, "/defaultAction").unwrap_or("Allow");
    if default.eq_ignore_ascii_case("Allow") {
        return Access::Open(format!("{place}.defaultAction = Allow"));
    }
    let addresses = list(set, "/ipRules").iter();
    let addresses = addresses.filter_map(|rule| Span::parse(text(rule, "/value")?));
    let subnets = list(set, "/virtualNetworkRules").iter();
    let subnets: Vec<String> = subnets.filter_map(|rule| super::read::key(rule, "/id")).collect();
    limited(Ranges::new(addresses), subnets, format!("{place}.defaultAction = Deny"))
}

fn limited(addresses: Ranges, subnets: Vec<String>, why: String) -> Access {
    if addresses.is_empty() && subnets.is_empty() {
        Access::Closed(format!("{why}, without exceptions"))
    } else {
        Access::Limited { addresses, subnets, why }
    }
}

/// `publicNetworkAccess` wins over the older switch, which means something behind a private endpoint only.
fn workspace(bodies: &Bodies, item: &Item) -> Access {
    if let Some(switch) = item.text("/properties/publicNetworkAccess") {
        if switch.eq_ignore_ascii_case("Disabled") {
            return Access::Closed("publicNetworkAccess = Disabled".to_owned());
        }
        let allowed: Vec<Span> = texts(item.body, "/properties/ipAllowlist").filter_map(Span::parse).collect();
        return if allowed.is_empty() {
            Access::Open(format!("publicNetworkAccess = {switch}"))
        } else {
            limited(Ranges::new(allowed), Vec::new(), "ipAllowlist".to_owned())
        };
    }
    let behind = item.flag("/properties/allowPublicAccessWhenBehindVnet");
    let endpoint = bodies.of("Microsoft.Network/privateEndpoints").iter().any(|endpoint| {
        let own = endpoint.list("/properties/privateLinkServiceConnections").iter();
        own.clone().any(|c| super::read::key(c, "/properties/privateLinkServiceId") == Some(item.id.key()))
    });
    match behind {
        Some(false) if endpoint => Access::Closed("allowPublicAccessWhenBehindVnet = false".to_owned()),
        Some(false) => Access::Open("allowPublicAccessWhenBehindVnet = false, but no private endpoint".to_owned()),
        _ => Access::Open("publicNetworkAccess is not said, and the service's default is Enabled".to_owned()),
    }
}

/// Ingestion and query are switched apart; either is a public path.
fn monitor(item: &Item) -> Access {
    let open = |of: &str| {
        let word = item.text(&format!("/properties/publicNetworkAccessFor{of}")).unwrap_or("Enabled");
        !word.eq_ignore_ascii_case("Disabled")
    };
    match (open("Ingestion"), open("Query")) {
        (false, false) => Access::Closed("publicNetworkAccessForIngestion and ForQuery = Disabled".to_owned()),
        (true, false) => Access::Open("publicNetworkAccessForIngestion = Enabled".to_owned()),
        (false, true) => Access::Open("publicNetworkAccessForQuery = Enabled".to_owned()),
        (true, true) => Access::Open("publicNetworkAccessForIngestion and ForQuery = Enabled".to_owned()),
    }
}

/// Suffixes of storage, vault, registry, Azure ML's API, notebooks, and log intake (`azure-facts` 4.3, 6).
fn suffixes(location: &str) -> [&'static str; 7] {
    if location.starts_with("usgov") || location.starts_with("usdod") {
        [
            "core.usgovcloudapi.net",
            "vault.usgovcloudapi.net",
            "vaultcore.usgovcloudapi.net",
            "azurecr.us",
            "api.ml.azure.us",
            "notebooks.usgovcloudapi.net",
            "opinsights.azure.us",
        ]
    } else if location.starts_with("china") {
        [
            "core.chinacloudapi.cn",
            "vault.azure.cn",
            "vaultcore.azure.cn",
            "azurecr.cn",
            "api.ml.azure.cn",
            "notebooks.chinacloudapi.cn",
            "opinsights.azure.cn",
        ]
    } else {
        [
            "core.windows.net",
            "vault.azure.net",
            "vaultcore.azure.net",
            "azurecr.io",
            "api.azureml.ms",
            "notebooks.azure.net",
            "opinsights.azure.com",
        ]
    }
}

fn hosts(kind: Kind, item: &Item, location: &str) -> Vec<HostName> {
    let [storage, vault, vault_zone, registry, api, notebooks, logs] = suffixes(location);
    let name = item.id.name().to_ascii_lowercase();
    let host = |record: String, public: &str, zone: &str, face| HostName {
        name: format!("{record}.{public}"),
        zone: format!("privatelink.{zone}"),
        record,
        face,
    };
    match kind {
        Kind::Storage => ["blob", "file", "queue", "table", "dfs", "web"]
            .into_iter()
            .map(|face| (face, format!("{face}.{storage}")))
            .map(|(face, suffix)| host(name.clone(), &suffix, &suffix, face))
            .collect(),
        Kind::Vault => vec![host(name, vault, vault_zone, "vault")],
        Kind::Registry => {
            let login =
                item.text("/properties/loginServer").and_then(|login| login.strip_suffix(&format!(".{registry}")));
            let label = login.map_or(name, str::to_ascii_lowercase);
            let data = format!("{label}.{location}.data");
            vec![host(label, registry, registry, "registry"), host(data, registry, registry, "registry")]
        }
        Kind::Workspace => {
            let id = item.text("/properties/workspaceId").unwrap_or("{workspace-id}").to_ascii_lowercase();
            let record = format!("{id}.workspace.{location}");
            let notebook =
                item.text("/properties/notebookInfo/fqdn").and_then(|fqdn| fqdn.strip_suffix(&format!(".{notebooks}")));
            let notebook =
                notebook.map_or_else(|| format!("ml-{name}-{location}-{id}.{location}"), str::to_ascii_lowercase);
            vec![
                host(record.clone(), api, api, "amlworkspace"),
                // Served from the zone of the API (`azure-facts` 4.3).
                HostName { name: format!("{record}.cert.{api}"), ..host(record, api, api, "amlworkspace") },
                host(notebook, notebooks, notebooks, "amlworkspace"),
            ]
        }
        Kind::Logs => {
            let id = item.text("/properties/customerId").unwrap_or("{customer-id}").to_ascii_lowercase();
            let suffix = |of: &str| format!("{of}.{logs}");
            ["ods", "oms"].map(|of| host(id.clone(), &suffix(of), &suffix(of), "azuremonitor")).to_vec()
        }
        // The global way in; regional ones are named in the connection string and differ from region to region.
        Kind::Insights => {
            vec![host("global.in.ai".to_owned(), "monitor.azure.com", "monitor.azure.com", "azuremonitor")]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access(arm_type: &str, properties: &Value) -> Access {
        let id = ResourceId::group("s", "g").provider(arm_type, "one");
        let body = json!({"location": "westeurope", "properties": properties});
        let bodies = Bodies::new([(id, &body)]);
        read(&bodies, &mut Notes::default()).remove(0).access
    }

    fn is_open(arm_type: &str, properties: &Value) -> bool {
        matches!(access(arm_type, properties), Access::Open(_))
    }

    #[test]
    fn an_account_is_open_unless_a_switch_closes_it() {
        let storage = Kind::Storage.arm_type();
        assert!(is_open(storage, &json!({})));
        assert!(is_open(storage, &json!({"networkAcls": {"defaultAction": "Allow"}})));
        for closed in [
            json!({"publicNetworkAccess": "disabled"}),
            json!({"networkAcls": {"defaultAction": "Deny", "ipRules": []}}),
        ] {
            assert!(matches!(access(storage, &closed), Access::Closed(_)), "{closed}");
        }
        let limited = json!({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.0/24"}]}});
        assert!(matches!(access(storage, &limited), Access::Limited { .. }));
        assert!(matches!(access(storage, &json!({"publicNetworkAccess": "SecuredByPerimeter"})), Access::Unknown(_)));
    }

    #[test]
    fn the_newer_switch_of_a_workspace_wins() {
        let workspace = Kind::Workspace.arm_type();
        let both = json!({"publicNetworkAccess": "Disabled", "allowPublicAccessWhenBehindVnet": true});
        assert!(matches!(access(workspace, &both), Access::Closed(_)));
        assert!(is_open(workspace, &json!({"allowPublicAccessWhenBehindVnet": false})));
        let listed = json!({"publicNetworkAccess": "Enabled", "ipAllowlist": ["203.0.113.7"]});
        assert!(matches!(access(workspace, &listed), Access::Limited { .. }));
    }

    #[test]
    fn logs_are_open_in_two_ways() {
        let logs = Kind::Logs.arm_type();
        let closed = json!({"publicNetworkAccessForIngestion": "Disabled", "publicNetworkAccessForQuery": "Disabled"});
        assert!(matches!(access(logs, &closed), Access::Closed(_)));
        assert!(is_open(logs, &json!({"publicNetworkAccessForIngestion": "Disabled"})));
    }
}
