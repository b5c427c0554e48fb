//! The door to Azure: requests, sign-in, retries, polling. Knows ids, versions, bodies and replies, no kinds.

pub mod account;
pub mod blob;
mod calls;
mod catalogue;
mod client;
mod clock;
mod cloud;
pub mod credential;
mod error;
mod exchange;
mod limiter;
mod observe;
pub mod operation;
pub mod pace;
pub mod reply;
mod request;
pub mod retry;
mod survey;
mod tempo;
mod trace;
mod transport;

pub use calls::Calls;
pub use catalogue::{Known, find as known_error};
pub use client::{Chance, Client, Note, Notes, Parts, Sent};
pub use clock::Clock;
pub use cloud::{Cloud, CloudError};
pub use credential::{Credentials, Identity, SignIn};
pub use error::{ArmError, Class, Detail, Trail};
pub use observe::{DOUBT, observe};
pub use survey::{Reading, Readings, Survey, survey};
pub use trace::Recorder;
pub use transport::network;
