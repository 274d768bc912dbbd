//! What is told of a flow, and that no more is claimed than was seen.

use super::*;

fn story(engine: &Engine, id: u64) -> String {
    engine.detail(FlowId(id)).expect("a flow").story
}

fn syn(millis: i64) -> Segment {
    segment(millis, CLIENT, SERVER, "S", 100, 0, 0)
}

/// The client's socket in SYN-SENT, with the limits of a kernel that tries 2 + 1 times more.
fn connecting(millis: i64, retries: u8) -> Input {
    let timer = Some(Timer { kind: TimerKind::On, left: Duration::from_secs(1), retries });
    let row = Socket { timer, ..socket(CLIENT, SERVER, TcpState::SynSent, (0, 1), 7, 7) };
    limited(sample(millis, vec![row], &[(7, 42, 5, "nc")]))
}

fn limited(input: Input) -> Input {
    let Input::Sample(sample) = input else { panic!("a sample") };
    let limits = Limits { tcp_syn_retries: Some(2), tcp_syn_linear_timeouts: Some(1), ..Limits::default() };
    Input::Sample(Arc::new(SocketSample { limits: Arc::new(limits), ..(*sample).clone() }))
}

#[test]
fn the_tries_left_are_those_not_yet_made() {
    let mut engine = fed([syn(0)]);
    for (millis, retries, expected) in [
        (500, 0, "at most 3 times more"),
        (1_500, 1, "at most 2 times more"),
        (2_500, 2, "at most once more"),
        (3_400, 3, "for the last time"),
    ] {
        engine.feed(&connecting(millis, retries));
        let told = story(&engine, 0);
        assert!(told.contains(expected), "{told}");
    }
    let mut engine = fed([syn(0), syn(1_000), syn(2_000)]);
    engine.feed(&connecting(2_500, 0));
    assert!(story(&engine, 0).contains("at most once more"), "the wire saw more than the kernel's count");
}

#[test]
fn who_ended_an_unanswered_connect_is_told_only_where_it_is_known() {
    let outcome = |engine: &Engine| show(engine).flows.rows[0].outcome;
    let gone_after = |retries, millis| {
        let mut engine = fed([syn(0)]);
        engine.feed(&connecting(500, retries));
        engine.feed(&limited(sample(millis, vec![], &[])));
        engine
    };
    let gone = |millis| gone_after(0, millis);
    assert_eq!(outcome(&gone(1_000)), Some(HandshakeOutcome::GivenUp), "before its timer ran out");
    assert!(
        story(&gone(1_000), 0).starts_with("Given up by 10.0.0.2:40000 (last held by nc[42]) after 1.00 s: no answer"),
        "{}",
        story(&gone(1_000), 0)
    );
    let before = story(&gone_after(3, 1_000), 0);
    assert!(before.contains("after at least 1.00 s (begun before the capture): no answer"), "{before}");
    assert_eq!(outcome(&gone(1_600)), Some(HandshakeOutcome::Unanswered), "after it: it may be ETIMEDOUT");
    // A reading that took long has read the timer at any time since it began.
    let slow = |took| {
        let mut engine = fed([syn(0)]);
        let Input::Sample(sample) = connecting(500, 3) else { panic!("a sample") };
        engine.feed(&Input::Sample(Arc::new(SocketSample { took: Duration::from_millis(took), ..(*sample).clone() })));
        engine.feed(&limited(super::sample(1_300, vec![], &[])));
        outcome(&engine)
    };
    assert_eq!(slow(100), Some(HandshakeOutcome::GivenUp));
    assert_eq!(slow(195), Some(HandshakeOutcome::Unanswered), "within a tick of it");
    assert_eq!(slow(300), Some(HandshakeOutcome::Unanswered));
    let mut unlimited = fed([syn(0)]);
    unlimited.feed(&sample(500, vec![socket(CLIENT, SERVER, TcpState::SynSent, (0, 1), 7, 7)], &[]));
    unlimited.feed(&sample(1_000, vec![], &[]));
    assert_eq!(outcome(&unlimited), Some(HandshakeOutcome::Unanswered), "when its timer runs out is not known");
    let mut by_wire = fed([syn(0), syn(1_000)]);
    by_wire.feed(&Input::Tick(at(60_000)));
    assert_eq!(outcome(&by_wire), Some(HandshakeOutcome::Unanswered));
    assert!(story(&by_wire, 0).contains("the next retry is overdue"));
}

#[test]
fn a_connect_begun_before_the_capture_waits_while_the_kernel_holds_it() {
    // Gaps of 8, 17 and 33 s, of which the first SYN that is seen tells nothing.
    let waits = |millis, left, retries| {
        let timer = Some(Timer { kind: TimerKind::On, left: Duration::from_secs(left), retries });
        let row = Socket { timer, ..socket(CLIENT, SERVER, TcpState::SynSent, (0, 1), 7, 7) };
        sample(millis, vec![row], &[(7, 42, 5, "nc")])
    };
    let shown = |engine: &Engine| {
        let row = show(engine).flows.rows[0].clone();
        (row.outcome, row.orig.inferred, row.orig.mismatch_since)
    };
    let waiting = (Some(HandshakeOutcome::Waiting), Some(TcpState::SynSent), None);
    let mut engine = fed([syn(0)]);
    engine.feed(&waits(1_850, 15, 8));
    engine.feed(&Input::Tick(at(20_000)));
    assert_eq!(shown(&engine), waiting, "the kernel's timer runs for so long");
    let told = story(&engine, 0);
    assert!(told.contains("connect() waits at least 20 s (begun before the capture) for"), "{told}");
    assert!(told.contains("By the kernel's count the SYN was sent again 8 times."), "{told}");
    engine.feed(&Input::Tick(at(21_000)));
    assert_eq!(shown(&engine).0, Some(HandshakeOutcome::Unanswered), "no reading since, and the retry is overdue");
    engine.feed(&waits(22_000, 21, 9));
    engine.feed(&waits(23_000, 20, 9));
    assert_eq!(shown(&engine), waiting, "it was not given up after all");
    engine.feed(&sample(24_000, vec![], &[]));
    assert_eq!(shown(&engine).0, Some(HandshakeOutcome::GivenUp));
    // What another says of it does not hold up a retry that is overdue.
    let mut answered = fed([syn(0)]);
    answered.feed(&sample(500, vec![socket(SERVER, CLIENT, TcpState::SynSent, (0, 1), 7, 7)], &[]));
    answered.feed(&Input::Tick(at(3_600)));
    assert_eq!(shown(&answered).0, Some(HandshakeOutcome::Unanswered));
}

#[test]
fn a_connect_whose_socket_is_gone_waits_no_more() {
    let mut engine = fed([syn(0)]);
    engine.feed(&connecting(500, 0));
    assert_eq!(show(&engine).handshakes.waiting, 1);
    engine.feed(&limited(sample(1_000, vec![], &[])));
    engine.feed(&Input::Tick(at(3_000)));
    let dashboard = show(&engine);
    assert_eq!((dashboard.handshakes.waiting, wire_count(&dashboard, TcpState::SynSent)), (0, Some(0)));
    let row = &dashboard.flows.rows[0];
    assert_eq!((row.orig.reported, row.orig.send_q, row.closed), (None, None, true));
    assert!(matches!(&row.orig.owner, Ownership::Last { process } if process.pid == 42), "{:?}", row.orig.owner);
    let told = story(&engine, 0);
    assert!(told.starts_with("Given up") && told.contains("no more for 2.00 s"), "{told}");
    // The answer was on its way.
    engine.feed(&Input::Segment(segment(3_010, SERVER, CLIENT, "R.", 0, 101, 0)));
    assert_eq!(show(&engine).flows.rows[0].outcome, Some(HandshakeOutcome::Refused));
}

#[test]
fn retries_are_told_though_it_completed() {
    let mut engine = fed([
        syn(0),
        syn(1_000),
        segment(1_010, SERVER, CLIENT, "S.", 500, 101, 0),
        segment(1_011, CLIENT, SERVER, ".", 101, 501, 0),
    ]);
    engine.feed(&Input::Tick(at(1_100)));
    assert_eq!(story(&engine, 0), "Open. The SYN was sent again once.");
    assert_eq!(story(&fed(handshake(0)), 0), "Open.");
}

#[test]
fn a_completion_that_only_follows_has_no_latency() {
    let data_in_syn = segment(0, CLIENT, SERVER, "S", 100, 0, 10);
    let fin = segment(10_000, CLIENT, SERVER, "F.", 111, 501, 0);
    let detail = fed([data_in_syn, fin]).detail(FlowId(0)).expect("a flow");
    let handshake = detail.handshake.expect("a SYN");
    assert_eq!(handshake.outcome, HandshakeOutcome::Completed);
    assert!(detail.story.contains("The SYN-ACK was not seen"), "{}", detail.story);
    assert_eq!((handshake.connect_time, handshake.ack_at), (None, None));
    let known = fed(super::handshake(0)).detail(FlowId(0)).and_then(|detail| detail.handshake).expect("a SYN");
    assert_eq!(known.connect_time, Some(Duration::from_millis(11)));
}

#[test]
fn a_reset_names_the_end_that_sent_it() {
    let reset = |from: &str, to: &str, seq, ack| segment(100, from, to, "R.", seq, ack, 0);
    let told = |last| story(&fed(handshake(0).into_iter().chain([last])), 0);
    assert!(told(reset(SERVER, CLIENT, 501, 101)).contains(&format!("RST from {SERVER}")));
    assert!(told(reset(CLIENT, SERVER, 101, 501)).contains(&format!("RST from {CLIENT}")));
    let refused = story(&fed([syn(0), segment(5, SERVER, CLIENT, "R.", 0, 101, 0)]), 0);
    assert!(refused.contains("nothing listens there, or a firewall rejects it"), "{refused}");
}

/// 100 bytes of the client, from `seq`.
fn data(millis: i64, seq: u32) -> Segment {
    segment(millis, CLIENT, SERVER, "P.", seq, 501, 100)
}

#[test]
fn what_is_sent_again_without_an_answer_is_told() {
    let told = |segments: Vec<Segment>| story(&fed(segments), 0);
    let alone = told(vec![data(0, 101), data(300, 101), data(900, 101)]);
    assert_eq!(alone, format!("{CLIENT} sent 100 bytes again 2 times over 900 ms, and no acknowledgment was seen."));
    let one_of_two = told(vec![data(0, 101), data(10, 201), data(900, 101)]);
    assert!(one_of_two.contains("sent 200 bytes, a segment of them again (1) over 900 ms"), "{one_of_two}");
    // Acknowledged in the end: no trouble any more, but told.
    let ack = segment(950, SERVER, CLIENT, ".", 501, 201, 0);
    let healed = told(handshake(0).into_iter().chain([data(100, 101), data(900, 101), ack]).collect());
    assert_eq!(healed, format!("Open. Of {CLIENT}: 1 segment lost, recovered by RTO in 850 ms."));
    assert_eq!(told(vec![data(0, 101), data(10, 201)]), "Open.", "nothing was sent again");
}

#[test]
fn a_kernels_retransmission_timer_is_evidence() {
    let timer = Some(Timer { kind: TimerKind::On, left: Duration::from_secs(1), retries: 4 });
    let row = Socket { timer, ..socket(CLIENT, SERVER, TcpState::Estab, (0, 100), 7, 7) };
    let mut engine = engine();
    engine.feed(&sample(0, vec![row], &[]));
    let told = story(&engine, 0);
    assert!(told.contains("100 B in its Send-Q gets no acknowledgment") && told.contains("again 4 times"), "{told}");
    engine.feed(&sample(500, vec![], &[]));
    assert!(!story(&engine, 0).contains("acknowledgment"), "the socket is gone");
}

#[test]
fn what_does_not_leave_the_host_is_told_once_it_failed_often() {
    let told = |retries, snd_wnd| {
        let timer = Some(Timer { kind: TimerKind::Persist, left: Duration::from_secs(1), retries });
        let info = crate::kernel::TcpInfo { snd_wnd: Some(snd_wnd), snd_mss: Some(1_448), ..Default::default() };
        let plain = socket(CLIENT, SERVER, TcpState::Estab, (0, 621_192), 7, 7);
        let mut engine = engine();
        let row = Socket { timer, info: Some(Box::new(info)), ..plain };
        engine.feed(&sample(0, vec![row], &[(7, 42, 5, "nc")]));
        story(&engine, 0)
    };
    let line = "nc[42] fd 5 with 621.2 kB in its Send-Q cannot send: its kernel has tried 3 times, and each failed on this \
                host itself.";
    assert!(told(3, 65_000).contains(line), "{}", told(3, 65_000));
    for (retries, snd_wnd) in [(2, 65_000), (3, 0)] {
        assert!(!told(retries, snd_wnd).contains("cannot send"), "{}", told(retries, snd_wnd));
    }
}

#[test]
fn a_kernels_persist_timer_tells_that_the_peers_window_is_closed() {
    let row = |kind, retries| {
        let timer = Some(Timer { kind, left: Duration::from_secs(30), retries });
        Socket { timer, ..socket(CLIENT, SERVER, TcpState::Estab, (0, 621_192), 7, 7) }
    };
    let read = |kind| {
        let mut engine = fed(handshake(0));
        for millis in (1_000..=7_000).step_by(1_000) {
            engine.feed(&sample(millis, vec![row(kind, 2)], &[(7, 42, 5, "nc")]));
        }
        engine
    };
    let found = |engine: &Engine| {
        let tell = |finding: &crate::findings::Finding| format!("{}: {}", finding.subject, finding.told);
        show(engine).findings.iter().map(tell).collect::<Vec<_>>()
    };
    let engine = read(TimerKind::Persist);
    let told = story(&engine, 0);
    assert!(told.contains("nc[42] fd 5 waits with 621.2 kB in its Send-Q: the window of"), "{told}");
    assert!(told.contains("(persist timer, next probe in 30 s, 2 without an answer)"), "{told}");
    let subject = format!("#0 {SERVER} ← {CLIENT}");
    assert_eq!(found(&engine), [format!("{subject}: window closed for 6 s; its peer's Send-Q 621.2 kB")]);
    assert_eq!(found(&read(TimerKind::On)), [""; 0], "it is sent again: the window is open");
    assert!(!story(&read(TimerKind::On), 0).contains("window"));
    // The wire tells of the same window: one finding, since the earlier of both.
    let mut both = fed(handshake(0));
    let shut = Segment { window: 0, ..segment(500, SERVER, CLIENT, ".", 501, 101, 0) };
    both.feed(&Input::Segment(shut));
    for millis in [1_000, 2_000, 7_500] {
        both.feed(&sample(millis, vec![row(TimerKind::Persist, 0)], &[]));
    }
    assert_eq!(found(&both), [format!("{subject}: window closed for 7 s; its peer's Send-Q 621.2 kB")]);
    both.feed(&sample(8_000, vec![row(TimerKind::On, 0)], &[]));
    assert_eq!(found(&both), [format!("{subject}: window closed for 7 s")], "by the wire alone");
}

#[test]
fn a_connect_that_only_the_kernel_shows_is_told() {
    let mut engine = engine();
    engine.feed(&connecting(0, 2));
    assert_eq!(
        story(&engine, 0),
        format!("nc[42] fd 5 waits for {SERVER} to answer its SYN. The SYN was sent again 2 times.")
    );
}

#[test]
fn fin_wait_2_that_the_kernel_let_go_of_says_why() {
    let told = |fin_timeout, seconds: i64, kernel: Option<TcpState>| {
        let mut engine = fed(handshake(0));
        feed_all(
            &mut engine,
            [segment(100, CLIENT, SERVER, "F.", 101, 501, 0), segment(101, SERVER, CLIENT, ".", 501, 102, 0)]
                .map(Input::Segment),
        );
        let rows = kernel.map(|state| Socket { inode: None, ..socket(CLIENT, SERVER, state, (0, 0), 7, 7) });
        let limits = Limits { tcp_fin_timeout: fin_timeout, ..Limits::default() };
        let Input::Sample(plain) = sample(seconds * 1_000, rows.into_iter().collect(), &[]) else { panic!("a sample") };
        let local: std::net::IpAddr = end(CLIENT).ip();
        let sample = SocketSample { limits: Arc::new(limits), local_addresses: Arc::new([local]), ..(*plain).clone() };
        engine.feed(&Input::Sample(Arc::new(sample)));
        story(&engine, 0).contains("without a process FIN-WAIT-2 ends after tcp_fin_timeout (5.00 s)")
    };
    assert!(told(Some(5), 6, None));
    assert!(!told(Some(5), 4, None), "something else ended it");
    assert!(!told(Some(5), 6, Some(TcpState::FinWait2)), "it is there");
    assert!(!told(None, 6, None), "for how long it is kept is not known");
}

#[test]
fn after_a_simultaneous_close_nobody_is_said_to_have_closed_first() {
    let mut engine = fed(handshake(0).into_iter().chain(close(100)));
    assert!(story(&engine, 0).contains("10.0.0.2:40000 closed first and keeps"), "{}", story(&engine, 0));
    engine = fed(handshake(0).into_iter().chain([
        segment(100, CLIENT, SERVER, "F.", 101, 501, 0),
        segment(100, SERVER, CLIENT, "F.", 501, 101, 0),
        segment(110, CLIENT, SERVER, ".", 102, 502, 0),
        segment(110, SERVER, CLIENT, ".", 502, 102, 0),
    ]));
    assert!(story(&engine, 0).contains("both ends closed at once and keep the pair"), "{}", story(&engine, 0));
}
