//! Hosts of the allowlist: what Azure Firewall takes as the target of an application rule, and what users write instead.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Allow;
use super::problem::{At, Problem, quoted};
use super::raw::RawAllow;

/// The allowlist, entry by entry and then as a whole. `None`: some entry is unusable.
pub(super) fn check(entries: &[RawAllow], problems: &mut Vec<Problem>) -> Option<Vec<Allow>> {
    let allowed: Vec<Option<Allow>> = entries.iter().map(|entry| allow(entry, problems)).collect();
    let hosts: Vec<&At<String>> = entries.iter().filter_map(|e| e.host.as_ref()).collect();
    let wide = Wide::of(&hosts);
    let mut seen = BTreeMap::new();
    for host in hosts {
        refuse_twice(host, seen.entry(host.value.as_str()).or_insert(host), problems);
        note_covered(host, &wide, problems);
    }
    allowed.into_iter().collect()
}

fn allow(entry: &RawAllow, problems: &mut Vec<Problem>) -> Option<Allow> {
    let host = entry.host.as_ref().and_then(|h| host(h, problems));
    let reason = entry.reason.as_ref().and_then(|r| reason(r, problems));
    Some(Allow { host: host?, reason: reason? })
}

fn reason(reason: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    said(reason, "Say in a few words what needs the host: `reason = \"Python packages\"`", problems)
}

/// A reason with words in it.
pub(super) fn said(reason: &At<String>, help: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let words = reason.value.trim();
    if words.is_empty() {
        problems.push(Problem::at(reason.span, "the reason is empty").help(help));
        return None;
    }
    Some(words.to_owned())
}

fn host(host: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    if let Some((message, help)) = fault(&host.value) {
        let help = match suggestion(&host.value) {
            Some(better) => format!("Write `{better}`. {help}"),
            None => help.to_owned(),
        };
        problems.push(Problem::at(host.span, message).label("not a host").help(help));
        return None;
    }
    if let Some(domain) = host.value.strip_prefix('*').filter(|rest| !rest.starts_with('.')) {
        let problem = Problem::at(host.span, format!("`{}` also matches `evil{domain}`", host.value))
            .label("no dot after the asterisk")
            .help(format!(
                "Anybody can register a name that ends so. Write two entries instead, `*.{domain}` for what is below \
                 it and `{domain}` itself."
            ));
        problems.push(problem.warning());
    }
    Some(host.value.clone())
}

/// What is wrong with a host: a message and why it matters. `None`: nothing.
#[must_use]
pub fn fault(host: &str) -> Option<(String, &'static str)> {
    let bare = host.strip_prefix("*.").or_else(|| host.strip_prefix('*')).unwrap_or(host);
    let said = |what: &str| format!("{} {what}", quoted(host));
    let fault = if host.trim().is_empty() {
        ("the host is empty".to_owned(), "Write a host name, such as `pypi.org` or `*.pypi.org`.")
    } else if host.contains("://") {
        ("expected a host, not a URL".to_owned(), "The firewall sees the host only, never the path.")
    } else if is_address(host) {
        (said("is an address, not a host name"), "The firewall's application rules match names only.")
    } else if host.contains(char::is_whitespace) {
        (said("contains white space"), "One host an entry: add another [[firewall.allow]] for another host.")
    } else if host.contains(['/', '?', '#']) {
        (said("has a path"), "The firewall sees the host only, never the path.")
    } else if host.contains(':') {
        (said("has a port"), "An entry opens the web's ports; there is no choice of port.")
    } else if host.contains('@') {
        (said("has a user name"), "The firewall sees the host only.")
    } else if bare.contains('*') {
        (said("has an asterisk inside"), "Azure Firewall takes one asterisk, as the first character.")
    } else if bare.is_empty() {
        (said("would open the whole Internet"), "Name the hosts that are needed; that is what the firewall is for.")
    } else if host.starts_with('*') && !bare.contains('.') {
        (said("would open a whole top-level domain"), "Name the domain that is needed, such as `*.pypi.org`.")
    } else if host.chars().any(char::is_uppercase) {
        (said("has capital letters"), "Host names are kept in lower case, so that one host is one entry.")
    } else if !host.is_ascii() {
        (said("has letters beyond a-z"), "Write the ASCII form of the name, which begins with xn--.")
    } else {
        return name_fault(bare).map(|(what, why)| (said(what), why));
    };
    Some(fault)
}

/// The rules of DNS for a name in lower case.
fn name_fault(name: &str) -> Option<(&'static str, &'static str)> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(allowed) {
        return Some(("is not a host name", "A host name has letters, digits, hyphens and dots only."));
    }
    if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
        return Some(("is too long", "A host name has up to 253 characters, up to 63 between two dots."));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Some(("has a dot too many", "A host name neither begins nor ends with a dot."));
    }
    if name.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return Some(("has a hyphen beside a dot", "No part of a host name begins or ends with a hyphen."));
    }
    if !name.contains('.') {
        return Some(("is not a full host name", "Write the name with its domain, such as `pypi.org`."));
    }
    None
}

fn is_address(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    let address = bare.split('/').next().unwrap_or(bare);
    let without_port = address.rsplit_once(':').map_or(address, |(left, _)| left);
    address.parse::<IpAddr>().is_ok() || without_port.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The host inside what was written, if there is a usable one.
#[must_use]
pub fn suggestion(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let after = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.');
    let host = if host.starts_with('.') { format!("*{host}") } else { host.to_owned() };
    fault(&host).is_none().then_some(host)
}

fn refuse_twice(host: &At<String>, first: &At<String>, problems: &mut Vec<Problem>) {
    if first.span != host.span {
        let problem = Problem::at(host.span, format!("{} is allowed twice", quoted(&host.value)))
            .label("again here")
            .also(first.span, "first here")
            .help("Remove one of them; say both reasons in the other.");
        problems.push(problem);
    }
}

fn note_covered(host: &At<String>, wide: &Wide<'_>, problems: &mut Vec<Problem>) {
    if let Some(wider) = wide.covering(&host.value).filter(|_| fault(&host.value).is_none()) {
        let message = format!("{} is allowed already by {}", quoted(&host.value), quoted(&wider.value));
        let problem = Problem::at(host.span, message)
            .label("changes nothing")
            .also(wider.span, "covers it")
            .help("Remove the wide entry to be strict, or this one to be brief.");
        problems.push(problem.warning());
    }
}

/// The patterns among the hosts by what they end with, the first of each with its place in the list. Allowlists of
/// thousands are looked through once for each host otherwise.
struct Wide<'h>(BTreeMap<&'h str, (usize, &'h At<String>)>);

impl<'h> Wide<'h> {
    fn of(hosts: &[&'h At<String>]) -> Self {
        let mut wide = BTreeMap::new();
        for (at, host) in hosts.iter().enumerate().filter(|(_, host)| fault(&host.value).is_none()) {
            if let Some(end) = host.value.strip_prefix('*') {
                wide.entry(end).or_insert((at, *host));
            }
        }
        Self(wide)
    }

    /// The first pattern of the list, other than `host` itself, that the firewall matches it by: `*.x` is anything
    /// below x, `*x` anything that ends so.
    fn covering(&self, host: &str) -> Option<&'h At<String>> {
        let bare = host.strip_prefix('*').unwrap_or(host);
        let ends = bare.char_indices().filter_map(|(at, _)| self.0.get(&bare[at..]));
        ends.filter(|(_, wider)| wider.value != host).min_by_key(|(at, _)| *at).map(|(_, wider)| *wider)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::problem::Span;
    use super::*;

    #[test]
    fn hosts_as_azure_firewall_takes_them() {
        for host in ["pypi.org", "*.pypi.org", "*pypi.org", "a_b.x-y.z9", "xn--mnchen-3ya.de", "go.microsoft.com"] {
            assert_eq!(fault(host), None, "{host}");
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        let bad = [
            "",
            " ",
            "*",
            "*.",
            "a.*.b",
            "www.x.*",
            "**.x.com",
            "https://x.com",
            "x.com/a",
            "x.com:443",
            "X.com",
            "10.0.0.1",
            "10.0.0.0/8",
            "10.0.0.1:443",
            "::1",
            "[::1]",
            "a b.c",
            ".x.com",
            "x.com.",
            "x..com",
            "-a.com",
            "com",
            "*.com",
            "*com",
            "münchen.de",
            "me@x.com",
            "a,b.com",
        ];
        for host in bad {
            assert!(fault(host).is_some(), "{host:?}");
        }
    }

    #[test]
    fn the_host_inside_is_suggested() {
        let cases = [
            ("https://me@PyPI.org:443/simple?x#y", Some("pypi.org")),
            ("pypi.org/simple", Some("pypi.org")),
            ("pypi.org:443", Some("pypi.org")),
            (".pypi.org", Some("*.pypi.org")),
            ("pypi.org.", Some("pypi.org")),
            ("https://10.0.0.1/", None),
            ("*", None),
        ];
        for (text, host) in cases {
            assert_eq!(suggestion(text).as_deref(), host, "{text}");
        }
    }

    #[test]
    fn patterns_cover_what_azure_firewall_matches() {
        let covers = |pattern: &str, host: &str| {
            let one = At { value: pattern.to_owned(), span: Span::default() };
            Wide::of(&[&one]).covering(host).is_some()
        };
        assert!(covers("*.x.com", "a.b.x.com") && covers("*.x.com", "*.a.x.com"));
        assert!(!covers("*.x.com", "x.com") && !covers("x.com", "a.x.com"));
        assert!(covers("*x.com", "evilx.com") && covers("*x.com", "*.x.com") && !covers("*.x.com", "*x.com"));
        assert!(!covers("*.x.com", "*.x.com"), "itself");
    }

    proptest! {
        #[test]
        fn a_suggestion_is_always_a_valid_host(text in ".{0,40}") {
            if let Some(host) = suggestion(&text) {
                prop_assert_eq!(fault(&host), None);
            }
        }
    }
}
