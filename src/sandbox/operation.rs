//! Long-running operations: their start, their end when time has come, and what polling says. No clock of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kind::durations;
use crate::model::ResourceId;

use super::provider::{Card, Headers, Paths, card, insights, polling, signature};
use super::reply::{Refusal, Reply, Request};
use super::world::{OpAct, Operation, World, stamp};

/// Operations stay readable for about a day (`azure-facts` 5.2).
const KEPT: Duration = Duration::from_secs(86_400);

/// Path words behind which an operation's identifier stands, in lower case.
const STATUS: [&str; 4] =
    ["operations", "operationstatuses", "privatednsoperationstatuses", "workspaceoperationsstatus"];
const RESULT: [&str; 4] =
    ["operationresults", "asyncoperations", "privatednsoperationresults", "workspaceoperationsresult"];

/// Lets everything happen whose time has come.
pub(super) fn settle(world: &mut World, now: Duration) {
    let now = now.max(world.now);
    loop {
        let due = world.operations.iter().filter(|(_, op)| !op.done && op.ends <= now);
        let Some(next) = due.min_by_key(|(guid, op)| (op.ends, (*guid).clone())).map(|(guid, _)| guid.clone()) else {
            break;
        };
        finish(world, &next);
    }
    world.now = now;
    world.operations.retain(|_, op| !op.done || op.ends + KEPT > now);
    world.tombstones.retain(|_, tomb| tomb.purges > now);
}

/// Ends one operation, whatever the time.
pub(super) fn finish(world: &mut World, guid: &str) {
    let Some(op) = world.operations.get_mut(guid) else { return };
    op.done = true;
    let op = op.clone();
    world.now = world.now.max(op.ends);
    match op.act {
        OpAct::Sibling => insights::make_siblings(world, &op.target, op.ends),
        OpAct::Purge => {
            world.tombstones.remove(&op.target);
        }
        OpAct::Delete if op.failure.is_none() => vanish(world, &op.target, op.purge),
        OpAct::Put | OpAct::Delete => {
            let state = if op.failure.is_some() { "Failed" } else { "Succeeded" };
            if let Some(resource) = world.resources.get_mut(&op.target) {
                state.clone_into(&mut resource.state);
            }
            if op.failure.is_none()
                && let Some(card) = card(&op.arm_type)
            {
                (card.finished)(world, &op.target);
            }
        }
    }
}

/// Takes a resource and everything below it out of the world, deepest first; `purge` skips the soft delete.
pub(super) fn vanish(world: &mut World, key: &str, purge: bool) {
    let root = ResourceId::new(key);
    let mut keys: Vec<String> =
        world.resources.values().filter(|r| r.id.is_within(&root)).map(|r| r.id.key()).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    for key in keys {
        let Some(resource) = world.resources.remove(&key) else { continue };
        super::address::release(world, &key);
        if let Some(card) = card(&resource.arm_type) {
            (card.removed)(world, &resource, purge);
        }
    }
}

/// What a new operation needs to know.
pub(super) struct Start {
    pub(super) act: OpAct,
    pub(super) target: String,
    pub(super) arm_type: &'static str,
    pub(super) takes: Duration,
    pub(super) holds: Vec<String>,
    pub(super) failure: Option<(String, String)>,
    pub(super) purge: bool,
}

/// Begins an operation; one that takes no time is over at once.
pub(super) fn start(world: &mut World, now: Duration, start: Start) -> String {
    let guid = world.guid();
    let op = Operation {
        act: start.act,
        target: start.target,
        arm_type: start.arm_type.to_owned(),
        started: now,
        ends: now + start.takes,
        done: false,
        holds: start.holds.into_iter().collect::<BTreeSet<_>>(),
        failure: start.failure,
        purge: start.purge,
    };
    world.operations.insert(guid.clone(), op);
    if start.takes.is_zero() {
        finish(world, &guid);
    }
    guid
}

/// Adds the polling headers of the provider's habit to an accepting reply.
pub(super) fn announce(
    mut reply: Reply,
    request: &Request,
    card: &Card,
    id: &ResourceId,
    place: &str,
    guid: &str,
    which: Headers,
) -> Reply {
    let url = |monitor| format!("{}{}", request.origin, polling(card, id, place, guid, request.version(), monitor));
    if matches!(which, Headers::Async | Headers::Both) {
        reply = reply.header("azure-asyncoperation", url(false)).header("azure-asyncnotification", "Enabled");
    }
    if matches!(which, Headers::Location | Headers::Both) {
        reply = reply.header("location", url(true));
    }
    match durations::retry_after(card.arm_type) {
        Some(seconds) if which != Headers::None => reply.header("retry-after", seconds.to_string()),
        _ => reply,
    }
}

/// Answers a polling URL; `None` where the path is none.
pub(super) fn poll(world: &World, request: &Request) -> Option<Result<Reply, Refusal>> {
    let mut segments = request.path.rsplit('/');
    let last = segments.next()?.to_ascii_lowercase();
    let guid = last.strip_prefix("registries-").unwrap_or(&last);
    let kind = segments.next()?.to_ascii_lowercase();
    let (status, result) = (STATUS.contains(&kind.as_str()), RESULT.contains(&kind.as_str()));
    if request.method != "GET" || !(status || result) {
        return None;
    }
    let Some(op) = world.operations.get(guid) else {
        return Some(Err(Refusal::new(404, "NotFound", format!("The operation '{guid}' was not found."))));
    };
    let card = card(&op.arm_type)?;
    if card.wire.paths == Paths::Network && request.query.get("s") != Some(&signature(guid)) {
        // Signed polling URLs must come back byte for byte.
        return Some(Err(Refusal::new(
            403,
            "AuthorizationFailed",
            "The signature of the operation URL is missing or wrong.",
        )));
    }
    let monitor = result || request.asks("monitor", "true");
    Some(Ok(if monitor { result_reply(world, request, card, op) } else { status_reply(request, card, guid, op) }))
}

fn hint(reply: Reply, op: &Operation) -> Reply {
    match durations::retry_after(&op.arm_type) {
        Some(seconds) if !op.done => reply.header("retry-after", seconds.to_string()),
        _ => reply,
    }
}

fn status_reply(request: &Request, card: &Card, guid: &str, op: &Operation) -> Reply {
    let status = match (&op.failure, op.done) {
        (_, false) => "InProgress",
        (None, true) => "Succeeded",
        (Some(_), true) => "Failed",
    };
    let mut body = json!({"status": status});
    // Network's documents carry nothing else (`azure-facts` 11.1).
    if card.wire.paths != Paths::Network {
        body["id"] = request.path.as_str().into();
        body["name"] = guid.into();
        body["startTime"] = stamp(op.started).into();
        if op.done {
            body["endTime"] = stamp(op.ends).into();
        }
    }
    if let (Some((code, message)), true) = (&op.failure, op.done) {
        body["error"] = json!({"code": code, "message": message, "details": []});
    }
    hint(Reply::of(200, body), op)
}

fn result_reply(world: &World, request: &Request, card: &Card, op: &Operation) -> Reply {
    if !op.done {
        let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let again = format!("{}{}?{}", request.origin, request.path, query.join("&"));
        return hint(Reply::empty(202).header("location", again), op);
    }
    if let Some((code, message)) = &op.failure {
        return Refusal::conflict(code, message.clone()).into();
    }
    match world.resources.get(&op.target) {
        Some(resource) if op.act == OpAct::Put => Reply::of(200, super::respond::view(world, resource)),
        _ if card.wire.paths == Paths::Network => Reply::empty(204),
        _ => Reply::of(200, Value::Null),
    }
}
