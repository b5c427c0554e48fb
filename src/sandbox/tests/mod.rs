//! Rules of the sandbox, one small test each.
