//! What the rules of firewalls and security groups let out or in: the search behind the findings on rules.

use std::collections::BTreeSet;

use super::fqdn::Pattern;
use super::model::Model;
use super::party::Party;
use super::span::{Span, Tri};
use super::tag;
use super::verdicts::Evidence;

/// Services whose resources any customer may have.
const OF_CUSTOMERS: [&str; 7] =
    ["Storage", "AzureContainerRegistry", "AzureKeyVault", "AzureFrontDoor.Frontend", "AppService", "Sql", "EventHub"];

pub(super) fn broad_tags(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        for rule in firewall.network.iter().filter(|rule| rule.allow) {
            let broad = rule.to.tags().iter().filter(|tag| {
                let of_customers = OF_CUSTOMERS.iter().any(|name| tag::Tag::new(name).covers(tag) == Tri::Yes);
                of_customers || tag.is("AzureCloud") || tag.is("Internet")
            });
            for tag in broad {
                let says = format!("{} lets {} through on ports {}", rule.path, tag, rule.ports);
                found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
            }
        }
    }
    found
}

/// Hosts of application rules that have a property.
pub(super) fn hosts(model: &Model, has: fn(&Pattern) -> bool, what: &str) -> Vec<Evidence> {
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        for rule in firewall.web.iter().filter(|rule| rule.allow) {
            for host in rule.hosts.iter().filter(|host| has(host)) {
                let says = format!("{} opens {host}, which {what}", rule.path);
                found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
            }
        }
    }
    found
}

pub(super) fn is_writable(pattern: &Pattern) -> bool {
    const WRITABLE: [&str; 18] = [
        "core.windows.net",
        "azurewebsites.net",
        "azurefd.net",
        "azureedge.net",
        "cloudapp.azure.com",
        "amazonaws.com",
        "cloudfront.net",
        "googleapis.com",
        "github.com",
        "githubusercontent.com",
        "github.io",
        "gitlab.com",
        "openml.org",
        "powershellgallery.com",
        "huggingface.co",
        "docker.io",
        "ghcr.io",
        "pastebin.com",
    ];
    // One exact host below a shared domain belongs to one owner; the sites themselves take uploads under one name.
    let exact_ok = |domain: &str| matches!(pattern, Pattern::Exact(name) if name != domain);
    WRITABLE.iter().any(|domain| pattern.meets_domain(domain) && !exact_ok(domain))
}

pub(super) fn serves_any_tenant(pattern: &Pattern) -> bool {
    const SHARED: [&str; 6] = [
        "login.microsoftonline.com",
        "login.windows.net",
        "management.azure.com",
        "graph.microsoft.com",
        "graph.windows.net",
        "portal.azure.com",
    ];
    SHARED.iter().any(|host| pattern.matches(host))
}

pub(super) fn studio(model: &Model) -> Vec<Evidence> {
    let mut found =
        hosts(model, |pattern| pattern.matches("ml.azure.com"), "serves every workspace that a user may open");
    for firewall in &model.firewalls {
        for rule in firewall.network.iter().filter(|rule| rule.allow) {
            if rule.to.tags().iter().any(|tag| tag.is("AzureMachineLearning")) {
                let says = format!("{} opens the tag AzureMachineLearning, which holds every workspace", rule.path);
                found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
            }
        }
    }
    found
}

pub(super) fn any_destination(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        for rule in firewall.network.iter().filter(|rule| rule.allow && rule.to.is_any()) {
            let says =
                format!("{} lets {} on ports {} through to anywhere", rule.path, rule.protocols.join("+"), rule.ports);
            found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
        }
        for rule in firewall.web.iter().filter(|rule| rule.allow && rule.hosts.contains(&Pattern::All)) {
            found.push(Evidence::new(
                &firewall.source,
                rule.path.clone(),
                format!("{} lets every host through", rule.path),
            ));
        }
    }
    found
}

pub(super) fn inbound(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for group in model.groups.values() {
        // Bastion's subnet must let its users' browsers in.
        let bastion =
            |subnet: &super::network::Subnet| subnet.group == Some(group.id.key()) && subnet.is("AzureBastionSubnet");
        if model.subnets.iter().any(bastion) {
            continue;
        }
        let open = |rule: &&super::nsg::SecurityRule| {
            rule.inbound && rule.allow && rule.from.has(&Party::Internet, &super::party::Scope::default()) != Tri::No
        };
        for rule in group.rules.iter().filter(open) {
            let says = format!("{} lets {} in on ports {}", rule.name, rule.from.texts().join(","), rule.ports);
            found.push(Evidence::new(&group.id, format!("securityRules/{}", rule.name), says));
        }
    }
    found
}

pub(super) fn no_effect(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        for rule in &firewall.web {
            for host in &rule.hosts {
                let why = match host {
                    Pattern::Exact(name) if Span::parse(name).is_some() => {
                        "an address is no host name: TLS names hosts"
                    }
                    Pattern::Invalid(_) => "a star may stand on the far left only",
                    _ => continue,
                };
                let says = format!("{} names {host}: {why}", rule.path);
                found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
            }
        }
        for rule in firewall.network.iter().filter(|rule| !rule.names.is_empty() && !firewall.proxy) {
            let says = format!("{} names hosts, which needs the firewall's DNS proxy", rule.path);
            found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
        }
    }
    found
}

/// Entries that a wider one covers, for the same sources and protocols. Looks every suffix up instead of comparing
/// every pair: lists have thousands of entries.
pub(super) fn redundant(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        let mut all: BTreeSet<(String, &str, u16, &Pattern)> = BTreeSet::new();
        let allowed = || firewall.web.iter().filter(|rule| rule.allow && !rule.narrowed);
        for rule in allowed() {
            let from = rule.from.texts().join(",");
            let entries =
                rule.hosts.iter().flat_map(|h| rule.protocols.iter().map(move |(kind, port)| (kind, port, h)));
            all.extend(entries.map(|(kind, port, host)| (from.clone(), kind.as_str(), *port, host)));
        }
        for rule in allowed() {
            let from = rule.from.texts().join(",");
            for host in &rule.hosts {
                let mut covers = rule.protocols.iter().map(|(kind, port)| {
                    wider(host).find(|wide| all.contains(&(from.clone(), kind.as_str(), *port, wide)))
                });
                let first = covers.next().flatten();
                if let Some(wide) = first
                    && covers.all(|cover| cover.is_some())
                {
                    let says = format!("{} opens {host}, which {wide} opens already", rule.path);
                    found.push(Evidence::new(&firewall.source, rule.path.clone(), says));
                }
            }
        }
    }
    found
}

/// Patterns that match everything that `pattern` matches, other than itself.
fn wider(pattern: &Pattern) -> impl Iterator<Item = Pattern> + '_ {
    let (text, whole) = match pattern {
        Pattern::Exact(name) => (name.as_str(), true),
        Pattern::EndsWith(end) => (end.as_str(), false),
        Pattern::All | Pattern::Invalid(_) => ("", false),
    };
    // `*x.com` is wider than `x.com`; `*.x.com` is not, because it wants a label in front.
    let from = usize::from(!whole);
    let ends = (from..text.len()).filter(|at| text.is_char_boundary(*at)).map(|at| &text[at..]);
    let ends = ends.filter(move |end| !(whole && end.len() == text.len() && end.starts_with('.')));
    let all = (!text.is_empty()).then_some(Pattern::All);
    ends.map(|end| Pattern::EndsWith(end.to_owned())).chain(all)
}

pub(super) fn network_tag(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (at, subnet) in model.subnets.iter().enumerate() {
        if subnet.is("AzureBastionSubnet") || model.scopes[at].wide.covers_public() != Tri::Yes {
            continue;
        }
        let Some(group) = subnet.group.as_ref().and_then(|key| model.groups.get(key)) else { continue };
        for way in [true, false] {
            let scope = &model.scopes[at];
            let ends = |rule: &&super::nsg::SecurityRule| if way { &rule.from } else { &rule.to }.is_any();
            let ours = |rule: &&super::nsg::SecurityRule| rule.inbound == way;
            // What a rule that denies everybody has behind it does not count any more.
            let until =
                group.rules.iter().filter(ours).position(|rule| !rule.allow && ends(&rule) && rule.protocol == "*");
            let reached = group.rules.iter().filter(ours).take(until.unwrap_or(usize::MAX));
            let wide = |rule: &&super::nsg::SecurityRule| {
                let side = if way { &rule.from } else { &rule.to };
                rule.allow
                    && side.tags().iter().any(|tag| tag.is("VirtualNetwork"))
                    && side.has(&Party::Internet, scope) == Tri::Yes
            };
            for rule in reached.filter(wide) {
                let says = format!("{} of {} covers the Internet in {}", rule.name, group.id.name(), subnet.name());
                found.push(Evidence::new(&group.id, format!("securityRules/{}", rule.name), says));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_patterns_are_found_without_comparing_pairs() {
        let wide: Vec<String> = wider(&Pattern::new("*.a.com")).map(|p| p.to_string()).collect();
        assert_eq!(wide, ["*a.com", "*.com", "*com", "*om", "*m", "*"]);
        assert!(wider(&Pattern::new("a.com")).any(|p| p == Pattern::new("*a.com")));
        assert!(!wider(&Pattern::new("a.com")).any(|p| p == Pattern::new("*.a.com")));
        assert!(wider(&Pattern::new("x.a.com")).any(|p| p == Pattern::new("*.a.com")));
    }
}
