//! The network's range and its subnets: private, aligned, large enough, apart from each other.

use std::net::Ipv4Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::problem::{At, Problem, Span, quoted};
use super::raw::RawNetwork;
use super::subnets::cidrsubnets;
use super::{DEFAULT_RANGE, Network};

/// RFC 1918, and RFC 6598, which Azure Firewall also treats as private.
const PRIVATE: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
];
/// The bridge of Docker on Azure ML's computes (`azure-facts` 2.7).
const DOCKER: (Ipv4Addr, u8) = (Ipv4Addr::new(172, 17, 0, 0), 16);

/// A subnet's name in the file, its name in sentences, the smallest that works, and why.
struct Rule {
    key: &'static str,
    noun: &'static str,
    smallest: u8,
    why: &'static str,
}

const FIREWALL: Rule = Rule {
    key: "firewall",
    noun: "the firewall's subnet",
    smallest: 26,
    why: "Azure Firewall refuses a subnet smaller than a /26 (64 addresses), the room it scales out into",
};
const BASTION: Rule = Rule {
    key: "bastion",
    noun: "Bastion's subnet",
    smallest: 26,
    why: "Azure Bastion refuses a subnet smaller than a /26 (64 addresses)",
};
const SHARED: Rule = Rule {
    key: "shared",
    noun: "the shared subnet",
    smallest: 27,
    why: "the private endpoints and the jumpbox take about 16 addresses, Azure keeps 5, and every compute node takes \
          one more",
};

/// The range of the network.
pub(super) fn range(given: Option<&At<String>>, problems: &mut Vec<Problem>) -> Option<At<Ipv4Net>> {
    let Some(given) = given else {
        return Some(At { value: DEFAULT_RANGE, span: Span::default() });
    };
    let range = cidr(given, problems)?;
    let at = |what: String| Problem::at(given.span, format!("`{range}` {what}"));
    if !PRIVATE.iter().any(|p| net(*p).contains(&range)) {
        let problem = at("is not a private range".to_owned())
            .label("public addresses")
            .help("Take a range inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10.");
        problems.push(problem);
        return None;
    }
    if overlap(range, net(DOCKER)) {
        let problem = at(format!("overlaps {}, which Docker uses on Azure ML's computes", net(DOCKER)))
            .label("taken")
            .help(format!("Take another range, such as `{DEFAULT_RANGE}`."));
        problems.push(problem);
        return None;
    }
    Some(At { value: range, span: given.span })
}

/// The three subnets: those given, and the others cut from the range.
pub(super) fn subnets(range: Option<At<Ipv4Net>>, given: &RawNetwork, problems: &mut Vec<Problem>) -> Option<Network> {
    let before = problems.len();
    let parts = [(&FIREWALL, &given.firewall), (&BASTION, &given.bastion), (&SHARED, &given.shared)];
    // Every written range is judged for itself, even when the network's own is unusable.
    let own = parts.map(|(rule, text)| text.as_ref().map(|t| own(rule, t, problems)));
    let range = range?;
    let cut = Network::cut(range.value).ok();
    let computed = cut.map(|c| [c.firewall, c.bastion, c.shared]);
    let mut laid: Vec<Laid> = Vec::new();
    for (index, (rule, _)) in parts.into_iter().enumerate() {
        let subnet = match own[index] {
            Some(Some(subnet)) => Some(Laid { rule, net: subnet.value, span: Some(subnet.span) }),
            Some(None) => None,
            None => computed.map(|c| Laid { rule, net: c[index], span: None }),
        };
        laid.extend(subnet);
    }
    if own.iter().any(Option::is_none) {
        refuse_too_small(&range, &laid, computed.is_none(), problems);
    }
    refuse_outside(&range, &laid, problems);
    refuse_overlaps(&laid, problems);
    let [firewall, bastion, shared] = laid[..] else { return None };
    let sound = problems.len() == before;
    sound.then_some(Network { firewall: firewall.net, bastion: bastion.net, shared: shared.net })
}

/// A subnet in place; without a span it was computed.
#[derive(Clone, Copy)]
struct Laid {
    rule: &'static Rule,
    net: Ipv4Net,
    span: Option<Span>,
}

/// A subnet that the user wrote: a range, and large enough.
fn own(rule: &'static Rule, text: &At<String>, problems: &mut Vec<Problem>) -> Option<At<Ipv4Net>> {
    let subnet = cidr(text, problems)?;
    if subnet.prefix_len() > rule.smallest {
        let message = format!("`{subnet}` is too small for {}", rule.noun);
        let problem = Problem::at(text.span, message)
            .label(addresses(subnet.prefix_len()))
            .help(format!("Give it a /{} or larger: {}.", rule.smallest, rule.why));
        problems.push(problem);
        return None;
    }
    Some(At { value: subnet, span: text.span })
}

/// A computed subnet below its minimum is the range's fault.
fn refuse_too_small(range: &At<Ipv4Net>, laid: &[Laid], uncuttable: bool, problems: &mut Vec<Problem>) {
    let small = laid.iter().any(|l| l.span.is_none() && l.net.prefix_len() > l.rule.smallest);
    if !small && !uncuttable {
        return;
    }
    let given = range.value;
    let wider = Ipv4Net::new(given.network(), 22.min(given.prefix_len())).unwrap_or(given).trunc();
    let get = Network::cut(given).map_or_else(
        |_| String::new(),
        |cut| {
            let [firewall, bastion, shared] = [cut.firewall, cut.bastion, cut.shared].map(|n| n.prefix_len());
            format!("; from this range they would get a /{firewall}, a /{bastion} and a /{shared}")
        },
    );
    let mut help = format!(
        "The firewall's and Bastion's subnets need a /26 each (64 addresses), the shared one a /27{get}. Take a /22 \
         or larger: `{wider}`."
    );
    if given.prefix_len() <= 24 {
        help.push_str(&by_hand(given));
    }
    let problem = Problem::at(range.span, format!("`{given}` is too small for the subnets"));
    problems.push(problem.label(addresses(given.prefix_len())).help(help));
}

/// The three subnets that fit a /23 or /24 when they are laid out by hand.
fn by_hand(range: Ipv4Net) -> String {
    match cidrsubnets(range, &[1, 2, 2]).as_deref() {
        Ok([shared, firewall, bastion]) => format!(
            " Or keep it and lay them out by hand, below [network]: `firewall = \"{firewall}\"`, `bastion = \
             \"{bastion}\"`, `shared = \"{shared}\"`."
        ),
        _ => String::new(),
    }
}

fn refuse_outside(range: &At<Ipv4Net>, laid: &[Laid], problems: &mut Vec<Problem>) {
    for subnet in laid {
        let Some(span) = subnet.span.filter(|_| !range.value.contains(&subnet.net)) else { continue };
        let mut problem = Problem::at(span, format!("`{}` is outside the network's `{}`", subnet.net, range.value))
            .label("outside")
            .help(format!("Take a part of {}, or change `vnet_address_space`.", range.value));
        // A range that was not written has no place to point at.
        if range.span != Span::default() {
            problem = problem.also(range.span, "the network's range");
        }
        problems.push(problem);
    }
}

fn refuse_overlaps(laid: &[Laid], problems: &mut Vec<Problem>) {
    for (index, second) in laid.iter().enumerate() {
        for first in &laid[..index] {
            if overlap(first.net, second.net) {
                problems.extend(overlapping(first, second));
            }
        }
    }
}

/// Two subnets in one place: points at what was written, and names what was computed.
fn overlapping(first: &Laid, second: &Laid) -> Option<Problem> {
    let (span, written, other) = match (first.span, second.span) {
        (_, Some(span)) => (span, second, first),
        (Some(span), None) => (span, first, second),
        (None, None) => return None,
    };
    let message = format!("{} `{}` overlaps {} `{}`", written.rule.noun, written.net, other.rule.noun, other.net);
    let problem = Problem::at(span, message).label("overlaps");
    Some(match other.span {
        Some(place) => problem.also(place, "with this").help("Move one of them."),
        None => problem.help(format!(
            "`{}` was cut from the range because it was not given. Give it a place of its own too, with `{}`.",
            other.net, other.rule.key
        )),
    })
}

/// A network address with its prefix length.
fn cidr(text: &At<String>, problems: &mut Vec<Problem>) -> Option<Ipv4Net> {
    let (message, help) = match text.value.parse::<Ipv4Net>() {
        Ok(range) if range.trunc() != range => (
            format!("{} is not the first address of a /{}", quoted(&text.value), range.prefix_len()),
            format!("Did you mean `{}`?", range.trunc()),
        ),
        Ok(range) if range.to_string() != text.value => (
            format!("{} has a number that begins with 0", quoted(&text.value)),
            format!("Some programs take such a number for an octal one. Did you mean `{range}`?"),
        ),
        Ok(range) => return Some(range),
        Err(_) => cidr_fault(&text.value),
    };
    problems.push(Problem::at(text.span, message).label("not a range").help(help));
    None
}

fn cidr_fault(text: &str) -> (String, String) {
    let said = |what: &str| format!("{} {what}", quoted(text));
    let example = format!("Write a network address and a prefix length, such as `{DEFAULT_RANGE}`.");
    let address = text.split('/').next().unwrap_or_default();
    if text.parse::<Ipv6Net>().is_ok() || text.parse::<std::net::Ipv6Addr>().is_ok() {
        return (said("is an IPv6 range"), format!("Azure ML needs IPv4. {example}"));
    }
    if text.parse::<Ipv4Addr>().is_ok() {
        return (said("has no prefix length"), format!("Did you mean `{text}/22`?"));
    }
    if address.parse::<Ipv4Addr>().is_ok() {
        return (
            said("has no usable prefix length"),
            "A prefix length is a number from 0 to 32, after one slash.".into(),
        );
    }
    (said("is not an IPv4 range"), example)
}

fn net((address, prefix): (Ipv4Addr, u8)) -> Ipv4Net {
    Ipv4Net::new_assert(address, prefix)
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// `a /27 has 32 addresses`
fn addresses(prefix: u8) -> String {
    let count = 1_u64 << (32 - prefix.min(32));
    format!("a /{prefix} has {count} address{}", if count == 1 { "" } else { "es" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(range: &str, given: [Option<&str>; 3]) -> Result<Network, Vec<String>> {
        let mut problems = Vec::new();
        let text = |t: &str| At { value: t.to_owned(), span: Span { start: 1, len: 1 } };
        let [firewall, bastion, shared] = given.map(|g| g.map(text));
        let range = self::range(Some(&text(range)), &mut problems);
        let network = subnets(range, &RawNetwork { firewall, bastion, shared }, &mut problems);
        network.ok_or_else(|| problems.into_iter().map(|p| p.message).collect())
    }

    #[test]
    fn the_smallest_range_that_is_cut_is_a_22() {
        for prefix in 8..=22 {
            let network = laid(&format!("10.0.0.0/{prefix}"), [None; 3]).unwrap();
            assert!(network.firewall.prefix_len() <= 26 && network.bastion.prefix_len() <= 26, "/{prefix}");
        }
        for prefix in 23..=32 {
            let refused = laid(&format!("10.0.0.0/{prefix}"), [None; 3]).unwrap_err();
            assert_eq!(refused, [format!("`10.0.0.0/{prefix}` is too small for the subnets")]);
        }
    }

    /// The remedy for a small range, taken at its word, must work.
    #[test]
    fn a_24_works_when_laid_out_by_hand() {
        let advice = by_hand("10.0.0.0/24".parse().unwrap());
        for line in ["firewall = \"10.0.0.128/26\"", "bastion = \"10.0.0.192/26\"", "shared = \"10.0.0.0/25\""] {
            assert!(advice.contains(line), "{advice}");
        }
        let given = [Some("10.0.0.128/26"), Some("10.0.0.192/26"), Some("10.0.0.0/25")];
        assert_eq!(laid("10.0.0.0/24", given).unwrap().shared.to_string(), "10.0.0.0/25");
    }

    #[test]
    fn one_given_subnet_leaves_the_others_computed() {
        let network = laid("10.1.0.0/22", [None, None, Some("10.1.3.0/24")]).unwrap();
        assert_eq!(network.firewall.to_string(), "10.1.1.0/24");
        assert_eq!(network.shared.to_string(), "10.1.3.0/24");
        let refused = laid("10.1.0.0/22", [None, None, Some("10.1.0.0/23")]).unwrap_err();
        assert_eq!(refused, ["the shared subnet `10.1.0.0/23` overlaps the firewall's subnet `10.1.1.0/24`"]);
    }

    #[test]
    fn a_number_that_may_be_octal_is_refused() {
        for text in ["010.1.0.0/22", "10.1.0.0/022"] {
            let refused = laid(text, [None; 3]).unwrap_err();
            assert_eq!(refused.len(), 1, "{text}");
            assert!(refused[0].contains(text), "{refused:?}");
        }
    }

    #[test]
    fn only_private_ranges_off_dockers_bridge() {
        for good in ["10.0.0.0/8", "172.16.0.0/16", "172.18.0.0/16", "192.168.4.0/22", "100.64.0.0/16"] {
            assert!(laid(good, [None; 3]).is_ok(), "{good}");
        }
        for bad in ["172.16.0.0/12", "172.17.4.0/22", "8.8.0.0/16", "10.0.0.0/7", "0.0.0.0/0", "127.0.0.0/8"] {
            assert!(laid(bad, [None; 3]).is_err(), "{bad}");
        }
    }
}
