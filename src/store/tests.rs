//! Behaviour of the store as a whole: what survives which crash. Rules of its parts are tested beside them.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::{Address, Flavour, Operation, Outcome, ResourceId, StepId, Verb};

/// A folder with a state file.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("deep/er/privaml.state.json")
    }

    fn file(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.path().display()))
    }

    fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Store, StoreError> {
        Store::open(&self.path(), &Holder { command: "test".to_owned() }, Duration::ZERO)
    }

    /// Everything on disk, by name.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.path().parent().unwrap()).unwrap();
        let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).map(|p| (p.clone(), fs::read(p).unwrap())).collect();
        files.sort();
        files
    }
}

fn step(name: &str) -> StepId {
    StepId::new(Address::new("vault", name), Verb::Create)
}

fn started(name: &str) -> What {
    What::Started {
        step: step(name),
        resource: ResourceId::group("s", name),
        says: Some(json!({"location": "x", "password": "secret:jumpbox_password"})),
        needs: vec![Address::new("resource_group", "core")],
        api_version: "2023-07-01".to_owned(),
    }
}

fn accepted(name: &str) -> What {
    let operation = Operation { flavour: Flavour::Location, url: "/op?x=1".to_owned(), retry_after: Some(5) };
    What::Accepted { step: step(name), operation }
}

fn done(name: &str) -> What {
    let outcome = Outcome::Done { reported: json!({"/properties/a": 1}), alias: None };
    What::Ended { step: step(name), outcome }
}

fn history() -> Vec<What> {
    vec![started("a"), accepted("a"), started("b"), done("a"), accepted("b"), done("b"), started("c")]
}

fn record(store: &mut Store, what: What) -> Event {
    store.record(what, Duration::from_secs(1)).unwrap()
}

#[test]
fn a_crash_after_any_event_loses_nothing() {
    for count in 1..=history().len() {
        let bench = Bench::new();
        let mut store = bench.open();
        store.amend(|state| state.parameters = json!({"name": "test"})).unwrap();
        for what in history().into_iter().take(count) {
            record(&mut store, what);
        }
        let expected = store.state().clone();
        drop(store); // The crash: no snapshot is written.
        assert!(bench.file(".journal").exists());
        assert_eq!(Store::read(&bench.path()).unwrap().unwrap(), expected, "{count}");
        let store = bench.open();
        assert_eq!(store.state(), &expected, "{count}");
        assert!(!bench.file(".journal").exists());
    }
}

#[test]
fn a_torn_end_gives_the_state_of_some_earlier_event() {
    let bench = Bench::new();
    let mut store = bench.open();
    let mut states = vec![];
    for what in history() {
        record(&mut store, what);
        states.push(store.state().clone());
    }
    drop(store);
    let journal = fs::read(bench.file(".journal")).unwrap();
    let mut seen = 0;
    for len in 0..=journal.len() {
        fs::write(bench.file(".journal"), &journal[..len]).unwrap();
        let state = Store::read(&bench.path()).unwrap().unwrap();
        let serial = usize::try_from(state.serial).unwrap();
        assert!(serial == 0 || state == states[serial - 1], "{len}");
        assert!(serial >= seen, "{len}");
        seen = serial;
    }
    assert_eq!(seen, states.len());
}

#[test]
fn a_torn_end_is_not_dropped_in_silence() {
    let bench = Bench::new();
    let mut store = bench.open();
    for what in history() {
        record(&mut store, what);
    }
    drop(store);
    let journal = fs::read(bench.file(".journal")).unwrap();
    let opened = |bytes: &[u8]| {
        fs::write(bench.file(".journal"), bytes).unwrap();
        bench.open().is_torn()
    };
    let snapshot = fs::read(bench.path()).unwrap();
    for (dropped, torn) in [(0, false), (1, false), (2, true), (60, true)] {
        fs::write(bench.path(), &snapshot).unwrap();
        assert_eq!(opened(&journal[..journal.len() - dropped]), torn, "{dropped}");
    }
    fs::write(bench.path(), &snapshot).unwrap();
    assert!(opened(&journal[..7]), "not even the first line");
}

#[test]
fn damage_is_refused_and_nothing_touched() {
    let bench = Bench::new();
    let mut store = bench.open();
    for what in history() {
        record(&mut store, what);
    }
    drop(store);
    for suffix in ["", ".journal"] {
        let good = fs::read(bench.file(suffix)).unwrap();
        let mut bad = good.clone();
        let at = bad.iter().position(|&byte| byte == b'm').unwrap();
        bad[at] ^= 1;
        fs::write(bench.file(suffix), bad).unwrap();
        let before = bench.files();
        assert!(matches!(bench.try_open(), Err(StoreError::Damaged { .. })), "{suffix}");
        assert!(matches!(Store::read(&bench.path()), Err(StoreError::Damaged { .. })), "{suffix}");
        assert_eq!(bench.files(), before);
        fs::write(bench.file(suffix), good).unwrap();
    }
    bench.open();
}

#[test]
fn a_snapshot_overtakes_its_journal() {
    let bench = Bench::new();
    let mut store = bench.open();
    for what in history() {
        record(&mut store, what);
    }
    let journal = fs::read(bench.file(".journal")).unwrap();
    let expected = store.state().clone();
    store.close().unwrap();
    assert!(!bench.file(".journal").exists());
    // The crash came after the rename and before the removal.
    fs::write(bench.file(".journal"), journal).unwrap();
    assert_eq!(bench.open().state(), &expected);
    assert!(!bench.file(".journal").exists());
}

#[test]
fn a_journal_that_does_not_fit_is_refused() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.amend(|state| state.parameters = json!(1)).unwrap();
    let early = fs::read(bench.path()).unwrap();
    store.amend(|state| state.parameters = json!(2)).unwrap();
    record(&mut store, started("a"));
    drop(store);
    fs::write(bench.path(), early).unwrap();
    let text = bench.try_open().unwrap_err().to_string();
    assert!(text.contains("continues serial 2, the state has serial 1"), "{text}");
    fs::remove_file(bench.path()).unwrap();
    assert!(bench.try_open().unwrap_err().to_string().contains("its journal is there"));
}

#[test]
fn a_foreign_journal_is_refused() {
    let (bench, other) = (Bench::new(), Bench::new());
    for bench in [&bench, &other] {
        let mut store = bench.open();
        record(&mut store, started("a"));
    }
    fs::copy(other.file(".journal"), bench.file(".journal")).unwrap();
    assert!(bench.try_open().unwrap_err().to_string().contains("belongs to another state"));
}

#[test]
fn the_backup_is_the_state_before_the_run_and_is_offered() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.amend(|state| state.parameters = json!("first")).unwrap();
    store.close().unwrap();
    let before = fs::read(bench.path()).unwrap();
    let mut store = bench.open();
    store.amend(|state| state.parameters = json!("second")).unwrap();
    store.amend(|state| state.parameters = json!("third")).unwrap();
    store.close().unwrap();
    assert_eq!(fs::read(bench.file(".backup")).unwrap(), before);
    fs::write(bench.path(), "{}").unwrap();
    let text = bench.try_open().unwrap_err().to_string();
    assert!(text.contains(".backup") && text.contains("serial 1"), "{text}");
    fs::remove_file(bench.file(".backup")).unwrap();
    let text = bench.try_open().unwrap_err().to_string();
    assert!(text.contains("privaml recover"), "{text}");
}

#[test]
fn a_damaged_journal_leaves_the_whole_snapshot_to_go_on_from() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.amend(|state| state.parameters = json!("first")).unwrap();
    store.close().unwrap();
    let mut store = bench.open();
    store.amend(|state| state.parameters = json!("second")).unwrap();
    record(&mut store, started("a"));
    drop(store);
    fs::write(bench.file(".journal"), "nonsense\n").unwrap();
    let text = bench.try_open().unwrap_err().to_string();
    assert!(text.contains("(serial 2) is whole") && !text.contains(".backup"), "{text}");
    fs::rename(bench.file(".journal"), bench.file(".aside")).unwrap();
    assert_eq!(bench.open().state().parameters, json!("second"));
}

#[test]
fn an_unused_store_leaves_no_file() {
    let bench = Bench::new();
    let store = bench.open();
    let lineage = store.state().lineage;
    store.close().unwrap();
    assert_eq!(bench.files(), []);
    assert_ne!(bench.open().state().lineage, lineage);
    assert_eq!(Store::read(&bench.path()).unwrap(), None);
}

#[test]
fn events_are_numbered_and_illegal_ones_leave_no_trace() {
    let bench = Bench::new();
    let mut store = bench.open();
    assert_eq!(record(&mut store, started("a")).seq, 1);
    let waiting = What::Waiting { step: step("a"), status: "Running".to_owned() };
    assert_eq!(record(&mut store, waiting).seq, 2);
    let before = bench.files();
    assert!(matches!(store.record(done("z"), Duration::ZERO), Err(StoreError::Illegal(_))));
    assert_eq!(bench.files(), before);
    assert_eq!(record(&mut store, done("a")).seq, 3);
    let state = store.state().clone();
    assert_eq!(state.serial, 2);
    drop(store);
    assert_eq!(bench.open().state(), &state);
}

#[test]
fn a_second_run_is_refused_but_may_read() {
    let bench = Bench::new();
    let mut store = bench.open();
    record(&mut store, started("a"));
    let error = bench.try_open().unwrap_err();
    assert!(matches!(&error, StoreError::Locked { holder, .. } if holder.doing == "test"), "{error}");
    assert_eq!(Store::read(&bench.path()).unwrap().unwrap(), *store.state());
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    for _ in 0..2 {
        let mut store = bench.open();
        store.amend(|state| state.serial += 1).unwrap();
        record(&mut store, started("a"));
        for (path, _) in bench.files() {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_refuses_changes_nothing() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.amend(|state| state.parameters = json!(1)).unwrap();
    let before = store.state().clone();
    // A folder in the journal's place cannot be opened for writing, whoever asks.
    fs::create_dir(bench.file(".journal")).unwrap();
    assert!(matches!(store.record(started("a"), Duration::ZERO), Err(StoreError::Io { .. })));
    assert_eq!(store.state(), &before);
    fs::remove_dir(bench.file(".journal")).unwrap();
    record(&mut store, started("a"));
}

/// A state of format 1 as this version writes it. Every later version must read the same file.
fn golden() -> State {
    let mut state = State::empty(Uuid::from_u128(0x5eed));
    state.home = Some(crate::model::Home {
        cloud: "AzureCloud".to_owned(),
        subscription: "11111111-1111-1111-1111-111111111111".to_owned(),
        tenant: "22222222-2222-2222-2222-222222222222".to_owned(),
    });
    state.generated.suffix = Some("0042".to_owned());
    state.generated.jumpbox_user = Some("jbxabcd".to_owned());
    state.generated.sealed.insert("jumpbox_password".to_owned(), "-----BEGIN AGE ENCRYPTED FILE-----".to_owned());
    state.parameters = json!({"name": "test", "location": "westeurope"});
    for (seq, what) in (1..).zip(history().into_iter().chain([accepted("c")])) {
        state.fold(&Event { seq, at: Duration::ZERO, what }).unwrap();
    }
    state.outputs.insert("keyvault_name".to_owned(), Value::from("kv-test0042"));
    state
}

#[test]
fn format_1_is_still_read() {
    let text = include_bytes!("../../tests/fixtures/state/format-1.json");
    assert_eq!(file::parse(text).unwrap(), golden());
    assert_eq!(FORMAT, 1, "a new format needs a golden file of its own");
    assert_eq!(file::print(&golden()).unwrap(), text);
}

/// The journal of format 1: a header that continues serial 3, then all that can be journalled.
fn golden_journal() -> (Header, Vec<Event>) {
    let header = Header { format: 1, lineage: Uuid::from_u128(0x5eed), base: 3 };
    let failed = crate::model::Cause {
        code: "SkuNotAvailable".to_owned(),
        status: Some(409),
        correlation_id: Some("c".to_owned()),
        causes: vec!["inner".to_owned()],
        remedy: Some("take another size".to_owned()),
        ..crate::model::Cause::of("the size is sold out")
    };
    let ends = [
        Outcome::Failed { cause: failed },
        Outcome::Skipped { because: step("c") },
        Outcome::Cancelled,
        Outcome::Done { reported: Value::Null, alias: Some(ResourceId::group("s", "twin")) },
    ];
    let ends = ends.into_iter().map(|outcome| What::Ended { step: step("c"), outcome });
    let mut events = Vec::new();
    for what in history().into_iter().chain([accepted("c")]).chain(ends) {
        // Only shown events take numbers too.
        let seq = 2 * events.len() as u64 + 1;
        events.push(Event { seq, at: Duration::from_millis(250 * seq), what });
    }
    (header, events)
}

#[test]
fn a_journal_of_format_1_is_still_read() {
    let text = include_bytes!("../../tests/fixtures/state/format-1.journal");
    let (header, events) = golden_journal();
    let bench = Bench::new();
    fs::create_dir_all(bench.path().parent().unwrap()).unwrap();
    let mut journal = Journal::new(bench.file(".journal"), Disk::default());
    let written: Vec<u8> = events.iter().flat_map(|event| journal.append(&header, event).unwrap()).collect();
    assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8_lossy(text));
    assert_eq!(journal::parse(text).unwrap().unwrap(), Replay { header, events });
}
