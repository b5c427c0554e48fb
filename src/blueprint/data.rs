//! The data files: allowlist, Azure ML's needs, security rules. Reads and selects; the meaning is in the files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::config::Profile;

/// The published allowlist.
pub(super) static ALLOWLIST: LazyLock<Openings> =
    LazyLock::new(|| toml::from_str(include_str!("../../config/allowlist.toml")).expect("checked by a test"));

/// What today's Azure ML needs on top.
pub(super) static AZURE_ML: LazyLock<Openings> =
    LazyLock::new(|| toml::from_str(include_str!("../../config/azure-ml.toml")).expect("checked by a test"));

/// The rules of both security groups.
pub(super) static SECURITY: LazyLock<Security> =
    LazyLock::new(|| toml::from_str(include_str!("../../config/security-rules.toml")).expect("checked by a test"));

/// A file of things that the firewall lets through.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Openings {
    /// Web hosts.
    pub(super) host: Vec<Host>,
    /// Sets of hosts kept by Microsoft.
    #[serde(default)]
    pub(super) host_tag: Vec<HostTag>,
    /// Addresses and service tags.
    pub(super) network: Vec<Network>,
}

/// A web host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    /// Its name in the public cloud.
    #[serde(rename = "host")]
    pub(super) name: String,
    /// What it belongs to, for the reader.
    pub(super) group: String,
    /// Where it applies.
    pub(super) profiles: Vec<Profile>,
    /// Why.
    pub(super) reason: String,
    /// Over which of the two; both unless said.
    #[serde(default)]
    pub(super) web: Web,
    /// Its name in other clouds; empty: it has none there.
    #[serde(default)]
    pub(super) elsewhere: BTreeMap<String, String>,
}

/// How a host is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Web {
    /// HTTP on 80, HTTPS on 443.
    #[default]
    Both,
    /// HTTP on 80 only.
    Http,
}

/// A set of hosts kept by Microsoft.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostTag {
    /// Azure's word for it.
    pub(super) tag: String,
    /// What it belongs to, for the reader.
    pub(super) group: String,
    /// Where it applies.
    pub(super) profiles: Vec<Profile>,
    /// Why.
    pub(super) reason: String,
}

/// A network rule of the firewall.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    /// Unique in its collection and profile.
    pub(super) name: String,
    /// The collection it stands in.
    pub(super) collection: String,
    /// What it belongs to, for the reader.
    pub(super) group: String,
    /// Where it applies.
    pub(super) profiles: Vec<Profile>,
    /// Why.
    pub(super) reason: String,
    /// Only in the public cloud (`true`) or only outside of it (`false`).
    #[serde(default)]
    pub(super) public: Option<bool>,
    /// Who; the shared subnet unless said.
    #[serde(default = "shared")]
    pub(super) from: String,
    /// `TCP`, `UDP`.
    pub(super) protocols: Vec<String>,
    /// Addresses and service tags; `{Region}` is filled in.
    #[serde(default)]
    pub(super) to: Vec<String>,
    /// Exact names; `{kms}` stands for the cloud's.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// Ports, `*` for all.
    pub(super) ports: Vec<String>,
}

fn shared() -> String {
    "{shared}".to_owned()
}

/// The file of security rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Security {
    /// All of them.
    pub(super) rule: Vec<SecurityRule>,
}

/// A rule of a security group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecurityRule {
    /// `shared` or `bastion`.
    pub(super) group: String,
    /// Its name in Azure.
    pub(super) name: String,
    /// Where it applies.
    pub(super) profiles: Vec<Profile>,
    /// Whether Azure says it by itself, so that it is documented but not written.
    #[serde(default)]
    pub(super) default: bool,
    /// Lower goes first.
    pub(super) priority: i32,
    /// Which way.
    pub(super) direction: Direction,
    /// What happens.
    pub(super) access: Access,
    /// `Tcp`, `Udp`, `*`.
    pub(super) protocol: String,
    /// Ranges and service tags, placeholders filled in.
    pub(super) from: Vec<String>,
    /// Likewise.
    pub(super) to: Vec<String>,
    /// Ports at the destination.
    pub(super) ports: Vec<String>,
    /// Why.
    pub(super) reason: String,
}

/// Which way a security rule looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    /// Into the subnet.
    Inbound,
    /// Out of it.
    Outbound,
}

/// What a security rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Access {
    /// Lets through.
    Allow,
    /// Does not.
    Deny,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_published_allowlist_has_its_24_entries_and_all_are_baseline() {
        let hosts: BTreeSet<&str> = ALLOWLIST.host.iter().map(|h| h.name.as_str()).collect();
        assert_eq!((ALLOWLIST.host.len(), hosts.len()), (24, 24));
        assert!(ALLOWLIST.host.iter().all(|h| h.profiles.contains(&Profile::Baseline)));
    }

    #[test]
    fn every_entry_says_why() {
        for file in [&ALLOWLIST, &AZURE_ML] {
            let hosts = file.host.iter().map(|h| (&h.reason, &h.group));
            let tags = file.host_tag.iter().map(|t| (&t.reason, &t.group));
            let rules = file.network.iter().map(|n| (&n.reason, &n.group));
            for (reason, group) in hosts.chain(tags).chain(rules) {
                assert!(reason.ends_with('.') && reason.len() <= 160 && !group.is_empty(), "{reason}");
            }
        }
        for rule in &SECURITY.rule {
            assert!(rule.reason.ends_with('.') && rule.reason.len() <= 140, "{}", rule.reason);
        }
    }

    /// `azure-facts` 9.9: what hardened must not have.
    #[test]
    fn hardened_has_nothing_that_leaks() {
        let hardened = |profiles: &[Profile]| profiles.contains(&Profile::Hardened);
        for file in [&ALLOWLIST, &AZURE_ML] {
            for host in file.host.iter().filter(|h| hardened(&h.profiles)) {
                let (name, dotted) = (host.name.as_str(), host.name.starts_with("*."));
                assert!(!name.starts_with('*') || dotted, "{name} matches names that merely end so");
                assert!(!name.contains("core.windows.net") && !name.contains("github"), "{name}");
            }
            for rule in file.network.iter().filter(|n| hardened(&n.profiles)) {
                assert!(rule.from == "{shared}" && !rule.ports.contains(&"*".to_owned()), "{}", rule.name);
                let leaks = |to: &String| to == "*" || to.starts_with("Storage") || to == "AzureContainerRegistry";
                assert!(!rule.to.iter().any(leaks), "{}", rule.name);
            }
        }
        for rule in SECURITY.rule.iter().filter(|r| hardened(&r.profiles) && r.group == "shared") {
            assert!(!rule.ports.contains(&"44224".to_owned()), "{}", rule.name);
            // With a default route to an appliance the tag covers the Internet (`azure-facts` 4.8).
            let tag = "VirtualNetwork".to_owned();
            assert!(!rule.from.contains(&tag) && !rule.to.contains(&tag), "{}", rule.name);
        }
    }
}
