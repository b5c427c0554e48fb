//! Ways in which data may leave an environment that does what it promises, each with a stable number, proof and remedy.
//! Judges a model; reads nothing else.

use super::asked::{Asked, Consent};
use super::fqdn::Pattern;
use super::model::Model;
use super::rule_leaks::{
    any_destination, broad_tags, hosts, inbound, is_writable, network_tag, no_effect, redundant, serves_any_tenant,
    studio,
};
use super::setting_leaks::{anonymous, bastion_copy, bastion_tunnel, bypasses, dns_open, fallback, keys, launch, logs};
use super::verdicts::{Evidence, Finding, Weight};

/// What is said of a kind of finding, whatever the environment.
struct Card {
    id: &'static str,
    name: &'static str,
    title: &'static str,
    weight: Weight,
    proof: &'static str,
    remedy: &'static str,
    find: fn(&Model) -> Vec<Evidence>,
}

/// Numbers never change and are never used again.
const CARDS: [Card; 19] = [
    Card {
        id: "EXF001",
        name: "broad-service-tag",
        title: "A service tag opens every tenant's resources of a service.",
        weight: Weight::Warning,
        proof: "A storage account or registry of a stranger in the same region has an address of the tag: copy there.",
        remedy: "Reach your own by private endpoint; use a service endpoint policy for what Azure ML owns.",
        find: broad_tags,
    },
    Card {
        id: "EXF002",
        name: "undotted-wildcard",
        title: "A pattern without a dot also matches names that merely end so.",
        weight: Weight::Warning,
        proof: "Register evil<name>, point it anywhere, and the firewall lets it through.",
        remedy: "Write `*.name` and `name` instead of `*name`.",
        find: |model| hosts(model, Pattern::is_undotted, "also matches the names of strangers that end so"),
    },
    Card {
        id: "EXF003",
        name: "dns-open",
        title: "Azure's DNS resolves every name, and so carries data out.",
        weight: Weight::Residual,
        proof: "Queries for labels below a stranger's domain reach its server; about 100 MB in 2.5 hours were shown.",
        remedy: "Add a DNS security policy with an allowlist to the network.",
        find: dns_open,
    },
    Card {
        id: "EXF004",
        name: "studio-cross-workspace",
        title: "The studio and the Azure ML tag reach other workspaces.",
        weight: Weight::Residual,
        proof: "Sign in at ml.azure.com, open a workspace outside, upload.",
        remedy: "Restrict tenants (Entra tenant restrictions), and who may use workspaces outside.",
        find: studio,
    },
    Card {
        id: "EXF005",
        name: "any-destination",
        title: "A network rule lets a protocol through to anywhere.",
        weight: Weight::Warning,
        proof: "Speak that protocol, or anything else on its port, to a machine of your own.",
        remedy: "Remove the rule, or name the destination; Azure machines take their time from the host.",
        find: any_destination,
    },
    Card {
        id: "EXF006",
        name: "inbound-from-internet",
        title: "A security group lets the Internet in.",
        weight: Weight::Warning,
        proof: "The day a machine there gets a public address, the port is open.",
        remedy: "Remove the rule; computes without a public address need no inbound port.",
        find: inbound,
    },
    Card {
        id: "EXF007",
        name: "writable-host",
        title: "A host is open to which anybody may write.",
        weight: Weight::Warning,
        proof: "Push, publish or upload with an account of your own.",
        remedy: "Remove the entry, or mirror what is needed inside.",
        find: |model| hosts(model, is_writable, "takes uploads of anybody"),
    },
    Card {
        id: "EXF008",
        name: "no-effect",
        title: "An entry has no effect.",
        weight: Weight::Warning,
        proof: "It opens nothing, and makes the list look longer than it is.",
        remedy: "Remove it.",
        find: no_effect,
    },
    Card {
        id: "EXF009",
        name: "redundant",
        title: "An entry is covered by another one.",
        weight: Weight::Residual,
        proof: "Removing it closes nothing: the other stays.",
        remedy: "Remove the narrower entry, or better the wider one.",
        find: redundant,
    },
    Card {
        id: "EXF010",
        name: "shared-keys",
        title: "A key that anybody may copy opens a service.",
        weight: Weight::Warning,
        proof: "A key or a link signed with it works for everybody who reaches the service, and leaves no name.",
        remedy: "Switch shared keys, the admin user and local accounts off; use identities.",
        find: keys,
    },
    Card {
        id: "EXF011",
        name: "no-trusted-launch",
        title: "A machine starts without trusted launch.",
        weight: Weight::Warning,
        proof: "A changed boot chain is not noticed.",
        remedy: "Set securityProfile to TrustedLaunch with secure boot and virtual TPM.",
        find: launch,
    },
    Card {
        id: "EXF012",
        name: "trusted-services",
        title: "Microsoft's trusted services come in past the switches of a service.",
        weight: Weight::Residual,
        proof: "A trusted service that acts for somebody with rights reaches the data from outside.",
        remedy: "Name the workspace in resourceAccessRules instead of AzureServices, where the service can.",
        find: bypasses,
    },
    Card {
        id: "EXF013",
        name: "bastion-copy",
        title: "Bastion lets the clipboard through.",
        weight: Weight::Residual,
        proof: "Copy in the jumpbox, paste outside.",
        remedy: "Bastion Standard or Premium, with disableCopyPaste.",
        find: bastion_copy,
    },
    Card {
        id: "EXF014",
        name: "any-tenant",
        title: "Sign-in, management and Graph serve every tenant.",
        weight: Weight::Residual,
        proof: "Sign in to a tenant of your own and write data as properties, tags or files there.",
        remedy: "Tenant restrictions of Entra ID.",
        find: |model| hosts(model, serves_any_tenant, "serves every tenant"),
    },
    Card {
        id: "EXF015",
        name: "network-tag-open",
        title: "A security rule means the network and covers the Internet.",
        weight: Weight::Warning,
        proof: "With a default route to an appliance the tag VirtualNetwork holds 0.0.0.0/0: only the firewall decides.",
        remedy: "Write the ranges of the subnets, and deny the rest before Azure's own rules.",
        find: network_tag,
    },
    Card {
        id: "EXF016",
        name: "anonymous-read",
        title: "A service may hand data to callers without a name.",
        weight: Weight::Warning,
        proof: "Make a container or repository public; whoever reaches the service reads it.",
        remedy: "allowBlobPublicAccess = false; anonymousPullEnabled = false.",
        find: anonymous,
    },
    Card {
        id: "EXF017",
        name: "open-logs",
        title: "Logs are read or written from outside.",
        weight: Weight::Residual,
        proof: "Send data as log lines from inside, query them from outside.",
        remedy: "Switch public query and ingestion off, and use the private link scope in mode PrivateOnly.",
        find: logs,
    },
    Card {
        id: "EXF018",
        name: "dns-fallback",
        title: "A private zone falls back to public DNS.",
        weight: Weight::Warning,
        proof: "Names of strangers' accounts resolve although the zone is linked.",
        remedy: "resolutionPolicy = Default on the link.",
        find: fallback,
    },
    Card {
        id: "EXF019",
        name: "bastion-tunnel",
        title: "Bastion opens more than a screen: files, tunnels, links or addresses.",
        weight: Weight::Warning,
        proof: "Copy files, tunnel any port through a native client, or hand a link to somebody without an account.",
        remedy: "Switch enableFileCopy, enableTunneling, enableShareableLink and enableIpConnect off.",
        find: bastion_tunnel,
    },
];

/// Numbers and names of all findings that there are.
pub fn finding_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    CARDS.iter().map(|card| (card.id, card.name))
}

/// Everything that is found, with the consents that count.
pub(super) fn all(model: &Model, asked: &Asked) -> Vec<Finding> {
    let find = |card: &Card| {
        let evidence = (card.find)(model);
        let Consent { accepted, expired } = asked.consent(card.id);
        (!evidence.is_empty()).then_some(Finding {
            id: card.id,
            name: card.name,
            title: card.title,
            weight: card.weight,
            evidence,
            proof: card.proof,
            remedy: card.remedy,
            accepted,
            expired,
        })
    };
    CARDS.iter().filter_map(find).collect()
}

#[cfg(test)]
mod tests;
