//! Whether a refused request is sent again, and when. Pure: time, chance and the server's hint are handed in.
//! Source of the table: azure-facts 5.3 and 5.5.

use std::time::Duration;

use super::error::Class;

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// How many times the request was sent already; 1 after the first.
    pub sent: u32,
    /// Time since the first sending, on the client's clock.
    pub elapsed: Duration,
    /// The pause the server asks for, on the client's clock.
    pub hint: Option<Duration>,
    /// A number in 0..1 that nobody chose.
    pub jitter: f64,
    /// Whether the request writes: reads give up sooner.
    pub writes: bool,
}

/// How one class is retried: how long in all, the first pause, the longest pause.
struct Patience {
    budget: Duration,
    first: Duration,
    longest: Duration,
}

const fn patience(budget: u64, first: u64, longest: u64) -> Patience {
    Patience {
        budget: Duration::from_secs(budget),
        first: Duration::from_secs(first),
        longest: Duration::from_secs(longest),
    }
}

/// Waiting for others is minutes, waiting for the network less; what cannot change is not asked again.
const fn patience_with(class: Class, writes: bool) -> Option<Patience> {
    Some(match class {
        Class::Throttled => patience(900, 2, 60),
        Class::Busy | Class::Replicating => patience(600, 10, 30),
        Class::InUse => patience(300, 10, 30),
        Class::Unseen if writes => patience(60, 5, 15),
        Class::Unavailable | Class::Unknown if writes => patience(600, 2, 60),
        Class::Unavailable | Class::Unknown => patience(180, 1, 30),
        Class::Unreachable => patience(120, 1, 15),
        _ => return None,
    })
}

/// The pause before the request is sent again, or `None` to give up. Full jitter over the doubling pause, so that
/// many refused requests do not come back together; never less than the hint.
#[must_use]
pub fn next(class: Class, attempt: &Attempt) -> Option<Duration> {
    let patience = patience_with(class, attempt.writes)?;
    let left = patience.budget.checked_sub(attempt.elapsed).filter(|left| !left.is_zero())?;
    let ceiling = patience.first.saturating_mul(1 << attempt.sent.saturating_sub(1).min(10)).min(patience.longest);
    let own = match class {
        // Others' operations take their time: a quarter of the pause is spread, the rest is real.
        Class::Busy | Class::Replicating | Class::InUse => ceiling.mul_f64(0.75 + attempt.jitter / 4.0),
        _ => ceiling.mul_f64(attempt.jitter).max(Duration::from_millis(200)),
    };
    let pause = match attempt.hint {
        Some(hint) => hint + patience.first.mul_f64(attempt.jitter),
        None => own,
    };
    // A hint beyond the budget: waiting would be in vain.
    (pause <= left.max(patience.longest)).then_some(pause)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Class; 19] = [
        Class::Throttled,
        Class::Busy,
        Class::Replicating,
        Class::Unseen,
        Class::InUse,
        Class::Unavailable,
        Class::Unknown,
        Class::Unreachable,
        Class::SignIn,
        Class::Denied,
        Class::Policy,
        Class::Quota,
        Class::Capacity,
        Class::Unregistered,
        Class::Conflict,
        Class::Missing,
        Class::Invalid,
        Class::Failed,
        Class::Protocol,
    ];

    fn attempt(sent: u32, elapsed: u64, hint: Option<u64>, jitter: f64) -> Attempt {
        let secs = Duration::from_secs;
        Attempt { sent, elapsed: secs(elapsed), hint: hint.map(secs), jitter, writes: true }
    }

    #[test]
    fn what_cannot_change_is_not_asked_again() {
        for class in [Class::Denied, Class::Policy, Class::Quota, Class::Invalid, Class::Conflict, Class::SignIn] {
            assert_eq!(next(class, &attempt(1, 0, None, 0.5)), None, "{class:?}");
        }
    }

    #[test]
    fn budgets_are_of_time() {
        let waits = |class, elapsed| next(class, &attempt(50, elapsed, None, 0.5)).is_some();
        let budgets = [(Class::Busy, 600), (Class::Replicating, 600), (Class::InUse, 300), (Class::Unseen, 60)];
        for (class, budget) in budgets {
            assert!(waits(class, budget - 1), "{class:?}");
            assert!(!waits(class, budget), "{class:?}");
        }
    }

    #[test]
    fn a_missing_parent_is_no_news_to_a_reader() {
        let read = Attempt { writes: false, ..attempt(1, 0, None, 0.5) };
        assert_eq!(next(Class::Unseen, &read), None);
    }

    #[test]
    fn an_absurd_hint_ends_it() {
        assert!(next(Class::Throttled, &attempt(1, 0, Some(3600), 0.0)).is_none());
        assert_eq!(next(Class::Throttled, &attempt(1, 0, Some(17), 0.0)), Some(Duration::from_secs(17)));
    }

    proptest! {
        #[test]
        fn pauses_obey_the_hint_and_every_class_ends(sent in 1_u32..1000, elapsed in 0_u64..2000,
                                                      hint in 0_u64..120, jitter in 0.0_f64..1.0, which in 0_usize..19) {
            let class = ALL[which];
            if let Some(pause) = next(class, &attempt(sent, elapsed, Some(hint), jitter)) {
                prop_assert!(pause >= Duration::from_secs(hint));
            }
            if let Some(pause) = next(class, &attempt(sent, elapsed, None, jitter)) {
                prop_assert!(pause <= Duration::from_secs(60) && !pause.is_zero());
            }
            prop_assert_eq!(next(class, &attempt(sent, 900 + elapsed, None, jitter)), None);
        }
    }
}
