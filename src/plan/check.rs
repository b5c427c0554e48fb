//! Safety checks over a finished plan, made apart from the code that made it. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Consent, Kinds, Plan, Problem};
use crate::kind::{Delete, Holds};
use crate::model::{Reason, Step, StepId, Verb};

/// Every rule that the plan breaks; empty for a sound plan.
#[must_use]
pub fn violations(kinds: Kinds<'_>, plan: &Plan, consent: &Consent) -> Vec<Problem> {
    let ends = plan.steps.iter().filter(|step| step.id.verb == Verb::Delete);
    let deleted: BTreeMap<_, _> = ends.map(|step| (&step.resource, &step.id)).collect();
    let ids: BTreeSet<&StepId> = plan.steps.iter().map(|step| &step.id).collect();
    let mut before: BTreeSet<&StepId> = BTreeSet::new();
    let mut problems = Vec::new();
    for step in &plan.steps {
        let mut broken = |rule: String| problems.push(Problem::Unsound { step: step.id.clone(), rule });
        for need in step.needs.iter().filter(|need| !before.contains(need)) {
            broken(format!("needs {need}, which does not come before it"));
        }
        if !before.insert(&step.id) {
            broken("is there twice".to_owned());
        }
        if let Some(rule) = body_rule(step) {
            broken(rule.to_owned());
        }
        if let Some(rule) = delete_rule(kinds, step, consent) {
            broken(rule.to_owned());
        }
        let delete = StepId::new(step.id.address.clone(), Verb::Delete);
        if writes(step) && ids.contains(&delete) && !step.needs.contains(&delete) {
            broken("does not wait for the delete of its old self".to_owned());
        }
        if let Some(other) = deleted.get(&step.resource).filter(|id| id.address != step.id.address && writes(step)) {
            broken(format!("writes what {other} deletes"));
        }
    }
    problems
}

const fn writes(step: &Step) -> bool {
    matches!(step.id.verb, Verb::Create | Verb::Update | Verb::Adopt)
}

fn body_rule(step: &Step) -> Option<&'static str> {
    let has = step.body.is_some() && step.says.is_some();
    let has_none = step.body.is_none() && step.says.is_none();
    match (writes(step), has, has_none) {
        (true, false, _) => Some("writes without a body"),
        (false, _, false) => Some("removes with a body"),
        _ => None,
    }
}

/// Data goes only by consent, or because the user removed the resource itself from the parameters.
fn delete_rule(kinds: Kinds<'_>, step: &Step, consent: &Consent) -> Option<&'static str> {
    let kind = kinds(step.id.address.kind())?;
    if step.id.verb != Verb::Delete {
        return None;
    }
    let agreed =
        matches!(step.reason, Reason::Dropped | Reason::Destroyed) || consent.allow_replace.contains(&step.id.address);
    if kind.delete == Delete::WithParent {
        Some("deletes what only goes with its parent")
    } else {
        (kind.holds == Holds::Data && !agreed).then_some("deletes data without consent")
    }
}
