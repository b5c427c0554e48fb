//! Reads many resources at once, with as few calls as there can be. Compares nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::client::Client;
use super::error::ArmError;
use crate::model::ResourceId;

/// For groups that nobody asked for themselves (azure-facts 2.0).
const GROUP_VERSION: &str = "2021-04-01";

/// From this many resources of one type in one group on, a list is read instead of each.
const MANY: usize = 3;

/// How long a "not found" of something that we made, or may have made, is doubted.
pub const DOUBT: Duration = Duration::from_secs(3);

/// The live bodies of those that exist, read `width` at a time. Resource groups are read first: what lies in an
/// absent group is absent without a call of its own. What should be there, because we made it, and is said not to be,
/// is asked for once more: ARM answers 404 for a moment after a create, and a plan must not make it anew for that.
///
/// # Errors
/// The first refusal that is not "not found".
pub async fn observe(
    client: &Client,
    targets: &[(ResourceId, &str)],
    expected: &BTreeSet<ResourceId>,
    width: usize,
) -> Result<BTreeMap<ResourceId, Value>, ArmError> {
    let mut live = look(client, targets, width).await?;
    let missing = |id: &ResourceId| expected.contains(id) && !live.contains_key(id);
    let doubted: Vec<Target<'_>> = targets.iter().filter(|(id, _)| missing(id)).cloned().collect();
    if !doubted.is_empty() {
        client.clock().sleep(DOUBT).await;
        live.extend(look(client, &doubted, width).await?);
    }
    Ok(live)
}

async fn look(client: &Client, targets: &[Target<'_>], width: usize) -> Result<BTreeMap<ResourceId, Value>, ArmError> {
    let groups = read(client, groups_of(targets), width).await?;
    let absent = |id: &ResourceId| group_of(id).is_some_and(|group| groups.get(&group).is_some_and(Option::is_none));
    let mut rest: Vec<Target<'_>> =
        targets.iter().filter(|(id, _)| !groups.contains_key(id) && !absent(id)).cloned().collect();
    let mut live = BTreeMap::new();
    for (list, version) in lists_of(&rest) {
        let Some(found) = list_of(client, &list, version).await else { continue };
        let (listed, others) = rest.into_iter().partition(|target| list_path(target).as_ref() == Some(&list));
        rest = others;
        live.extend(Vec::into_iter(listed).map(|(id, _): Target<'_>| {
            let body = found.get(&id).cloned();
            (id, body)
        }));
    }
    live.extend(read(client, rest, width).await?);
    live.extend(groups.into_iter().filter(|(id, _)| targets.iter().any(|(target, _)| target == id)));
    Ok(live.into_iter().filter_map(|(id, body)| Some((id, body?))).collect())
}

/// An id and the version to ask with.
type Target<'a> = (ResourceId, &'a str);

/// Lists that are worth more than reading one by one.
fn lists_of<'a>(targets: &[Target<'a>]) -> Vec<(String, &'a str)> {
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for target in targets {
        if let Some(list) = list_path(target) {
            *counts.entry((list, target.1)).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count >= MANY).map(|(list, _)| list).collect()
}

/// The list of its type in its group, for a resource that stands directly in one.
fn list_path((id, _): &Target<'_>) -> Option<String> {
    let group = group_of(id).filter(|group| id.parent().as_ref() == Some(group))?;
    Some(format!("{group}/providers/{}", id.arm_type()))
}

/// The items of a list by id; `None` where the list is refused: then each is asked for itself.
async fn list_of(client: &Client, path: &str, version: &str) -> Option<BTreeMap<ResourceId, Value>> {
    let items = client.list(path, version).await.ok()?;
    let by_id = |item: Value| Some((ResourceId::new(item["id"].as_str()?), item));
    Some(items.into_iter().filter_map(by_id).collect())
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
