//! What every resource tells the log workspace. Setting names of the Terraform project where it had them.

use super::private::{Face, faces};
use super::scene::{Scene, desired, desired_after};
use crate::kind::diagnostic_setting::{self, Says};
use crate::model::{Address, Desired, ResourceId};

const ALL: &[&str] = &["AllMetrics"];

const fn logs(logs: &'static [&'static str]) -> Says {
    Says { logs, metrics: ALL, dedicated: false }
}

const METRICS: Says = logs(&[]);
const NETWORK: Says = logs(&["VMProtectionAlerts"]);
const ADDRESS: Says = logs(&["DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports"]);
const SECURITY_GROUP: Says =
    Says { logs: &["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"], metrics: &[], dedicated: false };
const BASTION: Says = logs(&["BastionAuditLogs"]);
const REGISTRY: Says = logs(&["ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"]);
const VAULT: Says = Says { logs: &["AuditEvent", "AzurePolicyEvaluationDetails"], metrics: ALL, dedicated: true };
const ACCOUNT: Says = Says { logs: &[], metrics: &["Transaction"], dedicated: false };
const STORAGE: Says =
    Says { logs: &["StorageRead", "StorageWrite", "StorageDelete"], metrics: &["Transaction"], dedicated: false };
/// The structured categories that replace the three of the Terraform project.
const FIREWALL: Says = Says {
    logs: &[
        "AZFWApplicationRule",
        "AZFWNetworkRule",
        "AZFWNatRule",
        "AZFWThreatIntel",
        "AZFWDnsQuery",
        "AZFWFqdnResolveFailure",
    ],
    metrics: ALL,
    dedicated: true,
};
const WORKSPACE: Says = logs(&[
    "AmlComputeClusterEvent",
    "AmlComputeJobEvent",
    "AmlRunStatusChangedEvent",
    "ComputeInstanceEvent",
    "DataSetChangeEvent",
    "DataSetReadEvent",
    "DataStoreChangeEvent",
    "DataStoreReadEvent",
    "EnvironmentChangeEvent",
    "ModelsChangeEvent",
    "RunEvent",
]);

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let names = &scene.names;
    let set = |name, target: ResourceId, what, says| setting(scene, name, &target, what, says);
    let mut all = vec![
        set("network", names.vnet(), "net-core", &NETWORK),
        set("shared_security_group", names.security_group("nsg-shared"), "nsg-shared", &SECURITY_GROUP),
        set("bastion_security_group", names.security_group("nsg-bastion-subnet"), "nsg-bastion", &SECURITY_GROUP),
        set("firewall", names.firewall(), "firewall", &FIREWALL),
        set("firewall_address", names.public_ip("fw"), "pip-fwip", &ADDRESS),
        set("vault", names.vault(), "kv", &VAULT),
        set("registry", names.registry(), "acr", &REGISTRY),
        set("storage", names.storage(), "stg", &ACCOUNT),
        set("storage_blob", names.storage_service("blobServices"), "stg-blob", &STORAGE),
        set("storage_file", names.storage_service("fileServices"), "stg-file", &STORAGE),
        set("workspace", names.workspace(), "ml", &WORKSPACE),
    ];
    all.extend(faces(scene).iter().map(|face| endpoint(scene, face)));
    if scene.config.jumpbox.is_some() {
        all.extend([
            set("bastion", names.bastion(), "bastion", &BASTION),
            set("bastion_address", names.public_ip("bas"), "pip-bastion", &ADDRESS),
            set("jumpbox", names.jumpbox(), "jumpbox", &METRICS),
            card_of_jumpbox(set("jumpbox_card", names.jumpbox_card(), "jumpbox-nic", &METRICS)),
        ]);
    }
    all
}

/// The machine takes its card along when it goes, so the card's setting must go before the machine: made after it.
fn card_of_jumpbox(setting: Desired) -> Desired {
    Desired { after: vec![Address::new("virtual_machine", "jumpbox")], ..setting }
}

fn setting(scene: &Scene, name: &str, target: &ResourceId, what: &str, says: &Says) -> Desired {
    let id = scene.names.diagnostics(target, what);
    desired("diagnostic_setting", name, id, diagnostic_setting::body(&scene.names.logs(), says))
}

/// Azure makes an endpoint's card, so nothing of ours is its parent: the setting waits for the endpoint.
fn endpoint(scene: &Scene, face: &Face) -> Desired {
    let what = match face.key {
        "blob" => "blobpe",
        "file" => "filepe",
        "vault" => "kvpe",
        "registry" => "acr-pe",
        "workspace" => "ml-pe",
        _ => "ampls-pe",
    };
    let id = scene.names.diagnostics(&face.card(scene), what);
    let body = diagnostic_setting::body(&scene.names.logs(), &METRICS);
    let after = vec![Address::new("private_endpoint", face.key)];
    desired_after("diagnostic_setting", &format!("{}_endpoint_card", face.key), id, body, after)
}
