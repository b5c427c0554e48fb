//! Blobs in memory, with leases and conditions as Azure has them, and with lost replies and lost networks on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use uuid::Uuid;

use crate::model::{Blob, BlobError, BlobFault, Blobs, Guard, Lease};

/// The container; clones share it.
#[derive(Clone, Default)]
pub(in crate::store) struct Memory(Arc<Mutex<Inside>>);

#[derive(Default)]
pub(in crate::store) struct Inside {
    pub(in crate::store) blobs: BTreeMap<String, Kept>,
    /// Requests with one of these names do not arrive.
    pub(in crate::store) offline: Vec<&'static str>,
    /// The reply of the next writes is lost; the sender finds its own write when it repeats it.
    pub(in crate::store) lost_replies: usize,
    writes: u64,
}

/// A blob.
#[derive(Clone, Default)]
pub(in crate::store) struct Kept {
    pub(in crate::store) body: Vec<u8>,
    etag: u64,
    notes: BTreeMap<String, String>,
    lease: Option<Uuid>,
}

impl Memory {
    pub(in crate::store) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }
}

impl Kept {
    pub(in crate::store) fn release(&mut self) {
        self.lease = None;
    }
}

fn fault(fault: BlobFault) -> BlobError {
    BlobError { fault, code: String::new(), message: format!("{fault:?}") }
}

impl Inside {
    fn arrives(&self, act: &str) -> Result<(), BlobError> {
        if self.offline.contains(&act) { Err(fault(BlobFault::Unreachable)) } else { Ok(()) }
    }

    /// A write, repeated where its reply is lost.
    fn write<T>(
        &mut self,
        act: &str,
        mut write: impl FnMut(&mut Self) -> Result<T, BlobError>,
    ) -> Result<T, BlobError> {
        self.arrives(act)?;
        if self.lost_replies > 0 {
            self.lost_replies -= 1;
            let _ = write(self);
        }
        write(self)
    }

    fn check(&self, name: &str, guard: &Guard) -> Result<(), BlobError> {
        let there = self.blobs.get(name);
        let held = there.and_then(|kept| kept.lease);
        match (held, guard.lease) {
            (Some(_), None) => return Err(fault(BlobFault::Leased)),
            (Some(held), Some(given)) if held != given => return Err(fault(BlobFault::LeaseLost)),
            (None, Some(_)) => return Err(fault(BlobFault::LeaseLost)),
            _ => {}
        }
        let is_as_known = guard.etag.as_ref().is_none_or(|etag| there.is_some_and(|k| k.etag.to_string() == *etag));
        if (guard.is_new && there.is_some()) || !is_as_known {
            return Err(fault(BlobFault::Condition));
        }
        Ok(())
    }

    fn next(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }
}

#[async_trait]
impl Blobs for Memory {
    async fn create(&self) -> Result<(), BlobError> {
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Option<Blob>, BlobError> {
        let inside = self.inside();
        inside.arrives("get")?;
        Ok(inside.blobs.get(name).map(|kept| Blob {
            body: kept.body.clone(),
            etag: kept.etag.to_string(),
            notes: kept.notes.clone(),
            is_leased: kept.lease.is_some(),
        }))
    }

    async fn put(
        &self,
        name: &str,
        body: &[u8],
        notes: &BTreeMap<String, String>,
        guard: &Guard,
    ) -> Result<String, BlobError> {
        self.inside().write("put", |inside| {
            inside.check(name, guard)?;
            let etag = inside.next();
            let lease = inside.blobs.get(name).and_then(|kept| kept.lease);
            let kept = Kept { body: body.to_vec(), etag, notes: notes.clone(), lease };
            inside.blobs.insert(name.to_owned(), kept);
            Ok(etag.to_string())
        })
    }

    async fn annotate(&self, name: &str, notes: &BTreeMap<String, String>, guard: &Guard) -> Result<String, BlobError> {
        self.inside().write("annotate", |inside| {
            inside.check(name, guard)?;
            let etag = inside.next();
            let kept = inside.blobs.get_mut(name).ok_or_else(|| fault(BlobFault::Absent))?;
            (kept.etag, kept.notes) = (etag, notes.clone());
            Ok(etag.to_string())
        })
    }

    async fn append(&self, name: &str, at: u64, text: &[u8]) -> Result<(), BlobError> {
        let mut inside = self.inside();
        inside.arrives("append")?;
        inside.check(name, &Guard::default())?;
        if at == 0 {
            let etag = inside.next();
            inside.blobs.insert(name.to_owned(), Kept { etag, ..Kept::default() });
        }
        inside.write("append", |inside| {
            let kept = inside.blobs.get_mut(name).ok_or_else(|| fault(BlobFault::Absent))?;
            if kept.body.len() as u64 != at {
                return Err(fault(BlobFault::Condition));
            }
            kept.body.extend_from_slice(text);
            Ok(())
        })
    }

    async fn remove(&self, name: &str, guard: &Guard) -> Result<(), BlobError> {
        let mut inside = self.inside();
        inside.arrives("remove")?;
        if inside.blobs.contains_key(name) {
            inside.check(name, guard)?;
        }
        inside.blobs.remove(name);
        Ok(())
    }

    async fn lease(&self, name: &str, act: Lease, id: Uuid) -> Result<(), BlobError> {
        let mut inside = self.inside();
        inside.arrives("lease")?;
        let kept = inside.blobs.get_mut(name).ok_or_else(|| fault(BlobFault::Absent))?;
        match (act, kept.lease) {
            (Lease::Acquire(_), Some(held)) if held != id => return Err(fault(BlobFault::Leased)),
            (Lease::Acquire(_), _) => kept.lease = Some(id),
            (Lease::Renew, Some(held)) if held == id => {}
            (Lease::Release, Some(held)) if held == id => kept.lease = None,
            (Lease::Break, Some(_)) => kept.lease = None,
            _ => return Err(fault(BlobFault::LeaseLost)),
        }
        Ok(())
    }
}
