//! Shows plans and events. Knows nothing else, and is the only one to print.

pub mod explain;
pub mod json;
pub mod junit;
pub mod logs;
pub mod outputs;
pub mod plan_text;
pub mod progress;
pub mod sarif;
pub mod screen;
pub mod summary;
pub mod verdict;
pub mod view;
pub mod words;
