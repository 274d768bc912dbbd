//! The short way: a segment next in line, of a stream without holes, that no rule says anything of.
//!
//! May touch `base` and `wire::Segment`. Gives exactly what the rules give, or nothing.

use super::half::fact;
use super::{Analysis, Side};
use crate::base::Seq;
use crate::wire::{Flags, Segment};

/// So many numbers are far: half of what two can lie apart without being taken for the other way around.
const FAR: u32 = 1 << 30;

impl Analysis {
    /// Whether what each side sent, and what its peer acknowledged of it, ends at these numbers or not far before. Then
    /// what begins there is no retransmission.
    pub fn ends_at(&self, nxt: [Option<Seq>; 2]) -> bool {
        Side::BOTH.into_iter().all(|side| {
            let (own, peer) = (&self.halves[side.index()], &self.halves[side.peer().index()]);
            let fits = |seq: Option<Seq>| {
                seq.is_none_or(|seq| nxt[side.index()].is_some_and(|nxt| seq.within(nxt - FAR, FAR + 1)))
            };
            fits(own.high()) && fits(peer.ack())
        })
    }

    /// Takes the segment in if it is plain; false, and nothing is changed, if it is not.
    pub(super) fn feed_plain(&mut self, segment: &Segment, from: Side) -> bool {
        const KINDS: u16 = Flags::FIN.0 | Flags::SYN.0 | Flags::RST.0 | Flags::ACK.0;
        const KNOWN: u8 = fact::BASE | fact::SENT | fact::ACK;
        let Segment { seq, ack, payload_len, options, .. } = segment;
        let [orig, resp] = &mut self.halves;
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        let text = segment.flags.0 & KINDS == Flags::ACK.0 && segment.window != 0 && !segment.malformed;
        let teaches = options.wscale.is_some()
            || options.mptcp.is_some()
            || own.mptcp != self.mptcp
            || (self.initial_rtt == 0 && self.syn_at.is_set());
        let known = own.facts.among(KNOWN) == KNOWN && peer.facts.among(KNOWN) == KNOWN && !self.reuses;
        let in_line = own.high == *seq && own.contig == *seq && !ack.after(peer.contig);
        if !text || teaches || !known || !in_line {
            return false;
        }
        let end = *seq + *payload_len;
        if *payload_len == 0 {
            // With the same acknowledgment it may be a duplicate, or a window update.
            if *ack == own.ack {
                return false;
            }
        } else {
            let fills = peer.window_bytes().is_some_and(|window| peer.ack + window == end);
            if peer.window == 0 || fills || !end.after(peer.ack) || !end.after(own.high) {
                return false;
            }
            (own.high, own.contig, own.high_at) = (end, end, segment.ts);
        }
        own.take_plain(segment);
        true
    }
}
