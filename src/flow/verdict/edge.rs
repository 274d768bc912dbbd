//! What is kept of every half so that a segment that needs a second look is noticed: twelve bytes.
//!
//! May touch `base` and `wire::Segment`.

use crate::base::{Packing, Sent, Seq};
use crate::flow::half::REACH;
use crate::flow::stamp::Marks;
use crate::wire::Segment;

/// Bits of [`Edge::facts`].
pub(super) mod fact {
    /// It has sent a segment: `high`, `ttl` and `digest` are set.
    pub(in super::super) const SENT: u8 = 1;
    /// Its peer has acknowledged: `una` is set.
    pub(in super::super) const ACKED: u8 = 2;
    /// Its FIN was seen.
    pub(in super::super) const FIN: u8 = 4;
    /// The snap length cut the options of one of its segments.
    pub(in super::super) const CUT: u8 = 8;
    /// A SYN or SYN-ACK of it was seen.
    pub(in super::super) const SYN: u8 = 16;
    /// Its segments came with more than one TTL.
    pub(in super::super) const TTL_VARIES: u8 = 32;
    /// Its peer's acknowledgments show that it sends, whether or not that was captured.
    pub(in super::super) const HEARD: u8 = 64;
    /// It has sent one byte into a window of 0, which `high` does not count.
    pub(in super::super) const PROBED: u8 = 128;
}

/// One half: how far it was seen to send, and to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    /// The highest end of its segments.
    pub(super) high: Seq,
    /// Its peer's highest acknowledgment.
    pub(super) una: Seq,
    /// Of its latest segment's digest.
    pub(super) digest: u16,
    pub(super) ttl: u8,
    pub(super) facts: Marks,
}

impl Edge {
    pub(super) const NEW: Self = Self { high: Seq(0), una: Seq(0), digest: 0, ttl: 0, facts: Marks::NONE };

    /// All but its facts; `own` is what it sent.
    pub(super) fn pack(&mut self, own: Sent, into: &mut impl Packing) {
        into.bits_as(&mut self.digest, u16::BITS, u64::from, |digest| digest as u16);
        into.byte(&mut self.ttl);
        let usual = Self { high: own.next, una: own.next, ..*self };
        into.unless(self, usual, |into, Self { high, una, .. }| {
            into.seq(high);
            into.seq(una);
        });
    }

    pub(super) fn has(&self, bit: u8) -> bool {
        self.facts.has(bit)
    }

    /// Bytes are on their way, or were when its peer last acknowledged.
    pub(super) fn is_outstanding(&self) -> bool {
        self.has(fact::SENT) && self.has(fact::ACKED) && self.una.before(self.high)
    }

    /// Whether its peer had acknowledged all before `number`.
    pub(super) fn acked(&self, number: Seq) -> bool {
        self.has(fact::ACKED) && !number.after(self.una)
    }

    /// Whether `segment` is likely the datagram that it sent last.
    pub(super) fn is_last(&self, segment: &Segment) -> bool {
        self.has(fact::SENT) && self.digest == segment.digest as u16
    }

    /// Whether `segment`, sent by it, continues its numbers and needs no second look.
    pub(super) fn goes_on(&self, segment: &Segment) -> bool {
        let flags = segment.flags;
        if flags.rst() {
            return !self.has(fact::SENT) || segment.ttl == self.ttl;
        }
        // One byte may be a probe of a window of 0.
        flags.syn() || !self.has(fact::SENT) || (segment.seq == self.high && segment.payload_len != 1)
    }

    /// Whether the acknowledgment of `segment`, sent by its peer, needs no second look.
    pub(super) fn is_acked_plainly_by(&self, segment: &Segment) -> bool {
        if segment.options.has_sack() {
            return false;
        }
        if !segment.flags.ack() || !self.has(fact::SENT) || segment.flags.rst() {
            return true;
        }
        if self.has(fact::ACKED) && segment.ack == self.una {
            return segment.payload_len > 0 || !self.is_outstanding();
        }
        !segment.ack.after(self.high)
    }

    /// Takes in a segment that it sent. Of a probe the byte is not counted before it is acknowledged.
    pub(super) fn send(&mut self, segment: &Segment, probe: bool) {
        if segment.flags.rst() {
            return;
        }
        let first = !self.has(fact::SENT);
        // Of several SYN-ACKs with other numbers the last one holds that was sent before any was acknowledged.
        let anew = segment.flags.syn() && !(self.has(fact::SYN) && self.has(fact::ACKED));
        let far = segment.seq.offset_from(self.high).unsigned_abs() > REACH;
        let end = segment.end();
        if probe {
            self.facts.set(fact::PROBED);
        } else if first || anew || far || end.after(self.high) {
            self.high = end;
            self.facts.clear(fact::PROBED);
        }
        for (bit, shown) in [
            (fact::SENT, true),
            (fact::TTL_VARIES, !first && segment.ttl != self.ttl),
            (fact::SYN, segment.flags.syn()),
            (fact::FIN, segment.flags.fin()),
            (fact::CUT, segment.options.cut()),
        ] {
            self.facts.set(if shown { bit } else { 0 });
        }
        self.ttl = segment.ttl;
        self.digest = segment.digest as u16;
    }

    /// Takes in an acknowledgment by its peer, which had sent a SYN before if `opened`.
    pub(super) fn acknowledge(&mut self, segment: &Segment, opened: bool) {
        if !segment.flags.ack() || segment.flags.rst() {
            return;
        }
        let ack = segment.ack;
        let known = self.has(fact::ACKED);
        let far = known && ack.offset_from(self.una).unsigned_abs() > REACH;
        let rises = !known || far || ack.after(self.una);
        if (known && rises) || (!known && opened && !segment.flags.syn()) {
            self.facts.set(fact::HEARD);
        }
        if !rises {
            return;
        }
        self.una = ack;
        self.facts.set(fact::ACKED);
        // Data in a SYN that the SYN-ACK does not take will be sent again as if for the first time (RFC 7413 §3).
        let untaken = segment.flags.syn() && ack.before(self.high);
        if self.has(fact::SENT) && (untaken || ack.after(self.high)) {
            self.high = ack;
            self.facts.clear(fact::PROBED);
        }
    }
}
