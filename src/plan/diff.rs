//! Three-way comparison: what we say, what we said last, what is there. Says what must change; decides no step.
//! We own only what we say: what a service or a stranger adds is neither a change nor drift.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::compare::{by_key, equal, is_blank, member, scalars_equal};
use super::path::Place;
use crate::kind::Kind;
use crate::model::late::secret_name;
use crate::model::{Change, Late, Origin};

/// What is known of a value that Azure chooses.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Chosen {
    /// It is known and will stay.
    Value(Value),
    /// Its resource will be made anew, so it will be another one.
    Moving,
    /// Nobody told us.
    Unknown,
}

/// One change, and what it means for the resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// For the step.
    pub(super) change: Change,
    /// Set where Azure cannot change the property in place: its pointer.
    pub(super) forces: Option<String>,
}

/// The three sides of one resource.
pub(super) struct Sides<'a> {
    /// How the type is compared.
    pub(super) kind: &'a Kind,
    /// What we say now.
    pub(super) desired: &'a Value,
    /// What we said last; `None` where we never did.
    pub(super) applied: Option<&'a Value>,
    /// What is there.
    pub(super) live: &'a Value,
}

/// Every property that must change so that `live` is as `desired` says.
pub(super) fn changes(sides: &Sides<'_>, chosen: &dyn Fn(&Late) -> Chosen) -> Vec<Found> {
    let mut walk = Walk { kind: sides.kind, history: sides.applied.is_some(), chosen, found: Vec::new() };
    let three = Three { d: Some(sides.desired), a: sides.applied, l: Some(sides.live) };
    walk.value(&Place::default(), three);
    walk.found
}

/// The three values at one place.
#[derive(Clone, Copy)]
struct Three<'a> {
    d: Option<&'a Value>,
    a: Option<&'a Value>,
    l: Option<&'a Value>,
}

struct Walk<'a> {
    kind: &'a Kind,
    history: bool,
    chosen: &'a dyn Fn(&Late) -> Chosen,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn value(&mut self, place: &Place, three: Three<'_>) {
        let Three { d, a, l } = three;
        if place.is_at_or_below(self.kind.hidden) {
            return self.hidden(place, d, a);
        }
        let live_blank = is_blank(l);
        match d {
            None | Some(Value::Null) => self.removed(place, a, l),
            Some(Value::String(text)) if Late::parse(text).is_some() || secret_name(text).is_some() => {
                self.placeholder(place, text, three);
            }
            Some(said) if live_blank && !is_blank(d) && self.is_missing_whole(place) => {
                self.missing(place, said, three);
            }
            // An empty list that we say is owned: an address that somebody lets in through it is drift.
            Some(Value::Array(items)) => self.list(place, items, a, l),
            Some(Value::Object(map)) => self.object(place, map, a, l),
            Some(d) if is_blank(Some(d)) && live_blank => {}
            Some(d) if l.is_some_and(|l| scalars_equal(self.kind, place, d, l)) => {}
            Some(d) => self.missing(place, d, three),
        }
    }

    /// Whether what is absent here can be shown as one change: no rule speaks of a part of it.
    fn is_missing_whole(&self, place: &Place) -> bool {
        !place.is_above(self.kind.hidden) && !place.is_above(self.kind.immutable)
    }

    /// The live value is absent or another one.
    fn missing(&mut self, place: &Place, d: &Value, three: Three<'_>) {
        let said = !self.history || equal(self.kind, place, Some(d), three.a);
        // What cannot change in place has not changed: the service just does not show it.
        if is_blank(three.l) && said && place.is_at_or_below(self.kind.immutable) {
            return;
        }
        self.push(place, three.l, Some(d), self.origin(place, Some(d), three.a));
    }

    /// Azure never shows it: only our own words can be compared.
    fn hidden(&mut self, place: &Place, d: Option<&Value>, a: Option<&Value>) {
        let fixed = place.is_at_or_below(self.kind.immutable);
        let unsure = !self.history && !is_blank(d) && !fixed;
        if unsure || (self.history && !equal(self.kind, place, d, a)) {
            self.push(place, a, d, Origin::Edit);
        }
    }

    fn placeholder(&mut self, place: &Place, text: &str, three: Three<'_>) {
        let said = three.a.and_then(Value::as_str).map_or(!self.history, |a| a == text);
        let origin = if said && self.history { Origin::Drift } else { Origin::Edit };
        let chosen = Late::parse(text).map_or(Chosen::Unknown, |late| (self.chosen)(&late));
        match chosen {
            Chosen::Value(value) => {
                let fits = three.l.is_some_and(|l| scalars_equal(self.kind, place, &value, l));
                let hidden = is_blank(three.l) && said && place.is_at_or_below(self.kind.immutable);
                if !fits && !hidden {
                    self.push(place, three.l, Some(&value), origin);
                }
            }
            Chosen::Unknown if said => {}
            Chosen::Moving | Chosen::Unknown => self.push(place, three.l, Some(&Value::from(text)), origin),
        }
    }

    /// We say it no longer. It goes if it is still there and somebody else does not keep it.
    fn removed(&mut self, place: &Place, a: Option<&Value>, l: Option<&Value>) {
        // No longer saying what cannot change is no reason to replace a resource.
        if is_blank(a) || is_blank(l) || place.is_at_or_below(self.kind.immutable) {
            return;
        }
        match (a, l) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => self.object(place, &Map::new(), a, l),
            (Some(Value::Array(said)), Some(Value::Array(there))) => match place.key(self.kind) {
                Some(key) => self.items(place, key, Items { d: &[], a: said, l: there, owned: false }),
                None => self.push(place, l, None, Origin::Edit),
            },
            _ => self.push(place, l, None, Origin::Edit),
        }
    }

    fn object(&mut self, place: &Place, d: &Map<String, Value>, a: Option<&Value>, l: Option<&Value>) {
        let (a, l) = (a.and_then(Value::as_object), l.and_then(Value::as_object));
        let dropped = a.into_iter().flat_map(Map::keys).filter(|name| member(d, name).is_none());
        let names: BTreeSet<&String> = d.keys().chain(dropped).collect();
        for name in names {
            let (here, said) = (member(d, name), a.and_then(|a| member(a, name)));
            let there = l.and_then(|l| live_member(l, name, here.or(said)));
            self.value(&place.member(name), Three { d: here, a: said, l: there.as_ref() });
        }
    }

    fn list(&mut self, place: &Place, d: &[Value], a: Option<&Value>, l: Option<&Value>) {
        let said = a.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let there = l.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if let Some(key) = place.key(self.kind) {
            return self.items(place, key, Items { d, a: said, l: there, owned: true });
        }
        let origin = self.origin(place, Some(&Value::from(d)), a);
        if place.is_one_of(self.kind.sets) {
            if !self.is_same_set(place, Items { d, a: said, l: there, owned: true }) {
                self.push(place, l, Some(&Value::from(d)), origin);
            }
        } else if d.len() != there.len() {
            self.push(place, l, Some(&Value::from(d)), origin);
        } else if !d.is_empty() && d.iter().all(Value::is_object) {
            for (i, (d, l)) in d.iter().zip(there).enumerate() {
                self.value(&place.item(&i.to_string()), Three { d: Some(d), a: said.get(i), l: Some(l) });
            }
        } else if !d.iter().zip(there).all(|(d, l)| self.covers(&place.item("*"), d, l)) {
            self.push(place, l, Some(&Value::from(d)), origin);
        }
    }

    /// A list whose items have names.
    fn items(&mut self, place: &Place, key: &str, items: Items<'_>) {
        let (d, a, l) = (by_key(items.d, key), by_key(items.a, key), by_key(items.l, key));
        let names: BTreeSet<&String> = d.keys().chain(a.keys()).chain(l.keys()).collect();
        let carried = place.is_one_of(self.kind.carried);
        for name in names {
            let label = [&d, &a, &l].iter().find_map(|side| side.get(name)).map_or("", |(label, _)| label.as_str());
            let here = place.item(label);
            match (d.get(name).map(item), a.get(name).map(item), l.get(name).map(item)) {
                (Some(d), a, Some(l)) => self.value(&here, Three { d: Some(d), a, l: Some(l) }),
                (Some(d), a, None) => self.push(&here, None, Some(d), self.origin(&here, Some(d), a)),
                (None, Some(_), Some(l)) => self.push(&here, Some(l), None, Origin::Edit),
                (None, None, Some(l)) if items.owned && !carried => self.push(&here, Some(l), None, Origin::Drift),
                (None, _, _) => {}
            }
        }
    }

    /// Compares without order and without repeats: services drop repeats.
    fn is_same_set(&self, place: &Place, items: Items<'_>) -> bool {
        let item = place.item("*");
        let carried = place.is_one_of(self.kind.carried);
        let is_said = |l: &Value| items.d.iter().any(|d| self.covers(&item, d, l));
        let was_said = |l: &Value| items.a.iter().any(|a| self.covers(&item, a, l));
        items.d.iter().all(|d| items.l.iter().any(|l| self.covers(&item, d, l)))
            && items.l.iter().all(|l| is_said(l) || (carried && !was_said(l)))
    }

    /// Whether everything that `d` says is so in `l`.
    fn covers(&self, place: &Place, d: &Value, l: &Value) -> bool {
        let mut walk = Walk { kind: self.kind, history: true, chosen: self.chosen, found: Vec::new() };
        walk.value(place, Three { d: Some(d), a: Some(d), l: Some(l) });
        walk.found.is_empty()
    }

    fn origin(&self, place: &Place, d: Option<&Value>, a: Option<&Value>) -> Origin {
        if self.history && equal(self.kind, place, d, a) { Origin::Drift } else { Origin::Edit }
    }

    fn push(&mut self, place: &Place, from: Option<&Value>, to: Option<&Value>, origin: Origin) {
        let value = |v: Option<&Value>| v.filter(|v| !v.is_null()).cloned();
        let change = Change { at: place.shown().to_owned(), from: value(from), to: value(to), origin };
        let forces = place.is_at_or_below(self.kind.immutable).then(|| place.pointer());
        self.found.push(Found { change, forces });
    }
}

/// The item of an entry of [`by_key`].
fn item<'a>(entry: &(String, &'a Value)) -> &'a Value {
    entry.1
}

/// The three versions of a list; `owned`: we still say the list.
#[derive(Clone, Copy)]
struct Items<'a> {
    d: &'a [Value],
    a: &'a [Value],
    l: &'a [Value],
    owned: bool,
}

/// The live member, or its twin: newer network versions answer `addressPrefix: X` with `addressPrefixes: [X]`.
fn live_member(live: &Map<String, Value>, name: &str, ours: Option<&Value>) -> Option<Value> {
    let there = member(live, name);
    if !is_blank(there) {
        return there.cloned();
    }
    let twin = match ours {
        Some(Value::Array(_)) => {
            singular(name).and_then(|one| member(live, one)).map(|one| Value::from(vec![one.clone()]))
        }
        Some(_) => plural(name).and_then(|many| member(live, &many)).map(|many| match many.as_array() {
            Some(items) if items.len() == 1 => items[0].clone(),
            _ => many.clone(),
        }),
        None => None,
    };
    twin.filter(|twin| !is_blank(Some(twin))).or_else(|| there.cloned())
}

fn plural(name: &str) -> Option<String> {
    if name.ends_with("Prefix") {
        Some(format!("{name}es"))
    } else {
        name.ends_with("Range").then(|| format!("{name}s"))
    }
}

fn singular(name: &str) -> Option<&str> {
    let one = name.strip_suffix("es").filter(|one| one.ends_with("Prefix"));
    one.or_else(|| name.strip_suffix('s').filter(|one| one.ends_with("Range")))
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
