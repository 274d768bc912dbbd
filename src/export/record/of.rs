//! From the engine's values to the records: where what was not recorded is left out.

use std::borrow::Cow;

use crate::base::{Scope, TcpState, Timestamp, nanos};
use crate::engine::{FlowDetail, Ownership, PathError, Rejection, SocketDetail};
use crate::flow::{
    AnalysisCounts, HalfView, HandshakeOutcome, HandshakeView, Mark, Negotiated, RowEnd, Side, ZeekRow, ZeekView,
};
use crate::kernel::{Rung, TcpInfo};

use super::{
    AnalysisRecord, DelaysRecord, EndRecord, EpisodesRecord, FlowRecord, HandshakeRecord, IdleRecord, InFlightRecord,
    InfoRecord, LastWordRecord, MemoryRecord, NamesRecord, OfferRecord, OptionsRecord, OwnerRecord, PathErrorRecord,
    RejectionRecord, ResetRecord, RttRecord, SocketRecord, StallsRecord, ThroughputRecord, TimerRecord, TunnelRecord,
    VerdictRecord, WaitsRecord, WindowRecord, ZeekRowRecord,
};

/// An outcome as JSON writes it: `given_up`.
pub(in crate::export) fn outcome_key(outcome: HandshakeOutcome) -> Cow<'static, str> {
    let name = outcome.name();
    if name.contains([' ', '-']) { name.replace([' ', '-'], "_").into() } else { name.into() }
}

impl FlowRecord {
    /// The record of `detail`.
    pub fn of(detail: &FlowDetail) -> Self {
        let halves = detail.halves.as_ref();
        let sum = |count: fn(&HalfView) -> u32| {
            halves.map(|[orig, resp]| u64::from(count(orig)).saturating_add(u64::from(count(resp))))
        };
        let zeek = detail.zeek.as_ref();
        let several = zeek.filter(|view| view.rows.len() > 1);
        let row = &detail.row;
        Self {
            r#type: "flow",
            id: row.id.0,
            scope: (row.scope != Scope::FILE).then_some(row.scope.0),
            first_from: detail.first_from.map(Side::name),
            orig_known: row.orig_known,
            first_ts_ns: row.first.nanos(),
            last_ts_ns: row.last.nanos(),
            syn: sum(|half| half.syns),
            syn_ack: sum(|half| half.syn_acks),
            fin: sum(|half| half.fins),
            rst: sum(|half| half.rsts),
            completeness: detail.completeness.map(|mask| mask.0),
            conn_state: zeek.and_then(ZeekView::chosen).map(|row| row.conn_state.name()),
            history: zeek.and_then(ZeekView::chosen).map(|row| row.history.to_string()),
            zeek_rows: several.map(|view| view.rows.iter().map(ZeekRowRecord::of).collect()),
            zeek_rows_beyond: several.map(|view| view.beyond).filter(|beyond| *beyond > 0),
            handshake: detail.handshake.as_ref().map(|view| HandshakeRecord {
                rejected: detail.rejected.as_ref().map(RejectionRecord::of),
                ..HandshakeRecord::of(view)
            }),
            names: NamesRecord::of(detail),
            waits: WaitsRecord::of(detail),
            vlan: detail.vlan,
            tunnel: detail.tunnel.map(|tunnel| TunnelRecord { kind: tunnel.kind.name(), id: tunnel.id.map(u32::from) }),
            limits: detail.verdict.as_ref().and_then(super::verdict::limits),
            reset: detail.verdict.as_ref().and_then(|view| view.injected.as_ref()).map(ResetRecord::of),
            idle: detail.timing.as_ref().and_then(|timing| timing.idle.as_ref()).map(IdleRecord::of),
            orig: EndRecord::of(detail, Side::Orig),
            resp: EndRecord::of(detail, Side::Resp),
        }
    }
}

impl ZeekRowRecord {
    fn of(row: &ZeekRow) -> Self {
        Self {
            first_ts_ns: row.first.nanos(),
            duration_ns: row.duration.map(nanos),
            originator: row.orig.name(),
            conn_state: row.conn_state.name(),
            history: row.history.to_string(),
            orig_bytes: row.bytes.map(|[orig, _]| orig),
            resp_bytes: row.bytes.map(|[_, resp]| resp),
            orig_pkts: row.packets[0],
            resp_pkts: row.packets[1],
            missed_bytes: row.missed_bytes,
            ended: row.ended.map(RowEnd::name),
        }
    }
}

impl PathErrorRecord {
    fn of(told: &PathError) -> Self {
        let PathError { from, error, mtu, count, first, last, seq: _, lowest: _ } = *told;
        let (first_ts_ns, last_ts_ns) = (first.nanos(), last.nanos());
        Self { from, reason: error.meaning(), mtu_bytes: mtu, count, first_ts_ns, last_ts_ns }
    }
}

impl RejectionRecord {
    fn of(rejection: &Rejection) -> Self {
        Self { from: rejection.from, reason: rejection.error.meaning(), at_ns: rejection.at.nanos() }
    }
}

impl HandshakeRecord {
    fn of(view: &HandshakeView) -> Self {
        let [orig, resp] = view.offered.map(|offer| offer.as_ref().map(OfferRecord::of));
        let seen = view.outcome != HandshakeOutcome::Partial;
        Self {
            outcome: outcome_key(view.outcome),
            rejected: None,
            syn_retries: (seen && view.syn_at.is_some()).then_some(view.syn_retries),
            syn_ack_retries: (seen && view.syn_ack_at.is_some()).then_some(view.syn_ack_retries),
            syn_to_synack_ns: view.syn_to_syn_ack.map(nanos),
            synack_to_ack_ns: view.syn_ack_to_ack.map(nanos),
            rtt_ns: view.rtt.map(nanos),
            connect_ns: view.connect_time.map(nanos),
            options: (orig.is_some() || resp.is_some()).then_some(OptionsRecord { orig, resp }),
        }
    }
}

impl OfferRecord {
    fn of(offer: &Negotiated) -> Self {
        let flag = |offered: bool| (offered || !offer.cut).then_some(offered);
        Self {
            mss: offer.mss,
            wscale: offer.wscale,
            sack: flag(offer.sack),
            timestamps: flag(offer.timestamps),
            fast_open: flag(offer.fast_open),
            mptcp: flag(offer.mptcp),
            cut: offer.cut,
        }
    }
}

impl EndRecord {
    fn of(detail: &FlowDetail, side: Side) -> Self {
        let (cell, index) = (detail.row.end(side), side.index());
        let half = detail.halves.as_ref().map(|halves| &halves[index]);
        let verdict = detail.verdict.as_ref().map(|view| &view.halves[index]);
        let timing = detail.timing.as_ref().map(|timing| &timing.halves[index]);
        let boxed_socket = |socket: &SocketDetail| Box::new(SocketRecord::of(socket));
        Self {
            addr: cell.endpoint.ip(),
            port: cell.endpoint.port(),
            segments: half.map(|half| half.segments),
            payload_bytes: half.map(|half| half.payload_bytes),
            analysis: detail.analysis.as_ref().map(|counts| AnalysisRecord::of(&counts[index])),
            verdict: verdict.map(VerdictRecord::of),
            episodes: verdict.and_then(EpisodesRecord::of),
            icmp: detail.path_errors[index].as_ref().map(PathErrorRecord::of),
            state: cell.inferred.map(TcpState::name),
            window: half.and_then(WindowRecord::of),
            rtt: timing.and_then(RttRecord::of),
            in_flight: timing.and_then(InFlightRecord::of),
            throughput: timing.and_then(ThroughputRecord::of),
            think: timing.and_then(|half| half.think.as_ref()).map(DelaysRecord::of),
            stalls: timing.and_then(|half| half.stalls.as_ref()).map(StallsRecord::of),
            local: cell.local,
            mismatch_since_ns: cell.mismatch_since.map(Timestamp::nanos),
            socket: detail.sockets[index].as_deref().map(boxed_socket),
            last_word: detail.last_words[index].as_deref().map(|word| Box::new(LastWordRecord::of(word))),
            owner: OwnerRecord::of(&cell.owner).map(Box::new),
        }
    }
}

impl WindowRecord {
    fn of(half: &HalfView) -> Option<Self> {
        let zero_since_ns = half.zero_window_since.map(Timestamp::nanos);
        Some(Self { raw: half.window_raw?, bytes: half.window, zero_since_ns })
    }
}

impl AnalysisRecord {
    fn of(counts: &AnalysisCounts) -> Self {
        Self {
            retransmission: counts.of(Mark::Retransmission),
            fast_retransmission: counts.of(Mark::FastRetransmission),
            spurious_retransmission: counts.of(Mark::SpuriousRetransmission),
            out_of_order: counts.of(Mark::OutOfOrder),
            duplicate_ack: counts.of(Mark::DuplicateAck),
            zero_window: counts.of(Mark::ZeroWindow),
            zero_window_probe: counts.of(Mark::ZeroWindowProbe),
            zero_window_probe_ack: counts.of(Mark::ZeroWindowProbeAck),
            window_full: counts.of(Mark::WindowFull),
            window_update: counts.of(Mark::WindowUpdate),
            keep_alive: counts.of(Mark::KeepAlive),
            keep_alive_ack: counts.of(Mark::KeepAliveAck),
            lost_segment: counts.of(Mark::LostSegment),
            ack_lost_segment: counts.of(Mark::AckLostSegment),
            reused_ports: counts.of(Mark::ReusedPorts),
        }
    }
}

impl SocketRecord {
    fn of(detail: &SocketDetail) -> Self {
        let socket = &detail.socket;
        Self {
            state: socket.state.0.name(),
            at_ns: detail.at.nanos(),
            gone_ns: detail.gone.map(Timestamp::nanos),
            left_ns: detail.left.map(Timestamp::nanos),
            recv_q: socket.recv_q,
            send_q: socket.send_q,
            timer: socket.timer.map(|timer| TimerRecord {
                kind: timer.kind.name(),
                left_ns: nanos(timer.left),
                retries: timer.retries,
            }),
            cookie: socket.cookie,
            inode: socket.inode,
            uid: socket.uid,
            recv_buffer_bytes: socket.buffers.map(|(recv, _)| recv),
            send_buffer_bytes: socket.buffers.map(|(_, send)| send),
            memory: MemoryRecord::of(socket),
            congestion: socket.congestion.map(|name| name.as_str().to_owned()),
            cgroup: socket.cgroup,
            info: socket.info.as_deref().map(InfoRecord::of).unwrap_or_default(),
        }
    }
}

impl InfoRecord {
    pub(super) fn of(info: &TcpInfo) -> Self {
        Self {
            rtt_ns: info.rtt.map(nanos),
            rttvar_ns: info.rttvar.map(nanos),
            min_rtt_ns: info.min_rtt.map(nanos),
            rto_ns: info.rto.map(nanos),
            retrans: info.total_retrans,
            unacked: info.unacked,
            lost: info.lost,
            cwnd: info.snd_cwnd,
            ssthresh: info.snd_ssthresh,
            mss: info.snd_mss,
            pmtu: info.pmtu,
            segments_out: info.segs_out,
            segments_in: info.segs_in,
            sent_bytes: info.bytes_sent,
            acked_bytes: info.bytes_acked,
            received_bytes: info.bytes_received,
            retrans_bytes: info.bytes_retrans,
            notsent_bytes: info.notsent_bytes,
            delivery_rate: info.delivery_rate,
            busy_ns: info.busy_time.map(nanos),
            rwnd_limited_ns: info.rwnd_limited.map(nanos),
            sndbuf_limited_ns: info.sndbuf_limited.map(nanos),
        }
    }
}

impl OwnerRecord {
    fn of(ownership: &Ownership) -> Option<Self> {
        let (relation, fd, others) = match ownership {
            Ownership::NotRecorded => return None,
            Ownership::Unknown => ("unknown", None, None),
            Ownership::NoAccess => ("no_access", None, None),
            Ownership::Held { fd, others, .. } => ("held", Some(*fd), Some(*others)),
            Ownership::Listener { others, .. } => ("listener", None, Some(*others)),
            Ownership::Last { .. } => ("last", None, None),
            Ownership::Connected { .. } => ("connected", None, None),
            Ownership::Elsewhere { .. } => ("elsewhere", None, None),
            Ownership::Closed { .. } => ("closed", None, None),
            Ownership::Orphan => ("orphan", None, None),
        };
        let process = ownership.process();
        Some(Self {
            relation,
            rung: ownership.rung().map(Rung::name),
            pid: process.map(|process| process.pid),
            comm: process.map(|process| process.comm.to_string()),
            fd,
            others,
            user: process.filter(|process| process.user.as_str() != "?").map(|process| process.user.to_string()),
            cmdline: process.filter(|process| process.start_time.is_some()).map(|process| process.cmdline.to_string()),
        })
    }
}
