//! Flows in groups: by process, by far address, by service. A group that is open is followed by its flows.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Timestamp;
use crate::flow::Side;
use crate::kernel::Process;

use super::super::record::Record;
use super::super::table::Slot;
use super::super::{Engine, FlowId, FlowRow, Query, SortKey};
use super::{Keyed, ProcessId, RowKey, sort_by_key};

/// What makes flows a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// Who holds the end on this host, the originator's if both are here; where nobody here is known, who holds the other
    /// in another network namespace.
    Process,
    /// The address of the end that is not on this host; where that is not known, the responder's.
    Peer,
    /// The responder's port.
    Port,
}

impl GroupBy {
    /// Every way, in the order in which a screen offers them.
    pub const ALL: [Self; 3] = [Self::Process, Self::Peer, Self::Port];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Peer => "peer",
            Self::Port => "port",
        }
    }
}

/// A group of flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKey {
    Process(ProcessId),
    /// Nobody is known to hold them.
    NoProcess,
    Peer(IpAddr),
    Port(u16),
}

/// A line of the grouped flow table.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupLine {
    Group(GroupRow),
    /// A flow of the group above it.
    Flow(Box<FlowRow>),
}

impl Keyed for GroupLine {
    fn key(&self) -> RowKey {
        match self {
            Self::Group(row) => RowKey::Group(row.key),
            Self::Flow(row) => RowKey::Flow(row.id),
        }
    }
}

/// A group with the sums of its flows.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    pub key: GroupKey,
    /// Of a group by process.
    pub process: Option<Arc<Process>>,
    pub flows: u64,
    /// Of those, how many are over.
    pub closed: u64,
    /// As in [`FlowRow`], over all of them that tell it.
    pub bits_per_s: Option<u64>,
    pub payload_bytes: Option<u64>,
    pub retrans_wire: Option<u64>,
    pub recv_q: Option<u64>,
    pub send_q: Option<u64>,
    /// Its flows follow.
    pub open: bool,
}

/// A line in its order.
#[derive(Debug, Clone)]
pub(in super::super) enum Entry {
    Group(Box<GroupRow>),
    Flow(FlowId),
}

impl Entry {
    pub(super) fn key(&self) -> RowKey {
        match self {
            Self::Group(row) => RowKey::Group(row.key),
            Self::Flow(id) => RowKey::Flow(*id),
        }
    }
}

impl Engine {
    /// Groups by what the flow table is ordered by; only the flows of open groups are ordered.
    pub(super) fn order_groups(&self, query: &Query, by: GroupBy, open: &[GroupKey]) -> Vec<Entry> {
        let now = self.now.unwrap_or_default();
        let mut groups: FxHashMap<GroupKey, GroupRow> = FxHashMap::default();
        let mut inside: FxHashMap<GroupKey, Vec<(Slot, FlowId)>> = FxHashMap::default();
        for (slot, record) in self.table.iter().filter(|(_, record)| query.filter.matches(self, record)) {
            let key = self.group_of(record, by);
            let group = groups.entry(key).or_insert_with(|| begin(key, open.contains(&key)));
            add(group, record, || self.process(record), now);
            if group.open {
                inside.entry(key).or_default().push((slot, record.id));
            }
        }
        let mut rows: Vec<GroupRow> = groups.into_values().collect();
        sort_by_key(&mut rows, query.sort.reverse, |row| (Reverse(weight(row, query.sort.by)), row.key));
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let flows = inside.remove(&row.key).unwrap_or_default();
            entries.push(Entry::Group(Box::new(row)));
            entries.extend(self.in_order(flows.into_iter(), query.sort, usize::MAX).into_iter().map(Entry::Flow));
        }
        entries
    }

    pub(super) fn group_line(&self, entry: &Entry) -> Option<GroupLine> {
        Some(match entry {
            Entry::Group(row) => GroupLine::Group((**row).clone()),
            Entry::Flow(id) => GroupLine::Flow(Box::new(self.row(self.table.get(self.table.find_id(*id)?)))),
        })
    }

    fn group_of(&self, record: &Record, by: GroupBy) -> GroupKey {
        match by {
            GroupBy::Process => match self.process(record) {
                Some(process) => GroupKey::Process(ProcessId::of(&process)),
                None => GroupKey::NoProcess,
            },
            GroupBy::Peer => {
                let here = record.local.map(|local| local && self.addresses.is_some());
                let far = if here == [false, true] { Side::Orig } else { Side::Resp };
                GroupKey::Peer(record.endpoint(far).ip())
            }
            GroupBy::Port => GroupKey::Port(record.resp.port()),
        }
    }
}

fn begin(key: GroupKey, open: bool) -> GroupRow {
    GroupRow {
        key,
        process: None,
        flows: 0,
        closed: 0,
        bits_per_s: None,
        payload_bytes: None,
        retrans_wire: None,
        recv_q: None,
        send_q: None,
        open,
    }
}

fn add(group: &mut GroupRow, record: &Record, process: impl Fn() -> Option<Arc<Process>>, now: Timestamp) {
    let sum = |all: &mut Option<u64>, one: Option<u64>| {
        if let Some(one) = one {
            *all = Some(all.unwrap_or(0).saturating_add(one));
        }
    };
    group.flows += 1;
    group.closed += u64::from(record.is_closed());
    if group.process.is_none() && matches!(group.key, GroupKey::Process(_)) {
        group.process = process();
    }
    sum(&mut group.bits_per_s, record.bits_per_s(now));
    sum(&mut group.payload_bytes, record.payload_bytes());
    sum(&mut group.retrans_wire, record.retransmissions());
    for end in record.ends.iter().flatten().filter(|end| end.is_there()) {
        sum(&mut group.recv_q, Some(end.unread().into()));
        sum(&mut group.send_q, Some(end.unsent().into()));
    }
}

fn weight(row: &GroupRow, by: SortKey) -> (u64, u64) {
    let sum = match by {
        SortKey::Rate => row.bits_per_s,
        SortKey::Bytes => row.payload_bytes,
        SortKey::RecvQ => row.recv_q,
        SortKey::SendQ => row.send_q,
        _ => None,
    };
    (sum.unwrap_or(0), row.flows)
}
