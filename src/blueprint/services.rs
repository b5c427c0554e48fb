//! The group, and the four services that the environment is about: storage, vault, registry, workspace.

use super::scene::{Scene, desired};
use crate::kind::{container_registry, key_vault, ml_workspace, resource_group, storage_account};
use crate::model::Desired;

pub(super) fn group(scene: &Scene) -> Vec<Desired> {
    vec![desired("resource_group", "core", scene.names.group.clone(), resource_group::body(scene.place()))]
}

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let (names, place) = (&scene.names, scene.place());
    let (storage, vault, registry) = (names.storage(), names.vault(), names.registry());
    let workspace = names.workspace();
    let says = ml_workspace::Says {
        title: workspace.name(),
        storage: &storage,
        vault: &vault,
        registry: &registry,
        insights: &names.insights(),
    };
    let body = ml_workspace::body(place, &says);
    vec![
        desired("storage_account", "core", storage.clone(), storage_account::body(place)),
        desired("key_vault", "core", vault.clone(), key_vault::body(place, &scene.facts.tenant)),
        desired("container_registry", "core", registry.clone(), container_registry::body(place)),
        desired("ml_workspace", "core", workspace.clone(), body),
    ]
}
