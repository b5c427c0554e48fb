//! From SDK model to JSON, and the few things a model of an older version cannot say.
//! Must not know any ARM type.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Tags of a resource, by name.
pub type Tags = BTreeMap<String, String>;

/// What every tracked resource says besides its properties.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// ARM's word for the region, or `global`.
    pub location: &'a str,
    /// Tags, the ownership tag included.
    pub tags: &'a Tags,
}

impl Place<'_> {
    /// The same tags outside of any region: DNS and Azure Monitor scopes.
    #[must_use]
    pub const fn global(self) -> Self {
        Self { location: "global", tags: self.tags }
    }

    pub(super) fn location(self) -> String {
        self.location.to_owned()
    }

    pub(super) fn tags(self) -> Value {
        of(self.tags)
    }
}

/// The JSON of a model.
pub(super) fn of<T: Serialize + ?Sized>(model: &T) -> Value {
    let mut body = serde_json::to_value(model).expect("models are plain data with text keys");
    prune(&mut body);
    body
}

/// Takes out members that are null: the SDK writes unset times so, and ARM reads a null as something said.
fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, member| !member.is_null());
            map.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

/// The body of `model` with `extra` merged into it: members that the model lacks or would skip.
pub(super) fn with<T: Serialize + ?Sized>(model: &T, extra: Value) -> Value {
    let mut body = of(model);
    merge(&mut body, extra);
    body
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nulls_are_not_said() {
        assert_eq!(of(&json!({"a": null, "b": [{"c": null, "d": 1}]})), json!({"b": [{"d": 1}]}));
    }

    #[test]
    fn extras_join_what_is_there() {
        let model = json!({"properties": {"a": 1, "b": {"c": 2}}});
        let whole = with(&model, json!({"properties": {"b": {"d": []}, "e": true}}));
        assert_eq!(whole, json!({"properties": {"a": 1, "b": {"c": 2, "d": []}, "e": true}}));
    }
}
