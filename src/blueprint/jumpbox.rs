//! The machine inside and Bastion, the way in to it. Without a jumpbox there is nothing to reach, so neither is drawn;
//! Bastion's subnet and its security group stay, so that a jumpbox can be added without touching the network.

use super::scene::{Scene, desired};
use crate::config::{BastionSku, Jumpbox};
use crate::kind::{bastion, network_interface, public_ip, vault_secret, virtual_machine};
use crate::model::late::secret_text;
use crate::model::{Desired, JUMPBOX_PASSWORD};

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let Some(jumpbox) = &scene.config.jumpbox else { return Vec::new() };
    let (names, place) = (&scene.names, scene.place());
    let secret = vault_secret::body(&secret_text(JUMPBOX_PASSWORD), "password of the jumpbox");
    vec![
        desired("public_ip", "bastion", names.public_ip("bas"), public_ip::body(place)),
        way_in(scene),
        desired(
            "network_interface",
            "jumpbox",
            names.jumpbox_card(),
            network_interface::body(place, &names.shared_subnet()),
        ),
        machine(scene, jumpbox),
        desired("vault_secret", "jumpbox_password", names.jumpbox_secret(), secret),
    ]
}

fn way_in(scene: &Scene) -> Desired {
    let names = &scene.names;
    let sku = scene.config.bastion.sku;
    let says = bastion::Says {
        sku: sku.word(),
        subnet: &names.subnet("AzureBastionSubnet"),
        address: &names.public_ip("bas"),
        // The clipboard carries data out. Basic cannot close it, which the verifier reports.
        closed_clipboard: scene.is_hardened() && sku != BastionSku::Basic,
    };
    desired("bastion", "core", names.bastion(), bastion::body(scene.place(), &says))
}

fn machine(scene: &Scene, jumpbox: &Jumpbox) -> Desired {
    let names = &scene.names;
    let (id, image) = (names.jumpbox(), &jumpbox.image);
    let says = virtual_machine::Says {
        computer: id.name(),
        size: &jumpbox.size,
        image: [&image.publisher, &image.offer, &image.sku, &image.version].map(String::as_str),
        disk: &format!("vm-dsk-{}", names.n),
        user: scene.jumpbox_user(jumpbox),
        password: &secret_text(JUMPBOX_PASSWORD),
        license_type: jumpbox.license_type.as_deref(),
        network_card: &names.jumpbox_card(),
    };
    let body = virtual_machine::body(scene.place(), &says);
    desired("virtual_machine", "jumpbox", id.clone(), body)
}
