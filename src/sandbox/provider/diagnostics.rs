//! Diagnostic settings of Microsoft.Insights: an extension of any resource (`azure-facts` 2.6).

use serde_json::{Value, json};

use crate::sandbox::json::{fill, has, is_true, items, remove, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

use super::{Card, Fill, Name, Place, Put, Wire, versions};

const SETTING: &str = "Microsoft.Insights/diagnosticSettings";

pub(super) const SETTINGS: Card = Card {
    arm_type: SETTING,
    versions: versions::DIAGNOSTICS,
    name: Name {
        fits: |name| {
            (1..=260).contains(&name.len()) && !name.contains(['<', '>', '*', '%', '&', ':', '\\', '?', '+', '/'])
        },
        rule: "1 to 260 characters without < > * % & : \\ ? + /",
        code: "BadRequest",
    },
    place: Place::None,
    wire: &Wire { made: 200, stateful: false, ..Wire::AT_ONCE },
    check: check_setting,
    fill: fill_setting,
    ..Card::PLAIN
};

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::bad("BadRequest", message)
}

/// Legacy categories first; the structured ones begin with `AZFW`.
const FIREWALL: &[&str] = &[
    "AzureFirewallApplicationRule",
    "AzureFirewallNetworkRule",
    "AzureFirewallDnsProxy",
    "AZFWApplicationRule",
    "AZFWNetworkRule",
    "AZFWNatRule",
    "AZFWThreatIntel",
    "AZFWIdpsSignature",
    "AZFWDnsQuery",
    "AZFWFqdnResolveFailure",
    "AZFWFatFlow",
    "AZFWFlowTrace",
    "AZFWApplicationRuleAggregation",
    "AZFWNetworkRuleAggregation",
    "AZFWNatRuleAggregation",
];

const WORKSPACE: &[&str] = &[
    "AmlComputeClusterEvent",
    "AmlComputeClusterNodeEvent",
    "AmlComputeJobEvent",
    "AmlComputeCpuGpuUtilization",
    "AmlRunStatusChangedEvent",
    "ModelsChangeEvent",
    "ModelsReadEvent",
    "ModelsActionEvent",
    "DeploymentReadEvent",
    "DeploymentEventACI",
    "DeploymentEventAKS",
    "InferencingOperationAKS",
    "InferencingOperationACI",
    "EnvironmentChangeEvent",
    "EnvironmentReadEvent",
    "DataLabelChangeEvent",
    "DataLabelReadEvent",
    "DataSetChangeEvent",
    "DataSetReadEvent",
    "PipelineChangeEvent",
    "PipelineReadEvent",
    "RunEvent",
    "RunReadEvent",
    "ComputeInstanceEvent",
    "DataStoreChangeEvent",
    "DataStoreReadEvent",
    "AmlEnvironmentEvent",
];

/// Log categories of a type; empty: metrics only.
pub(in crate::sandbox) fn categories(arm_type: &str) -> &'static [&'static str] {
    match arm_type.to_ascii_lowercase().as_str() {
        "microsoft.network/virtualnetworks" => &["VMProtectionAlerts"],
        "microsoft.network/publicipaddresses" => {
            &["DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports"]
        }
        "microsoft.network/azurefirewalls" => FIREWALL,
        "microsoft.network/bastionhosts" => &["BastionAuditLogs"],
        "microsoft.network/networksecuritygroups" => &["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"],
        "microsoft.keyvault/vaults" => &["AuditEvent", "AzurePolicyEvaluationDetails"],
        "microsoft.containerregistry/registries" => {
            &["ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"]
        }
        "microsoft.machinelearningservices/workspaces" => WORKSPACE,
        "microsoft.storage/storageaccounts/blobservices"
        | "microsoft.storage/storageaccounts/fileservices"
        | "microsoft.storage/storageaccounts/queueservices"
        | "microsoft.storage/storageaccounts/tableservices" => &["StorageRead", "StorageWrite", "StorageDelete"],
        "microsoft.operationalinsights/workspaces" => &["Audit", "SummaryLogs", "Jobs"],
        _ => &[],
    }
}

/// The metric category of a type.
pub(in crate::sandbox) fn metric(arm_type: &str) -> &'static str {
    if arm_type.to_ascii_lowercase().starts_with("microsoft.storage/") { "Transaction" } else { "AllMetrics" }
}

fn check_setting(put: &Put<'_>) -> Result<(), Refusal> {
    let target = put.id.parent().map(|id| id.arm_type()).unwrap_or_default();
    for entry in entries(put.body) {
        if is_true(entry, "/retentionPolicy/enabled") {
            return Err(bad("Diagnostic settings does not support retention for new diagnostic settings.").flat());
        }
    }
    let (grouped, single): (Vec<&Value>, Vec<&Value>) =
        items(put.body, "/properties/logs").iter().partition(|e| has(e, "/categoryGroup"));
    if !grouped.is_empty() && !single.is_empty() {
        return Err(bad("A diagnostic setting cannot mix log categories and category groups.").flat());
    }
    let known = categories(&target);
    for entry in &single {
        let name = text(entry, "/category");
        if !known.contains(&name) {
            return Err(bad(format!("Category '{name}' is not supported.")).flat());
        }
    }
    if !grouped.is_empty() && known.is_empty() {
        return Err(bad(format!("Category group '{}' is not supported.", text(grouped[0], "/categoryGroup"))).flat());
    }
    for entry in items(put.body, "/properties/metrics") {
        let name = text(entry, "/category");
        if name != metric(&target) && name != "AllMetrics" {
            return Err(bad(format!("Metric category '{name}' is not supported.")).flat());
        }
    }
    check_sinks(put)
}

fn check_sinks(put: &Put<'_>) -> Result<(), Refusal> {
    const SINKS: [&str; 3] = ["workspaceId", "storageAccountId", "eventHubAuthorizationRuleId"];
    let sinks: Vec<&str> =
        SINKS.into_iter().filter(|s| !text(put.body, &format!("/properties/{s}")).is_empty()).collect();
    if sinks.is_empty() {
        return Err(bad("At least one data sink needs to be specified.").flat());
    }
    let scope = put.id.parent();
    let others: Vec<&Resource> =
        put.world.of_type(SETTING).filter(|r| r.id != *put.id && r.id.parent() == scope).collect();
    if put.old.is_none() && others.len() >= 5 {
        return Err(bad("The limit of 5 diagnostic settings was reached.").flat());
    }
    for other in others {
        for sink in &sinks {
            let at = format!("/properties/{sink}");
            let shared = text(&other.body, &at).eq_ignore_ascii_case(text(put.body, &at));
            if let Some(name) = shared.then(|| clash(put.body, &other.body)).flatten() {
                let message = format!(
                    "Data sink '{}' is already used in diagnostic setting '{}' for category '{name}'. Data sinks \
                     can't be reused in different settings on the same category for the same resource.",
                    text(put.body, &at),
                    other.id.name(),
                );
                return Err(Refusal::conflict("Conflict", message).flat());
            }
        }
    }
    Ok(())
}

fn entries(body: &Value) -> impl Iterator<Item = &Value> {
    items(body, "/properties/logs").iter().chain(items(body, "/properties/metrics"))
}

/// The first enabled category in both; a group covers every category.
fn clash(a: &Value, b: &Value) -> Option<String> {
    let names = |body: &Value, part: &str| -> Vec<String> {
        let enabled = items(body, part).iter().filter(|e| is_true(e, "/enabled"));
        enabled.map(|e| format!("{}{}", text(e, "/category"), text(e, "/categoryGroup"))).collect()
    };
    ["/properties/logs", "/properties/metrics"].iter().find_map(|part| {
        let (a, b) = (names(a, part), names(b, part));
        let all = |names: &[String]| names.iter().any(|n| n == "allLogs");
        if (all(&a) && !b.is_empty()) || (all(&b) && !a.is_empty()) {
            return Some("allLogs".to_owned());
        }
        a.into_iter().find(|name| b.contains(name))
    })
}

fn fill_setting(_: &mut World, _: &Fill<'_>, body: &mut Value) {
    for part in ["/properties/logs", "/properties/metrics"] {
        fill(body, part, json!([]));
        if let Some(Value::Array(list)) = body.pointer_mut(part) {
            for entry in list {
                remove(entry, "/retentionPolicy");
                set(entry, "/retentionPolicy", json!({"enabled": false, "days": 0}));
                if part.ends_with("metrics") {
                    fill(entry, "/timeGrain", Value::Null);
                }
            }
        }
    }
}
