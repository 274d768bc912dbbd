//! TIME-WAIT and CLOSE-WAIT: who waits, towards which service, and how many.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::flow::Side;
use crate::kernel::{Socket, SocketSample};

use super::Engine;
use super::dashboard::TimeWaitPane;
use super::first::first_of;
use super::minute;
use super::record::Record;
use super::table::Tuple;

const SHOWN: usize = 20;

/// TIME-WAIT grouped: by the responder's end (the service), and by the address of the end that waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Groups {
    services: Vec<(Endpoint, u64)>,
    holders: Vec<(IpAddr, u64)>,
}

impl Groups {
    /// Groups pairs of the service's end and the waiting end.
    fn of(waiting: impl Iterator<Item = (Endpoint, Endpoint)>) -> Self {
        let mut counts = Waiting::default();
        waiting.for_each(|(service, holder)| counts.add(service, holder));
        counts.time_wait()
    }
}

/// Who waits in TIME-WAIT, record by record.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    services: FxHashMap<Endpoint, u64>,
    /// The address of each as often as it waits, IPv4 and IPv6: nearly as many as there are flows, of which a list is
    /// sorted sooner than counted.
    v4: Vec<u32>,
    v6: Vec<u128>,
}

impl Waiting {
    /// Counts the ends of a record that the wire shows to wait.
    pub(super) fn count(&mut self, record: &Record) {
        for side in Side::BOTH {
            if record.inferred(side) == Some(TcpState::TimeWait) {
                self.add(record.resp, record.endpoint(side));
            }
        }
    }

    fn add(&mut self, service: Endpoint, holder: Endpoint) {
        *self.services.entry(service).or_default() += 1;
        match holder.ip() {
            IpAddr::V4(ip) => self.v4.push(ip.to_bits()),
            IpAddr::V6(ip) => self.v6.push(ip.to_bits()),
        }
    }

    pub(super) fn time_wait(mut self) -> Groups {
        let v4 = counted(&mut self.v4).map(|(ip, count)| (Ipv4Addr::from_bits(ip).into(), count));
        let v6 = counted(&mut self.v6).map(|(ip, count)| (Ipv6Addr::from_bits(ip).into(), count));
        Groups { services: most(self.services.into_iter()), holders: most(v4.chain(v6)) }
    }
}

/// Each of them, and how often it is there.
fn counted<T: Copy + Ord>(all: &mut [T]) -> impl Iterator<Item = (T, u64)> {
    all.sort_unstable();
    all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64))
}

fn most<K: Ord>(counts: impl Iterator<Item = (K, u64)>) -> Vec<(K, u64)> {
    first_of(counts, SHOWN, |(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)))
}

impl Engine {
    /// Groups the sockets that the kernel reports in TIME-WAIT.
    pub(super) fn group_time_wait(&self, sample: &SocketSample) -> Groups {
        let waiting = sample.sockets.iter().filter(|socket| socket.state.0 == TcpState::TimeWait);
        Groups::of(waiting.map(|socket| (self.service_of(sample, socket), socket.local)))
    }

    fn service_of(&self, sample: &SocketSample, socket: &Socket) -> Endpoint {
        let flow = self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer));
        flow.map_or(socket.peer, |slot| self.table.get(slot).resp)
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
            entered: self.wire_seen.then(|| self.states.entered_time_wait(now)),
            entered_window: minute::watched(self.since, now),
            limits: self.kernel.readings.limits().cloned(),
        }
    }
}
