//! The disk as the store's writers meet it: a test may let it fill up, or tear a write, at any moment. Knows no format.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::error::{StoreError, Tried};
use super::file::{folder, sync_folder};

/// Asked before each write with its length in bytes: how many of them still reach the disk, where not all do. Asked with
/// zero before a file is cut.
type Limit = dyn Fn(usize) -> Option<usize> + Send + Sync;

/// Where snapshots and journals are written. By default it takes everything, as the real disk does or does not.
#[derive(Clone, Default)]
pub struct Disk(Option<Arc<Limit>>);

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Disk(limited)" } else { "Disk" })
    }
}

impl Disk {
    /// A disk that asks `limit` before each write; a write that is cut short fails as on a full disk.
    #[must_use]
    pub fn limited(limit: impl Fn(usize) -> Option<usize> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(limit)))
    }

    /// Writes all of `bytes`, or what there is room for and an error.
    pub(super) fn write(&self, to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
        match self.0.as_ref().and_then(|limit| limit(bytes.len())) {
            None => to.write_all(bytes),
            Some(room) => {
                to.write_all(&bytes[..room.min(bytes.len())])?;
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }

    /// Cuts a file to `len` bytes. That needs no room, so only a disk that takes nothing at all refuses it.
    pub(super) fn cut(&self, file: &File, len: u64) -> io::Result<()> {
        match self.0.as_ref().and_then(|limit| limit(0)) {
            None => file.set_len(len),
            Some(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    /// Replaces `path` as a whole: temporary file in the same folder, fsync, rename, fsync of the folder.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            // Temporary files are 0600 from birth.
            let mut file = tempfile::Builder::new().prefix(".privaml-").tempfile_in(folder(path))?;
            self.write(&mut file, bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().tried("write", path)?;
        sync_folder(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_replaces_nothing_and_leaves_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        Disk::default().replace(&path, b"before").unwrap();
        let error = Disk::limited(|_| Some(2)).replace(&path, b"after").unwrap_err();
        assert!(error.to_string().contains("state"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
