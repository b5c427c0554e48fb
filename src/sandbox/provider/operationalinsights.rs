//! Microsoft.OperationalInsights: log workspaces with soft delete (`azure-facts` 2.3).

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::json::{fill, fill_all, keep, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, Tombstone, World, stamp};

use super::{Card, Fill, Headers, Name, Place, Put, Wire, versions};

const WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces";
const KEPT_DAYS: u64 = 14;

const WIRE: Wire = Wire { put: Headers::None, ..Wire::PLAIN };

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: WORKSPACE,
        versions: versions::LOGS,
        name: Name {
            fits: |name| super::fits(name, 4, 63, "-"),
            rule: "4 to 63 letters, digits and hyphens, a letter or digit at both ends",
            code: "InvalidResourceName",
        },
        wire: &WIRE,
        etag: true,
        check,
        fill: fill_workspace,
        view: |world, resource, body| {
            super::insights::show_scopes(world, resource, body, "/properties/privateLinkScopedResources");
        },
        in_use: |world, resource| super::insights::not_scoped(world, resource),
        removed: bury,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.OperationalInsights/workspaces/tables",
        versions: versions::LOGS,
        place: Place::None,
        wire: &Wire::AT_ONCE,
        ..Card::PLAIN
    },
];

fn check(put: &Put<'_>) -> Result<(), Refusal> {
    const SKUS: [&str; 5] = ["", "pergb2018", "capacityreservation", "lacluster", "free"];
    let sku = text(put.body, "/properties/sku/name");
    if !SKUS.contains(&sku.to_ascii_lowercase().as_str()) {
        return Err(Refusal::bad(
            "InvalidSku",
            format!("The pricing tier '{sku}' is not valid for this subscription."),
        ));
    }
    let days = put.body.pointer("/properties/retentionInDays").and_then(Value::as_i64).unwrap_or(30);
    if !(30..=730).contains(&days) {
        return Err(Refusal::bad(
            "InvalidParameter",
            format!("'RetentionInDays' property doesn't match the SKU limits: {days} is not between 30 and 730."),
        ));
    }
    Ok(())
}

fn fill_workspace(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    // A new PUT over a soft-deleted workspace brings it back, data and identifier included.
    let twin = world.tombstones.remove(&of.id.key()).map(|tomb| tomb.resource.body);
    keep(body, of.old.or(twin.as_ref()), &["/properties/customerId", "/properties/createdDate"]);
    if text(body, "/properties/customerId").is_empty() {
        let made = world.guid();
        set(body, "/properties/customerId", made);
    }
    fill(body, "/properties/sku/name", "PerGB2018");
    let sku = text(body, "/properties/sku/name").to_ascii_lowercase();
    set(body, "/properties/sku/name", sku);
    set(body, "/properties/sku/lastSkuUpdate", stamp(of.now));
    fill_all(
        body,
        "/properties",
        json!({
            "retentionInDays": 30, "createdDate": stamp(of.now), "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled", "workspaceCapping": {"dailyQuotaGb": -1.0},
        }),
    );
    set(body, "/properties/workspaceCapping/dataIngestionStatus", "RespectQuota");
    set(body, "/properties/modifiedDate", stamp(of.now));
    fill_all(
        body,
        "/properties/features",
        json!({"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": true}),
    );
    super::resources::give_identity(world, of, body);
}

fn bury(world: &mut World, resource: &Resource, force: bool) {
    if force {
        return;
    }
    let tomb = Tombstone {
        resource: resource.clone(),
        deleted: world.now,
        purges: world.now + Duration::from_secs(KEPT_DAYS * 86_400),
        protected: false,
    };
    world.tombstones.insert(resource.id.key(), tomb);
}
