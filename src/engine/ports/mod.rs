//! Ephemeral ports: how many are left for connections from an address of this host to a destination, who holds them,
//! and how long they will last.
//!
//! Read first: net/ipv4/inet_hashtables.c (`__inet_hash_connect`), net/ipv4/tcp_ipv4.c (`tcp_twsk_unique`), ip-sysctl
//! (ip_local_port_range, ip_local_reserved_ports, tcp_tw_reuse). connect() may share a port between destinations: it
//! looks for one whose (source, destination, destination port) is free, and passes over every port that a bind() or a
//! listener holds. So headroom = range − reserved − held for all − this route's own sockets, where a TIME-WAIT that
//! tcp_tw_reuse lets go does not count.

mod bound;
mod forecast;
mod outlook;
mod reading;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, Series, Timestamp};
use crate::findings::Run;
use crate::kernel::{Connect, Process};

use bound::Bound;
use forecast::Ahead;
use outlook::share;
pub use outlook::{Forecast, PortsOutlook};
use reading::Use;

use super::end::End;
use super::record::Record;

const SECOND: Duration = Duration::from_secs(1);
/// Routes whose use is kept over time, and seconds kept of each.
const WATCHED: usize = 64;
const KEPT: usize = 120;
/// Routes told, and processes named of each.
const SHOWN: usize = 20;
const NAMED: usize = 3;
/// The span over which closes and growth are measured; the longer it is, the later a change shows.
const MEASURED: Duration = Duration::from_secs(10);
/// Where none is left, each port that is freed is soon taken: for so long one may be, and it still is as it was.
const FREED: Duration = Duration::from_secs(5);

/// From where to where: what shares one set of ephemeral ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Route {
    scope: Scope,
    from: IpAddr,
    to: Endpoint,
}

/// Ephemeral ports by route.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PortsPane {
    /// net.ipv4.ip_local_port_range; `None` where it is not known, and then nothing else is.
    pub range: Option<(u16, u16)>,
    /// Ports of the range that are not reserved.
    pub usable: u32,
    /// Of those, the ones that no connect() to anywhere gets: listeners hold them, or sockets known to have called
    /// bind(). What bound and connected between two readings only the trace tells, so without it this is "at least".
    pub held: u32,
    /// The tightest routes first.
    pub routes: Vec<RouteRow>,
}

/// One route's ports.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteRow {
    pub from: IpAddr,
    pub to: Endpoint,
    /// Ports that the route's connections may use at most: usable less held.
    pub capacity: u32,
    /// Its sockets that hold a port: connections, and TIME-WAIT.
    pub live: u32,
    pub time_wait: u32,
    /// Its sockets in TIME-WAIT that tcp_tw_reuse lets go: their ports are free.
    pub let_go: u32,
    /// Sockets of it that entered TIME-WAIT a second, lately.
    pub closes_per_s: f64,
    pub forecast: Forecast,
    /// Ports in use, bins of one second, oldest first.
    pub history: Vec<u64>,
    /// Who holds most of them, and how many; of TIME-WAIT who held the connection last.
    pub holders: Vec<(Arc<Process>, u32)>,
    /// How many processes hold some.
    pub processes: usize,
}

impl RouteRow {
    /// Ports in use.
    pub const fn used(&self) -> u32 {
        self.live + self.time_wait
    }

    /// Ports that are left.
    pub const fn free(&self) -> u32 {
        self.capacity.saturating_sub(self.used())
    }

    /// Ports in use, percent of the capacity: 100 only where none is left.
    pub fn percent(&self) -> u32 {
        share(self.used(), self.capacity)
    }

    /// What comes of them.
    pub const fn outlook(&self) -> PortsOutlook {
        PortsOutlook { forecast: self.forecast, used: self.used(), capacity: self.capacity }
    }
}

/// What is remembered from reading to reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports {
    bound: Bound,
    watched: BTreeMap<Route, Watched>,
    range: Option<(u16, u16)>,
    usable: u32,
    held: u32,
    rows: Vec<(Route, RouteRow)>,
}

/// A route over time.
#[derive(Debug, Clone)]
struct Watched {
    /// When readings found none left, or foretold it.
    tight: Option<Run>,
    /// When readings found none left.
    gone: Option<Run>,
    used: Series,
    /// Live sockets at the readings of the last [`MEASURED`] seconds.
    live: VecDeque<(Timestamp, u32)>,
}

impl Ports {
    /// What it holds of connects, bytes: of all else there is little.
    pub(super) fn held(&self) -> usize {
        self.bound.held()
    }

    /// Takes in that a process called connect().
    pub(super) fn connected(&mut self, connect: &Connect) {
        self.bound.tell(connect);
    }

    /// Takes in what a reading shows; `ends` are the connections that it has, `holder` tells whose each is.
    pub(super) fn take<'a>(
        &mut self,
        used: Use,
        at: Timestamp,
        ends: impl Iterator<Item = (&'a Record, &'a End)>,
        holder: impl Fn(&Record, &End) -> Option<Arc<Process>>,
    ) {
        let Use { range, usable, held, bound, mut routes } = used;
        (self.range, self.usable, self.held) = (range, usable, held);
        self.bound.take(bound, at);
        routes.sort_by_key(|(route, count)| (Reverse(count.used()), *route));
        routes.truncate(WATCHED);
        let mut before = std::mem::take(&mut self.watched);
        let capacity = usable.saturating_sub(held);
        let row = |(route, count): (Route, reading::Count)| {
            let mut watched = before.remove(&route).unwrap_or_else(Watched::new);
            watched.take(at, count.used(), count.live);
            let forecast = watched.forecast(at, count.ahead(capacity, watched.growth()));
            self.watched.insert(route, watched);
            (route, count.row(route, capacity, forecast))
        };
        self.rows = routes.into_iter().map(row).collect();
        self.name_holders(ends, holder);
    }

    /// The pane as it was at the last reading; `at` is where its histories end.
    pub(super) fn pane(&self, at: Timestamp) -> PortsPane {
        let row = |(route, row): &(Route, RouteRow)| {
            let history = self.watched.get(route).map_or_else(Vec::new, |watched| watched.until(at, row.used()));
            RouteRow { history, ..row.clone() }
        };
        let routes = self.rows.iter().take(SHOWN).map(row).collect();
        PortsPane { range: self.range, usable: self.usable, held: self.held, routes }
    }

    /// The routes that none is left for, or none will be, and since when either is so.
    pub(super) fn tight(&self) -> impl Iterator<Item = (&RouteRow, Timestamp)> {
        let tight = self.rows.iter().filter(|(_, row)| row.outlook().runs_out());
        tight.filter_map(|(route, row)| Some((row, self.watched.get(route)?.tight?.since)))
    }

    /// What the last reading showed of a route, if it is among those that use most ports.
    pub(super) fn route(&self, scope: Scope, from: IpAddr, to: Endpoint) -> Option<&RouteRow> {
        let route = Route { scope, from, to };
        self.rows.iter().find(|(other, _)| *other == route).map(|(_, row)| row)
    }

    /// Ports that connections to one destination may use at most; `None` where the range is not known.
    pub(super) fn capacity(&self) -> Option<u32> {
        self.range.map(|_| self.usable.saturating_sub(self.held))
    }

    fn name_holders<'a>(
        &mut self,
        ends: impl Iterator<Item = (&'a Record, &'a End)>,
        holder: impl Fn(&Record, &End) -> Option<Arc<Process>>,
    ) {
        let places: BTreeMap<Route, usize> =
            self.rows.iter().enumerate().map(|(place, (route, _))| (*route, place)).collect();
        let mut counts: Vec<BTreeMap<u32, (Arc<Process>, u32)>> = vec![BTreeMap::new(); self.rows.len()];
        for (record, end) in ends {
            let route = Route { scope: record.scope, from: end.socket.local.ip(), to: end.socket.peer };
            let Some(place) = places.get(&route) else { continue };
            if let Some(process) = holder(record, end) {
                counts[*place].entry(process.pid).or_insert_with(|| (process.clone(), 0)).1 += 1;
            }
        }
        for ((_, row), counts) in self.rows.iter_mut().zip(counts) {
            let mut holders: Vec<_> = counts.into_values().collect();
            holders.sort_by_key(|(process, count)| (Reverse(*count), process.pid));
            row.processes = holders.len();
            holders.truncate(NAMED);
            row.holders = holders;
        }
    }
}

impl Watched {
    fn new() -> Self {
        Self { tight: None, gone: None, used: Series::new(SECOND, KEPT), live: VecDeque::new() }
    }

    fn take(&mut self, at: Timestamp, used: u32, live: u32) {
        self.used.set(at, used.into());
        self.live.push_back((at, live));
        let old = |(then, _): &(Timestamp, u32)| at.since(*then) > MEASURED;
        // One reading from before the span stays, so that the span is whole.
        while self.live.get(1).is_some_and(old) || self.live.len() > KEPT {
            self.live.pop_front();
        }
    }

    /// Takes in what a reading at `at` shows to be ahead.
    fn forecast(&mut self, at: Timestamp, ahead: Ahead) -> Forecast {
        let lately = |run: &Run| at.since(run.last) < FREED;
        // The readings may be further apart than that: what two in a row find has gone on between them.
        let before = self.live.iter().rev().nth(1).map(|(then, _)| *then);
        let goes_on_since = |run: &Run| Some(run.last) == before || lately(run);
        let go_on = |run: &mut Option<Run>| {
            let since = run.filter(goes_on_since).map_or(at, |run| run.since);
            *run = Some(Run { since, last: at });
            since
        };
        match ahead {
            Ahead::LevelsOff(used) => Forecast::LevelsOff(used),
            Ahead::RunsOut(left) => {
                go_on(&mut self.tight);
                Forecast::RunsOut { left, at: at + left }
            }
            Ahead::Exhausted => {
                go_on(&mut self.tight);
                Forecast::Exhausted { since: go_on(&mut self.gone) }
            }
        }
    }

    fn until(&self, at: Timestamp, level: u32) -> Vec<u64> {
        self.used.until(at, level.into())
    }

    /// Live sockets more a second: 0 unless they have grown through both halves of the last seconds.
    fn growth(&self) -> f64 {
        let (Some((began, first)), Some((now, last))) = (self.live.front(), self.live.back()) else { return 0.0 };
        let (_, middle) = self.live[self.live.len() / 2];
        let span = now.since(*began).as_secs_f64();
        if span < 2.0 || !(*first < middle && middle < *last) {
            return 0.0;
        }
        f64::from(last - first) / span
    }
}
