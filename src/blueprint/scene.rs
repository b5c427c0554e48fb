//! What every part of the blueprint looks at: parameters, facts, names and the tags of ours. Draws nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::names::Names;
use crate::config::Config;
use crate::model::{Address, Desired, Facts, OWNER_TAG, ResourceId};

/// One environment to be drawn.
pub struct Scene<'a> {
    /// The parameters.
    pub config: &'a Config,
    /// The facts.
    pub facts: &'a Facts,
    /// Names and ids.
    pub names: Names,
}

impl<'a> Scene<'a> {
    /// Gathers the three.
    #[must_use]
    pub fn new(config: &'a Config, facts: &'a Facts) -> Self {
        Self { config, facts, names: Names::new(config, facts) }
    }

    /// The user's tags and ours; ours win, because adoption and recovery depend on them.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::from([
            ("project".to_owned(), "Private Azure ML".to_owned()),
            ("name".to_owned(), self.names.n.clone()),
            ("source".to_owned(), "privaml".to_owned()),
        ]);
        tags.extend(self.config.tags.clone());
        tags.insert(OWNER_TAG.to_owned(), self.facts.lineage.to_string());
        tags
    }

    /// A resource without tags.
    #[must_use]
    pub fn plain(&self, kind: &str, name: &str, id: ResourceId, body: Value) -> Desired {
        Desired { address: Address::new(kind, name), id, body, after: Vec::new() }
    }

    /// A resource that carries the tags.
    #[must_use]
    pub fn tagged(&self, kind: &str, name: &str, id: ResourceId, mut body: Value) -> Desired {
        body["tags"] = self.tags().into_iter().collect();
        self.plain(kind, name, id, body)
    }

    /// The region.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.config.location
    }
}
