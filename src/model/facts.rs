//! What a blueprint must be told besides the parameters, so that drawing it stays a pure function.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Facts of one environment: identities, drawn values, the cloud's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Subscription id.
    pub subscription: String,
    /// Tenant id.
    pub tenant: String,
    /// The environment's lineage: value of the ownership tag.
    pub lineage: Uuid,
    /// Four digits behind the name.
    pub suffix: String,
    /// User name of the jumpbox.
    pub jumpbox_user: String,
    /// Names that differ between clouds.
    pub cloud: CloudNames,
    /// Where Azure put the firewall, once known; until then the expected address is planned.
    pub firewall_address: Option<Ipv4Addr>,
}

/// The name of the tag that marks a resource as ours; its value is the lineage.
pub const OWNER_TAG: &str = "privaml-environment";

/// The name of the secret that holds the jumpbox's password, in bodies and in the state.
pub const JUMPBOX_PASSWORD: &str = "jumpbox_password";

/// Host names and DNS suffixes of one cloud (`azure-facts` section 6; a custom cloud's own metadata where it says).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudNames {
    /// `AzureCloud`, `AzureUSGovernment`, `AzureChinaCloud`, or the custom base URL.
    pub name: String,
    /// `core.windows.net`
    pub storage: String,
    /// `vaultcore.azure.net`: zone of the vault's private link.
    pub vault_zone: String,
    /// `azurecr.io`
    pub registry: String,
    /// `api.azureml.ms`
    pub ml_api: String,
    /// `notebooks.azure.net`
    pub ml_notebooks: String,
    /// `ml.azure.com`
    pub ml_studio: String,
    /// `portal.azure.com`
    pub portal: String,
    /// `monitor.azure.com`
    pub monitor: String,
    /// `opinsights.azure.com`
    pub opinsights: String,
    /// `azure-automation.net`
    pub automation: String,
    /// Hosts of Windows activation.
    pub kms: Vec<String>,
}

impl CloudNames {
    /// The public cloud.
    #[must_use]
    pub fn public() -> Self {
        Self::of([
            "AzureCloud",
            "core.windows.net",
            "vaultcore.azure.net",
            "azurecr.io",
            "api.azureml.ms",
            "notebooks.azure.net",
            "ml.azure.com",
            "portal.azure.com",
            "monitor.azure.com",
            "opinsights.azure.com",
            "azure-automation.net",
        ])
        .activated_by(&["azkms.core.windows.net", "kms.core.windows.net"])
    }

    /// Azure Government.
    #[must_use]
    pub fn us_government() -> Self {
        Self::of([
            "AzureUSGovernment",
            "core.usgovcloudapi.net",
            "vaultcore.usgovcloudapi.net",
            "azurecr.us",
            "api.ml.azure.us",
            "notebooks.usgovcloudapi.net",
            "ml.azure.us",
            "portal.azure.us",
            "monitor.azure.us",
            "opinsights.azure.us",
            "azure-automation.us",
        ])
        .activated_by(&["kms.core.usgovcloudapi.net"])
    }

    /// Azure operated by 21Vianet. Its registry and monitor zones are not in Microsoft's table (UNSURE).
    #[must_use]
    pub fn china() -> Self {
        Self::of([
            "AzureChinaCloud",
            "core.chinacloudapi.cn",
            "vaultcore.azure.cn",
            "azurecr.cn",
            "api.ml.azure.cn",
            "notebooks.chinacloudapi.cn",
            "studio.ml.azure.cn",
            "portal.azure.cn",
            "monitor.azure.cn",
            "opinsights.azure.cn",
            "azure-automation.cn",
        ])
        .activated_by(&["kms.core.chinacloudapi.cn"])
    }

    fn of(names: [&str; 11]) -> Self {
        let [
            name,
            storage,
            vault_zone,
            registry,
            ml_api,
            ml_notebooks,
            ml_studio,
            portal,
            monitor,
            opinsights,
            automation,
        ] = names.map(ToOwned::to_owned);
        Self {
            name,
            storage,
            vault_zone,
            registry,
            ml_api,
            ml_notebooks,
            ml_studio,
            portal,
            monitor,
            opinsights,
            automation,
            kms: Vec::new(),
        }
    }

    fn activated_by(mut self, hosts: &[&str]) -> Self {
        self.kms = hosts.iter().map(|&h| h.to_owned()).collect();
        self
    }
}
