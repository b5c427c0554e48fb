//! The state in a blob, against the real emulator (Azurite): locks, stale writers, crashes continued elsewhere, moving
//! there and back. Skipped with a message where the emulator is absent, never where `CI_AZURITE=required`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Barrier, Mutex, Weak};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use privaml::arm::blob::{Container, Proof};
use privaml::arm::network;
use privaml::model::{Blobs, ResourceId, State, StepId, Verb, What};
use privaml::store::{Holder, Remote, Store, StoreError};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The emulator's only account.
const ACCOUNT: &str = "devstoreaccount1";

/// A running emulator; ends with the last test that uses it.
struct Azurite {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Azurite {
    /// The emulator that all tests share.
    fn shared() -> Option<Arc<Self>> {
        static RUNNING: Mutex<Weak<Azurite>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(azurite) = running.upgrade() {
            return Some(azurite);
        }
        let azurite = Arc::new(Self::start(&[])?);
        *running = Arc::downgrade(&azurite);
        Some(azurite)
    }

    fn start(more: &[&str]) -> Option<Self> {
        let program = std::env::var("AZURITE_BLOB").unwrap_or_else(|_| "azurite-blob".to_owned());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let started = std::process::Command::new(&program)
            .args(["--blobPort", &port.to_string(), "--inMemoryPersistence", "--silent", "--disableTelemetry"])
            .args(more)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
        let child = match started {
            Ok(child) => child,
            Err(error) => {
                let required = std::env::var("CI_AZURITE").is_ok_and(|text| text == "required");
                assert!(!required, "CI_AZURITE=required, but {program} does not start: {error}");
                eprintln!("skipped: {program} is not here ({error}); `npm install -g azurite` brings it");
                return None;
            }
        };
        let azurite = Self { child, port, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the emulator does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(azurite)
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.port)
    }

    fn remote(&self, container: &str, key: &str) -> Remote {
        let base = format!("{}/{container}", self.endpoint());
        Remote::new(format!("{ACCOUNT}/{container}/{key}"), json!({"key": key}), key.to_owned(), async move {
            let proof = Proof::Emulator { account: ACCOUNT.to_owned() };
            Ok(Arc::new(Container::new(&base, proof, network(None, true).unwrap())) as Arc<dyn Blobs>)
        })
    }

    /// `[state]` for a parameter file.
    fn table(&self, container: &str) -> String {
        format!(
            "[state]\nbackend = \"azblob\"\naccount = \"{ACCOUNT}\"\ncontainer = \"{container}\"\nendpoint = \"{}\"\n",
            self.endpoint()
        )
    }
}

/// A machine: a folder, and nothing in common with another one but the passphrase.
struct Machine(TempDir);

impl Machine {
    fn new(parameters: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("params.toml"), parameters).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn parameters(&self, text: &str) {
        std::fs::write(self.path("params.toml"), text).unwrap();
    }

    fn privaml(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("privaml").unwrap();
        command.current_dir(self.0.path()).args(args).env_clear();
        command.env("PRIVAML_CONFIG_DIR", self.path("keys")).env("PRIVAML_PASSPHRASE", "correct horse");
        command
    }

    fn out(&self, args: &[&str]) -> String {
        String::from_utf8(self.privaml(args).assert().success().get_output().stdout.clone()).unwrap()
    }

    /// Standard error of a command that must end with this code.
    fn refused(&self, args: &[&str], code: i32) -> String {
        String::from_utf8(self.privaml(args).assert().code(code).get_output().stderr.clone()).unwrap()
    }
}

fn holder(command: &str) -> Holder {
    Holder { command: command.to_owned() }
}

fn started(name: &str) -> What {
    What::Started {
        step: StepId::new(privaml::model::Address::new("vault", name), Verb::Create),
        resource: ResourceId::group("s", name),
        says: Some(json!({"location": "x"})),
        needs: Vec::new(),
        api_version: "v".to_owned(),
    }
}

fn open(folder: &Path, command: &str, remote: Remote) -> Result<Store, StoreError> {
    Store::open_shared(&folder.join("s.json"), &holder(command), Duration::ZERO, remote)
}

#[test]
fn of_two_at_once_exactly_one_proceeds_and_the_other_is_told_who() {
    let Some(azurite) = Azurite::shared() else { return };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for round in 0..100 {
        // A state that is not there yet and one that is are two different races.
        let key = if round % 2 == 0 { format!("race-{round}") } else { "race".to_owned() };
        let (start, end) = (Barrier::new(2), Barrier::new(2));
        let race = |who: usize| {
            let path = folders[who].path().join(format!("{key}.json"));
            start.wait();
            let remote = azurite.remote("race", &key);
            let opened = Store::open_shared(&path, &holder(&format!("run {who}")), Duration::ZERO, remote);
            end.wait();
            opened.map(drop).map_err(|error| error.to_string())
        };
        let outcomes = std::thread::scope(|scope| {
            let other = scope.spawn(|| race(1));
            [race(0), other.join().unwrap()]
        });
        let (winner, error) = match &outcomes {
            [Ok(()), Err(error)] => (0, error),
            [Err(error), Ok(())] => (1, error),
            other => panic!("round {round}: {other:?}"),
        };
        let told = error.contains(&format!("running `run {winner}`"));
        assert!(told && error.contains(&format!("process {}", std::process::id())), "round {round}: {error}");
    }
}

#[test]
fn a_stale_writer_is_refused_by_the_service() {
    let Some(azurite) = Azurite::shared() else { return };
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let remote = || azurite.remote("stale", "key");
    let mut stale = open(a.path(), "stale", remote()).unwrap();
    stale.record(started("x"), Duration::ZERO).unwrap();
    wait_for(|| Store::read_shared(remote()).unwrap().is_some_and(|state| state.open.len() == 1));
    remote().break_lock().unwrap();
    let mut fresh = open(b.path(), "fresh", remote()).unwrap();
    assert_eq!(fresh.state().open.len(), 1, "what the first one sent is lost");
    fresh.record(started("y"), Duration::ZERO).unwrap();
    let error = stale.amend(|state| state.outputs = [("a".to_owned(), json!(1))].into()).unwrap_err();
    assert!(matches!(error, StoreError::Lost { .. }), "{error}");
    assert!(matches!(stale.record(started("z"), Duration::ZERO), Err(StoreError::Lost { .. })));
    let expected = fresh.state().clone();
    fresh.close().unwrap();
    drop(stale);
    assert_eq!(Store::read_shared(remote()).unwrap().unwrap(), expected);
    // The stale folder holds what the service refused: it does not win by coming back.
    let error = open(a.path(), "again", remote()).unwrap_err();
    assert!(matches!(error, StoreError::Mismatch { .. }), "{error}");
}

fn wait_for(mut is_true: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_true() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A token as Entra ID makes it; the emulator looks at who issued it and for whom, not at the signature.
#[derive(Debug)]
struct Token;

#[async_trait::async_trait]
impl TokenCredential for Token {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://storage.azure.com/.default"]);
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = json!({"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/72f988bf/",
            "iat": now - 60, "nbf": now - 60, "exp": now + 3600, "oid": "o", "tid": "t"});
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256", "typ": "JWT"})), part(&claims));
        Ok(AccessToken::new(token, OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1)))
    }
}

#[test]
fn a_token_opens_the_blob_as_well() {
    let keys = tempfile::tempdir().unwrap();
    let (certificate, key) = (keys.path().join("cert.pem"), keys.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (cert_arg, key_arg) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let Some(azurite) = Azurite::start(&["--oauth", "basic", "--cert", cert_arg, "--key", key_arg]) else { return };
    let base = format!("https://127.0.0.1:{}/{ACCOUNT}/token", azurite.port);
    let remote = || {
        let (base, certificate) = (base.clone(), certificate.clone());
        Remote::new("token".to_owned(), Value::Null, "a/b.json".to_owned(), async move {
            let transport = network(Some(&certificate), true).unwrap();
            Ok(Arc::new(Container::new(&base, Proof::Token(Arc::new(Token)), transport)) as Arc<dyn Blobs>)
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), "apply", remote()).unwrap();
    store.record(started("x"), Duration::ZERO).unwrap();
    let state = store.state().clone();
    drop(store);
    assert_eq!(Store::read_shared(remote()).unwrap().unwrap(), state);
    assert_eq!(remote().holder().unwrap(), None);
}

/// `privaml sandbox serve`: one cloud for several machines.
struct Cloud {
    child: Child,
    origin: String,
    subscription: String,
    tenant: String,
    _folder: TempDir,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Cloud {
    fn serve(speed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("privaml"))
            .args(["sandbox", "serve", "--port", "0", "--sandbox-speed", speed])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut origin = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut origin).unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let words: Vec<&str> = said.split([' ', ',', ';']).filter(|word| word.len() == 36).collect();
        let [subscription, tenant] = words[..] else { panic!("{said}") };
        let (subscription, tenant) = (subscription.to_owned(), tenant.to_owned());
        Self { child, origin: origin.trim().to_owned(), subscription, tenant, _folder: folder }
    }

    fn of(&self, machine: &Machine, args: &[&str]) -> Command {
        let mut command = machine.privaml(args);
        command.args(["--cloud", &self.origin, "--subscription", &self.subscription]);
        command.env("AZURE_CLIENT_ID", "x").env("AZURE_CLIENT_SECRET", "x").env("AZURE_TENANT_ID", &self.tenant);
        command
    }

    /// An apply that is under way.
    fn begin(&self, machine: &Machine) -> Child {
        std::process::Command::new(assert_cmd::cargo::cargo_bin("privaml"))
            .current_dir(machine.0.path())
            .args(["apply", "--yes", "--cloud", &self.origin, "--subscription", &self.subscription])
            .env("AZURE_CLIENT_ID", "x")
            .env("AZURE_CLIENT_SECRET", "x")
            .env("AZURE_TENANT_ID", &self.tenant)
            .env("PRIVAML_CONFIG_DIR", machine.path("keys"))
            .env("PRIVAML_PASSPHRASE", "correct horse")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn local(machine: &Machine) -> State {
    Store::read(&machine.path("privaml.state.json")).unwrap().unwrap()
}

#[test]
fn a_crash_on_one_machine_is_continued_on_another() {
    let Some(azurite) = Azurite::shared() else { return };
    let cloud = Cloud::serve("400");
    for (round, enough) in [3, 25].into_iter().enumerate() {
        let parameters = format!("name = \"r{round}\"\n{}", azurite.table("crash"));
        let (a, b) = (Machine::new(&parameters), Machine::new(&parameters));
        let mut run = cloud.begin(&a);
        wait_for(|| {
            let known =
                Store::read(&a.path("privaml.state.json")).ok().flatten().map_or(0, |state| state.resources.len());
            assert!(run.try_wait().unwrap().is_none(), "the apply ended too early");
            known >= enough
        });
        let told = String::from_utf8(cloud.of(&b, &["apply", "--yes"]).assert().code(6).get_output().stderr.clone());
        assert!(told.unwrap().contains(&format!("process {}", run.id())), "the holder is not named");
        run.kill().unwrap();
        run.wait().unwrap();
        let left = local(&a);

        let told = b.refused(&["state", "unlock", "--yes"], 0);
        assert!(told.contains(&format!("process {}", run.id())), "{told}");
        cloud.of(&b, &["apply", "--yes", "--trace", "trace.ndjson"]).assert().success();
        let done = local(&b);
        assert_eq!((done.lineage, &done.generated), (left.lineage, &left.generated), "names or password changed");
        for line in std::fs::read_to_string(b.path("trace.ndjson")).unwrap().lines() {
            let exchange: Value = serde_json::from_str(line).unwrap();
            let url = exchange["url"].as_str().unwrap().to_ascii_lowercase();
            let again = left.resources.values().any(|known| url.contains(&format!("{}?", known.id.key())));
            assert!(exchange["method"] != "PUT" || !again, "created a second time: {url}");
        }
        cloud.of(&b, &["plan", "--detailed-exitcode"]).assert().code(0);

        // The first machine comes back: it follows, or says that its last steps never arrived.
        let back = cloud.of(&a, &["plan", "--detailed-exitcode"]).assert();
        if back.get_output().status.code() == Some(6) {
            let told = String::from_utf8(back.get_output().stderr.clone()).unwrap();
            assert!(told.contains("state pull --save --force"), "{told}");
            a.privaml(&["state", "pull", "--save", "--force"]).assert().success();
            cloud.of(&a, &["plan", "--detailed-exitcode"]).assert().code(0);
        }
        assert_eq!(a.out(&["output", "jumpbox_pass", "--raw"]), b.out(&["output", "jumpbox_pass", "--raw"]));
        cloud.of(&a, &["destroy", "--yes"]).assert().success();
        assert!(
            Store::read_shared(azurite.remote("crash", &format!("r{round}.privaml.state.json")))
                .unwrap()
                .unwrap()
                .is_bare()
        );
    }
}

#[test]
fn the_lock_of_a_dead_run_ends_by_itself_and_can_be_waited_for() {
    let Some(azurite) = Azurite::shared() else { return };
    let cloud = Cloud::serve("20");
    let parameters = azurite.table("dead");
    let (a, b) = (Machine::new(&parameters), Machine::new(&parameters));
    let mut run = cloud.begin(&a);
    wait_for(|| a.path("privaml.state.json.journal").exists());
    run.kill().unwrap();
    run.wait().unwrap();
    let begun = Instant::now();
    cloud.of(&b, &["plan", "--lock-timeout", "90"]).assert().success();
    let waited = begun.elapsed().as_secs();
    assert!((5..75).contains(&waited), "waited {waited} s for a lease of 60 s");
}

#[test]
fn a_run_that_loses_its_lock_starts_nothing_new() {
    let Some(azurite) = Azurite::shared() else { return };
    let cloud = Cloud::serve("20");
    let a = Machine::new(&azurite.table("lost"));
    let mut run = cloud.begin(&a);
    wait_for(|| Store::read(&a.path("privaml.state.json")).ok().flatten().is_some_and(|s| s.resources.len() > 3));
    a.privaml(&["state", "unlock", "--yes", "--state", "other.json"]).assert().success();
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(6), "{said}");
    assert!(said.contains("lock on the remote state") && said.contains("is lost"), "{said}");
    // Nobody else went on, so its own folder does.
    cloud.of(&a, &["apply", "--yes"]).assert().success();
    cloud.of(&a, &["plan", "--detailed-exitcode"]).assert().code(0);
}

#[test]
fn a_state_moves_to_the_blob_and_back() {
    let Some(azurite) = Azurite::shared() else { return };
    let a = Machine::new("name = \"mv\"\n");
    let sandbox = ["--sandbox", "--sandbox-speed", "2000"];
    let with = |args: &[&str]| -> Vec<String> { args.iter().chain(&sandbox).map(|&text| text.to_owned()).collect() };
    let of = |args: &[&str]| {
        let args = with(args);
        a.privaml(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    of(&["apply"]).assert().success();
    let list = a.out(&["state", "list"]);
    assert!(list.lines().count() > 50 && list.contains("/resourceGroups/rg-mv"), "{list}");

    let shared = format!("name = \"mv\"\n{}", azurite.table("move"));
    a.parameters(&shared);
    let told = String::from_utf8(of(&["apply"]).assert().code(6).get_output().stderr.clone()).unwrap();
    assert!(told.contains("privaml state migrate"), "{told}");
    assert!(a.refused(&["state", "migrate"], 2).contains("--yes"));
    a.privaml(&["state", "migrate", "--yes"]).assert().success();
    of(&["plan", "--detailed-exitcode"]).assert().code(0);

    let b = Machine::new(&shared);
    assert_eq!(b.out(&["state", "list"]), list);
    assert_eq!(b.out(&["output", "jumpbox_pass", "--raw"]), a.out(&["output", "jumpbox_pass", "--raw"]));
    let pulled = b.out(&["state", "pull"]);
    assert!(!b.path("privaml.state.json").exists(), "reading makes no copy");
    b.privaml(&["state", "pull", "--save"]).assert().success();
    assert_eq!(std::fs::read_to_string(b.path("privaml.state.json")).unwrap().trim_end(), pulled.trim_end());
    let document: Value = serde_json::from_str(&b.out(&["state", "list", "--json"])).unwrap();
    assert_eq!(document["resources"].as_array().unwrap().len(), list.lines().count());
    let address = document["resources"][0]["address"].as_str().unwrap();
    assert!(b.out(&["state", "show", address]).contains(document["resources"][0]["id"].as_str().unwrap()));

    a.parameters("name = \"mv\"\n");
    let told = String::from_utf8(of(&["plan"]).assert().code(6).get_output().stderr.clone()).unwrap();
    assert!(told.contains("copy of a remote state"), "{told}");
    a.privaml(&["state", "migrate", "--yes"]).assert().success();
    of(&["plan", "--detailed-exitcode"]).assert().code(0);
    let told = b.refused(&["state", "list"], 2);
    assert!(told.contains("no state"), "{told}");
    of(&["destroy", "--yes"]).assert().success();
}

#[test]
fn colleagues_that_are_named_open_the_password() {
    use age::secrecy::ExposeSecret as _;
    let Some(azurite) = Azurite::shared() else { return };
    let key = age::x25519::Identity::generate();
    let parameters = format!("{}recipients = [\"{}\"]\n", azurite.table("team"), key.to_public());
    let [a, b, c] = [(); 3].map(|()| Machine::new(&parameters));
    std::fs::create_dir(b.path("keys")).unwrap();
    std::fs::write(b.path("keys/identity.txt"), key.to_string().expose_secret()).unwrap();
    let alone = |machine: &Machine, args: &[&str]| {
        let mut command = machine.privaml(args);
        command.env_remove("PRIVAML_PASSPHRASE");
        command.assert()
    };
    alone(&a, &["apply", "--sandbox", "--sandbox-speed", "2000"]).success();
    let read = ["output", "jumpbox_pass", "--raw"];
    let opened = alone(&a, &read).success().get_output().stdout.clone();
    assert_eq!(opened.trim_ascii().len(), 16);
    assert_eq!(alone(&b, &read).success().get_output().stdout, opened);
    let told = String::from_utf8(alone(&c, &read).code(6).get_output().stderr.clone()).unwrap();
    assert!(told.contains("identity"), "{told}");
}

#[test]
fn an_older_or_foreign_state_is_not_pushed() {
    let Some(azurite) = Azurite::shared() else { return };
    let shared = azurite.table("push");
    let a = Machine::new(&shared);
    let remote = || azurite.remote("push", "test.privaml.state.json");
    let keep = |folder: &Path, value: &str| {
        let mut store = open(folder, "keep", remote()).unwrap();
        store.amend(|state| state.parameters = json!(value)).unwrap();
        store.close().unwrap();
    };
    let work = tempfile::tempdir().unwrap();
    keep(work.path(), "one");
    std::fs::copy(work.path().join("s.json"), a.path("privaml.state.json")).unwrap();
    keep(work.path(), "two");
    let before = std::fs::read(a.path("privaml.state.json")).unwrap();
    for args in [&["state", "push"][..], &["plan", "--sandbox"]] {
        let told = a.refused(args, 6);
        assert!(told.contains("serial 1") && told.contains('2'), "{told}");
        assert_eq!(std::fs::read(a.path("privaml.state.json")).unwrap(), before);
    }
    assert_eq!(Store::read_shared(remote()).unwrap().unwrap().parameters, json!("two"));
    assert!(a.refused(&["state", "push", "--force"], 2).contains("--yes"));
    a.privaml(&["state", "push", "--force", "--yes"]).assert().success();
    assert_eq!(Store::read_shared(remote()).unwrap().unwrap().parameters, json!("one"));
}

#[test]
fn unlocking_says_who_holds_it_and_asks() {
    let Some(azurite) = Azurite::shared() else { return };
    let a = Machine::new(&azurite.table("unlock"));
    let remote = || azurite.remote("unlock", "test.privaml.state.json");
    let folder = tempfile::tempdir().unwrap();
    let mut held = open(folder.path(), "apply", remote()).unwrap();
    let told = a.refused(&["state", "unlock"], 2);
    assert!(told.contains("--yes"), "{told}");
    assert!(remote().holder().unwrap().is_some(), "the lock is gone without consent");
    let told = a.refused(&["state", "unlock", "--yes"], 0);
    assert!(told.contains(&format!("process {}", std::process::id())) && told.contains("running `apply`"), "{told}");
    assert_eq!(remote().holder().unwrap(), None);
    assert!(a.refused(&["state", "unlock", "--yes"], 0).contains("Nobody"));
    assert!(matches!(held.amend(|state| state.parameters = json!(1)), Err(StoreError::Lost { .. })));
}

#[test]
fn a_lock_can_be_waited_for() {
    let Some(azurite) = Azurite::shared() else { return };
    let a = Machine::new(&azurite.table("wait"));
    let folder = tempfile::tempdir().unwrap();
    let held = open(folder.path(), "apply", azurite.remote("wait", "test.privaml.state.json")).unwrap();
    assert!(a.refused(&["plan", "--sandbox"], 6).contains("in use by"));
    std::thread::scope(|scope| {
        scope.spawn(|| a.privaml(&["plan", "--sandbox", "--lock-timeout", "60"]).assert().success());
        std::thread::sleep(Duration::from_secs(2));
        drop(held);
    });
}
