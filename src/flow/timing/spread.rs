//! How measured times are spread: least, mean, most, jitter and percentiles, in few bytes until there are many.
//!
//! May touch nothing but its own kind. Jitter is the estimate of RFC 3550 §6.4.1, taken between one measured time and
//! the next. Percentiles are told of [`MANY`] samples and more: of fewer they say no more than least and most do. So
//! that a short flow costs nothing more, up to three samples are kept as what they add up to, up to fifteen as
//! themselves, and more than that in buckets.

use std::time::Duration;

use super::span::Span;
use super::view::Delays;

/// From this many samples on percentiles are told.
const MANY: usize = 16;
/// Of so many samples least, most and sum give each.
const SUMMED: u32 = 3;

/// A set of measured times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    /// Nanoseconds.
    sum: u64,
    kept: Option<Box<Kept>>,
    count: u32,
    least: Span,
    most: Span,
    last: Span,
    jitter: Span,
}

/// The samples themselves, or how many there are of each length.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Few { samples: [Span; MANY - 1], count: u8 },
    Many(Box<Buckets>),
}

impl Spread {
    pub(super) const fn new() -> Self {
        Self {
            sum: 0,
            kept: None,
            count: 0,
            least: Span::UNKNOWN,
            most: Span::ZERO,
            last: Span::ZERO,
            jitter: Span::ZERO,
        }
    }

    pub(super) fn add(&mut self, time: Duration) {
        let sample = Span::of(time);
        if self.count > 0 {
            let change = sample.nanos().abs_diff(self.last.nanos());
            self.jitter = smoothed(self.jitter, change);
        }
        if self.count == SUMMED {
            self.kept = Some(Box::new(Kept::of(self.summed())));
        }
        if let Some(kept) = &mut self.kept {
            kept.add(sample);
        }
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        (self.least, self.most, self.last) = (self.least.min(sample), self.most.max(sample), sample);
    }

    /// Three samples: least and most are two of them, and the sum leaves the third.
    fn summed(&self) -> [Span; SUMMED as usize] {
        let third = self.sum.saturating_sub(self.least.nanos()).saturating_sub(self.most.nanos());
        [self.least, Span::of(Duration::from_nanos(third)).clamp(self.least, self.most), self.most]
    }

    /// The latest sample.
    pub(super) fn last(&self) -> Duration {
        self.last.get()
    }

    /// The least sample.
    pub(super) fn least(&self) -> Option<Duration> {
        self.least.known()
    }

    /// What it says; `None` without a sample.
    pub(super) fn view(&self) -> Option<Delays> {
        let mean = Duration::from_nanos(self.sum.checked_div(u64::from(self.count))?);
        let percentile = |percent| match self.kept.as_deref()? {
            Kept::Few { .. } => None,
            Kept::Many(buckets) => {
                let told = Span::of(Duration::from_nanos(buckets.percentile(percent)));
                Some(told.clamp(self.least, self.most).get())
            }
        };
        Some(Delays {
            samples: self.count,
            min: self.least.get(),
            mean,
            max: self.most.get(),
            jitter: (self.count > 1).then(|| self.jitter.get()),
            p50: percentile(50),
            p95: percentile(95),
        })
    }
}

/// The jitter after one more change: J + (|D| − J) / 16.
fn smoothed(jitter: Span, change: u64) -> Span {
    let before = jitter.nanos();
    let after = if change > before { before + (change - before) / 16 } else { before - (before - change) / 16 };
    Span::of(Duration::from_nanos(after))
}

impl Kept {
    fn of(first: [Span; SUMMED as usize]) -> Self {
        let mut kept = Self::Few { samples: [Span::ZERO; MANY - 1], count: 0 };
        first.into_iter().for_each(|sample| kept.add(sample));
        kept
    }

    fn add(&mut self, sample: Span) {
        match self {
            Self::Few { samples, count } => match samples.get_mut(usize::from(*count)) {
                Some(place) => (*place, *count) = (sample, *count + 1),
                None => {
                    let mut buckets = Box::new(Buckets::new());
                    samples.iter().chain([&sample]).for_each(|sample| buckets.add(*sample));
                    *self = Self::Many(buckets);
                }
            },
            Self::Many(buckets) => buckets.add(sample),
        }
    }
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
        millis.into_iter().for_each(|n| spread.add(Duration::from_millis(n)));
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
        assert_eq!(spread(1..16).p50, None);
        assert!(spread(1..17).p50.is_some(), "from 16 samples on");
    }

    #[test]
    fn the_first_samples_count_in_the_percentiles() {
        // Nine of sixteen are 10 ms: without the first three the middle would lie at 100 ms.
        let first = [10, 10, 10, 100, 100, 100, 100, 100, 100, 100, 10, 10, 10, 10, 10, 10];
        let told = spread(first).p50.expect("sixteen");
        assert!(told >= ms(10) && told <= ms(12), "{told:?}");
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
        assert!(spread([0; 20]).p95 == Some(ms(0)) && spread([500_000; 20]).p50 == Some(ms(500_000)));
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
        assert!(size_of::<Kept>() <= 72, "{}", size_of::<Kept>());
    }
}
