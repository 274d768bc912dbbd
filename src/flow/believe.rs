//! What an endpoint would believe: RSTs, acknowledgments, and SYNs that claim a tuple in use.
//!
//! May touch `base` and `wire::Segment`. Read first: RFC 5961 §3–5; RFC 9293 §3.10.7.3–4; RFC 1337.

use super::half::mark;
use super::machine::{Flow, flag};
use super::stamp::Offset;
use super::view::{HandshakeOutcome, Side};
use crate::base::{TcpState, Timestamp};
use crate::wire::Segment;

impl Flow {
    /// Whether `segment`, sent by `from`, begins a new incarnation of the tuple: a SYN without ACK whose number is not
    /// the one that this flow's sender began with (or, first seen mid-stream, would have). The same number is a retry,
    /// whatever came between; so is a SYN that the capture shows after its SYN-ACK. A SYN of a side of which nothing
    /// is known crosses the other's (simultaneous open).
    pub fn is_replaced_by(&self, segment: &Segment, from: Side) -> bool {
        let half = &self.halves[from.index()];
        !segment.malformed && segment.flags.pure_syn() && half.has(mark::BASE) && half.iss != segment.seq
    }

    /// Whether `segment` fits this flow's numbers although a newer incarnation of the tuple exists (the answer to a
    /// SYN that the endpoint did not believe: RFC 5961 §4). To be asked only while that one [`Flow::is_unproven`].
    pub fn still_owns(&self, segment: &Segment, from: Side) -> bool {
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let known = half.has(mark::SENT) && peer.has(mark::SENT);
        if segment.flags.syn() || self.is_over() || !known {
            return false;
        }
        if segment.flags.rst() && !segment.flags.ack() {
            return self.is_next(segment, from);
        }
        // One before the oldest number is a keep-alive's.
        let oldest = half.una().unwrap_or(half.iss + 1) - 1;
        let unacked = u32::try_from(half.nxt.offset_from(oldest)).unwrap_or(0);
        let in_window = segment.seq.within(oldest, unacked.max(peer.window_at_most(half)).saturating_add(1));
        let oldest_ack = peer.una().unwrap_or(peer.iss + 1);
        let ack_fits = !segment.ack.before(oldest_ack) && !segment.ack.after(peer.nxt);
        segment.flags.ack() && in_window && ack_fits
    }

    /// Whether a segment without SYN and RST can be of this connection, by its number and its acknowledgment.
    pub(super) fn accepts(&self, segment: &Segment, from: Side) -> bool {
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let in_reach = half.reaches(segment.seq) && peer.may_be_acked(segment.ack);
        // With the SYN-ACK not captured, only the very next number tells this handshake's ACK from older segments.
        let unanswered = half.state == Some(TcpState::SynSent) && !peer.has(mark::ISS);
        in_reach && (!unanswered || (segment.seq.after(half.iss) && !segment.seq.after(half.nxt)))
    }

    /// After a gap in the capture of more than [`super::half::REACH`] numbers one direction is out of reach. What a
    /// blind sender cannot know shows that the segment belongs here all the same: the other direction's very next
    /// number.
    pub(super) fn bridge_gap(&mut self, segment: &Segment, from: Side) {
        if !self.halves.iter().all(|half| half.state.is_some_and(TcpState::is_synchronized)) {
            return;
        }
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let seq_lost = !half.reaches(segment.seq) && !half.has(mark::FIN);
        let ack_lost = !peer.reaches(segment.ack) && !peer.has(mark::FIN);
        if seq_lost && peer.nxt() == Some(segment.ack) {
            self.halves[from.index()].resume(segment.seq);
        } else if ack_lost && half.nxt() == Some(segment.seq) {
            self.halves[from.peer().index()].resume(segment.ack);
        }
    }

    /// A RST: it ends both ends, or changes nothing.
    pub(super) fn take_rst(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        if self.is_over() || !self.believes_rst(segment, from) {
            return;
        }
        self.rst_at = Offset::of(segment.ts, self.first);
        self.marks.put(flag::RST_FROM_RESP, from == Side::Resp);
        self.fail_handshake(segment, from);
        self.close_both(now);
    }

    /// A RST was believed for want of any number to hold it against (it was the first that its sender was seen to
    /// send), and now its sender speaks on, as no closed end does: it was some other connection's.
    pub(super) fn disprove_rst(&mut self, from: Side, now: Timestamp) {
        let half = &self.halves[from.index()];
        let only_rsts_before = half.segments == u64::from(half.rsts) + 1;
        let believed = self.rst_at.is_set() && self.resp_if(flag::RST_FROM_RESP) == from;
        if !(self.outcome == HandshakeOutcome::Partial && believed && only_rsts_before) {
            return;
        }
        self.rst_at = Offset::NONE;
        for side in Side::BOTH {
            self.enter(side, None, now);
        }
    }

    /// Whether the receiver of a RST would believe it. TIME-WAIT is ended by one too: Linux's default
    /// (tcp_rfc1337 = 0), although RFC 1337 advises against it.
    fn believes_rst(&self, segment: &Segment, from: Side) -> bool {
        let (half, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let acks_syn =
            segment.flags.ack() && peer.iss().is_some_and(|iss| segment.ack.after(iss) && !segment.ack.after(peer.nxt));
        match peer.state {
            // In SYN-SENT the acknowledgment decides, whatever the number (RFC 9293 §3.10.7.3); with a SYN-ACK or
            // crossing SYN on its way the receiver may be past it.
            Some(TcpState::SynSent) => acks_syn || (half.has(mark::ISS) && self.is_next(segment, from)),
            _ if half.has(mark::SENT) => self.is_next(segment, from),
            // Of a sender never seen or acknowledged, nothing contradicts it.
            _ => true,
        }
    }

    /// Whether the segment's number is the very next that its receiver expects (RFC 5961 §3.2): what it last
    /// acknowledged, or what has passed the capture point since (to the first hole, or to the end: the edge of a SACK).
    fn is_next(&self, segment: &Segment, from: Side) -> bool {
        let half = &self.halves[from.index()];
        half.una() == Some(segment.seq) || [half.contig, half.nxt].contains(&segment.seq)
    }
}
