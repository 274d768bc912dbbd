//! The fullest queues: by the kernel per socket and listener, by the wire per half.

use std::cmp::{Ordering, Reverse};

use crate::flow::{Flow, Side};

use super::dashboard::{AcceptRow, KernelQueues, QueuePane, QueueRow, WireQueueRow};
use super::end::{End, QueueHistory};
use super::first::{First, first_of};
use super::listening::Listener;
use super::record::Record;
use super::{Engine, QueryCache};

const SHOWN: usize = 30;

impl Engine {
    pub(super) fn queue_pane(&self, cache: &QueryCache) -> QueuePane {
        QueuePane {
            kernel: cache.scan.kernel_queues.clone(),
            wire: cache.scan.wire_queues.clone(),
            unknown_halves: cache.scan.unknown_halves,
        }
    }

    /// The fullest by the kernel; `None` before the first reading.
    pub(super) fn kernel_queues(&self) -> Option<KernelQueues> {
        if !self.kernel.is_seen() {
            return None;
        }
        let (listen_overflows, listen_drops) = self.kernel.readings.listen_losses();
        Some(KernelQueues {
            recv: self.fullest(End::recv_queue),
            send: self.fullest(End::send_queue),
            accept: self.accept_rows(),
            listen_overflows,
            listen_drops,
        })
    }

    fn fullest(&self, queue: fn(&End) -> Queue<'_>) -> Vec<QueueRow> {
        let full = self.present_ends().filter(|(_, end)| queue(end).0 > 0);
        let key = |(record, end): &(&Record, &End)| (Reverse(queue(end).0), record.id, end.socket.local);
        let fullest = first_of(full, SHOWN, |a, b| key(a).cmp(&key(b)));
        fullest.into_iter().map(|(record, end)| queue_row(record, end, queue)).collect()
    }

    fn accept_rows(&self) -> Vec<AcceptRow> {
        let mut rows: Vec<AcceptRow> = self.kernel.listeners.iter().map(Listener::accept_row).collect();
        rows.sort_by_key(|row| (Reverse(severity(row)), row.local));
        rows.truncate(SHOWN);
        rows
    }
}

/// A queue of an end: bytes, how it went, its limit.
pub(super) type Queue<'a> = (u32, &'a QueueHistory, Option<u32>);

impl End {
    pub(super) fn recv_queue(&self) -> Queue<'_> {
        (self.unread(), &self.recv, self.socket.buffers.map(|(limit, _)| limit))
    }

    pub(super) fn send_queue(&self) -> Queue<'_> {
        (self.unsent(), &self.send, self.socket.buffers.map(|(_, limit)| limit))
    }
}

pub(super) fn queue_row(record: &Record, end: &End, queue: fn(&End) -> Queue<'_>) -> QueueRow {
    let (bytes, history, limit) = queue(end);
    QueueRow {
        flow: record.id,
        local: end.socket.local,
        peer: end.socket.peer,
        bytes,
        limit,
        since: history.since.unwrap_or(end.at),
        history: history.values(),
        owner: end.owner.clone(),
    }
}

/// Over its limit first (only then it overflows), then by share of the limit, then by length.
fn severity(row: &AcceptRow) -> (bool, u64, u32) {
    (row.limit.is_some_and(|limit| row.waiting > limit), share(row.waiting, row.limit), row.waiting)
}

/// A queue's part of its limit, in millionths; 0 where no limit is known.
pub(super) fn share(length: u32, limit: Option<u32>) -> u64 {
    limit.map_or(0, |limit| u64::from(length) * 1_000_000 / u64::from(limit.max(1)))
}

/// The halves with a closed window (longest first), then those with most bytes unacknowledged, record by record.
#[derive(Debug)]
pub(super) struct WireQueues(First<WireQueueRow, fn(&WireQueueRow, &WireQueueRow) -> Ordering>);

impl Default for WireQueues {
    fn default() -> Self {
        Self(First::new(SHOWN, |a, b| {
            let key = |row: &WireQueueRow| {
                let closed = row.zero_window_since;
                (closed.is_none(), closed, Reverse(row.unacked), row.flow, row.from)
            };
            key(a).cmp(&key(b))
        }))
    }
}

impl WireQueues {
    pub(super) fn offer(&mut self, record: &Record) {
        rows_of(record).for_each(|row| self.0.offer(row));
    }

    pub(super) fn rows(self) -> Vec<WireQueueRow> {
        self.0.finish()
    }
}

/// Halves that sent bytes of which no acknowledgment was ever seen.
pub(super) fn unknown_halves(record: &Record) -> u64 {
    let Some(flow) = &record.wire else { return 0 };
    let unknown = Side::BOTH.into_iter().filter(|side| flow.never_acked(*side)).count() as u64;
    // Of most there are none, and that is soon told.
    if unknown == 0 || record.is_closed() { 0 } else { unknown }
}

pub(super) fn rows_of(record: &Record) -> impl Iterator<Item = WireQueueRow> {
    let waits = |flow: &&Flow| {
        Side::BOTH.into_iter().any(|side| flow.unacked(side) > 0 || flow.zero_window_since(side).is_some())
    };
    // Of most nothing waits, and that is soon told.
    let flow = record.wire.as_ref().filter(waits).filter(|_| !record.is_closed());
    Side::BOTH.into_iter().filter_map(move |side| {
        let (flow, unacked) = (flow?, flow?.unacked(side));
        let zero_window_since = flow.zero_window_since(side.peer());
        (unacked > 0 || zero_window_since.is_some()).then(|| WireQueueRow {
            flow: record.id,
            from: record.endpoint(side),
            to: record.endpoint(side.peer()),
            unacked,
            zero_window_since,
        })
    })
}
