//! Sequence numbers: 32 bits that wrap (RFC 9293 §3.4, RFC 1982).

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A TCP sequence or acknowledgment number. Compared modulo 2^32, so it has no `Ord`: use [`Seq::before`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seq(pub u32);

impl Seq {
    /// Whether `self` comes before `other` (SEG.SEQ < SND.NXT and the like), modulo 2^32.
    pub const fn before(self, other: Self) -> bool {
        self.offset_from(other) < 0
    }

    /// Whether `self` comes after `other`, modulo 2^32.
    pub const fn after(self, other: Self) -> bool {
        self.offset_from(other) > 0
    }

    /// The signed distance from `origin` to `self`: positive if `self` is after it.
    pub const fn offset_from(self, origin: Self) -> i32 {
        self.0.wrapping_sub(origin.0) as i32
    }

    /// Whether `self` lies in the half-open range of `len` numbers that begins at `start`.
    pub const fn within(self, start: Self, len: u32) -> bool {
        self.0.wrapping_sub(start.0) < len
    }

    /// The later of the two, modulo 2^32.
    #[must_use]
    pub const fn latest(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }
}

impl Add<u32> for Seq {
    type Output = Self;
    fn add(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }
}

impl AddAssign<u32> for Seq {
    fn add_assign(&mut self, count: u32) {
        *self = *self + count;
    }
}

impl Sub<u32> for Seq {
    type Output = Self;
    fn sub(self, count: u32) -> Self {
        Self(self.0.wrapping_sub(count))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps() {
        let high = Seq(u32::MAX - 1);
        assert!(high.before(high + 5) && (high + 5).after(high));
        assert_eq!((high + 5).offset_from(high), 5);
        assert_eq!(high.latest(high + 5), high + 5);
        assert!(!high.before(high) && !high.after(high));
    }

    #[test]
    fn within_is_half_open() {
        let start = Seq(u32::MAX);
        assert!(start.within(start, 1) && !start.within(start, 0));
        assert!((start + 9).within(start, 10) && !(start + 10).within(start, 10));
        assert!(!(start - 1).within(start, 10));
    }
}
