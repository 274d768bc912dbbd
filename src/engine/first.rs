//! The first few of many, in an order: the others are not kept, let alone sorted.

use std::cmp::Ordering;

/// So many are looked at together, at least.
const TOGETHER: usize = 1024;

/// The first of what is offered, as far as they are wanted.
#[derive(Debug)]
pub(super) struct First<T, F> {
    /// At least those that are wanted of all that was offered.
    kept: Vec<T>,
    count: usize,
    order: F,
    /// Of those that are kept the last one wanted is known, and has its place; no later one is kept.
    is_full: bool,
}

impl<T, F: Fn(&T, &T) -> Ordering> First<T, F> {
    /// The first `count` are wanted.
    pub(super) const fn new(count: usize, order: F) -> Self {
        Self { kept: Vec::new(), count, order, is_full: false }
    }

    pub(super) fn offer(&mut self, item: T) {
        let Some(last) = self.count.checked_sub(1) else { return };
        if self.is_full && (self.order)(&item, &self.kept[last]).is_gt() {
            return;
        }
        self.kept.push(item);
        if self.kept.len() >= self.count.saturating_mul(2).max(TOGETHER) {
            self.cut(last);
            self.is_full = true;
        }
    }

    /// They, in order.
    pub(super) fn finish(mut self) -> Vec<T> {
        if let Some(last) = self.count.checked_sub(1)
            && self.kept.len() > self.count
        {
            self.cut(last);
        }
        self.kept.sort_unstable_by(self.order);
        self.kept
    }

    fn cut(&mut self, last: usize) {
        self.kept.select_nth_unstable_by(last, &self.order);
        self.kept.truncate(self.count);
    }
}

/// The first `count` of many items, in order.
pub(super) fn first_of<T>(items: impl Iterator<Item = T>, count: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut first = First::new(count, order);
    items.for_each(|item| first.offer(item));
    first.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_are_those_that_sorting_puts_first(
            items in prop::collection::vec(0u16..500, 0..4_000),
            count in prop_oneof![0usize..40, 500usize..1_500, Just(usize::MAX)],
        ) {
            let mut sorted = items.clone();
            sorted.sort_unstable();
            sorted.truncate(count);
            prop_assert_eq!(first_of(items.into_iter(), count, u16::cmp), sorted);
        }
    }

    #[test]
    fn no_more_are_kept_than_are_looked_at_together() {
        let mut first = First::new(30, u32::cmp);
        for item in 0..100_000 {
            first.offer(100_000 - item);
            assert!(first.kept.len() < TOGETHER);
        }
    }
}
