//! The two ends of a comparison: what a flow comes from or goes to, and what a rule says of it. No rule order here.

use serde_json::Value;

use super::read::texts;
use super::span::{Ranges, Span, Tri};
use super::tag::{self, Tag};

/// The address of the host a machine runs on, the same everywhere: DNS, health probes, guest agent.
pub(super) const HOST_ADDRESS: Span = Span { lo: 0xA83F_8110, hi: 0xA83F_8110 };

/// The address of instance metadata, the same everywhere.
pub(super) const METADATA_ADDRESS: Span = Span { lo: 0xA9FE_A9FE, hi: 0xA9FE_A9FE };

/// One end of a flow: which addresses it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// An address in this range: one address, or somewhere in a subnet.
    Within(Span),
    /// Anybody outside: a public address of nobody known.
    Internet,
    /// An address of a service.
    Tag(Tag),
    /// The public address behind a name, with the tag of the service that the name belongs to.
    Host(Option<Tag>),
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Within(span) => write!(f, "{span}"),
            Self::Internet => f.write_str("the Internet"),
            Self::Tag(tag) => write!(f, "an address of {tag}"),
            Self::Host(Some(tag)) => write!(f, "a public address of {tag}"),
            Self::Host(None) => f.write_str("a public address"),
        }
    }
}

/// What the tags `VirtualNetwork` and `Internet` mean for one subnet: both differ from subnet to subnet.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The network's own ranges, its peers' and those behind its gateway.
    pub network: Ranges,
    /// `network`, the host's address and the prefixes of user routes to an appliance or gateway.
    pub wide: Ranges,
}

/// What a rule says of one end.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    any: bool,
    ranges: Ranges,
    tags: Vec<Tag>,
    /// Names something that is not evaluated, such as an application security group.
    opaque: bool,
}

impl Side {
    /// Reads prefixes, addresses, ranges, tags and `*`; `opaque` when there is more than these texts.
    pub(super) fn new<'a>(said: impl IntoIterator<Item = &'a str>, opaque: bool) -> Self {
        let mut side = Self { opaque, ..Self::default() };
        let mut spans = Vec::new();
        for text in said {
            let text = text.trim();
            if text == "*" || text.eq_ignore_ascii_case("any") {
                side.any = true;
            } else if let Some(span) = Span::parse(text) {
                spans.push(span);
            } else if text.starts_with(|first: char| first.is_ascii_alphabetic()) && !text.contains(':') {
                side.tags.push(Tag::new(text));
            } else if !text.contains(':') {
                // Not IPv6 either, which no flow has.
                side.opaque |= !text.is_empty();
            }
        }
        side.ranges = Ranges::new(spans);
        side
    }

    /// Reads the singular and the plural property of a rule.
    pub(super) fn of(rule: &Value, one: &str, many: &str, opaque: bool) -> Self {
        let single = rule.pointer(one).and_then(Value::as_str);
        Self::new(single.into_iter().chain(texts(rule, many)), opaque)
    }

    /// Whether it takes everybody.
    pub(super) fn is_any(&self) -> bool {
        self.any || self.ranges.covers(Span::ALL) == Tri::Yes
    }

    /// What it names, in one form whatever the order and spelling: for comparisons and messages.
    pub(super) fn texts(&self) -> Vec<String> {
        if self.is_any() {
            return vec!["*".to_owned()];
        }
        let mut tags: Vec<String> = self.tags.iter().map(|tag| tag.to_string().to_ascii_lowercase()).collect();
        tags.sort();
        let opaque = self.opaque.then(|| "(not evaluated)".to_owned());
        self.ranges.iter().map(|span| span.to_string()).chain(tags).chain(opaque).collect()
    }

    /// The tags it names.
    pub(super) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Whether `party` is meant.
    pub(super) fn has(&self, party: &Party, scope: &Scope) -> Tri {
        if self.any {
            return Tri::Yes;
        }
        let ranges = match party {
            Party::Within(span) => self.ranges.covers(*span),
            Party::Internet | Party::Tag(_) | Party::Host(_) => self.ranges.covers_public(),
        };
        let tags = self.tags.iter().map(|tag| tag_has(tag, party, scope)).max().unwrap_or(Tri::No);
        let opaque = if self.opaque { Tri::Maybe } else { Tri::No };
        ranges.max(tags).max(opaque)
    }
}

fn tag_has(tag: &Tag, party: &Party, scope: &Scope) -> Tri {
    if tag.is("VirtualNetwork") {
        return match party {
            Party::Within(span) => scope.wide.covers(*span),
            Party::Tag(other) if other.is("VirtualNetwork") => Tri::Yes,
            _ => scope.wide.covers_public(),
        };
    }
    if tag.is("Internet") {
        return is_internet(party, scope);
    }
    if let Some(span) = platform(tag) {
        return match party {
            Party::Within(other) if span.contains(*other) => Tri::Yes,
            Party::Within(other) if span.meets(*other) => Tri::Maybe,
            Party::Tag(other) => tag.covers(other),
            _ => Tri::No,
        };
    }
    match party {
        // Published ranges are public; which ones is not known here.
        Party::Within(span) if *span == HOST_ADDRESS || span.is_public() == Tri::No => Tri::No,
        Party::Within(_) => Tri::Maybe,
        Party::Tag(other) if other.is("Internet") => Tri::Maybe,
        Party::Tag(other) | Party::Host(Some(other)) => tag.covers(other),
        Party::Host(None) => {
            if tag.is("AzureCloud") {
                Tri::Maybe
            } else {
                Tri::No
            }
        }
        Party::Internet => Tri::No,
    }
}

/// Tags that are one address.
fn platform(tag: &Tag) -> Option<Span> {
    let host = ["AzureLoadBalancer", "AzurePlatformDNS"];
    if host.iter().any(|name| tag.is(name)) {
        return Some(HOST_ADDRESS);
    }
    tag.is("AzurePlatformIMDS").then_some(METADATA_ADDRESS)
}

/// Public and outside the network. Ranges that only a route brings into `VirtualNetwork` stay in `Internet`.
fn is_internet(party: &Party, scope: &Scope) -> Tri {
    match party {
        Party::Within(span) => {
            let outside = match scope.network.covers(*span) {
                Tri::Yes => Tri::No,
                Tri::Maybe => Tri::Maybe,
                Tri::No => Tri::of(*span != HOST_ADDRESS),
            };
            span.is_public().and(outside)
        }
        Party::Tag(tag) => Tri::of(!tag.is("VirtualNetwork") && platform(tag).is_none()),
        Party::Internet | Party::Host(_) => Tri::Yes,
    }
}

/// The party behind a public host name.
pub(super) fn of_host(host: &str) -> Party {
    Party::Host(tag::of_host(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        Span::parse(text).unwrap()
    }

    fn scope(network: &[&str], routed: &[&str]) -> Scope {
        let spans = |texts: &[&str]| texts.iter().map(|text| span(text)).collect::<Vec<_>>();
        let wide = [spans(network), spans(routed), vec![HOST_ADDRESS]].concat();
        Scope { network: Ranges::new(spans(network)), wide: Ranges::new(wide) }
    }

    fn has(said: &str, party: &Party, scope: &Scope) -> Tri {
        Side::new([said], false).has(party, scope)
    }

    #[test]
    fn a_default_route_to_an_appliance_brings_the_internet_into_virtual_network() {
        let public = Party::Within(span("203.0.113.9"));
        assert_eq!(has("VirtualNetwork", &public, &scope(&["10.0.0.0/16"], &[])), Tri::No);
        assert_eq!(has("VirtualNetwork", &public, &scope(&["10.0.0.0/16"], &["0.0.0.0/0"])), Tri::Yes);
        assert_eq!(has("Internet", &public, &scope(&["10.0.0.0/16"], &["0.0.0.0/0"])), Tri::Yes);
    }

    #[test]
    fn an_address_in_a_service_tag_is_not_known_offline() {
        let scope = scope(&["10.0.0.0/16"], &[]);
        assert_eq!(has("Storage", &Party::Within(span("20.60.0.1")), &scope), Tri::Maybe);
        assert_eq!(has("Storage", &Party::Within(span("10.0.0.5")), &scope), Tri::No);
        assert_eq!(has("Storage", &Party::Host(None), &scope), Tri::No);
        assert_eq!(has("Storage", &of_host("x.blob.core.windows.net"), &scope), Tri::Yes);
        assert_eq!(has("Storage.WestEurope", &of_host("x.blob.core.windows.net"), &scope), Tri::Maybe);
    }

    #[test]
    fn the_load_balancer_is_the_hosts_address() {
        let scope = scope(&["10.0.0.0/16"], &[]);
        assert_eq!(HOST_ADDRESS.to_string(), "168.63.129.16");
        assert_eq!(METADATA_ADDRESS.to_string(), "169.254.169.254");
        assert_eq!(has("AzureLoadBalancer", &Party::Within(HOST_ADDRESS), &scope), Tri::Yes);
        assert_eq!(has("AzureLoadBalancer", &Party::Internet, &scope), Tri::No);
        assert_eq!(has("VirtualNetwork", &Party::Within(HOST_ADDRESS), &scope), Tri::Yes);
    }

    #[test]
    fn a_public_prefix_may_hold_a_hosts_address_a_private_one_cannot() {
        let scope = scope(&["10.0.0.0/16"], &[]);
        assert_eq!(has("203.0.113.0/24", &Party::Host(None), &scope), Tri::Maybe);
        assert_eq!(has("10.0.0.0/8", &Party::Host(None), &scope), Tri::No);
        assert_eq!(has("0.0.0.0/0", &Party::Host(None), &scope), Tri::Yes);
    }
}
