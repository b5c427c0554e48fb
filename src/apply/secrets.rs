//! Secret values for filling bodies. Never printed: no `Debug`, and texts from Azure are masked before they are kept.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::model::Cause;

/// What stands in a text where a secret stood.
const MASK: &str = "(secret)";

/// Secrets by name, as bodies name them (`secret:jumpbox_password`). Has no `Debug`.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// No secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    #[must_use]
    pub fn with(mut self, name: &str, value: SecretString) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// The secret of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// `text` without any of the secrets: Azure quotes the offending value in some refusals.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let exposed = self.0.values().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty());
        exposed.fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    /// The cause without any of the secrets.
    #[must_use]
    pub fn mask_cause(&self, mut cause: Cause) -> Cause {
        cause.message = self.mask(&cause.message);
        for text in &mut cause.causes {
            *text = self.mask(text);
        }
        cause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let secrets = Secrets::new().with("a", "p@ss".into()).with("empty", "".into());
        let cause = Cause { causes: vec!["p@ssp@ss".to_owned()], ..Cause::of("value p@ss is weak") };
        let masked = secrets.mask_cause(cause);
        assert_eq!(masked.message, "value (secret) is weak");
        assert_eq!(masked.causes, ["(secret)(secret)"]);
    }
}
