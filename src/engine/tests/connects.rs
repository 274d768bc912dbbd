//! Who connected: claims of the kernel's trace beside flows, in either order.

use super::*;
use crate::kernel::{Close, Connect, KernelEvent, LostEvents, Rung};

fn claim(begin: i64, until: i64, pid: u32) -> Connect {
    Connect {
        begin: at(begin),
        end: at(until),
        scope: Scope::FILE,
        local: end(CLIENT),
        peer: end(SERVER),
        process: Some(process(pid, "curl")),
        here: None,
        bound: false,
        connected: None,
        rung: Rung::Trace,
    }
}

fn told(connect: Connect) -> Input {
    Input::Kernel(KernelEvent::Connect(connect))
}

fn lost(millis: i64) -> Input {
    Input::Kernel(KernelEvent::Lost(LostEvents { ts: at(millis), until: at(millis), total: 3 }))
}

/// The owner of each flow's originator, by their order of appearance: a pid, `?` where it is recorded and not known.
fn owners(engine: &Engine) -> Vec<String> {
    let dashboard = show(engine);
    let mut rows: Vec<&FlowRow> = dashboard.flows.rows.iter().collect();
    rows.sort_by_key(|row| row.id);
    let name = |row: &&FlowRow| match &row.orig.owner {
        Ownership::Connected { process, rung: Rung::Trace } => process.pid.to_string(),
        Ownership::NotRecorded | Ownership::Unknown => "?".to_owned(),
        other => format!("{other:?}"),
    };
    rows.iter().map(name).collect()
}

/// Feeds the inputs in their order and in the reverse of it: the owners are the same.
fn either_way(inputs: Vec<Input>) -> Vec<String> {
    let (mut there, mut back) = (engine(), engine());
    feed_all(&mut there, inputs.clone());
    feed_all(&mut back, inputs.into_iter().rev());
    assert_eq!(owners(&there), owners(&back));
    owners(&there)
}

fn syn(millis: i64) -> Input {
    Input::Segment(segment(millis, CLIENT, SERVER, "S", 100, 0, 0))
}

#[test]
fn a_claim_names_the_flow_whose_syn_it_encloses_whichever_comes_first() {
    for (begin, until, named) in [(9, 11, "7"), (10, 10, "7"), (11, 12, "?"), (5, 9, "?")] {
        assert_eq!(either_way(vec![syn(10), told(claim(begin, until, 7))]), [named], "{begin} to {until}");
    }
    let elsewhere = Connect { peer: end("10.0.0.5:81"), ..claim(9, 11, 7) };
    assert_eq!(either_way(vec![syn(10), told(elsewhere)]), ["?"]);
}

#[test]
fn the_trace_tells_when_an_unanswered_connect_was_over() {
    let outcome = |engine: &Engine| show(engine).flows.rows[0].outcome;
    let limits = |millis| {
        let Input::Sample(sample) = sample(millis, vec![], &[]) else { unreachable!("a sample") };
        let limits = crate::kernel::Limits { tcp_syn_retries: Some(6), ..Default::default() };
        Input::Sample(Arc::new(SocketSample { limits: Arc::new(limits), ..SocketSample::clone(&sample) }))
    };
    let mut engine = engine();
    feed_all(&mut engine, [limits(0), syn(10), syn(1_010), told(claim(9, 1_500, 7))]);
    assert_eq!(outcome(&engine), Some(HandshakeOutcome::GivenUp));
    let answer = |flags| Input::Segment(segment(1_501, SERVER, CLIENT, flags, 500, 101, 0));
    engine.feed(&answer("S."));
    assert_eq!(outcome(&engine), Some(HandshakeOutcome::Waiting), "the answer was on its way");
    let mut refused = super::engine();
    feed_all(&mut refused, [limits(0), syn(10), told(claim(9, 1_500, 7)), answer("R.")]);
    assert_eq!(outcome(&refused), Some(HandshakeOutcome::Refused));
    // A look-up at the SYN tells of a connect() that is still under way.
    let mut looked_up = super::engine();
    let syn_rung = Connect { rung: Rung::Syn, ..claim(9, 11, 7) };
    feed_all(&mut looked_up, [limits(0), syn(10), told(syn_rung)]);
    assert_eq!(outcome(&looked_up), Some(HandshakeOutcome::Waiting));
}

#[test]
fn an_unnamed_end_on_a_seen_host_is_named_and_a_read_one_keeps_its_holder() {
    let estab = socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1);
    let mut engine = engine();
    feed_all(&mut engine, inputs(handshake(0)));
    engine.feed(&told(claim(-1, 10, 7)));
    engine.feed(&sample(20, vec![], &[]));
    assert_eq!(owners(&engine), ["7"]);
    engine.feed(&sample(30, vec![estab], &[(77, 9, 3, "passed")]));
    let owner = show(&engine).flows.rows[0].orig.owner.clone();
    assert!(matches!(&owner, Ownership::Held { process, fd: 3, .. } if process.pid == 9), "{owner:?}");
    assert_eq!(owner.rung(), Some(Rung::Scan));
}

#[test]
fn each_incarnation_has_its_own_caller() {
    let again = |millis, seq| Input::Segment(segment(millis, CLIENT, SERVER, "S", seq, 0, 0));
    let reset = |millis, seq| Input::Segment(segment(millis, SERVER, CLIENT, "R.", 0, seq, 0));
    let mut engine = engine();
    feed_all(&mut engine, [again(1, 100), reset(2, 101), told(claim(0, 3, 7)), again(5, 900), told(claim(4, 6, 8))]);
    assert_eq!(owners(&engine), ["7", "8"]);
}

#[test]
fn two_claims_of_one_moment_name_nobody_but_whoever_is_here() {
    let both = |here| vec![syn(10), told(claim(9, 11, 7)), told(Connect { here, ..claim(8, 12, 8) })];
    assert_eq!(either_way(both(None)), ["?"], "two namespaces, say");
    assert_eq!(either_way(both(Some(true))), ["8"]);
    assert_eq!(either_way(both(Some(false))), ["7"], "a caller elsewhere is none of ours");
    let twice = vec![syn(10), told(claim(9, 11, 7)), told(claim(9, 11, 7))];
    assert_eq!(either_way(twice), ["7"]);
}

#[test]
fn a_flow_joined_late_is_of_the_last_claim_unless_events_were_lost_since() {
    let data = || Input::Segment(segment(1000, CLIENT, SERVER, "P.", 100, 1, 5));
    let [first, last] = [(0, 5, 7), (10, 15, 8)].map(|(begin, until, pid)| told(claim(begin, until, pid)));
    assert_eq!(either_way(vec![first.clone(), last.clone(), data()]), ["8"]);
    for gap in [10, 500] {
        assert_eq!(either_way(vec![last.clone(), lost(gap), data()]), ["?"], "a later connect() may be missing");
    }
    assert_eq!(either_way(vec![lost(9), last.clone(), data()]), ["8"]);
    let [unknown, found] = [None, Some(process(9, "nc"))].map(|process| Connect { process, ..claim(20, 25, 0) });
    assert_eq!(either_way(vec![last.clone(), told(unknown), data()]), ["?"], "the last caller is not known");
    let by_syn = told(Connect { rung: Rung::Syn, ..found });
    assert_eq!(either_way(vec![by_syn, data()]), ["?"], "not every SYN is looked up");
    // One whose SYN was seen needs no such trust.
    assert_eq!(either_way(vec![lost(30), syn(10), told(claim(9, 11, 7))]), ["7"]);
}

#[test]
fn a_socket_without_segments_is_of_the_last_claim_unless_it_connects_still() {
    let row = |state| sample(100, vec![socket(CLIENT, SERVER, state, (0, 0), 0, 1)], &[]);
    assert_eq!(either_way(vec![told(claim(0, 5, 7)), row(TcpState::TimeWait)]), ["7"]);
    assert_eq!(either_way(vec![told(claim(0, 5, 7)), row(TcpState::SynSent)]), ["?"]);
    assert_eq!(either_way(vec![told(claim(90, 110, 7)), row(TcpState::SynSent)]), ["7"]);
}

#[test]
fn whoever_connects_is_the_originator() {
    let mut engine = fed([segment(10, SERVER, CLIENT, "P.", 500, 101, 9)]);
    assert_eq!(show(&engine).flows.rows[0].orig.endpoint, end(SERVER));
    engine.feed(&told(claim(0, 5, 7)));
    let row = show(&engine).flows.rows[0].clone();
    assert_eq!((row.orig.endpoint, row.orig_known), (end(CLIENT), true));
    assert_eq!(owners(&engine), ["7"]);
}

#[test]
fn an_end_that_is_not_on_this_host_was_not_connected_here() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![], &[]));
    let (far, near) = (end("10.0.0.9:40000"), end(SERVER));
    let mut owner = |here, begin| {
        let mut engine = engine.fork();
        engine.feed(&Input::Segment(segment(10, "10.0.0.9:40000", SERVER, "S", 100, 0, 0)));
        engine.feed(&told(Connect { local: far, peer: near, here, ..claim(begin, 11, 7) }));
        show(&engine).flows.rows[0].orig.owner.clone()
    };
    assert_eq!((owner(None, 9), owner(Some(true), 9)), (Ownership::NotRecorded, Ownership::NotRecorded));
    // In another namespace of this host it is its own.
    assert!(matches!(owner(Some(false), 9), Ownership::Elsewhere { process, rung: Rung::Trace } if process.pid == 7));
    assert_eq!(owner(Some(false), 11), Ownership::NotRecorded, "of a later connection");
}

#[test]
fn a_flow_is_grouped_under_its_process_here_before_that_of_its_peer_elsewhere() {
    let peer = "10.0.0.9:40000";
    let group = |owners: &[(u64, u32, u32, &str)]| {
        let mut engine = engine();
        engine.feed(&sample(0, vec![], &[]));
        engine.feed(&Input::Segment(segment(10, peer, SERVER, "S", 100, 0, 0)));
        engine.feed(&told(Connect { local: end(peer), peer: end(SERVER), here: Some(false), ..claim(9, 11, 7) }));
        engine.feed(&sample(20, vec![socket(SERVER, peer, TcpState::Estab, (98, 0), 2, 2)], owners));
        let query = Query { list: List::Groups(GroupBy::Process, vec![]), rows: 9, ..Query::default() };
        let dashboard = engine.dashboard(&query, &mut QueryCache::default());
        assert_eq!(dashboard.flows.matching, 1, "flows, whatever the list is of");
        let ListPane::Groups(window) = dashboard.list else { panic!("groups") };
        let GroupLine::Group(row) = &window.rows[0] else { panic!("a group") };
        (row.process.as_ref().map(|process| process.pid), row.recv_q)
    };
    assert_eq!(group(&[(2, 12, 3, "web")]), (Some(12), Some(98)));
    assert_eq!(group(&[]), (Some(7), Some(98)), "nobody here is known");
}

#[test]
fn claims_that_no_flow_takes_are_forgotten() {
    let mut engine = engine();
    engine.feed(&told(claim(0, 5, 7)));
    engine.feed(&told(Connect { peer: end("10.0.0.5:81"), ..claim(6_000, 6_005, 8) }));
    engine.feed(&syn(2));
    assert_eq!(owners(&engine), ["?"]);
    let flood = |n: i64| Connect { local: Endpoint::new([10, 0, 0, 2], (n % 60_000) as u16), ..claim(6_000, 6_005, 9) };
    for n in 0..100_000 {
        engine.feed(&told(flood(n)));
    }
    assert!(engine.connects.len() <= 1 << 15);
    let sight = show(&engine).sees.trace.unwrap();
    assert_eq!((sight.connects, sight.lost), (100_002, 0));
}

#[test]
fn a_trace_without_events_is_seen_all_the_same() {
    let mut engine = engine();
    assert_eq!(show(&engine).sees.trace, None);
    engine.feed(&Input::Kernel(KernelEvent::Tracing(at(0))));
    assert_eq!(show(&engine).sees.trace, Some(TraceSight::default()));
}

const HERE: &str = "10.0.0.2:80";
const FAR: &str = "10.0.0.9:40000";

fn closes(millis: i64, pid: u32) -> Input {
    let (local, peer, process) = (end(HERE), end(FAR), process(pid, "nginx"));
    Input::Kernel(KernelEvent::Close(Close {
        ts: at(millis),
        scope: Scope::FILE,
        local,
        peer,
        process,
        rung: Rung::Trace,
    }))
}

/// A server here whose connections are shorter than a sample: the responder's owner after `then`.
fn server(then: Vec<Input>) -> Ownership {
    let opened = [(0, FAR, HERE, "S", 100, 0), (1, HERE, FAR, "S.", 500, 101), (2, FAR, HERE, ".", 101, 501)];
    let mut engine = engine();
    let listeners = [(77, 1, 3, "nginx"), (77, 2, 3, "nginx"), (77, 3, 3, "nginx")];
    let listener = || vec![socket(HERE, "0.0.0.0:0", TcpState::Listen, (0, 128), 77, 9)];
    engine.feed(&sample(-10, listener(), &listeners));
    for (millis, src, dst, flags, seq, ack) in opened {
        engine.feed(&Input::Segment(segment(millis, src, dst, flags, seq, ack, 0)));
    }
    feed_all(&mut engine, then);
    show(&engine).flows.rows[0].resp.owner.clone()
}

#[test]
fn whoever_closes_narrows_the_set_of_a_listeners_holders() {
    let fin = |millis| Input::Segment(segment(millis, HERE, FAR, "F.", 501, 101, 0));
    let named = |owner: &Ownership| match owner {
        Ownership::Closed { process, rung: Rung::Trace } => Some(process.pid),
        _ => None,
    };
    let untold = server(vec![]);
    assert!(matches!(untold, Ownership::Listener { others: 2, .. }), "{untold:?}");
    assert_eq!(named(&server(vec![closes(10, 2), fin(11)])), Some(2));
    assert_eq!(named(&server(vec![fin(11), closes(10, 2)])), Some(2), "the FIN came first");
    assert_eq!(named(&server(vec![fin(11), closes(12, 2)])), None, "it had been closed before");
    assert_eq!(named(&server(vec![closes(-5, 2)])), None, "of a connection before this one");
    assert_eq!(named(&server(vec![closes(10, 2), closes(11, 3)])), None, "nobody closes twice");
}

#[test]
fn a_process_without_a_connection_sends_nothing_and_of_one_that_let_go_the_last_second_counts() {
    let rate = |inputs: Vec<Input>, now| {
        let mut engine = engine();
        feed_all(&mut engine, inputs);
        engine.feed(&Input::Tick(at(now)));
        processes(&engine).iter().map(|row| row.bits_per_s.map(|rate| rate > 0)).collect::<Vec<_>>()
    };
    let listener =
        || sample(0, vec![socket(SERVER, "0.0.0.0:0", TcpState::Listen, (0, 5), 5, 5)], &[(5, 42, 3, "web")]);
    assert_eq!(rate(vec![listener()], 5_000), [None], "no segment was seen");
    let elsewhere = Input::Segment(segment(10, "10.0.0.8:1", "10.0.0.9:1", "S", 1, 0, 0));
    assert_eq!(rate(vec![listener(), elsewhere.clone()], 5_000), [Some(false)]);
    let held = || sample(500, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 7, 7)], &[(7, 42, 3, "nc")]);
    assert_eq!(rate(vec![elsewhere, held()], 5_000), [None], "it has a connection that was not captured");
    let opened = vec![sample(0, vec![], &[]), syn(10), told(claim(9, 11, 7))];
    assert_eq!((rate(opened.clone(), 1_200), rate(opened, 5_000)), (vec![Some(true)], vec![Some(false)]));
}

/// The rows of the list of processes.
fn processes(engine: &Engine) -> Vec<ProcessRow> {
    let query = Query { list: List::Processes(Sort::default(), Vec::new()), rows: 10, ..Query::default() };
    let ListPane::Processes(window) = engine.dashboard(&query, &mut QueryCache::default()).list else {
        panic!("processes")
    };
    let row = |line| match line {
        ProcessLine::Process(row) => row,
        ProcessLine::Descriptor(row) => panic!("{row:?}"),
    };
    window.rows.into_iter().map(row).collect()
}

/// Of each process after these: its pid, the sockets that it holds, what it opened, and left in TIME-WAIT.
fn known_after(inputs: Vec<Input>) -> Vec<(u32, u64, u64, u64)> {
    let mut engine = engine();
    feed_all(&mut engine, inputs);
    processes(&engine).iter().map(|row| (row.process.pid, row.sockets, row.opened, row.time_wait)).collect()
}

/// A reading that has the client's end in TIME-WAIT.
fn waits() -> Input {
    sample(500, vec![Socket { inode: None, ..socket(CLIENT, SERVER, TcpState::TimeWait, (0, 0), 0, 7) }], &[])
}

#[test]
fn a_process_that_only_connected_is_among_the_processes() {
    let opened = vec![sample(0, vec![], &[]), syn(10), told(claim(9, 11, 7))];
    assert_eq!(known_after(opened.clone()), [(7, 0, 1, 0)]);
    assert_eq!(known_after(opened.into_iter().chain([waits()]).collect()), [(7, 0, 1, 1)]);
    assert_eq!(known_after(vec![sample(0, vec![], &[]), syn(10)]), [], "nobody is named");
    let held = |flags| {
        let rows = vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 7, 7)];
        let first = Input::Segment(segment(10, CLIENT, SERVER, flags, 101, 501, 0));
        known_after(vec![first, sample(500, rows, &[(7, 42, 3, "nc")])])
    };
    assert_eq!((held("S"), held(".")), (vec![(42, 1, 1, 0)], vec![(42, 1, 0, 0)]), "seen to open it, and not");
    assert_eq!(known_after(vec![syn(10), told(claim(9, 11, 7))]), [], "the socket table was not read");
}

#[test]
fn a_process_that_only_closed_did_not_open_and_is_known_by_its_time_wait() {
    let close = Close {
        ts: at(20),
        scope: Scope::FILE,
        local: end(CLIENT),
        peer: end(SERVER),
        process: process(9, "child"),
        rung: Rung::Trace,
    };
    let mut closed = vec![sample(0, vec![], &[])];
    closed.extend(handshake(10).into_iter().map(Input::Segment));
    closed.push(Input::Kernel(KernelEvent::Close(close)));
    assert_eq!(known_after(closed.clone()), [], "who closed it may not have opened it");
    closed.push(waits());
    assert_eq!(known_after(closed), [(9, 0, 0, 1)], "it left it in TIME-WAIT");
}

#[test]
fn a_connect_that_is_done_took_the_syn_ack_though_its_ack_was_not_captured() {
    use crate::flow::HandshakeOutcome::{Completed, HalfOpen, Waiting};
    let [syn, syn_ack, ack] = handshake(10)[..] else { panic!("three segments") };
    let done = |connected| told(Connect { connected, ..claim(9, 21, 7) });
    let told_after = |inputs: Vec<Input>| {
        let mut engine = engine();
        feed_all(&mut engine, inputs);
        let detail = engine.detail(FlowId(0)).expect("a flow");
        (detail.row.orig.inferred, detail.row.resp.inferred, detail.row.outcome, detail.story)
    };
    let answered = || vec![Input::Segment(syn), Input::Segment(syn_ack)];
    let with = |more: Vec<Input>| told_after([answered(), more].concat());
    let (orig, resp, outcome, story) = with(vec![done(Some(true))]);
    assert_eq!((orig, resp, outcome), (Some(TcpState::Estab), Some(TcpState::SynRecv), Some(Waiting)));
    assert!(story.contains("Its kernel took the SYN-ACK (connect() is done)"), "{story}");
    let (orig, _, outcome, story) = with(vec![done(Some(true)), Input::Tick(at(9_000))]);
    assert_eq!((orig, outcome), (Some(TcpState::Estab), Some(HalfOpen)));
    assert!(story.contains("so the capture missed its ACK"), "{story}");
    let (orig, resp, outcome, _) = with(vec![done(Some(true)), Input::Segment(ack)]);
    assert_eq!((orig, resp, outcome), (Some(TcpState::Estab), Some(TcpState::Estab), Some(Completed)));
    for other in [Some(false), None] {
        assert_eq!(with(vec![done(other)]).0, Some(TcpState::SynSent), "{other:?}");
    }
    let (orig, _, outcome, _) = told_after(vec![Input::Segment(syn), done(Some(true))]);
    assert_eq!((orig, outcome), (Some(TcpState::SynSent), Some(Waiting)), "nothing that it took was captured");
}
