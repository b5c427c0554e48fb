//! What every part of the blueprint looks at: parameters, facts, names and the tags of ours. Draws nothing.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::names::Names;
use crate::config::{Config, Jumpbox, Profile, regions};
use crate::kind::body::{Place, Tags};
use crate::model::{Address, Desired, Facts, OWNER_TAG, ResourceId};

/// One environment to be drawn.
pub struct Scene<'a> {
    /// The parameters.
    pub config: &'a Config,
    /// The facts.
    pub facts: &'a Facts,
    /// Names and ids.
    pub names: Names,
    tags: Tags,
}

impl<'a> Scene<'a> {
    /// Gathers the three.
    #[must_use]
    pub fn new(config: &'a Config, facts: &'a Facts) -> Self {
        let names = Names::new(config, facts);
        let tags = tags(config, facts, &names);
        Self { config, facts, names, tags }
    }

    /// Region and tags, for bodies.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        Place { location: &self.config.location, tags: &self.tags }
    }

    /// Whether entries that leak are left out.
    #[must_use]
    pub fn is_hardened(&self) -> bool {
        self.config.profile == Profile::Hardened
    }

    /// The region as service tags spell it: `WestEurope`. Tags are compared without case, so an unknown region goes
    /// as it is.
    #[must_use]
    pub fn tag_region(&self) -> String {
        let location = &self.config.location;
        regions::find(location).map_or_else(|| location.clone(), |region| region.display.replace(' ', ""))
    }

    /// Fills the placeholders of a data file in: `{shared}`, `{bastion}`, `{Region}`.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        text.replace("{shared}", &self.config.network.shared.to_string())
            .replace("{bastion}", &self.config.network.bastion.to_string())
            .replace("{Region}", &self.tag_region())
    }

    /// The shared subnet's range, as a list of sources.
    #[must_use]
    pub fn shared(&self) -> Vec<String> {
        vec![self.config.network.shared.to_string()]
    }

    /// Whether this is Azure's public cloud.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.facts.cloud.name == "AzureCloud"
    }

    /// The administrator's name: the user's choice, or the drawn one.
    #[must_use]
    pub fn jumpbox_user<'b>(&'b self, jumpbox: &'b Jumpbox) -> &'b str {
        jumpbox.user.as_deref().unwrap_or(&self.facts.jumpbox_user)
    }

    /// Where the firewall is, or will be: Azure keeps the first four addresses of a subnet and gives the firewall the
    /// next one (`azure-facts` 2.7, 2.10). An address known from another range is another environment's.
    #[must_use]
    pub fn firewall_address(&self) -> Ipv4Addr {
        let range = self.config.network.firewall;
        let known = self.facts.firewall_address.filter(|address| range.contains(address));
        known.unwrap_or_else(|| Ipv4Addr::from_bits(range.network().to_bits().saturating_add(4)))
    }
}

/// The user's tags and ours. The ownership tag wins, because adoption and recovery depend on it.
fn tags(config: &Config, facts: &Facts, names: &Names) -> Tags {
    let mut tags = Tags::from([
        ("project".to_owned(), "Private Azure ML".to_owned()),
        ("name".to_owned(), names.n.clone()),
        ("source".to_owned(), "privaml".to_owned()),
    ]);
    for (name, value) in &config.tags {
        // Azure takes the names of tags for the same in any case.
        tags.retain(|ours, _| !ours.eq_ignore_ascii_case(name));
        tags.insert(name.clone(), value.clone());
    }
    tags.retain(|name, _| !name.eq_ignore_ascii_case(OWNER_TAG));
    tags.insert(OWNER_TAG.to_owned(), facts.lineage.to_string());
    tags
}

/// One resource that needs nothing beyond what its body shows.
pub(super) fn desired(kind: &str, name: &str, id: ResourceId, body: Value) -> Desired {
    Desired { address: Address::new(kind, name), id, body, after: Vec::new() }
}

/// One resource with needs that its body does not show.
pub(super) fn desired_after(kind: &str, name: &str, id: ResourceId, body: Value, after: Vec<Address>) -> Desired {
    Desired { after, ..desired(kind, name, id, body) }
}
