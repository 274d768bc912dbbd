//! Deadlines of all flows in one queue, fired in the order of (time, flow number).
//!
//! Nearly all are as long ahead as the one before of their kind (an answer to a SYN, TIME-WAIT), so they come in order:
//! those stand in lanes, each in its order, and only the others in a heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use crate::base::Timestamp;

use super::FlowId;

type Entry = (Timestamp, FlowId);

/// One for each kind of deadline that is common: near, and far ahead.
const LANES: usize = 2;
/// From here on a deadline is far ahead.
const FAR: Duration = Duration::from_secs(30);
/// Stale entries beyond those of flows that are there, before any is looked for.
const SLACK: usize = 1024;

/// A queue of deadlines. An entry may be stale (its flow gone, or its deadline moved): whoever pops it asks the flow.
#[derive(Debug, Clone, Default)]
pub(super) struct Deadlines {
    /// Each in order.
    lanes: [VecDeque<Entry>; LANES],
    heap: BinaryHeap<Reverse<Entry>>,
    /// No entry is earlier.
    earliest: Timestamp,
    /// Entries of flows that are there, which another one has made stale.
    left: usize,
}

impl Deadlines {
    /// Whether a flow whose earliest entry is at `armed` wants another one, now that its deadline is `at`. An entry that
    /// is too early asks the flow again when it comes; but a deadline far behind it would not come in order then.
    pub(super) fn wants(armed: Timestamp, at: Timestamp) -> bool {
        at < armed || at.since(armed) > FAR
    }

    /// The flow's deadline is `at` from `now` on; its earliest entry so far is at `armed`.
    pub(super) fn push(&mut self, at: Timestamp, id: FlowId, now: Timestamp, armed: Timestamp) {
        let entry = (at, id);
        self.left += usize::from(armed != Timestamp::MAX);
        self.earliest = self.earliest.min(at);
        let lane = &mut self.lanes[usize::from(at.since(now) > FAR)];
        if lane.back().is_none_or(|last| *last <= entry) {
            lane.push_back(entry);
        } else {
            self.heap.push(Reverse(entry));
        }
    }

    /// An entry that was taken is stale.
    pub(super) fn pass_stale(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Whose entries will come by then, the first of each lane.
    pub(super) fn soon(&self, by: Timestamp) -> impl Iterator<Item = FlowId> {
        let of = move |lane| VecDeque::iter(lane).take_while(move |(at, _)| *at <= by).map(|(_, id)| *id);
        self.lanes.iter().flat_map(of)
    }

    /// The earliest entry, stale or not.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let lanes = self.lanes.iter().filter_map(|lane| lane.front());
        lanes.chain(self.heap.peek().map(|Reverse(entry)| entry)).min().map(|(at, _)| *at)
    }

    /// What it holds, bytes: its queues keep the room of the most that they held.
    pub(super) fn bytes(&self) -> usize {
        let Self { lanes, heap, earliest: _, left: _ } = self;
        (lanes.iter().map(VecDeque::capacity).sum::<usize>() + heap.capacity()) * size_of::<Entry>()
    }

    fn len(&self) -> usize {
        self.lanes.iter().map(VecDeque::len).sum::<usize>() + self.heap.len()
    }

    /// Takes the earliest entry if it is due at `now`.
    #[inline]
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<Entry> {
        if now < self.earliest {
            return None;
        }
        self.earliest = self.next().unwrap_or(Timestamp::MAX);
        if now < self.earliest { None } else { self.pop() }
    }

    #[inline(never)]
    fn pop(&mut self) -> Option<Entry> {
        let of_heap = self.heap.peek().map(|Reverse(entry)| *entry);
        let first = self.lanes.iter_mut().filter(|lane| !lane.is_empty()).min_by_key(|lane| lane.front().copied());
        match first.filter(|lane| of_heap.is_none_or(|other| lane.front().is_some_and(|entry| *entry < other))) {
            Some(lane) => lane.pop_front(),
            None => self.heap.pop().map(|Reverse(entry)| entry),
        }
    }

    /// Throws out what `keep` refuses, so that memory follows the table and not the input: where there are more
    /// entries than flows and what those left behind, a few of the earliest each time, since who is thrown out of the
    /// table first came first; and where there are a quarter more, all.
    pub(super) fn prune(&mut self, flows: usize, keep: impl Fn(Timestamp, FlowId) -> bool) {
        const AT_ONCE: usize = 2;
        let flows = flows + self.left.min(flows / 2);
        if self.len() <= flows + SLACK {
            return;
        }
        for lane in &mut self.lanes {
            for _ in 0..AT_ONCE {
                let Some(entry) = lane.pop_front() else { break };
                if keep(entry.0, entry.1) {
                    // Not to be looked at again and again.
                    self.heap.push(Reverse(entry));
                } else {
                    self.left = self.left.saturating_sub(1);
                }
            }
        }
        if self.len() > flows + flows / 4 + 2 * SLACK {
            self.heap.retain(|Reverse((at, id))| keep(*at, *id));
            self.lanes.iter_mut().for_each(|lane| lane.retain(|(at, id)| keep(*at, *id)));
            self.left = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustc_hash::FxHashSet;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn what_is_due_comes_in_order(waits in prop::collection::vec((0i64..9, 0i64..3), 1..200)) {
            let (mut deadlines, mut now, mut left) = (Deadlines::default(), 0, Vec::new());
            const SECOND: i64 = 1_000_000_000;
            for (id, (wait, passes)) in (0..).zip(waits) {
                // Two kinds that come in order, and others.
                let ahead = [35, 35, 35, 600, 600, 7, 20, 580, 35][wait as usize] * SECOND / 10;
                deadlines.push(at(now + ahead), FlowId(id), at(now), Timestamp::MAX);
                left.push((at(now + ahead), FlowId(id)));
                now += passes * 11 * SECOND / 10;
                left.sort_unstable();
                prop_assert_eq!(deadlines.next(), left.first().map(|(at, _)| *at));
                while let Some(entry) = deadlines.pop_due(at(now)) {
                    prop_assert_eq!(entry, left.remove(0));
                }
                prop_assert!(left.first().is_none_or(|(due, _)| *due > at(now)));
            }
        }
    }

    #[test]
    fn entries_of_those_who_are_gone_go() {
        const FLOWS: u64 = 3_000;
        let mut deadlines = Deadlines::default();
        // The first few stay for ever, all others go as new ones come.
        let is_there = |id: u64, newest: u64| id < 100 || newest - id < FLOWS;
        for id in 0..60_000_u64 {
            let now = id.cast_signed() * 1_000;
            deadlines.push(at(3_500_000_000 + now), FlowId(id), at(now), Timestamp::MAX);
            deadlines.prune(FLOWS as usize, |_, flow| is_there(flow.0, id));
            assert!(deadlines.len() <= FLOWS as usize + SLACK + 101, "{} at {id}", deadlines.len());
        }
        let mut left = FxHashSet::default();
        while let Some((_, id)) = deadlines.pop_due(Timestamp::MAX) {
            left.insert(id.0);
        }
        assert!((0..100).all(|id| left.contains(&id)) && (57_001..60_000).all(|id| left.contains(&id)));
    }
}
