//! When two values mean the same to Azure (`azure-facts` 2.22). Knows no history and makes no changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::Place;
use crate::kind::Kind;

/// Whether the value says nothing: null, an empty list, text or object, or an object whose members all say nothing.
pub(super) fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(map)) => map.values().all(|member| is_blank(Some(member))),
        Some(_) => false,
    }
}

/// The member of that name; ARM compares the names of properties without case.
pub(super) fn member<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Items of a keyed list: lower-case key → (key as written, item). Items without the key count by position.
pub(super) fn by_key<'a>(items: &'a [Value], key: &str) -> BTreeMap<String, (String, &'a Value)> {
    let label = |(position, item): (usize, &'a Value)| {
        let value = key.split('/').try_fold(item, |value, segment| member(value.as_object()?, segment));
        let text = match value {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => format!("#{position}"),
        };
        (text.to_ascii_lowercase(), (text, item))
    };
    items.iter().enumerate().map(label).collect()
}

/// Whether two texts of ours mean the same at `place`; placeholders are texts like any other.
pub(super) fn equal(kind: &Kind, place: &Place, a: Option<&Value>, b: Option<&Value>) -> bool {
    if is_blank(a) && is_blank(b) {
        return true;
    }
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().all(|name| equal(kind, &place.member(name), member(a, name), member(b, name)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => lists_equal(kind, place, a, b),
        (Some(a), Some(b)) => scalars_equal(kind, place, a, b),
        _ => false,
    }
}

fn lists_equal(kind: &Kind, place: &Place, a: &[Value], b: &[Value]) -> bool {
    if let Some(key) = place.key(kind) {
        let (a, b) = (by_key(a, key), by_key(b, key));
        return a.len() == b.len()
            && a.iter().all(|(key, (label, item))| {
                b.get(key).is_some_and(|(_, twin)| equal(kind, &place.item(label), Some(item), Some(twin)))
            });
    }
    let item = place.item("*");
    let same = |a: &Value, b: &Value| equal(kind, &item, Some(a), Some(b));
    if place.is_one_of(kind.sets) {
        a.iter().all(|x| b.iter().any(|y| same(x, y))) && b.iter().all(|y| a.iter().any(|x| same(x, y)))
    } else {
        a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y))
    }
}

/// Whether two values without members mean the same at `place`.
pub(super) fn scalars_equal(kind: &Kind, place: &Place, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => texts_equal(kind, place, a, b),
        // Some services echo whole numbers as `1.0`.
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        _ => a == b,
    }
}

fn texts_equal(kind: &Kind, place: &Place, a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    if is_id(a) && is_id(b) {
        return a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'));
    }
    if place.last().to_ascii_lowercase().ends_with("location") {
        return location(a) == location(b);
    }
    // Storage answers `bypass` in an order of its own: "Logging, Metrics, AzureServices".
    if place.is_one_of(kind.sets) {
        return words(a) == words(b);
    }
    (place.is_one_of(kind.caseless) || place.is_key(kind)) && a.eq_ignore_ascii_case(b)
}

/// Whether the text is an ARM id.
fn is_id(text: &str) -> bool {
    text.get(..15).is_some_and(|head| head.eq_ignore_ascii_case("/subscriptions/"))
}

/// `West Europe` → `westeurope`.
fn location(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(',').map(|word| word.trim().to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KIND: Kind =
        Kind { keyed: &[("/rules", "name")], sets: &["/fqdns", "/bypass"], caseless: &["/protocol"], ..Kind::PLAIN };

    fn same(a: &Value, b: &Value) -> bool {
        equal(&KIND, &Place::default(), Some(a), Some(b))
    }

    #[test]
    fn what_means_the_same_to_azure() {
        let cases = [
            (json!({"n": 1}), json!({"n": 1.0}), true),
            (json!({"n": 1}), json!({"n": 2}), false),
            (json!({"a": null, "b": []}), json!({"c": {}}), true),
            (json!({"a": false}), json!({}), false),
            (json!({"id": "/subscriptions/S/x"}), json!({"id": "/SUBSCRIPTIONS/s/X/"}), true),
            (json!({"name": "A"}), json!({"name": "a"}), false),
            (json!({"protocol": "Tcp"}), json!({"protocol": "TCP"}), true),
            (json!({"location": "West Europe"}), json!({"location": "westeurope"}), true),
            (json!({"fqdns": ["a", "b", "b"]}), json!({"fqdns": ["b", "a"]}), true),
            (json!({"list": ["a", "b"]}), json!({"list": ["b", "a"]}), false),
            (json!({"bypass": "Logging, Metrics"}), json!({"bypass": "metrics,Logging"}), true),
            (json!({"rules": [{"name": "a"}]}), json!({"rules": [{"name": "b"}, {"name": "a"}]}), false),
            (json!({"rules": [{"name": "a"}, {"name": "B"}]}), json!({"rules": [{"name": "b"}, {"name": "a"}]}), true),
        ];
        for (a, b, expected) in cases {
            assert_eq!((same(&a, &b), same(&b, &a)), (expected, expected), "{a} against {b}");
        }
    }
}
