//! How long Azure takes for each type and act, with sources, from `config/azure-durations.json`.
//! For schedules, expected times on screen and the sandbox; never for correctness.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

use crate::model::Verb;

/// An act on a resource, as far as it takes Azure time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// PUT of something new.
    Create,
    /// PUT over something that is there.
    Update,
    /// DELETE.
    Delete,
    /// POST.
    Action,
}

impl Act {
    /// The act of a step's verb; `None` where nothing is sent.
    #[must_use]
    pub const fn of(verb: Verb) -> Option<Self> {
        match verb {
            Verb::Create => Some(Self::Create),
            Verb::Update => Some(Self::Update),
            Verb::Delete => Some(Self::Delete),
            Verb::Adopt | Verb::Forget => None,
        }
    }
}

#[derive(Deserialize)]
struct Table {
    default: Entry,
    request_latency: BTreeMap<String, serde_json::Value>,
    types: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    create: Option<Figure>,
    update: Option<Figure>,
    delete: Option<Figure>,
    action: Option<Figure>,
    retry_after: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
struct Figure {
    seconds: f64,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table: Table = serde_json::from_str(include_str!("../../config/azure-durations.json"))
        .expect("the embedded table of durations is checked by a test");
    table.types = table.types.into_iter().map(|(name, entry)| (name.to_ascii_lowercase(), entry)).collect();
    table
});

impl Entry {
    fn figure(&self, act: Act) -> Option<Figure> {
        match act {
            Act::Create => self.create,
            Act::Update => self.update,
            Act::Delete => self.delete,
            Act::Action => self.action,
        }
    }
}

fn entry(arm_type: &str) -> Option<&'static Entry> {
    TABLE.types.get(&arm_type.to_ascii_lowercase())
}

/// Types that answer every write at once and stand in no line of the table (`azure-facts` 2.1).
const SYNCHRONOUS: [&str; 5] = [
    "microsoft.insights/components",
    "microsoft.insights/diagnosticsettings",
    "microsoft.authorization/roleassignments",
    "microsoft.keyvault/vaults/secrets",
    "microsoft.alertsmanagement/smartdetectoralertrules",
];

/// How long a long-running operation takes on Azure. Zero for acts answered at once: a listed type without a figure
/// for the act (storage deletes, for instance), and the synchronous types; other unlisted types take the default.
#[must_use]
pub fn of(arm_type: &str, act: Act) -> Duration {
    let figure = match entry(arm_type) {
        Some(entry) => entry.figure(act),
        None if SYNCHRONOUS.contains(&arm_type.to_ascii_lowercase().as_str()) => None,
        None => TABLE.default.figure(act),
    };
    figure.map_or(Duration::ZERO, |f| Duration::from_secs_f64(f.seconds))
}

/// The pause the provider asks for between polls; `None` where it sends no `Retry-After`.
#[must_use]
pub fn retry_after(arm_type: &str) -> Option<u64> {
    entry(arm_type).map_or(TABLE.default.retry_after, |entry| entry.retry_after)
}

/// Time between a request and its answer.
#[must_use]
pub fn latency(method: &str) -> Duration {
    let seconds = |name: &str| TABLE.request_latency.get(name)?.get("seconds")?.as_f64();
    Duration::from_secs_f64(seconds(method).or_else(|| seconds("default")).unwrap_or(0.1))
}

/// What one step takes from request to knowledge of its end, without the grain of polling.
#[must_use]
pub fn of_step(arm_type: &str, verb: Verb) -> Duration {
    match Act::of(verb) {
        None => Duration::ZERO,
        Some(act) => {
            let method = if act == Act::Delete { "DELETE" } else { "PUT" };
            latency(method) + of(arm_type, act)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_without_case() {
        assert_eq!(of("microsoft.network/AZUREFIREWALLS", Act::Create), Duration::from_secs(360));
        assert_eq!(retry_after("Microsoft.Network/azureFirewalls"), Some(10));
        assert_eq!(retry_after("Microsoft.KeyVault/vaults"), None);
        assert_eq!(of("Microsoft.Insights/diagnosticSettings", Act::Create), Duration::ZERO);
        assert_eq!(latency("GET"), Duration::from_millis(150));
    }
}
