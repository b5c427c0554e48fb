//! What a firewall does with a flow: network rules, then application rules if it is HTTP, HTTPS or SQL, then denial
//! (Azure Firewall rule processing logic). A match among the network rules ends it.

use super::choice::{Verdict, first};
use super::firewall::{Firewall, NatRule, NetworkRule, WebRule};
use super::fqdn::Pattern;
use super::nsg::Transport;
use super::party::{Party, Scope};
use super::span::{Span, Tri};
use super::tag;

/// What the firewall sees of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// Who.
    pub from: &'a Party,
    /// Whom, by address.
    pub to: &'a Party,
    /// Whom, by name: host header or server name of TLS.
    pub host: Option<&'a str>,
    /// At the destination.
    pub port: Option<u16>,
    /// TCP, UDP, ICMP.
    pub transport: Transport,
    /// `http`, `https`, `mssql`; `None` for anything else.
    pub web: Option<&'a str>,
}

/// What the firewall says.
#[derive(Clone, Debug)]
pub(super) struct Filtered {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule, or what decided instead of one.
    pub rule: String,
    /// Whether a rule decided, rather than the end of the list or a doubt.
    pub named: bool,
    /// Whether an application rule decided: then the firewall speaks for itself to the destination.
    pub by_web: bool,
}

/// A rule of either kind.
enum Rule<'a> {
    Network(&'a NetworkRule),
    Web(&'a WebRule),
}

impl Rule<'_> {
    fn path(&self) -> &str {
        match self {
            Self::Network(rule) => &rule.path,
            Self::Web(rule) => &rule.path,
        }
    }
}

/// Judges a flow that reaches the firewall from inside.
pub(super) fn judge(firewall: &Firewall, seen: &Seen) -> Filtered {
    if let Some(why) = &firewall.blind {
        return Filtered { verdict: Verdict::Unknown, rule: why.clone(), named: false, by_web: false };
    }
    // Only these three ever reach application rules.
    let web: &[WebRule] = if seen.web.is_some() { &firewall.web } else { &[] };
    let rules: Vec<Rule> = firewall.network.iter().map(Rule::Network).chain(web.iter().map(Rule::Web)).collect();
    let matches = |rule: &Rule| match rule {
        Rule::Network(rule) => network(rule, seen, firewall.proxy),
        Rule::Web(rule) => web_rule(rule, seen),
    };
    let allows = |rule: &Rule| match rule {
        Rule::Network(rule) => rule.allow,
        Rule::Web(rule) => rule.allow,
    };
    let choice = first(rules.iter(), matches, allows);
    let by_web = matches!(choice.decided, Some(Rule::Web(_)));
    let ends = choice.decided.map_or("no rule matches, and the firewall denies what no rule allows", Rule::path);
    let rule = match choice.doubt {
        Some(doubt) => format!("rule {} may match, and says otherwise than what follows: {ends}", doubt.path()),
        None => ends.to_owned(),
    };
    Filtered { verdict: choice.verdict, rule, named: choice.decided.is_some() && choice.doubt.is_none(), by_web }
}

/// A firewall has no `VirtualNetwork` of its own: sources are addresses, destinations may be service tags.
fn nowhere() -> Scope {
    Scope::default()
}

fn network(rule: &NetworkRule, seen: &Seen, proxy: bool) -> Tri {
    let is = |word: &String| word == "any" || word == seen.transport.word();
    let ports = if seen.transport == Transport::Icmp { Tri::Yes } else { rule.ports.has(seen.port) };
    let plain = Tri::of(rule.protocols.iter().any(is)).and(ports);
    if plain == Tri::No {
        return Tri::No;
    }
    let to = rule.to.has(seen.to, &nowhere()).max(names(rule, seen, proxy));
    plain.and(rule.from.has(seen.from, &nowhere())).and(to)
}

/// Names in network rules work only where the firewall answers DNS itself (FQDN filtering in network rules).
fn names(rule: &NetworkRule, seen: &Seen, proxy: bool) -> Tri {
    if !proxy || rule.names.is_empty() {
        return Tri::No;
    }
    match (seen.host, seen.to) {
        (Some(host), _) => Tri::of(rule.names.iter().any(|name| name == host)),
        (None, Party::Within(span)) if span.is_public() == Tri::No => Tri::No,
        (None, Party::Tag(tag)) => {
            let below = |name: &String| tag::domains_of(tag).any(|domain| tag::is_below(name, domain));
            Tri::of(rule.names.iter().any(below)).min(Tri::Maybe)
        }
        (None, _) => Tri::Maybe,
    }
}

fn web_rule(rule: &WebRule, seen: &Seen) -> Tri {
    let (Some(web), Some(port)) = (seen.web, seen.port) else { return Tri::No };
    if !rule.protocols.is_empty() && !rule.protocols.iter().any(|(kind, at)| kind == web && *at == port) {
        return Tri::No;
    }
    let named = rule.hosts.iter().map(|pattern| host(pattern, seen, web)).max().unwrap_or(Tri::No);
    let tagged = if rule.tags.is_empty() { Tri::No } else { kept_by_microsoft(seen) };
    let categories = if rule.categories { Tri::Maybe } else { Tri::No };
    let to = named.max(tagged).max(categories);
    let narrowed = if rule.narrowed { Tri::Maybe } else { Tri::Yes };
    to.and(narrowed).and(rule.from.has(seen.from, &nowhere()))
}

fn host(pattern: &Pattern, seen: &Seen, web: &str) -> Tri {
    if let Some(host) = seen.host {
        return Tri::of(pattern.matches(host));
    }
    match seen.to {
        // Without a name TLS tells no host, and nothing matches. Plain HTTP names the address as its host.
        Party::Within(span) if span.is_one() && web == "http" => Tri::of(pattern.matches(&span.to_string())),
        Party::Within(_) => Tri::No,
        _ if *pattern == Pattern::All => Tri::Yes,
        Party::Tag(tag) => Tri::of(tag::domains_of(tag).any(|domain| pattern.meets_domain(domain))).min(Tri::Maybe),
        Party::Internet | Party::Host(_) => Tri::Maybe,
    }
}

/// The hosts behind an FQDN tag are Microsoft's own: a name outside of its domains is not among them, nor is one that
/// a customer may choose.
fn kept_by_microsoft(seen: &Seen) -> Tri {
    const OWN: &[&str] = &[
        "microsoft.com",
        "windows.com",
        "windows.net",
        "windowsupdate.com",
        "azure.com",
        "microsoftonline.com",
        "msedge.net",
        "msftauth.net",
        "msauth.net",
        "live.com",
        "office.com",
        "office.net",
        "office365.com",
        "visualstudio.com",
        "skype.com",
        "s-microsoft.com",
        "cloud.microsoft",
    ];
    const CUSTOMERS: &[&str] = &[
        "core.windows.net",
        "database.windows.net",
        "servicebus.windows.net",
        "search.windows.net",
        "cloudapp.azure.com",
        "documents.azure.com",
        "cognitiveservices.azure.com",
        "ods.opinsights.azure.com",
        "oms.opinsights.azure.com",
    ];
    const OF_CUSTOMERS: &[&str] =
        &["Storage", "AzureKeyVault", "AzureContainerRegistry", "Sql", "AppService", "ServiceBus"];
    match seen.host {
        Some(host) => {
            let below = |domains: &[&str]| domains.iter().any(|domain| tag::is_below(host, domain));
            Tri::of(below(OWN) && !below(CUSTOMERS)).min(Tri::Maybe)
        }
        None => match seen.to {
            Party::Within(_) => Tri::No,
            Party::Tag(tag) => Tri::of(!OF_CUSTOMERS.iter().any(|service| tag.is(service))).min(Tri::Maybe),
            Party::Internet | Party::Host(_) => Tri::Maybe,
        },
    }
}

/// The rule that lets a stranger from the Internet reach `target`; `port` is the machine's. Several rules may: the
/// best verdict counts, because a stranger tries them all.
pub(super) fn translated(
    firewall: &Firewall,
    target: Span,
    port: Option<u16>,
    transport: Transport,
) -> Option<(Tri, &NatRule)> {
    let is = |word: &String| word == "any" || word == transport.word();
    let matches = |rule: &NatRule| {
        let here = rule.address.map_or(Tri::Maybe, |address| Tri::of(target.contains(address)));
        let at = match (rule.port, port) {
            (Some(mine), Some(asked)) => Tri::of(mine == asked),
            _ => Tri::Yes,
        };
        let protocol = Tri::of(rule.protocols.iter().any(is));
        here.and(at).and(protocol).and(rule.from.has(&Party::Internet, &nowhere()))
    };
    firewall.nat.iter().map(|rule| (matches(rule), rule)).filter(|(tri, _)| *tri != Tri::No).max_by_key(|(tri, _)| *tri)
}

#[cfg(test)]
mod tests;
