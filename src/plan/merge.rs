//! What a PUT must carry besides our own words, because a PUT replaces: strangers' tags and their items in lists
//! that strangers may share. Invents nothing and never restores what we ourselves removed.

use serde_json::{Map, Value};

use super::compare::{by_key, equal, is_blank, member};
use super::path::{Place, segments};
use crate::kind::Kind;

/// Members that a service computes; ARM refuses or ignores them in a request (`azure-facts` 2.7, 5.2).
const READ_ONLY: [&str; 11] = [
    "etag",
    "provisioningState",
    "resourceGuid",
    "systemData",
    "purpose",
    "ipConfigurations",
    "ipConfigurationProfiles",
    "privateEndpoints",
    "serviceAssociationLinks",
    "resourceNavigationLinks",
    "hasBgpOverride",
];

/// The body to send over a live resource: `desired` plus what strangers keep in it.
pub(super) fn with_carried(kind: &Kind, desired: &Value, applied: Option<&Value>, live: &Value) -> Value {
    let mut body = desired.clone();
    if kind.tagged {
        carry_tags(&mut body, applied, live);
    }
    for rule in kind.carried.iter().chain(kind.kept) {
        let path: Vec<&str> = segments(rule).collect();
        let spot = Spot { kind, place: Place::default(), applied, live };
        spot.carry(&mut body, &path);
    }
    body
}

/// Tags that somebody else put there. Names of tags have no case.
fn carry_tags(body: &mut Value, applied: Option<&Value>, live: &Value) {
    let tags = |body: &Value| body.as_object().and_then(|map| member(map, "tags")?.as_object().cloned());
    let (ours, said) = (tags(body).unwrap_or_default(), applied.and_then(tags).unwrap_or_default());
    let foreign: Map<String, Value> = tags(live)
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| member(&ours, name).is_none() && member(&said, name).is_none())
        .collect();
    if let (false, Some(map)) = (foreign.is_empty(), body.as_object_mut()) {
        map.insert("tags".to_owned(), Value::Object(ours.into_iter().chain(foreign).collect()));
    }
}

/// The same place in what we said last and in what is there.
struct Spot<'a> {
    kind: &'a Kind,
    place: Place,
    applied: Option<&'a Value>,
    live: &'a Value,
}

impl Spot<'_> {
    fn carry(&self, body: &mut Value, path: &[&str]) {
        match path {
            [] => self.append(body),
            ["*", rest @ ..] => self.items(body, rest),
            [name, rest @ ..] => self.member(body, name, rest),
        }
    }

    fn member(&self, body: &mut Value, name: &str, rest: &[&str]) {
        let Some(live) = self.live.as_object().and_then(|map| member(map, name)) else { return };
        let below = Spot {
            kind: self.kind,
            place: self.place.member(name),
            applied: self.applied.and_then(|a| member(a.as_object()?, name)),
            live,
        };
        if body.is_null() {
            *body = Value::Object(Map::new());
        }
        let Some(map) = body.as_object_mut() else { return };
        let mut inner = map.get(name).cloned().unwrap_or_default();
        let was = inner.clone();
        below.carry(&mut inner, rest);
        if inner != was && !is_blank(Some(&inner)) {
            map.insert(name.to_owned(), inner);
        }
    }

    /// Goes on inside each item that has a live twin.
    fn items(&self, body: &mut Value, rest: &[&str]) {
        let (Some(key), Some(live), Some(items)) =
            (self.place.key(self.kind), self.live.as_array(), body.as_array_mut())
        else {
            return;
        };
        let (live, said) = (by_key(live, key), self.said().map(|said| by_key(said, key)).unwrap_or_default());
        for item in items {
            let Some(name) = by_key(std::slice::from_ref(item), key).into_keys().next() else { continue };
            if let Some((label, twin)) = live.get(&name) {
                let applied = said.get(&name).map(|(_, item)| *item);
                let below = Spot { kind: self.kind, place: self.place.item(label), applied, live: twin };
                below.carry(item, rest);
            }
        }
    }

    fn said(&self) -> Option<&[Value]> {
        self.applied.and_then(Value::as_array).map(Vec::as_slice)
    }

    /// Appends the items that are neither in the body nor among those we said last.
    fn append(&self, body: &mut Value) {
        let ours: Vec<Value> = body.as_array().cloned().unwrap_or_default();
        let said = self.said().unwrap_or_default();
        let Some(live) = self.live.as_array() else {
            // A value, not a list: somebody else's if we neither say it now nor said it last.
            if is_blank(Some(body)) && is_blank(self.applied) {
                *body = clean(self.live.clone());
            }
            return;
        };
        let foreign: Vec<Value> = if let Some(key) = self.place.key(self.kind) {
            let (ours, said) = (by_key(&ours, key), by_key(said, key));
            let is_foreign = |name: &String| !ours.contains_key(name) && !said.contains_key(name);
            by_key(live, key).into_iter().filter(|(name, _)| is_foreign(name)).map(|(_, (_, v))| v.clone()).collect()
        } else {
            let item = self.place.item("*");
            let known = |l: &Value| ours.iter().chain(said).any(|x| equal(self.kind, &item, Some(x), Some(l)));
            live.iter().filter(|l| !known(l)).cloned().collect()
        };
        if !foreign.is_empty() {
            *body = ours.into_iter().chain(foreign.into_iter().map(clean)).collect();
        }
    }
}

/// The item without what only a service may say.
fn clean(mut item: Value) -> Value {
    match &mut item {
        Value::Object(map) => {
            map.retain(|name, value| !is_read_only(name, value));
            for value in map.values_mut() {
                *value = clean(value.take());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|value| *value = clean(value.take())),
        _ => {}
    }
    item
}

/// A `type` is read-only where it names an ARM type; elsewhere it is a word such as `Allow`.
fn is_read_only(name: &str, value: &Value) -> bool {
    let names_type = || name == "type" && value.as_str().is_some_and(|text| text.contains('/'));
    READ_ONLY.iter().any(|word| word.eq_ignore_ascii_case(name)) || names_type()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NETWORK: Kind = Kind {
        keyed: &[("/properties/subnets", "name"), ("/properties/subnets/*/properties/delegations", "name")],
        carried: &["/properties/subnets", "/properties/subnets/*/properties/delegations", "/properties/peerings"],
        ..Kind::PLAIN
    };

    #[test]
    fn strangers_items_are_carried_without_noise() {
        let ours = json!({"properties": {"subnets": [{"name": "shared", "properties": {"p": 1}}]}});
        let said = json!({"properties": {"subnets": [{"name": "shared"}, {"name": "dropped"}]}});
        let live = json!({"properties": {
        "peerings": [{"name": "hub"}],
        "subnets": [
            {"name": "Shared", "etag": "1", "properties": {"p": 1, "delegations": [{"name": "theirs", "etag": "2"}]}},
            {"name": "dropped"},
            {"name": "theirs", "id": "/x", "type": "Microsoft.Network/virtualNetworks/subnets",
             "properties": {"addressPrefix": "10.0.0.0/24", "provisioningState": "Succeeded", "privateEndpoints": []}},
        ]}});
        let body = with_carried(&NETWORK, &ours, Some(&said), &live);
        let expected = json!({"properties": {
        "peerings": [{"name": "hub"}],
        "subnets": [
            {"name": "shared", "properties": {"p": 1, "delegations": [{"name": "theirs"}]}},
            {"name": "theirs", "id": "/x", "properties": {"addressPrefix": "10.0.0.0/24"}},
        ]}});
        assert_eq!(body, expected);
    }

    #[test]
    fn strangers_tags_are_carried_and_our_old_ones_are_not() {
        let ours = json!({"tags": {"A": "1"}});
        let said = json!({"tags": {"a": "0", "old": "x"}});
        let live = json!({"tags": {"a": "0", "OLD": "x", "policy": "y"}});
        let body = with_carried(&Kind::PLAIN, &ours, Some(&said), &live);
        assert_eq!(body, json!({"tags": {"A": "1", "policy": "y"}}));
    }

    #[test]
    fn a_value_of_somebody_else_is_kept_until_we_say_one() {
        let kind = Kind { kept: &["/properties/compute"], ..Kind::PLAIN };
        let live = json!({"properties": {"compute": "cpu-build"}});
        let kept = |ours: Value, said: Option<Value>| with_carried(&kind, &ours, said.as_ref(), &live);
        assert_eq!(
            kept(json!({"properties": {"a": 1}}), None),
            json!({"properties": {"a": 1, "compute": "cpu-build"}})
        );
        let ours = json!({"properties": {"compute": "ours"}});
        assert_eq!(kept(ours.clone(), None), ours);
        // What we said last and say no longer goes.
        assert_eq!(kept(json!({"properties": {}}), Some(ours)), json!({"properties": {}}));
    }

    #[test]
    fn nothing_foreign_changes_nothing() {
        let ours = json!({"properties": {"subnets": []}});
        let live = json!({"properties": {"subnets": [], "peerings": []}, "tags": {}});
        assert_eq!(with_carried(&NETWORK, &ours, None, &live), ours);
    }
}
