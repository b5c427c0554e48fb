//! Which resources a private Azure ML environment has. Pure: parameters and facts in, desired resources out.
//! Says nothing of order: that follows from the bodies, and from `after` where no body shows it.

use crate::config::Config;
use crate::model::{Desired, Facts};

mod access;
mod data;
mod diagnostics;
mod egress;
mod jumpbox;
mod monitor;
pub mod names;
mod network;
pub mod outputs;
mod private;
pub mod scanner;
pub mod scene;
mod services;
pub mod tables;
#[cfg(test)]
mod tests;

pub use outputs::{Output, outputs};
pub use scene::Scene;

/// Every resource of the environment, the same for the same parameters and facts.
#[must_use]
pub fn draw(config: &Config, facts: &Facts) -> Vec<Desired> {
    let scene = Scene::new(config, facts);
    let parts = [
        services::group(&scene),
        network::draw(&scene),
        egress::draw(&scene),
        monitor::draw(&scene),
        services::draw(&scene),
        private::draw(&scene),
        jumpbox::draw(&scene),
        access::draw(&scene),
        diagnostics::draw(&scene),
    ];
    parts.into_iter().flatten().collect()
}
