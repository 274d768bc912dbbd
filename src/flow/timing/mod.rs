//! The times of a flow that carries data, as the capture point saw them: round trips, think time, stalls, gaps, flight.
//!
//! May touch `base` and `wire::Segment`. A machine of its own beside [`super::Flow`], of which it learns once, when
//! data begins, what the handshake told. A flow without data costs a pointer; no segment makes it allocate but the
//! first data, the first measured time, and few after those. One file a measure: `rtt` (by ack and by timestamp),
//! `think`, `stalls`, `throughput`; then `half` (numbers), `spread` and `span` (times in few bytes), `view` (what is
//! told).
//!
//! How the hard questions are decided:
//! - **A round trip** is that from the capture point to the receiver of the data and back: each half tells one side of
//!   the path, both together the whole. On the sender's host its data's is the whole, the other one next to nothing.
//! - **Nothing sent twice** is measured by ack (Karn), nor anything in flight with it until all that was sent by then
//!   is acknowledged. What fills a hole looks the same, and is treated the same.
//! - **Where the capture misses something** (one direction, the first copy, time that runs backwards) nothing is
//!   measured, not a guess.

mod half;
mod plain;
mod rtt;
mod span;
mod spread;
mod stalls;
mod think;
mod throughput;
mod view;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use view::{Delays, HalfTiming, IdleGap, InFlight, Stalls, Throughput, TimingView};

use super::half::REACH;
use super::plain::is_text;
use super::stamp::{Offset, nanos_between};
use super::{Brief, Flow, Side};
use crate::base::{Packing, Seq, Timestamp, prefetch};
use crate::wire::Segment;
use half::{Half, Start, Taken};
use span::Span;
use think::Turn;

/// The times of one flow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timing {
    /// Made by the first data after the handshake.
    data: Option<Box<Data>>,
}

/// What is kept of a flow that carried data.
#[derive(Debug, Clone, PartialEq)]
struct Data {
    /// The first data; instants are kept after it.
    origin: Timestamp,
    last: Timestamp,
    halves: [Half; 2],
    turn: Turn,
    /// The longest time without a segment, and when it ended.
    idle: (Span, Offset),
}

impl Timing {
    /// Packs, or unpacks, all of it.
    pub fn pack(&mut self, into: &mut impl Packing) {
        let blank = || Box::new(Data::new([Start::default(); 2], Timestamp::MIN, Timestamp::MIN));
        let Self { data } = self;
        into.option(data, blank, |into, data| data.pack(into));
    }

    /// What it holds beside itself, bytes.
    pub fn held(&self) -> usize {
        let halves = |data: &Data| data.halves.iter().map(Half::held).sum::<usize>();
        self.data.as_ref().map_or(0, |data| size_of::<Data>() + halves(data))
    }

    /// Takes in a segment sent by `from`, in the order of the capture; `before` tells of the flow as it was before it.
    pub fn feed(&mut self, segment: &Segment, from: Side, before: impl FnOnce() -> Option<Starts>) {
        if segment.malformed {
            return;
        }
        if let Some(data) = &mut self.data {
            let may_be_plain = is_text(segment) && segment.window != 0 && segment.payload_len <= REACH;
            let brief = Brief::of(segment, from);
            if !(may_be_plain && data.feed_plain(&brief)) {
                data.feed(&brief);
            }
            return;
        }
        if segment.payload_len > 0 && !segment.flags.syn() && !segment.flags.rst() {
            let Starts { halves, last } =
                before().unwrap_or(Starts { halves: [Start::default(); 2], last: segment.ts });
            self.data.insert(Box::new(Data::new(halves, last, segment.ts))).feed(&Brief::of(segment, from));
        }
    }

    /// The same as [`Self::feed`] of a segment of a run, sooner, once times [have begun](Self::has_begun).
    #[inline]
    pub fn feed_plain(&mut self, brief: &Brief) {
        if let Some(data) = &mut self.data
            && !data.feed_plain(brief)
        {
            data.feed(brief);
        }
    }

    /// Has what lies beside it brought near.
    pub fn prefetch(&self) {
        if let Some(data) = &self.data {
            prefetch(&**data);
        }
    }

    /// Whether it has data to keep times of.
    pub const fn has_begun(&self) -> bool {
        self.data.is_some()
    }

    /// Whether a segment of `side` as long as its peer's MSS lets it be (but for options) is known to have been
    /// acknowledged: of every round trip one or two are looked at.
    pub fn has_delivered_full(&self, side: Side) -> bool {
        self.data.as_ref().is_some_and(|data| data.halves[side.index()].has_delivered_full())
    }

    /// What it tells; `None` of a flow without data.
    #[inline]
    pub fn view(&self) -> Option<TimingView> {
        self.data.as_ref().map(|data| data.view())
    }

    /// The least round trips of data on both sides of the capture point together: that of the whole path. `None` unless
    /// both were measured.
    pub fn round_trip(&self) -> Option<Duration> {
        let [orig, resp] = &self.data.as_ref()?.halves;
        Some(orig.least_round_trip()? + resp.least_round_trip()?)
    }

    /// Exchanges originator and responder, with [`Flow::turn_around`].
    pub fn turn_around(&mut self) {
        if let Some(data) = &mut self.data {
            data.halves.swap(0, 1);
            data.turn.turn_around();
        }
    }
}

/// What a flow's handshake tells of each half, and when its last segment came.
#[derive(Debug, Clone, Copy)]
pub struct Starts {
    halves: [Start; 2],
    last: Timestamp,
}

impl Starts {
    /// Of a flow as it is.
    pub fn of(flow: &Flow) -> Self {
        let [orig, resp] = Side::BOTH.map(|side| flow.half(side));
        let closed = [orig, resp].map(|half| half.window_raw == Some(0));
        Self::at(flow, [orig.nxt, resp.nxt], [orig.una, resp.una], closed, flow.span().1)
    }

    /// Of a flow as it was where it had come to these numbers; `closed`: the window of either half was 0.
    pub(super) fn at(
        flow: &Flow,
        nxt: [Option<Seq>; 2],
        una: [Option<Seq>; 2],
        closed: [bool; 2],
        last: Timestamp,
    ) -> Self {
        let handshake = flow.handshake();
        // Of what was sent once only.
        let paths = handshake.rtt.map(|_| [handshake.syn_to_syn_ack, handshake.syn_ack_to_ack]).unwrap_or_default();
        let start = |side: Side| {
            let at = side.index();
            let mss = handshake.offered[side.peer().index()].and_then(|offer| offer.mss);
            Start { nxt: nxt[at], una: una[at], path: paths[at], mss, closed: closed[at] }
        };
        Self { halves: Side::BOTH.map(start), last }
    }
}

impl Data {
    fn new([orig, resp]: [Start; 2], last: Timestamp, now: Timestamp) -> Self {
        let halves = [Half::new(orig), Half::new(resp)];
        Self { origin: now, last, halves, turn: Turn::NONE, idle: (Span::ZERO, Offset::NONE) }
    }

    fn pack(&mut self, into: &mut impl Packing) {
        let Self { origin, last, halves, turn, idle: (span, until) } = self;
        into.time(origin);
        into.time(last);
        turn.pack(into);
        for (side, half) in halves.iter_mut().enumerate() {
            half.pack(into.known().sent(side), *origin, into);
        }
        span.pack(into);
        until.pack(*origin, into);
    }

    fn feed(&mut self, segment: &Brief) {
        let (from, flags) = (segment.from(), segment.flags());
        let gap = self.pass(segment.ts);
        let [orig, resp] = &mut self.halves;
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        let held = own.take_held();
        peer.take_held();
        // A SYN is the handshake's, and a RST answers nothing.
        if flags.syn() || flags.rst() {
            return;
        }
        let heard_all = flags.ack() && peer.is_heard(segment.ack);
        if flags.ack() {
            peer.take_ack(segment);
        }
        let taken = own.take(segment, peer.is_closed(), self.origin);
        match taken {
            Taken::Next | Taken::Beyond => {
                let next = taken == Taken::Next;
                if let Some(time) = self.turn.speak(from, segment.ts, heard_all, next) {
                    own.note_think(time);
                }
                if held && next && gap.is_some_and(|gap| stalls::is_at_once(gap, peer.path())) {
                    own.note_released(segment.payload_len);
                }
            }
            Taken::Again => self.turn.spoil(),
            Taken::Nothing => {}
        }
    }

    /// Moves to `now`; returns the nanoseconds since the segment before, unless the capture's time ran backwards.
    fn pass(&mut self, now: Timestamp) -> Option<u64> {
        let gap = nanos_between(self.last, now);
        self.last = self.last.max(now);
        if let Some(gap) = gap.map(Span::of_nanos)
            && gap > self.idle.0
        {
            self.idle = (gap, Offset::of(now, self.origin));
        }
        gap
    }

    #[inline]
    fn view(&self) -> TimingView {
        let (gap, until) = self.idle;
        let until = until.get(self.origin);
        let [orig, resp] = &self.halves;
        TimingView {
            halves: [orig.view(self.origin), resp.view(self.origin)],
            idle: until.map(|until| IdleGap { time: gap.get(), until }),
        }
    }
}
