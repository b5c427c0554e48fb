//! Azure's known refusals: what they mean, what to do, where to read on. A table; decides only the class.
//! Source of the codes: azure-facts 5.5.

use super::error::Class;

/// One known refusal.
#[derive(Debug)]
pub struct Known {
    /// The codes, compared without case.
    pub codes: &'static [&'static str],
    /// What the message must contain as well (without case), where the code alone says too little; else empty.
    pub says: &'static str,
    /// What it means for a retry; `None`: what the status says.
    pub class: Option<Class>,
    /// A lower-case fragment.
    pub meaning: &'static str,
    /// What to do; empty where waiting is all, and that was done.
    pub remedy: &'static str,
    /// Where to read on; may be empty.
    pub link: &'static str,
}

impl Known {
    /// Remedy and link in one text.
    #[must_use]
    pub fn advice(&self) -> String {
        match (self.remedy.is_empty(), self.link.is_empty()) {
            (false, false) => format!("{} See {}", self.remedy, self.link),
            (true, false) => format!("See {}", self.link),
            _ => self.remedy.to_owned(),
        }
    }
}

/// The entry for a code and its message; entries that look at the message come first.
#[must_use]
pub fn find(code: &str, message: &str) -> Option<&'static Known> {
    let named = || KNOWN.iter().filter(|known| known.codes.iter().any(|c| c.eq_ignore_ascii_case(code)));
    let message = message.to_ascii_lowercase();
    named().find(|known| !known.says.is_empty() && message.contains(known.says)).or_else(|| {
        let mut plain = named().filter(|known| known.says.is_empty());
        plain.next()
    })
}

const fn known(
    codes: &'static [&'static str],
    class: Option<Class>,
    meaning: &'static str,
    remedy: &'static str,
    link: &'static str,
) -> Known {
    Known { codes, says: "", class, meaning, remedy, link }
}

impl Known {
    /// The same, for messages that contain a text only.
    const fn saying(self, says: &'static str) -> Self {
        Self { says, ..self }
    }
}

use Class::{
    Busy, Capacity, Conflict, Denied, InUse, Invalid, Policy, Quota, Replicating, SignIn, Unregistered, Unseen,
};

static KNOWN: &[Known] = &[
    // Somebody else is writing: waiting helps.
    known(
        &["AnotherOperationInProgress", "RetryableError", "ReferencedResourceNotProvisioned"],
        Some(Busy),
        "another operation on this resource is still running",
        "Wait until it ends, or find out in the activity log who started it, then run the command again.",
        "https://learn.microsoft.com/azure/networking/troubleshoot-failed-state",
    ),
    known(
        &["StorageAccountOperationInProgress", "StorageAccountIsNotProvisioned", "FirewallPolicyUpdateFailed"],
        Some(Busy),
        "the resource is being changed by another operation",
        "Run the command again when that one has ended.",
        "",
    ),
    known(
        &["ResourceGroupBeingDeleted", "ResourceGroupDeletionInProgress"],
        Some(Busy),
        "the resource group is being deleted",
        "Wait until it is gone, then run the command again.",
        "",
    ),
    known(
        &["ConflictError", "Conflict", "VaultAlreadyExists"],
        Some(Conflict),
        "a soft-deleted vault holds the name",
        "Recover it or purge it (`az keyvault purge --name NAME`), or choose another name.",
        "https://learn.microsoft.com/azure/key-vault/general/key-vault-recovery",
    )
    .saying("deleted state"),
    known(
        &["Conflict", "ConflictError"],
        Some(Conflict),
        "a soft-deleted workspace holds the name",
        "Recover it in the portal, or purge it (`az ml workspace delete --permanently-delete`).",
        "https://learn.microsoft.com/azure/machine-learning/concept-soft-delete",
    )
    .saying("soft"),
    known(
        &["Conflict"],
        Some(Conflict),
        "another diagnostic setting sends the same data to the same place",
        "Remove the other setting; Azure Policy may have made it.",
        "https://learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings",
    )
    .saying("already used"),
    known(&["ConflictError", "Conflict"], Some(Busy), "two writes met on one vault", "Run the command again.", "")
        .saying("parallel"),
    known(&["ConflictError"], Some(Busy), "two writes met on one vault", "Run the command again.", "")
        .saying("conflict occurred"),
    known(
        &["ConflictError", "Conflict", "OperationInProgress"],
        Some(Busy),
        "another operation is running",
        "Run the command again when it has ended.",
        "",
    )
    .saying("in progress"),
    // A delete that comes too early.
    known(
        &[
            "InUseSubnetCannotBeDeleted",
            "InUseNetworkSecurityGroupCannotBeDeleted",
            "InUseRouteTableCannotBeDeleted",
            "PublicIPAddressCannotBeDeleted",
            "InUsePrivateDnsZoneCannotBeDeleted",
            "FirewallPolicyInUse",
            "NicInUse",
            "CannotDeleteResource",
        ],
        Some(InUse),
        "something still uses the resource",
        "Delete what uses it (Azure's message names it), then run the command again.",
        "",
    ),
    // Replication.
    known(
        &["PrincipalNotFound"],
        Some(Replicating),
        "the identity is not known in the directory",
        "A new identity takes minutes to arrive: run the command again. Otherwise check the object id.",
        "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting",
    ),
    known(
        &["ParentResourceNotFound", "ResourceNotFound", "ResourceGroupNotFound"],
        Some(Unseen),
        "a resource that the request needs is not there",
        "Somebody may have deleted it: plan again.",
        "https://aka.ms/ARMResourceNotFoundFix",
    ),
    // Rights.
    known(
        &["AuthorizationFailed", "LinkedAuthorizationFailed"],
        Some(Denied),
        "you lack the rights",
        "Ask for the role that holds the action named in Azure's message. privaml needs Contributor on the resource \
         group, and Role Based Access Control Administrator for role assignments. New roles take up to ten minutes.",
        "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting",
    ),
    known(
        &["RequestDisallowedByPolicy", "RequestDisallowedByAzure"],
        Some(Policy),
        "a policy of your organisation refuses it",
        "Change the parameters to satisfy the policy, or ask its owner for an exemption.",
        "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy",
    ),
    known(
        &["ScopeLocked"],
        Some(Denied),
        "a management lock protects the resource",
        "Remove the lock named in Azure's message, if you may.",
        "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources",
    ),
    // Limits and stock.
    known(
        &["QuotaExceeded", "OperationNotAllowed", "ResourceCountExceedsLimit", "PublicIPCountLimitReached"],
        Some(Quota),
        "the subscription's quota does not allow it",
        "Ask for more quota in the portal (Subscription, Usage + quotas), or choose a smaller size or another region.",
        "https://learn.microsoft.com/azure/quotas/per-vm-quota-requests",
    ),
    known(
        &["SkuNotAvailable", "NotAvailableForSubscription"],
        Some(Quota),
        "the size is not offered to this subscription in this region",
        "Choose another `jumpbox.size` or `location`; `az vm list-skus --location REGION` shows what is offered.",
        "https://aka.ms/azureskunotavailable",
    ),
    known(
        &["GatewayAllocationFailed", "AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest"],
        Some(Capacity),
        "Azure has no capacity for it at the moment",
        "Run the command again later, or choose another size or region.",
        "https://aka.ms/allocation-guidance",
    ),
    // Names.
    known(
        &["StorageAccountAlreadyTaken", "StorageAccountAlreadyExists", "AlreadyInUse", "VaultAlreadyExists"],
        Some(Conflict),
        "the name is taken, by somebody else or by a soft-deleted twin",
        "Choose another `name`.",
        "",
    ),
    known(
        &["InvalidResourceLocation", "ResourceExistsInDifferentLocation"],
        Some(Conflict),
        "the resource exists in another region, and regions cannot be changed",
        "Destroy it first, or go back to the former `location`.",
        "",
    ),
    known(&["RoleAssignmentExists"], Some(Conflict), "the role is assigned already, under another id", "", ""),
    // Subscription.
    known(
        &["MissingSubscriptionRegistration"],
        Some(Unregistered),
        "the subscription has not registered the resource provider",
        "Register it: `az provider register --namespace NAMESPACE`.",
        "https://aka.ms/rps-not-found",
    ),
    known(
        &["SubscriptionNotFound", "InvalidSubscriptionId"],
        Some(Invalid),
        "there is no such subscription for this account",
        "Check `--subscription` and the account that `privaml whoami` shows.",
        "",
    ),
    known(
        &["ReadOnlyDisabledSubscription", "SubscriptionNotRegistered", "DisallowedProvider"],
        Some(Denied),
        "the subscription does not allow writing",
        "Ask the subscription's owner: it may be disabled, expired or restricted.",
        "https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states",
    ),
    known(
        &["NoRegisteredProviderFound", "InvalidApiVersionParameter", "MissingApiVersionParameter"],
        Some(Invalid),
        "this cloud does not know the API version",
        "Update privaml; on a sovereign or custom cloud the service may lag behind.",
        "",
    ),
    // Sign-in.
    known(
        &["InvalidAuthenticationTokenTenant"],
        Some(SignIn),
        "the token is from another tenant than the subscription",
        "Name the subscription's tenant with `--tenant`; Azure's message holds its id.",
        "",
    ),
    known(
        &["ExpiredAuthenticationToken", "InvalidAuthenticationToken", "AuthenticationFailed"],
        Some(SignIn),
        "Azure does not take the token",
        "Sign in again (`az login`), and check the clock of this machine.",
        "",
    ),
    known(
        &["AADSTS7000215", "AADSTS7000222"],
        Some(SignIn),
        "the application's secret is wrong or has expired",
        "Make a new one (`az ad app credential reset --id APP`) and put its value, not its id, into the variable.",
        "",
    ),
    known(
        &["AADSTS700016", "AADSTS90002"],
        Some(SignIn),
        "the tenant does not know the application, or there is no such tenant",
        "Check client id and tenant id, and `--cloud`.",
        "",
    ),
    known(
        &["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213"],
        Some(SignIn),
        "no federated credential of the application matches the token",
        "Issuer, subject and audience must be as in the job's token, letter for letter.",
        "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust",
    ),
    known(
        &["AADSTS50076", "AADSTS50079", "AADSTS50173", "AADSTS70043", "AADSTS700082", "AADSTS50078"],
        Some(SignIn),
        "the sign-in of the command line tool has expired or needs a second factor",
        "Sign in again: `az login --tenant TENANT`.",
        "",
    ),
    // Machines.
    known(
        &["ImageVersionDeprecated", "PlatformImageNotFound"],
        Some(Invalid),
        "the machine's image is no longer offered",
        "Choose another `jumpbox.image`; `az vm image list --all --publisher PUBLISHER` shows what is offered.",
        "",
    ),
    known(
        &["OSProvisioningTimedOut", "VMExtensionProvisioningError"],
        None,
        "the machine exists, but did not start up as expected",
        "Delete the machine, then apply again.",
        "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshoot-deployment-new-vm-windows",
    ),
    known(
        &["InvalidParameter", "InvalidAdminPassword", "InvalidAdminUsername"],
        Some(Invalid),
        "Azure does not accept a value",
        "Azure's message names the property; correct the parameter behind it.",
        "",
    ),
    // Network.
    known(
        &["NetworkSecurityGroupNotCompliantForAzureBastionSubnet"],
        Some(Invalid),
        "the security group of the Bastion subnet lacks a rule that Bastion requires",
        "",
        "https://learn.microsoft.com/azure/bastion/bastion-nsg",
    ),
    known(
        &["ForbiddenByFirewall"],
        Some(Denied),
        "the vault's firewall refuses callers outside the network",
        "Use the vault from inside the environment.",
        "",
    ),
    known(
        &["GatewayTimeout"],
        None,
        "Azure did not answer in time, and may have carried it out all the same",
        "Run the command again: it continues where Azure stands.",
        "",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_without_case_and_messages_decide() {
        assert_eq!(find("scopelocked", "").unwrap().class, Some(Denied));
        assert_eq!(find("ConflictError", "Exists in Deleted State.").unwrap().class, Some(Conflict));
        assert_eq!(find("ConflictError", "A conflict: parallel write.").unwrap().class, Some(Busy));
        assert!(find("Conflict", "something else").is_none());
        assert!(find("", "").is_none());
    }

    #[test]
    fn fragments_are_fragments_and_links_are_links() {
        for known in KNOWN {
            let first = known.meaning.chars().next().unwrap();
            assert!(first.is_lowercase() || known.meaning.starts_with("Azure"), "{}", known.meaning);
            assert!(!known.meaning.ends_with('.'), "{}", known.meaning);
            assert!(known.remedy.is_empty() || known.remedy.ends_with('.'), "{}", known.remedy);
            assert!(known.link.is_empty() || known.link.starts_with("https://"), "{}", known.link);
            assert_eq!(known.says, known.says.to_lowercase(), "compared with lower-case text");
        }
    }

    #[test]
    fn no_code_stands_twice_without_a_message_to_tell() {
        let mut seen = std::collections::BTreeSet::new();
        for code in KNOWN.iter().filter(|k| k.says.is_empty()).flat_map(|k| k.codes) {
            assert!(seen.insert(code.to_ascii_lowercase()), "{code}");
        }
    }
}
