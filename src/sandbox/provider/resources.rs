//! Microsoft.Resources, Microsoft.ManagedIdentity and what every provider shares: groups, regions, identities.

use serde_json::{Value, json};

use crate::sandbox::json::{keep, remove, set, text};
use crate::sandbox::world::World;

use super::{Card, Fill, Headers, Name, Paths, Place, Wire, versions};

/// The type of a resource group.
pub(in crate::sandbox) const GROUP: &str = "Microsoft.Resources/resourceGroups";

const WIRE: Wire = Wire { delete: Headers::Location, paths: Paths::Group, ..Wire::AT_ONCE };

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: GROUP,
        versions: versions::RESOURCES,
        name: Name {
            fits: group_fits,
            rule: "1 to 90 letters, digits, underscores, hyphens, dots and parentheses, not ending with a dot",
            code: "InvalidResourceGroup",
        },
        wire: &WIRE,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.Resources/deployments",
        versions: versions::RESOURCES,
        place: Place::None,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.Resources/tags",
        versions: versions::RESOURCES,
        place: Place::None,
        wire: &Wire { made: 200, stateful: false, ..Wire::AT_ONCE },
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.ManagedIdentity/userAssignedIdentities",
        versions: versions::IDENTITY,
        name: Name {
            fits: |name| super::fits(name, 3, 128, "-_"),
            rule: "3 to 128 letters, digits, hyphens and underscores",
            code: "InvalidResourceName",
        },
        wire: &Wire { stateful: false, ..Wire::AT_ONCE },
        fill: fill_identity,
        ..Card::PLAIN
    },
];

fn group_fits(name: &str) -> bool {
    (1..=90).contains(&name.chars().count())
        && !name.ends_with('.')
        && name.chars().all(|c| c.is_alphanumeric() || "_-.()".contains(c))
}

fn fill_identity(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    const MADE: [&str; 2] = ["/properties/principalId", "/properties/clientId"];
    keep(body, of.old, &MADE);
    for at in MADE {
        if text(body, at).is_empty() {
            let made = world.guid();
            set(body, at, made);
        }
    }
    set(body, "/properties/tenantId", world.tenant.clone());
}

/// Gives a system identity its principal; a `None` identity loses it.
pub(in crate::sandbox) fn give_identity(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    let kind = text(body, "/identity/type").to_owned();
    if kind.contains("SystemAssigned") {
        keep(body, of.old, &["/identity/principalId"]);
        if text(body, "/identity/principalId").is_empty() {
            let made = world.guid();
            set(body, "/identity/principalId", made);
        }
        set(body, "/identity/tenantId", world.tenant.clone());
    } else if kind == "None" {
        remove(body, "/identity");
    }
}

/// Regions, as name and display name.
pub(in crate::sandbox) const REGIONS: &[(&str, &str)] = &[
    ("australiacentral", "Australia Central"),
    ("australiaeast", "Australia East"),
    ("australiasoutheast", "Australia Southeast"),
    ("austriaeast", "Austria East"),
    ("belgiumcentral", "Belgium Central"),
    ("brazilsouth", "Brazil South"),
    ("canadacentral", "Canada Central"),
    ("canadaeast", "Canada East"),
    ("centralindia", "Central India"),
    ("centralus", "Central US"),
    ("chilecentral", "Chile Central"),
    ("eastasia", "East Asia"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("francecentral", "France Central"),
    ("germanywestcentral", "Germany West Central"),
    ("indonesiacentral", "Indonesia Central"),
    ("israelcentral", "Israel Central"),
    ("italynorth", "Italy North"),
    ("japaneast", "Japan East"),
    ("japanwest", "Japan West"),
    ("koreacentral", "Korea Central"),
    ("koreasouth", "Korea South"),
    ("malaysiawest", "Malaysia West"),
    ("mexicocentral", "Mexico Central"),
    ("newzealandnorth", "New Zealand North"),
    ("northcentralus", "North Central US"),
    ("northeurope", "North Europe"),
    ("norwayeast", "Norway East"),
    ("polandcentral", "Poland Central"),
    ("qatarcentral", "Qatar Central"),
    ("southafricanorth", "South Africa North"),
    ("southcentralus", "South Central US"),
    ("southindia", "South India"),
    ("southeastasia", "Southeast Asia"),
    ("spaincentral", "Spain Central"),
    ("swedencentral", "Sweden Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("uaenorth", "UAE North"),
    ("uksouth", "UK South"),
    ("ukwest", "UK West"),
    ("westcentralus", "West Central US"),
    ("westeurope", "West Europe"),
    ("westindia", "West India"),
    ("westus", "West US"),
    ("westus2", "West US 2"),
    ("westus3", "West US 3"),
];

/// `West Europe` and `westeurope` are the same place; `None` for an unknown one.
pub(in crate::sandbox) fn region(text: &str) -> Option<&'static str> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    REGIONS.iter().map(|(name, _)| *name).find(|name| *name == plain)
}

/// One entry of the subscription's list of regions.
pub(in crate::sandbox) fn location_entry(subscription: &str, name: &str, display: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/locations/{name}"),
        "name": name, "type": "Region", "displayName": display, "regionalDisplayName": display,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    })
}
