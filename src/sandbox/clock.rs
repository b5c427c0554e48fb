//! Sandbox time: wall time times a speed. Works under tokio's paused clock, where only sleeping moves it.

use std::time::Duration;

use tokio::time::Instant;

/// Where sandbox time stands, and how fast it runs.
#[derive(Clone, Copy, Debug)]
pub struct SandboxClock {
    origin: Duration,
    started: Instant,
    speed: f64,
}

impl SandboxClock {
    /// A clock that stands at `origin` now and runs `speed` times as fast as the wall's. A speed that is not a positive
    /// number counts as 1.
    #[must_use]
    pub fn new(origin: Duration, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { origin, started: Instant::now(), speed }
    }

    /// Sandbox time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.origin + self.started.elapsed().mul_f64(self.speed)
    }

    /// How fast it runs.
    #[must_use]
    pub const fn speed(&self) -> f64 {
        self.speed
    }

    /// Lets this much sandbox time pass.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time.div_f64(self.speed)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_runs_at_its_speed() {
        let clock = SandboxClock::new(Duration::from_secs(5), 60.0);
        clock.sleep(Duration::from_secs(600)).await;
        assert_eq!(clock.now().as_secs(), 605);
        assert!((SandboxClock::new(Duration::ZERO, f64::NAN).speed() - 1.0).abs() < f64::EPSILON);
    }
}
