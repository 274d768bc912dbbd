//! Ephemeral ports beside the kernel that hands them out: what is foretold is what connect() then meets.
//!
//! May touch network namespaces that it makes itself. Needs root; says so where it is not. Read first: ip-sysctl
//! (ip_local_port_range), net/ipv4/inet_hashtables.c (`__inet_hash_connect`).
#![cfg(all(feature = "live", feature = "tui"))]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::SocketFlags;
use sockscope::base::Endpoint;
use sockscope::engine::{Config, Engine, Forecast, Input, PortsPane, Query, QueryCache, RouteRow};
use sockscope::io::{Sampler, Sockets, Tracer, clock};
use sockscope::kernel::KernelEvent;

#[path = "support/netns.rs"]
mod netns;
#[path = "support/sockets.rs"]
mod sockets;

use netns::{Netns, Pair, alone, skip};
use sockets::plain_socket;

const A: &str = "10.77.0.2:7000";
const B: &str = "10.77.0.2:7001";
/// The range that the client's namespace has in these tests.
const RANGE: &str = "20000 20099";

/// A client's namespace with a range of 100 ports, and servers that accept in the background.
struct Scene {
    pair: Pair,
    servers: [TcpListener; 2],
}

impl Scene {
    fn new(tag: &str) -> Self {
        let pair = Pair::new(tag);
        set(&pair.a, "net.ipv4.ip_local_port_range", RANGE);
        // Their accept queues hold them all: nobody needs to accept.
        let listen = |on: &str| {
            let socket = plain_socket(SocketFlags::empty());
            rustix::net::bind(&socket, &on.parse::<SocketAddr>().unwrap()).unwrap();
            rustix::net::listen(&socket, 1000).unwrap();
            TcpListener::from(socket)
        };
        let servers = pair.b.run(|| [listen(A), listen(B)]);
        Self { pair, servers }
    }

    fn connect(&self, to: &str) -> std::io::Result<TcpStream> {
        self.pair.a.run(|| TcpStream::connect(to))
    }

    fn connect_many(&self, count: usize, to: &str) -> Vec<TcpStream> {
        self.pair.a.run(|| (0..count).map(|_| TcpStream::connect(to).unwrap()).collect())
    }

    fn bind_many(&self, count: usize) -> Vec<OwnedFd> {
        let bound = || {
            let socket = plain_socket(SocketFlags::empty());
            rustix::net::bind(&socket, &"10.77.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
            socket
        };
        self.pair.a.run(|| (0..count).map(|_| bound()).collect())
    }
}

/// Reads the client's sockets into an engine.
struct Watcher {
    engine: Engine,
}

impl Watcher {
    fn new() -> Self {
        Self { engine: Engine::new(Config::live(1000, 1)) }
    }

    /// Takes in what is traced, up to as many connections from bound sockets.
    fn hear(&mut self, tracer: &mut Tracer, bound: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut heard = 0;
        while heard < bound {
            let mut events = Vec::new();
            tracer.drain(&mut events).unwrap();
            let is_bound = |event: &&KernelEvent| matches!(event, KernelEvent::Connect(connect) if connect.bound);
            heard += events.iter().filter(is_bound).count();
            events.into_iter().for_each(|event| self.engine.feed(&Input::Kernel(event)));
            assert!(Instant::now() < deadline, "{heard} of {bound} were traced");
            std::thread::yield_now();
        }
    }

    fn look(&mut self, netns: &Netns) -> PortsPane {
        let sample = netns.run(|| Sampler::new(Sockets::Diag).unwrap().sample(clock::now).unwrap());
        self.engine.feed(&Input::Sample(Arc::new(sample)));
        self.engine.dashboard(&Query::default(), &mut QueryCache::default()).ports.expect("the kernel was seen")
    }
}

fn set(netns: &Netns, name: &str, value: &str) {
    let done = netns.command("sysctl").args(["-qw", &format!("{name}={value}")]).status().unwrap();
    assert!(done.success(), "sysctl {name}");
}

fn row<'a>(pane: &'a PortsPane, to: &str) -> &'a RouteRow {
    let to: SocketAddr = to.parse().unwrap();
    let to = Endpoint::new(to.ip(), to.port());
    pane.routes.iter().find(|row| row.to == to).unwrap_or_else(|| panic!("no route to {to}: {pane:?}"))
}

#[test]
fn the_last_port_to_one_destination_is_foretold_while_another_stays_full() {
    let Some(_alone) = alone() else { return };
    let scene = Scene::new("ports");
    let mut watcher = Watcher::new();
    let _to_b = scene.connect(B).unwrap();
    let mut to_a = Vec::new();
    for (more, left) in [(40, 60), (59, 1), (1, 0)] {
        to_a.extend(scene.connect_many(more, A));
        let pane = watcher.look(&scene.pair.a);
        assert_eq!((pane.usable, pane.held), (100, 0));
        assert_eq!((row(&pane, A).free(), row(&pane, B).free()), (left, 99), "{pane:?}");
        assert_eq!(matches!(row(&pane, A).forecast, Forecast::Exhausted { .. }), left == 0);
        let own = row(&pane, A).holders.first().map(|(process, count)| (process.pid, *count));
        assert_eq!(own, Some((std::process::id(), 100 - left)), "who holds them");
    }
    assert_eq!(scene.connect(A).unwrap_err().kind(), ErrorKind::AddrNotAvailable, "as was foretold");
    assert!(scene.connect(B).is_ok());
}

#[test]
fn sockets_that_bind_first_take_from_all_destinations() {
    let Some(_alone) = alone() else { return };
    let scene = Scene::new("bound");
    let mut watcher = Watcher::new();
    let _to_b = scene.connect(B).unwrap();
    let bound = scene.bind_many(60);
    let pane = watcher.look(&scene.pair.a);
    assert_eq!((pane.held, row(&pane, B).free()), (60, 39));
    // Connected, they go on to hold their ports for all.
    let to_a: SocketAddr = A.parse().unwrap();
    scene.pair.a.run(|| bound.iter().for_each(|socket| rustix::net::connect(socket, &to_a).unwrap()));
    let pane = watcher.look(&scene.pair.a);
    assert_eq!((pane.held, row(&pane, B).free()), (60, 39));
    let _more = scene.connect_many(39, B);
    let pane = watcher.look(&scene.pair.a);
    assert_eq!(row(&pane, B).free(), 0);
    assert!(matches!(row(&pane, B).forecast, Forecast::Exhausted { .. }));
    assert_eq!(scene.connect(B).unwrap_err().kind(), ErrorKind::AddrNotAvailable, "as was foretold");
}

/// No reading shows them bound: what the kernel recorded of connect() tells.
#[test]
fn sockets_that_bind_and_connect_between_two_readings_take_from_all_destinations() {
    const BOUND: usize = 60;
    let Some(_alone) = alone() else { return };
    let scene = Scene::new("between");
    let mut tracer = match scene.pair.a.run(Tracer::start) {
        Ok(tracer) => tracer,
        Err(error) => return skip(&error.to_string()),
    };
    let (mut watcher, mut blind) = (Watcher::new(), Watcher::new());
    let _to_b = scene.connect(B).unwrap();
    watcher.look(&scene.pair.a);
    let to_a: SocketAddr = A.parse().unwrap();
    let bound = scene.bind_many(BOUND);
    scene.pair.a.run(|| bound.iter().for_each(|socket| rustix::net::connect(socket, &to_a).unwrap()));
    let _shared = scene.connect_many(10, A);
    watcher.hear(&mut tracer, BOUND);
    let pane = watcher.look(&scene.pair.a);
    assert_eq!((pane.held, row(&pane, A).used(), row(&pane, B).free()), (BOUND as u32, 10, 39));
    assert_eq!(blind.look(&scene.pair.a).held, 0, "at least so many, where nobody tells");
    let _more = scene.connect_many(39, B);
    let pane = watcher.look(&scene.pair.a);
    assert_eq!(row(&pane, B).free(), 0);
    assert!(matches!(row(&pane, B).forecast, Forecast::Exhausted { .. }));
    assert_eq!(scene.connect(B).unwrap_err().kind(), ErrorKind::AddrNotAvailable, "as was foretold");
}

#[test]
fn a_steady_rate_is_said_to_level_off() {
    let Some(_alone) = alone() else { return };
    let scene = Scene::new("steady");
    set(&scene.pair.a, "net.ipv4.ip_local_port_range", "32768 60999");
    let begun = Instant::now();
    let mut closed = 0;
    // 210 closes a second, for as long as it takes to measure them.
    scene.pair.a.run(|| {
        while begun.elapsed() < Duration::from_secs(4) {
            let due = begun + Duration::from_secs(closed) / 210;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // The client closes first: TIME-WAIT is its own.
            drop(TcpStream::connect(A).unwrap());
            drop(scene.servers[0].accept().unwrap());
            closed += 1;
        }
    });
    let rate = closed as f64 / begun.elapsed().as_secs_f64();
    let pane = Watcher::new().look(&scene.pair.a);
    let row = row(&pane, A);
    assert_eq!(row.time_wait, closed as u32);
    let expected = rate * 60.0;
    let Forecast::LevelsOff(used) = row.forecast else { panic!("210 a second of 28,232 never run out: {row:?}") };
    assert!((f64::from(used) - expected).abs() < expected * 0.03, "{used}, not about {expected:.0}");
}
