//! A reply as it came, read once: status, headers in lower case, JSON where it is JSON. Judges nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// No server's pause counts for more: a number without end would overflow every sum of times, and no run waits so long.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);

/// One answer of ARM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The JSON; a string where the text is not JSON (a proxy's HTML); null where there is none.
    pub body: Value,
}

impl Reply {
    /// Reads a raw answer.
    #[must_use]
    pub fn read(status: u16, headers: BTreeMap<String, String>, bytes: &[u8]) -> Self {
        let body = if bytes.iter().all(u8::is_ascii_whitespace) {
            Value::Null
        } else {
            // Some storage replies begin with a byte order mark.
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
        };
        Self { status, headers, body }
    }

    /// A header by its lower-case name; an empty one is none.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// The pause the server asks for, on the wall's clock, up to [`LONGEST_PAUSE`]. Milliseconds (sent by some services)
    /// win over seconds; ARM's contract knows no dates here.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let number = |name| self.header(name)?.parse::<u64>().ok();
        number("retry-after-ms")
            .or_else(|| number("x-ms-retry-after-ms"))
            .map(Duration::from_millis)
            .or_else(|| number("retry-after").map(Duration::from_secs))
            .map(|pause| pause.min(LONGEST_PAUSE))
    }

    /// `properties.provisioningState`, or the same at the top, as a few older services put it.
    #[must_use]
    pub fn provisioning_state(&self) -> Option<&str> {
        self.body
            .pointer("/properties/provisioningState")
            .or_else(|| self.body.get("provisioningState"))
            .and_then(Value::as_str)
    }

    /// A member of the body, its name compared without case.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        member(&self.body, name)
    }
}

/// A member of an object, its name compared without case: services disagree on `code` and `Code`.
#[must_use]
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A reply for tests: status, headers, body.
    pub(in crate::arm) fn reply(status: u16, headers: &[(&str, &str)], body: Value) -> Reply {
        let headers = headers.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Reply { status, headers, body }
    }

    #[test]
    fn bodies_are_json_text_or_nothing() {
        let body = |bytes: &[u8]| Reply::read(200, BTreeMap::new(), bytes).body;
        assert_eq!(body(b" \n"), Value::Null);
        assert_eq!(body(b"\xef\xbb\xbf{\"a\":1}"), serde_json::json!({"a": 1}));
        assert_eq!(body(b"<html>"), Value::from("<html>"));
    }

    #[test]
    fn the_finer_hint_wins() {
        let both = reply(202, &[("retry-after", "1"), ("x-ms-retry-after-ms", "40")], Value::Null);
        assert_eq!(both.retry_after(), Some(Duration::from_millis(40)));
        let date = reply(202, &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], Value::Null);
        assert_eq!(date.retry_after(), None);
    }

    #[test]
    fn an_endless_pause_is_a_day() {
        for name in ["retry-after", "retry-after-ms"] {
            let endless = reply(429, &[(name, &u64::MAX.to_string())], Value::Null);
            assert_eq!(endless.retry_after(), Some(LONGEST_PAUSE), "{name}");
        }
    }
}
