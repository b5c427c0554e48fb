//! From the words of a flow to places of the model: subnets, machines, services, names. Resolves, decides nothing.

use super::choice::Verdict;
use super::dns::Answer as Dns;
use super::flow::{Flow, Hop};
use super::fqdn;
use super::model::Model;
use super::network::Subnet;
use super::party::{self, Party};
use super::service::Kind;
use super::span::Span;
use super::tag::Tag;
use crate::model::ResourceId;

/// Where a flow starts.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Anybody outside.
    Internet,
    /// In a subnet of the model.
    Subnet {
        /// Which addresses; all ranges of a whole subnet.
        spans: Vec<Span>,
        /// Index of the subnet.
        subnet: usize,
        /// Index of the card, for one machine.
        card: Option<usize>,
    },
    /// A network that is connected but not among the resources.
    Connected(Span),
}

/// Where a flow ends.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its addresses.
    pub party: Party,
    /// Index of the subnet, if it is in one.
    pub subnet: Option<usize>,
    /// Index of the card, for one machine.
    pub card: Option<usize>,
    /// Index of the private endpoint.
    pub endpoint: Option<usize>,
    /// Index of the service.
    pub service: Option<usize>,
    /// The name that was asked for.
    pub host: Option<String>,
}

impl Target {
    const fn at(party: Party) -> Self {
        Self { party, subnet: None, card: None, endpoint: None, service: None, host: None }
    }
}

/// What a destination's text means before any DNS.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    /// Addresses.
    Place(Vec<Target>),
    /// A name to be resolved.
    Host(String),
    /// A service, by its id: index and the name to be resolved.
    Service(usize, String),
    /// Azure Bastion.
    Bastion(usize),
    /// The firewall, seen from outside.
    Firewall(usize),
}

impl Model {
    /// Reads `from`.
    pub(super) fn source(&self, text: &str) -> Result<Source, String> {
        if text.eq_ignore_ascii_case("internet") {
            return Ok(Source::Internet);
        }
        if let Some(at) = self.named_subnet(text).or_else(|| self.short_subnet(text)) {
            let spans = self.subnets[at].ranges.clone();
            if spans.is_empty() {
                return Err(format!("the subnet {text} has no IPv4 range"));
            }
            return Ok(Source::Subnet { spans, subnet: at, card: None });
        }
        if let Some(card) = self.machine(text) {
            let (span, subnet) = self.card_place(card).ok_or_else(|| format!("the subnet of {text} is not known"))?;
            return Ok(Source::Subnet { spans: vec![span], subnet, card: Some(card) });
        }
        let span = Span::parse(text).filter(|span| span.is_one());
        let span = span.ok_or_else(|| format!("no subnet is called {text}, and it is no address"))?;
        if let Some(subnet) = self.subnet_at(span) {
            return Ok(Source::Subnet { spans: vec![span], subnet, card: self.card_at(span) });
        }
        let peers = self.networks.iter().flat_map(|network| &network.peerings).flat_map(|peering| &peering.ranges);
        if peers.chain(&self.on_premises).any(|range| range.contains(span)) {
            return Ok(Source::Connected(span));
        }
        Err(format!("the address {span} is in no subnet of these resources"))
    }

    /// Whether a short word names something here.
    pub(super) fn has(&self, word: &str) -> bool {
        let service = self.services.iter().any(|service| service.kind.word() == word);
        let rest = match word {
            "bastion" => !self.bastions.is_empty(),
            "firewall" => !self.firewalls.is_empty(),
            _ => self.source(word).is_ok(),
        };
        service || rest
    }

    /// Reads `to`.
    pub(super) fn aim(&self, flow: &Flow) -> Result<Aim, String> {
        let text = flow.to.as_str();
        if let Some(name) = strip(text, "subnet:") {
            return self
                .named_subnet(name)
                .map(|at| self.whole(at))
                .ok_or_else(|| format!("no subnet is called {name}"));
        }
        if let Some(name) = strip(text, "tag:") {
            let tag = Tag::new(name);
            if !tag.is("Internet") {
                return Ok(Aim::Place(vec![Target::at(Party::Tag(tag))]));
            }
        }
        if text.eq_ignore_ascii_case("internet") || text.eq_ignore_ascii_case("tag:internet") {
            return Ok(Aim::Place(vec![Target::at(Party::Internet)]));
        }
        if text.starts_with('/') {
            return self
                .by_id(&ResourceId::new(text), flow)
                .ok_or_else(|| format!("{text} is not among the resources"));
        }
        if let Some(span) = Span::parse(text) {
            return Ok(Aim::Place(vec![self.at(span)]));
        }
        if text.contains(':') {
            return Err("IPv6 is not evaluated".to_owned());
        }
        if let Some(aim) = self.short(text, flow) {
            return Ok(aim);
        }
        Ok(Aim::Host(fqdn::host(text)))
    }

    /// A subnet by name, `network/name` or id.
    fn named_subnet(&self, text: &str) -> Option<usize> {
        let text = strip(text, "subnet:").unwrap_or(text);
        if text.starts_with('/') {
            return self.subnet(&ResourceId::new(text).key());
        }
        let (network, name) = text.split_once('/').map_or((None, text), |(network, name)| (Some(network), name));
        let in_network = |subnet: &Subnet| {
            network.is_none_or(|name| self.networks[subnet.network].id.name().eq_ignore_ascii_case(name))
        };
        self.subnets.iter().position(|subnet| subnet.is(name) && in_network(subnet))
    }

    /// Short words for the subnets of an environment of this kind.
    fn short_subnet(&self, text: &str) -> Option<usize> {
        let name = match text.to_ascii_lowercase().as_str() {
            "shared" => "SharedSubnet",
            "bastion" => "AzureBastionSubnet",
            "firewall" => "AzureFirewallSubnet",
            _ => return None,
        };
        self.subnets.iter().position(|subnet| subnet.is(name))
    }

    /// A machine's card by the machine's id or name, the card's id, or `jumpbox`.
    fn machine(&self, text: &str) -> Option<usize> {
        let is = |key: &str| {
            if text.starts_with('/') {
                key == ResourceId::new(text).key()
            } else {
                key.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(text))
            }
        };
        let of = |card: &super::network::Card| card.machine.as_deref().is_some_and(is) || is(&card.id.key());
        let found = self.cards.iter().position(of);
        found.or_else(|| {
            let only = text.eq_ignore_ascii_case("jumpbox");
            self.cards.iter().position(|card| card.machine.is_some()).filter(|_| only)
        })
    }

    /// A machine's address, or its subnet's range while Azure has not chosen one.
    fn card_place(&self, card: usize) -> Option<(Span, usize)> {
        let card = &self.cards[card];
        let subnet = self.subnet(&card.subnet)?;
        let span = card.addresses.first().copied().or_else(|| self.subnets[subnet].span())?;
        Some((span, subnet))
    }

    fn whole(&self, at: usize) -> Aim {
        let target = |span: &Span| Target { subnet: Some(at), ..Target::at(Party::Within(*span)) };
        Aim::Place(self.subnets[at].ranges.iter().map(target).collect())
    }

    /// Whatever has this address.
    pub(super) fn at(&self, span: Span) -> Target {
        let endpoint = self.endpoint_at(span);
        Target {
            subnet: self.subnet_at(span),
            card: if endpoint.is_some() { None } else { self.card_at(span) },
            endpoint,
            ..Target::at(Party::Within(span))
        }
    }

    fn by_id(&self, id: &ResourceId, flow: &Flow) -> Option<Aim> {
        let key = id.key();
        if let Some(at) = self.services.iter().position(|service| service.id == *id) {
            return Some(self.aim_service(at, flow));
        }
        if let Some(at) = self.subnet(&key) {
            return Some(self.whole(at));
        }
        if let Some(card) = self.machine(&key) {
            let (span, subnet) = self.card_place(card)?;
            let target = Target { subnet: Some(subnet), card: Some(card), ..Target::at(Party::Within(span)) };
            return Some(Aim::Place(vec![target]));
        }
        if let Some(at) = self.endpoints.iter().position(|endpoint| endpoint.id == *id) {
            return Some(Aim::Place(vec![self.endpoint_target(at, None)?]));
        }
        let holds = |publics: &[String]| publics.contains(&key);
        let bastion = |b: &super::network::Bastion| b.id == *id || b.public.as_ref() == Some(&key);
        if let Some(at) = self.bastions.iter().position(bastion) {
            return Some(Aim::Bastion(at));
        }
        self.firewalls.iter().position(|f| f.id == *id || holds(&f.publics)).map(Aim::Firewall)
    }

    /// The name by which a service is reached on this port: file shares speak on 445, everything else is blobs.
    fn aim_service(&self, at: usize, flow: &Flow) -> Aim {
        let service = &self.services[at];
        let face = if service.kind == Kind::Storage && flow.port == Some(445) { "file" } else { "" };
        let host = service.hosts.iter().find(|host| host.face == face).or_else(|| service.hosts.first());
        Aim::Service(at, host.map(|host| host.name.clone()).unwrap_or_default())
    }

    fn short(&self, text: &str, flow: &Flow) -> Option<Aim> {
        let word = text.to_ascii_lowercase();
        if let Some(at) = self.services.iter().position(|service| service.kind.word() == word) {
            return Some(self.aim_service(at, flow));
        }
        if word == "bastion" && !self.bastions.is_empty() {
            return Some(Aim::Bastion(0));
        }
        if word == "firewall" && !self.firewalls.is_empty() {
            return Some(Aim::Firewall(0));
        }
        if let Some(at) = self.short_subnet(text).or_else(|| self.named_subnet(text)) {
            return Some(self.whole(at));
        }
        if word.contains('.') {
            return None;
        }
        let card = self.machine(text)?;
        let (span, subnet) = self.card_place(card)?;
        let target = Target { subnet: Some(subnet), card: Some(card), ..Target::at(Party::Within(span)) };
        Some(Aim::Place(vec![target]))
    }

    /// A private endpoint as a target: its address, or anywhere in its subnet.
    pub(super) fn endpoint_target(&self, at: usize, address: Option<Span>) -> Option<Target> {
        let endpoint = &self.endpoints[at];
        let subnet = self.subnet(&endpoint.subnet)?;
        let known = match endpoint.addresses.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        let span = address.or(known).or_else(|| self.subnets[subnet].span())?;
        Some(Target { subnet: Some(subnet), endpoint: Some(at), ..Target::at(Party::Within(span)) })
    }

    /// Which services a name belongs to: index of the service.
    pub(super) fn service_of(&self, host: &str) -> Option<usize> {
        self.hosts.get(host).map(|(service, _)| *service)
    }

    /// What a name is for a machine in `subnet`; several answers where DNS itself is not evaluated. `None` as a
    /// target means that there is no such name.
    pub(super) fn resolve(&self, subnet: usize, host: &str, service: Option<usize>) -> Vec<(Hop, Option<Target>)> {
        let own = self.subnets[subnet].network;
        let network = &self.networks[own];
        match self.dns_view(own) {
            Ok(view) => vec![self.answer(view, host, service)],
            Err(why) => {
                let doubt = |(mut hop, target): (Hop, Option<Target>)| {
                    hop.says = format!("{}, if the DNS servers ask Azure ({why})", hop.says);
                    (hop, target)
                };
                let public =
                    hop_dns(&network.id, Verdict::Allow, format!("{host} is public, if they do not ({why})"), None);
                vec![doubt(self.answer(own, host, service)), (public, Some(self.public_host(host, service)))]
            }
        }
    }

    /// The network whose links count: a firewall that answers DNS asks in its own.
    fn dns_view(&self, network: usize) -> Result<usize, String> {
        let azure = |servers: &[String]| servers.iter().all(|server| server == "168.63.129.16");
        let servers = &self.networks[network].dns;
        if azure(servers) {
            return Ok(network);
        }
        let proxy = |server: &String| {
            let address = Span::parse(server);
            self.firewalls.iter().find(|f| f.proxy && f.address.is_some() && f.address == address && azure(&f.dns))
        };
        let proxies: Option<Vec<_>> = servers.iter().map(proxy).collect();
        let subnet = proxies.and_then(|all| all.first()?.subnet.clone()).and_then(|key| self.subnet(&key));
        subnet.map(|at| self.subnets[at].network).ok_or_else(|| format!("not evaluated: {}", servers.join(", ")))
    }

    fn answer(&self, network: usize, host: &str, service: Option<usize>) -> (Hop, Option<Target>) {
        let name = self.hosts.get(host).map(|(at, which)| &self.services[*at].hosts[*which]);
        // Azure sets the alias as soon as the service has a private endpoint for that face.
        let cname =
            name.filter(|name| self.has_endpoint(service, name.face)).map(|n| (n.zone.as_str(), n.record.as_str()));
        let id = &self.networks[network].id;
        match super::dns::ask(&self.zones, &id.key(), host, cname) {
            Dns::Private { zone, record } => {
                let zone = &self.zones[zone];
                let address = record.addresses.first().copied();
                let target = match record.endpoint {
                    Some(at) => self.endpoint_target(at, address),
                    None => address.map(|span| self.at(span)),
                };
                let at = target.as_ref().map_or_else(|| "nothing".to_owned(), |t| t.party.to_string());
                let says = format!("{host} resolves to a private address ({at}) by the zone {}", zone.name);
                let target = target.map(|t| Target { host: Some(host.to_owned()), service, ..t });
                let verdict = if target.is_some() { Verdict::Allow } else { Verdict::Unknown };
                (hop_dns(&zone.id, verdict, says, Some(host)), target)
            }
            Dns::Missing { zone } => {
                let zone = &self.zones[zone];
                let says =
                    format!("{host} does not resolve: the zone {} is linked and has no record for it", zone.name);
                (hop_dns(&zone.id, Verdict::Deny, says, Some(host)), None)
            }
            Dns::Public => {
                let says = match cname {
                    Some((zone, _)) => format!("{host} resolves to its public address: no zone {zone} is linked"),
                    None => format!("{host} resolves to its public address"),
                };
                (hop_dns(id, Verdict::Allow, says, None), Some(self.public_host(host, service)))
            }
        }
    }

    fn has_endpoint(&self, service: Option<usize>, face: &str) -> bool {
        let Some(service) = service.map(|at| &self.services[at]) else { return false };
        let behind = |endpoint: &super::endpoint::Endpoint| {
            endpoint.target == service.id || service.scopes.contains(&endpoint.target)
        };
        self.endpoints.iter().any(|e| behind(e) && e.groups.iter().any(|group| group == face))
    }

    fn public_host(&self, host: &str, service: Option<usize>) -> Target {
        let party = match service.map(|at| &self.services[at]) {
            Some(own) => Party::Host(Some(Tag::regional(own.kind.tag(), own.location.as_deref()))),
            None => party::of_host(host),
        };
        Target { service, host: Some(host.to_owned()), ..Target::at(party) }
    }
}

fn hop_dns(resource: &ResourceId, verdict: Verdict, says: String, rule: Option<&str>) -> Hop {
    Hop { step: "dns", resource: Some(resource.clone()), rule: rule.map(ToOwned::to_owned), verdict, says }
}

fn strip<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}
