//! One connection in the table: its wire side, and what the kernel said of each end on this host.

use std::sync::Arc;

use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::flow::{Analysis, Class, Flow, HandshakeOutcome, Side, Zeek};
use crate::wire::{Segment, Tunnel};

use super::FlowId;
use super::connects::{Closed, Connected};
use super::dashboard::Rejection;
use super::end::End;
use super::table::{Slot, Tuple, side_of};

/// A connection, by wire, kernel or both.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: FlowId,
    pub(super) scope: Scope,
    pub(super) orig: Endpoint,
    pub(super) resp: Endpoint,
    /// A SYN or SYN-ACK told who is the originator.
    pub(super) orig_known: bool,
    /// `None` if only the kernel knows it.
    pub(super) wire: Option<Flow>,
    /// What Wireshark says of its segments; empty while only the kernel knows it.
    pub(super) analysis: Analysis,
    /// What Zeek would log of it; `None` if only the kernel knows it.
    pub(super) zeek: Option<Zeek>,
    /// What few flows have.
    pub(super) rare: Option<Box<Rare>>,
    /// Whose segments were seen outside of any tunnel.
    pub(super) bare: [bool; 2],
    /// What the kernel said of the originator's and the responder's socket.
    pub(super) ends: [Option<Arc<End>>; 2],
    /// Which ends are on this host; meaningful only once addresses are known.
    pub(super) local: [bool; 2],
    pub(super) first: Timestamp,
    /// The last segment, or the last reading in which the kernel had it.
    pub(super) touched: Timestamp,
    pub(super) rate: Rate,
    /// The earliest deadline in the queue for this flow.
    pub(super) armed: Option<Timestamp>,
    /// The incarnation of the tuple before this one, while it may still be alive (RFC 5961 §4).
    pub(super) older: Option<(Slot, FlowId)>,
}

/// What few flows have, kept apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Rare {
    /// What the first captured segment came through.
    pub(super) vlan: Option<u16>,
    pub(super) tunnel: Option<Tunnel>,
    /// What an ICMP error said of the SYN.
    pub(super) rejected: Option<Rejection>,
    /// Who connected the originator's and the responder's end, by the kernel's trace.
    pub(super) connected: [Option<Connected>; 2],
    /// Who closed them.
    pub(super) closed: [Option<Closed>; 2],
}

impl Rare {
    /// What the first captured segment shows, if anything.
    pub(super) fn of(segment: &Segment) -> Option<Box<Self>> {
        let Segment { vlan, tunnel, .. } = *segment;
        (vlan.is_some() || tunnel.is_some()).then(|| Box::new(Self { vlan, tunnel, ..Self::default() }))
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
    pub(super) fn tuple(&self) -> Tuple {
        Tuple::new(self.scope, self.orig, self.resp)
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
        self.wire.as_ref().and_then(|flow| flow.state(side))
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

    /// What the kernel reports of an end now.
    pub(super) fn reported(&self, side: Side) -> Option<TcpState> {
        self.end(side).filter(|end| end.gone.is_none()).map(|end| end.socket.state.0)
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            states: Side::BOTH.map(|side| self.inferred(side)),
            local: self.local,
            outcome: self.wire.as_ref().map(Flow::outcome),
            concluded_at: self.wire.as_ref().and_then(Flow::concluded_at),
        }
    }

    /// For eviction: a socket that the kernel still holds keeps its flow from being called closed. One that it held and
    /// holds no more has ended, though the wire did not show how.
    pub(super) fn class(&self) -> Class {
        if self.is_closed() {
            return Class::Closed;
        }
        let held = Side::BOTH.into_iter().filter_map(|side| self.reported(side));
        let by_kernel = held
            .map(|state| match state {
                TcpState::SynSent | TcpState::SynRecv => Class::HalfOpen,
                _ => Class::Live,
            })
            .max();
        let by_wire = self.wire.as_ref().map(Flow::class);
        by_kernel.max(by_wire).unwrap_or(Class::Closed)
    }

    /// Counts a segment towards age, rate and analysis.
    pub(super) fn touch(&mut self, segment: &Segment, bits: u64) {
        self.analysis.feed(segment, side_of(self, segment.src));
        self.touched = self.touched.max(segment.ts);
        self.rate.add(segment.ts, bits);
    }

    /// Bits on the wire in the last complete second; `None` if no second is complete since its first segment.
    pub(super) fn bits_per_s(&self, now: Timestamp) -> Option<u64> {
        let (first, _) = self.wire.as_ref()?.span();
        (now.bin(SECOND) > first.bin(SECOND)).then(|| self.rate.per_second(now))
    }

    /// Shows Zeek's machine a segment of the tuple.
    pub(super) fn feed_zeek(&mut self, segment: &Segment) {
        let from = side_of(self, segment.src);
        if let Some(zeek) = &mut self.zeek {
            zeek.feed(segment, from);
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
        std::mem::swap(&mut self.orig, &mut self.resp);
        self.ends.swap(0, 1);
        self.local.swap(0, 1);
        self.bare.swap(0, 1);
        if let Some(rare) = &mut self.rare {
            rare.connected.swap(0, 1);
            rare.closed.swap(0, 1);
        }
        if let Some(flow) = &mut self.wire
            && flow.turn_around()
        {
            self.analysis.turn_around();
        }
        if let Some(zeek) = &mut self.zeek {
            zeek.turn_around();
        }
    }

    /// Over on every side that can be seen.
    pub(super) fn is_closed(&self) -> bool {
        let wire_over = Side::BOTH.into_iter().all(|side| matches!(self.inferred(side), None | Some(TcpState::Closed)));
        let kernel_over = Side::BOTH.into_iter().all(|side| self.reported(side).is_none());
        let kernel_ended = self.ends.iter().flatten().any(|end| end.gone.is_some());
        kernel_over && if self.wire.is_some() { wire_over || kernel_ended } else { kernel_ended }
    }
}

/// Bits in the current and in the last complete second: enough for a rate without a history per flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    bin: i64,
    current: u64,
    previous: u64,
}

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

impl Rate {
    pub(super) fn add(&mut self, ts: Timestamp, bits: u64) {
        let bin = ts.bin(SECOND);
        if bin > self.bin {
            self.previous = if bin == self.bin + 1 { self.current } else { 0 };
            (self.bin, self.current) = (bin, 0);
        }
        self.current = self.current.saturating_add(bits);
    }

    /// Bits in the last complete second before `now`.
    pub(super) fn per_second(&self, now: Timestamp) -> u64 {
        match now.bin(SECOND).saturating_sub(self.bin) {
            0 => self.previous,
            1 => self.current,
            _ => 0,
        }
    }
}
