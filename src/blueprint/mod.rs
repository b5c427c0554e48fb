//! Which resources a private Azure ML environment has. Pure: parameters and facts in, desired resources out.

pub mod names;
pub mod scene;

pub use scene::Scene;
