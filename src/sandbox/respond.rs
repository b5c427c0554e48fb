//! The whole protocol: `(world, now, request) -> reply`. Pure and deterministic; the shells add clock and socket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::model::ResourceId;

use super::fault::{Misfortune, strike};
use super::json::{fill_all, items, remove, set, text};
use super::operation::{poll, settle};
use super::path::Target;
use super::provider::network::dns;
use super::provider::{self, card, resources};
use super::reply::{Refusal, Reply, Request};
use super::world::{Resource, World};
use super::write::Failure;
use super::{delete, inline, rules, subscription, write};

/// Answers one request at sandbox time `now`. Time never runs backwards: an earlier `now` counts as the latest seen.
pub fn respond(world: &mut World, now: Duration, request: &Request) -> Reply {
    settle(world, now);
    let now = world.now;
    let misfortune = strike(&mut world.faults, request);
    let mut lost = false;
    let mut failure = None;
    match misfortune {
        Some(Misfortune::Throttle { retry_after }) => {
            let refusal = Refusal::new(
                429,
                "SubscriptionRequestsThrottled",
                "Number of requests for the subscription exceeded the limit. Please try again later.",
            );
            return trace(world, request, refusal.header("retry-after", retry_after.to_string()).into());
        }
        Some(Misfortune::ServerError) => {
            let refusal =
                Refusal::new(500, "InternalServerError", "An internal error occurred while processing the request.");
            return trace(world, request, refusal.into());
        }
        Some(Misfortune::Forbid) => {
            let message = format!(
                "The client 'sandbox' does not have authorization to perform action '{}' over scope '{}' or the scope \
                 is invalid.",
                request.method, request.path
            );
            return trace(world, request, Refusal::new(403, "AuthorizationFailed", message).into());
        }
        Some(Misfortune::DropReply) => lost = true,
        Some(Misfortune::FailOperation { code, message }) => failure = Some((code, message)),
        None => {}
    }
    let answer = authenticate(world, request).and_then(|()| dispatch(world, now, request, failure));
    let mut reply = trace(world, request, answer.unwrap_or_else(Reply::from));
    reply.lost = lost;
    reply
}

/// The identifiers that every reply of ARM carries.
fn trace(world: &mut World, request: &Request, reply: Reply) -> Reply {
    let id = world.guid();
    let correlation = request.headers.get("x-ms-correlation-request-id").cloned().unwrap_or_else(|| id.clone());
    let remaining = if request.is_write() {
        "x-ms-ratelimit-remaining-subscription-writes"
    } else {
        "x-ms-ratelimit-remaining-subscription-reads"
    };
    let mut reply = reply
        .header("x-ms-request-id", id.clone())
        .header("x-ms-routing-request-id", format!("SANDBOX:20261123T120000Z:{id}"))
        .header("x-ms-correlation-request-id", correlation)
        .header(remaining, "199")
        .header("cache-control", "no-cache");
    if let Some(given) = request.headers.get("x-ms-client-request-id")
        && request.headers.get("x-ms-return-client-request-id").is_some_and(|v| v == "true")
    {
        reply = reply.header("x-ms-client-request-id", given.clone());
    }
    if let Some(etag) =
        reply.body.as_ref().and_then(|body| body.get("etag")).and_then(Value::as_str).map(ToOwned::to_owned)
    {
        reply = reply.header("etag", etag);
    }
    if reply.body.is_some() {
        reply = reply.header("content-type", "application/json; charset=utf-8");
    }
    reply
}

fn authenticate(world: &World, request: &Request) -> Result<(), Refusal> {
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.microsoftonline.com/{}\", error=\"invalid_token\", \
         error_description=\"The authentication failed because of missing 'Authorization' header.\"",
        world.tenant
    );
    let refuse =
        |code: &str, message: &str| Err(Refusal::new(401, code, message).header("www-authenticate", challenge.clone()));
    match request.headers.get("authorization") {
        None => refuse("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
        Some(given) => match given.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") && !token.trim().is_empty() => Ok(()),
            _ => refuse("InvalidAuthenticationToken", "The access token is invalid."),
        },
    }
}

fn dispatch(world: &mut World, now: Duration, request: &Request, failure: Failure) -> Result<Reply, Refusal> {
    let id = ResourceId::new(request.path.as_str());
    if let Some(given) = id.subscription()
        && !given.eq_ignore_ascii_case(&world.subscription)
    {
        return Err(Refusal::new(
            404,
            "SubscriptionNotFound",
            format!("The subscription '{given}' could not be found."),
        ));
    }
    if request.version().is_empty() {
        return Err(Refusal::bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    if let Some(answer) = poll(world, request) {
        return answer;
    }
    if let Some(answer) = subscription::answer(world, now, request) {
        return answer;
    }
    let Some(target) = Target::parse(&request.path) else {
        return if id.resource_group().is_some() && id.as_str().matches('/').count() == 4 {
            group(world, now, request, &id, failure)
        } else {
            Err(no_route(request))
        };
    };
    resource(world, now, request, &target, failure)
}

fn no_route(request: &Request) -> Refusal {
    Refusal::new(
        404,
        "InvalidResourceType",
        format!("No resource type or action fits '{} {}'.", request.method, request.path),
    )
}

fn group(
    world: &mut World,
    now: Duration,
    request: &Request,
    id: &ResourceId,
    failure: Failure,
) -> Result<Reply, Refusal> {
    let card = card(resources::GROUP).ok_or_else(|| no_route(request))?;
    rules::version(card, request.version())?;
    let absent =
        || Refusal::new(404, "ResourceGroupNotFound", format!("Resource group '{}' could not be found.", id.name()));
    match request.method.as_str() {
        "HEAD" => Ok(Reply::empty(if world.get(id).is_some() { 204 } else { 404 })),
        "GET" => world.get(id).map(|found| Reply::of(200, view(world, found))).ok_or_else(absent),
        "PUT" | "PATCH" => subscription::write_group(world, now, request, card, id),
        "DELETE" => delete::delete_group(world, now, request, card, id, failure),
        _ => Err(no_route(request)),
    }
}

fn resource(
    world: &mut World,
    now: Duration,
    request: &Request,
    target: &Target,
    failure: Failure,
) -> Result<Reply, Refusal> {
    let arm_type = target.arm_type();
    let Some(card) = card(&arm_type) else {
        let kind = arm_type.split_once('/').map_or("", |(_, kind)| kind);
        return Err(Refusal::new(
            404,
            "InvalidResourceType",
            format!(
                "The resource type '{kind}' could not be found in the namespace '{}' for api version '{}'.",
                target.namespace,
                request.version()
            ),
        ));
    };
    rules::version(card, request.version())?;
    if !target.is_resource() {
        return match request.method.as_str() {
            "GET" => list(world, target, card.arm_type),
            _ => Err(no_route(request)),
        };
    }
    match request.method.as_str() {
        "GET" => read(world, &target.id()).map(|body| Reply::of(200, body)),
        "HEAD" => Ok(Reply::empty(if read(world, &target.id()).is_ok() { 204 } else { 404 })),
        "PUT" | "PATCH" => write::write(world, now, request, card, target, failure),
        "DELETE" => {
            rules::group(world, &target.id(), false)?;
            delete::delete(world, now, request, card, target, failure)
        }
        _ => Err(Refusal::new(
            405,
            "HttpMethodNotAllowed",
            format!("The method '{}' is not allowed here.", request.method),
        )),
    }
}

/// A resource as a GET returns it.
fn read(world: &World, id: &ResourceId) -> Result<Value, Refusal> {
    rules::group(world, id, false)?;
    if provider::is_connection(&id.arm_type()) {
        return connection_view(world, id).ok_or_else(|| not_found(id));
    }
    if let Some(found) = world.get(id) {
        return Ok(view(world, found));
    }
    if let Some(found) = inline_view(world, id) {
        return Ok(found);
    }
    let parent = id.parent().filter(|parent| world.get(parent).is_some());
    if rules::implied(&id.arm_type()) && parent.is_some() && id.name().eq_ignore_ascii_case("default") {
        return Ok(json!({"id": id.as_str(), "name": "default", "type": id.arm_type(), "properties": {}}));
    }
    Err(not_found(id))
}

/// 404 in ARM's words (`azure-facts` 11.1).
pub(super) fn not_found(id: &ResourceId) -> Refusal {
    let group = id.resource_group().unwrap_or_default();
    let arm_type = id.arm_type();
    let kinds: Vec<&str> = arm_type.split('/').collect();
    let tail = id.as_str().rsplit('/').take(kinds.len() * 2 - 2).collect::<Vec<_>>();
    let names: Vec<&str> = tail.iter().rev().skip(1).step_by(2).copied().collect();
    let short: Vec<String> = kinds.iter().skip(1).zip(&names).map(|(kind, name)| format!("{kind}/{name}")).collect();
    let path = format!("{}/{}", kinds.first().copied().unwrap_or_default(), short.join("/"));
    Refusal::new(
        404,
        "ResourceNotFound",
        format!(
            "The Resource '{path}' under resource group '{group}' was not found. For more details please go to \
             https://aka.ms/ARMResourceNotFoundFix"
        ),
    )
}

/// What a GET shows: the stored body, the state, and what other resources tell.
pub(super) fn view(world: &World, resource: &Resource) -> Value {
    let mut body = resource.body.clone();
    let Some(card) = card(&resource.arm_type) else { return body };
    if card.wire.stateful {
        set(&mut body, "/properties/provisioningState", resource.state.as_str());
    }
    (card.view)(world, resource, &mut body);
    body
}

/// The target's side of a private endpoint, as its target shows it.
fn connection_view(world: &World, id: &ResourceId) -> Option<Value> {
    let shown = view(world, world.get(&id.parent()?)?);
    let all = items(&shown, "/properties/privateEndpointConnections");
    all.iter().find(|one| text(one, "/name").eq_ignore_ascii_case(id.name())).cloned()
}

/// A child that is kept inside its parent, as a resource of its own.
pub(super) fn inline_view(world: &World, id: &ResourceId) -> Option<Value> {
    let list = inline::list_of(&id.arm_type())?;
    let parent = world.get(&id.parent()?)?;
    let shown = view(world, parent);
    let mut child = items(&shown, list).iter().find(|c| text(c, "/name").eq_ignore_ascii_case(id.name()))?.clone();
    fill_all(&mut child, "", json!({"type": id.arm_type()}));
    Some(child)
}

/// The list of a type: of a group, of the subscription, or of a parent.
fn list(world: &World, target: &Target, arm_type: &str) -> Result<Reply, Refusal> {
    let scope = match target.segments.len() {
        1 => ResourceId::new(target.scope.as_str()),
        count => ResourceId::new(format!(
            "{}/providers/{}/{}",
            target.scope,
            target.namespace,
            target.segments[..count - 1].join("/")
        )),
    };
    rules::group(world, &scope, false)?;
    if let Some(at) = inline::list_of(arm_type) {
        let parent = world.get(&scope).ok_or_else(|| not_found(&scope))?;
        let children = items(&view(world, parent), at).to_vec();
        return Ok(Reply::of(200, json!({"value": children})));
    }
    let exact = target.segments.len() > 1;
    if exact && world.get(&scope).is_none() {
        return Err(not_found(&scope));
    }
    let arm_type = if arm_type == dns::EVERY { dns::RECORD } else { arm_type };
    let here = |r: &&Resource| r.id.is_within(&scope) && (!exact || r.id.parent().as_ref() == Some(&scope));
    let found: Vec<Value> = world.of_type(arm_type).filter(here).map(|r| view(world, r)).collect();
    Ok(Reply::of(200, json!({"value": found})))
}

/// The short form of the generic listing: no properties.
pub(super) fn brief(resource: &Resource) -> Value {
    let mut body = resource.body.clone();
    remove(&mut body, "/properties");
    remove(&mut body, "/etag");
    body
}
