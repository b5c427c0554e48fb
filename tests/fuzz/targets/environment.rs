//! See `promises/environment.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| privaml_fuzz::environment::run(data));
