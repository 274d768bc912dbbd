//! What happened when, over a span that is not known beforehand: counts in slots of time, few enough to be drawn.

use std::collections::VecDeque;
use std::time::Duration;

use super::Timestamp;

/// Counts by slots of time. Once there would be too many slots, each two neighbours become one: memory stays, the span
/// grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// When the first slot begins; `None` before anything happened.
    start: Option<Timestamp>,
    /// Nanoseconds that a slot lasts: a power of two of [`Timeline::FINEST`].
    width: i64,
    slots: VecDeque<Moments>,
}

/// What happened in a slot of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moments {
    pub segments: u32,
    pub retransmissions: u32,
    /// Handshakes that failed.
    pub failures: u32,
    /// Findings that were first made.
    pub findings: u32,
}

impl Moments {
    /// These and the others.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            segments: self.segments.saturating_add(other.segments),
            retransmissions: self.retransmissions.saturating_add(other.retransmissions),
            failures: self.failures.saturating_add(other.failures),
            findings: self.findings.saturating_add(other.findings),
        }
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self { start: None, width: Self::FINEST, slots: VecDeque::new() }
    }
}

impl Timeline {
    /// Slots at most: more than a wide terminal has columns, two to each.
    pub const MOST: usize = 1024;
    /// The width of a slot while there are few, nanoseconds.
    const FINEST: i64 = 1 << 20;

    /// Adds what happened at an instant. One before the first counts as the first.
    pub fn add(&mut self, at: Timestamp, what: Moments) {
        let start = *self.start.get_or_insert(at);
        let after = i64::try_from(at.since(start).as_nanos()).unwrap_or(i64::MAX);
        while after / self.width >= Self::MOST as i64 {
            self.merge();
        }
        let place = (after / self.width) as usize;
        if place >= self.slots.len() {
            self.slots.resize(place + 1, Moments::default());
        }
        self.slots[place] = self.slots[place].plus(what);
    }

    /// Whether an instant is in another slot than an earlier one.
    pub fn turns(&self, earlier: Timestamp, at: Timestamp) -> bool {
        at >= self.slot_end(earlier)
    }

    /// When the slot that holds this instant ends.
    pub fn slot_end(&self, at: Timestamp) -> Timestamp {
        let start = self.start.unwrap_or(at);
        let into = at.since(start).as_nanos() % u128::from(self.width.cast_unsigned());
        let left = u128::from(self.width.cast_unsigned()) - into;
        at + Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }

    /// Forgets the slots that end at or before an instant.
    pub fn forget_before(&mut self, at: Timestamp) {
        while let Some(start) = self.start.filter(|_| self.slots.len() > 1) {
            let next = start + Duration::from_nanos(self.width.cast_unsigned());
            if next > at {
                return;
            }
            self.slots.pop_front();
            self.start = Some(next);
        }
    }

    /// When the first slot begins.
    pub const fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// When the last slot ends.
    pub fn end(&self) -> Option<Timestamp> {
        let nanos = u128::from(self.width.cast_unsigned()) * self.slots.len() as u128;
        Some(self.start? + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// What happened from one instant on and before another, in `count` equal parts, oldest first. A slot counts in the
    /// part that holds its middle, so that what is narrower than a part counts once; where slots are wider, a part
    /// shows the slot around it, and `true`: it is told again in the parts beside it.
    pub fn parts(&self, from: Timestamp, to: Timestamp, count: usize) -> (Vec<Moments>, bool) {
        let mut parts = vec![Moments::default(); count];
        let span = i128::from(to.nanos()) - i128::from(from.nanos());
        let (Some(start), true) = (self.start, span > 0 && count > 0) else { return (parts, false) };
        let (count, width) = (count as i128, i128::from(self.width));
        let before = i128::from(start.nanos()) - i128::from(from.nanos());
        let wide = width * count > span;
        if wide {
            for (at, part) in parts.iter_mut().enumerate() {
                let middle = (2 * at as i128 + 1) * span / (2 * count) - before;
                let slot = usize::try_from(middle.div_euclid(width)).ok().and_then(|place| self.slots.get(place));
                *part = slot.copied().unwrap_or_default();
            }
        } else {
            for (at, slot) in self.slots.iter().enumerate() {
                let middle = before + at as i128 * width + width / 2;
                let part = usize::try_from((middle * count).div_euclid(span)).ok();
                if let Some(part) = part.and_then(|part| parts.get_mut(part)) {
                    *part = part.plus(*slot);
                }
            }
        }
        (parts, wide)
    }

    fn merge(&mut self) {
        self.width = self.width.saturating_mul(2);
        let len = self.slots.len().div_ceil(2);
        for place in 0..len {
            let second = self.slots.get(place * 2 + 1).copied().unwrap_or_default();
            self.slots[place] = self.slots[place * 2].plus(second);
        }
        self.slots.truncate(len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn one() -> Moments {
        Moments { segments: 1, ..Moments::default() }
    }

    fn sum(parts: &[Moments]) -> u32 {
        parts.iter().map(|part| part.segments).sum()
    }

    #[test]
    fn slots_merge_as_the_span_grows_and_nothing_is_lost() {
        let mut timeline = Timeline::default();
        let mut gap = 1_000;
        let mut now = 1_700_000_000_000_000_000;
        let first = now;
        for n in 0..40_u32 {
            timeline.add(at(now), one());
            assert!(timeline.slots.len() <= Timeline::MOST);
            let (parts, _) = timeline.parts(at(first), at(now + 2 * timeline.width), Timeline::MOST * 4);
            assert!(sum(&parts) > n, "{n}");
            (now, gap) = (now + gap, gap * 2);
        }
        timeline.add(at(i64::MAX), one());
        timeline.add(at(i64::MIN), one());
        assert!(timeline.slots.len() <= Timeline::MOST);
        assert_eq!(timeline.slots.iter().map(|slot| slot.segments).sum::<u32>(), 42);
    }

    #[test]
    fn parts_tell_each_slot_once_where_slots_are_narrow() {
        let mut timeline = Timeline::default();
        let width = timeline.width;
        for n in [0, 1, 1, 5, 9] {
            timeline.add(at(n * width), one());
        }
        let (parts, wide) = timeline.parts(at(0), at(10 * width), 5);
        assert_eq!((parts.iter().map(|part| part.segments).collect::<Vec<_>>(), wide), (vec![3, 0, 1, 0, 1], false));
        let (parts, wide) = timeline.parts(at(0), at(2 * width), 4);
        assert_eq!((parts.iter().map(|part| part.segments).collect::<Vec<_>>(), wide), (vec![1, 1, 2, 2], true));
        assert_eq!(timeline.parts(at(5), at(5), 4).0, vec![Moments::default(); 4], "no span");
    }

    #[test]
    fn a_slot_ends_where_the_next_begins() {
        let mut timeline = Timeline::default();
        timeline.add(at(100), one());
        let end = timeline.slot_end(at(100));
        assert_eq!(end, at(100 + timeline.width));
        assert!(!timeline.turns(at(100), at(end.nanos() - 1)) && timeline.turns(at(100), end));
        assert_eq!(timeline.slot_end(end), at(100 + 2 * timeline.width));
    }

    #[test]
    fn what_is_no_longer_kept_is_forgotten_by_whole_slots() {
        let mut timeline = Timeline::default();
        for n in 0..10 {
            timeline.add(at(n * timeline.width), one());
        }
        timeline.forget_before(at(5 * timeline.width + 1));
        assert_eq!(timeline.start(), Some(at(5 * timeline.width)));
        assert_eq!(timeline.slots.len(), 5);
        timeline.forget_before(at(i64::MAX));
        assert_eq!(timeline.slots.len(), 1, "the last one is where it goes on");
    }
}
