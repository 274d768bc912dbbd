//! Readings that come after segments that are newer than they are.

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
