//! One reading of the socket table → the ports in use by route.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Endpoint, Scope, TcpState};
use crate::kernel::{Limits, Socket, TimerKind};

use super::forecast::{Ahead, Trend};
use super::{Forecast, MEASURED, Ports, Route, RouteRow};

/// Linux's TCP_TIMEWAIT_LEN.
const TIME_WAIT: Duration = Duration::from_secs(60);
/// net.ipv4.tcp_tw_reuse_delay, where the kernel has no such sysctl (before 6.14 it was fixed).
const REUSE_DELAY: Duration = Duration::from_secs(1);

/// What a reading shows.
#[derive(Debug)]
pub(in crate::engine) struct Use {
    pub(super) range: Option<(u16, u16)>,
    pub(super) usable: u32,
    pub(super) held: u32,
    pub(super) bound: BTreeSet<(Scope, u16)>,
    pub(super) routes: Vec<(Route, Count)>,
}

/// A route's sockets.
#[derive(Debug, Clone, Default)]
pub(super) struct Count {
    pub(super) live: u32,
    let_go: u32,
    /// TIME-WAIT that holds its port, by the seconds for which it still does.
    waiting: Vec<u32>,
    /// What entered TIME-WAIT in the last [`MEASURED`], and the age of the oldest of these.
    entered: u32,
    oldest: Duration,
    /// There are older ones than that.
    long: bool,
    /// For how long a TIME-WAIT that is entered now will hold its port.
    hold: Duration,
}

impl Ports {
    /// Counts the sockets of the table. `came_in` tells whether a listener of earlier had the local end; `timestamps`
    /// whether the connection is known to carry none (RFC 7323), without which tcp_tw_reuse lets nothing go.
    pub(in crate::engine) fn count(
        &self,
        scope: Scope,
        limits: &Limits,
        sockets: &[&Socket],
        came_in: impl Fn(Endpoint) -> bool,
        without_timestamps: impl Fn(&Socket) -> bool,
    ) -> Use {
        let Some(range) = limits.port_range else {
            return Use { range: None, usable: 0, held: 0, bound: BTreeSet::new(), routes: Vec::new() };
        };
        let usable = |port: u16| is_usable(port, range, limits);
        let inside = || sockets.iter().copied().filter(|socket| usable(socket.local.port()));
        let bound = self.bound.among(scope, inside());
        let held: FxHashSet<u16> = inside()
            .filter(|socket| {
                let by_listener = matches!(socket.state.0, TcpState::Listen | TcpState::SynRecv);
                by_listener || bound.contains(&(scope, socket.local.port())) || came_in(socket.local)
            })
            .map(|socket| socket.local.port())
            .collect();
        let mut routes: FxHashMap<Route, Count> = FxHashMap::default();
        for socket in inside().filter(|socket| !held.contains(&socket.local.port())) {
            let route = Route { scope, from: socket.local.ip(), to: socket.peer };
            let count = routes.entry(route).or_insert_with(|| Count::new(route, limits));
            count.add(socket, &without_timestamps);
        }
        // The order of a hash must not show.
        let routes: BTreeMap<Route, Count> = routes.into_iter().collect();
        Use {
            range: Some(range),
            usable: (range.0..=range.1).filter(|port| usable(*port)).count() as u32,
            held: held.len() as u32,
            bound,
            routes: routes.into_iter().collect(),
        }
    }
}

/// Whether connect() may choose the port: it is of the range, and not reserved.
fn is_usable(port: u16, (first, last): (u16, u16), limits: &Limits) -> bool {
    let is_reserved = || limits.reserved_ports.iter().flatten().any(|(from, to)| (*from..=*to).contains(&port));
    (first..=last).contains(&port) && !is_reserved()
}

impl Count {
    fn new(route: Route, limits: &Limits) -> Self {
        Self { waiting: vec![0; 61], hold: hold(route, limits), ..Self::default() }
    }

    fn add(&mut self, socket: &Socket, without_timestamps: impl Fn(&Socket) -> bool) {
        if socket.state.0 != TcpState::TimeWait {
            self.live += 1;
            return;
        }
        let left = socket.timer.filter(|timer| timer.kind == TimerKind::TimeWait).map(|timer| timer.left);
        let age = left.map(|left| TIME_WAIT.saturating_sub(left));
        let hold = if self.hold < TIME_WAIT && without_timestamps(socket) { TIME_WAIT } else { self.hold };
        match age {
            // At the end of its time it is as good as gone; that the timer is late holds it still.
            Some(age) if age >= hold && hold < TIME_WAIT => self.let_go += 1,
            _ => {
                let rest = hold.saturating_sub(age.unwrap_or_default());
                self.waiting[rest.as_millis().div_ceil(1000).min(60) as usize] += 1;
            }
        }
        match age {
            Some(age) if age < MEASURED => {
                self.entered += 1;
                self.oldest = self.oldest.max(age);
            }
            Some(_) => self.long = true,
            None => {}
        }
    }

    pub(super) fn used(&self) -> u32 {
        self.live + self.waiting.iter().sum::<u32>()
    }

    /// How many enter TIME-WAIT a second: over the last seconds, or since the first of them where that is less.
    fn closes_per_s(&self) -> f64 {
        if self.long {
            return f64::from(self.entered) / MEASURED.as_secs_f64();
        }
        // Of n closes, n - 1 came after the first; what took less than a second says nothing of a rate yet.
        f64::from(self.entered.saturating_sub(1)) / self.oldest.as_secs_f64().max(1.0)
    }

    /// What is ahead where connections grow so fast.
    pub(super) fn ahead(&self, capacity: u32, growth: f64) -> Ahead {
        let (live, waiting, closes) = (self.live, &self.waiting, self.closes_per_s());
        let hold = self.hold.as_secs().max(1) as u32;
        Trend { capacity, live, growth, waiting, closes, hold }.ahead()
    }

    pub(super) fn row(&self, route: Route, capacity: u32, forecast: Forecast) -> RouteRow {
        RouteRow {
            from: route.from,
            to: route.to,
            capacity,
            live: self.live,
            time_wait: self.used() - self.live,
            let_go: self.let_go,
            closes_per_s: self.closes_per_s(),
            forecast,
            history: Vec::new(),
            holders: Vec::new(),
            processes: 0,
        }
    }
}

/// For how long a TIME-WAIT of the route holds its port: 60 s, or until tcp_tw_reuse lets it go (1: everywhere, 2: on
/// loopback), which needs timestamps.
fn hold(route: Route, limits: &Limits) -> Duration {
    let loopback = route.from.is_loopback() || route.to.ip().is_loopback();
    let lets_go = match limits.tcp_tw_reuse {
        Some(1) => true,
        Some(2) => loopback,
        _ => false,
    };
    if lets_go && limits.tcp_timestamps.is_some_and(|timestamps| timestamps != 0) {
        limits.tcp_tw_reuse_delay.map_or(REUSE_DELAY, |millis| Duration::from_millis(millis.into()))
    } else {
        TIME_WAIT
    }
}
