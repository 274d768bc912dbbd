//! Times and marks in few bytes, since a table holds a million flows.
//!
//! May touch `base`. [`Stamp`] is exact and serves latencies and timers; [`Offset`] is coarser and serves landmarks.

use std::time::Duration;

use crate::base::{Known, Packing, Timestamp};

/// An optional instant in eight bytes, exact to the nanosecond. The earliest instant of all stands for "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(i64);

impl Stamp {
    pub(super) const NONE: Self = Self(i64::MIN);

    pub(super) fn at(ts: Timestamp) -> Self {
        Self(ts.nanos().max(i64::MIN + 1))
    }

    pub(super) fn get(self) -> Option<Timestamp> {
        (self != Self::NONE).then(|| Timestamp::from_nanos(self.0))
    }

    pub(super) fn is_set(self) -> bool {
        self != Self::NONE
    }

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        let mut at = Timestamp::from_nanos(self.0);
        into.time(&mut at);
        self.0 = at.nanos();
    }
}

/// The time from `earlier` to `later`; absent if either is, or if the capture shows them the other way round.
pub(super) fn between(earlier: Option<Timestamp>, later: Option<Timestamp>) -> Option<Duration> {
    nanos_between(earlier?, later?).map(Duration::from_nanos)
}

/// The same of two instants that are known, nanoseconds: what is measured of nearly every segment.
pub(super) fn nanos_between(earlier: Timestamp, later: Timestamp) -> Option<u64> {
    // Of two instants in order the difference fits, wrapped or not.
    (later >= earlier).then(|| later.nanos().wrapping_sub(earlier.nanos()).cast_unsigned())
}

/// An optional instant after a known origin in four bytes: to the microsecond for the first 17 minutes, to the
/// millisecond for the first 12 days, then to the second. An instant before the origin is told as the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset(u32);

impl Offset {
    pub(super) const NONE: Self = Self(u32::MAX);
    /// The two highest bits name the unit, the others count it.
    const UNIT_BITS: u32 = 30;
    const UNITS: [u64; 3] = [1_000, 1_000_000, 1_000_000_000];

    #[inline]
    pub(super) fn of(ts: Timestamp, origin: Timestamp) -> Self {
        let nanos = if ts > origin { ts.nanos().wrapping_sub(origin.nanos()).cast_unsigned() } else { 0 };
        let micros = nanos / 1_000;
        if micros < 1 << Self::UNIT_BITS { Self(micros as u32) } else { Self::of_many(nanos) }
    }

    #[cold]
    fn of_many(nanos: u64) -> Self {
        let limit = 1u64 << Self::UNIT_BITS;
        for (unit, size) in (0u32..).zip(Self::UNITS) {
            let count = nanos / size;
            if count < limit {
                // The count is below 2^30, so it fits beside the unit.
                return Self((unit << Self::UNIT_BITS) | count as u32);
            }
        }
        Self((2 << Self::UNIT_BITS) | (limit as u32 - 1))
    }

    #[inline]
    pub(super) fn get(self, origin: Timestamp) -> Option<Timestamp> {
        // Micros, as nearly always.
        if self.0 < 1 << Self::UNIT_BITS {
            return Some(Timestamp::from_nanos(origin.nanos().saturating_add_unsigned(u64::from(self.0) * 1_000)));
        }
        let unit = Self::UNITS.get((self.0 >> Self::UNIT_BITS) as usize)?;
        let count = u64::from(self.0 & ((1 << Self::UNIT_BITS) - 1));
        // Less than 2^30 seconds.
        Some(Timestamp::from_nanos(origin.nanos().saturating_add_unsigned(count * unit)))
    }

    pub(super) fn is_set(self) -> bool {
        self != Self::NONE
    }

    /// The later of two after the same origin; what is not set is the earliest.
    pub(super) fn later_of(self, other: Self) -> Self {
        // The higher the unit, the later.
        if self.is_set() && self.0 > other.0 { self } else { other }
    }

    /// Likely that of an instant which is known.
    pub(super) fn pack(&mut self, origin: Timestamp, into: &mut impl Packing) {
        let find = |known: &Known| {
            let place = known.find_time(self.get(origin)?, Self::UNITS[0])?;
            (Self::of(known.time(place), origin) == *self).then_some(place)
        };
        match into.place(find) {
            Some(place) => *self = Self::of(into.known().time(place), origin),
            // What is not set is 0.
            None => into.number_as(&mut self.0, |raw| raw.wrapping_add(1).into(), |told| (told as u32).wrapping_sub(1)),
        }
    }

    /// Sets it, unless it is set already.
    pub(super) fn set_once(&mut self, ts: Timestamp, origin: Timestamp) {
        if !self.is_set() {
            *self = Self::of(ts, origin);
        }
    }
}

/// Eight yes-or-no facts in a byte; the owner names the bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u8);

impl Marks {
    pub(super) const NONE: Self = Self(0);

    /// Whether any of the bits is set.
    pub(super) const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
    /// Which of the bits are set.
    pub(super) const fn among(self, bits: u8) -> u8 {
        self.0 & bits
    }

    pub(super) fn set(&mut self, bit: u8) {
        self.0 |= bit;
    }
    pub(super) fn clear(&mut self, bit: u8) {
        self.0 &= !bit;
    }
    pub(super) fn put(&mut self, bit: u8, value: bool) {
        self.0 = self.0 & !bit | if value { bit } else { 0 };
    }

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        into.byte(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_keep_the_precision_they_promise() {
        let origin = Timestamp::from_secs_nanos(1_700_000_000, 7);
        for (span, precision) in [
            (Duration::ZERO, Duration::from_micros(1)),
            (Duration::from_micros(1_234_567), Duration::from_micros(1)),
            (Duration::from_secs(17 * 60), Duration::from_micros(1)),
            (Duration::from_micros(1_100_000_001), Duration::from_millis(1)),
            (Duration::from_secs(12 * 86_400), Duration::from_millis(1)),
            (Duration::from_secs(400 * 86_400), Duration::from_secs(1)),
        ] {
            let told = Offset::of(origin + span, origin).get(origin).expect("set");
            assert!(told <= origin + span && (origin + span).since(told) < precision, "{span:?}: {told}");
        }
    }

    #[test]
    fn offsets_are_total() {
        assert_eq!(Offset::NONE.get(Timestamp::MAX), None);
        assert_eq!(Offset::of(Timestamp::MIN, Timestamp::MAX).get(Timestamp::MAX), Some(Timestamp::MAX));
        assert!(Offset::of(Timestamp::MAX, Timestamp::MIN).get(Timestamp::MIN).is_some());
    }

    #[test]
    fn a_negative_span_is_absent_not_zero() {
        let t = |n| Some(Timestamp::from_nanos(n));
        assert_eq!(between(t(5), t(4)), None);
        assert_eq!(between(t(5), t(5)), Some(Duration::ZERO));
        assert_eq!(between(None, t(5)), None);
        assert_eq!(Stamp::at(Timestamp::MIN).get(), t(i64::MIN + 1));
    }
}
