//! Microsoft.Storage: accounts and what lies below (`azure-facts` 2.12). Data planes are not played.

use serde_json::{Value, json};

use crate::sandbox::json::{fill, fill_all, is_true, items, keep, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{World, stamp};

use super::{Card, Fill, Headers, Name, Paths, Place, Put, Wire, connections, versions};

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";

const WIRE: Wire = Wire {
    created: 202,
    made: 200,
    empty: true,
    put: Headers::Location,
    update_at_once: true,
    paths: Paths::Storage,
    ..Wire::PLAIN
};

const CHILD: Card = Card {
    versions: versions::STORAGE,
    place: Place::None,
    wire: &Wire { stateful: false, ..Wire::AT_ONCE },
    etag: true,
    ..Card::PLAIN
};

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: ACCOUNT,
        versions: versions::STORAGE,
        name: Name { fits: name_fits, rule: "3 to 24 lower-case letters and digits", code: "AccountNameInvalid" },
        wire: &WIRE,
        immutable: &[
            "/kind",
            "/properties/isHnsEnabled",
            "/properties/encryption/requireInfrastructureEncryption",
            "/properties/dnsEndpointType",
        ],
        check: check_account,
        fill: fill_account,
        view: |world, resource, body| {
            set(body, "/properties/privateEndpointConnections", connections(world, &resource.id));
        },
        ..Card::PLAIN
    },
    Card { arm_type: "Microsoft.Storage/storageAccounts/blobServices", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/blobServices/containers", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/fileServices", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/fileServices/shares", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/queueServices", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/tableServices", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/managementPolicies", ..CHILD },
    Card { arm_type: "Microsoft.Storage/storageAccounts/privateEndpointConnections", ..CHILD },
];

fn name_fits(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn check_account(put: &Put<'_>) -> Result<(), Refusal> {
    let name = put.id.name();
    if put.old.is_none() {
        let elsewhere = put.world.of_type(ACCOUNT).any(|r| r.id.name().eq_ignore_ascii_case(name));
        if elsewhere {
            return Err(Refusal::conflict(
                "StorageAccountInAnotherResourceGroup",
                format!("The account {name} already exists in another resource group in this subscription."),
            ));
        }
        if put.world.taken.contains(name) {
            return Err(Refusal::conflict(
                "StorageAccountAlreadyTaken",
                format!("The storage account named {name} is already taken."),
            ));
        }
    }
    check_shape(put.body)
}

fn check_shape(body: &Value) -> Result<(), Refusal> {
    const SKUS: [&str; 8] = [
        "Standard_LRS",
        "Standard_GRS",
        "Standard_RAGRS",
        "Standard_ZRS",
        "Standard_GZRS",
        "Standard_RAGZRS",
        "Premium_LRS",
        "Premium_ZRS",
    ];
    let invalid = |what: &str, value: &str| {
        Err(Refusal::bad(
            "InvalidValuesForRequestParameters",
            format!("Values for request parameters are invalid: {what} ({value})."),
        ))
    };
    if !SKUS.contains(&text(body, "/sku/name")) {
        return invalid("sku.name", text(body, "/sku/name"));
    }
    if !["StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"].contains(&text(body, "/kind")) {
        return invalid("kind", text(body, "/kind"));
    }
    let tls = text(body, "/properties/minimumTlsVersion");
    if !["", "TLS1_0", "TLS1_1", "TLS1_2"].contains(&tls) {
        return invalid("minimumTlsVersion", tls);
    }
    for rule in items(body, "/properties/networkAcls/ipRules") {
        let value = text(rule, "/value");
        if value.starts_with("10.") || value.starts_with("192.168.") || value.ends_with("/31") || value.ends_with("/32")
        {
            return invalid("networkAcls.ipRule", value);
        }
    }
    Ok(())
}

fn fill_account(_: &mut World, of: &Fill<'_>, body: &mut Value) {
    let name = of.id.name().to_owned();
    let place = text(body, "/location").to_owned();
    let now = stamp(of.now);
    keep(body, of.old, &["/properties/creationTime", "/properties/keyCreationTime"]);
    let endpoint = |service: &str, zone: &str| format!("https://{name}.{zone}{service}.core.windows.net/");
    fill_all(
        body,
        "/properties",
        json!({
            "accessTier": "Hot", "supportsHttpsTrafficOnly": true, "allowBlobPublicAccess": false,
            "allowCrossTenantReplication": false, "minimumTlsVersion": "TLS1_2",
            "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"},
            "creationTime": now, "keyCreationTime": {"key1": now, "key2": now},
            "encryption": {"keySource": "Microsoft.Storage"},
        }),
    );
    fill_all(
        body,
        "/properties/networkAcls",
        json!({"ipRules": [], "virtualNetworkRules": [], "bypass": "AzureServices"}),
    );
    for service in ["blob", "file"] {
        let at = format!("/properties/encryption/services/{service}");
        fill_all(body, &at, json!({"enabled": true, "keyType": "Account", "lastEnabledTime": now}));
    }
    set(
        body,
        "/properties/primaryEndpoints",
        json!({
            "blob": endpoint("blob", ""), "file": endpoint("file", ""), "queue": endpoint("queue", ""),
            "table": endpoint("table", ""), "dfs": endpoint("dfs", ""), "web": endpoint("web", "z6."),
        }),
    );
    set(body, "/properties/primaryLocation", place);
    set(body, "/properties/statusOfPrimary", "available");
    let tier = if text(body, "/sku/name").starts_with("Premium") { "Premium" } else { "Standard" };
    set(body, "/sku/tier", tier);
    if is_true(body, "/properties/isHnsEnabled") {
        fill(body, "/properties/isSftpEnabled", false);
    }
}
