//! Holds the lock on a remote state and writes to it, under the lock only. Runs in its own thread; knows no files but
//! the marker.
//!
//! The lock is a lease on the snapshot's blob itself, so Azure refuses whoever lost it. The journal is an append blob
//! whose name is noted on the snapshot and changes with every run, so that a writer who lost the lock without knowing
//! writes into a journal that nobody reads any more; the next holder leases that journal before it reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::super::error::StoreError;
use super::super::lock::Occupant;
use super::judge::Seen;
use super::marker::Marker;
use super::pulse::Pulse;
use crate::model::{Blob, BlobError, BlobFault, Blobs, Guard, Lease};

/// Seconds that a lease lasts without being renewed: Azure's longest but "for ever", which would outlive its owner.
pub(super) const LEASE: u32 = 60;
/// Between two renewals.
const RENEW: Duration = Duration::from_secs(20);
/// Between two renewals after one that got no answer.
const RENEW_SOON: Duration = Duration::from_secs(4);
/// Between two attempts at a lock that somebody holds.
const KNOCK: Duration = Duration::from_secs(1);
/// The most that one append takes in (Append Block of this protocol version).
const BLOCK: usize = 4 << 20;

/// Names of the notes on the snapshot's blob.
const HOLDER: &str = "privamlholder";
const RUN: &str = "privamlrun";

/// What is there, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Found {
    /// The snapshot; `None` where there is none yet.
    pub(in crate::store) snapshot: Option<Vec<u8>>,
    /// The journal; may be empty.
    pub(in crate::store) journal: Vec<u8>,
}

/// Why the lock was not taken.
pub(super) enum NotTaken {
    /// Somebody has it.
    Held(Box<Occupant>),
    /// No answer to go by.
    Failed(BlobError),
}

impl From<BlobError> for NotTaken {
    fn from(error: BlobError) -> Self {
        Self::Failed(error)
    }
}

/// The lock, held.
pub(super) struct Keeper {
    blobs: Arc<dyn Blobs>,
    name: String,
    lease: Uuid,
    /// Version of the snapshot's blob.
    etag: String,
    /// Whose journal the snapshot is followed by: the note on the blob.
    noted_run: String,
    /// This run.
    run: String,
    holder: String,
    /// Bytes of this run's journal that are there.
    sent: u64,
    /// Bytes that are not there yet.
    pending: Vec<u8>,
    marker: Marker,
    pulse: Arc<Pulse>,
}

impl Keeper {
    /// Takes the lock, trying until `deadline`, and reads what is there.
    pub(super) async fn take(
        blobs: Arc<dyn Blobs>,
        name: &str,
        occupant: &Occupant,
        deadline: Instant,
        marker: Marker,
        pulse: Arc<Pulse>,
    ) -> Result<(Self, Found), NotTaken> {
        let lease = Uuid::new_v4();
        acquire(blobs.as_ref(), name, lease, deadline).await?;
        let begun = Instant::now();
        let blob = blobs.get(name).await?.unwrap_or_default();
        let mut keeper = Self {
            name: name.to_owned(),
            lease,
            etag: blob.etag,
            noted_run: blob.notes.get(RUN).cloned().unwrap_or_default(),
            run: Uuid::new_v4().to_string(),
            holder: serde_json::to_string(occupant).map(|text| ascii(&text)).unwrap_or_default(),
            sent: 0,
            pending: Vec::new(),
            marker,
            pulse,
            blobs,
        };
        let journal = keeper.take_journal().await?;
        if journal.is_empty() {
            keeper.noted_run.clone_from(&keeper.run);
        }
        keeper.etag = keeper.blobs.annotate(name, &keeper.notes(true), &keeper.leased()).await?;
        keeper.pulse.beat(begun);
        let snapshot = Some(blob.body).filter(|body| !body.is_empty());
        Ok((keeper, Found { snapshot, journal }))
    }

    /// Reads the last holder's journal after closing it for that holder, who may live and not know.
    async fn take_journal(&self) -> Result<Vec<u8>, BlobError> {
        if self.noted_run.is_empty() {
            return Ok(Vec::new());
        }
        let journal = journal(&self.name, &self.noted_run);
        match self.blobs.lease(&journal, Lease::Acquire(LEASE), self.lease).await {
            // Leased by one who took over before us and is gone: it read, and wrote nothing there.
            Ok(()) => {}
            Err(error) if matches!(error.fault, BlobFault::Absent | BlobFault::Leased) => {}
            Err(error) => return Err(error),
        }
        Ok(self.blobs.get(&journal).await?.map(|blob| blob.body).unwrap_or_default())
    }

    /// Renews for ever; returns when the lock is lost.
    pub(super) async fn renew(blobs: Arc<dyn Blobs>, name: String, lease: Uuid, pulse: Arc<Pulse>) {
        loop {
            tokio::time::sleep(if pulse.is_late() { RENEW_SOON } else { RENEW }).await;
            if !renew_once(blobs.as_ref(), &name, lease, &pulse).await {
                return;
            }
        }
    }

    /// What [`Self::renew`] needs.
    pub(super) fn renewal(&self) -> (Arc<dyn Blobs>, String, Uuid, Arc<Pulse>) {
        (self.blobs.clone(), self.name.clone(), self.lease, self.pulse.clone())
    }

    /// Replaces the snapshot. What it holds needs no journal any more.
    pub(super) async fn put(&mut self, snapshot: &[u8], digest: &str) -> Result<(), BlobError> {
        self.pending.clear();
        let last = std::mem::replace(&mut self.noted_run, self.run.clone());
        let (notes, guard) = (self.notes(true), self.guard());
        match self.blobs.put(&self.name, snapshot, &notes, &guard).await {
            Ok(etag) => self.etag = etag,
            Err(error) if error.fault == BlobFault::Condition => self.etag = self.was_ours(snapshot, error).await?,
            Err(error) => {
                self.noted_run = last;
                return Err(self.judged(error));
            }
        }
        if let Err(error) = self.marker.put(digest) {
            tracing::warn!(%error, "cannot note what was sent");
        }
        let stale = [(last != self.run && !last.is_empty()).then_some(last), (self.sent > 0).then(|| self.run.clone())];
        self.sent = 0;
        for run in stale.into_iter().flatten() {
            let lease = (run != self.run).then_some(self.lease);
            // A journal that stays is recognised as overtaken.
            let _ = self.blobs.remove(&journal(&self.name, &run), &Guard { lease, ..Guard::default() }).await;
        }
        Ok(())
    }

    /// Notes in the folder what is there.
    pub(super) fn note(&mut self, digest: &str) -> Result<(), StoreError> {
        if self.marker.seen() == (Seen { digest: digest.to_owned(), sent: 0 }) && self.marker.is_written() {
            return Ok(());
        }
        self.marker.put(digest)
    }

    /// After a lost reply the repeat finds the version changed: by us, or by somebody else?
    async fn was_ours(&self, snapshot: &[u8], error: BlobError) -> Result<String, BlobError> {
        match self.blobs.get(&self.name).await? {
            Some(blob) if blob.body == snapshot && blob.notes.get(RUN) == Some(&self.run) => Ok(blob.etag),
            _ => Err(self.judged(error)),
        }
    }

    /// More of the journal.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.pending.extend_from_slice(text);
    }

    /// Whether something waits to be sent.
    pub(super) fn is_behind(&self) -> bool {
        !self.pending.is_empty() && self.pulse.fault().is_none()
    }

    /// Sends what waits. What does not get through waits on: it is on the disk here.
    pub(super) async fn flush(&mut self) -> Result<(), BlobError> {
        while !self.pending.is_empty() {
            let len = self.pending.len().min(BLOCK);
            let (name, to) = (journal(&self.name, &self.run), self.sent + len as u64);
            match self.blobs.append(&name, self.sent, &self.pending[..len]).await {
                Ok(()) => {}
                Err(error) if error.fault == BlobFault::Condition => {
                    let there = self.blobs.get(&name).await?.map_or(0, |blob| blob.body.len() as u64);
                    if there != to {
                        return Err(self.judged(error));
                    }
                }
                Err(error) => return Err(self.judged(error)),
            }
            self.sent = to;
            self.pending.drain(..len);
            self.marker.sent(to);
        }
        Ok(())
    }

    /// Renews now; for a clock that jumped (a laptop that slept).
    pub(super) async fn reassure(&self) {
        renew_once(self.blobs.as_ref(), &self.name, self.lease, &self.pulse).await;
    }

    /// Sends the rest and lets go.
    pub(super) async fn leave(mut self) {
        let _ = self.flush().await;
        if self.pulse.fault().is_none() {
            let _ = self.blobs.annotate(&self.name, &self.notes(false), &self.leased()).await;
        }
        let _ = self.blobs.lease(&self.name, Lease::Release, self.lease).await;
    }

    /// Puts the remote state aside and lets go: it is kept elsewhere from now on.
    pub(super) async fn retire(self) -> Result<(), BlobError> {
        if let Some(blob) = self.blobs.get(&self.name).await? {
            let aside = format!("{}.migrated", self.name);
            self.blobs.put(&aside, &blob.body, &BTreeMap::new(), &Guard::default()).await?;
        }
        self.blobs.remove(&self.name, &self.guard()).await
    }

    fn guard(&self) -> Guard {
        Guard { lease: Some(self.lease), etag: Some(self.etag.clone()), is_new: false }
    }

    /// For notes: a repeat after a lost reply must not stumble over its own new version.
    fn leased(&self) -> Guard {
        Guard { lease: Some(self.lease), ..Guard::default() }
    }

    fn notes(&self, is_held: bool) -> BTreeMap<String, String> {
        let run = (RUN.to_owned(), self.noted_run.clone());
        let holder = is_held.then(|| (HOLDER.to_owned(), self.holder.clone()));
        [run].into_iter().filter(|(_, run)| !run.is_empty()).chain(holder).collect()
    }

    /// Tells the pulse where an error means that the lock is gone.
    fn judged(&self, error: BlobError) -> BlobError {
        if !matches!(error.fault, BlobFault::Unreachable | BlobFault::SignIn | BlobFault::Denied) {
            self.pulse.lose(&error.message);
        }
        error
    }
}

async fn acquire(blobs: &dyn Blobs, name: &str, lease: Uuid, deadline: Instant) -> Result<(), NotTaken> {
    loop {
        match blobs.lease(name, Lease::Acquire(LEASE), lease).await {
            Ok(()) => return Ok(()),
            Err(error) if error.fault == BlobFault::Absent => begin(blobs, name).await?,
            Err(error) if error.fault == BlobFault::Leased && Instant::now() < deadline => {
                tokio::time::sleep(KNOCK).await;
            }
            Err(error) if error.fault == BlobFault::Leased => {
                return Err(NotTaken::Held(Box::new(announced(blobs, name).await)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A lease needs a blob: an empty one, where there is none, in a container, where there is none.
async fn begin(blobs: &dyn Blobs, name: &str) -> Result<(), BlobError> {
    let new = Guard { is_new: true, ..Guard::default() };
    let made = match blobs.put(name, b"", &BTreeMap::new(), &new).await {
        Err(error) if error.fault == BlobFault::Absent => {
            blobs.create().await?;
            blobs.put(name, b"", &BTreeMap::new(), &new).await
        }
        made => made,
    };
    match made {
        // Somebody was quicker.
        Err(error) if matches!(error.fault, BlobFault::Condition | BlobFault::Leased) => Ok(()),
        made => made.map(drop),
    }
}

/// Who holds the lock: a holder says so a moment after taking it.
async fn announced(blobs: &dyn Blobs, name: &str) -> Occupant {
    for _ in 0..40 {
        if let Ok(Some(occupant)) = holder(blobs, name).await
            && occupant != Occupant::default()
        {
            return occupant;
        }
        tokio::time::sleep(KNOCK / 20).await;
    }
    Occupant::default()
}

/// Whoever holds the lock; unknown while it has not said so; `None` if nobody does.
pub(super) async fn holder(blobs: &dyn Blobs, name: &str) -> Result<Option<Occupant>, BlobError> {
    let blob = blobs.get(name).await?.filter(|blob| blob.is_leased);
    let said = |blob: &Blob| blob.notes.get(HOLDER).and_then(|text| serde_json::from_str(text).ok());
    Ok(blob.map(|blob| said(&blob).unwrap_or_default()))
}

/// Ends the lock, whoever holds it.
pub(super) async fn break_lock(blobs: &dyn Blobs, name: &str) -> Result<(), BlobError> {
    match blobs.lease(name, Lease::Break, Uuid::nil()).await {
        Err(error) if matches!(error.fault, BlobFault::LeaseLost | BlobFault::Absent) => Ok(()),
        ended => ended,
    }
}

/// Reads without the lock: snapshot and journal of one moment.
pub(super) async fn fetch(blobs: &dyn Blobs, name: &str) -> Result<Found, BlobError> {
    let mut before = blobs.get(name).await?.unwrap_or_default();
    for _ in 0..10 {
        let journal = match before.notes.get(RUN) {
            Some(run) => blobs.get(&journal(name, run)).await?.map(|blob| blob.body).unwrap_or_default(),
            None => Vec::new(),
        };
        let after = blobs.get(name).await?.unwrap_or_default();
        if after.etag == before.etag {
            return Ok(Found { snapshot: Some(after.body).filter(|body| !body.is_empty()), journal });
        }
        before = after;
    }
    let message = "it is being written all the time".to_owned();
    Err(BlobError { fault: BlobFault::Unreachable, code: String::new(), message })
}

/// Whether it is worth going on.
async fn renew_once(blobs: &dyn Blobs, name: &str, lease: Uuid, pulse: &Pulse) -> bool {
    let begun = Instant::now();
    match blobs.lease(name, Lease::Renew, lease).await {
        Ok(()) => pulse.beat(begun),
        Err(error) if matches!(error.fault, BlobFault::Unreachable | BlobFault::SignIn) => {
            tracing::warn!(%error, "cannot renew the lock on the state");
            pulse.miss();
        }
        Err(error) => pulse.lose(&error.message),
    }
    pulse.fault().is_none()
}

fn journal(name: &str, run: &str) -> String {
    format!("{name}.journal.{run}")
}

/// JSON that may stand in a header.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for unit in json.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some(char @ ' '..='~') => text.push(char),
            _ => {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
