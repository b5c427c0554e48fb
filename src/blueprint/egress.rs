//! The way out: firewall, its policy and every rule, which is there before the firewall starts.

use super::data::{ALLOWLIST, AZURE_ML, Host, HostTag, Network, Openings, Web};
use super::scene::{Scene, desired, desired_after};
use crate::config::Allow;
use crate::kind::firewall_rules::{Collection, Opens, Rule};
use crate::kind::{firewall, firewall_policy, firewall_rules, public_ip};
use crate::model::{Address, Desired};

/// Priority of the group within its policy.
const GROUP_PRIORITY: i32 = 500;

/// The collections and their priorities. Names of the Terraform project where it had them; it used 100 twice, which
/// one group cannot.
const NETWORK: [(&str, i32); 3] = [("general", 100), ("shared", 101), ("nrc-azure-ml", 110)];

/// Longest name of a rule.
const NAME: usize = 80;

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let (names, place) = (&scene.names, scene.place());
    let (subnet, address) = (names.subnet("AzureFirewallSubnet"), names.public_ip("fw"));
    let policy = names.firewall_policy();
    let says = firewall::Says { subnet: &subnet, address: &address, policy: &policy };
    // The body shows the policy only: the firewall must start with every rule.
    let after = vec![Address::new("firewall_rules", "core")];
    vec![
        desired("public_ip", "firewall", address.clone(), public_ip::body(place)),
        desired("firewall_policy", "core", policy.clone(), firewall_policy::body(place)),
        desired("firewall_rules", "core", names.firewall_rules(), rules(scene)),
        desired_after("firewall", "core", names.firewall(), firewall::body(place, &says), after),
    ]
}

fn rules(scene: &Scene) -> serde_json::Value {
    let files = [&*ALLOWLIST, &*AZURE_ML];
    let mut collections: Vec<Collection> = NETWORK
        .iter()
        .map(|&(name, priority)| collection(name, priority, network_rules(scene, &files, name)))
        .collect();
    collections.push(collection("arc-shared_subnet", 200, web_rules(scene, &ALLOWLIST)));
    collections.push(collection("arc-azure-ml", 210, web_rules(scene, &AZURE_ML)));
    collections.push(collection("arc-user", 300, user_rules(scene, &scene.config.allow)));
    collections.retain(|collection| !collection.rules.is_empty());
    firewall_rules::body(GROUP_PRIORITY, &collections)
}

fn collection(name: &str, priority: i32, rules: Vec<Rule>) -> Collection {
    Collection { name: name.to_owned(), priority, rules }
}

fn network_rules(scene: &Scene, files: &[&Openings], collection: &str) -> Vec<Rule> {
    let all = files.iter().flat_map(|file| &file.network);
    let here = |n: &&Network| n.collection == collection && n.profiles.contains(&scene.config.profile);
    let in_cloud = |n: &&Network| n.public.is_none_or(|public| public == scene.is_public());
    all.filter(here).filter(in_cloud).map(|entry| network_rule(scene, entry)).collect()
}

fn network_rule(scene: &Scene, entry: &Network) -> Rule {
    let names = entry.names.iter().flat_map(|name| match name.as_str() {
        "{kms}" => scene.facts.cloud.kms.clone(),
        exact => vec![exact.to_owned()],
    });
    Rule {
        name: entry.name.clone(),
        reason: entry.reason.clone(),
        from: vec![scene.fill(&entry.from)],
        opens: Opens::Network {
            protocols: entry.protocols.clone(),
            to: entry.to.iter().map(|to| scene.fill(to)).collect(),
            names: names.collect(),
            ports: entry.ports.clone(),
        },
    }
}

fn web_rules(scene: &Scene, file: &Openings) -> Vec<Rule> {
    let profile = scene.config.profile;
    let hosts = file.host.iter().filter(|h| h.profiles.contains(&profile)).filter_map(|h| host_rule(scene, h));
    let tags = file.host_tag.iter().filter(|t| t.profiles.contains(&profile)).map(|t| tag_rule(scene, t));
    hosts.chain(tags).collect()
}

fn host_rule(scene: &Scene, entry: &Host) -> Option<Rule> {
    let host = entry.elsewhere.get(&scene.facts.cloud.name).unwrap_or(&entry.name);
    (!host.is_empty()).then(|| web_rule(scene, host, &entry.reason, entry.web))
}

fn tag_rule(scene: &Scene, entry: &HostTag) -> Rule {
    let opens = Opens::HostTags(vec![entry.tag.clone()]);
    Rule { name: entry.tag.clone(), reason: entry.reason.clone(), from: scene.shared(), opens }
}

fn user_rules(scene: &Scene, allow: &[Allow]) -> Vec<Rule> {
    allow.iter().map(|entry| web_rule(scene, &entry.host, &entry.reason, Web::Both)).collect()
}

fn web_rule(scene: &Scene, host: &str, reason: &str, web: Web) -> Rule {
    let opens = Opens::Hosts { names: vec![host.to_owned()], http: true, https: web == Web::Both };
    Rule { name: rule_name(host), reason: reason.to_owned(), from: scene.shared(), opens }
}

/// A name for a host's rule, the same whenever the host is the same: `*.a.net` → `any-dot-a.net`, `*a.net` →
/// `any-a.net`. A host too long for a name loses its start to a digest.
fn rule_name(host: &str) -> String {
    let name = match host.strip_prefix('*') {
        Some(rest) => match rest.strip_prefix('.') {
            Some(dotted) => format!("any-dot-{dotted}"),
            None => format!("any-{rest}"),
        },
        None => host.to_owned(),
    };
    if name.len() <= NAME {
        return name;
    }
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, host.as_bytes()).simple().to_string();
    let tail: String = name.chars().skip(name.chars().count().saturating_sub(NAME - 9)).collect();
    format!("{}-{}", &digest[..8], tail.trim_start_matches(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rules_spell_the_star() {
        assert_eq!(rule_name("*.azureedge.net"), "any-dot-azureedge.net");
        assert_eq!(rule_name("*github.com"), "any-github.com");
        assert_eq!(rule_name("aka.ms"), "aka.ms");
    }

    #[test]
    fn long_hosts_keep_apart() {
        let tail = format!("{}.{}.example", "a".repeat(60), "b".repeat(60));
        let (one, two) = (rule_name(&format!("x.{tail}")), rule_name(&format!("y.{tail}")));
        assert!(one.len() <= NAME && two.len() <= NAME && one != two);
        assert!(one.starts_with(|c: char| c.is_ascii_alphanumeric()));
    }
}
