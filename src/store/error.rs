//! Why the state cannot be used: what, where, why and what to do. Never touches a file.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::{FORMAT, IllegalEvent};

use super::lock::Occupant;

/// Everything that can go wrong with the state on disk. The files are left as they were.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another run holds the lock.
    #[error("the state {} is in use by {holder}; wait for it to end, or give --lock-timeout", path.display())]
    Locked {
        /// The state file.
        path: PathBuf,
        /// Who holds it.
        holder: Box<Occupant>,
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
