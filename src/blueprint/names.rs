//! Every Azure name and id of an environment, in one place. Names only: what stands behind them is drawn elsewhere.

use crate::config::Config;
use crate::model::{Facts, ResourceId};

/// Names of one environment; `n` is name and suffix, such as `test1234`.
#[derive(Clone, Debug)]
pub struct Names {
    /// Name and suffix.
    pub n: String,
    /// The resource group.
    pub group: ResourceId,
}

impl Names {
    /// The names that follow from the parameters and the drawn suffix.
    #[must_use]
    pub fn new(config: &Config, facts: &Facts) -> Self {
        let n = format!("{}{}", config.name, facts.suffix);
        let group = ResourceId::group(&facts.subscription, &format!("rg-{n}"));
        Self { n, group }
    }

    /// `{prefix}-{n}` of the given type in the group.
    fn at(&self, arm_type: &str, prefix: &str) -> ResourceId {
        self.group.provider(arm_type, &format!("{prefix}-{}", self.n))
    }

    fn network(&self, kind: &str, prefix: &str) -> ResourceId {
        self.at(&format!("Microsoft.Network/{kind}"), prefix)
    }

    /// The virtual network.
    #[must_use]
    pub fn vnet(&self) -> ResourceId {
        self.network("virtualNetworks", "vnet")
    }

    /// A subnet of the network: `AzureFirewallSubnet`, `AzureBastionSubnet`, `SharedSubnet`.
    #[must_use]
    pub fn subnet(&self, name: &str) -> ResourceId {
        self.vnet().child("subnets", name)
    }

    /// The subnet of endpoints, jumpbox and computes.
    #[must_use]
    pub fn shared_subnet(&self) -> ResourceId {
        self.subnet("SharedSubnet")
    }

    /// `nsg-shared` or `nsg-bastion-subnet`: the original's names carry no suffix.
    #[must_use]
    pub fn security_group(&self, name: &str) -> ResourceId {
        self.group.provider("Microsoft.Network/networkSecurityGroups", name)
    }

    /// The route table of the shared subnet.
    #[must_use]
    pub fn route_table(&self) -> ResourceId {
        self.network("routeTables", "rt")
    }

    /// The firewall.
    #[must_use]
    pub fn firewall(&self) -> ResourceId {
        self.network("azureFirewalls", "fw")
    }

    /// The firewall's policy.
    #[must_use]
    pub fn firewall_policy(&self) -> ResourceId {
        self.network("firewallPolicies", "fw-policy")
    }

    /// The policy's one rule collection group.
    #[must_use]
    pub fn firewall_rules(&self) -> ResourceId {
        self.firewall_policy().child("ruleCollectionGroups", "rcg-core")
    }

    /// `pip-fw-{n}` or `pip-bas-{n}`.
    #[must_use]
    pub fn public_ip(&self, of: &str) -> ResourceId {
        self.network("publicIPAddresses", &format!("pip-{of}"))
    }

    /// Bastion.
    #[must_use]
    pub fn bastion(&self) -> ResourceId {
        self.network("bastionHosts", "bas")
    }

    /// The policy that lets the shared subnet reach this account and Azure ML's own only (hardened).
    #[must_use]
    pub fn service_endpoint_policy(&self) -> ResourceId {
        self.network("serviceEndpointPolicies", "sep-aml")
    }

    /// A private DNS zone by its full name.
    #[must_use]
    pub fn zone(&self, name: &str) -> ResourceId {
        self.group.provider("Microsoft.Network/privateDnsZones", name)
    }

    /// A private endpoint by its whole name, such as `pe-blob-{n}`.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> ResourceId {
        self.group.provider("Microsoft.Network/privateEndpoints", name)
    }

    /// A network card by its whole name; an endpoint's is `nic-{endpoint name}`.
    #[must_use]
    pub fn card(&self, name: &str) -> ResourceId {
        self.group.provider("Microsoft.Network/networkInterfaces", name)
    }

    /// The log workspace.
    #[must_use]
    pub fn logs(&self) -> ResourceId {
        self.at("Microsoft.OperationalInsights/workspaces", "log")
    }

    /// Application Insights.
    #[must_use]
    pub fn insights(&self) -> ResourceId {
        self.at("Microsoft.Insights/components", "appi")
    }

    /// The private link scope of Azure Monitor.
    #[must_use]
    pub fn monitor_scope(&self) -> ResourceId {
        self.at("Microsoft.Insights/privateLinkScopes", "ampls")
    }

    /// The storage account (no dash: Azure allows none).
    #[must_use]
    pub fn storage(&self) -> ResourceId {
        self.group.provider("Microsoft.Storage/storageAccounts", &format!("stg{}", self.n))
    }

    /// A membership in the private link scope: `log` or `appi`.
    #[must_use]
    pub fn scoped(&self, of: &str) -> ResourceId {
        self.monitor_scope().child("scopedResources", &format!("{of}-{}-connection", self.n))
    }

    /// A part of the storage account that logs by itself: `blobServices` or `fileServices`.
    #[must_use]
    pub fn storage_service(&self, kind: &str) -> ResourceId {
        self.storage().child(kind, "default")
    }

    /// The key vault.
    #[must_use]
    pub fn vault(&self) -> ResourceId {
        self.at("Microsoft.KeyVault/vaults", "kv")
    }

    /// The vault's secret with the jumpbox's password.
    #[must_use]
    pub fn jumpbox_secret(&self) -> ResourceId {
        self.vault().child("secrets", "jumpbox-password")
    }

    /// The container registry (no dash: Azure allows none).
    #[must_use]
    pub fn registry(&self) -> ResourceId {
        self.group.provider("Microsoft.ContainerRegistry/registries", &format!("acr{}", self.n))
    }

    /// The Azure ML workspace.
    #[must_use]
    pub fn workspace(&self) -> ResourceId {
        self.at("Microsoft.MachineLearningServices/workspaces", "ml")
    }

    /// The jumpbox.
    #[must_use]
    pub fn jumpbox(&self) -> ResourceId {
        self.at("Microsoft.Compute/virtualMachines", "vm")
    }

    /// The jumpbox's network card.
    #[must_use]
    pub fn jumpbox_card(&self) -> ResourceId {
        self.card(&format!("nic-vm-{}", self.n))
    }

    /// A diagnostic setting `diagnostics-{what}-{n}` of `target`.
    #[must_use]
    pub fn diagnostics(&self, target: &ResourceId, what: &str) -> ResourceId {
        target.provider("Microsoft.Insights/diagnosticSettings", &format!("diagnostics-{what}-{}", self.n))
    }
}
