//! The short way: a segment that is next in line for the times, with nothing sent twice that still matters.
//!
//! May touch `base`. Gives exactly what [`Data::feed`] gives, or nothing.

use super::Data;
use super::half::{Half, fact};
use super::rtt::Timed;
use super::stalls;
use crate::base::Timestamp;
use crate::flow::half::REACH;
use crate::flow::{Brief, Side};

impl Data {
    /// Takes the segment in, which has ACK, neither SYN, FIN nor RST, an open window, and no more data than
    /// [`REACH`], if it is plain for the times; false, and nothing is changed, if it is not.
    #[inline]
    pub(super) fn feed_plain(&mut self, brief: &Brief) -> bool {
        let from = brief.from();
        let [orig, resp] = &mut self.halves;
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        if !(own.may_send(brief) && peer.may_be_acked(brief)) {
            return false;
        }
        let heard_all = brief.ack == peer.high;
        if brief.ack != peer.una {
            peer.una = brief.ack;
            peer.learn(brief);
        }
        let tsval = own.take_tsval(brief);
        if brief.payload_len > 0 {
            own.send(brief, tsval, self.origin);
            if let Some(time) = self.turn.speak(from, brief.ts, heard_all, true) {
                own.note_think(time);
            }
        }
        self.pass(brief.ts);
        true
    }
}

impl Half {
    /// Whether the segment goes on with what it sent.
    #[inline]
    fn may_send(&self, brief: &Brief) -> bool {
        let odd = fact::RECOVERING | fact::CLOSED | fact::HELD;
        let flight = (brief.seq + brief.payload_len).0.wrapping_sub(self.una.0);
        let fits = flight <= REACH || !self.facts.has(fact::ACKED);
        self.facts.among(fact::SENT | odd) == fact::SENT && brief.seq == self.high && fits
    }

    /// Whether the segment acknowledges what it sent, or nothing new.
    #[inline]
    fn may_be_acked(&self, brief: &Brief) -> bool {
        let odd = fact::RECOVERING | fact::CLOSED | fact::HELD | fact::GAP;
        let known = fact::SENT | fact::ACKED;
        let (flight, acked) = (self.high.0.wrapping_sub(self.una.0), brief.ack.0.wrapping_sub(self.una.0));
        self.facts.among(known | odd) == known && acked <= flight && flight <= REACH
    }

    /// New data, next in line.
    #[inline]
    fn send(&mut self, brief: &Brief, tsval: Option<u32>, origin: Timestamp) {
        let (len, is_acked) = (brief.payload_len, self.facts.has(fact::ACKED));
        let end = brief.seq + len;
        if self.watch.has_room() {
            let (alone, small) = (is_acked && self.una == brief.seq, stalls::is_small(len, self.mss));
            self.watch.begin(Timed { at: brief.ts, end, tsval, once: true, alone, small });
        }
        self.volume.add(len.into(), brief.ts, origin);
        self.high = end;
        // What is in flight is not told over a gap.
        if is_acked && !self.facts.has(fact::GAP) {
            self.most_in_flight = self.most_in_flight.max(end.0.wrapping_sub(self.una.0));
        }
    }
}
