//! Private DNS zones, their links to networks and their A records (`azure-facts` 2.15).

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::json::{fill, fill_all, set, text};
use crate::sandbox::provider::{Card, Name, Place, Put, Wire, versions};
use crate::sandbox::provider::{Headers, Paths};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World};

pub(super) const ZONE: &str = "Microsoft.Network/privateDnsZones";
const LINK: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";
pub(in crate::sandbox) const RECORD: &str = "Microsoft.Network/privateDnsZones/A";
pub(in crate::sandbox) const EVERY: &str = "Microsoft.Network/privateDnsZones/ALL";

const WIRE: Wire =
    Wire { created: 202, updated: 202, empty: true, put: Headers::Both, paths: Paths::Dns, ..Wire::PLAIN };

const DNS: Card = Card { versions: versions::DNS, place: Place::Global, wire: &WIRE, etag: true, ..Card::PLAIN };

pub(super) const ZONES: Card = Card {
    arm_type: ZONE,
    name: Name { fits: zone_fits, rule: "a domain name of 2 to 34 labels", code: "BadRequest" },
    fill: |_, _, body| {
        fill_all(
            body,
            "/properties",
            json!({"maxNumberOfRecordSets": 25000, "maxNumberOfVirtualNetworkLinks": 1000,
                "maxNumberOfVirtualNetworkLinksWithRegistration": 100}),
        );
    },
    view: |world, resource, body| {
        let count = |arm_type: &str| world.below(&resource.id).filter(|r| r.arm_type == arm_type).count();
        set(body, "/properties/numberOfRecordSets", count(RECORD) + 1);
        set(body, "/properties/numberOfVirtualNetworkLinks", count(LINK));
        set(body, "/properties/numberOfVirtualNetworkLinksWithRegistration", 0);
    },
    in_use: |world, resource| {
        if world.below(&resource.id).any(|r| r.arm_type == LINK) {
            let message = "Can not delete resource before nested resources are deleted.";
            return Err(Refusal::conflict("CannotDeleteResource", message));
        }
        Ok(())
    },
    ..DNS
};

pub(super) const LINKS: Card = Card {
    arm_type: LINK,
    name: super::NAME,
    immutable: &["/properties/virtualNetwork/id"],
    check: check_link,
    fill: |_, of, body| {
        fill_all(body, "/properties", json!({"registrationEnabled": false, "resolutionPolicy": "Default"}));
        let state = if of.old.is_some() { "Completed" } else { "InProgress" };
        set(body, "/properties/virtualNetworkLinkState", state);
    },
    finished: |world, key| {
        if let Some(link) = world.resources.get_mut(key) {
            set(&mut link.body, "/properties/virtualNetworkLinkState", "Completed");
        }
    },
    ..DNS
};

pub(super) const RECORDS: Card = Card {
    arm_type: RECORD,
    place: Place::None,
    wire: &Wire { stateful: false, ..Wire::AT_ONCE },
    fill: |_, of, body| {
        let zone = of.id.parent().map(|id| id.name().to_owned()).unwrap_or_default();
        set(body, "/properties/fqdn", format!("{}.{zone}.", of.id.name()));
        fill(body, "/properties/isAutoRegistered", false);
    },
    ..DNS
};

/// The list of a zone's records, whatever their type. Nothing is ever written under this name.
pub(super) const EVERY_RECORD: Card = Card {
    arm_type: EVERY,
    place: Place::None,
    check: |_| Err(Refusal::bad("BadRequest", "'ALL' is not a type of record.")),
    ..DNS
};

fn zone_fits(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    (2..=34).contains(&labels.len())
        && name.len() <= 253
        && labels
            .iter()
            .all(|l| (1..=63).contains(&l.len()) && l.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
}

fn check_link(put: &Put<'_>) -> Result<(), Refusal> {
    let network = text(put.body, "/properties/virtualNetwork/id");
    if network.is_empty() {
        return Err(Refusal::bad("BadRequest", "The virtual network of a link must be given."));
    }
    let zone = put.id.parent().map(|id| id.name().to_ascii_lowercase()).unwrap_or_default();
    let twin = put.world.of_type(LINK).find(|other| {
        other.id != *put.id
            && text(&other.body, "/properties/virtualNetwork/id").eq_ignore_ascii_case(network)
            && other.id.parent().is_some_and(|id| id.name().eq_ignore_ascii_case(&zone))
    });
    match twin {
        Some(twin) => Err(Refusal::bad(
            "BadRequest",
            format!(
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to \
                 link virtual network with '{zone}' and '{}'.",
                twin.id
            ),
        )),
        None => Ok(()),
    }
}

/// Writes an A record as a zone group does.
pub(super) fn write(world: &mut World, zone: &ResourceId, name: &str, addresses: &[String], creator: &ResourceId) {
    let id = zone.child("A", name);
    let records: Vec<Value> = addresses.iter().map(|address| json!({"ipv4Address": address})).collect();
    let body = json!({
        "id": id.as_str(), "name": name, "type": RECORD, "etag": world.etag(),
        "properties": {
            "fqdn": format!("{name}.{}.", zone.name()), "ttl": 10, "isAutoRegistered": false, "aRecords": records,
            "metadata": {"creator": creator.as_str()},
        },
    });
    if world.get(zone).is_some() {
        let now = world.now;
        world.resources.insert(id.key(), Resource::made(id, RECORD, body, now));
    }
}
