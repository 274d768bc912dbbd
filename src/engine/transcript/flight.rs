//! What one half has under way, for round trips: from a segment to the acknowledgment of it, never of what was sent
//! twice (Karn's rule, RFC 6298 §3).

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Seq, Timestamp};
use crate::wire::Segment;

/// Segments under way that are remembered; beyond, the oldest give no round trip.
const KEPT: usize = 4_096;

/// Segments of one half that wait for their acknowledgment, by their ends, lowest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Flight {
    waiting: VecDeque<Sent>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    end: Seq,
    at: Timestamp,
    again: bool,
}

impl Flight {
    /// Takes in a segment of the half.
    pub(super) fn send(&mut self, segment: &Segment) {
        if segment.seg_len() == 0 || segment.flags.rst() || segment.malformed {
            return;
        }
        let end = segment.end();
        if self.waiting.back().is_none_or(|last| !segment.seq.before(last.end)) {
            if self.waiting.len() == KEPT {
                self.waiting.pop_front();
            }
            return self.waiting.push_back(Sent { end, at: segment.ts, again: false });
        }
        // Of numbers that were sent before, or that fill a hole, nobody knows which copy is acknowledged.
        for sent in self.waiting.iter_mut().rev().take_while(|sent| sent.end.after(segment.seq)) {
            sent.again = true;
        }
    }

    /// Takes in an acknowledgment by the peer; returns how long before it the newest segment that it covers was sent.
    pub(super) fn acknowledge(&mut self, segment: &Segment) -> Option<Duration> {
        if !segment.flags.ack() || segment.malformed {
            return None;
        }
        let mut newest = None;
        while self.waiting.front().is_some_and(|sent| !sent.end.after(segment.ack)) {
            newest = self.waiting.pop_front();
        }
        newest.filter(|sent| !sent.again && sent.at <= segment.ts).map(|sent| segment.ts.since(sent.at))
    }
}
