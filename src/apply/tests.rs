//! Behaviour of the engine against the fake cloud, on a paused clock: order, failures, stops, crashes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake::{Crash, Fake, body, id, kinds, plan, plan_of, resource, step, step_id};
use super::ledger::Ledger;
use super::resume::resume_with;
use super::run::run_with;
use super::*;
use crate::model::{Address, Late, OWNER_TAG, Outcome, ResourceId, State, Step, Tally, Verb, What};
use crate::store::{Holder, Store};

/// A folder for the state, and what was shown.
struct Bench {
    folder: TempDir,
    secrets: Secrets,
}

/// How one process ended.
struct Life {
    result: Result<Tally, ApplyError>,
    events: Vec<Event>,
    state: State,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), secrets: Secrets::new().with("word", "p@ss".into()) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s.json")
    }

    fn store(&self) -> Store {
        let holder = Holder { command: "test".to_owned() };
        Store::open(&self.path(), &holder, Duration::ZERO).unwrap()
    }

    /// One process: settles what is open, then carries out `plan` of what is left; dies after event `deadly`.
    async fn live(&self, cloud: &Fake, plan: &Plan, deadly: Option<usize>) -> Life {
        let mut store = self.store();
        let mut events = Vec::new();
        let mut sink = |event: &Event| {
            events.push(event.clone());
            if Some(events.len()) == deadly {
                cloud.stop().ask();
                cloud.stop().ask();
            }
        };
        let mut result = resume_with(Ledger::new(&mut store, cloud, &mut sink, kinds), cloud.stop()).await;
        if result.is_ok() {
            let rest = remaining(plan, store.state());
            let options = Options { parallelism: 4, times: BTreeMap::new() };
            let ledger = Ledger::new(&mut store, cloud, &mut sink, kinds).masking(&self.secrets);
            result = run_with(ledger, &rest, &self.secrets, &options, cloud.stop()).await;
        }
        let state = store.state().clone();
        if result.is_ok() {
            store.close().unwrap();
        }
        Life { result, events, state }
    }
}

/// What a planner would still plan.
fn remaining(plan: &Plan, state: &State) -> Plan {
    let is_left = |step: &StepId| match step.verb {
        Verb::Delete => state.resources.contains_key(&step.address),
        _ => !state.resources.contains_key(&step.address),
    };
    let mut steps: Vec<Step> = plan.steps.iter().filter(|step| is_left(&step.id)).cloned().collect();
    for step in &mut steps {
        step.needs.retain(is_left);
    }
    Plan { steps, ..plan.clone() }
}

fn late(of: &str) -> String {
    Late::text(&Address::new("thing", of), "/properties/address")
}

/// Quick and slow creates, late values across them, turns, a gate.
fn environment() -> Plan {
    let child = |name| step_id("child", name, Verb::Create);
    let steps = vec![
        step(id("net"), &[], &json!({})),
        step(id("slow-wall"), &[id("net")], &json!({"net": late("net"), "word": "secret:word"})),
        step(id("route"), &[id("slow-wall")], &json!({"hop": late("slow-wall")})),
        step(child("slow-child-a"), &[id("net")], &json!({})),
        step(child("slow-child-b"), &[id("net")], &json!({})),
        step(step_id("gate", "gate", Verb::Create), &[id("route")], &json!({"status": "Approved"})),
        step(id("log"), &[], &json!({})),
    ];
    plan(steps)
}

fn removal() -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let create = environment();
    let delete = |create: &StepId| StepId::new(create.address.clone(), Verb::Delete);
    for one in create.steps.iter().rev() {
        let users = create.steps.iter().filter(|other| other.needs.contains(&one.id));
        let needs: Vec<StepId> = users.map(|user| delete(&user.id)).collect();
        steps.push(step(delete(&one.id), &needs, &Value::Null));
    }
    plan(steps)
}

fn position(events: &[Event], wanted: impl Fn(&What) -> bool) -> usize {
    events.iter().position(|event| wanted(&event.what)).unwrap()
}

fn outcome<'a>(events: &'a [Event], name: &str) -> &'a Outcome {
    let ends = events.iter().filter_map(|event| match &event.what {
        What::Ended { step, outcome } if step.address.name() == name => Some(outcome),
        _ => None,
    });
    let ends: Vec<_> = ends.collect();
    assert_eq!(ends.len(), 1, "{name} ended {} times", ends.len());
    ends[0]
}

#[tokio::test(start_paused = true)]
async fn a_calm_run_does_everything_in_order() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let life = bench.live(&cloud, &environment(), None).await;
    assert_eq!(life.result.unwrap(), Tally { created: 7, ..Tally::default() });
    assert!(life.state.open.is_empty());
    let world = cloud.live();
    assert_eq!(world[&resource("route")]["properties"]["hop"], "address of slow-wall");
    assert_eq!(world[&resource("slow-wall")]["properties"]["word"], "p@ss");
    assert_eq!(cloud.overlaps(), 0);
    for step in &environment().steps {
        let begin = position(&life.events, |what| matches!(what, What::Started { step: of, .. } if *of == step.id));
        for need in &step.needs {
            let end = position(&life.events, |what| matches!(what, What::Ended { step: of, .. } if of == need));
            assert!(end < begin, "{} began before {need} ended", step.id);
        }
    }
    let known = &life.state.resources[&Address::new("thing", "slow-wall")];
    assert_eq!(known.applied["properties"]["word"], "secret:word");
    assert_eq!(known.reported, json!({"/properties/address": "address of slow-wall"}));
    assert_eq!(known.needs, [Address::new("thing", "net")]);
}

#[tokio::test(start_paused = true)]
async fn the_disk_knows_of_every_request_before_it_leaves() {
    let bench = Bench::new();
    let cloud = Fake::new().watching(bench.path());
    bench.live(&cloud, &environment(), None).await.result.unwrap();
    let cloud = cloud.next_process(Crash::Never);
    bench.live(&cloud, &removal(), None).await.result.unwrap();
    assert!(cloud.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_must_be_seen_is_read_back() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    bench.live(&cloud, &environment(), None).await.result.unwrap();
    let reads: Vec<String> = cloud.calls().into_iter().filter(|call| call.starts_with("GET")).collect();
    assert_eq!(reads, ["GET slow-wall"]);
}

#[tokio::test(start_paused = true)]
async fn no_secret_reaches_events_or_disk() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let cause = Cause { status: Some(400), code: "Weak".to_owned(), ..Cause::of("`p@ss` is too weak") };
    cloud.refuse("slow-wall", cause);
    let life = bench.live(&cloud, &environment(), None).await;
    assert!(
        matches!(outcome(&life.events, "slow-wall"), Outcome::Failed { cause } if cause.message.contains("(secret)"))
    );
    assert!(!serde_json::to_string(&life.events).unwrap().contains("p@ss"));
    for entry in std::fs::read_dir(bench.folder.path()).unwrap() {
        assert!(!std::fs::read_to_string(entry.unwrap().path()).unwrap().contains("p@ss"));
    }
}

/// Every crash point of creating, then of removing: after each event, and before and after each call takes effect.
#[tokio::test(start_paused = true)]
async fn any_crash_ends_in_the_same_environment_and_nothing_is_made_twice() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let calm = bench.live(&cloud, &environment(), None).await;
    let (calls, events) = (cloud.calls().len(), calm.events.len());
    let expected = (cloud.live(), calm.state.resources);
    assert!(calls > 10 && events > 30, "{calls} {events}");
    let crashes = (1..=calls).flat_map(|n| [(Crash::Before(n), None), (Crash::After(n), None)]);
    for (crash, deadly) in crashes.chain((1..events - 1).map(|n| (Crash::Never, Some(n)))) {
        let (bench, cloud) = (Bench::new(), Fake::new().next_process(crash));
        let first = bench.live(&cloud, &environment(), deadly).await;
        assert!(matches!(first.result, Err(ApplyError::Left)), "{crash:?} {deadly:?}");
        let cloud = cloud.next_process(Crash::Never);
        let second = bench.live(&cloud, &environment(), None).await;
        second.result.unwrap();
        assert!(second.state.open.is_empty(), "{crash:?} {deadly:?}");
        assert_eq!((cloud.live(), second.state.resources), expected, "{crash:?} {deadly:?}");
        assert!(cloud.puts().values().all(|&count| count == 1), "{crash:?} {deadly:?}: {:?}", cloud.puts());
    }
}

#[tokio::test(start_paused = true)]
async fn any_crash_of_a_removal_leaves_nothing() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    bench.live(&cloud, &environment(), None).await.result.unwrap();
    let cloud = cloud.next_process(Crash::Never);
    let calm = bench.live(&cloud, &removal(), None).await;
    assert_eq!(calm.result.unwrap(), Tally { deleted: 7, ..Tally::default() });
    assert!(cloud.live().is_empty());
    let (calls, events) = (cloud.calls().len(), calm.events.len());
    let crashes = (1..=calls).flat_map(|n| [(Crash::Before(n), None), (Crash::After(n), None)]);
    for (crash, deadly) in crashes.chain((1..events - 1).map(|n| (Crash::Never, Some(n)))) {
        let (bench, cloud) = (Bench::new(), Fake::new());
        bench.live(&cloud, &environment(), None).await.result.unwrap();
        let cloud = cloud.next_process(crash);
        let first = bench.live(&cloud, &removal(), deadly).await;
        assert!(matches!(first.result, Err(ApplyError::Left)), "{crash:?} {deadly:?}");
        let cloud = cloud.next_process(Crash::Never);
        let second = bench.live(&cloud, &removal(), None).await;
        second.result.unwrap();
        assert!(second.state.is_bare() && cloud.live().is_empty(), "{crash:?} {deadly:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_operation_is_replaced_by_a_look() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let plan = plan_of(&[("slow-a", &[])]);
    // RunStarted, Started, Retrying, Accepted.
    let first = bench.live(&cloud, &plan, Some(4)).await;
    assert!(first.state.open[&id("slow-a")].operation.is_some());
    let cloud = cloud.next_process(Crash::Never);
    cloud.forget_operations();
    let second = bench.live(&cloud, &plan, None).await;
    second.result.unwrap();
    assert_eq!(cloud.puts()[&resource("slow-a")], 1);
    assert!(cloud.calls().iter().all(|call| !call.starts_with("PUT")), "{:?}", cloud.calls());
}

#[tokio::test(start_paused = true)]
async fn a_strangers_resource_is_not_taken_for_ours() {
    let (bench, cloud) = (Bench::new(), Fake::new().next_process(Crash::Before(1)));
    let plan = plan_of(&[("a", &[])]);
    bench.live(&cloud, &plan, None).await;
    let cloud = cloud.next_process(Crash::Never);
    cloud.plant("a", json!({"tags": {OWNER_TAG: "theirs"}}));
    let mut store = bench.store();
    let mut events = Vec::new();
    let mut sink = |event: &Event| events.push(event.clone());
    let tally = resume_with(Ledger::new(&mut store, &cloud, &mut sink, kinds), cloud.stop()).await.unwrap();
    assert_eq!(tally.failed, 1);
    assert!(store.state().is_bare());
    assert!(
        matches!(outcome(&events, "a"), Outcome::Failed { cause } if cause.remedy.as_ref().unwrap().contains("--adopt"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_its_dependents_and_names_itself() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let cause = Cause { code: "SkuNotAvailable".to_owned(), ..Cause::of("no firewall today") };
    cloud.fail("slow-wall", cause.clone());
    let life = bench.live(&cloud, &environment(), None).await;
    assert_eq!(life.result.unwrap(), Tally { created: 4, failed: 1, skipped: 2, ..Tally::default() });
    assert_eq!(outcome(&life.events, "slow-wall"), &Outcome::Failed { cause });
    for name in ["route", "gate"] {
        assert_eq!(outcome(&life.events, name), &Outcome::Skipped { because: id("slow-wall") });
    }
    assert!(life.state.open.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_step_stays_open() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    cloud.refuse("a", Cause::of("connection reset"));
    let plan = plan_of(&[("a", &[]), ("b", &["a"])]);
    let life = bench.live(&cloud, &plan, None).await;
    assert_eq!(life.result.unwrap(), Tally { failed: 1, skipped: 1, ..Tally::default() });
    assert!(life.state.open.contains_key(&id("a")));
    // The request had arrived after all: the next run finds it and sends no second one.
    cloud.plant("a", body(&json!({"address": "x"})));
    let cloud = cloud.next_process(Crash::Never);
    let life = bench.live(&cloud, &plan, None).await;
    assert_eq!(life.result.unwrap(), Tally { created: 1, ..Tally::default() });
    assert_eq!(cloud.calls(), ["GET a", "PUT b"]);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_that_exists_is_an_alias() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let theirs = "01234567-89ab-cdef-0123-456789abcdef";
    let message = format!("The ID of the existing role assignment is {}.", theirs.replace('-', ""));
    cloud.refuse("a", Cause { status: Some(409), code: "RoleAssignmentExists".to_owned(), ..Cause::of(message) });
    let life = bench.live(&cloud, &plan_of(&[("a", &[])]), None).await;
    life.result.unwrap();
    let alias: Option<ResourceId> = life.state.resources[&Address::new("thing", "a")].alias.clone();
    assert_eq!(alias, Some(resource(theirs)));
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_waited_for_and_its_refusal_believed() {
    for (status, expected) in [("Rejected", 0), ("Approved", 1)] {
        let (bench, cloud) = (Bench::new(), Fake::new());
        let gate = step(step_id("gate", "slow-gate", Verb::Create), &[], &json!({"status": status}));
        let life = bench.live(&cloud, &plan(vec![gate]), None).await;
        assert_eq!(life.result.unwrap().created, expected, "{status}");
    }
    let (bench, cloud) = (Bench::new(), Fake::new());
    let gate = step(step_id("gate", "gate", Verb::Create), &[], &json!({"status": "Pending"}));
    let plan = plan(vec![gate]);
    let approve = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        cloud.plant("gate", body(&json!({"status": "Approved"})));
    };
    let (life, ()) = tokio::join!(bench.live(&cloud, &plan, None), approve);
    assert_eq!(life.result.unwrap().created, 1);
    let waits =
        life.events.iter().filter(|event| matches!(&event.what, What::Waiting { status, .. } if status == "Pending"));
    assert!(waits.count() > 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_wish_to_stop_lets_what_runs_end() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let plan = plan_of(&[("slow-a", &[]), ("b", &["slow-a"])]);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        cloud.stop().ask();
    };
    let (life, ()) = tokio::join!(bench.live(&cloud, &plan, None), stop);
    assert_eq!(life.result.unwrap(), Tally { created: 1, cancelled: 1, ..Tally::default() });
    assert_eq!(outcome(&life.events, "b"), &Outcome::Cancelled);
    assert!(life.state.open.is_empty());
}

#[tokio::test(start_paused = true)]
async fn adopting_and_forgetting_write_nothing() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    cloud.plant("a", body(&json!({"address": "x"})));
    let adopt = step(step_id("thing", "a", Verb::Adopt), &[], &json!({}));
    let life = bench.live(&cloud, &plan(vec![adopt]), None).await;
    assert_eq!(life.result.unwrap().adopted, 1);
    assert_eq!(life.state.reported(&Address::new("thing", "a"), "/properties/address"), Some(&json!("x")));
    assert_eq!(cloud.calls(), ["GET a"]);
    let cloud = cloud.next_process(Crash::Never);
    let forget = plan(vec![step(step_id("thing", "a", Verb::Forget), &[], &Value::Null)]);
    let mut store = bench.store();
    let mut sink = |_: &Event| {};
    let options = Options { parallelism: 1, times: BTreeMap::new() };
    let ledger = Ledger::new(&mut store, &cloud, &mut sink, kinds);
    let tally = run_with(ledger, &forget, &Secrets::new(), &options, cloud.stop()).await.unwrap();
    assert_eq!((tally.deleted, cloud.calls().len()), (1, 0));
    assert!(store.state().is_bare());
}

#[tokio::test(start_paused = true)]
async fn a_delete_of_what_is_gone_is_done() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    bench.live(&cloud, &plan_of(&[("a", &[])]), None).await.result.unwrap();
    let gone = Fake::new();
    let delete = step(step_id("thing", "a", Verb::Delete), &[], &Value::Null);
    let life = bench.live(&gone, &plan(vec![delete]), None).await;
    assert_eq!(life.result.unwrap().deleted, 1);
    assert!(life.state.is_bare());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_filled_is_not_sent() {
    for text in [late("nobody"), "secret:unheard".to_owned()] {
        let (bench, cloud) = (Bench::new(), Fake::new());
        let plan = plan(vec![step(id("a"), &[], &json!({"x": text}))]);
        let life = bench.live(&cloud, &plan, None).await;
        assert_eq!(life.result.unwrap().failed, 1);
        assert!(cloud.calls().is_empty() && life.state.is_bare());
    }
    let (bench, cloud) = (Bench::new(), Fake::new());
    let unknown = step(step_id("balloon", "a", Verb::Create), &[], &json!({}));
    let life = bench.live(&cloud, &plan(vec![unknown]), None).await;
    assert!(matches!(outcome(&life.events, "a"), Outcome::Failed { cause } if cause.message.contains("`balloon`")));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_written_sends_nothing() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    let mut store = bench.store();
    store.amend(|state| state.parameters = json!(1)).unwrap();
    std::fs::create_dir(bench.folder.path().join("s.json.journal")).unwrap();
    let mut sink = |_: &Event| {};
    let options = Options { parallelism: 4, times: BTreeMap::new() };
    let ledger = Ledger::new(&mut store, &cloud, &mut sink, kinds);
    let result = run_with(ledger, &environment(), &Secrets::new(), &options, cloud.stop()).await;
    assert!(matches!(result, Err(ApplyError::Store(_))));
    assert!(cloud.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_update_of_unknown_fate_is_planned_again_once_azure_is_idle() {
    let (bench, cloud) = (Bench::new(), Fake::new());
    bench.live(&cloud, &plan_of(&[("slow-a", &[])]), None).await.result.unwrap();
    let before = bench.store().state().resources.clone();
    // The PUT is the first call of the second process; its reply is lost.
    let cloud = cloud.next_process(Crash::After(1));
    let update = plan(vec![step(step_id("thing", "slow-a", Verb::Update), &[], &json!({"edited": true}))]);
    let mut store = bench.store();
    let mut sink = |_: &Event| {};
    let options = Options { parallelism: 1, times: BTreeMap::new() };
    let ledger = Ledger::new(&mut store, &cloud, &mut sink, kinds);
    let result = run_with(ledger, &update, &Secrets::new(), &options, cloud.stop()).await;
    assert!(matches!(result, Err(ApplyError::Left)));
    drop(store);
    let cloud = cloud.next_process(Crash::Never);
    let mut store = bench.store();
    let tally = resume_with(Ledger::new(&mut store, &cloud, &mut sink, kinds), cloud.stop()).await.unwrap();
    assert_eq!(tally, Tally { cancelled: 1, ..Tally::default() });
    assert_eq!(store.state().resources, before);
    assert_eq!(cloud.live()[&resource("slow-a")]["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_step_nobody_can_tell_of_stays_open_and_says_so() {
    let (bench, cloud) = (Bench::new(), Fake::new().next_process(Crash::After(1)));
    let balloon = plan(vec![step(id("a"), &[], &json!({}))]);
    bench.live(&cloud, &balloon, None).await;
    let cloud = cloud.next_process(Crash::Never);
    let mut store = bench.store();
    let mut sink = |_: &Event| {};
    // A version of the program that does not know the kind.
    let error = resume_with(Ledger::new(&mut store, &cloud, &mut sink, |_| None), cloud.stop()).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Unresolved { step, .. } if *step == id("a")), "{error}");
    assert!(store.state().open.contains_key(&id("a")));
}

/// Creates, then removes, dying at the given calls on the way; ends with one calm run of each.
async fn any_history(creating: &[Crash], removing: &[Crash]) {
    let bench = Bench::new();
    let mut cloud = Fake::new();
    for (plan, crashes) in [(environment(), creating), (removal(), removing)] {
        for crash in crashes {
            cloud = cloud.next_process(*crash);
            let _ = bench.live(&cloud, &plan, None).await;
        }
        cloud = cloud.next_process(Crash::Never);
        let calm = bench.live(&cloud, &plan, None).await;
        assert!(calm.result.unwrap().is_clean() && calm.state.open.is_empty());
        let live: Vec<ResourceId> = cloud.live().into_keys().collect();
        let mut known: Vec<ResourceId> = calm.state.resources.into_values().map(|known| known.id).collect();
        known.sort();
        assert_eq!(live, known, "an orphan or a phantom");
        assert!(cloud.puts().values().all(|&count| count == 1), "{:?}", cloud.puts());
    }
    assert!(cloud.live().is_empty());
}

fn crashes() -> impl Strategy<Value = Vec<Crash>> {
    let crash =
        (1usize..20, any::<bool>()).prop_map(|(n, early)| if early { Crash::Before(n) } else { Crash::After(n) });
    proptest::collection::vec(crash, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn crash_after_crash_ends_well((creating, removing) in (crashes(), crashes())) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(any_history(&creating, &removing));
    }
}

#[test]
fn a_run_may_move_between_threads() {
    fn check<T: Send>(_: &T) {}
    let (bench, stop, secrets) = (Bench::new(), Stop::new(), Secrets::new());
    let (mut store, mut sink) = (bench.store(), |_: &Event| {});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let cloud = runtime.block_on(async { Fake::new() });
    let (plan, options) = (Plan::default(), Options { parallelism: 1, times: BTreeMap::new() });
    check(&run(&plan, &mut store, &cloud, &secrets, &options, &mut sink, &stop));
    check(&resume(&mut store, &cloud, &mut sink, &stop));
}
