//! What the fuzz targets do with their bytes. Shared by `cargo fuzz` and by the test that plays every seed and find; a
//! broken promise is a panic. Needs no fuzzer, and no crate that privaml does not use itself.

pub mod arm_error;
pub mod bodies;
pub mod environment;
pub mod http;
pub mod journal;
pub mod network;
pub mod parameters;
pub mod resource_id;
pub mod sandbox_request;
pub mod state;

/// What a target does with its bytes.
pub type Run = fn(&[u8]);

/// Every target by name.
pub const ALL: [(&str, Run); 9] = [
    ("arm_error", arm_error::run),
    ("bodies", bodies::run),
    ("environment", environment::run),
    ("journal", journal::run),
    ("network", network::run),
    ("parameters", parameters::run),
    ("resource_id", resource_id::run),
    ("sandbox_request", sandbox_request::run),
    ("state", state::run),
];

/// Whether a document is the same after a way through text. Without its feature `float_roundtrip`, `serde_json` reads some
/// numbers of 17 digits one bit off; no state and no request of privaml's own holds such a number.
#[must_use]
pub fn is_steady(document: &serde_json::Value) -> bool {
    serde_json::from_str::<serde_json::Value>(&document.to_string()).is_ok_and(|again| again == *document)
}
