//! What the model does not know, said instead of guessed.

use serde::Serialize;

use crate::model::ResourceId;

/// One thing that is not evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// Where it stands.
    pub resource: ResourceId,
    /// The property or child.
    pub property: String,
    /// What is not evaluated.
    pub what: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not evaluated: {} ({}, {})", self.what, self.property, self.resource)
    }
}

/// Gathers notes while bodies are read.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    /// Adds one.
    pub(super) fn add(&mut self, resource: &ResourceId, property: &str, what: &str) {
        self.0.push(Note { resource: resource.clone(), property: property.to_owned(), what: what.to_owned() });
    }

    /// All of them, sorted, each once.
    pub(super) fn finish(mut self) -> Vec<Note> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}
