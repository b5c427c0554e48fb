//! The network: one HTTP client for ARM and sign-in. Connections are kept; redirects are not followed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::http::HttpClient;

use super::cloud::CloudError;

/// To connect.
const CONNECT: Duration = Duration::from_secs(20);
/// Between two pieces of an answer; ARM itself gives providers 60 s.
const READ: Duration = Duration::from_secs(90);
/// A pause between polls must not cost the connection.
const IDLE: Duration = Duration::from_secs(90);

/// A client that trusts the system's certificates and those of `extra_roots` (the file `SSL_CERT_FILE` names). On
/// Linux the system's store is read through that variable as OpenSSL does; elsewhere the file is an addition.
/// `local`: never through a proxy.
///
/// # Errors
/// When the file cannot be read, or TLS cannot be set up.
pub fn network(extra_roots: Option<&Path>, local: bool) -> Result<Arc<dyn HttpClient>, CloudError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none());
    if local {
        builder = builder.no_proxy();
    }
    if let Some(path) = extra_roots {
        let problem = |error: String| CloudError::Tls(format!("SSL_CERT_FILE {}: {error}", path.display()));
        let pem = std::fs::read(path).map_err(|error| problem(error.to_string()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| problem(error.to_string()))?;
        if roots.is_empty() {
            return Err(problem("no certificate in it".to_owned()));
        }
        builder = builder.tls_certs_merge(roots);
    }
    let client = builder.build().map_err(|error| CloudError::Tls(super::exchange::chain(&error)))?;
    Ok(Arc::new(client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = network(Some(file.path()), false).unwrap_err().to_string();
        assert!(error.contains("SSL_CERT_FILE"), "{error}");
        let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
        std::fs::write(file.path(), certificate).unwrap();
        assert!(network(Some(file.path()), true).is_ok());
    }
}
