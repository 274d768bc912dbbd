//! The short way: a segment that is next in line between two established ends, as most segments are.
//!
//! May touch `base` and `wire::Segment`. Gives exactly what [`Flow::feed`] gives, or nothing.

use super::half::{Half, mark};
use super::machine::{Flow, flag};
use super::stamp::Offset;
use super::view::Side;
use crate::base::TcpState;
use crate::wire::Segment;

/// Whether a segment [is text](crate::wire::Flags::is_text), and well formed.
#[inline]
pub(super) fn is_text(segment: &Segment) -> bool {
    segment.flags.is_text() & !segment.malformed
}

impl Flow {
    /// What a plain segment touches is of so many bytes, from the first on.
    pub(crate) const PLAIN: usize =
        std::mem::offset_of!(Self, halves) + size_of::<Half>() + std::mem::offset_of!(Half, iss);

    /// Whether the segment changes neither state, outcome nor timer: data or an acknowledgment in order, between two
    /// established ends of which none has sent a FIN; of one nothing may have been captured.
    #[inline]
    pub fn is_plain(&self, segment: &Segment, from: Side) -> bool {
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        // What was never captured of a peer is heard of by its acknowledgments alone.
        let acks_seen = !segment.ack.after(peer.nxt) || peer.segments == 0;
        let in_line = segment.seq == half.nxt && !segment.ack.before(peer.una) && acks_seen;
        is_text(segment) && in_line && peer.reaches(segment.ack) && self.is_open(from)
    }

    /// Whether `from` may send a plain segment, whatever its numbers. Only a segment that is not plain changes that, or
    /// what takes `from` out of ESTAB.
    pub(super) fn is_open(&self, from: Side) -> bool {
        const KNOWN: u8 = mark::BASE | mark::SENT | mark::ACKED;
        const NOT_CLOSING: u8 = KNOWN | mark::FIN | mark::DOUBTFUL_FIN;
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let open = half.state == Some(TcpState::Estab)
            && matches!(peer.state, Some(TcpState::Estab) | None)
            && half.marks.among(NOT_CLOSING & !mark::ACKED) == (KNOWN & !mark::ACKED)
            && peer.marks.among(NOT_CLOSING) == KNOWN;
        open && !self.is_pending() && !self.rst_at.is_set()
    }

    /// Takes in a segment that [`Self::is_plain`]; the same as [`Self::feed`], sooner.
    #[inline]
    pub fn feed_plain(&mut self, segment: &Segment, from: Side) {
        let Segment { ts, ack, payload_len, window, .. } = *segment;
        let first = self.first;
        let [orig, resp] = &mut self.halves;
        let (half, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        half.segments += 1;
        self.last = self.last.max(ts);
        if ack != peer.una {
            peer.acknowledge_next(ack);
        }
        if payload_len > 0 {
            half.payload_bytes = half.payload_bytes.saturating_add(payload_len.into());
            half.first_data_at.set_once(ts, first);
            half.advance_next(segment.seq + payload_len);
            self.last_data_at = Offset::of(ts, first);
            self.marks.put(flag::LAST_DATA_FROM_RESP, from == Side::Resp);
            self.seen |= 8;
        } else {
            self.seen |= 4;
        }
        half.take_window(window, ts, first, false);
    }
}
