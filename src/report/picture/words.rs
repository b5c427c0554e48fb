//! The topology as DOT and as Mermaid, for tools that lay out by themselves. Text only.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::isolation::{Member, MemberKind, SubnetZone, Topology, Way, WayKind};

/// Short names for keys, in the order in which they come up.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(topology: &Topology) -> Self {
        let mut keys: Vec<&String> = topology.outside.iter().map(|one| &one.key).collect();
        for network in &topology.networks {
            keys.push(&network.key);
            for subnet in &network.subnets {
                keys.push(&subnet.key);
                keys.extend(members(subnet).map(|one| &one.key));
            }
        }
        keys.extend(topology.services.iter().map(|one| &one.key));
        Self(keys.into_iter().enumerate().map(|(n, key)| (key.clone(), format!("n{n}"))).collect())
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("unknown", String::as_str)
    }
}

fn members(subnet: &SubnetZone) -> impl Iterator<Item = &Member> {
    subnet.members.iter().chain(&subnet.endpoints)
}

/// Whether a key stands for a frame, and so for something in it where only nodes can be ends.
fn anchor<'a>(topology: &'a Topology, key: &'a str) -> &'a str {
    for network in &topology.networks {
        let first = |subnet: &'a SubnetZone| members(subnet).next().map(|one| one.key.as_str());
        if network.key == key {
            return network.subnets.iter().find_map(first).unwrap_or(key);
        }
        if let Some(subnet) = network.subnets.iter().find(|subnet| subnet.key == key) {
            return first(subnet).unwrap_or(key);
        }
    }
    key
}

/// Whether it opens no more than was asked for.
fn is_asked(topology: &Topology, way: &Way) -> bool {
    way.kind == WayKind::Open
        && topology.services.iter().any(|one| one.key == way.to && one.kind == MemberKind::Limited)
}

fn label(topology: &Topology, way: &Way) -> String {
    if is_asked(topology, way) { format!("{}, as asked for", way.label) } else { way.label.clone() }
}

/// Graphviz.
#[must_use]
pub fn dot(topology: &Topology, title: &str) -> String {
    let names = Names::of(topology);
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "));
    let node = |one: &Member| {
        let label = std::iter::once(&one.name).chain(&one.lines).map(|line| quote(line)).collect::<Vec<_>>();
        let label: Vec<&str> = label.iter().map(|text| &text[1..text.len() - 1]).collect();
        format!("{} [label=\"{}\"];", names.get(&one.key), label.join("\\n"))
    };
    let mut text = format!("digraph environment {{\n  label={};\n  labelloc=t;\n  rankdir=LR;\n", quote(title));
    text.push_str("  compound=true;\n  fontname=\"Helvetica\";\n  node [shape=box, style=rounded, fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\"];\n");
    for one in &topology.outside {
        let _ = writeln!(text, "  {}", node(one));
    }
    for network in &topology.networks {
        let at = names.get(&network.key);
        let _ = writeln!(text, "  subgraph cluster_{at} {{\n    label={};", quote(&network.name));
        for subnet in &network.subnets {
            let at = names.get(&subnet.key);
            let _ = writeln!(text, "    subgraph cluster_{at} {{\n      label={};", quote(&subnet.name));
            for one in members(subnet) {
                let _ = writeln!(text, "      {}", node(one));
            }
            if members(subnet).next().is_none() {
                let _ = writeln!(text, "      {at} [label=\"empty\"];");
            }
            text.push_str("    }\n");
        }
        text.push_str("  }\n");
    }
    text.push_str("  subgraph cluster_services {\n    label=\"Azure services\";\n");
    for one in &topology.services {
        let _ = writeln!(text, "    {}", node(one));
    }
    text.push_str("  }\n");
    for way in &topology.ways {
        let look = match way.kind {
            WayKind::Open if is_asked(topology, way) => ", color=orange, penwidth=2",
            WayKind::Closed => ", style=dashed, arrowhead=tee, color=gray",
            WayKind::Open => ", color=red, penwidth=2",
            WayKind::Private => ", color=blue",
            WayKind::In => ", color=darkgreen",
            WayKind::Out | WayKind::Joined => "",
        };
        let (from, to) = (names.get(anchor(topology, &way.from)), names.get(anchor(topology, &way.to)));
        let _ = writeln!(text, "  {from} -> {to} [label={}{look}];", quote(&label(topology, way)));
    }
    text.push_str("}\n");
    text
}

/// Mermaid, as many pages render it.
#[must_use]
pub fn mermaid(topology: &Topology, title: &str) -> String {
    let names = Names::of(topology);
    // Quotes and brackets end a label; Mermaid takes entities instead.
    let clean = |text: &str| {
        let text = text.replace('&', "#amp;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;");
        text.replace('\n', " ")
    };
    let node = |one: &Member| {
        let lines: Vec<String> = std::iter::once(&one.name).chain(&one.lines).map(|line| clean(line)).collect();
        format!("{}[\"{}\"]", names.get(&one.key), lines.join("<br/>"))
    };
    let quoted = serde_json::Value::from(title).to_string();
    let mut text = format!("---\ntitle: {quoted}\n---\nflowchart LR\n");
    for one in &topology.outside {
        let _ = writeln!(text, "  {}", node(one));
    }
    for network in &topology.networks {
        let _ = writeln!(text, "  subgraph {}[\"{}\"]", names.get(&network.key), clean(&network.name));
        for subnet in &network.subnets {
            let _ = writeln!(text, "    subgraph {}[\"{}\"]", names.get(&subnet.key), clean(&subnet.name));
            for one in members(subnet) {
                let _ = writeln!(text, "      {}", node(one));
            }
            text.push_str("    end\n");
        }
        text.push_str("  end\n");
    }
    text.push_str("  subgraph services[\"Azure services\"]\n");
    for one in &topology.services {
        let _ = writeln!(text, "    {}", node(one));
    }
    text.push_str("  end\n");
    for way in &topology.ways {
        let arrow = match way.kind {
            WayKind::Closed => "-.-x",
            WayKind::Open => "==>",
            _ => "-->",
        };
        let _ = writeln!(
            text,
            "  {} {arrow}|\"{}\"| {}",
            names.get(&way.from),
            clean(&label(topology, way)),
            names.get(&way.to)
        );
    }
    text
}
