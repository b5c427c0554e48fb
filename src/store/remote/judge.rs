//! Which copy counts, the one here or the one there? Pure: looks at both and never at a clock, so that no copy wins by
//! being late. Touches no file.
//!
//! One copy may replace the other only if everything in the other is part of its past. Serials alone cannot tell: two
//! machines that went apart may well have equal ones. What tells is the snapshot they have in common (by digest), and
//! that one journal begins with the other.

use crate::model::State;

use super::super::error::Mismatch;

/// A copy of the state, as it lies in files or blobs.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Copy {
    /// Snapshot and journal as one.
    pub(in crate::store) state: State,
    /// Digest of the snapshot.
    pub(in crate::store) digest: String,
    /// The journal's bytes.
    pub(in crate::store) journal: Vec<u8>,
    /// Whether the snapshot holds all of the journal already.
    pub(in crate::store) is_overtaken: bool,
}

/// What this folder knows of the remote copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Seen {
    /// Digest of the snapshot that was last known to be there; empty: that there was none.
    pub(in crate::store) digest: String,
    /// How many bytes of the local journal are there for sure.
    pub(in crate::store) sent: u64,
}

/// The copy to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Verdict {
    /// There is none.
    Fresh,
    /// The one here: it is the other one, or goes on from it.
    Keep,
    /// The one there.
    Take,
}

/// Judges. `seen` is `None` where this folder never worked with that remote copy.
pub(in crate::store) fn judge(
    here: Option<&Copy>,
    seen: Option<&Seen>,
    there: Option<&Copy>,
) -> Result<Verdict, Mismatch> {
    match (here, there) {
        (None, None) => Ok(Verdict::Fresh),
        (None, Some(_)) => Ok(Verdict::Take),
        (Some(_), None) => match seen {
            None => Err(Mismatch::NeverMoved),
            Some(seen) if seen.digest.is_empty() => Ok(Verdict::Keep),
            Some(_) => Err(Mismatch::Gone),
        },
        (Some(here), Some(there)) => compare(here, seen, there),
    }
}

fn compare(here: &Copy, seen: Option<&Seen>, there: &Copy) -> Result<Verdict, Mismatch> {
    if here.state.lineage != there.state.lineage {
        return Err(Mismatch::Lineage);
    }
    let same = here.digest == there.digest;
    // Nobody wrote a snapshot there since we did; nobody wrote one here since it was there.
    let is_remote_known = seen.is_some_and(|seen| seen.digest == there.digest);
    let is_ours_known = seen.is_some_and(|seen| seen.digest == here.digest);
    let theirs: &[u8] = if there.is_overtaken { b"" } else { &there.journal };
    if (same || is_remote_known) && here.journal.starts_with(theirs) {
        return Ok(Verdict::Keep);
    }
    let is_sent = here.is_overtaken || seen.is_some_and(|seen| here.journal.len() as u64 <= seen.sent);
    if (same && theirs.starts_with(&here.journal)) || (is_ours_known && is_sent) {
        return Ok(Verdict::Take);
    }
    let (ours, theirs) = (here.state.serial, there.state.serial);
    Err(match seen {
        Some(_) => Mismatch::Parted { ours, theirs },
        None => Mismatch::Serial { ours, theirs },
    })
}

/// Whether `here` may replace `there` without being told twice.
pub(in crate::store) fn may_push(here: &State, there: Option<&State>) -> Result<(), Mismatch> {
    let Some(there) = there else { return Ok(()) };
    if here.lineage != there.lineage {
        return Err(Mismatch::Lineage);
    }
    if here == there || here.serial > there.serial {
        return Ok(());
    }
    Err(Mismatch::Serial { ours: here.serial, theirs: there.serial })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// A copy of lineage 1: snapshot `digest` of that serial, and a journal.
    fn copy(digest: &str, serial: u64, journal: &str) -> Copy {
        let mut state = State::empty(Uuid::from_u128(1));
        state.serial = serial + journal.len() as u64;
        Copy { state, digest: digest.to_owned(), journal: journal.as_bytes().to_vec(), is_overtaken: false }
    }

    fn seen(digest: &str, sent: u64) -> Seen {
        Seen { digest: digest.to_owned(), sent }
    }

    fn verdict(here: &Copy, seen: Option<&Seen>, there: &Copy) -> Result<Verdict, Mismatch> {
        judge(Some(here), seen, Some(there))
    }

    #[test]
    fn a_folder_without_a_copy_takes_what_is_there() {
        assert_eq!(judge(None, None, None), Ok(Verdict::Fresh));
        assert_eq!(judge(None, None, Some(&copy("a", 1, ""))), Ok(Verdict::Take));
    }

    #[test]
    fn a_local_state_moves_only_when_told() {
        let here = copy("a", 1, "");
        assert_eq!(judge(Some(&here), None, None), Err(Mismatch::NeverMoved));
        assert_eq!(judge(Some(&here), Some(&seen("", 0)), None), Ok(Verdict::Keep));
        assert_eq!(judge(Some(&here), Some(&seen("a", 0)), None), Err(Mismatch::Gone));
    }

    #[test]
    fn a_crash_here_goes_on_from_here() {
        // The journal was sent in part, not at all, or as a whole; or the new snapshot did not arrive.
        for (here, there) in [
            (copy("a", 1, "xyz"), copy("a", 1, "xy")),
            (copy("a", 1, "xyz"), copy("a", 1, "")),
            (copy("a", 1, "xyz"), copy("a", 1, "xyz")),
            (copy("b", 4, "xyz"), copy("a", 1, "xy")),
        ] {
            assert_eq!(verdict(&here, Some(&seen("a", 0)), &there), Ok(Verdict::Keep), "{here:?}");
        }
        // The new snapshot arrived, but its arrival was not noted.
        assert_eq!(verdict(&copy("b", 4, ""), Some(&seen("a", 2)), &copy("b", 4, "")), Ok(Verdict::Keep));
    }

    #[test]
    fn a_run_elsewhere_goes_on_from_there() {
        let here = copy("a", 1, "");
        assert_eq!(verdict(&here, Some(&seen("a", 0)), &copy("z", 9, "")), Ok(Verdict::Take));
        assert_eq!(verdict(&here, Some(&seen("a", 0)), &copy("a", 1, "other")), Ok(Verdict::Take));
        // A crash here that was continued there: everything of it had arrived.
        assert_eq!(verdict(&copy("a", 1, "xyz"), Some(&seen("a", 3)), &copy("z", 9, "")), Ok(Verdict::Take));
    }

    #[test]
    fn a_journal_that_its_snapshot_overtook_is_no_news() {
        let overtaken = |digest| Copy { is_overtaken: true, ..copy(digest, 4, "xyz") };
        // The crash came before the journal was removed; then a run elsewhere.
        assert_eq!(verdict(&overtaken("b"), Some(&seen("b", 0)), &copy("z", 9, "")), Ok(Verdict::Take));
        // There the journal was left behind.
        assert_eq!(verdict(&copy("b", 4, ""), Some(&seen("b", 0)), &overtaken("b")), Ok(Verdict::Keep));
        assert_eq!(verdict(&copy("a", 1, ""), Some(&seen("a", 0)), &overtaken("b")), Ok(Verdict::Take));
    }

    #[test]
    fn copies_that_went_apart_are_refused() {
        let parted = |ours, theirs| Err(Mismatch::Parted { ours, theirs });
        // The last event never arrived, and somebody else went on.
        assert_eq!(verdict(&copy("a", 1, "xyz"), Some(&seen("a", 2)), &copy("z", 9, "")), parted(4, 9));
        assert_eq!(verdict(&copy("a", 1, "xyz"), Some(&seen("a", 2)), &copy("a", 1, "xQ")), parted(4, 3));
        // The end of the last run never arrived, and somebody else went on: an equal serial proves nothing.
        assert_eq!(verdict(&copy("b", 9, ""), Some(&seen("a", 2)), &copy("z", 9, "")), parted(9, 9));
        assert_eq!(verdict(&copy("b", 2, ""), Some(&seen("a", 0)), &copy("a", 1, "x")), parted(2, 2));
    }

    #[test]
    fn a_copy_of_unknown_origin_must_be_equal() {
        assert_eq!(verdict(&copy("a", 1, ""), None, &copy("a", 1, "")), Ok(Verdict::Keep));
        let serial = |ours, theirs| Err(Mismatch::Serial { ours, theirs });
        assert_eq!(verdict(&copy("a", 1, ""), None, &copy("b", 2, "")), serial(1, 2));
        assert_eq!(verdict(&copy("b", 2, ""), None, &copy("a", 1, "")), serial(2, 1));
        let mut foreign = copy("a", 1, "");
        foreign.state.lineage = Uuid::from_u128(2);
        assert_eq!(verdict(&foreign, Some(&seen("a", 0)), &copy("a", 1, "")), Err(Mismatch::Lineage));
    }

    #[test]
    fn only_a_later_state_of_the_same_lineage_may_be_pushed() {
        let (old, new) = (copy("a", 1, "").state, copy("b", 2, "").state);
        let mut foreign = new.clone();
        foreign.lineage = Uuid::from_u128(2);
        assert_eq!(may_push(&new, Some(&old)), Ok(()));
        assert_eq!(may_push(&new, Some(&new)), Ok(()));
        assert_eq!(may_push(&new, None), Ok(()));
        assert_eq!(may_push(&old, Some(&new)), Err(Mismatch::Serial { ours: 1, theirs: 2 }));
        assert_eq!(may_push(&foreign, Some(&old)), Err(Mismatch::Lineage));
        let twin = State { outputs: [("a".to_owned(), serde_json::Value::Null)].into(), ..new.clone() };
        assert_eq!(may_push(&twin, Some(&new)), Err(Mismatch::Serial { ours: 2, theirs: 2 }));
    }
}
