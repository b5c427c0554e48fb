//! Reads everything that decides over a network: resources, the children that no listing of a group shows, and what they
//! mention elsewhere. GET only. What is refused is gathered, not fatal: an audit with few rights says what it did not see.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use serde_json::Value;

use super::client::Client;
use super::error::ArmError;
use crate::model::ResourceId;

/// How a type is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The version to ask with.
    pub api_version: &'static str,
    /// Lists below a resource of the type.
    pub lists: &'static [&'static str],
    /// Whether it is read where another body mentions it, in whatever group it lives.
    pub follow: bool,
}

/// How each type is read; `None`: it decides nothing.
pub type Readings = fn(arm_type: &str) -> Option<Reading>;

/// What was read.
#[derive(Debug, Default)]
pub struct Survey {
    /// Bodies by id.
    pub bodies: BTreeMap<ResourceId, Value>,
    /// What could not be read, and why.
    pub refused: Vec<(ResourceId, ArmError)>,
}

/// A resource, then what it mentions, then what that mentions: a subnet's group, a policy's parent, its IP groups.
const ROUNDS: usize = 4;

/// From this many resources of one type in one group on, a list is read instead of each.
const MANY: usize = 3;

/// Reads `seeds` and all that belongs to them, `width` calls at a time.
///
/// # Errors
/// When ARM cannot be reached or nobody is signed in. Single refusals are in the result.
pub async fn survey(
    client: &Client,
    seeds: BTreeSet<ResourceId>,
    readings: Readings,
    width: usize,
) -> Result<Survey, ArmError> {
    let mut survey = Survey::default();
    let mut seen = BTreeSet::new();
    let mut next = seeds;
    for _ in 0..ROUNDS {
        let fresh: BTreeSet<ResourceId> =
            next.into_iter().filter(|id| !seen.contains(id) && readings(&id.arm_type()).is_some()).collect();
        if fresh.is_empty() {
            break;
        }
        seen.extend(fresh.iter().cloned());
        let mut found = BTreeMap::new();
        let (lists, ones) = sorted(&fresh, readings);
        let missed = run(client, lists, width, &mut found, &mut Vec::new()).await?;
        // Where a list is refused each is asked for itself.
        let ones = ones.into_iter().chain(missed.iter().flat_map(|list| inside(&fresh, list, readings))).collect();
        run(client, ones, width, &mut found, &mut survey.refused).await?;
        let children = found.keys().flat_map(|id| below(id, readings)).collect();
        run(client, children, width, &mut found, &mut survey.refused).await?;
        next = found.values().flat_map(|body| mentioned(body, readings)).collect();
        survey.bodies.extend(found);
    }
    Ok(survey)
}

/// One call.
#[derive(Clone, Debug)]
enum Call {
    /// A resource.
    One(ResourceId, &'static str),
    /// A list: of a type in a group, or below a resource.
    List(ResourceId, String, &'static str),
}

/// Calls for resources: lists where they save calls, and single ones.
fn sorted(ids: &BTreeSet<ResourceId>, readings: Readings) -> (Vec<Call>, Vec<Call>) {
    let mut groups: BTreeMap<(ResourceId, String), Vec<&ResourceId>> = BTreeMap::new();
    let mut ones = Vec::new();
    for id in ids {
        match group_of(id).filter(|group| id.parent().as_ref() == Some(group)) {
            Some(group) => groups.entry((group, id.arm_type())).or_default().push(id),
            None => ones.extend(one(id, readings)),
        }
    }
    let mut lists = Vec::new();
    for ((group, arm_type), members) in groups {
        match readings(&arm_type) {
            Some(reading) if members.len() >= MANY => {
                lists.push(Call::List(group, format!("providers/{arm_type}"), reading.api_version));
            }
            _ => ones.extend(members.into_iter().filter_map(|id| one(id, readings))),
        }
    }
    (lists, ones)
}

fn one(id: &ResourceId, readings: Readings) -> Option<Call> {
    Some(Call::One(id.clone(), readings(&id.arm_type())?.api_version))
}

/// The single calls that a refused list stood for.
fn inside(ids: &BTreeSet<ResourceId>, list: &Call, readings: Readings) -> Vec<Call> {
    let Call::List(group, segment, _) = list else { return Vec::new() };
    let of_list = |id: &&ResourceId| {
        id.parent().as_ref() == Some(group) && segment.strip_prefix("providers/") == Some(&*id.arm_type())
    };
    ids.iter().filter(of_list).filter_map(|id| one(id, readings)).collect()
}

/// The lists below a resource.
fn below(id: &ResourceId, readings: Readings) -> Vec<Call> {
    let Some(reading) = readings(&id.arm_type()) else { return Vec::new() };
    let list = |segment: &&'static str| Call::List(id.clone(), (*segment).to_owned(), reading.api_version);
    reading.lists.iter().map(list).collect()
}

/// Carries calls out; gives back the lists that were refused.
async fn run(
    client: &Client,
    calls: Vec<Call>,
    width: usize,
    found: &mut BTreeMap<ResourceId, Value>,
    refused: &mut Vec<(ResourceId, ArmError)>,
) -> Result<Vec<Call>, ArmError> {
    let asked = calls.into_iter().map(|call| async move {
        let answer = match &call {
            Call::One(id, version) => {
                client.get(id, version).await.map(|body| body.map(|body| (id.clone(), body)).into_iter().collect())
            }
            Call::List(parent, segment, version) => {
                client.list(&format!("{parent}/{segment}"), version).await.map(by_id)
            }
        };
        (call, answer)
    });
    let mut answers = stream::iter(asked).buffer_unordered(width.max(1));
    let mut missed = Vec::new();
    while let Some((call, answer)) = answers.next().await {
        match answer {
            Ok(bodies) => found.extend(bodies),
            // A kind of workspace without computes, a zone that went meanwhile: nothing is there.
            Err(error) if error.status == Some(404) => {}
            Err(error) if is_refusal(&error) => {
                let place = match &call {
                    Call::One(id, _) => id.clone(),
                    Call::List(parent, segment, _) => ResourceId::new(format!("{parent}/{segment}")),
                };
                refused.push((place, error));
                missed.push(call);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(missed)
}

/// Whether ARM answered, and the answer concerns this one question only.
fn is_refusal(error: &ArmError) -> bool {
    error.status.is_some_and(|status| (400..500).contains(&status) && status != 401 && status != 429)
}

fn by_id(items: Vec<Value>) -> Vec<(ResourceId, Value)> {
    items.into_iter().filter_map(|item| Some((ResourceId::new(item["id"].as_str()?), item))).collect()
}

fn group_of(id: &ResourceId) -> Option<ResourceId> {
    Some(ResourceId::group(id.subscription()?, id.resource_group()?))
}

/// Ids in a body that are worth following. A subnet leads to its network; a peer is not followed: it is another's.
fn mentioned(body: &Value, readings: Readings) -> Vec<ResourceId> {
    let mut found = Vec::new();
    gather(body, &mut |text| {
        let mut id = ResourceId::new(text);
        while !readings(&id.arm_type()).is_some_and(|reading| reading.follow) {
            match id.parent().filter(|parent| parent.resource_group().is_some()) {
                Some(parent) => id = parent,
                None => return,
            }
        }
        found.push(id);
    });
    found
}

fn gather(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if text.starts_with("/subscriptions/") => take(text),
        Value::Array(items) => items.iter().for_each(|item| gather(item, take)),
        Value::Object(map) => {
            let own = |name: &str| !["virtualNetworkPeerings", "id", "privateEndpointConnections"].contains(&name);
            // `id` of a reference is worth following, the body's own is known.
            for (name, item) in map {
                let is_reference = name == "id" && !map.contains_key("properties");
                if own(name) || is_reference {
                    gather(item, take);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn readings(arm_type: &str) -> Option<Reading> {
        let reading = |follow| Some(Reading { api_version: "v", lists: &[], follow });
        match arm_type {
            "M.N/networks" | "M.N/groups" => reading(true),
            "M.N/cards" => reading(false),
            _ => None,
        }
    }

    fn ids(body: &Value) -> Vec<String> {
        mentioned(body, readings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_subnet_leads_to_its_network_and_a_peer_nowhere() {
        let group = "/subscriptions/s/resourceGroups/hub/providers/M.N";
        let body = json!({"id": format!("{group}/networks/own"), "properties": {
            "subnet": {"id": format!("{group}/networks/v/subnets/a")},
            "guard": {"id": format!("{group}/groups/g")},
            "card": {"id": format!("{group}/cards/c")},
            "virtualNetworkPeerings": [{"properties": {"remoteVirtualNetwork": {"id": format!("{group}/networks/peer")}}}]}});
        assert_eq!(ids(&body), [format!("{group}/groups/g"), format!("{group}/networks/v")]);
    }

    #[test]
    fn many_of_one_type_are_one_list() {
        let card = |group: &str, name: &str| ResourceId::group("s", group).provider("M.N/cards", name);
        let all: BTreeSet<_> = [card("g", "a"), card("g", "b"), card("g", "c"), card("h", "d")].into();
        let (lists, ones) = sorted(&all, readings);
        assert_eq!((lists.len(), ones.len()), (1, 1));
        assert_eq!(inside(&all, &lists[0], readings).len(), 3);
    }
}
