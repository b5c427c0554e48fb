//! Values drawn once from the operating system's randomness and then kept in the state. Never draws anything twice.

use rand::TryRngCore;
use rand::rngs::OsRng;
use rand::seq::IndexedRandom;
use secrecy::SecretString;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
/// Special characters that need no quoting in a shell, a URL form or RDP clients.
const SPECIAL: &[u8] = b"_%@";

/// Characters in a password.
const PASSWORD: usize = 16;

/// Four digits behind the environment's name.
#[must_use]
pub fn draw_suffix() -> String {
    draw(DIGITS, 4)
}

/// User name of the jumpbox: `jbx` and four letters.
#[must_use]
pub fn draw_user() -> String {
    format!("jbx{}", draw(LOWER, 4))
}

/// 16 characters with at least one of each class: Azure asks for three of the four classes and 12 characters for a
/// Windows administrator. Whole passwords are drawn until one qualifies, so every qualifying one is equally likely.
#[must_use]
pub fn draw_password() -> SecretString {
    let alphabet = [LOWER, UPPER, DIGITS, SPECIAL].concat();
    loop {
        let text = draw(&alphabet, PASSWORD);
        if is_complex(&text) {
            return text.into();
        }
    }
}

fn is_complex(text: &str) -> bool {
    [LOWER, UPPER, DIGITS, SPECIAL].iter().all(|class| text.bytes().any(|byte| class.contains(&byte)))
}

fn draw(alphabet: &[u8], count: usize) -> String {
    let mut random = OsRng.unwrap_err();
    (0..count).filter_map(|_| alphabet.choose(&mut random)).map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn passwords_meet_the_rule_and_never_repeat() {
        let drawn: BTreeSet<String> = (0..500).map(|_| draw_password().expose_secret().to_owned()).collect();
        assert_eq!(drawn.len(), 500);
        for text in drawn {
            assert_eq!(text.len(), PASSWORD);
            assert!(is_complex(&text), "{text}");
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || SPECIAL.contains(&b)), "{text}");
        }
    }

    #[test]
    fn every_place_takes_every_class() {
        // A generator that puts the required characters at fixed places would leave classes out somewhere.
        let mut seen: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for _ in 0..2000 {
            for (place, byte) in draw_password().expose_secret().bytes().enumerate() {
                let class = [LOWER, UPPER, DIGITS, SPECIAL].iter().position(|class| class.contains(&byte)).unwrap();
                seen.entry(place).or_default().insert(class);
            }
        }
        assert!(seen.values().all(|classes| classes.len() == 4));
    }

    #[test]
    fn names_have_their_shape() {
        for _ in 0..100 {
            let (suffix, user) = (draw_suffix(), draw_user());
            assert!(suffix.len() == 4 && suffix.bytes().all(|b| b.is_ascii_digit()), "{suffix}");
            let letters = user.strip_prefix("jbx").unwrap();
            assert!(letters.len() == 4 && letters.bytes().all(|b| b.is_ascii_lowercase()), "{user}");
        }
    }
}
