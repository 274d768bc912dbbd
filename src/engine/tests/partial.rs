//! Readings of a part of the table: what they do not cover stays as it was, and together they are one reading.

use proptest::prelude::*;

use super::*;
use crate::base::StateSet;

const WAITS: StateSet = StateSet::of(&[TcpState::TimeWait]);
const LISTENS: StateSet = StateSet::of(&[TcpState::Listen]);

fn covering(states: StateSet, input: &Input) -> Input {
    let Input::Sample(whole) = input else { panic!("a sample") };
    let sockets = whole.sockets.iter().filter(|socket| states.has(socket.state.0)).cloned().collect();
    Input::Sample(Arc::new(SocketSample { covers: Covers::States(states), sockets, ..(**whole).clone() }))
}

/// One look-up of the client's socket, and what it found.
fn looked_up(millis: i64, found: Vec<Socket>) -> Input {
    let Input::Sample(plain) = sample(millis, found, &[(77, 42, 5, "curl")]) else { panic!("a sample") };
    let covers = Covers::Sockets(vec![(end(CLIENT), end(SERVER))]);
    Input::Sample(Arc::new(SocketSample { covers, ..(*plain).clone() }))
}

fn client(state: TcpState, queued: u32) -> Socket {
    let inode = if state == TcpState::TimeWait { 0 } else { 77 };
    socket(CLIENT, SERVER, state, (queued, 0), inode, 1)
}

fn reported(engine: &Engine) -> Option<TcpState> {
    show(engine).flows.rows[0].orig.reported
}

#[test]
fn what_a_reading_does_not_cover_it_does_not_end() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![client(TcpState::Estab, 0)], &[(77, 42, 5, "curl")]));
    for (millis, states) in [(100, LISTENS), (200, WAITS)] {
        engine.feed(&covering(states, &sample(millis, vec![], &[])));
        assert_eq!(reported(&engine), Some(TcpState::Estab), "{states:?}");
    }
    engine.feed(&covering(StateSet::ALL.without(WAITS), &sample(300, vec![], &[])));
    let row = &show(&engine).flows.rows[0];
    assert_eq!((row.orig.reported, row.closed), (None, false), "it may wait in TIME-WAIT");
    assert_eq!(kernel_count(&show(&engine), TcpState::Estab), Some(0));
    engine.feed(&covering(StateSet::ALL.without(WAITS), &sample(400, vec![], &[])));
    assert!(!show(&engine).flows.rows[0].closed);
    engine.feed(&covering(WAITS, &sample(500, vec![], &[])));
    assert!(show(&engine).flows.rows[0].closed);
}

#[test]
fn a_state_not_read_before_is_not_excluded_by_an_earlier_reading() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![client(TcpState::FinWait2, 0)], &[]));
    // It was in FIN-WAIT-2 still, and then in TIME-WAIT.
    engine.feed(&covering(WAITS, &sample(100, vec![], &[])));
    engine.feed(&covering(StateSet::ALL.without(WAITS), &sample(200, vec![], &[])));
    assert!(!show(&engine).flows.rows[0].closed);
    engine.feed(&covering(WAITS, &sample(300, vec![client(TcpState::TimeWait, 0)], &[])));
    assert_eq!(reported(&engine), Some(TcpState::TimeWait));
    engine.feed(&covering(StateSet::ALL.without(WAITS), &sample(400, vec![], &[])));
    assert_eq!(reported(&engine), Some(TcpState::TimeWait), "not looked for");
}

#[test]
fn a_look_up_tells_of_one_socket_and_of_no_other() {
    let mut engine = engine();
    let other = || socket("10.0.0.2:40001", SERVER, TcpState::Estab, (0, 0), 78, 2);
    engine.feed(&sample(0, vec![client(TcpState::Estab, 0), other()], &[(77, 42, 5, "curl")]));
    engine.feed(&looked_up(50, vec![]));
    assert_eq!(reported(&engine), Some(TcpState::Estab), "it may be out of a look-up's reach");
    for step in 1..=3 {
        engine.feed(&looked_up(step * 100, vec![client(TcpState::Estab, step as u32)]));
    }
    let detail = engine.detail(FlowId(0)).unwrap();
    assert_eq!(detail.sockets[0].as_ref().unwrap().recv_q, [0, 1, 2, 3][1..], "an empty queue keeps nothing");
    assert_eq!(detail.sockets[0].as_ref().unwrap().at, at(300));
    assert_eq!(kernel_count(&show(&engine), TcpState::Estab), Some(2), "it counts nothing");
    engine.feed(&looked_up(400, vec![]));
    let rows = show(&engine).flows.rows;
    assert_eq!(rows.iter().map(|row| row.closed).filter(|closed| *closed).count(), 1);
    assert_eq!(rows.iter().find(|row| !row.closed).unwrap().orig.endpoint.port(), 40_001);
}

#[test]
fn a_socket_that_only_a_look_up_showed_is_held_until_a_reading_lacks_it() {
    let mut engine = engine();
    engine.feed(&looked_up(0, vec![client(TcpState::Estab, 9)]));
    assert_eq!(reported(&engine), Some(TcpState::Estab));
    engine.feed(&sample(100, vec![], &[]));
    assert_eq!(reported(&engine), None);
}

#[test]
fn a_socket_that_a_look_up_finds_again_leaves_with_the_next_reading_without_it() {
    let estab = || client(TcpState::Estab, 0);
    for read_between in [true, false] {
        let mut engine = engine();
        feed_all(&mut engine, [looked_up(10, vec![estab()]), looked_up(20, vec![])]);
        feed_all(&mut engine, read_between.then(|| sample(25, vec![], &[])));
        engine.feed(&looked_up(30, vec![estab()]));
        assert_eq!(reported(&engine), Some(TcpState::Estab));
        assert_eq!(engine.present_ends().count(), 1, "once");
        engine.feed(&sample(100, vec![], &[]));
        assert_eq!(reported(&engine), None);
        assert!(show(&engine).flows.rows[0].closed);
    }
}

#[test]
fn only_the_fullest_queues_keep_their_history() {
    let mut engine = Engine::new(Config::replay(10_000, 7));
    let crowd = |millis| {
        let rows = (0..5_000_u32).map(|n| {
            socket(
                &format!("10.0.0.2:{}", 10_000 + n),
                SERVER,
                TcpState::Estab,
                (n + 1, 0),
                100 + u64::from(n),
                n.into(),
            )
        });
        sample(millis, rows.collect(), &[])
    };
    feed_all(&mut engine, [crowd(0), crowd(1000), crowd(2000)]);
    let kept = |id| engine.detail(FlowId(id)).unwrap().sockets.iter().flatten().next().unwrap().recv_q.len();
    assert_eq!((kept(0), kept(4_999)), (0, 3), "readings");
    assert_eq!((0..5_000).filter(|id| kept(*id) > 0).count(), 4096);
    let row = show(&engine).queues.kernel.unwrap().recv.pop().unwrap();
    assert_eq!(row.since, at(0));
}

/// Sockets over time: who is in which state at each of some readings, always onward.
fn lives() -> impl Strategy<Value = Vec<Vec<Option<(TcpState, u32)>>>> {
    use TcpState::{CloseWait, Estab, FinWait1, FinWait2, LastAck, SynRecv, SynSent, TimeWait};
    let paths: [&[TcpState]; 4] = [
        &[SynSent, Estab, FinWait1, FinWait2, TimeWait],
        &[SynRecv, Estab, CloseWait, LastAck],
        &[Estab, CloseWait],
        &[Estab, TimeWait],
    ];
    let life = (0..paths.len(), prop::collection::vec((0..3_usize, 0..4_u32), 6), 0..3_usize);
    let life = life.prop_map(move |(path, steps, begins)| {
        let mut at = 0;
        let steps = steps.into_iter().enumerate().map(|(step, (onward, queued))| {
            at += if step > begins { onward } else { 0 };
            (step >= begins).then(|| paths[path].get(at).map(|state| (*state, queued))).flatten()
        });
        steps.collect::<Vec<_>>()
    });
    prop::collection::vec(life, 1..6)
}

/// Cuts the states into parts, in the order of a connection's life.
fn parts(cuts: &[bool]) -> Vec<StateSet> {
    use TcpState::{
        CloseWait, Closed, Closing, Estab, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent, TimeWait,
    };
    let order = [Listen, Closed, SynSent, SynRecv, Estab, FinWait1, CloseWait, FinWait2, Closing, LastAck, TimeWait];
    let mut parts = vec![StateSet::NONE];
    for (state, cut) in order.into_iter().zip(cuts) {
        if *cut {
            parts.push(StateSet::NONE);
        }
        *parts.last_mut().unwrap() = parts.last().unwrap().with(StateSet::of(&[state]));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

proptest! {
    #[test]
    fn readings_of_the_parts_are_one_reading(lives in lives(), cuts in prop::collection::vec(any::<bool>(), 11)) {
        let (mut whole, mut cut) = (engine(), engine());
        for step in 0..6 {
            let row = |(n, life): (usize, &Vec<Option<(TcpState, u32)>>)| {
                let (state, queued) = life[step]?;
                let held = !matches!(state, TcpState::TimeWait | TcpState::SynRecv);
                let inode = if held { 100 + n as u64 } else { 0 };
                Some(socket(&format!("10.0.0.2:{}", 40_000 + n), SERVER, state, (queued, 1), inode, n as u64))
            };
            let mut rows: Vec<Socket> = lives.iter().enumerate().filter_map(row).collect();
            // In the order of the parts, so that flows have the same numbers.
            rows.sort_by_key(|row| parts(&[true; 11]).iter().position(|part| part.has(row.state.0)));
            rows.insert(0, socket("10.0.0.2:40000", "0.0.0.0:0", TcpState::Listen, (step as u32, 8), 7, 99));
            let reading = sample(step as i64 * 700, rows, &[(100, 42, 5, "curl"), (7, 43, 3, "nginx")]);
            whole.feed(&reading);
            for part in parts(&cuts) {
                cut.feed(&covering(part, &reading));
            }
            let seen = |engine: &Engine| {
                let flows = show(engine).flows.rows.into_iter().map(|row| engine.detail(row.id));
                format!("{:#?}\n{:#?}", show(engine), flows.collect::<Vec<_>>())
            };
            let (a, b) = (seen(&whole), seen(&cut));
            let differ = a.lines().zip(b.lines()).find(|(a, b)| a != b);
            prop_assert!(a == b, "{differ:?}");
        }
    }
}
