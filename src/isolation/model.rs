//! The compiled environment: everything that decides over a flow, looked up by key. Built from bodies once; asked often.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dns::{self, Zone};
use super::endpoint::{self, Endpoint};
use super::firewall::{self, Firewall};
use super::network::{self, Bastion, Card, EndpointPolicy, Network, PublicAddress, Subnet};
use super::notes::{Note, Notes};
use super::nsg::{self, SecurityGroup};
use super::party::{HOST_ADDRESS, Scope};
use super::read::{Bodies, text};
use super::route::{self, NextHop, Prefix, Route, RouteTable};
use super::service::{self, Service};
use super::span::{Ranges, Span};
use crate::model::{Desired, ResourceId};

/// One environment.
#[derive(Debug)]
pub struct Model {
    pub(super) networks: Vec<Network>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) groups: BTreeMap<String, SecurityGroup>,
    pub(super) tables: BTreeMap<String, RouteTable>,
    pub(super) firewalls: Vec<Firewall>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) zones: Vec<Zone>,
    pub(super) services: Vec<Service>,
    pub(super) cards: Vec<Card>,
    pub(super) publics: Vec<PublicAddress>,
    pub(super) bastions: Vec<Bastion>,
    pub(super) policies: BTreeMap<String, EndpointPolicy>,
    pub(super) on_premises: Vec<Span>,
    /// Load balancers and application gateways, which are not evaluated and may bring traffic in.
    pub(super) fronts: Vec<ResourceId>,
    /// Routes by subnet, in the order in which they are tried.
    pub(super) routes: Vec<Vec<Route>>,
    /// What tags mean, by subnet.
    pub(super) scopes: Vec<Scope>,
    /// Host name → service and which of its names.
    pub(super) hosts: BTreeMap<String, (usize, usize)>,
    /// The bodies' own facts that findings look at and flows do not.
    pub(super) facts: Vec<(ResourceId, Value)>,
    /// Whether some policy filters the names that Azure's DNS resolves.
    pub(super) has_dns_policy: bool,
    notes: Vec<Note>,
}

/// Types whose bodies findings and the comparison of switches look at.
const KEPT: [&str; 10] = [
    "microsoft.storage/storageaccounts",
    "microsoft.keyvault/vaults",
    "microsoft.containerregistry/registries",
    "microsoft.machinelearningservices/workspaces",
    "microsoft.machinelearningservices/workspaces/computes",
    "microsoft.compute/virtualmachines",
    "microsoft.network/bastionhosts",
    "microsoft.insights/privatelinkscopes",
    "microsoft.insights/components",
    "microsoft.operationalinsights/workspaces",
];

impl Model {
    /// Compiles bodies as ARM returns them: `id` and `properties` each; without an `id` a body is passed over.
    pub fn of_bodies<'a>(bodies: impl IntoIterator<Item = &'a Value>) -> Self {
        let with_id = |body: &'a Value| Some((ResourceId::new(text(body, "/id")?), body));
        Self::new(bodies.into_iter().filter_map(with_id))
    }

    /// Compiles planned resources.
    #[must_use]
    pub fn of_plan(plan: &[Desired]) -> Self {
        Self::new(plan.iter().map(|one| (one.id.clone(), &one.body)))
    }

    /// Compiles bodies with their ids.
    pub fn new<'a>(all: impl IntoIterator<Item = (ResourceId, &'a Value)>) -> Self {
        let bodies = Bodies::new(all);
        let mut notes = Notes::default();
        network::strangers(&bodies, &mut notes);
        let networks = network::networks(&bodies, &mut notes);
        let subnets = network::subnets(&bodies, &networks);
        let by_id = |groups: Vec<SecurityGroup>| groups.into_iter().map(|group| (group.id.key(), group)).collect();
        let groups: BTreeMap<String, SecurityGroup> = by_id(nsg::read(&bodies, &mut notes));
        let tables: BTreeMap<_, _> = route::read(&bodies).into_iter().map(|table| (table.id.key(), table)).collect();
        let endpoints = endpoint::read(&bodies);
        let services = service::read(&bodies, &mut notes);
        let zones = dns::read(&bodies, &endpoints, &services, &mut notes);
        let policies =
            network::endpoint_policies(&bodies).into_iter().map(|policy| (policy.id.key(), policy)).collect();
        let fronts = ["Microsoft.Network/loadBalancers", "Microsoft.Network/applicationGateways"];
        let mut model = Self {
            firewalls: firewall::read(&bodies, &mut notes),
            cards: network::cards(&bodies),
            publics: network::publics(&bodies),
            bastions: network::bastions(&bodies),
            on_premises: network::on_premises(&bodies, &networks, &mut notes),
            fronts: fronts.iter().flat_map(|t| bodies.of(t)).map(|item| item.id.clone()).collect(),
            routes: Vec::new(),
            scopes: Vec::new(),
            hosts: BTreeMap::new(),
            facts: kept(&bodies),
            has_dns_policy: !bodies.of("Microsoft.Network/dnsResolverPolicies/virtualNetworkLinks").is_empty(),
            notes: Vec::new(),
            networks,
            subnets,
            groups,
            tables,
            endpoints,
            zones,
            services,
            policies,
        };
        model.place_firewalls();
        model.derive(&mut notes);
        model.notes = notes.finish();
        model
    }

    /// Azure keeps the first four addresses of a subnet and gives the firewall the next one; a live body says it.
    fn place_firewalls(&mut self) {
        for firewall in &mut self.firewalls {
            let subnet = firewall.subnet.as_ref().and_then(|key| self.subnets.iter().find(|s| s.id.key() == *key));
            let expected = subnet
                .and_then(Subnet::span)
                .map(|span| Span { lo: span.lo.saturating_add(4), hi: span.lo.saturating_add(4) });
            firewall.address = firewall.address.or(expected);
        }
    }

    fn derive(&mut self, notes: &mut Notes) {
        for subnet in &self.subnets {
            let network = &self.networks[subnet.network];
            let table = subnet.table.as_ref().and_then(|key| self.tables.get(key));
            for (what, key) in [("routeTable", &subnet.table), ("networkSecurityGroup", &subnet.group)] {
                let Some(key) = key else { continue };
                if !self.tables.contains_key(key) && !self.groups.contains_key(key) {
                    notes.add(&subnet.id, what, &format!("{key}, which is not among the resources"));
                }
            }
            let routes = route::effective(network, subnet, table, &self.on_premises);
            self.scopes.push(scope(network, &self.on_premises, &routes));
            self.routes.push(routes);
        }
        for (at, service) in self.services.iter().enumerate() {
            for (which, host) in service.hosts.iter().enumerate() {
                self.hosts.insert(host.name.clone(), (at, which));
            }
        }
    }

    /// What is not evaluated.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Whether there is nothing to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.services.is_empty() && self.firewalls.is_empty()
    }

    /// Where it stands: the first network's region, else the first service's.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        let networks = self.networks.iter().filter_map(|network| network.location.as_deref());
        networks.chain(self.services.iter().filter_map(|service| service.location.as_deref())).next()
    }

    /// Names of the subnets, for messages.
    #[must_use]
    pub fn subnet_names(&self) -> Vec<&str> {
        self.subnets.iter().map(Subnet::name).collect()
    }

    /// Index of the subnet with that key.
    pub(super) fn subnet(&self, key: &str) -> Option<usize> {
        self.subnets.iter().position(|subnet| subnet.id.key() == key)
    }

    /// Index of the subnet that holds all of `span`.
    pub(super) fn subnet_at(&self, span: Span) -> Option<usize> {
        self.subnets.iter().position(|subnet| subnet.ranges.iter().any(|range| range.contains(span)))
    }

    /// Index of the card with that address.
    pub(super) fn card_at(&self, span: Span) -> Option<usize> {
        self.cards.iter().position(|card| span.is_one() && card.addresses.contains(&span))
    }

    /// Index of the private endpoint with that address.
    pub(super) fn endpoint_at(&self, span: Span) -> Option<usize> {
        self.endpoints.iter().position(|endpoint| span.is_one() && endpoint.addresses.contains(&span))
    }

    /// Whether two networks are one, or peers.
    pub(super) fn are_joined(&self, one: usize, other: usize) -> bool {
        let key = self.networks[other].id.key();
        one == other || self.networks[one].peerings.iter().any(|peering| peering.connected && peering.remote == key)
    }

    /// The public address with that key.
    pub(super) fn public(&self, key: &str) -> Option<&PublicAddress> {
        self.publics.iter().find(|public| public.id.key() == key)
    }

    /// Whether a group or table that a subnet names is missing among the resources.
    pub(super) fn is_blind(&self, subnet: usize) -> Option<String> {
        let subnet = &self.subnets[subnet];
        let missing = |key: &Option<String>, there: &dyn Fn(&String) -> bool| key.clone().filter(|key| !there(key));
        missing(&subnet.group, &|key| self.groups.contains_key(key))
            .or_else(|| missing(&subnet.table, &|key| self.tables.contains_key(key)))
    }
}

fn kept(bodies: &Bodies) -> Vec<(ResourceId, Value)> {
    let wanted = bodies.types().filter(|(name, _)| KEPT.contains(name));
    wanted.flat_map(|(_, items)| items.iter().map(|item| (item.id.clone(), item.body.clone()))).collect()
}

/// The tag `VirtualNetwork`: the network, its peers, what lies behind gateways, the host, and the prefixes of user
/// routes to an appliance or gateway, the default route included (service-tags overview; `azure-facts` 4.8).
fn scope(network: &Network, on_premises: &[Span], routes: &[Route]) -> Scope {
    let peers = network.peerings.iter().filter(|peering| peering.connected && peering.trusted);
    let peers = peers.flat_map(|peering| peering.ranges.iter().copied());
    let behind = on_premises.iter().copied().filter(|_| network.has_gateway);
    let own: Vec<Span> = network.ranges.iter().copied().chain(peers).chain(behind).collect();
    let steered = routes.iter().filter_map(|route| match (&route.prefix, &route.hop, route.origin) {
        (Prefix::Span(span), NextHop::Appliance(_) | NextHop::Gateway, route::Origin::User) => Some(*span),
        _ => None,
    });
    Scope { wide: Ranges::new(own.iter().copied().chain(steered).chain([HOST_ADDRESS])), network: Ranges::new(own) }
}
