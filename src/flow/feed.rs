//! A segment's way through a flow: counted, judged, and turned into events for its sender and its receiver.
//!
//! May touch `base` and `wire::Segment`. A segment is taken to arrive where it was sent to, except a SYN or SYN-ACK:
//! what happened to those only an answer shows. Read first: RFC 9293 §3.10.7.

use super::machine::{Flow, flag};
use super::stamp::{Offset, Stamp};
use super::transitions::Event;
use super::view::{HandshakeOutcome, Side};
use crate::base::{TcpState, Timestamp};
use crate::wire::Segment;

impl Flow {
    /// Takes in a segment sent by `from`. The caller has fired every deadline up to its time.
    pub fn feed(&mut self, segment: &Segment, from: Side) {
        let now = self.last.max(segment.ts);
        self.expire(now);
        self.revive(now);
        self.take_in(segment, from, now);
    }

    /// The same at `now`, when nothing is due any more.
    pub(super) fn take_in(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        self.count(segment, from);
        self.last = now;
        if segment.malformed {
            return;
        }
        self.learn_bases(segment, from);
        let flags = segment.flags;
        if flags.rst() {
            self.take_rst(segment, from, now);
        } else if flags.syn_ack() {
            self.take_syn_ack(segment, from, now);
        } else if flags.syn() {
            self.take_syn(segment, from, now);
        } else if flags.ack() {
            // A segment with neither SYN, RST nor ACK is dropped by its receiver (RFC 9293 §3.10.7.4).
            self.take(segment, from, now);
        }
    }

    /// What is counted whether or not the segment is believed.
    pub(super) fn count(&mut self, segment: &Segment, from: Side) {
        let (flags, first) = (segment.flags, self.first);
        let half = &mut self.halves[from.index()];
        half.segments += 1;
        half.payload_bytes = half.payload_bytes.saturating_add(segment.payload_len.into());
        let up = |counter: &mut u16, counts: bool| *counter = counter.saturating_add(u16::from(counts));
        up(&mut half.syns, flags.pure_syn());
        up(&mut half.syn_acks, flags.syn_ack());
        up(&mut half.fins, flags.fin());
        up(&mut half.rsts, flags.rst());
        if segment.payload_len > 0 && !flags.rst() {
            half.first_data_at.set_once(segment.ts, first);
            self.last_data_at = Offset::of(segment.ts, first);
            self.marks.put(flag::LAST_DATA_FROM_RESP, from == Side::Resp);
        }
        let text = flags.ack() && !flags.syn();
        for (bit, counts) in [
            (2, flags.syn_ack()),
            (4, text && segment.payload_len == 0),
            (8, text && segment.payload_len > 0),
            (16, flags.fin() && flags.ack()),
            (32, flags.rst()),
        ] {
            self.seen |= if counts { bit } else { 0 };
        }
    }

    /// The numbers that tell incarnations apart: the ISS, or from mid-stream the number before the first seen.
    fn learn_bases(&mut self, segment: &Segment, from: Side) {
        let base = if segment.flags.syn() { segment.seq } else { segment.seq - 1 };
        self.halves[from.index()].learn_base(base);
        if segment.flags.ack() {
            self.halves[from.peer().index()].learn_base(segment.ack - 1);
        }
    }

    /// A segment with ACK, without SYN and RST.
    fn take(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        let to = from.peer();
        self.bridge_gap(segment, from);
        if !self.accepts(segment, from) {
            return;
        }
        self.disprove_rst(from, now);
        self.show_synchronized(segment, from, now);
        self.take_ack(segment, from, now);
        self.settle_crossing_syns(segment, now);
        if segment.flags.fin() {
            self.take_fin(segment, from, now);
        } else {
            self.halves[from.index()].advance(segment.seq, segment.end());
        }
        self.deliver_fin(from, now);
        self.deliver_fin(to, now);
        self.take_window(segment, from);
    }

    /// An end whose handshake was not seen is synchronized: it sends segments that only a synchronized end sends.
    fn show_synchronized(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        self.take_handshake_ack(segment, from, now);
        if self.halves[from.index()].state.is_none() {
            self.enter(from, Some(TcpState::Estab), now);
        }
    }

    /// The acknowledgment field: numbers of the peer, and perhaps its FIN.
    fn take_ack(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        let (to, first) = (from.peer(), self.first);
        let half = &mut self.halves[to.index()];
        half.acknowledge(segment.ack);
        let proven = half.doubtful_fin_acked();
        if proven {
            half.finish(segment.ack);
        }
        let acked = half.fin_acked();
        if acked {
            half.fin_acked_at.set_once(segment.ts, first);
        }
        if proven {
            self.apply(to, Event::SendFin, now);
        }
        if acked {
            // Who acknowledges a FIN has received it, holes in the capture or not.
            self.deliver_fin(to, now);
            self.apply(to, Event::RecvAckOfFin, now);
        }
    }

    /// The window it advertises, unless the segment is older than one that was seen.
    pub(super) fn take_window(&mut self, segment: &Segment, from: Side) {
        let peer = &self.halves[from.peer().index()];
        if peer.una().is_some_and(|una| segment.ack.before(una)) {
            return;
        }
        let (first, peer_is_done) = (self.first, peer.fin_acked());
        self.halves[from.index()].take_window(segment.window, segment.ts, first, peer_is_done);
    }

    /// The handshake is concluded, so far.
    pub(super) fn conclude(&mut self, outcome: HandshakeOutcome, at: Timestamp) {
        self.outcome = outcome;
        self.concluded = Stamp::at(at);
    }
}
