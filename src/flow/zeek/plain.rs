//! The short way through a row: a segment with nothing but data or an ack, between two established ends, of a stream
//! without holes. Gives exactly what [`Row::take`] gives, or nothing.

use super::end::{End, State};
use super::holes::{HELD, UNACKED};
use super::row::{Patience, Row};
use super::{Zeek, letters};
use crate::base::{Seq, Timestamp};
use crate::flow::run::{Line, May, Scale};
use crate::flow::{Brief, Side};
use crate::wire::Segment;

/// Bytes sent and not acknowledged at most: a stream with more is given up.
pub(in crate::flow) const LITTLE: u32 = HELD as u32;
/// No silence shorter than this ends a row of a connection that was open, nanoseconds.
pub(in crate::flow) const SHORTEST: i64 = Patience::Handshake.time().as_nanos() as i64;

/// A row between two ends that are established, of a stream in which nothing rare was seen. No plain segment changes
/// that, so it is asked once of all that come one after another.
#[derive(Debug)]
pub struct OpenRow<'a>(&'a mut Row);

impl Zeek {
    /// What takes in plain segments; `None` where the next must go [the long way](Self::feed).
    pub fn open_row(&mut self) -> Option<OpenRow<'_>> {
        self.row.if_open()
    }

    /// Whether a run may begin at these lines: when the last segment came, and what each side may send.
    pub(in crate::flow) fn joins(&self, lines: &[Line; 2]) -> Option<(Timestamp, [May; 2])> {
        let row = &self.row;
        let stands = row.is_clean() && Side::BOTH.into_iter().all(|side| row.stands_at(lines, side));
        stands.then(|| (row.last, Side::BOTH.map(|side| row.may(lines, side))))
    }

    /// Takes in the run that has come to these lines, with a segment at `last`.
    pub(in crate::flow) fn take_run(&mut self, lines: &[Line; 2], last: Timestamp) {
        let row = &mut self.row;
        for side in Side::BOTH {
            let role = row.role(side).index();
            row.ends[role].take_run(&lines[side.index()]);
        }
        row.last = last;
    }
}

impl Row {
    /// Whether a side is where its flow is, and goes on.
    fn stands_at(&self, lines: &[Line; 2], side: Side) -> bool {
        let (own, peer, role) = (&lines[side.index()], &lines[side.peer().index()], self.role(side).index());
        let end = &self.ends[role];
        if !own.is_seen {
            return end.state == State::Inactive;
        }
        let open = matches!(end.state, State::Established | State::Partial) && self.first_seen[role];
        open && end.goes_on() && end.stands_at(own, peer.is_seen)
    }

    /// What a side may send. While nothing of its data was acknowledged, that goes the long way.
    fn may(&self, lines: &[Line; 2], side: Side) -> May {
        let role = self.role(side).index();
        let has = |kind| self.seen[role] & kind != 0;
        let is_heard = !lines[side.peer().index()].is_seen || !self.ends[role].no_data_acked();
        May { send: has(letters::DATA), ack: has(letters::ACK), is_heard, scale: Scale::UNKNOWN }
    }

    /// Takes the segment in if it is plain, and no timer has ended the row; false, and nothing is changed, if it is not.
    pub(super) fn take_plain(&mut self, segment: &Segment, from: Side) -> bool {
        !segment.malformed && self.if_open().is_some_and(|mut row| row.take(&Brief::of(segment, from)))
    }

    #[inline]
    pub(super) fn if_open(&mut self) -> Option<OpenRow<'_>> {
        self.is_clean_and_open().then_some(OpenRow(self))
    }

    /// Both ends are established and have spoken, neither has sent a FIN, and nothing rare was seen.
    fn is_clean_and_open(&self) -> bool {
        let open = |end: &End| end.state == State::Established && end.goes_on();
        self.is_clean() && self.ends.iter().all(open) && self.first_seen == [true; 2] && !self.partial
    }

    /// It goes on, and nothing rare was seen.
    fn is_clean(&self) -> bool {
        self.is_going_on() && self.aside.is_none() && self.history.as_bytes() != b"H"
    }
}

impl OpenRow<'_> {
    /// Takes the segment in if it is plain, and no timer has ended the row; false, and nothing is changed, if it must
    /// [go the long way](Zeek::feed). It is not malformed.
    #[inline]
    pub fn take(&mut self, brief: &Brief) -> bool {
        let Self(row) = self;
        let Brief { ts, seq, ack, payload_len, window, .. } = *brief;
        let in_time = ts.nanos().saturating_sub(row.last.nanos()) < SHORTEST;
        if !brief.flags().is_text() || window == 0 || !in_time {
            return false;
        }
        let role = row.role(brief.from());
        let [orig, resp] = &mut row.ends;
        let (end, peer) = if role == Side::Orig { (orig, resp) } else { (resp, orig) };
        let to = end.high + i64::from(payload_len);
        let acked = peer.near(ack, peer.acked);
        // Next in line, and an ack of what was seen.
        let in_line = seq == end.start + end.high as u32 && end.high == end.next && end.high >= end.trim;
        let acks_seen = acked >= peer.acked && acked <= peer.next && ack != Seq(0);
        let little = payload_len == 0 || (to - end.trim <= LITTLE.into() && !end.no_data_acked());
        if !(in_line && acks_seen && little) {
            return false;
        }
        (peer.acked, peer.trim) = (acked, peer.trim.max(acked));
        (end.high, end.next) = (to, to);
        end.packets = end.packets.saturating_add(1);
        row.letter_of_text(payload_len, role);
        row.last = ts;
        true
    }
}

impl End {
    /// It has sent no FIN, its close was not granted, and its stream is put together.
    const fn goes_on(&self) -> bool {
        !self.fin_seen && !self.did_close && !self.skip
    }

    /// Whether its numbers are those where a run begins.
    fn stands_at(&self, line: &Line, peer_is_seen: bool) -> bool {
        let sent = self.near(line.nxt, self.high) == self.high && self.next == self.high && self.trim <= self.high;
        if !peer_is_seen {
            return sent && self.no_data_acked();
        }
        sent && self.acked > 0 && self.acked <= self.next && self.near(line.una, self.acked) == self.acked
    }

    fn take_run(&mut self, line: &Line) {
        if !line.is_seen {
            // Each ack of an end that never sent anything tells anew where it must be.
            return self.assume(line.una);
        }
        if line.is_acked {
            self.acked = self.near(line.una, self.acked);
            self.trim = self.trim.max(self.acked);
        }
        let to = self.near(line.nxt, self.high);
        // What nobody acknowledges is not waited for.
        if self.no_data_acked() && to > self.high && to - 1 > UNACKED {
            self.trim = to;
        }
        (self.high, self.next) = (to, to);
        self.packets = self.packets.saturating_add(line.segments);
    }
}
