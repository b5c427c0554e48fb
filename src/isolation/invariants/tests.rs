//! A correct environment passes; every leak put into it is found, under its name, with the culprit.

use serde_json::{Value, json};

use super::super::tests::{facts, plan};
use super::super::{Report, verify};
use super::*;
use crate::blueprint;
use crate::config::{self, Config, Profile};
use crate::model::ResourceId;

fn asked(profile: Profile) -> Asked {
    let config = Config { profile, ..config::defaults() };
    let plan = blueprint::draw(&config, &facts());
    Asked::of(&config, &plan)
}

fn bodies(profile: Profile) -> Vec<(ResourceId, Value)> {
    plan(profile).into_iter().map(|one| (one.id, one.body)).collect()
}

fn judged(profile: Profile, change: impl FnOnce(&mut Vec<(ResourceId, Value)>)) -> Report {
    let mut all = bodies(profile);
    change(&mut all);
    verify(&Model::new(all.iter().map(|(id, body)| (id.clone(), body))), &asked(profile))
}

fn body<'b>(all: &'b mut [(ResourceId, Value)], kind: &str) -> &'b mut Value {
    let found = all.iter_mut().find(|(id, _)| id.arm_type().ends_with(kind));
    &mut found.unwrap_or_else(|| panic!("no {kind}")).1
}

fn subnet<'b>(all: &'b mut [(ResourceId, Value)], name: &str) -> &'b mut Value {
    let subnets = body(all, "/virtualNetworks")["properties"]["subnets"].as_array_mut().unwrap();
    subnets.iter_mut().find(|subnet| subnet["name"] == name).unwrap()
}

/// The check fails, and its evidence names the culprit.
fn fails(report: &Report, name: &str, culprit: &str) {
    let check = report.checks.iter().find(|check| check.name == name).unwrap();
    let named = check.evidence.iter().any(|e| {
        let resource = e.resource.as_ref().map(ToString::to_string).unwrap_or_default();
        resource.contains(culprit) || e.property.contains(culprit) || e.says.contains(culprit)
    });
    assert!(check.state == State::Fail && named, "{name} {culprit}: {check:#?}");
}

#[test]
fn both_profiles_hold_every_invariant() {
    for profile in [Profile::Baseline, Profile::Hardened] {
        let report = judged(profile, |_| {});
        let bad: Vec<&Check> =
            report.checks.iter().filter(|check| !matches!(check.state, State::Pass | State::Skipped)).collect();
        assert!(bad.is_empty(), "{profile:?}: {bad:#?}");
    }
}

#[test]
fn hardened_has_no_warning() {
    let report = judged(Profile::Hardened, |_| {});
    assert!(!report.is_violated() && !report.has_warnings());
    assert!(judged(Profile::Baseline, |_| {}).has_warnings());
}

#[test]
fn a_public_switch_is_found() {
    for kind in ["/storageAccounts", "/vaults", "/registries", "MachineLearningServices/workspaces"] {
        let report = judged(Profile::Hardened, |all| {
            let properties = &mut body(all, kind)["properties"];
            properties["publicNetworkAccess"] = json!("Enabled");
            for rules in ["networkAcls", "networkRuleSet"] {
                if properties[rules].is_object() {
                    properties[rules]["defaultAction"] = json!("Allow");
                }
            }
        });
        fails(&report, "no-public-path", kind.rsplit('/').next().unwrap());
        fails(&report, "closed-flows", "internet");
    }
}

#[test]
fn an_exception_for_one_address_is_found() {
    let report = judged(Profile::Baseline, |all| {
        let properties = &mut body(all, "/storageAccounts")["properties"];
        properties["publicNetworkAccess"] = json!("Enabled");
        properties["networkAcls"]["ipRules"] = json!([{"value": "203.0.113.7"}]);
    });
    fails(&report, "no-public-path", "stgtest1234");
}

#[test]
fn a_rule_with_a_better_priority_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let groups = all.iter_mut().find(|(id, _)| id.name() == "nsg-shared");
        let rules = groups.unwrap().1["properties"]["securityRules"].as_array_mut().unwrap();
        rules.push(json!({"name": "sneaky", "properties": {"priority": 101, "direction": "Inbound", "access": "Allow",
            "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*",
            "destinationPortRange": "*"}}));
    });
    fails(&report, "security-rules-as-asked", "sneaky");
    assert!(report.findings.iter().any(|finding| finding.id == "EXF006"));
}

#[test]
fn a_changed_route_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let route = &mut body(all, "/routeTables")["properties"]["routes"][0]["properties"];
        *route = json!({"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"});
    });
    fails(&report, "out-through-firewall", "DefaultRoute");
    fails(&report, "routes-as-asked", "defaultroute");
}

#[test]
fn a_route_for_one_address_past_the_firewall_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let routes = body(all, "/routeTables")["properties"]["routes"].as_array_mut().unwrap();
        routes.push(
            json!({"name": "hole", "properties": {"addressPrefix": "203.0.113.7/32", "nextHopType": "Internet"}}),
        );
    });
    fails(&report, "out-through-firewall", "hole");
}

#[test]
fn an_unlinked_zone_is_found() {
    let report = judged(Profile::Hardened, |all| all.retain(|(id, _)| id.name() != "vaultcorelink"));
    fails(&report, "private-by-name", "kv-test1234");
}

#[test]
fn a_lost_zone_group_is_found() {
    let report = judged(Profile::Baseline, |all| {
        all.retain(|(id, _)| !id.to_string().contains("acrpe-acrtest1234/privateDnsZoneGroups"));
    });
    fails(&report, "private-by-name", "acrtest1234.azurecr.io");
}

#[test]
fn a_rejected_endpoint_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let endpoint = all.iter_mut().find(|(id, _)| id.name() == "pe-blob-test1234").unwrap();
        endpoint.1["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"] =
            json!({"status": "Rejected"});
    });
    fails(&report, "private-by-name", "pe-blob-test1234");
}

#[test]
fn a_peering_is_found() {
    let report = judged(Profile::Hardened, |all| {
        body(all, "/virtualNetworks")["properties"]["virtualNetworkPeerings"] = json!([{"name": "to-lab", "properties": {
            "peeringState": "Connected", "remoteVirtualNetwork": {"id": "/subscriptions/x/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/lab"},
            "remoteAddressSpace": {"addressPrefixes": ["10.50.0.0/16"]}}}]);
    });
    fails(&report, "no-other-network", "to-lab");
}

#[test]
fn implicit_outbound_access_is_found() {
    let report = judged(Profile::Hardened, |all| {
        subnet(all, "SharedSubnet")["properties"].as_object_mut().unwrap().remove("defaultOutboundAccess");
    });
    fails(&report, "out-through-firewall", "defaultOutboundAccess");
}

#[test]
fn a_subnet_without_its_route_table_is_found() {
    let report = judged(Profile::Baseline, |all| {
        subnet(all, "SharedSubnet")["properties"].as_object_mut().unwrap().remove("routeTable");
    });
    fails(&report, "out-through-firewall", "routeTable");
    fails(&report, "routes-as-asked", "SharedSubnet");
}

#[test]
fn a_second_rule_group_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let policy = all.iter().find(|(id, _)| id.arm_type().ends_with("/firewallPolicies")).unwrap().0.clone();
        let group = json!({"properties": {"priority": 100, "ruleCollections": [{
            "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100,
            "action": {"type": "Allow"}, "rules": [{"ruleType": "ApplicationRule", "name": "leak",
                "sourceAddresses": ["*"], "targetFqdns": ["*"], "protocols": [{"protocolType": "Https", "port": 443}]}]}]}});
        all.push((policy.child("ruleCollectionGroups", "rcg-extra"), group));
    });
    fails(&report, "allowlist-as-asked", "rcg-extra/c/leak");
    fails(&report, "closed-flows", "rcg-extra/c/leak");
}

#[test]
fn a_public_address_on_a_machine_is_found() {
    let report = judged(Profile::Baseline, |all| {
        let card = all.iter_mut().find(|(id, _)| id.name() == "nic-vm-test1234").unwrap();
        card.1["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] =
            json!({"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p"});
    });
    fails(&report, "in-through-bastion", "nic-vm-test1234");
    fails(&report, "out-through-firewall", "nic-vm-test1234");
}

#[test]
fn a_translation_is_found() {
    let report = judged(Profile::Baseline, |all| {
        let collections = body(all, "/ruleCollectionGroups")["properties"]["ruleCollections"].as_array_mut().unwrap();
        collections.push(
            json!({"ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": "nat", "priority": 90,
            "action": {"type": "DNAT"}, "rules": [{"ruleType": "NatRule", "name": "rdp", "ipProtocols": ["TCP"],
                "sourceAddresses": ["*"], "destinationAddresses": ["203.0.113.1"], "destinationPorts": ["3389"],
                "translatedAddress": "10.1.2.140", "translatedPort": "3389"}]}),
        );
    });
    fails(&report, "in-through-bastion", "rcg-core/nat/rdp");
    fails(&report, "closed-flows", "rcg-core/nat/rdp");
}

#[test]
fn a_service_endpoint_without_a_policy_is_found() {
    let report = judged(Profile::Baseline, |all| {
        subnet(all, "SharedSubnet")["properties"]["serviceEndpoints"] = json!([{"service": "Microsoft.KeyVault"}]);
    });
    fails(&report, "out-through-firewall", "Microsoft.KeyVault");
}

#[test]
fn a_lost_opening_that_azure_ml_needs_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let collections = body(all, "/ruleCollectionGroups")["properties"]["ruleCollections"].as_array_mut().unwrap();
        for collection in collections {
            collection["rules"].as_array_mut().unwrap().retain(|rule| rule["name"] != "batch");
        }
    });
    fails(&report, "azure-ml-works", "BatchNodeManagement");
    fails(&report, "allowlist-as-asked", "batchnodemanagement");
}

#[test]
fn a_strangers_private_endpoint_is_found() {
    let report = judged(Profile::Hardened, |all| {
        body(all, "/storageAccounts")["properties"]["privateEndpointConnections"] = json!([{"properties": {
            "privateEndpoint": {"id": "/subscriptions/x/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/theirs"},
            "privateLinkServiceConnectionState": {"status": "Approved"}}}]);
    });
    fails(&report, "own-endpoints-only", "theirs");
}

#[test]
fn a_widened_bypass_is_found() {
    let report = judged(Profile::Hardened, |all| {
        body(all, "/storageAccounts")["properties"]["networkAcls"]["resourceAccessRules"] = json!([{"tenantId": "t", "resourceId": "/subscriptions/x/resourceGroups/g/providers/Microsoft.Synapse/workspaces/w"}]);
    });
    fails(&report, "no-public-path", "synapse");
}

#[test]
fn a_widened_service_endpoint_policy_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let policy = body(all, "/serviceEndpointPolicies");
        let definitions = &mut policy["properties"]["serviceEndpointPolicyDefinitions"];
        definitions[0]["properties"]["serviceResources"] = json!(["/subscriptions/x"]);
    });
    fails(&report, "security-rules-as-asked", "serviceResources");
}

#[test]
fn other_dns_servers_are_found() {
    let report = judged(Profile::Baseline, |all| {
        body(all, "/virtualNetworks")["properties"]["dhcpOptions"] = json!({"dnsServers": ["203.0.113.53"]});
    });
    fails(&report, "settings-as-asked", "203.0.113.53");
}

#[test]
fn every_switch_that_somebody_turns_is_found() {
    let mut turned = 0;
    for (arm_type, switches) in super::switches::SWITCHES {
        for switch in *switches {
            let mut is_said = false;
            let report = judged(Profile::Baseline, |all| {
                let at = format!("/properties/{switch}");
                let ours = all.iter_mut().filter(|(id, _)| id.arm_type().eq_ignore_ascii_case(arm_type));
                for value in ours.filter_map(|(_, body)| body.pointer_mut(&at)) {
                    *value = value.as_bool().map_or_else(|| json!("Other"), |flag| json!(!flag));
                    is_said = true;
                }
            });
            if is_said {
                fails(&report, "settings-as-asked", switch);
                turned += 1;
            }
        }
    }
    assert!(turned >= 25, "only {turned} switches are said");
}

#[test]
fn gateway_routes_that_reach_the_subnet_are_found() {
    let report = judged(Profile::Baseline, |all| {
        body(all, "/routeTables")["properties"]["disableBgpRoutePropagation"] = json!(false);
    });
    fails(&report, "routes-as-asked", "disableBgpRoutePropagation");
}

#[test]
fn a_record_that_points_elsewhere_is_found() {
    let report = judged(Profile::Hardened, |all| {
        all.retain(|(id, _)| !id.to_string().contains("pe-kv-test1234/privateDnsZoneGroups"));
        let zone = all.iter().find(|(id, _)| id.name() == "privatelink.vaultcore.azure.net").unwrap().0.clone();
        all.push((
            zone.child("A", "kv-test1234"),
            json!({"properties": {"aRecords": [{"ipv4Address": "10.1.2.200"}]}}),
        ));
    });
    fails(&report, "private-by-name", "kv-test1234");
}

#[test]
fn a_compute_with_public_addresses_is_found() {
    let report = judged(Profile::Hardened, |all| {
        let workspace = all.iter().find(|(id, _)| id.arm_type().ends_with("Services/workspaces")).unwrap().0.clone();
        all.push((
            workspace.child("computes", "cpu"),
            json!({"properties": {"computeType": "AmlCompute",
            "properties": {"enableNodePublicIp": true, "subnet": {"id": "/subscriptions/s"}}}}),
        ));
    });
    fails(&report, "out-through-firewall", "cpu");
}

#[test]
fn an_environment_of_which_no_parameters_are_known_is_judged_by_itself() {
    let all = bodies(Profile::Hardened);
    let model = Model::new(all.iter().map(|(id, body)| (id.clone(), body)));
    let report = verify(&model, &Asked::nothing("westeurope"));
    assert!(!report.is_violated(), "{:#?}", report.checks);
    let skipped = report.checks.iter().filter(|check| check.state == State::Skipped).count();
    assert_eq!(skipped, 6);
}

#[test]
fn a_flow_of_the_users_is_judged_under_its_own_name() {
    let text = "[[verify.deny]]\nfrom = \"shared\"\nto = \"https://api.github.com\"\nwhy = \"code stays inside\"";
    let config = config::parse("f", text).unwrap().config;
    let judged = |profile: Profile| {
        let asked = Asked::of(&Config { profile, ..config.clone() }, &plan(profile));
        verify(&Model::of_plan(&plan(profile)), &asked)
    };
    fails(&judged(Profile::Baseline), "asked-closed", "code stays inside");
    fails(&judged(Profile::Baseline), "asked-closed", "github");
    let hardened = judged(Profile::Hardened);
    assert!(!hardened.is_violated(), "{:#?}", hardened.checks);
}

#[test]
fn a_closed_flow_from_nowhere_is_no_closed_flow() {
    let text = "[[verify.deny]]\nfrom = \"sharde\"\nto = \"https://api.github.com\"";
    let config = config::parse("f", text).unwrap().config;
    let asked = Asked::of(&config, &plan(Profile::Hardened));
    let report = verify(&Model::of_plan(&plan(Profile::Hardened)), &asked);
    fails(&report, "asked-closed", "nothing here is called sharde; its subnets are");
}

#[test]
fn a_consent_keeps_the_finding_in_sight_and_ends_with_its_day() {
    let accepts = ["EXF001", "EXF002", "EXF005", "EXF006", "EXF007", "EXF008", "EXF015"]
        .map(|finding| format!("[[verify.accept]]\nfinding = \"{finding}\"\nreason = \"known\"\nuntil = 2027-06-30\n"));
    let config = config::parse("f", &accepts.concat()).unwrap().config;
    let on = |day: &str| {
        let asked = Asked::of(&config, &plan(Profile::Baseline)).on(day);
        verify(&Model::of_plan(&plan(Profile::Baseline)), &asked)
    };
    let (during, after) = (on("2027-06-30"), on("2027-07-01"));
    assert!(!during.has_warnings() && after.has_warnings());
    let finding = |report: &Report| report.findings.iter().find(|one| one.id == "EXF007").unwrap().clone();
    assert!(finding(&during).accepted.is_some() && finding(&during).expired.is_none());
    assert!(finding(&after).accepted.is_none() && finding(&after).expired.is_some());
}
