//! What every drawn environment must be, whatever the parameters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::draw;
use super::scene::Scene;
use crate::config::{self, Config, Profile};
use crate::kind;
use crate::model::late::visit_strings;
use crate::model::{Address, CloudNames, Desired, Facts, OWNER_TAG, ResourceId};

pub(super) fn config() -> Config {
    config::defaults()
}

pub(super) fn facts() -> Facts {
    Facts {
        subscription: "00000000-0000-0000-0000-00000000000a".to_owned(),
        tenant: "00000000-0000-0000-0000-00000000000b".to_owned(),
        lineage: Uuid::from_u128(12),
        suffix: "1234".to_owned(),
        jumpbox_user: "jbxabcd".to_owned(),
        cloud: CloudNames::public(),
        firewall_address: None,
    }
}

fn hardened() -> Config {
    let access =
        config::Access { users: vec![Uuid::from_u128(1).to_string()], groups: vec![Uuid::from_u128(2).to_string()] };
    let allow = vec![config::Allow { host: "*.anaconda.org".to_owned(), reason: "Packages.".to_owned() }];
    Config { profile: Profile::Hardened, access, allow, ..config() }
}

/// What a resource waits for: ids in its body and its parents, resolved upwards, and `after`.
fn needs<'a>(all: &'a [Desired], one: &'a Desired) -> BTreeSet<&'a Address> {
    let by_id: BTreeMap<&ResourceId, &Address> = all.iter().map(|d| (&d.id, &d.address)).collect();
    let nearest =
        |id: ResourceId| std::iter::successors(Some(id), ResourceId::parent).find_map(|id| by_id.get(&id).copied());
    let ids = one.mentions().into_iter().chain(one.id.parent());
    let lates = one.lates();
    let lates = all.iter().map(|d| &d.address).filter(|a| lates.iter().any(|late| late.of == **a));
    ids.filter_map(nearest).chain(lates).chain(&one.after).filter(|a| **a != one.address).collect()
}

/// Longest time from the start until the resource is there, by the table of durations.
fn ready(all: &[Desired]) -> BTreeMap<&Address, f64> {
    let mut ready: BTreeMap<&Address, f64> = BTreeMap::new();
    while ready.len() < all.len() {
        let before = ready.len();
        for one in all {
            let needs = needs(all, one);
            if !ready.contains_key(&one.address) && needs.iter().all(|need| ready.contains_key(need)) {
                let start = needs.iter().map(|need| ready[need]).fold(0.0, f64::max);
                let arm_type = kind::find(one.address.kind()).unwrap().arm_type;
                let takes = kind::durations::of_step(arm_type, crate::model::Verb::Create).as_secs_f64();
                ready.insert(&one.address, start + takes);
            }
        }
        assert!(
            ready.len() > before,
            "a cycle among {:?}",
            all.iter().filter(|d| !ready.contains_key(&d.address)).map(|d| &d.address).collect::<Vec<_>>()
        );
    }
    ready
}

/// Type and name as the original has them (`azure-facts` 12), in the form that this environment keeps.
const OF_THE_ORIGINAL: [(&str, &str); 36] = [
    ("Microsoft.Resources/resourceGroups", "rg-test1234"),
    ("Microsoft.OperationalInsights/workspaces", "log-test1234"),
    ("Microsoft.Insights/components", "appi-test1234"),
    ("Microsoft.Insights/privateLinkScopes", "ampls-test1234"),
    ("Microsoft.Insights/privateLinkScopes/scopedResources", "log-test1234-connection"),
    ("Microsoft.Insights/privateLinkScopes/scopedResources", "appi-test1234-connection"),
    ("Microsoft.Network/virtualNetworks", "vnet-test1234"),
    ("Microsoft.Network/networkSecurityGroups", "nsg-bastion-subnet"),
    ("Microsoft.Network/networkSecurityGroups", "nsg-shared"),
    ("Microsoft.Network/routeTables", "rt-test1234"),
    ("Microsoft.Network/azureFirewalls", "fw-test1234"),
    ("Microsoft.Network/publicIPAddresses", "pip-fw-test1234"),
    ("Microsoft.Network/publicIPAddresses", "pip-bas-test1234"),
    ("Microsoft.Network/bastionHosts", "bas-test1234"),
    ("Microsoft.Storage/storageAccounts", "stgtest1234"),
    ("Microsoft.KeyVault/vaults", "kv-test1234"),
    ("Microsoft.ContainerRegistry/registries", "acrtest1234"),
    ("Microsoft.MachineLearningServices/workspaces", "ml-test1234"),
    ("Microsoft.Network/privateEndpoints", "pe-blob-test1234"),
    ("Microsoft.Network/privateEndpoints", "pe-file-test1234"),
    ("Microsoft.Network/privateEndpoints", "pe-kv-test1234"),
    ("Microsoft.Network/privateEndpoints", "acrpe-acrtest1234"),
    ("Microsoft.Network/privateEndpoints", "mlpe-ml-test1234"),
    ("Microsoft.Network/privateDnsZones", "privatelink.blob.core.windows.net"),
    ("Microsoft.Network/privateDnsZones", "privatelink.file.core.windows.net"),
    ("Microsoft.Network/privateDnsZones", "privatelink.vaultcore.azure.net"),
    ("Microsoft.Network/privateDnsZones", "privatelink.azurecr.io"),
    ("Microsoft.Network/privateDnsZones", "privatelink.api.azureml.ms"),
    ("Microsoft.Network/privateDnsZones", "privatelink.cert.api.azureml.ms"),
    ("Microsoft.Network/privateDnsZones", "privatelink.notebooks.azure.net"),
    ("Microsoft.Network/networkInterfaces", "nic-vm-test1234"),
    ("Microsoft.Compute/virtualMachines", "vm-test1234"),
    ("Microsoft.Insights/diagnosticSettings", "diagnostics-net-core-test1234"),
    ("Microsoft.Insights/diagnosticSettings", "diagnostics-firewall-test1234"),
    ("Microsoft.Insights/diagnosticSettings", "diagnostics-jumpbox-test1234"),
    ("Microsoft.Insights/diagnosticSettings", "diagnostics-jumpbox-nic-test1234"),
];

fn both() -> [Vec<Desired>; 2] {
    [draw(&config(), &facts()), draw(&hardened(), &facts())]
}

fn the<'a>(all: &'a [Desired], address: &str) -> &'a Value {
    &all.iter().find(|one| one.address.as_str() == address).unwrap().body
}

#[test]
fn every_id_and_every_address_stands_once() {
    for all in both() {
        let ids: BTreeSet<String> = all.iter().map(|one| one.id.key()).collect();
        let addresses: BTreeSet<&Address> = all.iter().map(|one| &one.address).collect();
        assert_eq!((ids.len(), addresses.len()), (all.len(), all.len()));
    }
}

#[test]
fn the_names_are_those_of_the_original() {
    let all = draw(&config(), &facts());
    let drawn: BTreeSet<(String, String)> =
        all.iter().map(|one| (one.id.arm_type().to_ascii_lowercase(), one.id.name().to_owned())).collect();
    for (arm_type, name) in OF_THE_ORIGINAL {
        assert!(drawn.contains(&(arm_type.to_ascii_lowercase(), name.to_owned())), "{arm_type} {name}");
    }
}

/// Bastion is the longest piece of work that the table knows, so nothing may end after what waits for it.
#[test]
fn nothing_waits_in_a_circle_and_no_chain_is_longer_than_bastions() {
    for all in both() {
        let ready = ready(&all);
        let last = ready.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        assert!(last.0.as_str().contains("bastion"), "{last:?}");
    }
}

#[test]
fn the_shared_subnet_is_born_closed() {
    for all in both() {
        let network = the(&all, "virtual_network.core");
        for subnet in network["properties"]["subnets"].as_array().unwrap() {
            assert_eq!(subnet["properties"]["defaultOutboundAccess"], false, "{}", subnet["name"]);
            let is_shared = subnet["name"] == "SharedSubnet";
            assert_eq!(subnet["properties"]["routeTable"]["id"].is_string(), is_shared, "{}", subnet["name"]);
            let is_guarded = subnet["name"] != "AzureFirewallSubnet";
            assert_eq!(subnet["properties"]["networkSecurityGroup"]["id"].is_string(), is_guarded);
        }
        let routes = the(&all, "route_table.core")["properties"]["routes"].as_array().unwrap();
        let way = &routes[0]["properties"];
        assert_eq!((&way["addressPrefix"], &way["nextHopType"]), (&"0.0.0.0/0".into(), &"VirtualAppliance".into()));
        assert_eq!(way["nextHopIpAddress"], "10.1.1.4");
        assert_eq!(routes.len(), 1, "another route may go around the firewall");
    }
}

#[test]
fn no_service_is_public() {
    for all in both() {
        for address in ["storage_account.core", "key_vault.core", "container_registry.core", "ml_workspace.core"] {
            assert_eq!(the(&all, address)["properties"]["publicNetworkAccess"], "Disabled", "{address}");
        }
        let storage = &the(&all, "storage_account.core")["properties"];
        assert_eq!(
            (&storage["minimumTlsVersion"], &storage["allowSharedKeyAccess"]),
            (&"TLS1_2".into(), &false.into())
        );
        let with_address =
            all.iter().filter(|one| one.body["properties"]["ipConfigurations"].to_string().contains("publicIPAddress"));
        let with_address: BTreeSet<&str> = with_address.map(|one| one.address.as_str()).collect();
        assert_eq!(with_address, BTreeSet::from(["bastion.core", "firewall.core"]));
    }
}

#[test]
fn what_has_tags_says_whose_it_is() {
    for all in both() {
        for one in all.iter().filter(|one| one.body.get("location").is_some()) {
            let child = one.id.parent().is_some_and(|parent| parent.arm_type() != "Microsoft.Resources/resourceGroups");
            if child && one.body.get("tags").is_none() {
                continue;
            }
            assert_eq!(one.body["tags"][OWNER_TAG], facts().lineage.to_string(), "{}", one.address);
        }
    }
}

/// Azure refuses retention in new diagnostic settings; it belongs to the log workspace.
#[test]
fn diagnostics_say_nothing_of_retention() {
    for all in both() {
        let settings: Vec<_> = all.iter().filter(|one| one.address.kind() == "diagnostic_setting").collect();
        assert!(settings.len() >= 20);
        assert!(settings.iter().all(|one| !one.body.to_string().contains("retention")));
    }
}

#[test]
fn secrets_are_placeholders() {
    for all in both() {
        let mut secrets = 0;
        for one in &all {
            visit_strings(&one.body, &mut |text| secrets += usize::from(text.starts_with("secret:")));
        }
        assert_eq!(secrets, 2, "the machine's password and its copy in the vault");
        let password = &the(&all, "virtual_machine.jumpbox")["properties"]["osProfile"]["adminPassword"];
        assert_eq!(password, "secret:jumpbox_password");
    }
}

#[test]
fn the_route_never_leads_to_a_firewall_of_another_range() {
    let config = config();
    let at = |address: Option<&str>| {
        let facts = Facts { firewall_address: address.map(|text| text.parse().unwrap()), ..facts() };
        Scene::new(&config, &facts).firewall_address().to_string()
    };
    assert_eq!(at(None), "10.1.1.4");
    assert_eq!(at(Some("10.1.1.9")), "10.1.1.9");
    assert_eq!(at(Some("10.40.2.4")), "10.1.1.4");
}
