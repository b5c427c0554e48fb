//! Time as the client sees it: the wall's, or a sandbox's that runs faster. Reads no calendar.

use std::time::Duration;

use tokio::time::Instant;

/// A clock that starts at zero. Works under tokio's paused clock, where sleeping takes no time at all.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    speed: f64,
}

impl Clock {
    /// The wall's clock.
    #[must_use]
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// A clock `speed` times as fast as the wall's; the same number as the sandbox's speed. Senseless numbers mean 1.
    #[must_use]
    pub fn scaled(speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { start: Instant::now(), speed }
    }

    /// Time on this clock since it was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.start.elapsed().mul_f64(self.speed)
    }

    /// Waits `pause` on this clock.
    pub async fn sleep(&self, pause: Duration) {
        if !pause.is_zero() {
            tokio::time::sleep(pause.div_f64(self.speed)).await;
        }
    }

    /// What a time on the wall is on this clock: a server's `Retry-After` counts wall seconds.
    #[must_use]
    pub fn of_wall(&self, wall: Duration) -> Duration {
        wall.mul_f64(self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_scaled_clock_sleeps_less_on_the_wall() {
        let (wall, fast) = (Clock::real(), Clock::scaled(60.0));
        fast.sleep(Duration::from_secs(600)).await;
        assert_eq!(wall.now().as_secs(), 10);
        assert_eq!(fast.now().as_secs(), 600);
        assert_eq!(fast.of_wall(Duration::from_secs(10)), Duration::from_secs(600));
    }

    #[test]
    fn senseless_speeds_mean_the_wall() {
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Clock::scaled(speed).of_wall(Duration::from_secs(1)), Duration::from_secs(1), "{speed}");
        }
    }
}
