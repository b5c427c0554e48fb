//! privaml: a private Azure Machine Learning environment from one parameter file.
//!
//! ```text
//! params.toml ─► Config ─► Vec<Desired> ─► Plan ─► Schedule ─► ARM ─► Event ─► State
//!                               State + Observed ─┘                     └────► Report
//! ```
//!
//! Reading order: [`model`] (the words), [`kind`] (one ARM type a file), [`config`], [`blueprint`], [`plan`],
//! [`apply`], [`arm`], [`store`], [`isolation`] (the verifier), [`report`], [`sandbox`], [`command`] (one verb a file).
//!
//! Invariants, checked by `tests/architecture.rs`:
//!
//! 1. *Planning performs no IO*: no tokio, fs, env, clock or randomness under `model kind config blueprint plan isolation`,
//!    nor in the scheduler, the poll state machine and the sandbox's core.
//! 2. *Only `report` prints; only `main` exits; only `arm` speaks to Azure; only `store` writes files* (the sandbox
//!    keeps its own world).
//! 3. *The executor never decides*: no diffing, no parameters, no "if it exists".
//! 4. *One owner*: a single loop owns the schedule, the journal and the numbering of events.
//! 5. *SDK models stop at `kind`*: from there on a body is JSON.
//! 6. *`sandbox` does not import `arm` or `plan`*: it must not share the client's reading of ARM.

pub mod apply;
pub mod arm;
pub mod blueprint;
pub mod cli;
pub mod command;
pub mod config;
pub mod failure;
pub mod isolation;
pub mod kind;
pub mod model;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod store;
