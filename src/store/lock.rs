//! One writer at a time. The operating system holds the lock, so it dies with its process; the file beside the state
//! only says who holds it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::{StoreError, Tried};

/// Between two attempts while waiting.
const PAUSE: Duration = Duration::from_millis(100);

/// Who asks for the lock.
#[derive(Clone, Debug)]
pub struct Holder {
    /// What the process is doing: the command's word.
    pub command: String,
}

/// Who holds a lock, as far as the lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Occupant {
    /// User name.
    pub who: String,
    /// Machine.
    pub host: String,
    /// Process id; 0 if unknown.
    pub pid: u32,
    /// Since when, RFC 3339, UTC.
    pub since: String,
    /// The command.
    pub doing: String,
}

impl Occupant {
    pub(super) fn this_process(holder: &Holder) -> Self {
        Self {
            who: first_of(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_default(),
            host: host(),
            pid: std::process::id(),
            since: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            doing: holder.command.clone(),
        }
    }
}

impl fmt::Display for Occupant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        let or = |text: &'static str, given: &str| if given.is_empty() { text.to_owned() } else { given.to_owned() };
        write!(
            f,
            "{} on {} (process {}, since {}, running `{}`)",
            or("an unnamed user", &self.who),
            or("an unnamed host", &self.host),
            self.pid,
            self.since,
            self.doing
        )
    }
}

fn first_of(variables: &[&str]) -> Option<String> {
    variables.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
}

fn host() -> String {
    let kernel = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    kernel().or_else(|| first_of(&["HOSTNAME", "COMPUTERNAME"])).unwrap_or_default().trim().to_owned()
}

/// A held lock; released when dropped or when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock at `path` for the state file `state`, waiting up to `patience`.
    pub(super) fn take(path: &Path, state: &Path, holder: &Holder, patience: Duration) -> Result<Self, StoreError> {
        let deadline = Instant::now() + patience;
        loop {
            let mut file = open(path)?;
            match fs4::FileExt::try_lock(&file) {
                Ok(()) if is_current(&file, path) => {
                    sign(&mut file, holder).tried("write", path)?;
                    return Ok(Self { path: path.to_owned(), file });
                }
                // The last holder removed the file between our opening and locking it: begin anew.
                Ok(()) => {}
                Err(fs4::TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(fs4::TryLockError::WouldBlock) => {
                    let holder = Box::new(occupant(path));
                    return Err(StoreError::Locked { path: state.to_owned(), holder, hint: "" });
                }
                Err(fs4::TryLockError::Error(source)) => {
                    return Err(StoreError::Io { act: "lock", path: path.to_owned(), source });
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still held, so nobody can own the file under this name; whoever waits on it starts over.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = fs4::FileExt::unlock(&self.file);
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::file::private(&mut options);
    options.open(path).tried("open", path)
}

/// Whether `file` is what `path` names now.
#[cfg(unix)]
fn is_current(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_current(_: &File, _: &Path) -> bool {
    true
}

fn sign(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(&Occupant::this_process(holder))?)
}

/// Who is in `path`; unknown while the holder is just writing it.
fn occupant(path: &Path) -> Occupant {
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path, patience: Duration) -> Result<Lock, StoreError> {
        Lock::take(path, Path::new("s.json"), &Holder { command: "apply".to_owned() }, patience)
    }

    #[test]
    fn a_second_taker_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = take(&path, Duration::ZERO).unwrap();
        let text = take(&path, Duration::ZERO).unwrap_err().to_string();
        assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        assert!(text.contains("running `apply`"), "{text}");
        drop(held);
        take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn waiting_ends_when_the_holder_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = take(&path, Duration::ZERO).unwrap();
        let waiter = {
            let path = path.clone();
            thread::spawn(move || take(&path, Duration::from_secs(20)).map(drop))
        };
        thread::sleep(Duration::from_millis(50));
        drop(held);
        waiter.join().unwrap().unwrap();
    }

    #[test]
    fn many_takers_never_overlap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let inside = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (path, inside) = (path.clone(), inside.clone());
                thread::spawn(move || {
                    for _ in 0..25 {
                        let lock = take(&path, Duration::from_secs(60)).unwrap();
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn a_left_over_file_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, r#"{"who":"ghost","pid":1}"#).unwrap();
        take(&path, Duration::ZERO).unwrap();
    }
}
