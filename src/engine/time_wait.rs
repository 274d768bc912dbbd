//! TIME-WAIT and CLOSE-WAIT: who waits, towards which service, and how many.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::flow::Side;
use crate::kernel::{Socket, SocketSample};

use super::Engine;
use super::dashboard::TimeWaitPane;
use super::record::Record;
use super::table::Tuple;

const SHOWN: usize = 20;
const ENTERED_WINDOW: Duration = Duration::from_secs(60);

/// TIME-WAIT grouped: by the responder's end (the service), and by the address of the end that waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Groups {
    services: Vec<(Endpoint, u64)>,
    holders: Vec<(IpAddr, u64)>,
}

impl Groups {
    /// Groups pairs of the service's end and the waiting end's address.
    fn of(waiting: impl Iterator<Item = (Endpoint, IpAddr)>) -> Self {
        let mut services: FxHashMap<Endpoint, u64> = FxHashMap::default();
        let mut holders: FxHashMap<IpAddr, u64> = FxHashMap::default();
        for (service, holder) in waiting {
            *services.entry(service).or_default() += 1;
            *holders.entry(holder).or_default() += 1;
        }
        Self { services: most(services), holders: most(holders) }
    }

    /// Groups the ends that the wire shows in TIME-WAIT.
    pub(super) fn by_wire<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        let waits = |record: &'a Record, side| record.inferred(side) == Some(TcpState::TimeWait);
        Self::of(records.flat_map(move |record| {
            let ends = Side::BOTH.into_iter().filter(move |side| waits(record, *side));
            ends.map(move |side| (record.resp, record.endpoint(side).ip()))
        }))
    }
}

/// CLOSE-WAIT grouped by the waiting end's address and the service.
pub(super) type CloseWait = Vec<((IpAddr, Endpoint), u64)>;

/// Groups the ends that the wire shows in CLOSE-WAIT.
pub(super) fn close_wait_by_wire<'a>(records: impl Iterator<Item = &'a Record>) -> CloseWait {
    let mut counts: FxHashMap<(IpAddr, Endpoint), u64> = FxHashMap::default();
    for record in records {
        for side in Side::BOTH {
            if record.inferred(side) == Some(TcpState::CloseWait) {
                *counts.entry((record.endpoint(side).ip(), record.resp)).or_default() += 1;
            }
        }
    }
    most(counts)
}

fn most<K: Ord + Copy>(counts: FxHashMap<K, u64>) -> Vec<(K, u64)> {
    let mut counts: Vec<(K, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(key, count)| (Reverse(*count), *key));
    counts.truncate(SHOWN);
    counts
}

impl Engine {
    /// Groups the sockets that the kernel reports in TIME-WAIT.
    pub(super) fn group_time_wait(&self, sample: &SocketSample) -> Groups {
        let waiting = sample.sockets.iter().filter(|socket| socket.state.0 == TcpState::TimeWait);
        Groups::of(waiting.map(|socket| (self.service_of(sample, socket), socket.local.ip())))
    }

    /// Groups the sockets that the kernel reports in CLOSE-WAIT.
    pub(super) fn group_close_wait(&self, sample: &SocketSample) -> CloseWait {
        let mut counts: FxHashMap<(IpAddr, Endpoint), u64> = FxHashMap::default();
        for socket in sample.sockets.iter().filter(|socket| socket.state.0 == TcpState::CloseWait) {
            *counts.entry((socket.local.ip(), self.service_of(sample, socket))).or_default() += 1;
        }
        most(counts)
    }

    fn service_of(&self, sample: &SocketSample, socket: &Socket) -> Endpoint {
        let flow = self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer));
        flow.map_or(socket.peer, |slot| self.table.get(slot).resp)
    }

    /// Who holds CLOSE-WAIT; `by_wire` is what the wire shows.
    pub(super) fn close_wait(&self, by_wire: &CloseWait) -> Vec<(IpAddr, Endpoint, u64)> {
        let kernel = self.states.kernel(TcpState::CloseWait).is_some();
        let groups = if kernel { &self.kernel.close_wait } else { by_wire };
        groups.iter().map(|((holder, service), n)| (*holder, *service, *n)).collect()
    }

    /// The pane; `by_wire` is what the wire shows.
    pub(super) fn time_wait_pane(&self, now: Timestamp, by_wire: &Groups) -> TimeWaitPane {
        let kernel = self.states.kernel(TcpState::TimeWait);
        let groups = if kernel.is_some() { &self.kernel.time_wait } else { by_wire };
        TimeWaitPane {
            kernel,
            wire: self.wire_seen.then(|| self.states.wire(TcpState::TimeWait)),
            history: self.states.history(TcpState::TimeWait, now),
            peers: groups.services.clone(),
            holders: groups.holders.clone(),
            entered: self.wire_seen.then(|| self.states.entered_time_wait(now, ENTERED_WINDOW)),
            entered_window: self.since.map_or(Duration::ZERO, |since| now.since(since)).min(ENTERED_WINDOW),
            limits: self.kernel.last.as_ref().map(|sample| sample.limits.clone()),
        }
    }
}
