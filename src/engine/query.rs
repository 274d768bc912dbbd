//! What a screen asks of the engine.

use crate::base::Timestamp;
use crate::findings::Finding;

use super::dashboard::{HandshakePane, KernelQueues, WireQueueRow};
use super::lists::{List, Ordered, ProcessRow, RowKey, SortBy};
use super::time_wait::Groups;
use super::{Filter, FlowId};

/// What a screen wants to see. The engine answers with a [`super::Dashboard`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    pub filter: Filter,
    /// Which list the rows are of.
    pub list: List,
    /// The order of the flow table.
    pub sort: Sort,
    /// The first row wanted of the list, and how many.
    pub offset: usize,
    pub rows: usize,
    /// The row whose place in the list is wanted, so that a cursor stays on it.
    pub follow: Option<RowKey>,
    /// The flow whose details are wanted.
    pub selected: Option<FlowId>,
}

/// The order of a list, the flow table's if nothing else is said. Ties go by what a row is of ([`FlowId`], address,
/// pid), so rows never swap without a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort<K = SortKey> {
    pub by: K,
    pub reverse: bool,
}

/// What the flow table is ordered by; each has the direction in which it is most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// Most bits a second first; what is quiet, latest activity first.
    #[default]
    Rate,
    /// Latest activity first.
    Recent,
    /// First seen first.
    First,
    /// Most payload bytes first.
    Bytes,
    /// Fullest receive queue first.
    RecvQ,
    /// Fullest send queue first.
    SendQ,
    /// Longest round trip first.
    Rtt,
    /// By state, in the order of [`crate::base::TcpState::ALL`].
    State,
    /// By process name, then pid.
    Process,
    /// By the originator's address and port.
    Orig,
    /// By the responder's address and port.
    Resp,
}

impl SortKey {
    /// Every key, in the order `s` walks through them.
    pub const ALL: [Self; 11] = [
        Self::Rate,
        Self::Recent,
        Self::First,
        Self::Bytes,
        Self::RecvQ,
        Self::SendQ,
        Self::Rtt,
        Self::State,
        Self::Process,
        Self::Orig,
        Self::Resp,
    ];

    /// As a column heading names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::First => "first seen",
            Self::Rate => "rate",
            Self::Bytes => "payload",
            Self::RecvQ => "Recv-Q",
            Self::SendQ => "Send-Q",
            Self::Rtt => "RTT",
            Self::State => "state",
            Self::Process => "process",
            Self::Orig => "orig",
            Self::Resp => "resp",
        }
    }
}

impl SortBy for SortKey {
    const ALL: &'static [Self] = &Self::ALL;
    fn name(self) -> &'static str {
        Self::name(self)
    }
}

/// What the engine kept of the last answer, so that windows are served without sorting again.
#[derive(Debug, Clone, Default)]
pub struct QueryCache {
    pub(super) key: Option<(Filter, Sort, List)>,
    pub(super) made_at: Option<(u64, Timestamp)>,
    /// What the engine's state was numbered at the last question.
    pub(super) asked_at: Option<u64>,
    /// How many flows match.
    pub(super) matching: usize,
    /// The rows of the list, if the question asked for them.
    pub(super) ordered: Option<Ordered>,
    pub(super) scan: Scan,
}

/// What only a walk over all flows or sockets tells, kept with the order.
#[derive(Debug, Clone, Default)]
pub(super) struct Scan {
    /// Flows in the table.
    pub(super) flows: usize,
    pub(super) mismatched: u64,
    pub(super) kernel_queues: Option<KernelQueues>,
    pub(super) wire_queues: Vec<WireQueueRow>,
    pub(super) unknown_halves: u64,
    pub(super) time_wait: Groups,
    pub(super) busiest: Vec<ProcessRow>,
    pub(super) findings: Vec<Finding>,
    /// Told with the order, so that its counts are of the instant of the findings and lists beside it.
    pub(super) handshakes: HandshakePane,
}
