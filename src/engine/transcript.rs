//! One flow segment by segment: what its inputs tell when they are read again, for ladder and graph.
//!
//! The table keeps no segment of any flow. Whoever wants to see one goes through the inputs once more with a
//! [`Collector`], which finds the flow's again (scope, tuple, incarnation), takes them through machines of their own
//! (states, analysis, verdict) and keeps what they say of each, bounded. What only later evidence showed is kept with
//! when it did, so that a transcript tells at any instant what was known then. Read next: `gather` (which inputs are
//! the flow's), `telling` (what is told of each), `flight` (round trips).

mod flight;
mod gather;
mod said;
mod telling;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::flow::{Cause, Evidence, Mark, Marks, Side};
use crate::kernel::Process;
use crate::wire::{Flags, IcmpQuote, Segment};

use super::{Engine, FlowId};

pub use gather::Collector;

/// Entries kept of one flow.
pub const TRANSCRIPT_KEPT: usize = 20_000;

/// By what a flow is found again in its inputs: its ends, and the first segment that was seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowKey {
    pub scope: Scope,
    pub orig: Endpoint,
    pub resp: Endpoint,
    /// When that segment was captured, and the lower bits of its digest.
    pub first: Timestamp,
    pub digest: u16,
}

impl FlowKey {
    fn is_between(&self, scope: Scope, a: Endpoint, b: Endpoint) -> bool {
        scope == self.scope && ((a, b) == (self.orig, self.resp) || (b, a) == (self.orig, self.resp))
    }

    /// The end that is at `end`; where both are one, the originator's.
    fn side(&self, end: Endpoint) -> Side {
        if end == self.orig { Side::Orig } else { Side::Resp }
    }
}

impl Engine {
    /// The key of a flow; `None` if it is not in the table, or no segment of it was seen.
    pub fn flow_key(&self, id: FlowId) -> Option<FlowKey> {
        let record = self.table.get(self.table.find_id(id)?);
        let (first, _) = record.wire.as_ref()?.span();
        let digest = record.first_frame.digest();
        Some(FlowKey { scope: record.scope, orig: record.orig, resp: record.resp, first, digest })
    }
}

/// A flow's entries in their order, or those of them that were kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    pub key: FlowKey,
    pub entries: Vec<Entry>,
    /// Segments of the flow that had to be left out before and after those.
    pub left_out: [u64; 2],
    /// The flow had begun before the first input that was kept: what it did until then is not told.
    pub late: bool,
}

impl Transcript {
    /// How many of the entries had come by `now`.
    pub fn upto(&self, now: Timestamp) -> usize {
        self.entries.partition_point(|entry| entry.at <= now)
    }

    /// Whether it has what a screen at `now` shows: nothing was left out on that side of it.
    pub fn covers(&self, now: Timestamp) -> bool {
        let [before, after] = self.left_out;
        let ends = self.entries.first().zip(self.entries.last());
        ends.is_none_or(|(first, last)| (before == 0 || first.at <= now) && (after == 0 || now <= last.at))
    }
}

/// Something that happened to the flow, and how it stood after that.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When, by the flow's clock: never before the entry above it.
    pub at: Timestamp,
    pub what: EntryKind,
    /// The inferred states of the originator and the responder.
    pub states: [Option<TcpState>; 2],
    /// Bytes that each has sent and its peer has not acknowledged, as the capture point saw it; `None` before any
    /// acknowledgment.
    pub in_flight: [Option<u32>; 2],
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryKind {
    Segment(Box<Arrow>),
    /// A timer of an end ran out, or a newer connection took the tuple: only the states changed.
    Time,
    /// A reading of the kernel's socket table had one end's queues otherwise than the one before.
    Queues(Queues),
    /// The kernel holds that end's socket no more: a reading was without it, or it said so itself.
    Gone(Side),
    /// A process called connect(2), or closed that end.
    Called(Side, Call, Option<Arc<Process>>),
    /// An ICMP error quoted a segment of the flow, which that end had sent.
    Icmp(Side, IcmpQuote),
}

/// What a process called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// With whether it connected, where that is told.
    Connect(Option<bool>),
    Close,
}

/// One end's queues and state as the kernel reported them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queues {
    pub side: Side,
    pub recv_q: u32,
    /// `None` where the source does not tell it.
    pub send_q: Option<u32>,
    pub state: TcpState,
}

/// A segment, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    /// Its place among the segments of the flow, from 1.
    pub number: u64,
    pub segment: Segment,
    pub from: Side,
    /// Sequence and acknowledgment number relative to where its half and the other's began, as Wireshark counts them;
    /// `None` where that is not known, or the segment acknowledges nothing.
    pub seq: Option<u32>,
    pub ack: Option<u32>,
    /// Its window in bytes, where the scale is known.
    pub window: Option<u32>,
    pub marks: Marks,
    /// Why it carries numbers that were sent before.
    cause: Known<(Cause, Evidence)>,
    /// What became of it on its way beyond the capture point.
    fate: Known<Fate>,
    /// From the newest segment that it acknowledges, sent once, to it: the way to its sender and back.
    pub rtt: Option<Duration>,
    /// What its payload says, in a few words.
    pub said: Option<String>,
}

impl Arrow {
    /// Why it carries numbers that were sent before, as was known at `now`.
    pub fn cause(&self, now: Timestamp) -> Option<(Cause, Evidence)> {
        self.cause.at(now)
    }

    /// Whether nothing is told of it at `now` but that data, or an acknowledgment, went on its way. Of duplicate acks
    /// only those tell something that make their receiver send again (RFC 5681 §3.2: three).
    pub fn is_plain(&self, now: Timestamp) -> bool {
        let one_of_many = self.marks.duplicate_ack().is_some_and(|number| number > 3);
        let tells = |mark| !(mark == Mark::WindowUpdate || (mark == Mark::DuplicateAck && one_of_many));
        let quiet = !self.marks.iter().any(tells);
        let untold = self.cause(now).is_none() && self.fate(now).is_none() && self.said.is_none();
        (Flags::ACK | Flags::PSH).contains(self.segment.flags) && quiet && untold && !self.segment.malformed
    }

    /// What became of it, as was known at `now`.
    pub fn fate(&self, now: Timestamp) -> Option<Fate> {
        self.fate.at(now)
    }
}

/// What evidence shows, with since when each of its words holds, oldest first: few, for later words are the surer.
#[derive(Debug, Clone, PartialEq)]
struct Known<T>(Vec<(Timestamp, Option<T>)>);

impl<T: Copy + PartialEq> Known<T> {
    const NOTHING: Self = Self(Vec::new());

    /// As was known at `now`.
    fn at(&self, now: Timestamp) -> Option<T> {
        self.0.iter().rev().find(|(since, _)| *since <= now).and_then(|(_, what)| *what)
    }

    /// From `at` on it is known to be `what`, or not to be what it seemed. Returns whether that is news.
    fn learn(&mut self, at: Timestamp, what: Option<T>) -> bool {
        let news = self.0.last().and_then(|(_, known)| *known) != what;
        self.0.extend(news.then_some((at, what)));
        news
    }
}

/// What became of a segment that had to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was captured and did not reach its goal: what the receiver acknowledged next shows that it lacked it.
    Lost,
    /// After so long it was sent again, and no answer to it was captured until then: it was lost, or its answer was.
    Unanswered(Duration),
}
