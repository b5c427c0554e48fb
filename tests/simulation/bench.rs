//! One environment in the making: a folder with its state, a sandbox under virtual time, and commands that may be cut
//! off anywhere. A command is what the binary does: continue, read, plan, carry out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azure_core::http::HttpClient;
use privaml::apply::{self, ApplyError, Options, Secrets, Stop, step_times};
use privaml::arm::account::deleted_vault;
use privaml::arm::{self, Client, Clock, Cloud, Parts};
use privaml::blueprint;
use privaml::config;
use privaml::kind::key_vault;
use privaml::model::{Desired, Event, Facts, JUMPBOX_PASSWORD, Observed, Outcome, ResourceId, StepId, Tally, What};
use privaml::plan::{self, Consent, Plan};
use privaml::sandbox::fault::{Fault, Misfortune};
use privaml::sandbox::{Sandbox, World};
use privaml::store::{Disk, Holder, Store, StoreError};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use tempfile::TempDir;

use super::fate::{Answered, Fate, Weather};
use super::stranger;

/// A password that must never be seen.
pub(super) const CANARY: &str = "Canary-7f3a_9Q%z";
/// Nobody waits longer than this for a command.
const PATIENCE: Duration = Duration::from_secs(48 * 3600);

/// How much of the environment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// One of each sort: network, firewall rules, a service with endpoint and DNS, a secret, diagnostics.
    Small,
    /// Everything.
    Whole,
}

const SMALL: [&str; 16] = [
    "resource_group.core",
    "network_security_group.shared",
    "network_security_group.bastion",
    "route_table.core",
    "virtual_network.core",
    "firewall_policy.core",
    "firewall_rules.core",
    "log_workspace.core",
    "storage_account.core",
    "key_vault.core",
    "vault_secret.jumpbox_password",
    "dns_zone.blob",
    "dns_link.blob",
    "private_endpoint.blob",
    "dns_zone_group.blob",
    "diagnostic_setting.storage",
];

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Apply,
    Destroy,
}

/// How a command ended.
#[derive(Debug)]
pub(super) enum Ended {
    Clean,
    /// Some steps failed, or the command gave up.
    Failed(String),
    Crashed,
}

pub(super) struct Bench {
    folder: TempDir,
    pub(super) sandbox: Sandbox,
    pub(super) desired: Vec<Desired>,
    /// Writes whose reply reached the client, over all commands.
    pub(super) answered: Vec<Answered>,
    pub(super) met: BTreeMap<String, u64>,
    /// What was said to the user, for the canary.
    said: Arc<Mutex<String>>,
    /// Broken rules seen while events passed by.
    pub(super) broken: Arc<Mutex<Vec<String>>>,
    pub(super) sprung: bool,
    /// Whether somebody changed something of ours behind our back.
    pub(super) is_meddled: bool,
    /// Writes of the store by the last command.
    pub(super) writes: u64,
}

impl Bench {
    pub(super) fn new(seed: u64, size: Size) -> Self {
        // Memory where there is some: hundreds of histories wait for no disk.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let sandbox = Sandbox::holding(World::new(seed), 1.0);
        let mut bench = Self {
            folder,
            sandbox,
            desired: Vec::new(),
            answered: Vec::new(),
            met: BTreeMap::new(),
            said: Arc::default(),
            broken: Arc::default(),
            sprung: false,
            is_meddled: false,
            writes: 0,
        };
        bench.draw(size);
        bench.plant_foreign();
        bench
    }

    fn draw(&mut self, size: Size) {
        let mut store = self.open();
        store.amend(|state| state.generated.suffix = Some("1234".to_owned())).unwrap();
        let (subscription, tenant) = {
            let world = self.sandbox.world();
            (world.subscription.clone(), world.tenant.clone())
        };
        let facts = Facts {
            subscription,
            tenant,
            lineage: store.state().lineage,
            suffix: "1234".to_owned(),
            jumpbox_user: "jbxabcd".to_owned(),
            cloud: Cloud::public().names,
            firewall_address: None,
        };
        store.close().unwrap();
        let mut desired = blueprint::draw(&config::defaults(), &facts);
        if size == Size::Small {
            desired.retain(|one| SMALL.contains(&one.address.as_str()));
            assert_eq!(desired.len(), SMALL.len());
        }
        self.desired = desired;
    }

    fn open(&self) -> Store {
        self.open_on(Disk::default()).unwrap()
    }

    fn open_on(&self, disk: Disk) -> Result<Store, StoreError> {
        let holder = Holder { command: "simulation".to_owned() };
        Store::open_on(disk, &self.folder.path().join("state.json"), &holder, Duration::ZERO)
    }

    pub(super) fn state(&self) -> privaml::model::State {
        Store::read(&self.folder.path().join("state.json")).unwrap().unwrap()
    }

    /// The operation of the next write of this resource fails in the end.
    pub(super) fn doom(&self, at: usize, code: &str) {
        let what = Misfortune::FailOperation { code: code.to_owned(), message: "A simulated failure.".to_owned() };
        let fault = Fault::once("PUT", self.desired[at].id.as_str(), what);
        self.sandbox.world().faults.push(fault);
    }

    fn foreign(&self) -> ResourceId {
        ResourceId::group(&self.sandbox.world().subscription, "rg-foreign")
    }

    fn plant_foreign(&self) {
        let group = self.foreign();
        let body = json!({"location": "westeurope"});
        let (status, _) = stranger::send(&self.sandbox, "PUT", group.as_str(), "2021-04-01", &body);
        assert!(status < 300, "{status}");
    }

    /// Somebody deletes or edits something of ours between two commands.
    pub(super) fn meddle(&mut self, draws: &mut StdRng) {
        if let Some(what) = stranger::meddle(&self.sandbox, &self.desired, draws) {
            *self.met.entry(what.to_owned()).or_default() += 1;
            self.is_meddled = true;
        }
    }

    /// Somebody opens the key vault to the world, then deletes it.
    pub(super) fn open_and_delete_vault(&mut self) {
        let vault = &self.desired.iter().find(|one| one.address.kind() == key_vault::KIND.name).unwrap().id;
        let send =
            |method, body: &_| stranger::send(&self.sandbox, method, vault.as_str(), key_vault::KIND.api_version, body);
        let (_, mut body) = send("GET", &serde_json::Value::Null);
        body["properties"]["publicNetworkAccess"] = "Enabled".into();
        let statuses = (send("PUT", &body).0, send("DELETE", &serde_json::Value::Null).0);
        assert!(statuses.0 < 300 && statuses.1 < 300, "{statuses:?}");
        self.is_meddled = true;
    }

    /// Somebody puts a resource into our group; whether there was a group.
    pub(super) fn lodge(&mut self) -> bool {
        stranger::move_in(&self.sandbox, &self.desired[0].id)
    }

    /// Runs one command to its end, or to its death.
    pub(super) async fn command(&mut self, goal: Goal, weather: Weather) -> Ended {
        let (is_trapped, seed) = (weather.trap.is_some(), weather.seed);
        let fate = Arc::new(Fate::new(&self.sandbox, &self.desired, weather));
        let client = client(&fate, &self.sandbox, seed);
        let ended = {
            let work = self.carry_out(goal, &client, fate.disk());
            tokio::select! {
                ended = tokio::time::timeout(PATIENCE, work) => ended.expect("a command does not end"),
                () = fate.crash.notified() => Ended::Crashed,
            }
        };
        let ended = if fate.is_dead() { Ended::Crashed } else { ended };
        self.writes = fate.writes();
        self.is_meddled |= fate.met().keys().any(|what| what == "Deleted" || what == "Edited");
        self.answered.extend(fate.answered());
        for (fault, count) in fate.met() {
            *self.met.entry(fault).or_default() += count;
        }
        self.sprung |= is_trapped && fate.is_sprung();
        ended
    }

    async fn carry_out(&self, goal: Goal, client: &Client, disk: Disk) -> Ended {
        let mut store = match self.open_on(disk) {
            Ok(store) => store,
            Err(error) => return Ended::Failed(error.to_string()),
        };
        let stop = Stop::new();
        let nothing = Plan::default();
        let mut sink = self.watch(&nothing);
        match apply::resume(&mut store, client, &mut sink, &stop).await {
            Ok(_) => {}
            Err(ApplyError::Unresolved { step, cause }) => return Ended::Failed(format!("{step}: {}", cause.message)),
            Err(error) => return Ended::Failed(error.to_string()),
        }
        let plan = match self.think(goal, client, &store).await {
            Ok(plan) => plan,
            Err(text) => return Ended::Failed(text),
        };
        let secrets = Secrets::new().with(JUMPBOX_PASSWORD, CANARY.into());
        let options = Options { parallelism: 16, times: step_times(&plan) };
        let mut sink = self.watch(&plan);
        match apply::run(&plan, &mut store, client, &secrets, &options, &mut sink, &stop).await {
            Ok(tally) if tally.is_clean() => {}
            Ok(tally) => return Ended::Failed(failures(&self.said, &tally)),
            Err(error) => return Ended::Failed(error.to_string()),
        }
        store.close().map_or_else(|error| Ended::Failed(error.to_string()), |()| Ended::Clean)
    }

    async fn think(&self, goal: Goal, client: &Client, store: &Store) -> Result<Plan, String> {
        if goal == Goal::Destroy {
            return Ok(plan::destroy(store.state(), &self.others(client, store).await?));
        }
        let watched = plan::watch(&self.desired, store.state());
        let ids: Vec<_> = watched.iter().map(|w| (w.id.clone(), w.api_version.as_str())).collect();
        let expected = store.state().resources.values().map(|known| known.id.clone()).collect();
        let live = arm::observe(client, &ids, &expected, 16).await.map_err(|error| error.to_string())?;
        let mut observed = Observed { live, ..Observed::default() };
        for vault in self.desired.iter().filter(|one| one.address.kind() == key_vault::KIND.name) {
            let subscription = self.sandbox.world().subscription.clone();
            let (place, name) = (vault.body["location"].as_str().unwrap(), vault.id.name());
            let is_there = observed.live.contains_key(&vault.id);
            if !is_there && matches!(deleted_vault(client, &subscription, place, name).await, Ok(Some(_))) {
                observed.soft_deleted.insert(vault.id.clone());
            }
        }
        plan::plan(&self.desired, store.state(), &observed, &Consent::default())
            .map_err(|error| format!("{:?}", error.problems))
    }

    /// What is in our group besides ours.
    async fn others(&self, client: &Client, store: &Store) -> Result<Observed, String> {
        let (group, state) = (&self.desired[0].id, store.state());
        let listed = match client.list(&format!("{group}/resources"), "2021-04-01").await {
            Ok(listed) => listed,
            Err(error) if error.status == Some(404) => Vec::new(),
            Err(error) => return Err(error.to_string()),
        };
        let known = state.resources.values().map(|known| &known.id);
        let ours: BTreeSet<String> =
            known.chain(state.open.values().map(|open| &open.resource)).map(ResourceId::key).collect();
        let ids = listed.iter().filter_map(|body| body["id"].as_str()).map(ResourceId::new);
        let strangers = ids.filter(|id| !ours.contains(&id.key())).collect();
        Ok(Observed { strangers, ..Observed::default() })
    }

    /// A calm look at what an apply would do now.
    pub(super) async fn pending(&self) -> Plan {
        let fate = Arc::new(Fate::new(&self.sandbox, &self.desired, Weather::default()));
        let client = client(&fate, &self.sandbox, 0);
        let store = self.open();
        self.think(Goal::Apply, &client, &store).await.unwrap()
    }

    /// Checks the order of events, and keeps what a user could see.
    fn watch(&self, plan: &Plan) -> impl FnMut(&Event) + Send + use<> {
        let needs: BTreeMap<StepId, Vec<StepId>> =
            plan.steps.iter().map(|step| (step.id.clone(), step.needs.clone())).collect();
        let (said, broken) = (self.said.clone(), self.broken.clone());
        let mut done: BTreeSet<StepId> = BTreeSet::new();
        let mut ended: BTreeSet<StepId> = BTreeSet::new();
        move |event: &Event| {
            let _ = writeln!(said.lock().unwrap(), "{event:?}");
            match &event.what {
                What::Started { step, .. } => {
                    let early = needs.get(step).into_iter().flatten().find(|need| !done.contains(*need));
                    if let Some(need) = early {
                        broken.lock().unwrap().push(format!("{step} started before {need} ended"));
                    }
                }
                What::Ended { step, outcome } => {
                    if !ended.insert(step.clone()) {
                        broken.lock().unwrap().push(format!("{step} ended twice"));
                    }
                    if matches!(outcome, Outcome::Done { .. }) {
                        done.insert(step.clone());
                    }
                }
                _ => {}
            }
        }
    }

    /// Every byte that a user, a log reader or a thief of the folder could see.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(super) fn visible(&self) -> String {
        let mut text = self.said.lock().unwrap().clone();
        for entry in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()));
        }
        text
    }

    /// Ids in the world that are ours to account for, and whether the foreign group is untouched.
    pub(super) fn there(&self) -> (BTreeSet<String>, bool) {
        let foreign = self.foreign();
        let world = self.sandbox.world();
        let ours = world.resources.values().filter(|r| r.id != foreign).map(|r| r.id.key()).collect();
        (ours, world.get(&foreign).is_some())
    }
}

fn failures(said: &Mutex<String>, tally: &Tally) -> String {
    let said = said.lock().unwrap();
    let lines = said.lines().rev().filter(|line| line.contains("Failed")).take(3).collect::<Vec<_>>();
    format!("{tally:?} {lines:?}")
}

fn client(fate: &Arc<Fate>, sandbox: &Sandbox, seed: u64) -> Client {
    let transport: Arc<dyn HttpClient> = fate.clone();
    let mut parts = Parts::new(transport, Arc::new(sandbox.credential()), Cloud::public(), Clock::real());
    let draws = Mutex::new(StdRng::seed_from_u64(seed));
    parts.chance = Arc::new(move || draws.lock().unwrap().random());
    Client::new(parts)
}
