//! Diagnostic setting: which logs and metrics of a resource go to the log workspace. Extends any resource.

use serde::Serialize;
use serde_json::Value;

use super::{Kind, body};
use crate::model::ResourceId;

/// The card. Azure adds categories that are off, and `retentionPolicy` members; neither is ours.
pub static KIND: Kind = Kind {
    name: "diagnostic_setting",
    arm_type: "Microsoft.Insights/diagnosticSettings",
    // The stable 2016 version has no categories; everybody uses this one.
    api_version: "2021-05-01-preview",
    tagged: false,
    immutable: &[],
    keyed: &[("/properties/logs", "category"), ("/properties/metrics", "category")],
    carried: &["/properties/logs", "/properties/metrics"],
    // Several types answer null whatever was sent.
    hidden: &["/properties/logAnalyticsDestinationType"],
    ..Kind::PLAIN
};

/// What goes to the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    /// Log categories.
    pub logs: &'static [&'static str],
    /// Metric categories.
    pub metrics: &'static [&'static str],
    /// Whether the type's own tables are used instead of `AzureDiagnostics`.
    pub dedicated: bool,
}

// azure_mgmt_monitor 0.21 does not compile with the tag that has settings, so these structs are ours.
#[derive(Serialize)]
struct Setting<'a> {
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    workspace_id: &'a ResourceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_analytics_destination_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<Category>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Category>,
}

// Without `retentionPolicy`: Azure refuses it for new settings since 2023 (`azure-facts` 1, row 4).
#[derive(Serialize)]
struct Category {
    category: &'static str,
    enabled: bool,
}

fn categories(names: &[&'static str]) -> Vec<Category> {
    names.iter().map(|&category| Category { category, enabled: true }).collect()
}

/// Sends what `says` names to `workspace`.
#[must_use]
pub fn body(workspace: &ResourceId, says: &Says) -> Value {
    body::of(&Setting {
        properties: Properties {
            workspace_id: workspace,
            log_analytics_destination_type: says.dedicated.then_some("Dedicated"),
            logs: categories(says.logs),
            metrics: categories(says.metrics),
        },
    })
}
