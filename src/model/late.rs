//! Placeholders in a body: a value that only Azure can choose, or a secret that no plan may hold.
//! They are plain text inside JSON, so bodies stay comparable, printable and storable.

use serde_json::Value;

use super::Address;

const LATE: &str = "late:";
const SECRET: &str = "secret:";

/// A value Azure chooses, read from the reply of another resource: `late:ml_workspace.core#/identity/principalId`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Late {
    /// The resource that will know the value.
    pub of: Address,
    /// JSON pointer into that resource as Azure returns it.
    pub at: String,
}

impl Late {
    /// The text form that stands in a body.
    #[must_use]
    pub fn text(of: &Address, at: &str) -> String {
        format!("{LATE}{of}#{at}")
    }

    /// Reads the text form; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (of, at) = text.strip_prefix(LATE)?.split_once('#')?;
        Some(Self { of: of.parse().ok()?, at: at.to_owned() })
    }
}

/// The text that stands for the secret `name` in bodies, plans and state.
#[must_use]
pub fn secret_text(name: &str) -> String {
    format!("{SECRET}{name}")
}

/// The secret's name, if `text` stands for one.
#[must_use]
pub fn secret_name(text: &str) -> Option<&str> {
    text.strip_prefix(SECRET)
}

/// Calls `found` with every string inside `value`.
pub fn visit_strings<'a>(value: &'a Value, found: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().for_each(|item| visit_strings(item, found)),
        Value::Object(map) => map.values().for_each(|item| visit_strings(item, found)),
        _ => {}
    }
}

/// Replaces every string for which `replace` has an answer.
pub fn replace_strings(value: &mut Value, replace: &mut impl FnMut(&str) -> Option<Value>) {
    match value {
        Value::String(text) => {
            if let Some(new) = replace(text) {
                *value = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_strings(item, replace)),
        Value::Object(map) => map.values_mut().for_each(|item| replace_strings(item, replace)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_text_round_trips() {
        let of = Address::new("ml_workspace", "core");
        let late = Late::parse(&Late::text(&of, "/identity/principalId")).unwrap();
        assert_eq!(late, Late { of, at: "/identity/principalId".to_owned() });
        assert_eq!(Late::parse("later"), None);
    }

    #[test]
    fn strings_are_replaced_at_any_depth() {
        let mut value = serde_json::json!({"a": ["secret:x", 1], "b": {"c": "y"}});
        replace_strings(&mut value, &mut |t| secret_name(t).map(|n| Value::from(format!("<{n}>"))));
        assert_eq!(value, serde_json::json!({"a": ["<x>", 1], "b": {"c": "y"}}));
    }
}
