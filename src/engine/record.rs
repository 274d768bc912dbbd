//! One connection in the table: its wire side, and what the kernel said of each end on this host.

use std::sync::Arc;

use crate::base::{Endpoint, Packing, Scope, StateSet, TcpState, Timestamp, prefetch_part};
use crate::flow::{Class, Flow, HandshakeOutcome, Mark, Side};
use crate::wire::{Segment, Tunnel, VlanId};

use super::FlowId;
use super::connects::{Closed, Connected};
use super::course::Told;
use super::dashboard::Rejection;
use super::end::End;
use super::last_words::Parting;
use super::opening::Watched;
use super::path_errors::PathError;
use super::retries::Retries;
use super::spare::Spare;
use super::table::{Place, Slot, Tuple, side_of};

/// A connection, by wire, kernel or both. In whole lines of the processor's cache, since what is waited for is the next
/// line: the first four are those that a plain segment touches.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct Record {
    pub(super) scope: Scope,
    pub(super) orig: Endpoint,
    pub(super) resp: Endpoint,
    /// What else is told of its segments.
    pub(super) course: Told,
    /// The last segment, or the last reading in which the kernel had it.
    pub(super) touched: Timestamp,
    /// What its beginning shows: names and waits.
    pub(super) opening: Watched,
    /// Whose segments were seen outside of any tunnel.
    pub(super) bare: Sides,
    pub(super) first_frame: FirstFrame,
    /// `None` if only the kernel knows it.
    pub(super) wire: Option<Flow>,
    pub(super) id: FlowId,
    /// What few flows have.
    pub(super) rare: Option<Box<Rare>>,
    /// What the kernel said of the originator's and the responder's socket.
    pub(super) ends: [Option<Arc<End>>; 2],
    pub(super) first: Timestamp,
    /// The deadline in the queue that counts for this flow; [`Timestamp::MAX`] if there is none. Others are stale.
    pub(super) armed: Timestamp,
    /// Where it stands among those that may have to go, and of which class it is there: the table's business.
    pub(super) place: Place,
    pub(super) listed: Class,
    /// A SYN or SYN-ACK told who is the originator.
    pub(super) orig_known: bool,
    /// Which ends are on this host; meaningful only once addresses are known.
    pub(super) local: [bool; 2],
}

/// What the flow does not tell of the first captured frame; in bytes, so that it leaves no gap in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FirstFrame {
    len: [u8; 4],
    pub(super) ttl: u8,
    digest: [u8; 2],
}

impl FirstFrame {
    pub(super) fn of(segment: &Segment) -> Self {
        let digest = (segment.digest as u16).to_ne_bytes();
        Self { len: segment.frame_len.to_ne_bytes(), ttl: segment.ttl, digest }
    }

    /// Its length on the wire, bytes.
    pub(super) const fn len(self) -> u32 {
        u32::from_ne_bytes(self.len)
    }

    /// Of its segment's digest, the lower bits.
    pub(super) const fn digest(self) -> u16 {
        u16::from_ne_bytes(self.digest)
    }
}

/// A set of sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sides(u8);

impl Sides {
    pub(super) const fn has(self, side: Side) -> bool {
        self.0 & (1 << side.index()) != 0
    }

    /// Adds it, if `holds`.
    pub(super) fn add(&mut self, side: Side, holds: bool) {
        self.0 |= u8::from(holds) << side.index();
    }

    /// Exchanges originator and responder.
    fn turn_around(&mut self) {
        self.0 = self.0 >> 1 | (self.0 & 1) << 1;
    }
}

/// What few flows have, kept apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Rare {
    /// What the first captured segment came through.
    pub(super) vlan: Option<u16>,
    pub(super) tunnel: Option<Tunnel>,
    /// What an ICMP error said of the SYN.
    pub(super) rejected: Option<Rejection>,
    /// What others said of the segments of either end.
    pub(super) path_errors: Option<Box<[Option<PathError>; 2]>>,
    /// The incarnation of the tuple before this one, while it may still be alive (RFC 5961 §4).
    pub(super) older: Option<(Slot, FlowId)>,
    /// Who connected the originator's and the responder's end, by the kernel's trace.
    pub(super) connected: [Option<Connected>; 2],
    /// Who closed them.
    pub(super) closed: [Option<Closed>; 2],
    /// When SYNs and SYN-ACKs were sent again.
    pub(super) retries: Retries,
    /// The kernel's last words on their sockets.
    pub(super) last_words: [Option<Parting>; 2],
}

impl Rare {
    /// What it takes, bytes.
    pub(super) fn held(&self) -> usize {
        size_of::<Self>() + self.retries.held() + self.path_errors.as_ref().map_or(0, |errors| size_of_val(&**errors))
    }

    /// What the first captured segment shows, if anything.
    pub(super) fn of(segment: &Segment, older: Option<(Slot, FlowId)>) -> Option<Box<Self>> {
        let Segment { vlan, tunnel, .. } = *segment;
        let vlan = vlan.map(VlanId::number);
        let any = vlan.is_some() || tunnel.is_some() || older.is_some();
        any.then(|| Box::new(Self { vlan, tunnel, older, ..Self::default() }))
    }
}

/// What is counted of a record, taken before and after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    pub(super) states: [Option<TcpState>; 2],
    pub(super) local: [bool; 2],
    pub(super) outcome: Option<HandshakeOutcome>,
    pub(super) concluded_at: Option<Timestamp>,
}

impl Record {
    /// What a plain segment touches is of so many bytes, from the first on.
    pub(super) const PLAIN: usize = std::mem::offset_of!(Self, wire) + Flow::PLAIN;

    /// Its tuple is of so many bytes, from the first on, with what tells that there is one.
    pub(super) const TUPLE: usize = std::mem::offset_of!(Self, wire) + 1;

    /// Of nothing yet: to be filled in its place in the table, since a copy takes as long as all else.
    pub(super) const BLANK: Self = Self {
        id: FlowId(0),
        scope: Scope::FILE,
        orig: Endpoint::WILDCARD,
        resp: Endpoint::WILDCARD,
        orig_known: false,
        wire: None,
        course: Told::Nothing,
        first_frame: FirstFrame { len: [0; 4], ttl: 0, digest: [0; 2] },
        rare: None,
        opening: Watched::None,
        bare: Sides(0),
        ends: [None, None],
        local: [false; 2],
        first: Timestamp::MIN,
        touched: Timestamp::MIN,
        armed: Timestamp::MAX,
        place: Place::NOWHERE,
        listed: Class::Closed,
    };

    pub(super) fn tuple(&self) -> Tuple {
        Tuple::new(self.scope, self.orig, self.resp)
    }

    /// Which side `a` is, if its tuple is that of these ends.
    #[inline]
    pub(super) fn side_of_one(&self, scope: Scope, a: &Endpoint, b: &Endpoint) -> Option<Side> {
        // Without branches: which direction comes next nobody can guess.
        let ahead = (self.orig == *a) & (self.resp == *b);
        let back = (self.orig == *b) & (self.resp == *a);
        let side = if ahead { Side::Orig } else { Side::Resp };
        ((ahead | back) & (self.scope == scope)).then_some(side)
    }

    /// Which side sends a segment, if that is of its tuple.
    #[inline]
    pub(super) fn sender_of(&self, segment: &Segment) -> Option<Side> {
        self.side_of_one(segment.scope, &segment.src, &segment.dst)
    }

    pub(super) const fn endpoint(&self, side: Side) -> Endpoint {
        match side {
            Side::Orig => self.orig,
            Side::Resp => self.resp,
        }
    }

    pub(super) fn end(&self, side: Side) -> Option<&End> {
        self.ends[side.index()].as_deref()
    }

    /// The inferred state of an end, by the wire.
    pub(super) fn inferred(&self, side: Side) -> Option<TcpState> {
        use TcpState::{CloseWait, FinWait1, FinWait2};
        let flow = self.wire.as_ref()?;
        let state = flow.state(side)?;
        // Of a flow first seen mid-stream one FIN may have gone before: which end closed first, the kernel knows.
        let one_fin = matches!(state, CloseWait | FinWait1 | FinWait2) && flow.outcome() == HandshakeOutcome::Partial;
        let doubtful = one_fin && self.ends.iter().any(Option::is_some);
        (!doubtful || self.reported(side) == Some(state)).then_some(state)
    }

    /// The inferred state and since when it holds, where it is a claim to hold beside the kernel's. A FIN may have gone
    /// before the capture began, so a flow first seen mid-stream makes none before both FINs were seen.
    pub(super) fn claimed(&self, side: Side) -> Option<(TcpState, Timestamp)> {
        use TcpState::{Closed, Closing, LastAck, TimeWait};
        let flow = self.wire.as_ref()?;
        let state = flow.state(side)?;
        let both_fins = matches!(state, Closing | LastAck | TimeWait | Closed);
        (both_fins || flow.outcome() != HandshakeOutcome::Partial).then(|| (state, flow.state_since()))
    }

    /// Whether an end has closed its half, by the wire; `None` where that shows no state of it.
    pub(super) fn has_closed(&self, side: Side) -> Option<bool> {
        use TcpState::{CloseWait, Estab, SynRecv, SynSent};
        const OPEN: StateSet = StateSet::of(&[SynSent, SynRecv, Estab, CloseWait]);
        self.wire.as_ref()?.state(side).map(|state| !OPEN.has(state))
    }

    /// What the kernel reports of an end now.
    pub(super) fn reported(&self, side: Side) -> Option<TcpState> {
        self.end(side).filter(|end| end.is_there()).map(|end| end.socket.state.0)
    }

    /// When the kernel was read, where what it reported of an end is another state than the wire's, and older.
    pub(super) fn outdated(&self, side: Side) -> Option<Timestamp> {
        let end = self.end(side).filter(|end| end.is_there())?;
        let inferred = self.inferred(side).filter(|state| *state != end.socket.state.0);
        let changed = self.wire.as_ref().filter(|_| inferred.is_some())?.state_since();
        end.is_older_than(changed).then_some(end.at)
    }

    /// The newest word on the state of an end.
    pub(super) fn state_of(&self, side: Side) -> Option<TcpState> {
        newest_word(self.reported(side), self.outdated(side), self.inferred(side))
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            states: Side::BOTH.map(|side| self.inferred(side)),
            local: self.local,
            outcome: self.wire.as_ref().map(Flow::outcome),
            concluded_at: self.wire.as_ref().and_then(Flow::concluded_at),
        }
    }

    /// The incarnation of the tuple before this one, while it may still be alive.
    pub(super) fn older(&self) -> Option<(Slot, FlowId)> {
        self.rare.as_deref().and_then(|rare| rare.older)
    }

    /// For eviction: a socket that the kernel still holds keeps its flow from being called closed, but for TIME-WAIT. One
    /// that it held and holds no more has ended, though the wire did not show how.
    pub(super) fn class(&self) -> Class {
        if self.is_closed() {
            return Class::Closed;
        }
        let held = Side::BOTH.into_iter().filter_map(|side| self.reported(side));
        let by_kernel = held
            .map(|state| match state {
                TcpState::TimeWait => Class::Closed,
                TcpState::SynSent | TcpState::SynRecv => Class::HalfOpen,
                _ => Class::Live,
            })
            .max();
        let may_be = self.ends.iter().flatten().any(|end| end.left.is_some()).then_some(Class::Live);
        let by_wire = self.wire.as_ref().map(Flow::class);
        by_kernel.max(by_wire).max(may_be).unwrap_or(Class::Closed)
    }

    /// Has what no plain segment touches brought near.
    #[inline]
    pub(super) fn prefetch_rest(&self) {
        prefetch_part(self, Self::PLAIN..size_of::<Self>());
    }

    /// Counts a segment towards age, rate, verdict, analysis and times; before its flow takes it in. Returns whether it
    /// is a retransmission, as Wireshark has it.
    pub(super) fn touch(&mut self, segment: &Segment, bits: u64) -> bool {
        let from = side_of(self, segment.src);
        self.touched = self.touched.max(segment.ts);
        self.course_mut();
        let (Told::Going(going), Some(flow)) = (&mut self.course, &self.wire) else { return false };
        going.rate.add(segment.ts, bits);
        let course = going.course_mut(flow, [self.orig, self.resp]);
        course.feed(segment, from, Some(flow)).has(Mark::Retransmission)
    }

    /// Takes in a segment that is next in line between two established ends, as most are; false, and nothing that is
    /// told is changed, if it is any other. No state, deadline, outcome or class changes by one, and none is a
    /// retransmission.
    #[inline]
    pub(super) fn take_plain(&mut self, segment: &Segment, from: Side, bits: u64, spare: &mut Spare) -> bool {
        let waits = match (&mut self.course, &self.wire) {
            (Told::Going(going), Some(flow)) => going.wait(segment, from, flow, spare),
            _ => false,
        };
        if !waits && !self.take_alone(segment, from) {
            return false;
        }
        let (Told::Going(going), Some(flow)) = (&mut self.course, &mut self.wire) else { return false };
        self.touched = self.touched.max(segment.ts);
        going.rate.add(segment.ts, bits);
        self.bare.add(from, segment.tunnel.is_none());
        flow.feed_plain(segment, from);
        going.settle(flow, || [self.orig, self.resp]);
        self.opening.feed(segment);
        true
    }

    /// Shows its course a segment that cannot wait; false, and nothing is changed, if it is not plain.
    #[inline(never)]
    fn take_alone(&mut self, segment: &Segment, from: Side) -> bool {
        let Some(flow) = self.wire.as_ref().filter(|flow| flow.is_plain(segment, from)) else { return false };
        let ends = [self.orig, self.resp];
        self.course.reopen(flow, ends).is_some_and(|going| going.take_alone(segment, from, flow, ends))
    }

    /// Bits on the wire in the last complete second; `None` if no second is complete since its first segment.
    pub(super) fn bits_per_s(&self, now: Timestamp) -> Option<u64> {
        let (first, _) = self.wire.as_ref()?.span();
        // Most flows are: their rate need not be looked for.
        let rate = || if self.is_silent(now) { None } else { self.rate() };
        (now.seconds() > first.seconds()).then(|| rate().map_or(0, |rate| rate.per_second(now)))
    }

    /// Whether nothing has come since before the last complete second.
    pub(super) fn is_silent(&self, now: Timestamp) -> bool {
        now.seconds().saturating_sub(self.touched.seconds()) > 1
    }

    /// Shows Zeek's machine a segment of the tuple.
    pub(super) fn feed_zeek(&mut self, segment: &Segment) {
        let from = side_of(self, segment.src);
        if let Some(course) = self.course_mut() {
            course.zeek.feed(segment, from);
        }
    }

    /// Whether the kernel shows a handshake under way, to which a SYN that is captured only now belongs.
    pub(super) fn awaits_syn(&self) -> bool {
        let mut ends = Side::BOTH.into_iter().filter_map(|side| self.reported(side)).peekable();
        ends.peek().is_some() && ends.all(|state| matches!(state, TcpState::SynSent | TcpState::SynRecv))
    }

    /// A connection that came in on a listener was opened by the other end, whoever was first seen to send.
    pub(super) fn learn_opener(&mut self, local: Endpoint, came_in: bool) {
        if came_in && !self.orig_known {
            if self.orig == local && self.orig != self.resp {
                self.turn_around();
            }
            self.orig_known = true;
        }
    }

    /// Exchanges originator and responder.
    pub(super) fn turn_around(&mut self) {
        self.course_mut();
        std::mem::swap(&mut self.orig, &mut self.resp);
        self.ends.swap(0, 1);
        self.local.swap(0, 1);
        self.bare.turn_around();
        let turned = self.wire.as_mut().is_some_and(Flow::turn_around);
        if let Some(course) = self.course_mut() {
            if turned {
                course.analysis.turn_around();
                course.verdict.turn_around();
                course.timing.turn_around();
            }
            course.zeek.turn_around();
        }
        if let Some(rare) = &mut self.rare {
            rare.connected.swap(0, 1);
            rare.closed.swap(0, 1);
            rare.last_words.swap(0, 1);
            rare.path_errors.iter_mut().for_each(|errors| errors.swap(0, 1));
        }
    }

    /// Over on every side that can be seen.
    pub(super) fn is_closed(&self) -> bool {
        let wire_over = Side::BOTH.into_iter().all(|side| matches!(self.inferred(side), None | Some(TcpState::Closed)));
        let kernel_over = self.ends.iter().flatten().all(|end| end.gone.is_some());
        let kernel_ended = self.ends.iter().flatten().any(|end| end.gone.is_some());
        kernel_over && if self.wire.is_some() { wire_over || kernel_ended } else { kernel_ended }
    }
}

/// The newest word on a state: what the kernel reports, unless the wire has shown it to change since.
pub(super) fn newest_word(
    reported: Option<TcpState>,
    outdated: Option<Timestamp>,
    inferred: Option<TcpState>,
) -> Option<TcpState> {
    reported.filter(|_| outdated.is_none()).or(inferred)
}

/// Nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// Bits in the current and in the last complete second: enough for a rate without a history per flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    bin: i64,
    current: u64,
    previous: u64,
}

impl Rate {
    #[inline]
    pub(super) fn add(&mut self, ts: Timestamp, bits: u64) {
        // Nearly always in the second of the one before, which needs no division. At the end of all time this may wrap,
        // and is looked at again.
        if ts.nanos() >= self.bin.wrapping_add(1).wrapping_mul(SECOND) {
            self.turn(ts.seconds());
        }
        self.current = self.current.saturating_add(bits);
    }

    fn turn(&mut self, bin: i64) {
        if bin > self.bin {
            self.previous = if bin == self.bin + 1 { self.current } else { 0 };
            (self.bin, self.current) = (bin, 0);
        }
    }

    /// `last` is about when it last rose.
    pub(super) fn pack(&mut self, last: Timestamp, into: &mut impl Packing) {
        let Self { bin, current, previous } = self;
        into.near(bin, last.seconds());
        into.number(current);
        into.number(previous);
    }

    /// Bits in the last complete second before `now`.
    pub(super) fn per_second(&self, now: Timestamp) -> u64 {
        match now.seconds().saturating_sub(self.bin) {
            0 => self.previous,
            1 => self.current,
            _ => 0,
        }
    }
}
