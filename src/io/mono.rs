//! The clocks that traced events, process start times and packets are told by, read together.
//!
//! May touch the clocks. Read first: clock_gettime(2).

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::base::Timestamp;

/// Tries to read the clocks without being interrupted in between.
const TRIES: usize = 3;

/// One instant on three clocks, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clocks {
    /// CLOCK_MONOTONIC, the trace clock `mono`.
    pub(super) mono: u64,
    /// CLOCK_BOOTTIME, by which /proc tells start times.
    pub(super) boot: u64,
    /// CLOCK_REALTIME, which libpcap stamps packets with.
    pub(super) real: i64,
}

impl Clocks {
    /// Now.
    pub(super) fn read() -> Self {
        let once = || {
            let mono = nanos(clock_gettime(ClockId::Monotonic));
            let (real, boot) = (clock_gettime(ClockId::Realtime), nanos(clock_gettime(ClockId::Boottime)));
            let took = nanos(clock_gettime(ClockId::Monotonic)).saturating_sub(mono);
            let real = Timestamp::from_secs_nanos(real.tv_sec, real.tv_nsec).nanos();
            (took, Self { mono, boot, real })
        };
        let tries = std::iter::repeat_with(once).take(TRIES);
        tries.min_by_key(|(took, _)| *took).map_or(Self { mono: 0, boot: 0, real: 0 }, |(_, clocks)| clocks)
    }

    /// The time of a traced event on the packets' clock.
    pub(super) fn real_of(&self, mono: u64) -> Timestamp {
        let since = i128::from(mono) - i128::from(self.mono);
        let real = i128::from(self.real) + since;
        Timestamp::from_nanos(i64::try_from(real).unwrap_or(i64::MAX))
    }
}

fn nanos(time: Timespec) -> u64 {
    u64::try_from(Timestamp::from_secs_nanos(time.tv_sec, time.tv_nsec).nanos()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_the_same_on_both_clocks() {
        let clocks = Clocks { mono: 1_000, boot: 5_000, real: 90_000 };
        assert_eq!(clocks.real_of(1_000), Timestamp::from_nanos(90_000));
        assert_eq!(clocks.real_of(400), Timestamp::from_nanos(89_400));
        let (first, second) = (Clocks::read(), Clocks::read());
        assert!(first.mono <= second.mono && first.boot >= first.mono);
    }
}
