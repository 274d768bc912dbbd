//! Which flows there are: what begins one, what is counted once, and who has to go.

use super::*;

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

fn there(engine: &Engine) -> BTreeSet<u64> {
    show(engine).flows.rows.iter().map(|row| row.id.0).collect()
}

#[test]
fn of_a_full_table_the_closed_go_first_though_in_time_wait_then_the_half_open() {
    let mut engine = Engine::new(Config::replay(3, 1));
    let begin = |engine: &mut Engine, millis, port| {
        engine.feed(&Input::Segment(segment(millis, &format!("10.9.9.9:{port}"), SERVER, "S", 7, 0, 0)));
    };
    begin(&mut engine, 0, 1_001);
    begin(&mut engine, 5, 1_001);
    feed_all(&mut engine, inputs(handshake(10).into_iter().chain(close(100)).collect()));
    begin(&mut engine, 200, 1_002);
    assert_eq!(wire_count(&show(&engine), TcpState::TimeWait), Some(1));
    begin(&mut engine, 300, 1_003);
    let dashboard = show(&engine);
    assert_eq!(dashboard.totals.evicted, Evicted { closed: 1, half_open: 0, idle: 0 });
    assert_eq!(wire_count(&dashboard, TcpState::TimeWait), Some(0), "it is counted no more");
    assert_eq!(there(&engine), BTreeSet::from([0, 2, 3]));
    begin(&mut engine, 400, 1_004);
    assert_eq!(show(&engine).totals.evicted, Evicted { closed: 1, half_open: 1, idle: 0 });
    assert_eq!(there(&engine), BTreeSet::from([0, 3, 4]), "who tried again goes after those who did not");
}

#[test]
fn of_the_established_the_idle_longest_goes_first() {
    let mut engine = Engine::new(Config::replay(3, 1));
    let begin = |engine: &mut Engine, millis, client: &str| feed_all(engine, inputs(handshake_of(client, millis)));
    let speak = |engine: &mut Engine, millis, client: &str, seq| {
        engine.feed(&Input::Segment(segment(millis, client, SERVER, "P.", seq, 501, 10)));
    };
    let clients = [0, 1, 2, 3, 4].map(|n| format!("10.9.9.{n}:4000"));
    for (client, millis) in clients[..3].iter().zip([0, 20, 40]) {
        begin(&mut engine, millis, client);
    }
    speak(&mut engine, 60, &clients[0], 101);
    begin(&mut engine, 80, &clients[3]);
    assert_eq!(there(&engine), BTreeSet::from([0, 2, 3]));
    speak(&mut engine, 100, &clients[2], 101);
    begin(&mut engine, 120, &clients[4]);
    assert_eq!(there(&engine), BTreeSet::from([2, 3, 4]));
    assert_eq!(show(&engine).totals.evicted, Evicted { closed: 0, half_open: 0, idle: 2 });
}

#[test]
fn a_socket_in_time_wait_is_closed_for_who_has_to_go_and_kept_while_it_is_there() {
    let mut engine = Engine::new(Config { keep_closed: Some(Duration::from_secs(120)), ..Config::live(2, 1) });
    for millis in [0, 100_000, 200_000, 300_000] {
        engine.feed(&sample(millis, vec![socket(CLIENT, SERVER, TcpState::TimeWait, (0, 0), 0, 0)], &[]));
    }
    assert_eq!(there(&engine), BTreeSet::from([0]), "it has not begun anew");
    for port in [1_001, 1_002] {
        engine.feed(&Input::Segment(segment(300_100, &format!("10.9.9.9:{port}"), SERVER, "S", 7, 0, 0)));
    }
    assert_eq!(show(&engine).totals.evicted, Evicted { closed: 1, half_open: 0, idle: 0 });
    assert_eq!(there(&engine), BTreeSet::from([1, 2]));
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
fn the_same_datagram_on_another_interface_counts_once_when_live_and_twice_in_a_file() {
    let first = segment(0, CLIENT, SERVER, "S", 100, 0, 0);
    let again = Segment { iface: 2, ts: first.ts + Duration::from_micros(20), ..first };
    let later = Segment { iface: 2, ts: first.ts + Duration::from_millis(2), ..first };
    let same_interface = Segment { ts: first.ts + Duration::from_micros(30), ..first };
    let of_one_interface = Config { repeats: Repeats::Tunnels, ..Config::live(10, 1) };
    for (config, expected) in
        [(Config::live(10, 1), (3, 1)), (of_one_interface, (4, 0)), (Config::replay(10, 1), (4, 0))]
    {
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
