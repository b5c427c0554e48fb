//! Who is built on whom: edges from parents, mentioned ids, late values and `after`. Orders no steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Address, Desired, Known, ResourceId};

/// Edges from each resource to what it needs; every end is a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Graph {
    edges: BTreeMap<Address, BTreeSet<Address>>,
    /// The part of `edges` that parent and body show.
    built_on: BTreeMap<Address, BTreeSet<Address>>,
}

/// A node of a graph, wherever it comes from.
struct Node<'a> {
    address: &'a Address,
    body: Desired,
    after: &'a [Address],
}

impl Graph {
    /// The graph of what should be.
    pub(super) fn of_desired(desired: &[Desired]) -> Self {
        let nodes = desired.iter().map(|d| Node { address: &d.address, body: d.clone(), after: &d.after });
        Self::of_nodes(&nodes.collect::<Vec<_>>())
    }

    /// The graph of what exists: what was remembered, and what the bodies show. Old and new entries may contradict
    /// each other; an edge that would close a cycle is dropped, so that a destroy always has an order.
    pub(super) fn of_known<'a>(known: impl IntoIterator<Item = (&'a Address, &'a Known)>) -> Self {
        let nodes: Vec<Node<'a>> = known
            .into_iter()
            .map(|(address, known)| {
                let (id, body) = (known.id.clone(), known.applied.clone());
                let body = Desired { address: address.clone(), id, body, after: Vec::new() };
                Node { address, body, after: &known.needs }
            })
            .collect();
        let full = Self::of_nodes(&nodes);
        let mut graph =
            Self { edges: full.edges.keys().map(|a| (a.clone(), BTreeSet::new())).collect(), ..Self::default() };
        for (from, needs) in full.edges {
            for to in needs {
                if !graph.reaches(&to, &from) {
                    graph.edges.entry(from.clone()).or_default().insert(to);
                }
            }
        }
        graph
    }

    fn of_nodes(nodes: &[Node<'_>]) -> Self {
        let by_id: BTreeMap<&ResourceId, &Address> = nodes.iter().map(|n| (&n.body.id, n.address)).collect();
        let is_node: BTreeSet<&Address> = nodes.iter().map(|n| n.address).collect();
        let mut graph = Self::default();
        for node in nodes {
            let ids = node.body.mentions().into_iter().chain(node.body.id.parent());
            let near = ids.filter_map(|id| nearest(&by_id, id));
            let lates = node.body.lates().into_iter().map(|late| late.of);
            let keep = |a: &Address| a != node.address && is_node.contains(a);
            let built_on: BTreeSet<Address> = near.chain(lates).filter(keep).collect();
            let after: BTreeSet<Address> = node.after.iter().filter(|a| keep(a)).cloned().collect();
            let all: BTreeSet<Address> = built_on.union(&after).cloned().collect();
            // What extends a resource that is not ours to make, such as an endpoint's network card, stands on
            // whatever makes that resource: only `after` can say so.
            let built_on = if extends_stranger(&by_id, &node.body.id) { all.clone() } else { built_on };
            graph.edges.insert(node.address.clone(), all);
            graph.built_on.insert(node.address.clone(), built_on);
        }
        graph
    }

    /// What `address` needs directly.
    pub(super) fn needs(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.edges.get(address).into_iter().flatten()
    }

    /// What the parent and body of `address` show that it is built on.
    pub(super) fn built_on(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.built_on.get(address).into_iter().flatten()
    }

    /// Who needs `address` directly.
    pub(super) fn needed_by<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = &'a Address> {
        self.edges.iter().filter(move |(_, needs)| needs.contains(address)).map(|(a, _)| a)
    }

    /// Whether `from` needs `to`, over any number of edges; every node reaches itself.
    pub(super) fn reaches(&self, from: &Address, to: &Address) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(self.needs(at));
            }
        }
        false
    }

    /// Every node after what it needs, ties by address; and the cycles that prevent it, one of each knot.
    pub(super) fn order(&self) -> (Vec<Address>, Vec<Vec<Address>>) {
        let (mut sorted, mut cycles) = (Vec::new(), Vec::new());
        let mut left: BTreeSet<&Address> = self.edges.keys().collect();
        while let Some(&first) = left.first() {
            let is_free = |a: &&&Address| self.needs(a).all(|need| !left.contains(need));
            if let Some(&free) = left.iter().find(is_free) {
                left.remove(free);
                sorted.push(free.clone());
            } else {
                let cycle = self.cycle(first, &left);
                left.retain(|a| !cycle.contains(a));
                sorted.extend(cycle.iter().cloned());
                cycles.push(cycle);
            }
        }
        (sorted, cycles)
    }

    /// Walks along unmet needs until a node comes up again; every node in `left` has one.
    fn cycle(&self, first: &Address, left: &BTreeSet<&Address>) -> Vec<Address> {
        let mut path: Vec<&Address> = Vec::new();
        let mut at = Some(first);
        while let Some(node) = at {
            if let Some(start) = path.iter().position(|&a| a == node) {
                path.drain(..start);
                break;
            }
            path.push(node);
            at = self.needs(node).find(|need| left.contains(need));
        }
        path.into_iter().cloned().collect()
    }
}

/// Whether the parent is neither a node nor a place that holds resources, such as a group.
fn extends_stranger(by_id: &BTreeMap<&ResourceId, &Address>, id: &ResourceId) -> bool {
    let parent = id.parent().filter(|parent| !by_id.contains_key(parent));
    parent.is_some_and(|parent| !parent.arm_type().to_ascii_lowercase().starts_with("microsoft.resources/"))
}

/// The node that lives at the id, or the nearest one above it.
fn nearest(by_id: &BTreeMap<&ResourceId, &Address>, id: ResourceId) -> Option<Address> {
    let mut chain = std::iter::successors(Some(id), ResourceId::parent);
    chain.find_map(|id| by_id.get(&id).copied()).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Late;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn desired(text: &str, id: &ResourceId, body: serde_json::Value, after: &[&str]) -> Desired {
        Desired { address: address(text), id: id.clone(), body, after: after.iter().map(|a| address(a)).collect() }
    }

    fn sample() -> Vec<Desired> {
        let group = ResourceId::group("s", "g");
        let network = group.provider("N/networks", "n");
        let endpoint = group.provider("N/endpoints", "e");
        let setting = endpoint.provider("I/settings", "d");
        let late = Late::text(&address("network.core"), "/x");
        vec![
            desired("group.core", &group, json!({}), &[]),
            desired("network.core", &network, json!({"self": network.child("subnets", "a").as_str()}), &[]),
            desired(
                "endpoint.a",
                &endpoint,
                json!({"subnet": network.child("subnets", "a").as_str().to_uppercase()}),
                &[],
            ),
            desired("setting.a", &setting, json!({"v": late}), &["group.core"]),
        ]
    }

    #[test]
    fn edges_come_from_parents_mentions_lates_and_after() {
        let graph = Graph::of_desired(&sample());
        let needs = |a: &str| graph.needs(&address(a)).map(ToString::to_string).collect::<Vec<_>>();
        assert!(needs("group.core").is_empty());
        assert_eq!(needs("network.core"), ["group.core"]);
        assert_eq!(needs("endpoint.a"), ["group.core", "network.core"]);
        assert_eq!(needs("setting.a"), ["endpoint.a", "group.core", "network.core"]);
        let built_on: Vec<_> = graph.built_on(&address("setting.a")).map(Address::as_str).collect();
        assert_eq!(built_on, ["endpoint.a", "network.core"]);
        assert!(graph.reaches(&address("setting.a"), &address("group.core")));
    }

    #[test]
    fn order_respects_needs() {
        let (order, cycles) = Graph::of_desired(&sample()).order();
        assert!(cycles.is_empty());
        let names: Vec<_> = order.iter().map(Address::as_str).collect();
        assert_eq!(names, ["group.core", "network.core", "endpoint.a", "setting.a"]);
    }

    #[test]
    fn a_cycle_is_named_without_its_followers() {
        let id = |name: &str| ResourceId::new(format!("/subscriptions/s/{name}"));
        let desired = [
            desired("k.a", &id("a"), json!({}), &["k.b"]),
            desired("k.b", &id("b"), json!({}), &["k.c"]),
            desired("k.c", &id("c"), json!({}), &["k.b"]),
            desired("k.d", &id("d"), json!({}), &[]),
        ];
        let (order, cycles) = Graph::of_desired(&desired).order();
        assert_eq!(cycles, [vec![address("k.b"), address("k.c")]]);
        assert_eq!(order.len(), 4);
    }

    #[test]
    fn contradicting_memories_still_have_an_order() {
        let known = |name: &str, needs: &[&str]| Known {
            id: ResourceId::new(format!("/subscriptions/s/{name}")),
            api_version: String::new(),
            applied: json!({}),
            reported: json!({}),
            needs: needs.iter().map(|a| address(a)).collect(),
            alias: None,
        };
        let all = [(address("k.a"), known("a", &["k.b"])), (address("k.b"), known("b", &["k.a"]))];
        let graph = Graph::of_known(all.iter().map(|(a, k)| (a, k)));
        assert!(graph.order().1.is_empty());
        assert!(graph.reaches(&address("k.a"), &address("k.b")));
    }
}
