//! The sequence analysis as a flow's row and details tell it.

use super::*;
use crate::flow::Mark;

/// The marks of both halves, the originator's first.
fn marks(engine: &Engine, id: u64) -> Option<[Vec<(&'static str, u64)>; 2]> {
    let detail = engine.detail(FlowId(id)).expect("a flow");
    let counts = detail.analysis?;
    let wire = counts.iter().map(|half| half.of(Mark::Retransmission)).sum();
    assert_eq!(detail.row.retrans_wire, Some(wire), "row and details agree");
    Some(counts.map(|half| half.iter().map(|(mark, n)| (mark.name(), n)).collect()))
}

#[test]
fn marks_count_for_the_sender() {
    let data = |millis| segment(millis, CLIENT, SERVER, "P.", 101, 501, 100);
    let ack = |millis| segment(millis, SERVER, CLIENT, ".", 501, 201, 0);
    let engine = fed(handshake(0).into_iter().chain([data(100), data(400), ack(410), ack(420), data(900)]));
    let orig = vec![("retransmission", 2), ("spurious_retransmission", 1)];
    assert_eq!(marks(&engine, 0), Some([orig, vec![("duplicate_ack", 1)]]));
}

#[test]
fn a_reused_tuple_begins_its_analysis_anew() {
    let again = segment(500, CLIENT, SERVER, "S", 9_000, 0, 0);
    let answer = segment(510, SERVER, CLIENT, "S.", 40_000, 9_001, 0);
    let engine = fed(handshake(0).into_iter().chain(close(100)).chain([again, answer]));
    assert_eq!(marks(&engine, 0), Some([vec![], vec![]]));
    assert_eq!(marks(&engine, 1), Some([vec![("reused_ports", 1)], vec![]]));
}

#[test]
fn without_a_segment_nothing_is_claimed() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 7, 7)], &[]));
    assert_eq!(marks(&engine, 0), None);
    assert_eq!(show(&engine).flows.rows[0].retrans_wire, None);
}

#[test]
fn the_halves_turn_around_with_the_flow() {
    // The server is seen first; its listener tells later that it did not open the connection.
    let (server, client) = ("10.0.0.2:80", "10.0.0.9:41000");
    let data = |millis| segment(millis, server, client, "P.", 101, 501, 100);
    let mut engine = fed([data(0), data(500)]);
    assert_eq!(marks(&engine, 0), Some([vec![("retransmission", 1)], vec![]]));
    let rows = vec![
        socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (0, 128), 8, 8),
        socket(server, client, TcpState::Estab, (0, 0), 7, 7),
    ];
    engine.feed(&sample(600, rows, &[(8, 9, 3, "web")]));
    assert_eq!(marks(&engine, 0), Some([vec![], vec![("retransmission", 1)]]));
    feed_all(&mut engine, inputs(vec![data(1_000)]));
    assert_eq!(marks(&engine, 0), Some([vec![], vec![("retransmission", 2)]]));
}
