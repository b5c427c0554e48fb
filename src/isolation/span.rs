//! Sets of IPv4 addresses and the three answers a comparison has. Knows nothing of Azure but which ranges are not public.

use std::net::Ipv4Addr;

/// Whether something matches, as far as can be told offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tri {
    /// It does not.
    No,
    /// It does for some addresses, or it cannot be told.
    Maybe,
    /// It does.
    Yes,
}

impl Tri {
    /// Both must match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Yes or no.
    #[must_use]
    pub const fn of(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }
}

/// Addresses from `lo` to `hi`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first.
    pub lo: u32,
    /// The last.
    pub hi: u32,
}

impl Span {
    /// Every address.
    pub const ALL: Self = Self { lo: 0, hi: u32::MAX };

    /// Reads `10.0.0.4`, `10.0.0.0/8` (host bits are ignored, as Azure does) or `10.0.0.4-10.0.0.9`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((lo, hi)) = text.split_once('-') {
            let (lo, hi) = (address(lo)?, address(hi)?);
            return (lo <= hi).then_some(Self { lo, hi });
        }
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (address(base)?, number::<u8>(bits).filter(|bits| *bits <= 32)?),
            None => (address(text)?, 32),
        };
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        Some(Self { lo: base & mask, hi: base | !mask })
    }

    /// Whether all of `other` lies in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }

    /// Whether they share an address.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.lo <= other.hi && other.lo <= self.hi
    }

    /// How many leading bits its addresses share: the prefix length of a range that is one.
    #[must_use]
    pub const fn bits(self) -> u32 {
        (self.lo ^ self.hi).leading_zeros()
    }

    /// Whether it is one address.
    #[must_use]
    pub const fn is_one(self) -> bool {
        self.lo == self.hi
    }

    /// Whether its addresses are public ones. Documentation ranges count as public: they stand for such in examples.
    #[must_use]
    pub fn is_public(self) -> Tri {
        match not_public().covers(self) {
            Tri::Yes => Tri::No,
            Tri::Maybe => Tri::Maybe,
            Tri::No => Tri::Yes,
        }
    }
}

/// A number in the one spelling that means nothing else: Rust would also take a sign and zeros in front.
fn number<T: std::str::FromStr + std::fmt::Display>(text: &str) -> Option<T> {
    let text = text.trim();
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

fn address(text: &str) -> Option<u32> {
    text.trim().parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits)
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (lo, bits) = (Ipv4Addr::from_bits(self.lo), self.bits());
        let whole = u32::MAX.checked_shr(bits).unwrap_or(0);
        if self.is_one() {
            write!(f, "{lo}")
        } else if self.lo & whole == 0 && self.hi == self.lo | whole {
            write!(f, "{lo}/{bits}")
        } else {
            write!(f, "{lo}-{}", Ipv4Addr::from_bits(self.hi))
        }
    }
}

/// This network, private use, shared, loopback, link-local, multicast and reserved: RFC 1918, 6598, 6890.
fn not_public() -> &'static Ranges {
    static RANGES: std::sync::LazyLock<Ranges> = std::sync::LazyLock::new(|| {
        let texts = [
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "224.0.0.0/3",
        ];
        Ranges::new(texts.iter().filter_map(|text| Span::parse(text)))
    });
    &RANGES
}

/// Sorted spans that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<Span>);

impl Ranges {
    /// Sorts and merges.
    pub fn new(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().collect();
        spans.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.lo <= last.hi.saturating_add(1) => last.hi = last.hi.max(span.hi),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }

    /// Whether `span` lies in it: all, partly, not at all.
    #[must_use]
    pub fn covers(&self, span: Span) -> Tri {
        let at = self.0.partition_point(|one| one.hi < span.lo);
        match self.0.get(at) {
            Some(one) if one.contains(span) => Tri::Yes,
            Some(one) if one.meets(span) => Tri::Maybe,
            _ => Tri::No,
        }
    }

    /// Whether every public address, some, or none lies in it.
    #[must_use]
    pub fn covers_public(&self) -> Tri {
        if self.covers(Span::ALL) == Tri::Yes {
            return Tri::Yes;
        }
        if self.0.iter().all(|span| span.is_public() == Tri::No) { Tri::No } else { Tri::Maybe }
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The spans.
    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied()
    }
}

/// Ports a rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    spans: Vec<(u16, u16)>,
    /// Something that could not be read.
    opaque: bool,
}

impl Ports {
    /// Reads `*`, `443`, `8000-8100` and comma-separated lists of these.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut ports = Self::default();
        for text in texts.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty()) {
            match Self::read(text) {
                Some(span) => ports.spans.push(span),
                None => ports.opaque = true,
            }
        }
        ports
    }

    fn read(text: &str) -> Option<(u16, u16)> {
        if text == "*" || text.eq_ignore_ascii_case("any") {
            return Some((0, u16::MAX));
        }
        let (lo, hi) = text.split_once('-').unwrap_or((text, text));
        let (lo, hi) = (number(lo)?, number(hi)?);
        // Nobody can say what a reversed range is meant to hold.
        (lo <= hi).then_some((lo, hi))
    }

    /// Whether `port` is among them; `None` is a port that is not known or that the protocol does not have.
    #[must_use]
    pub fn has(&self, port: Option<u16>) -> Tri {
        let within = |&(lo, hi): &(u16, u16)| port.map_or(lo == 0 && hi == u16::MAX, |port| lo <= port && port <= hi);
        if self.spans.iter().any(within) {
            Tri::Yes
        } else if self.opaque || (port.is_none() && !self.spans.is_empty()) {
            Tri::Maybe
        } else {
            Tri::No
        }
    }
}

impl std::fmt::Display for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut spans = self.spans.clone();
        spans.sort_unstable();
        let text = |(lo, hi): &(u16, u16)| match (lo, hi) {
            (0, &u16::MAX) => "*".to_owned(),
            (lo, hi) if lo == hi => lo.to_string(),
            (lo, hi) => format!("{lo}-{hi}"),
        };
        let opaque = self.opaque.then(|| "(not evaluated)".to_owned());
        let all: Vec<String> = spans.iter().map(text).chain(opaque).collect();
        f.write_str(&all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        Span::parse(text).unwrap()
    }

    #[test]
    fn spans_are_read_and_shown() {
        for text in ["10.1.2.0/24", "10.1.2.4", "0.0.0.0/0", "10.0.0.4-10.0.0.9"] {
            assert_eq!(span(text).to_string(), text);
        }
        assert_eq!(span("10.1.2.77/24"), span("10.1.2.0/24"));
        for text in ["Storage", "10.1.2", "10.0.0.0/33", "::1", "10.0.0.9-10.0.0.4", "10.0.0.0/+8", "10.0.0.0/08", ""] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn halves_cover_a_whole() {
        let ranges = Ranges::new([span("10.0.0.128/25"), span("10.0.0.0/25")]);
        assert_eq!(ranges.covers(span("10.0.0.0/24")), Tri::Yes);
        assert_eq!(ranges.covers(span("10.0.0.0/23")), Tri::Maybe);
        assert_eq!(ranges.covers(span("10.0.1.0/24")), Tri::No);
    }

    #[test]
    fn private_and_public_are_told_apart() {
        assert_eq!(span("8.8.8.8").is_public(), Tri::Yes);
        assert_eq!(span("203.0.113.9").is_public(), Tri::Yes);
        assert_eq!(span("172.31.255.1").is_public(), Tri::No);
        assert_eq!(span("172.0.0.0/8").is_public(), Tri::Maybe);
    }

    #[test]
    fn ports_have_ranges_lists_and_a_star() {
        let ports = Ports::new(["80,443", "8000-8100"]);
        for (port, has) in [(80, Tri::Yes), (443, Tri::Yes), (8050, Tri::Yes), (8101, Tri::No), (81, Tri::No)] {
            assert_eq!(ports.has(Some(port)), has, "{port}");
        }
        assert_eq!(ports.has(None), Tri::Maybe);
        assert_eq!(Ports::new(["*"]).has(None), Tri::Yes);
        assert_eq!(Ports::new([]).has(Some(1)), Tri::No);
        for unclear in ["9-4", "+5", "05", "5-+6", "nonsense"] {
            assert_eq!(Ports::new([unclear]).has(Some(5)), Tri::Maybe, "{unclear}");
        }
    }
}
