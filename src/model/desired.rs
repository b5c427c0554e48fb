//! What should be: one resource of the environment, named, placed and spelled out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::late::visit_strings;
use super::{Address, Late, ResourceId};

/// One resource as it should be. The body is what we say, never what Azure adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// Our name for it; its kind tells type and api-version.
    pub address: Address,
    /// Where it lives.
    pub id: ResourceId,
    /// The PUT body, with placeholders (`late`) where needed.
    pub body: Value,
    /// Needs that the body does not show.
    pub after: Vec<Address>,
}

impl Desired {
    /// Whether a user who writes `name` means this one: its address, or its id.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        name == self.address.as_str() || ResourceId::new(name) == self.id
    }

    /// Every ARM id the body mentions.
    #[must_use]
    pub fn mentions(&self) -> Vec<ResourceId> {
        let mut ids = Vec::new();
        visit_strings(&self.body, &mut |text| {
            let is_id = text.get(..15).is_some_and(|head| head.eq_ignore_ascii_case("/subscriptions/"));
            if is_id && text.len() > 15 {
                ids.push(ResourceId::new(text));
            }
        });
        ids
    }

    /// Every value of the body that Azure will choose.
    #[must_use]
    pub fn lates(&self) -> Vec<Late> {
        let mut lates = Vec::new();
        visit_strings(&self.body, &mut |text| lates.extend(Late::parse(text)));
        lates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_among_any_text() {
        let body = serde_json::json!({"tag": "Umgebung für ÖÖ", "on": "/SUBSCRIPTIONS/s/resourceGroups/g"});
        let address = Address::new("k", "n");
        let desired = Desired { address, id: ResourceId::group("s", "x"), body, after: vec![] };
        assert_eq!(desired.mentions(), [ResourceId::group("s", "g")]);
    }
}
