//! Short ways to read and complete JSON bodies by pointer. Knows nothing of ARM.

use serde_json::{Map, Value};

/// The text at `at`; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

/// The list at `at`; empty where there is none.
pub(super) fn items<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of the list at `at`.
pub(super) fn texts<'a>(value: &'a Value, at: &str) -> Vec<&'a str> {
    items(value, at).iter().filter_map(Value::as_str).collect()
}

/// Whether there is a `true` at `at`.
pub(super) fn is_true(value: &Value, at: &str) -> bool {
    value.pointer(at) == Some(&Value::Bool(true))
}

/// Whether there is something other than `null` at `at`.
pub(super) fn has(value: &Value, at: &str) -> bool {
    value.pointer(at).is_some_and(|v| !v.is_null())
}

/// Writes `new` at `at`, making the objects on the way; list items must be there already.
pub(super) fn set(value: &mut Value, at: &str, new: impl Into<Value>) {
    let mut place = value;
    for segment in at.split('/').skip(1) {
        place = match place {
            // An index beyond the end has no place to be written to.
            Value::Array(items) => match segment.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                Some(item) => item,
                None => return,
            },
            other => {
                if !other.is_object() {
                    *other = Value::Object(Map::new());
                }
                let Value::Object(map) = other else { return };
                map.entry(segment.to_owned()).or_insert(Value::Null)
            }
        };
    }
    *place = new.into();
}

/// Writes `new` at `at` unless something is there.
pub(super) fn fill(value: &mut Value, at: &str, new: impl Into<Value>) {
    if !has(value, at) {
        set(value, at, new);
    }
}

/// Takes what is at `at` out.
pub(super) fn remove(value: &mut Value, at: &str) {
    let Some((parent, name)) = at.rsplit_once('/') else { return };
    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
        map.remove(name);
    }
}

/// Writes every member of `defaults` into the object at `at` that is not there.
pub(super) fn fill_all(value: &mut Value, at: &str, defaults: Value) {
    if let Value::Object(map) = defaults {
        for (name, default) in map {
            fill(value, &format!("{at}/{name}"), default);
        }
    }
}

/// Copies the values at these pointers from `old`, where it has them: what the server made once stays.
pub(super) fn keep(value: &mut Value, old: Option<&Value>, pointers: &[&str]) {
    for at in pointers {
        if let Some(kept) = old.and_then(|old| old.pointer(at)) {
            set(value, at, kept.clone());
        }
    }
}

/// RFC 7396: `patch` over `value`.
pub(super) fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    for (name, change) in changes {
        if change.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Whether two values are the same to Azure: texts without case, ids and enumerations alike.
pub(super) fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| alike(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_replaces_adds_and_removes() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut value, &json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(value, json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }

    #[test]
    fn filling_makes_the_way_and_keeps_what_is_there() {
        let mut value = json!({"a": {"b": 1}});
        fill(&mut value, "/a/b", 2);
        fill(&mut value, "/x/y", 3);
        set(&mut value, "/l", json!([{"c": 1}]));
        set(&mut value, "/l/0/d", 2);
        set(&mut value, "/l/7/d", 2);
        assert_eq!(value, json!({"a": {"b": 1}, "x": {"y": 3}, "l": [{"c": 1, "d": 2}]}));
    }
}
