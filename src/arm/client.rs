//! The door: read, write, delete, act, list, wait. Knows ids, versions, bodies and replies; no kinds, no plans.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{HttpClient, Method};
use serde_json::Value;
use uuid::Uuid;

use super::account;
use super::calls::Calls;
use super::clock::Clock;
use super::cloud::Cloud;
use super::error::{ArmError, Class};
use super::exchange::Door;
use super::operation::{self, Begun, Poll};
use super::pace;
use super::reply::{LONGEST_PAUSE, Reply};
use super::request::{Call, Takes};
use crate::model::{Cause, Flavour, Operation, ResourceId};

/// What a client is made of.
#[derive(Clone)]
pub struct Parts {
    /// Carries the requests: the network, a sandbox, a recorder.
    pub transport: Arc<dyn HttpClient>,
    /// Gives tokens.
    pub credential: Arc<dyn TokenCredential>,
    /// Where to.
    pub cloud: Cloud,
    /// Whose time counts.
    pub clock: Clock,
    /// Ties the requests of one run together in Azure's activity log.
    pub correlation: Uuid,
    /// Numbers from 0 to 1 that spread repeats apart; a simulation gives its own, so that it can be played again.
    pub chance: Chance,
}

/// Where numbers from 0 to 1 come from.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

impl Parts {
    /// Parts with a correlation id of their own.
    #[must_use]
    pub fn new(
        transport: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        clock: Clock,
    ) -> Self {
        Self { transport, credential, cloud, clock, correlation: Uuid::new_v4(), chance: Arc::new(rand::random) }
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("cloud", &self.cloud).field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// The end of sending: done, or under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// Carried out; the body that came back, or null.
    Done(Value),
    /// Azure works on it.
    Running {
        /// Where to ask how it goes.
        operation: Operation,
        /// The body that came back, or null.
        body: Value,
    },
}

/// What a caller may want to show while it waits.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// The request will be sent again.
    Retrying {
        /// The pause before.
        after: Duration,
        /// Why.
        cause: Cause,
    },
    /// An operation still runs.
    Waiting {
        /// Azure's word for its state.
        status: String,
    },
}

/// Where notes go.
pub type Notes<'a> = &'a (dyn Fn(Note) + Send + Sync);

/// An operation that runs this long beyond its expected time is not waited for any more (the longest of azurerm's
/// default timeouts).
const CEILING: Duration = Duration::from_secs(90 * 60);

/// How long after the ceiling the last question is asked.
const LAST: Duration = Duration::from_secs(1);

/// Pages of a list that are read at most: a list that never ends is an error of the server.
const PAGES: usize = 1000;

/// A door to one ARM. Clones share everything.
#[derive(Clone, Debug)]
pub struct Client {
    door: Arc<Door>,
}

impl Client {
    /// A door made of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { door: Arc::new(Door::new(parts)) }
    }

    /// The resource as it is; `None` where it, its parent or its group is not there.
    ///
    /// # Errors
    /// When ARM refuses or cannot be reached.
    pub async fn get(&self, id: &ResourceId, api_version: &str) -> Result<Option<Value>, ArmError> {
        let call = Call::new(Method::Get, self.door.address.of(id, api_version, ""), Takes::Absence);
        match self.door.send(&call, &silence).await {
            Ok(reply) if reply.status == 404 => match ArmError::refusal(&reply).of_request(&call.shown()) {
                error if is_absence(&error) => Ok(None),
                error => Err(error),
            },
            Ok(reply) if reply.body.is_null() => Ok(None),
            Ok(reply) => Ok(Some(reply.body)),
            // Nothing of an unregistered provider can exist.
            Err(error) if error.class == Class::Unregistered => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates or updates. Sent again as often as its errors are worth it: the same body has the same effect. A
    /// provider that the subscription has not registered is registered on the way.
    ///
    /// # Errors
    /// When ARM refuses or cannot be reached.
    pub async fn put(
        &self,
        id: &ResourceId,
        api_version: &str,
        body: &Value,
        notes: Notes<'_>,
    ) -> Result<Sent, ArmError> {
        let call = Call::new(Method::Put, self.door.address.of(id, api_version, ""), Takes::Success).with(body);
        let reply = match self.door.send(&call, notes).await {
            Err(error) if error.class == Class::Unregistered => {
                account::register_for(self, id, &error).await?;
                self.door.send(&call, notes).await
            }
            sent => sent,
        }?;
        Ok(self.sent(Begun::Write, &call, reply))
    }

    /// Removes; `query` is an extra such as `force=true`, or empty. An absent resource is a removed one.
    ///
    /// # Errors
    /// When ARM refuses or cannot be reached.
    pub async fn delete(
        &self,
        id: &ResourceId,
        api_version: &str,
        query: &str,
        notes: Notes<'_>,
    ) -> Result<Sent, ArmError> {
        let call = Call::new(Method::Delete, self.door.address.of(id, api_version, query), Takes::Absence);
        let reply = self.door.send(&call, notes).await?;
        if reply.status == 404 {
            return match ArmError::refusal(&reply).of_request(&call.shown()) {
                error if is_absence(&error) => Ok(Sent::Done(Value::Null)),
                error => Err(error),
            };
        }
        // A later GET of the bare resource must not carry the extra query.
        let watched = Call { path: self.door.address.of(id, api_version, ""), ..call };
        Ok(self.sent(Begun::Delete, &watched, reply))
    }

    /// Acts, waits for the end if the act takes time, and returns what came back.
    ///
    /// # Errors
    /// When ARM refuses or cannot be reached, or the act ends badly.
    pub async fn post(&self, path: &str, api_version: &str, body: &Value) -> Result<Value, ArmError> {
        let call = Call::new(Method::Post, self.door.address.path(path, api_version, ""), Takes::Success);
        let call = if body.is_null() { call } else { call.with(body) };
        let reply = self.door.send(&call, &silence).await?;
        let begun = operation::begun(Begun::Write, &call.path, &reply, self.hint(&reply));
        match begun.filter(|o| o.flavour != Flavour::Provisioning) {
            None => Ok(reply.body),
            Some(operation) => {
                let last = self.follow(operation, &call.path, Duration::ZERO, &silence).await?;
                Ok(last.body)
            }
        }
    }

    /// Every item of a list, page by page. Of a `nextLink` only path and query are used.
    ///
    /// # Errors
    /// When ARM refuses or cannot be reached, or the list never ends.
    pub async fn list(&self, path: &str, api_version: &str) -> Result<Vec<Value>, ArmError> {
        let mut items = Vec::new();
        let mut next = Some(self.door.address.path(path, api_version, ""));
        for _ in 0..PAGES {
            let Some(page) = next else { return Ok(items) };
            let mut reply = self.door.send(&Call::new(Method::Get, page, Takes::Success), &silence).await?;
            if let Some(Value::Array(found)) = reply.body.get_mut("value").map(Value::take) {
                items.extend(found);
            }
            let link = reply.member("nextLink").and_then(Value::as_str).filter(|link| !link.is_empty());
            next = link.and_then(operation::path_and_query);
        }
        Err(ArmError::local(Class::Protocol, format!("the list {path} has no end")))
    }

    /// Waits for the end of an operation. `expected` is the time it usually takes, zero if unknown; it only spaces
    /// the questions.
    ///
    /// # Errors
    /// The operation's own failure, or ARM cannot be asked any more.
    pub async fn wait(
        &self,
        operation: &Operation,
        resource: &ResourceId,
        api_version: &str,
        expected: Duration,
        notes: Notes<'_>,
    ) -> Result<(), ArmError> {
        let home = self.door.address.of(resource, api_version, "");
        self.follow(operation.clone(), &home, expected, notes).await.map(drop)
    }

    /// Whose time counts.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.door.parts.clock
    }

    /// The cloud behind the door.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.door.parts.cloud
    }

    /// The id that ties this run's requests together in Azure's activity log.
    #[must_use]
    pub fn correlation(&self) -> Uuid {
        self.door.parts.correlation
    }

    /// What it cost so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.door.counter.read()
    }

    fn sent(&self, verb: Begun, call: &Call, reply: Reply) -> Sent {
        match operation::begun(verb, &call.path, &reply, self.hint(&reply)) {
            Some(operation) => {
                if verb == Begun::Delete {
                    self.door.deletes(&operation.url);
                }
                Sent::Running { operation, body: reply.body }
            }
            None => Sent::Done(reply.body),
        }
    }

    /// The server's hint in whole seconds of our clock, for the journal.
    fn hint(&self, reply: &Reply) -> Option<u64> {
        let hint = self.clock().of_wall(reply.retry_after()?);
        Some(hint.as_secs() + u64::from(hint.subsec_millis() > 500))
    }

    /// Polls to the end. `home` is the resource's own path and query: asked where the polling URL is lost.
    async fn follow(
        &self,
        mut operation: Operation,
        home: &str,
        expected: Duration,
        notes: Notes<'_>,
    ) -> Result<Reply, ArmError> {
        let clock = self.clock();
        let begun = clock.now();
        let mut hint = operation.retry_after.map(|pause| Duration::from_secs(pause).min(LONGEST_PAUSE));
        let mut lost = false;
        let tempo = &self.door.tempo;
        let mut probes = tempo.probes(expected);
        loop {
            let age = clock.now().saturating_sub(begun);
            if age > expected + CEILING {
                let text = format!("still running after {} minutes", age.as_secs() / 60);
                return Err(ArmError::local(Class::Unknown, text).of_request(&operation.url));
            }
            let pause = if probes { pace::early(age, expected, hint) } else { pace::next(age, expected, hint) };
            // A server that asks for a pause beyond the ceiling is asked once more at the ceiling.
            let pause = pause.min((expected + CEILING).saturating_sub(age) + LAST);
            tokio::select! {
                () = clock.sleep(pause) => {}
                () = tempo.turned_swift(), if !probes => {}
            }
            probes |= tempo.is_swift();
            let call = Call::new(Method::Get, operation.url.clone(), Takes::Verdicts);
            let reply = self.door.send(&call, notes).await?;
            hint = reply.retry_after().map(|wall| clock.of_wall(wall)).or(hint);
            let age = clock.now().saturating_sub(begun);
            match operation::read(operation.flavour, &reply, age) {
                // Of an operation resumed from a journal it is not known whether it is a delete: what is not there is
                // not being made either.
                _ if lost && reply.status == 404 => return Ok(reply),
                Poll::Again { status } => notes(Note::Waiting { status }),
                Poll::Done => {
                    tempo.learn(age, expected);
                    return Ok(reply);
                }
                Poll::Failed(error) => return Err(error.of_request(&call.shown())),
                Poll::Lost(error) => {
                    tracing::debug!(url = %call.shown(), code = %error.code, "asking the resource instead");
                    lost = true;
                    let delete = self.door.is_delete(&operation.url);
                    let flavour = if delete { Flavour::Gone } else { Flavour::Provisioning };
                    operation = Operation { flavour, url: home.to_owned(), ..operation };
                }
            }
        }
    }
}

/// For requests whose repeats nobody watches.
pub(super) fn silence(_: Note) {}

/// Whether a 404 speaks of the resource, not of a wrong subscription or an unknown type.
fn is_absence(error: &ArmError) -> bool {
    let other = ["SubscriptionNotFound", "InvalidSubscriptionId", "InvalidResourceType", "InvalidResourceNamespace"];
    !other.iter().any(|code| error.has_code(code))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
