//! How fast new data came: over the time from first to last, and in the fastest second.
//!
//! May touch `base`.

use std::time::Duration;

use super::view::Throughput;
use crate::base::{Packing, Timestamp};
use crate::flow::stamp::{Offset, nanos_between};

/// The new data of a half.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Volume {
    bytes: u64,
    /// Made by data more than a second after the first; until then all bytes are of the first second.
    peak: Option<Box<Peak>>,
    /// The first and the last data.
    first: Offset,
    last: Offset,
}

/// Bytes by seconds, counted from the first data.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Peak {
    second: u64,
    current: u64,
    most: u64,
}

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// What took less is one burst: its spacing is the capture's, and no rate.
const MEANINGFUL: Duration = Duration::from_millis(10);

impl Volume {
    pub(super) const NONE: Self = Self { bytes: 0, peak: None, first: Offset::NONE, last: Offset::NONE };

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.peak.as_ref().map_or(0, |_| size_of::<Peak>())
    }

    /// `sent`: all bytes that the half sent.
    pub(super) fn pack(&mut self, sent: u64, origin: Timestamp, into: &mut impl Packing) {
        let Self { bytes, peak, first, last } = self;
        into.unless(bytes, sent, Packing::number);
        let blank = || Box::new(Peak { second: 0, current: 0, most: 0 });
        into.option(peak, blank, |into, peak| {
            let Peak { second, current, most } = &mut **peak;
            for number in [second, current, most] {
                into.number(number);
            }
        });
        first.pack(origin, into);
        last.pack(origin, into);
    }

    /// `bytes` of new data at `now`; instants are kept after `origin`.
    #[inline]
    pub(super) fn add(&mut self, bytes: u64, now: Timestamp, origin: Timestamp) {
        let since = Offset::of(now, origin);
        let first = if self.first.is_set() { self.first } else { since };
        (self.first, self.last) = (first, self.last.later_of(since));
        let second = nanos_between(first.get(origin).unwrap_or(now), now).unwrap_or(0) / SECOND;
        let before = self.bytes;
        self.bytes = before.saturating_add(bytes);
        if second > 0 || self.peak.is_some() {
            self.add_to_peak(before, bytes, second);
        }
    }

    #[inline(never)]
    fn add_to_peak(&mut self, before: u64, bytes: u64, second: u64) {
        let peak = self.peak.get_or_insert_with(|| Box::new(Peak { second: 0, current: before, most: before }));
        peak.add(bytes, second);
    }

    pub(super) fn is_some(&self) -> bool {
        self.bytes > 0
    }

    pub(super) fn view(&self, origin: Timestamp) -> Option<Throughput> {
        let time = self.last.get(origin)?.since(self.first.get(origin)?);
        let peak = self.peak.as_deref().map(|peak| peak.most);
        (time >= MEANINGFUL).then_some(Throughput { bytes: self.bytes, time, peak })
    }
}

impl Peak {
    /// What comes too late counts in the second that it comes in.
    fn add(&mut self, bytes: u64, second: u64) {
        if second > self.second {
            (self.second, self.current) = (second, 0);
        }
        self.current = self.current.saturating_add(bytes);
        self.most = self.most.max(self.current);
    }
}
