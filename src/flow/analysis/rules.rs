//! The rules: when a segment is marked with what. Each is a few lines; [`Look::marks`] gives their order.
//!
//! May touch `base` and `wire::Segment`. The numbers of the rules give their order in Wireshark's
//! tcp_analyze_sequence_number (release 4.0), whose meaning each has exactly; where that is a questionable reading of
//! TCP, the rule says so.

use super::half::{Duplicates, Half, acknowledged, end_of};
use super::mark::{Mark, Marks};
use crate::wire::Segment;

/// A fast retransmission comes within this of the peer's latest segment; nanoseconds.
const FAST: u64 = 20_000_000;
/// A segment that comes within this of the highest one, or within the initial round trip, is out of order; nanoseconds.
const REORDERED: u64 = 3_000_000;

/// A segment, what was known of its sender's and its receiver's half before it, and of the flow.
pub(super) struct Look<'a> {
    pub(super) segment: &'a Segment,
    pub(super) own: &'a mut Half,
    pub(super) peer: &'a mut Half,
    /// Nanoseconds; 0 if not known.
    pub(super) initial_rtt: i64,
    /// The Multipath TCP subtypes seen in the flow.
    pub(super) mptcp: u8,
}

impl Look<'_> {
    /// What the segment is marked with, rule by rule. Each half's duplicate counter and holes change on the way.
    pub(super) fn marks(&mut self) -> Marks {
        let mut marks = Marks::default();
        self.judge_numbers(&mut marks);
        marks.put(Mark::AckLostSegment, self.ack_lost_segment());
        if self.takes_numbers() && !marks.has(Mark::KeepAlive) {
            self.judge_repetition(&mut marks);
        }
        marks
    }

    /// Rules 1 to 9: they see the state before the segment. Rules 1, 7 and 8 end the list.
    fn judge_numbers(&mut self, marks: &mut Marks) {
        if self.zero_window_probe() {
            return marks.put(Mark::ZeroWindowProbe, true);
        }
        marks.put(Mark::ZeroWindow, self.zero_window());
        marks.put(Mark::LostSegment, self.lost_segment());
        marks.put(Mark::KeepAlive, self.keep_alive());
        marks.put(Mark::WindowUpdate, self.window_update());
        marks.put(Mark::WindowFull, self.window_full());
        if !self.repeats() {
            return;
        }
        let peer_before = self.peer.previous();
        let open = self.segment.window != 0;
        // Rules 7 and 8: the answer to the segment just before it.
        if open && peer_before.has(Mark::KeepAlive) {
            marks.put(Mark::KeepAliveAck, true);
        } else if !open && peer_before.has(Mark::ZeroWindowProbe) {
            marks.put(Mark::ZeroWindowProbeAck, true);
        } else if open && !self.brings_subtype() {
            // Rule 9, duplicate_ack: nothing outstanding is needed, nor the ACK flag (RFC 5681 §2 asks for both).
            marks.put_duplicate(self.own.duplicates.one_more());
        }
    }

    /// SYN, FIN or RST: the segment does not only carry data and acknowledgments.
    fn controls(&self) -> bool {
        let flags = self.segment.flags;
        flags.syn() || flags.fin() || flags.rst()
    }

    /// It occupies sequence numbers.
    fn takes_numbers(&self) -> bool {
        self.segment.payload_len > 0 || self.segment.flags.syn() || self.segment.flags.fin()
    }

    /// It begins at the next number of its sender.
    fn is_next(&self) -> bool {
        self.own.high() == Some(self.segment.seq)
    }

    /// Rule 1, zero_window_probe: one byte, the next, into a window of 0 (RFC 9293 §3.8.6.1).
    fn zero_window_probe(&self) -> bool {
        self.segment.payload_len == 1 && self.is_next() && self.peer.window() == Some(0)
    }

    /// Rule 2, zero_window: it advertises a window of 0.
    fn zero_window(&self) -> bool {
        self.segment.window == 0 && !self.controls()
    }

    /// Rule 3, lost_segment: it begins beyond everything its sender was seen to send.
    fn lost_segment(&self) -> bool {
        self.own.high().is_some_and(|high| self.segment.seq.after(high)) && !self.segment.flags.rst()
    }

    /// Rule 4, keep_alive: at most one byte, just before the next number (RFC 9293 §3.8.4). A last byte that is really
    /// sent again looks the same.
    fn keep_alive(&self) -> bool {
        let before = self.own.high().is_some_and(|high| self.segment.seq == high - 1);
        self.segment.payload_len <= 1 && before && !self.controls()
    }

    /// Rule 5, window_update: nothing new but another window (a smaller one too).
    fn window_update(&self) -> bool {
        let window = self.segment.window;
        self.brings_nothing() && window != 0 && self.own.window() != Some(window)
    }

    /// Rule 6, window_full: data that ends exactly where the receiver's window does; not where its scale is unknown.
    fn window_full(&self) -> bool {
        let segment = self.segment;
        let edge = self.peer.ack().zip(self.peer.window_bytes()).map(|(ack, window)| ack + window);
        segment.payload_len > 0 && !self.controls() && edge == Some(segment.seq + segment.payload_len)
    }

    /// No data, at the next number, with the acknowledgment its sender gave before.
    fn brings_nothing(&self) -> bool {
        let same_ack = acknowledged(self.segment) == self.own.ack();
        self.segment.payload_len == 0 && self.is_next() && same_ack && !self.controls()
    }

    /// What rules 7 (keep_alive_ack), 8 (zero_window_probe_ack) and 9 (duplicate_ack) ask for: nothing new, not even
    /// the window.
    fn repeats(&self) -> bool {
        self.brings_nothing() && self.own.window() == Some(self.segment.window)
    }

    /// A repeated ack may be there to carry a Multipath TCP option of a new kind.
    fn brings_subtype(&self) -> bool {
        self.own.mptcp != self.mptcp
    }

    /// Rule 11, ack_lost_segment: it acknowledges what was not captured, or what lies beyond a hole that was not
    /// filled. It is told once, until the other side's acknowledgment changes.
    fn ack_lost_segment(&mut self) -> bool {
        let (Some(contig), Some(high)) = (self.peer.contig(), self.peer.high()) else { return false };
        if !self.segment.flags.ack() || !self.segment.ack.after(contig) {
            return false;
        }
        if contig.before(high) {
            self.peer.close_hole();
            return true;
        }
        let first = self.peer.duplicates.is_none();
        self.peer.duplicates = Duplicates::TOLD;
        first
    }

    /// Rule 12: numbers that were seen before, or acknowledged before. The first of four that fits is told.
    fn judge_repetition(&self, marks: &mut Marks) {
        let spurious = self.spurious_retransmission();
        let back = self.goes_back();
        let fast = !spurious && back && self.fast_retransmission();
        let reordered = !spurious && back && !fast && self.out_of_order();
        marks.put(Mark::SpuriousRetransmission, spurious);
        marks.put(Mark::FastRetransmission, fast);
        marks.put(Mark::OutOfOrder, reordered);
        marks.put(Mark::Retransmission, spurious || (back && !reordered));
    }

    /// It begins before the highest number seen; but data that begins one before it follows a one-byte probe.
    fn goes_back(&self) -> bool {
        let seq = self.segment.seq;
        let Some(high) = self.own.high() else { return false };
        seq.before(high) && !(self.segment.payload_len > 1 && seq == high - 1)
    }

    /// Rule 12a, spurious_retransmission: data that is acknowledged to the last byte, whenever that was.
    fn spurious_retransmission(&self) -> bool {
        let data_end = self.segment.seq + self.segment.payload_len;
        self.segment.payload_len > 0 && self.peer.ack().is_some_and(|ack| !data_end.after(ack))
    }

    /// Rule 12b, fast_retransmission: what the receiver's duplicate acks ask for, at once.
    fn fast_retransmission(&self) -> bool {
        let asked_for = self.peer.ack() == Some(self.segment.seq) && self.peer.duplicates.are_many();
        asked_for && self.peer.since_sent(self.segment.ts) < FAST
    }

    /// Rule 12c, out_of_order: it ends elsewhere than the highest segment and follows that sooner than its sender can
    /// know of a loss: within the initial round trip (a tail-loss probe too looks like that).
    fn out_of_order(&self) -> bool {
        // A negative round trip is a huge one.
        let limit = if self.initial_rtt == 0 { REORDERED } else { self.initial_rtt.cast_unsigned() };
        self.own.since_high(self.segment.ts) < limit && self.own.high() != Some(end_of(self.segment))
    }
}
