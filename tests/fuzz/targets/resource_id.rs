//! See `promises/resource_id.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| privaml_fuzz::resource_id::run(data));
