//! The switches of services by which data gets out or keys get in: each as it is, and as it was asked for. Finds
//! differences; says nothing about a switch that nobody asked for.

use serde_json::Value;

use super::super::model::Model;
use super::super::verdicts::Evidence;

/// Properties by type. Only those that the plan says are compared, and only where Azure shows them.
pub(super) const SWITCHES: &[(&str, &[&str])] = &[
    (
        "Microsoft.Storage/storageAccounts",
        &[
            "publicNetworkAccess",
            "networkAcls/defaultAction",
            "networkAcls/bypass",
            "allowBlobPublicAccess",
            "allowSharedKeyAccess",
            "allowCrossTenantReplication",
            "supportsHttpsTrafficOnly",
            "minimumTlsVersion",
        ],
    ),
    (
        "Microsoft.KeyVault/vaults",
        &[
            "publicNetworkAccess",
            "networkAcls/defaultAction",
            "networkAcls/bypass",
            "enableRbacAuthorization",
            "enabledForDeployment",
            "enabledForDiskEncryption",
            "enabledForTemplateDeployment",
            "enablePurgeProtection",
        ],
    ),
    (
        "Microsoft.ContainerRegistry/registries",
        &[
            "publicNetworkAccess",
            "networkRuleBypassOptions",
            "networkRuleBypassAllowedForTasks",
            "adminUserEnabled",
            "anonymousPullEnabled",
            "policies/exportPolicy/status",
        ],
    ),
    (
        "Microsoft.Network/bastionHosts",
        &["enableShareableLink", "enableFileCopy", "enableTunneling", "enableIpConnect", "disableCopyPaste"],
    ),
    ("Microsoft.MachineLearningServices/workspaces", &["publicNetworkAccess", "v1LegacyMode"]),
    (
        "Microsoft.OperationalInsights/workspaces",
        &["publicNetworkAccessForIngestion", "publicNetworkAccessForQuery", "features/disableLocalAuth"],
    ),
    ("Microsoft.Insights/components", &["publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"]),
    (
        "Microsoft.Insights/privateLinkScopes",
        &["accessModeSettings/ingestionAccessMode", "accessModeSettings/queryAccessMode"],
    ),
];

/// Every switch that is not as it was asked for.
pub(super) fn differing(model: &Model, plan: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (id, wanted) in &plan.facts {
        let known = SWITCHES.iter().find(|(arm_type, _)| id.arm_type().eq_ignore_ascii_case(arm_type));
        let Some((_, switches)) = known else { continue };
        let Some((id, there)) = model.facts.iter().find(|(other, _)| other == id) else { continue };
        for switch in *switches {
            let at = format!("/properties/{switch}");
            let (Some(wanted), Some(there)) = (wanted.pointer(&at), there.pointer(&at)) else { continue };
            if word(wanted) != word(there) {
                let says = format!("{}: {switch} is `{}`, asked for was `{}`", id.name(), shown(there), shown(wanted));
                found.push(Evidence::new(id, *switch, says));
            }
        }
    }
    found
}

/// A value as compared: services echo enumerations in other letters, and lists in other spacing (`AzureServices, Metrics`).
fn word(value: &Value) -> String {
    shown(value).to_ascii_lowercase().replace(' ', "")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
