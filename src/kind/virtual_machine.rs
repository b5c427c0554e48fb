//! The jumpbox: a Windows machine inside, for people who come through Bastion.

use azure_mgmt_compute::package_2024_07_01::models::{
    BootDiagnostics, Caching, CreateOption, DeleteOption, DiagnosticsProfile, HardwareProfile, ImageReference,
    ManagedDiskParameters, NetworkInterfaceReference, NetworkInterfaceReferenceProperties, NetworkProfile, OsDisk,
    OsProfile, PatchSettings, Resource, SecurityProfile, StorageProfile, SubResource, UefiSettings, VirtualMachine,
    VirtualMachineIdentity, VirtualMachineProperties, WindowsConfiguration, network_interface_reference_properties,
    patch_settings, security_profile, virtual_machine_identity,
};
use serde_json::{Value, json};

use super::body::{self, Place};
use super::{Holds, Kind};
use crate::model::ResourceId;

/// The card. The machine's disk holds its users' files. The password never comes back.
pub static KIND: Kind = Kind {
    name: "virtual_machine",
    arm_type: "Microsoft.Compute/virtualMachines",
    api_version: "2024-07-01",
    immutable: &[
        "/location",
        "/properties/storageProfile/imageReference",
        "/properties/storageProfile/osDisk/name",
        "/properties/storageProfile/osDisk/createOption",
        "/properties/osProfile/computerName",
        "/properties/osProfile/adminUsername",
        "/properties/osProfile/adminPassword",
        "/properties/securityProfile/securityType",
    ],
    keyed: &[("/properties/networkProfile/networkInterfaces", "id")],
    caseless: &[
        "/properties/hardwareProfile/vmSize",
        "/properties/licenseType",
        "/properties/storageProfile/imageReference/publisher",
        "/properties/storageProfile/imageReference/offer",
        "/properties/storageProfile/imageReference/sku",
        "/properties/storageProfile/osDisk/managedDisk/storageAccountType",
    ],
    hidden: &["/properties/osProfile/adminPassword"],
    holds: Holds::Data,
    ..Kind::PLAIN
};

/// What makes one jumpbox.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    /// Name inside Windows, at most 15 characters.
    pub computer: &'a str,
    /// VM size.
    pub size: &'a str,
    /// Publisher, offer, SKU, version.
    pub image: [&'a str; 4],
    /// Name of the disk.
    pub disk: &'a str,
    /// Administrator.
    pub user: &'a str,
    /// A placeholder (`model::late::secret_text`).
    pub password: &'a str,
    /// `Windows_Client` for a client Windows.
    pub license_type: Option<&'a str>,
    /// Its network card.
    pub network_card: &'a ResourceId,
}

/// A trusted-launch Windows machine whose disk and card go with it.
#[must_use]
pub fn body(place: Place, says: &Says) -> Value {
    let properties = VirtualMachineProperties {
        storage_profile: Some(storage(says)),
        os_profile: Some(windows(says)),
        network_profile: Some(NetworkProfile {
            network_interfaces: vec![card(says.network_card)],
            ..NetworkProfile::new()
        }),
        hardware_profile: Some(HardwareProfile::new()),
        security_profile: Some(SecurityProfile {
            security_type: Some(security_profile::SecurityType::TrustedLaunch),
            uefi_settings: Some(UefiSettings { secure_boot_enabled: Some(true), v_tpm_enabled: Some(true) }),
            ..SecurityProfile::new()
        }),
        license_type: says.license_type.map(ToOwned::to_owned),
        diagnostics_profile: Some(DiagnosticsProfile {
            boot_diagnostics: Some(BootDiagnostics { enabled: Some(true), ..BootDiagnostics::new() }),
        }),
        ..VirtualMachineProperties::new()
    };
    let machine = VirtualMachine {
        identity: Some(VirtualMachineIdentity {
            type_: Some(virtual_machine_identity::Type::SystemAssigned),
            ..VirtualMachineIdentity::new()
        }),
        properties: Some(properties),
        ..VirtualMachine::new(Resource { tags: Some(place.tags()), ..Resource::new(place.location()) })
    };
    // The model's list of sizes ends years ago; a size is free text to Azure.
    body::with(&machine, json!({"properties": {"hardwareProfile": {"vmSize": says.size}}}))
}

fn storage(says: &Says) -> StorageProfile {
    let [publisher, offer, sku, version] = says.image.map(|part| Some(part.to_owned()));
    StorageProfile {
        image_reference: Some(ImageReference { publisher, offer, sku, version, ..ImageReference::new() }),
        os_disk: Some(OsDisk {
            name: Some(says.disk.to_owned()),
            caching: Some(Caching::ReadWrite),
            delete_option: Some(DeleteOption::Delete),
            managed_disk: Some(ManagedDiskParameters {
                storage_account_type: Some(disk_type()),
                ..ManagedDiskParameters::new()
            }),
            ..OsDisk::new(CreateOption::FromImage)
        }),
        ..StorageProfile::new()
    }
}

const fn disk_type() -> azure_mgmt_compute::package_2024_07_01::models::StorageAccountType {
    azure_mgmt_compute::package_2024_07_01::models::StorageAccountType::StandardSsdLrs
}

fn windows(says: &Says) -> OsProfile {
    let updates = PatchSettings {
        patch_mode: Some(patch_settings::PatchMode::AutomaticByOs),
        assessment_mode: Some(patch_settings::AssessmentMode::ImageDefault),
        ..PatchSettings::new()
    };
    OsProfile {
        computer_name: Some(says.computer.to_owned()),
        admin_username: Some(says.user.to_owned()),
        admin_password: Some(says.password.to_owned()),
        windows_configuration: Some(WindowsConfiguration {
            // Without the agent there are no extensions and no run-command.
            provision_vm_agent: Some(true),
            enable_automatic_updates: Some(true),
            patch_settings: Some(updates),
            ..WindowsConfiguration::new()
        }),
        ..OsProfile::new()
    }
}

fn card(id: &ResourceId) -> NetworkInterfaceReference {
    NetworkInterfaceReference {
        sub_resource: SubResource { id: Some(id.to_string()) },
        properties: Some(NetworkInterfaceReferenceProperties {
            primary: Some(true),
            delete_option: Some(network_interface_reference_properties::DeleteOption::Delete),
        }),
    }
}
