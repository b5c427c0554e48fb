//! The last apply as the verifier goes through it: from the state's record of writes to bodies in their order. Reads the
//! state only.

use std::collections::BTreeMap;

use serde_json::Value;

use super::explain;
use crate::isolation::{Change, History};
use crate::model::{Known, Moment, ResourceId, State, Verb};

/// `None` where the state has no record, or of nothing.
pub(super) fn of(state: &State) -> Option<History> {
    let moments = state.trail.as_ref().map(|trail| &trail.moments).filter(|moments| !moments.is_empty())?;
    let known: BTreeMap<&ResourceId, &Known> = state.resources.values().map(|known| (&known.id, known)).collect();
    let mut start: BTreeMap<ResourceId, Value> =
        known.iter().map(|(id, known)| ((*id).clone(), explain::applied(known))).collect();
    let mut changes: Vec<(u64, Change)> = Vec::new();
    // From the last to the first: what a resource said after a write is what it said before the next one.
    let mut later: BTreeMap<&ResourceId, Option<Value>> = BTreeMap::new();
    for moment in moments.iter().rev() {
        let said = |body: &Value| body_at(moment, body, known.get(&moment.resource).copied());
        let last = || known.get(&moment.resource).map(|known| explain::applied(known));
        let body = if moment.step.verb == Verb::Delete {
            None
        } else {
            later.get(&moment.resource).cloned().unwrap_or_else(last)
        };
        let change = |is_end| Change {
            step: moment.step.to_string(),
            resource: moment.resource.clone(),
            body: body.clone(),
            is_end,
        };
        changes.push((moment.began, change(false)));
        changes.extend(moment.ended.map(|ended| (ended, change(true))));
        later.insert(&moment.resource, moment.before.as_ref().map(said));
    }
    for (id, before) in later {
        match before {
            Some(body) => start.insert(id.clone(), body),
            None => start.remove(id),
        };
    }
    changes.sort_by_key(|(serial, _)| *serial);
    Some(History { start, changes: changes.into_iter().map(|(_, change)| change).collect() })
}

/// What a resource said before a write, with what Azure reported of it since: addresses do not change with a write.
fn body_at(moment: &Moment, said: &Value, known: Option<&Known>) -> Value {
    let reported = known.map_or(Value::Null, |known| known.reported.clone());
    explain::laid(moment.resource.as_str(), said, &reported)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Address, StepId, Trail};

    #[test]
    fn bodies_are_put_back_in_their_order() {
        let id = ResourceId::group("s", "g").provider("M.N/a", "one");
        let address = Address::new("a", "one");
        let moment = |verb, before, began, ended| Moment {
            step: StepId::new(address.clone(), verb),
            resource: id.clone(),
            before,
            began,
            ended: Some(ended),
        };
        let mut state = State::empty(uuid::Uuid::nil());
        let known = Known {
            id: id.clone(),
            api_version: "v".to_owned(),
            applied: json!({"n": 3}),
            reported: Value::Null,
            needs: vec![],
            alias: None,
        };
        state.resources.insert(address.clone(), known);
        assert!(of(&state).is_none());
        let moments =
            vec![moment(Verb::Update, Some(json!({"n": 1})), 4, 5), moment(Verb::Update, Some(json!({"n": 2})), 6, 7)];
        state.trail = Some(Trail { is_whole: true, moments });
        let history = of(&state).unwrap();
        assert_eq!(history.start[&id]["n"], 1);
        let seen: Vec<(i64, bool)> =
            history.changes.iter().map(|c| (c.body.as_ref().unwrap()["n"].as_i64().unwrap(), c.is_end)).collect();
        assert_eq!(seen, [(2, false), (2, true), (3, false), (3, true)]);
    }
}
