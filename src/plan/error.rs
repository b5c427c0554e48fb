//! Why there is no plan: every problem at once, each with its remedy. Prints nothing.

use std::fmt;

use crate::model::{Address, Reason, ResourceId, StepId};

/// The problems that keep a plan from being made; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// All of them, in the order of the resources.
    pub problems: Vec<Problem>,
}

impl std::error::Error for PlanError {}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let gap = if i == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

/// One problem: what, where, why; [`Problem::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something lives where we want to create, and nothing says that it is ours.
    #[error("{address}: {id} exists already and does not carry the tag of this environment")]
    InTheWay {
        /// Our name for it.
        address: Address,
        /// Where it lives.
        id: ResourceId,
    },
    /// A resource would be deleted and created again, and something would be lost by that.
    #[error("{address}: would be deleted and created again because {}, and what it holds would be lost", because(.reason))]
    ReplaceNeedsConsent {
        /// The resource.
        address: Address,
        /// What forces it.
        reason: Reason,
    },
    /// Resources that wait for each other.
    #[error("these resources need each other in a circle: {}", circle(.addresses))]
    Cycle {
        /// The circle; the last needs the first.
        addresses: Vec<Address>,
    },
    /// A resource of a kind that this version does not know.
    #[error("{address}: this version does not know the kind `{}`", .address.kind())]
    UnknownKind {
        /// The resource.
        address: Address,
    },
    /// A value is to come from a resource that is not there, or that never tells it.
    #[error("{address}: the value {at} of {of} will never be known")]
    MissingLate {
        /// Who waits for the value.
        address: Address,
        /// Who should know it.
        of: Address,
        /// Pointer to the value.
        at: String,
    },
    /// A need that is not part of the environment.
    #[error("{address}: needs {need}, which is not part of the environment")]
    MissingNeed {
        /// Who needs it.
        address: Address,
        /// What is missing.
        need: Address,
    },
    /// Two resources of one address, or two addresses of one id.
    #[error("{address}: {id} is described twice")]
    Twice {
        /// The second one.
        address: Address,
        /// The id.
        id: ResourceId,
    },
    /// The finished plan breaks a rule of `plan::check`: a mistake of this program.
    #[error("{step}: {rule}")]
    Unsound {
        /// The step.
        step: StepId,
        /// The broken rule.
        rule: String,
    },
}

impl Problem {
    /// What the user can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::InTheWay { address, .. } => format!(
                "if it belongs to this environment, take it over with `--adopt {address}`; otherwise remove it or \
                 choose another name"
            ),
            Self::ReplaceNeedsConsent { address, .. } => {
                format!("undo the change, or accept the loss with `--allow-replace {address}`")
            }
            Self::UnknownKind { .. } => "use the version of privaml that wrote the state, or a newer one".to_owned(),
            Self::Cycle { .. }
            | Self::MissingLate { .. }
            | Self::MissingNeed { .. }
            | Self::Twice { .. }
            | Self::Unsound { .. } => "this is a mistake in privaml: please report it".to_owned(),
        }
    }
}

fn because(reason: &Reason) -> String {
    match reason {
        Reason::Forced { at } => format!("Azure cannot change {at} in place"),
        Reason::Renamed { from } => format!("its name changes (it is {from} now)"),
        Reason::Rebuilt { because } => format!("{because}, on which it is built, is replaced"),
        _ => "its place is taken".to_owned(),
    }
}

fn circle(addresses: &[Address]) -> String {
    let names: Vec<&str> = addresses.iter().chain(addresses.first()).map(Address::as_str).collect();
    names.join(" → ")
}
