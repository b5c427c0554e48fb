//! The placed picture as SVG: self-contained, readable in light and dark, with a title and a description.

use std::fmt::Write as _;

use super::layout::{Line, SMALL, Scene, Shape, place};
use super::texts::width;
use crate::isolation::{MemberKind, Topology};
use crate::report::escape::escape;

const STYLE: &str = include_str!("picture.css");

/// The picture. `title` says of what.
#[must_use]
pub fn svg(topology: &Topology, title: &str) -> String {
    let scene = place(topology);
    let (w, h) = (scene.width.ceil(), scene.height.ceil());
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"topo\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" \
         role=\"img\" aria-labelledby=\"topo-title topo-desc\">\n<title id=\"topo-title\">{}</title>\n<desc \
         id=\"topo-desc\">{}</desc>\n<style>\n{STYLE}</style>\n",
        escape(title),
        escape(&described(topology))
    );
    text.push_str(&markers());
    let _ = writeln!(text, "<rect class=\"page\" x=\"0\" y=\"0\" width=\"{w}\" height=\"{h}\"/>");
    let _ = writeln!(text, "<text class=\"head\" x=\"14\" y=\"30\">{}</text>", escape(title));
    for shape in &scene.shapes {
        draw(&mut text, shape);
    }
    for line in &scene.lines {
        way(&mut text, line);
    }
    legend(&mut text, &scene);
    text.push_str("</svg>\n");
    text
}

/// The picture in words, for those who do not see it.
fn described(topology: &Topology) -> String {
    let mut text = String::new();
    for network in &topology.networks {
        let names: Vec<&str> = network.subnets.iter().map(|subnet| subnet.name.as_str()).collect();
        let _ = write!(text, "Virtual network {} with the subnets {}. ", network.name, names.join(", "));
    }
    let open = |kind| topology.services.iter().filter(move |one| one.kind == kind).count();
    let closed = open(MemberKind::Closed);
    let _ = write!(text, "{} services, {closed} of them closed to the Internet. ", topology.services.len());
    let has = |kind| topology.networks.iter().flat_map(|n| &n.subnets).flat_map(|s| &s.members).any(|m| m.kind == kind);
    if has(MemberKind::Firewall) {
        text.push_str("The way out is the firewall with its allowlist. ");
    }
    text.push_str(if has(MemberKind::Bastion) { "The way in is Bastion." } else { "There is no Bastion." });
    text
}

fn markers() -> String {
    let mut text = String::from("<defs>\n");
    for class in ["in", "out", "private", "joined", "leak", "asked"] {
        let _ = writeln!(
            text,
            "<marker id=\"topo-{class}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path class=\"tip {class}\" d=\"M0 0 L10 5 L0 10 z\"/></marker>"
        );
    }
    text.push_str(
        "<marker id=\"topo-closed\" viewBox=\"0 0 10 10\" refX=\"5\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" \
         orient=\"auto\"><path class=\"bar\" d=\"M5 0 V10\"/></marker>\n</defs>\n",
    );
    text
}

fn draw(text: &mut String, shape: &Shape) {
    let (rect, class) = (shape.rect, shape.class);
    let is_pill = class == "pe";
    let radius = if is_pill { 13 } else { 9 };
    let _ = write!(
        text,
        "<g><title>{}</title><rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius}\"/>",
        escape(&shape.title),
        rect.x,
        rect.y,
        rect.w,
        rect.h
    );
    for (n, (line, is_name)) in shape.texts.iter().enumerate() {
        let (x, y) = text_place(shape, n);
        let name = match (is_pill, is_name) {
            (true, _) => "face",
            (false, true) => "name",
            (false, false) => "small",
        };
        let _ = write!(text, "<text class=\"{name}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(line));
    }
    text.push_str("</g>\n");
}

/// Base line of the n-th text of a shape.
pub(super) fn text_place(shape: &Shape, n: usize) -> (f64, f64) {
    let rect = shape.rect;
    if shape.class == "pe" {
        return (rect.x + rect.w / 2.0, rect.y + 17.5);
    }
    let line = f64::from(u16::try_from(n).unwrap_or_default());
    (rect.x + 14.0, 17.0f64.mul_add(line, rect.y + 21.0))
}

fn way(text: &mut String, line: &Line) {
    let mut path = String::new();
    for (n, (x, y)) in line.points.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if n == 0 { "M" } else { " L" });
    }
    let class = line.class;
    let _ = writeln!(text, "<path class=\"line {class}\" d=\"{path}\" marker-end=\"url(#topo-{class})\"/>");
    if !line.label.is_empty() {
        let (x, y) = line.at;
        let _ =
            writeln!(text, "<text class=\"label {class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(&line.label));
    }
}

fn legend(text: &mut String, scene: &Scene) {
    let entries = [("in", "way in"), ("out", "way out"), ("private", "private link"), ("closed", "refused")];
    let y = scene.height - 22.0;
    let mut x = 18.0;
    for (class, words) in entries {
        let end = x + 34.0;
        let _ = writeln!(
            text,
            "<path class=\"line {class}\" d=\"M{x:.1} {y:.1} H{end:.1}\" marker-end=\"url(#topo-{class})\"/><text \
             class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{words}</text>",
            end + 10.0,
            y + 4.0
        );
        x = end + 10.0 + width(words, SMALL, false) + 22.0;
    }
}
