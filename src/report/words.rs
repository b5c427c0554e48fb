//! Numbers and times in words. Text only.

use std::time::Duration;

/// `6 min 5 s`, `12 s`, `0.4 s`.
#[must_use]
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{:.1} s", duration.as_secs_f64()),
        1..=59 => format!("{seconds} s"),
        60..=3599 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A rough time: `about 6 min`, `about 20 s`.
#[must_use]
pub fn about(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round();
    if seconds < 90.0 { format!("about {seconds:.0} s") } else { format!("about {:.0} min", (seconds / 60.0).round()) }
}

/// `07:12`.
#[must_use]
pub fn stamp(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// `1 step`, `2 steps`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let times = [0.4, 12.0, 120.0, 365.0, 3_720.0].map(|s| time(Duration::from_secs_f64(s)));
        assert_eq!(times, ["0.4 s", "12 s", "2 min", "6 min 5 s", "1 h 2 min"]);
        assert_eq!(about(Duration::from_secs(431)), "about 7 min");
        assert_eq!(count(1, "step"), "1 step");
    }
}
