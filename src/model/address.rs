//! Our own name for a resource, such as `private_endpoint.blob`: the key of state, plan, journal and output.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `kind.name`. Stable over renames in Azure; ordered by text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: String,
    dot: usize,
}

/// A text that is not `kind.name`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a resource address (expected `kind.name`)")]
pub struct BadAddress(pub String);

impl Address {
    /// Joins a kind (see `kind::ALL`) and a name; both are constants or checked values of ours.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self { text: format!("{kind}.{name}"), dot: kind.len() }
    }

    /// The part before the dot: the name of a `Kind`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.text[..self.dot]
    }

    /// The part after the dot.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.dot + 1..]
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        match text.split_once('.') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self::new(kind, name)),
            _ => Err(BadAddress(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_text_agree() {
        let address: Address = "dns_zone.blob".parse().unwrap();
        assert_eq!((address.kind(), address.name()), ("dns_zone", "blob"));
        assert_eq!(address.to_string(), "dns_zone.blob");
    }

    #[test]
    fn half_an_address_is_refused() {
        for text in ["", "vault", ".core", "vault."] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
