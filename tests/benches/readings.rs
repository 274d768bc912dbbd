//! What readings of the socket table cost: each part of it from the kernel, and taking them into the engine.

use std::hint::black_box;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use divan::Bencher;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sockscope::base::{Endpoint, StateSet, TcpState, Timestamp};
use sockscope::engine::{Config, Engine, Input};
use sockscope::io::{Sampler, Sockets, clock};
use sockscope::kernel::{Covers, Limits, Reported, Socket, SocketSample, TcpInfo, Timer, TimerKind};

const LISTEN: StateSet = StateSet::of(&[TcpState::Listen]);
const WAITS: StateSet = StateSet::of(&[TcpState::TimeWait]);
/// Connections that this process holds both ends of.
const HELD: usize = 5_000;
/// Sockets of the readings that the engine takes in; of these, in TIME-WAIT.
const SOCKETS: u32 = 50_000;
const WAITING: u32 = 14_000;

fn main() {
    divan::main();
}

static HOLD: LazyLock<(TcpListener, Vec<(TcpStream, TcpStream)>)> = LazyLock::new(|| {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).expect("the hard limit");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let room = most.map_or(HELD, |most| HELD.min((most as usize).saturating_sub(200) / 2));
    let pair = |_| (TcpStream::connect(address).expect("a connection"), listener.accept().expect("its other end").0);
    let held = (0..room).map(pair).collect();
    (listener, held)
});

/// One reading of 10,000 sockets and more, by what is asked for.
#[divan::bench(args = ["listeners", "connections", "everything", "everything from /proc", "one socket"])]
fn from_the_kernel(bencher: Bencher<'_, '_>, what: &str) {
    let end = |address: std::net::SocketAddr| Endpoint::new(address.ip(), address.port());
    let client = &HOLD.1[0].0;
    let one = vec![(end(client.local_addr().expect("own")), end(client.peer_addr().expect("peer")))];
    let covers = match what {
        "listeners" => Covers::States(LISTEN),
        "connections" => Covers::States(StateSet::ALL.without(LISTEN.with(WAITS))),
        "one socket" => Covers::Sockets(one),
        _ => Covers::ALL,
    };
    let source = if what.ends_with("/proc") { Sockets::Proc } else { Sockets::Diag };
    let mut sampler = Sampler::new(source).expect("a sampler");
    sampler.sample(clock::now).expect("the first look at all processes");
    bencher.bench_local(|| sampler.read(black_box(&covers), clock::now).expect("a reading"));
}

fn socket(n: u32) -> Socket {
    let waits = n < WAITING;
    Socket {
        local: Endpoint::new([10, 0, 0, 1], 1024 + (n % 60_000) as u16),
        peer: Endpoint::new((0x0a01_0000 + n / 60_000).to_be_bytes(), 443),
        state: Reported(if waits { TcpState::TimeWait } else { TcpState::Estab }),
        recv_q: n % 3,
        send_q: Some(0),
        timer: waits.then_some(Timer { kind: TimerKind::TimeWait, left: Duration::from_secs(30), retries: 0 }),
        uid: None,
        inode: (!waits).then_some(u64::from(n) + 1),
        cookie: Some(n.into()),
        buffers: None,
        drops: None,
        memory: None,
        congestion: None,
        cgroup: None,
        info: Some(Box::new(TcpInfo::default())),
    }
}

fn reading(states: StateSet, second: i64) -> Input {
    let sockets = (0..SOCKETS).map(socket).filter(|socket| states.has(socket.state.0)).collect();
    Input::Sample(Arc::new(SocketSample {
        covers: Covers::States(states),
        sockets,
        limits: Arc::new(Limits { port_range: Some((32_768, 60_999)), ..Limits::default() }),
        local_addresses: vec![std::net::IpAddr::from([10, 0, 0, 1])].into(),
        ..SocketSample::empty(Timestamp::from_nanos(second * 1_000_000_000))
    }))
}

/// A reading of 50,000 sockets that are all known.
#[divan::bench(args = ["listeners", "connections", "everything"], sample_count = 20)]
fn into_the_engine(bencher: Bencher<'_, '_>, what: &str) {
    let states = match what {
        "listeners" => LISTEN,
        "connections" => StateSet::ALL.without(LISTEN.with(WAITS)),
        _ => StateSet::ALL,
    };
    let mut engine = Engine::new(Config::live(1_000_000, 7));
    engine.feed(&reading(StateSet::ALL, 1));
    let next = reading(states, 2);
    bencher.bench_local(|| engine.feed(black_box(&next)));
}
