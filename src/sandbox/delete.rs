//! DELETE: what is in use stays; the rest goes at once or by an operation; a group takes everything with it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::kind::durations::{self, Act};
use crate::model::ResourceId;

use super::inline;
use super::json::{has, items, set, text};
use super::operation::{Start, announce, start};
use super::path::Target;
use super::provider::{Card, Headers, Put, card, network, resources};
use super::reply::{Refusal, Reply, Request};
use super::rules;
use super::world::{OpAct, Resource, World};
use super::write::{Failure, place};

/// DELETE of a resource.
pub(super) fn delete(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &'static Card,
    target: &Target,
    failure: Failure,
) -> Result<Reply, Refusal> {
    let id = target.id();
    let purge = request.asks("force", "true") || request.asks("forcetopurge", "true");
    if let Some(list) = inline::list_of(card.arm_type) {
        return delete_inline(world, now, request, card, &id, list);
    }
    let Some(resource) = world.get(&id).cloned() else {
        let buried = world.tombstones.get(&id.key()).is_some_and(|tomb| !tomb.protected);
        if purge && buried && card.arm_type.ends_with("/workspaces") {
            world.tombstones.remove(&id.key());
            return Ok(Reply::empty(200));
        }
        return Ok(Reply::empty(204));
    };
    let compute = card.arm_type == "Microsoft.MachineLearningServices/workspaces/computes";
    if compute && !request.query.contains_key("underlyingresourceaction") {
        return Err(Refusal::bad("BadArgument", "The query parameter underlyingResourceAction is required."));
    }
    let locks = (card.locks)(&id, &resource.body);
    let again = world
        .busy(&id.key())
        .filter(|(_, op)| op.act == OpAct::Delete && op.target == id.key())
        .map(|(guid, _)| guid.clone());
    if again.is_none() {
        locked(world, &id)?;
        rules::not_busy(world, card, &id, &locks)?;
        (card.in_use)(world, &resource)?;
        attached_free(world, &resource)?;
    }
    let takes = if card.wire.at_once && card.wire.paths != super::provider::Paths::Group {
        Duration::ZERO
    } else {
        durations::of(card.arm_type, Act::Delete)
    };
    let guid = again.unwrap_or_else(|| begin(world, now, card, &resource, takes, locks, failure, purge));
    if takes.is_zero() {
        return Ok(Reply::empty(200));
    }
    let place = place(world, &resource);
    Ok(announce(Reply::empty(202), request, card, &id, &place, &guid, card.wire.delete))
}

#[expect(clippy::too_many_arguments, reason = "they are the parts of one operation")]
fn begin(
    world: &mut World,
    now: Duration,
    card: &'static Card,
    resource: &Resource,
    takes: Duration,
    holds: Vec<String>,
    failure: Failure,
    purge: bool,
) -> String {
    if let Some(live) = world.resources.get_mut(&resource.id.key()) {
        "Deleting".clone_into(&mut live.state);
    }
    let act = OpAct::Delete;
    start(world, now, Start { act, target: resource.id.key(), arm_type: card.arm_type, takes, holds, failure, purge })
}

/// A management lock on the resource or above it.
fn locked(world: &World, id: &ResourceId) -> Result<(), Refusal> {
    let lock = world.of_type("Microsoft.Authorization/locks").find(|lock| {
        lock.id != *id && lock.id.parent().is_some_and(|scope| id.is_within(&scope) || scope.is_within(id))
    });
    match lock {
        Some(lock) => Err(Refusal::conflict(
            "ScopeLocked",
            format!(
                "The scope '{id}' cannot perform delete operation because following scope(s) are locked: '{}'. \
                 Please remove the lock and try again.",
                lock.id
            ),
        )),
        None => Ok(()),
    }
}

/// A machine's network card or a subnet's owner cannot go while something below it is busy.
fn attached_free(world: &World, resource: &Resource) -> Result<(), Refusal> {
    let busy = world.below(&resource.id).find(|child| world.busy(&child.id.key()).is_some());
    match (busy, card(&resource.arm_type)) {
        (Some(child), Some(card)) => rules::not_busy(world, card, &child.id, &[]),
        _ => Ok(()),
    }
}

fn delete_inline(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &'static Card,
    id: &ResourceId,
    list: &str,
) -> Result<Reply, Refusal> {
    let (Some(parent), true) = (id.parent(), inline::find(world, id).is_some()) else {
        return Ok(Reply::empty(204));
    };
    rules::not_busy(world, card, &parent, &[])?;
    network::subnet_free(world, id)?;
    let Some(home) = super::provider::card(&parent.arm_type()) else { return Ok(Reply::empty(204)) };
    let mut body = world.get(&parent).map(|r| r.body.clone()).unwrap_or_default();
    let left: Vec<Value> =
        items(&body, list).iter().filter(|c| !text(c, "/name").eq_ignore_ascii_case(id.name())).cloned().collect();
    set(&mut body, list, left);
    let old = world.get(&parent).cloned();
    (home.check)(&Put { world, now, id: &parent, body: &body, old: old.as_ref() })?;
    if let Some(live) = world.resources.get_mut(&parent.key()) {
        live.body = body;
        "Updating".clone_into(&mut live.state);
    }
    let takes = durations::of(card.arm_type, Act::Delete);
    let begin = Start {
        act: OpAct::Put,
        target: parent.key(),
        arm_type: home.arm_type,
        takes,
        holds: Vec::new(),
        failure: None,
        purge: false,
    };
    let guid = start(world, now, begin);
    let place = world.get(&parent).map(|r| place(world, r)).unwrap_or_default();
    Ok(announce(Reply::empty(202), request, card, &parent, &place, &guid, Headers::Both))
}

/// DELETE of a resource group: everything inside goes, users before what they use; soft-deleted twins stay behind.
pub(super) fn delete_group(
    world: &mut World,
    now: Duration,
    request: &Request,
    card: &'static Card,
    id: &ResourceId,
    failure: Failure,
) -> Result<Reply, Refusal> {
    let Some(group) = world.get(id).cloned() else {
        let name = id.name();
        return Err(Refusal::new(404, "ResourceGroupNotFound", format!("Resource group '{name}' could not be found.")));
    };
    let running = world.busy(&id.key()).map(|(guid, _)| guid.clone());
    let guid = if let Some(guid) = running {
        guid
    } else {
        locked(world, id)?;
        let slowest = empty_group(world, now, id);
        let takes = slowest + durations::of(resources::GROUP, Act::Delete);
        begin(world, now, card, &group, takes, Vec::new(), failure, false)
    };
    let place = place(world, &group);
    Ok(announce(Reply::empty(202), request, card, id, &place, &guid, Headers::Location))
}

/// Schedules the delete of everything in the group and answers how long that takes.
fn empty_group(world: &mut World, now: Duration, group: &ResourceId) -> Duration {
    let inside: Vec<Resource> = world.below(group).filter(|r| top(&r.id) && !follows(r)).cloned().collect();
    let mut ends: BTreeMap<String, Duration> = BTreeMap::new();
    // Each round places the resources whose users are all placed; a circle (Azure knows none) is cut by the bound.
    for _ in 0..=inside.len() {
        for resource in inside.iter().filter(|r| !ends.contains_key(&r.id.key())).collect::<Vec<_>>() {
            let users: Vec<&Resource> =
                inside.iter().filter(|r| r.id != resource.id && network::mentions(&r.body, &resource.id)).collect();
            if users.iter().all(|user| ends.contains_key(&user.id.key())) {
                let ready = users.iter().filter_map(|user| ends.get(&user.id.key())).max().copied().unwrap_or_default();
                ends.insert(resource.id.key(), ready + durations::of(&resource.arm_type, Act::Delete));
            }
        }
    }
    for resource in &inside {
        let takes = ends.get(&resource.id.key()).copied().unwrap_or_default();
        let arm_type = card(&resource.arm_type).map_or(resources::GROUP, |card| card.arm_type);
        if let Some(live) = world.resources.get_mut(&resource.id.key()) {
            "Deleting".clone_into(&mut live.state);
        }
        let begin = Start {
            act: OpAct::Delete,
            target: resource.id.key(),
            arm_type,
            takes,
            holds: Vec::new(),
            failure: None,
            purge: false,
        };
        start(world, now, begin);
    }
    ends.values().max().copied().unwrap_or_default()
}

/// Whether the id stands directly in its group.
fn top(id: &ResourceId) -> bool {
    id.parent().is_some_and(|parent| parent.arm_type().eq_ignore_ascii_case(resources::GROUP))
}

/// Disks and endpoints' network cards go with their owner, which they name as it names them.
fn follows(resource: &Resource) -> bool {
    has(&resource.body, "/managedBy") || has(&resource.body, "/properties/privateEndpoint/id")
}
