//! Two folders and one remote state: who may write, what survives which crash, what is refused. The blobs are in memory
//! here; `tests/remote_state.rs` has the same against the emulator.

use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::super::remote::fake::Memory;
use super::*;
use crate::model::{Blobs, Lease, Outcome, ResourceId, StepId, Verb, What};

/// A machine: a folder with a state file.
struct Machine {
    folder: TempDir,
    there: Memory,
}

impl Machine {
    fn new(there: &Memory) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), there: there.clone() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s.json")
    }

    fn remote(&self) -> Remote {
        let blobs: Arc<dyn Blobs> = Arc::new(self.there.clone());
        Remote::new("acc/con/key".to_owned(), json!({"key": "key"}), "key".to_owned(), async move { Ok(blobs) })
    }

    fn try_open(&self) -> Result<Store, StoreError> {
        Store::open_shared(&self.path(), &holder(), Duration::ZERO, self.remote())
    }

    fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    /// Everything on disk, by name.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).map(|p| (p.clone(), fs::read(p).unwrap())).collect();
        files.sort();
        files
    }

    /// Why it does not open; nothing may be changed by that, here or there.
    fn refusal(&self) -> StoreError {
        let before = (self.files(), self.bodies());
        let error = self.try_open().unwrap_err();
        assert_eq!((self.files(), self.bodies()), before, "{error}");
        error
    }

    fn bodies(&self) -> Vec<(String, Vec<u8>)> {
        self.there.inside().blobs.iter().map(|(name, kept)| (name.clone(), kept.body.clone())).collect()
    }
}

fn holder() -> Holder {
    Holder { command: "test".to_owned() }
}

fn step(name: &str) -> StepId {
    StepId::new(crate::model::Address::new("vault", name), Verb::Create)
}

fn started(name: &str) -> What {
    What::Started {
        step: step(name),
        resource: ResourceId::group("s", name),
        says: Some(json!({"location": "x"})),
        needs: Vec::new(),
        api_version: "v".to_owned(),
    }
}

fn done(name: &str) -> What {
    What::Ended { step: step(name), outcome: Outcome::Done { reported: Value::Null, alias: None } }
}

fn record(store: &mut Store, what: What) {
    store.record(what, Duration::ZERO).unwrap();
}

/// Ends the store as `kill -9` does, with everything sent; then its lease as time does.
fn crash(mut store: Store, there: &Memory) {
    let held = store.remote.take().unwrap();
    held.settle();
    held.vanish();
    run_out(there);
}

fn run_out(there: &Memory) {
    for kept in there.inside().blobs.values_mut() {
        kept.release();
    }
}

#[test]
fn one_writes_and_the_other_is_told_who() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let held = a.open();
    let error = b.try_open().unwrap_err();
    assert!(matches!(&error, StoreError::Locked { holder, .. } if holder.pid == std::process::id()), "{error}");
    assert!(error.to_string().contains("running `test`") && error.to_string().contains("state unlock"), "{error}");
    drop(held);
    b.open().close().unwrap();
}

#[test]
fn what_one_writes_the_other_finds() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut store = a.open();
    record(&mut store, started("x"));
    record(&mut store, done("x"));
    let state = store.state().clone();
    store.close().unwrap();
    assert_eq!(Store::read_shared(b.remote()).unwrap().unwrap(), state);
    let mut store = b.open();
    assert_eq!(store.state(), &state);
    store.amend(|state| state.outputs = [("o".to_owned(), json!(1))].into()).unwrap();
    let state = store.state().clone();
    store.close().unwrap();
    assert_eq!(a.open().state(), &state);
    assert_eq!(there.inside().blobs.keys().collect::<Vec<_>>(), ["key"], "journals are left over");
}

#[test]
fn a_crash_is_continued_elsewhere_and_then_at_home() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut store = a.open();
    for what in [started("x"), started("y"), done("x")] {
        record(&mut store, what);
    }
    let state = store.state().clone();
    crash(store, &there);
    assert_eq!(Store::read_shared(b.remote()).unwrap().unwrap(), state);
    let mut store = b.open();
    assert_eq!(store.state(), &state);
    record(&mut store, done("y"));
    let state = store.state().clone();
    store.close().unwrap();
    // Everything of the crashed run had arrived, so its folder simply follows.
    assert_eq!(a.open().state(), &state);
    assert!(!a.folder.path().join("s.json.journal").exists());
}

#[test]
fn a_crash_before_anything_was_sent_is_continued_at_home() {
    let there = Memory::default();
    let a = Machine::new(&there);
    let mut store = a.open();
    store.amend(|state| state.parameters = json!(1)).unwrap();
    there.inside().offline = vec!["append"];
    record(&mut store, started("x"));
    let state = store.state().clone();
    crash(store, &there);
    there.inside().offline.clear();
    assert_ne!(Store::read_shared(a.remote()).unwrap().unwrap(), state);
    let store = a.open();
    assert_eq!(store.state(), &state);
    store.close().unwrap();
    assert_eq!(Store::read_shared(a.remote()).unwrap().unwrap(), state);
}

#[test]
fn an_end_that_did_not_arrive_is_brought_there_by_the_next_run() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut store = a.open();
    record(&mut store, started("x"));
    record(&mut store, done("x"));
    let state = store.state().clone();
    there.inside().offline = vec!["put", "append", "annotate", "lease"];
    assert!(matches!(store.close(), Err(StoreError::Remote { act: "write", .. })));
    there.inside().offline.clear();
    run_out(&there);
    assert_eq!(a.open().state(), &state);
    assert_eq!(b.open().state(), &state);
    // The same, but somebody else goes on meanwhile.
    let mut store = a.open();
    store.amend(|state| state.outputs = [("o".to_owned(), json!(1))].into()).unwrap();
    record(&mut store, started("y"));
    there.inside().offline = vec!["put", "append"];
    assert!(store.amend(|state| state.outputs.clear()).is_err());
    drop(store);
    there.inside().offline.clear();
    run_out(&there);
    b.open().amend(|state| state.parameters = json!(2)).unwrap();
    assert!(matches!(a.refusal(), StoreError::Mismatch { why: Mismatch::Parted { .. }, .. }));
}

#[test]
fn copies_that_went_apart_are_refused_until_told() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut store = a.open();
    store.amend(|state| state.parameters = json!(1)).unwrap();
    there.inside().offline = vec!["append"];
    record(&mut store, started("x"));
    crash(store, &there);
    there.inside().offline.clear();
    let mut store = b.open();
    record(&mut store, started("y"));
    let theirs = store.state().clone();
    store.close().unwrap();
    let error = a.refusal();
    assert!(matches!(&error, StoreError::Mismatch { why: Mismatch::Parted { ours: 2, theirs: 2 }, .. }), "{error}");
    assert!(error.to_string().contains("state pull --save --force"), "{error}");
    assert!(Store::pull(&a.path(), &holder(), Duration::ZERO, a.remote(), false).is_err());
    Store::pull(&a.path(), &holder(), Duration::ZERO, a.remote(), true).unwrap();
    assert_eq!(a.open().state(), &theirs);
}

#[test]
fn a_writer_whose_lock_was_broken_changes_nothing() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut stale = a.open();
    record(&mut stale, started("x"));
    stale.remote.as_ref().unwrap().settle();
    a.remote().break_lock().unwrap();
    let mut store = b.open();
    record(&mut store, started("y"));
    store.remote.as_ref().unwrap().settle();
    let theirs = store.state().clone();
    // The stale one does not know yet: its line goes to a journal that nobody reads any more.
    record(&mut stale, done("x"));
    stale.remote.as_ref().unwrap().settle();
    assert_eq!(Store::read_shared(b.remote()).unwrap().unwrap(), theirs);
    let error = stale.record(started("z"), Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Lost { .. }), "{error}");
    assert!(matches!(stale.amend(|state| state.outputs.clear()), Ok(()) | Err(StoreError::Lost { .. })));
    assert!(matches!(stale.close(), Err(StoreError::Lost { .. })));
    assert_eq!(Store::read_shared(b.remote()).unwrap().unwrap(), theirs);
    store.close().unwrap();
    assert_eq!(Store::read_shared(b.remote()).unwrap().unwrap(), theirs);
}

#[test]
fn a_zombie_cannot_add_to_a_journal_that_was_read() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut zombie = a.open();
    record(&mut zombie, started("x"));
    zombie.remote.as_ref().unwrap().settle();
    a.remote().break_lock().unwrap();
    // Somebody took over and crashed between reading the journal and folding it.
    let journal = there.inside().blobs.keys().find(|name| name.contains(".journal.")).unwrap().clone();
    futures::executor::block_on(there.lease(&journal, Lease::Acquire(60), Uuid::from_u128(9))).unwrap();
    record(&mut zombie, done("x"));
    zombie.remote.as_ref().unwrap().settle();
    let store = b.open();
    assert!(store.state().open.contains_key(&step("x")));
}

#[test]
fn a_lost_reply_is_no_stale_writer() {
    let there = Memory::default();
    let a = Machine::new(&there);
    let mut store = a.open();
    there.inside().lost_replies = 1;
    store.amend(|state| state.parameters = json!(1)).unwrap();
    record(&mut store, started("x"));
    store.remote.as_ref().unwrap().settle();
    there.inside().lost_replies = 1;
    record(&mut store, done("x"));
    store.remote.as_ref().unwrap().settle();
    let state = store.state().clone();
    assert_eq!(Store::read_shared(a.remote()).unwrap().unwrap(), state);
    there.inside().lost_replies = 1;
    store.close().unwrap();
    assert_eq!(a.open().state(), &state);
}

#[test]
fn a_local_state_never_becomes_shared_by_itself_nor_the_reverse() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    let mut local = Store::open(&a.path(), &holder(), Duration::ZERO).unwrap();
    local.amend(|state| state.parameters = json!("mine")).unwrap();
    local.close().unwrap();
    assert!(matches!(a.try_open().unwrap_err(), StoreError::Mismatch { why: Mismatch::NeverMoved, .. }));
    b.open().amend(|state| state.parameters = json!("theirs")).unwrap();
    assert!(matches!(a.refusal(), StoreError::Mismatch { why: Mismatch::Lineage, .. }));
    let error = Store::open(&b.path(), &holder(), Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Mismatch { why: Mismatch::Elsewhere(_), .. }), "{error}");
    let error = Store::push(&a.path(), &holder(), Duration::ZERO, a.remote(), false).unwrap_err();
    assert!(matches!(error, StoreError::Mismatch { why: Mismatch::Lineage, .. }), "{error}");
    Store::push(&a.path(), &holder(), Duration::ZERO, a.remote(), true).unwrap();
    assert_eq!(a.open().state().parameters, json!("mine"));
    assert!(matches!(b.refusal(), StoreError::Mismatch { why: Mismatch::Lineage, .. }));
}

#[test]
fn a_state_moves_there_and_back() {
    let there = Memory::default();
    let a = Machine::new(&there);
    let mut local = Store::open(&a.path(), &holder(), Duration::ZERO).unwrap();
    record(&mut local, started("x"));
    let state = local.state().clone();
    drop(local);
    Store::push(&a.path(), &holder(), Duration::ZERO, a.remote(), false).unwrap();
    assert_eq!(Store::read_shared(a.remote()).unwrap().unwrap(), state);
    a.open().withdraw().unwrap();
    assert_eq!(Store::open(&a.path(), &holder(), Duration::ZERO).unwrap().state(), &state);
    assert_eq!(there.inside().blobs.keys().collect::<Vec<_>>(), ["key.migrated"]);
}

#[test]
fn a_remote_state_that_is_damaged_or_newer_is_left_alone() {
    let there = Memory::default();
    let (a, b) = (Machine::new(&there), Machine::new(&there));
    a.open().amend(|state| state.parameters = json!(1)).unwrap();
    let good = there.inside().blobs["key"].body.clone();
    let text = String::from_utf8(good.clone()).unwrap();
    let set = |bytes: &[u8]| there.inside().blobs.get_mut("key").unwrap().body = bytes.to_vec();
    set(text.replace("\"format\": 1", "\"format\": 99").as_bytes());
    assert!(matches!(b.refusal(), StoreError::Newer { found: 99, .. }));
    for at in (0..good.len()).step_by(7) {
        let mut flipped = good.clone();
        flipped[at] ^= 2;
        set(&flipped);
        assert!(matches!(b.refusal(), StoreError::Damaged { .. }), "{at}");
    }
    set(&good);
    b.open().close().unwrap();
}

/// What may happen to a machine.
#[derive(Clone, Debug)]
enum Act {
    Record,
    Amend,
    Close,
    Crash,
    Break,
    /// The requests that do not arrive from now on.
    Offline(Vec<&'static str>),
}

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        5 => Just(Act::Record),
        2 => Just(Act::Amend),
        3 => Just(Act::Close),
        2 => Just(Act::Crash),
        1 => Just(Act::Break),
        1 => prop_oneof![Just(vec![]), Just(vec!["append"]), Just(vec!["put"]), Just(vec!["append", "put"])]
            .prop_map(Act::Offline),
    ];
    proptest::collection::vec((0..3_usize, act), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever happens on three machines: a run that ended well is in the past of every later one, and nobody works on
    /// a state that another one works on.
    #[test]
    fn what_ended_well_is_never_lost(acts in acts()) {
        let there = Memory::default();
        let machines: Vec<_> = (0..3).map(|_| Machine::new(&there)).collect();
        let mut open: [Option<Store>; 3] = [None, None, None];
        let (mut kept, mut names) = (Vec::<String>::new(), 0);
        for (who, act) in acts {
            let opened = if open[who].is_none() { machines[who].try_open().ok() } else { None };
            if let Some(store) = opened {
                for name in &kept {
                    prop_assert!(store.state().outputs.contains_key(name), "{name} is lost");
                }
                open[who] = Some(store);
            }
            let Some(mut store) = open[who].take() else { continue };
            names += 1;
            match act {
                Act::Record => {
                    let _ = store.record(started(&format!("n{names}")), Duration::ZERO);
                    open[who] = Some(store);
                }
                Act::Amend => {
                    let name = format!("n{names}");
                    if store.amend(|state| { state.outputs.insert(name.clone(), Value::Null); }).is_ok() {
                        kept.push(name);
                        open[who] = Some(store);
                    }
                }
                Act::Close => drop(store.close()),
                Act::Crash => crash(store, &there),
                Act::Break => {
                    run_out(&there);
                    open[who] = Some(store);
                }
                Act::Offline(what) => {
                    there.inside().offline = what;
                    open[who] = Some(store);
                }
            }
        }
    }
}
