//! One step: send, wait, see that it is usable, read back. Speaks to the cloud and to the loop; knows no other step.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::arm::{Note, Sent};
use crate::kind::durations::{self, Act};
use crate::kind::{Delete, Kind, Settled};
use crate::model::{Cause, Flavour, Operation, Outcome, ResourceId, StepId, Verb, What};

use super::Cloud;
use super::crew::{End, Failure, Teller};
use super::errand::Errand;

/// How long a resource may take to become usable after its operation ended (an endpoint's approval, for instance).
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Pause before a write is sent once more over a failed operation.
const AGAIN: Duration = Duration::from_secs(10);
/// Pauses between two looks grow from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(20));

/// Carries a step out.
pub(super) async fn carry_out<C: Cloud>(errand: Errand, cloud: &C, teller: Teller) -> End {
    teller.tell(errand.started()).await;
    let Errand { step, resource, kind, body, .. } = errand;
    let work = Work { cloud, teller, api_version: kind.api_version.to_owned(), kind, step, resource };
    let result = match (work.step.verb, body) {
        (Verb::Create | Verb::Update, Some(body)) => work.write_all(&body).await,
        (Verb::Create | Verb::Update, None) => Err(Failure::certain(Cause::of("the plan has no body for this step"))),
        (Verb::Delete, _) => work.remove().await,
        (Verb::Adopt, _) => work.adopt().await,
        (Verb::Forget, _) => Ok(done(Value::Null)),
    };
    work.end(result)
}

/// The provisioning state that a body shows.
pub(super) fn state_of(body: &Value) -> Option<&str> {
    body.pointer("/properties/provisioningState")?.as_str()
}

/// A step that was carried out.
pub(super) const fn done(reported: Value) -> Outcome {
    Outcome::Done { reported, alias: None }
}

/// One step's requests.
pub(super) struct Work<'a, C> {
    pub(super) cloud: &'a C,
    pub(super) teller: Teller,
    pub(super) kind: &'static Kind,
    pub(super) step: StepId,
    pub(super) resource: ResourceId,
    pub(super) api_version: String,
}

impl<C: Cloud> Work<'_, C> {
    pub(super) fn end(self, result: Result<Outcome, Failure>) -> End {
        let is_certain = result.as_ref().err().is_none_or(|failure| failure.is_certain);
        End { step: self.step, outcome: result.unwrap_or_else(Outcome::from), is_certain }
    }

    /// Writes a body, and what must be said after it.
    async fn write_all(&self, body: &Value) -> Result<Outcome, Failure> {
        let written = self.write(body).await?;
        match (self.kind.follow_up)(body) {
            Some(rest) => self.write(&rest).await,
            None => Ok(written),
        }
    }

    async fn write(&self, body: &Value) -> Result<Outcome, Failure> {
        match self.put(body).await {
            Ok(Sent::Done(body)) => self.settle(Some(body)).await.map(done),
            Ok(Sent::Running { operation, .. }) => {
                self.accepted(&operation).await;
                match self.follow(&operation).await {
                    Err(failure) if failure.is_certain && is_passing(&failure.cause) => self.write_again(body).await?,
                    followed => followed?,
                }
                self.read_back().await.map(done)
            }
            Err(failure) if failure.cause.code == "RoleAssignmentExists" => {
                let alias = existing_assignment(&self.resource, &failure.cause);
                Ok(Outcome::Done { reported: Value::Object(Map::new()), alias })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Sends a body. An attempt without an answer may have taken effect, whatever Azure says to its repetition: a refusal
    /// after one is not certain.
    async fn put(&self, body: &Value) -> Result<Sent, Failure> {
        let was_heard = AtomicBool::new(true);
        let notes = |note| {
            if let Note::Retrying { cause, .. } = &note
                && !is_refusal(cause)
            {
                was_heard.store(false, Ordering::Relaxed);
            }
            self.teller.note(note);
        };
        let sent = self.cloud.put(&self.resource, &self.api_version, body, &notes).await;
        let was_heard = was_heard.into_inner();
        sent.map_err(|cause| if was_heard { of_request(cause) } else { Failure::unknown(cause) })
    }

    /// The same body once more, over what a passing failure left behind.
    async fn write_again(&self, body: &Value) -> Result<(), Failure> {
        self.teller.note(Note::Waiting { status: "failed for now, written once more".to_owned() });
        self.cloud.sleep(AGAIN).await;
        match self.put(body).await? {
            Sent::Done(_) => Ok(()),
            Sent::Running { operation, .. } => {
                self.accepted(&operation).await;
                self.follow(&operation).await
            }
        }
    }

    async fn remove(&self) -> Result<Outcome, Failure> {
        let Delete::Own(query) = self.kind.delete else { return Ok(done(Value::Null)) };
        let notes = |note| self.teller.note(note);
        match self.cloud.delete(&self.resource, &self.api_version, query, &notes).await {
            Ok(Sent::Done(_)) => Ok(done(Value::Null)),
            Ok(Sent::Running { operation, .. }) => {
                self.accepted(&operation).await;
                self.follow_removal(&operation).await
            }
            // It, or what it was in, is gone already.
            Err(cause) if cause.status == Some(404) => Ok(done(Value::Null)),
            Err(cause) => Err(of_request(cause)),
        }
    }

    async fn adopt(&self) -> Result<Outcome, Failure> {
        let gone = || Failure::certain(Cause::of(format!("{} is not there any more", self.resource)));
        let body = self.get().await?.ok_or_else(gone)?;
        if self.provisioned(&body).await? {
            self.settle(Some(body)).await.map(done)
        } else {
            self.read_back().await.map(done)
        }
    }

    /// Waits while Azure is still working on a resource; whether it was ready at the first look. One that is not ready
    /// is written down as taken by Azure first: whatever becomes of it, it is there.
    pub(super) async fn provisioned(&self, body: &Value) -> Result<bool, Failure> {
        let Some(state) = state_of(body).filter(|state| *state != "Succeeded") else { return Ok(true) };
        let itself = self.itself(Flavour::Provisioning);
        self.accepted(&itself).await;
        if matches!(state, "Failed" | "Canceled") {
            return Err(Failure::certain(Cause::of(format!("its provisioning ended as {state}"))));
        }
        self.follow(&itself).await.map(|()| false)
    }

    /// The resource as its own progress report.
    pub(super) fn itself(&self, flavour: Flavour) -> Operation {
        let url = format!("{}?api-version={}", self.resource, self.api_version);
        Operation { flavour, url, retry_after: None }
    }

    async fn accepted(&self, operation: &Operation) {
        self.teller.tell(What::Accepted { step: self.step.clone(), operation: operation.clone() }).await;
    }

    /// Waits for the end of an operation.
    pub(super) async fn follow(&self, operation: &Operation) -> Result<(), Failure> {
        let notes = |note| self.teller.note(note);
        let arm_type = self.resource.arm_type();
        let expected = Act::of(self.step.verb).map_or(Duration::ZERO, |act| durations::of(&arm_type, act));
        let waited = self.cloud.wait(operation, &self.resource, &self.api_version, expected, &notes).await;
        waited.map_err(of_operation)
    }

    /// Waits for the end of a delete. Its operation may vanish together with the resource.
    pub(super) async fn follow_removal(&self, operation: &Operation) -> Result<Outcome, Failure> {
        match self.follow(operation).await {
            Ok(()) => Ok(done(Value::Null)),
            Err(failure) if is_forgotten(&failure.cause) && self.get().await?.is_none() => Ok(done(Value::Null)),
            Err(failure) => Err(failure),
        }
    }

    /// The resource as it is now.
    pub(super) async fn get(&self) -> Result<Option<Value>, Failure> {
        self.cloud.get(&self.resource, &self.api_version).await.map_err(Failure::unknown)
    }

    /// After an operation: looks at the resource only where something must be seen.
    pub(super) async fn read_back(&self) -> Result<Value, Failure> {
        if !reads_back(self.kind) {
            return Ok(Value::Object(Map::new()));
        }
        let body = self.get().await?;
        self.settle(body).await
    }

    /// Looks until the resource is usable and returns what it reports. `seen` is the last look, if there was one.
    pub(super) async fn settle(&self, mut seen: Option<Value>) -> Result<Value, Failure> {
        let deadline = self.cloud.now() + PATIENCE;
        let mut pause = PAUSES.0;
        loop {
            let status = match seen.as_ref().map(|body| (self.kind.settled)(body)) {
                Some(Settled::Yes) => return self.complete(seen.unwrap_or_default()).await,
                Some(Settled::No(why)) => return Err(Failure::certain(Cause::of(why))),
                Some(Settled::NotYet(status)) => status,
                // Regional replicas may answer 404 for a while after a create.
                None => "not visible yet".to_owned(),
            };
            if self.cloud.now() >= deadline {
                let text =
                    format!("{} is not usable after {} minutes: {status}", self.resource, PATIENCE.as_secs() / 60);
                return Err(Failure::unknown(Cause::of(text)));
            }
            self.teller.note(Note::Waiting { status });
            self.cloud.sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
            seen = self.get().await?;
        }
    }

    /// The reports in `body`; a reply to a PUT may lack some, then one more look decides.
    async fn complete(&self, body: Value) -> Result<Value, Failure> {
        let reported = reports(self.kind, &body);
        if reported.len() == self.kind.reports.len() {
            return Ok(Value::Object(reported));
        }
        let again = self.get().await?.map(|body| reports(self.kind, &body));
        Ok(Value::Object(again.unwrap_or(reported)))
    }
}

/// Whether an operation's end leaves something to be seen: values to report, or a rule of being usable of its own
/// (which, unlike the plain one, is not content with nothing).
fn reads_back(kind: &Kind) -> bool {
    !kind.reports.is_empty() || (kind.settled)(&Value::Null) != Settled::Yes
}

/// Pointer → value for every path that is there. A path with `*` reports the list of what it meets.
fn reports(kind: &Kind, body: &Value) -> Map<String, Value> {
    let report = |path: &&str| Some(((*path).to_owned(), at(body, path)?));
    kind.reports.iter().filter_map(report).collect()
}

fn at(body: &Value, path: &str) -> Option<Value> {
    let Some((list, rest)) = path.split_once("/*") else {
        return body.pointer(path).filter(|value| !value.is_null()).cloned();
    };
    let items = body.pointer(list)?.as_array()?;
    Some(items.iter().filter_map(|item| at(item, rest)).collect())
}

/// A request's error. Without Azure's refusal it may have taken effect.
fn of_request(cause: Cause) -> Failure {
    if is_refusal(&cause) { Failure::certain(cause) } else { Failure::unknown(cause) }
}

/// Whether a request's error is Azure's word that it had no effect.
fn is_refusal(cause: &Cause) -> bool {
    cause.status.map_or(!cause.code.is_empty(), |status| status < 500 && status != 408)
}

/// An error while waiting. Only the operation's own verdict is one; a refused or lost poll says nothing about it.
fn of_operation(cause: Cause) -> Failure {
    let is_of_the_poll = matches!(cause.status, Some(401 | 403 | 404 | 408 | 410 | 429 | 500..));
    if cause.code.is_empty() || is_of_the_poll { Failure::unknown(cause) } else { Failure::certain(cause) }
}

/// Whether an operation's failure is worth the same write once more: Azure's own trouble, or somebody else's write on the
/// same network or account (`azure-facts` 2.10, 2.16, 2.21, 5.5).
fn is_passing(cause: &Cause) -> bool {
    const CODES: [&str; 6] = [
        "InternalServerError",
        "RetryableError",
        "AnotherOperationInProgress",
        "StorageAccountOperationInProgress",
        "FirewallPolicyUpdateFailed",
        "ServiceUnavailable",
    ];
    CODES.iter().any(|code| cause.code.eq_ignore_ascii_case(code))
}

/// Whether Azure no longer knows an operation (they expire after a day or so).
pub(super) const fn is_forgotten(cause: &Cause) -> bool {
    matches!(cause.status, Some(404 | 410))
}

/// The assignment that Azure names when the same principal has the same role under another name: 32 hexadecimal
/// digits in its message, with or without hyphens. `None` where it names none, or ours.
fn existing_assignment(ours: &ResourceId, cause: &Cause) -> Option<ResourceId> {
    let texts = std::iter::once(&cause.message).chain(&cause.causes);
    let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_hexdigit() && c != '-'));
    let name = words.filter(|word| word.len() >= 32).find_map(|word| uuid::Uuid::try_parse(word).ok())?;
    let (scope, _) = ours.as_str().rsplit_once('/')?;
    Some(ResourceId::new(format!("{scope}/{name}"))).filter(|theirs| theirs != ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_existing_assignment_is_read_from_the_message() {
        let scope = "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments";
        let ours = ResourceId::new(format!("{scope}/aaaaaaaa-0000-0000-0000-000000000000"));
        let theirs = format!("{scope}/01234567-89ab-cdef-0123-456789abcdef");
        let said = |text: &str| existing_assignment(&ours, &Cause::of(text)).map(|id| id.to_string());
        let message = "The role assignment already exists. The ID of the existing role assignment is ";
        assert_eq!(said(&format!("{message}0123456789abcdef0123456789abcdef.")), Some(theirs.clone()));
        assert_eq!(said(&format!("{message}'01234567-89AB-cdef-0123-456789abcdef'.")), Some(theirs));
        assert_eq!(said("The role assignment already exists."), None);
        assert_eq!(said("It is aaaaaaaa-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn reports_are_keyed_by_path() {
        const KIND: Kind = Kind { reports: &["/a/b", "/list/*/id", "/none", "/a/null"], ..Kind::PLAIN };
        let body = json!({"a": {"b": 1, "null": null}, "list": [{"id": "x"}, {}, {"id": "y"}]});
        assert_eq!(Value::Object(reports(&KIND, &body)), json!({"/a/b": 1, "/list/*/id": ["x", "y"]}));
    }

    #[test]
    fn only_a_refusal_is_certain() {
        let cause = |status, code: &str| Cause { status, code: code.to_owned(), ..Cause::default() };
        let cases = [
            (Some(400), "BadRequest", true, true),
            (Some(409), "Conflict", true, true),
            (None, "ResourceDeploymentFailure", true, true),
            (Some(200), "SkuNotAvailable", true, true),
            (Some(403), "AuthorizationFailed", true, false),
            (Some(404), "NotFound", true, false),
            (Some(503), "ServiceUnavailable", false, false),
            (Some(408), "Timeout", false, false),
            (None, "", false, false),
        ];
        for (status, code, of_put, of_poll) in cases {
            assert_eq!(of_request(cause(status, code)).is_certain, of_put, "{status:?} {code}");
            assert_eq!(of_operation(cause(status, code)).is_certain, of_poll, "{status:?} {code}");
        }
    }
}
