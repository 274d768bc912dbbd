//! One row of Zeek's connection log while it grows: a segment's way through, and when the row ends.
//!
//! The roles here are Zeek's, not the flow's: `Side::Orig` is whom Zeek takes for the originator.

use std::time::Duration;

use super::Side;
use super::end::{End, State, length};
use super::history::History;
use super::holes::{Aside, is_lagging};
use super::ports;
use super::view::{RowEnd, ZeekRow};
use crate::base::{Packing, Timestamp};
use crate::wire::{Flags, Segment};

/// §2e: when the second look at a connection is taken: 5 s after it began, then 6 s later.
const HOUSEKEEPING: Duration = Duration::from_secs(11);
/// §2a, §2b: an unanswered attempt, and a row whose close is complete, end after this.
const LINGER: Duration = Duration::from_secs(5);
/// §2c: how long a row waits in silence: in the handshake, after it, of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Handshake,
    Usual,
    Login,
}

impl Patience {
    pub(super) const fn time(self) -> Duration {
        Duration::from_secs(match self {
            Self::Handshake => 60,
            Self::Usual => 300,
            Self::Login => 3600,
        })
    }
}

/// No close is complete yet.
const NEVER: Timestamp = Timestamp::MAX;

/// The row of the connection that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) first: Timestamp,
    /// The last segment until both closed.
    pub(super) last: Timestamp,
    close_at: Timestamp,
    pub(super) ends: [End; 2],
    pub(super) aside: Option<Box<[Aside; 2]>>,
    pub(super) history: History,
    /// Kinds of letters written, by role (not moved by a swap).
    pub(super) seen: [u8; 2],
    pub(super) patience: Patience,
    /// What the flow calls Zeek's originator.
    orig: Side,
    /// Whose first segment was taken in, by the role that it had then.
    pub(super) first_seen: [bool; 2],
    pub(super) partial: bool,
    close_deferred: bool,
    /// A side was ESTABLISHED.
    pub(super) established: bool,
    /// Why it ended, if a connection that is told elsewhere took the tuple over.
    replaced: Option<RowEnd>,
}

impl Row {
    /// A row that begins with this segment.
    pub(super) fn begin(segment: &Segment, from: Side) -> Self {
        let mut row = Self::empty(segment.ts, from);
        if ports::swaps(segment) {
            row.swap();
        }
        row.take(segment, from);
        row
    }

    /// Before its first segment.
    pub(super) fn empty(first: Timestamp, from: Side) -> Self {
        Self {
            first,
            last: first,
            close_at: NEVER,
            ends: [End::new(); 2],
            aside: None,
            history: History::new(),
            seen: [0; 2],
            patience: Patience::Handshake,
            orig: from,
            first_seen: [false; 2],
            partial: false,
            close_deferred: false,
            established: false,
            replaced: None,
        }
    }

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        let Self {
            first,
            last,
            close_at,
            ends,
            aside,
            history,
            seen,
            patience,
            orig,
            first_seen,
            partial,
            close_deferred,
            established,
            replaced,
        } = self;
        into.time(first);
        into.time(last);
        into.unless(close_at, *last + LINGER, Packing::time);
        into.one_of(orig, &Side::BOTH);
        for (end, side) in ends.iter_mut().zip([*orig, orig.peer()]) {
            let own = into.known().sent(side.index());
            end.pack(own, into);
        }
        let nexts = ends.map(|end| end.next);
        into.option(aside, Box::default, |into, aside| {
            aside.iter_mut().zip(nexts).for_each(|(aside, next)| aside.pack(next, into));
        });
        history.pack(into);
        seen.iter_mut().for_each(|kinds| into.byte(kinds));
        let mut facts = (*patience, *first_seen, *partial, *close_deferred, *established, *replaced);
        let usual = (Patience::Usual, [true; 2], false, false, true, None);
        into.unless(&mut facts, usual, |into, facts| pack_facts(facts, into));
        (*patience, *first_seen, *partial, *close_deferred, *established, *replaced) = facts;
    }

    /// §3: one segment, in Zeek's order.
    pub(super) fn take(&mut self, segment: &Segment, from: Side) {
        // §1: the connection is found or made, and nothing else happens.
        if segment.malformed {
            return;
        }
        let flags = segment.flags;
        let was = self.role(from);
        self.flip_late(segment);
        let role = self.role(from);
        self.note_partial(flags, role);
        let rel = self.ends[role.index()].set_up(segment);
        self.main_letter(segment, role, rel);
        self.zero_window(segment, role);
        if !self.ends.iter().all(|end| end.did_close) {
            self.last = segment.ts;
        }
        if flags.fin() {
            let end = &mut self.ends[role.index()];
            (end.fin_seen, end.fin_end) = (true, (rel + length(segment)) as u32);
        }
        let acked = if flags.ack() { self.take_ack(segment, role.peer()) } else { None };
        if self.ends[role.index()].advance(segment) {
            self.retransmitted(role);
        }
        let closes = self.step(segment, was, role);
        let role = self.role(from);
        if let Some(acked) = acked {
            self.acknowledged(role.peer(), acked);
        }
        self.first_seen[was.index()] = true;
        self.take_payload(segment, role, rel);
        self.check_eof(role);
        if closes {
            self.close(role);
        }
        let end = &mut self.ends[role.index()];
        end.packets = end.packets.saturating_add(1);
    }

    /// §2 "Late flip": a SYN-ACK came first, and now something that a handshake does not begin with.
    fn flip_late(&mut self, segment: &Segment) {
        let flags = segment.flags;
        let goes_on = segment.payload_len > 0 || flags.ack();
        if self.history.as_bytes() == b"H" && goes_on && !(flags.syn() || flags.fin() || flags.rst()) {
            self.swap();
            self.history = b"^h".iter().copied().collect();
        }
    }

    /// §6: in a partial flow the first numbers are guesses.
    fn note_partial(&mut self, flags: Flags, role: Side) {
        let first = !self.first_seen[role.index()];
        match role {
            Side::Orig if first => self.partial = !flags.pure_syn(),
            Side::Resp if first && !self.partial => self.partial = !flags.syn(),
            _ => {}
        }
    }

    /// §3.5: an ack of what `acked` sent.
    fn take_ack(&mut self, segment: &Segment, acked: Side) -> Option<i64> {
        let end = &mut self.ends[acked.index()];
        if end.state == State::Inactive {
            end.assume(segment.ack);
            return Some(1);
        }
        end.take_ack(segment)
    }

    /// §3.8: the same ack, given to the bookkeeping of holes.
    fn acknowledged(&mut self, role: Side, acked: i64) {
        let end = &self.ends[role.index()];
        let to = end.before_fin(acked);
        if to <= end.trim {
            return;
        }
        if self.aside.is_none() && to <= end.next {
            // Nothing is missing: see Aside::acknowledged.
            self.ends[role.index()].trim = to;
            return self.check_eof(role);
        }
        let partial = self.partial;
        for missed in self.with_aside(role, |aside, end| aside.acknowledged(end, to, partial)) {
            self.gap(role, missed);
        }
        self.check_eof(role);
    }

    /// §3.9: what it carries, at its number.
    fn take_payload(&mut self, segment: &Segment, role: Side, rel: i64) {
        if segment.payload_len > 0 && !segment.flags.rst() && rel >= 0 {
            let start = rel + i64::from(segment.flags.syn());
            let size = self.sizes()[role.index()];
            self.with_aside(role, |aside, end| aside.saw(end, size, start, start + i64::from(segment.payload_len)));
        }
    }

    /// §5: a side asks to close; where its stream lags it must ask again.
    fn close(&mut self, role: Side) {
        self.close_deferred = self.lags(role);
        let [end, peer] = self.pair(role);
        if self.close_deferred || end.did_close {
            return;
        }
        let complete = end.state == State::Reset || peer.did_close || peer.state == State::Inactive;
        self.ends[role.index()].did_close = true;
        if complete {
            self.close_at = self.last + LINGER;
        }
    }

    /// §5: the end of a side's stream, once; a close that had to wait is asked for again.
    fn check_eof(&mut self, role: Side) {
        let end = &self.ends[role.index()];
        let over = end.fin_seen || matches!(end.state, State::Closed | State::Reset);
        if over && !end.did_eof && !self.lags(role) {
            self.ends[role.index()].did_eof = true;
            if self.close_deferred {
                self.close(role);
                self.close_deferred = false;
            }
        }
    }

    fn lags(&self, role: Side) -> bool {
        let [end, peer] = self.pair(role);
        let waits = self.aside.as_deref().is_some_and(|aside| aside[role.peer().index()].is_waiting());
        is_lagging(end, peer, waits)
    }

    /// Neither taken over nor closed.
    pub(super) fn is_going_on(&self) -> bool {
        self.replaced.is_none() && self.close_at == NEVER
    }

    /// §2: whether a timer ends this row by `now`, and which.
    pub(super) fn due(&self, now: Timestamp) -> Option<RowEnd> {
        if self.replaced.is_some() {
            return self.replaced;
        }
        if self.close_at != NEVER {
            return (self.close_at <= now).then_some(RowEnd::Closed);
        }
        let [orig, resp] = &self.ends;
        // §2e: the housekeeping of a connection of which only damaged segments were seen.
        let nothing_seen = orig.state == State::Inactive && resp.state == State::Inactive;
        if nothing_seen && self.first + HOUSEKEEPING <= now {
            return Some(RowEnd::Idle);
        }
        let attempts = matches!(orig.state, State::SynSent | State::SynAckSent) && orig.before == State::Inactive;
        let unanswered = attempts && resp.state == State::Inactive;
        if unanswered && self.first + LINGER <= now {
            return Some(RowEnd::Unanswered);
        }
        (self.last + self.patience.time() <= now).then_some(RowEnd::Idle)
    }

    /// A SYN at `at` began a connection on the same tuple, which is told elsewhere.
    pub(super) fn replace(&mut self, at: Timestamp) {
        self.replaced = Some(self.due(at).unwrap_or(RowEnd::Reused));
    }

    /// §2 "Reuse test": whether this segment begins a connection of its own.
    pub(super) fn is_reused_by(&self, segment: &Segment) -> bool {
        let flags = segment.flags;
        let [orig, resp] = &self.ends;
        if !flags.syn() || (flags.ack() && orig.state != State::Inactive) {
            return false;
        }
        if orig.did_close || resp.did_close {
            return true;
        }
        let known = if flags.ack() { resp.start } else { orig.start };
        let swapped_in_capture = !flags.ack()
            && orig.state == State::SynAckSent
            && resp.state == State::Inactive
            && segment.seq == resp.start;
        segment.seq != known && !swapped_in_capture
    }

    /// §2 "Later swaps": originator and responder change places; letters already written keep their case.
    pub(super) fn swap(&mut self) {
        self.ends.swap(0, 1);
        if let Some(aside) = self.aside.as_deref_mut() {
            aside.swap(0, 1);
        }
        self.orig = self.orig.peer();
        self.partial = false;
        self.history.push(b'^');
    }

    /// The flow's sides were exchanged.
    pub(super) fn turn_around(&mut self) {
        self.orig = self.orig.peer();
    }

    /// Zeek's role of the flow's side.
    pub(super) fn role(&self, side: Side) -> Side {
        if side == self.orig { Side::Orig } else { Side::Resp }
    }

    /// An end and its peer.
    #[inline]
    pub(super) fn pair(&self, role: Side) -> [&End; 2] {
        [&self.ends[role.index()], &self.ends[role.peer().index()]]
    }

    /// §7: payload bytes sent by each.
    pub(super) fn sizes(&self) -> [u64; 2] {
        let [orig, resp] = &self.ends;
        [orig.size(resp), resp.size(orig)]
    }

    /// The rarer things of an end, which take memory only once there are any.
    pub(super) fn with_aside<T>(&mut self, role: Side, change: impl FnOnce(&mut Aside, &mut End) -> T) -> T {
        let index = role.index();
        let mut aside = self.aside.as_deref_mut().map(|both| std::mem::take(&mut both[index])).unwrap_or_default();
        let result = change(&mut aside, &mut self.ends[index]);
        if self.aside.is_some() || aside != Aside::default() {
            self.aside.get_or_insert_default()[index] = aside;
        }
        result
    }

    /// The row as it would be written.
    pub(super) fn tell(&self, ended: Option<RowEnd>) -> ZeekRow {
        let duration = self.last.since(self.first);
        let missed = self.aside.as_deref().map_or(0, |[orig, resp]| orig.missed.saturating_add(resp.missed));
        ZeekRow {
            first: self.first,
            duration: (!duration.is_zero()).then_some(duration),
            orig: self.orig,
            conn_state: self.conn_state(),
            history: self.history,
            bytes: (!duration.is_zero()).then(|| self.sizes()),
            packets: self.ends.map(|end| end.packets),
            missed_bytes: missed,
            established: self.established,
            ended,
        }
    }
}

/// Of a row: patience, whose first segment was taken in, partial, close deferred, established, replaced.
type Facts = (Patience, [bool; 2], bool, bool, bool, Option<RowEnd>);

fn pack_facts(
    (patience, first_seen, partial, close_deferred, established, replaced): &mut Facts,
    into: &mut impl Packing,
) {
    into.one_of(patience, &[Patience::Handshake, Patience::Usual, Patience::Login]);
    for fact in first_seen.iter_mut().chain([partial, close_deferred, established]) {
        into.flag(fact);
    }
    into.option(replaced, || RowEnd::Reused, |into, why| into.one_of(why, &RowEnd::ALL));
}
