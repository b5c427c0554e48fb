//! Where a resource lives in ARM. Ids are text that Azure compares without case; this type does the same.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// An ARM id, from `/subscriptions/` on. Equality, order and hash ignore case (ARM RPC: ids are case-insensitive).
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(String);

impl ResourceId {
    /// Takes any text; a trailing slash is dropped.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        while text.ends_with('/') {
            text.pop();
        }
        Self(text)
    }

    /// The id of a resource group.
    #[must_use]
    pub fn group(subscription: &str, name: &str) -> Self {
        Self(format!("/subscriptions/{subscription}/resourceGroups/{name}"))
    }

    /// `{self}/providers/{arm_type}/{name}`: a resource of a group, or an extension of a resource.
    #[must_use]
    pub fn provider(&self, arm_type: &str, name: &str) -> Self {
        Self(format!("{}/providers/{arm_type}/{name}", self.0))
    }

    /// `{self}/{segment}/{name}`: a child resource.
    #[must_use]
    pub fn child(&self, segment: &str, name: &str) -> Self {
        Self(format!("{}/{segment}/{name}", self.0))
    }

    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The subscription's id, if the text has one.
    #[must_use]
    pub fn subscription(&self) -> Option<&str> {
        self.segment_after("subscriptions")
    }

    /// The resource group's name, if the text has one.
    #[must_use]
    pub fn resource_group(&self) -> Option<&str> {
        self.segment_after("resourceGroups")
    }

    fn segment_after(&self, word: &str) -> Option<&str> {
        let mut segments = self.0.split('/');
        segments.find(|s| s.eq_ignore_ascii_case(word))?;
        segments.next().filter(|s| !s.is_empty())
    }

    /// The resource this one lives in or extends: a child's parent, an extension's target, a resource's group,
    /// a group's subscription; `None` above that.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let scope = match self.last_provider() {
            // `Namespace/type/name` is the whole tail: what is left of `/providers/` is the scope.
            Some(at) if self.0[at..].matches('/').count() == 4 => &self.0[..at],
            _ => self.0.rsplitn(3, '/').nth(2)?,
        };
        (!scope.is_empty()).then(|| Self(scope.to_owned()))
    }

    /// Where the last `/providers/` begins.
    fn last_provider(&self) -> Option<usize> {
        self.0.to_ascii_lowercase().rfind("/providers/")
    }

    /// The type after the last `/providers/`: `Microsoft.Network/privateEndpoints/privateDnsZoneGroups`;
    /// `Microsoft.Resources/resourceGroups` for a group, `Microsoft.Resources/subscriptions` for a subscription.
    #[must_use]
    pub fn arm_type(&self) -> String {
        if let Some(at) = self.last_provider() {
            let mut segments = self.0[at + "/providers/".len()..].split('/');
            let mut text = segments.next().unwrap_or_default().to_owned();
            for segment in segments.step_by(2) {
                text.push('/');
                text.push_str(segment);
            }
            return text;
        }
        if self.resource_group().is_some() {
            "Microsoft.Resources/resourceGroups".to_owned()
        } else {
            "Microsoft.Resources/subscriptions".to_owned()
        }
    }

    /// Whether `self` is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        mine.len() >= theirs.len()
            && mine[..theirs.len()].eq_ignore_ascii_case(theirs)
            && (mine.len() == theirs.len() || mine[theirs.len()] == b'/')
    }

    /// The lower-case text, for keys of maps that outlive this type.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |s: &str| s.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
        lower(&self.0).cmp(&lower(&other.0))
    }
}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VNET: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";

    #[test]
    fn parents_climb_to_the_subscription() {
        let setting = ResourceId::new(format!("{VNET}/subnets/a/providers/Microsoft.Insights/diagnosticSettings/d"));
        let climb: Vec<String> = std::iter::successors(Some(setting), ResourceId::parent).map(|i| i.0).collect();
        assert_eq!(
            climb,
            [
                format!("{VNET}/subnets/a/providers/Microsoft.Insights/diagnosticSettings/d"),
                format!("{VNET}/subnets/a"),
                VNET.to_owned(),
                "/subscriptions/s/resourceGroups/g".to_owned(),
                "/subscriptions/s".to_owned(),
            ]
        );
    }

    #[test]
    fn types_skip_the_names() {
        let cases = [
            (VNET.to_owned(), "Microsoft.Network/virtualNetworks"),
            (format!("{VNET}/subnets/a"), "Microsoft.Network/virtualNetworks/subnets"),
            (
                format!("{VNET}/providers/Microsoft.Insights/diagnosticSettings/d"),
                "Microsoft.Insights/diagnosticSettings",
            ),
            ("/subscriptions/s/resourceGroups/g".to_owned(), "Microsoft.Resources/resourceGroups"),
        ];
        for (text, arm_type) in cases {
            assert_eq!(ResourceId::new(text).arm_type(), arm_type);
        }
    }

    #[test]
    fn case_is_ignored_but_kept() {
        let (a, b) = (ResourceId::new(VNET), ResourceId::new(VNET.to_uppercase()));
        assert_eq!(a, b);
        assert_ne!(a.to_string(), b.to_string());
        assert!(ResourceId::new(format!("{VNET}/subnets/a")).is_within(&b));
        assert!(!ResourceId::new(format!("{VNET}2")).is_within(&a));
    }
}
