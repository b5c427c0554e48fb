//! Any text as a parameter file: judged with a place for every complaint; what is accepted is the same after a way through
//! the state.

use privaml::config::{self, Config};
use privaml::model::State;
use privaml::store::file;
use uuid::Uuid;

/// The target.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match config::parse("params.toml", text) {
        Ok(parsed) => {
            let _ = parsed.warnings.render(80, false);
            accepted(&parsed.config);
        }
        Err(problems) => {
            assert!(problems.has_errors(), "refused without saying why");
            assert!(problems.iter().all(|problem| problem.line > 0 && problem.column > 0));
            let _ = (problems.render(80, true), problems.render(1, false));
            assert_eq!(problems.as_json().as_array().map(Vec::len), Some(problems.len()));
        }
    }
}

fn accepted(config: &Config) {
    let mut state = State::empty(Uuid::from_u128(12));
    state.parameters = serde_json::to_value(config).expect("parameters are JSON");
    let kept = file::parse(&file::print(&state).expect("a state is JSON")).expect("what is written is read");
    let read: Config = serde_json::from_value(kept.parameters).expect("kept parameters are read");
    assert_eq!(&read, config, "parameters change on the way through the state");
}
