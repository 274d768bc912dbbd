//! How measured times are spread: least, mean, most, jitter and percentiles, in few bytes until there are many.
//!
//! May touch `base` and its own kind. Jitter is the estimate of RFC 3550 §6.4.1, taken between one measured time and
//! the next. Percentiles are told of [`MANY`] samples and more: of fewer they say little more than least and most do.
//! So that a short flow costs nothing more, they leave the first [`LEFT_OUT`] samples out, which least, mean and most
//! hold.

use std::time::Duration;

use super::span::Span;
use super::view::Delays;
use crate::base::Packing;

/// From this many samples on percentiles are told.
const MANY: u32 = 32;
/// How many of them, the first, percentiles leave out.
const LEFT_OUT: u32 = 16;

/// A set of measured times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    sums: Sums,
    /// Of the samples after those that are left out.
    buckets: Option<Box<Buckets>>,
    count: u32,
}

/// What all samples together are.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sums {
    /// Nanoseconds.
    sum: u64,
    least: Span,
    most: Span,
    last: Span,
    jitter: Span,
}

impl Spread {
    pub(super) const fn new() -> Self {
        let sums = Sums { sum: 0, least: Span::UNKNOWN, most: Span::ZERO, last: Span::ZERO, jitter: Span::ZERO };
        Self { sums, buckets: None, count: 0 }
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.buckets.as_ref().map_or(0, |_| size_of::<Buckets>())
    }

    /// It is likely the same as `like`.
    pub(super) fn pack(&mut self, like: Option<&Self>, into: &mut impl Packing) {
        into.word(&mut self.count);
        if self.count == 0 {
            return;
        }
        let usual = like.map_or(Sums::of_one(Span::ZERO), |like| like.sums);
        into.unless(&mut self.sums, usual, |into, sums| sums.pack(into));
        if self.count > LEFT_OUT {
            self.buckets.get_or_insert_with(|| Box::new(Buckets::new())).pack(into);
        }
    }

    /// Adds a sample of so many nanoseconds.
    pub(super) fn add(&mut self, nanos: u64) {
        let (sample, sums) = (Span::of_nanos(nanos), &mut self.sums);
        if self.count > 0 {
            let change = sample.nanos().abs_diff(sums.last.nanos());
            sums.jitter = smoothed(sums.jitter, change);
        }
        sums.sum = sums.sum.saturating_add(nanos);
        (sums.least, sums.most, sums.last) = (sums.least.min(sample), sums.most.max(sample), sample);
        self.count = self.count.saturating_add(1);
        if self.count > LEFT_OUT {
            self.add_to_buckets(sample);
        }
    }

    #[inline(never)]
    fn add_to_buckets(&mut self, sample: Span) {
        self.buckets.get_or_insert_with(|| Box::new(Buckets::new())).add(sample);
    }

    /// The least sample; longer than any other if there is none.
    pub(super) const fn shortest(&self) -> Span {
        self.sums.least
    }

    /// The latest sample.
    pub(super) const fn last(&self) -> Span {
        self.sums.last
    }

    /// The least sample.
    pub(super) fn least(&self) -> Option<Duration> {
        self.sums.least.known()
    }

    /// What it says; `None` without a sample.
    pub(super) fn view(&self) -> Option<Delays> {
        let Sums { sum, least, most, jitter, .. } = self.sums;
        let mean = Duration::from_nanos(sum.checked_div(u64::from(self.count))?);
        let buckets = self.buckets.as_deref().filter(|_| self.count >= MANY);
        let percentile = |percent| {
            let told = Span::of_nanos(buckets?.percentile(percent));
            Some(told.clamp(least, most).get())
        };
        Some(Delays {
            samples: self.count,
            min: least.get(),
            mean,
            max: most.get(),
            jitter: (self.count > 1).then(|| jitter.get()),
            p50: percentile(50),
            p95: percentile(95),
        })
    }
}

impl Sums {
    fn of_one(sample: Span) -> Self {
        Self { sum: sample.nanos(), least: sample, most: sample, last: sample, jitter: Span::ZERO }
    }

    /// Of a single sample, the last one tells all.
    fn pack(&mut self, into: &mut impl Packing) {
        let Self { mut last, .. } = *self;
        last.pack(into);
        into.unless(self, Self::of_one(last), |into, Self { sum, least, most, last: told, jitter }| {
            *told = last;
            into.unless(least, last, |into, least| least.pack(into));
            into.unless(most, last, |into, most| most.pack(into));
            jitter.pack(into);
            into.nanos(sum);
        });
    }
}

/// The jitter after one more change: J + (|D| − J) / 16.
fn smoothed(jitter: Span, change: u64) -> Span {
    let before = jitter.nanos();
    // A length of time in nanoseconds is far from the sign.
    Span::of_nanos(before.wrapping_add_signed(change.wrapping_sub(before).cast_signed() / 16))
}

/// Counts by length, four buckets to each doubling from 1 µs to 69 s: a percentile is told to an eighth.
#[derive(Debug, Clone, PartialEq)]
struct Buckets([u32; Buckets::COUNT]);

impl Buckets {
    /// Powers of two, nanoseconds.
    const FROM: u32 = 10;
    const TO: u32 = 36;
    const COUNT: usize = ((Self::TO - Self::FROM) * 4) as usize;

    const fn new() -> Self {
        Self([0; Self::COUNT])
    }

    fn add(&mut self, sample: Span) {
        let nanos = sample.nanos().clamp(1 << Self::FROM, (1 << Self::TO) - 1);
        let power = nanos.ilog2();
        let quarter = (nanos >> (power - 2)) & 3;
        let count = &mut self.0[((power - Self::FROM) * 4) as usize + quarter as usize];
        *count = count.saturating_add(1);
    }

    /// How many of them hold anything, and each: how far on, and its count.
    fn pack(&mut self, into: &mut impl Packing) {
        let mut left = self.0.iter().filter(|count| **count > 0).count() as u64;
        into.number(&mut left);
        let mut at = 0;
        while left > 0 && at < self.0.len() {
            let skipped = self.0[at..].iter().position(|count| *count > 0).unwrap_or(0);
            let mut skipped = skipped as u64;
            into.number(&mut skipped);
            at += skipped as usize;
            if let Some(count) = self.0.get_mut(at) {
                into.word(count);
            }
            (at, left) = (at + 1, left - 1);
        }
    }

    /// The least length that bucket `index` holds, nanoseconds.
    const fn least(index: usize) -> u64 {
        (4 + index as u64 % 4) << (Self::FROM as usize - 2 + index / 4)
    }

    /// The sample below or at which `percent` of all lie, nanoseconds: placed in its bucket by its rank there.
    fn percentile(&self, percent: u64) -> u64 {
        let all: u64 = self.0.iter().copied().map(u64::from).sum();
        let mut rank = (all * percent).div_ceil(100).max(1);
        for (index, count) in self.0.iter().enumerate() {
            let count = u64::from(*count);
            if rank <= count {
                let (from, to) = (Self::least(index), Self::least(index + 1));
                return from
                    + u64::try_from(u128::from(to - from) * u128::from(rank * 2 - 1) / u128::from(count * 2))
                        .unwrap_or(0);
            }
            rank -= count;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(millis: impl IntoIterator<Item = u64>) -> Delays {
        let mut spread = Spread::new();
        millis.into_iter().for_each(|n| spread.add(n * 1_000_000));
        spread.view().expect("samples")
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn nothing_is_told_of_no_samples_and_no_percentiles_of_few() {
        assert_eq!(Spread::new().view(), None);
        let one = spread([7]);
        assert_eq!((one.samples, one.min, one.mean, one.max, one.jitter), (1, ms(7), ms(7), ms(7), None));
        assert_eq!(spread(1..32).p50, None);
        assert!(spread(1..33).p50.is_some(), "from 32 samples on");
    }

    #[test]
    fn percentiles_leave_the_first_samples_out() {
        let told = spread([1_000; 16].into_iter().chain([10; 16]));
        assert!(told.p95.is_some_and(|p95| p95 < ms(12)), "{told:?}");
        assert_eq!((told.max, told.samples), (ms(1_000), 32));
    }

    #[test]
    fn percentiles_lie_within_an_eighth() {
        let delays = spread(1..=1_000);
        for (told, real) in [(delays.p50, 500.0), (delays.p95, 950.0)] {
            let told = told.expect("many").as_secs_f64() * 1e3;
            assert!((told - real).abs() <= real / 8.0, "{told} for {real}");
        }
        let same = spread([20; 40]);
        assert_eq!((same.p50, same.p95), (Some(ms(20)), Some(ms(20))), "never beyond least and most");
        assert!(spread([0; 40]).p95 == Some(ms(0)) && spread([500_000; 40]).p50 == Some(ms(500_000)));
    }

    #[test]
    fn jitter_is_that_of_rfc_3550() {
        assert_eq!(spread([20; 9]).jitter, Some(ms(0)));
        assert_eq!(spread([20, 36]).jitter, Some(ms(1)), "a sixteenth of the change");
        let third = spread([20, 36, 36]).jitter.expect("three");
        assert_eq!(third, Duration::from_nanos(937_500), "and it fades by a sixteenth");
    }

    #[test]
    fn few_samples_are_small() {
        assert!(size_of::<Spread>() <= 40, "{}", size_of::<Spread>());
    }
}
