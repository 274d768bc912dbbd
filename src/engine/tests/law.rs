//! The law: state is a function of the inputs in their order, and time alone changes nothing but what is due.

use super::*;

#[test]
fn a_plain_capture_shows_flows_and_no_kernel() {
    let dashboard = show(&fed(handshake(0)));
    let [row] = dashboard.flows.rows.as_slice() else { panic!("one flow") };
    assert_eq!(row.id, FlowId(0));
    assert_eq!((row.orig.endpoint, row.resp.endpoint), (end(CLIENT), end(SERVER)));
    assert_eq!((row.orig.inferred, row.orig.reported), (Some(TcpState::Estab), None));
    assert_eq!(row.outcome, Some(HandshakeOutcome::Completed));
    assert_eq!(row.orig.owner, Ownership::NotRecorded);
    assert_eq!((row.orig.recv_q, row.orig.local), (None, None));
    assert_eq!(wire_count(&dashboard, TcpState::Estab), Some(2), "both ends");
    assert_eq!(kernel_count(&dashboard, TcpState::Estab), None);
    assert!(dashboard.queues.kernel.is_none() && dashboard.time_wait.kernel.is_none());
}

#[test]
fn time_wait_passes_by_its_own_deadline() {
    let mut engine = fed(handshake(0).into_iter().chain(close(100)));
    assert_eq!(wire_count(&show(&engine), TcpState::TimeWait), Some(1));
    engine.feed(&Input::Tick(at(60_109)));
    assert_eq!(wire_count(&show(&engine), TcpState::TimeWait), Some(1));
    engine.feed(&Input::Tick(at(60_110)));
    let dashboard = show(&engine);
    assert_eq!(wire_count(&dashboard, TcpState::TimeWait), Some(0));
    assert!(dashboard.flows.rows[0].closed);
}

#[test]
fn extra_ticks_change_nothing() {
    let segments: Vec<Segment> = handshake(0).into_iter().chain(close(5_000)).collect();
    let plain = fed(segments.clone());
    let mut ticked = engine();
    let mut last = at(0);
    for segment in segments {
        for step in 1..4 {
            let gap = segment.ts.since(last);
            ticked.feed(&Input::Tick(last + gap * step / 4));
        }
        last = segment.ts;
        ticked.feed(&Input::Segment(segment));
    }
    assert_eq!(show(&plain), show(&ticked));
}

#[test]
fn a_fork_goes_its_own_way_and_the_same_way() {
    let mut whole = fed(handshake(0));
    let mut fork = whole.fork();
    let mut second = fork.fork();
    let before = show(&whole);
    for one in 0..3 {
        let engines = [&mut whole, &mut fork, &mut second];
        for (at, engine) in engines.into_iter().enumerate() {
            if at == one {
                feed_all(engine, inputs(close(100)));
            } else if at > one {
                assert_eq!(show(engine), before, "what {one} has changed is its own, and not that of {at}");
            }
        }
    }
    assert_eq!((show(&fork), show(&second)), (show(&whole), show(&whole)));
}

#[test]
fn losses_are_told_as_they_are() {
    let mut engine = engine();
    assert_eq!(show(&engine).loss, None, "nothing was said yet");
    let loss = Loss { ts: at(0), kernel: Some(3), interface: None, ours: 1, frames: FrameCounts::default() };
    engine.feed(&Input::Loss(loss.into()));
    assert_eq!(show(&engine).loss, Some(loss));
}

#[test]
fn time_that_runs_backwards_is_counted_and_moves_no_clock() {
    let mut engine = fed(handshake(1_000));
    engine.feed(&Input::Segment(segment(500, CLIENT, SERVER, ".", 101, 501, 0)));
    let dashboard = show(&engine);
    assert_eq!((dashboard.now, dashboard.totals.regressions), (Some(at(1_011)), 1));
}

#[test]
fn only_packets_are_out_of_order_in_time() {
    let loss =
        |ts| Input::Loss(Loss { ts, kernel: None, interface: None, ours: 0, frames: FrameCounts::default() }.into());
    let reading = |ms| Input::Sample(Arc::new(SocketSample::empty(at(ms))));
    let mut engine = fed(handshake(1_000));
    for (input, counted) in [
        (reading(900), 0),
        (loss(at(800)), 0),
        (reading(3_000), 0),
        (Input::Segment(segment(2_000, CLIENT, SERVER, ".", 101, 501, 0)), 0),
        (Input::Segment(segment(1_999, CLIENT, SERVER, ".", 101, 501, 0)), 1),
    ] {
        engine.feed(&input);
        assert_eq!(show(&engine).totals.regressions, counted, "{input:?}");
    }
}
