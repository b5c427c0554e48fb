//! Shows plans and events. Knows nothing else, and is the only one to print.

pub mod entry;
pub mod escape;
pub mod explain;
pub mod json;
pub mod junit;
pub mod logs;
pub mod outputs;
pub mod page;
pub mod picture;
pub mod plan_text;
pub mod progress;
pub mod sarif;
pub mod screen;
pub mod summary;
pub mod template;
pub mod verdict;
pub mod view;
pub mod words;
