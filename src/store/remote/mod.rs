//! A state that a team shares: the lock and the writes behind a thread of their own, so that the lock is renewed
//! whatever the run is busy with. Speaks to no service itself: blobs are reached through [`Blobs`].

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::error::StoreError;
use super::lock::Occupant;
use crate::model::{BlobError, BlobFault, Blobs};

#[cfg(test)]
pub(super) mod fake;
pub(super) mod judge;
mod keeper;
pub(super) mod marker;
mod pulse;

pub(super) use keeper::Found;
use keeper::{Keeper, NotTaken};
use marker::Marker;
pub(super) use pulse::Pulse;

/// How long leaving may take: the rest of the journal is sent, the lock is let go.
const FAREWELL: Duration = Duration::from_secs(10);
/// Between two attempts to send what did not get through.
const AGAIN: Duration = Duration::from_secs(5);

/// What else can be done about a lock that somebody holds.
const HINT: &str = "; the lock of a run that died ends within a minute, `privaml state unlock` ends any";

/// Opens the way to the blobs, on the keeper's own runtime.
type Connect = Pin<Box<dyn Future<Output = Result<Arc<dyn Blobs>, BlobError>> + Send>>;

/// Where a remote state is, and the way there; nothing is sent before it is used.
pub struct Remote {
    place: String,
    settings: Value,
    name: String,
    connect: Connect,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Remote {
    /// `place` is for the reader, `settings` tell one place from another, `name` is the snapshot's blob.
    pub fn new(
        place: String,
        settings: Value,
        name: String,
        connect: impl Future<Output = Result<Arc<dyn Blobs>, BlobError>> + Send + 'static,
    ) -> Self {
        Self { place, settings, name, connect: Box::pin(connect) }
    }

    /// Where it is, for the reader.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What tells it from another.
    pub(super) const fn settings(&self) -> &Value {
        &self.settings
    }

    /// Reads without the lock.
    pub(super) fn fetch(self) -> Result<Found, StoreError> {
        let Self { place, name, connect, .. } = self;
        apart(async move { keeper::fetch(connect.await?.as_ref(), &name).await }).map_err(failed("read", &place))
    }

    /// Who holds the lock; `None` if nobody does.
    ///
    /// # Errors
    /// When the service refuses or does not answer.
    pub fn holder(self) -> Result<Option<Occupant>, StoreError> {
        let Self { place, name, connect, .. } = self;
        apart(async move { keeper::holder(connect.await?.as_ref(), &name).await }).map_err(failed("read", &place))
    }

    /// Ends the lock, whoever holds it. A run that still lives finds out before its next step.
    ///
    /// # Errors
    /// When the service refuses or does not answer.
    pub fn break_lock(self) -> Result<(), StoreError> {
        let Self { place, name, connect, .. } = self;
        apart(async move { keeper::break_lock(connect.await?.as_ref(), &name).await }).map_err(failed("unlock", &place))
    }

    /// Takes the lock, waiting up to `patience`, and reads what is there.
    pub(super) fn take(
        self,
        occupant: Occupant,
        patience: Duration,
        marker: Marker,
    ) -> Result<(Held, Found), StoreError> {
        let Self { place, name, connect, .. } = self;
        let pulse = Arc::new(Pulse::new());
        let (asks, heard) = unbounded_channel();
        let (reply, answer) = sync_channel(1);
        let deadline = Instant::now() + patience;
        let watched = pulse.clone();
        let task = async move {
            let taken = match connect.await {
                Ok(blobs) => Keeper::take(blobs, &name, &occupant, deadline, marker, watched).await,
                Err(error) => Err(error.into()),
            };
            match taken {
                Ok((keeper, found)) => {
                    let _ = reply.send(Ok(found));
                    serve(keeper, heard).await;
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            }
        };
        spawn(task).map_err(failed("lock", &place))?;
        match answer.recv() {
            Ok(Ok(found)) => Ok((Held { place, asks: Mutex::new(asks), pulse }, found)),
            Ok(Err(NotTaken::Held(holder))) => {
                Err(StoreError::Locked { path: PathBuf::from(place), holder, hint: HINT })
            }
            Ok(Err(NotTaken::Failed(source))) => Err(StoreError::Remote { act: "lock", place, source }),
            Err(_) => Err(failed("lock", &place)(vanished())),
        }
    }
}

/// What the run asks of the keeper.
enum Ask {
    Put { snapshot: Vec<u8>, digest: String, reply: SyncSender<Result<(), BlobError>> },
    Append(Vec<u8>),
    Note(String, SyncSender<Result<(), StoreError>>),
    Reassure(SyncSender<()>),
    Leave(SyncSender<()>),
    Retire(SyncSender<Result<(), BlobError>>),
}

/// A lock that is held, from the run's side. Dropping it sends the rest and lets go, as an orderly end does; only a
/// process that dies leaves the lock to run out.
#[derive(Debug)]
pub(super) struct Held {
    place: String,
    asks: Mutex<UnboundedSender<Ask>>,
    pulse: Arc<Pulse>,
}

impl Held {
    /// Replaces the snapshot there; returns when it is there.
    pub(super) fn put(&self, snapshot: &[u8], digest: &str) -> Result<(), StoreError> {
        let (snapshot, digest) = (snapshot.to_vec(), digest.to_owned());
        let sent = self.ask(|reply| Ask::Put { snapshot, digest, reply }).unwrap_or_else(|| Err(vanished()));
        match (sent, self.pulse.fault()) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(why)) => Err(self.lost(why)),
            (Err(source), None) => Err(failed("write", &self.place)(source)),
        }
    }

    /// Notes in the folder that this snapshot is there, without sending it.
    pub(super) fn note(&self, digest: &str) -> Result<(), StoreError> {
        let digest = digest.to_owned();
        self.ask(|reply| Ask::Note(digest, reply)).unwrap_or_else(|| Err(failed("read", &self.place)(vanished())))
    }

    /// Hands over more of the journal; does not wait.
    pub(super) fn append(&self, text: Vec<u8>) {
        let _ = self.sender().send(Ask::Append(text));
    }

    /// Before something new starts: whether the lock is ours for sure.
    pub(super) fn ensure(&self) -> Result<(), StoreError> {
        if self.pulse.is_doubtful() {
            self.ask(Ask::Reassure);
        }
        self.pulse.fault().map_or(Ok(()), |why| Err(self.lost(why)))
    }

    /// For whoever wants to know when the lock is lost.
    pub(super) fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Puts the remote state aside.
    pub(super) fn retire(self) -> Result<(), StoreError> {
        let done = self.ask(Ask::Retire).unwrap_or_else(|| Err(vanished()));
        done.map_err(failed("put aside", &self.place))
    }

    /// Waits until all that was handed over is sent, or cannot be.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        self.ask(Ask::Reassure);
    }

    /// What a crash does: nothing more is sent, the lock runs out by itself.
    #[cfg(test)]
    pub(super) fn vanish(self) {
        let (deaf, _) = unbounded_channel();
        *self.asks.lock().unwrap() = deaf;
    }

    fn lost(&self, why: String) -> StoreError {
        StoreError::Lost { place: self.place.clone(), why }
    }

    fn sender(&self) -> UnboundedSender<Ask> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask<T>(&self, make: impl FnOnce(SyncSender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = sync_channel(1);
        self.sender().send(make(reply)).ok()?;
        answer.recv().ok()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (reply, answer): (_, Receiver<()>) = sync_channel(1);
        if self.sender().send(Ask::Leave(reply)).is_ok() {
            let _ = answer.recv_timeout(FAREWELL);
        }
    }
}

/// The keeper's life: one ask after the other, journal lines together, renewals on the side.
async fn serve(mut keeper: Keeper, mut heard: UnboundedReceiver<Ask>) {
    let (blobs, name, lease, pulse) = keeper.renewal();
    let renewals = tokio::spawn(Keeper::renew(blobs, name, lease, pulse));
    let mut is_stuck = false;
    loop {
        if keeper.is_behind() && !is_stuck && heard.is_empty() {
            is_stuck = !caught_up(&mut keeper).await;
            continue;
        }
        let ask = if is_stuck {
            let Ok(ask) = tokio::time::timeout(AGAIN, heard.recv()).await else {
                is_stuck = false;
                continue;
            };
            ask
        } else {
            heard.recv().await
        };
        match ask {
            None => break, // Vanished: see `Held::vanish`.
            Some(Ask::Leave(reply)) => {
                keeper.leave().await;
                let _ = reply.send(());
                break;
            }
            Some(Ask::Retire(reply)) => {
                let _ = reply.send(keeper.retire().await);
                break;
            }
            Some(ask) => answer(&mut keeper, ask).await,
        }
    }
    renewals.abort();
}

/// The asks after which the keeper goes on.
async fn answer(keeper: &mut Keeper, ask: Ask) {
    match ask {
        Ask::Append(text) => keeper.add(&text),
        Ask::Put { snapshot, digest, reply } => {
            let _ = reply.send(keeper.put(&snapshot, &digest).await);
        }
        Ask::Note(digest, reply) => {
            let _ = reply.send(keeper.note(&digest));
        }
        Ask::Reassure(reply) => {
            caught_up(keeper).await;
            keeper.reassure().await;
            let _ = reply.send(());
        }
        Ask::Leave(_) | Ask::Retire(_) => {}
    }
}

async fn caught_up(keeper: &mut Keeper) -> bool {
    let sent = keeper.flush().await;
    if let Err(error) = &sent {
        tracing::warn!(%error, "the journal waits to be sent");
    }
    sent.is_ok()
}

/// Runs something on a thread and a runtime of its own: connections must outlive no runtime, and the caller may be
/// inside of one.
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), BlobError> {
    let broken = |error: std::io::Error| BlobError {
        fault: BlobFault::Unreachable,
        code: String::new(),
        message: format!("no thread for it: {error}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
    let run = move || runtime.block_on(task);
    thread::Builder::new().name("state".to_owned()).spawn(run).map(drop).map_err(broken)
}

/// The same for one answer.
fn apart<T: Send + 'static>(task: impl Future<Output = Result<T, BlobError>> + Send + 'static) -> Result<T, BlobError> {
    let (reply, answer) = sync_channel(1);
    spawn(async move {
        let _ = reply.send(task.await);
    })?;
    answer.recv().unwrap_or_else(|_| Err(vanished()))
}

fn vanished() -> BlobError {
    BlobError { fault: BlobFault::Unreachable, code: String::new(), message: "its keeper ended".to_owned() }
}

fn failed(act: &'static str, place: &str) -> impl FnOnce(BlobError) -> StoreError {
    let place = place.to_owned();
    move |source| StoreError::Remote { act, place, source }
}
