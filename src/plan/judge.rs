//! What must happen to each resource that should be, and why: one verdict each. Makes no steps and orders nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::diff::{self, Chosen, Sides};
use super::error::Problem;
use super::graph::Graph;
use super::{Consent, Kinds, merge, owner};
use crate::kind::{Delete, Holds, Kind};
use crate::model::{Address, Change, Desired, Known, Late, Observed, Origin, Reason, ResourceId, State};

/// What to do with one resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    /// What has to be deleted before.
    pub(super) removes: Option<ResourceId>,
    /// What to do then.
    pub(super) act: Act,
    /// Why; of no meaning for `Keep`.
    pub(super) reason: Reason,
    /// The properties that differ.
    pub(super) changes: Vec<Change>,
    /// The body to send or to record.
    pub(super) body: Value,
}

/// The act of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It is as it should be.
    Keep,
    /// It is as it should be, and only the state does not know it.
    Adopt,
    /// PUT over it.
    Update,
    /// PUT of something new.
    Create,
}

/// Everything a verdict depends on.
pub(super) struct Scene<'a> {
    pub(super) kinds: Kinds<'a>,
    pub(super) state: &'a State,
    pub(super) observed: &'a Observed,
    pub(super) consent: &'a Consent,
    pub(super) desired: BTreeMap<&'a Address, &'a Desired>,
    pub(super) graph: Graph,
    /// What the state knows, and creates of which no end is known.
    pub(super) leftovers: BTreeMap<Address, Known>,
}

/// The verdicts so far. They are given in the order of needs, so that replacements spread to what stands on them.
#[derive(Default)]
pub(super) struct Verdicts {
    pub(super) by_address: BTreeMap<Address, Verdict>,
    pub(super) problems: Vec<Problem>,
    /// Resources that go and come back, with everything in them.
    replaced: BTreeSet<Address>,
    /// Resources that were gone and come back empty: what refers to them must be written again, because a zone group
    /// or a diagnostic setting does not notice that its target is a new one.
    remade: BTreeSet<Address>,
}

/// How a resource that is there came to be ours.
#[derive(Clone, Copy, PartialEq)]
enum Claim {
    /// The state knows it.
    Known,
    /// It carries our tag, or a journal entry of ours.
    Ours,
    /// The user gave it to us.
    Given,
}

/// A live resource with its history.
struct Standing<'a> {
    applied: Option<&'a Value>,
    live: &'a Value,
    claim: Claim,
    /// Azure's twin stands in for it: nothing of ours to delete.
    alias: bool,
}

impl<'a> Scene<'a> {
    /// Judges every desired resource whose kind is known, in `order`.
    pub(super) fn judge(&self, order: &[Address]) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for address in order {
            let Some(desired) = self.desired.get(address) else { continue };
            match (self.kinds)(address.kind()) {
                Some(kind) => self.judge_one(desired, kind, &mut verdicts),
                None => verdicts.problems.push(Problem::UnknownKind { address: address.clone() }),
            }
        }
        verdicts
    }

    fn judge_one(&self, desired: &Desired, kind: &Kind, verdicts: &mut Verdicts) {
        let is_known = self.state.resources.contains_key(&desired.address);
        let verdict = match self.leftovers.get(&desired.address) {
            Some(known) if known.id != desired.id => self.renamed(desired, kind, known, verdicts),
            Some(known) if is_known => self.known(desired, kind, known, verdicts),
            _ => self.unknown(desired, kind, verdicts),
        };
        if verdict.act == Act::Create && matches!(verdict.reason, Reason::Vanished | Reason::Recovered) {
            verdicts.remade.insert(desired.address.clone());
        }
        if verdict.removes.is_some() {
            verdicts.replaced.insert(desired.address.clone());
        }
        verdicts.by_address.insert(desired.address.clone(), verdict);
    }

    fn known(&self, desired: &Desired, kind: &Kind, known: &Known, verdicts: &mut Verdicts) -> Verdict {
        match self.observed.live.get(known.alias.as_ref().unwrap_or(&known.id)) {
            None => self.create(desired, kind, Reason::Vanished),
            Some(live) => {
                let alias = known.alias.is_some();
                let standing = Standing { applied: Some(&known.applied), live, claim: Claim::Known, alias };
                let verdict = self.standing(desired, kind, &standing, verdicts);
                if verdict.act == Act::Keep && self.is_untold(&desired.address, live) {
                    return Verdict { act: Act::Adopt, reason: Reason::Found, ..verdict };
                }
                verdict
            }
        }
    }

    /// Whether somebody waits for a value that Azure shows and the state does not have: an older version of ours did
    /// not ask for it. Adopting once more reads it.
    fn is_untold(&self, address: &Address, live: &Value) -> bool {
        let lates = self.desired.values().flat_map(|d| d.lates()).filter(|late| late.of == *address);
        let told = |late: &Late| self.state.reported(address, &late.at).is_some_and(|value| !value.is_null());
        lates.into_iter().any(|late| !told(&late) && live.pointer(&late.at).is_some_and(|value| !value.is_null()))
    }

    /// The old one goes; the new one is judged as if nothing were known.
    fn renamed(&self, desired: &Desired, kind: &Kind, known: &Known, verdicts: &mut Verdicts) -> Verdict {
        let reason = Reason::Renamed { from: known.id.clone() };
        let mut verdict = self.unknown(desired, kind, verdicts);
        if known.alias.is_none() && self.observed.live.contains_key(&known.id) && kind.delete != Delete::WithParent {
            self.ask(desired, kind.holds == Holds::Data, &reason, verdicts);
            verdict.removes = Some(known.id.clone());
        }
        if verdict.act == Act::Create && verdict.reason == Reason::New {
            verdict.reason = reason;
        }
        verdict
    }

    fn unknown(&self, desired: &Desired, kind: &Kind, verdicts: &mut Verdicts) -> Verdict {
        let Some(live) = self.observed.live.get(&desired.id) else {
            return self.create(desired, kind, Reason::New);
        };
        let moved = self.moved(desired);
        let open = self.state.open.values().find(|open| open.resource == desired.id);
        let applied = moved.map(|known| &known.applied).or_else(|| open.and_then(|open| open.says.as_ref()));
        let claim = if moved.is_some() || open.is_some() || self.is_ours(&desired.id) {
            Claim::Ours
        } else {
            if !self.consent.adopt.includes(desired) {
                let (address, id) = (desired.address.clone(), desired.id.clone());
                verdicts.problems.push(Problem::InTheWay { address, id });
            }
            Claim::Given
        };
        let standing = Standing { applied, live, claim, alias: false };
        self.standing(desired, kind, &standing, verdicts)
    }

    /// What the state knows of this id under an address that is no longer used.
    fn moved(&self, desired: &Desired) -> Option<&'a Known> {
        let known = self.state.resources.iter().find(|(a, k)| k.id == desired.id && !self.desired.contains_key(a));
        known.map(|(_, known)| known)
    }

    /// Whether the resource, or the nearest one above it that can carry a tag, carries ours.
    fn is_ours(&self, id: &ResourceId) -> bool {
        let chain = std::iter::successors(Some(id.clone()), ResourceId::parent);
        let tagged = |id: &ResourceId| {
            let desired = self.desired.values().find(|d| d.id == *id)?;
            (self.kinds)(desired.address.kind()).filter(|kind| kind.tagged).map(|_| *desired)
        };
        let Some(holder) = chain.into_iter().find_map(|id| tagged(&id)) else { return false };
        let Some(live) = self.observed.live.get(&holder.id) else { return false };
        let known = self.state.resources.get(&holder.address).is_some_and(|k| k.id == holder.id);
        known || owner(live).is_some_and(|text| text.eq_ignore_ascii_case(&self.state.lineage.to_string()))
    }

    /// A resource that is not there.
    fn create(&self, desired: &Desired, kind: &Kind, reason: Reason) -> Verdict {
        let deleted = self.observed.soft_deleted.contains(&desired.id);
        let reason = if deleted { Reason::Recovered } else { reason };
        let body = if deleted { recovering(kind, &desired.body) } else { desired.body.clone() };
        Verdict { removes: None, act: Act::Create, reason, changes: Vec::new(), body }
    }

    /// A resource that is there and may be written to.
    fn standing(&self, desired: &Desired, kind: &Kind, it: &Standing<'_>, verdicts: &mut Verdicts) -> Verdict {
        let sides = Sides { kind, desired: &desired.body, applied: it.applied, live: it.live };
        let found = diff::changes(&sides, &|late| self.chosen(late, verdicts));
        let forced = found.iter().find_map(|f| f.forces.clone()).map(|at| Reason::Forced { at });
        let stands_on = |some: &BTreeSet<Address>| {
            let because = self.graph.built_on(&desired.address).find(|a| some.contains(*a))?;
            Some(Reason::Rebuilt { because: because.clone() })
        };
        let (rebuilt, again) = (stands_on(&verdicts.replaced), stands_on(&verdicts.remade));
        let mut changes: Vec<Change> = found.into_iter().map(|f| f.change).collect();
        changes.extend(failed(it.live));
        if kind.delete == Delete::WithParent {
            return self.standing_part(desired, kind, it, (changes, rebuilt.or(again)), verdicts);
        }
        let Some(reason) = forced.or(rebuilt) else { return in_place(desired, kind, it, changes, again) };
        if it.alias {
            return Verdict { changes, ..self.create(desired, kind, reason) };
        }
        self.ask(desired, kind.holds == Holds::Data || it.claim == Claim::Given, &reason, verdicts);
        // Deleting a vault leaves a soft-deleted one that holds the name.
        let body = recovering(kind, &desired.body);
        Verdict { removes: Some(desired.id.clone()), act: Act::Create, reason, changes, body }
    }

    /// A resource that ARM cannot delete alone: it comes back when its parent does, else it is written again.
    fn standing_part(
        &self,
        desired: &Desired,
        kind: &Kind,
        it: &Standing<'_>,
        (changes, rebuilt): (Vec<Change>, Option<Reason>),
        verdicts: &mut Verdicts,
    ) -> Verdict {
        let is_gone = |a: &Address| self.desired.get(a).is_some_and(|parent| desired.id.is_within(&parent.id));
        if verdicts.replaced.iter().any(is_gone) {
            let reason = rebuilt.unwrap_or(Reason::Vanished);
            verdicts.replaced.insert(desired.address.clone());
            return Verdict { changes, ..self.create(desired, kind, reason) };
        }
        in_place(desired, kind, it, changes, rebuilt)
    }

    /// Notes the problem when something would be lost and nobody agreed to it.
    fn ask(&self, desired: &Desired, loses: bool, reason: &Reason, verdicts: &mut Verdicts) {
        if loses && !self.consent.allow_replace.contains(&desired.address) {
            let (address, reason) = (desired.address.clone(), reason.clone());
            verdicts.problems.push(Problem::ReplaceNeedsConsent { address, reason });
        }
    }

    /// What is known of a late value while its resource is kept, updated or made anew.
    fn chosen(&self, late: &Late, verdicts: &Verdicts) -> Chosen {
        match verdicts.by_address.get(&late.of) {
            None => Chosen::Unknown,
            Some(Verdict { act: Act::Create, .. }) => Chosen::Moving,
            Some(_) => {
                let live = || self.observed.live.get(&self.desired.get(&late.of)?.id)?.pointer(&late.at);
                let value = self.state.reported(&late.of, &late.at).filter(|v| !v.is_null()).or_else(live);
                value.map_or(Chosen::Unknown, |value| Chosen::Value(value.clone()))
            }
        }
    }
}

/// Keeps, adopts or updates.
fn in_place(desired: &Desired, kind: &Kind, it: &Standing<'_>, changes: Vec<Change>, why: Option<Reason>) -> Verdict {
    let edited = changes.iter().any(|change| change.origin == Origin::Edit);
    let reason = match (it.claim, why) {
        (_, Some(why)) => why,
        (Claim::Ours | Claim::Given, None) => Reason::Found,
        (Claim::Known, None) if edited => Reason::Edited,
        (Claim::Known, None) => Reason::Drifted,
    };
    let again = matches!(reason, Reason::Rebuilt { .. });
    let act = match it.claim {
        _ if again || !changes.is_empty() => Act::Update,
        Claim::Known => Act::Keep,
        Claim::Ours | Claim::Given => Act::Adopt,
    };
    let body = match act {
        Act::Update => merge::with_carried(kind, &desired.body, it.applied, it.live),
        _ => desired.body.clone(),
    };
    Verdict { removes: None, act, reason, changes, body }
}

/// A resource in `Failed` is written again with the same body (`azure-facts` 5.2).
fn failed(live: &Value) -> Option<Change> {
    let state = live.pointer("/properties/provisioningState")?;
    let at = "properties/provisioningState".to_owned();
    state.as_str()?.eq_ignore_ascii_case("Failed").then(|| Change {
        at,
        from: Some(state.clone()),
        to: Some(Value::from("Succeeded")),
        origin: Origin::Drift,
    })
}

/// Only vaults must be told that a soft-deleted twin is wanted back; workspaces come back by themselves.
fn recovering(kind: &Kind, body: &Value) -> Value {
    let mut body = body.clone();
    if kind.arm_type.eq_ignore_ascii_case("Microsoft.KeyVault/vaults")
        && let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.insert("createMode".to_owned(), Value::from("recover"));
    }
    body
}
