//! Any line as a range, a port list, a host or its pattern, a cut, a flow: judged as a naive reading judges it.

use ipnet::Ipv4Net;
use privaml::config::{cidrsubnets, host};
use privaml::isolation::Flow;
use privaml::isolation::fqdn::{self, Pattern};
use privaml::isolation::span::{Ports, Ranges, Span, Tri};

/// The target; one thing a line, and every line is compared with the one before it.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.lines().take(40).collect();
    for line in &lines {
        range(line);
        ports(line);
        name(line);
        cut(line);
        flow(line);
    }
    for two in lines.windows(2) {
        matched(two[0], two[1]);
    }
    ranges(&lines);
}

/// One range against `ipnet`, and through its own text.
fn range(line: &str) {
    let read = Span::parse(line);
    // `ipnet` takes zeros in front, which other programs take for octal numbers.
    let naive = line.trim().parse::<Ipv4Net>().ok().filter(|net| net.to_string() == line.trim());
    if let Some(net) = naive {
        let span = Span { lo: net.network().into(), hi: net.broadcast().into() };
        assert_eq!(read, Some(span), "{line}");
        assert_eq!(span.bits(), u32::from(net.prefix_len()), "{line}");
    }
    let Some(span) = read else { return };
    assert!(span.lo <= span.hi && Span::ALL.contains(span) && span.meets(span));
    assert_eq!(Span::parse(&span.to_string()), Some(span), "{line} is shown as {span}");
    assert!(naive.is_some() || line.contains('-') || !line.contains('/') || line.contains(' '), "{line} is no range");
    let public = [span.lo, span.hi].map(|at| is_public(at.into()));
    match span.is_public() {
        Tri::Yes => assert!(public.iter().all(|yes| *yes), "{line}"),
        Tri::No => assert!(public.iter().all(|yes| !yes), "{line}"),
        Tri::Maybe => assert!(!span.is_one(), "{line}"),
    }
}

fn is_public(address: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    !(matches!(a, 0 | 10 | 127 | 224..) || shared || address.is_private() || address.is_link_local())
}

/// All ranges together against one address after the other.
fn ranges(lines: &[&str]) {
    let spans: Vec<Span> = lines.iter().filter_map(|line| Span::parse(line)).collect();
    let merged = Ranges::new(spans.iter().copied());
    let again = Ranges::new(merged.iter());
    assert_eq!(again, merged);
    assert_eq!(merged.is_empty(), spans.is_empty());
    let ends = spans.iter().flat_map(|span| {
        [span.lo, span.hi, span.lo.wrapping_sub(1), span.hi.wrapping_add(1), span.lo / 2 + span.hi / 2]
    });
    for at in ends {
        let one = Span { lo: at, hi: at };
        assert_eq!(merged.covers(one), Tri::of(spans.iter().any(|span| span.contains(one))));
    }
    for span in &spans {
        assert_eq!(merged.covers(*span), Tri::Yes);
    }
    let _ = merged.covers_public();
}

/// Port lists against a naive reading of each item.
fn ports(line: &str) {
    let ports = Ports::new([line]);
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| port.to_string() == text);
    let items = line.split(',').map(str::trim).filter(|item| !item.is_empty());
    let read = items.map(|item| match item.split_once('-') {
        _ if item == "*" || item.eq_ignore_ascii_case("any") => Some((0, u16::MAX)),
        Some((lo, hi)) => Some((number(lo.trim())?, number(hi.trim())?)).filter(|(lo, hi)| lo <= hi),
        None => number(item).map(|port| (port, port)),
    });
    let read: Vec<Option<(u16, u16)>> = read.collect();
    let ends = read.iter().flatten().flat_map(|&(lo, hi)| [lo, hi, lo.wrapping_sub(1), hi.wrapping_add(1)]);
    for port in ends.chain([0, 443, u16::MAX]) {
        let naive = if read.iter().flatten().any(|(lo, hi)| (lo..=hi).contains(&&port)) {
            Tri::Yes
        } else if read.contains(&None) {
            Tri::Maybe
        } else {
            Tri::No
        };
        assert_eq!(ports.has(Some(port)), naive, "{port} in {line:?}");
    }
    let _ = (ports.has(None), ports.to_string());
}

/// A host of the allowlist: whatever is suggested is sound, and the two matchers have one opinion of it.
fn name(line: &str) {
    if let Some(better) = host::suggestion(line) {
        assert_eq!(host::fault(&better), None, "{line:?} becomes {better:?}");
    }
    let pattern = Pattern::new(line);
    assert_eq!(Pattern::new(&pattern.to_string()), pattern, "{line:?}");
    if host::fault(line).is_none() {
        assert_eq!(pattern.to_string(), line, "an accepted host is read otherwise by the verifier");
        assert!(!matches!(pattern, Pattern::All | Pattern::Invalid(_)), "{line:?} was accepted");
    }
    let _ = pattern.meets_domain("x.com");
}

/// A pattern and a host.
fn matched(pattern: &str, name: &str) {
    let (read, plain) = (Pattern::new(pattern), fqdn::host(name));
    let lower = fqdn::host(pattern);
    let naive = match lower.matches('*').count() {
        0 => lower == plain,
        1 if lower == "*" => true,
        1 if lower.starts_with("*.") => plain.len() > lower.len() - 1 && plain.ends_with(&lower[1..]),
        1 if lower.starts_with('*') => plain.ends_with(&lower[1..]),
        _ => false,
    };
    assert_eq!(read.matches(&plain), naive, "{pattern:?} and {name:?}");
}

/// `10.0.0.0/8 4 4 8`: subnets are inside, aligned, apart and in order.
fn cut(line: &str) {
    let mut words = line.split_whitespace();
    let Some(range) = words.next().and_then(|word| word.parse::<Ipv4Net>().ok()) else { return };
    let bits: Vec<u8> = words.filter_map(|word| word.parse().ok()).take(20).collect();
    let Ok(blocks) = cidrsubnets(range, &bits) else { return };
    assert_eq!(blocks.len(), bits.len());
    for (block, more) in blocks.iter().zip(&bits) {
        assert!(range.contains(block) && block.trunc() == *block && block.prefix_len() == range.prefix_len() + more);
    }
    assert!(blocks.windows(2).all(|two| two[0].broadcast() < two[1].network()));
}

/// A flow as typed, and as a line of JSON.
fn flow(line: &str) {
    let _ = Flow::from_json(line);
    let (from, to) = line.split_once(' ').unwrap_or(("shared", line));
    if let Ok(flow) = Flow::new(from, to, None, None) {
        assert!(flow.port != Some(0) && !flow.to.is_empty() && !flow.from.is_empty(), "{flow}");
        let json = serde_json::to_string(&flow).expect("a flow is JSON");
        assert!(Flow::from_json(&json).is_ok(), "{json}");
    }
}
