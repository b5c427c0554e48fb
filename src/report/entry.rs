//! One resource as it is exported and listed: name, place, version, body. Words only.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::kind::{self, Turn};
use crate::model::late::secret_name;
use crate::model::{Address, ResourceId};

/// One resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Our name for it.
    pub address: Address,
    /// Where it lives.
    pub id: ResourceId,
    /// The version it is written with.
    pub api_version: String,
    /// What is said of it, with placeholders.
    pub body: Value,
    /// What it is built on.
    pub needs: Vec<Address>,
}

impl Entry {
    /// The body as ARM returns it, with id, name and type; secrets are left out.
    #[must_use]
    pub fn as_arm(&self) -> Value {
        let mut body = self.body.as_object().cloned().unwrap_or_default();
        let said = [("id", self.id.as_str()), ("name", self.id.name()), ("type", &self.id.arm_type())];
        for (name, text) in said.into_iter().chain([("apiVersion", self.api_version.as_str())]) {
            body.insert(name.to_owned(), Value::from(text));
        }
        without_secrets(&Value::Object(body))
    }

    /// The resource below or for which Azure takes one write at a time, if this one takes turns.
    #[must_use]
    pub fn turn(&self) -> Option<ResourceId> {
        match kind::find(self.address.kind())?.turn {
            Turn::Free => None,
            Turn::Parent => self.id.parent(),
            Turn::Pointer(pointer) => Some(ResourceId::new(self.body.pointer(pointer)?.as_str()?)),
        }
    }
}

/// Every entry after what it needs, ties in the given order.
#[must_use]
pub fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    let there: BTreeSet<&Address> = entries.iter().map(|entry| &entry.address).collect();
    let (mut done, mut left) = (BTreeSet::new(), entries.iter().collect::<Vec<_>>());
    let mut all = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |entry: &&Entry| entry.needs.iter().all(|need| done.contains(need) || !there.contains(need));
        // A knot, which no plan has: its first member goes, so that nothing is lost.
        let at = left.iter().position(is_free).unwrap_or_default();
        let next = left.remove(at);
        done.insert(&next.address);
        all.push(next);
    }
    all
}

/// The value without the members that are secrets.
fn without_secrets(value: &Value) -> Value {
    let is_secret = |value: &Value| value.as_str().is_some_and(|text| secret_name(text).is_some());
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !is_secret(value));
            Value::Object(kept.map(|(name, value)| (name.clone(), without_secrets(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().filter(|item| !is_secret(item)).map(without_secrets).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(name: &str, needs: &[&str]) -> Entry {
        let address: Address = name.parse().unwrap();
        let id = ResourceId::group("s", "g").provider("N/t", address.name());
        let body = json!({"properties": {"value": "secret:jumpbox_password", "list": ["a", "secret:x"]}});
        let needs = needs.iter().map(|need| need.parse().unwrap()).collect();
        Entry { address, id, api_version: "v".to_owned(), body, needs }
    }

    #[test]
    fn a_body_names_itself_and_keeps_no_secret() {
        let expected = json!({"id": "/subscriptions/s/resourceGroups/g/providers/N/t/a", "name": "a", "type": "N/t",
            "apiVersion": "v", "properties": {"list": ["a"]}});
        assert_eq!(entry("k.a", &[]).as_arm(), expected);
    }

    #[test]
    fn needs_come_first_and_nothing_is_lost() {
        let all = [entry("k.a", &["k.c"]), entry("k.b", &["k.b2"]), entry("k.c", &[]), entry("k.b2", &["k.b"])];
        let names: Vec<&str> = sorted(&all).iter().map(|entry| entry.address.name()).collect();
        assert_eq!(names, ["c", "a", "b", "b2"]);
    }
}
