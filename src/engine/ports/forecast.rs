//! How long a route's ports will last, if it goes on as it does.
//!
//! A rate of r closes a second levels off at r × the time that each holds its port (60 s of TIME-WAIT); only where that
//! level and the growth of live connections exceed the capacity do the ports run out.

use std::time::Duration;

/// What comes after a reading, if the last seconds go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    /// None is left: the next connect() fails with EADDRNOTAVAIL.
    Exhausted,
    /// None is left after this time.
    RunsOut(Duration),
    /// So many ports will be in use, and no more.
    LevelsOff(u32),
}

/// What a forecast is made of.
#[derive(Debug, Clone)]
pub(super) struct Trend<'a> {
    pub(super) capacity: u32,
    /// Connections that hold a port, and how many more there are each second.
    pub(super) live: u32,
    pub(super) growth: f64,
    /// TIME-WAIT that holds a port, by the seconds for which it still does (rounded up).
    pub(super) waiting: &'a [u32],
    /// How many enter TIME-WAIT each second, and for how many seconds each then holds its port.
    pub(super) closes: f64,
    pub(super) hold: u32,
}

/// Beyond this nothing is foretold.
const HORIZON: f64 = 24.0 * 3600.0;

impl Trend<'_> {
    /// Follows the trend second by second until every TIME-WAIT of now is over; what comes then is a straight line.
    pub(super) fn ahead(&self) -> Ahead {
        let capacity = f64::from(self.capacity);
        let mut waiting: u32 = self.waiting.iter().sum();
        if self.live + waiting >= self.capacity {
            return Ahead::Exhausted;
        }
        let mut used = f64::from(self.live + waiting);
        for second in 1..=self.hold {
            waiting -= self.waiting.get(second as usize).copied().unwrap_or(0).min(waiting);
            let t = f64::from(second);
            used = f64::from(self.live) + self.growth * t + f64::from(waiting) + self.closes * t;
            if used >= capacity {
                return Ahead::RunsOut(Duration::from_secs(second.into()));
            }
        }
        let rest = (capacity - used) / self.growth;
        if self.growth > 0.0 && rest < HORIZON {
            return Ahead::RunsOut(Duration::from_secs(u64::from(self.hold) + rest.ceil() as u64));
        }
        Ahead::LevelsOff(used.round() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Trend<'_> = Trend { capacity: 28_232, live: 0, growth: 0.0, waiting: &[], closes: 0.0, hold: 60 };

    #[test]
    fn a_steady_rate_levels_off() {
        let Ahead::LevelsOff(used) = (Trend { closes: 210.0, ..IDLE }).ahead() else { panic!("levels off") };
        assert_eq!((used, used * 100 / 28_232), (12_600, 44), "210 closes a second hold 45 % of the usual range");
        // Where it is already: those of a minute, one second's worth each second.
        let waiting: Vec<u32> = std::iter::once(0).chain([210; 60]).collect();
        assert_eq!((Trend { closes: 210.0, waiting: &waiting, ..IDLE }).ahead(), Ahead::LevelsOff(12_600));
    }

    #[test]
    fn what_exceeds_the_capacity_runs_out() {
        // 471 × 60 = 28,260 is more than there are, 470 × 60 = 28,200 is not.
        assert_eq!((Trend { closes: 471.0, ..IDLE }).ahead(), Ahead::RunsOut(Duration::from_secs(60)));
        assert_eq!((Trend { closes: 470.0, ..IDLE }).ahead(), Ahead::LevelsOff(28_200));
        assert_eq!((Trend { closes: 5_000.0, ..IDLE }).ahead(), Ahead::RunsOut(Duration::from_secs(6)));
        let leak = Trend { capacity: 100, live: 10, growth: 0.5, ..IDLE };
        assert_eq!(leak.ahead(), Ahead::RunsOut(Duration::from_secs(180)));
    }

    #[test]
    fn none_left_is_said_at_once() {
        assert_eq!((Trend { capacity: 100, live: 60, waiting: &[0, 40], ..IDLE }).ahead(), Ahead::Exhausted);
        assert_eq!((Trend { capacity: 100, live: 60, waiting: &[0, 39], ..IDLE }).ahead(), Ahead::LevelsOff(60));
        assert_eq!((Trend { capacity: 0, ..IDLE }).ahead(), Ahead::Exhausted, "every port is held");
    }

    #[test]
    fn what_reuse_lets_go_holds_no_port_for_long() {
        assert_eq!((Trend { closes: 5_000.0, hold: 1, ..IDLE }).ahead(), Ahead::LevelsOff(5_000));
    }
}
