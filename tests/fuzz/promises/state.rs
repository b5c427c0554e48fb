//! Any bytes as a snapshot: refused, or read the same again after writing; and no state that is read, however odd, breaks
//! what a destroy makes of it.

use privaml::model::{Observed, State};
use privaml::plan::{self, Consent};
use privaml::store::file;
use serde_json::Value;

use super::is_steady;

/// The target.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    // No mutation finds the right digest: it is put in, so that what lies behind it is reached too.
    let Ok(mut document) = serde_json::from_slice::<Value>(data) else {
        assert!(file::parse(data).is_err());
        return;
    };
    if !is_steady(&document) {
        return;
    }
    if let Ok(state) = file::parse(data) {
        known(&state);
    }
    file::sign(&mut document);
    let text = document.to_string();
    let Ok(state) = file::parse(text.as_bytes()) else { return };
    known(&state);
    spoiled(&document, &text, data.len());
}

fn known(state: &State) {
    let text = file::print(state).expect("a state is JSON");
    let again = file::parse(&text).expect("what is written is read");
    assert_eq!(&again, state, "a state changes on the way through its file");
    assert_eq!(file::print(&again).expect("a state is JSON"), text, "the second writing differs from the first");
    let _ = plan::plan(&[], state, &Observed::default(), &Consent::default());
    let _ = plan::destroy(state, &Observed::default());
}

/// One byte of a whole snapshot changed: refused, or the same content.
fn spoiled(document: &Value, text: &str, seed: usize) {
    let mut bytes = text.as_bytes().to_vec();
    let at = seed.wrapping_mul(0x9e37_79b9) % bytes.len();
    bytes[at] ^= 1 << (seed % 8);
    if let Ok(state) = file::parse(&bytes) {
        let whole: State = serde_json::from_value(document.clone()).expect("it was read before");
        assert_eq!(state, whole, "a flipped bit passed as other content");
    }
}
