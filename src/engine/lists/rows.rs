//! What a row of each list tells. `None` always means "not recorded" or "not known".

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::flow::HandshakeView;
use crate::kernel::Process;

use super::super::dashboard::{AcceptRow, QueueRow, Rejection, WireQueueRow};
use super::super::opening::PeerName;
use super::super::ownership::Ownership;
use super::super::ports::PortsOutlook;
use super::{FlowId, Keyed, ProcessId, QueueKind, RowKey};

/// A handshake: when each of its segments came.
#[derive(Debug, Clone, PartialEq)]
pub struct HandshakeRow {
    pub flow: FlowId,
    pub orig: Endpoint,
    pub resp: Endpoint,
    /// Who opens it, where that end is on this host.
    pub owner: Ownership,
    /// Who answers, where that end is on this host.
    pub resp_owner: Ownership,
    /// What the responder is called.
    pub name: Option<PeerName>,
    pub view: HandshakeView,
    /// Its first segment.
    pub since: Timestamp,
    /// When the SYN, and the SYN-ACK, was sent again, oldest first; of very many tries the first and the last.
    pub syns_again: Vec<Timestamp>,
    pub syn_acks_again: Vec<Timestamp>,
    /// When its outcome was concluded; `None` while it waits.
    pub concluded: Option<Timestamp>,
    /// From its first segment to its conclusion, or to now while it waits or is tried; where no answer came to the last
    /// try, not to when that is concluded. `None` of a single try.
    pub took: Option<Duration>,
    /// An ICMP error that explains why it got no answer.
    pub rejected: Option<Rejection>,
    /// The waits around it, where both ends of each were captured: for the lookup before, for TLS behind.
    pub dns: Option<Duration>,
    pub tls: Option<Duration>,
}

impl Keyed for HandshakeRow {
    fn key(&self) -> RowKey {
        RowKey::Flow(self.flow)
    }
}

/// A queue that is not empty, or a listener's.
#[derive(Debug, Clone, PartialEq)]
pub enum QueueEntry {
    Recv(QueueRow),
    Send(QueueRow),
    Accept(Scope, Option<u64>, AcceptRow),
    /// With who holds the end that closed its window, or that has sent what is not acknowledged.
    Wire(WireQueueRow, Ownership),
}

impl Keyed for QueueEntry {
    fn key(&self) -> RowKey {
        match self {
            Self::Recv(row) => RowKey::Queue(QueueKind::Recv, row.flow, row.local),
            Self::Send(row) => RowKey::Queue(QueueKind::Send, row.flow, row.local),
            Self::Accept(scope, id, row) => RowKey::Listener(*scope, row.local, *id),
            Self::Wire(row, _) => RowKey::Queue(QueueKind::Wire, row.flow, row.from),
        }
    }
}

/// Connections from one address to one service: the responder's end.
#[derive(Debug, Clone, PartialEq)]
pub struct PortRow {
    pub holder: IpAddr,
    pub service: Endpoint,
    /// Whether the holder is the service itself: it closed first, and its TIME-WAIT takes no port of the range.
    pub serves: bool,
    pub time_wait: u64,
    /// In other states than TIME-WAIT.
    pub open: u64,
    /// Local ports taken; `None` where the holder serves, or is no end of this host.
    pub ports: Option<PortUse>,
    /// How long they will last; `None` of routes that use few.
    pub outlook: Option<PortsOutlook>,
    /// A process that holds or held one of them, and whether others do too; `None` where none is known.
    pub process: Option<(Arc<Process>, bool)>,
}

/// How many of the ports that connect() chooses from are taken towards one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortUse {
    pub taken: u64,
    /// net.ipv4.ip_local_port_range without net.ipv4.ip_local_reserved_ports and without what bind() and listeners hold
    /// for all destinations.
    pub range: u64,
}

impl Keyed for PortRow {
    fn key(&self) -> RowKey {
        RowKey::Ports(self.holder, self.service)
    }
}

/// A listening socket, or one that holds a port by bind(2) and neither listens nor connects; in a capture, an end that
/// answered a SYN.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenerRow {
    pub scope: Scope,
    pub local: Endpoint,
    /// Its cookie, or its inode.
    pub id: Option<u64>,
    pub owner: Ownership,
    /// False where it is bound and nothing more.
    pub listens: bool,
    /// The accept queue: its length now, its limit, and its length at each reading, oldest first.
    pub waiting: Option<u32>,
    pub limit: Option<u32>,
    pub history: Vec<u64>,
    /// SYNs and ACKs that this socket dropped, most of them since its accept queue was full (SK_MEMINFO_DROPS).
    pub drops: Option<u32>,
    /// Connections that came in on it; `None` for the second and later sockets on the same end (SO_REUSEPORT), among
    /// which they are shared out.
    pub came_in: Option<CameIn>,
}

impl ListenerRow {
    /// An end that listens, of which nothing more is known.
    pub const fn new(scope: Scope, local: Endpoint) -> Self {
        Self {
            scope,
            local,
            id: None,
            owner: Ownership::NotRecorded,
            listens: true,
            waiting: None,
            limit: None,
            history: Vec::new(),
            drops: None,
            came_in: None,
        }
    }
}

/// Connections that came in on a listener, as far as they are still in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CameIn {
    pub syn_recv: u64,
    pub estab: u64,
    pub close_wait: u64,
    /// In any other state.
    pub closing: u64,
    /// All whose handshake was completed, the closed ones too.
    pub completed: u64,
}

impl Keyed for ListenerRow {
    fn key(&self) -> RowKey {
        RowKey::Listener(self.scope, self.local, self.id)
    }
}

/// A line of the list of processes.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessLine {
    Process(ProcessRow),
    /// A socket of the process above it.
    Descriptor(DescriptorRow),
}

/// A process that holds TCP sockets.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRow {
    pub id: ProcessId,
    pub process: Arc<Process>,
    /// TCP sockets that it holds, and of those how many are in these states.
    pub sockets: u64,
    pub listen: u64,
    pub estab: u64,
    pub close_wait: u64,
    /// Of the connections that are remembered: those that it opened, and those of which it was the last to hold an end
    /// that is in TIME-WAIT now. Of processes whose connections are too short for a reading nothing else is known.
    pub opened: u64,
    pub time_wait: u64,
    /// Bytes received and not read, written and not acknowledged, over all of them.
    pub recv_q: u64,
    pub send_q: u64,
    /// Bits on the wire in the last complete second; `None` if it has connections and no segment of any was seen.
    pub bits_per_s: Option<u64>,
    /// Its sockets follow.
    pub open: bool,
}

/// A descriptor of a TCP socket.
#[derive(Debug, Clone, PartialEq)]
pub struct DescriptorRow {
    pub process: ProcessId,
    pub fd: u32,
    /// Other descriptors refer to the same socket.
    pub shared: bool,
    pub state: TcpState,
    pub local: Endpoint,
    /// `None` for a listener.
    pub peer: Option<Endpoint>,
    /// As [`crate::kernel::Socket::recv_q`] and `send_q`: a listener's are its accept queue and the limit.
    pub recv_q: u32,
    pub send_q: Option<u32>,
    pub flow: Option<FlowId>,
    pub bits_per_s: Option<u64>,
}

impl Keyed for ProcessLine {
    fn key(&self) -> RowKey {
        match self {
            Self::Process(row) => RowKey::Process(row.id),
            Self::Descriptor(row) => RowKey::Descriptor(row.process, row.fd, row.flow),
        }
    }
}
