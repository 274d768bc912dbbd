//! Our reading of the socket table beside `ss` and `lsof`, on real sockets across a veth pair.
//!
//! May touch network namespaces that it makes itself. Needs root; says so where it is not.
#![cfg(feature = "live")]

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::Duration;

use rustix::fs::Uid;
use rustix::net::SocketFlags;
use sockscope::base::{Endpoint, TcpState};
use sockscope::io::{Sampler, Sockets};
use sockscope::kernel::TimerKind;

#[path = "support/beside.rs"]
mod beside;
#[path = "support/netns.rs"]
mod netns;
#[path = "support/readings.rs"]
mod readings;
#[path = "support/sockets.rs"]
mod sockets;
#[path = "support/tools.rs"]
mod tools;

use netns::{Netns, Pair, alone};
use readings::{await_sample, count, row, sample};
use sockets::{begin_connect, child_holding, connect, end, fill, inode_of, plain_socket, reuse_listener};

const NOBODY: u32 = 65534;
/// The clock tick that /proc's times are rounded to.
const TICK: Duration = Duration::from_millis(10);

#[test]
fn rows_equal_ss_and_lsof_in_every_state() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("states");
    let scene = Scene::new(&pair);
    scene.await_states(&pair);
    for (side, netns) in [("client", &pair.a), ("server", &pair.b)] {
        if tools::has("ss") {
            beside::compare_with_ss(side, netns);
        }
        if tools::has("lsof") {
            beside::compare_with_lsof(side, netns);
        }
    }
    scene.check_meaning(&pair);
}

#[test]
fn a_cut_link_leaves_fin_wait_1_and_last_ack() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("cut");
    let listener = pair.b.run(|| TcpListener::bind("10.77.0.2:7000").unwrap());
    let (half_closed, _server_keeps) = connect(&pair, &listener, "10.77.0.2:7000");
    let (closed, server_closes) = connect(&pair, &listener, "10.77.0.2:7000");
    drop(closed);
    await_sample(&pair.b, |sample| count(sample, TcpState::CloseWait) == 1);
    await_sample(&pair.a, |sample| count(sample, TcpState::FinWait2) == 1);
    pair.b.ip(&["link", "set", "vb", "down"]);
    half_closed.shutdown(Shutdown::Write).unwrap();
    drop(server_closes);
    await_sample(&pair.a, |sample| count(sample, TcpState::FinWait1) == 1);
    let sample = await_sample(&pair.b, |sample| count(sample, TcpState::LastAck) == 1);
    let orphan = sample.sockets.iter().find(|socket| socket.state.0 == TcpState::LastAck).unwrap();
    assert_eq!((orphan.inode, orphan.send_q), (None, Some(1)), "the FIN is not acknowledged, and nobody holds it");
    if tools::has("ss") {
        for (side, netns) in [("client", &pair.a), ("server", &pair.b)] {
            beside::compare_with_ss(side, netns);
        }
    }
}

#[test]
fn counters_limits_and_addresses_are_the_namespaces_own() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("facts");
    let listener = pair.b.run(|| TcpListener::bind("10.77.0.2:7000").unwrap());
    let _held = connect(&pair, &listener, "10.77.0.2:7000");
    let sample = pair.a.run(|| {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40100").unwrap();
        std::fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", "40007,40010-40012").unwrap();
        sample(&mut Sampler::new(Sockets::Auto).unwrap())
    });
    assert_eq!(sample.limits.port_range, Some((40000, 40100)));
    assert_eq!(sample.limits.reserved_ports, Some(vec![(40007, 40007), (40010, 40012)]));
    assert_eq!(sample.counters.get("Tcp.ActiveOpens"), Some(1));
    assert_eq!(sample.counters.get("Tcp.PassiveOpens"), Some(0));
    assert_eq!(sample.counters.get("TCP.inuse"), Some(1));
    let addresses: Vec<String> = sample.local_addresses.iter().map(ToString::to_string).collect();
    for address in ["10.77.0.1", "127.0.0.1", "::1", "fd77::1"] {
        assert!(addresses.iter().any(|own| own == address), "{address} in {addresses:?}");
    }
    assert!(!addresses.iter().any(|own| own == "10.77.0.2"));
}

#[test]
fn a_table_that_moves_gives_each_socket_once() {
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("churn");
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:7000").unwrap());
    let (mut readings, mut time_waits) = (0, 0);
    std::thread::scope(|scope| {
        let churn = scope.spawn(|| {
            netns.run(|| {
                for _ in 0..2000 {
                    let client = TcpStream::connect("127.0.0.1:7000").unwrap();
                    let (mut server, _) = listener.accept().unwrap();
                    drop(client);
                    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
                }
            });
        });
        netns.run(|| {
            let mut samplers = [Sockets::Diag, Sockets::Proc].map(|choice| Sampler::new(choice).unwrap());
            while !churn.is_finished() || readings == 0 {
                for sampler in &mut samplers {
                    beside::each_once(&sample(sampler));
                    readings += 1;
                }
            }
            // Every server has read its client's end, and the client closed first.
            time_waits = samplers.each_mut().map(|sampler| count(&sample(sampler), TcpState::TimeWait))[0];
        });
    });
    let last = await_sample(&netns, |sample| count(sample, TcpState::TimeWait) == sample.sockets.len() - 1);
    assert!(readings > 0 && time_waits > 0);
    let counted = last.counters.get("TCP.tw").and_then(|tw| usize::try_from(tw).ok());
    assert_eq!(counted, Some(count(&last, TcpState::TimeWait)), "the kernel's own count");
}

/// Real sockets in every state that can be held still.
struct Scene {
    listener: TcpListener,
    dual: TcpListener,
    /// Reads nothing, so that both queues fill.
    stuck: (TcpStream, TcpStream),
    read_close_wait: (TcpStream, TcpStream),
    unread_close_wait: TcpStream,
    half_open: OwnedFd,
    unanswered: OwnedFd,
    waiting: TcpStream,
    /// Two that share a port (SO_REUSEPORT).
    shared: [TcpListener; 2],
    /// What has to stay open and is not looked at one by one.
    _held: Vec<(TcpStream, TcpStream)>,
    _bound: OwnedFd,
    child: Child,
}

/// Connections that a client closed first.
const TIME_WAITS: usize = 5;

impl Scene {
    fn new(pair: &Pair) -> Self {
        // SYNs from 10.79.0.1 are answered to a neighbour that is not there: SYN-RECV.
        pair.a.ip(&["addr", "add", "10.79.0.1/32", "dev", "lo"]);
        pair.b.ip(&["neigh", "add", "10.77.0.50", "lladdr", "02:00:00:00:00:50", "dev", "vb", "nud", "permanent"]);
        pair.b.ip(&["route", "add", "10.79.0.0/16", "via", "10.77.0.50"]);

        let (listener, dual) =
            pair.b.run(|| (TcpListener::bind("10.77.0.2:7000").unwrap(), TcpListener::bind("[::]:7001").unwrap()));
        // The socket's owner by uid is another than root's.
        rustix::fs::fchown(&listener, Some(Uid::from_raw(NOBODY)), None).unwrap();
        let v4 = connect(pair, &listener, "10.77.0.2:7000");
        let v6 = connect(pair, &dual, "[fd77::2]:7001");
        let mapped = connect(pair, &dual, "10.77.0.2:7001");
        let stuck = connect(pair, &dual, "[fd77::2]:7001");
        fill(&stuck.0);
        let mut read_close_wait = connect(pair, &listener, "10.77.0.2:7000");
        read_close_wait.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_close_wait.1.read(&mut [0; 16]).unwrap(), 0, "the end of file is read");
        let (closed, unread_close_wait) = connect(pair, &listener, "10.77.0.2:7000");
        drop(closed);
        for _ in 0..TIME_WAITS {
            let (client, mut server) = connect(pair, &listener, "10.77.0.2:7000");
            drop(client);
            assert_eq!(server.read(&mut [0; 16]).unwrap(), 0);
        }
        let waiting = pair.a.run(|| TcpStream::connect("10.77.0.2:7000").unwrap());
        let child = child_holding(v4.1.as_fd().try_clone_to_owned().unwrap(), None);
        Self {
            stuck,
            read_close_wait,
            unread_close_wait,
            half_open: pair.a.run(|| begin_connect(Some("10.79.0.1:0"), "10.77.0.2:7000")),
            unanswered: pair.a.run(|| begin_connect(None, "10.78.0.1:9")),
            waiting,
            _held: vec![v4, v6, mapped],
            _bound: pair.a.run(|| {
                let socket = plain_socket(SocketFlags::empty());
                rustix::net::bind(&socket, &"10.77.0.1:7007".parse::<SocketAddr>().unwrap()).unwrap();
                socket
            }),
            shared: pair.b.run(|| [reuse_listener("10.77.0.2:7005"), reuse_listener("10.77.0.2:7005")]),
            child,
            listener,
            dual,
        }
    }

    /// Waits until both tables show what was set up.
    fn await_states(&self, pair: &Pair) {
        await_sample(&pair.a, |sample| {
            let states = [TcpState::SynSent, TcpState::FinWait2, TcpState::TimeWait, TcpState::Estab];
            states.map(|state| count(sample, state)) == [2, 2, TIME_WAITS, 5]
        });
        await_sample(&pair.b, |sample| {
            let states = [TcpState::Listen, TcpState::SynRecv, TcpState::CloseWait, TcpState::Estab];
            states.map(|state| count(sample, state)) == [4, 1, 2, 5]
        });
    }

    /// What the rows mean, beyond being what ss prints.
    fn check_meaning(&self, pair: &Pair) {
        let server = pair.b.run(|| sample(&mut Sampler::new(Sockets::Auto).unwrap()));
        let client = pair.a.run(|| sample(&mut Sampler::new(Sockets::Auto).unwrap()));
        let by_proc = pair.a.run(|| sample(&mut Sampler::new(Sockets::Proc).unwrap()));
        let listen = row(&server, inode_of(&self.listener));
        assert_eq!((listen.recv_q, listen.uid, listen.peer.port()), (1, Some(NOBODY), 0), "one waits for accept()");
        assert!(listen.send_q.is_some_and(|limit| limit >= 128), "the accept queue's limit: {:?}", listen.send_q);
        let waiting = Endpoint::new(self.waiting.local_addr().unwrap().ip(), self.waiting.local_addr().unwrap().port());
        let unaccepted = server.sockets.iter().find(|socket| socket.peer == waiting).unwrap();
        assert_eq!((unaccepted.state.0, unaccepted.inode), (TcpState::Estab, None));

        assert_eq!(row(&server, inode_of(&self.read_close_wait.1)).recv_q, 0, "read its end, forgot close()");
        assert_eq!(row(&server, inode_of(&self.unread_close_wait)).recv_q, 1, "never read its end");
        assert_eq!(row(&client, inode_of(&self.read_close_wait.0)).state.0, TcpState::FinWait2);
        assert!(row(&server, inode_of(&self.stuck.1)).recv_q > 10_000);
        let writer = row(&client, inode_of(&self.stuck.0));
        assert!(writer.send_q > Some(10_000) && writer.timer.is_some_and(|timer| timer.kind == TimerKind::Persist));
        let syn_sent = row(&client, inode_of(&self.unanswered));
        assert_eq!((syn_sent.state.0, syn_sent.send_q), (TcpState::SynSent, Some(1)));
        assert_eq!(row(&client, inode_of(&self.half_open)).state.0, TcpState::SynSent);
        let shared = self.shared.each_ref().map(|listener| row(&server, inode_of(listener)).local.port());
        assert_eq!(shared, [7005, 7005]);
        let dual = row(&server, inode_of(&self.dual));
        assert!(dual.local.is_wildcard() && dual.local.ip().is_ipv6());
        for socket in client.sockets.iter().filter(|socket| socket.state.0 == TcpState::TimeWait) {
            let timer = socket.timer.unwrap();
            assert_eq!((timer.kind, socket.uid, socket.inode), (TimerKind::TimeWait, None, None));
            assert!(timer.left > Duration::from_secs(20) && timer.left <= Duration::from_secs(60), "{timer:?}");
            let same = by_proc.sockets.iter().find(|row| (row.local, row.peer) == (socket.local, socket.peer)).unwrap();
            let later = same.timer.unwrap().left;
            assert!(later <= timer.left + TICK && later + Duration::from_secs(5) > timer.left, "{timer:?} {same:?}");
        }
        let bound = client.sockets.iter().filter(|socket| socket.state.0 == TcpState::Closed);
        assert!(bound.clone().all(|socket| socket.local.port() == 7007), "{:?}", bound.collect::<Vec<_>>());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
