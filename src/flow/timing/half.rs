//! One half: the numbers and times of what its sender sent, and what its peer acknowledged.
//!
//! May touch `base` and `wire::Segment`. It believes numbers within the largest window (RFC 7323 §2.3) of those that it
//! knows, and nothing else.

use std::time::Duration;

use super::rtt::{ByAck, Timed, Watch};
use super::span::Span;
use super::spread::Spread;
use super::stalls::{self, Stalls};
use super::throughput::Volume;
use super::view::{HalfTiming, InFlight};
use crate::base::{Packing, Sent, Seq, Timestamp};
use crate::flow::Brief;
use crate::flow::half::REACH;
use crate::flow::stamp::Marks as Bits;

/// Bits of [`Half::facts`].
pub(super) mod fact {
    /// `high` holds a number.
    pub(in super::super) const SENT: u8 = 1;
    /// `una` holds a number: an acknowledgment by the peer was seen.
    pub(in super::super) const ACKED: u8 = 2;
    /// `tsval` holds a TSval.
    pub(in super::super) const TSVAL: u8 = 4;
    /// Numbers before `recover` were sent twice, and not all before it is acknowledged.
    pub(in super::super) const RECOVERING: u8 = 8;
    /// The window that it advertised last was 0.
    pub(in super::super) const CLOSED: u8 = 16;
    /// The segment just before was a late ack of a small write of its.
    pub(in super::super) const HELD: u8 = 32;
    /// Data before what it sent last was not captured, so that acknowledgments may be missing too; none came since.
    pub(in super::super) const GAP: u8 = 64;
    /// A segment of it that was timed and is not small was acknowledged.
    pub(in super::super) const FULL: u8 = 128;
}

/// What is known of a half when its flow begins to carry data.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Start {
    pub(super) nxt: Option<Seq>,
    pub(super) una: Option<Seq>,
    /// What the handshake took from the capture point to the peer and back.
    pub(super) path: Option<Duration>,
    /// What the peer offered.
    pub(super) mss: Option<u16>,
    /// It advertised a window of 0.
    pub(super) closed: bool,
}

/// One half.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Half {
    pub(super) watch: Watch,
    pub(super) volume: Volume,
    measures: Option<Measures>,
    /// The end of its data, as far as captured or acknowledged.
    pub(super) high: Seq,
    pub(super) una: Seq,
    recover: Seq,
    tsval: u32,
    pub(super) most_in_flight: u32,
    /// The least that the way to the peer and back has taken.
    path: Span,
    pub(super) mss: u16,
    pub(super) facts: Bits,
}

/// Made with the first time that is measured: in its place, since it is in nearly every half.
#[derive(Debug, Clone, PartialEq)]
struct Measures {
    by_ack: Spread,
    by_timestamps: Spread,
    think: Spread,
    stalls: Stalls,
}

impl Measures {
    fn new() -> Self {
        let spread = Spread::new;
        Self { by_ack: spread(), by_timestamps: spread(), think: spread(), stalls: Stalls::default() }
    }

    fn pack(&mut self, into: &mut impl Packing) {
        let Self { by_ack, by_timestamps, think, stalls } = self;
        by_ack.pack(None, into);
        // What timestamps tell is mostly the same.
        by_timestamps.pack(Some(by_ack), into);
        think.pack(None, into);
        into.unless(stalls, Stalls::default(), |into, stalls| stalls.pack(into));
    }
}

/// What data is to its half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// New: beginning with the next byte, or (some before it was not captured) beyond it.
    Next,
    Beyond,
    /// Sent before, or filling a hole: no telling which.
    Again,
    /// Nothing that matters: acknowledged before, a probe of a closed window, out of reach.
    Nothing,
}

impl Half {
    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        let spreads = |measures: &Measures| {
            [&measures.by_ack, &measures.by_timestamps, &measures.think].into_iter().map(Spread::held).sum::<usize>()
        };
        self.volume.held() + self.measures.as_ref().map_or(0, spreads)
    }

    /// `own` is what it sent, `origin` what its instants are kept after.
    pub(super) fn pack(&mut self, own: Sent, origin: Timestamp, into: &mut impl Packing) {
        let Self { watch, volume, measures, high, una, recover, tsval, most_in_flight, path, mss, facts } = self;
        watch.pack(into);
        volume.pack(own.bytes, origin, into);
        into.option(measures, Measures::new, |into, measures| measures.pack(into));
        let mut numbers = (*high, *una, *recover);
        into.unless(&mut numbers, (own.next, own.next, Seq::default()), |into, (high, una, recover)| {
            for seq in [high, una, recover] {
                into.seq(seq);
            }
        });
        (*high, *una, *recover) = numbers;
        into.unless(tsval, 0, Packing::word);
        into.word(most_in_flight);
        let least = measures.as_ref().map_or(Span::UNKNOWN, |measures| measures.by_ack.shortest());
        into.unless(path, least, |into, path| path.pack(into));
        into.unless(mss, stalls::DEFAULT_MSS, Packing::short);
        facts.pack(into);
    }

    pub(super) fn new(start: Start) -> Self {
        let mut facts = Bits::NONE;
        facts.put(fact::SENT, start.nxt.is_some());
        facts.put(fact::ACKED, start.una.is_some());
        facts.put(fact::CLOSED, start.closed);
        Self {
            watch: Watch::NONE,
            volume: Volume::NONE,
            measures: None,
            high: start.nxt.unwrap_or_default(),
            una: start.una.unwrap_or_default(),
            recover: Seq::default(),
            tsval: 0,
            most_in_flight: 0,
            path: start.path.map_or(Span::UNKNOWN, Span::of),
            mss: start.mss.unwrap_or(stalls::DEFAULT_MSS),
            facts,
        }
    }

    fn high(&self) -> Option<Seq> {
        self.facts.has(fact::SENT).then_some(self.high)
    }

    fn una(&self) -> Option<Seq> {
        self.facts.has(fact::ACKED).then_some(self.una)
    }

    fn reaches(&self, seq: Seq) -> bool {
        self.high().is_none_or(|high| seq.offset_from(high).unsigned_abs() <= REACH)
    }

    fn measures(&mut self) -> &mut Measures {
        self.measures.get_or_insert_with(Measures::new)
    }

    /// Whether `ack` acknowledges all its data that was seen.
    pub(super) fn is_heard(&self, ack: Seq) -> bool {
        self.high().is_none_or(|high| !ack.before(high))
    }

    /// Whether one of its segments as long as the peer's MSS lets them be was acknowledged, of those that were timed.
    pub(super) fn has_delivered_full(&self) -> bool {
        self.facts.has(fact::FULL)
    }

    /// Whether it advertised a window of 0.
    pub(super) fn is_closed(&self) -> bool {
        self.facts.has(fact::CLOSED)
    }

    /// The least that the way from the capture point to the peer and back has taken.
    pub(super) fn path(&self) -> Span {
        self.path
    }

    /// Whether a small write may have been waiting for the segment before this one.
    pub(super) fn take_held(&mut self) -> bool {
        let held = self.facts.has(fact::HELD);
        self.facts.clear(fact::HELD);
        held
    }

    /// The next of its small writes, held back, followed the late ack at once.
    pub(super) fn note_released(&mut self, len: u32) {
        if stalls::is_small(len, self.mss) {
            let measures = self.measures();
            let ack = measures.by_ack.last();
            measures.stalls.note_held(ack);
        }
    }

    /// It took so many nanoseconds to answer its peer.
    pub(super) fn note_think(&mut self, nanos: u64) {
        self.measures().think.add(nanos);
    }

    /// The peer's acknowledgment of what it sent.
    pub(super) fn take_ack(&mut self, segment: &Brief) {
        let ack = segment.ack;
        if !self.reaches(ack) {
            return;
        }
        self.facts.clear(fact::GAP);
        if self.una().is_some_and(|una| !ack.after(una)) {
            return;
        }
        self.una = ack;
        self.high = if self.facts.has(fact::SENT) { self.high.latest(ack) } else { ack };
        self.facts.set(fact::ACKED | fact::SENT);
        if !ack.before(self.recover) {
            self.facts.clear(fact::RECOVERING);
        }
        self.learn(segment);
    }

    /// What an acknowledgment of something new says of the segments that are timed.
    #[inline(never)]
    pub(super) fn learn(&mut self, segment: &Brief) {
        let answer = self.watch.acknowledge(segment);
        if answer.full {
            self.facts.set(fact::FULL);
        }
        if let Some(ByAck { took, alone, small }) = answer.by_ack {
            let brings_nothing = segment.payload_len == 0 && !segment.flags().fin();
            if alone && brings_nothing && stalls::is_late(took, self.path) {
                self.measures().stalls.note_late();
                self.facts.put(fact::HELD, small);
            }
            self.measures().by_ack.add(took);
            self.path = self.path.min(Span::of_nanos(took));
        }
        if let Some(took) = answer.by_timestamps {
            self.measures().by_timestamps.add(took);
            self.path = self.path.min(Span::of_nanos(took));
        }
    }

    /// Data, or none: what its numbers, window and timestamp say. `into_closed` tells that the peer's window is 0.
    pub(super) fn take(&mut self, segment: &Brief, into_closed: bool, origin: Timestamp) -> Taken {
        self.facts.put(fact::CLOSED, segment.window == 0);
        let known = self.facts.has(fact::TSVAL);
        let tsval = self.take_tsval(segment);
        let end = segment.seq + segment.payload_len;
        let taken = self.sort(segment, end, into_closed);
        let small = stalls::is_small(segment.payload_len, self.mss);
        let timed = Timed { at: segment.ts, end: segment.end(), tsval, once: true, alone: false, small };
        match taken {
            Taken::Next | Taken::Beyond => self.take_new(segment, timed, taken, into_closed, origin),
            Taken::Again => {
                self.watch.repeated(segment.seq);
                // Of the first TSval that is seen nobody knows whether the first copy carried it too.
                self.watch.begin_again(segment.seq, Timed { once: false, tsval: tsval.filter(|_| known), ..timed });
                // It may bring more than it repeats.
                let more = u64::try_from(end.offset_from(self.high)).unwrap_or(0);
                if more > 0 {
                    self.volume.add(more, segment.ts, origin);
                    self.raise(end);
                }
                self.recover = self.high;
                self.facts.set(fact::RECOVERING);
            }
            Taken::Nothing => {}
        }
        taken
    }

    /// Its TSval, if no segment before was seen to carry it or a later one.
    pub(super) fn take_tsval(&mut self, segment: &Brief) -> Option<u32> {
        let (tsval, _) = segment.timestamps()?;
        let fresh = !self.facts.has(fact::TSVAL) || Seq(tsval).after(Seq(self.tsval));
        if fresh {
            self.tsval = tsval;
            self.facts.set(fact::TSVAL);
        }
        fresh.then_some(tsval)
    }

    /// What its data is to it.
    fn sort(&self, segment: &Brief, end: Seq, into_closed: bool) -> Taken {
        let seq = segment.seq;
        if segment.payload_len == 0 || segment.payload_len > REACH || !self.reaches(seq) {
            return Taken::Nothing;
        }
        let Some(high) = self.high() else { return Taken::Beyond };
        let probes = into_closed && segment.payload_len == 1 && seq == high;
        if probes || self.una().is_some_and(|una| !end.after(una)) {
            return Taken::Nothing;
        }
        match seq.offset_from(high) {
            0 => Taken::Next,
            1.. => Taken::Beyond,
            _ => Taken::Again,
        }
    }

    /// Data sent for the first time. Nothing is timed from mid-stream's first segment, which may be a repetition, nor
    /// into a closed window, where the peer's process and not the path makes the time.
    fn take_new(&mut self, segment: &Brief, timed: Timed, taken: Taken, into_closed: bool, origin: Timestamp) {
        let known = self.facts.has(fact::SENT);
        let alone = taken == Taken::Next && self.una() == Some(segment.seq);
        let once = !self.facts.has(fact::RECOVERING);
        if known && !into_closed && (once || timed.tsval.is_some()) {
            self.watch.begin(Timed { once, alone, ..timed });
        }
        if taken == Taken::Beyond {
            self.facts.set(fact::GAP);
        }
        self.volume.add(segment.payload_len.into(), segment.ts, origin);
        self.raise(segment.seq + segment.payload_len);
    }

    /// It sent up to `end`.
    fn raise(&mut self, end: Seq) {
        self.high = end;
        self.facts.set(fact::SENT);
        // More than any window lets it send: its acknowledgments are not captured any more.
        if self.una().is_some_and(|una| (end - una.0).0 > REACH) {
            self.facts.clear(fact::ACKED);
            self.watch = Watch::NONE;
        }
        self.most_in_flight = self.most_in_flight.max(self.in_flight().unwrap_or(0));
    }

    /// Bytes sent and not acknowledged; `None` where no acknowledgment was seen, or none since the capture missed data.
    fn in_flight(&self) -> Option<u32> {
        if self.facts.has(fact::GAP) {
            return None;
        }
        Some(u32::try_from(self.high()?.offset_from(self.una()?)).unwrap_or(0))
    }

    /// The least measured round trip, as [`HalfTiming::round_trip`] has it.
    pub(super) fn least_round_trip(&self) -> Option<Duration> {
        let measures = self.measures.as_ref()?;
        measures.by_ack.least().or_else(|| measures.by_timestamps.least())
    }

    pub(super) fn view(&self, origin: Timestamp) -> HalfTiming {
        let measures = self.measures.as_ref();
        let now = self.in_flight().filter(|_| self.volume.is_some());
        let max = self.most_in_flight;
        HalfTiming {
            rtt_by_ack: measures.and_then(|measures| measures.by_ack.view()),
            rtt_by_timestamps: measures.and_then(|measures| measures.by_timestamps.view()),
            in_flight: (now.is_some() || max > 0).then(|| InFlight { now, max: max.max(now.unwrap_or(0)) }),
            throughput: self.volume.view(origin),
            think: measures.and_then(|measures| measures.think.view()),
            stalls: measures.and_then(|measures| measures.stalls.view()),
        }
    }
}
