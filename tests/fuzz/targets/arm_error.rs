//! See `promises/arm_error.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| privaml_fuzz::arm_error::run(data));
