//! What a screen needs, owned and small: the answer to a [`super::Query`].
//!
//! `None` always means "not recorded" or "not known"; a screen says so and never draws 0 for it.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::findings::Finding;
use crate::flow::{
    AnalysisCounts, Completeness, HalfView, HandshakeOutcome, HandshakeView, LifeEvent, Side, TimingView, VerdictView,
    ZeekView,
};
use crate::kernel::{LastWord, Limits, Socket, TableSource};
use crate::wire::{IcmpError, Tunnel};

use super::ownership::Ownership;
use super::path_errors::PathError;
use super::{FlowId, ListPane, Loss, Opening, PeerName, PortsPane, ProcessRow};

/// Everything that a screen draws.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dashboard {
    /// The engine's clock; `None` before the first input.
    pub now: Option<Timestamp>,
    /// The instant of the first input.
    pub since: Option<Timestamp>,
    pub totals: Totals,
    pub traffic: Traffic,
    /// What the source lost; `None` before it said anything.
    pub loss: Option<Loss>,
    /// What is wrong, the worst first; what passed within the last minute is still told.
    pub findings: Vec<Finding>,
    pub sees: Sees,
    pub handshakes: HandshakePane,
    pub states: StatePane,
    pub queues: QueuePane,
    pub time_wait: TimeWaitPane,
    /// Ephemeral ports; `None` where the kernel was not seen.
    pub ports: Option<PortsPane>,
    /// The window of the flow table, where that is the list that was asked for.
    pub flows: FlowPane,
    /// The window of another list.
    pub list: ListPane,
    /// Processes with most traffic first; empty where the kernel was not seen.
    pub busiest: Vec<ProcessRow>,
    /// The selected flow; `None` if none is selected or it is gone.
    pub flow: Option<Box<FlowDetail>>,
}

/// Sums since the first input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub segments: u64,
    pub payload_bytes: u64,
    /// Flows now in the table.
    pub flows: u64,
    /// Flows ever begun.
    pub flows_begun: u64,
    /// Of those, the ones of which a segment was seen; of the others the kernel alone told.
    pub flows_on_wire: u64,
    pub evicted: Evicted,
    /// Segments that showed a datagram already seen on another interface.
    pub duplicates: u64,
    /// Packets (segments, ICMP errors) captured before one that came ahead of them.
    pub regressions: u64,
}

/// Flows thrown out of a full table, by what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evicted {
    pub closed: u64,
    pub half_open: u64,
    pub idle: u64,
}

impl Evicted {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.closed + self.half_open + self.idle
    }
}

/// Traffic in bins of one second, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Of the last complete second; `None` where none is since the first input.
    pub last_second: Option<Second>,
    pub segments: Vec<u64>,
    pub bits: Vec<u64>,
    /// Segments that were retransmissions, fast and spurious ones included (as Wireshark counts them).
    pub resent: Vec<u64>,
}

/// What was on the wire within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Second {
    pub segments: u64,
    pub bits: u64,
}

/// What of the world the inputs show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sees {
    /// Whether any segment or frame count has come.
    pub wire: bool,
    /// Whether any payload or lookup named a responder.
    pub names: bool,
    /// The last reading of the socket table.
    pub kernel: Option<KernelSight>,
    /// The kernel's own record of connect(2), where it is read.
    pub trace: Option<TraceSight>,
    /// The kernel's last words on sockets that it let go, where they are listened to.
    pub last_words: Option<LastWordSight>,
}

/// What the kernel's last words told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastWordSight {
    /// Sockets of connections that were let go, and how many of these are an end of a flow that is known.
    pub heard: u64,
    pub joined: u64,
    /// Last words lost: sockets whose final counts are missing.
    pub lost: u64,
}

/// What the kernel's record of connect(2) told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceSight {
    /// Connections of which the caller was told.
    pub connects: u64,
    /// Events lost: callers that may be missing.
    pub lost: u64,
}

/// How well the kernel's side is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelSight {
    pub source: TableSource,
    /// When the connections were last read.
    pub at: Timestamp,
    /// How long that reading took.
    pub took: Duration,
    /// When listeners and TIME-WAIT were last read; `None` if they have not been yet.
    pub listeners_at: Option<Timestamp>,
    pub time_wait_at: Option<Timestamp>,
    /// Sockets read, and how many of those that can have an owner have a known one.
    pub sockets: u64,
    pub ownable: u64,
    pub owned: u64,
    /// Rows of the last readings that could not be read.
    pub bad_rows: u64,
    /// Processes whose fd tables could not be read, and the first of them by pid, as far as that is recorded.
    pub processes_denied: u32,
    pub denied: [Option<u32>; 3],
}

/// Handshakes concluded in the last [`HandshakePane::window`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HandshakePane {
    /// 60 s and what has passed of the second that goes on, or less: as long as has been watched.
    pub window: Duration,
    /// Handshakes begun (first SYN seen) in the window, and now waiting for an answer.
    pub begun: u64,
    pub waiting: u64,
    /// How many concluded in the window with each outcome, in the order of [`HandshakeOutcome::CONCLUDED`].
    pub outcomes: Vec<(HandshakeOutcome, u64)>,
    /// Handshakes begun in each second, oldest first.
    pub begun_per_s: Vec<u64>,
    /// SYN to the ACK that completes, over the window.
    pub latency: Option<Percentiles>,
    /// Completed handshakes by latency: upper bound of the bucket (powers of √10 from 10 µs to 10 s, then the
    /// rest), and count.
    pub histogram: Vec<(Duration, u64)>,
    /// Who fails most in the window, most first.
    pub failing: Vec<FailingPeer>,
}

impl HandshakePane {
    /// Whether the window has nothing to tell.
    pub fn is_quiet(&self) -> bool {
        self.begun == 0 && self.waiting == 0 && self.outcomes.iter().all(|(_, n)| *n == 0)
    }
}

/// Percentiles of a set of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    pub count: u64,
    pub p50: Duration,
    pub p95: Duration,
    pub p99: Duration,
    pub max: Duration,
}

/// A responder whose handshakes do not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingPeer {
    pub resp: Endpoint,
    pub outcome: HandshakeOutcome,
    pub count: u64,
    pub last: Timestamp,
}

/// Counts by state, the kernel's beside the wire's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatePane {
    /// In the order of [`TcpState::ALL`], CLOSED left out.
    pub rows: Vec<StateRow>,
    /// What the wire's column counts.
    pub wire_counts: WireCounts,
    /// Ends whose inferred and reported state have disagreed for longer than sampling explains.
    pub mismatched: u64,
}

/// What the wire's column of the state pane counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WireCounts {
    /// Both ends of every flow: a capture does not say which host it watches.
    #[default]
    BothEnds,
    /// Only the ends on this host, to stand beside the kernel's column.
    LocalEnds,
}

/// One state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateRow {
    pub state: TcpState,
    /// Sockets that the kernel reports in it; `None` where the kernel was not seen.
    pub kernel: Option<u64>,
    /// Ends inferred to be in it; `None` where the wire cannot tell (LISTEN) or was not seen.
    pub wire: Option<u64>,
    /// The kernel's count over time where it was seen, else the wire's; bins of one second, oldest first.
    pub history: Vec<u64>,
}

/// The fullest queues.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueuePane {
    /// `None` where the kernel was not seen.
    pub kernel: Option<KernelQueues>,
    /// What the wire alone shows, fullest first: bytes sent and not acknowledged, closed windows.
    pub wire: Vec<WireQueueRow>,
    /// Halves of open flows that sent bytes of which no acknowledgment was ever seen: what of these waits is not known.
    pub unknown_halves: u64,
}

/// Queues as the kernel reports them, each list fullest first, empty queues left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KernelQueues {
    pub recv: Vec<QueueRow>,
    pub send: Vec<QueueRow>,
    pub accept: Vec<AcceptRow>,
    /// TcpExt.ListenOverflows and ListenDrops since the first sample.
    pub listen_overflows: Option<u64>,
    pub listen_drops: Option<u64>,
}

/// A socket with bytes waiting in a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueRow {
    pub flow: FlowId,
    pub local: Endpoint,
    pub peer: Endpoint,
    pub bytes: u32,
    /// The buffer's limit in bytes, where the kernel told it.
    pub limit: Option<u32>,
    /// Since when it has not been empty.
    pub since: Timestamp,
    /// One value a sample, oldest first.
    pub history: Vec<u64>,
    pub owner: Ownership,
}

/// A listener and its accept queue.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptRow {
    pub local: Endpoint,
    pub waiting: u32,
    /// The limit, where the source tells it; the queue overflows only past it.
    pub limit: Option<u32>,
    /// Since when readings have found it full: at its limit, or over it.
    pub full_since: Option<Timestamp>,
    pub history: Vec<u64>,
    pub owner: Ownership,
}

/// What one direction of a flow shows of its queues on the wire alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireQueueRow {
    pub flow: FlowId,
    /// The half's sender and its peer.
    pub from: Endpoint,
    pub to: Endpoint,
    /// Bytes sent and not acknowledged: at least this much is in the sender's Send-Q.
    pub unacked: u32,
    /// Since when the receiver has advertised a window of 0: its process is not reading.
    pub zero_window_since: Option<Timestamp>,
}

/// TIME-WAIT.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeWaitPane {
    /// Sockets in TIME-WAIT by the kernel; `None` where it was not seen.
    pub kernel: Option<u64>,
    /// Ends inferred to be in TIME-WAIT (which ends: [`StatePane::wire_counts`]).
    pub wire: Option<u64>,
    /// The count over time (the kernel's where seen), bins of one second, oldest first.
    pub history: Vec<u64>,
    /// The far ends of connections in TIME-WAIT, most first.
    pub peers: Vec<(Endpoint, u64)>,
    /// Who waits: address of the end that closed first, most first.
    pub holders: Vec<(std::net::IpAddr, u64)>,
    /// How many the wire showed to enter TIME-WAIT in the last [`Self::entered_window`]; `None` where it was not seen.
    pub entered: Option<u64>,
    /// 60 s and what has passed of the second that goes on, or less: as long as has been watched.
    pub entered_window: Duration,
    pub limits: Option<Arc<Limits>>,
}

/// A window of the flow table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlowPane {
    /// Flows in the table, and how many match the filter.
    pub all: usize,
    pub matching: usize,
    /// The place of the first row of `rows` among the matching.
    pub offset: usize,
    /// The place of the flow that the query follows, if it is among them.
    pub followed: Option<usize>,
    pub rows: Vec<FlowRow>,
}

/// One connection, by wire, kernel or both.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowRow {
    pub id: FlowId,
    pub scope: Scope,
    pub orig: EndCell,
    pub resp: EndCell,
    /// Whether a SYN told who is the originator; if not, it is only the first seen to send (or, of a socket
    /// without segments, the likelier one: the end that did not listen or whose port is ephemeral).
    pub orig_known: bool,
    /// What the responder is called, by the best evidence there is.
    pub name: Option<PeerName>,
    /// How the handshake went; `None` if no segment was seen.
    pub outcome: Option<HandshakeOutcome>,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Both directions, since first seen; `None` if no segment was seen.
    pub segments: Option<u64>,
    pub payload_bytes: Option<u64>,
    /// Bits on the wire in the last complete second, both directions; `None` if no segment was seen, or none before
    /// the second that is not over.
    pub bits_per_s: Option<u64>,
    /// The kernel's smoothed round trip where it is known, else the handshake's from the wire, else the data's.
    pub rtt: Option<Rtt>,
    /// Retransmissions that the kernel counted (tcp_info total_retrans), both ends.
    pub retrans: Option<u64>,
    /// Retransmissions that the wire shows, both directions, fast and spurious ones included (as Wireshark counts
    /// them); `None` if no segment was seen.
    pub retrans_wire: Option<u64>,
    /// Segments found to have been lost, both directions, by our own verdict; `None` if no segment was seen.
    pub lost: Option<u64>,
    /// The connection is over on every side that can be seen.
    pub closed: bool,
}

impl FlowRow {
    /// The end on `side`.
    pub const fn end(&self, side: Side) -> &EndCell {
        match side {
            Side::Orig => &self.orig,
            Side::Resp => &self.resp,
        }
    }
}

/// A round-trip time, with where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rtt {
    /// SYN to ACK of the handshake, seen on the wire.
    Handshake(Duration),
    /// The kernel's smoothed estimate (tcpi_rtt).
    Kernel(Duration),
    /// The least from data to its ack on both sides of the capture point together, seen on the wire.
    Data(Duration),
}

impl Rtt {
    /// The time, whatever its source.
    pub const fn time(self) -> Duration {
        match self {
            Self::Handshake(time) | Self::Kernel(time) | Self::Data(time) => time,
        }
    }
}

/// One end of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct EndCell {
    pub endpoint: Endpoint,
    /// Whether this end is on this host; `None` where the kernel was not seen.
    pub local: Option<bool>,
    /// What its TCP must be doing, by the wire.
    pub inferred: Option<TcpState>,
    /// What the kernel reports; `None` where it is remote, not recorded, or gone.
    pub reported: Option<TcpState>,
    /// When that was read, where it is another state than the wire's and the wire has shown a change since: no
    /// disagreement.
    pub outdated: Option<Timestamp>,
    /// Inferred and reported have disagreed since then, for longer than sampling explains.
    pub mismatch_since: Option<Timestamp>,
    pub recv_q: Option<u32>,
    pub send_q: Option<u32>,
    pub owner: Ownership,
}

/// All that is known of one flow.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowDetail {
    pub row: FlowRow,
    /// Who sent the first captured segment; `None` if none was seen.
    pub first_from: Option<Side>,
    /// `None` if no segment was seen.
    pub handshake: Option<HandshakeView>,
    pub completeness: Option<Completeness>,
    /// The outermost VLAN id and tunnel of the first captured segment.
    pub vlan: Option<u16>,
    pub tunnel: Option<Tunnel>,
    /// An ICMP error that explains why the handshake got no answer.
    pub rejected: Option<Rejection>,
    /// What ICMP errors said of the segments of each end once the connection was open.
    pub path_errors: [Option<PathError>; 2],
    /// What its opening shows: names, and where the wait was. `None` if nothing of it was recorded.
    pub opening: Option<Box<Opening>>,
    /// What the wire shows of each half: the originator's, the responder's. `None` if no segment was seen.
    pub halves: Option<[HalfView; 2]>,
    /// How often each half's segments were marked by sequence analysis. `None` if no segment was seen.
    pub analysis: Option<[AnalysisCounts; 2]>,
    /// Why segments were sent again, by our own verdict, and what cannot be told. `None` if no segment was seen.
    pub verdict: Option<VerdictView>,
    /// Round trips, think time and waits, as the wire shows them. `None` if no data was seen.
    pub timing: Option<TimingView>,
    /// What the kernel last reported of each end on this host.
    pub sockets: [Option<Box<SocketDetail>>; 2],
    /// The kernel's last word on each end's socket, once it was let go.
    pub last_words: [Option<Arc<LastWord>>; 2],
    /// Whether what each end sends goes unanswered, or the path does not take it, so that a finding tells of it.
    pub in_vain: [bool; 2],
    /// The landmarks of its life, in order of time.
    pub life: Vec<LifeEvent>,
    /// The rows that Zeek would log of it; `None` if no segment was seen.
    pub zeek: Option<ZeekView>,
    /// One sentence: what it is doing now and why, as far as the evidence supports it.
    pub story: String,
}

/// What an ICMP error said of a handshake's SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    pub at: Timestamp,
    /// Who said so: the far host, or something on the way.
    pub from: std::net::IpAddr,
    pub error: IcmpError,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rejected by {}: {}", self.from, self.error)
    }
}

/// A socket's last reading and its queues over time.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketDetail {
    pub socket: Socket,
    /// When it was last read.
    pub at: Timestamp,
    /// It was absent from the table at the reading of this instant.
    pub gone: Option<Timestamp>,
    /// It has left the state that it was last read in; what it is now was not read since this instant.
    pub left: Option<Timestamp>,
    /// One value a sample, oldest first.
    pub recv_q: Vec<u64>,
    pub send_q: Vec<u64>,
}

impl SocketDetail {
    /// Whether the kernel held it at the last reading of its state.
    pub const fn is_there(&self) -> bool {
        self.gone.is_none() && self.left.is_none()
    }

    /// What is left of its timer at `now`, if one runs.
    pub(super) fn timer_left(&self, now: Timestamp) -> Option<Duration> {
        self.socket.timer.map(|timer| timer.left.saturating_sub(now.since(self.at)))
    }
}
