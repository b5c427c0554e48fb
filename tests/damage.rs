//! Files of a real environment, spoiled at every offset: a state is refused or the same, a journal is refused, the same or
//! an earlier one; nothing panics, nothing is written, and the last good snapshot is named.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use privaml::blueprint;
use privaml::kind;
use privaml::model::{Flavour, Observed, Operation, Outcome, State, Step, What};
use privaml::plan::{self, Consent, Plan};
use privaml::store::{Holder, Store, StoreError};
use serde_json::json;
use tempfile::TempDir;

use super::fuzz::facts;

/// A folder in which a run was killed: a snapshot, the one before it, a journal.
struct Bench {
    folder: TempDir,
    /// What was known after each event since the snapshot, the snapshot first.
    history: Vec<State>,
}

impl Bench {
    /// The first `steps` of a fresh environment; the second half of them is only in the journal.
    fn new(steps: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = privaml::config::defaults();
        let drawn = blueprint::draw(&config, &facts());
        let empty = State::empty(facts().lineage);
        let plan = plan::plan(&drawn, &empty, &Observed::default(), &Consent::default()).unwrap();
        let mut bench = Self { folder, history: Vec::new() };
        let (early, late) = plan.steps[..steps.min(plan.steps.len())].split_at(steps.min(plan.steps.len()) / 2);
        let mut store = bench.open().unwrap();
        store.amend(|state| state.parameters = serde_json::to_value(&config).unwrap()).unwrap();
        store.close().unwrap();
        let mut store = bench.open().unwrap();
        for step in early {
            carried_out(&mut store, &plan, step);
        }
        store.close().unwrap();
        let mut store = bench.open().unwrap();
        bench.history.push(store.state().clone());
        for step in late {
            bench.history.extend(carried_out(&mut store, &plan, step));
        }
        drop(store); // The kill.
        bench
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("privaml.state.json{suffix}"))
    }

    fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.file(""), &Holder { command: "test".to_owned() }, Duration::ZERO)
    }

    fn last(&self) -> &State {
        self.history.last().unwrap()
    }

    /// Reads as a command does that writes nothing.
    fn read(&self) -> Result<State, StoreError> {
        Store::read(&self.file("")).map(|state| state.expect("the file is there"))
    }

    /// Spoils a file and judges each reading.
    fn spoil(&self, suffix: &str, all: impl Iterator<Item = Vec<u8>>, judge: impl Fn(Result<State, StoreError>)) {
        let path = self.file(suffix);
        let whole = fs::read(&path).unwrap();
        for (count, bytes) in all.enumerate() {
            fs::write(&path, &bytes).unwrap();
            let read = self.read();
            // Opening takes a lock, which is slow: now and then is enough.
            if read.is_err() && count.is_multiple_of(211) {
                assert!(self.open().is_err());
                assert!(fs::read(&path).unwrap() == bytes, "a damaged file was changed");
            }
            judge(read);
        }
        fs::write(&path, whole).unwrap();
    }

    fn flips(&self, suffix: &str, bits: Range<usize>) -> impl Iterator<Item = Vec<u8>> {
        let whole = fs::read(self.file(suffix)).unwrap();
        (0..whole.len()).flat_map(move |at| bits.clone().map(move |bit| (at, bit))).map({
            let whole = whole.clone();
            move |(at, bit)| {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << ((at + bit) % 8);
                bytes
            }
        })
    }

    fn cuts(&self, suffix: &str) -> impl Iterator<Item = Vec<u8>> {
        let whole = fs::read(self.file(suffix)).unwrap();
        (0..whole.len()).map(move |len| whole[..len].to_vec())
    }

    /// Refused with a way out that can be taken, or the same as before.
    fn refused_or_same(&self, read: Result<State, StoreError>, snapshot: &str) {
        match read {
            Ok(state) => assert!(state == *self.last(), "damage passed as other content"),
            Err(StoreError::Newer { .. }) => {}
            Err(error @ StoreError::Damaged { .. }) => {
                let text = error.to_string();
                assert!(text.contains(&self.file(snapshot).display().to_string()), "{text}");
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn every_flip(&self, bits: &Range<usize>) {
        self.spoil("", self.flips("", bits.clone()), |read| self.refused_or_same(read, ".backup"));
        // A whole snapshot is better than the one before it.
        self.spoil(".journal", self.flips(".journal", bits.clone()), |read| self.refused_or_same(read, ""));
    }

    fn every_cut(&self) {
        self.spoil("", self.cuts(""), |read| self.refused_or_same(read, ".backup"));
        let earlier = |read: Result<State, StoreError>| assert!(self.history.contains(&read.unwrap()));
        self.spoil(".journal", self.cuts(".journal"), earlier);
    }
}

/// Records a step from its start to its end; returns what is known after each event.
fn carried_out(store: &mut Store, plan: &Plan, step: &Step) -> Vec<State> {
    let started = What::Started {
        step: step.id.clone(),
        resource: step.resource.clone(),
        says: step.says.clone(),
        needs: plan.needs[&step.id.address].clone(),
        api_version: kind::find(step.id.address.kind()).unwrap().api_version.to_owned(),
    };
    let operation =
        Operation { flavour: Flavour::AsyncOperation, url: "/op?t=63&s=a%2Fb".to_owned(), retry_after: Some(10) };
    let accepted = What::Accepted { step: step.id.clone(), operation };
    let done = Outcome::Done { reported: json!({"/properties/provisioningState": "Succeeded"}), alias: None };
    let ended = What::Ended { step: step.id.clone(), outcome: done };
    let recorded = [started, accepted, ended].into_iter().map(|what| {
        store.record(what, Duration::from_millis(1500)).unwrap();
        store.state().clone()
    });
    recorded.collect()
}

#[test]
fn a_flipped_bit_at_any_offset_is_refused_and_the_last_good_snapshot_named() {
    Bench::new(3).every_flip(&(0..1));
}

#[test]
fn a_cut_at_any_offset_is_refused_or_an_earlier_state() {
    Bench::new(3).every_cut();
}

#[test]
fn a_command_that_meets_damage_ends_with_6_and_names_the_way_out() {
    let bench = Bench::new(3);
    let command = |args: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("privaml").unwrap();
        command.current_dir(bench.folder.path()).args(args).env_clear();
        String::from_utf8(command.assert().code(6).get_output().stderr.clone()).unwrap()
    };
    for (suffix, way_out) in [(".journal", "is whole"), ("", ".backup")] {
        let mut bytes = fs::read(bench.file(suffix)).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(bench.file(suffix), &bytes).unwrap();
        for args in [&["output"][..], &["plan", "--sandbox"], &["destroy", "--yes", "--sandbox"]] {
            let said = command(args);
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains(way_out), "{args:?}: {said}");
            assert!(fs::read(bench.file(suffix)).unwrap() == bytes, "{args:?} changed the file");
        }
    }
}

/// Some minutes: `cargo test damage -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn every_bit_of_a_larger_environment() {
    let bench = Bench::new(8);
    bench.every_flip(&(0..8));
    bench.every_cut();
}
