//! A record told as a row of the flow table, or in detail.

use std::sync::Arc;

use crate::base::TcpState;
use crate::flow::{Flow, Side};
use crate::kernel::Process;

use super::dashboard::{EndCell, FlowDetail, FlowRow, Ownership, Rtt};
use super::end::End;
use super::record::Record;
use super::{Engine, FlowId, story};

impl Record {
    /// The process named for either end, the originator's first.
    pub(super) fn process(&self) -> Option<&Arc<Process>> {
        Side::BOTH.into_iter().find_map(|side| self.process_of(side))
    }

    /// The process named for one end, by the socket table's readings or, where they name none, by the trace.
    pub(super) fn process_of(&self, side: Side) -> Option<&Arc<Process>> {
        let read = self.end(side).and_then(|end| end.owner.process());
        read.or_else(|| self.connected(side).or_else(|| self.closed(side)).map(|(process, _)| process))
    }

    /// Payload bytes of both directions; `None` if no segment was seen.
    pub(super) fn payload_bytes(&self) -> Option<u64> {
        self.wire.as_ref().map(|flow| Side::BOTH.map(|side| flow.sent(side).1).iter().sum())
    }

    /// The kernel's smoothed round trip where it is known, else the handshake's.
    pub(super) fn rtt(&self) -> Option<Rtt> {
        let by_kernel = self.ends.iter().flatten().filter_map(|end| end.socket.info.as_ref()?.rtt);
        let by_kernel = by_kernel.filter(|rtt| !rtt.is_zero()).max().map(Rtt::Kernel);
        by_kernel.or_else(|| self.wire.as_ref().and_then(|flow| flow.handshake().rtt).map(Rtt::Handshake))
    }

    /// The state to sort by: what the kernel reports if it does, else what the wire shows, the originator's first.
    pub(super) fn state(&self) -> Option<TcpState> {
        let side = |side| self.reported(side).or_else(|| self.inferred(side));
        side(Side::Orig).or_else(|| side(Side::Resp))
    }

    fn retrans(&self) -> Option<u64> {
        let counts = self.ends.iter().flatten().filter_map(|end| end.socket.info.as_ref()?.total_retrans);
        counts.map(u64::from).reduce(|a, b| a + b)
    }
}

impl Engine {
    /// A flow in full, if it is still in the table.
    pub fn detail(&self, id: FlowId) -> Option<FlowDetail> {
        let record = self.table.get(self.table.find_id(id)?);
        let row = self.row(record);
        let rare = record.rare.as_deref();
        let wire = record.wire.as_ref();
        let halves = wire.map(|flow| Side::BOTH.map(|side| flow.half(side)));
        let sockets = Side::BOTH.map(|side| record.end(side).map(End::detail));
        let handshake = wire.map(Flow::handshake);
        let life = wire.map(Flow::life).unwrap_or_default();
        let analysis = wire.map(|_| record.analysis.counts());
        let story = story::tell(&story::Evidence {
            row: &row,
            handshake: handshake.as_ref(),
            rejected: rare.and_then(|rare| rare.rejected.as_ref()),
            halves: halves.as_ref(),
            sockets: &sockets,
            now: self.now.unwrap_or_default(),
            since: record.wire.as_ref().map(Flow::state_since),
            time_wait_ends: Side::BOTH.map(|side| record.wire.as_ref().and_then(|flow| flow.time_wait_ends(side))),
            analysis: analysis.as_ref(),
            never_acked: Side::BOTH.map(|side| wire.and_then(|flow| flow.never_acked_bytes(side))),
            life: &life,
            reset_by: wire.and_then(Flow::reset_by),
            limits: self.kernel.last.as_ref().map(|sample| &*sample.limits),
        });
        Some(FlowDetail {
            first_from: wire.map(Flow::first_from),
            handshake,
            completeness: wire.map(Flow::completeness),
            vlan: rare.and_then(|rare| rare.vlan),
            tunnel: rare.and_then(|rare| rare.tunnel),
            rejected: rare.and_then(|rare| rare.rejected),
            life,
            zeek: record.zeek.as_ref().map(|zeek| zeek.rows(self.now.unwrap_or_default())),
            row,
            halves,
            analysis,
            sockets,
            story,
        })
    }

    pub(super) fn row(&self, record: &Record) -> FlowRow {
        let sums = record.wire.as_ref().map(|flow| Side::BOTH.map(|side| flow.sent(side)));
        FlowRow {
            id: record.id,
            scope: record.scope,
            orig: self.end_cell(record, Side::Orig),
            resp: self.end_cell(record, Side::Resp),
            orig_known: record.orig_known,
            outcome: record.wire.as_ref().map(Flow::outcome),
            first: record.first,
            last: record.touched,
            segments: sums.map(|[orig, resp]| orig.0 + resp.0),
            payload_bytes: sums.map(|[orig, resp]| orig.1 + resp.1),
            bits_per_s: record.bits_per_s(self.now.unwrap_or_default()),
            rtt: record.rtt(),
            retrans: record.retrans(),
            retrans_wire: record.wire.as_ref().map(|_| record.analysis.retransmissions()),
            closed: record.is_closed(),
        }
    }

    fn end_cell(&self, record: &Record, side: Side) -> EndCell {
        let end = record.end(side);
        let there = end.filter(|end| end.gone.is_none());
        EndCell {
            endpoint: record.endpoint(side),
            local: self.addresses.as_ref().map(|_| record.local[side.index()]),
            inferred: record.inferred(side),
            reported: record.reported(side),
            mismatch_since: self.mismatch_since(record, side),
            recv_q: there.map(|end| end.socket.recv_q),
            send_q: there.and_then(|end| end.socket.send_q),
            owner: self.owner(record, side),
        }
    }

    fn owner(&self, record: &Record, side: Side) -> Ownership {
        let read = self.owner_by_readings(record, side);
        // A holder is worth more than a caller, a caller more than who may have accepted it.
        if matches!(read, Ownership::Held { .. } | Ownership::Last { .. }) {
            return read;
        }
        match (record.connected(side), record.closed(side)) {
            (Some((process, rung)), _) if self.addresses.is_some() && !record.local[side.index()] => {
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
            None if self.kernel.sight.is_some() && record.local[side.index()] => Ownership::Unknown,
            None => return Ownership::NotRecorded,
        };
        if side == Side::Resp { self.came_in_on(record).unwrap_or(owner) } else { owner }
    }
}
