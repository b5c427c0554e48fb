//! Where things are shown: answers on stdout, progress on stderr. The only file that prints.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::ColorChoice;
use owo_colors::OwoColorize as _;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::json;
use crate::failure::{ExitCode, Failure};

/// Width without a terminal.
const WIDTH: usize = 100;

/// How to show things.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Forced on or off; `None`: as the terminal and `NO_COLOR`, `CLICOLOR_FORCE`, `CI` say.
    pub color: Option<bool>,
    /// JSON instead of text.
    pub json: bool,
    /// How much more to say.
    pub verbose: u8,
}

/// The screen.
#[derive(Clone, Debug)]
pub struct Screen {
    look: Look,
    is_terminal: bool,
    /// Why an answer did not get out.
    lost: Arc<Mutex<Option<String>>>,
}

impl Screen {
    /// Decides about colour for the whole process.
    #[must_use]
    pub fn new(look: &Look) -> Self {
        match look.color {
            Some(true) => ColorChoice::Always.write_global(),
            Some(false) => ColorChoice::Never.write_global(),
            None => {}
        }
        let is_terminal = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self { look: *look, is_terminal, lost: Arc::default() }
    }

    /// Whether JSON is wanted.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.look.json
    }

    /// Whether a person watches stderr.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Columns of the terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.is_terminal { usize::from(console_width()) } else { WIDTH }
    }

    /// Whether stderr gets colours.
    #[must_use]
    pub fn colours(&self) -> bool {
        anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
    }

    /// The answer, on stdout. A closed pipe is nobody's error; any other failure is told by [`Screen::is_whole`].
    pub fn answer(&self, text: &str) {
        let mut stdout = anstream::stdout();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
    }

    /// Whether every answer got out.
    ///
    /// # Errors
    /// When one did not: a full disk behind `> file`, for instance.
    pub fn is_whole(&self) -> Result<(), Failure> {
        match self.lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(why) => Err(Failure::new(ExitCode::Failed, "the answer could not be written to stdout")
                .because(why)
                .remedy("what was done is in the state; `privaml output` prints the outputs again")),
        }
    }

    /// Progress and hints, on stderr.
    pub fn status(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// A hint that is left out of JSON output.
    pub fn notify(&self, text: &str) {
        if !self.is_json() {
            self.status(text);
        }
    }

    /// The end of a run.
    pub fn summary(&self, text: &str) {
        self.notify(text.trim_end());
    }

    /// One JSON line with the time of day.
    pub fn event(&self, line: Value) {
        self.answer(&stamped(line));
    }

    /// Problems of a parameter file, as JSON; `aside` on stderr, where stdout belongs to a document.
    pub fn problems(&self, problems: &Value, aside: bool) {
        for problem in problems.as_array().into_iter().flatten() {
            let message = problem["message"].as_str().unwrap_or_default();
            let line = serde_json::json!({"@level": problem["level"], "@message": message, "@module": "privaml",
                "type": "diagnostic", "diagnostic": problem});
            if aside { self.status(&stamped(line)) } else { self.event(line) }
        }
    }

    /// An error.
    pub fn failure(&self, failure: &Failure) {
        if self.is_json() {
            self.event(json::of_failure(failure));
        } else {
            let text = failure.render();
            let text = text.strip_prefix("error").unwrap_or(&text);
            self.status(&format!("{}{text}", "error".red().bold()));
        }
    }

    /// Asks on the terminal; `None` without one.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let mut stderr = anstream::stderr();
        let _ = write!(stderr, "{question}");
        let _ = stderr.flush();
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(answer)
    }
}

fn stamped(mut line: Value) -> String {
    line["@timestamp"] = Value::from(OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default());
    line.to_string()
}

fn console_width() -> u16 {
    indicatif::TermLike::width(&console::Term::stderr())
}
