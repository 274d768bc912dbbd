//! The flow that a filter looks at: where each field is found in its record. What is not known yields nothing.

use crate::base::{Endpoint, TcpState, Timestamp, nanos};
use crate::engine::{Engine, Ownership};
use crate::flow::{AnalysisCounts, ConnState, Flow, HandshakeOutcome, History, Side};
use crate::kernel::Process;

use super::fields::{CONN_STATES, Claim, Ends, Number, OUTCOMES, OfFlow, Set, TIMERS, TUNNELS, Text};
use crate::engine::end::End;
use crate::engine::record::Record;

/// A flow, with the engine that knows the time and this host.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) engine: &'a Engine,
    pub(super) record: &'a Record,
}

/// Of a set's words, a bit each: those that hold, and those of which it is known whether they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Held {
    pub(super) holds: u32,
    pub(super) known: u32,
}

impl Held {
    const UNKNOWN: Self = Self { holds: 0, known: 0 };

    const fn of(holds: u32) -> Self {
        Self { holds, known: u32::MAX }
    }

    /// The place of one word of which one is always true.
    fn one(at: Option<usize>) -> Self {
        at.map_or(Self::UNKNOWN, |at| Self::of(1 << at))
    }
}

/// The place of `wanted` among `all`.
fn place<T: PartialEq>(all: &[T], wanted: &T) -> Option<usize> {
    all.iter().position(|one| one == wanted)
}

impl<'a> Subject<'a> {
    /// The sides that `ends` means. Where nothing tells which end is on this host, each may be.
    pub(super) fn sides(self, ends: Ends) -> impl Iterator<Item = Side> {
        let known = self.engine.addresses.is_some();
        let local = self.record.local;
        let one_is = local[0] != local[1];
        Side::BOTH.into_iter().filter(move |side| match ends {
            Ends::Both => true,
            Ends::Local => !known || local[side.index()],
            Ends::Peer => !known || !one_is || !local[side.index()],
            Ends::Orig => *side == Side::Orig,
            Ends::Resp => *side == Side::Resp,
        })
    }

    pub(super) fn endpoints(self, ends: Ends) -> impl Iterator<Item = Endpoint> {
        self.sides(ends).map(move |side| self.record.endpoint(side))
    }

    pub(super) fn states(self, claim: Claim) -> impl Iterator<Item = TcpState> {
        Side::BOTH.into_iter().flat_map(move |side| {
            let inferred = self.record.inferred(side).filter(|_| claim != Claim::Reported);
            let reported = self.record.reported(side).filter(|_| claim != Claim::Inferred);
            [inferred, reported].into_iter().flatten()
        })
    }

    pub(super) fn outcome(self) -> Option<HandshakeOutcome> {
        self.record.wire.as_ref().map(Flow::outcome)
    }

    /// Whether `test` holds of any owning process; `None` if none is known.
    pub(super) fn any_process(self, test: impl Fn(&Process) -> bool) -> Option<bool> {
        let mut found = None;
        for side in Side::BOTH {
            let held = self.engine.owner(self.record, side).process().map(|process| test(process));
            found = found.max(held);
        }
        found
    }

    /// Whether `test` holds of a text of any owner or of any name; `None` if none is known.
    pub(super) fn any_text(self, text: Text, test: impl Fn(&str) -> bool) -> Option<bool> {
        match text {
            Text::Proc => self.any_process(|process| test(&process.comm)),
            Text::Cmd => self.any_process(|process| test(&process.cmdline)),
            Text::User => self.any_process(|process| test(&process.user)),
            Text::Name => self.record.names().map(test).max(),
        }
    }

    /// The history that the flow's line shows.
    pub(super) fn history(self) -> Option<History> {
        self.zeek().map(|(_, history)| history)
    }

    fn zeek(self) -> Option<(ConnState, History)> {
        let view = self.record.zeek_rows(self.now())?;
        view.chosen().map(|row| (row.conn_state, row.history))
    }

    fn now(self) -> Timestamp {
        self.engine.now.unwrap_or_default()
    }

    /// Ends on this host that the kernel holds now.
    fn there(self) -> impl Iterator<Item = &'a End> {
        let record: &'a Record = self.record;
        Side::BOTH.into_iter().filter_map(|side| record.end(side)).filter(|end| end.is_there())
    }

    /// Whether `test` holds of any value of a number; `None` if no value is known.
    pub(super) fn any_number(self, number: Number, test: impl Fn(u64) -> bool) -> Option<bool> {
        let any = |values: &mut dyn Iterator<Item = u64>| values.map(&test).max();
        let wire = self.record.wire.as_ref();
        match number {
            Number::Port(ends) => any(&mut self.endpoints(ends).map(|end| end.port().into())).or(Some(false)),
            Number::Pid => self.any_process(|process| test(process.pid.into())),
            Number::Fd => any(&mut self.there().filter_map(|end| match &end.owner {
                Ownership::Held { fd, .. } => Some(u64::from(*fd)),
                _ => None,
            })),
            Number::Uid => any(&mut self.there().filter_map(|end| end.socket.uid.map(u64::from))),
            Number::RecvQ => any(&mut self.there().map(|end| end.socket.recv_q.into())),
            Number::SendQ => any(&mut self.there().filter_map(|end| end.socket.send_q.map(u64::from))),
            Number::Lost => {
                let info = |end: &'a End| end.socket.info.as_ref()?.lost.map(u64::from);
                any(&mut self.there().filter_map(info).chain(self.record.lost()))
            }
            Number::Unacked => any(&mut wire.into_iter().flat_map(|flow| {
                let sides = Side::BOTH.into_iter().filter(|side| !flow.never_acked(*side));
                sides.map(|side| u64::from(flow.unacked(side)))
            })),
            Number::Retrans => {
                let by_wire = self.record.retransmissions();
                any(&mut [by_wire, self.record.retrans()].into_iter().flatten())
            }
            Number::OfFlow(number) => self.number(number).map(test),
        }
    }

    /// A number of which a flow has one.
    fn number(self, number: OfFlow) -> Option<u64> {
        let record = self.record;
        let wire = record.wire.as_ref();
        match number {
            OfFlow::Retries => {
                let seen = wire.filter(|flow| flow.outcome() != HandshakeOutcome::Partial)?;
                let handshake = seen.handshake();
                Some(u64::from(handshake.syn_retries) + u64::from(handshake.syn_ack_retries))
            }
            OfFlow::Rtt => record.rtt().map(|rtt| nanos(rtt.time())),
            OfFlow::Connect => wire?.handshake().connect_time.map(nanos),
            OfFlow::Rate => record.bits_per_s(self.now()),
            OfFlow::Bytes => record.payload_bytes(),
            OfFlow::Segments => wire.map(|flow| Side::BOTH.map(|side| flow.sent(side).0).iter().sum()),
            OfFlow::Age => Some(nanos(self.now().since(record.first))),
            OfFlow::Idle => wire.map(|flow| nanos(self.now().since(flow.span().1))),
            OfFlow::Vlan => record.rare.as_ref()?.vlan.map(u64::from),
            OfFlow::Id => Some(record.id.0),
        }
    }

    /// Which words of a set hold of the flow.
    pub(super) fn held(self, set: Set) -> Held {
        let record = self.record;
        match set {
            Set::Outcome => Held::one(self.outcome().and_then(|outcome| place(&OUTCOMES, &outcome))),
            Set::ConnState => Held::one(self.zeek().and_then(|(state, _)| place(&CONN_STATES, &state))),
            Set::Mark => record.analysis_counts().map_or(Held::UNKNOWN, |counts| {
                let marks = counts.iter().flat_map(AnalysisCounts::iter);
                Held::of(marks.fold(0, |bits, (mark, _)| bits | 1 << (mark as u32)))
            }),
            Set::Timer => self
                .there()
                .filter_map(|end| end.socket.timer)
                .fold(if self.there().next().is_some() { Held::of(0) } else { Held::UNKNOWN }, |held, timer| {
                    Held::of(held.holds | place(&TIMERS, &timer.kind).map_or(0, |at| 1 << at))
                }),
            Set::Tunnel => record.wire.as_ref().map_or(Held::UNKNOWN, |_| {
                let tunnel = record.rare.as_ref().and_then(|rare| rare.tunnel);
                let at = tunnel.and_then(|tunnel| place(&TUNNELS, &tunnel.kind));
                Held::of(at.map_or(0, |at| 1 << at))
            }),
            Set::Is => self.is(),
        }
    }

    /// The answers to [`super::fields::IS`], in its order.
    fn is(self) -> Held {
        let record = self.record;
        let outcome = self.outcome();
        let any = |test: &dyn Fn(Side) -> bool| Some(Side::BOTH.into_iter().any(test));
        let owner = |test: fn(&Ownership) -> bool| {
            let known = record.ends.iter().flatten().next();
            known.map(|_| record.ends.iter().flatten().any(|end| test(&end.owner)))
        };
        let undelivered = Side::BOTH.map(|side| self.engine.is_undelivered(record, side));
        let answers = [
            Some(record.is_closed()),
            outcome.map(|outcome| outcome == HandshakeOutcome::Partial),
            outcome.map(HandshakeOutcome::is_failure),
            any(&|side| self.engine.mismatch_since(record, side).is_some()),
            self.engine.addresses.as_ref().map(|_| record.local == [true; 2]),
            owner(|owner| *owner == Ownership::Orphan),
            owner(|owner| matches!(owner, Ownership::Listener { .. })),
            record.wire.as_ref().and_then(|flow| any(&|side| flow.zero_window_since(side).is_some())),
            any(&|side| !undelivered[side.index()] && self.engine.is_silent_to(record, side)),
            Some(undelivered.contains(&true)),
            Some(record.orig.ip().is_ipv4()),
            Some(record.orig.ip().is_ipv6()),
        ];
        answers.into_iter().enumerate().fold(Held::default(), |held, (at, answer)| Held {
            holds: held.holds | u32::from(answer == Some(true)) << at,
            known: held.known | u32::from(answer.is_some()) << at,
        })
    }
}
