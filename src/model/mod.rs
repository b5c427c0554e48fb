//! The words every stage shares. No behaviour beyond parsing, printing and comparing; no IO; nothing of ours below it.

mod address;
mod blob;
mod desired;
mod event;
mod facts;
mod id;
pub mod late;
mod observed;
mod operation;
mod state;
mod step;
mod trail;

pub use address::{Address, BadAddress};
pub use blob::{Blob, BlobError, BlobFault, Blobs, Guard, Lease};
pub use desired::Desired;
pub use event::{Cause, Event, Outcome, Tally, What};
pub use facts::{CloudNames, Facts, JUMPBOX_PASSWORD, OWNER_TAG};
pub use id::ResourceId;
pub use late::Late;
pub use observed::Observed;
pub use operation::{Flavour, Operation};
pub use state::{FORMAT, Generated, Home, IllegalEvent, Known, Open, State};
pub use step::{Change, Origin, Reason, Step, StepId, Verb};
pub use trail::{Moment, Trail};
