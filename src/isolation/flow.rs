//! A question and its answer: who wants to reach whom, whether that works, and by which steps.

use serde::{Deserialize, Serialize};

use super::choice::Verdict;
use super::nsg::Transport;
use crate::model::ResourceId;

/// How a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, of which nothing more is known.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
    /// HTTP over TCP.
    Http,
    /// HTTPS over TCP.
    Https,
    /// SQL Server's protocol over TCP.
    Mssql,
}

impl Protocol {
    /// What carries it.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Icmp => Transport::Icmp,
            _ => Transport::Tcp,
        }
    }

    /// The word of application rules, for what they look at.
    #[must_use]
    pub const fn web(self) -> Option<&'static str> {
        match self {
            Self::Http => Some("http"),
            Self::Https => Some("https"),
            Self::Mssql => Some("mssql"),
            _ => None,
        }
    }

    const fn usual_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Mssql => Some(1433),
            _ => None,
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Icmp, Self::Http, Self::Https, Self::Mssql]
            .into_iter()
            .find(|protocol| word.eq_ignore_ascii_case(&format!("{protocol:?}")))
    }
}

/// One flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// A subnet's name, a private address, `internet`, an id, or a short word such as `jumpbox`.
    pub from: String,
    /// A host name, an address, `subnet:NAME`, `tag:NAME`, an id, or a short word such as `storage`.
    pub to: String,
    /// At the destination; none for ICMP.
    pub port: Option<u16>,
    /// How.
    pub protocol: Protocol,
}

/// What a flow's text lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFlow {
    /// Not an object of the four members.
    #[error("{0}")]
    Json(String),
    /// A protocol this model does not have.
    #[error("`{0}` is no protocol (tcp, udp, http, https, icmp, mssql)")]
    Protocol(String),
    /// A port that is none.
    #[error("`{0}` is no port (1 to 65535)")]
    Port(String),
    /// No port, and no protocol that has a usual one.
    #[error("{0} needs a port")]
    NoPort(&'static str),
    /// An end that is empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
}

impl BadFlow {
    /// Whether the word for the protocol is at fault.
    #[must_use]
    pub const fn is_of_protocol(&self) -> bool {
        matches!(self, Self::Protocol(_))
    }
}

#[derive(Deserialize)]
struct Raw {
    from: String,
    to: String,
    #[serde(default)]
    port: Option<serde_json::Value>,
    #[serde(default)]
    protocol: Option<String>,
}

impl Flow {
    /// Reads one JSON object: `{"from": …, "to": …, "port": 443, "protocol": "tcp"}`.
    ///
    /// # Errors
    /// When it is not such an object.
    pub fn from_json(line: &str) -> Result<Self, BadFlow> {
        let raw: Raw = serde_json::from_str(line).map_err(|error| BadFlow::Json(error.to_string()))?;
        let port = raw.port.filter(|port| !port.is_null()).map(|port| {
            let number = port.as_u64().or_else(|| port.as_str()?.parse().ok());
            let number = number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
            number.ok_or_else(|| BadFlow::Port(port.to_string()))
        });
        Self::new(&raw.from, &raw.to, port.transpose()?, raw.protocol.as_deref())
    }

    /// A flow as typed: `to` may carry scheme and port, as in `https://host`, `host:443`, `host:53/udp`.
    ///
    /// # Errors
    /// When port or protocol is missing or none.
    pub fn new(from: &str, to: &str, port: Option<u16>, protocol: Option<&str>) -> Result<Self, BadFlow> {
        let (scheme, rest) =
            to.trim().split_once("://").map_or((None, to.trim()), |(scheme, rest)| (Some(scheme), rest));
        let is_id = rest.starts_with('/');
        let mut rest = if is_id || scheme.is_none() { rest } else { rest.split('/').next().unwrap_or_default() };
        let mut word = protocol.or(scheme);
        if let Some((front, tail)) = rest.rsplit_once('/').filter(|(_, tail)| Protocol::read(tail).is_some() && !is_id)
        {
            (rest, word) = (front, word.or(Some(tail)));
        }
        let mut port = port;
        let is_ipv6 = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
        if let Some((front, digits)) = rest.rsplit_once(':').filter(|_| !is_ipv6(rest))
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.is_empty()
        {
            let number = digits.parse().ok().filter(|number| *number > 0);
            port = port.or(Some(number.ok_or_else(|| BadFlow::Port(digits.to_owned()))?));
            rest = front;
        }
        let protocol = match word {
            Some(word) => Protocol::read(word).ok_or_else(|| BadFlow::Protocol(word.to_owned()))?,
            None if port == Some(80) => Protocol::Http,
            None if port.is_none() || port == Some(443) => Protocol::Https,
            None => Protocol::Tcp,
        };
        let port = port.or_else(|| protocol.usual_port());
        if port.is_none() && protocol != Protocol::Icmp {
            return Err(BadFlow::NoPort(protocol.transport().word()));
        }
        for (end, text) in [("from", from.trim()), ("to", rest)] {
            // A port and nothing in front of it.
            if text.is_empty() || (text.starts_with(':') && !is_ipv6(text)) {
                return Err(BadFlow::Empty(end));
            }
        }
        Ok(Self { from: from.trim().to_owned(), to: rest.to_owned(), port, protocol })
    }
}

impl std::fmt::Display for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = format!("{:?}", self.protocol).to_ascii_lowercase();
        match self.port {
            Some(port) => write!(f, "{} to {} ({word} {port})", self.from, self.to),
            None => write!(f, "{} to {} ({word})", self.from, self.to),
        }
    }
}

/// One step of a flow's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// `dns`, `route`, `nsg-out`, `firewall`, `nsg-in`, `endpoint`, `service`, `outbound`, `inbound`.
    pub step: &'static str,
    /// The resource that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// Its rule, record, route or property.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What it says.
    pub verdict: Verdict,
    /// The same in words.
    pub says: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whether the flow gets through.
    pub verdict: Verdict,
    /// The steps, up to the one that stops it.
    pub by: Vec<Hop>,
    /// What decided, in one sentence.
    pub reason: String,
}

impl Answer {
    /// The steps make the verdict: all must allow; the first that does not is the reason.
    #[must_use]
    pub fn of(by: Vec<Hop>) -> Self {
        let verdict = by.iter().map(|hop| hop.verdict).min().unwrap_or(Verdict::Unknown);
        let decisive = match verdict {
            Verdict::Allow => by.iter().rev().find(|hop| hop.step == "firewall").or_else(|| by.last()),
            _ => by.iter().find(|hop| hop.verdict == verdict),
        };
        let reason = decisive.map_or_else(|| "nothing is known of this flow".to_owned(), |hop| hop.says.clone());
        Self { verdict, by, reason }
    }

    /// An answer without steps.
    #[must_use]
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, by: Vec::new(), reason: reason.into() }
    }

    /// Several ways of which one is taken, and it cannot be told which: known is what all say.
    #[must_use]
    pub fn either(mut ways: Vec<Self>) -> Self {
        let Some(first) = ways.first() else { return Self::unknown("no way was found") };
        let verdict = first.verdict;
        if ways.iter().all(|way| way.verdict == verdict) {
            return ways.swap_remove(0);
        }
        ways.dedup_by(|a, b| a == b);
        let reasons: Vec<String> = ways.iter().map(|way| format!("{}: {}", way.verdict, way.reason)).collect();
        let reason = format!("it cannot be told offline which way it takes; {}", reasons.join("; or "));
        Self { verdict: Verdict::Unknown, by: ways.into_iter().flat_map(|way| way.by).collect(), reason }
    }

    /// Several ways that may all be tried: the best one counts.
    #[must_use]
    pub fn best(ways: Vec<Self>) -> Option<Self> {
        ways.into_iter().max_by_key(|way| way.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(to: &str) -> (String, Option<u16>, Protocol) {
        let flow = Flow::new("shared", to, None, None).unwrap();
        (flow.to, flow.port, flow.protocol)
    }

    #[test]
    fn destinations_are_read_as_people_write_them() {
        assert_eq!(read("https://a.example/path"), ("a.example".to_owned(), Some(443), Protocol::Https));
        assert_eq!(read("http://a.example:8080"), ("a.example".to_owned(), Some(8080), Protocol::Http));
        assert_eq!(read("ml.azure.com:443"), ("ml.azure.com".to_owned(), Some(443), Protocol::Https));
        assert_eq!(read("10.0.0.4:22"), ("10.0.0.4".to_owned(), Some(22), Protocol::Tcp));
        assert_eq!(read("1.1.1.1:53/udp"), ("1.1.1.1".to_owned(), Some(53), Protocol::Udp));
        assert_eq!(read("tag:Storage.WestEurope"), ("tag:Storage.WestEurope".to_owned(), Some(443), Protocol::Https));
        assert_eq!(read("/subscriptions/s/resourceGroups/g").0, "/subscriptions/s/resourceGroups/g");
    }

    #[test]
    fn the_end_of_an_ipv6_address_is_no_port() {
        assert_eq!(Flow::new("shared", "fe80::1", Some(443), Some("tcp")).unwrap().to, "fe80::1");
        for nothing in [":443", ":33:1"] {
            assert_eq!(Flow::new("shared", nothing, None, None), Err(BadFlow::Empty("to")), "{nothing}");
        }
    }

    #[test]
    fn lines_are_read_or_refused() {
        let flow = Flow::from_json(r#"{"from":"a","to":"b","port":443,"protocol":"tcp"}"#).unwrap();
        assert_eq!((flow.port, flow.protocol), (Some(443), Protocol::Tcp));
        for line in [
            "{",
            r#"{"from":"a"}"#,
            r#"{"from":"a","to":"b","port":70000,"protocol":"tcp"}"#,
            r#"{"from":"a","to":"b","protocol":"tcp"}"#,
            r#"{"from":"a","to":"b","port":1,"protocol":"carrier pigeon"}"#,
            r#"{"from":"","to":"b","port":1,"protocol":"tcp"}"#,
        ] {
            assert!(Flow::from_json(line).is_err(), "{line}");
        }
    }
}
