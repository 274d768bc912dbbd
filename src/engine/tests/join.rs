//! The join: sockets beside flows, with their owners, and where the two sides disagree.

use super::*;

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
fn what_was_read_before_the_wire_moved_on_is_old_and_no_other_word() {
    let row = |state| vec![socket(CLIENT, SERVER, state, (0, 1), 77, 1)];
    let cell = |engine: &Engine| {
        let end = show(engine).flows.rows.remove(0).orig;
        (end.reported, end.outdated, end.state())
    };
    let [syn, rest @ ..] = &handshake(2_000)[..] else { panic!("a handshake") };
    let mut engine = fed([*syn]);
    engine.feed(&sample(2_005, row(TcpState::SynSent), &[]));
    assert_eq!(cell(&engine), (Some(TcpState::SynSent), None, Some(TcpState::SynSent)), "both say so");
    rest.iter().for_each(|segment| engine.feed(&Input::Segment(*segment)));
    assert_eq!(cell(&engine), (Some(TcpState::SynSent), Some(at(2_005)), Some(TcpState::Estab)));
    engine.feed(&Input::Tick(at(9_000)));
    assert!(!engine.detail(FlowId(0)).expect("a flow").story.contains("SYN"), "the sentence is of what it does now");
    engine.feed(&sample(9_500, row(TcpState::SynSent), &[]));
    assert_eq!(
        cell(&engine),
        (Some(TcpState::SynSent), None, Some(TcpState::SynSent)),
        "read after, it is another word"
    );
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
