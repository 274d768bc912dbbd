//! Every queue that is not empty, of sockets and of listeners, and what the wire shows of the senders before it.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};

use super::super::end::End;
use super::super::queues::{queue_row, rows_of, share};
use super::super::record::Record;
use super::super::table::side_of;
use super::super::{Engine, Filter, FlowId, Sort};
use super::{QueueEntry, QueueKind, QueueSort, RowKey, sort_by_key};

/// A queue in its order: where to find it again.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Place {
    key: RowKey,
    /// Of a listener, its place among the last reading's.
    listener: Option<usize>,
    /// An accept queue over its limit, a closed window, a Recv-Q that is not read, or none of these.
    severity: u8,
    /// See [`share`].
    share: u64,
    length: u64,
    since: Option<Timestamp>,
}

impl Place {
    pub(super) const fn key(&self) -> RowKey {
        self.key
    }

    const fn kind(&self) -> QueueKind {
        match self.key {
            RowKey::Queue(kind, ..) => kind,
            _ => QueueKind::Accept,
        }
    }
}

const NOT_SEVERE: u8 = 3;

/// A Recv-Q that has not been empty for this long is a warning: its process is slow, or does not read.
pub const STUCK: Duration = Duration::from_secs(10);

impl Engine {
    /// Accept queues are listed where no filter is: they belong to no flow.
    pub(super) fn order_queues(&self, filter: &Filter, sort: Sort<QueueSort>) -> Vec<Place> {
        let now = self.now.unwrap_or_default();
        let mut places: Vec<Place> = self
            .present_ends()
            .filter(|(r, _)| filter.matches(self, r))
            .flat_map(|(record, end)| kernel_places(record, end, now))
            .collect();
        let records = self.table.iter().map(|(_, record)| record).filter(|record| filter.matches(self, record));
        places.extend(records.flat_map(wire_places));
        if filter.is_empty() {
            places.extend((0..self.kernel.listeners.len()).filter_map(|at| self.accept_place(at)));
        }
        sort_by_key(&mut places, sort.reverse, |place| {
            let by = match sort.by {
                QueueSort::Worst => (u64::from(place.severity), Reverse(place.length)),
                QueueSort::Kind => (place.kind() as u64, Reverse(place.length)),
                QueueSort::Longest => (u64::from(place.since.is_none()), Reverse(0)),
            };
            let since = if sort.by == QueueSort::Longest { place.since } else { None };
            (by, since, Reverse(place.share), told_first(place))
        });
        places
    }

    fn accept_place(&self, at: usize) -> Option<Place> {
        let listener = self.kernel.listeners.get(at).filter(|listener| listener.socket.recv_q > 0)?;
        let socket = &listener.socket;
        let over = socket.send_q.is_some_and(|limit| socket.recv_q > limit);
        Some(Place {
            key: listener.key(),
            listener: Some(at),
            severity: if over { 0 } else { NOT_SEVERE },
            share: share(socket.recv_q, socket.send_q),
            length: u64::from(socket.recv_q),
            since: listener.full_since,
        })
    }

    pub(super) fn queue_entry(&self, place: &Place) -> Option<QueueEntry> {
        let RowKey::Queue(kind, flow, whose) = place.key else { return self.accept_entry(place) };
        let record = self.table.get(self.table.find_id(flow)?);
        let end = || record.end(side_of(record, whose));
        match kind {
            QueueKind::Recv => end().map(|end| QueueEntry::Recv(queue_row(record, end, End::recv_queue))),
            QueueKind::Send => end().map(|end| QueueEntry::Send(queue_row(record, end, End::send_queue))),
            QueueKind::Wire => rows_of(record).find(|row| row.from == whose).map(|row| {
                let at_fault = if row.zero_window_since.is_some() { row.to } else { row.from };
                let cells = self.row(record);
                let owner = cells.end(side_of(record, at_fault)).owner.clone();
                QueueEntry::Wire(row, owner)
            }),
            QueueKind::Accept => None,
        }
    }

    fn accept_entry(&self, place: &Place) -> Option<QueueEntry> {
        let listener = self.kernel.listeners.get(place.listener?).filter(|listener| listener.key() == place.key)?;
        let RowKey::Listener(scope, _, id) = place.key else { return None };
        Some(QueueEntry::Accept(scope, id, listener.accept_row()))
    }
}

fn kernel_places(record: &Record, end: &End, now: Timestamp) -> impl Iterator<Item = Place> {
    let queues = [(QueueKind::Recv, end.recv_queue()), (QueueKind::Send, end.send_queue())];
    let (id, local) = (record.id, end.socket.local);
    let stuck = move |since: Option<Timestamp>| since.is_some_and(|since| now.since(since) >= STUCK);
    queues.into_iter().filter(|(_, queue)| queue.0 > 0).map(move |(kind, (bytes, history, limit))| Place {
        key: RowKey::Queue(kind, id, local),
        listener: None,
        severity: if kind == QueueKind::Recv && stuck(history.since) { 2 } else { NOT_SEVERE },
        share: share(bytes, limit),
        length: u64::from(bytes),
        since: history.since,
    })
}

/// What the wire shows; bytes that an end of this host has sent are in its Send-Q, which is listed.
fn wire_places(record: &Record) -> impl Iterator<Item = Place> {
    let known = |from: Endpoint| record.reported(side_of(record, from)).is_some();
    rows_of(record).filter(move |row| row.zero_window_since.is_some() || !known(row.from)).map(|row| Place {
        key: RowKey::Queue(QueueKind::Wire, row.flow, row.from),
        listener: None,
        severity: if row.zero_window_since.is_some() { 1 } else { NOT_SEVERE },
        share: 0,
        length: u64::from(row.unacked),
        since: row.zero_window_since,
    })
}

/// Which of equals comes first: by its flow, then by its address.
fn told_first(place: &Place) -> (Option<FlowId>, Option<Endpoint>, QueueKind) {
    let whose = match place.key {
        RowKey::Queue(_, _, whose) | RowKey::Listener(_, whose, _) => Some(whose),
        _ => None,
    };
    (place.key.flow(), whose, place.kind())
}
