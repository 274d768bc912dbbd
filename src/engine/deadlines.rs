//! Deadlines of all flows in one queue, fired in the order of (time, flow number).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::Timestamp;

use super::FlowId;

/// A queue of deadlines. An entry may be stale (its flow gone, or its deadline moved): whoever pops it asks the flow.
#[derive(Debug, Clone, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Timestamp, FlowId)>>,
}

impl Deadlines {
    pub(super) fn push(&mut self, at: Timestamp, id: FlowId) {
        self.heap.push(Reverse((at, id)));
    }

    /// The earliest entry, stale or not.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.heap.len() * size_of::<(Timestamp, FlowId)>()
    }

    /// Takes the earliest entry if it is due at `now`.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, FlowId)> {
        let Reverse((at, _)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Throws out what `keep` refuses once there are a quarter as many stale entries as flows: memory follows the
    /// table, not the input.
    pub(super) fn prune(&mut self, flows: usize, keep: impl Fn(Timestamp, FlowId) -> bool) {
        if self.heap.len() > flows + flows / 4 + 1024 {
            self.heap.retain(|Reverse((at, id))| keep(*at, *id));
        }
    }
}
