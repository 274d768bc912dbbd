//! Handshakes: SYN, SYN-ACK, the ACK that completes, their retries and what became of them.
//!
//! May touch `base` and `wire::Segment`. Read first: RFC 9293 §3.5, §3.10.7.3; RFC 6298 §5.7; RFC 7413.

use std::time::Duration;

use super::half::mark;
use super::machine::{Flow, flag};
use super::stamp::{Offset, Stamp, between};
use super::transitions::Event;
use super::view::{HandshakeOutcome, HandshakeView, Side};
use crate::base::{TcpState, Timestamp};
use crate::wire::Segment;

/// The shortest time without a retry or an answer after which one is overdue: the first retry comes after 1 s
/// (RFC 6298), or 3 s on older stacks.
const FIRST_RETRY_OVERDUE: Duration = Duration::from_millis(3_500);

/// When the next retry of a SYN or SYN-ACK, or its answer, is overdue. Stacks double the gap between retries, and some
/// send a few at equal gaps first (Linux from 6.5: gaps of 1, 1, 1, 1, 1, 2, 4, 8, 17, 33 s), so the next one is due
/// within 2.13 of the last gap. Half of all the time since the first copy is allowed too, for a capture that shows a
/// copy twice makes the last gap tiny.
fn overdue(now: Timestamp, gap: Duration, since_first: Duration) -> Stamp {
    let wait = (gap.saturating_mul(5) / 2).max(since_first.saturating_mul(3) / 2).max(FIRST_RETRY_OVERDUE);
    Stamp::at(now + wait)
}

impl Flow {
    /// A handshake is under way, or was given up and may yet be answered.
    pub(super) fn is_pending(&self) -> bool {
        matches!(self.outcome, HandshakeOutcome::Waiting | HandshakeOutcome::HalfOpen) || self.outcome.is_silence()
    }

    fn is_first_segment(&self) -> bool {
        self.halves[0].segments + self.halves[1].segments == 1
    }

    /// Both ends sent a SYN of their own accord.
    fn syns_crossed(&self) -> bool {
        self.halves.iter().all(|half| half.syns > 0)
    }

    /// Nobody tries any more: the next retry of the SYN (or the SYN-ACK) is overdue, so both ends have given up.
    pub(super) fn give_up(&mut self, at: Timestamp) {
        let outcome = match self.syn_ack.is_set() {
            true => HandshakeOutcome::HalfOpen,
            false if self.marks.has(flag::REJECTED) => HandshakeOutcome::Rejected,
            false => HandshakeOutcome::Unanswered,
        };
        if self.outcome != outcome && !(self.outcome.is_silence() && outcome.is_silence()) {
            self.marks.set(flag::OVERDUE);
            self.conclude(outcome, at);
        }
        self.enter(Side::Orig, Some(TcpState::Closed), at);
        if self.state(Side::Resp).is_some() {
            self.enter(Side::Resp, Some(TcpState::Closed), at);
        }
    }

    /// The originator's socket is gone without an answer to its SYN: whoever knows (its kernel) says so. `let_go`:
    /// whether its process is known to have let go of it.
    pub fn abandon(&mut self, at: Timestamp, let_go: bool) {
        if !self.is_unanswered() {
            return;
        }
        if self.outcome == HandshakeOutcome::Waiting && self.marks.has(flag::REJECTED) {
            self.reject(at);
        } else if self.outcome == HandshakeOutcome::Waiting && let_go {
            self.conclude(HandshakeOutcome::GivenUp, at);
        }
        self.give_up(at);
    }

    /// The originator's kernel took the SYN-ACK, by `at`: whoever knows (its trace) says so, and the ACK is on its way,
    /// captured or not. The handshake waits for that; the responder may never get it.
    pub fn take_word_of_syn_ack(&mut self, at: Timestamp) {
        if self.syn_ack.is_set() && self.is_pending() && self.state(Side::Orig) == Some(TcpState::SynSent) {
            self.enter(Side::Orig, Some(TcpState::Estab), at);
        }
    }

    /// The originator's kernel holds its socket in SYN-SENT at `at` and sends the SYN again in `left`, where it tells:
    /// whatever the SYNs seen so far let expect (the first may have come before the capture), it waits still.
    pub fn await_still(&mut self, at: Timestamp, left: Option<Duration>) {
        if self.syn_ack.is_set() || !self.is_pending() || self.outcome == HandshakeOutcome::GivenUp {
            return;
        }
        self.revive(at);
        if self.state(Side::Orig) != Some(TcpState::SynSent) {
            return;
        }
        let heard_later = self.outcome == HandshakeOutcome::Rejected && self.concluded.get() < Some(at);
        if self.outcome == HandshakeOutcome::Unanswered || heard_later {
            (self.outcome, self.concluded) = (HandshakeOutcome::Waiting, Stamp::NONE);
        }
        let until = at + left.unwrap_or_default().saturating_add(FIRST_RETRY_OVERDUE);
        let timer = &mut self.halves[Side::Orig.index()].timer;
        *timer = Stamp::at(timer.get().map_or(until, |timer| timer.max(until)));
    }

    /// An ICMP error says that the SYN cannot be delivered. Where the originator tries again all the same (its kernel
    /// passed over the error, or was busy with the socket), the handshake waits on until it ends.
    pub fn reject(&mut self, at: Timestamp) {
        if self.is_unproven() {
            self.marks.set(flag::REJECTED);
            self.marks.clear(flag::OVERDUE);
            self.conclude(HandshakeOutcome::Rejected, at);
        }
    }

    /// A segment after all: a handshake that was thought given up goes on.
    pub(super) fn revive(&mut self, now: Timestamp) {
        if !self.is_pending() || self.state(Side::Orig) != Some(TcpState::Closed) {
            return;
        }
        self.enter(Side::Orig, Some(TcpState::SynSent), now);
        self.halves[Side::Orig.index()].timer = Stamp::at(now + FIRST_RETRY_OVERDUE);
        if self.state(Side::Resp).is_some() {
            let answered = self.syn_ack.is_set();
            self.enter(Side::Resp, Some(if answered { TcpState::SynRecv } else { TcpState::SynSent }), now);
        }
    }

    /// A SYN without ACK, which [`Flow::is_replaced_by`] found to be of this flow.
    pub(super) fn take_syn(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        if from == Side::Orig && self.is_copy(segment, from, self.last_syn) {
            return;
        }
        let ended = matches!(self.outcome, HandshakeOutcome::Refused | HandshakeOutcome::Reset);
        match from {
            Side::Orig if ended => {
                // The same SYN again after a RST (some stacks try a refused port thrice): a new attempt.
                (self.syn_ack, self.last_syn_ack, self.rst_at) = (Stamp::NONE, Stamp::NONE, Offset::NONE);
                self.marks.clear(flag::REJECTED);
                self.enter(Side::Resp, None, now);
                self.enter(Side::Orig, None, now);
                self.take_syn_of_orig(segment, now);
            }
            Side::Orig if self.is_pending() || self.is_first_segment() => self.take_syn_of_orig(segment, now),
            Side::Resp if self.is_pending() => self.take_crossing_syn(segment, now),
            // A stray copy, long after.
            _ => {}
        }
    }

    /// Whether a SYN or SYN-ACK was captured a moment ago already (on another interface, VLAN or hop): no timer sends
    /// one again so soon (RFC 6298 §2: 1 s at first; Linux's least is 200 ms).
    fn is_copy(&mut self, segment: &Segment, from: Side, last: Stamp) -> bool {
        const SOONEST: Duration = Duration::from_millis(200);
        let same = self.halves[from.index()].iss() == Some(segment.seq);
        let copy = same && last.get().is_some_and(|last| segment.ts >= last && segment.ts.since(last) < SOONEST);
        self.note_no_retry(from, copy);
        copy
    }

    fn note_no_retry(&mut self, from: Side, is_none: bool) {
        let count = &mut self.no_retries[from.index()];
        *count = count.saturating_add(u8::from(is_none));
    }

    fn take_syn_of_orig(&mut self, segment: &Segment, now: Timestamp) {
        let previous = self.last_syn.get();
        if !self.syn_ack.is_set() || previous.is_none() {
            self.last_syn = Stamp::at(segment.ts);
        }
        let orig = &mut self.halves[Side::Orig.index()];
        if orig.iss() == Some(segment.seq) && orig.state.is_some() {
            orig.advance(segment.seq, segment.end());
        } else {
            orig.begin(segment.seq, segment.end());
        }
        orig.note_offer(segment);
        if orig.state.is_none() {
            self.enter(Side::Orig, Some(TcpState::SynSent), now);
        }
        (self.outcome, self.concluded) = (HandshakeOutcome::Waiting, Stamp::NONE);
        let gap = previous.map_or(Duration::ZERO, |ts| now.since(ts));
        let deadline = overdue(now, gap, self.syn_at().map_or(Duration::ZERO, |ts| now.since(ts)));
        let orig = &mut self.halves[Side::Orig.index()];
        orig.timer = Stamp::at(deadline.get().max(orig.timer.get()).unwrap_or(now));
    }

    /// The responder sent a SYN too, before it could have seen the originator's.
    fn take_crossing_syn(&mut self, segment: &Segment, now: Timestamp) {
        let resp = &mut self.halves[Side::Resp.index()];
        if !matches!(resp.state, None | Some(TcpState::SynSent)) {
            return;
        }
        if resp.state.is_none() {
            resp.begin(segment.seq, segment.end());
        }
        resp.note_offer(segment);
        self.enter(Side::Resp, Some(TcpState::SynSent), now);
    }

    /// A SYN-ACK: its sender has received a SYN. That its peer has received it, only the ACK shows.
    pub(super) fn take_syn_ack(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        if from == Side::Resp && self.is_copy(segment, from, self.last_syn_ack) {
            return;
        }
        let other = from == Side::Resp && self.halves[from.index()].iss().is_some_and(|iss| iss != segment.seq);
        self.note_no_retry(from, other && self.syn_ack.is_set());
        if self.is_pending() || self.is_first_segment() {
            self.take_awaited_syn_ack(segment, from, now);
        } else {
            self.take_late_syn_ack(segment, from, now);
        }
    }

    /// A SYN-ACK before the ACK, or before anything else.
    fn take_awaited_syn_ack(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        let peer = &mut self.halves[from.peer().index()];
        if peer.iss().is_none() {
            peer.begin(segment.ack - 1, segment.ack);
        } else if !segment.ack.after(peer.iss) || segment.ack.after(peer.nxt) {
            return; // it answers some other SYN
        }
        peer.acknowledge(segment.ack);
        let (first, last) = (self.syn_ack.get().unwrap_or(now), self.last_syn_ack.get().unwrap_or(now));
        peer.timer = overdue(now, now.since(last), now.since(first));
        if peer.state.is_none() {
            self.enter(from.peer(), Some(TcpState::SynSent), now);
        }
        let half = &mut self.halves[from.index()];
        if half.iss() == Some(segment.seq) {
            half.advance(segment.seq, segment.end());
        } else {
            half.begin(segment.seq, segment.end());
        }
        half.note_offer(segment);
        match half.state {
            None => self.enter(from, Some(TcpState::SynRecv), now),
            Some(_) => self.apply(from, Event::SendSynAck, now),
        }
        if self.outcome != HandshakeOutcome::HalfOpen {
            (self.outcome, self.concluded) = (HandshakeOutcome::Waiting, Stamp::NONE);
            // Its repeats tell that the ACK did not come, so they extend nothing; only the ACK revises it.
            self.halves[from.index()].timer = Stamp::at(first + FIRST_RETRY_OVERDUE);
        }
        if from == Side::Resp {
            self.note_syn_ack(segment);
        }
        self.settle_crossing_syns(segment, now);
    }

    fn note_syn_ack(&mut self, segment: &Segment) {
        self.last_syn_ack = Stamp::at(segment.ts);
        if !self.syn_ack.is_set() {
            self.syn_ack = self.last_syn_ack;
        }
    }

    /// A SYN-ACK after the ACK. Either the capture swapped them; or the responder repeats it since it has not taken the
    /// ACK (lost behind the capture point, or its accept queue is full), and is in SYN-RECV until it shows otherwise.
    fn take_late_syn_ack(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        let resp = &mut self.halves[Side::Resp.index()];
        if from != Side::Resp || self.outcome != HandshakeOutcome::Completed || resp.iss != segment.seq {
            return;
        }
        let said_nothing_else = resp.segments == u64::from(resp.syn_acks);
        if resp.iss().is_none() {
            resp.marks.set(mark::ISS);
            resp.note_offer(segment);
            self.note_syn_ack(segment);
            if self.state(Side::Resp).is_none() {
                self.enter(Side::Resp, Some(TcpState::Estab), now);
            }
        } else if said_nothing_else && resp.state == Some(TcpState::Estab) {
            self.enter(Side::Resp, Some(TcpState::SynRecv), now);
        }
    }

    /// A segment without SYN: the ACK that completes, or what an end sends only after it.
    pub(super) fn take_handshake_ack(&mut self, segment: &Segment, from: Side, now: Timestamp) {
        if self.is_pending() && self.syns_crossed() {
            return;
        }
        let pending = self.is_pending();
        if from == Side::Orig && pending {
            // Without a SYN-ACK before it, data or a FIN tells that the handshake completed, not when.
            let is_the_ack = self.syn_ack.is_set() || (segment.payload_len == 0 && !segment.flags.fin());
            self.marks.put(flag::ACK_SEEN, is_the_ack);
        } else if from == Side::Orig || !self.shows_established(segment) {
            return;
        }
        if pending {
            self.conclude(HandshakeOutcome::Completed, segment.ts);
            self.apply(Side::Orig, Event::SendAckOfSyn, now);
        }
        self.apply(Side::Resp, Event::RecvAckOfSyn, now);
    }

    /// Whether the responder sends what no end in SYN-RECV does (which may send data only after a Fast Open SYN).
    fn shows_established(&self, segment: &Segment) -> bool {
        let [orig, resp] = &self.halves;
        // The SYN-ACK acknowledged the SYN, and of its data what was taken.
        let beyond_syn = orig.una().is_none_or(|una| segment.ack.after(una));
        let data = segment.payload_len > 0 && !orig.offered_fast_open();
        resp.state != Some(TcpState::SynRecv) || !self.is_pending() || beyond_syn || data || segment.flags.fin()
    }

    /// A simultaneous open is complete once both SYNs are acknowledged (RFC 9293 §3.5, figure 7).
    pub(super) fn settle_crossing_syns(&mut self, segment: &Segment, now: Timestamp) {
        let acked = self.halves.iter().all(|half| half.una().is_some_and(|una| una.after(half.iss)));
        if !(self.is_pending() && self.syns_crossed() && acked) {
            return;
        }
        self.marks.set(flag::ACK_SEEN);
        self.conclude(HandshakeOutcome::Simultaneous, segment.ts);
        for side in Side::BOTH {
            let sent_syn_ack = self.state(side) == Some(TcpState::SynRecv);
            let event = if sent_syn_ack { Event::RecvAckOfSyn } else { Event::SendAckOfSyn };
            self.apply(side, event, now);
        }
    }

    /// A RST that is believed ends a handshake that was under way.
    pub(super) fn fail_handshake(&mut self, segment: &Segment, from: Side) {
        if self.is_pending() {
            let refused = from == Side::Resp && !self.syn_ack.is_set();
            let outcome = if refused { HandshakeOutcome::Refused } else { HandshakeOutcome::Reset };
            self.conclude(outcome, segment.ts);
        }
    }

    /// How the handshake went so far.
    pub fn outcome(&self) -> HandshakeOutcome {
        self.outcome
    }

    /// When the outcome was concluded; `None` while it waits (and for a partial flow).
    pub fn concluded_at(&self) -> Option<Timestamp> {
        self.concluded.get()
    }

    /// Until when it lasted: to its conclusion, or to `now` while it waits. That an answer stays away is concluded by a
    /// timer, at no instant of the connection's own: then to the last try (SYN, SYN-ACK), or to `now` while its end still
    /// tries; `None` of a single try.
    pub fn handshake_lasted_until(&self, now: Timestamp) -> Option<Timestamp> {
        let tried_again = |last: Stamp| last.get().filter(|last| *last > self.first);
        match self.outcome {
            HandshakeOutcome::Unanswered => tried_again(self.last_syn),
            HandshakeOutcome::Rejected if self.marks.has(flag::OVERDUE) => tried_again(self.last_syn),
            HandshakeOutcome::HalfOpen if self.state(Side::Orig) == Some(TcpState::Closed) => {
                tried_again(self.last_syn_ack)
            }
            HandshakeOutcome::HalfOpen => Some(now),
            _ => Some(self.concluded.get().unwrap_or(now)),
        }
    }

    /// The first SYN.
    pub(super) fn syn_at(&self) -> Option<Timestamp> {
        if self.marks.has(flag::BEGUN_BY_SYN) { Some(self.first) } else { self.last_syn.get() }
    }

    /// When the segment came that completed it.
    fn ack_at(&self) -> Option<Timestamp> {
        self.concluded.get().filter(|_| self.outcome.is_completed() && self.marks.has(flag::ACK_SEEN))
    }

    /// See [`HandshakeView::connect_time`].
    pub fn connect_time(&self) -> Option<Duration> {
        between(self.syn_at(), self.ack_at()).filter(|_| self.syn_ack.is_set())
    }

    /// From SYN to SYN-ACK, and from SYN-ACK to the ACK.
    fn two_ways(&self, ack_at: Option<Timestamp>) -> [Option<Duration>; 2] {
        if self.syns_crossed() {
            return [None, None];
        }
        [between(self.last_syn.get(), self.syn_ack.get()), between(self.last_syn_ack.get(), ack_at)]
    }

    /// See [`HandshakeView::rtt`].
    pub fn handshake_rtt(&self) -> Option<Duration> {
        let [orig, resp] = &self.halves;
        let [there, back] = self.two_ways(self.ack_at());
        (orig.syns == 1 + u16::from(self.no_retries[0]) && resp.syn_acks == 1 + u16::from(self.no_retries[1]))
            .then_some(there? + back?)
    }

    /// How often the originator's SYN, and the responder's SYN-ACK, was sent again.
    pub fn retries(&self) -> [u32; 2] {
        let [orig, resp] = &self.halves;
        [retries(orig.syns, self.no_retries[0]), retries(resp.syn_acks, self.no_retries[1])]
    }

    /// The handshake in full.
    pub fn handshake(&self) -> HandshakeView {
        let [orig, resp] = &self.halves;
        let [syn_retries, syn_ack_retries] = self.retries();
        let ack_at = self.ack_at();
        let [syn_to_syn_ack, syn_ack_to_ack] = self.two_ways(ack_at);
        HandshakeView {
            outcome: self.outcome,
            syn_at: self.syn_at(),
            syn_ack_at: self.syn_ack.get(),
            ack_at,
            syn_retries,
            syn_ack_retries,
            syn_to_syn_ack,
            syn_ack_to_ack,
            rtt: self.handshake_rtt(),
            connect_time: self.connect_time(),
            offered: [orig.offered(), resp.offered()],
        }
    }
}

/// How many of so many SYNs or SYN-ACKs were sent again.
fn retries(seen: u16, no_retries: u8) -> u32 {
    u32::from(seen.saturating_sub(1 + u16::from(no_retries)))
}
