//! The program's own log, on stderr: off unless `PRIVAML_LOG` or `-vv` asks for it. Never holds a body or a token.

use tracing_subscriber::EnvFilter;

/// Turns the log on for the whole process. `PRIVAML_LOG` takes the filters of `tracing` (`debug`, `privaml::arm=trace`);
/// `is_json` writes one object a line.
pub fn start(verbose: u8, is_json: bool) {
    let wanted = std::env::var("PRIVAML_LOG").ok().filter(|text| !text.is_empty());
    let wanted = wanted.or_else(|| (verbose >= 2).then(|| "privaml=debug".to_owned()));
    let Some(filter) = wanted.and_then(|text| EnvFilter::try_new(text).ok()) else { return };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first.
    let _ = if is_json { log.json().try_init() } else { log.try_init() };
}
