//! What every command starts from: options, screen, parameters. Opens no connection.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{Colour, Common};
use crate::config::{self, Config, Problems};
use crate::failure::{ExitCode, Failure};
use crate::model::State;
use crate::report::screen::{Look, Screen};
use crate::store::{Holder, Store};

use super::errors::of_store;
use super::interrupt::Interrupts;
use super::remote;

/// The parameter file where none is named.
const DEFAULT: &str = "params.toml";

/// Options and screen of one command.
pub(super) struct Session {
    /// The options.
    pub(super) options: Common,
    /// Where things are shown.
    pub(super) screen: Screen,
    /// Ctrl-C and the like.
    pub(super) interrupts: Interrupts,
    /// Whether stdout is a stream of events with --json; else it belongs to one document.
    streams: bool,
    /// The parameters, once read.
    read: OnceCell<Config>,
}

impl Session {
    pub(super) fn new(options: Common, streams: bool) -> Self {
        let color = match options.color {
            Colour::Auto => None,
            Colour::Always => Some(true),
            Colour::Never => Some(false),
        };
        let screen = Screen::new(&Look { color, json: options.json, verbose: options.verbose });
        Self { options, screen, interrupts: Interrupts::default(), streams, read: OnceCell::new() }
    }

    /// The parameters: the named file, else `params.toml`, else the defaults. Warnings are shown.
    pub(super) fn parameters(&self) -> Result<Config, Failure> {
        if let Some(config) = self.read.get() {
            return Ok(config.clone());
        }
        let config = self.read_parameters()?;
        Ok(self.read.get_or_init(|| config).clone())
    }

    /// Whether there is a parameter file.
    pub(super) fn has_parameters(&self) -> bool {
        self.options.config.is_some() || Path::new(DEFAULT).exists()
    }

    fn read_parameters(&self) -> Result<Config, Failure> {
        let default = Path::new(DEFAULT);
        let path = match &self.options.config {
            Some(path) => path.clone(),
            None if default.exists() => default.to_owned(),
            None => return Ok(config::defaults()),
        };
        let name = path.display().to_string();
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::new(ExitCode::Usage, format!("cannot read the parameter file {name}"))
                .because(error.to_string())
                .remedy("`privaml init` writes a commented one")
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            Failure::new(ExitCode::Usage, format!("the parameter file {name} is not UTF-8 text"))
                .because(error.to_string())
                .remedy("save it as UTF-8")
        })?;
        match config::parse(&name, &text) {
            Ok(parsed) => {
                self.complain(&parsed.warnings, !self.streams);
                Ok(parsed.config)
            }
            Err(problems) => {
                self.complain(&problems, false);
                Err(Failure::new(ExitCode::Usage, problems.to_string())
                    .remedy("nothing was touched; mend the file and run again"))
            }
        }
    }

    /// `aside`: a document follows on stdout.
    fn complain(&self, problems: &Problems, aside: bool) {
        if problems.is_empty() {
            return;
        }
        if self.screen.is_json() {
            self.screen.problems(&problems.as_json(), aside);
        } else {
            self.screen.status(&problems.render(self.screen.width(), self.screen.colours()));
        }
    }

    /// The state, locked for this command.
    pub(super) fn store(&self, command: &str) -> Result<Store, Failure> {
        let holder = Holder { command: command.to_owned() };
        let (path, patience) = (&self.options.state, self.patience());
        let opened = match remote::of(self)? {
            None => Store::open(path, &holder, patience),
            Some(remote) => Store::open_shared(path, &holder, patience, remote),
        };
        let store = opened.map_err(|error| of_store(&error))?;
        if store.is_torn() {
            let what = "its journal ends within a line, as a crash or a full disk leaves it";
            self.screen.notify(&format!("State {}: {what}. What that line said is asked of Azure.", path.display()));
        }
        Ok(store)
    }

    /// The state as it is, without its lock; `None` if there is none.
    pub(super) fn state(&self) -> Result<Option<State>, Failure> {
        let read = match remote::of(self)? {
            None => Store::read(&self.options.state),
            Some(remote) => Store::read_shared(remote),
        };
        read.map_err(|error| of_store(&error))
    }

    /// How long to wait for a lock.
    pub(super) const fn patience(&self) -> Duration {
        Duration::from_secs(self.options.lock_timeout)
    }

    /// Where the sandbox of this state keeps its world.
    pub(super) fn world(&self) -> PathBuf {
        let folder = self.options.state.parent().unwrap_or_else(|| Path::new(""));
        folder.join(".privaml").join("sandbox.json")
    }
}
