//! Who opened a connection, and whose listener it came in on, by the kernel's evidence.

use super::*;

const HERE: &str = "10.0.0.2:8000";
const THERE: &str = "10.0.0.9:41000";

fn listener() -> Socket {
    socket("0.0.0.0:8000", "0.0.0.0:0", TcpState::Listen, (0, 128), 8, 8)
}

fn with_ports(input: Input) -> Input {
    let Input::Sample(sample) = input else { panic!("a sample") };
    let limits = Limits { port_range: Some((32_768, 60_999)), ..Limits::default() };
    Input::Sample(Arc::new(SocketSample { limits: Arc::new(limits), ..(*sample).clone() }))
}

/// The originator of the only flow, and whether it is known.
fn opened(engine: &Engine) -> (Endpoint, bool) {
    let dashboard = show(engine);
    assert_eq!(dashboard.flows.rows.len(), 1);
    (dashboard.flows.rows[0].orig.endpoint, dashboard.flows.rows[0].orig_known)
}

#[test]
fn a_listener_that_closed_still_tells_who_opened() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![listener()], &[]));
    engine.feed(&sample(500, vec![socket(HERE, THERE, TcpState::TimeWait, (0, 0), 0, 7)], &[]));
    assert_eq!(opened(&engine), (end(THERE), false));
    let pane = show(&engine).time_wait;
    assert_eq!(pane.peers, [(end(HERE), 1)], "the service, not the client's ephemeral port");
}

#[test]
fn an_ephemeral_port_is_the_originators() {
    let of = |local, peer| {
        let mut engine = engine();
        engine.feed(&with_ports(sample(0, vec![socket(local, peer, TcpState::CloseWait, (1, 0), 7, 7)], &[])));
        opened(&engine)
    };
    assert_eq!(of(HERE, THERE), (end(THERE), false));
    assert_eq!(of("10.0.0.2:41000", "10.0.0.9:8000"), (end("10.0.0.2:41000"), false));
    assert_eq!(of("10.0.0.2:41000", THERE), (end("10.0.0.2:41000"), false), "both are: nothing tells");
}

#[test]
fn a_segment_without_syn_does_not_turn_what_the_kernel_told() {
    let mut engine = engine();
    engine.feed(&sample(0, vec![listener(), socket(HERE, THERE, TcpState::Estab, (0, 0), 7, 7)], &[]));
    engine.feed(&Input::Segment(segment(100, HERE, THERE, "P.", 1, 1, 10)));
    let dashboard = show(&engine);
    assert_eq!(opened(&engine), (end(THERE), true));
    let halves = engine.detail(dashboard.flows.rows[0].id).and_then(|detail| detail.halves).expect("a segment");
    assert_eq!(halves.map(|half| half.payload_bytes), [0, 10], "the responder sent it");
}

#[test]
fn a_connection_between_two_readings_came_in_on_its_listener() {
    let owner = |listens_from: i64, answer: &str| {
        let mut engine = engine();
        let served = |millis| sample(millis, vec![listener()], &[(8, 99, 3, "web")]);
        engine.feed(&if listens_from == 0 { served(0) } else { sample(0, vec![], &[]) });
        feed_all(
            &mut engine,
            [
                Input::Segment(segment(100, THERE, HERE, "S", 1, 0, 0)),
                Input::Segment(segment(101, HERE, THERE, answer, 7, 2, 0)),
                Input::Segment(segment(102, THERE, HERE, "R.", 2, 8, 0)),
            ],
        );
        engine.feed(&served(500));
        show(&engine).flows.rows[0].resp.owner.clone()
    };
    assert!(matches!(owner(0, "S."), Ownership::Listener { process, others: 0 } if process.pid == 99));
    assert_eq!(owner(500, "S."), Ownership::Unknown, "nobody listened yet");
    assert_eq!(owner(0, "R."), Ownership::Unknown, "it was refused");
}

#[test]
fn a_listener_tells_who_opened_what_began_before_the_capture() {
    let mut engine = fed([segment(0, "10.0.0.2:80", "10.0.0.9:5000", "P.", 500, 101, 10)]);
    assert_eq!(show(&engine).flows.rows[0].orig.endpoint, end("10.0.0.2:80"), "the first to send, for want of better");
    let rows = vec![
        socket("10.0.0.2:80", "0.0.0.0:0", TcpState::Listen, (0, 128), 9, 1),
        socket("10.0.0.2:80", "10.0.0.9:5000", TcpState::Estab, (0, 10), 10, 2),
    ];
    engine.feed(&sample(500, rows, &[(10, 7, 4, "nginx")]));
    let row = &show(&engine).flows.rows[0];
    assert_eq!((row.orig.endpoint, row.resp.endpoint), (end("10.0.0.9:5000"), end("10.0.0.2:80")));
    assert!(row.orig_known && matches!(row.resp.owner, Ownership::Held { .. }));
    let detail = engine.detail(row.id).expect("the flow");
    assert_eq!(detail.first_from, Some(Side::Resp));
    assert_eq!(detail.halves.expect("seen on the wire")[1].payload_bytes, 10);
}
