//! The state on disk: snapshot, journal, lock, seals. The only writer of files.
//!
//! Rules. A snapshot is replaced as a whole and holds everything folded so far; a journal names the serial it starts
//! from, so one that the snapshot has overtaken (a crash between the two) is recognised and dropped. Anything else
//! that does not fit is an error that leaves every file as it was.

use std::fs;
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::model::{Event, FORMAT, State, What};

mod disk;
pub mod draw;
mod error;
pub mod file;
pub mod journal;
mod lock;
mod remote;
pub mod seal;
mod shared;

pub use disk::Disk;
pub use error::{Mismatch, StoreError};
pub use lock::{Holder, Occupant};
pub use remote::Remote;
pub use seal::{SealError, Sealer};
pub use shared::Watch;

use error::Tried;
use file::Files;
use journal::{Header, Journal, Replay};
use lock::Lock;
use remote::Held;

/// A state that is open for writing. Dropping it without [`Store::close`] is what a crash does: nothing is lost.
#[derive(Debug)]
pub struct Store {
    files: Files,
    state: State,
    journal: Journal,
    /// State's serial at the head of the journal.
    base: u64,
    /// Number of the last event.
    seq: u64,
    /// Whether a snapshot is on disk.
    is_saved: bool,
    /// Whether the journal that was found ended within a line.
    is_torn: bool,
    /// Whether the snapshot of before this run has been put aside.
    is_backed_up: bool,
    /// The remote state, where there is one, and its lock.
    remote: Option<Held>,
    _lock: Lock,
}

impl Store {
    /// Takes the lock, then reads the state; a new one begins with a fresh lineage and writes no file yet.
    ///
    /// # Errors
    /// When somebody else holds the lock after `lock_timeout`, or the files cannot be read, are newer or damaged, or are
    /// the copy of a remote state.
    pub fn open(path: &Path, holder: &Holder, lock_timeout: Duration) -> Result<Self, StoreError> {
        Self::open_on(Disk::default(), path, holder, lock_timeout)
    }

    /// The same on a disk that may fill up.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(disk: Disk, path: &Path, holder: &Holder, lock_timeout: Duration) -> Result<Self, StoreError> {
        let (mut files, lock) = lock(path, holder, lock_timeout)?;
        files.disk = disk;
        shared::refuse_copy(&files)?;
        let found = load(&files)?;
        let mut store = Self::of(files, lock, found);
        store.settle()?;
        Ok(store)
    }

    fn of(files: Files, lock: Lock, found: Option<State>) -> Self {
        let is_saved = found.is_some();
        let state = found.unwrap_or_else(|| State::empty(Uuid::new_v4()));
        let journal = Journal::new(files.journal.clone(), files.disk.clone());
        let base = state.serial;
        let is_torn = journal::is_torn(&files);
        Self { base, seq: 0, is_saved, is_torn, is_backed_up: false, remote: None, _lock: lock, files, state, journal }
    }

    /// Reads the state without the lock; `None` if there is none. A run that writes meanwhile does no harm.
    ///
    /// # Errors
    /// When the files cannot be read, are newer or damaged.
    pub fn read(path: &Path) -> Result<Option<State>, StoreError> {
        load(&Files::of(path))
    }

    /// A journal left by a crash becomes part of the snapshot.
    fn settle(&mut self) -> Result<(), StoreError> {
        if !self.files.journal.exists() {
            return Ok(());
        }
        if self.files.snapshot()?.is_some_and(|snapshot| snapshot.serial != self.state.serial) {
            self.save()?;
        }
        self.journal.clear()
    }

    /// What is known.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Whether the last run was stopped while it wrote a line of the journal. What that line said is not known; Azure is
    /// asked.
    #[must_use]
    pub const fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Numbers what happened and folds it in; a journalled one is on disk before this returns.
    ///
    /// # Errors
    /// When the disk refuses, or the event cannot follow what is known; state and files are then unchanged.
    pub fn record(&mut self, what: What, at: Duration) -> Result<Event, StoreError> {
        if !what.is_journalled() {
            return Ok(self.announce(what, at));
        }
        if !self.is_saved {
            self.save()?;
        }
        if let (Some(remote), What::Started { .. }) = (&self.remote, &what) {
            remote.ensure()?;
        }
        let event = Event { seq: self.seq + 1, at, what };
        let mut folded = self.state.clone();
        folded.fold(&event)?;
        let header = Header { format: FORMAT, lineage: self.state.lineage, base: self.base };
        let text = self.journal.append(&header, &event)?;
        if let Some(remote) = &self.remote {
            remote.append(text);
        }
        self.seq = event.seq;
        self.state = folded;
        Ok(event)
    }

    /// Numbers what happened without keeping it: for the screen, and for the end of a step whose request may or may
    /// not have reached Azure. Such a step stays open, so that the next run finds out.
    pub const fn announce(&mut self, what: What, at: Duration) -> Event {
        self.seq += 1;
        Event { seq: self.seq, at, what }
    }

    /// Makes a change that is no event (home, drawn values, parameters, outputs) and writes a snapshot.
    ///
    /// # Errors
    /// When the disk refuses; the state is then unchanged. When the remote state cannot be written; the change is then
    /// on disk here.
    pub fn amend(&mut self, change: impl FnOnce(&mut State)) -> Result<(), StoreError> {
        let before = self.state.clone();
        change(&mut self.state);
        if self.state == before && self.is_saved {
            return Ok(());
        }
        self.state.serial = before.serial.saturating_add(1);
        if let Err(error) = self.save_here() {
            self.state = before;
            return Err(error);
        }
        self.publish()?;
        self.journal.clear()
    }

    /// Writes what the journal holds into the snapshot and lets go of the lock. A state nothing happened to writes
    /// nothing.
    ///
    /// # Errors
    /// When the disk refuses; the journal still has everything. When the remote state cannot be written.
    pub fn close(mut self) -> Result<(), StoreError> {
        if self.state.serial != self.base {
            self.save()?;
            self.journal.clear()?;
        }
        self.remote.as_ref().map_or(Ok(()), Held::ensure)
    }

    fn save(&mut self) -> Result<(), StoreError> {
        self.save_here()?;
        self.publish()
    }

    fn save_here(&mut self) -> Result<(), StoreError> {
        self.put_aside()?;
        self.files.disk.replace(&self.files.state, &self.print()?)?;
        self.base = self.state.serial;
        self.is_saved = true;
        Ok(())
    }

    /// Brings the snapshot to the remote state. The journal here stays until that is done: it is what shows the next
    /// run that this copy goes on from the remote one.
    fn publish(&mut self) -> Result<(), StoreError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let text = self.print()?;
        remote.put(&text, &file::digest_of(&text))
    }

    fn print(&self) -> Result<Vec<u8>, StoreError> {
        file::print(&self.state).map_err(std::io::Error::from).tried("write", &self.files.state)
    }

    /// Keeps the snapshot of before this run, once.
    fn put_aside(&mut self) -> Result<(), StoreError> {
        if self.is_saved
            && !self.is_backed_up
            && let Some(bytes) = file::read_bytes(&self.files.state).tried("read", &self.files.state)?
        {
            self.files.disk.replace(&self.files.backup, &bytes)?;
        }
        self.is_backed_up = true;
        Ok(())
    }
}

/// The files of a state, and the lock on them.
fn lock(path: &Path, holder: &Holder, patience: Duration) -> Result<(Files, Lock), StoreError> {
    let files = Files::of(path);
    let folder = file::folder(path);
    fs::create_dir_all(folder).tried("create", folder)?;
    let lock = Lock::take(&files.lock, path, holder, patience)?;
    Ok((files, lock))
}

/// Snapshot and journal as one. The journal is read first: whoever writes meanwhile replaces the snapshot before the
/// journal, so what is read here always fits.
fn load(files: &Files) -> Result<Option<State>, StoreError> {
    let replay = journal::read(files)?;
    match (files.snapshot()?, replay) {
        (snapshot, None) => Ok(snapshot),
        (None, Some(_)) => Err(files.damaged(&files.state, "it is gone, but its journal is there")),
        (Some(snapshot), Some(replay)) => follow(files, snapshot, &replay).map(Some),
    }
}

/// Folds a journal into the snapshot it continues.
fn follow(files: &Files, mut state: State, replay: &Replay) -> Result<State, StoreError> {
    let Header { lineage, base, .. } = replay.header;
    if lineage != state.lineage {
        return Err(files.damaged(&files.journal, "it belongs to another state"));
    }
    if state.serial != base {
        if state.serial >= base.saturating_add(replay.events.len() as u64) {
            return Ok(state); // Overtaken: the crash came between snapshot and removal.
        }
        let what = format!("it continues serial {base}, the state has serial {}", state.serial);
        return Err(files.damaged(&files.journal, what));
    }
    for event in &replay.events {
        state.fold(event).map_err(|illegal| files.damaged(&files.journal, illegal.to_string()))?;
    }
    Ok(state)
}

#[cfg(test)]
mod tests;
