//! When SYNs and SYN-ACKs were sent again. A flow keeps how often, and when first and last; the tries between are kept
//! beside it, since few flows have any. Bounded.

use crate::base::Timestamp;
use crate::flow::Side;
use crate::wire::Segment;

use super::record::Record;

/// Tries kept of each end: Linux makes ten (tcp_syn_retries 6, tcp_syn_linear_timeouts 4), others fewer.
const MOST: usize = 16;

/// The tries of the originator's SYN and of the responder's SYN-ACK, but for the first of each; oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Retries([Vec<Timestamp>; 2]);

impl Retries {
    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.0.iter().map(|tries| tries.capacity() * size_of::<Timestamp>()).sum()
    }
}

impl Record {
    /// Feeds the segment to the flow, and notes the try that it is, if it is one.
    #[inline]
    pub(super) fn feed_flow(&mut self, segment: &Segment, from: Side) {
        let Some(flow) = &mut self.wire else { return };
        if !segment.flags.syn() {
            return flow.feed(segment, from);
        }
        let before = flow.retries();
        flow.feed(segment, from);
        let after = flow.retries();
        for side in Side::BOTH.into_iter().filter(|side| after[side.index()] > before[side.index()]) {
            let Retries(tries) = &mut self.rare.get_or_insert_default().retries;
            if tries[side.index()].len() < MOST {
                tries[side.index()].push(segment.ts);
            }
        }
    }

    /// When the SYN (of the originator) or the SYN-ACK (of the responder) was sent again, the last try too.
    pub(super) fn retries(&self, side: Side, last: Option<Timestamp>) -> Vec<Timestamp> {
        let kept = self.rare.as_ref().map(|rare| &rare.retries.0[side.index()]);
        let mut tries: Vec<Timestamp> = kept.into_iter().flatten().copied().collect();
        tries.extend(last.filter(|last| tries.last().is_none_or(|kept| kept < last)));
        tries
    }
}
