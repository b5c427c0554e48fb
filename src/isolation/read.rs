//! Reads resource bodies as ARM returns them: by id and type, children beside their parents or inside them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::ResourceId;

/// One resource, or one child listed in its parent.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    /// Where it lives.
    pub id: ResourceId,
    /// The whole body.
    pub body: &'a Value,
}

impl<'a> Item<'a> {
    /// The text at `pointer`.
    pub(super) fn text(&self, pointer: &str) -> Option<&'a str> {
        text(self.body, pointer)
    }

    /// The items of the list at `pointer`; a missing list is empty.
    pub(super) fn list(&self, pointer: &str) -> &'a [Value] {
        list(self.body, pointer)
    }

    /// The flag at `pointer`.
    pub(super) fn flag(&self, pointer: &str) -> Option<bool> {
        flag(self.body, pointer)
    }

    /// The key of the id at `pointer`.
    pub(super) fn key(&self, pointer: &str) -> Option<String> {
        key(self.body, pointer)
    }
}

/// The text at `pointer`.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// The flag at `pointer`; some services answer it as text.
pub(super) fn flag(value: &Value, pointer: &str) -> Option<bool> {
    match value.pointer(pointer)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => Some(text.eq_ignore_ascii_case("true")),
        _ => None,
    }
}

/// The items of the list at `pointer`; a missing list is empty.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts of the list at `pointer`.
pub(super) fn texts<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> {
    list(value, pointer).iter().filter_map(Value::as_str)
}

/// The lower-case id at `pointer`.
pub(super) fn key(value: &Value, pointer: &str) -> Option<String> {
    text(value, pointer).map(|text| ResourceId::new(text).key())
}

/// The `name` of a listed child, or the last segment of its `id`.
pub(super) fn name(value: &Value) -> &str {
    let last = |id: &'static str| text(value, id).and_then(|id| id.rsplit('/').next());
    text(value, "/name").or_else(|| last("/id")).unwrap_or_default()
}

/// Every body, by type.
pub(super) struct Bodies<'a> {
    by_type: BTreeMap<String, Vec<Item<'a>>>,
}

impl<'a> Bodies<'a> {
    /// Sorts bodies by the type that their id tells.
    pub(super) fn new(all: impl IntoIterator<Item = (ResourceId, &'a Value)>) -> Self {
        let mut by_type: BTreeMap<String, Vec<Item<'a>>> = BTreeMap::new();
        for (id, body) in all {
            by_type.entry(id.arm_type().to_ascii_lowercase()).or_default().push(Item { id, body });
        }
        for items in by_type.values_mut() {
            items.sort_by(|a, b| a.id.cmp(&b.id));
            items.dedup_by(|a, b| a.id == b.id);
        }
        Self { by_type }
    }

    /// Resources of a type.
    pub(super) fn of(&self, arm_type: &str) -> &[Item<'a>] {
        self.by_type.get(&arm_type.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The resource of that type and key.
    pub(super) fn find(&self, arm_type: &str, key: &str) -> Option<&Item<'a>> {
        self.of(arm_type).iter().find(|item| item.id.key() == key)
    }

    /// Children in the parent's list and beside it. One that stands beside wins: it was read by itself.
    pub(super) fn children(&self, parent: &Item<'a>, segment: &str) -> Vec<Item<'a>> {
        let mut found: Vec<Item<'a>> = Vec::new();
        let beside = self.of(&format!("{}/{segment}", parent.id.arm_type()));
        found.extend(beside.iter().filter(|item| item.id.parent().as_ref() == Some(&parent.id)).cloned());
        for body in parent.list(&format!("/properties/{segment}")) {
            let id = parent.id.child(segment, name(body));
            if !found.iter().any(|item| item.id == id) {
                found.push(Item { id, body });
            }
        }
        found
    }

    /// Types that are there.
    pub(super) fn types(&self) -> impl Iterator<Item = (&str, &[Item<'a>])> {
        self.by_type.iter().map(|(name, items)| (name.as_str(), items.as_slice()))
    }
}
