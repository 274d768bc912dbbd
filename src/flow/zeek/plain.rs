//! The short way through a row: a segment with nothing but data or an ack, between two established ends, of a stream
//! without holes. Gives exactly what [`Row::take`] gives, or nothing.

use super::Side;
use super::end::State;
use super::row::Row;
use crate::base::Seq;
use crate::wire::{Flags, Segment};

/// What decides over a stream's data that grows without acks lies above this; the long way deals with it.
const LITTLE: i64 = 10 << 20;

/// No silence shorter than this ends a row: 60 s, nanoseconds.
const SHORTEST: i64 = 60_000_000_000;

impl Row {
    /// Takes the segment in if it is plain, and no timer has ended the row; false, and nothing is changed, if it is
    /// not.
    pub(super) fn take_plain(&mut self, segment: &Segment, from: Side) -> bool {
        const LETTERS: u16 = Flags::FIN.0 | Flags::SYN.0 | Flags::RST.0;
        let text = segment.flags.0 & (LETTERS | Flags::ACK.0) == Flags::ACK.0;
        let in_time = segment.ts.nanos().saturating_sub(self.last.nanos()) < SHORTEST;
        if !text || segment.window == 0 || segment.malformed || !in_time || !self.is_clean_and_open() {
            return false;
        }
        let role = self.role(from);
        let [orig, resp] = &mut self.ends;
        let (end, peer) = if role == Side::Orig { (orig, resp) } else { (resp, orig) };
        let rel = end.near(segment.seq, end.high);
        let to = rel + i64::from(segment.payload_len);
        let acked = peer.near(segment.ack, peer.acked);
        // Next in line, and an ack of what was seen.
        let in_line = rel == end.high && rel == end.next && rel >= end.trim;
        let acks_seen = acked >= peer.acked && acked <= peer.next && segment.ack != Seq(0);
        let little = segment.payload_len == 0 || (to - end.trim <= LITTLE && !end.no_data_acked());
        if !(in_line && acks_seen && little) {
            return false;
        }
        (peer.acked, peer.trim) = (acked, peer.trim.max(acked));
        (end.high, end.next) = (to, to);
        end.packets = end.packets.saturating_add(1);
        self.main_letter(segment, role, rel);
        self.last = segment.ts;
        true
    }

    /// Both ends are established and have spoken, neither has sent a FIN, and nothing rare was seen.
    fn is_clean_and_open(&self) -> bool {
        let open =
            |end: &super::end::End| end.state == State::Established && !end.fin_seen && !end.did_close && !end.skip;
        self.is_going_on()
            && self.ends.iter().all(open)
            && self.first_seen == [true; 2]
            && !self.partial
            && self.aside.is_none()
            && self.history.as_bytes() != b"H"
    }

    pub(super) fn warm(&self) -> u64 {
        let [orig, resp] = &self.ends;
        let (times, numbers) = (self.first.nanos() ^ self.last.nanos(), orig.high ^ orig.trim ^ resp.high ^ resp.trim);
        (times ^ numbers).cast_unsigned() ^ self.history.as_bytes().len() as u64
    }
}
