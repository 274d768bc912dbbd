//! Handshakes that pile up: floods, and what looks like one.

use super::*;
use crate::base::Endpoint;
use crate::findings::Value;
use crate::kernel::{Timer, TimerKind};
use crate::wire::Segment;

const FLOODED: &str = "10.0.0.5:80";

/// The `n`th sender, each with an address of its own.
fn sender(n: u32) -> String {
    format!("198.51.{}.{}:7", n / 250, n % 250 + 1)
}

fn syn(millis: i64, n: u32) -> Segment {
    segment(millis, &sender(n), FLOODED, "S", 100, 0, 0)
}

fn syn_ack(millis: i64, n: u32) -> Segment {
    segment(millis, FLOODED, &sender(n), "S.", 500, 101, 0)
}

fn ack(millis: i64, n: u32) -> Segment {
    segment(millis, &sender(n), FLOODED, ".", 101, 501, 0)
}

/// Somebody whose handshake completes: what shows that more than SYNs is captured.
fn client(millis: i64) -> [Segment; 3] {
    [syn(millis, 60_000), syn_ack(millis + 1, 60_000), ack(millis + 2, 60_000)]
}

/// What is told at `until`, of what has been seen by then; the segments in any order.
fn at_end(mut segments: Vec<Segment>, until: i64) -> Engine {
    segments.retain(|segment| segment.ts <= at(until));
    segments.sort_by_key(|segment| segment.ts);
    let mut engine = Engine::new(Config::replay(100_000, 1));
    feed_all(&mut engine, segments.into_iter().map(Input::Segment));
    engine.feed(&Input::Tick(at(until)));
    engine
}

fn kinds(engine: &Engine) -> Vec<Kind> {
    found(engine).into_iter().map(|finding| finding.kind).collect()
}

fn number(finding: &Finding, name: &str) -> Option<u64> {
    let fact = finding.evidence.iter().find(|fact| fact.name == name)?;
    if let Value::Count(count) = fact.value { Some(count) } else { None }
}

/// One each 10 ms, which nobody answers.
fn unanswered(count: u32) -> Vec<Segment> {
    (0..count).map(|n| syn(i64::from(n) * 10, n)).collect()
}

#[test]
fn syns_that_nobody_answers_or_sends_again_are_a_flood_while_they_come_and_a_minute_after() {
    let all = [unanswered(300), client(1).to_vec()].concat();
    assert_eq!(kinds(&at_end(all.clone(), 2_769)), [], "of 127 a client's TCP would have sent the SYN again");
    let engine = at_end(all.clone(), 2_990);
    let told = "150 unanswered in 3 s, all wait now, from 150 addresses, 1 completed";
    assert_eq!(told_of(&engine), line(Kind::SynFlood, FLOODED, told));
    // Given up since, of which a rule about connects would tell too.
    let engine = at_end(all.clone(), 30_000);
    let told = "300 unanswered in 30 s, none waits now, from 300 addresses, 1 completed";
    assert_eq!(told_of(&engine), line(Kind::SynFlood, FLOODED, told));
    let finding = found(&engine).remove(0);
    assert_eq!((finding.since, finding.severity, finding.flow), (at(0), Severity::Warning, Some(FlowId(0))));
    assert_eq!(kinds(&at_end(all, 70_000)), []);
}

#[test]
fn nobody_completes_is_worse() {
    let before = [client(-5_000).to_vec(), unanswered(300)].concat();
    let finding = found(&at_end(before, 2_990)).remove(0);
    assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::Medium), "{}", finding.told);
    let alone = found(&at_end(unanswered(300), 2_990)).remove(0);
    assert_eq!((alone.severity, alone.confidence), (Severity::Warning, Confidence::Low), "{}", alone.why);
}

#[test]
fn what_is_answered_and_not_acknowledged_tells_whether_the_end_holds_it() {
    let answered = |again: &[i64]| {
        let one = |n: u32| {
            let began = i64::from(n) * 5;
            let again: Vec<Segment> = again.iter().map(|after| syn_ack(began + 1 + after, n)).collect();
            [vec![syn(began, n), syn_ack(began + 1, n)], again].concat()
        };
        let engine = at_end([(0..300).flat_map(one).collect(), client(1).to_vec()].concat(), 6_000);
        let told = "300 half-open in 6 s, ";
        let finding = found(&engine).remove(0);
        assert!(finding.told.starts_with(told) && finding.kind == Kind::SynFlood, "{}", finding.told);
        (finding.told, finding.why)
    };
    let (told, why) = answered(&[]);
    assert!(why.contains("it keeps nothing of those (SYN cookies)"), "{why}");
    assert!(!told.contains("all wait"), "given up: {told}");
    let (told, why) = answered(&[1_000, 3_000]);
    assert!(why.contains("each takes a place in its SYN queue"), "{why}");
    assert!(told.contains("all wait now"), "{told}");
}

#[test]
fn senders_that_try_again_do_not_hear_the_answer() {
    let one = |n: u32| {
        let began = i64::from(n) * 5;
        [0, 1_000, 3_000].into_iter().flat_map(move |after| [syn(began + after, n), syn_ack(began + after + 1, n)])
    };
    let engine = at_end((0..200).flat_map(one).chain(client(1)).collect(), 5_000);
    let finding = found(&engine).remove(0);
    assert_eq!((finding.kind, number(&finding, "syn_again")), (Kind::SynFlood, Some(200)));
    assert!(finding.why.contains("the way back is broken"), "{}", finding.why);
}

#[test]
fn a_listener_that_is_slow_or_met_by_a_crowd_is_not_flooded() {
    // Answered after 200 ms, and a thousand a second come.
    let slow = |n: u32| {
        let began = i64::from(n);
        [syn(began, n), syn_ack(began + 200, n), ack(began + 250, n)]
    };
    // All at once, and most have to try again before they are answered, some twice.
    let crowd = |n: u32| {
        let (began, tries) = (i64::from(n) / 10, i64::from(n % 3));
        let again = (0..=tries).map(move |nth| syn(began + nth * 1_020, n));
        let answered = began + tries * 1_020 + 400;
        again.chain([syn_ack(answered, n), ack(answered + 100, n)])
    };
    for (what, all, length) in [
        ("slow", (0..3_000).flat_map(slow).collect::<Vec<_>>(), 3_300),
        ("crowd", (0..3_000).flat_map(crowd).collect(), 4_000),
    ] {
        for until in (0..=length).step_by(100) {
            assert_eq!(kinds(&at_end(all.clone(), until)), [], "{what} after {until} ms");
        }
    }
}

#[test]
fn a_busy_listener_has_some_that_nobody_completes() {
    let one = |n: u32| {
        let began = i64::from(n) * 2;
        let whole = [syn(began, n), syn_ack(began + 30, n), ack(began + 60, n)];
        whole.into_iter().take(if n.is_multiple_of(15) { 2 } else { 3 })
    };
    let engine = at_end((0..4_000).flat_map(one).collect(), 12_000);
    assert_eq!(kinds(&engine), [], "267 of 4,000");
}

#[test]
fn the_beginning_of_a_capture_is_no_flood() {
    // Connections under way, of which only the server is heard so far; and those whose SYN was before.
    let data = |n: u32| segment(i64::from(n), FLOODED, &sender(n), "P.", 500, 101, 100);
    let answer = |n: u32| syn_ack(i64::from(n), n + 1_000);
    let engine = at_end((0..500).map(data).chain((0..500).map(answer)).collect(), 9_000);
    assert_eq!(kinds(&engine), []);
}

#[test]
fn a_server_that_is_gone_is_told_by_another_rule() {
    let tries = |n: u32| [0, 1_000, 3_000, 7_000].map(|after| syn(i64::from(n) * 10 + after, n));
    let clients = (0..300).flat_map(tries).chain(client(-9_000)).collect::<Vec<_>>();
    for until in [1_400, 3_100, 9_000, 40_000] {
        assert!(!kinds(&at_end(clients.clone(), until)).contains(&Kind::SynFlood), "{until}");
    }
    assert_eq!(kinds(&at_end(clients, 40_000)), [Kind::ConnectsUnanswered]);
    // A few addresses that try new connections, each once.
    let few =
        |n: u32| segment(i64::from(n) * 10, &format!("10.0.0.{}:{}", n % 9 + 1, 4_000 + n), FLOODED, "S", n, 0, 0);
    let engine = at_end((0..600).map(few).chain(client(1)).collect(), 20_000);
    assert_eq!(kinds(&engine), [Kind::ConnectsUnanswered]);
}

#[test]
fn of_a_flood_that_the_table_does_not_hold_the_youngest_are_told() {
    let flood = |flows| {
        let mut engine = Engine::new(Config::replay(flows, 1));
        feed_all(&mut engine, client(-10).map(Input::Segment));
        for n in 0..4_000_u32 {
            let from = Endpoint::new(std::net::Ipv4Addr::from(0x0a00_0000 + n), 7);
            let syn = Segment { src: from, ts: at(i64::from(n) / 20), ..syn(0, 0) };
            engine.feed(&Input::Segment(syn));
        }
        told(&engine)
    };
    let expected = "at least 999 unanswered in <1 s, all wait now, from 999 addresses, none completed";
    assert_eq!(flood(1_000), [line(Kind::SynFlood, FLOODED, expected)]);
    assert_eq!(flood(10_000), [], "a burst, as far as can be told");
}

#[test]
fn what_completed_and_left_the_table_may_have_been_with_the_same_end() {
    let told = |flows, clients: u32| {
        let mut engine = Engine::new(Config::replay(flows, 1));
        // Connections that are over go first.
        for n in 0..clients {
            let end = [segment(3, &sender(n), FLOODED, "R", 101, 0, 0)];
            let all = [syn(0, n), syn_ack(1, n), ack(2, n)].into_iter().chain(end);
            feed_all(&mut engine, all.map(Input::Segment));
        }
        feed_all(&mut engine, (0..300).map(|n| Input::Segment(syn(10, 10_000 + n))));
        engine.feed(&Input::Tick(at(2_000)));
        super::told(&engine).into_iter().map(|(.., told)| told).collect::<Vec<_>>()
    };
    let line = |completed: &str| vec![format!("300 unanswered in 2 s, all wait now, from 300 addresses, {completed}")];
    assert_eq!(told(1_000, 5), line("5 completed"));
    assert_eq!(told(300, 5), line("completed unknown"));
    assert_eq!(told(302, 5), line("at least 2 completed"));
    assert_eq!(told(300, 3_000), [""; 0], "they were many");
}

#[test]
fn since_when_is_the_first_of_all_that_followed_each_other_within_a_minute() {
    let each = |from: i64, until: i64| (from..until).map(|secs| syn(secs * 1_000, (secs + 300) as u32));
    let burst = (0..200).map(|n| syn(200_000 + n, 5_000 + n as u32));
    let since = |from, pause: i64| {
        let all = each(from, 100).chain(each(99 + pause, 200)).chain(burst.clone()).chain(client(200_000));
        found(&at_end(all.collect(), 204_000)).remove(0).since
    };
    assert_eq!(since(-100, 59), at(-100_000));
    assert_eq!(since(-100, 60), at(159_000));
}

#[test]
fn the_kernel_alone_tells_of_sockets_in_syn_recv_and_of_cookies() {
    let row = |n: u32| {
        let plain = socket(FLOODED, &sender(n), TcpState::SynRecv, (0, 0), 0, 0);
        let timer = Timer { kind: TimerKind::On, left: Duration::from_secs(1), retries: 1 };
        Socket { inode: None, cookie: Some(9_000 + u64::from(n)), timer: Some(timer), ..plain }
    };
    let listener = socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (0, 128), 7, 7);
    let read = |millis, cookies| {
        let rows = (0..200).map(row).chain([listener.clone()]).collect();
        let Input::Sample(plain) = sample(millis, rows, &[(7, 99, 4, "app")]) else { unreachable!("a sample") };
        let counters = Counters(Arc::new([("TcpExt.SyncookiesSent".to_owned(), cookies)].into()));
        let local_addresses = [end(FLOODED).ip()].into();
        Input::Sample(Arc::new(SocketSample { counters, local_addresses, ..SocketSample::clone(&plain) }))
    };
    let mut engine = engine();
    feed_all(&mut engine, [read(0, 5), read(1_000, 905)]);
    let finding = found(&engine).remove(0);
    assert_eq!((finding.kind, finding.confidence), (Kind::SynFlood, Confidence::High), "{}", finding.told);
    let numbers = ["half_open", "syn_recv", "limit", "syncookies_sent"].map(|name| number(&finding, name));
    assert_eq!(numbers, [Some(200), Some(200), Some(128), Some(900)]);
    assert_eq!(finding.who.map(|who| who.to_string()).as_deref(), Some("app[99] fd 4"));
}

fn told_of(engine: &Engine) -> (Kind, String, String) {
    let [one] = &told(engine)[..] else { panic!("one finding: {:?}", told(engine)) };
    one.clone()
}
