//! Proofs of who an application is that are no shared secret: a token of another issuer, or a signature by its
//! certificate's key. (The SDK's certificate credential needs OpenSSL, which is not linked.)

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, HttpClient, Method, Request, Url};
use azure_core::time::OffsetDateTime;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A source of client assertions.
#[derive(Clone)]
pub(super) enum Proof {
    /// A token handed in as text.
    Given(Secret),
    /// The issuer of a GitHub job (and of Azure DevOps in its shape), asked with the job's own token.
    Issuer { url: Url, token: Secret, transport: Arc<dyn HttpClient> },
    /// Signed here.
    Certificate(Arc<Certificate>),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Proof::Given",
            Self::Issuer { .. } => "Proof::Issuer",
            Self::Certificate(_) => "Proof::Certificate",
        })
    }
}

#[async_trait]
impl ClientAssertion for Proof {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        match self {
            Self::Given(token) => Ok(token.secret().to_owned()),
            Self::Issuer { url, token, transport } => issued(url, token, transport.as_ref()).await,
            Self::Certificate(certificate) => certificate.assertion(OffsetDateTime::now_utc().unix_timestamp()),
        }
    }
}

/// The audience that Entra ID expects in a federated token.
const AUDIENCE: &str = "api://AzureADTokenExchange";

async fn issued(url: &Url, token: &Secret, transport: &dyn HttpClient) -> azure_core::Result<String> {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    let mut request = Request::new(url, Method::Get);
    request.insert_header("authorization", format!("Bearer {}", token.secret()));
    request.insert_header("accept", "application/json");
    let reply = transport.execute_request(&request).await?.try_into_raw_response().await?;
    let status = u16::from(reply.status());
    let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
    match body.get("value").and_then(Value::as_str) {
        Some(value) if status == 200 => Ok(value.to_owned()),
        _ => Err(refused(format!("the job's token issuer answers {status}"))),
    }
}

/// A certificate with its key, for one application at one token endpoint.
pub(super) struct Certificate {
    key: RsaKeyPair,
    thumbprint: String,
    client: String,
    endpoint: String,
}

/// Seconds an assertion is good for; Entra ID allows ten minutes.
const LIFE: i64 = 600;

impl Certificate {
    /// Reads a PEM file's text: one certificate, one RSA key without a password.
    pub(super) fn read(pem: &[u8], client: &str, endpoint: String) -> Result<Self, String> {
        let certificate = CertificateDer::from_pem_slice(pem)
            .map_err(|_| "it holds no PEM certificate (a .pfx must be converted: `openssl pkcs12 -in a.pfx -nodes`)")?;
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            Ok(_) => return Err("its key is not RSA".to_owned()),
            Err(_) => return Err("it holds no private key without a password".to_owned()),
        };
        let key = key.map_err(|error| format!("its key cannot be used: {error}"))?;
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.as_ref()));
        Ok(Self { key, thumbprint, client: client.to_owned(), endpoint })
    }

    /// A JWT as the Microsoft identity platform wants it (page "certificate credentials": PS256, `x5t#S256`).
    fn assertion(&self, now: i64) -> azure_core::Result<String> {
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": self.endpoint,
            "iss": self.client,
            "sub": self.client,
            "jti": uuid::Uuid::new_v4().to_string(),
            "nbf": now,
            "iat": now,
            "exp": now + LIFE,
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| refused("the certificate's key does not sign".to_owned()))?;
        Ok(format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn refused(text: String) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Credential, text)
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// An RSA key made for this test; worth nothing elsewhere.
    const KEY: &[u8] = include_bytes!("test_key.der");

    fn pem(label: &str, der: &[u8]) -> String {
        let text = base64::prelude::BASE64_STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    fn key_and_certificate() -> String {
        let certificate = rcgen::generate_simple_self_signed(vec!["app".to_owned()]).unwrap();
        pem("PRIVATE KEY", KEY) + &pem("CERTIFICATE", certificate.cert.der())
    }

    #[test]
    fn a_certificate_signs_what_its_key_verifies() {
        let certificate =
            Certificate::read(key_and_certificate().as_bytes(), "app", "https://login/t/oauth2/v2.0/token".to_owned())
                .unwrap();
        let jwt = certificate.assertion(1_000).unwrap();
        let (text, signature) = jwt.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, certificate.key.public().as_ref());
        key.verify(text.as_bytes(), &signature).unwrap();
        let claims: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap()).unwrap()).unwrap();
        assert_eq!((claims["sub"].as_str(), claims["exp"].as_i64()), (Some("app"), Some(1_600)));
    }

    #[test]
    fn files_that_cannot_sign_are_named() {
        let read = |pem: &[u8]| Certificate::read(pem, "app", String::new()).err().unwrap();
        assert!(read(b"0\x82\x0a").contains(".pfx"));
        assert!(read(pem("CERTIFICATE", b"x").as_bytes()).contains("no private key"));
    }
}
