//! The snapshot: one JSON document with a digest over its content, replaced as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::{FORMAT, State};

use super::disk::Disk;
use super::error::{StoreError, Tried};

/// The files of one state.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// The snapshot.
    pub(super) state: PathBuf,
    /// What happened since.
    pub(super) journal: PathBuf,
    /// The snapshot as the last run found it.
    pub(super) backup: PathBuf,
    /// Who writes.
    pub(super) lock: PathBuf,
    /// Of which remote state this is a copy.
    pub(super) marker: PathBuf,
    /// What they are written on.
    pub(super) disk: Disk,
}

impl Files {
    pub(super) fn of(state: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = state.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            state: state.to_owned(),
            journal: beside(".journal"),
            backup: beside(".backup"),
            lock: beside(".lock"),
            marker: beside(".remote"),
            disk: Disk::default(),
        }
    }

    /// An error that says what can be done: the last good snapshot is offered.
    pub(super) fn damaged(&self, path: &Path, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: path.to_owned(), what: what.into(), remedy: self.remedy(path) }
    }

    fn remedy(&self, damaged: &Path) -> String {
        let serial = |path: &Path| Some(parse(&read_bytes(path).ok()??).ok()?.serial);
        let (state, journal) = (self.state.display(), self.journal.display());
        if damaged == self.journal
            && let Some(serial) = serial(&self.state)
        {
            return format!(
                "nothing was changed; the snapshot {state} (serial {serial}) is whole: move {journal} away to go on from \
                 it, and what happened since is asked of Azure"
            );
        }
        let aside = if self.journal.exists() { format!("move {journal} away and ") } else { String::new() };
        match serial(&self.backup) {
            Some(serial) => format!(
                "nothing was changed; the snapshot before the last run (serial {serial}) is in {}: {aside}copy it to {state}",
                self.backup.display(),
            ),
            None => format!(
                "nothing was changed; restore {state} from a copy, or {aside}move it away and run `privaml recover`"
            ),
        }
    }

    /// Reads the snapshot; `None` if there is none.
    pub(super) fn snapshot(&self) -> Result<Option<State>, StoreError> {
        let Some(bytes) = read_bytes(&self.state).tried("read", &self.state)? else { return Ok(None) };
        match parse(&bytes) {
            Ok(state) => Ok(Some(state)),
            Err(Flaw::Newer(found)) => Err(StoreError::Newer { path: self.state.clone(), found }),
            Err(Flaw::Damaged(what)) => Err(self.damaged(&self.state, what)),
        }
    }
}

/// What is wrong with a snapshot.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its format is beyond ours.
    Newer(u64),
    /// It is not what was written.
    Damaged(String),
}

/// Reads a whole file; `None` if it does not exist.
pub(super) fn read_bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text of a snapshot.
///
/// # Errors
/// When the state cannot be written as JSON.
pub fn print(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    // The digest is of what a reader will see: numbers may change their spelling on the way through text.
    let mut document: Value = serde_json::from_str(&serde_json::to_string(state)?)?;
    sign(&mut document);
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    Ok(text)
}

/// Puts the right digest into a snapshot.
pub fn sign(document: &mut Value) {
    let digest = digest(document);
    if let Some(members) = document.as_object_mut() {
        members.insert("digest".to_owned(), Value::String(digest));
    }
}

/// Reads a snapshot's text. The format is looked at first: a later one may be digested otherwise.
///
/// # Errors
/// When it is of a later version, or not what was written.
pub fn parse(bytes: &[u8]) -> Result<State, Flaw> {
    let damaged = |error: serde_json::Error| Flaw::Damaged(error.to_string());
    let document: Value = serde_json::from_slice(bytes).map_err(damaged)?;
    match document.get("format").and_then(Value::as_u64) {
        None | Some(0) => return Err(Flaw::Damaged("it is not a state of privaml: `format` is missing".to_owned())),
        Some(found) if found > u64::from(FORMAT) => return Err(Flaw::Newer(found)),
        Some(_) => {}
    }
    if document.get("digest").and_then(Value::as_str) != Some(digest(&document).as_str()) {
        return Err(Flaw::Damaged("its digest does not match its content".to_owned()));
    }
    serde_json::from_value(document).map_err(damaged)
}

/// The digest that a printed snapshot carries: its identity. Empty where there is none.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    document.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// SHA-256 over the members but `digest`, independent of their order and of white space.
fn digest(document: &Value) -> String {
    let mut hash = Sha256::new();
    if let Some(members) = document.as_object() {
        absorb_members(members.iter().filter(|(name, _)| *name != "digest"), &mut hash);
    }
    format!("sha256:{:x}", hash.finalize())
}

fn absorb(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(members) => absorb_members(members.iter(), hash),
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                absorb(item, hash);
            }
            hash.update(b"]");
        }
        // A scalar's JSON spelling is unambiguous.
        scalar => hash.update(format!("{scalar},")),
    }
}

fn absorb_members<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>, hash: &mut Sha256) {
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|(name, _)| *name);
    hash.update(b"{");
    for (name, value) in members {
        hash.update(format!("{}:", Value::String(name.clone())));
        absorb(value, hash);
    }
    hash.update(b"}");
}

/// The folder a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename or a new file in the folder of `path` survive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    if !cfg!(unix) {
        return Ok(()); // Windows cannot open folders; its renames are journalled by the file system.
    }
    let folder = folder(path);
    File::open(folder).and_then(|handle| handle.sync_all()).tried("sync", folder)
}

/// Files of ours are for their owner only.
#[cfg(unix)]
pub(super) fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
pub(super) fn private(_: &mut OpenOptions) {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    fn sample() -> State {
        let mut state = State::empty(Uuid::from_u128(7));
        state.serial = 3;
        state.parameters = json!({"name": "test", "ratio": 0.1, "big": 1e300});
        state.outputs.insert("a".to_owned(), json!("ö \" \\ b"));
        state
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(parse(&print(&sample()).unwrap()).unwrap(), sample());
    }

    #[test]
    fn reformatting_is_no_damage() {
        let document: Value = serde_json::from_slice(&print(&sample()).unwrap()).unwrap();
        assert_eq!(parse(document.to_string().as_bytes()).unwrap(), sample());
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let text = String::from_utf8(print(&sample()).unwrap()).unwrap();
        assert_eq!(parse(text.replace("\"format\": 1", "\"format\": 2").as_bytes()), Err(Flaw::Newer(2)));
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_harmless() {
        let bytes = print(&sample()).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(state) = parse(&flipped) {
                    assert_eq!(state, sample(), "bit {bit} of byte {at}");
                }
            }
        }
    }

    #[test]
    fn every_truncation_is_noticed() {
        let bytes = print(&sample()).unwrap();
        // Only the final line feed may be missing.
        for len in 0..bytes.len() - 1 {
            assert!(parse(&bytes[..len]).is_err(), "{len}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes).is_err());
        }
    }
}
