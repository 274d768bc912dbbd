//! A record told as a row of the flow table, or in detail.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{TcpState, Timestamp};
use crate::flow::{Flow, Limit, Side, Timing, VerdictView, Zeek};
use crate::kernel::Process;

use super::course::Outline;
use super::dashboard::{EndCell, FlowDetail, FlowRow, Rtt};
use super::end::End;
use super::ownership::Ownership;
use super::record::{Record, newest_word};
use super::regular::Regular;
use super::{Engine, FlowId, PeerName, story};

/// How late a source may tell of frames that it dropped.
const DROPS_TOLD_WITHIN: Duration = Duration::from_secs(2);

impl Record {
    /// Payload bytes of both directions; `None` if no segment was seen.
    pub(super) fn payload_bytes(&self) -> Option<u64> {
        self.wire.as_ref().map(|flow| Side::BOTH.map(|side| flow.sent(side).1).iter().sum())
    }

    /// The kernel's smoothed round trip where it is known, else the handshake's, else that of data.
    pub(super) fn rtt(&self) -> Option<Rtt> {
        let by_kernel = self.ends.iter().flatten().filter_map(|end| end.socket.info.as_ref()?.rtt);
        let by_kernel = by_kernel.filter(|rtt| !rtt.is_zero()).max().map(Rtt::Kernel);
        let by_handshake = || self.wire.as_ref().and_then(Flow::handshake_rtt).map(Rtt::Handshake);
        by_kernel.or_else(by_handshake).or_else(|| self.timing()?.round_trip().map(Rtt::Data))
    }

    /// The state to sort by: the newest word on an end's, the originator's first.
    pub(super) fn state(&self) -> Option<TcpState> {
        self.state_of(Side::Orig).or_else(|| self.state_of(Side::Resp))
    }

    /// What the responder is called, by the strongest evidence.
    pub(super) fn name(&self) -> Option<PeerName> {
        self.opening.shown()?.name()
    }

    /// Every name of the responder, the strongest evidence first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.opening.shown().into_iter().flat_map(|opening| opening.names().map(|(text, _)| text.as_str()))
    }

    pub(super) fn retrans(&self) -> Option<u64> {
        let counts = self.ends.iter().flatten().filter_map(|end| end.socket.info.as_ref()?.total_retrans);
        counts.map(u64::from).reduce(|a, b| a + b)
    }
}

impl EndCell {
    /// The newest word on its state: what the kernel reports, unless the wire has shown it to change since.
    pub fn state(&self) -> Option<TcpState> {
        newest_word(self.reported, self.outdated, self.inferred)
    }
}

impl Engine {
    /// A flow in full, if it is still in the table.
    pub fn detail(&self, id: FlowId) -> Option<FlowDetail> {
        let mut detail = self.facts(id)?;
        let record = self.table.get(self.table.find_id(id)?);
        let wire = record.wire.as_ref();
        detail.life = wire.map(Flow::life).unwrap_or_default();
        detail.story = story::tell(&story::Evidence {
            row: &detail.row,
            handshake: detail.handshake.as_ref(),
            rejected: detail.rejected.as_ref(),
            path_errors: detail.path_errors,
            halves: detail.halves.as_ref(),
            sockets: &detail.sockets,
            now: self.now.unwrap_or_default(),
            since: wire.map(Flow::state_since),
            time_wait_ends: Side::BOTH.map(|side| wire.and_then(|flow| flow.time_wait_ends(side))),
            analysis: detail.analysis.as_ref(),
            verdict: detail.verdict.as_ref(),
            in_vain: Side::BOTH.map(|side| record.in_vain(side)),
            probes: Side::BOTH.map(|side| record.probes_in_vain(side).or_else(|| record.gave_up_after(side))),
            never_acked: Side::BOTH.map(|side| wire.and_then(|flow| flow.never_acked_bytes(side))),
            life: &detail.life,
            reset_by: wire.and_then(Flow::reset_by),
            limits: self.kernel.readings.limits().map(|limits| &**limits),
        });
        Some(detail)
    }

    /// A flow for reports that go through every one: in full, but without its story, and with its life only where that
    /// tells what went wrong (a RST ended it, or an end is in CLOSE-WAIT).
    pub fn facts(&self, id: FlowId) -> Option<FlowDetail> {
        let record = self.table.get(self.table.find_id(id)?);
        if let Some(Regular { timing, zeek }) = record.regular() {
            return Some(self.told(record, Some((&timing, &zeek)), Some(Outline::regular())));
        }
        let course = record.course();
        let own = course.as_deref().map(|course| (&course.timing, &course.zeek));
        Some(self.told(record, own, course.as_deref().map(Outline::of)))
    }

    /// Brings the flows behind the first of these nearer, of which [`Self::facts`] will be asked next: a step for each of
    /// the next few, so it is to be called before every flow.
    pub fn bring_near(&self, ids: &[FlowId]) {
        self.table.prefetch_told(ids);
    }

    /// [`Self::facts`] without its times and Zeek's rows: what tells how it went, and how large it is.
    pub fn outline(&self, id: FlowId) -> Option<FlowDetail> {
        let record = self.table.get(self.table.find_id(id)?);
        Some(self.told(record, None, record.outline()))
    }

    /// A flow without its story; its times and Zeek's rows where they are given.
    fn told(&self, record: &Record, own: Option<(&Timing, &Zeek)>, outline: Option<Outline>) -> FlowDetail {
        let rare = record.rare.as_deref();
        let wire = record.wire.as_ref();
        let waits = |side| record.state_of(side) == Some(TcpState::CloseWait);
        let wrong = |flow: &&Flow| flow.reset_by().is_some() || Side::BOTH.into_iter().any(waits);
        FlowDetail {
            row: self.row(record),
            first_from: wire.map(Flow::first_from),
            handshake: wire.map(Flow::handshake),
            completeness: wire.map(Flow::completeness),
            vlan: rare.and_then(|rare| rare.vlan),
            last_words: Side::BOTH.map(|side| record.last_word(side).cloned()),
            tunnel: rare.and_then(|rare| rare.tunnel),
            rejected: rare.and_then(|rare| rare.rejected),
            path_errors: Side::BOTH.map(|side| record.path_error(side)),
            opening: record.opening.shown().cloned().map(Box::new),
            life: wire.filter(wrong).map(Flow::life).unwrap_or_default(),
            halves: wire.map(|flow| Side::BOTH.map(|side| flow.half(side))),
            analysis: outline.as_ref().map(|outline| outline.analysis),
            verdict: outline.map(|outline| self.verdict(record, outline.verdict)),
            sockets: Side::BOTH.map(|side| record.end(side).map(End::detail).map(Box::new)),
            in_vain: Side::BOTH.map(|side| self.is_silent_to(record, side) || self.is_undelivered(record, side)),
            timing: own.and_then(|(timing, _)| timing.view()),
            zeek: own.map(|(_, zeek)| zeek.rows(self.now.unwrap_or_default())),
            story: String::new(),
        }
    }

    /// The verdict, and whether frames were dropped on their way here while the flow lasted.
    fn verdict(&self, record: &Record, mut view: VerdictView) -> VerdictView {
        // The drops are counted only now and then, so they may have been before.
        let over = |at: Timestamp| record.is_closed() && at.since(record.touched) > DROPS_TOLD_WITHIN;
        let meanwhile = self.lost_at.filter(|at| *at >= record.first && !over(*at));
        view.limits.extend(meanwhile.map(|_| Limit::Dropped));
        view
    }

    pub(super) fn row(&self, record: &Record) -> FlowRow {
        let sums = record.wire.as_ref().map(|flow| Side::BOTH.map(|side| flow.sent(side)));
        FlowRow {
            id: record.id,
            scope: record.scope,
            orig: self.end_cell(record, Side::Orig),
            resp: self.end_cell(record, Side::Resp),
            orig_known: record.orig_known,
            name: record.name(),
            outcome: record.wire.as_ref().map(Flow::outcome),
            first: record.first,
            last: record.touched,
            segments: sums.map(|[orig, resp]| orig.0 + resp.0),
            payload_bytes: sums.map(|[orig, resp]| orig.1 + resp.1),
            bits_per_s: record.bits_per_s(self.now.unwrap_or_default()),
            rtt: record.rtt(),
            retrans: record.retrans(),
            retrans_wire: record.retransmissions(),
            lost: record.lost(),
            closed: record.is_closed(),
        }
    }

    fn end_cell(&self, record: &Record, side: Side) -> EndCell {
        let end = record.end(side);
        let there = end.filter(|end| end.is_there());
        EndCell {
            endpoint: record.endpoint(side),
            local: self.is_local(record, side),
            inferred: record.inferred(side),
            reported: record.reported(side),
            outdated: record.outdated(side),
            mismatch_since: self.mismatch_since(record, side),
            recv_q: there.map(|end| end.socket.recv_q),
            send_q: there.and_then(|end| end.socket.send_q),
            owner: self.owner(record, side),
        }
    }

    /// The process named for either end: one of this network namespace before one of another, the originator's first.
    pub(super) fn process(&self, record: &Record) -> Option<Arc<Process>> {
        let orig = self.owner(record, Side::Orig);
        if !orig.is_elsewhere() && orig.process().is_some() {
            return orig.process().cloned();
        }
        let resp = self.owner(record, Side::Resp);
        let here = resp.process().filter(|_| !resp.is_elsewhere());
        here.or_else(|| orig.process()).or_else(|| resp.process()).cloned()
    }

    pub(super) fn owner(&self, record: &Record, side: Side) -> Ownership {
        let read = self.owner_by_readings(record, side);
        // A holder is worth more than a caller, a caller more than who may have accepted it.
        if matches!(read, Ownership::Held { .. } | Ownership::Last { .. }) {
            return read;
        }
        match (record.connected(side), record.closed(side)) {
            (Some((process, rung)), _) if self.is_local(record, side) == Some(false) => {
                Ownership::Elsewhere { process: process.clone(), rung }
            }
            (Some((process, rung)), _) => Ownership::Connected { process: process.clone(), rung },
            (None, Some((process, rung))) => Ownership::Closed { process: process.clone(), rung },
            (None, None) => read,
        }
    }

    fn owner_by_readings(&self, record: &Record, side: Side) -> Ownership {
        let owner = match record.end(side) {
            Some(end) if end.owner != Ownership::Unknown || end.socket.inode.is_some() => return end.owner.clone(),
            // No reading showed who held it.
            Some(_) => Ownership::Unknown,
            // It lived and died between two readings of the socket table.
            None if self.kernel.is_seen() && record.local[side.index()] => Ownership::Unknown,
            None => return Ownership::NotRecorded,
        };
        if side == Side::Resp { self.came_in_on(record).unwrap_or(owner) } else { owner }
    }
}
