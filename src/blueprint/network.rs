//! The network with its subnets, their security groups and the route to the firewall. All of it is there at once:
//! until the firewall runs, traffic of the shared subnet has nowhere to go.

use super::data::{Access, Direction, SECURITY, SecurityRule};
use super::scene::{Scene, desired};
use crate::kind::{network_security_group, route_table, service_endpoint_policy, virtual_network};
use crate::model::Desired;

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let names = &scene.names;
    let policy = service_endpoint_policy::body(scene.place(), &names.storage());
    vec![
        security_group(scene, "shared", "nsg-shared"),
        security_group(scene, "bastion", "nsg-bastion-subnet"),
        desired("route_table", "core", names.route_table(), route_table::body(scene.place(), scene.firewall_address())),
        virtual_network(scene),
        // There in both profiles and used in one, so that a switch between them changes in place only.
        desired("service_endpoint_policy", "storage", names.service_endpoint_policy(), policy),
    ]
}

fn security_group(scene: &Scene, of: &str, name: &str) -> Desired {
    let here = |rule: &&SecurityRule| rule.group == of && rule.profiles.contains(&scene.config.profile);
    let rules: Vec<_> =
        SECURITY.rule.iter().filter(here).filter(|rule| !rule.default).map(|r| filled(scene, r)).collect();
    let body = network_security_group::body(scene.place(), &rules);
    desired("network_security_group", of, scene.names.security_group(name), body)
}

fn filled(scene: &Scene, rule: &SecurityRule) -> network_security_group::Rule {
    let fill = |texts: &[String]| texts.iter().map(|text| scene.fill(text)).collect();
    network_security_group::Rule {
        name: rule.name.clone(),
        description: rule.reason.clone(),
        priority: rule.priority,
        inbound: rule.direction == Direction::Inbound,
        allow: rule.access == Access::Allow,
        protocol: rule.protocol.clone(),
        from: fill(&rule.from),
        to: fill(&rule.to),
        ports: rule.ports.clone(),
    }
}

fn virtual_network(scene: &Scene) -> Desired {
    let (names, ranges) = (&scene.names, &scene.config.network);
    let bare = |name, range| virtual_network::Subnet {
        name,
        range,
        security_group: None,
        route_table: None,
        storage_policy: None,
        private_endpoints: false,
    };
    let subnets = [
        bare("AzureFirewallSubnet", ranges.firewall),
        virtual_network::Subnet {
            security_group: Some(names.security_group("nsg-bastion-subnet")),
            ..bare("AzureBastionSubnet", ranges.bastion)
        },
        virtual_network::Subnet {
            security_group: Some(names.security_group("nsg-shared")),
            route_table: Some(names.route_table()),
            storage_policy: scene.is_hardened().then(|| names.service_endpoint_policy()),
            private_endpoints: true,
            ..bare("SharedSubnet", ranges.shared)
        },
    ];
    let body = virtual_network::body(scene.place(), scene.config.vnet_address_space, &subnets);
    desired("virtual_network", "core", names.vnet(), body)
}
