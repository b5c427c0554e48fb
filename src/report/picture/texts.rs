//! How wide a text is at most. Fonts differ from machine to machine, so the widths are those of a wide one (`DejaVu` Sans):
//! what fits there fits everywhere.

/// Widest estimate in pixels at a font size.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let units: f64 = text.chars().map(advance).sum();
    units * size * if bold { 1.12 } else { 1.0 }
}

/// Advance of a letter, in parts of the font size.
fn advance(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '\'' | '|' => 0.29,
        ' ' | '.' | ',' | ':' | ';' | 'I' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '!' => 0.42,
        'm' | 'M' | 'W' | '@' | '%' => 1.0,
        'w' | 'A'..='H' | 'J'..='L' | 'N'..='V' | 'X'..='Z' | '+' | '=' | '<' | '>' | '~' => 0.82,
        _ if letter.is_ascii() => 0.64,
        _ => 1.0,
    }
}

/// The text, its middle left out where it is wider than `room`.
pub(super) fn fit(text: &str, room: f64, size: f64, bold: bool) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    for kept in (2..letters.len()).rev() {
        let head: String = letters[..kept.div_ceil(2)].iter().collect();
        let tail: String = letters[letters.len() - kept / 2..].iter().collect();
        let short = format!("{head}…{tail}");
        if width(&short, size, bold) <= room {
            return short;
        }
    }
    "…".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_keeps_both_ends() {
        assert_eq!(fit("short", 100.0, 12.0, false), "short");
        let fitted = fit("a-very-long-name-of-a-network-somewhere", 120.0, 12.0, false);
        assert!(fitted.starts_with("a-ver") && fitted.contains('…') && fitted.ends_with("here"), "{fitted}");
        assert!(width(&fitted, 12.0, false) <= 120.0);
    }
}
