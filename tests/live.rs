//! The whole program, live, beside `ss`, `lsof` and the kernel's own counters, on real sockets across a veth pair.
//!
//! May touch network namespaces that it makes itself, and child processes. Needs root; says so where it is not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::SocketFlags;
use serde_json::Value;
use sockscope::base::{Endpoint, TcpState};
use sockscope::io::{Sampler, Sockets};

#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;
#[path = "support/readings.rs"]
mod readings;
#[path = "support/sockets.rs"]
mod sockets;
#[path = "support/tools.rs"]
mod tools;

use netns::{Netns, Pair, alone};
use program::{End, PROGRAM, Report, Watch, address};
use readings::{await_sample, count, row, sample};
use sockets::{begin_connect, child_holding, connect, end, fill, inode_of};
use tools::{LsofRow, SsRow};

const V4: &str = "10.77.0.2:7000";
const V6: &str = "[fd77::2]:7001";
/// Where nobody listens, and where nobody answers (ARP is answered).
const REFUSED: &str = "10.77.0.2:7099";
const SILENT: &str = "10.78.0.1:9";
/// The next retry is overdue only 3.5 s after the last, of which connect() waited for some: an observer of packets
/// cannot know the limits of the sender.
const OVERDUE: Duration = Duration::from_millis(2700);
/// Connections of the burst that the client, and that the server closes first.
const CLIENT_FIRST: usize = 200;
const SERVER_FIRST: usize = 120;
/// Connections that end by RST, which leaves no TIME-WAIT.
const RESET: usize = 3;

#[test]
fn rows_equal_the_tools() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("live");
    // On the interface, on all, and with the table from /proc.
    let by_proc = ["--sockets", "proc"];
    let watches = [(&pair.a, &["va"][..], &[][..]), (&pair.b, &[], &[]), (&pair.a, &[], &by_proc)];
    let watches = watches.map(|(netns, interfaces, options)| Watch::begin_with(netns, interfaces, options));
    let scene = Scene::new(&pair);
    scene.await_rest(&pair);
    let tools = || [Tools::read(&pair.a), Tools::read(&pair.b)];
    let before = tools();
    Watch::settle(&watches);
    let [client, server, by_proc] = watches.map(Watch::end);
    let after = tools();
    for (report, side) in [(&client, 0), (&server, 1), (&by_proc, 0)] {
        let (before, after) = (&before[side], &after[side]);
        hold_beside_ss(report, before, after);
        hold_beside_lsof(report, before, after);
        hold_wire_beside_kernel(report);
        hold_losses(report);
    }
    scene.check(&client, &server);
    scene.check(&by_proc, &server);
}

#[test]
fn an_unanswered_connect_times_out_with_its_retries() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("silent");
    let watch = Watch::begin(&pair.a, &[]);
    let own: SocketAddr = "10.77.0.1:6998".parse().unwrap();
    let retries = pair.a.run(|| {
        set("net/ipv4/tcp_syn_retries", "1");
        set("net/ipv4/tcp_syn_linear_timeouts", "1");
        let socket = sockets::plain_socket(SocketFlags::empty());
        rustix::net::bind(&socket, &own).unwrap();
        // The far end's namespace does not forward: ARP is answered, the SYN is not.
        let answer = rustix::net::connect(&socket, &SILENT.parse::<SocketAddr>().unwrap());
        assert_eq!(answer, Err(Errno::TIMEDOUT));
        counter("TcpExt.TCPSynRetrans")
    });
    assert!(retries > 0);
    std::thread::sleep(OVERDUE);
    let report = watch.end();
    let end = report.end_at(own, SILENT);
    let handshake = &end.flow["handshake"];
    assert_eq!(
        (&handshake["outcome"], &handshake["syn_retries"]),
        (&"unanswered".into(), &retries.into()),
        "{handshake}"
    );
    assert_eq!((end.states().1, &end.flow["syn"]), (None, &(retries + 1).into()));
    assert!(end.own["socket"]["gone_ns"].is_i64(), "the kernel gave it up");
}

/// Both ends of a veth in one namespace: every segment is seen where it leaves and where it arrives, but by who watches
/// one end alone.
#[test]
fn each_segment_counts_once_where_it_is_seen_twice() {
    let Some(_alone) = alone() else { return };
    let netns = looped("looped");
    let watches = [&[][..], &["va", "vb"], &["va"]].map(|interfaces| Watch::begin(&netns, interfaces));
    let held = netns.run(|| {
        ["10.77.0.2:7000", "127.0.0.1:7001"].map(|address| {
            let listener = TcpListener::bind(address).unwrap();
            let mut client = TcpStream::connect(address).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            for _ in 0..50 {
                client.write_all(b"question").unwrap();
                server.read_exact(&mut [0; 8]).unwrap();
                server.write_all(b"answer").unwrap();
                client.read_exact(&mut [0; 6]).unwrap();
            }
            (client, server)
        })
    });
    Watch::settle(&watches);
    let sample = await_sample(&netns, |sample| count(sample, TcpState::Estab) == 4);
    let [any, both, one] = watches.map(Watch::end);
    let sent = |stream: &TcpStream| row(&sample, inode_of(stream)).info.as_ref().unwrap().segs_out.unwrap();
    let over_veth = sent(&held[0].0) + sent(&held[0].1) + 1;
    for (report, held, twice) in [(&any, &held[..], over_veth), (&both, &held[..1], over_veth), (&one, &held[..1], 0)] {
        let mut all = 0;
        for (client, server) in held {
            let end = report.end_at(client.local_addr().unwrap(), &client.peer_addr().unwrap().to_string());
            // The SYN-ACK is sent before there is a socket that would count it.
            let (there, back) = (sent(client), sent(server) + 1);
            assert_eq!((&end.own["segments"], &end.other["segments"]), (&there.into(), &back.into()));
            assert_eq!((&end.own["payload_bytes"], &end.other["payload_bytes"]), (&400.into(), &300.into()));
            assert_eq!(end.flow["handshake"]["syn_retries"], 0);
            all += there + back;
        }
        let summary = &report.summary;
        assert_eq!((&summary["segments"], &summary["duplicates"]), (&all.into(), &twice.into()));
    }
}

#[test]
fn without_the_right_to_capture_the_kernel_is_watched_alone() {
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("plain");
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("sockscope");
    std::fs::copy(PROGRAM, &program).unwrap();
    let as_nobody = |arguments: &[&str]| {
        let mut command = netns.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]).arg(&program);
        command.args(arguments).output().unwrap()
    };
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:7000").unwrap());
    let client = netns.run(|| TcpStream::connect("127.0.0.1:7000").unwrap());
    let (server, _) = listener.accept().unwrap();
    let mut child = child_holding(client.as_fd().try_clone_to_owned().unwrap(), Some(65534));
    let plain = as_nobody(&["report", "--for", "1s"]);
    let ndjson = as_nobody(&["report", "--for", "1500ms", "--format", "ndjson"]);
    let refused = as_nobody(&["report", "--for", "1s", "-i", "lo"]);
    let dashboard = as_nobody(&["-i", "lo"]);
    let own = client.local_addr().unwrap();
    drop((client, server));
    let pid = child.id();
    end(&mut child);

    let setcap = format!("sudo setcap cap_net_raw+ep {}", program.display());
    let said = |output: &Output| String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(plain.status.code(), Some(0), "{}", said(&plain));
    assert!(said(&plain).contains(&setcap) && said(&plain).contains("cap_sys_ptrace"), "{}", said(&plain));
    let text = String::from_utf8(plain.stdout).unwrap();
    assert!(text.contains("kernel  3 sockets") && text.contains("wire    not recorded"), "{text}");

    assert_eq!(ndjson.status.code(), Some(0));
    let report = Report::parse(&String::from_utf8(ndjson.stdout).unwrap(), String::new());
    let end = report.end_at(own, "127.0.0.1:7000");
    assert_eq!(end.states(), (None, Some("ESTAB")));
    assert_eq!((&end.own["owner"]["relation"], &end.own["owner"]["pid"]), (&"held".into(), &pid.into()));
    assert_eq!(end.other["owner"]["relation"], "no_access", "root's process: {:#}", end.other);
    assert!(["first_from", "handshake", "syn"].iter().all(|name| end.flow.get(name).is_none()), "{:#}", end.flow);
    assert!(["segments", "frames", "lost"].iter().all(|name| report.summary.get(name).is_none()), "{}", report.summary);
    assert_eq!(report.count("ESTAB"), (None, Some(2)));

    for output in [refused, dashboard] {
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(&setcap), "{}", said(&output));
        assert!(output.stdout.is_empty());
    }
}

/// Root itself may not look at those who have more rights (ptrace(2)): that is told, and nobody else is named instead.
#[test]
fn root_without_ptrace_says_no_access_and_names_its_equals() {
    const LESS: &str = "--bounding-set=-sys_ptrace";
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("blind");
    let (listener, idle) = pair.b.run(|| (TcpListener::bind(V4).unwrap(), TcpListener::bind(V6).unwrap()));
    let [(held, _server), (equals, given), (orphaned, dropped)] = [(); 3].map(|()| connect(&pair, &listener, V4));
    let waiting = pair.a.run(|| TcpStream::connect(V6).unwrap());
    drop(dropped);
    let mut sleeps = Command::new("setpriv");
    let mut equal = sleeps.args([LESS, "sleep", "600"]).stdin(OwnedFd::from(given)).spawn().unwrap();
    let watch = Watch::begin_under(&pair.b, &["setpriv", LESS], &["vb"], &["--owners", "scan"]);
    Watch::settle([&watch]);
    let report = watch.end();
    let pid = equal.id();
    end(&mut equal);
    assert!(report.stderr.contains("owners: only of") && report.stderr.contains("cap_sys_ptrace"), "{}", report.stderr);
    for (client, service, relation, holder) in [
        (&held, V4, "no_access", None),
        (&equals, V4, "held", Some(pid)),
        (&orphaned, V4, "orphan", None),
        (&waiting, V6, "no_access", None),
    ] {
        let owner = &report.end_at(client.local_addr().unwrap(), service).other["owner"];
        let told = (owner["relation"].as_str(), owner["pid"].as_u64());
        assert_eq!(told, (Some(relation), holder.map(u64::from)), "{owner}");
    }
    drop(idle);
}

#[test]
fn an_interface_that_goes_away_is_told() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("away");
    let listener = pair.b.run(|| TcpListener::bind(V4).unwrap());
    let watch = Watch::begin(&pair.a, &["va"]);
    let (client, _server) = connect(&pair, &listener, V4);
    Watch::settle([&watch]);
    pair.a.ip(&["link", "del", "va"]);
    watch.await_end_of_captures();
    let (report, status) = watch.end_with_status();
    assert_eq!(status.code(), Some(2), "{}", report.stderr);
    assert!(report.stderr.contains("capture stopped"), "{}", report.stderr);
    let end = report.end_at(client.local_addr().unwrap(), V4);
    assert_eq!(end.flow["handshake"]["outcome"], "completed", "what was seen before is told");
}

/// A namespace whose 10.77.0.1 and 10.77.0.2 talk over the two ends of a veth, not over `lo`.
fn looped(tag: &str) -> Netns {
    let netns = Netns::new(tag);
    netns.ip(&["link", "add", "va", "type", "veth", "peer", "name", "vb"]);
    netns.run(|| {
        for link in ["all", "va", "vb"] {
            set(&format!("net/ipv4/conf/{link}/accept_local"), "1");
            set(&format!("net/ipv4/conf/{link}/rp_filter"), "0");
        }
    });
    for (link, own, peer) in [("va", "10.77.0.1", "10.77.0.2"), ("vb", "10.77.0.2", "10.77.0.1")] {
        netns.ip(&["addr", "add", &format!("{own}/24"), "dev", link]);
        netns.ip(&["link", "set", link, "up"]);
        netns.ip(&["rule", "add", "pref", "10", "iif", link, "lookup", "local"]);
        netns.ip(&["route", "add", peer, "dev", link, "src", own, "table", "100"]);
    }
    netns.ip(&["rule", "add", "pref", "20", "iif", "lo", "lookup", "100"]);
    netns.ip(&["rule", "add", "pref", "30", "lookup", "local"]);
    netns.ip(&["rule", "del", "pref", "0"]);
    netns
}

/// Sets a sysctl of the calling thread's network namespace.
fn set(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/{name}"), value).unwrap();
}

/// A counter of the calling thread's network namespace.
fn counter(name: &str) -> i64 {
    sample(&mut Sampler::new(Sockets::Auto).unwrap()).counters.get(name).unwrap()
}

/// Real sockets in many states, most of which stand still.
struct Scene {
    estab: [(TcpStream, TcpStream); 3],
    /// Servers that do not read: over IPv4, over IPv6, and one whose client has closed as well.
    stuck: [(TcpStream, TcpStream); 2],
    stuck_closed: (TcpStream, TcpStream),
    half_closed: (TcpStream, TcpStream),
    unread: (SocketAddr, TcpStream),
    unaccepted: TcpStream,
    refused: SocketAddr,
    unanswered: OwnedFd,
    /// The clients' ends of the connections that are over.
    client_first: Vec<SocketAddr>,
    server_first: Vec<SocketAddr>,
    reset: Vec<SocketAddr>,
    child: Child,
    _listeners: [TcpListener; 2],
}

impl Scene {
    fn new(pair: &Pair) -> Self {
        let (v4, v6) = pair.b.run(|| (TcpListener::bind(V4).unwrap(), TcpListener::bind("[::]:7001").unwrap()));
        let mapped = "10.77.0.2:7001";
        let estab = [connect(pair, &v4, V4), connect(pair, &v6, V6), connect(pair, &v6, mapped)];
        let child = child_holding(estab[0].1.as_fd().try_clone_to_owned().unwrap(), None);
        let stuck = [connect(pair, &v4, V4), connect(pair, &v6, V6)];
        let stuck_closed = connect(pair, &v4, V4);
        stuck.iter().chain([&stuck_closed]).for_each(|(client, _)| fill(client));
        stuck_closed.0.shutdown(Shutdown::Write).unwrap();
        let mut half_closed = connect(pair, &v4, V4);
        half_closed.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!(half_closed.1.read(&mut [0; 16]).unwrap(), 0);
        let (closed, unread) = connect(pair, &v4, V4);
        let unread = (closed.local_addr().unwrap(), unread);
        drop(closed);
        let refused = refused(pair);
        Self {
            client_first: (0..CLIENT_FIRST).map(|_| client_closes_first(pair, &v4)).collect(),
            server_first: (0..SERVER_FIRST).map(|_| server_closes_first(pair, &v4)).collect(),
            reset: (0..RESET).map(|_| client_resets(pair, &v4)).collect(),
            // Last, since nobody accepts it.
            unaccepted: pair.a.run(|| TcpStream::connect(V4).unwrap()),
            unanswered: pair.a.run(|| begin_connect(None, SILENT)),
            estab,
            stuck,
            stuck_closed,
            half_closed,
            unread,
            refused,
            child,
            _listeners: [v4, v6],
        }
    }

    fn await_rest(&self, pair: &Pair) {
        await_sample(&pair.a, |sample| {
            let states = [TcpState::SynSent, TcpState::FinWait1, TcpState::FinWait2, TcpState::TimeWait];
            states.map(|state| count(sample, state)) == [1, 1, 2, CLIENT_FIRST] && count(sample, TcpState::LastAck) == 0
        });
        await_sample(&pair.b, |sample| {
            let states = [TcpState::CloseWait, TcpState::TimeWait, TcpState::Estab];
            states.map(|state| count(sample, state)) == [2, SERVER_FIRST, 7] && count(sample, TcpState::LastAck) == 0
        });
    }

    /// What the rows mean, beyond being what the tools print.
    fn check(&self, client: &Report, server: &Report) {
        for (writer, reader) in &self.stuck {
            let (writer, reader) = (writer.local_addr().unwrap(), reader.peer_addr().unwrap());
            assert_eq!(writer.ip(), reader.ip().to_canonical());
            let service = if writer.is_ipv4() { V4 } else { V6 };
            let (sent, received) = (client.end_at(writer, service), server.end_at(writer, service));
            assert!(sent.own["socket"]["send_q"].as_u64() > Some(10_000), "{:#}", sent.own);
            assert!(received.other["socket"]["recv_q"].as_u64() > Some(10_000), "{:#}", received.other);
            for end in [sent, received] {
                assert!(end.other["window"]["zero_since_ns"].is_i64(), "the reader's window is closed: {:#}", end.flow);
                assert!(end.own["window"].get("zero_since_ns").is_none());
            }
            assert_eq!(sent.own["socket"]["timer"]["kind"], "persist");
        }
        let closed = client.end_at(self.stuck_closed.0.local_addr().unwrap(), V4);
        assert_eq!(closed.states(), (Some("ESTAB"), Some("FIN-WAIT-1")), "its FIN waits behind what nobody reads");
        self.check_closes(client, server);
        self.check_handshakes(client, server);
        let unaccepted = server.end_at(self.unaccepted.local_addr().unwrap(), V4);
        assert_eq!(unaccepted.other["owner"]["relation"], "listener");
        assert_eq!(unaccepted.other["owner"]["pid"], std::process::id());
    }

    fn check_closes(&self, client: &Report, server: &Report) {
        let gone = (Some("CLOSED"), None);
        let waits = (Some("TIME-WAIT"), Some("TIME-WAIT"));
        for (clients, first, last) in [(&self.client_first, client, server), (&self.server_first, server, client)] {
            for own in clients {
                let side = |report| {
                    let end = Report::end_at(report, *own, V4);
                    let local = if std::ptr::eq(report, client) { end.own } else { end.other };
                    End { own: local, ..end }.states()
                };
                assert_eq!((side(first), side(last)), (waits, gone), "{own}");
            }
        }
        for own in &self.reset {
            assert_eq!(client.end_at(*own, V4).states(), gone);
            assert_eq!(client.end_at(*own, V4).flow["rst"], 1);
        }
        let half_closed = self.half_closed.0.local_addr().unwrap();
        assert_eq!(client.end_at(half_closed, V4).states(), (Some("FIN-WAIT-2"), Some("FIN-WAIT-2")));
        for (own, unread) in [(half_closed, 0), (self.unread.0, 1)] {
            let end = server.end_at(own, V4).other;
            assert_eq!((&end["socket"]["state"], &end["state"]), (&"CLOSE-WAIT".into(), &"CLOSE-WAIT".into()));
            assert_eq!(end["socket"]["recv_q"], unread, "the end of the stream counts until it is read");
        }
    }

    fn check_handshakes(&self, client: &Report, server: &Report) {
        for report in [client, server] {
            let refused = report.end_at(self.refused, REFUSED).flow;
            assert_eq!(refused["handshake"]["outcome"], "refused");
            assert_eq!(refused["handshake"]["syn_retries"], 0);
            let outcomes = &report.summary["flows"]["outcomes"];
            assert_eq!((&outcomes["refused"], &outcomes["partial"]), (&1.into(), &0.into()), "{outcomes}");
            let made = self.estab.len() + self.stuck.len() + 4 + CLIENT_FIRST + SERVER_FIRST + RESET;
            assert_eq!(outcomes["completed"], made, "{outcomes}");
        }
        let unanswered: SocketAddr = rustix::net::getsockname(&self.unanswered).unwrap().try_into().unwrap();
        let unanswered = client.end_at(unanswered, SILENT);
        assert_eq!(unanswered.states(), (Some("SYN-SENT"), Some("SYN-SENT")));
        assert_eq!(unanswered.flow["handshake"]["outcome"], "waiting");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// The client's end of a connection whose client closed first, in three segments.
fn client_closes_first(pair: &Pair, listener: &TcpListener) -> SocketAddr {
    let (client, mut server) = connect(pair, listener, V4);
    let own = client.local_addr().unwrap();
    drop(client);
    assert_eq!(server.read(&mut [0; 16]).unwrap(), 0);
    own
}

fn server_closes_first(pair: &Pair, listener: &TcpListener) -> SocketAddr {
    let (mut client, server) = connect(pair, listener, V4);
    drop(server);
    assert_eq!(client.read(&mut [0; 16]).unwrap(), 0);
    client.local_addr().unwrap()
}

fn client_resets(pair: &Pair, listener: &TcpListener) -> SocketAddr {
    let (client, mut server) = connect(pair, listener, V4);
    let own = client.local_addr().unwrap();
    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    drop(client);
    assert_eq!(server.read(&mut [0; 16]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    own
}

/// The client's end of a connection to a port on which nobody listens.
fn refused(pair: &Pair) -> SocketAddr {
    pair.a.run(|| {
        let socket = sockets::plain_socket(SocketFlags::empty());
        rustix::net::bind(&socket, &"10.77.0.1:6999".parse::<SocketAddr>().unwrap()).unwrap();
        let answer = rustix::net::connect(&socket, &REFUSED.parse::<SocketAddr>().unwrap());
        assert_eq!(answer, Err(Errno::CONNREFUSED));
    });
    "10.77.0.1:6999".parse().unwrap()
}

/// What the tools say of a namespace.
struct Tools {
    ss: Vec<SsRow>,
    time_waits: usize,
    lsof: BTreeSet<LsofRow>,
}

impl Tools {
    fn read(netns: &Netns) -> Self {
        let ss = tools::has("ss");
        Self {
            ss: if ss { tools::ss(&mut netns.command("ss"), &["-tanoiem"]) } else { Vec::new() },
            time_waits: if ss { tools::ss_count(&mut netns.command("ss"), "time-wait") } else { 0 },
            lsof: if tools::has("lsof") { tools::lsof(&mut netns.command("lsof")) } else { BTreeSet::new() },
        }
    }
}

/// States, queues and retries beside ss's, and its counts.
fn hold_beside_ss(report: &Report, before: &Tools, after: &Tools) {
    if before.ss.is_empty() {
        return;
    }
    let rows = |tools: &Tools| -> BTreeMap<(Endpoint, Endpoint), (SsRow, u8)> {
        let rows = tools.ss.iter().filter(|row| row.state != "LISTEN");
        rows.map(|row| ((row.local, row.peer), (row.clone(), row.timer().map_or(0, |(_, retries)| retries)))).collect()
    };
    let (before, later) = (rows(before), rows(after));
    let ours: BTreeMap<_, _> = report.sockets().map(|end| ((endpoint(end.own), endpoint(end.other)), end)).collect();
    let keys = |rows: &BTreeMap<(Endpoint, Endpoint), (SsRow, u8)>| rows.keys().copied().collect::<BTreeSet<_>>();
    assert_eq!(keys(&before), keys(&later), "the scene stands still");
    assert_eq!(ours.keys().copied().collect::<BTreeSet<_>>(), keys(&before));
    for (key, End { flow, own, .. }) in &ours {
        let ((row, retries), (_, later)) = (&before[key], &later[key]);
        let socket = &own["socket"];
        let state = socket["state"].as_str().unwrap().to_owned();
        let queues = [&socket["recv_q"], &socket["send_q"]].map(|queue| queue.as_u64().unwrap());
        assert_eq!((state, queues), (row.state.clone(), [row.recv_q.into(), row.send_q.into()]), "{flow:#}");
        if row.state == "SYN-SENT" {
            let ours = [&flow["handshake"]["syn_retries"], &socket["timer"]["retries"]].map(|n| n.as_u64().unwrap());
            let between = u64::from(*retries)..=u64::from(*later);
            assert!(ours.iter().all(|ours| between.contains(ours)) && *later > 0, "{ours:?} in {between:?}");
        }
    }
    let mut by_state: BTreeMap<String, u64> = BTreeMap::new();
    after.ss.iter().for_each(|row| *by_state.entry(row.state.clone()).or_default() += 1);
    for (state, counts) in report.summary["states"]["by_state"].as_object().unwrap() {
        assert_eq!(counts["kernel"].as_u64(), Some(by_state.get(state).copied().unwrap_or(0)), "{state}");
    }
    let waits = u64::try_from(after.time_waits).unwrap();
    assert_eq!(report.count("TIME-WAIT"), (Some(waits), Some(waits)), "TIME-WAIT by wire and by kernel");
    assert!(waits > 100);
}

fn endpoint(end: &Value) -> Endpoint {
    Endpoint::new(address(end).ip(), address(end).port())
}

/// Pid and descriptor of every connection beside lsof's.
fn hold_beside_lsof(report: &Report, before: &Tools, after: &Tools) {
    let connections = |tools: &Tools| -> BTreeSet<LsofRow> {
        tools.lsof.iter().filter(|row| row.2.contains("->")).cloned().collect()
    };
    let theirs = connections(before);
    assert_eq!(theirs, connections(after), "the scene stands still");
    if theirs.is_empty() {
        return;
    }
    let mut by_name: BTreeMap<&str, BTreeSet<(u64, u64)>> = BTreeMap::new();
    for (pid, fd, name) in &theirs {
        by_name.entry(name).or_default().insert(((*pid).into(), (*fd).into()));
    }
    for end in report.sockets() {
        let owner = &end.own["owner"];
        let name = tools::lsof_name(endpoint(end.own), endpoint(end.other));
        let Some(holders) = by_name.remove(name.as_str()) else {
            assert_ne!(owner["relation"], "held", "lsof knows no holder of {name}: {owner}");
            continue;
        };
        assert_eq!(owner["relation"], "held", "{name}: {holders:?}");
        let told = (owner["pid"].as_u64().unwrap(), owner["fd"].as_u64().unwrap());
        assert!(holders.contains(&told), "{name}: {told:?} in {holders:?}");
        assert_eq!(owner["others"], holders.len() - 1, "{name}");
    }
    assert!(by_name.is_empty(), "not told: {by_name:?}");
}

/// Every frame is accounted for.
fn hold_losses(report: &Report) {
    let summary = &report.summary;
    let lost = &summary["lost"];
    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{summary:#}"));
    assert_eq!([&lost["kernel"], &lost["ours"], &lost["undecoded"]["total"]].map(count), [0; 3]);
    // Inputs that came later than they are held back for are counted as regressions: of a busy machine that is no fault.
    assert_eq!(count(&summary["duplicates"]), 0);
    assert_eq!(count(&summary["frames"]), count(&summary["segments"]) + count(&summary["not_tcp"]));
    let by_flow = report.ends().map(|end| count(&end.own["segments"])).sum::<u64>();
    assert_eq!(count(&summary["segments"]), by_flow);
}

/// Inferred states beside reported ones: no disagreement is claimed where there is an explanation.
fn hold_wire_beside_kernel(report: &Report) {
    let claims: Vec<_> = report.ends().filter(|end| end.own.get("mismatch_since_ns").is_some()).collect();
    assert!(claims.is_empty(), "{claims:#?}");
    assert_eq!(report.summary["states"]["mismatched"], 0);
    for end in report.sockets() {
        let (inferred, reported) = end.states();
        // A FIN that waits behind unread data is not on the wire yet.
        assert!(inferred == reported || (inferred, reported) == (Some("ESTAB"), Some("FIN-WAIT-1")), "{:#}", end.flow);
    }
}
