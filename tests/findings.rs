//! Findings on real sockets: a bad day across a veth pair, seen from both ends, and a good one on which all is silent.
//!
//! May touch network namespaces that it makes itself. Needs root; says so where it is not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::net::SocketFlags;
use serde_json::Value;

#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;
#[path = "support/sockets.rs"]
mod sockets;

use netns::{Netns, Pair, alone};
use program::{Report, Watch};
use sockets::{begin_connect, connect, fill, plain_socket};

const UNREAD: &str = "10.77.0.2:7000";
const LEAKING: &str = "10.77.0.2:7001";
const FULL: &str = "10.77.0.2:7002";
const REFUSED: &str = "10.77.0.2:7099";
const SILENT: &str = "10.78.0.1:9";
/// listen(2)'s backlog of [`FULL`], and how many connect: more than one beyond it.
const BACKLOG: i32 = 5;
const CALLERS: usize = 9;
/// What a leak is watched for: ten sockets of 5 s, then 5 s of growth; and 10 s of bytes that wait.
const WATCHED: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(350);

#[test]
fn a_bad_day_is_told_by_what_is_wrong() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("findings");
    let [client, server] = [&pair.a, &pair.b].map(|netns| Watch::begin(netns, &[]));
    // Overflows count from the first reading on.
    Watch::settle([&client, &server]);
    let scene = Scene::new(&pair);
    let before = overflows(&pair.b);
    let held = scene.leak(&pair);
    Watch::settle([&client, &server]);
    let (client, server) = (client.end(), server.end());
    let after = overflows(&pair.b);
    scene.check_server(&server, held.len(), before, after);
    scene.check_client(&client);
}

#[test]
fn ports_that_are_gone_are_told_with_who_holds_them() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("ports");
    pair.a.run(|| set("ip_local_port_range", "20000 20019"));
    let watch = Watch::begin_with(&pair.a, &[], &["--fail-on", "critical"]);
    let listener = pair.b.run(|| TcpListener::bind(UNREAD).unwrap());
    let held = pair.a.run(|| {
        let held: Vec<_> = (0..20).map(|_| TcpStream::connect(UNREAD).unwrap()).collect();
        assert_eq!(TcpStream::connect(UNREAD).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        held
    });
    Watch::settle([&watch]);
    let (report, status) = watch.end_with_status();
    drop((held, listener));
    let gone = one(&report, "ports_run_out");
    assert_eq!((&gone["subject"]["to"], &gone["process"]["pid"]), (&UNREAD.into(), &std::process::id().into()));
    assert_eq!((number(gone, "capacity"), number(gone, "live"), status.code()), (20, 20, Some(4)), "{gone:#}");
}

#[test]
fn a_syn_flood_is_told_by_wire_and_kernel() {
    const TO: [u8; 4] = [10, 77, 0, 2];
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("flood");
    // The answers go back to where the addresses are said to be, and nobody is there.
    pair.b.ip(&["link", "set", "vb", "address", "02:00:00:00:00:02"]);
    pair.b.ip(&["route", "add", "198.18.0.0/15", "via", "10.77.0.1"]);
    let listener = pair.b.run(|| {
        set("tcp_syncookies", "1");
        let socket = plain_socket(SocketFlags::empty());
        rustix::net::bind(&socket, &UNREAD.parse::<SocketAddr>().unwrap()).unwrap();
        rustix::net::listen(&socket, 150).unwrap();
        TcpListener::from(socket)
    });
    let watch = Watch::begin(&pair.b, &[]);
    // Cookies count from the first reading on.
    Watch::settle([&watch]);
    let open = connect(&pair, &listener, UNREAD);
    pair.a.run(|| {
        let mut out = pcap::Capture::from_device("va").unwrap().open().unwrap();
        for n in 0..400_u16 {
            let [high, low] = n.to_be_bytes();
            let link = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
            let syn = link.ipv4([198, 18, high, low], TO, 64).tcp(7, 7_000, u32::from(n), 65_535).syn();
            let mut frame = Vec::new();
            syn.write(&mut frame, &[]).unwrap();
            out.sendpacket(&frame[..]).unwrap();
        }
    });
    // Until the SYN-ACKs have come again that come again, and a reading has shown who waits.
    std::thread::sleep(Duration::from_millis(2_500));
    Watch::settle([&watch]);
    let report = watch.end();
    drop((open, listener));
    let flood = one(&report, "syn_flood");
    assert_eq!(
        (&flood["subject"]["addr"], &flood["subject"]["port"]),
        (&"10.77.0.2".into(), &7_000.into()),
        "{flood:#}"
    );
    assert_eq!((&flood["confidence"], &flood["process"]["pid"]), (&"high".into(), &std::process::id().into()));
    assert_eq!(["half_open", "addresses", "unanswered"].map(|name| number(flood, name)), [400, 400, 0], "{flood:#}");
    // As many as the queue holds are repeated; the others got cookies.
    let (held, cookies) = (number(flood, "syn_recv"), number(flood, "syncookies_sent"));
    assert!((140..=160).contains(&held) && held + cookies == 400, "{flood:#}");
    assert!(number(flood, "syn_ack_again").abs_diff(held) < 20 && number(flood, "limit") == 150, "{flood:#}");
}

#[test]
fn a_peer_that_went_silent_is_told_with_when_it_is_given_up() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("gone");
    let listener = pair.b.run(|| TcpListener::bind(UNREAD).unwrap());
    // It must have seen the peer answer, to tell that it does no more.
    let watch = Watch::begin(&pair.a, &[]);
    let (mut client, mut server) = connect(&pair, &listener, UNREAD);
    let (healthy, _other) = connect(&pair, &listener, UNREAD);
    client.write_all(b"ask").unwrap();
    server.read_exact(&mut [0; 3]).unwrap();
    // What is sent from here on goes to a host that is not there.
    pair.a.ip(&["neigh", "replace", "10.77.0.2", "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", "va"]);
    client.write_all(b"ask again").unwrap();
    std::thread::sleep(Duration::from_secs(8));
    let report = watch.end();
    drop((client, server, healthy));
    let silent = one(&report, "peer_silent");
    assert_eq!(silent["subject"]["to"], "10.77.0.2", "{silent:#}");
    assert_eq!((&silent["confidence"], &silent["process"]["pid"]), (&"high".into(), &std::process::id().into()));
    assert_eq!(number(silent, "connections"), 1, "the other one has nothing to send: {silent:#}");
    assert!(number(silent, "retransmit_timeouts") >= 3 && number(silent, "sent_again") >= 3, "{silent:#}");
    let until = number(silent, "gives_up_ts_ns") - silent["since_ts_ns"].as_u64().unwrap();
    assert!((924..1_100).contains(&(until / 1_000_000_000)), "tcp_retries2 is 15: {silent:#}");
}

#[test]
fn probes_that_nobody_answers_are_told_with_when_the_kernel_gives_up() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("rest");
    pair.a.run(|| {
        for (limit, value) in [("time", "1"), ("intvl", "2"), ("probes", "5")] {
            set(&format!("tcp_keepalive_{limit}"), value);
        }
    });
    let listener = pair.b.run(|| TcpListener::bind(UNREAD).unwrap());
    let watch = Watch::begin(&pair.a, &[]);
    let (mut client, server) = connect(&pair, &listener, UNREAD);
    let (unasked, _other) = connect(&pair, &listener, UNREAD);
    rustix::net::sockopt::set_socket_keepalive(&client, true).unwrap();
    pair.a.ip(&["neigh", "replace", "10.77.0.2", "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", "va"]);
    // Probes after 1, 3 and 5 s, and the first of them 5 s ago.
    std::thread::sleep(Duration::from_secs(8));
    let report = watch.end();
    assert_eq!(client.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::TimedOut);
    let given_up = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    drop((server, unasked));
    let silent = one(&report, "peer_silent");
    assert_eq!((&silent["confidence"], &silent["severity"]), (&"high".into(), &"warning".into()), "{silent:#}");
    assert_eq!(silent["process"]["pid"], std::process::id(), "{silent:#}");
    assert_eq!(number(silent, "connections"), 1, "the other one asks nothing: {silent:#}");
    assert_eq!(number(silent, "probe_interval_ns"), 2_000_000_000, "{silent:#}");
    let (by_kernel, by_wire) = (number(silent, "keepalive_probes"), number(silent, "keepalives_seen"));
    assert!((3..=5).contains(&by_kernel) && by_wire >= by_kernel, "{silent:#}");
    let foretold = Duration::from_nanos(number(silent, "gives_up_ts_ns"));
    assert!(given_up.abs_diff(foretold) < Duration::from_secs(2), "{given_up:?}: {silent:#}");
}

#[test]
fn a_path_that_does_not_take_what_is_sent_is_told_by_whoever_says_so() {
    let Some(_alone) = alone() else { return };
    let (pair, far) = (Pair::new("way"), Netns::new("way-c"));
    far_side(&pair, &far);
    // Its host drops what it is told, as a filter would, where the capture has seen it.
    for rule in [
        &["rule", "add", "pref", "9", "lookup", "local"][..],
        &["rule", "add", "pref", "8", "blackhole", "from", "10.77.0.2", "ipproto", "icmp"],
        &["rule", "del", "pref", "0"],
    ] {
        pair.a.ip(rule);
    }
    let listener = far.run(|| TcpListener::bind("0.0.0.0:7000").unwrap());
    let watch = Watch::begin(&pair.a, &[]);
    let [mut narrow, mut cut_off] = ["10.79.0.2:7000", "10.79.0.3:7000"].map(|to| {
        let client = pair.a.run(|| TcpStream::connect(to).unwrap());
        (client, listener.accept().unwrap().0)
    });
    for (client, server) in [&mut narrow, &mut cut_off] {
        client.write_all(b"ask").unwrap();
        server.read_exact(&mut [0; 3]).unwrap();
    }
    pair.b.ip(&["link", "set", "vc", "mtu", "1400"]);
    pair.b.ip(&["route", "add", "unreachable", "10.79.0.3/32"]);
    narrow.0.write_all(&[7; 5_000]).unwrap();
    cut_off.0.write_all(b"ask again").unwrap();
    std::thread::sleep(Duration::from_secs(8));
    let report = watch.end();
    drop((narrow, cut_off));
    let mtu = one(&report, "path_mtu");
    assert_eq!((&mtu["subject"]["to"], &mtu["evidence"]["icmp_from"]), (&"10.79.0.2".into(), &"10.77.0.2".into()));
    assert_eq!((number(mtu, "icmp_mtu_bytes"), number(mtu, "path_mtu_bytes")), (1_400, 1_500), "{mtu:#}");
    assert!(number(mtu, "segment_bytes") > 1_360 && number(mtu, "sent_again") >= 3, "{mtu:#}");
    let unreachable = one(&report, "path_unreachable");
    assert_eq!(
        (&unreachable["subject"]["to"], &unreachable["evidence"]["icmp_error"]),
        (&"10.79.0.3".into(), &"host unreachable".into())
    );
    assert!(number(unreachable, "icmp_errors") >= 3 && number(unreachable, "sent_again") >= 3, "{unreachable:#}");
    assert_eq!(unreachable["process"]["pid"], std::process::id(), "{unreachable:#}");
    assert_eq!(all(&report, "peer_silent"), [&Value::Null; 0], "told once");
}

#[test]
fn a_good_day_is_silent() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("silent");
    let watch = Watch::begin_with(&pair.b, &[], &["--fail-on", "info"]);
    let listener = pair.b.run(|| TcpListener::bind(UNREAD).unwrap());
    // Read late but read, closed late but closed, refused but twice.
    let (mut client, mut server) = connect(&pair, &listener, UNREAD);
    let left: Vec<_> = (0..9).map(|_| connect(&pair, &listener, UNREAD).1).collect();
    // Asked whether it is there, it says so.
    pair.b.run(|| ["time", "intvl"].iter().for_each(|limit| set(&format!("tcp_keepalive_{limit}"), "1")));
    let (_answers, asks) = connect(&pair, &listener, UNREAD);
    rustix::net::sockopt::set_socket_keepalive(&asks, true).unwrap();
    for _ in 0..2 {
        assert_eq!(pair.a.run(|| TcpStream::connect(REFUSED)).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(12) {
        client.write_all(&[7; 20_000]).unwrap();
        std::thread::sleep(STEP);
        server.read_exact(&mut [0; 20_000]).unwrap();
        client.write_all(b"more").unwrap();
        server.read_exact(&mut [0; 4]).unwrap();
    }
    let (report, status) = watch.end_with_status();
    drop((left, server));
    assert_eq!((report.findings, status.code()), (vec![], Some(0)));
}

/// What goes wrong, and what keeps it so.
struct Scene {
    unread: (TcpStream, TcpStream),
    _unanswered: Vec<OwnedFd>,
    _full: (OwnedFd, Vec<OwnedFd>),
    leaking: TcpListener,
}

impl Scene {
    fn new(pair: &Pair) -> Self {
        let listener = pair.b.run(|| TcpListener::bind(UNREAD).unwrap());
        let unread = connect(pair, &listener, UNREAD);
        fill(&unread.0);
        for _ in 0..3 {
            let error = pair.a.run(|| TcpStream::connect(REFUSED)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
        let unanswered = pair.a.run(|| {
            set("tcp_syn_retries", "1");
            set("tcp_syn_linear_timeouts", "1");
            (0..3).map(|_| begin_connect(None, SILENT)).collect()
        });
        let full = pair.b.run(|| {
            let socket = plain_socket(SocketFlags::empty());
            rustix::net::bind(&socket, &FULL.parse::<std::net::SocketAddr>().unwrap()).unwrap();
            rustix::net::listen(&socket, BACKLOG).unwrap();
            socket
        });
        let callers = pair.a.run(|| (0..CALLERS).map(|_| begin_connect(None, FULL)).collect());
        let leaking = pair.b.run(|| TcpListener::bind(LEAKING).unwrap());
        Self { unread, _unanswered: unanswered, _full: (full, callers), leaking }
    }

    /// One client after the other closes; the server keeps what it accepted, and has read the end of most.
    fn leak(&self, pair: &Pair) -> Vec<TcpStream> {
        let (begin, mut held) = (Instant::now(), Vec::new());
        while begin.elapsed() < WATCHED {
            let (client, mut server) = connect(pair, &self.leaking, LEAKING);
            drop(client);
            if held.len() % 4 > 0 {
                assert_eq!(server.read(&mut [0; 8]).unwrap(), 0, "the end of file");
            }
            held.push(server);
            std::thread::sleep(STEP);
        }
        held
    }

    fn check_server(&self, report: &Report, held: usize, before: u64, after: u64) {
        let own = std::process::id();
        let unread = one(report, "not_reading");
        assert_eq!((&unread["confidence"], &unread["process"]["pid"]), (&"high".into(), &own.into()), "{unread:#}");
        assert_eq!(unread["subject"]["type"], "process");
        assert!(number(unread, "recv_q") > 10_000 && number(unread, "unread_for_ns") >= 10_000_000_000, "{unread:#}");
        assert!(number(unread, "window_closed_for_ns") > 5_000_000_000, "{unread:#}");

        let leak = one(report, "close_wait_leak");
        assert_eq!((&leak["confidence"], &leak["process"]["pid"]), (&"high".into(), &own.into()), "{leak:#}");
        let (read, unread) = (number(leak, "end_read"), number(leak, "end_unread"));
        let sockets = usize::try_from(number(leak, "sockets")).unwrap();
        assert!((10..=held).contains(&sockets) && read > unread && unread > 0, "{leak:#}");
        assert_eq!((read + unread, number(leak, "never_accepted")), (number(leak, "sockets"), 0), "{leak:#}");
        assert!((1.0..5.0).contains(&leak["evidence"]["growth_per_s"].as_f64().unwrap()), "{leak:#}");
        assert!(leak["why"].as_str().unwrap().contains("forgot close()"), "{leak:#}");

        let full = one(report, "accept_overflow");
        assert_eq!((&full["severity"], &full["subject"]["port"]), (&"critical".into(), &7002.into()), "{full:#}");
        assert_eq!(
            (number(full, "waiting"), number(full, "limit")),
            (6, 5),
            "six of five: full is more than the limit"
        );
        let counted = number(full, "listen_overflows");
        // The namespace was new: the watch saw the counter begin.
        assert!(counted > 0 && (before..=after).contains(&counted), "{counted} of {before} to {after}");
        assert!(
            report.findings.iter().all(|finding| finding["subject"]["port"] != 7002 || finding == full),
            "said once"
        );
    }

    fn check_client(&self, report: &Report) {
        let refused = one(report, "connects_refused");
        let to = |finding: &Value| {
            format!("{}:{}", finding["subject"]["addr"].as_str().unwrap(), finding["subject"]["port"])
        };
        assert_eq!(
            (to(refused), &refused["confidence"]),
            (REFUSED.to_owned(), &"high".into()),
            "only where nobody listens"
        );
        assert_eq!((number(refused, "failed"), number(refused, "attempts")), (3, 3));
        let unanswered = all(report, "connects_unanswered");
        assert!(
            unanswered.iter().any(|finding| to(finding) == SILENT && number(finding, "failed") == 3),
            "{unanswered:#?}"
        );
        assert!(unanswered.iter().all(|finding| [SILENT, FULL].contains(&to(finding).as_str())), "{unanswered:#?}");
        // Of the far process only its window tells, on the wire and by the timer of the socket here.
        let closed = one(report, "not_reading");
        let own = self.unread.0.local_addr().unwrap().to_string();
        assert_eq!((&closed["confidence"], &closed["subject"]["peer"]), (&"medium".into(), &own.into()), "{closed:#}");
        assert!(closed["why"].as_str().unwrap().contains("inferred from the peer's socket"), "{closed:#}");
        assert!(
            number(closed, "persist_for_ns") > 5_000_000_000 && number(closed, "peer_send_q_bytes") > 10_000,
            "{closed:#}"
        );
    }
}

/// Joins `far` to `b`, which forwards: 10.79.0.2 and 10.79.0.3 are there, behind the link `vc`.
fn far_side(pair: &Pair, far: &Netns) {
    pair.b.ip(&["link", "add", "vc", "type", "veth", "peer", "name", "ve", "netns", far.name()]);
    pair.b.ip(&["addr", "add", "10.79.0.1/24", "dev", "vc"]);
    pair.b.ip(&["link", "set", "vc", "up"]);
    for address in ["10.79.0.2/24", "10.79.0.3/24"] {
        far.ip(&["addr", "add", address, "dev", "ve"]);
    }
    far.ip(&["link", "set", "ve", "up"]);
    far.ip(&["route", "add", "default", "via", "10.79.0.1"]);
    pair.a.ip(&["route", "add", "10.79.0.0/24", "via", "10.77.0.2"]);
    pair.b.run(|| {
        set("ip_forward", "1");
        // An error each time.
        set("icmp_ratelimit", "0");
    });
}

fn all<'a>(report: &'a Report, kind: &str) -> Vec<&'a Value> {
    report.findings.iter().filter(|finding| finding["kind"] == kind).collect()
}

fn one<'a>(report: &'a Report, kind: &str) -> &'a Value {
    match all(report, kind)[..] {
        [finding] => finding,
        ref other => panic!("{} of {kind}: {:#?}", other.len(), report.findings),
    }
}

fn number(finding: &Value, name: &str) -> u64 {
    finding["evidence"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {finding:#}"))
}

/// TcpExt.ListenOverflows of a namespace.
fn overflows(netns: &Netns) -> u64 {
    let text = netns.run(|| std::fs::read_to_string("/proc/thread-self/net/netstat").unwrap());
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:")).map(str::split_whitespace);
    let (mut names, mut values) = (lines.next().unwrap(), lines.next().unwrap());
    let place = names.position(|name| name == "ListenOverflows").unwrap();
    values.nth(place).unwrap().parse().unwrap()
}

fn set(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value).unwrap();
}
