//! The state on disk: snapshot, journal, lock, seals. The only writer of files.
