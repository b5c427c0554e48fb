//! Reads many resources at once, with as few calls as there can be. Compares nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::client::Client;
use super::error::ArmError;
use crate::model::ResourceId;

/// For groups that nobody asked for themselves (azure-facts 2.0).
const GROUP_VERSION: &str = "2021-04-01";

/// The live bodies of those that exist, read `width` at a time. Resource groups are read first: what lies in an
/// absent group is absent without a call of its own.
///
/// # Errors
/// The first refusal that is not "not found".
pub async fn observe(
    client: &Client,
    targets: &[(ResourceId, &str)],
    width: usize,
) -> Result<BTreeMap<ResourceId, Value>, ArmError> {
    let groups = read(client, groups_of(targets), width).await?;
    let absent = |id: &ResourceId| group_of(id).is_some_and(|group| groups.get(&group).is_some_and(Option::is_none));
    let rest = targets.iter().filter(|(id, _)| !groups.contains_key(id) && !absent(id)).cloned();
    let mut live = read(client, rest.collect(), width).await?;
    live.extend(groups.into_iter().filter(|(id, _)| targets.iter().any(|(target, _)| target == id)));
    Ok(live.into_iter().filter_map(|(id, body)| Some((id, body?))).collect())
}

/// Groups worth a first look: those asked for, and those with more than one resource asked for.
fn groups_of<'a>(targets: &[(ResourceId, &'a str)]) -> Vec<(ResourceId, &'a str)> {
    let mut inside: BTreeMap<ResourceId, usize> = BTreeMap::new();
    for group in targets.iter().filter_map(|(id, _)| group_of(id)) {
        *inside.entry(group).or_default() += 1;
    }
    let asked = |group: &ResourceId| targets.iter().find(|(id, _)| id == group);
    let worth = inside.into_iter().filter(|(group, count)| *count > 1 || asked(group).is_some());
    worth.map(|(group, _)| asked(&group).cloned().unwrap_or((group, GROUP_VERSION))).collect()
}

fn group_of(id: &ResourceId) -> Option<ResourceId> {
    Some(ResourceId::group(id.subscription()?, id.resource_group()?))
}

async fn read(
    client: &Client,
    targets: Vec<(ResourceId, &str)>,
    width: usize,
) -> Result<BTreeMap<ResourceId, Option<Value>>, ArmError> {
    let unique: BTreeSet<_> = targets.into_iter().collect();
    let reads = unique.into_iter().map(|(id, version)| async move {
        let body = client.get(&id, version).await?;
        Ok::<_, ArmError>((id, body))
    });
    stream::iter(reads).buffer_unordered(width.max(1)).try_collect().await
}
