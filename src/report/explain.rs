//! The way of a flow, hop by hop, for people.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::isolation::{Answer, Flow, Verdict};

/// The steps and the verdict; colours are stripped where they are not wanted.
#[must_use]
pub fn text(flow: &Flow, answer: &Answer) -> String {
    let mut text = format!("{flow}\n\n");
    for hop in &answer.by {
        let _ = writeln!(text, "  {} {:<9} {}", mark(hop.verdict), hop.step, hop.says);
    }
    if !answer.by.is_empty() {
        text.push('\n');
    }
    let word = answer.verdict.to_string();
    let word = match answer.verdict {
        Verdict::Allow => word.green().bold().to_string(),
        Verdict::Deny => word.red().bold().to_string(),
        Verdict::Unknown => word.yellow().bold().to_string(),
    };
    let _ = write!(text, "  {word}: {}", answer.reason);
    text
}

fn mark(verdict: Verdict) -> String {
    match verdict {
        Verdict::Allow => "+".green().to_string(),
        Verdict::Deny => "-".red().to_string(),
        Verdict::Unknown => "?".yellow().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::Hop;

    #[test]
    fn every_hop_is_a_line_and_the_verdict_comes_last() {
        let hop = Hop {
            step: "route",
            resource: None,
            rule: Some("r".to_owned()),
            verdict: Verdict::Deny,
            says: "route r leads to nowhere".to_owned(),
        };
        let flow = Flow::new("a", "10.0.0.4:22", None, None).unwrap();
        let plain = anstream::adapter::strip_str(&text(&flow, &Answer::of(vec![hop]))).to_string();
        insta::assert_snapshot!(plain, @r"
        a to 10.0.0.4 (tcp 22)

          - route     route r leads to nowhere

          deny: route r leads to nowhere
        ");
    }
}
