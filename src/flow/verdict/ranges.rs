//! A few ranges of sequence numbers, in order and apart from each other.
//!
//! May touch `base`. Bounded: what a hostile sender scatters is forgotten, the lowest numbers first.

use crate::base::Seq;

/// Ranges kept at most.
const KEPT: usize = 8;

/// Half-open ranges, each with what its maker wants to know of it. Numbers compare modulo 2^32.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranges<T>(Vec<Range<T>>);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range<T> {
    pub(super) start: Seq,
    pub(super) end: Seq,
    pub(super) with: T,
}

impl<T> Range<T> {
    /// How many numbers it has.
    pub(super) fn numbers(&self) -> u32 {
        self.end.offset_from(self.start).unsigned_abs()
    }

    fn touches(&self, start: Seq, end: Seq) -> bool {
        self.start.before(end) && start.before(self.end)
    }
}

impl<T> Ranges<T> {
    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.0.capacity() * size_of::<Range<T>>()
    }
}

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Ranges<T> {
    /// Adds a range above all that are kept; returns the one that had to go for it.
    pub(super) fn push(&mut self, start: Seq, end: Seq, with: T) -> Option<Range<T>> {
        let gone = (self.0.len() == KEPT).then(|| self.0.remove(0));
        self.0.push(Range { start, end, with });
        gone
    }

    /// Adds a range anywhere, and joins it with those that it meets or overlaps.
    pub(super) fn join(&mut self, start: Seq, end: Seq, with: T) {
        let (mut start, mut end) = (start, end);
        self.0.retain(|range| {
            let meets = !range.end.before(start) && !end.before(range.start);
            if meets {
                end = end.latest(range.end);
                start = if range.start.before(start) { range.start } else { start };
            }
            !meets
        });
        let at = self.0.iter().position(|range| end.before(range.start)).unwrap_or(self.0.len());
        self.0.insert(at, Range { start, end, with });
        if self.0.len() > KEPT {
            self.0.remove(0);
        }
    }

    /// The first range that has numbers in common with `start..end`.
    pub(super) fn touching(&self, start: Seq, end: Seq) -> Option<&Range<T>> {
        self.0.iter().find(|range| range.touches(start, end))
    }

    /// Whether one range holds all of `start..end`.
    pub(super) fn hold(&self, start: Seq, end: Seq) -> bool {
        self.0.iter().any(|range| !start.before(range.start) && !end.after(range.end))
    }

    /// Whether something is kept above `number`.
    pub(super) fn reach_above(&self, number: Seq) -> bool {
        self.0.last().is_some_and(|range| range.end.after(number))
    }

    /// Takes `start..end` out; returns how many numbers that were.
    pub(super) fn remove(&mut self, start: Seq, end: Seq) -> u32 {
        let mut removed = 0;
        let mut left = Vec::with_capacity(self.0.len() + 1);
        for range in self.0.drain(..) {
            if !range.touches(start, end) {
                left.push(range);
                continue;
            }
            let below = Range { end: if start.after(range.start) { start } else { range.start }, ..range };
            let above = Range { start: if end.before(range.end) { end } else { range.end }, ..range };
            removed += above.start.offset_from(below.end).unsigned_abs();
            left.extend([below, above].into_iter().filter(|part| part.start.before(part.end)));
        }
        left.truncate(KEPT);
        self.0 = left;
        removed
    }

    /// Takes out all before `number`; returns how many numbers that were.
    pub(super) fn remove_below(&mut self, number: Seq, taken: impl FnMut(Seq, Seq)) -> u32 {
        let mut taken = taken;
        let mut removed = 0;
        self.0.retain_mut(|range| {
            if !range.start.before(number) {
                return true;
            }
            let end = if range.end.before(number) { range.end } else { number };
            taken(range.start, end);
            removed += end.offset_from(range.start).unsigned_abs();
            range.start = end;
            range.start.before(range.end)
        });
        removed
    }

    /// How many numbers the longest of them has.
    pub(super) fn longest(&self) -> Option<u32> {
        self.0.iter().map(Range::numbers).max()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Range<T>> {
        self.0.iter_mut()
    }

    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(u32, u32)]) -> Ranges<()> {
        let mut ranges = Ranges::default();
        for (start, end) in pairs {
            ranges.join(Seq(*start), Seq(*end), ());
        }
        ranges
    }

    fn told(ranges: &Ranges<()>) -> Vec<(u32, u32)> {
        ranges.0.iter().map(|range| (range.start.0, range.end.0)).collect()
    }

    #[test]
    fn ranges_join_where_they_meet() {
        assert_eq!(told(&of(&[(10, 20), (30, 40)])), [(10, 20), (30, 40)]);
        assert_eq!(told(&of(&[(30, 40), (10, 20), (20, 30)])), [(10, 40)]);
        assert_eq!(told(&of(&[(10, 20), (12, 15)])), [(10, 20)]);
        assert_eq!(told(&of(&[(u32::MAX - 5, 5), (5, 9)])), [(u32::MAX - 5, 9)], "over the wrap");
        let many: Vec<_> = (0..20).map(|n| (n * 10, n * 10 + 5)).collect();
        assert_eq!(told(&of(&many)).len(), KEPT);
        assert_eq!(told(&of(&many))[KEPT - 1], (190, 195), "the highest are kept");
    }

    #[test]
    fn what_is_removed_is_counted() {
        let mut ranges = of(&[(10, 20), (30, 40)]);
        assert_eq!(ranges.remove(Seq(15), Seq(32)), 7);
        assert_eq!(told(&ranges), [(10, 15), (32, 40)]);
        assert_eq!(ranges.remove(Seq(34), Seq(36)), 2);
        assert_eq!(told(&ranges), [(10, 15), (32, 34), (36, 40)]);
        let mut taken = Vec::new();
        assert_eq!(ranges.remove_below(Seq(33), |start, end| taken.push((start.0, end.0))), 6);
        assert_eq!((told(&ranges), taken), (vec![(33, 34), (36, 40)], vec![(10, 15), (32, 33)]));
        assert!(ranges.hold(Seq(36), Seq(40)) && !ranges.hold(Seq(33), Seq(37)));
        assert!(ranges.reach_above(Seq(39)) && !ranges.reach_above(Seq(40)));
    }
}
