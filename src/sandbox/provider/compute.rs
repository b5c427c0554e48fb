//! Microsoft.Compute: virtual machines and their disks (`azure-facts` 2.19).

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::json::{fill, fill_all, has, items, keep, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{Resource, World, stamp};

use super::{Card, Fill, Name, Paths, Put, Wire, versions};

const MACHINE: &str = "Microsoft.Compute/virtualMachines";
const DISK: &str = "Microsoft.Compute/disks";

const WIRE: Wire = Wire { paths: Paths::Compute, ..Wire::PLAIN };

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: MACHINE,
        versions: versions::COMPUTE,
        name: Name {
            fits: |name| super::fits(name, 1, 64, "-_."),
            rule: "1 to 64 letters, digits, hyphens, underscores and dots",
            code: "InvalidParameter",
        },
        wire: &WIRE,
        etag: true,
        immutable: &[
            "/properties/storageProfile/imageReference",
            "/properties/storageProfile/osDisk/name",
            "/properties/osProfile/computerName",
            "/properties/osProfile/adminUsername",
            "/properties/securityProfile/securityType",
        ],
        withheld: &["/properties/osProfile/adminPassword"],
        check: check_machine,
        fill: fill_machine,
        removed: remove_machine,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.Compute/virtualMachines/extensions",
        versions: versions::COMPUTE,
        wire: &WIRE,
        withheld: &["/properties/protectedSettings"],
        ..Card::PLAIN
    },
    Card { arm_type: DISK, versions: versions::DISKS, wire: &WIRE, in_use: disk_in_use, ..Card::PLAIN },
];

/// Publisher, offer and the SKUs that can still be deployed.
pub(in crate::sandbox) const IMAGES: &[(&str, &str, &[&str])] = &[
    (
        "MicrosoftWindowsDesktop",
        "windows-11",
        &["win11-24h2-pro", "win11-24h2-ent", "win11-25h2-pro", "win11-25h2-ent"],
    ),
    ("MicrosoftWindowsServer", "WindowsServer", &["2025-datacenter-g2", "2025-datacenter-azure-edition"]),
    ("MicrosoftWindowsServer", "windowsserver2022", &["2022-datacenter-g2", "2022-datacenter-azure-edition"]),
    ("Canonical", "ubuntu-24_04-lts", &["server"]),
    ("Canonical", "0001-com-ubuntu-server-jammy", &["22_04-lts-gen2"]),
];

/// The version that `latest` means.
pub(in crate::sandbox) const VERSION: &str = "26200.7171.251105";

/// Sizes on offer: name, cores, GiB.
pub(in crate::sandbox) const SIZES: &[(&str, u32, u32)] = &[
    ("Standard_B2s", 2, 4),
    ("Standard_B2ms", 2, 8),
    ("Standard_B2s_v2", 2, 8),
    ("Standard_B4s_v2", 4, 16),
    ("Standard_D2s_v3", 2, 8),
    ("Standard_D4s_v3", 4, 16),
    ("Standard_D2s_v4", 2, 8),
    ("Standard_D2s_v5", 2, 8),
    ("Standard_D4s_v5", 4, 16),
    ("Standard_D8s_v5", 8, 32),
    ("Standard_D2ds_v5", 2, 8),
    ("Standard_D2as_v5", 2, 8),
    ("Standard_D4as_v5", 4, 16),
    ("Standard_D2s_v6", 2, 8),
    ("Standard_D4s_v6", 4, 16),
    ("Standard_D8s_v6", 8, 32),
    ("Standard_D2as_v6", 2, 8),
    ("Standard_E2s_v5", 2, 16),
    ("Standard_E4s_v5", 4, 32),
    ("Standard_F2s_v2", 2, 4),
    ("Standard_F4s_v2", 4, 8),
    ("Standard_DS3_v2", 4, 14),
];

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::bad("InvalidParameter", message)
}

fn check_machine(put: &Put<'_>) -> Result<(), Refusal> {
    let size = text(put.body, "/properties/hardwareProfile/vmSize");
    if !SIZES.iter().any(|(name, ..)| name.eq_ignore_ascii_case(size)) {
        return Err(invalid(format!(
            "The value {size} provided for the VM size is not valid. The valid sizes in the current region are: {}.",
            SIZES.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
        )));
    }
    check_image(put.body)?;
    check_account(put)?;
    let security = text(put.body, "/properties/securityProfile/securityType");
    if !["", "TrustedLaunch", "ConfidentialVM", "Standard"].contains(&security) {
        return Err(invalid(format!("securityType '{security}' is not valid.")));
    }
    check_cards(put)?;
    check_disk(put)
}

fn check_image(body: &Value) -> Result<(), Refusal> {
    let at = "/properties/storageProfile/imageReference";
    let [publisher, offer, sku, version] =
        ["publisher", "offer", "sku", "version"].map(|part| text(body, &format!("{at}/{part}")));
    let known = IMAGES.iter().any(|(p, o, skus)| {
        p.eq_ignore_ascii_case(publisher)
            && o.eq_ignore_ascii_case(offer)
            && skus.iter().any(|s| s.eq_ignore_ascii_case(sku))
    });
    if known && !version.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        404,
        "PlatformImageNotFound",
        format!(
            "The platform image '{publisher}:{offer}:{sku}:{version}' is not available. Verify that all fields in \
             the storage profile are correct. For more details about storage profile information, please refer to \
             https://aka.ms/storageprofile"
        ),
    ))
}

fn check_account(put: &Put<'_>) -> Result<(), Refusal> {
    const BARRED: &str = "administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 \
     aspnet \
        backup console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5";
    let at = |part: &str| text(put.body, &format!("/properties/osProfile/{part}"));
    let (computer, user, password) = (at("computerName"), at("adminUsername"), at("adminPassword"));
    if computer.is_empty()
        || computer.len() > 15
        || computer.chars().all(|c| c.is_ascii_digit())
        || !super::fits(computer, 1, 15, "-")
    {
        return Err(invalid(
            "Windows computer name cannot be more than 15 characters long, be entirely numeric, or contain the \
             following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : . ' \" , < > / ?.",
        ));
    }
    let lower = user.to_ascii_lowercase();
    if user.is_empty() || user.len() > 20 || user.ends_with('.') || BARRED.split(' ').any(|word| word == lower) {
        return Err(invalid("The Admin Username specified is not allowed."));
    }
    // An update may leave the password out; it cannot be read back.
    if put.old.is_none() || !password.is_empty() {
        check_password(password, user)?;
    }
    Ok(())
}

fn check_password(password: &str, user: &str) -> Result<(), Refusal> {
    const BARRED: [&str; 9] = [
        "abc@123",
        "P@$$w0rd",
        "P@ssw0rd",
        "P@ssword123",
        "Pa$$word",
        "pass@word1",
        "Password!",
        "Password1",
        "Password22",
    ];
    let classes: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_ascii_alphanumeric(),
    ];
    let met = classes.iter().filter(|class| password.chars().any(**class)).count();
    if !(12..=123).contains(&password.len()) || met < 3 || BARRED.contains(&password) || password == user {
        return Err(invalid(
            "The supplied password must be between 12-123 characters long and must satisfy at least 3 of password \
             complexity requirements from the following: 1) Contains an uppercase character 2) Contains a lowercase \
             character 3) Contains a numeric digit 4) Contains a special character 5) Control characters are not allowed",
        ));
    }
    Ok(())
}

fn check_cards(put: &Put<'_>) -> Result<(), Refusal> {
    let cards = items(put.body, "/properties/networkProfile/networkInterfaces");
    if cards.is_empty() {
        return Err(invalid("Virtual machine must have at least one network interface."));
    }
    for card in cards {
        let id = text(card, "/id");
        let holder = put.world.of_type(MACHINE).find(|vm| vm.id != *put.id && uses_card(vm, id));
        if let Some(vm) = holder {
            let message = format!(
                "Network Interface {id} is used by existing resource {}. In order to delete the network interface, \
                 it must be dissociated from the resource.",
                vm.id
            );
            return Err(Refusal::bad("NicInUse", message));
        }
    }
    Ok(())
}

fn check_disk(put: &Put<'_>) -> Result<(), Refusal> {
    let disk = disk_id(put.id, put.body);
    if put.old.is_none() && put.world.get(&disk).is_some() {
        return Err(Refusal::conflict(
            "PropertyChangeNotAllowed",
            format!(
                "Disk '{}' already exists: a disk created from an image cannot take the name of an existing one.",
                disk.name()
            ),
        ));
    }
    Ok(())
}

/// Whether the machine holds the network card of that id.
pub(super) fn uses_card(vm: &Resource, id: &str) -> bool {
    items(&vm.body, "/properties/networkProfile/networkInterfaces")
        .iter()
        .any(|c| text(c, "/id").eq_ignore_ascii_case(id))
}

/// The machine that holds the card.
pub(super) fn holder<'a>(world: &'a World, card: &str) -> Option<&'a Resource> {
    world.of_type(MACHINE).find(|vm| uses_card(vm, card))
}

fn disk_id(machine: &ResourceId, body: &Value) -> ResourceId {
    let named = text(body, "/properties/storageProfile/osDisk/name");
    let name = if named.is_empty() { format!("{}_OsDisk_1", machine.name()) } else { named.to_owned() };
    machine.parent().unwrap_or_else(|| machine.clone()).provider(DISK, &name)
}

fn fill_machine(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    keep(body, of.old, &["/properties/vmId", "/properties/timeCreated"]);
    if text(body, "/properties/vmId").is_empty() {
        let made = world.guid();
        set(body, "/properties/vmId", made);
    }
    fill(body, "/properties/timeCreated", stamp(of.now));
    let disk = disk_id(of.id, body);
    let at = "/properties/storageProfile/osDisk";
    fill_all(
        body,
        at,
        json!({"name": disk.name(), "osType": "Windows", "caching": "None", "deleteOption": "Detach", "diskSizeGB": 127}),
    );
    set(body, &format!("{at}/managedDisk/id"), disk.as_str());
    fill(body, &format!("{at}/managedDisk/storageAccountType"), "Premium_LRS");
    fill(body, "/properties/storageProfile/dataDisks", json!([]));
    set(body, "/properties/storageProfile/imageReference/exactVersion", VERSION);
    fill_all(
        body,
        "/properties/osProfile",
        json!({"secrets": [], "allowExtensionOperations": true, "requireGuestProvisionSignal": true}),
    );
    if has(body, "/properties/osProfile/windowsConfiguration") {
        fill(body, "/properties/osProfile/windowsConfiguration/enableVMAgentPlatformUpdates", false);
    }
    super::resources::give_identity(world, of, body);
    let place = text(body, "/location").to_owned();
    let sku = text(body, &format!("{at}/managedDisk/storageAccountType")).to_owned();
    make_disk(world, of, disk, &place, &sku);
}

fn make_disk(world: &mut World, of: &Fill<'_>, id: ResourceId, place: &str, sku: &str) {
    let unique = world.guid();
    let body = json!({
        "id": id.as_str(), "name": id.name(), "type": DISK, "location": place, "managedBy": of.id.as_str(),
        "sku": {"name": sku, "tier": sku.split('_').next()},
        "properties": {"osType": "Windows", "diskSizeGB": 127, "diskState": "Attached", "uniqueId": unique,
            "creationData": {"createOption": "FromImage"}, "timeCreated": stamp(of.now)},
    });
    world.resources.entry(id.key()).or_insert_with(|| Resource::made(id, DISK, body, of.now));
}

fn disk_in_use(world: &World, disk: &Resource) -> Result<(), Refusal> {
    let owner = ResourceId::new(text(&disk.body, "/managedBy"));
    if world.get(&owner).is_none() {
        return Ok(());
    }
    let message = format!("Disk {} is attached to VM {owner}.", disk.id.name());
    Err(Refusal::conflict("OperationNotAllowed", message))
}

/// `deleteOption` decides what goes with the machine: its disk, its network cards.
fn remove_machine(world: &mut World, vm: &Resource, _: bool) {
    let disk = disk_id(&vm.id, &vm.body);
    if text(&vm.body, "/properties/storageProfile/osDisk/deleteOption") == "Delete" {
        world.resources.remove(&disk.key());
    } else if let Some(left) = world.resources.get_mut(&disk.key()) {
        crate::sandbox::json::remove(&mut left.body, "/managedBy");
        set(&mut left.body, "/properties/diskState", "Unattached");
    }
    for card in items(&vm.body, "/properties/networkProfile/networkInterfaces") {
        if text(card, "/properties/deleteOption") == "Delete" {
            crate::sandbox::operation::vanish(world, &ResourceId::new(text(card, "/id")).key(), false);
        }
    }
}
