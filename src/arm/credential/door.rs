//! The way of token requests. The SDK speaks https only and drops a path from the authority; a sandbox on this machine
//! may have neither. This wrapper puts both right, for the authority's address and no other.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::http::{
    AsyncRawResponse, ClientOptions, ExponentialRetryOptions, HttpClient, Request, RetryOptions, Transport, Url,
};

/// A transport that knows where the authority really is.
#[derive(Debug)]
struct Door {
    inner: Arc<dyn HttpClient>,
    authority: Url,
}

/// Options for the SDK's credentials: our transport, our authority.
pub(super) fn options(authority: &Url, inner: &Arc<dyn HttpClient>) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    custom.authority_host = spoken(authority);
    let cloud: CloudConfiguration = custom.into();
    let door = Door { inner: Arc::clone(inner), authority: authority.clone() };
    let retry = ExponentialRetryOptions { max_retries: 3, ..ExponentialRetryOptions::default() };
    ClientOptions {
        cloud: Some(Arc::new(cloud)),
        transport: Some(Transport::new(Arc::new(door))),
        retry: RetryOptions::exponential(retry),
        ..ClientOptions::default()
    }
}

/// The authority as the SDK must see it: https, no path, the port as it is.
fn spoken(authority: &Url) -> String {
    let host = authority.host_str().unwrap_or_default();
    match authority.port_or_known_default() {
        Some(443) | None => format!("https://{host}"),
        Some(port) => format!("https://{host}:{port}"),
    }
}

impl Door {
    fn meant(&self, url: &Url) -> Option<Url> {
        let same = url.host_str() == self.authority.host_str()
            && url.port_or_known_default() == self.authority.port_or_known_default();
        let prefix = self.authority.path().trim_end_matches('/');
        if !same || (prefix.is_empty() && self.authority.scheme() == url.scheme()) {
            return None;
        }
        let mut meant = self.authority.clone();
        meant.set_path(&format!("{prefix}{}", url.path()));
        meant.set_query(url.query());
        Some(meant)
    }
}

#[async_trait]
impl HttpClient for Door {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Some(url) = self.meant(request.url()) else { return self.inner.execute_request(request).await };
        let mut request = request.clone();
        *request.url_mut() = url;
        self.inner.execute_request(&request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_spoken_as_the_sdk_wants_and_reached_as_it_is() {
        let transport: Arc<dyn HttpClient> = Arc::new(super::super::tests::Answers::default());
        let cases = [
            ("http://127.0.0.1:8080", "https://127.0.0.1:8080", "http://127.0.0.1:8080/t/oauth2/v2.0/token"),
            ("https://login.example/adfs/", "https://login.example", "https://login.example/adfs/t/oauth2/v2.0/token"),
        ];
        for (authority, said, reached) in cases {
            let authority = Url::parse(authority).unwrap();
            assert_eq!(spoken(&authority), said);
            let door = Door { inner: Arc::clone(&transport), authority };
            let asked = Url::parse(&format!("{said}/t/oauth2/v2.0/token")).unwrap();
            assert_eq!(door.meant(&asked).unwrap().as_str(), reached);
            assert_eq!(door.meant(&Url::parse("https://other.example/t").unwrap()), None);
        }
    }
}
