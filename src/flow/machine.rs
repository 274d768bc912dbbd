//! [`Flow`]: what is kept of one incarnation of a 4-tuple, what can be asked of it, and its timers.
//!
//! May touch `base` and `wire::Segment`. Compact, and without allocation: a table holds a million of them.

use std::time::Duration;

use super::half::{Half, mark};
use super::stamp::{Marks, Offset, Stamp};
use super::transitions::{self, Event};
use super::view::{Class, Completeness, HalfView, HandshakeOutcome, Side};
use crate::base::{Known, Sent, Seq, TcpState, Timestamp};
use crate::wire::Segment;

/// How long TIME-WAIT lasts: Linux's TCP_TIMEWAIT_LEN. Of a remote end it is an assumption.
pub(super) const TIME_WAIT: Duration = Duration::from_secs(60);

/// Bits of [`Flow::marks`].
pub(super) mod flag {
    /// The first captured segment came from the responder.
    pub(in super::super) const FIRST_FROM_RESP: u8 = 1;
    /// The first captured segment was a SYN without ACK; with the next bit, one with data.
    pub(in super::super) const BEGUN_BY_SYN: u8 = 2;
    pub(in super::super) const BEGUN_WITH_DATA: u8 = 4;
    /// The segment that concluded the handshake was the ACK that completes it.
    pub(in super::super) const ACK_SEEN: u8 = 8;
    /// The responder sent the last data; the believed RST.
    pub(in super::super) const LAST_DATA_FROM_RESP: u8 = 16;
    pub(in super::super) const RST_FROM_RESP: u8 = 32;
    /// An ICMP error came about the SYN; after that a timer alone told that nobody tries any more.
    pub(in super::super) const REJECTED: u8 = 64;
    pub(in super::super) const OVERDUE: u8 = 128;
}

/// What a SYN said besides its time and its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoneSyn {
    pub seq: Seq,
    pub window: u16,
    pub payload_len: u32,
    pub wscale: Option<u8>,
}

/// One incarnation of a 4-tuple, as the wire shows it. What no plain segment touches stands last.
#[derive(Debug, Clone, PartialEq)]
#[repr(C)]
pub struct Flow {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) since: Timestamp,
    pub(super) last_data_at: Offset,
    pub(super) rst_at: Offset,
    pub(super) outcome: HandshakeOutcome,
    /// Wireshark's completeness, without what only the first segment gives.
    pub(super) seen: u8,
    pub(super) marks: Marks,
    /// SYNs of the originator and SYN-ACKs of the responder that are no retries: captured twice, or with other numbers.
    pub(super) no_retries: [u8; 2],
    pub(super) halves: [Half; 2],
    pub(super) concluded: Stamp,
    /// The last SYN before the SYN-ACK (or the first after it, if none was before).
    pub(super) last_syn: Stamp,
    /// The first SYN-ACK, and the last before the handshake completed.
    pub(super) syn_ack: Stamp,
    pub(super) last_syn_ack: Stamp,
}

impl Flow {
    /// Which side sent the first segment of a new flow: the responder if it is a SYN-ACK, else the originator.
    pub fn side_of_first(segment: &Segment) -> Side {
        if segment.flags.syn_ack() { Side::Resp } else { Side::Orig }
    }

    /// Of nothing yet: to be begun where it is to stay, since a copy takes as long as all else.
    pub const BLANK: Self = Self {
        halves: [Half::new(); 2],
        first: Timestamp::MIN,
        last: Timestamp::MIN,
        since: Timestamp::MIN,
        concluded: Stamp::NONE,
        last_syn: Stamp::NONE,
        syn_ack: Stamp::NONE,
        last_syn_ack: Stamp::NONE,
        no_retries: [0; 2],
        last_data_at: Offset::NONE,
        rst_at: Offset::NONE,
        outcome: HandshakeOutcome::Partial,
        seen: 0,
        marks: Marks::NONE,
    };

    /// A flow that begins with this segment.
    pub fn new(segment: &Segment) -> Self {
        let mut flow = Self::BLANK;
        flow.begin(segment, false);
        flow
    }

    /// Begins a [blank](Self::BLANK) one with this segment; `reuses`: a SYN on a tuple that had a flow before. That
    /// differs only in [`Self::completeness`], where Wireshark does not count the data of such a SYN.
    pub fn begin(&mut self, segment: &Segment, reuses: bool) {
        let from = Self::side_of_first(segment);
        self.begin_before(segment, from);
        // Nothing can be due yet.
        self.take_in(segment, from, segment.ts);
        if reuses {
            self.marks.clear(flag::BEGUN_WITH_DATA);
        }
    }

    /// The first segment of a blank one will be this, sent by `from`.
    fn begin_before(&mut self, segment: &Segment, from: Side) {
        let begun_by_syn = segment.flags.pure_syn();
        (self.first, self.last, self.since) = (segment.ts, segment.ts, segment.ts);
        self.marks.put(flag::FIRST_FROM_RESP, from == Side::Resp);
        self.marks.put(flag::BEGUN_BY_SYN, begun_by_syn);
        self.marks.put(flag::BEGUN_WITH_DATA, begun_by_syn && segment.payload_len > 0);
    }

    /// A flow of which `segment`, sent by `from`, will be the first.
    #[cfg(test)]
    pub(super) fn before(segment: &Segment, from: Side) -> Self {
        let mut flow = Self::BLANK;
        flow.begin_before(segment, from);
        flow
    }

    /// Exchanges originator and responder, which a flow first seen mid-stream can only assume: whoever knows better
    /// (a listener's socket) says so. A flow whose SYN was seen stays as it is; returns whether it was turned.
    pub fn turn_around(&mut self) -> bool {
        if self.outcome != HandshakeOutcome::Partial {
            return false;
        }
        self.halves.swap(0, 1);
        for bit in [flag::FIRST_FROM_RESP, flag::LAST_DATA_FROM_RESP, flag::RST_FROM_RESP] {
            let flipped = !self.marks.has(bit);
            self.marks.put(bit, flipped);
        }
        true
    }

    /// When something happens without a segment: TIME-WAIT's end, a handshake given up.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        Side::BOTH.into_iter().filter_map(|side| self.armed(side)).min()
    }

    /// Fires the deadlines that are due at `now`.
    pub fn expire(&mut self, now: Timestamp) {
        let due = |flow: &Self| {
            let armed = Side::BOTH.into_iter().filter_map(|side| Some((flow.armed(side)?, side)));
            armed.filter(|(at, _)| *at <= now).min()
        };
        while let Some((at, side)) = due(self) {
            self.halves[side.index()].timer = Stamp::NONE;
            match self.halves[side.index()].state {
                Some(TcpState::TimeWait) => self.end_time_wait(side, at),
                Some(TcpState::SynRecv) => self.conclude(HandshakeOutcome::HalfOpen, at),
                _ => self.give_up(at),
            }
        }
    }

    /// When the timer of the end on `side` runs out, if it is running. In SYN-RECV it tells that the ACK is overdue, in
    /// SYN-SENT that nobody tries any more.
    fn armed(&self, side: Side) -> Option<Timestamp> {
        let half = &self.halves[side.index()];
        let running = match half.state {
            Some(TcpState::TimeWait) => true,
            Some(TcpState::SynSent | TcpState::SynRecv) => self.is_pending(),
            _ => false,
        };
        half.timer.get().filter(|_| running)
    }

    /// A newer incarnation of the tuple was answered by a SYN-ACK, so this one is over at both ends.
    pub fn superseded(&mut self, now: Timestamp) {
        if self.outcome == HandshakeOutcome::Waiting {
            let answered = self.syn_ack.is_set();
            let outcome = if answered { HandshakeOutcome::HalfOpen } else { HandshakeOutcome::Unanswered };
            self.conclude(outcome, now);
        }
        self.close_both(now);
    }

    /// `event` happened at the end on `side`: follows the arrow of the table, if there is one.
    pub(super) fn apply(&mut self, side: Side, event: Event, now: Timestamp) {
        let state = self.halves[side.index()].state;
        if let Some(next) = state.and_then(|state| transitions::next(state, event)) {
            self.enter(side, Some(next), now);
        }
    }

    /// The end on `side` is in `state` from `now` on.
    pub(super) fn enter(&mut self, side: Side, state: Option<TcpState>, now: Timestamp) {
        let first = self.first;
        let half = &mut self.halves[side.index()];
        if half.state == state {
            return;
        }
        half.state = state;
        half.timer = Stamp::NONE;
        if state == Some(TcpState::TimeWait) {
            half.timer = Stamp::at(now + TIME_WAIT);
            half.time_wait_at.set_once(now, first);
        }
        self.since = self.since.max(now);
    }

    /// Both ends are gone.
    pub(super) fn close_both(&mut self, now: Timestamp) {
        for side in Side::BOTH {
            self.enter(side, Some(TcpState::Closed), now);
        }
    }

    /// TIME-WAIT on `side` is over; its timer is kept to tell when.
    fn end_time_wait(&mut self, side: Side, at: Timestamp) {
        self.apply(side, Event::TimeWaitOver, at);
        self.halves[side.index()].timer = Stamp::at(at);
    }

    /// The inferred state of the endpoint on `side`; `None` where nothing shows it (one direction only).
    pub fn state(&self, side: Side) -> Option<TcpState> {
        self.halves[side.index()].state
    }

    /// Since when both inferred states are what they are.
    pub fn state_since(&self) -> Timestamp {
        self.since
    }

    /// Whether both ends are gone.
    pub(super) fn is_over(&self) -> bool {
        self.halves.iter().all(|half| half.state == Some(TcpState::Closed))
    }

    /// For eviction: what kind of flow this is now.
    pub fn class(&self) -> Class {
        if self.has_closed() {
            return Class::Closed;
        }
        if self.is_pending() { Class::HalfOpen } else { Class::Live }
    }

    /// Whether it is a SYN without an answer so far: an older incarnation of the tuple may still live (RFC 5961 §4).
    pub fn is_unanswered(&self) -> bool {
        self.halves[Side::Orig.index()].state == Some(TcpState::SynSent) && !self.syn_ack.is_set()
    }

    /// Whether no SYN-ACK has answered its SYN, tried for still or given up: until one does, segments that fit the
    /// incarnation before it are that one's (RFC 5961 §4).
    pub fn is_unproven(&self) -> bool {
        !self.syn_ack.is_set() && (self.outcome == HandshakeOutcome::Waiting || self.outcome.is_silence())
    }

    /// When TIME-WAIT ends at `side`, if it is in it: 60 s after the last FIN of its peer was taken in.
    pub fn time_wait_ends(&self, side: Side) -> Option<Timestamp> {
        let half = &self.halves[side.index()];
        half.timer.get().filter(|_| half.state == Some(TcpState::TimeWait))
    }

    /// The side that sent the first captured segment.
    pub fn first_from(&self) -> Side {
        self.resp_if(flag::FIRST_FROM_RESP)
    }

    pub(super) fn resp_if(&self, bit: u8) -> Side {
        if self.marks.has(bit) { Side::Resp } else { Side::Orig }
    }

    /// The SYN without ACK that is the flow's only segment so far, and its first.
    pub fn lone_syn(&self) -> LoneSyn {
        let orig = &self.halves[Side::Orig.index()];
        LoneSyn {
            seq: orig.iss,
            window: orig.window,
            payload_len: u32::try_from(orig.payload_bytes).unwrap_or(u32::MAX),
            wscale: orig.offered().and_then(|offered| offered.wscale),
        }
    }

    /// What it tells of itself that only a segment, or turning it around, changes: whoever packs what else is kept of
    /// it need not tell that again.
    pub fn known(&self) -> Known {
        let sent = |half: &Half| Sent {
            first: half.iss,
            next: half.nxt,
            segments: half.segments,
            bytes: half.payload_bytes,
            window: half.window,
        };
        Known::new([sent(&self.halves[0]), sent(&self.halves[1])], self.first, self.last)
    }

    /// By how much each side's windows are scaled, where the SYNs tell.
    pub fn scales(&self) -> [Option<u8>; 2] {
        let [orig, resp] = &self.halves;
        [orig.shift(resp), resp.shift(orig)]
    }

    /// The number after the highest that each side is known to have sent; `None` of one that nothing is known of.
    pub fn nxt(&self) -> [Option<Seq>; 2] {
        [self.halves[0].nxt(), self.halves[1].nxt()]
    }

    /// Whether each end that was seen has closed, so that only TIME-WAIT may go on.
    pub fn has_closed(&self) -> bool {
        use TcpState::{Closed, TimeWait};
        let states = Side::BOTH.map(|side| self.state(side));
        states.iter().all(|state| matches!(state, None | Some(Closed | TimeWait))) && states.iter().any(Option::is_some)
    }

    /// Time of the first and of the latest segment.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (self.first, self.last)
    }

    /// Segments and payload bytes sent by `side`.
    pub fn sent(&self, side: Side) -> (u64, u64) {
        let half = &self.halves[side.index()];
        (half.segments, half.payload_bytes)
    }

    /// Payload bytes that `side` sent and its peer has not acknowledged; 0 where no acknowledgment was seen, and
    /// once the end is closed.
    pub fn unacked(&self, side: Side) -> u32 {
        let half = &self.halves[side.index()];
        if half.state == Some(TcpState::Closed) { 0 } else { half.unacked() }
    }

    /// Whose RST was believed to have ended it.
    pub fn reset_by(&self) -> Option<Side> {
        self.rst_at.is_set().then(|| self.resp_if(flag::RST_FROM_RESP))
    }

    /// Whether `side` is open and sent bytes of which no acknowledgment was ever seen, so that nobody can tell how many
    /// of them wait.
    pub fn never_acked(&self, side: Side) -> bool {
        let half = &self.halves[side.index()];
        half.payload_bytes > 0 && half.una().is_none() && half.state != Some(TcpState::Closed)
    }

    /// Payload bytes that `side` sent, each counted once, of a half that was never acknowledged; `None` of another.
    pub fn never_acked_bytes(&self, side: Side) -> Option<u64> {
        let half = &self.halves[side.index()];
        let fin = u32::from(half.has(mark::FIN));
        let span = half.nxt()?.offset_from(half.base()? + 1 + fin);
        let bytes = u64::try_from(span).unwrap_or(0).min(half.payload_bytes);
        (self.never_acked(side) && bytes > 0).then_some(bytes)
    }

    /// Since when `side` has advertised a window of 0; `None` also once that end is closed.
    pub fn zero_window_since(&self, side: Side) -> Option<Timestamp> {
        let half = &self.halves[side.index()];
        half.zero_window.get(self.first).filter(|_| half.state != Some(TcpState::Closed))
    }

    /// The window that a segment sent by `from` advertises, in bytes; `None` where its scale is not known.
    pub fn window_of(&self, segment: &Segment, from: Side) -> Option<u32> {
        self.halves[from.index()].window_of(segment, &self.halves[from.peer().index()])
    }

    /// What is known of the half whose sender is `side`.
    pub fn half(&self, side: Side) -> HalfView {
        let (half, peer) = (&self.halves[side.index()], &self.halves[side.peer().index()]);
        HalfView {
            state: half.state,
            segments: half.segments,
            payload_bytes: half.payload_bytes,
            iss: half.iss(),
            una: half.una(),
            nxt: half.nxt(),
            window_raw: half.window_raw(),
            window: half.window_bytes(peer),
            zero_window_since: self.zero_window_since(side),
            fins: half.fins.into(),
            rsts: half.rsts.into(),
            syns: half.syns.into(),
            syn_acks: half.syn_acks.into(),
        }
    }

    /// Wireshark's completeness mask, as the last packet of the stream shows it in two passes: of a stream of one
    /// packet only what the packet that creates it gives.
    pub fn completeness(&self) -> Completeness {
        let syn = u8::from(self.marks.has(flag::BEGUN_BY_SYN));
        let creator = syn | u8::from(self.marks.has(flag::BEGUN_WITH_DATA)) << 3;
        let segments = self.halves[0].segments + self.halves[1].segments;
        Completeness(if segments > 1 { creator | self.seen } else { creator })
    }
}
