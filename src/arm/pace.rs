//! When to poll next. Pure arithmetic; knows no types: the expected time is handed in.

use std::time::Duration;

/// A poll is placed this long after the expected end, so that it comes after it and not just before.
const SLACK: Duration = Duration::from_millis(250);
/// The pause while the end is far, unless the server wants more.
const SPARSE: Duration = Duration::from_secs(20);
/// The pause where neither server nor table says anything (azurerm's).
const DEFAULT: Duration = Duration::from_secs(10);
/// The shortest pause.
const FLOOR: Duration = Duration::from_secs(1);
/// The shortest pause where the cloud is faster than the table and gives a shorter hint.
const BRISK: Duration = Duration::from_millis(200);

/// As [`next`], but no later than twice the time that has passed.
#[must_use]
pub fn early(elapsed: Duration, expected: Duration, hint: Option<Duration>) -> Duration {
    let least = hint.unwrap_or(FLOOR).max(BRISK);
    next(elapsed, expected, hint).min(elapsed.max(least))
}

/// The pause before the next poll: never shorter than the server's `hint`; sparse during the first 40 % of the
/// `expected` time; laid so that one poll falls right behind the expected end. `expected` zero: unknown.
#[must_use]
pub fn next(elapsed: Duration, expected: Duration, hint: Option<Duration>) -> Duration {
    let least = hint.unwrap_or_default().max(FLOOR);
    if expected.is_zero() {
        return hint.unwrap_or(DEFAULT).max(FLOOR);
    }
    let end = expected + SLACK;
    let Some(left) = end.checked_sub(elapsed).filter(|left| !left.is_zero()) else {
        // Late: soon after the end ask often, later less.
        let overdue = elapsed.saturating_sub(end);
        return least.max((overdue / 4).clamp(FLOOR, DEFAULT));
    };
    let usual = if elapsed < expected.mul_f64(0.4) { SPARSE } else { DEFAULT };
    let pause = usual.max(least);
    // Going on as usual would step over the end: jump to it, if the server allows.
    if left < pause * 2 { left.max(least) } else { pause }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The times of the polls until `n` are done.
    fn polls(expected: Duration, hint: Option<Duration>, n: usize) -> Vec<Duration> {
        let mut at = Duration::ZERO;
        (0..n)
            .map(|_| {
                at += next(at, expected, hint);
                at
            })
            .collect()
    }

    #[test]
    fn a_firewall_is_asked_seldom_and_at_its_end() {
        let polls = polls(secs(360), Some(secs(10)), 60);
        let end = polls.iter().position(|&p| p == secs(360) + SLACK).expect("a poll at the end");
        assert!(end < 32, "{end} polls before the end");
        assert_eq!(polls[0], secs(20));
    }

    #[test]
    fn quick_operations_are_asked_at_their_end() {
        assert_eq!(next(Duration::ZERO, secs(3), Some(secs(3))), secs(3) + SLACK);
        assert_eq!(next(Duration::ZERO, secs(15), None), secs(15) + SLACK);
        assert_eq!(next(secs(4), secs(3), None), FLOOR);
    }

    #[test]
    fn nothing_known_means_ten_seconds() {
        assert_eq!(next(secs(500), Duration::ZERO, None), DEFAULT);
        assert_eq!(next(secs(500), Duration::ZERO, Some(secs(30))), secs(30));
    }

    #[test]
    fn early_questions_double_their_distance() {
        let mut at = Duration::ZERO;
        let asked: Vec<u64> = std::iter::repeat_with(|| {
            at += early(at, secs(360), None);
            at.as_secs()
        })
        .take(7)
        .collect();
        assert_eq!(asked, [1, 2, 4, 8, 16, 32, 52]);
        assert_eq!(early(Duration::ZERO, secs(360), Some(Duration::ZERO)), BRISK);
    }

    proptest! {
        #[test]
        fn the_hint_is_obeyed_and_pauses_stay_short(elapsed in 0_u64..4000, expected in 0_u64..2000, hint in 0_u64..60) {
            let pause = next(secs(elapsed), secs(expected), Some(secs(hint)));
            prop_assert!(pause >= secs(hint).max(FLOOR));
            prop_assert!(pause < secs(hint).max(SPARSE) * 2);
        }

        #[test]
        fn one_poll_falls_right_behind_the_end(expected in 1_u64..2000, hint in 0_u64..30) {
            prop_assume!(hint <= expected);
            let polls = polls(secs(expected), Some(secs(hint)), 300);
            prop_assert!(polls.contains(&(secs(expected) + SLACK)));
        }
    }
}
