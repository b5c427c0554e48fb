//! What was asked for: the plan's own rules, routes and openings in a form that can be compared, and the table of flows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::choice::Verdict;
use super::flow::{BadFlow, Flow};
use super::model::Model;
use super::moments::History;
use super::notes::Note;
use super::verdicts::Acceptance;
use crate::config::{Accept, Config, Deny, Profile, regions};
use crate::model::{Desired, ResourceId};

/// Everything a verification compares with.
#[derive(Debug)]
pub struct Asked {
    /// The plan's model; without one nothing is compared.
    pub plan: Option<Model>,
    /// Which flows of the table hold.
    pub profile: Profile,
    /// ARM's word for the region.
    pub location: String,
    /// Flows that the user wants closed.
    pub deny: Vec<Closed>,
    /// Findings that somebody agreed to.
    pub accepted: Vec<Acceptance>,
    /// What could not be read, and so was not judged.
    pub unread: Vec<Note>,
    /// How the last apply went, if that is known.
    pub history: Option<History>,
    /// `2026-11-27`: what expiry dates are compared with.
    pub today: Option<String>,
}

/// A flow that the user wants closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The flow.
    pub flow: Flow,
    /// In the user's words.
    pub why: Option<String>,
}

impl Asked {
    /// What parameters and plan ask for.
    #[must_use]
    pub fn of(config: &Config, plan: &[Desired]) -> Self {
        Self {
            plan: Some(Model::of_plan(plan)),
            profile: config.profile,
            location: config.location.clone(),
            deny: config.verify.deny.iter().filter_map(closed).collect(),
            accepted: config.verify.accept.iter().map(Acceptance::from).collect(),
            unread: Vec::new(),
            history: None,
            today: None,
        }
    }

    /// The same, of an environment that could not be read wholly.
    #[must_use]
    pub fn without(self, unread: Vec<Note>) -> Self {
        Self { unread, ..self }
    }

    /// The same on that day: `2026-11-27`.
    #[must_use]
    pub fn on(self, today: impl Into<String>) -> Self {
        Self { today: Some(today.into()), ..self }
    }

    /// Nothing: for an environment of which no parameters are known.
    #[must_use]
    pub fn nothing(location: &str) -> Self {
        Self {
            plan: None,
            profile: Profile::Baseline,
            location: location.to_owned(),
            deny: Vec::new(),
            accepted: Vec::new(),
            unread: Vec::new(),
            history: None,
            today: None,
        }
    }

    /// The consent to a finding: one that counts, or one that has run out.
    pub(super) fn consent(&self, finding: &str) -> Consent {
        let Some(one) = self.accepted.iter().find(|one| one.finding.eq_ignore_ascii_case(finding)) else {
            return Consent::default();
        };
        let counts = match (&one.until, &self.today) {
            (Some(until), Some(today)) => today <= until,
            // Without a date of today an expiry cannot be judged, and is not trusted.
            (Some(_), None) => false,
            (None, _) => true,
        };
        let (accepted, expired) = if counts { (Some(one.clone()), None) } else { (None, Some(one.clone())) };
        Consent { accepted, expired }
    }
}

/// What somebody said of a finding.
#[derive(Debug, Default)]
pub(super) struct Consent {
    /// It counts.
    pub(super) accepted: Option<Acceptance>,
    /// It did until a day that is over.
    pub(super) expired: Option<Acceptance>,
}

impl From<&Accept> for Acceptance {
    fn from(said: &Accept) -> Self {
        Self { finding: said.finding.clone(), reason: said.reason.clone(), until: Some(said.until.clone()) }
    }
}

/// The row as a flow; its words were checked when the parameters were read.
fn closed(row: &Deny) -> Option<Closed> {
    let flow = Flow::new(&row.from, &row.to, row.port, row.protocol.as_deref()).ok()?;
    Some(Closed { flow, why: row.why.clone() })
}

/// One thing that a firewall lets through: who, what, how. The key of a comparison.
pub(super) type Openings = BTreeMap<(String, String, String), (ResourceId, String)>;

/// Rules or routes by resource and name, each as one line.
pub(super) type Lines = BTreeMap<(String, String), (ResourceId, String)>;

impl Model {
    /// Everything that firewalls let through, each with the rule that does.
    pub(super) fn openings(&self) -> Openings {
        let mut all = Openings::new();
        for firewall in &self.firewalls {
            let at = |path: &str| (firewall.source.clone(), path.to_owned());
            for rule in firewall.network.iter().filter(|rule| rule.allow) {
                let names = rule.names.iter().map(|name| format!("{name} (by name)"));
                for to in rule.to.texts().into_iter().chain(names) {
                    let how = format!("{} {}", rule.protocols.join("+"), rule.ports);
                    all.entry((rule.from.texts().join(","), to, how)).or_insert_with(|| at(&rule.path));
                }
            }
            for rule in firewall.web.iter().filter(|rule| rule.allow) {
                let how: Vec<String> = rule.protocols.iter().map(|(kind, port)| format!("{kind}:{port}")).collect();
                let hosts = rule.hosts.iter().map(ToString::to_string);
                let tags = rule.tags.iter().map(|tag| format!("FQDN tag {tag}"));
                let kinds = rule.categories.then(|| format!("web categories of {}", rule.path));
                for to in hosts.chain(tags).chain(kinds) {
                    for how in &how {
                        all.entry((rule.from.texts().join(","), to.clone(), how.clone()))
                            .or_insert_with(|| at(&rule.path));
                    }
                }
            }
        }
        all
    }

    /// Every written rule of every security group.
    pub(super) fn security_lines(&self) -> Lines {
        let mut all = Lines::new();
        for (key, group) in &self.groups {
            for rule in group.rules.iter().filter(|rule| rule.priority < 65000) {
                let way = if rule.inbound { "inbound" } else { "outbound" };
                let access = if rule.allow { "allow" } else { "deny" };
                let line = format!(
                    "{way} {} {access} {} from {} to {} ports {}",
                    rule.priority,
                    rule.protocol,
                    rule.from.texts().join(","),
                    rule.to.texts().join(","),
                    rule.ports
                );
                all.insert((key.clone(), rule.name.to_ascii_lowercase()), (group.id.clone(), line));
            }
        }
        for (key, policy) in &self.policies {
            let mut said: Vec<String> = policy.resources.iter().map(ResourceId::key).collect();
            said.extend(policy.aliases.iter().map(|alias| alias.to_ascii_lowercase()));
            said.sort();
            all.insert((key.clone(), "serviceResources".to_owned()), (policy.id.clone(), said.join(", ")));
        }
        all
    }

    /// What firewalls are set to beside their rules, and who answers DNS.
    pub(super) fn setting_lines(&self) -> Lines {
        let mut all = Lines::new();
        for firewall in &self.firewalls {
            let line = format!("threat intelligence {}", firewall.threat.to_ascii_lowercase());
            all.insert((firewall.source.key(), "threatIntelMode".to_owned()), (firewall.source.clone(), line));
            let line = format!("DNS proxy {}, servers {}", firewall.proxy, firewall.dns.join(", "));
            all.insert((firewall.source.key(), "dnsSettings".to_owned()), (firewall.source.clone(), line));
        }
        for network in &self.networks {
            let line = format!("DNS servers {}", network.dns.join(", "));
            all.insert((network.id.key(), "dhcpOptions".to_owned()), (network.id.clone(), line));
        }
        all
    }

    /// Every written route of every table.
    pub(super) fn route_lines(&self) -> Lines {
        let mut all = Lines::new();
        for (key, table) in &self.tables {
            let line = format!("routes of gateways reach the subnet: {}", table.propagates);
            all.insert((key.clone(), "disableBgpRoutePropagation".to_owned()), (table.id.clone(), line));
            for route in &table.routes {
                let line = format!("{} to {}", route.prefix, route.hop);
                all.insert((key.clone(), route.name.to_ascii_lowercase()), (table.id.clone(), line));
            }
        }
        all
    }
}

/// One row of the table of flows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) expect: Expect,
    pub(super) profiles: Vec<Profile>,
    #[serde(default)]
    pub(super) needs: Option<String>,
    pub(super) why: String,
}

/// What must happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    /// It gets through.
    Allow,
    /// It does not.
    Deny,
}

impl Expect {
    pub(super) const fn verdict(self) -> Verdict {
        match self {
            Self::Allow => Verdict::Allow,
            Self::Deny => Verdict::Deny,
        }
    }
}

impl Row {
    /// The row as a flow, with the region filled in.
    pub(super) fn flow(&self, location: &str) -> Result<Flow, BadFlow> {
        let region =
            regions::find(location).map_or_else(|| location.to_owned(), |region| region.display.replace(' ', ""));
        Flow::new(&self.from, &self.to.replace("{Region}", &region), None, None)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    flow: Vec<Row>,
}

/// The table of flows.
pub(super) fn rows() -> &'static [Row] {
    static TABLE: LazyLock<Table> =
        LazyLock::new(|| toml::from_str(include_str!("../../config/flows.toml")).expect("checked by a test"));
    &TABLE.flow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_flow_and_says_why() {
        for row in rows() {
            assert!(row.flow("westeurope").is_ok(), "{} {}", row.from, row.to);
            assert!(row.why.ends_with('.') && !row.profiles.is_empty(), "{}", row.why);
        }
    }

    #[test]
    fn consent_ends_with_its_day() {
        let accepted = vec![Acceptance {
            finding: "EXF003".to_owned(),
            reason: "r".to_owned(),
            until: Some("2026-12-31".to_owned()),
        }];
        let on = |today: Option<&str>| Asked {
            accepted: accepted.clone(),
            today: today.map(ToOwned::to_owned),
            ..Asked::nothing("westeurope")
        };
        let counts = |today, finding| on(today).consent(finding).accepted.is_some();
        assert!(counts(Some("2026-12-31"), "exf003"));
        assert!(!counts(Some("2027-01-01"), "EXF003") && !counts(None, "EXF003"));
        assert!(!counts(Some("2026-12-31"), "EXF004"));
        assert!(on(Some("2027-01-01")).consent("EXF003").expired.is_some());
        assert!(on(Some("2026-12-31")).consent("EXF003").expired.is_none());
    }
}
