//! Who may do what: the workspace's own identity, and the people named in the parameters.

use super::private::faces;
use super::scene::{Scene, desired};
use crate::kind::role_assignment::{self, Principal, Role};
use crate::model::{Address, Desired, Late, ResourceId};

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let mut all = workspace(scene);
    let access = &scene.config.access;
    all.extend(access.users.iter().flat_map(|id| person(scene, id, &Principal::User(id.clone()))));
    all.extend(access.groups.iter().flat_map(|id| person(scene, id, &Principal::Group(id.clone()))));
    all
}

/// What a private workspace with identity-based datastores needs and the service does not grant by itself
/// (`azure-facts` 2.12, 2.20).
fn workspace(scene: &Scene) -> Vec<Desired> {
    let names = &scene.names;
    let identity = Late::text(&Address::new("ml_workspace", "core"), "/identity/principalId");
    let itself = Principal::Service(identity);
    let endpoints = faces(scene).into_iter().filter(|face| ["blob", "file"].contains(&face.key));
    let mut all: Vec<Desired> = endpoints
        .map(|face| {
            let name = format!("workspace_reads_{}_endpoint", face.key);
            assign(scene, &name, &face.id(scene), Role::Reader, &itself)
        })
        .collect();
    all.extend([
        assign(scene, "workspace_blob_data", &names.storage(), Role::BlobContributor, &itself),
        assign(scene, "workspace_file_data", &names.storage(), Role::FileContributor, &itself),
        assign(scene, "workspace_pulls_images", &names.registry(), Role::AcrPull, &itself),
    ]);
    all
}

/// Use of the workspace and its storage, and the sight of machine, card and Bastion that Bastion's users need.
fn person(scene: &Scene, object_id: &str, who: &Principal) -> Vec<Desired> {
    let names = &scene.names;
    let assign = |what: &str, scope: ResourceId, role| assign(scene, &format!("{what}_{object_id}"), &scope, role, who);
    let mut all = vec![
        assign("uses_workspace", names.workspace(), Role::DataScientist),
        assign("blob_data", names.storage(), Role::BlobContributor),
        assign("file_data", names.storage(), Role::FileContributor),
    ];
    if scene.config.jumpbox.is_some() {
        all.extend([
            assign("sees_jumpbox", names.jumpbox(), Role::Reader),
            assign("sees_jumpbox_card", names.jumpbox_card(), Role::Reader),
            assign("sees_bastion", names.bastion(), Role::Reader),
        ]);
    }
    all
}

fn assign(scene: &Scene, name: &str, scope: &ResourceId, role: Role, who: &Principal) -> Desired {
    let id = role_assignment::id(scope, role, &Address::new("role_assignment", name));
    desired("role_assignment", name, id, role_assignment::body(&scene.facts.subscription, role, who))
}
