//! PUT and PATCH of a resource: the checks in Azure's order, the body as it will be read back, the operation.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::kind::durations::{self, Act};
use crate::model::ResourceId;

use super::inline;
use super::json::{has, items, merge, remove, set, text};
use super::operation::{Start, announce, start};
use super::path::Target;
use super::provider::{Card, Fill, Headers, Put, resources};
use super::reply::{Refusal, Reply, Request};
use super::respond::view;
use super::rules;
use super::world::{OpAct, Resource, World};

/// How the sandbox fails an accepted operation on demand: code and message.
pub(super) type Failure = Option<(String, String)>;

/// The body of a write: a JSON object, or `InvalidRequestContent`.
pub(super) fn body_of(request: &Request) -> Result<Value, Refusal> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(map)) => Ok(Value::Object(map)),
        Ok(_) => Err(Refusal::bad("InvalidRequestContent", "The request content was invalid: an object was expected.")),
        Err(error) => Err(Refusal::bad(
            "InvalidRequestContent",
            format!("The request content was invalid and could not be deserialized: '{error}'."),
        )),
    }
}

/// PUT or PATCH of a resource.
pub(super) fn write(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &'static Card,
    target: &Target,
    failure: Failure,
) -> Result<Reply, Refusal> {
    let id = target.id();
    let given = body_of(request)?;
    rules::registered(world, card.namespace())?;
    rules::group(world, &id, true)?;
    rules::parent(world, &id)?;
    if let Some(list) = inline::list_of(card.arm_type) {
        return write_inline(world, now, request, card, &id, list, &given, failure);
    }
    let body = match (request.method.as_str(), world.get(&id)) {
        ("PATCH", None) => return Err(super::respond::not_found(&id)),
        ("PATCH", Some(old)) => patched(&old.body, &given),
        _ => given,
    };
    let (created, guid) = store(world, now, card, card, &id, body, failure)?;
    Ok(reply(world, request, card, &id, created, &guid))
}

/// PATCH merges; `tags` are replaced whole.
fn patched(old: &Value, patch: &Value) -> Value {
    let mut body = old.clone();
    if has(patch, "/tags") {
        set(&mut body, "/tags", Value::Object(Map::new()));
    }
    merge(&mut body, patch);
    body
}

/// Checks, completes and stores a body; answers whether it is new, and the operation that runs on it.
fn store(
    world: &mut World,
    now: Duration,
    card: &'static Card,
    timed: &'static Card,
    id: &ResourceId,
    mut body: Value,
    failure: Failure,
) -> Result<(bool, String), Refusal> {
    let old = world.get(id).cloned();
    let locks = (card.locks)(id, &body);
    check(world, now, card, id, &body, old.as_ref(), &locks)?;
    prepare(card, id, old.as_ref(), &mut body);
    let fill = Fill { id, now, old: old.as_ref().map(|old| &old.body) };
    (card.fill)(world, &fill, &mut body);
    (card.lodge)(world, &fill, &mut body)?;
    if card.etag {
        let etag = world.etag();
        set(&mut body, "/etag", etag);
    }
    let created = old.is_none();
    let state = if created { card.wire.creating } else { "Updating" };
    let resource = Resource {
        id: old.as_ref().map_or_else(|| id.clone(), |old| old.id.clone()),
        arm_type: card.arm_type.to_owned(),
        body,
        state: state.to_owned(),
        created: old.as_ref().map_or(now, |old| old.created),
    };
    world.resources.insert(id.key(), resource);
    let takes = if card.wire.at_once || (!created && card.wire.update_at_once) {
        Duration::ZERO
    } else {
        durations::of(
            timed.arm_type,
            if created || timed.arm_type != card.arm_type { Act::Create } else { Act::Update },
        )
    };
    let begin = Start {
        act: OpAct::Put,
        target: id.key(),
        arm_type: card.arm_type,
        takes,
        holds: locks,
        failure,
        purge: false,
    };
    Ok((created, start(world, now, begin)))
}

fn check(
    world: &World,
    now: Duration,
    card: &Card,
    id: &ResourceId,
    body: &Value,
    old: Option<&Resource>,
    locks: &[String],
) -> Result<(), Refusal> {
    let put = Put { world, now, id, body, old };
    rules::name_and_tags(card, &put)?;
    rules::place(card, &put)?;
    rules::immutable(card, &put)?;
    rules::exist(card, &put)?;
    rules::not_busy(world, card, id, locks)?;
    (card.check)(&put)?;
    rules::provisioned(card, &put)
}

/// Drops what nobody may send or read back, and writes what ARM itself adds.
fn prepare(card: &Card, id: &ResourceId, old: Option<&Resource>, body: &mut Value) {
    remove(body, "/properties/provisioningState");
    for at in card.withheld {
        remove(body, at);
    }
    let id = old.map_or(id, |old| &old.id);
    set(body, "/id", id.as_str());
    set(body, "/name", id.name());
    set(body, "/type", card.arm_type);
    if let Some(region) = resources::region(text(body, "/location")) {
        set(body, "/location", region);
    }
    let properties = body.get("properties").is_some_and(Value::is_object);
    if !properties {
        set(body, "/properties", Value::Object(Map::new()));
    }
}

fn reply(world: &World, request: &Request, card: &Card, id: &ResourceId, created: bool, guid: &str) -> Reply {
    let Some(resource) = world.get(id) else { return Reply::empty(200) };
    let body = view(world, resource);
    let running = world.operations.get(guid).is_some_and(|op| !op.done);
    if !running {
        return Reply::of(if created { card.wire.made } else { 200 }, body);
    }
    let status = if created { card.wire.created } else { card.wire.updated };
    let accepted = if card.wire.empty { Reply::empty(status) } else { Reply::of(status, body) };
    announce(accepted, request, card, id, &place(world, resource), guid, card.wire.put)
}

/// The region that stands in polling URLs: the resource's own, or its group's.
pub(super) fn place(world: &World, resource: &Resource) -> String {
    let own = text(&resource.body, "/location");
    if !own.is_empty() && own != "global" {
        return own.to_owned();
    }
    let name = resource.id.resource_group().unwrap_or_default();
    let group = world.get(&ResourceId::group(&world.subscription, name));
    group
        .map(|g| text(&g.body, "/location").to_owned())
        .filter(|p| !p.is_empty())
        .unwrap_or_else(|| "westeurope".to_owned())
}

/// A child that is kept inside its parent: the parent's body changes, and its checks run.
#[expect(clippy::too_many_arguments, reason = "one call, and each argument is a part of the one request")]
fn write_inline(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &'static Card,
    id: &ResourceId,
    list: &str,
    given: &Value,
    failure: Failure,
) -> Result<Reply, Refusal> {
    let (Some(parent), Some(home)) = (id.parent(), id.parent().and_then(|p| super::provider::card(&p.arm_type())))
    else {
        return Err(super::respond::not_found(id));
    };
    let mut body = world.get(&parent).map(|r| r.body.clone()).unwrap_or_default();
    let mut children = items(&body, list).to_vec();
    let at = children.iter().position(|c| text(c, "/name").eq_ignore_ascii_case(id.name()));
    let mut child = match (request.method.as_str(), at) {
        ("PATCH", None) => return Err(super::respond::not_found(id)),
        ("PATCH", Some(at)) => patched(&children[at], given),
        _ => given.clone(),
    };
    set(&mut child, "/name", id.name());
    remove(&mut child, "/etag");
    match at {
        Some(at) => children[at] = child,
        None => children.push(child),
    }
    set(&mut body, list, children);
    let (_, guid) = store(world, now, home, card, &parent, body, failure)?;
    let shown = super::respond::inline_view(world, id).unwrap_or_default();
    let reply = Reply::of(if at.is_none() { 201 } else { 200 }, shown);
    let place = world.get(&parent).map(|r| place(world, r)).unwrap_or_default();
    Ok(announce(reply, request, card, &parent, &place, &guid, Headers::Async))
}
