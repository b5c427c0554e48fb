//! The data files as rows, for the README and the verifier. The same entries that the firewall and the security groups
//! are drawn from, so the text cannot drift from the truth. Placeholders stand as in the files.

use super::data::{ALLOWLIST, AZURE_ML, Access, Direction, Openings, SECURITY, Web};
use crate::config::Profile;

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The published allowlist of the Terraform project.
    Published,
    /// What today's Azure ML and Windows need on top.
    AzureMl,
}

/// A web host, or a set of hosts, that the firewall lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRow {
    /// Its name in the public cloud; for a set, Azure's word for it.
    pub host: &'static str,
    /// Whether it is a set of hosts kept by Microsoft.
    pub is_set: bool,
    /// `HTTP, HTTPS` or `HTTP`.
    pub over: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// Where it applies.
    pub profiles: &'static [Profile],
    /// Why.
    pub reason: &'static str,
    /// Which file.
    pub source: Source,
}

/// A network rule of the firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkRow {
    /// Its name.
    pub name: &'static str,
    /// Who: `{shared}` or `*`.
    pub from: &'static str,
    /// Addresses, service tags and names.
    pub to: Vec<&'static str>,
    /// `TCP`, `UDP`.
    pub protocols: &'static [String],
    /// Ports.
    pub ports: &'static [String],
    /// What it belongs to.
    pub group: &'static str,
    /// Where it applies.
    pub profiles: &'static [Profile],
    /// Only in the public cloud (`true`) or only outside of it (`false`).
    pub public: Option<bool>,
    /// Why.
    pub reason: &'static str,
    /// Which file.
    pub source: Source,
}

/// A rule of a security group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityRow {
    /// `shared` or `bastion`.
    pub group: &'static str,
    /// Its name in Azure.
    pub name: &'static str,
    /// Whether Azure says it by itself, so that we do not write it.
    pub is_default: bool,
    /// Lower goes first.
    pub priority: i32,
    /// Into the subnet rather than out of it.
    pub inbound: bool,
    /// Allow rather than deny.
    pub allow: bool,
    /// `Tcp`, `Udp`, `*`.
    pub protocol: &'static str,
    /// Ranges and service tags.
    pub from: &'static [String],
    /// Likewise.
    pub to: &'static [String],
    /// Ports at the destination.
    pub ports: &'static [String],
    /// Where it applies.
    pub profiles: &'static [Profile],
    /// Why.
    pub reason: &'static str,
}

fn files() -> [(Source, &'static Openings); 2] {
    [(Source::Published, &*ALLOWLIST), (Source::AzureMl, &*AZURE_ML)]
}

/// Every host and set of hosts, in the order of the files.
#[must_use]
pub fn hosts() -> Vec<HostRow> {
    files().into_iter().flat_map(|(source, file)| host_rows(source, file)).collect()
}

fn host_rows(source: Source, file: &'static Openings) -> Vec<HostRow> {
    let both = "HTTP, HTTPS";
    let hosts = file.host.iter().map(move |entry| HostRow {
        host: &entry.name,
        is_set: false,
        over: if entry.web == Web::Http { "HTTP" } else { both },
        group: &entry.group,
        profiles: &entry.profiles,
        reason: &entry.reason,
        source,
    });
    let sets = file.host_tag.iter().map(move |entry| HostRow {
        host: &entry.tag,
        is_set: true,
        over: both,
        group: &entry.group,
        profiles: &entry.profiles,
        reason: &entry.reason,
        source,
    });
    hosts.chain(sets).collect()
}

/// Every network rule, in the order of the files.
#[must_use]
pub fn network() -> Vec<NetworkRow> {
    let row = |source, entry: &'static super::data::Network| NetworkRow {
        name: &entry.name,
        from: &entry.from,
        to: entry.to.iter().chain(&entry.names).map(String::as_str).collect(),
        protocols: &entry.protocols,
        ports: &entry.ports,
        group: &entry.group,
        profiles: &entry.profiles,
        public: entry.public,
        reason: &entry.reason,
        source,
    };
    files().into_iter().flat_map(|(source, file)| file.network.iter().map(move |entry| row(source, entry))).collect()
}

/// Every rule of both security groups, those that Azure says by itself included.
#[must_use]
pub fn security() -> Vec<SecurityRow> {
    let row = |entry: &'static super::data::SecurityRule| SecurityRow {
        group: &entry.group,
        name: &entry.name,
        is_default: entry.default,
        priority: entry.priority,
        inbound: entry.direction == Direction::Inbound,
        allow: entry.access == Access::Allow,
        protocol: &entry.protocol,
        from: &entry.from,
        to: &entry.to,
        ports: &entry.ports,
        profiles: &entry.profiles,
        reason: &entry.reason,
    };
    SECURITY.rule.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table_of_the_shared_group_is_whole() {
        let rows = security().into_iter().filter(|r| r.group == "shared" && r.profiles.contains(&Profile::Baseline));
        let brief = |r: SecurityRow| {
            let way = if r.inbound { "in" } else { "out" };
            let what = if r.allow { "allow" } else { "deny" };
            format!("{way} {what} {} {} to {}", r.ports.join(","), r.from.join(","), r.to.join(","))
        };
        assert_eq!(
            rows.map(brief).collect::<Vec<_>>(),
            [
                "in allow 29876,29877 BatchNodeManagement to VirtualNetwork",
                "in allow 44224 Internet to VirtualNetwork",
                "in allow * AzureLoadBalancer to *",
                "in deny * * to *",
                "out allow 445 VirtualNetwork to Storage",
                "out allow * VirtualNetwork to Storage",
                "out allow * * to Internet",
            ]
        );
    }

    #[test]
    fn both_files_are_in_the_rows() {
        assert_eq!(hosts().iter().filter(|row| row.source == Source::Published).count(), 24);
        assert!(hosts().iter().any(|row| row.is_set) && network().iter().any(|row| row.to == ["{kms}"]));
    }
}
