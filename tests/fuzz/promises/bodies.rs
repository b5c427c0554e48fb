//! Any JSON as the resources of an environment: compiled, verified and asked for a few flows, to the end.

use privaml::isolation::{self, Asked, Flow, Model};
use serde_json::Value;

/// The target; an object with a list `value` is taken as one, as ARM returns it.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let Ok(mut document) = serde_json::from_slice::<Value>(data) else { return };
    let listed = document.get_mut("value").map(Value::take);
    let Value::Array(bodies) = listed.unwrap_or(document) else { return };
    let model = Model::of_bodies(&bodies);
    let report = isolation::verify(&model, &Asked::nothing("westeurope"));
    serde_json::to_string(&report).expect("a report is JSON");
    let flows = [
        ("shared", "https://example.com"),
        ("a", "storage"),
        ("internet", "10.0.1.4:22"),
        ("10.0.1.4", "tag:Storage:443"),
        ("bastion", "jumpbox:3389"),
    ];
    for (from, to) in flows {
        let flow = Flow::new(from, to, None, None).expect("a flow of ours");
        let answer = model.flow(&flow);
        assert!(!answer.reason.is_empty(), "{flow}: no reason");
    }
}
