//! The note beside a local copy: of which remote state it is a copy, and how much of it is known to be there. Losing the
//! note loses nothing; the copy is then treated as one of unknown origin.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::disk::Disk;
use super::super::error::{StoreError, Tried};
use super::super::file;
use super::judge::Seen;

/// The file's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    /// Where the remote state is: the parameters' words.
    place: Value,
    /// See [`Seen::digest`].
    #[serde(default)]
    digest: String,
    /// See [`Seen::sent`].
    #[serde(default)]
    sent: u64,
}

/// The note, open for writing.
#[derive(Clone, Debug)]
pub(in crate::store) struct Marker {
    path: PathBuf,
    content: Content,
}

impl Marker {
    /// The note at `path`; `None` if there is none. One that cannot be read counts as an unknown place.
    pub(in crate::store) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = file::read_bytes(path).tried("read", path)? else { return Ok(None) };
        let content = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Some(Self { path: path.to_owned(), content }))
    }

    /// A note that is not written yet.
    pub(in crate::store) fn new(path: &Path, place: Value) -> Self {
        Self { path: path.to_owned(), content: Content { place, ..Content::default() } }
    }

    /// Whether it is in its place.
    pub(super) fn is_written(&self) -> bool {
        self.path.exists()
    }

    pub(in crate::store) const fn place(&self) -> &Value {
        &self.content.place
    }

    pub(in crate::store) fn seen(&self) -> Seen {
        Seen { digest: self.content.digest.clone(), sent: self.content.sent }
    }

    /// Notes that this snapshot is there, and no journal. On disk when this returns.
    pub(in crate::store) fn put(&mut self, digest: &str) -> Result<(), StoreError> {
        (self.content.digest, self.content.sent) = (digest.to_owned(), 0);
        Disk::default().replace(&self.path, &self.text())
    }

    /// Notes how much of the journal is there. May be lost in a power cut: a note that says too little is harmless.
    pub(in crate::store) fn sent(&mut self, bytes: u64) {
        self.content.sent = bytes;
        let folder = file::folder(&self.path);
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".privaml-").tempfile_in(folder)?;
            file.write_all(&self.text())?;
            file.persist(&self.path).map(drop).map_err(|error| error.error)
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "cannot note what was sent");
        }
    }

    fn text(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(&self.content).expect("strings and numbers always have a JSON form")
    }
}
