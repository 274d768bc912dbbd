//! Zeek's rows as the engine hangs them on flows.

use super::*;
use crate::flow::{ConnState, RowEnd, ZeekView};

fn view(engine: &Engine, id: u64) -> ZeekView {
    engine.detail(FlowId(id)).expect("the flow").zeek.expect("segments")
}

fn told(engine: &Engine, id: u64) -> Vec<(ConnState, String, Option<RowEnd>)> {
    view(engine, id).rows.iter().map(|row| (row.conn_state, row.history.to_string(), row.ended)).collect()
}

fn ids(engine: &Engine) -> Vec<u64> {
    let mut ids: Vec<u64> = show(engine).flows.rows.iter().map(|row| row.id.0).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn one_flow_several_rows() {
    let syn = |millis| segment(millis, CLIENT, SERVER, "S", 100, 0, 0);
    let answer = segment(8_010, SERVER, CLIENT, "S.", 500, 101, 0);
    let engine = fed([syn(0), syn(1_000), syn(8_000), answer]);
    let [id] = ids(&engine)[..] else { panic!("one flow") };
    let rows = [(ConnState::S0, "S".to_owned(), Some(RowEnd::Unanswered)), (ConnState::S1, "Sh".to_owned(), None)];
    assert_eq!(told(&engine, id), rows);
}

#[test]
fn a_row_ends_by_the_clock_although_nothing_comes() {
    let mut engine = fed(handshake(0).into_iter().chain(close(100)));
    let [id] = ids(&engine)[..] else { panic!("one flow") };
    assert_eq!(told(&engine, id), [(ConnState::Sf, "ShAFf".to_owned(), None)]);
    engine.feed(&Input::Tick(at(6_000)));
    assert_eq!(told(&engine, id), [(ConnState::Sf, "ShAFf".to_owned(), Some(RowEnd::Closed))]);
}

#[test]
fn a_new_incarnation_ends_the_row_of_the_one_before() {
    let again = segment(1_000, CLIENT, SERVER, "S", 9_000, 0, 0);
    // Of the older flow, by its numbers: Zeek knows only the newest connection of a tuple.
    let older = segment(1_010, SERVER, CLIENT, "P.", 501, 101, 10);
    let engine = fed(handshake(0).into_iter().chain([again, older]));
    let [first, second] = ids(&engine)[..] else { panic!("two flows") };
    assert_eq!(told(&engine, first), [(ConnState::S1, "ShA".to_owned(), Some(RowEnd::Reused))]);
    assert_eq!(told(&engine, second), [(ConnState::Oth, "Sd".to_owned(), None)]);
    let detail = engine.detail(FlowId(first)).expect("the flow");
    assert_eq!(detail.row.payload_bytes, Some(10), "by RFC 9293 it is the older flow's");
}

#[test]
fn the_originator_is_named_by_the_flows_sides() {
    // Zeek goes by the ports: the one who was first heard is the responder.
    let engine = fed([segment(0, SERVER, CLIENT, "P.", 501, 101, 10)]);
    let [id] = ids(&engine)[..] else { panic!("one flow") };
    let detail = engine.detail(FlowId(id)).expect("the flow");
    let row = &view(&engine, id).rows[0];
    assert_eq!(detail.row.end(row.orig).endpoint, end(CLIENT));
    assert_eq!(row.history.to_string(), "^d");
}

#[test]
fn two_halves_give_what_one_batch_gives() {
    let segments: Vec<Segment> = handshake(0).into_iter().chain(close(100)).chain(handshake(7_000)).collect();
    let mut batch = engine();
    batch.feed_batch(&segments.iter().copied().map(Input::Segment).collect::<Vec<_>>());
    let single = fed(segments);
    for id in ids(&single) {
        assert_eq!(view(&single, id), view(&batch, id));
    }
}
