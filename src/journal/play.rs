//! Playing a capture: which instant of it is due at which moment.

use std::time::Duration;

use crate::base::Timestamp;

/// A clock that maps moments (since any fixed origin) to instants of the capture.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayClock {
    /// A moment and the instant that was due then; `None` before the capture's first instant is known.
    anchor: Option<(Duration, Timestamp)>,
    speed: f64,
    paused: bool,
}

impl PlayClock {
    /// A clock that runs at `speed`.
    pub const fn new(speed: f64) -> Self {
        Self { anchor: None, speed, paused: false }
    }

    pub const fn speed(&self) -> f64 {
        self.speed
    }

    pub const fn paused(&self) -> bool {
        self.paused
    }

    /// The capture is at `at` now.
    pub const fn set(&mut self, now: Duration, at: Timestamp) {
        self.anchor = Some((now, at));
    }

    /// The capture's first instant is not known (again).
    pub const fn clear(&mut self) {
        self.anchor = None;
    }

    /// Up to which instant the capture is due at the moment `now`; `None` means all of it.
    /// Before the first instant is known nothing is due but the first frame.
    pub fn due(&self, now: Duration) -> Option<Timestamp> {
        let Some((then, at)) = self.anchor else { return Some(Timestamp::MIN) };
        if self.paused {
            return Some(at);
        }
        if self.speed.is_infinite() {
            return None;
        }
        let passed = now.saturating_sub(then).as_secs_f64() * self.speed;
        // A factor of a thousand over years does not fit a Duration's nanoseconds for ever: saturate.
        Some(at + Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX))
    }

    /// Stops or goes on; `at` is where the capture is.
    pub const fn pause(&mut self, now: Duration, at: Option<Timestamp>, paused: bool) {
        self.paused = paused;
        self.rebase(now, at);
    }

    /// Changes the speed without a jump.
    pub const fn set_speed(&mut self, now: Duration, at: Option<Timestamp>, speed: f64) {
        self.speed = speed;
        self.rebase(now, at);
    }

    /// The capture is at `at` now, where that is known: so it goes on from there.
    pub const fn rebase(&mut self, now: Duration, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.anchor = Some((now, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs_nanos(secs, 0)
    }

    #[test]
    fn runs_at_its_speed_from_the_first_instant() {
        let mut clock = PlayClock::new(2.0);
        assert_eq!(clock.due(secs(5)), Some(Timestamp::MIN), "nothing is due before the first instant is known");
        clock.set(secs(10), at(100));
        assert_eq!(clock.due(secs(13)), Some(at(106)));
        clock.set_speed(secs(13), Some(at(106)), 1.0);
        assert_eq!(clock.due(secs(14)), Some(at(107)));
    }

    #[test]
    fn a_pause_loses_no_time() {
        let mut clock = PlayClock::new(1.0);
        clock.set(secs(0), at(0));
        clock.pause(secs(3), Some(at(3)), true);
        assert_eq!(clock.due(secs(60)), Some(at(3)));
        clock.pause(secs(60), Some(at(3)), false);
        assert_eq!(clock.due(secs(61)), Some(at(4)));
    }

    #[test]
    fn as_fast_as_it_goes_is_everything() {
        let mut clock = PlayClock::new(f64::INFINITY);
        clock.set(secs(0), at(0));
        assert_eq!(clock.due(secs(1)), None);
        clock.pause(secs(1), Some(at(5)), true);
        assert_eq!(clock.due(secs(9)), Some(at(5)));
    }
}
