//! Turns the layers' errors into what a user reads: what, why, remedy, exit code. The only place that maps them.

use std::io::ErrorKind;

use crate::apply::ApplyError;
use crate::arm::{ArmError, Class, CloudError};
use crate::failure::{ExitCode, Failure};
use crate::model::{BlobError, BlobFault, Cause};
use crate::plan::PlanError;
use crate::store::{SealError, StoreError};

/// How to be somebody.
pub(super) const SIGN_IN: &str = "`az login`, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET; `privaml whoami` tells which is taken";

/// The state on disk.
pub(super) fn of_store(error: &StoreError) -> Failure {
    let exit = match error {
        StoreError::Locked { .. }
        | StoreError::Lost { .. }
        | StoreError::Mismatch { .. }
        | StoreError::Newer { .. }
        | StoreError::Damaged { .. }
        | StoreError::Illegal(_) => ExitCode::State,
        StoreError::Remote { source, .. } => return of_blob(error, source),
        StoreError::Io { source, .. } => return of_disk(error, source.kind()),
    };
    Failure::new(exit, error.to_string())
}

/// The disk under the state.
fn of_disk(error: &StoreError, kind: ErrorKind) -> Failure {
    let remedy = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room, then run the same command again: nothing was sent without a line on disk"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "the folder must be writable; --state FILE puts the state elsewhere"
        }
        _ => "mend that, then run the same command again: nothing was sent without a line on disk",
    };
    Failure::new(ExitCode::Failed, error.to_string()).remedy(remedy)
}

/// The storage service behind a remote state.
fn of_blob(error: &StoreError, source: &BlobError) -> Failure {
    let (exit, remedy) = match source.fault {
        BlobFault::SignIn => (ExitCode::SignIn, "see `privaml whoami`"),
        BlobFault::Denied => (
            ExitCode::SignIn,
            "whoever runs privaml needs the role Storage Blob Data Contributor on the container, and the account must \
             let this network in",
        ),
        BlobFault::Unreachable => (ExitCode::Failed, "run the same command again; what happened is on disk here"),
        BlobFault::Absent | BlobFault::Condition | BlobFault::Leased | BlobFault::LeaseLost => {
            (ExitCode::State, "run the same command again; it tells which copy counts")
        }
        BlobFault::Refused => (ExitCode::Azure, "mend what Azure names, then run the same command again"),
    };
    Failure::new(exit, error.to_string()).remedy(remedy)
}

/// Sealed secrets.
pub(super) fn of_seal(error: &SealError) -> Failure {
    Failure::new(ExitCode::State, error.to_string())
}

/// A reply of Azure, or its absence.
pub(super) fn of_arm(what: &str, error: ArmError) -> Failure {
    let sign_in = matches!(error.class, Class::SignIn | Class::Denied);
    let cause: Cause = error.into();
    let mut failure = Failure::from(cause);
    if sign_in {
        failure.exit = ExitCode::SignIn;
    }
    let why = std::mem::replace(&mut failure.message, what.to_owned());
    if failure.exit == ExitCode::SignIn && failure.remedy.is_none() {
        failure = failure.remedy(SIGN_IN);
    }
    // Several ways of signing in were tried: a line for each.
    failure.causes.splice(0..0, why.split("; ").map(str::to_owned));
    failure
}

/// A cloud that is not one.
pub(super) fn of_cloud(error: &CloudError) -> Failure {
    Failure::new(ExitCode::Usage, error.to_string())
}

/// A plan that may not be.
pub(super) fn of_plan(error: &PlanError) -> Failure {
    let mut failure = Failure::new(ExitCode::Usage, "the plan stops before anything is touched");
    for problem in &error.problems {
        failure = failure.because(format!("{problem} — {}", problem.remedy()));
    }
    failure
}

/// A run that could not go on.
pub(super) fn of_apply(error: ApplyError) -> Failure {
    match error {
        ApplyError::Store(error) => of_store(&error),
        ApplyError::Left => Failure::new(ExitCode::Interrupted, error.to_string()),
        ApplyError::Unresolved { ref cause, .. } => {
            let mut failure = Failure::from((**cause).clone());
            let why = std::mem::replace(&mut failure.message, error.to_string());
            failure.causes.insert(0, why);
            failure.remedy.get_or_insert_with(|| "run the same command again; nothing was sent twice".to_owned());
            failure
        }
        other => Failure::new(ExitCode::Failed, other.to_string())
            .remedy("this is a defect of privaml; please report it with the plan (`privaml plan --json`)"),
    }
}
