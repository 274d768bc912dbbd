//! The engine's behaviour, from short lists of inputs: the join, the law, the table's bound.

mod analysis;
mod connects;
mod last_words;
mod late;
mod lists;
mod opening;
mod orientation;
mod panes;
mod partial;
mod story;
mod timing;
mod waiting;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::*;
use crate::base::{Endpoint, Scope, Scrubbed, Seq, TcpState, Timestamp};
use crate::flow::{HandshakeOutcome, Side};
use crate::kernel::{
    Counters, Covers, Limits, Owner, Owners, Process, Reported, Socket, SocketSample, TableSource, Timer, TimerKind,
};
use crate::wire::{AppRecords, Flags, FrameCounts, Segment};

mod verdict;
mod zeek;

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * 1_000_000)
}

pub(super) fn end(text: &str) -> Endpoint {
    let address: std::net::SocketAddr = text.parse().expect("an address and a port");
    Endpoint::new(address.ip(), address.port())
}

pub(super) const CLIENT: &str = "10.0.0.2:40000";
pub(super) const SERVER: &str = "10.0.0.5:80";

/// `flags` as tcpdump writes them.
pub(super) fn segment(millis: i64, src: &str, dst: &str, flags: &str, seq: u32, ack: u32, len: u32) -> Segment {
    let bits = flags.chars().map(|letter| match letter {
        'S' => Flags::SYN,
        'F' => Flags::FIN,
        'R' => Flags::RST,
        'P' => Flags::PSH,
        '.' => Flags::ACK,
        other => panic!("no flag {other}"),
    });
    Segment {
        seq: Seq(seq),
        ack: Seq(ack),
        window: 65_000,
        payload_len: len,
        frame_len: 54 + len,
        ttl: 64,
        digest: u64::from(seq) << 32 | u64::from(ack) ^ u64::from(len) ^ millis as u64,
        ..Segment::bare(at(millis), end(src), end(dst), bits.fold(Flags::default(), |all, flag| all | flag))
    }
}

pub(super) fn handshake(millis: i64) -> Vec<Segment> {
    vec![
        segment(millis, CLIENT, SERVER, "S", 100, 0, 0),
        segment(millis + 10, SERVER, CLIENT, "S.", 500, 101, 0),
        segment(millis + 11, CLIENT, SERVER, ".", 101, 501, 0),
    ]
}

/// FIN, FIN+ACK, ACK: the client closes first.
pub(super) fn close(millis: i64) -> Vec<Segment> {
    vec![
        segment(millis, CLIENT, SERVER, "F.", 101, 501, 0),
        segment(millis + 10, SERVER, CLIENT, "F.", 501, 102, 0),
        segment(millis + 11, CLIENT, SERVER, ".", 102, 502, 0),
    ]
}

pub(super) fn engine() -> Engine {
    Engine::new(Config::replay(1000, 1))
}

pub(super) fn fed(segments: impl IntoIterator<Item = Segment>) -> Engine {
    let mut engine = engine();
    for segment in segments {
        engine.feed(&Input::Segment(segment));
    }
    engine
}

pub(super) fn show(engine: &Engine) -> Dashboard {
    engine.dashboard(&Query { rows: 1000, ..Query::default() }, &mut QueryCache::default())
}

fn wire_count(dashboard: &Dashboard, state: TcpState) -> Option<u64> {
    dashboard.states.rows.iter().find(|row| row.state == state).and_then(|row| row.wire)
}

fn kernel_count(dashboard: &Dashboard, state: TcpState) -> Option<u64> {
    dashboard.states.rows.iter().find(|row| row.state == state).and_then(|row| row.kernel)
}

/// A socket's row: local, peer, state, Recv-Q, Send-Q, inode (0: none), cookie.
pub(super) fn socket(local: &str, peer: &str, state: TcpState, queues: (u32, u32), inode: u64, cookie: u64) -> Socket {
    Socket {
        local: end(local),
        peer: end(peer),
        state: Reported(state),
        recv_q: queues.0,
        send_q: Some(queues.1),
        timer: None,
        uid: Some(1000),
        inode: (inode > 0).then_some(inode),
        cookie: Some(cookie),
        buffers: None,
        drops: None,
        memory: None,
        congestion: None,
        cgroup: None,
        info: None,
    }
}

pub(super) fn process(pid: u32, comm: &str) -> Arc<Process> {
    Arc::new(Process {
        pid,
        start_time: Some(1),
        comm: Scrubbed::new(comm),
        cmdline: Scrubbed::new(comm),
        user: Scrubbed::new("user"),
    })
}

/// A reading; owners as (inode, pid, fd, name).
pub(super) fn sample(millis: i64, sockets: Vec<Socket>, owners: &[(u64, u32, u32, &str)]) -> Input {
    let mut by_inode: FxHashMap<u64, Vec<Owner>> = FxHashMap::default();
    for (inode, pid, fd, name) in owners {
        by_inode.entry(*inode).or_default().push(Owner { process: process(*pid, name), fd: *fd });
    }
    let local: Vec<IpAddr> = vec!["10.0.0.2".parse().expect("an address")];
    Input::Sample(Arc::new(SocketSample {
        ts: at(millis),
        scope: Scope::FILE,
        source: TableSource::Diag,
        covers: Covers::ALL,
        took: Duration::from_millis(1),
        incomplete: false,
        bad_rows: 0,
        sockets,
        owners: Arc::new(Owners { by_inode, processes_read: 1, processes_denied: 0 }),
        counters: Counters::default(),
        limits: Arc::new(Limits::default()),
        local_addresses: local.into(),
    }))
}

/// A reading of sockets that nobody is seen to hold, with limits.
pub(super) fn sample_with(millis: i64, limits: Limits, sockets: Vec<Socket>) -> Input {
    let Input::Sample(plain) = sample(millis, sockets, &[]) else { unreachable!("a sample") };
    Input::Sample(Arc::new(SocketSample { limits: Arc::new(limits), ..SocketSample::clone(&plain) }))
}

pub(super) fn feed_all(engine: &mut Engine, inputs: impl IntoIterator<Item = Input>) {
    for input in inputs {
        engine.feed(&input);
    }
}

fn inputs(segments: Vec<Segment>) -> impl Iterator<Item = Input> {
    segments.into_iter().map(Input::Segment)
}

#[test]
fn a_plain_capture_shows_flows_and_no_kernel() {
    let dashboard = show(&fed(handshake(0)));
    let [row] = dashboard.flows.rows.as_slice() else { panic!("one flow") };
    assert_eq!(row.id, FlowId(0));
    assert_eq!((row.orig.endpoint, row.resp.endpoint), (end(CLIENT), end(SERVER)));
    assert_eq!((row.orig.inferred, row.orig.reported), (Some(TcpState::Estab), None));
    assert_eq!(row.outcome, Some(HandshakeOutcome::Completed));
    assert_eq!(row.orig.owner, Ownership::NotRecorded);
    assert_eq!((row.orig.recv_q, row.orig.local), (None, None));
    assert_eq!(wire_count(&dashboard, TcpState::Estab), Some(2), "both ends");
    assert_eq!(kernel_count(&dashboard, TcpState::Estab), None);
    assert!(dashboard.queues.kernel.is_none() && dashboard.time_wait.kernel.is_none());
}

#[test]
fn time_wait_passes_by_its_own_deadline() {
    let mut engine = fed(handshake(0).into_iter().chain(close(100)));
    assert_eq!(wire_count(&show(&engine), TcpState::TimeWait), Some(1));
    engine.feed(&Input::Tick(at(60_109)));
    assert_eq!(wire_count(&show(&engine), TcpState::TimeWait), Some(1));
    engine.feed(&Input::Tick(at(60_110)));
    let dashboard = show(&engine);
    assert_eq!(wire_count(&dashboard, TcpState::TimeWait), Some(0));
    assert!(dashboard.flows.rows[0].closed);
}

#[test]
fn extra_ticks_change_nothing() {
    let segments: Vec<Segment> = handshake(0).into_iter().chain(close(5_000)).collect();
    let plain = fed(segments.clone());
    let mut ticked = engine();
    let mut last = at(0);
    for segment in segments {
        for step in 1..4 {
            let gap = segment.ts.since(last);
            ticked.feed(&Input::Tick(last + gap * step / 4));
        }
        last = segment.ts;
        ticked.feed(&Input::Segment(segment));
    }
    assert_eq!(show(&plain), show(&ticked));
}

#[test]
fn a_copy_goes_its_own_way_and_the_same_way() {
    let mut whole = fed(handshake(0));
    let mut copy = whole.clone();
    let before = show(&whole);
    feed_all(&mut copy, inputs(close(100)));
    assert_eq!(show(&whole), before, "the copy's changes are its own");
    feed_all(&mut whole, inputs(close(100)));
    assert_eq!(show(&whole), show(&copy));
}

#[test]
fn sockets_join_flows_with_their_owner() {
    let mut engine = fed(handshake(0));
    let rows = vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 36), 77, 1)];
    engine.feed(&sample(500, rows, &[(77, 42, 5, "curl")]));
    let dashboard = show(&engine);
    let [row] = dashboard.flows.rows.as_slice() else { panic!("one flow, not two") };
    assert_eq!((row.orig.reported, row.orig.send_q), (Some(TcpState::Estab), Some(36)));
    assert_eq!((row.orig.local, row.resp.local), (Some(true), Some(false)));
    let Ownership::Held { process, fd, others } = &row.orig.owner else { panic!("held: {:?}", row.orig.owner) };
    assert_eq!((process.pid, *fd, *others), (42, 5, 0));
    assert_eq!(row.resp.owner, Ownership::NotRecorded, "the peer is remote");
    assert_eq!(wire_count(&dashboard, TcpState::Estab), Some(1), "this host's end alone");
    let queues = dashboard.queues.kernel.expect("the kernel was seen");
    assert_eq!(queues.send[0].bytes, 36);
    assert!(queues.recv.is_empty());
}

#[test]
fn time_wait_remembers_who_held_it() {
    let mut engine = fed(handshake(0));
    engine.feed(&sample(50, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[(77, 42, 5, "curl")]));
    feed_all(&mut engine, inputs(close(100)));
    let mut waiting = socket(CLIENT, SERVER, TcpState::TimeWait, (0, 0), 0, 1);
    waiting.timer = Some(Timer { kind: TimerKind::TimeWait, left: Duration::from_secs(55), retries: 0 });
    engine.feed(&sample(600, vec![waiting], &[]));
    let row = &show(&engine).flows.rows[0];
    assert!(matches!(&row.orig.owner, Ownership::Last { process } if process.pid == 42), "{:?}", row.orig.owner);
    assert_eq!(row.orig.reported, Some(TcpState::TimeWait));
    // A TIME-WAIT that was never seen alive has no owner to remember.
    let fresh = socket("10.0.0.2:40001", SERVER, TcpState::TimeWait, (0, 0), 0, 2);
    engine.feed(&sample(700, vec![fresh], &[]));
    let rows = show(&engine).flows.rows;
    let fresh = rows.iter().find(|row| row.orig.endpoint.port() == 40001).expect("known by the kernel alone");
    assert_eq!(fresh.orig.owner, Ownership::Unknown);
    assert_eq!((fresh.segments, fresh.outcome), (None, None), "no segment was seen");
}

#[test]
fn what_is_not_accepted_belongs_to_the_listener() {
    let mut engine = engine();
    let rows = vec![
        socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (1, 128), 9, 1),
        socket("10.0.0.2:80", "10.0.0.9:5000", TcpState::Estab, (0, 0), 0, 2),
        socket("10.0.0.2:80", "10.0.0.9:5001", TcpState::SynRecv, (0, 0), 0, 3),
        socket("10.0.0.2:9999", "10.0.0.9:5002", TcpState::FinWait2, (0, 0), 0, 4),
    ];
    engine.feed(&sample(0, rows, &[(9, 7, 3, "nginx")]));
    let dashboard = show(&engine);
    for row in dashboard.flows.rows.iter().filter(|row| row.resp.endpoint.port() == 80) {
        assert!(matches!(&row.resp.owner, Ownership::Listener { process, .. } if process.pid == 7));
        assert!(row.orig_known, "whoever connects to a listener is the originator");
    }
    let orphan = dashboard.flows.rows.iter().find(|row| row.orig.endpoint.port() == 9999).expect("the orphan");
    assert_eq!(orphan.orig.owner, Ownership::Orphan);
    let accept = &dashboard.queues.kernel.as_ref().expect("the kernel").accept[0];
    assert_eq!((accept.waiting, accept.limit), (1, Some(128)));
    assert_eq!(kernel_count(&dashboard, TcpState::SynRecv), Some(1));
}

#[test]
fn unreadable_fd_tables_are_no_access_and_not_unknown() {
    let mut engine = engine();
    let Input::Sample(reading) = sample(0, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[]) else {
        panic!("a sample")
    };
    let mut reading = (*reading).clone();
    reading.owners = Arc::new(Owners { processes_denied: 3, ..Owners::default() });
    engine.feed(&Input::Sample(Arc::new(reading)));
    assert_eq!(show(&engine).flows.rows[0].orig.owner, Ownership::NoAccess);
}

#[test]
fn a_socket_that_vanished_is_gone_and_one_missed_by_a_broken_reading_is_not() {
    let rows = || vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)];
    let mut engine = engine();
    engine.feed(&sample(0, rows(), &[(77, 42, 5, "curl")]));
    let Input::Sample(broken) = sample(500, vec![], &[]) else { panic!("a sample") };
    let broken = SocketSample { incomplete: true, ..(*broken).clone() };
    engine.feed(&Input::Sample(Arc::new(broken)));
    assert_eq!(show(&engine).flows.rows[0].orig.reported, Some(TcpState::Estab));
    engine.feed(&sample(1000, vec![], &[]));
    let row = &show(&engine).flows.rows[0];
    assert_eq!(row.orig.reported, None);
    assert!(row.closed && matches!(&row.orig.owner, Ownership::Last { .. }));
}

#[test]
fn one_reading_of_proc_may_leave_a_socket_out() {
    let by_proc = |millis, rows: Vec<Socket>| {
        let Input::Sample(plain) = sample(millis, rows, &[]) else { panic!("a sample") };
        Input::Sample(Arc::new(SocketSample { source: TableSource::Proc, ..(*plain).clone() }))
    };
    let rows = || vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)];
    let mut engine = engine();
    let reported = |engine: &Engine| show(engine).flows.rows[0].orig.reported;
    for (millis, present) in [(0, true), (500, false), (1000, true), (1500, false)] {
        engine.feed(&by_proc(millis, if present { rows() } else { vec![] }));
        assert_eq!(reported(&engine), Some(TcpState::Estab), "at {millis} ms");
    }
    engine.feed(&by_proc(2000, vec![]));
    assert_eq!(reported(&engine), None, "missed twice in a row");
}

#[test]
fn a_new_cookie_on_the_same_tuple_is_a_new_connection() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[]));
    engine.feed(&sample(500, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 78, 2)], &[]));
    let dashboard = show(&engine);
    assert_eq!(dashboard.flows.all, 2);
    assert_eq!(dashboard.flows.rows.iter().filter(|row| row.closed).count(), 1, "the first one is over");
}

#[test]
fn a_state_that_stays_apart_from_the_wires_is_a_mismatch() {
    let rows = || vec![socket(CLIENT, SERVER, TcpState::SynSent, (0, 1), 77, 1)];
    let mut engine = fed(handshake(0));
    // Within the sampling delay nothing is claimed, and one reading alone claims nothing.
    engine.feed(&sample(100, rows(), &[]));
    engine.feed(&sample(1_000, rows(), &[]));
    assert_eq!(show(&engine).states.mismatched, 0);
    engine.feed(&sample(1_500, rows(), &[]));
    let dashboard = show(&engine);
    assert_eq!(dashboard.states.mismatched, 1);
    assert_eq!(dashboard.flows.rows[0].orig.mismatch_since, Some(at(1_000)));
    engine.feed(&sample(2_000, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[]));
    assert_eq!(show(&engine).states.mismatched, 0);
}

#[test]
fn what_began_before_the_capture_is_no_mismatch() {
    // The FIN was sent before the capture began; only its last ACK is captured.
    let mut engine = fed([segment(0, SERVER, CLIENT, ".", 500, 102, 0)]);
    for millis in [1_000, 1_500, 2_000] {
        engine.feed(&sample(millis, vec![socket(CLIENT, SERVER, TcpState::FinWait2, (0, 0), 77, 1)], &[]));
    }
    assert_eq!(show(&engine).states.mismatched, 0);
}

#[test]
fn a_listener_tells_who_opened_what_began_before_the_capture() {
    let mut engine = fed([segment(0, "10.0.0.2:80", "10.0.0.9:5000", "P.", 500, 101, 10)]);
    assert_eq!(show(&engine).flows.rows[0].orig.endpoint, end("10.0.0.2:80"), "the first to send, for want of better");
    let rows = vec![
        socket("10.0.0.2:80", "0.0.0.0:0", TcpState::Listen, (0, 128), 9, 1),
        socket("10.0.0.2:80", "10.0.0.9:5000", TcpState::Estab, (0, 10), 10, 2),
    ];
    engine.feed(&sample(500, rows, &[(10, 7, 4, "nginx")]));
    let row = &show(&engine).flows.rows[0];
    assert_eq!((row.orig.endpoint, row.resp.endpoint), (end("10.0.0.9:5000"), end("10.0.0.2:80")));
    assert!(row.orig_known && matches!(row.resp.owner, Ownership::Held { .. }));
    let detail = engine.detail(row.id).expect("the flow");
    assert_eq!(detail.first_from, Some(Side::Resp));
    assert_eq!(detail.halves.expect("seen on the wire")[1].payload_bytes, 10);
}

#[test]
fn a_full_table_lets_the_established_live() {
    let mut engine = Engine::new(Config::replay(100, 1));
    feed_all(&mut engine, inputs(handshake(0)));
    for port in 0..1_000 {
        let flood = segment(100 + i64::from(port), &format!("10.9.9.9:{}", 1024 + port), SERVER, "S", 7, 0, 0);
        engine.feed(&Input::Segment(flood));
    }
    let dashboard = show(&engine);
    assert_eq!(dashboard.totals.flows, 100);
    assert_eq!(dashboard.totals.evicted, Evicted { closed: 0, half_open: 901, idle: 0 });
    assert!(dashboard.flows.rows.iter().any(|row| row.id == FlowId(0)), "the established flow is still there");
    assert_eq!(wire_count(&dashboard, TcpState::Estab), Some(2));
    assert_eq!(dashboard.totals.flows_begun, 1001);
}

#[test]
fn the_same_datagram_on_another_interface_counts_once_when_live_and_twice_in_a_file() {
    let first = segment(0, CLIENT, SERVER, "S", 100, 0, 0);
    let again = Segment { iface: 2, ts: first.ts + Duration::from_micros(20), ..first };
    let later = Segment { iface: 2, ts: first.ts + Duration::from_millis(2), ..first };
    let same_interface = Segment { ts: first.ts + Duration::from_micros(30), ..first };
    for (config, expected) in [(Config::live(10, 1), (3, 1)), (Config::replay(10, 1), (4, 0))] {
        let mut engine = Engine::new(config);
        feed_all(&mut engine, inputs(vec![first, again, same_interface, later]));
        let totals = show(&engine).totals;
        assert_eq!((totals.segments, totals.duplicates), expected);
    }
}

#[test]
fn port_reuse_is_a_new_flow_and_the_old_one_is_over() {
    let again: Vec<Segment> = handshake(10_000)
        .into_iter()
        .map(|mut segment| {
            let (seq, ack) = if segment.src == end(CLIENT) { (5_000, 9_000) } else { (9_000, 5_000) };
            segment.seq += seq;
            segment.ack = if segment.flags.ack() { segment.ack + ack } else { segment.ack };
            segment
        })
        .collect();
    let engine = fed(handshake(0).into_iter().chain(close(100)).chain(again));
    let dashboard = show(&engine);
    assert_eq!(dashboard.flows.all, 2);
    assert_eq!(wire_count(&dashboard, TcpState::TimeWait), Some(0), "the reuse ended TIME-WAIT");
    assert_eq!(wire_count(&dashboard, TcpState::Estab), Some(2));
}

#[test]
fn a_syn_that_the_endpoint_does_not_believe_changes_nothing() {
    let mut engine = fed(handshake(0));
    engine.feed(&Input::Segment(segment(1_000, CLIENT, SERVER, "S", 900_000, 0, 0)));
    // The challenge ACK, then the old connection goes on.
    engine.feed(&Input::Segment(segment(1_001, SERVER, CLIENT, ".", 501, 101, 0)));
    engine.feed(&Input::Segment(segment(1_002, CLIENT, SERVER, "P.", 101, 501, 20)));
    engine.feed(&Input::Segment(segment(1_003, SERVER, CLIENT, ".", 501, 121, 0)));
    // A second one, and time for both to be given up.
    engine.feed(&Input::Segment(segment(2_000, CLIENT, SERVER, "S", 800_000, 0, 0)));
    for (step, millis) in [5_000, 15_000, 60_000].into_iter().enumerate() {
        let (seq, ack) = (121 + 20 * step as u32, 501);
        engine.feed(&Input::Segment(segment(millis, CLIENT, SERVER, "P.", seq, ack, 20)));
        engine.feed(&Input::Segment(segment(millis + 1, SERVER, CLIENT, ".", ack, seq + 20, 0)));
    }
    let dashboard = show(&engine);
    let old = dashboard.flows.rows.iter().find(|row| row.id == FlowId(0)).expect("the old flow");
    assert_eq!((old.orig.inferred, old.payload_bytes), (Some(TcpState::Estab), Some(80)));
    assert_eq!(dashboard.flows.all, 3, "the SYNs are shown as what they are");
    // Nor do they take its socket.
    for millis in [61_000, 61_500, 62_000] {
        engine.feed(&sample(millis, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[]));
        if millis == 61_000 {
            engine.feed(&Input::Segment(segment(61_200, CLIENT, SERVER, "S", 700_000, 0, 0)));
        }
    }
    let rows = show(&engine).flows.rows;
    let reported = |row: &FlowRow| row.orig.reported.is_some();
    assert!(rows.iter().filter(|row| reported(row)).count() == 1, "{rows:#?}");
}

#[test]
fn handshakes_are_counted_by_outcome_and_revised() {
    let mut engine = fed(handshake(0));
    engine.feed(&Input::Segment(segment(100, "10.0.0.2:41000", "10.0.0.7:1", "S", 1, 0, 0)));
    engine.feed(&Input::Segment(segment(101, "10.0.0.7:1", "10.0.0.2:41000", "R.", 0, 2, 0)));
    engine.feed(&Input::Segment(segment(200, "10.0.0.2:42000", "10.0.0.8:1", "S", 1, 0, 0)));
    engine.feed(&Input::Tick(at(20_000)));
    let of = |pane: &HandshakePane, outcome| {
        pane.outcomes.iter().find(|(known, _)| *known == outcome).map_or(0, |(_, count)| *count)
    };
    let pane = show(&engine).handshakes;
    assert_eq!(pane.begun, 3);
    assert_eq!(of(&pane, HandshakeOutcome::Completed), 1);
    assert_eq!(of(&pane, HandshakeOutcome::Refused), 1);
    assert_eq!(of(&pane, HandshakeOutcome::Unanswered), 1);
    assert_eq!(pane.failing.len(), 2);
    assert_eq!(pane.latency.expect("one completed").count, 1);
    // Another try: it had not given up after all.
    engine.feed(&Input::Segment(segment(20_001, "10.0.0.2:42000", "10.0.0.8:1", "S", 1, 0, 0)));
    let pane = show(&engine).handshakes;
    assert_eq!((of(&pane, HandshakeOutcome::Unanswered), pane.waiting), (0, 1));
    assert_eq!(pane.failing.len(), 1);
}

#[test]
fn closed_flows_are_forgotten_after_a_while_when_live() {
    let mut engine = Engine::new(Config { keep_closed: Some(Duration::from_secs(120)), ..Config::live(100, 1) });
    feed_all(&mut engine, inputs(handshake(0).into_iter().chain(close(100)).collect()));
    engine.feed(&sample(119_000, Vec::new(), &[]));
    assert_eq!(show(&engine).flows.all, 1);
    // A tick alone forgets nothing: it may change nothing that the next input would not.
    engine.feed(&Input::Tick(at(121_000)));
    assert_eq!(show(&engine).flows.all, 1);
    engine.feed(&sample(121_000, Vec::new(), &[]));
    let dashboard = show(&engine);
    assert_eq!((dashboard.flows.all, dashboard.totals.flows_begun), (0, 1));
    assert_eq!(dashboard.totals.evicted.total(), 0, "the table was not full");
}

#[test]
fn a_filters_words_must_all_match() {
    let mut engine = fed(handshake(0));
    engine.feed(&sample(500, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[(77, 42, 5, "Curl")]));
    let matches = |text: &str| engine.flow_ids(&Filter::parse(text).unwrap()).len() == 1;
    for text in ["", "80", ":80", "10.0.0.5", "10.0.", SERVER, "estab", "curl", "42", "completed", "curl 80 estab"] {
        assert!(matches(text), "{text:?} matches");
    }
    for text in ["established", "ESTABLISHED", "establ", ".5:80", "0.2:40000"] {
        assert!(matches(text), "{text:?} matches");
    }
    for text in [
        "8",
        "10.0.0.6",
        "time-wait",
        "wget",
        "curl 81",
        "refused",
        "10.0.0.5:81",
        "established2",
        "syn_sent",
        "closewait",
    ] {
        assert!(!matches(text), "{text:?} does not match");
    }
}

#[test]
fn the_table_is_sorted_as_asked_and_served_in_windows() {
    let mut engine = engine();
    for port in 1..=5_u32 {
        let client = format!("10.0.0.2:{}", 40_000 + port);
        engine.feed(&Input::Segment(segment(i64::from(port), &client, SERVER, "P.", 1, 1, port * 100)));
    }
    let ask = |sort, offset, rows| {
        let query = Query { sort, offset, rows, ..Query::default() };
        let pane = engine.dashboard(&query, &mut QueryCache::default()).flows;
        pane.rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    let by = |by| Sort { by, reverse: false };
    assert_eq!(ask(by(SortKey::Bytes), 0, 3), [4, 3, 2]);
    assert_eq!(ask(by(SortKey::First), 1, 2), [1, 2]);
    assert_eq!(ask(by(SortKey::Recent), 0, 1), [4]);
    assert_eq!(ask(Sort { by: SortKey::Bytes, reverse: true }, 0, 2), [0, 1]);
    assert!(ask(by(SortKey::First), 9, 5).is_empty());
    let query = Query { sort: by(SortKey::Bytes), follow: Some(RowKey::Flow(FlowId(1))), ..Query::default() };
    assert_eq!(engine.dashboard(&query, &mut QueryCache::default()).flows.followed, Some(3), "though no row is asked");
}

#[test]
fn losses_are_told_as_they_are() {
    let mut engine = engine();
    assert_eq!(show(&engine).loss, None, "nothing was said yet");
    let loss = Loss { ts: at(0), kernel: Some(3), interface: None, ours: 1, frames: FrameCounts::default() };
    engine.feed(&Input::Loss(loss));
    assert_eq!(show(&engine).loss, Some(loss));
}

#[test]
fn time_that_runs_backwards_is_counted_and_moves_no_clock() {
    let mut engine = fed(handshake(1_000));
    engine.feed(&Input::Segment(segment(500, CLIENT, SERVER, ".", 101, 501, 0)));
    let dashboard = show(&engine);
    assert_eq!((dashboard.now, dashboard.totals.regressions), (Some(at(1_011)), 1));
}
