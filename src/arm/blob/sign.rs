//! How a blob request proves who sends it: a token, or the emulator's published key. Sends nothing.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::Request;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

/// Whom tokens for blobs are for, in every cloud.
const SCOPE: &str = "https://storage.azure.com/.default";

/// The key of the storage emulators, the same on every machine and published by Microsoft: no secret.
const EMULATOR_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Headers that are signed by their value alone, in this order (Storage services, authorise with shared key).
const SIGNED: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// The proof.
#[derive(Clone)]
pub enum Proof {
    /// A token of the credential chain.
    Token(Arc<dyn TokenCredential>),
    /// The emulator's key.
    Emulator {
        /// `devstoreaccount1`.
        account: String,
    },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Emulator { .. } => "Emulator",
        })
    }
}

impl Proof {
    /// Adds the proof to a request that is otherwise complete.
    pub(super) async fn add(&self, request: &mut Request) -> azure_core::Result<()> {
        let header = match self {
            Self::Token(credential) => {
                let token = credential.get_token(&[SCOPE], None).await?;
                format!("Bearer {}", token.token.secret())
            }
            Self::Emulator { account } => format!("SharedKey {account}:{}", signature(request, account)),
        };
        request.insert_header("authorization", header);
        Ok(())
    }
}

fn signature(request: &Request, account: &str) -> String {
    let key = BASE64_STANDARD.decode(EMULATOR_KEY).expect("the emulator's key is base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    BASE64_STANDARD.encode(hmac::sign(&key, text_to_sign(request, account).as_bytes()))
}

fn text_to_sign(request: &Request, account: &str) -> String {
    let headers: BTreeMap<String, &str> =
        request.headers().iter().map(|(k, v)| (k.as_str().to_ascii_lowercase(), v.as_str())).collect();
    let mut text = format!("{}\n", request.method().as_ref());
    for name in SIGNED {
        let value = headers.get(name).copied().unwrap_or_default();
        // An empty body is signed as no length at all.
        let value = if name == "content-length" && value == "0" { "" } else { value };
        text.push_str(value);
        text.push('\n');
    }
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-ms-")) {
        let _ = writeln!(text, "{name}:{}", value.trim());
    }
    let _ = write!(text, "/{account}{}", request.url().path());
    let mut query: Vec<_> = request.url().query_pairs().collect();
    query.sort();
    for (name, value) in query {
        let _ = write!(text, "\n{}:{value}", name.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use azure_core::http::{Method, Url};

    use super::*;

    #[test]
    fn the_signed_text_has_every_part_in_its_place() {
        let url = Url::parse("http://127.0.0.1:1/devstoreaccount1/con/a.json?timeout=5&comp=lease").unwrap();
        let mut request = Request::new(url, Method::Put);
        for (name, value) in [("x-ms-version", "V"), ("content-length", "0"), ("x-ms-date", "D"), ("if-match", "E")] {
            request.insert_header(name, value);
        }
        assert_eq!(
            text_to_sign(&request, "devstoreaccount1"),
            "PUT\n\n\n\n\n\n\n\nE\n\n\n\nx-ms-date:D\nx-ms-version:V\n/devstoreaccount1/devstoreaccount1/con/a.json\
             \ncomp:lease\ntimeout:5"
        );
    }
}
