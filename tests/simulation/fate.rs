//! What a request meets on its way: nothing, or a fault drawn from a seed or set for one place. Keeps a log of what was
//! answered, so that the invariants can be checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};
use privaml::model::Desired;
use privaml::sandbox::Sandbox;
use privaml::store::Disk;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::Notify;

use super::stranger;

/// What can happen to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// 429, with a `Retry-After` or without.
    Throttled { hint: bool },
    /// A status of 500 and above, before any effect.
    Status(u16),
    /// The connection breaks before the request arrives.
    ResetBefore,
    /// The request takes effect, its reply is lost.
    ResetAfter,
    /// No answer until the transport gives up.
    Hang,
    /// The token is refused.
    Unauthorised,
    /// 409: somebody else's write is still running.
    AnotherOperation,
    /// 404 for a read of something that is there.
    NotYet,
    /// A refusal that no repeat can heal, before any effect.
    Refused,
    /// The client dies before the request arrives.
    CrashBefore,
    /// The client dies after the request took effect and before the reply.
    CrashAfter,
}

/// Faults that a client must survive by itself.
const PASSING: [Fault; 12] = [
    Fault::Throttled { hint: true },
    Fault::Throttled { hint: false },
    Fault::Status(500),
    Fault::Status(502),
    Fault::Status(503),
    Fault::Status(504),
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::Hang,
    Fault::Unauthorised,
    Fault::AnotherOperation,
    Fault::NotYet,
];

/// A request that a fault waits for.
#[derive(Clone, Debug)]
pub(super) struct Trap {
    pub(super) method: &'static str,
    /// Path of the resource, lower case.
    pub(super) path: String,
    pub(super) fault: Fault,
}

/// What a disk can do to one write of state or journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiskFault {
    /// Half of it gets there; this and every later write of the command fails.
    Full,
    /// Half of it gets there; later writes succeed.
    FullOnce,
    /// Half of it gets there, then the client dies.
    Torn,
    /// All of it gets there, then the client dies.
    CrashAfterWrite,
}

/// All of them.
pub(super) const DISK_FAULTS: [DiskFault; 4] =
    [DiskFault::Full, DiskFault::FullOnce, DiskFault::Torn, DiskFault::CrashAfterWrite];

/// What a command meets. Requests and writes are counted from one; zero is never.
#[derive(Clone, Debug, Default)]
pub(super) struct Weather {
    pub(super) seed: u64,
    /// Chance of a passing fault for each request, in percent.
    pub(super) percent: u32,
    /// The client dies at this request.
    pub(super) dies_at: u64,
    /// Somebody deletes or edits something right before this request.
    pub(super) meddled_at: u64,
    /// The network goes away with the reply to this request, and does not come back while the command runs.
    pub(super) cut_at: u64,
    /// The write of the store that goes wrong, and how.
    pub(super) disk: Option<(u64, DiskFault)>,
    pub(super) trap: Option<Trap>,
}

/// One answered write.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) method: String,
    pub(super) path: String,
}

/// A transport between client and sandbox, and the disk under the client's state.
pub(super) struct Fate {
    sandbox: Sandbox,
    desired: Vec<Desired>,
    weather: Weather,
    draws: Mutex<StdRng>,
    trap: Mutex<Option<Trap>>,
    count: AtomicU64,
    answered: Mutex<Vec<Answered>>,
    met: Mutex<BTreeMap<String, u64>>,
    lied: Mutex<BTreeSet<String>>,
    writes: AtomicU64,
    is_dead: AtomicBool,
    pub(super) crash: Notify,
}

impl fmt::Debug for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fate")
    }
}

impl Fate {
    pub(super) fn new(sandbox: &Sandbox, desired: &[Desired], weather: Weather) -> Self {
        Self {
            sandbox: sandbox.clone(),
            desired: desired.to_vec(),
            draws: Mutex::new(StdRng::seed_from_u64(weather.seed)),
            trap: Mutex::new(weather.trap.clone()),
            weather,
            count: AtomicU64::new(0),
            answered: Mutex::default(),
            met: Mutex::default(),
            lied: Mutex::default(),
            writes: AtomicU64::new(0),
            is_dead: AtomicBool::new(false),
            crash: Notify::new(),
        }
    }

    /// The disk of this command.
    pub(super) fn disk(self: &Arc<Self>) -> Disk {
        let fate = self.clone();
        Disk::limited(move |length| fate.room(length))
    }

    /// How much of a write gets to the disk, where not all does.
    fn room(&self, length: usize) -> Option<usize> {
        if self.is_dead.load(Ordering::Relaxed) {
            return Some(0);
        }
        if length == 0 {
            return None;
        }
        let count = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        let (at, fault) = self.weather.disk?;
        if count == at {
            self.meet(&format!("{fault:?}"));
        }
        let half = Some(length / 2);
        match fault {
            DiskFault::Full if count >= at => half,
            DiskFault::FullOnce if count == at => half,
            DiskFault::Torn if count == at => {
                self.fall();
                half
            }
            DiskFault::CrashAfterWrite if count == at => {
                self.fall();
                None
            }
            _ => None,
        }
    }

    fn meet(&self, what: &str) {
        *self.met.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    /// The client is dead from now on: it neither sends nor writes.
    fn fall(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
        self.crash.notify_one();
    }

    /// Whether the client died.
    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// Writes of the store so far.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Writes whose reply reached the client.
    pub(super) fn answered(&self) -> Vec<Answered> {
        self.answered.lock().unwrap().clone()
    }

    /// How often each fault was met.
    pub(super) fn met(&self) -> BTreeMap<String, u64> {
        self.met.lock().unwrap().clone()
    }

    /// Whether the trap has closed.
    pub(super) fn is_sprung(&self) -> bool {
        self.trap.lock().unwrap().is_none()
    }

    fn draw(&self, method: &str, path: &str) -> Option<Fault> {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut draws = self.draws.lock().unwrap();
        if count == self.weather.meddled_at
            && let Some(what) = stranger::meddle(&self.sandbox, &self.desired, &mut *draws)
        {
            self.meet(what);
        }
        let cut = self.weather.cut_at;
        if cut > 0 && count >= cut {
            return Some(if count == cut { Fault::ResetAfter } else { Fault::ResetBefore });
        }
        if count == self.weather.dies_at {
            return Some(if draws.random_bool(0.5) { Fault::CrashBefore } else { Fault::CrashAfter });
        }
        let mut trap = self.trap.lock().unwrap();
        if trap.as_ref().is_some_and(|trap| trap.method == method && trap.path == path) {
            return trap.take().map(|trap| trap.fault);
        }
        if !draws.random_ratio(self.weather.percent, 100) {
            return None;
        }
        let fault = PASSING[draws.random_range(0..PASSING.len())];
        let is_likely = match fault {
            Fault::NotYet => self.may_lie(method, path),
            Fault::AnotherOperation => method != "GET",
            _ => true,
        };
        is_likely.then_some(fault)
    }

    /// A read of a resource may be answered "not found" once, as a replica that lags behind does.
    fn may_lie(&self, method: &str, path: &str) -> bool {
        method == "GET" && path.contains("/providers/") && self.lied.lock().unwrap().insert(path.to_owned())
    }

    async fn pass(&self, request: &Request, method: &str, path: &str) -> azure_core::Result<AsyncRawResponse> {
        let reply = self.sandbox.execute_request(request).await?;
        if method != "GET" && (200..300).contains(&u16::from(reply.status())) {
            let answered = Answered { method: method.to_owned(), path: path.to_owned() };
            self.answered.lock().unwrap().push(answered);
        }
        Ok(reply)
    }

    async fn die(&self) -> azure_core::Result<AsyncRawResponse> {
        self.fall();
        std::future::pending().await
    }
}

fn broken() -> azure_core::Result<AsyncRawResponse> {
    Err(azure_core::Error::with_message(ErrorKind::Io, "connection reset"))
}

fn refusal(status: u16, code: &str, hint: Option<&'static str>) -> AsyncRawResponse {
    let mut headers = Headers::new();
    if let Some(hint) = hint {
        headers.insert("retry-after", hint);
    }
    let body = serde_json::json!({"error": {"code": code, "message": "A simulated fault."}}).to_string();
    AsyncRawResponse::from_bytes(StatusCode::from(status), headers, body)
}

#[async_trait]
impl HttpClient for Fate {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if self.is_dead() {
            return std::future::pending().await;
        }
        let method = request.method().as_ref().to_owned();
        let path = request.url().path().to_ascii_lowercase();
        let fault = self.draw(&method, &path);
        if let Some(fault) = fault {
            self.meet(&format!("{fault:?}"));
        }
        match fault {
            None => self.pass(request, &method, &path).await,
            Some(Fault::Throttled { hint }) => Ok(refusal(429, "TooManyRequests", hint.then_some("3"))),
            Some(Fault::Status(status)) => Ok(refusal(status, "InternalServerError", None)),
            Some(Fault::ResetBefore) => broken(),
            Some(Fault::ResetAfter) => {
                let _ = self.sandbox.execute_request(request).await;
                broken()
            }
            Some(Fault::Hang) => {
                tokio::time::sleep(Duration::from_secs(100)).await;
                broken()
            }
            Some(Fault::Unauthorised) => Ok(refusal(401, "ExpiredAuthenticationToken", None)),
            Some(Fault::AnotherOperation) => Ok(refusal(409, "AnotherOperationInProgress", None)),
            Some(Fault::NotYet) => Ok(refusal(404, "ResourceNotFound", None)),
            Some(Fault::Refused) => Ok(refusal(400, "InvalidRequestContent", None)),
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::CrashAfter) => {
                let _ = self.sandbox.execute_request(request).await;
                self.die().await
            }
        }
    }
}
