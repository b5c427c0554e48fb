//! Long-running operations: where to ask after a reply, and what the answer means. Pure; sends nothing, sleeps never.
//! Rules: ARM RPC "asynchronous API reference", azure-facts 5.2 and 11.

use std::time::Duration;

use super::error::ArmError;
use super::reply::Reply;
use crate::model::{Flavour, Operation};

/// How long a 404 may mean "not replicated yet".
pub const UNSEEN_FOR: Duration = Duration::from_secs(60);

/// The verb of the request that may have begun an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// PUT or POST.
    Write,
    /// DELETE.
    Delete,
}

/// What a poll says.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    /// Still running.
    Again {
        /// Azure's word.
        status: String,
    },
    /// Ended well.
    Done,
    /// Ended badly.
    Failed(ArmError),
    /// The polling URL cannot be read, which says nothing about the operation: ask the resource.
    Lost(ArmError),
}

/// The operation that a successful reply began; `None` when all is done. `path` is the request's path and query:
/// what to poll when Azure names no other place. `retry_after` is already on the client's clock.
#[must_use]
pub fn begun(verb: Begun, path: &str, reply: &Reply, retry_after: Option<u64>) -> Option<Operation> {
    let elsewhere = |name: &str| {
        let url = path_and_query(reply.header(name)?)?;
        // Some services point at the resource itself: then its provisioningState is what to watch.
        (!same_path(&url, path)).then_some(url)
    };
    let run = |flavour, url: String| Some(Operation { flavour, url, retry_after });
    if reply.status == 204 {
        return None;
    }
    if let Some(url) = elsewhere("azure-asyncoperation") {
        return run(Flavour::AsyncOperation, url);
    }
    let pending = reply.provisioning_state().is_some_and(|state| Ending::of(state) != Some(Ending::Well));
    if let Some(url) = elsewhere("location") {
        // With 200 the header is an operation only while the body says that work goes on. With 201 it may also be
        // a mere link to what was created: a settled body wins.
        let runs = match reply.status {
            202 => true,
            201 => pending || reply.provisioning_state().is_none(),
            _ => pending && verb == Begun::Write,
        };
        if runs {
            return run(Flavour::Location, url);
        }
    }
    match verb {
        Begun::Write if pending || reply.status == 202 => run(Flavour::Provisioning, path.to_owned()),
        Begun::Delete if reply.status == 202 => run(Flavour::Gone, path.to_owned()),
        _ => None,
    }
}

/// Reads the answer of a poll. `age` is the time since the operation began, on the client's clock.
#[must_use]
pub fn read(flavour: Flavour, reply: &Reply, age: Duration) -> Poll {
    match flavour {
        Flavour::AsyncOperation => status_document(reply, age),
        Flavour::Location => location(reply, age),
        Flavour::Provisioning => resource(reply, age),
        Flavour::Gone => gone(reply),
    }
}

/// 4xx here means that reading the status failed, not that the operation did.
fn status_document(reply: &Reply, age: Duration) -> Poll {
    match reply.status {
        202 => again(reply),
        204 => Poll::Done,
        200..=299 => match reply.member("status").and_then(serde_json::Value::as_str) {
            Some(status) => judge(reply, status),
            // Some services answer with the resource, or with nothing, when all is over.
            None => match reply.provisioning_state() {
                Some(state) => judge(reply, state),
                None => Poll::Done,
            },
        },
        404 if age < UNSEEN_FOR => again(reply),
        _ => Poll::Lost(ArmError::refusal(reply)),
    }
}

fn location(reply: &Reply, age: Duration) -> Poll {
    match reply.status {
        202 => again(reply),
        // Storage answers 200 with the account while it is still being made.
        200..=299 => match reply.provisioning_state().or_else(|| bare_status(reply)) {
            Some(state) => judge(reply, state),
            None => Poll::Done,
        },
        404 if age < UNSEEN_FOR => again(reply),
        // A narrow role may lack the read action of the URL (seen with Container Registry): ask the resource.
        403 | 404 | 405 | 410 => Poll::Lost(ArmError::refusal(reply)),
        // The operation's own refusal comes out here.
        _ => Poll::Failed(ArmError::refusal(reply)),
    }
}

/// Azure ML answers its `Location` with a status document; a resource of its own would have `properties` or an id.
fn bare_status(reply: &Reply) -> Option<&str> {
    let has = |name| reply.member(name).is_some_and(|v| !v.is_null());
    let document = !has("type") && !has("location");
    reply.member("status").and_then(serde_json::Value::as_str).filter(|_| document)
}

/// A missing provisioningState means Succeeded.
fn resource(reply: &Reply, age: Duration) -> Poll {
    match reply.status {
        202 => again(reply),
        200..=299 => reply.provisioning_state().map_or(Poll::Done, |state| judge(reply, state)),
        404 if age < UNSEEN_FOR => again(reply),
        _ => Poll::Failed(ArmError::refusal(reply)),
    }
}

fn gone(reply: &Reply) -> Poll {
    match reply.status {
        404 | 410 => Poll::Done,
        200..=299 => again(reply),
        _ => Poll::Failed(ArmError::refusal(reply)),
    }
}

/// The word to show.
fn again(reply: &Reply) -> Poll {
    let word = reply.member("status").and_then(serde_json::Value::as_str).or_else(|| reply.provisioning_state());
    Poll::Again { status: word.unwrap_or("InProgress").to_owned() }
}

fn judge(reply: &Reply, state: &str) -> Poll {
    match Ending::of(state) {
        None => again(reply),
        Some(Ending::Well) => Poll::Done,
        Some(Ending::Badly) => Poll::Failed(ArmError::ended(reply, state)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Well,
    Badly,
}

impl Ending {
    /// Every word but these means "still running": services invent their own (`RegisteringDns`, `Updating`).
    fn of(state: &str) -> Option<Self> {
        match state.to_ascii_lowercase().as_str() {
            "succeeded" => Some(Self::Well),
            "failed" | "canceled" | "cancelled" => Some(Self::Badly),
            _ => None,
        }
    }
}

/// Path and query of an absolute or relative URL, byte for byte: newer ones are signed. The host is dropped, so that
/// the token never follows a header elsewhere.
#[must_use]
pub fn path_and_query(url: &str) -> Option<String> {
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => &rest[rest.find('/')?..],
        _ => url,
    };
    let rest = rest.split('#').next().unwrap_or_default();
    rest.starts_with('/').then(|| rest.to_owned())
}

fn same_path(a: &str, b: &str) -> bool {
    let path = |text: &str| text.split('?').next().unwrap_or_default().trim_end_matches('/').to_ascii_lowercase();
    path(a) == path(b)
}

#[cfg(test)]
#[path = "operation_tests.rs"]
mod tests;
