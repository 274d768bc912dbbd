//! Connects that fail or hang, and scans.

use super::*;

#[test]
fn refused_connects_are_counted_beside_those_that_complete() {
    let mut engine = engine();
    feed_all(&mut engine, (0..2).flat_map(|n| refused(i64::from(n) * 1_000, n)));
    assert_eq!(told(&engine), [], "two are no habit");
    feed_all(&mut engine, refused(2_000, 2));
    let [finding] = &found(&engine)[..] else { panic!("one finding") };
    assert_eq!((finding.kind, finding.told.as_str()), (Kind::ConnectsRefused, "all of 3 connects in 2 s"));
    assert_eq!((finding.since, finding.severity), (at(1), Severity::Warning), "since the first RST");
    // One to the same place gets through.
    for (millis, src, dst, flags, seq, ack) in [
        (2_100, client(9), REFUSING.to_owned(), "S", 100, 0),
        (2_101, REFUSING.to_owned(), client(9), "S.", 500, 101),
        (2_102, client(9), REFUSING.to_owned(), ".", 101, 501),
    ] {
        engine.feed(&Input::Segment(segment(millis, &src, &dst, flags, seq, ack, 0)));
    }
    assert_eq!(told(&engine), [line(Kind::ConnectsRefused, REFUSING, "3 of 4 connects in 2 s")]);
    // What goes on keeps its beginning; what is over goes.
    feed_all(&mut engine, refused(50_000, 3).into_iter().chain(refused(59_000, 4)));
    engine.feed(&Input::Tick(at(62_500)));
    let [finding] = &found(&engine)[..] else { panic!("one finding") };
    assert_eq!((finding.since, finding.told.as_str()), (at(1), "3 of 4 connects in 60 s"), "of the last minute");
    engine.feed(&Input::Tick(at(120_002)));
    assert_eq!(told(&engine), []);
}

#[test]
fn who_asks_is_named() {
    let mut engine = engine();
    feed_all(&mut engine, (0..3).map(silent));
    let waiting: Vec<Socket> = (0..3)
        .map(|n| socket(&client(n), SILENT, TcpState::SynSent, (0, 1), 70 + u64::from(n), u64::from(n)))
        .collect();
    engine.feed(&sample(100, waiting, &[(70, 5, 3, "curl"), (71, 5, 4, "curl"), (72, 6, 3, "wget")]));
    engine.feed(&Input::Tick(at(9_000)));
    let [finding] = &found(&engine)[..] else { panic!("one finding") };
    assert_eq!((finding.kind, finding.told.as_str()), (Kind::ConnectsUnanswered, "all of 3 connects in 9 s"));
    assert_eq!(finding.who.as_ref().map(ToString::to_string).as_deref(), Some("curl[5] and 1 more"));
    assert_eq!(finding.confidence, Confidence::Medium);
}

/// SYNs of client `n`, so many of them a second apart.
fn retried(n: u32, tries: u32) -> impl Iterator<Item = Input> {
    (0..tries).map(move |again| {
        let millis = i64::from(n) * 10 + i64::from(again) * 1_000;
        Input::Segment(segment(millis, &client(n), SILENT, "S", 100, 0, 0))
    })
}

#[test]
fn connects_that_hang_are_found_while_they_do() {
    let mut engine = engine();
    feed_all(&mut engine, (0..3).flat_map(|n| retried(n, 3)));
    assert_eq!(told(&engine), [], "sent again twice");
    feed_all(&mut engine, (0..3).map(|n| retried(n, 4).last().unwrap()));
    let hanging = "3 connects wait in vain";
    assert_eq!(told(&engine), [line(Kind::ConnectsUnanswered, SILENT, hanging)]);
    assert_eq!(found(&engine)[0].since, at(0), "since the first SYN");
    // One gets through after all, and one beside them at once.
    let answered =
        [segment(3_200, SILENT, &client(0), "S.", 500, 101, 0), segment(3_201, &client(0), SILENT, ".", 101, 501, 0)];
    feed_all(&mut engine, answered.map(Input::Segment));
    assert_eq!(told(&engine), [], "two are no habit");
    feed_all(&mut engine, retried(5, 5));
    let mixed = "3 connects wait in vain, 1 other completed in 4 s";
    assert_eq!(told(&engine), [line(Kind::ConnectsUnanswered, SILENT, mixed)], "also what completed before any failed");
    engine.feed(&Input::Tick(at(20_000)));
    assert_eq!(told(&engine), [line(Kind::ConnectsUnanswered, SILENT, "3 of 4 connects in 20 s")]);
    assert_eq!(found(&engine)[0].since, at(10), "as before it was over");
}

#[test]
fn more_that_hang_than_are_remembered_are_at_least_so_many() {
    for (n, expected) in [(8_192, "8,192 connects wait in vain"), (8_193, "at least 8,192 connects wait in vain")] {
        let mut engine = Engine::new(Config::replay(10_000, 1));
        let from = |n: u32| format!("10.1.0.2:{}", 20_000 + n);
        let syns = (0..n).flat_map(|n| (0..4).map(move |again| (n, again * 1_000)));
        feed_all(
            &mut engine,
            syns.map(|(n, millis)| Input::Segment(segment(millis, &from(n), SILENT, "S", 100, 0, 0))),
        );
        assert_eq!(told(&engine), [line(Kind::ConnectsUnanswered, SILENT, expected)]);
    }
}

#[test]
fn a_sweep_over_ports_is_one_finding_of_who_sweeps() {
    let scan = |ports: std::ops::Range<u16>, answer: &'static str| {
        ports.flat_map(move |n| {
            let (from, to) = (client(n.into()), format!("10.0.0.5:{n}"));
            let millis = i64::from(n) * 10;
            let syn = segment(millis, &from, &to, "S", 100, 0, 0);
            let seq = if answer == "R." { 0 } else { 500 };
            [syn, segment(millis + 1, &to, &from, answer, seq, 101, 0)].map(Input::Segment)
        })
    };
    let mut engine = engine();
    feed_all(&mut engine, scan(1..15, "R."));
    assert_eq!(told(&engine), [], "a client may try some");
    // The fifteenth; one that answers, and is let go of by a RST.
    feed_all(&mut engine, scan(15..16, "R.").chain(scan(16..17, "S.")));
    let reset = segment(170, &client(16), "10.0.0.5:16", "R", 101, 0, 0);
    engine.feed(&Input::Segment(reset));
    let expected = "16 ports of 10.0.0.5 in <1 s: 15 refused, 1 answered";
    assert_eq!(told(&engine), [line(Kind::Scan, "10.0.0.2", expected)]);
    assert_eq!((found(&engine)[0].since, found(&engine)[0].confidence), (at(10), Confidence::Medium));
    // One that is taken back before anybody answers.
    let taken_back = [(171, "S", 100), (172, "R", 101)];
    let taken_back = taken_back.map(|(at, flags, seq)| segment(at, &client(17), "10.0.0.5:17", flags, seq, 0, 0));
    feed_all(&mut engine, taken_back.map(Input::Segment));
    assert_eq!(told(&engine), [line(Kind::Scan, "10.0.0.2", expected)], "nobody answered it");
    // One more that waits in vain; and a minute later all but that is over.
    feed_all(&mut engine, retried(7, 4));
    let expected = "16 ports of 10.0.0.5 in 3 s: 15 refused, 1 answered";
    assert_eq!(
        told(&engine)[0],
        line(Kind::Scan, "10.0.0.2", &expected.replace("16 ", "17 ").replace("refused", "refused, 1 unanswered"))
    );
    engine.feed(&Input::Tick(at(61_000)));
    assert_eq!(told(&engine), []);
}

#[test]
fn what_is_counted_of_a_minute_is_the_same_everywhere() {
    let mut engine = engine();
    feed_all(&mut engine, (0..120).flat_map(|n| refused(i64::from(n) * 997, n)));
    for millis in [119_000, 119_500, 119_999, 120_000] {
        engine.feed(&Input::Tick(at(millis)));
        let board = show(&engine);
        let outcomes = &board.handshakes.outcomes;
        let refused = outcomes.iter().find(|(outcome, _)| *outcome == crate::flow::HandshakeOutcome::Refused);
        let counted = refused.expect("an outcome").1;
        assert_eq!(board.handshakes.failing[0].count, counted, "{millis}");
        assert_eq!(board.findings[0].told, format!("all of {counted} connects in 60 s"), "{millis}");
    }
}

#[test]
fn an_icmp_error_explains() {
    let mut engine = engine();
    for n in 0..3 {
        let quote = IcmpQuote {
            ts: at(100),
            scope: crate::base::Scope::FILE,
            from: [10, 0, 0, 1].into(),
            error: IcmpError { v6: false, kind: 3, code: 10 },
            src: end(&client(n)),
            dst: end(SILENT),
            seq: crate::base::Seq(100),
            flags: None,
            mtu: None,
        };
        feed_all(&mut engine, [silent(n), Input::Icmp(quote)]);
    }
    engine.feed(&Input::Tick(at(9_000)));
    let all = found(&engine);
    assert_eq!((all.len(), all[0].kind, all[0].confidence), (1, Kind::ConnectsRejected, Confidence::High));
    assert!(all[0].why.contains("rejected by 10.0.0.1: host prohibited"), "{}", all[0].why);
}
