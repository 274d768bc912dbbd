//! The schema of `report --format json|ndjson`: one flow, as JSON. Version [`SCHEMA`].
//!
//! Rules that hold for every object: what was not recorded is absent, never 0, `null` or a guess; a name that ends in
//! `_ns` is nanoseconds (an instant: since the Unix epoch; a length of time: of that length), `_bytes` and queues are
//! bytes; states are written as `ss` writes them; outcomes, reasons and relations are words in lower case joined by
//! `_`. New fields may come at any version; a field that changes its meaning or goes away raises [`SCHEMA`]. The fields
//! of the structs below, in their order, are the fields of the objects. Pure.

mod kernel;
mod of;
mod opening;
mod times;
mod verdict;

use std::borrow::Cow;

use serde::Serialize;

pub use kernel::{LastWordRecord, MemoryRecord};
pub(super) use of::outcome_key;
pub use opening::{AlertRecord, NamesRecord, WaitsRecord};
pub use times::{DelaysRecord, IdleRecord, InFlightRecord, RttRecord, StallsRecord, ThroughputRecord};
pub use verdict::{EpisodeRecord, EpisodesRecord, InjectedRecord, LimitRecord, ResetRecord, VerdictRecord};

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
    /// Zeek's conn_state and history (letters C and X are not told) of the first of its rows that was established,
    /// else of its first row. A history of more letters than are kept ends in `…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conn_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// All rows that Zeek would log of it, where there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zeek_rows: Option<Vec<ZeekRowRecord>>,
    /// Rows that Zeek would log besides these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zeek_rows_beyond: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<HandshakeRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<NamesRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<WaitsRecord>,
    /// The outermost VLAN id and tunnel that the first captured segment came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelRecord>,
    /// Why less is claimed than may have happened; absent where nothing limits what can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<LimitRecord>>,
    /// What is doubtful of a RST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<ResetRecord>,
    /// Absent (as are the times of the ends) without data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleRecord>,
    pub orig: EndRecord,
    pub resp: EndRecord,
}

/// A row of Zeek's connection log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZeekRowRecord {
    pub first_ts_ns: i64,
    /// Absent (as are the bytes) where Zeek has none: all in one instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ns: Option<u64>,
    /// "orig" or "resp" of this flow: whom Zeek takes for the originator. What follows is as Zeek has it.
    pub originator: &'static str,
    pub conn_state: &'static str,
    pub history: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orig_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resp_bytes: Option<u64>,
    pub orig_pkts: u32,
    pub resp_pkts: u32,
    pub missed_bytes: u64,
    /// closed, unanswered, idle, reused; absent if the row would go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<&'static str>,
}

/// How the connection was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HandshakeRecord {
    /// waiting, completed, simultaneous, refused, rejected, unanswered, given_up, half_open, reset, or partial (not
    /// captured).
    pub outcome: Cow<'static, str>,
    /// An ICMP error that explains why the SYN got no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<RejectionRecord>,
    /// SYNs and SYN-ACKs sent again; absent where the first of them was not captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn_retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syn_ack_retries: Option<u32>,
    /// From the last SYN to the SYN-ACK: the way from the capture point to `resp` and back. From the last SYN-ACK to
    /// the ACK: that to `orig` and back.
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

/// Who said in an ICMP error that a SYN went no further, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RejectionRecord {
    pub from: std::net::IpAddr,
    /// In words: "host prohibited".
    pub reason: &'static str,
    pub at_ns: i64,
}

/// Who said in ICMP errors that segments of a connection do not get through, why, and how often.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathErrorRecord {
    pub from: std::net::IpAddr,
    /// In words: "host unreachable".
    pub reason: &'static str,
    /// What the next link takes at most, bytes of IP packet; absent where it was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu_bytes: Option<u32>,
    pub count: u32,
    pub first_ts_ns: i64,
    pub last_ts_ns: i64,
}

/// A tunnel: its kind (GRE, VXLAN, MPLS, PPPoE, ...) and the number that tells it from others of its kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TunnelRecord {
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
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
    /// What Wireshark's sequence analysis says of the segments that it sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<AnalysisRecord>,
    /// Our own verdict on what of it was sent again, beside that, and its episodes of loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episodes: Option<EpisodesRecord>,
    /// What ICMP errors said of its segments while none of these was acknowledged; absent where none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<PathErrorRecord>,
    /// Its state as inferred from the wire (the kernel's stands in `socket`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// The window that it last advertised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt: Option<RttRecord>,
    /// Absent where no acknowledgment was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<InFlightRecord>,
    /// Absent unless its data spans some time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<ThroughputRecord>,
    /// From the other end's last byte to its first, turn by turn; of `resp` the server's think time. The way from the
    /// capture point to it and back (the other end's `rtt`) is in it. Overlapping turns are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<DelaysRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalls: Option<StallsRecord>,
    /// Whether it is on this host; absent where the kernel was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// Since when the inferred and the reported state have disagreed, for longer than sampling explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mismatch_since_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<Box<SocketRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_word: Option<Box<LastWordRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Box<OwnerRecord>>,
}

/// How many segments of one end are marked with each word of Wireshark's tcp.analysis, in the meaning of its release
/// 4.0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnalysisRecord {
    /// Fast and spurious ones included.
    pub retransmission: u64,
    pub fast_retransmission: u64,
    pub spurious_retransmission: u64,
    pub out_of_order: u64,
    pub duplicate_ack: u64,
    /// Segments that advertise a window of 0.
    pub zero_window: u64,
    pub zero_window_probe: u64,
    pub zero_window_probe_ack: u64,
    /// Segments that fill the peer's window.
    pub window_full: u64,
    pub window_update: u64,
    pub keep_alive: u64,
    pub keep_alive_ack: u64,
    /// Segments before which at least one was not captured.
    pub lost_segment: u64,
    /// Acks of segments that were not captured.
    pub ack_lost_segment: u64,
    pub reused_ports: u64,
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
    /// When it was found to have left this state; which one it is in since, if any, was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_ns: Option<i64>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryRecord>,
    /// The name of its congestion control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion: Option<String>,
    /// The inode of its cgroup2 folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<u64>,
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
    pub ssthresh: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pmtu: Option<u32>,
    /// Segments sent and received, retransmissions and those without data too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments_out: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments_in: Option<u32>,
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
    /// closed), connected (no reading showed it held; this process connected it, or by the rung syn held it at its
    /// SYN), closed (the same; this process closed it), elsewhere (this process connected it in another network
    /// namespace of this host), orphan (nobody, and who did was not seen), no_access (fd tables that may not be read),
    /// unknown.
    pub relation: &'static str,
    /// How the process was found: trace (the kernel's record of connect()), syn (it held the socket a moment after
    /// its SYN), scan (file descriptors in /proc).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rung: Option<&'static str>,
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

#[cfg(test)]
mod tests;
