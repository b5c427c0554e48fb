//! One thing to do, why, and what changes by it. Words only: `plan` makes steps, `apply` carries them out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, BadAddress, ResourceId};

/// What a step does to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// PUT of a resource that is not there.
    Create,
    /// PUT over a resource that is there.
    Update,
    /// Takes an existing resource into the state without writing to it.
    Adopt,
    /// DELETE.
    Delete,
    /// Drops a resource that is already gone from the state.
    Forget,
}

impl Verb {
    /// The sign printed in plans.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Adopt => "=",
            Self::Delete => "-",
            Self::Forget => "x",
        }
    }

    /// The word of step ids and events.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Adopt => "adopt",
            Self::Delete => "delete",
            Self::Forget => "forget",
        }
    }

    /// The word for a step that is over: "created", "updated", ….
    #[must_use]
    pub const fn past(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Adopt => "adopted",
            Self::Delete => "deleted",
            Self::Forget => "forgotten",
        }
    }

    /// The word for a step that runs: "creating", ….
    #[must_use]
    pub const fn running(self) -> &'static str {
        match self {
            Self::Create => "creating",
            Self::Update => "updating",
            Self::Adopt => "adopting",
            Self::Delete => "deleting",
            Self::Forget => "forgetting",
        }
    }
}

/// `address/verb`: two steps of one resource (a replacement) are two nodes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepId {
    /// The resource.
    pub address: Address,
    /// What is done to it.
    pub verb: Verb,
}

impl StepId {
    /// Joins the two.
    #[must_use]
    pub const fn new(address: Address, verb: Verb) -> Self {
        Self { address, verb }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.verb.word())
    }
}

impl fmt::Debug for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for StepId {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (address, word) = text.rsplit_once('/').ok_or_else(bad)?;
        let verb = [Verb::Create, Verb::Update, Verb::Adopt, Verb::Delete, Verb::Forget]
            .into_iter()
            .find(|v| v.word() == word)
            .ok_or_else(bad)?;
        Ok(Self::new(address.parse()?, verb))
    }
}

impl TryFrom<String> for StepId {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<StepId> for String {
    fn from(id: StepId) -> Self {
        id.to_string()
    }
}

/// Why a step is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Reason {
    /// In the parameters, not yet in Azure.
    New,
    /// The parameters changed what we say of it.
    Edited,
    /// Somebody else changed a property that we own.
    Drifted,
    /// In the state, gone from Azure.
    Vanished,
    /// No longer in the parameters.
    Dropped,
    /// The environment is being destroyed.
    Destroyed,
    /// In Azure and ours (tag or open journal entry), not in the state.
    Found,
    /// A property changed that Azure cannot change in place.
    Forced {
        /// JSON pointer of the property.
        at: String,
    },
    /// The name, and so the id, changed.
    Renamed {
        /// The id until now.
        from: ResourceId,
    },
    /// Something it is built on is being replaced.
    Rebuilt {
        /// The resource whose replacement forces this one.
        because: Address,
    },
    /// A soft-deleted twin holds the name and is brought back.
    Recovered,
}

/// Who moved a property away from what we said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The parameters.
    Edit,
    /// Somebody else.
    Drift,
}

/// One property that a step changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Readable path; keyed list items by their key: `properties/ruleCollections[arc]/rules[github]/targetFqdns`.
    pub at: String,
    /// What is there now; `None`: nothing.
    pub from: Option<Value>,
    /// What will be there; `None`: removed.
    pub to: Option<Value>,
    /// Who moved it.
    pub origin: Origin,
}

/// One step of a plan, complete: the executor decides nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Resource and verb.
    pub id: StepId,
    /// Where the resource lives.
    pub resource: ResourceId,
    /// The body to send (create, update) or to record (adopt), with placeholders; `None` for delete and forget.
    pub body: Option<Value>,
    /// What the state remembers as said by us; differs from `body` where strangers' list items are carried along.
    pub says: Option<Value>,
    /// Steps that must end before this one starts.
    pub needs: Vec<StepId>,
    /// Why it is there.
    pub reason: Reason,
    /// The properties it changes; empty for plain creates and deletes.
    pub changes: Vec<Change>,
}
