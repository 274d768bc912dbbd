//! What the panes tell, and in which order.

use super::*;

fn ids(dashboard: &Dashboard) -> Vec<u64> {
    dashboard.flows.rows.iter().map(|row| row.id.0).collect()
}

/// Sends `len` bytes from a client of its own.
fn data(millis: i64, client: u32, seq: u32, len: u32) -> Input {
    Input::Segment(segment(millis, &format!("10.0.0.2:{}", 40_000 + client), SERVER, "P.", seq, 1, len))
}

#[test]
fn the_order_by_rate_follows_the_rates_as_soon_as_they_change() {
    let mut engine = engine();
    let query = Query { rows: 10, ..Query::default() };
    let mut cache = QueryCache::default();
    feed_all(&mut engine, [data(0, 0, 1, 900), data(10, 1, 1, 100), data(900, 0, 901, 1)]);
    feed_all(&mut engine, [data(1_700, 1, 101, 900), data(1_800, 0, 902, 1)]);
    assert_eq!(ids(&engine.dashboard(&query, &mut cache)), [0, 1]);
    // Only 300 ms later, but another second.
    engine.feed(&Input::Tick(at(2_100)));
    let dashboard = engine.dashboard(&query, &mut cache);
    assert_eq!(ids(&dashboard), [1, 0]);
    let rates: Vec<_> = dashboard.flows.rows.iter().map(|row| row.bits_per_s).collect();
    assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
}

#[test]
fn sums_of_flows_are_of_one_instant() {
    let mut engine = engine();
    let mut cache = QueryCache::default();
    engine.feed(&data(0, 0, 1, 100));
    engine.dashboard(&Query::default(), &mut cache);
    engine.feed(&data(10, 1, 1, 100));
    let dashboard = engine.dashboard(&Query::default(), &mut cache);
    assert_eq!((dashboard.totals.flows, dashboard.flows.all, dashboard.flows.matching), (1, 1, 1), "as cached");
    engine.feed(&Input::Tick(at(600)));
    let dashboard = engine.dashboard(&Query::default(), &mut cache);
    assert_eq!((dashboard.totals.flows, dashboard.flows.all, dashboard.flows.matching), (2, 2, 2));
    // The end of a file: whoever looks once more sees what there is.
    engine.feed(&data(610, 2, 1, 100));
    let flows = |cache: &mut QueryCache| engine.dashboard(&Query::default(), cache).flows.all;
    assert_eq!([flows(&mut cache), flows(&mut cache)], [2, 3]);
}

#[test]
fn a_screen_counts_header_rows_handshakes_and_findings_at_one_instant() {
    let mut engine = engine();
    let mut cache = QueryCache::default();
    let refuse = |engine: &mut Engine, millis, n: u32| {
        let client = format!("10.0.0.2:{}", 40_000 + n);
        let syn = segment(millis, &client, SERVER, "S", 1, 0, 0);
        feed_all(engine, [syn, segment(millis + 1, SERVER, &client, "R.", 0, 2, 0)].map(Input::Segment));
    };
    let mut counts = |engine: &Engine, filter: &str| {
        let query = Query { rows: 100, filter: Filter::parse(filter).expect(filter), ..Query::default() };
        let told = engine.dashboard(&query, &mut cache);
        let finding = told.findings.iter().find_map(|finding| finding.told.split(' ').nth(2)?.parse().ok());
        [told.totals.flows, told.flows.matching as u64, told.handshakes.begun, finding.unwrap_or(0)]
    };
    (0..20).for_each(|n| refuse(&mut engine, 1_700 + i64::from(n), n));
    assert_eq!(counts(&engine, ""), [20; 4]);
    refuse(&mut engine, 1_900, 20);
    assert_eq!(counts(&engine, ""), [20; 4], "as cached");
    refuse(&mut engine, 2_010, 21);
    assert_eq!(counts(&engine, ""), [22; 4], "the rates have changed, and the rows with them");
    refuse(&mut engine, 2_100, 22);
    assert_eq!(counts(&engine, "refused"), [23; 4], "another question");
}

#[test]
fn accept_queues_over_their_limit_come_first_then_the_fullest_by_share() {
    let mut engine = engine();
    let listener = |port: u32, waiting, limit, cookie| {
        socket(&format!("0.0.0.0:{port}"), "0.0.0.0:0", TcpState::Listen, (waiting, limit), cookie, cookie)
    };
    let rows = vec![listener(1, 20, 64, 1), listener(2, 3, 2, 2), listener(3, 2, 2, 3), listener(4, 0, 0, 4)];
    engine.feed(&sample(0, rows, &[]));
    let accept = show(&engine).queues.kernel.expect("a reading").accept;
    assert_eq!(accept.iter().map(|row| row.local.port()).collect::<Vec<_>>(), [2, 3, 1, 4]);
}

#[test]
fn an_accept_queue_is_full_since_the_first_reading_in_a_row_that_found_it_so() {
    let mut engine = engine();
    let mut since = |millis, waiting, limit| {
        let row = socket("0.0.0.0:1", "0.0.0.0:0", TcpState::Listen, (waiting, limit), 1, 1);
        engine.feed(&sample(millis, vec![row], &[]));
        show(&engine).queues.kernel.expect("a reading").accept[0].full_since
    };
    assert_eq!(since(0, 4, 5), None);
    assert_eq!([since(1_000, 5, 5), since(2_000, 6, 5)], [Some(at(1_000)); 2], "at its limit, then over it");
    assert_eq!([since(3_000, 4, 5), since(4_000, 6, 5)], [None, Some(at(4_000))]);
    assert_eq!(since(5_000, 0, 0), None, "nothing waits");
}

#[test]
fn a_queue_that_holds_only_a_syn_or_fin_is_not_listed() {
    use TcpState::{CloseWait, Estab, FinWait1, LastAck, SynSent};
    let listed = |state, recv, send| {
        let mut engine = engine();
        engine.feed(&sample(0, vec![socket(CLIENT, SERVER, state, (recv, send), 7, 7)], &[]));
        let dashboard = show(&engine);
        let row = &dashboard.flows.rows[0];
        assert_eq!((row.orig.recv_q, row.orig.send_q), (Some(recv), Some(send)), "the table keeps the kernel's number");
        let queues = dashboard.queues.kernel.expect("a reading");
        (queues.recv.len(), queues.send.len())
    };
    assert_eq!(listed(CloseWait, 1, 0), (0, 0));
    assert_eq!(listed(SynSent, 0, 1), (0, 0));
    assert_eq!(listed(FinWait1, 0, 1), (0, 0));
    assert_eq!(listed(LastAck, 1, 1), (0, 0));
    assert_eq!(listed(CloseWait, 2, 0), (1, 0), "a byte before the FIN");
    assert_eq!(listed(FinWait1, 0, 2), (0, 1));
    assert_eq!(listed(Estab, 1, 1), (1, 1), "one byte");
}

#[test]
fn latencies_are_told_to_three_digits() {
    let mut engine = fed([
        segment(0, CLIENT, SERVER, "S", 100, 0, 0),
        segment(1_040, SERVER, CLIENT, "S.", 500, 101, 0),
        segment(1_050, CLIENT, SERVER, ".", 101, 501, 0),
    ]);
    engine.feed(&Input::Tick(at(1_100)));
    let max = show(&engine).handshakes.latency.expect("one completed").max;
    assert!((1_050..=1_051).contains(&max.as_millis()), "{max:?}");
}

#[test]
fn what_was_not_watched_is_not_counted_as_none() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![socket(CLIENT, SERVER, TcpState::TimeWait, (0, 0), 0, 7)], &[]));
    assert_eq!(show(&engine).time_wait.entered, None, "no packets");
    feed_all(&mut engine, inputs(handshake(1_000).into_iter().chain(close(1_100)).collect()));
    engine.feed(&Input::Tick(at(2_990)));
    let (pane, handshakes) = (show(&engine).time_wait, show(&engine).handshakes);
    assert_eq!((pane.entered, pane.entered_window), (Some(1), Duration::from_millis(2_990)));
    assert_eq!((handshakes.begun, handshakes.window), (1, Duration::from_millis(2_990)));
    engine.feed(&Input::Tick(at(200_000)));
    let pane = show(&engine).time_wait;
    assert_eq!((pane.entered, pane.entered_window), (Some(0), Duration::from_secs(60)));
}

#[test]
fn a_rate_is_not_known_before_a_second_is_complete() {
    let mut engine = engine();
    let rates = |engine: &Engine| {
        let dashboard = show(engine);
        (dashboard.flows.rows[0].bits_per_s, dashboard.traffic.last_second)
    };
    feed_all(&mut engine, [data(100, 0, 1, 46), data(200, 0, 47, 46)]);
    assert_eq!(rates(&engine), (None, None));
    engine.feed(&Input::Tick(at(1_000)));
    assert_eq!(rates(&engine), (Some(2 * 800), Some(Second { segments: 2, bits: 2 * 800 })));
    engine.feed(&Input::Tick(at(2_000)));
    assert_eq!(rates(&engine), (Some(0), Some(Second { segments: 0, bits: 0 })));
}

#[test]
fn bytes_of_which_no_acknowledgment_was_seen_are_not_called_acknowledged() {
    let unknown = |engine: &Engine| (show(engine).queues.unknown_halves, show(engine).queues.wire.len());
    let mut engine = engine();
    engine.feed(&data(0, 0, 1, 100));
    assert_eq!(unknown(&engine), (1, 0));
    engine.feed(&Input::Segment(segment(10, SERVER, CLIENT, ".", 1, 101, 0)));
    assert_eq!(unknown(&engine), (0, 0));
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
