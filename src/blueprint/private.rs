//! The private faces of the services: zone, link, endpoint, zone group, the same for each.

use super::scene::{Scene, desired, desired_after};
use crate::kind::{dns_link, dns_zone, dns_zone_group, private_endpoint};
use crate::model::{Address, Desired, ResourceId};

/// A zone: our word, its name in the cloud, the name of its link (the Terraform project's where it had one).
struct Zone {
    key: &'static str,
    name: String,
    link: &'static str,
}

/// One private face of a service.
pub(super) struct Face {
    /// Our word: second half of the addresses.
    pub(super) key: &'static str,
    /// Name of the endpoint.
    pub(super) name: String,
    connection: String,
    target: ResourceId,
    group: &'static str,
    zone_group: &'static str,
    zones: &'static [&'static str],
}

impl Face {
    /// Id of the endpoint.
    pub(super) fn id(&self, scene: &Scene) -> ResourceId {
        scene.names.endpoint(&self.name)
    }

    /// Id of the endpoint's network card, whose name we choose.
    pub(super) fn card(&self, scene: &Scene) -> ResourceId {
        scene.names.card(&self.card_name())
    }

    fn card_name(&self) -> String {
        format!("nic-{}", self.name)
    }
}

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let zones = zones(scene);
    let mut all: Vec<Desired> = zones.iter().flat_map(|zone| visible(scene, zone)).collect();
    all.extend(faces(scene).iter().flat_map(|face| endpoint(scene, face, &zones)));
    all
}

fn visible(scene: &Scene, zone: &Zone) -> [Desired; 2] {
    let id = scene.names.zone(&zone.name);
    let link = id.child("virtualNetworkLinks", zone.link);
    [
        desired("dns_zone", zone.key, id, dns_zone::body(scene.place())),
        desired("dns_link", zone.key, link, dns_link::body(scene.place(), &scene.names.vnet())),
    ]
}

fn endpoint(scene: &Scene, face: &Face, zones: &[Zone]) -> [Desired; 2] {
    let says = private_endpoint::Says {
        subnet: &scene.names.shared_subnet(),
        network_card: &face.card_name(),
        connection: &face.connection,
        target: &face.target,
        face: face.group,
    };
    // An endpoint of the scope gets the addresses of what the scope holds at that time.
    let scoped = ["logs", "insights"].map(|of| Address::new("scoped_resource", of));
    let after = if face.key == "monitor" { scoped.to_vec() } else { Vec::new() };
    let id = face.id(scene);
    let named = face.zones.iter().filter_map(|key| zones.iter().find(|zone| zone.key == *key));
    let served: Vec<ResourceId> = named.map(|zone| scene.names.zone(&zone.name)).collect();
    let group = id.child("privateDnsZoneGroups", face.zone_group);
    [
        desired_after("private_endpoint", face.key, id, private_endpoint::body(scene.place(), &says), after),
        desired("dns_zone_group", face.key, group, dns_zone_group::body(&served)),
    ]
}

/// The zones by cloud (`azure-facts` 4.3, 6). The third one of Azure ML is not on Microsoft's list and harmless; the
/// Terraform project has it. Government's extra monitor zone is left out: a zone group takes five.
fn zones(scene: &Scene) -> Vec<Zone> {
    let cloud = &scene.facts.cloud;
    let zone = |key, link, host: String| Zone { key, name: format!("privatelink.{host}"), link };
    vec![
        zone("blob", "blobcorelink", format!("blob.{}", cloud.storage)),
        zone("file", "filecorelink", format!("file.{}", cloud.storage)),
        zone("vault", "vaultcorelink", cloud.vault_zone.clone()),
        zone("registry", "acrcorelink", cloud.registry.clone()),
        zone("ml_api", "azuremllink", cloud.ml_api.clone()),
        zone("ml_cert", "azuremlcertlink", format!("cert.{}", cloud.ml_api)),
        zone("ml_notebooks", "notebookslink", cloud.ml_notebooks.clone()),
        zone("monitor", "monitorlink", cloud.monitor.clone()),
        zone("oms", "omslink", format!("oms.{}", cloud.opinsights)),
        zone("ods", "odslink", format!("ods.{}", cloud.opinsights)),
        zone("agentsvc", "agentsvclink", format!("agentsvc.{}", cloud.automation)),
    ]
}

/// Every private face, under the Terraform project's names (`azure-facts` 2.16).
pub(super) fn faces(scene: &Scene) -> Vec<Face> {
    let (names, n) = (&scene.names, &scene.names.n);
    let face = |key, name: String, connection: String, target, group, zone_group, zones| Face {
        key,
        name,
        connection,
        target,
        group,
        zone_group,
        zones,
    };
    let (blob, file) = ("private-dns-zone-group-blobcore", "private-dns-zone-group-filecore");
    let plain = "private-dns-zone-group";
    let ml: &[_] = &["ml_api", "ml_notebooks", "ml_cert"];
    let monitor: &[_] = &["monitor", "oms", "ods", "agentsvc", "blob"];
    vec![
        face("blob", format!("pe-blob-{n}"), format!("psc-stg-{n}"), names.storage(), "blob", blob, &["blob"]),
        face("file", format!("pe-file-{n}"), format!("psc-filestg-{n}"), names.storage(), "file", file, &["file"]),
        face("vault", format!("pe-kv-{n}"), format!("psc-kv-{n}"), names.vault(), "vault", plain, &["vault"]),
        face(
            "registry",
            format!("acrpe-acr{n}"),
            format!("acrpesc-acr{n}"),
            names.registry(),
            "registry",
            plain,
            &["registry"],
        ),
        face(
            "workspace",
            format!("mlpe-ml-{n}"),
            format!("mlpesc-ml-{n}"),
            names.workspace(),
            "amlworkspace",
            plain,
            ml,
        ),
        face(
            "monitor",
            format!("pe-ampls-{n}"),
            format!("psc-ampls-{n}"),
            names.monitor_scope(),
            "azuremonitor",
            plain,
            monitor,
        ),
    ]
}
