//! Who uses local ports, and who waits in TIME-WAIT, by address and service.
//!
//! Read first: net/ipv4/inet_hashtables.c (__inet_hash_connect), ip-sysctl (ip_local_port_range,
//! ip_local_reserved_ports).

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, TcpState};
use crate::flow::Side;
use crate::kernel::{Limits, Process};

use super::super::ports::RouteRow;
use super::super::record::Record;
use super::super::table::{Tuple, side_of};
use super::super::{Engine, Sort};
use super::{PortRow, PortSort, PortUse, sort_by_key};

type Groups = FxHashMap<(IpAddr, Endpoint), Group>;

#[derive(Debug, Default)]
struct Group {
    time_wait: u64,
    open: u64,
    taken: u64,
    /// The one with the lowest pid, and whether there are others.
    process: Option<(Arc<Process>, bool)>,
}

impl Group {
    fn add_process(&mut self, process: Option<&Arc<Process>>) {
        let Some(new) = process else { return };
        self.process = Some(match self.process.take() {
            None => (new.clone(), false),
            Some((known, more)) if known == *new => (known, more),
            Some((known, _)) if known.pid <= new.pid => (known, true),
            Some(_) => (new.clone(), true),
        });
    }
}

impl Engine {
    /// By the kernel's last reading where there was one, else by the wire.
    pub(super) fn port_rows(&self, sort: Sort<PortSort>) -> Vec<PortRow> {
        let readings = &self.kernel.readings;
        let groups = match readings.limits() {
            Some(limits) => self.ports_by_kernel(limits),
            None => self.ports_by_wire(),
        };
        let scope = readings.scope();
        let row = |((holder, service), group): ((IpAddr, Endpoint), Group)| {
            let serves = holder == service.ip() && group.taken == 0;
            let route = scope.and_then(|scope| self.kernel.ports.route(scope, holder, service)).filter(|_| !serves);
            let taken = route.map_or(group.taken, |route| route.used().into());
            let capacity = self.kernel.ports.capacity().filter(|_| !serves && scope.is_some());
            PortRow {
                holder,
                service,
                serves,
                time_wait: group.time_wait,
                open: group.open,
                ports: capacity.map(|capacity| PortUse { taken, range: capacity.into() }),
                outlook: route.map(RouteRow::outlook),
                process: route.and_then(most_of).or(group.process),
            }
        };
        let rows = groups.into_iter().map(row);
        let mut rows: Vec<PortRow> = rows.filter(|row| row.time_wait > 0 || !row.serves).collect();
        sort_by_key(&mut rows, sort.reverse, |row| {
            let taken = row.ports.map_or(0, |ports| ports.taken);
            let weight = match sort.by {
                PortSort::TimeWait => (row.time_wait, taken),
                PortSort::Ports => (taken, row.time_wait),
                PortSort::Open => (row.open, taken),
                PortSort::Service => (0, 0),
            };
            (Reverse(weight), row.service, row.holder)
        });
        rows
    }

    fn ports_by_kernel(&self, limits: &Limits) -> Groups {
        let range = limits.port_range;
        let mut groups = Groups::default();
        for (sample, socket) in self.kernel.readings.sockets() {
            let state = socket.state.0;
            if matches!(state, TcpState::Listen | TcpState::Closed) {
                continue;
            }
            let found = self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer));
            let record = found.map(|slot| self.table.get(slot));
            let service = record.map_or(socket.peer, |record| record.resp);
            let group = groups.entry((socket.local.ip(), service)).or_default();
            *(if state == TcpState::TimeWait { &mut group.time_wait } else { &mut group.open }) += 1;
            let chosen = service != socket.local
                && range.is_some_and(|(first, last)| (first..=last).contains(&socket.local.port()));
            group.taken += u64::from(chosen);
            let end = record.and_then(|record| record.end(side_of(record, socket.local)));
            group.add_process(end.and_then(|end| end.owner.process()));
        }
        groups
    }

    /// Both ends of every flow that waits in TIME-WAIT, and the originators of those that are not over.
    fn ports_by_wire(&self) -> Groups {
        let mut groups = Groups::default();
        for (_, record) in self.table.iter() {
            for side in Side::BOTH {
                add_by_wire(&mut groups, record, side);
            }
        }
        groups
    }
}

/// Who holds most of a route's ports, and whether others hold some: the callers of connect() count too, whose
/// connections no descriptor leads to any more.
fn most_of(route: &RouteRow) -> Option<(Arc<Process>, bool)> {
    route.holders.first().map(|(process, _)| (process.clone(), route.processes > 1))
}

fn add_by_wire(groups: &mut Groups, record: &Record, side: Side) {
    let waits = record.inferred(side) == Some(TcpState::TimeWait);
    let open = side == Side::Orig && !waits && !record.is_closed();
    if waits || open {
        let group = groups.entry((record.endpoint(side).ip(), record.resp)).or_default();
        *(if waits { &mut group.time_wait } else { &mut group.open }) += 1;
    }
}
