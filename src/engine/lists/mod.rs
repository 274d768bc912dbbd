//! Lists beside the flow table: findings, handshakes, queues, users of ports, listeners, processes. Each is ordered
//! when its order is stale (as the flow table's, see `order`) and served in windows; a row has a key, so that a cursor
//! stays on it.

mod findings;
mod groups;
mod handshakes;
mod listeners;
mod ports;
mod processes;
mod queues;
mod rows;
mod sorts;

use crate::base::{Endpoint, Scope};
use crate::findings::{Finding, FindingKey};

use super::order::FirstFlows;
use super::{Engine, FlowId, FlowPane, Query, Sort};

pub use findings::{Concerned, concerned};
pub use groups::{GroupBy, GroupKey, GroupLine, GroupRow};
pub use queues::STUCK;
pub use rows::{
    CameIn, DescriptorRow, HandshakeRow, ListenerRow, PortRow, PortUse, ProcessLine, ProcessRow, QueueEntry,
};
pub use sorts::{FindingSort, HandshakeSort, ListenerSort, PortSort, ProcessSort, QueueSort, SortBy};

/// Which list a screen shows besides its panes, in which order.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum List {
    /// The flow table, in the order of [`Query::sort`].
    #[default]
    Flows,
    /// The same in groups, and the flows of those that are open.
    Groups(GroupBy, Vec<GroupKey>),
    Handshakes(Sort<HandshakeSort>),
    Queues(Sort<QueueSort>),
    Ports(Sort<PortSort>),
    Listeners(Sort<ListenerSort>),
    /// Processes, and the sockets of those that are open.
    Processes(Sort<ProcessSort>, Vec<ProcessId>),
    /// Findings, and the flows that one of them is about.
    Findings(Sort<FindingSort>, Option<FindingKey>),
}

/// A process, whatever became of its pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    pub pid: u32,
    /// As [`crate::kernel::Process::start_time`].
    pub start_time: Option<u64>,
}

/// Which queue of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueKind {
    Recv,
    Send,
    /// A listener's, of connections that wait for `accept()`.
    Accept,
    /// What the wire shows of a sender: bytes not acknowledged, its peer's window closed.
    Wire,
}

/// What a row of a list is about: it stays the same while the row moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowKey {
    Flow(FlowId),
    Group(GroupKey),
    /// A queue of the end at this address.
    Queue(QueueKind, FlowId, Endpoint),
    /// A listening socket, by its local end and its cookie or inode.
    Listener(Scope, Endpoint, Option<u64>),
    /// Connections from an address to a service.
    Ports(std::net::IpAddr, Endpoint),
    Process(ProcessId),
    /// A descriptor of a process, and the flow that it is of (a listener's is of none).
    Descriptor(ProcessId, u32, Option<FlowId>),
    Finding(FindingKey),
}

impl RowKey {
    /// The flow that the row is about.
    pub const fn flow(self) -> Option<FlowId> {
        match self {
            Self::Flow(flow) | Self::Queue(_, flow, _) | Self::Descriptor(_, _, Some(flow)) => Some(flow),
            Self::Group(_) | Self::Listener(..) | Self::Ports(..) | Self::Process(_) | Self::Finding(_) => None,
            Self::Descriptor(_, _, None) => None,
        }
    }
}

/// A row that can be told from others while it moves.
pub trait Keyed {
    fn key(&self) -> RowKey;
}

/// Rows of a list from `offset` on, and how many there are in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Window<T> {
    pub matching: usize,
    pub offset: usize,
    /// The place of the row that the query follows, if it is among them.
    pub followed: Option<usize>,
    pub rows: Vec<T>,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { matching: 0, offset: 0, followed: None, rows: Vec::new() }
    }
}

/// The window of the list that was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ListPane {
    /// It is the flow table's ([`super::Dashboard::flows`]).
    #[default]
    Flows,
    Groups(Window<GroupLine>),
    Handshakes(Window<HandshakeRow>),
    Queues(Window<QueueEntry>),
    Ports(Window<PortRow>),
    Listeners(Window<ListenerRow>),
    Processes(Window<ProcessLine>),
    Findings(Window<Finding>, FlowPane),
}

/// Where a window stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    pub matching: usize,
    pub offset: usize,
    pub followed: Option<usize>,
    /// The keys of its rows.
    pub keys: Vec<RowKey>,
}

impl<T: Keyed> Window<T> {
    fn place(&self) -> Place {
        let keys = self.rows.iter().map(Keyed::key).collect();
        Place { matching: self.matching, offset: self.offset, followed: self.followed, keys }
    }
}

impl super::Dashboard {
    /// Where the rows that came stand in their list, whichever list it is.
    pub fn place(&self) -> Place {
        match &self.list {
            ListPane::Flows => {
                let flows = &self.flows;
                let keys = flows.rows.iter().map(|row| RowKey::Flow(row.id)).collect();
                Place { matching: flows.matching, offset: flows.offset, followed: flows.followed, keys }
            }
            ListPane::Groups(window) => window.place(),
            ListPane::Handshakes(window) => window.place(),
            ListPane::Queues(window) => window.place(),
            ListPane::Ports(window) => window.place(),
            ListPane::Listeners(window) => window.place(),
            ListPane::Processes(window) => window.place(),
            ListPane::Findings(window, _) => window.place(),
        }
    }
}

/// A list in its order, as the cache keeps it: rows where there are few, what makes them where there may be many.
#[derive(Debug, Clone)]
pub(super) enum Ordered {
    Flows(FirstFlows),
    Groups(Vec<groups::Entry>),
    Handshakes(Vec<FlowId>),
    Queues(Vec<queues::Place>),
    Ports(Vec<PortRow>),
    Listeners(Vec<ListenerRow>),
    Processes(Vec<ProcessLine>),
    Findings(Vec<Finding>, findings::FlowsOf),
}

impl Ordered {
    /// The flow table's order; `None` for other lists.
    pub(super) const fn flows(&self) -> Option<&FirstFlows> {
        if let Self::Flows(order) = self { Some(order) } else { None }
    }
}

impl Engine {
    /// The list that `query` asks for, in its order; `findings` is what was found.
    pub(super) fn ordered(&self, query: &Query, findings: &[Finding]) -> Ordered {
        let filter = &query.filter;
        match &query.list {
            List::Flows => Ordered::Flows(self.first_flows(query, |_, _| {})),
            List::Groups(by, open) => Ordered::Groups(self.order_groups(query, *by, open)),
            List::Handshakes(sort) => Ordered::Handshakes(self.order_handshakes(filter, *sort)),
            List::Queues(sort) => Ordered::Queues(self.order_queues(filter, *sort)),
            List::Ports(sort) => Ordered::Ports(self.port_rows(*sort)),
            List::Listeners(sort) => Ordered::Listeners(self.listener_rows(*sort)),
            List::Processes(sort, open) => Ordered::Processes(self.process_lines(filter, *sort, open)),
            List::Findings(sort, of) => {
                let found = self.findings_about(findings.to_vec(), filter);
                Ordered::Findings(findings::ordered(found, *sort), self.flows_of_finding(*of))
            }
        }
    }

    /// A window of it, told as rows.
    pub(super) fn list_pane(&self, query: &Query, ordered: &Ordered) -> ListPane {
        match ordered {
            Ordered::Flows(_) => ListPane::Flows,
            Ordered::Groups(order) => {
                ListPane::Groups(window(query, order, groups::Entry::key, |entry| self.group_line(entry)))
            }
            Ordered::Handshakes(order) => {
                let of = |id: &FlowId| self.handshake_row(*id);
                ListPane::Handshakes(window(query, order, |id| RowKey::Flow(*id), of))
            }
            Ordered::Queues(order) => {
                ListPane::Queues(window(query, order, queues::Place::key, |place| self.queue_entry(place)))
            }
            Ordered::Ports(rows) => ListPane::Ports(window(query, rows, Keyed::key, |row| Some(row.clone()))),
            Ordered::Listeners(rows) => ListPane::Listeners(window(query, rows, Keyed::key, |row| Some(row.clone()))),
            Ordered::Processes(rows) => ListPane::Processes(window(query, rows, Keyed::key, |row| Some(row.clone()))),
            Ordered::Findings(rows, flows) => {
                let window = window(query, rows, Keyed::key, |row| Some(row.clone()));
                ListPane::Findings(window, self.finding_flows(flows))
            }
        }
    }
}

fn window<P, T>(query: &Query, order: &[P], key: impl Fn(&P) -> RowKey, row: impl Fn(&P) -> Option<T>) -> Window<T> {
    Window {
        matching: order.len(),
        offset: query.offset,
        followed: query.follow.and_then(|wanted| order.iter().position(|place| key(place) == wanted)),
        rows: order.iter().skip(query.offset).take(query.rows).filter_map(row).collect(),
    }
}

/// Sorts by a key, told once a row; `reverse` turns the whole order round.
fn sort_by_key<T, K: Ord>(rows: &mut [T], reverse: bool, key: impl FnMut(&T) -> K) {
    rows.sort_by_cached_key(key);
    if reverse {
        rows.reverse();
    }
}
