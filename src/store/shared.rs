//! A store whose state is shared: opening it, reading it, moving it between a folder and a remote place. Every write
//! happens under both locks, the folder's and the remote state's.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::{Mismatch, StoreError, Tried};
use super::file::{self, Files, Flaw};
use super::journal;
use super::lock::{Holder, Occupant};
use super::remote::judge::{Copy, Verdict, judge, may_push};
use super::remote::marker::Marker;
use super::remote::{Found, Held, Remote};
use super::{Store, follow, load, lock};
use crate::model::State;

/// Tells a waiting task when the lock on a remote state is lost.
#[derive(Clone, Debug)]
pub struct Watch(std::sync::Arc<super::remote::Pulse>, String);

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

impl Watch {
    /// Returns once the lock is lost, with the reason.
    pub async fn lost(&self) -> String {
        loop {
            if let Some(why) = self.0.fault() {
                return format!("the lock on the remote state {} is lost: {why}", self.1);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Store {
    /// Takes both locks and goes on from whichever copy is ahead; the local file is a copy from then on. Nothing is
    /// changed where the copies do not fit.
    ///
    /// # Errors
    /// When somebody else holds a lock after `lock_timeout`, the copies do not fit, one of them is newer or damaged, or
    /// disk or service refuse.
    pub fn open_shared(
        path: &Path,
        holder: &Holder,
        lock_timeout: Duration,
        remote: Remote,
    ) -> Result<Self, StoreError> {
        let deadline = Instant::now() + lock_timeout;
        let (files, lock) = lock(path, holder, lock_timeout)?;
        let here = Here::read(&files, &remote)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let (held, there) = reach(remote, holder, left, here.marker(&files))?;
        let seen = here.marker.as_ref().map(Marker::seen);
        let verdict = judge(here.copy.as_ref(), seen.as_ref(), there.as_ref());
        let verdict = verdict.map_err(|why| misfit(&files, held.place(), why))?;
        let mut store = Self::of(files, lock, None);
        store.is_saved = here.copy.is_some();
        store.remote = Some(held);
        match (verdict, here.copy, there) {
            (Verdict::Keep, Some(here), there) => store.keep(here, there.as_ref())?,
            (Verdict::Take, _, Some(there)) => store.adopt(there)?,
            // A first run: from the first snapshot on, this folder knows what is there.
            _ => store.held().note("")?,
        }
        Ok(store)
    }

    /// Goes on from here; there it becomes the same.
    fn keep(&mut self, here: Copy, there: Option<&Copy>) -> Result<(), StoreError> {
        let is_same = there.is_some_and(|there| there.digest == here.digest && there.state == here.state);
        (self.base, self.state) = (here.state.serial, here.state);
        if here.is_overtaken || here.journal.is_empty() {
            if is_same { self.held().note(&here.digest)? } else { self.publish()? }
        } else {
            self.save()?;
        }
        self.journal.clear()
    }

    /// Goes on from there; here it becomes the same.
    fn adopt(&mut self, there: Copy) -> Result<(), StoreError> {
        let is_whole = there.is_overtaken || there.journal.is_empty();
        self.state = there.state;
        self.save_here()?;
        if is_whole {
            self.held().note(&there.digest)?;
        } else {
            self.publish()?;
        }
        self.journal.clear()
    }

    fn held(&self) -> &Held {
        self.remote.as_ref().expect("set before it is asked for, in open_shared")
    }

    /// Reads a remote state without its lock; `None` if there is none.
    ///
    /// # Errors
    /// When it is newer or damaged, or the service refuses.
    pub fn read_shared(remote: Remote) -> Result<Option<State>, StoreError> {
        let place = remote.place().to_owned();
        Ok(parsed(&place, remote.fetch()?)?.map(|copy| copy.state))
    }

    /// The text of a state as a snapshot holds it.
    ///
    /// # Errors
    /// Never in practice: every state has a JSON form.
    pub fn text(state: &State) -> Result<Vec<u8>, StoreError> {
        file::print(state).map_err(std::io::Error::from).tried("print", Path::new("the state"))
    }

    /// Makes the local file a copy of the remote state. `force`: even where the local one holds something else; it is
    /// kept as backup.
    ///
    /// # Errors
    /// When the copies do not fit, there is nothing there, or disk or service refuse.
    pub fn pull(
        path: &Path,
        holder: &Holder,
        patience: Duration,
        remote: Remote,
        force: bool,
    ) -> Result<State, StoreError> {
        let (files, _lock) = lock(path, holder, patience)?;
        let here = Here::read(&files, &remote);
        let (here, mut marker) = match here {
            Ok(here) => {
                let marker = here.marker(&files);
                (Some(here), marker)
            }
            Err(_) if force => (None, Marker::new(&files.marker, remote.settings().clone())),
            Err(error) => return Err(error),
        };
        let place = remote.place().to_owned();
        let Some(there) = parsed(&place, remote.fetch()?)? else {
            return Err(misfit(&files, &place, Mismatch::Gone));
        };
        if let Some(here) = here.filter(|_| !force) {
            let seen = here.marker.as_ref().map(Marker::seen);
            let verdict = judge(here.copy.as_ref(), seen.as_ref(), Some(&there));
            match verdict.map_err(|why| misfit(&files, &place, why))? {
                Verdict::Keep if here.copy.as_ref().is_some_and(|here| here.state != there.state) => {
                    return Err(misfit(&files, &place, Mismatch::Ahead));
                }
                _ => {}
            }
        }
        if let Some(bytes) = file::read_bytes(&files.state).tried("read", &files.state)? {
            files.disk.replace(&files.backup, &bytes)?;
        }
        files.disk.replace(&files.state, &Self::text(&there.state)?)?;
        journal::remove(&files.journal)?;
        // The journal there is part of this copy, but of no snapshot there: the next run sorts that out under the lock.
        marker.put(&file::digest_of(&Self::text(&there.state)?))?;
        Ok(there.state)
    }

    /// Makes the remote state a copy of the local one. Refuses another environment, and what is not later than the
    /// remote one, unless `force`.
    ///
    /// # Errors
    /// When there is no local state, it may not replace the remote one, or disk or service refuse.
    pub fn push(
        path: &Path,
        holder: &Holder,
        patience: Duration,
        remote: Remote,
        force: bool,
    ) -> Result<State, StoreError> {
        let (files, lock) = lock(path, holder, patience)?;
        let state = load(&files)?.ok_or_else(|| misfit(&files, remote.place(), Mismatch::Nothing))?;
        let marker = Marker::new(&files.marker, remote.settings().clone());
        let (held, there) = if force {
            (seize(remote, holder, patience, marker)?, None)
        } else {
            reach(remote, holder, patience, marker)?
        };
        may_push(&state, there.as_ref().map(|there| &there.state)).map_err(|why| misfit(&files, held.place(), why))?;
        let mut store = Self::of(files, lock, Some(state));
        store.remote = Some(held);
        store.save()?;
        store.journal.clear()?;
        Ok(store.state)
    }

    /// Leaves the remote place: the local file is the state from then on, what is there is put aside.
    ///
    /// # Errors
    /// When disk or service refuse.
    pub fn withdraw(mut self) -> Result<(), StoreError> {
        self.save()?;
        self.journal.clear()?;
        if let Some(remote) = self.remote.take() {
            remote.retire()?;
        }
        journal::remove(&self.files.marker)
    }

    /// Tells when the lock on the remote state is lost; `None` for a local state.
    #[must_use]
    pub fn watch(&self) -> Option<Watch> {
        self.remote.as_ref().map(|held| Watch(held.pulse(), held.place().to_owned()))
    }

    /// Whether nobody holds the folder's lock; a file that a dead process left is removed.
    ///
    /// # Errors
    /// When somebody holds it: it ends with that process, and nothing else can end it.
    pub fn free(path: &Path, holder: &Holder) -> Result<(), StoreError> {
        lock(path, holder, Duration::ZERO).map(drop)
    }

    /// Where the local file is a copy from: the settings of its remote place.
    ///
    /// # Errors
    /// When the note beside it cannot be read.
    pub fn origin(path: &Path) -> Result<Option<serde_json::Value>, StoreError> {
        Ok(Marker::read(&Files::of(path).marker)?.map(|marker| marker.place().clone()))
    }
}

/// What is in the folder.
struct Here {
    copy: Option<Copy>,
    marker: Option<Marker>,
    settings: serde_json::Value,
}

impl Here {
    fn read(files: &Files, remote: &Remote) -> Result<Self, StoreError> {
        let marker = Marker::read(&files.marker)?;
        if let Some(marker) = marker.as_ref().filter(|marker| marker.place() != remote.settings()) {
            return Err(misfit(files, remote.place(), Mismatch::Elsewhere(marker.place().to_string())));
        }
        let copy = match load(files)? {
            None => None,
            Some(state) => {
                let snapshot = file::read_bytes(&files.state).tried("read", &files.state)?.unwrap_or_default();
                let journal = file::read_bytes(&files.journal).tried("read", &files.journal)?.unwrap_or_default();
                let is_overtaken = is_overtaken(&snapshot, &state);
                Some(Copy { digest: file::digest_of(&snapshot), is_overtaken, journal, state })
            }
        };
        Ok(Self { copy, marker, settings: remote.settings().clone() })
    }

    fn marker(&self, files: &Files) -> Marker {
        self.marker.clone().unwrap_or_else(|| Marker::new(&files.marker, self.settings.clone()))
    }
}

/// Whether folding the journal added nothing to the snapshot.
fn is_overtaken(snapshot: &[u8], folded: &State) -> bool {
    file::parse(snapshot).is_ok_and(|state| state.serial == folded.serial)
}

/// Takes the lock and reads what is there.
fn reach(
    remote: Remote,
    holder: &Holder,
    patience: Duration,
    marker: Marker,
) -> Result<(Held, Option<Copy>), StoreError> {
    let (held, found) = remote.take(Occupant::this_process(holder), patience, marker)?;
    let there = parsed(held.place(), found)?;
    Ok((held, there))
}

/// Takes the lock, whatever is there.
fn seize(remote: Remote, holder: &Holder, patience: Duration, marker: Marker) -> Result<Held, StoreError> {
    remote.take(Occupant::this_process(holder), patience, marker).map(|(held, _)| held)
}

/// Reads what is there. Its flaws are told as those of files, under the place's name.
fn parsed(place: &str, found: Found) -> Result<Option<Copy>, StoreError> {
    let Some(snapshot) = found.snapshot else { return Ok(None) };
    let files = Files::of(&PathBuf::from(place));
    let flawed = |flaw| match flaw {
        Flaw::Newer(found) => StoreError::Newer { path: files.state.clone(), found },
        Flaw::Damaged(what) => StoreError::Damaged { path: files.state.clone(), what, remedy: REMEDY.to_owned() },
    };
    let base = file::parse(&snapshot).map_err(flawed)?;
    let digest = file::digest_of(&snapshot);
    let serial = base.serial;
    let replay = journal::parse(&found.journal).map_err(|flaw| match flaw {
        journal::Flaw::Newer(found) => StoreError::Newer { path: files.journal.clone(), found: found.into() },
        journal::Flaw::Line(line) => StoreError::Damaged {
            path: files.journal.clone(),
            what: format!("line {line} is not what was written"),
            remedy: REMEDY.to_owned(),
        },
    })?;
    let state = match &replay {
        None => base,
        Some(replay) => follow(&files, base, replay)?,
    };
    let is_overtaken = state.serial == serial;
    Ok(Some(Copy { state, digest, journal: found.journal, is_overtaken }))
}

/// What to do about a damaged remote state.
const REMEDY: &str = "nothing was changed; restore the blob (soft delete, versions), or `privaml state push --force` a good \
                      copy";

fn misfit(files: &Files, place: &str, why: Mismatch) -> StoreError {
    StoreError::Mismatch { path: files.state.clone(), place: place.to_owned(), why }
}

/// A copy of a remote state must not go on as if it were the state.
pub(super) fn refuse_copy(files: &Files) -> Result<(), StoreError> {
    match Marker::read(&files.marker)? {
        None => Ok(()),
        Some(marker) => {
            let place = marker.place().to_string();
            Err(misfit(files, &place, Mismatch::Elsewhere(place.clone())))
        }
    }
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
