//! Readings that come late, captures that begin late, and captures that lose.

use super::*;

#[test]
fn a_late_reading_says_nothing_of_a_connection_that_began_after_it() {
    let again = [
        segment(1_000, CLIENT, SERVER, "S", 70_100, 0, 0),
        segment(1_010, SERVER, CLIENT, "S.", 90_500, 70_101, 0),
        segment(1_011, CLIENT, SERVER, ".", 70_101, 90_501, 0),
    ];
    let mut engine = fed(handshake(0).into_iter().chain(close(20)).chain(again));
    assert_eq!(show(&engine).flows.rows.len(), 2, "the tuple is used again");
    engine.feed(&sample(900, vec![socket(CLIENT, SERVER, TcpState::TimeWait, (0, 0), 0, 1)], &[]));
    let rows = show(&engine).flows.rows;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.orig.reported.is_none()), "{rows:?}");
    engine.feed(&sample(1_500, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 2)], &[]));
    let rows = show(&engine).flows.rows;
    let reported: Vec<_> = rows.iter().filter_map(|row| Some((row.id, row.orig.reported?))).collect();
    assert_eq!((rows.len(), reported), (2, vec![(FlowId(1), TcpState::Estab)]));
}

#[test]
fn time_that_has_passed_already_changes_nothing_though_a_late_segments_timer_is_overdue() {
    let late = segment(0, CLIENT, SERVER, "S", 100, 0, 0);
    let mut engine = fed([segment(20_000, "10.0.0.9:9", SERVER, "S", 7, 0, 0), late]);
    let outcome = |engine: &Engine| show(engine).flows.rows.iter().find(|row| row.id == FlowId(1)).unwrap().outcome;
    let before = outcome(&engine);
    engine.feed(&Input::Tick(at(20_000)));
    assert_eq!(outcome(&engine), before);
    engine.feed(&Input::Tick(at(20_001)));
    assert_eq!(outcome(&engine), Some(HandshakeOutcome::Unanswered));
}

#[test]
fn a_fin_before_the_capture_is_no_mismatch() {
    // The server's FIN went before the capture began: the client's FIN and the last ACK are all there is.
    let mut engine = fed([segment(0, CLIENT, SERVER, "F.", 101, 502, 0), segment(1, SERVER, CLIENT, ".", 502, 102, 0)]);
    let rows = || vec![socket(SERVER, CLIENT, TcpState::TimeWait, (0, 0), 0, 1)];
    for millis in [1_000, 1_500, 2_000] {
        engine.feed(&sample(millis, rows(), &[]));
    }
    let dashboard = show(&engine);
    assert_eq!((dashboard.states.mismatched, dashboard.flows.rows[0].resp.mismatch_since), (0, None));
}

#[test]
fn segments_that_were_lost_are_no_mismatch() {
    let reported = |state| vec![socket(CLIENT, SERVER, state, (0, 0), 77, 1)];
    let lost = |millis, kernel, ours| {
        Input::Loss(Box::new(Loss {
            ts: at(millis),
            kernel: Some(kernel),
            interface: Some(9),
            ours,
            frames: FrameCounts::default(),
        }))
    };
    for (kernel, ours, claims) in [(5, 0, 0), (0, 5, 0), (0, 0, 1)] {
        let mut engine = fed(handshake(0));
        engine.feed(&lost(500, kernel, ours));
        for millis in [1_000, 1_500, 2_000] {
            engine.feed(&sample(millis, reported(TcpState::TimeWait), &[]));
        }
        assert_eq!(show(&engine).states.mismatched, claims, "the kernel lost {kernel}, we lost {ours}");
    }
    // What begins after the loss is whole.
    let mut engine = engine();
    engine.feed(&lost(500, 5, 5));
    feed_all(&mut engine, inputs(handshake(600)));
    engine.feed(&lost(900, 5, 5));
    for millis in [1_000, 1_500, 2_000] {
        engine.feed(&sample(millis, reported(TcpState::TimeWait), &[]));
    }
    assert_eq!(show(&engine).states.mismatched, 1);
}

#[test]
fn a_socket_that_is_gone_ends_its_flow_though_its_fin_was_lost() {
    let mut engine = Engine::new(Config::live(10, 1));
    feed_all(&mut engine, inputs(handshake(0)));
    engine.feed(&sample(500, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[]));
    engine.feed(&sample(1_000, Vec::new(), &[]));
    let dashboard = show(&engine);
    assert!(dashboard.flows.rows[0].closed);
    engine.feed(&sample(400_000, Vec::new(), &[]));
    assert_eq!(show(&engine).totals.flows, 0, "forgotten like any flow that is over");
}
