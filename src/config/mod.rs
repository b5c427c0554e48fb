//! TOML to checked values, with a place for every complaint. Only [`Config`] leaves this folder; it reads no file.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// The checked parameters of one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// 1 to 4 lower-case letters and digits, a letter first.
    pub name: String,
    /// ARM's word for the region: `westeurope`.
    pub location: String,
    /// The network's range.
    pub vnet_address_space: Ipv4Net,
    /// What the environment opens.
    pub profile: Profile,
    /// The subnets' ranges, computed or given.
    pub network: Network,
    /// Hosts to allow beyond the profile's.
    pub allow: Vec<Allow>,
    /// The machine behind Bastion; `None`: without one.
    pub jumpbox: Option<Jumpbox>,
    /// Bastion; always there while there is a jumpbox.
    pub bastion: Bastion,
    /// Logs.
    pub monitor: Monitor,
    /// Who may use it.
    pub access: Access,
    /// The user's tags, on every resource that takes tags.
    pub tags: BTreeMap<String, String>,
}

/// Which data an environment is drawn from (`DESIGN` 3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The published allowlist and rules, plus what Azure ML needs today.
    Baseline,
    /// Without the entries that leak.
    Hardened,
}

/// The three subnets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `AzureFirewallSubnet`, /26 or larger.
    pub firewall: Ipv4Net,
    /// `AzureBastionSubnet`, /26 or larger.
    pub bastion: Ipv4Net,
    /// `SharedSubnet`.
    pub shared: Ipv4Net,
}

/// A host the firewall lets through, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow {
    /// A name, or `*.name`, or `*name` as Azure Firewall understands it.
    pub host: String,
    /// For the reviewer.
    pub reason: String,
}

/// The machine inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jumpbox {
    /// VM size.
    pub size: String,
    /// The image.
    pub image: Image,
    /// The administrator's name; `None`: drawn once.
    pub user: Option<String>,
    /// `Windows_Client` where the image is a client Windows; `None` for a server.
    pub license_type: Option<String>,
}

/// A marketplace image: `publisher:offer:sku:version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `MicrosoftWindowsDesktop`
    pub publisher: String,
    /// `windows-11`
    pub offer: String,
    /// `win11-25h2-pro`
    pub sku: String,
    /// `latest`
    pub version: String,
}

/// Bastion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bastion {
    /// Its tier.
    pub sku: BastionSku,
}

/// Tiers that work on a subnet of ours (`Developer` has none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BastionSku {
    /// Two fixed instances, clipboard always on.
    Basic,
    /// Clipboard can be closed.
    Standard,
    /// Standard plus session recording.
    Premium,
}

impl BastionSku {
    /// Azure's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Standard => "Standard",
            Self::Premium => "Premium",
        }
    }
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    /// Days, 30 to 730.
    pub retention_days: u32,
    /// GB a day; `None`: no cap.
    pub daily_cap_gb: Option<u32>,
}

/// Object ids of people and groups in Entra ID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Users who may use the workspace and its storage.
    pub users: Vec<String>,
    /// Groups likewise.
    pub groups: Vec<String>,
}
