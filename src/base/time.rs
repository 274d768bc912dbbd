//! The capture's clock: nanoseconds since the Unix epoch, never the wall's.

use std::fmt;
use std::ops::{Add, Range, Sub};
use std::time::Duration;

/// An instant on the capture's clock: nanoseconds since the Unix epoch (negative before 1970).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be told.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be told.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds and nanoseconds since the Unix epoch; saturates.
    pub const fn from_secs_nanos(secs: i64, nanos: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        // Of two instants in order the difference fits, wrapped or not.
        let nanos = if self > earlier { self.0.wrapping_sub(earlier.0).cast_unsigned() } else { 0 };
        Duration::from_nanos(nanos)
    }

    /// The second that holds this instant, since the Unix epoch: its bin of one second.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The number of the bin of width `bin` that holds this instant: `floor(ts / bin)`.
    ///
    /// # Panics
    /// If `bin` is zero.
    pub fn bin(self, bin: Duration) -> i64 {
        self.0.div_euclid(nanos_of(bin))
    }
}

impl Timestamp {
    /// The nanoseconds of the bin of width `bin` that holds this instant; as much of it as there is at the edge of
    /// time.
    ///
    /// # Panics
    /// If `bin` is zero.
    pub fn bin_span(self, bin: Duration) -> Range<i64> {
        let width = nanos_of(bin);
        let into = self.0.rem_euclid(width);
        self.0.saturating_sub(into)..self.0.saturating_add(width - into)
    }
}

/// A length of time in nanoseconds; as many as there is room for of one of more than 584 years.
pub const fn nanos(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000_000).saturating_add(span.subsec_nanos() as u64)
}

fn nanos_of(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos_of(span)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanos_of(span)))
    }
}

/// Seconds with nine decimals, as tcpdump's `-tt` prints with nanosecond precision.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000));
        write!(f, "{secs}.{nanos:09}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_never_negative_and_never_overflows() {
        let t = Timestamp::from_nanos;
        assert_eq!(t(5).since(t(3)), Duration::from_nanos(2));
        assert_eq!(t(3).since(t(5)), Duration::ZERO);
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn bins_floor_below_zero_too() {
        let second = Duration::from_secs(1);
        assert_eq!(Timestamp::from_nanos(-1).bin(second), -1);
        assert_eq!(Timestamp::from_nanos(0).bin(second), 0);
        assert_eq!(Timestamp::from_nanos(1_999_999_999).bin(second), 1);
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::from_secs(1), Timestamp::MIN);
        assert_eq!(Timestamp::from_secs_nanos(-1, 5).to_string(), "-1.000000005");
    }
}
