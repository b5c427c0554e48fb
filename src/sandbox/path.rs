//! Reads a request path: which resource, list or action it names. Knows no resource types.

use crate::model::ResourceId;

/// What a path below `/providers/` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Everything before the last `/providers/`; empty for tenant-level paths.
    pub(super) scope: String,
    /// `Microsoft.Network`
    pub(super) namespace: String,
    /// The segments behind the namespace: type, name, type, name, ….
    pub(super) segments: Vec<String>,
}

impl Target {
    /// Splits at the last `/providers/`; `None` where there is none or no namespace follows.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let at = path.to_ascii_lowercase().rfind("/providers/")?;
        let mut segments = path[at + "/providers/".len()..].split('/').filter(|s| !s.is_empty()).map(ToOwned::to_owned);
        let namespace = segments.next()?;
        Some(Self { scope: path[..at].to_owned(), namespace, segments: segments.collect() })
    }

    /// Whether it names a resource, not a list or an action.
    pub(super) fn is_resource(&self) -> bool {
        !self.segments.is_empty() && self.segments.len().is_multiple_of(2)
    }

    /// `Microsoft.Network/virtualNetworks/subnets`
    pub(super) fn arm_type(&self) -> String {
        let mut text = self.namespace.clone();
        for segment in self.segments.iter().step_by(2) {
            text.push('/');
            text.push_str(segment);
        }
        text
    }

    /// The id, for a resource.
    pub(super) fn id(&self) -> ResourceId {
        ResourceId::new(format!("{}/providers/{}/{}", self.scope, self.namespace, self.segments.join("/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_lists_are_told_apart() {
        let resource = Target::parse("/subscriptions/s/resourceGroups/g/providers/M.N/a/b").unwrap();
        assert!(resource.is_resource());
        assert_eq!(resource.arm_type(), "M.N/a");
        let list = Target::parse("/subscriptions/s/providers/M.N/a/b/c").unwrap();
        assert!(!list.is_resource());
        assert_eq!(list.arm_type(), "M.N/a/c");
        assert_eq!(Target::parse("/subscriptions/s"), None);
    }
}
