//! Writes every exchange with ARM as one line of JSON, secrets masked, tokens never. Changes nothing on the way.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::clock::Clock;
use super::request::CORRELATION;

/// A transport that keeps a record of another.
pub struct Recorder {
    inner: Arc<dyn HttpClient>,
    file: Mutex<File>,
    clock: Clock,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// Headers worth a line.
const HEADERS: [&str; 8] = [
    "azure-asyncoperation",
    "location",
    "retry-after",
    "x-ms-request-id",
    "x-ms-correlation-request-id",
    "x-ms-ratelimit-remaining-subscription-reads",
    "x-ms-ratelimit-remaining-subscription-writes",
    "x-ms-failure-cause",
];

/// What stands for a secret.
const MASK: &str = "(masked)";

impl Recorder {
    /// Records to `path`, readable by the owner only; an older record is replaced.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, inner: Arc<dyn HttpClient>, clock: Clock) -> std::io::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // An older file keeps its mode over a truncation.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(Self { inner, file: Mutex::new(file), clock })
    }

    /// A record that cannot be written must not stop an apply.
    fn write(&self, line: &Value) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(file, "{line}").and_then(|()| file.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "the trace cannot be written");
        }
    }
}

#[async_trait]
impl HttpClient for Recorder {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if !is_ours(request) {
            return self.inner.execute_request(request).await;
        }
        let begun = self.clock.now();
        let time = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let mut line = json!({
            "time": time,
            "method": request.method().as_ref(),
            "url": unsigned(request.url().as_str()),
            "body": sent(request),
        });
        let outcome = match self.inner.execute_request(request).await {
            Ok(raw) => raw.try_into_raw_response().await,
            Err(error) => Err(error),
        };
        line["ms"] = json!(u64::try_from(self.clock.now().saturating_sub(begun).as_millis()).unwrap_or(u64::MAX));
        match outcome {
            Err(error) => {
                line["error"] = Value::from(error.to_string());
                self.write(&line);
                Err(error)
            }
            Ok(raw) => {
                let (status, headers, body) = raw.deconstruct();
                line["status"] = json!(u16::from(status));
                let kept = HEADERS.iter().filter_map(|&name| {
                    let value = headers.get_optional_str(&name.into())?;
                    Some((name.to_owned(), Value::from(unsigned(value))))
                });
                line["headers"] = Value::Object(kept.collect::<Map<_, _>>());
                line["reply"] = masked(request.url().path(), &body);
                self.write(&line);
                Ok(AsyncRawResponse::from_bytes(status, headers, bytes::Bytes::from(body)))
            }
        }
    }
}

/// Whether the client sent it: whatever else goes over the wire belongs to a sign-in, and its replies are tokens.
fn is_ours(request: &Request) -> bool {
    request.headers().get_optional_str(&CORRELATION.into()).is_some()
}

fn sent(request: &Request) -> Value {
    match request.body() {
        Body::Bytes(bytes) => masked(request.url().path(), bytes),
        Body::SeekableStream(_) => Value::Null,
    }
}

/// A body as JSON without its secrets; other text is left out but for its length.
fn masked(path: &str, bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice(bytes) {
        Ok(mut value) => {
            mask(&mut value, &Secrets::of(path));
            value
        }
        Err(_) => Value::from(format!("({} bytes that are not JSON)", bytes.len())),
    }
}

/// What a path says of the bodies on it.
struct Secrets {
    /// A secret of a vault: `properties.value` is the secret itself.
    vault_secret: bool,
    /// An action that gives out keys: every `value` is one.
    keys: bool,
}

impl Secrets {
    fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let last = path.rsplit('/').next().unwrap_or_default();
        Self {
            vault_secret: path.contains("/vaults/") && path.contains("/secrets"),
            keys: last.starts_with("list") || last.contains("key") || last.contains("credential"),
        }
    }
}

/// Members whose text is a secret wherever they stand; compared in lower case, by the end of the name.
const NAMES: [&str; 11] = [
    "password",
    "connectionstring",
    "instrumentationkey",
    "sharedkey",
    "accesskey",
    "accountkey",
    "accesstoken",
    "clientsecret",
    "sastoken",
    "customdata",
    "privatekey",
];

fn mask(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::Object(map) => {
            for (name, item) in map {
                let name = name.to_ascii_lowercase();
                let telling = name == "value" && (secrets.vault_secret || secrets.keys);
                let secret = telling || NAMES.iter().any(|n| name.ends_with(n));
                match item {
                    Value::String(text) if secret && !text.is_empty() => MASK.clone_into(text),
                    _ => mask(item, secrets),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::String(text) if is_secret(text) => MASK.clone_into(text),
        _ => {}
    }
}

/// Texts that are secrets by their look.
fn is_secret(text: &str) -> bool {
    let looks = ["AccountKey=", "SharedAccessKey=", "SharedAccessSignature=", "InstrumentationKey=", "&sig=", "?sig="];
    looks.iter().any(|look| text.contains(look))
}

/// A URL whose signatures are left out: `sig` of storage, and `s`, `h`, `c` of newer polling URLs.
fn unsigned(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name @ ("sig" | "s" | "h" | "c"), _)) => format!("{name}={MASK}"),
        _ => part.to_owned(),
    });
    format!("{path}?{}", parts.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, body: &Value) -> String {
        masked(path, body.to_string().as_bytes()).to_string()
    }

    #[test]
    fn secrets_do_not_reach_the_record() {
        let cases = [
            ("/x/virtualMachines/v", json!({"properties": {"osProfile": {"adminPassword": "hush"}}})),
            ("/x/vaults/v/secrets/s", json!({"properties": {"value": "hush"}})),
            ("/x/storageAccounts/a/listKeys", json!({"keys": [{"keyName": "key1", "value": "hush"}]})),
            ("/x/components/c", json!({"properties": {"ConnectionString": "hush", "InstrumentationKey": "hush"}})),
            ("/x/workspaces/w/sharedKeys", json!({"primarySharedKey": "hush"})),
            (
                "/x/y",
                json!({"a": ["https://b/c?sp=r&sig=hush"], "b": "DefaultEndpointsProtocol=https;AccountKey=hush"}),
            ),
        ];
        for (path, body) in cases {
            let seen = seen(path, &body);
            assert!(!seen.contains("hush") && seen.contains(MASK), "{path}: {seen}");
        }
    }

    #[derive(Debug)]
    struct Empty;

    #[async_trait]
    impl HttpClient for Empty {
        async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
            Ok(AsyncRawResponse::from_bytes(200.into(), azure_core::http::headers::Headers::new(), "{\"a\":1}"))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_an_exchange_and_none_for_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        std::fs::write(&path, "an older record").unwrap();
        let recorder = Recorder::create(&path, Arc::new(Empty), Clock::real()).unwrap();
        for (url, method) in [("https://issuer/job/token", "POST"), ("https://arm/x?api-version=1", "PUT")] {
            let url = azure_core::http::Url::parse(url).unwrap();
            let method = if method == "PUT" { azure_core::http::Method::Put } else { azure_core::http::Method::Post };
            let mut request = Request::new(url, method);
            request.insert_header("authorization", "Bearer hush");
            if method == azure_core::http::Method::Put {
                request.insert_header(CORRELATION, "run");
            }
            request.set_body("{\"adminPassword\":\"hush\"}");
            let raw = recorder.execute_request(&request).await.unwrap().try_into_raw_response().await.unwrap();
            assert_eq!(raw.body().as_ref(), b"{\"a\":1}");
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let line: Value = serde_json::from_str(&text).expect("one line");
        assert_eq!((line["method"].as_str(), line["status"].as_u64()), (Some("PUT"), Some(200)));
        assert_eq!((&line["reply"], &line["body"]), (&json!({"a": 1}), &json!({"adminPassword": MASK})));
        assert!(!text.contains("hush"));
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_secret_stays_as_it_was() {
        let body =
            json!({"tags": {"value": "v"}, "properties": {"disablePasswordAuthentication": false, "value": "w"}});
        assert_eq!(masked("/x/networkInterfaces/n", body.to_string().as_bytes()), body);
        assert_eq!(unsigned("https://h/p?api-version=1&t=2&s=abc"), "https://h/p?api-version=1&t=2&s=(masked)");
    }
}
