//! Lengths of time in four bytes, since a table holds a million flows.
//!
//! May touch `base`. Beside [`crate::flow::stamp`], which keeps instants.

use std::time::Duration;

use crate::base::{Packing, nanos};

/// A length of time: to the nanosecond up to 1.07 s, to the microsecond up to 17 minutes, to the millisecond up to 12
/// days, then to the second. Told rounded down, so that the order stays that of the lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Span(u32);

impl Span {
    pub(super) const ZERO: Self = Self(0);
    /// Longer than any other: of what is not known, where the least is looked for.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);
    /// The two highest bits name the unit, the others count it.
    const UNIT_BITS: u32 = 30;
    const UNITS: [u64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

    pub(super) fn of(time: Duration) -> Self {
        Self::of_nanos(nanos(time))
    }

    #[inline]
    pub(super) fn of_nanos(nanos: u64) -> Self {
        if nanos < 1 << Self::UNIT_BITS { Self(nanos as u32) } else { Self::of_many(nanos) }
    }

    #[cold]
    fn of_many(nanos: u64) -> Self {
        for (unit, size) in (0u32..).zip(Self::UNITS) {
            let count = nanos / size;
            if count < 1 << Self::UNIT_BITS {
                // The count is below 2^30, so it fits beside the unit.
                return Self(((unit << Self::UNIT_BITS) | count as u32).min(Self::UNKNOWN.0 - 1));
            }
        }
        Self(Self::UNKNOWN.0 - 1)
    }

    #[inline]
    pub(super) fn nanos(self) -> u64 {
        if self.0 < 1 << Self::UNIT_BITS { self.0.into() } else { self.many() }
    }

    #[cold]
    fn many(self) -> u64 {
        let count = u64::from(self.0 & ((1 << Self::UNIT_BITS) - 1));
        count * Self::UNITS[(self.0 >> Self::UNIT_BITS) as usize]
    }

    pub(super) fn get(self) -> Duration {
        Duration::from_nanos(self.nanos())
    }

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        let mut raw = self.0.into();
        into.nanos(&mut raw);
        self.0 = raw as u32;
    }

    pub(super) fn known(self) -> Option<Duration> {
        (self != Self::UNKNOWN).then(|| self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_the_precision_and_the_order_they_promise() {
        let times = [0, 1, 999, 1_073_741_823, 1_073_741_824, 2_000_000_000, 1_073_741_824_000, 86_400_000_000_000]
            .map(Duration::from_nanos);
        for pair in times.windows(2) {
            assert!(Span::of(pair[0]) < Span::of(pair[1]), "{pair:?}");
        }
        for (nanos, told) in [(999, 999), (1_073_741_823, 1_073_741_823), (2_000_000_999, 2_000_000_000)] {
            assert_eq!(Span::of(Duration::from_nanos(nanos)).nanos(), told);
        }
        assert!(Span::of(Duration::MAX) < Span::UNKNOWN && Span::of(Duration::MAX).known().is_some());
        assert_eq!(Span::UNKNOWN.known(), None);
    }
}
