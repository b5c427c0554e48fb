//! Any line as a resource id, an address, a step or a placeholder: read, shown, compared without case, climbed to its end.

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use privaml::model::late::{Late, secret_name, secret_text};
use privaml::model::{Address, ResourceId, StepId};

/// The target; one thing a line, and every line is compared with the one before it.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut before: Option<ResourceId> = None;
    for line in text.lines().take(20) {
        let id = ResourceId::new(line);
        alone(&id);
        if let Some(before) = &before {
            together(before, &id);
        }
        before = Some(id);
        names(line);
    }
}

fn alone(id: &ResourceId) {
    assert_eq!(&ResourceId::new(id.to_string()), id);
    assert!(!id.as_str().ends_with('/'));
    let kept: ResourceId = serde_json::from_value(serde_json::to_value(id).expect("text")).expect("text");
    assert_eq!(kept.as_str(), id.as_str());
    let (upper, lower) = (id.as_str().to_ascii_uppercase(), id.key());
    together(&ResourceId::new(upper), &ResourceId::new(lower));
    assert!(id.as_str().ends_with(id.name()) && !id.name().contains('/'));
    let mut step = id.clone();
    while let Some(parent) = step.parent() {
        assert!(parent.as_str().len() < step.as_str().len(), "{step} has the parent {parent}");
        assert!(step.is_within(&parent) && !parent.is_within(&step));
        step = parent;
    }
    let child = id.child("subnets", "a");
    assert!(child.is_within(id) && child.name() == "a");
    let extension = id.provider("Microsoft.Insights/diagnosticSettings", "d");
    assert_eq!(extension.arm_type(), "Microsoft.Insights/diagnosticSettings");
    if !id.as_str().is_empty() {
        assert_eq!(extension.parent().as_ref(), Some(id));
    }
    for part in [id.subscription(), id.resource_group()].into_iter().flatten() {
        assert!(!part.is_empty() && id.as_str().contains(part));
    }
    let _ = id.arm_type();
}

/// Equality, order, hash and key agree, and ignore the case of ASCII letters only.
fn together(a: &ResourceId, b: &ResourceId) {
    let naive = a.as_str().eq_ignore_ascii_case(b.as_str());
    assert_eq!(a == b, naive);
    assert_eq!(a.cmp(b) == Ordering::Equal, naive);
    assert_eq!(a.cmp(b), b.cmp(a).reverse());
    assert_eq!(a.key() == b.key(), naive);
    let hash = |id: &ResourceId| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    };
    assert!(!naive || hash(a) == hash(b));
    let below = b.key().strip_prefix(&a.key()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    assert_eq!(b.is_within(a), below, "{b} within {a}");
}

fn names(line: &str) {
    if let Ok(address) = line.parse::<Address>() {
        assert_eq!(address.to_string(), line);
        assert_eq!(format!("{}.{}", address.kind(), address.name()), line);
        let late = Late { of: address.clone(), at: "/a/b".to_owned() };
        let read = Late::parse(&Late::text(&late.of, &late.at));
        assert!(line.contains('#') || read == Some(late));
    }
    if let Ok(step) = line.parse::<StepId>() {
        assert_eq!(step.to_string(), line);
    }
    if let Some(late) = Late::parse(line) {
        assert_eq!(Late::text(&late.of, &late.at), line);
    }
    if let Some(name) = secret_name(line) {
        assert_eq!(secret_text(name), line);
    }
}
