//! See `promises/journal.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| privaml_fuzz::journal::run(data));
