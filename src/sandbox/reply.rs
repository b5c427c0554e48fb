//! What goes in and what comes out: request, reply, refusal. Shapes only, no rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The public cloud's ARM, named in absolute URLs when nobody says otherwise.
pub(super) const PUBLIC_ARM: &str = "https://management.azure.com";

/// One request, as ARM sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, `PUT`, `PATCH`, `POST` or `DELETE`.
    pub method: String,
    /// `https://host[:port]`: polling URLs are made absolute with it.
    pub origin: String,
    /// The path, percent-decoded.
    pub path: String,
    /// Query parameters, names in lower case, values percent-decoded.
    pub query: BTreeMap<String, String>,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body; `target` is path and query.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self {
            method: method.to_ascii_uppercase(),
            origin: PUBLIC_ARM.to_owned(),
            path: decode(path),
            query: pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name).to_ascii_lowercase(), decode(&value.replace('+', " "))))
                .collect(),
            headers: BTreeMap::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self
    }

    /// Whether a query parameter has this value, without case.
    pub(super) fn asks(&self, name: &str, value: &str) -> bool {
        self.query.get(name).is_some_and(|given| given.eq_ignore_ascii_case(value))
    }

    /// The api-version, empty where there is none.
    pub(super) fn version(&self) -> &str {
        self.query.get("api-version").map_or("", String::as_str)
    }

    /// Whether the request can change the world.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

/// Undoes percent encoding; a broken sequence stays as it is.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case as on HTTP/2.
    pub headers: BTreeMap<String, String>,
    /// The body, if there is one.
    pub body: Option<Value>,
    /// Set when an injected fault swallows the reply after its effect: the connection breaks instead.
    pub lost: bool,
}

impl Reply {
    /// A reply without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: None, lost: false }
    }

    /// A reply with a body.
    #[must_use]
    pub const fn of(status: u16, body: Value) -> Self {
        Self { status, headers: BTreeMap::new(), body: Some(body), lost: false }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// The body as bytes, empty where there is none.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default()
    }

    /// Azure's error code, if the reply carries one; flat envelopes are read too.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let body = self.body.as_ref()?;
        body.pointer("/error/code").or_else(|| body.get("code"))?.as_str()
    }
}

/// An error in Azure's words, not yet in its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) details: Vec<(String, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Insights answers `{"code", "message"}` without the envelope (`azure-facts` 11.4).
    pub(super) flat: bool,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
            flat: false,
        }
    }

    pub(super) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub(super) fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(409, code, message)
    }

    pub(super) fn detail(mut self, code: &str, message: impl Into<String>) -> Self {
        self.details.push((code.to_owned(), message.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn flat(mut self) -> Self {
        self.flat = true;
        self
    }

    /// The error object: code, message, details.
    pub(super) fn body(&self) -> Value {
        let details: Vec<Value> =
            self.details.iter().map(|(code, message)| json!({"code": code, "message": message})).collect();
        if self.flat {
            json!({"code": self.code, "message": self.message})
        } else if details.is_empty() {
            json!({"error": {"code": self.code, "message": self.message}})
        } else {
            json!({"error": {"code": self.code, "message": self.message, "details": details}})
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut reply = Self::of(refusal.status, refusal.body());
        for (name, value) in refusal.headers {
            reply = reply.header(name, value);
        }
        if refusal.status >= 400 && refusal.status != 401 {
            reply = reply.header("x-ms-failure-cause", "gateway");
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_decoded_and_query_names_lowered() {
        let request = Request::new("get", "/a%20b?Api-Version=1&%24filter=x%20eq+1");
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/a b"));
        assert_eq!(request.query["api-version"], "1");
        assert_eq!(request.query["$filter"], "x eq 1");
        assert_eq!(decode("100%"), "100%");
    }
}
