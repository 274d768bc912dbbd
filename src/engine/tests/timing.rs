//! The times as a flow's row and details tell them.

use super::*;
use crate::engine::Rtt;

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn a_flow_without_data_has_no_times() {
    let engine = fed(handshake(0));
    assert_eq!(engine.detail(FlowId(0)).expect("a flow").timing, None);
}

#[test]
fn the_round_trip_of_data_stands_in_for_a_handshake_that_was_not_captured() {
    let mut engine = fed([
        segment(0, CLIENT, SERVER, ".", 101, 501, 0),
        segment(10, CLIENT, SERVER, "P.", 101, 501, 100),
        segment(30, SERVER, CLIENT, "P.", 501, 201, 100),
    ]);
    assert_eq!(engine.detail(FlowId(0)).expect("a flow").row.rtt, None, "one side of the path is not the whole");
    feed_all(&mut engine, inputs(vec![segment(33, CLIENT, SERVER, ".", 201, 601, 0)]));
    let detail = engine.detail(FlowId(0)).expect("a flow");
    assert_eq!(detail.row.rtt, Some(Rtt::Data(millis(23))));
    let timing = detail.timing.expect("data");
    assert_eq!(timing.halves.map(|half| half.think.map(|think| think.min)), [None, Some(millis(20))]);
}

#[test]
fn the_handshakes_round_trip_comes_before_that_of_data() {
    let data = [segment(100, CLIENT, SERVER, "P.", 101, 501, 100), segment(200, SERVER, CLIENT, ".", 501, 201, 0)];
    let engine = fed(handshake(0).into_iter().chain(data));
    let detail = engine.detail(FlowId(0)).expect("a flow");
    assert!(matches!(detail.row.rtt, Some(Rtt::Handshake(_))), "{:?}", detail.row.rtt);
    let orig = detail.timing.expect("data").halves[0];
    assert_eq!(orig.rtt_by_ack.map(|told| (told.samples, told.max)), Some((1, millis(100))));
}

#[test]
fn the_times_turn_around_with_the_flow() {
    // The server is seen first; its listener tells later that it did not open the connection.
    let (server, client) = ("10.0.0.2:80", "10.0.0.9:41000");
    let mut engine = fed([
        segment(0, server, client, ".", 101, 501, 0),
        segment(10, server, client, "P.", 101, 501, 100),
        segment(30, client, server, ".", 501, 201, 0),
    ]);
    let trips = |engine: &Engine| {
        let timing = engine.detail(FlowId(0)).expect("a flow").timing.expect("data");
        timing.halves.map(|half| half.rtt_by_ack.map(|told| told.min))
    };
    assert_eq!(trips(&engine), [Some(millis(20)), None]);
    let rows = vec![
        socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (0, 128), 8, 8),
        socket(server, client, TcpState::Estab, (0, 0), 7, 7),
    ];
    engine.feed(&sample(600, rows, &[(8, 9, 3, "web")]));
    assert_eq!(trips(&engine), [None, Some(millis(20))]);
}
