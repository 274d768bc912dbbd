//! The kernel's last words beside flows: joined by cookie, else by what the wire shows, and never on a guess.

use super::*;
use crate::flow::Side;
use crate::kernel::{KernelEvent, LastWord, LostEvents, TcpInfo};
use crate::wire::VlanId;

fn word(millis: i64, cookie: u64, sent: u64) -> Input {
    Input::Kernel(KernelEvent::LastWord(LastWord {
        ts: at(millis),
        scope: Scope::FILE,
        local: end(CLIENT),
        peer: end(SERVER),
        cookie: Some(cookie),
        unread: 0,
        info: Box::new(TcpInfo { bytes_sent: Some(sent), ..TcpInfo::default() }),
    }))
}

fn read(millis: i64, state: TcpState) -> Input {
    sample(millis, vec![socket(CLIENT, SERVER, state, (0, 0), 77, 1)], &[(77, 42, 5, "curl")])
}

/// Bytes sent by the last word on the client's end of each flow.
fn told(engine: &Engine) -> Vec<Option<u64>> {
    let mut flows: Vec<FlowId> = show(engine).flows.rows.iter().map(|row| row.id).collect();
    flows.sort_unstable();
    let side = |detail: &FlowDetail| if detail.row.orig.endpoint == end(CLIENT) { Side::Orig } else { Side::Resp };
    let detail = |id| engine.detail(id).unwrap();
    let word = |detail: FlowDetail| detail.last_words[side(&detail).index()].as_ref()?.info.bytes_sent;
    flows.into_iter().map(|id| word(detail(id))).collect()
}

fn joined(engine: &Engine) -> (u64, u64) {
    show(engine).sees.last_words.map_or((0, 0), |sight| (sight.heard, sight.joined))
}

#[test]
fn a_cookie_that_a_reading_told_decides() {
    for (cookie, expected) in [(1, Some(9)), (2, None)] {
        let mut engine = engine();
        feed_all(&mut engine, [read(0, TcpState::Estab), word(1, cookie, 9)]);
        assert_eq!(told(&engine), [expected]);
        assert_eq!(joined(&engine), (1, u64::from(expected.is_some())));
        let state = show(&engine).flows.rows[0].orig.reported;
        assert_eq!(state, expected.is_none().then_some(TcpState::Estab), "it has no socket now");
        assert!(!show(&engine).flows.rows[0].closed, "it may be in TIME-WAIT");
    }
}

#[test]
fn the_cookie_of_what_waits_in_time_wait_alone_decides_nothing() {
    let close = || close(100).into_iter().map(Input::Segment).collect::<Vec<_>>();
    for (before, expected) in [(None, Some(9)), (Some(read(50, TcpState::Estab)), None)] {
        let mut engine = fed(handshake(0));
        feed_all(&mut engine, before);
        feed_all(&mut engine, close());
        // Of the socket itself nobody had asked for a cookie.
        feed_all(&mut engine, [read(150, TcpState::TimeWait), word(160, 2, 9)]);
        assert_eq!(told(&engine), [expected]);
    }
}

#[test]
fn whoever_closed_last_has_nothing_left() {
    for (state, closed) in [(TcpState::CloseWait, true), (TcpState::LastAck, true), (TcpState::FinWait1, false)] {
        let mut engine = engine();
        feed_all(&mut engine, [read(0, state), word(10, 1, 9)]);
        assert_eq!(show(&engine).flows.rows[0].closed, closed, "{state}");
    }
    let mut engine = engine();
    feed_all(&mut engine, [read(0, TcpState::TimeWait), word(10, 1, 9)]);
    assert_eq!(show(&engine).flows.rows[0].orig.reported, Some(TcpState::TimeWait), "that was read later");
}

#[test]
fn a_word_stays_with_a_flow_whose_segments_come_late() {
    for vlan in [None, Some(7)] {
        let mut engine = engine();
        feed_all(&mut engine, [read(0, TcpState::Estab), word(10, 1, 9)]);
        // From the peer, so that its ends are exchanged.
        engine.feed(&Input::Segment(Segment {
            vlan: vlan.map(VlanId::of_tag),
            ..segment(20, SERVER, CLIENT, "F.", 501, 101, 0)
        }));
        assert_eq!(told(&engine), [Some(9)]);
        assert_eq!(engine.detail(FlowId(0)).unwrap().vlan, vlan);
    }
}

#[test]
fn without_a_reading_the_wire_must_show_that_the_end_closed_or_the_flow_is_old_enough() {
    let fin = || Input::Segment(segment(20, CLIENT, SERVER, "F.", 101, 501, 0));
    for (more, heard, expected) in [(None, 30, None), (None, 120, Some(9)), (Some(fin()), 30, Some(9))] {
        let mut engine = fed(handshake(0));
        feed_all(&mut engine, more);
        feed_all(&mut engine, [word(heard, 5, 9)]);
        assert_eq!(told(&engine), [expected], "heard at {heard}");
    }
    let mut engine = fed(handshake(1_000));
    feed_all(&mut engine, [word(900, 5, 9)]);
    assert_eq!(told(&engine), [None], "of a connection before");
}

#[test]
fn a_word_that_comes_before_the_close_is_told_with_it_unless_the_flow_has_its_own() {
    let fin = || Input::Segment(segment(40, CLIENT, SERVER, "F.", 101, 501, 0));
    let mut late = fed(handshake(0));
    feed_all(&mut late, [word(30, 5, 9)]);
    assert_eq!((told(&late), joined(&late)), (vec![None], (1, 1)));
    feed_all(&mut late, [fin()]);
    assert_eq!(told(&late), [Some(9)], "its segments came late");
    let mut next = fed(handshake(0));
    feed_all(&mut next, [word(30, 5, 9), fin(), word(50, 6, 7)]);
    assert_eq!(told(&next), [Some(7)], "the first was on the connection before");
    let mut read = fed(handshake(0));
    feed_all(&mut read, [word(30, 5, 9), fin(), self::read(50, TcpState::FinWait2)]);
    assert_eq!(told(&read), [None], "the socket has another cookie");
}

#[test]
fn of_two_words_on_one_end_none_is_taken() {
    let mut engine = fed(handshake(0));
    feed_all(&mut engine, [word(200, 5, 9), word(201, 5, 9)]);
    assert_eq!(told(&engine), [Some(9)], "the same twice");
    feed_all(&mut engine, [word(202, 6, 9)]);
    assert_eq!(told(&engine), [None]);
}

#[test]
fn what_was_heard_and_lost_is_counted() {
    let mut engine = engine();
    assert!(show(&engine).sees.last_words.is_none());
    engine.feed(&Input::Kernel(KernelEvent::LastWords(at(0))));
    assert_eq!(show(&engine).sees.last_words.unwrap(), LastWordSight::default());
    let lost = LostEvents { ts: at(2), until: at(2), total: 3 };
    feed_all(&mut engine, [word(1, 5, 9), Input::Kernel(KernelEvent::LastWordsLost(lost))]);
    assert_eq!(show(&engine).sees.last_words.unwrap(), LastWordSight { heard: 1, joined: 0, lost: 3 });
}
