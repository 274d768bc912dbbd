//! The short way: a segment that is next in line between two established ends, as most segments are.
//!
//! May touch `base` and `wire::Segment`. Gives exactly what [`Flow::feed`] gives, or nothing.

use super::half::mark;
use super::machine::{Flow, flag};
use super::stamp::Offset;
use super::view::Side;
use crate::base::TcpState;
use crate::wire::{Flags, Segment};

impl Flow {
    /// Takes in a segment that [`Self::is_plain`]; the same as [`Self::feed`], sooner.
    pub fn feed_plain(&mut self, segment: &Segment, from: Side) {
        self.count_plain(segment, from);
        self.last = self.last.max(segment.ts);
        self.halves[from.peer().index()].acknowledge(segment.ack);
        self.halves[from.index()].advance(segment.seq, segment.end());
        self.take_window(segment, from);
    }

    /// Whether the segment changes neither state, outcome nor timer: data or an acknowledgment in order, between two
    /// established ends of which none has sent a FIN; of one nothing may have been captured.
    pub fn is_plain(&self, segment: &Segment, from: Side) -> bool {
        const NONE_OF: u16 = Flags::FIN.0 | Flags::SYN.0 | Flags::RST.0;
        const KNOWN: u8 = mark::BASE | mark::SENT | mark::ACKED;
        const NOT_CLOSING: u8 = KNOWN | mark::FIN | mark::DOUBTFUL_FIN;
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let text = segment.flags.0 & (NONE_OF | Flags::ACK.0) == Flags::ACK.0 && !segment.malformed;
        let open = half.state == Some(TcpState::Estab)
            && matches!(peer.state, Some(TcpState::Estab) | None)
            && half.marks.among(NOT_CLOSING & !mark::ACKED) == (KNOWN & !mark::ACKED)
            && peer.marks.among(NOT_CLOSING) == KNOWN;
        // What was never captured of a peer is heard of by its acknowledgments alone.
        let acks_seen = !segment.ack.after(peer.nxt) || peer.segments == 0;
        let in_line = segment.seq == half.nxt && !segment.ack.before(peer.una) && acks_seen;
        text && open && in_line && peer.reaches(segment.ack) && !self.is_pending() && !self.rst_at.is_set()
    }

    /// What [`Flow::count`] counts of it.
    fn count_plain(&mut self, segment: &Segment, from: Side) {
        let first = self.first;
        let half = &mut self.halves[from.index()];
        half.segments += 1;
        self.seen |= if segment.payload_len > 0 { 8 } else { 4 };
        if segment.payload_len > 0 {
            half.payload_bytes = half.payload_bytes.saturating_add(segment.payload_len.into());
            half.first_data_at.set_once(segment.ts, first);
            self.last_data_at = Offset::of(segment.ts, first);
            self.marks.put(flag::LAST_DATA_FROM_RESP, from == Side::Resp);
        }
    }

    /// Reads a little of every part, so that all of it is at hand.
    pub fn warm(&self) -> u64 {
        let [orig, resp] = &self.halves;
        orig.segments ^ resp.segments ^ u64::from(orig.window ^ resp.window) ^ self.first.nanos().cast_unsigned()
    }
}
