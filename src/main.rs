//! The thin binary: parse, run, exit code. Nothing else lives here.

fn main() {}
