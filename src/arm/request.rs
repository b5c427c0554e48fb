//! What goes out: address, headers, body (azure-facts 5.1). Sends nothing.

use azure_core::http::{Method, Request, Url};
use bytes::Bytes;
use uuid::Uuid;

use super::cloud::Cloud;
use super::error::{ArmError, Class};
use crate::model::ResourceId;

/// Ties the requests of a run together; carried by every request of the client and by nothing else.
pub(super) const CORRELATION: &str = "x-ms-correlation-request-id";

/// One request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The verb.
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    /// JSON.
    pub(super) body: Option<Bytes>,
    /// Which refusals are answers.
    pub(super) takes: Takes,
}

/// Refusals that a caller wants to read itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None.
    Success,
    /// 404: it is not there.
    Absence,
    /// Every one that another try would not change: what a poll says is read by the state machine.
    Verdicts,
}

impl Takes {
    /// Whether a reply of this status goes back to the caller.
    pub(super) const fn status(self, status: u16) -> bool {
        match (self, status) {
            (_, 200..=299) => true,
            (Self::Success, _) => false,
            (Self::Absence, status) => status == 404,
            (Self::Verdicts, status) => status < 500 && !matches!(status, 401 | 408 | 429),
        }
    }
}

impl Call {
    /// A request without a body.
    pub(super) const fn new(method: Method, path: String, takes: Takes) -> Self {
        Self { method, path, body: None, takes }
    }

    /// The same with a body.
    pub(super) fn with(mut self, body: &serde_json::Value) -> Self {
        self.body = Some(Bytes::from(body.to_string()));
        self
    }

    /// Whether it changes something.
    pub(super) fn writes(&self) -> bool {
        self.method != Method::Get
    }

    /// For the reader of an error: verb and path, without the query (it may be signed).
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.method.as_ref(), self.path.split('?').next().unwrap_or_default())
    }
}

/// Where requests go and what they all carry.
#[derive(Clone, Debug)]
pub(super) struct Address {
    origin: String,
    prefix: String,
    correlation: String,
}

impl Address {
    /// The ARM of a cloud, with the id that ties a run together.
    pub(super) fn new(cloud: &Cloud, correlation: Uuid) -> Self {
        Self {
            origin: cloud.endpoint.origin().ascii_serialization(),
            prefix: cloud.endpoint.path().trim_end_matches('/').to_owned(),
            correlation: correlation.to_string(),
        }
    }

    /// Path and query of a resource.
    pub(super) fn of(&self, id: &ResourceId, api_version: &str, query: &str) -> String {
        self.path(id.as_str(), api_version, query)
    }

    /// Path and query of anything else below the root.
    pub(super) fn path(&self, path: &str, api_version: &str, query: &str) -> String {
        let (path, own) = path.split_once('?').unwrap_or((path, ""));
        let version = format!("api-version={api_version}");
        let parts = [version.as_str(), own, query].into_iter().filter(|part| !part.is_empty());
        format!("{}{}?{}", self.prefix, encoded(path), parts.collect::<Vec<_>>().join("&"))
    }

    /// The request, without a token.
    pub(super) fn request(&self, call: &Call) -> Result<Request, ArmError> {
        let text = format!("{}{}", self.origin, call.path);
        let url = Url::parse(&text)
            .map_err(|error| ArmError::local(Class::Invalid, format!("`{text}` is no address: {error}")))?;
        let mut request = Request::new(url, call.method);
        for (name, value) in [
            ("accept", "application/json".to_owned()),
            ("user-agent", concat!("privaml/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("x-ms-client-request-id", Uuid::new_v4().to_string()),
            ("x-ms-return-client-request-id", "true".to_owned()),
            (CORRELATION, self.correlation.clone()),
        ] {
            request.insert_header(name, value);
        }
        match &call.body {
            Some(body) => {
                request.insert_header("content-type", "application/json; charset=utf-8");
                request.set_body(body.clone());
            }
            // Some front ends refuse a POST or PUT without a length.
            None if call.writes() => request.insert_header("content-length", "0"),
            None => {}
        }
        Ok(request)
    }
}

/// Names may hold what a URL may not; slashes are the id's own and stay.
fn encoded(path: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b' '
            | b'"'
            | b'#'
            | b'<'
            | b'>'
            | b'?'
            | b'%'
            | b'{'
            | b'}'
            | b'|'
            | b'\\'
            | b'^'
            | b'`'
            | 0..=31
            | 127.. => {
                let digit = |four: u8| char::from(HEX[usize::from(four)]);
                text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
            _ => text.push(char::from(byte)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(endpoint: &str) -> Address {
        let cloud = Cloud { endpoint: Url::parse(endpoint).unwrap(), ..Cloud::public() };
        Address::new(&cloud, Uuid::nil())
    }

    #[test]
    fn an_arm_below_a_path_is_still_found() {
        let there = address("https://localhost:8443/arm/");
        let id = ResourceId::group("s", "a b");
        let call = Call::new(Method::Get, there.of(&id, "1", "force=true"), Takes::Success);
        let request = there.request(&call).unwrap();
        assert_eq!(
            request.url().as_str(),
            "https://localhost:8443/arm/subscriptions/s/resourceGroups/a%20b?api-version=1&force=true"
        );
    }

    #[test]
    fn a_path_may_bring_its_own_query() {
        assert_eq!(address("https://h").path("/a?$top=5", "1", ""), "/a?api-version=1&$top=5");
    }

    #[test]
    fn every_request_can_be_traced_and_carries_one_id_of_the_run() {
        let there = address("https://h");
        let call = Call::new(Method::Put, "/a?api-version=1".into(), Takes::Success).with(&serde_json::json!({}));
        let (one, two) = (there.request(&call).unwrap(), there.request(&call).unwrap());
        let header =
            |request: &Request, name: &'static str| request.headers().get_optional_str(&name.into()).map(str::to_owned);
        assert_ne!(header(&one, "x-ms-client-request-id"), header(&two, "x-ms-client-request-id"));
        assert_eq!(header(&one, "x-ms-correlation-request-id"), Some(Uuid::nil().to_string()));
        assert_eq!(header(&one, "content-type").as_deref(), Some("application/json; charset=utf-8"));
    }

    #[test]
    fn polls_take_verdicts_but_not_hiccups() {
        for (status, taken) in [(200, true), (403, true), (404, true), (401, false), (429, false), (503, false)] {
            assert_eq!(Takes::Verdicts.status(status), taken, "{status}");
        }
    }
}
