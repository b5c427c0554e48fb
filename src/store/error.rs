//! Why the state cannot be used: what, where, why and what to do. Never touches a file.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::{BlobError, FORMAT, IllegalEvent};

use super::lock::Occupant;

/// Everything that can go wrong with the state on disk. The files are left as they were.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another run holds the lock.
    #[error("the state {} is in use by {holder}; wait for it to end, or give --lock-timeout{hint}", path.display())]
    Locked {
        /// The state file, or the remote state's place.
        path: PathBuf,
        /// Who holds it.
        holder: Box<Occupant>,
        /// What else can be done, or nothing.
        hint: &'static str,
    },
    /// The remote state's lock went to somebody else, or could not be held.
    #[error(
        "the lock on the remote state {place} is lost: {why}; what happened since is in the local copy and its \
             journal, and the next run of this folder says whether it can go on from there"
    )]
    Lost {
        /// The remote state.
        place: String,
        /// Why.
        why: String,
    },
    /// The local copy and the remote one cannot both be right.
    #[error("{} and the remote state {place} do not fit: {why}; nothing was changed; {}", path.display(), why.remedy())]
    Mismatch {
        /// The local state.
        path: PathBuf,
        /// The remote state.
        place: String,
        /// How.
        why: Mismatch,
    },
    /// The storage service refuses or does not answer.
    #[error("cannot {act} the remote state {place}: {source}")]
    Remote {
        /// What was tried.
        act: &'static str,
        /// The remote state.
        place: String,
        /// The service's words.
        source: BlobError,
    },
    /// Written by a later version of the program.
    #[error("{} has format {found}, this version of privaml knows up to {FORMAT}; use a newer version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// The content is not what was written.
    #[error("{} is damaged: {what}; {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// An event that cannot follow what is known: a defect of the program.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// The disk or its permissions.
    #[error("cannot {act} {}: {source}", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// How a local copy and the remote one do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Two environments.
    #[error("they are of different environments (their lineages differ)")]
    Lineage,
    /// A local state that was never part of the remote one.
    #[error("the local one, of unknown origin, has serial {ours}, the remote one {theirs}")]
    Serial {
        /// Of the local copy.
        ours: u64,
        /// Of the remote copy.
        theirs: u64,
    },
    /// A copy whose last steps never arrived, while somebody else went on.
    #[error(
        "the last steps of this folder (serial {ours}) never arrived there, and another run went on (serial {theirs})"
    )]
    Parted {
        /// Of the local copy.
        ours: u64,
        /// Of the remote copy.
        theirs: u64,
    },
    /// The parameters name a remote state that does not exist, and there is a local one.
    #[error("the state is local so far, and there is nothing there")]
    NeverMoved,
    /// The remote copy was there once.
    #[error("the remote state is gone")]
    Gone,
    /// The local copy has something that the remote one has not.
    #[error("the local one goes on from the remote one")]
    Ahead,
    /// There is nothing to push.
    #[error("there is no local state")]
    Nothing,
    /// The local copy belongs to another remote state, or the parameters say local.
    #[error("the local file is a copy of a remote state that the parameters do not name: {0}")]
    Elsewhere(String),
}

impl Mismatch {
    /// What to do.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Lineage => "give another --state FILE, or another `key` in [state]",
            Self::Serial { .. } | Self::Parted { .. } => {
                "`privaml state pull --save --force` takes the remote one (the local one is kept as .backup), \
                 `privaml state push --force` the local one"
            }
            Self::NeverMoved | Self::Elsewhere(_) => "`privaml state migrate` moves it, or mend [state]",
            Self::Ahead => "the next run brings it there; `--force` throws away what is only here",
            Self::Nothing => "give the right --state FILE",
            Self::Gone => "restore the blob (soft delete, versions), or `privaml state push` the local copy",
        }
    }
}

/// Adds act and place to an IO error.
pub(super) trait Tried<T> {
    /// Names what was tried, and where.
    fn tried(self, act: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, act: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { act, path: path.to_owned(), source })
    }
}
