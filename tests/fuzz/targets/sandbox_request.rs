//! See `promises/sandbox_request.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| privaml_fuzz::sandbox_request::run(data));
