//! The schema of `report --format json|ndjson`: one flow, as JSON. Version [`SCHEMA`].
//!
//! Rules that hold for every object: what was not recorded is absent, never 0, `null` or a guess; a name that ends in
//! `_ns` is nanoseconds (an instant: since the Unix epoch; a length of time: of that length), `_bytes` and queues are
//! bytes; states are written as `ss` writes them; outcomes, reasons and relations are words in lower case joined by `_`.
//! New fields may come at any version; a field that changes its meaning or goes away raises [`SCHEMA`].
//! The fields of the structs below, in their order, are the fields of the objects. Pure.

use serde::Serialize;

use crate::base::Scope;
use crate::engine::{EndCell, FlowDetail, Ownership, SocketDetail};
use crate::flow::{HalfView, HandshakeOutcome, HandshakeView, Negotiated, Side};
use crate::kernel::TcpInfo;

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// One connection. `type` is "flow".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowRecord {
    r#type: &'static str,
    /// Stable within one report: the order of first appearance.
    pub id: u64,
    /// The network namespace's number; absent for captures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<u32>,
    /// "orig" or "resp": who sent the first captured segment. Absent (like the counts below, and everything else that
    /// comes from segments) for a flow known only from the kernel's socket table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_from: Option<&'static str>,
    /// Whether a SYN (or the listening end) told who `orig` is; if false it is only who was first seen to send.
    pub orig_known: bool,
    /// First and latest sign of it.
    pub first_ts_ns: i64,
    pub last_ts_ns: i64,
    /// Segments of both directions, repeats included: SYN without ACK, SYN with ACK, with FIN, with RST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn_ack: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fin: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rst: Option<u64>,
    /// Wireshark's tcp.completeness: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<HandshakeRecord>,
    pub orig: EndRecord,
    pub resp: EndRecord,
}

/// How the connection was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HandshakeRecord {
    /// waiting, completed, simultaneous, refused, timed_out, half_open, reset, or partial (not captured).
    pub outcome: String,
    /// SYNs and SYN-ACKs sent again; absent where the first of them was not captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn_retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn_ack_retries: Option<u32>,
    /// From the last SYN to the SYN-ACK; from the last SYN-ACK to the ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn_to_synack_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synack_to_ack_ns: Option<u64>,
    /// The two together; absent after retries (Karn's rule).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ns: Option<u64>,
    /// From the first SYN to the ACK, retries included: what connect() took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ns: Option<u64>,
    /// What each end's SYN offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<OptionsRecord>,
}

/// What each end's SYN offered; absent if it was not captured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionsRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orig: Option<OfferRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resp: Option<OfferRecord>,
}

/// The options of a SYN. An option that is not offered is absent (`mss`, `wscale`) or false; where the snap length cut
/// the options (`cut`), those not seen are absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfferRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wscale: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sack: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mptcp: Option<bool>,
    pub cut: bool,
}

/// One end of the connection, and what it sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndRecord {
    pub addr: std::net::IpAddr,
    pub port: u16,
    /// Segments and payload bytes that it sent, retransmissions included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u64>,
    /// Its state as inferred from the wire (the kernel's stands in `socket`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// The window that it last advertised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowRecord>,
    /// Whether it is on this host; absent where the kernel was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// Since when the inferred and the reported state have disagreed, for longer than sampling explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mismatch_since_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<SocketRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerRecord>,
}

/// An advertised window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowRecord {
    /// The header's field.
    pub raw: u16,
    /// In bytes; absent where the scale is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
    /// Since when it has been 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_since_ns: Option<i64>,
}

/// What the kernel last reported of the socket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SocketRecord {
    pub state: &'static str,
    /// When it was last read; when it was found gone.
    pub at_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_ns: Option<i64>,
    /// As `ss` prints them: for LISTEN the accept queue's length and limit.
    pub recv_q: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_q: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The limits of the receive and the send buffer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recv_buffer_bytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_buffer_bytes: Option<u32>,
    #[serde(flatten)]
    pub info: InfoRecord,
}

/// A pending timer, as `ss -o` prints it: on, keepalive, timewait, persist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimerRecord {
    pub kind: &'static str,
    pub left_ns: u64,
    pub retries: u8,
}

/// The kernel's `struct tcp_info`, in the socket's own object.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct InfoRecord {
    /// tcpi_rtt, tcpi_rttvar, tcpi_min_rtt, tcpi_rto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rttvar_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rtt_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto_ns: Option<u64>,
    /// tcpi_total_retrans: segments sent again, ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrans: Option<u32>,
    /// tcpi_unacked, tcpi_lost: segments in flight, and those held for lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unacked: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u32>,
    /// In segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwnd: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pmtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acked_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrans_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notsent_bytes: Option<u32>,
    /// Bytes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_rate: Option<u64>,
    /// Time spent with data to send; of that, held up by the peer's window, and by our send buffer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rwnd_limited_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sndbuf_limited_ns: Option<u64>,
}

/// Who holds the socket; absent where that was not recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnerRecord {
    /// held (by `fd` of this process), listener (not yet accepted: the listener's process), last (held it until it
    /// closed), orphan (nobody, and who did was not seen), no_access (fd tables that may not be read), unknown.
    pub relation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fd: Option<u32>,
    /// Further fds that refer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmdline: Option<String>,
}

/// An outcome as JSON writes it: `timed_out`.
pub(super) fn outcome_key(outcome: HandshakeOutcome) -> String {
    outcome.name().replace([' ', '-'], "_")
}

impl FlowRecord {
    /// The record of `detail`.
    pub fn of(detail: &FlowDetail) -> Self {
        let halves = detail.halves.as_ref();
        let sum = |count: fn(&HalfView) -> u32| {
            halves.map(|[orig, resp]| u64::from(count(orig)).saturating_add(u64::from(count(resp))))
        };
        let row = &detail.row;
        let end = |side: Side| {
            let index = side.index();
            EndRecord::of(row.end(side), halves.map(|halves| &halves[index]), detail.sockets[index].as_ref())
        };
        Self {
            r#type: "flow",
            id: row.id.0,
            scope: (row.scope != Scope::FILE).then_some(row.scope.0),
            first_from: halves.map(|_| detail.first_from.name()),
            orig_known: row.orig_known,
            first_ts_ns: row.first.nanos(),
            last_ts_ns: row.last.nanos(),
            syn: sum(|half| half.syns),
            syn_ack: sum(|half| half.syn_acks),
            fin: sum(|half| half.fins),
            rst: sum(|half| half.rsts),
            completeness: detail.completeness.map(|mask| mask.0),
            handshake: detail.handshake.as_ref().map(HandshakeRecord::of),
            orig: end(Side::Orig),
            resp: end(Side::Resp),
        }
    }
}

fn nanos(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl HandshakeRecord {
    fn of(view: &HandshakeView) -> Self {
        let [orig, resp] = view.offered.map(|offer| offer.as_ref().map(OfferRecord::of));
        let seen = view.outcome != HandshakeOutcome::Partial;
        Self {
            outcome: outcome_key(view.outcome),
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
    fn of(cell: &EndCell, half: Option<&HalfView>, socket: Option<&SocketDetail>) -> Self {
        let window = half.and_then(|half| {
            let zero_since_ns = half.zero_window_since.map(crate::base::Timestamp::nanos);
            Some(WindowRecord { raw: half.window_raw?, bytes: half.window, zero_since_ns })
        });
        Self {
            addr: cell.endpoint.ip(),
            port: cell.endpoint.port(),
            segments: half.map(|half| half.segments),
            payload_bytes: half.map(|half| half.payload_bytes),
            state: cell.inferred.map(crate::base::TcpState::name),
            window,
            local: cell.local,
            mismatch_since_ns: cell.mismatch_since.map(crate::base::Timestamp::nanos),
            socket: socket.map(SocketRecord::of),
            owner: OwnerRecord::of(&cell.owner),
        }
    }
}

impl SocketRecord {
    fn of(detail: &SocketDetail) -> Self {
        let socket = &detail.socket;
        Self {
            state: socket.state.0.name(),
            at_ns: detail.at.nanos(),
            gone_ns: detail.gone.map(crate::base::Timestamp::nanos),
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
            info: socket.info.as_deref().map(InfoRecord::of).unwrap_or_default(),
        }
    }
}

impl InfoRecord {
    fn of(info: &TcpInfo) -> Self {
        Self {
            rtt_ns: info.rtt.map(nanos),
            rttvar_ns: info.rttvar.map(nanos),
            min_rtt_ns: info.min_rtt.map(nanos),
            rto_ns: info.rto.map(nanos),
            retrans: info.total_retrans,
            unacked: info.unacked,
            lost: info.lost,
            cwnd: info.snd_cwnd,
            mss: info.snd_mss,
            pmtu: info.pmtu,
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
            Ownership::Orphan => ("orphan", None, None),
        };
        let process = ownership.process();
        Some(Self {
            relation,
            pid: process.map(|process| process.pid),
            comm: process.map(|process| process.comm.to_string()),
            fd,
            others,
            user: process.map(|process| process.user.to_string()),
            cmdline: process.map(|process| process.cmdline.to_string()),
        })
    }
}

#[cfg(test)]
mod tests;
