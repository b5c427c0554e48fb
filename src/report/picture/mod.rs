//! The topology as a picture: SVG with a layout of our own, DOT, Mermaid. Pure text; self-contained.

mod layout;
mod svg;
#[cfg(test)]
mod tests;
mod texts;
mod ways;
mod words;

pub use svg::svg;
pub use words::{dot, mermaid};
