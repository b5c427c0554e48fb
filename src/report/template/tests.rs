//! The template of a small environment, member by member; the real ones are checked from outside.

use serde_json::{Value, json};

use super::super::entry::Entry;
use super::arm;
use crate::model::{Late, ResourceId};

fn group() -> ResourceId {
    ResourceId::group("11111111-1111-1111-1111-111111111111", "rg-a")
}

fn entry(address: &str, id: ResourceId, body: Value, needs: &[&str]) -> Entry {
    let needs = needs.iter().map(|need| need.parse().unwrap()).collect();
    Entry { address: address.parse().unwrap(), id, api_version: "2025-06-01".to_owned(), body, needs }
}

fn template() -> Value {
    let workspace = group().provider("Microsoft.MachineLearningServices/workspaces", "ml-a");
    let network = group().provider("Microsoft.Network/virtualNetworks", "vnet-a");
    let late = Late::text(&"ml_workspace.core".parse().unwrap(), "/identity/principalId");
    let role =
        "/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.Authorization/roleDefinitions/r";
    let entries = [
        entry(
            "role_assignment.a",
            network.child("subnets", "s").provider("Microsoft.Authorization/roleAssignments", "g"),
            json!({"properties": {"principalId": late, "roleDefinitionId": role}}),
            &["ml_workspace.core", "virtual_network.core", "resource_group.core"],
        ),
        entry("resource_group.core", group(), json!({"location": "westeurope", "tags": {"a": "[b]"}}), &[]),
        entry("virtual_network.core", network.clone(), json!({"location": "westeurope"}), &["resource_group.core"]),
        entry(
            "ml_workspace.core",
            workspace,
            json!({"tags": {"odd": "[resourceGroup().id]", "open": "[x"}, "properties": {
                "tenantId": "t", "of": network.child("subnets", "s").as_str(), "group": group().as_str(),
                "far": "/subscriptions/2/resourceGroups/g/providers/N/t/x", "pass": "secret:jumpbox_password"}}),
            &["resource_group.core"],
        ),
    ];
    let accepted = |one: &Entry| match one.address.kind() {
        "virtual_network" => vec!["CKV_X_1: because".to_owned()],
        _ => Vec::new(),
    };
    serde_json::to_value(arm(&entries, &accepted)).unwrap()
}

fn resource(template: &Value, name: &str) -> Value {
    let all = template["resources"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).cloned().unwrap_or_else(|| panic!("{name} is not in {template}"))
}

#[test]
fn an_extension_has_a_scope_and_reads_what_only_azure_knows() {
    let one = resource(&template(), "g");
    assert_eq!(one["scope"], "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet-a', 's')]");
    let workspace = "resourceId('Microsoft.MachineLearningServices/workspaces', 'ml-a')";
    let principal = format!("[reference({workspace}, '2025-06-01', 'Full').identity.principalId]");
    assert_eq!(one["properties"]["principalId"], principal);
    let role = "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]";
    assert_eq!(one["properties"]["roleDefinitionId"], role);
    let network = "[resourceId('Microsoft.Network/virtualNetworks', 'vnet-a')]";
    assert_eq!(one["dependsOn"], json!([format!("[{workspace}]"), network]));
}

#[test]
fn texts_become_expressions_only_where_they_mean_one() {
    let template = template();
    let one = resource(&template, "ml-a");
    let expected = json!({
        "tenantId": "[subscription().tenantId]",
        "of": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet-a', 's')]",
        "group": "[resourceGroup().id]",
        "far": "/subscriptions/2/resourceGroups/g/providers/N/t/x",
        "pass": "[parameters('jumpboxPassword')]",
    });
    assert_eq!(one["properties"], expected);
    assert_eq!(one["tags"], json!({"odd": "[[resourceGroup().id]", "open": "[x"}));
    assert_eq!(template["parameters"]["jumpboxPassword"]["type"], "securestring");
    assert_eq!(template["parameters"]["jumpboxPassword"].get("defaultValue"), None);
}

#[test]
fn the_group_comes_in_a_deployment_to_the_subscription() {
    let template = template();
    let one = resource(&template, "privaml-resource-group");
    assert_eq!(one["subscriptionId"], "[subscription().subscriptionId]");
    let inner = &one["properties"]["template"]["resources"][0];
    assert_eq!((&inner["name"], &inner["tags"]["a"]), (&json!("rg-a"), &json!("[[b]")));
    let accepted = resource(&template, "vnet-a");
    assert_eq!(accepted["metadata"], json!({"checkov": ["CKV_X_1: because"]}));
    assert_eq!(accepted.get("dependsOn"), None);
}
