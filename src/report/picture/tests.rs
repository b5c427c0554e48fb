//! No box over another, no text beyond its box, whatever the environment.

use super::layout::{Rect, Scene, Shape, place};
use super::svg::{svg, text_place};
use super::texts::width;
use super::words;
use crate::isolation::{Member, MemberKind, NetworkZone, SubnetZone, Topology, Way, WayKind};

fn member(key: &str, kind: MemberKind, name: &str, lines: &[&str]) -> Member {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Member { key: key.to_owned(), kind, name: name.to_owned(), lines }
}

fn way(from: &str, to: &str, kind: WayKind) -> Way {
    Way { from: from.to_owned(), to: to.to_owned(), kind, label: "0.0.0.0/0".to_owned() }
}

/// `work` subnets with `services` services and endpoints each, all with long names.
fn crowded(work: usize, services: usize, name: &str) -> Topology {
    let mut topology = Topology {
        outside: vec![
            member("internet", MemberKind::Internet, "Internet", &[]),
            member("people", MemberKind::People, "People", &["a browser"]),
            member("peer", MemberKind::OtherNetwork, name, &["a peered network", "10.9.0.0/16"]),
        ],
        ..Topology::default()
    };
    let door = |key: &str, kind| SubnetZone {
        key: format!("subnet-{key}"),
        name: key.to_owned(),
        lines: vec!["10.1.1.0/24".to_owned()],
        is_door: true,
        members: vec![member(key, kind, name, &["a door", "of some height"])],
        endpoints: vec![],
    };
    let mut subnets = vec![door("fw", MemberKind::Firewall), door("bas", MemberKind::Bastion)];
    for n in 0..work {
        let endpoint = |m: usize| member(&format!("pe{n}-{m}"), MemberKind::Endpoint, "amlworkspace", &[name]);
        let machine = member(&format!("vm{n}"), MemberKind::Machine, name, &["virtual machine"]);
        let key = format!("work{n}");
        topology.ways.extend([way(&key, "fw", WayKind::Out), way("bas", &machine.key, WayKind::In)]);
        for m in 0..services {
            topology.ways.push(way(&format!("pe{n}-{m}"), &format!("s{m}"), WayKind::Private));
        }
        subnets.push(SubnetZone {
            key,
            name: format!("{name}-{n}"),
            lines: vec!["10.1.2.128/25".to_owned(), format!("nsg-{name}, rt-{name}")],
            is_door: false,
            members: vec![machine],
            endpoints: (0..services).map(endpoint).collect(),
        });
    }
    let key = "net".to_owned();
    topology.networks.push(NetworkZone { key, name: name.to_owned(), lines: vec!["10.1.0.0/16".to_owned()], subnets });
    for m in 0..services {
        let kind = if m == 0 { MemberKind::Open } else { MemberKind::Closed };
        topology.services.push(member(&format!("s{m}"), kind, name, &["storage account", "closed"]));
        let kind = if m == 0 { WayKind::Open } else { WayKind::Closed };
        topology.ways.push(way("internet", &format!("s{m}"), kind));
    }
    topology.ways.extend([
        way("fw", "internet", WayKind::Out),
        way("people", "bas", WayKind::In),
        way("peer", "net", WayKind::Joined),
    ]);
    topology
}

fn meet(a: &Rect, b: &Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

fn within(inner: &Rect, outer: &Rect) -> bool {
    inner.x >= outer.x && inner.y >= outer.y && inner.right() <= outer.right() && inner.bottom() <= outer.bottom()
}

fn holders(scene: &Scene, shape: &Shape) -> Vec<String> {
    let mut all = Vec::new();
    let mut at = shape.inside;
    while let Some(index) = at {
        all.push(scene.shapes[index].key.clone());
        at = scene.shapes[index].inside;
    }
    all
}

fn text_rect(x: f64, y: f64, text: &str, size: f64, bold: bool) -> Rect {
    Rect { x, y: y - size, w: width(text, size, bold), h: size * 1.25 }
}

fn check(scene: &Scene, what: &str) {
    let page = Rect { x: 0.0, y: 0.0, w: scene.width, h: scene.height };
    for (n, one) in scene.shapes.iter().enumerate() {
        assert!(within(&one.rect, &page), "{what}: {} leaves the page: {:?}", one.key, one.rect);
        let own = holders(scene, one);
        if let Some(at) = one.inside {
            assert!(within(&one.rect, &scene.shapes[at].rect), "{what}: {} leaves {}", one.key, scene.shapes[at].key);
        }
        for other in &scene.shapes[n + 1..] {
            let nested = own.contains(&other.key) || holders(scene, other).contains(&one.key);
            assert!(nested || !meet(&one.rect, &other.rect), "{what}: {} and {} overlap", one.key, other.key);
        }
        for (line, (text, is_name)) in one.texts.iter().enumerate() {
            let (x, y) = text_place(one, line);
            let mut rect =
                text_rect(x, y, text, if *is_name { super::layout::NAME } else { super::layout::SMALL }, *is_name);
            if one.class == "pe" {
                rect.x -= rect.w / 2.0;
            }
            assert!(within(&rect, &one.rect), "{what}: {text:?} leaves {}: {rect:?} {:?}", one.key, one.rect);
            for inner in scene.shapes.iter().filter(|shape| shape.inside == Some(n)) {
                assert!(!meet(&rect, &inner.rect), "{what}: {} covers {text:?}", inner.key);
            }
        }
    }
    let labels: Vec<Rect> = scene
        .lines
        .iter()
        .filter(|line| !line.label.is_empty())
        .map(|line| text_rect(line.at.0, line.at.1, &line.label, super::layout::SMALL, false))
        .collect();
    for (n, label) in labels.iter().enumerate() {
        assert!(within(label, &page), "{what}: a label leaves the page: {label:?}");
        for shape in scene.shapes.iter().filter(|shape| shape.class != "net") {
            assert!(!meet(label, &shape.rect), "{what}: label {label:?} lies on {} {:?}", shape.key, shape.rect);
        }
        for other in &labels[n + 1..] {
            assert!(!meet(label, other), "{what}: labels {label:?} and {other:?} overlap");
        }
    }
}

#[test]
fn nothing_overlaps_and_every_text_fits() {
    let names = [
        "ml",
        "a-name-of-24-characters-x",
        "a-name-of-eighty-characters-which-is-the-most-that-azure-takes-for-a-subnet-name",
    ];
    for name in names {
        for (work, services) in [(0, 0), (1, 1), (1, 6), (3, 6), (6, 12)] {
            check(&place(&crowded(work, services, name)), &format!("{work} subnets, {services} services, {name}"));
        }
    }
}

#[test]
fn an_empty_environment_is_a_picture_too() {
    check(&place(&Topology::default()), "nothing");
}

#[test]
fn hostile_names_stay_text() {
    let text = svg(&crowded(1, 2, "</text><script>alert(1)</script>"), "<b>");
    assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
    assert!(text.contains("role=\"img\"") && text.contains("<title id=\"topo-title\">&lt;b&gt;</title>"));
}

#[test]
fn what_is_open_as_asked_is_told_apart_from_a_leak() {
    let mut topology = crowded(1, 2, "short");
    let drawn = |topology: &Topology| (words::dot(topology, "t"), words::mermaid(topology, "t"));
    let (dot, mermaid) = drawn(&topology);
    assert!(dot.contains("color=red") && !dot.contains("color=orange") && !mermaid.contains("as asked for"), "{dot}");
    topology.services[0].kind = MemberKind::Limited;
    let (dot, mermaid) = drawn(&topology);
    assert!(!dot.contains("color=red") && dot.contains("color=orange"), "{dot}");
    assert!(dot.contains("as asked for") && mermaid.contains("as asked for"), "{mermaid}");
}
