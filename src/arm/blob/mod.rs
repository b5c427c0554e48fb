//! The door to Blob Storage: read, write under conditions, append, lease. Knows no states and no protocol.
//!
//! Plain REST over our own transport. The SDK's crate for blobs takes tokens only and no shared key, so it cannot speak
//! to the emulator over loopback; `object_store` has conditional writes, but no leases and not our credential chain.

mod sign;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{HttpClient, Method, Request, Url};
use azure_core::time::{OffsetDateTime, to_rfc7231};
use bytes::Bytes;
use uuid::Uuid;

use super::exchange::chain;
use crate::model::{Blob, BlobError, BlobFault, Blobs, Guard, Lease};
pub use sign::Proof;

/// The version of the protocol: leases, conditions, append blobs and tokens are all older.
const VERSION: &str = "2021-12-02";
/// For one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pauses between tries.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

/// One container.
#[derive(Clone, Debug)]
pub struct Container {
    transport: Arc<dyn HttpClient>,
    proof: Proof,
    /// Without a slash at the end.
    base: String,
}

/// An answer.
struct Answer {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Container {
    /// The container at `base`, such as `https://account.blob.core.windows.net/container`.
    #[must_use]
    pub fn new(base: &str, proof: Proof, transport: Arc<dyn HttpClient>) -> Self {
        Self { transport, proof, base: base.trim_end_matches('/').to_owned() }
    }

    /// Sends until there is an answer. Every request here may be repeated: conditions make a second effect impossible.
    async fn send(
        &self,
        method: Method,
        name: &str,
        query: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Answer, BlobError> {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match self.once(method, name, query, headers, &body).await {
                Err(error) if error.fault == BlobFault::Unreachable => error,
                answer => return answer,
            };
            let Some(pause) = pauses.next() else { return Err(error) };
            tracing::debug!(blob = name, %error, ?pause, "sending again");
            tokio::time::sleep(pause.mul_f64(0.8 + rand::random::<f64>() * 0.4)).await;
        }
    }

    async fn once(
        &self,
        method: Method,
        name: &str,
        query: &str,
        headers: &[(String, String)],
        body: &Bytes,
    ) -> Result<Answer, BlobError> {
        let mut request = self.request(method, name, query, headers, body)?;
        self.proof
            .add(&mut request)
            .await
            .map_err(|error| local(BlobFault::SignIn, format!("sign-in for the state failed: {}", chain(&error))))?;
        let shown = format!("{} {}", method.as_ref(), request.url().path());
        let exchange = async {
            let raw = self.transport.execute_request(&request).await?.try_into_raw_response().await?;
            let (status, headers, body) = raw.deconstruct();
            let headers =
                headers.iter().map(|(k, v)| (k.as_str().to_ascii_lowercase(), v.as_str().to_owned())).collect();
            Ok::<_, azure_core::Error>((u16::from(status), Answer { headers, body: body.to_vec() }))
        };
        let no_answer = |why: String| local(BlobFault::Unreachable, format!("{shown}: no answer: {why}"));
        match tokio::time::timeout(PATIENCE, exchange).await {
            Err(_) => Err(no_answer(format!("within {} s", PATIENCE.as_secs()))),
            Ok(Err(error)) => Err(no_answer(chain(&error))),
            Ok(Ok((200..=299, answer))) => Ok(answer),
            Ok(Ok((status, answer))) => Err(refusal(status, &answer, &shown)),
        }
    }

    fn request(
        &self,
        method: Method,
        name: &str,
        query: &str,
        headers: &[(String, String)],
        body: &Bytes,
    ) -> Result<Request, BlobError> {
        let slash = if name.is_empty() { "" } else { "/" };
        let mark = if query.is_empty() { "" } else { "?" };
        let text = format!("{}{slash}{name}{mark}{query}", self.base);
        let url =
            Url::parse(&text).map_err(|error| local(BlobFault::Refused, format!("`{text}` is no address: {error}")))?;
        let mut request = Request::new(url, method);
        for (name, value) in [
            ("x-ms-version", VERSION.to_owned()),
            ("x-ms-date", to_rfc7231(&OffsetDateTime::now_utc())),
            ("x-ms-client-request-id", Uuid::new_v4().to_string()),
            ("user-agent", concat!("privaml/", env!("CARGO_PKG_VERSION")).to_owned()),
        ] {
            request.insert_header(name, value);
        }
        for (name, value) in headers {
            request.insert_header(name.clone(), value.clone());
        }
        if method == Method::Put {
            request.insert_header("content-length", body.len().to_string());
            request.set_body(body.clone());
        }
        Ok(request)
    }
}

#[async_trait]
impl Blobs for Container {
    async fn create(&self) -> Result<(), BlobError> {
        match self.send(Method::Put, "", "restype=container", &[], Bytes::new()).await {
            Err(error) if error.fault == BlobFault::Condition => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Blob>, BlobError> {
        let answer = match self.send(Method::Get, name, "", &[], Bytes::new()).await {
            Err(error) if error.fault == BlobFault::Absent => return Ok(None),
            answer => answer?,
        };
        let note =
            |(name, value): (&String, &String)| Some((name.strip_prefix("x-ms-meta-")?.to_owned(), value.clone()));
        let is_leased = answer.headers.get("x-ms-lease-status").is_some_and(|status| status == "locked");
        let notes = answer.headers.iter().filter_map(note).collect();
        Ok(Some(Blob { etag: answer.etag(), notes, is_leased, body: answer.body }))
    }

    async fn put(
        &self,
        name: &str,
        body: &[u8],
        notes: &BTreeMap<String, String>,
        guard: &Guard,
    ) -> Result<String, BlobError> {
        let mut headers = vec![
            ("x-ms-blob-type".to_owned(), "BlockBlob".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        headers.extend(conditions(guard));
        headers.extend(noted(notes));
        self.send(Method::Put, name, "", &headers, Bytes::copy_from_slice(body)).await.map(|answer| answer.etag())
    }

    async fn annotate(&self, name: &str, notes: &BTreeMap<String, String>, guard: &Guard) -> Result<String, BlobError> {
        let mut headers = conditions(guard);
        headers.extend(noted(notes));
        self.send(Method::Put, name, "comp=metadata", &headers, Bytes::new()).await.map(|answer| answer.etag())
    }

    async fn append(&self, name: &str, at: u64, text: &[u8]) -> Result<(), BlobError> {
        if at == 0 {
            let kind = [("x-ms-blob-type".to_owned(), "AppendBlob".to_owned())];
            self.send(Method::Put, name, "", &kind, Bytes::new()).await?;
        }
        let place = [("x-ms-blob-condition-appendpos".to_owned(), at.to_string())];
        self.send(Method::Put, name, "comp=appendblock", &place, Bytes::copy_from_slice(text)).await.map(drop)
    }

    async fn remove(&self, name: &str, guard: &Guard) -> Result<(), BlobError> {
        match self.send(Method::Delete, name, "", &conditions(guard), Bytes::new()).await {
            Err(error) if error.fault == BlobFault::Absent => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn lease(&self, name: &str, act: Lease, id: Uuid) -> Result<(), BlobError> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let headers = match act {
            Lease::Acquire(seconds) => vec![
                header("x-ms-lease-action", "acquire".to_owned()),
                header("x-ms-lease-duration", seconds.to_string()),
                header("x-ms-proposed-lease-id", id.to_string()),
            ],
            Lease::Renew => {
                vec![header("x-ms-lease-action", "renew".to_owned()), header("x-ms-lease-id", id.to_string())]
            }
            Lease::Release => {
                vec![header("x-ms-lease-action", "release".to_owned()), header("x-ms-lease-id", id.to_string())]
            }
            Lease::Break => {
                vec![header("x-ms-lease-action", "break".to_owned()), header("x-ms-lease-break-period", "0".to_owned())]
            }
        };
        self.send(Method::Put, name, "comp=lease", &headers, Bytes::new()).await.map(drop)
    }
}

impl Answer {
    fn etag(&self) -> String {
        self.headers.get("etag").cloned().unwrap_or_default()
    }
}

fn conditions(guard: &Guard) -> Vec<(String, String)> {
    let lease = guard.lease.map(|id| ("x-ms-lease-id".to_owned(), id.to_string()));
    let etag = guard.etag.clone().map(|etag| ("if-match".to_owned(), etag));
    let new = guard.is_new.then(|| ("if-none-match".to_owned(), "*".to_owned()));
    lease.into_iter().chain(etag).chain(new).collect()
}

fn noted(notes: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    notes.iter().map(|(name, value)| (format!("x-ms-meta-{name}"), value.clone()))
}

fn local(fault: BlobFault, message: String) -> BlobError {
    BlobError { fault, code: String::new(), message }
}

/// What a refusal means (Blob service error codes).
fn refusal(status: u16, answer: &Answer, shown: &str) -> BlobError {
    let text = String::from_utf8_lossy(&answer.body);
    let part = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(rest.split("</").next().unwrap_or_default().lines().next().unwrap_or_default().to_owned())
    };
    let code = answer.headers.get("x-ms-error-code").cloned().or_else(|| part("Code")).unwrap_or_default();
    let fault = match (status, code.as_str()) {
        (404, _) => BlobFault::Absent,
        (_, "LeaseAlreadyPresent" | "LeaseIdMissing" | "LeaseIsBreakingAndCannotBeAcquired") => BlobFault::Leased,
        (_, code) if code.starts_with("Lease") => BlobFault::LeaseLost,
        (304 | 412, _) | (409, "BlobAlreadyExists" | "ContainerAlreadyExists") => BlobFault::Condition,
        (401, _) => BlobFault::SignIn,
        (403, _) => BlobFault::Denied,
        (408 | 429 | 500 | 502 | 503 | 504, _) | (409, "ContainerBeingDeleted") => BlobFault::Unreachable,
        _ => BlobFault::Refused,
    };
    let message = part("Message").unwrap_or_default();
    let words = [code.as_str(), message.as_str()].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let words = if words.is_empty() { "no reason given".to_owned() } else { words.join(": ") };
    BlobError { fault, code, message: format!("{shown}: status {status}: {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let fault = |status, code: &str| {
            let headers = [("x-ms-error-code".to_owned(), code.to_owned())].into();
            refusal(status, &Answer { headers, body: Vec::new() }, "PUT /c/b").fault
        };
        for (status, code, expected) in [
            (404, "BlobNotFound", BlobFault::Absent),
            (404, "ContainerNotFound", BlobFault::Absent),
            (409, "LeaseAlreadyPresent", BlobFault::Leased),
            (412, "LeaseIdMissing", BlobFault::Leased),
            (412, "LeaseIdMismatchWithBlobOperation", BlobFault::LeaseLost),
            (409, "LeaseIdMismatchWithLeaseOperation", BlobFault::LeaseLost),
            (412, "LeaseNotPresentWithBlobOperation", BlobFault::LeaseLost),
            (409, "LeaseIsBrokenAndCannotBeRenewed", BlobFault::LeaseLost),
            (412, "ConditionNotMet", BlobFault::Condition),
            (412, "AppendPositionConditionNotMet", BlobFault::Condition),
            (409, "BlobAlreadyExists", BlobFault::Condition),
            (403, "AuthorizationPermissionMismatch", BlobFault::Denied),
            (503, "ServerBusy", BlobFault::Unreachable),
            (400, "InvalidHeaderValue", BlobFault::Refused),
        ] {
            assert_eq!(fault(status, code), expected, "{code}");
        }
    }

    #[test]
    fn azures_words_are_kept() {
        let body = b"<?xml version=\"1.0\"?><Error><Code>AuthorizationFailure</Code><Message>This request is not authorized.\nRequestId:1</Message></Error>";
        let error = refusal(403, &Answer { headers: BTreeMap::new(), body: body.to_vec() }, "GET /c/b");
        assert_eq!(error.message, "GET /c/b: status 403: AuthorizationFailure: This request is not authorized.");
    }
}
