//! Microsoft.MachineLearningServices: workspaces with soft delete, computes (`azure-facts` 2.17).

use std::time::Duration;

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::json::{fill, fill_all, keep, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, Tombstone, World, system_data};

use super::{Card, Fill, Headers, Name, Paths, Place, Put, Wire, connections, versions};

/// The workspace's type.
pub(in crate::sandbox) const WORKSPACE: &str = "Microsoft.MachineLearningServices/workspaces";
const KEPT_DAYS: u64 = 14;

const WIRE: Wire =
    Wire { created: 202, updated: 202, empty: true, put: Headers::Both, paths: Paths::Workspace, ..Wire::PLAIN };

const CHILD: Card = Card {
    versions: versions::ML,
    place: Place::None,
    wire: &Wire { stateful: false, ..Wire::AT_ONCE },
    ..Card::PLAIN
};

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: WORKSPACE,
        versions: versions::ML,
        name: Name {
            fits: |name| {
                (3..=33).contains(&name.len())
                    && name.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            },
            rule: "3 to 33 letters, digits, hyphens and underscores, from a letter or digit",
            code: "InvalidWorkspaceName",
        },
        wire: &WIRE,
        immutable: &[
            "/properties/storageAccount",
            "/properties/keyVault",
            "/properties/hbiWorkspace",
            "/properties/enableDataIsolation",
        ],
        check: check_workspace,
        fill: fill_workspace,
        view: view_workspace,
        in_use: workspace_in_use,
        removed: bury,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.MachineLearningServices/workspaces/computes",
        versions: versions::ML,
        name: Name {
            fits: compute_fits,
            rule: "2 to 32 letters, digits and hyphens, from a letter",
            code: "InvalidComputeName",
        },
        wire: &Wire { paths: Paths::Workspace, ..Wire::PLAIN },
        check: check_compute,
        fill: |world, of, body| {
            super::resources::give_identity(world, of, body);
        },
        ..Card::PLAIN
    },
    Card { arm_type: "Microsoft.MachineLearningServices/workspaces/outboundRules", ..CHILD },
    Card { arm_type: "Microsoft.MachineLearningServices/workspaces/datastores", ..CHILD },
    Card { arm_type: "Microsoft.MachineLearningServices/workspaces/privateEndpointConnections", ..CHILD },
];

fn compute_fits(name: &str) -> bool {
    super::fits(name, 2, 32, "-") && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn check_workspace(put: &Put<'_>) -> Result<(), Refusal> {
    let body = put.body;
    if put.old.is_none() && put.world.tombstones.contains_key(&put.id.key()) {
        return Err(Refusal::conflict(
            "Conflict",
            "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete",
        ));
    }
    for (at, arm_type) in [
        ("storageAccount", "Microsoft.Storage/storageAccounts"),
        ("keyVault", "Microsoft.KeyVault/vaults"),
        ("applicationInsights", "Microsoft.Insights/components"),
        ("containerRegistry", "Microsoft.ContainerRegistry/registries"),
    ] {
        let id = text(body, &format!("/properties/{at}"));
        let needed = at != "containerRegistry" && at != "applicationInsights";
        if (id.is_empty() && needed)
            || (!id.is_empty() && !ResourceId::new(id).arm_type().eq_ignore_ascii_case(arm_type))
        {
            return Err(validation(format!("The {at} resource ID '{id}' is missing or invalid.")));
        }
    }
    if text(body, "/identity/type").is_empty() {
        return Err(validation("Identity is required to create a workspace.".to_owned()));
    }
    check_dependencies(put)
}

fn validation(message: String) -> Refusal {
    Refusal::bad("ValidationError", message)
}

fn check_dependencies(put: &Put<'_>) -> Result<(), Refusal> {
    let storage = put.world.get(&ResourceId::new(text(put.body, "/properties/storageAccount")));
    if let Some(storage) = storage {
        let hns = storage.body.pointer("/properties/isHnsEnabled") == Some(&Value::Bool(true));
        let premium = text(&storage.body, "/sku/name").starts_with("Premium");
        if hns || premium || text(&storage.body, "/kind") == "BlobStorage" {
            return Err(validation(format!(
                "Storage account '{}' cannot be used: hierarchical namespaces, premium accounts and BlobStorage are \
                 not supported.",
                storage.id
            )));
        }
    }
    let mode = text(put.body, "/properties/systemDatastoresAuthMode").to_ascii_lowercase();
    if !["", "accesskey", "identity", "userdelegationsas"].contains(&mode.as_str()) {
        return Err(validation(format!("systemDatastoresAuthMode '{mode}' is not supported.")));
    }
    Ok(())
}

fn fill_workspace(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    keep(body, of.old, &["/properties/workspaceId", "/systemData", "/properties/imageBuildCompute"]);
    if text(body, "/properties/workspaceId").is_empty() {
        let made = world.guid();
        set(body, "/properties/workspaceId", made);
    }
    let (name, place) = (of.id.name().to_owned(), text(body, "/location").to_owned());
    let id = text(body, "/properties/workspaceId").to_owned();
    fill_all(
        body,
        "/properties",
        json!({
            "friendlyName": name, "hbiWorkspace": false, "v1LegacyMode": false, "publicNetworkAccess": "Enabled",
            "allowPublicAccessWhenBehindVnet": false, "storageHnsEnabled": false, "containerRegistry": null,
            "enableDataIsolation": false, "systemDatastoresAuthMode": "AccessKey",
            "managedNetwork": {"isolationMode": "Disabled", "outboundRules": {}},
        }),
    );
    set(body, "/properties/discoveryUrl", format!("https://{place}.api.azureml.ms/discovery"));
    set(body, "/properties/mlFlowTrackingUri", format!("azureml://{place}.api.azureml.ms/mlflow/v1.0{}", of.id));
    set(body, "/properties/tenantId", world.tenant.clone());
    let fqdn = format!("ml-{name}-{place}-{id}.{place}.notebooks.azure.net");
    set(
        body,
        "/properties/notebookInfo",
        json!({"resourceId": id.replace('-', ""), "fqdn": fqdn, "isPrivateLinkEnabled": true}),
    );
    fill(body, "/kind", "Default");
    fill_all(body, "/sku", json!({"name": "Basic", "tier": "Basic"}));
    fill(body, "/systemData", system_data(of.now, of.now));
    super::resources::give_identity(world, of, body);
}

fn view_workspace(world: &World, resource: &Resource, body: &mut Value) {
    let found = connections(world, &resource.id);
    set(body, "/properties/privateLinkCount", found.len());
    set(body, "/properties/privateEndpointConnections", found);
}

fn workspace_in_use(world: &World, resource: &Resource) -> Result<(), Refusal> {
    let computes = world.below(&resource.id).filter(|r| r.arm_type.ends_with("/computes"));
    match computes.into_iter().find(|compute| compute.state == "Deleting") {
        Some(compute) => {
            Err(Refusal::conflict("Conflict", format!("Compute '{}' is being deleted.", compute.id.name())))
        }
        None => Ok(()),
    }
}

fn bury(world: &mut World, resource: &Resource, purge: bool) {
    if purge {
        return;
    }
    let tomb = Tombstone {
        resource: resource.clone(),
        deleted: world.now,
        purges: world.now + Duration::from_secs(KEPT_DAYS * 86_400),
        protected: false,
    };
    world.tombstones.insert(resource.id.key(), tomb);
}

fn check_compute(put: &Put<'_>) -> Result<(), Refusal> {
    if text(put.body, "/properties/computeType").is_empty() {
        return Err(validation("properties.computeType is required.".to_owned()));
    }
    let private = put.body.pointer("/properties/properties/enableNodePublicIp") == Some(&Value::Bool(false));
    let workspace = put.id.parent();
    let linked = workspace.as_ref().is_some_and(|id| !connections(put.world, id).is_empty());
    if private && !linked {
        return Err(validation("Compute without a public IP needs a workspace with a private endpoint.".to_owned()));
    }
    Ok(())
}
