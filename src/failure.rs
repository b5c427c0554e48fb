//! What a user reads when something went wrong, and the exit code. The layers' own errors are turned into it by `command`.

use std::fmt::Write as _;

use crate::model::Cause;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed for a reason not named below.
    Failed = 1,
    /// Wrong usage or parameters; with `plan --detailed-exitcode`: there are changes.
    Usage = 2,
    /// Sign-in or authorisation.
    SignIn = 3,
    /// Refused or failed by Azure.
    Azure = 4,
    /// `verify` found a violation.
    Violation = 5,
    /// The state is locked, newer than this version, or damaged.
    State = 6,
    /// Interrupted by the user; the next run goes on.
    Interrupted = 130,
}

impl ExitCode {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// An error at the edge: what, why, remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: ExitCode,
    /// What happened.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// For Microsoft's support.
    pub correlation_id: Option<String>,
}

impl Failure {
    /// A failure that is only a message.
    #[must_use]
    pub fn new(exit: ExitCode, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), causes: Vec::new(), remedy: None, correlation_id: None }
    }

    /// Adds a reason.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds everything that `error` was caused by.
    #[must_use]
    pub fn because_of(mut self, error: &dyn std::error::Error) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            self.causes.push(cause.to_string());
            source = cause.source();
        }
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The text for people.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("error: {}", self.message);
        for cause in self.causes.iter().filter(|cause| !cause.is_empty()) {
            let _ = write!(text, "\n  why:    {cause}");
        }
        if let Some(remedy) = &self.remedy {
            let _ = write!(text, "\n  remedy: {remedy}");
        }
        if let Some(id) = &self.correlation_id {
            let _ = write!(text, "\n  correlation id: {id}");
        }
        text
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        let denied = matches!(cause.status, Some(401 | 403)) || cause.code.starts_with("AADSTS");
        let exit = if denied { ExitCode::SignIn } else { ExitCode::Azure };
        let message = if cause.code.is_empty() { cause.message } else { format!("{}: {}", cause.code, cause.message) };
        Self { exit, message, causes: cause.causes, remedy: cause.remedy, correlation_id: cause.correlation_id }
    }
}
