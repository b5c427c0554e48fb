//! A cloud small enough to see through, for tests of the engine: resources, operations with time, one planned crash.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Cloud, Stop};
use crate::arm::{Note, Notes, Sent};
use crate::kind::{Kind, Settled, Turn};
use crate::model::{Address, Cause, Flavour, OWNER_TAG, Open, Operation, Reason, ResourceId, Step, StepId, Verb};
use crate::plan::Plan;
use crate::store::Store;

/// How long an operation takes.
const SLOW: Duration = Duration::from_secs(100);

static THING: Kind =
    Kind { name: "thing", api_version: "v1", reports: &["/properties/address"], turn: Turn::Free, ..Kind::PLAIN };
static PLAIN: Kind = Kind { name: "plain", api_version: "v1", ..Kind::PLAIN };
static CHILD: Kind = Kind { name: "child", api_version: "v1", turn: Turn::Parent, ..Kind::PLAIN };
static GATE: Kind = Kind { name: "gate", api_version: "v1", settled: is_approved, ..Kind::PLAIN };

fn is_approved(body: &Value) -> Settled {
    match body.pointer("/properties/status").and_then(Value::as_str) {
        Some("Approved") => Settled::Yes,
        Some("Rejected") => Settled::No("the endpoint was rejected".to_owned()),
        _ => Settled::NotYet("Pending".to_owned()),
    }
}

/// The kinds of the fake.
pub(super) fn kinds(name: &str) -> Option<&'static Kind> {
    [&THING, &PLAIN, &CHILD, &GATE].into_iter().find(|kind| kind.name == name)
}

/// `thing.{name}/create`.
pub(super) fn id(name: &str) -> StepId {
    step_id("thing", name, Verb::Create)
}

pub(super) fn step_id(kind: &str, name: &str, verb: Verb) -> StepId {
    StepId::new(Address::new(kind, name), verb)
}

pub(super) fn resource(name: &str) -> ResourceId {
    ResourceId::group("s", "g").provider("Test.Fake/things", "root").child("parts", name)
}

pub(super) fn body(extra: &Value) -> Value {
    json!({"location": "here", "tags": {OWNER_TAG: "ours"}, "properties": extra})
}

pub(super) fn step(id: StepId, needs: &[StepId], extra: &Value) -> Step {
    let says = matches!(id.verb, Verb::Create | Verb::Update | Verb::Adopt).then(|| body(extra));
    Step {
        resource: resource(id.address.name()),
        body: says.clone(),
        says,
        needs: needs.to_vec(),
        reason: Reason::New,
        changes: Vec::new(),
        id,
    }
}

/// A plan that creates things, each after its needs.
pub(super) fn plan_of(steps: &[(&str, &[&str])]) -> Plan {
    let needs = |of: &[&str]| of.iter().map(|need| id(need)).collect::<Vec<_>>();
    let steps = steps.iter().map(|(name, of)| step(id(name), &needs(of), &json!({}))).collect();
    plan(steps)
}

/// A plan of these steps, in which a resource is built on what its step needs.
pub(super) fn plan(steps: Vec<Step>) -> Plan {
    let built_on = |step: &Step| step.needs.iter().map(|need| need.address.clone()).collect();
    let needs = steps.iter().map(|step| (step.id.address.clone(), built_on(step))).collect();
    Plan { steps, needs, ..Plan::default() }
}

/// What an operation does when it ends.
#[derive(Clone)]
enum Effect {
    Put(ResourceId, Value),
    Delete(ResourceId),
    Fail(Cause),
}

struct Running {
    ends: Instant,
    effect: Option<Effect>,
}

#[derive(Default)]
struct Inside {
    live: BTreeMap<ResourceId, Value>,
    running: BTreeMap<String, Running>,
    /// PUTs that took effect, by id.
    puts: BTreeMap<ResourceId, usize>,
    calls: Vec<String>,
    refusals: BTreeMap<ResourceId, Cause>,
    failures: BTreeMap<ResourceId, Cause>,
    /// Operations under way on children, whose writes must not overlap.
    busy: usize,
    overlaps: usize,
}

/// When the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    Never,
    /// Call `n` never reaches the cloud.
    Before(usize),
    /// Call `n` takes effect, its reply is lost.
    After(usize),
}

/// The fake. Names that begin with `slow` take an operation; the others answer at once.
pub(super) struct Fake {
    inside: Mutex<Inside>,
    began: Instant,
    crash: Crash,
    stop: Stop,
    /// The state file in which requests must be announced before they leave.
    state: Option<PathBuf>,
}

impl Fake {
    pub(super) fn new() -> Self {
        let stop = Stop::new();
        Self { inside: Mutex::default(), began: Instant::now(), crash: Crash::Never, stop, state: None }
    }

    /// The same cloud, met by another process.
    pub(super) fn next_process(self, crash: Crash) -> Self {
        self.inside.lock().unwrap().calls.clear();
        Self { crash, stop: Stop::new(), ..self }
    }

    /// From now on no write may leave and no operation be polled that is not on disk in the state at `path`.
    pub(super) fn watching(self, path: PathBuf) -> Self {
        Self { state: Some(path), ..self }
    }

    /// What the disk says of a step on `id`.
    fn on_disk(&self, id: &ResourceId) -> Option<Open> {
        let state = Store::read(self.state.as_ref()?).unwrap().unwrap();
        let open = state.open.into_values().find(|open| open.resource == *id);
        Some(open.unwrap_or_else(|| panic!("{id} was written to before its step was on disk")))
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Refuses every write of `name` with `cause`.
    pub(super) fn refuse(&self, name: &str, cause: Cause) {
        self.inside.lock().unwrap().refusals.insert(resource(name), cause);
    }

    /// Lets every operation on `name` fail with `cause`.
    pub(super) fn fail(&self, name: &str, cause: Cause) {
        self.inside.lock().unwrap().failures.insert(resource(name), cause);
    }

    /// Forgets what operations are called, as Azure does after a day; they go on.
    pub(super) fn forget_operations(&self) {
        let mut inside = self.inside.lock().unwrap();
        let running = std::mem::take(&mut inside.running);
        inside.running = running.into_iter().map(|(url, running)| (format!("{url}/forgotten"), running)).collect();
    }

    /// Puts a resource there behind our back.
    pub(super) fn plant(&self, name: &str, body: Value) {
        self.inside.lock().unwrap().live.insert(resource(name), body);
    }

    pub(super) fn live(&self) -> BTreeMap<ResourceId, Value> {
        self.advance();
        self.inside.lock().unwrap().live.clone()
    }

    pub(super) fn puts(&self) -> BTreeMap<ResourceId, usize> {
        self.inside.lock().unwrap().puts.clone()
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.inside.lock().unwrap().calls.clone()
    }

    /// How often two writes below one parent overlapped.
    pub(super) fn overlaps(&self) -> usize {
        self.inside.lock().unwrap().overlaps
    }

    /// Lets operations whose time has come take effect.
    fn advance(&self) {
        let inside = &mut *self.inside.lock().unwrap();
        for running in inside.running.values_mut().filter(|running| running.ends <= Instant::now()) {
            match running.effect.take() {
                Some(Effect::Put(id, body)) => {
                    inside.live.insert(id, body);
                }
                Some(Effect::Delete(id)) => {
                    inside.live.remove(&id);
                }
                Some(Effect::Fail(cause)) => running.effect = Some(Effect::Fail(cause)),
                None => {}
            }
        }
    }

    async fn call<T>(&self, text: String, act: impl FnOnce(&mut Inside) -> T) -> T {
        let count = {
            let mut inside = self.inside.lock().unwrap();
            inside.calls.push(text);
            inside.calls.len()
        };
        if self.crash == Crash::Before(count) {
            self.die().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.advance();
        let result = act(&mut self.inside.lock().unwrap());
        if self.crash == Crash::After(count) {
            self.die().await;
        }
        result
    }

    async fn die(&self) {
        self.stop.ask();
        self.stop.ask();
        std::future::pending::<()>().await;
    }
}

impl Inside {
    fn put(&mut self, id: &ResourceId, body: &Value) -> Result<Sent, Box<Cause>> {
        if let Some(cause) = self.refusals.get(id) {
            return Err(Box::new(cause.clone()));
        }
        *self.puts.entry(id.clone()).or_default() += 1;
        let mut done = body.clone();
        done["id"] = json!(id);
        done["properties"]["address"] = json!(format!("address of {}", id.name()));
        done["properties"]["provisioningState"] = json!("Succeeded");
        if !id.name().starts_with("slow") {
            self.live.insert(id.clone(), done.clone());
            return Ok(Sent::Done(done));
        }
        let mut early = done.clone();
        early["properties"]["provisioningState"] = json!("Updating");
        self.live.insert(id.clone(), early.clone());
        Ok(Sent::Running { operation: self.begin(id, Effect::Put(id.clone(), done)), body: early })
    }

    fn delete(&mut self, id: &ResourceId) -> Result<Sent, Box<Cause>> {
        if let Some(cause) = self.refusals.get(id) {
            return Err(Box::new(cause.clone()));
        }
        let Some(live) = self.live.get_mut(id) else {
            let code = "ResourceNotFound".to_owned();
            return Err(Box::new(Cause { status: Some(404), code, ..Cause::default() }));
        };
        if !id.name().starts_with("slow") {
            self.live.remove(id);
            return Ok(Sent::Done(Value::Null));
        }
        live["properties"]["provisioningState"] = json!("Deleting");
        Ok(Sent::Running { operation: self.begin(id, Effect::Delete(id.clone())), body: Value::Null })
    }

    fn begin(&mut self, id: &ResourceId, effect: Effect) -> Operation {
        let url = format!("/operations/{}", self.running.len());
        let effect = self.failures.get(id).map_or(effect, |cause| Effect::Fail(cause.clone()));
        self.running.insert(url.clone(), Running { ends: Instant::now() + SLOW, effect: Some(effect) });
        if id.name().starts_with("slow-child") {
            self.busy += 1;
            self.overlaps += usize::from(self.busy > 1);
        }
        Operation { flavour: Flavour::AsyncOperation, url, retry_after: None }
    }
}

impl Cloud for Fake {
    async fn get(&self, id: &ResourceId, _: &str) -> Result<Option<Value>, Cause> {
        Ok(self.call(format!("GET {}", id.name()), |inside| inside.live.get(id).cloned()).await)
    }

    async fn put(&self, id: &ResourceId, _: &str, body: &Value, notes: Notes<'_>) -> Result<Sent, Cause> {
        self.on_disk(id);
        notes(Note::Retrying { after: Duration::ZERO, cause: Cause::of("throttled") });
        self.call(format!("PUT {}", id.name()), |inside| inside.put(id, body)).await.map_err(|cause| *cause)
    }

    async fn delete(&self, id: &ResourceId, _: &str, _: &str, _: Notes<'_>) -> Result<Sent, Cause> {
        self.on_disk(id);
        self.call(format!("DELETE {}", id.name()), |inside| inside.delete(id)).await.map_err(|cause| *cause)
    }

    async fn wait(
        &self,
        operation: &Operation,
        resource: &ResourceId,
        _: &str,
        _: Duration,
        notes: Notes<'_>,
    ) -> Result<(), Cause> {
        if let Some(open) = self.on_disk(resource) {
            assert_eq!(open.operation.as_ref(), Some(operation), "polled before it was on disk");
        }
        loop {
            let text = format!("POLL {}", resource.name());
            let verdict = self.call(text, |inside| inside.verdict(operation, resource)).await;
            if let Some(verdict) = verdict {
                return verdict.map_err(|cause| *cause);
            }
            notes(Note::Waiting { status: "InProgress".to_owned() });
            tokio::time::sleep(Duration::from_secs(40)).await;
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

impl Inside {
    fn verdict(&mut self, operation: &Operation, resource: &ResourceId) -> Option<Result<(), Box<Cause>>> {
        match operation.flavour {
            Flavour::Gone => (!self.live.contains_key(resource)).then_some(Ok(())),
            Flavour::Provisioning => {
                let state = self.live.get(resource)?.pointer("/properties/provisioningState")?.as_str()?.to_owned();
                (state == "Succeeded").then_some(Ok(()))
            }
            _ => {
                let Some(running) = self.running.get(&operation.url) else {
                    let code = "NotFound".to_owned();
                    return Some(Err(Box::new(Cause { status: Some(404), code, ..Cause::default() })));
                };
                if running.ends > Instant::now() {
                    return None;
                }
                let verdict = match &running.effect {
                    Some(Effect::Fail(cause)) => Err(Box::new(cause.clone())),
                    _ => Ok(()),
                };
                if resource.name().starts_with("slow-child") {
                    self.busy = self.busy.saturating_sub(1);
                }
                Some(verdict)
            }
        }
    }
}
