//! One reading of the socket table, with who owns the sockets and the counters beside it. Absent is `None`, never 0.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Scope, Scrubbed, StateSet, TcpState, Timestamp};

/// A state that the kernel reported for a socket (never one inferred from the wire).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reported(pub TcpState);

/// One reading of the socket table, or of a part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketSample {
    /// When the reading ended.
    pub ts: Timestamp,
    pub scope: Scope,
    pub source: TableSource,
    /// What was asked for. A socket that this does not cover is not absent: it was not looked at.
    pub covers: Covers,
    /// How long the reading took.
    pub took: Duration,
    /// The kernel said that the table changed under the dump (NLM_F_DUMP_INTR), or rows could not be read.
    pub incomplete: bool,
    /// Rows that could not be read.
    pub bad_rows: u32,
    pub sockets: Vec<Socket>,
    /// Who holds them, as of the last look at the processes.
    pub owners: Arc<Owners>,
    /// Empty where they were not read with this reading.
    pub counters: Counters,
    pub limits: Arc<Limits>,
    /// This host's own addresses (the local routing table), sorted; loopback's 127.0.0.0/8 is implied.
    pub local_addresses: Arc<[IpAddr]>,
}

impl SocketSample {
    /// A reading of the whole table by sock_diag that ended at `ts`, took no time and found nothing.
    pub fn empty(ts: Timestamp) -> Self {
        Self {
            ts,
            scope: Scope::default(),
            source: TableSource::Diag,
            covers: Covers::ALL,
            took: Duration::ZERO,
            incomplete: false,
            bad_rows: 0,
            sockets: Vec::new(),
            owners: Arc::default(),
            counters: Counters::default(),
            limits: Arc::default(),
            local_addresses: Arc::from([]),
        }
    }
}

/// What of the socket table a reading asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// Every socket in one of these states.
    States(StateSet),
    /// The sockets with these ends (own, peer) alone, each looked up by itself in whatever state it is.
    Sockets(Vec<(Endpoint, Endpoint)>),
}

impl Covers {
    /// The whole table.
    pub const ALL: Self = Self::States(StateSet::ALL);

    /// The states of which it covers every socket.
    pub const fn states(&self) -> StateSet {
        match self {
            Self::States(states) => *states,
            Self::Sockets(_) => StateSet::NONE,
        }
    }
}

/// Where the socket table was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableSource {
    /// NETLINK_SOCK_DIAG (sock_diag(7)).
    Diag,
    /// /proc/net/tcp and tcp6 (proc(5)): no listen limit, no TCP_INFO, no cookie.
    Proc,
}

/// A row of the socket table.
#[derive(Debug, Clone, PartialEq)]
pub struct Socket {
    pub local: Endpoint,
    /// The wildcard with port 0 for a listener.
    pub peer: Endpoint,
    pub state: Reported,
    /// Bytes received and not yet read by the process (plus one for an unread FIN); for LISTEN the accept queue's
    /// length.
    pub recv_q: u32,
    /// Bytes written and not yet acknowledged (SYN and FIN count one each); for LISTEN the accept queue's limit,
    /// `None` where the source does not tell it (/proc).
    pub send_q: Option<u32>,
    pub timer: Option<Timer>,
    /// The owner's user id; absent where the row carries a meaningless 0 (TIME-WAIT, SYN-RECV by sock_diag, and
    /// sockets without inode on kernels that do not tell).
    pub uid: Option<u32>,
    /// The socket's inode; `None` where the kernel gives 0 (TIME-WAIT, SYN-RECV, not yet accepted, orphaned).
    pub inode: Option<u64>,
    /// The kernel's unique id of the socket (sock_diag only); it survives ESTAB → TIME-WAIT.
    pub cookie: Option<u64>,
    /// Receive and send buffer limits in bytes (INET_DIAG_SKMEMINFO), where told.
    pub buffers: Option<(u32, u32)>,
    /// What the socket dropped (SK_MEMINFO_DROPS); of a listener SYNs and ACKs, most since its accept queue was full.
    pub drops: Option<u32>,
    /// What its buffers hold, where told.
    pub memory: Option<Memory>,
    /// Its congestion control (INET_DIAG_CONG), where told.
    pub congestion: Option<Congestion>,
    /// The inode of its cgroup2 folder (INET_DIAG_CGROUP_ID), where told.
    pub cgroup: Option<u64>,
    /// What the kernel measured; absent for a listener, whose tcp_info holds its accept queue instead.
    pub info: Option<Box<TcpInfo>>,
}

impl Socket {
    /// Whether it has bytes to send and none in flight, and probes its peer's window until that opens
    /// (net/ipv4/tcp_timer.c, `tcp_probe_timer`).
    pub fn probes_window(&self) -> bool {
        self.persists() && !self.has_window()
    }

    /// Whether it has bytes to send, none in flight, and a window to send them into, and yet none leaves: each try fails
    /// on this host itself (no route, a filter), and the kernel tries again as if it probed a window.
    pub fn fails_to_send(&self) -> bool {
        self.persists() && self.has_window() && self.timer.is_some_and(|timer| timer.retries > 0)
    }

    fn persists(&self) -> bool {
        self.send_q > Some(0) && self.timer.is_some_and(|timer| timer.kind == TimerKind::Persist)
    }

    /// Whether its peer's window is known to take a whole segment.
    fn has_window(&self) -> bool {
        let info = self.info.as_ref();
        info.and_then(|info| Some(info.snd_wnd? >= info.snd_mss?)).unwrap_or(false)
    }
}

/// Kernel memory that a socket takes, bytes (INET_DIAG_SKMEMINFO, as `ss -m` prints it): what counts against the limits
/// is more than the bytes in the queues, for each packet brings its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Taken by what was received and not yet read (`r`): the receive buffer is full at its limit.
    pub recv: u32,
    /// Taken by packets handed to the network below (`t`).
    pub sent: u32,
    /// Taken by what waits to be sent or acknowledged (`w`): the send buffer is full at its limit.
    pub queued: u32,
    /// Set aside for packets to come (`f`).
    pub ahead: u32,
    /// Arrived while the socket was in use, and not yet looked at (`bl`).
    pub backlog: u32,
}

/// The name of a congestion control algorithm, of at most 15 printable ASCII characters (TCP_CA_NAME_MAX).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Congestion([u8; 15]);

impl Congestion {
    /// From the bytes that the kernel gives, up to their NUL; what is not printable becomes `?`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut name = [0; 15];
        let given = bytes.iter().take_while(|byte| **byte != 0);
        for (place, byte) in name.iter_mut().zip(given) {
            *place = if byte.is_ascii_graphic() { *byte } else { b'?' };
        }
        (name[0] != 0).then_some(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

impl std::fmt::Debug for Congestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A socket's pending timer, as `ss -o` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    pub kind: TimerKind,
    /// What is left of it.
    pub left: Duration,
    /// Retransmissions or probes sent so far.
    pub retries: u8,
}

/// Which timer is pending (`idiag_timer`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// Retransmission (of a SYN-ACK too), early retransmit or tail-loss probe: `on`.
    On,
    /// `keepalive`.
    Keepalive,
    /// `timewait`.
    TimeWait,
    /// Zero-window probe: `persist`.
    Persist,
}

impl TimerKind {
    /// As `ss -o` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Keepalive => "keepalive",
            Self::TimeWait => "timewait",
            Self::Persist => "persist",
        }
    }
}

/// `struct tcp_info` (linux/tcp.h), decoded by the length that the kernel gave: a field past the end is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpInfo {
    pub snd_wscale: Option<u8>,
    pub rcv_wscale: Option<u8>,
    pub retransmits: Option<u8>,
    pub rto: Option<Duration>,
    pub snd_mss: Option<u32>,
    pub rcv_mss: Option<u32>,
    /// Segments in flight.
    pub unacked: Option<u32>,
    pub lost: Option<u32>,
    pub last_data_sent: Option<Duration>,
    pub last_data_recv: Option<Duration>,
    /// Since its peer was last heard: any segment whose acknowledgment was taken in.
    pub last_ack_recv: Option<Duration>,
    pub pmtu: Option<u32>,
    pub snd_ssthresh: Option<u32>,
    pub snd_cwnd: Option<u32>,
    pub rtt: Option<Duration>,
    pub rttvar: Option<Duration>,
    pub rcv_space: Option<u32>,
    pub total_retrans: Option<u32>,
    pub pacing_rate: Option<u64>,
    pub bytes_acked: Option<u64>,
    pub bytes_received: Option<u64>,
    pub segs_out: Option<u32>,
    pub segs_in: Option<u32>,
    pub notsent_bytes: Option<u32>,
    pub min_rtt: Option<Duration>,
    pub delivery_rate: Option<u64>,
    pub busy_time: Option<Duration>,
    pub rwnd_limited: Option<Duration>,
    pub sndbuf_limited: Option<Duration>,
    pub bytes_sent: Option<u64>,
    pub bytes_retrans: Option<u64>,
    /// The window that its peer advertised last, scaled (kernels from 5.4).
    pub snd_wnd: Option<u32>,
}

/// Who holds which socket, by inode, and what could not be looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Owners {
    /// Every fd that refers to the inode, lowest (pid, fd) first.
    pub by_inode: FxHashMap<u64, Vec<Owner>>,
    /// Processes whose fd tables were read.
    pub processes_read: u32,
    /// Processes whose fd tables this user may not read: their sockets' owner is unknown, not absent.
    pub processes_denied: u32,
    /// The first of those, by pid; none where only their number is recorded (before format 3).
    pub denied: [Option<u32>; 3],
}

/// One file descriptor of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub process: Arc<Process>,
    pub fd: u32,
}

/// A process, named by pid and start time together, since pids are reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    pub pid: u32,
    /// Start time in clock ticks since boot (/proc/PID/stat field 22); `None` if it had ended before it could be read.
    pub start_time: Option<u64>,
    pub comm: Scrubbed,
    /// The argument list, joined by spaces; empty for a kernel thread, and where it could not be read.
    pub cmdline: Scrubbed,
    /// The effective user's name, or its number where the user database has none; `?` where it could not be read.
    pub user: Scrubbed,
}

/// Counters of the kernel's TCP: /proc/net/netstat, snmp and sockstat, by their own names
/// (`TcpExt.ListenOverflows`, `Tcp.ActiveOpens`, `TCP.tw`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters(pub Arc<BTreeMap<String, i64>>);

impl Counters {
    /// A counter by its `Section.Name`; `None` where this kernel has no such counter or it was not read.
    pub fn get(&self, name: &str) -> Option<i64> {
        self.0.get(name).copied()
    }
}

/// The sysctls that bound connections; `None` where they could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// net.ipv4.ip_local_port_range, first and last port.
    pub port_range: Option<(u16, u16)>,
    /// net.ipv4.ip_local_reserved_ports, as inclusive ranges.
    pub reserved_ports: Option<Vec<(u16, u16)>>,
    /// net.core.somaxconn.
    pub somaxconn: Option<u32>,
    pub tcp_max_syn_backlog: Option<u32>,
    pub tcp_max_tw_buckets: Option<u32>,
    pub tcp_syn_retries: Option<u32>,
    /// net.ipv4.tcp_syn_linear_timeouts (kernels from 6.5).
    pub tcp_syn_linear_timeouts: Option<u32>,
    pub tcp_synack_retries: Option<u32>,
    pub tcp_retries2: Option<u32>,
    pub tcp_tw_reuse: Option<u32>,
    /// net.ipv4.tcp_tw_reuse_delay, milliseconds (kernels from 6.14; before, 1 s).
    pub tcp_tw_reuse_delay: Option<u32>,
    pub tcp_timestamps: Option<u32>,
    /// net.ipv4.tcp_fin_timeout, seconds.
    pub tcp_fin_timeout: Option<u32>,
    /// net.ipv4.tcp_keepalive_time, seconds: for how long nothing comes before the first probe.
    pub tcp_keepalive_time: Option<u32>,
    /// net.ipv4.tcp_keepalive_intvl, seconds: between probes.
    pub tcp_keepalive_intvl: Option<u32>,
    /// net.ipv4.tcp_keepalive_probes: after so many in vain the connection is given up.
    pub tcp_keepalive_probes: Option<u32>,
    /// net.ipv4.tcp_rto_max_ms: the longest retransmission timeout (kernels from 6.15; before, 120 s).
    pub tcp_rto_max_ms: Option<u32>,
}

impl Limits {
    /// The usual bounds of the retransmission timeout (include/net/tcp.h: TCP_RTO_MIN, TCP_RTO_MAX); no kernel lets it grow
    /// longer.
    pub const RTO_MIN: Duration = Duration::from_millis(200);
    pub const RTO_MAX: Duration = Duration::from_secs(120);

    /// How often a SYN is sent again at most: those at equal gaps come before those at doubled ones (ip-sysctl,
    /// tcp_syn_linear_timeouts; before Linux 6.5 there are none). A socket may ask for fewer (TCP_SYNCNT).
    pub fn syn_retries(&self) -> Option<u32> {
        Some(self.tcp_syn_retries?.saturating_add(self.tcp_syn_linear_timeouts.unwrap_or(0)))
    }

    /// For how long after its first repeat a connection's data is sent again at least before the kernel gives it up
    /// (ETIMEDOUT): as long as tcp_retries2 doublings of the shortest timeout take (net/ipv4/tcp_timer.c,
    /// `tcp_model_timeout`), none of them longer than `most`. A socket may ask for another time (TCP_USER_TIMEOUT).
    pub fn gives_up_after(&self, most: Duration) -> Option<Duration> {
        let backed_off = |nth| Self::doubled(Self::RTO_MIN, nth, most);
        self.tcp_retries2.map(|retries| (0..=retries.min(255)).map(backed_off).sum())
    }

    /// The longest retransmission timeout. A socket may ask for another (TCP_RTO_MAX_MS).
    pub fn rto_max(&self) -> Duration {
        self.tcp_rto_max_ms.map_or(Self::RTO_MAX, |millis| Duration::from_millis(millis.into()).min(Self::RTO_MAX))
    }

    /// A retransmission timeout after so many doublings, `most` at the longest.
    pub fn doubled(rto: Duration, doublings: u32, most: Duration) -> Duration {
        rto.saturating_mul(1 << doublings.min(20)).min(most)
    }
}
