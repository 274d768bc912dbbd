//! A bounded history in bins of time: what sparklines are drawn from.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use super::Timestamp;

/// The last `len` bins of a quantity, bin `floor(ts / width)`. A gap of any length costs at most `len` steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    width: Duration,
    len: usize,
    /// Number of the newest bin.
    newest: Option<i64>,
    /// The nanoseconds of that bin, and what it holds.
    recent: Range<i64>,
    current: u64,
    /// Those before it, the oldest first.
    bins: VecDeque<u64>,
}

impl Series {
    /// An empty series of `len` bins, each `width` wide.
    ///
    /// # Panics
    /// If `width` is zero or `len` is zero.
    pub fn new(width: Duration, len: usize) -> Self {
        assert!(!width.is_zero() && len > 0, "a series needs bins");
        Self { width, len, newest: None, recent: 0..0, current: 0, bins: VecDeque::new() }
    }

    /// The width of a bin.
    pub const fn width(&self) -> Duration {
        self.width
    }

    /// Adds `amount` to the bin of `ts`. An instant older than the oldest bin is dropped.
    #[inline]
    pub fn add(&mut self, ts: Timestamp, amount: u64) {
        if let Some(bin) = self.bin_mut(ts, 0) {
            *bin = bin.saturating_add(amount);
        }
    }

    /// Takes `amount` back out of the bin of `ts`, for a count that is revised.
    pub fn take_back(&mut self, ts: Timestamp, amount: u64) {
        if let Some(bin) = self.bin_mut(ts, 0) {
            *bin = bin.saturating_sub(amount);
        }
    }

    /// Sets the bin of `ts` to `level`; bins skipped since the last one repeat the level before.
    pub fn set(&mut self, ts: Timestamp, level: u64) {
        if let Some(bin) = self.bin_mut(ts, self.current) {
            *bin = level;
        }
    }

    /// Raises the bin of `ts` to `level` if that is more; bins skipped since the last one repeat the one before.
    pub fn peak(&mut self, ts: Timestamp, level: u64) {
        let begins = self.newest.is_none_or(|newest| ts.bin(self.width) > newest);
        if let Some(bin) = self.bin_mut(ts, self.current) {
            *bin = if begins { level } else { level.max(*bin) };
        }
    }

    /// The bins that end with the bin of `now`, oldest first; absent ones (before the first reading) are left out.
    /// Bins after the newest reading are `fill`.
    pub fn until(&self, now: Timestamp, fill: u64) -> Vec<u64> {
        let Some(newest) = self.newest else { return Vec::new() };
        let ahead = usize::try_from(now.bin(self.width).saturating_sub(newest)).unwrap_or(0).min(self.len);
        let told = self.bins.iter().copied().chain(std::iter::once(self.current));
        let mut bins: Vec<u64> = told.chain(std::iter::repeat_n(fill, ahead)).collect();
        bins.drain(..bins.len().saturating_sub(self.len));
        bins
    }

    /// The sum over the last `span` that ends with the bin of `now`, that bin included.
    pub fn sum(&self, now: Timestamp, span: Duration) -> u64 {
        let bins = self.until(now, 0);
        let count = (span.as_nanos() / self.width.as_nanos()) as usize;
        bins.iter().rev().take(count).fold(0, |sum, bin| sum.saturating_add(*bin))
    }

    /// The bin of `now`'s predecessor: the last one that is complete.
    pub fn last_complete(&self, now: Timestamp) -> u64 {
        let bins = self.until(now, 0);
        bins.len().checked_sub(2).map_or(0, |index| bins[index])
    }

    #[inline]
    fn bin_mut(&mut self, ts: Timestamp, fill: u64) -> Option<&mut u64> {
        // Nearly always the newest, which needs no division.
        if self.recent.contains(&ts.nanos()) { Some(&mut self.current) } else { self.any_bin_mut(ts, fill) }
    }

    #[inline(never)]
    fn any_bin_mut(&mut self, ts: Timestamp, fill: u64) -> Option<&mut u64> {
        let number = ts.bin(self.width);
        let newest = *self.newest.get_or_insert(number);
        if number > newest {
            let ahead = usize::try_from(number - newest).unwrap_or(usize::MAX).min(self.len);
            self.bins.push_back(self.current);
            self.bins.extend(std::iter::repeat_n(fill, ahead - 1));
            self.bins.drain(..self.bins.len().saturating_sub(self.len - 1));
            (self.newest, self.current) = (Some(number), fill);
        }
        if number >= newest {
            self.recent = ts.bin_span(self.width);
            return Some(&mut self.current);
        }
        let back = usize::try_from(newest - number).ok()?;
        let index = self.bins.len().checked_sub(back)?;
        self.bins.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs_nanos(secs, 0)
    }

    fn series() -> Series {
        Series::new(Duration::from_secs(1), 4)
    }

    #[test]
    fn adds_by_bin_and_forgets_the_oldest() {
        let mut series = series();
        for secs in [10, 10, 11, 13, 14] {
            series.add(at(secs), 1);
        }
        assert_eq!(series.until(at(14), 0), [1, 0, 1, 1]);
        assert_eq!(series.sum(at(14), Duration::from_secs(2)), 2);
        assert_eq!(series.last_complete(at(14)), 1);
    }

    #[test]
    fn a_huge_gap_is_skipped_not_walked() {
        let mut series = series();
        series.add(at(0), 7);
        series.add(at(4_000_000_000), 1);
        assert_eq!(series.until(at(4_000_000_000), 0), [0, 0, 0, 1]);
        series.add(at(0), 1);
        assert_eq!(series.until(at(4_000_000_000), 0), [0, 0, 0, 1], "too old to count");
    }

    #[test]
    fn levels_are_held() {
        let mut series = series();
        series.set(at(1), 5);
        series.set(at(3), 2);
        assert_eq!(series.until(at(3), 2), [5, 5, 2]);
        assert_eq!(series.until(at(5), 2), [5, 2, 2, 2]);
    }

    #[test]
    fn a_revised_count_leaves_its_own_bin() {
        let mut series = series();
        series.add(at(1), 2);
        series.add(at(2), 1);
        series.take_back(at(1), 1);
        assert_eq!(series.until(at(2), 0), [1, 1]);
    }
}
