//! What happened since the snapshot, one line an event, on disk before anybody acts on it.
//!
//! A line is `sum payload`; the sum covers the sum before it, so no line can be altered, lost or moved unnoticed. The
//! first payload is the [`Header`]. Only an unfinished last line, torn by a crash, is dropped, and told.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::{Event, FORMAT};

use super::disk::Disk;
use super::error::{StoreError, Tried};
use super::file::{Files, private, read_bytes, sync_folder};

/// Hex digits of a sum.
const SUM: usize = 16;

/// Which snapshot a journal continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Format of the events: the state's.
    pub format: u32,
    /// The state's lineage.
    pub lineage: Uuid,
    /// The state's serial before the first event; every event adds one.
    pub base: u64,
}

/// A journal as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Its first line.
    pub header: Header,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// What is wrong with a journal.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its format is beyond ours.
    Newer(u32),
    /// This line (from 1) is not what was written.
    Line(usize),
}

/// Reads the journal; `None` if there is none, or none that got as far as its first line.
pub(super) fn read(files: &Files) -> Result<Option<Replay>, StoreError> {
    let Some(bytes) = read_bytes(&files.journal).tried("read", &files.journal)? else { return Ok(None) };
    parse(&bytes).map_err(|flaw| match flaw {
        Flaw::Newer(found) => StoreError::Newer { path: files.journal.clone(), found: found.into() },
        Flaw::Line(line) => files.damaged(&files.journal, format!("line {line} is not what was written")),
    })
}

/// Reads a journal's text; `None` if it did not get as far as its first line.
///
/// # Errors
/// When it is of a later version, or a line is not what was written.
pub fn parse(bytes: &[u8]) -> Result<Option<Replay>, Flaw> {
    let mut replay: Option<Replay> = None;
    let (mut rest, mut sum, mut number) = (bytes, String::new(), 0);
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        let Some(payload) = verified(line, &sum) else {
            if end.is_none() && !is_defaced(line, &sum) {
                break; // Torn.
            }
            return Err(Flaw::Line(number));
        };
        match &mut replay {
            None => replay = Some(begin(payload, number)?),
            Some(replay) => replay.events.push(next(payload, &replay.events, number)?),
        }
        sum = String::from_utf8_lossy(&line[..SUM]).into_owned();
        rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
    }
    Ok(replay)
}

/// Whether the journal ends in a line that was not finished. A line that only lacks its line feed is whole.
pub(super) fn is_torn(files: &Files) -> bool {
    let bytes = read_bytes(&files.journal).ok().flatten().unwrap_or_default();
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    whole < bytes.len() && parse(&bytes) == parse(&bytes[..whole])
}

fn begin(payload: &[u8], line: usize) -> Result<Replay, Flaw> {
    let header: Header = serde_json::from_slice(payload).map_err(|_| Flaw::Line(line))?;
    if header.format > FORMAT { Err(Flaw::Newer(header.format)) } else { Ok(Replay { header, events: Vec::new() }) }
}

fn next(payload: &[u8], before: &[Event], line: usize) -> Result<Event, Flaw> {
    let event: Event = serde_json::from_slice(payload).map_err(|_| Flaw::Line(line))?;
    let last = before.last().map_or(0, |event| event.seq);
    // Events that are only shown take numbers too, so there may be gaps.
    if event.seq > last { Ok(event) } else { Err(Flaw::Line(line)) }
}

/// The payload of a line whose sum is right.
fn verified<'a>(line: &'a [u8], before: &str) -> Option<&'a [u8]> {
    let (sum, payload) = (line.get(..SUM)?, line.get(SUM + 1..)?);
    (line[SUM] == b' ' && sum == checksum(before, payload).as_bytes()).then_some(payload)
}

/// Whether an unfinished line is really a whole one whose line feed became something else: a crash adds no bytes.
fn is_defaced(line: &[u8], before: &str) -> bool {
    line.split_last().is_some_and(|(_, shorter)| verified(shorter, before).is_some())
}

fn checksum(before: &str, payload: &[u8]) -> String {
    let hash = Sha256::new().chain_update(before).chain_update(payload).finalize();
    format!("{hash:x}")[..SUM].to_owned()
}

/// The end of a journal that is being written.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    disk: Disk,
    file: Option<File>,
    sum: String,
    len: u64,
}

impl Journal {
    /// A journal at `path` that has no line yet.
    pub(super) const fn new(path: PathBuf, disk: Disk) -> Self {
        Self { path, disk, file: None, sum: String::new(), len: 0 }
    }

    /// Writes one event and waits for the disk; returns the bytes. The first one brings the header and the file.
    pub(super) fn append(&mut self, header: &Header, event: &Event) -> Result<Vec<u8>, StoreError> {
        let mut text = Vec::new();
        let mut sum = self.sum.clone();
        if self.file.is_none() {
            self.file = Some(create(&self.path).tried("create", &self.path)?);
            sync_folder(&self.path)?;
        }
        if self.len == 0 {
            push_line(
                &mut text,
                &mut sum,
                &serde_json::to_vec(header).map_err(io::Error::from).tried("write", &self.path)?,
            );
        }
        push_line(&mut text, &mut sum, &serde_json::to_vec(event).map_err(io::Error::from).tried("write", &self.path)?);
        self.write(&text).tried("write", &self.path)?;
        self.sum = sum;
        Ok(text)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let written =
            self.disk.cut(file, self.len).and_then(|()| self.disk.write(file, text)).and_then(|()| file.sync_data());
        if written.is_err() {
            // A full disk leaves half a line; whole lines may follow it only once it is gone (see the cut above).
            let _ = self.disk.cut(file, self.len);
            return written;
        }
        self.len += text.len() as u64;
        Ok(())
    }

    /// Forgets everything: the snapshot has it.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        self.file = None;
        (self.sum, self.len) = (String::new(), 0);
        remove(&self.path)
    }
}

/// Appends one line to a journal's text; `sum` is the line before's, empty at the beginning, and becomes this one's.
pub fn push_line(text: &mut Vec<u8>, sum: &mut String, payload: &[u8]) {
    *sum = checksum(sum, payload);
    text.extend_from_slice(sum.as_bytes());
    text.push(b' ');
    text.extend_from_slice(payload);
    text.push(b'\n');
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    private(&mut options);
    let file = options.open(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// Removes a journal that the snapshot has overtaken.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).tried("remove", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, Outcome, StepId, Verb, What};
    use proptest::prelude::*;
    use std::io::Write as _;
    use std::time::Duration;

    fn header() -> Header {
        Header { format: FORMAT, lineage: Uuid::nil(), base: 5 }
    }

    fn event(seq: u64) -> Event {
        let step = StepId::new(Address::new("vault", &format!("v{seq}")), Verb::Create);
        Event { seq, at: Duration::from_millis(seq), what: What::Ended { step, outcome: Outcome::Cancelled } }
    }

    fn written(seqs: &[u64]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let mut journal = Journal::new(path.clone(), Disk::default());
        for &seq in seqs {
            journal.append(&header(), &event(seq)).unwrap();
        }
        fs::read(path).unwrap()
    }

    #[test]
    fn what_is_appended_is_read() {
        let replay = parse(&written(&[1, 2, 5])).unwrap().unwrap();
        assert_eq!(replay, Replay { header: header(), events: vec![event(1), event(2), event(5)] });
    }

    #[test]
    fn a_torn_end_loses_only_the_torn_line() {
        let bytes = written(&[1, 2, 3]);
        for len in 0..bytes.len() {
            let cut = &bytes[..len];
            let events = parse(cut).unwrap().map_or(0, |replay| replay.events.len());
            // A line that only lacks its line feed is whole.
            let lines = cut.split(|&b| b == b'\n').count() - 1 + usize::from(bytes[len] == b'\n');
            assert_eq!(events, lines.saturating_sub(1), "{len}");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = written(&[1, 2, 3]);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(parse(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn lines_cannot_be_dropped_or_swapped() {
        let bytes = written(&[1, 2, 3]);
        let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
        assert_eq!(parse(&[lines[0], lines[2], lines[3]].concat()), Err(Flaw::Line(2)));
        assert_eq!(parse(&[lines[0], lines[2], lines[1], lines[3]].concat()), Err(Flaw::Line(2)));
        assert_eq!(parse(&[lines[1], lines[2]].concat()), Err(Flaw::Line(1)));
    }

    #[test]
    fn a_failed_write_leaves_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let mut journal = Journal::new(path.clone(), Disk::default());
        journal.append(&header(), &event(1)).unwrap();
        // Half a line, as a full disk leaves it.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"0123456789abcdef {\"seq").unwrap();
        journal.append(&header(), &event(2)).unwrap();
        assert_eq!(parse(&fs::read(path).unwrap()).unwrap().unwrap().events.len(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
