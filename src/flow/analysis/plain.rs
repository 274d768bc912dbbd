//! The short way: a segment next in line, of a stream without holes, that no rule says anything of.
//!
//! May touch `base` and `wire::Segment`. Gives exactly what the rules give, or nothing.

use super::half::{Half, fact};
use super::{Analysis, Side};
use crate::base::Seq;
use crate::flow::plain::is_text;
use crate::flow::run::Line;
use crate::wire::Segment;

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

    /// Whether a run may begin at these lines: it stands there, and no rule says anything of a plain segment.
    pub(in crate::flow) fn joins(&self, lines: &[Line; 2]) -> bool {
        let [orig, resp] = &self.halves;
        let [of_orig, of_resp] = lines;
        let learns = self.initial_rtt == 0 && self.syn_at.is_set();
        let known = orig.facts.has(fact::BASE) && resp.facts.has(fact::BASE);
        let stands = orig.stands_at(of_orig, of_resp) && resp.stands_at(of_resp, of_orig);
        let teaches = [orig, resp].into_iter().any(|half| half.has_sent() && half.mptcp != self.mptcp);
        !learns && !self.reuses && known && stands && !teaches
    }

    /// By how much the windows of `side` are scaled; `None` where that is not known, or it was not seen to send.
    pub(in crate::flow) fn scale(&self, side: Side) -> Option<u8> {
        self.halves[side.index()].scale()
    }

    /// Takes in the run that has come to these lines.
    pub(in crate::flow) fn take_run(&mut self, lines: &[Line; 2]) {
        for side in Side::BOTH {
            self.halves[side.index()].take_run(&lines[side.index()], lines[side.peer().index()].una);
        }
    }

    /// Takes the segment in if it is plain; false, and nothing is changed, if it is not.
    pub(super) fn feed_plain(&mut self, segment: &Segment, from: Side) -> bool {
        const KNOWN: u8 = fact::BASE | fact::SENT | fact::ACK;
        let Segment { seq, ack, payload_len, options, .. } = segment;
        if !is_text(segment) || segment.window == 0 {
            return false;
        }
        let [orig, resp] = &mut self.halves;
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        let teaches = options.wscale().is_some()
            || options.mptcp().is_some()
            || own.mptcp != self.mptcp
            || (self.initial_rtt == 0 && self.syn_at.is_set());
        let known = own.facts.among(KNOWN) == KNOWN && peer.facts.among(KNOWN) == KNOWN && !self.reuses;
        let in_line = own.high == *seq && own.contig == *seq && !ack.after(peer.contig);
        if teaches || !known || !in_line {
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

impl Half {
    /// Whether it is where its flow is, without a hole; if it was seen to send, with an open window.
    fn stands_at(&self, own: &Line, peer: &Line) -> bool {
        const SPOKEN: u8 = fact::SENT | fact::ACK;
        if !own.is_seen {
            return !self.has_sent();
        }
        let spoken = self.facts.among(SPOKEN | fact::FRESH) == SPOKEN;
        let numbers = self.high == own.nxt && self.contig == own.nxt && self.ack == peer.una;
        spoken && numbers && self.window == own.window && self.window != 0
    }

    fn take_run(&mut self, own: &Line, ack: Seq) {
        if own.segments == 0 {
            return;
        }
        if self.high != own.nxt {
            (self.high, self.contig, self.high_at) = (own.nxt, own.nxt, own.high_at);
        }
        self.take_latest(ack, own.window, own.sent_at);
    }
}
