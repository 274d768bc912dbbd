//! How far a reading has come: share, rate, time left.

use std::time::Duration;

use super::units::bytes;

/// So much of the whole is done after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes.
    pub done: u64,
    pub whole: u64,
    pub took: Duration,
}

impl Progress {
    /// Shorter than this a rate says nothing.
    const SOON: Duration = Duration::from_millis(200);

    /// Hundredths of the whole, rounded down.
    pub fn percent(&self) -> u64 {
        let share = u128::from(self.done.min(self.whole)) * 100 / u128::from(self.whole.max(1));
        u64::try_from(share).unwrap_or(100)
    }

    /// About how many there will be in all of what there were `so_far`.
    pub fn whole_of(&self, so_far: u64) -> u64 {
        let whole = u128::from(so_far) * u128::from(self.whole) / u128::from(self.done.max(1));
        u64::try_from(whole).unwrap_or(u64::MAX)
    }

    /// Bytes a second so far; `None` while that says nothing.
    pub fn per_s(&self) -> Option<u64> {
        let rate = u128::from(self.done) * 1_000_000_000 / self.took.as_nanos().max(1);
        (self.took >= Self::SOON && self.done > 0).then(|| u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// How long the rest takes at this rate, to the second, rounded up.
    pub fn left(&self) -> Option<Duration> {
        let rest = self.whole.saturating_sub(self.done);
        Some(Duration::from_secs(rest.div_ceil(self.per_s()?.max(1))))
    }

    /// `42 %  1.2 GB of 3.0 GB  850.0 MB/s  3 s left`; what is not known yet is left out.
    pub fn words(&self) -> String {
        let mut words = format!("{:>3}%  {} of {}", self.percent(), bytes(self.done), bytes(self.whole));
        if let Some((rate, left)) = self.per_s().zip(self.left()) {
            let (minutes, secs) = (left.as_secs() / 60, left.as_secs() % 60);
            let left = if minutes > 0 { format!("{minutes} min {secs} s") } else { format!("{secs} s") };
            words += &format!("  {}/s  {left} left", bytes(rate));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_rate_and_time_left() {
        let progress = |done, whole, millis| Progress { done, whole, took: Duration::from_millis(millis) };
        assert_eq!(progress(1_275, 3_000, 1_500).words(), " 42%  1.3 kB of 3.0 kB  850 B/s  3 s left");
        assert_eq!(progress(0, 3_000, 1_500).words(), "  0%  0 B of 3.0 kB", "nothing tells how long it takes");
        assert_eq!(progress(100, 3_000, 100).words(), "  3%  100 B of 3.0 kB", "too soon");
        assert_eq!(progress(10, 100_000, 1_000).words(), "  0%  10 B of 100.0 kB  10 B/s  166 min 39 s left");
        assert_eq!(progress(7, 5, 1_000).percent(), 100, "a file that grows");
        assert_eq!(progress(u64::MAX, 0, u64::MAX).percent(), 0, "an empty one");
    }
}
