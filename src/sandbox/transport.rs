//! The in-process shell: an `HttpClient` without a socket, and the file that keeps a world between commands.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, StatusCode};
use serde::{Deserialize, Serialize};

use crate::kind::durations;

use super::clock::SandboxClock;
use super::login;
use super::reply::{Reply, Request};
use super::respond::respond;
use super::world::World;

/// What can go wrong with the file of a world.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read or written.
    #[error("the sandbox's world {path} cannot be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a world.
    #[error("{path} is not a sandbox's world")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// An ARM with its own clock. Clones share the world.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    world: Mutex<World>,
    clock: SandboxClock,
    file: Option<PathBuf>,
}

/// A world at rest.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// Wall time of saving, in milliseconds since 1970.
    saved: u64,
    world: World,
}

fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Sandbox {
    /// An empty world in memory, `speed` times as fast as the wall clock.
    #[must_use]
    pub fn fresh(speed: f64) -> Self {
        Self::holding(World::new(0), speed)
    }

    /// A given world in memory.
    #[must_use]
    pub fn holding(world: World, speed: f64) -> Self {
        let clock = SandboxClock::new(world.now, speed);
        Self { inner: Arc::new(Inner { world: Mutex::new(world), clock, file: None }) }
    }

    /// The world kept at `path`, or an empty one if there is none. Time went on since it was saved. From now on every
    /// write is on disk before its reply, so killing the process loses nothing that was answered.
    ///
    /// # Errors
    /// When the file cannot be read or is not a world.
    pub fn open(path: &Path, speed: f64) -> Result<Self, Error> {
        let mut world = World::new(wall());
        let mut now = Duration::ZERO;
        match std::fs::read(path) {
            Ok(bytes) => {
                let saved: Saved =
                    serde_json::from_slice(&bytes).map_err(|source| Error::Format { path: path.to_owned(), source })?;
                let away = Duration::from_millis(wall().saturating_sub(saved.saved));
                now = saved.world.now + away.mul_f64(SandboxClock::new(Duration::ZERO, speed).speed());
                world = saved.world;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::File { path: path.to_owned(), source }),
        }
        let clock = SandboxClock::new(now, speed);
        Ok(Self { inner: Arc::new(Inner { world: Mutex::new(world), clock, file: Some(path.to_owned()) }) })
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> SandboxClock {
        self.inner.clock
    }

    /// The world, for reading and for setting the scene of a test. Do not hold it over an await.
    ///
    /// A panic of another holder leaves the world as it was then, which is still a world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A credential whose token this sandbox accepts.
    #[must_use]
    pub fn credential(&self) -> SandboxCredential {
        SandboxCredential { token: login::bearer(&self.world()) }
    }

    /// Writes the world to its file: a temporary one beside it, then a rename.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<(), Error> {
        let Some(path) = &self.inner.file else { return Ok(()) };
        let world = self.world();
        write(path, &world).map_err(|source| Error::File { path: path.clone(), source })
    }

    /// Answers after the time a request takes; what it changes is on disk before.
    ///
    /// # Errors
    /// When the world cannot be saved.
    pub async fn answer(&self, request: &Request) -> Result<Reply, Error> {
        self.inner.clock.sleep(durations::latency(&request.method)).await;
        let reply = {
            let mut world = self.world();
            match login::answer(&world, request) {
                Some(reply) => reply,
                None => respond(&mut world, self.inner.clock.now(), request),
            }
        };
        if request.is_write() {
            self.save()?;
        }
        Ok(hurried(reply, self.inner.clock.speed()))
    }
}

fn write(path: &Path, world: &World) -> std::io::Result<()> {
    #[derive(Serialize)]
    struct Saving<'a> {
        saved: u64,
        world: &'a World,
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, &Saving { saved: wall(), world })?;
    file.flush()?;
    file.persist(path)?;
    Ok(())
}

/// At another speed than the wall's, `Retry-After` shrinks with it; whole seconds are too coarse then, so the exact
/// pause goes along in milliseconds, in the header that Azure's own services use for it.
fn hurried(mut reply: Reply, speed: f64) -> Reply {
    let given = reply.headers.get("retry-after").and_then(|text| text.parse::<u32>().ok());
    if let Some(seconds) = given
        && (speed - 1.0).abs() > f64::EPSILON
    {
        let exact = f64::from(seconds) / speed;
        reply.headers.insert("retry-after".to_owned(), format!("{:.0}", exact.ceil()));
        reply.headers.insert("x-ms-retry-after-ms".to_owned(), format!("{:.0}", (exact * 1000.0).ceil()));
    }
    reply
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("clock", &self.inner.clock)
            .field("file", &self.inner.file)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Sandbox {
    async fn execute_request(&self, request: &azure_core::http::Request) -> azure_core::Result<AsyncRawResponse> {
        let request = taken(request)?;
        let reply = self.answer(&request).await.map_err(|error| azure_core::Error::new(ErrorKind::Other, error))?;
        if reply.lost {
            return Err(azure_core::Error::with_message(ErrorKind::Io, "connection reset before the reply"));
        }
        let mut headers = Headers::new();
        for (name, value) in &reply.headers {
            headers.insert(name.clone(), value.clone());
        }
        let body = if request.method == "HEAD" { Vec::new() } else { reply.bytes() };
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(reply.status), headers, body))
    }
}

fn taken(request: &azure_core::http::Request) -> azure_core::Result<Request> {
    let Body::Bytes(body) = request.body() else {
        return Err(azure_core::Error::with_message(ErrorKind::Other, "the sandbox takes no streamed bodies"));
    };
    let mut taken = Request::new(request.method().as_ref(), &request.path_and_query());
    taken.origin = request.url().origin().ascii_serialization();
    taken.headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_ascii_lowercase(), value.as_str().to_owned()))
        .collect::<BTreeMap<_, _>>();
    taken.body = body.to_vec();
    Ok(taken)
}

/// A credential for a [`Sandbox`]: always the same token.
#[derive(Clone)]
pub struct SandboxCredential {
    token: String,
}

impl fmt::Debug for SandboxCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxCredential")
    }
}

#[async_trait]
impl TokenCredential for SandboxCredential {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let lasts = azure_core::time::Duration::hours(1);
        Ok(AccessToken::new(self.token.clone(), azure_core::time::OffsetDateTime::now_utc() + lasts))
    }
}
