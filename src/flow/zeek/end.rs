//! One endpoint as Zeek keeps it: its state and its numbers.
//!
//! Numbers are kept relative to `start` and 64 bits wide, so that they neither wrap nor depend on where they start.

use crate::base::{Packing, Sent, Seq};
use crate::wire::Segment;

/// A SYN, a RST or an ack of 0 that jumps farther is not believed (`TOO_LARGE_SEQ_DELTA`).
const TOO_FAR: i64 = 1 << 20;

/// §3: the states of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    #[default]
    Inactive,
    SynSent,
    SynAckSent,
    Partial,
    Established,
    /// It sent a FIN.
    Closed,
    /// It sent a RST.
    Reset,
}

impl State {
    const ALL: [Self; 7] =
        [Self::Inactive, Self::SynSent, Self::SynAckSent, Self::Partial, Self::Established, Self::Closed, Self::Reset];

    pub(super) const fn is_handshake(self) -> bool {
        matches!(self, Self::Inactive | Self::SynSent | Self::SynAckSent)
    }

    /// §4: not heard of in full.
    pub(super) const fn is_idle(self) -> bool {
        matches!(self, Self::Inactive | Self::Partial)
    }
}

/// An endpoint. All numbers but `start` are relative to it (the SYN's, real or assumed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) start: Seq,
    pub(super) state: State,
    pub(super) before: State,
    pub(super) fin_seen: bool,
    /// Its close was granted (§5).
    pub(super) did_close: bool,
    pub(super) did_eof: bool,
    /// Its stream is no longer put together: no more holes are told.
    pub(super) skip: bool,
    pub(super) packets: u32,
    /// The number of its last lone RST, and what is just past its last FIN, cut to 32 bits.
    pub(super) last_rst: u32,
    pub(super) fin_end: u32,
    /// Just past the highest sent; what the peer acknowledged.
    pub(super) high: i64,
    pub(super) acked: i64,
    /// All below was seen or given up for missing; all below was acknowledged to the reassembler.
    pub(super) next: i64,
    pub(super) trim: i64,
}

impl End {
    pub(super) const fn new() -> Self {
        Self {
            start: Seq(0),
            state: State::Inactive,
            before: State::Inactive,
            fin_seen: false,
            did_close: false,
            did_eof: false,
            skip: false,
            packets: 0,
            last_rst: 0,
            high: 0,
            acked: 0,
            fin_end: 0,
            next: 1,
            trim: 1,
        }
    }

    /// `own` is what it sent.
    pub(super) fn pack(&mut self, own: Sent, into: &mut impl Packing) {
        let high = i64::from((own.next - own.first.0).0);
        let usual = Self {
            start: own.first,
            state: State::Closed,
            before: State::Established,
            fin_seen: true,
            did_close: true,
            did_eof: true,
            packets: own.segments as u32,
            fin_end: high as u32,
            high,
            acked: high,
            // Nothing is missing before the FIN.
            next: high - 1,
            trim: high - 1,
            ..Self::new()
        };
        into.unless(self, usual, |into, end| end.pack_unusual(into));
    }

    fn pack_unusual(&mut self, into: &mut impl Packing) {
        let Self {
            start,
            state,
            before,
            fin_seen,
            did_close,
            did_eof,
            skip,
            packets,
            last_rst,
            fin_end,
            high,
            acked,
            next,
            trim,
        } = self;
        into.seq(start);
        for state in [state, before] {
            into.one_of(state, &State::ALL);
        }
        for fact in [&mut *fin_seen, did_close, did_eof, skip] {
            into.flag(fact);
        }
        into.word(packets);
        into.word(last_rst);
        into.near(high, 1);
        for number in [acked, next, trim] {
            into.near(number, *high);
        }
        let mut end = i64::from(*fin_end);
        into.near(&mut end, if *fin_seen { *high } else { 0 });
        *fin_end = end as u32;
    }

    /// §3.1 set-up. Returns the segment's relative number.
    pub(super) fn set_up(&mut self, segment: &Segment) -> i64 {
        let syn = segment.flags.syn();
        match self.state {
            State::Inactive if syn => self.begin_at(segment.seq, length(segment)),
            State::Inactive => self.begin_at(segment.seq - 1, 1),
            State::SynSent | State::SynAckSent if syn && segment.seq != self.start => {
                self.begin_at(segment.seq, length(segment));
            }
            State::Established | State::Partial if syn => self.begin_at(segment.seq, length(segment)),
            State::Reset if syn && self.before == State::Inactive => self.begin_at(segment.seq, length(segment)),
            _ => {}
        }
        self.near(segment.seq, self.high)
    }

    fn begin_at(&mut self, start: Seq, high: i64) {
        (self.start, self.high, self.acked) = (start, high, 0);
    }

    /// §3.5: an ack of an end that never sent anything tells where it must be.
    pub(super) fn assume(&mut self, acked: Seq) {
        self.begin_at(acked - 1, 0);
    }

    /// §3.5: takes an ack of this end's numbers. Returns the number acknowledged; `None` if it is before the start.
    pub(super) fn take_ack(&mut self, segment: &Segment) -> Option<i64> {
        let ack = self.near(segment.ack, self.acked);
        if ack < 0 {
            return None;
        }
        let broken = segment.ack == Seq(0) && ack - self.acked > TOO_FAR;
        if !segment.flags.rst() && !broken {
            self.acked = self.acked.max(ack);
        }
        Some(ack)
    }

    /// §3.6: the highest number sent. Returns whether the payload was sent before (letter T).
    pub(super) fn advance(&mut self, segment: &Segment) -> bool {
        let end = self.near(segment.seq + length(segment) as u32, self.high);
        let delta = end - self.high;
        let flags = segment.flags;
        if (flags.syn() || flags.rst()) && delta.abs() > TOO_FAR {
            return false;
        }
        if flags.fin() && self.high == 1 {
            // Of a capture of SYNs and FINs alone, the FIN tells how much was sent, over 2 GiB too.
            self.high = i64::from((segment.seq + length(segment) as u32 - self.start.0).0);
            return false;
        }
        if self.state == State::Reset {
            return false;
        }
        self.high = self.high.max(end);
        delta <= 0 && segment.payload_len > 0
    }

    /// §6: an ack counts to just before the FIN.
    pub(super) fn before_fin(&self, acked: i64) -> i64 {
        if !self.fin_seen {
            return acked;
        }
        acked.min(self.near(self.start + self.fin_end, self.high) - 1)
    }

    /// The relative number of `seq`, taken to be near the relative number `known`.
    pub(super) fn near(&self, seq: Seq, known: i64) -> i64 {
        known + i64::from(seq.offset_from(self.start + known as u32))
    }

    /// §7: bytes of payload that it sent, once each; `peer` never sent anything if it is inactive.
    pub(super) fn size(&self, peer: &Self) -> u64 {
        let aborted = self.before == State::SynSent && self.state == State::Reset;
        if aborted && peer.state == State::Inactive && !self.no_data_acked() {
            return 0;
        }
        let size = u64::try_from(self.high.max(self.acked)).unwrap_or(0);
        size.saturating_sub(1).saturating_sub(u64::from(self.fin_seen))
    }

    pub(super) const fn no_data_acked(&self) -> bool {
        matches!(self.acked, 0 | 1)
    }

    /// §6: holes are told only where this holds of both ends.
    pub(super) fn is_clean(&self) -> bool {
        self.state == State::Established || (self.state == State::Closed && self.before == State::Established)
    }
}

/// §3.1: a segment's length in sequence space; a RST's payload does not count.
pub(super) fn length(segment: &Segment) -> i64 {
    let payload = if segment.flags.rst() { 0 } else { segment.payload_len };
    i64::from(payload) + i64::from(segment.flags.syn()) + i64::from(segment.flags.fin())
}
