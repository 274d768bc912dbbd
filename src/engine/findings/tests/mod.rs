//! From lists of inputs to findings: what is gathered, since when, and that it goes away.

mod connects;
mod syn_flood;

use super::super::tests::*;
use super::super::*;
use crate::base::TcpState;
use crate::findings::{Confidence, Finding, Kind, Severity};
use crate::kernel::{Counters, Limits, Socket, SocketSample, TcpInfo};
use crate::wire::{FrameCounts, IcmpError, IcmpQuote};
use std::sync::Arc;
use std::time::Duration;

const REFUSING: &str = "10.0.0.5:81";
const SILENT: &str = "10.0.0.5:82";

fn client(n: u32) -> String {
    format!("10.0.0.2:{}", 40_000 + n)
}

/// A refused connect.
fn refused(millis: i64, n: u32) -> [Input; 2] {
    let syn = segment(millis, &client(n), REFUSING, "S", 100, 0, 0);
    let rst = segment(millis + 1, REFUSING, &client(n), "R.", 0, 101, 0);
    [syn, rst].map(Input::Segment)
}

/// A SYN that nobody answers.
fn silent(n: u32) -> Input {
    Input::Segment(segment(i64::from(n) * 10, &client(n), SILENT, "S", 100, 0, 0))
}

fn found(engine: &Engine) -> Vec<Finding> {
    show(engine).findings
}

fn told(engine: &Engine) -> Vec<(Kind, String, String)> {
    found(engine).into_iter().map(|finding| (finding.kind, finding.subject.to_string(), finding.told)).collect()
}

fn line(kind: Kind, subject: &str, told: &str) -> (Kind, String, String) {
    (kind, subject.to_owned(), told.to_owned())
}

/// A reading with counters and limits.
fn reading(millis: i64, sockets: Vec<Socket>, owners: &[(u64, u32, u32, &str)], overflows: i64) -> Input {
    let Input::Sample(plain) = sample(millis, sockets, owners) else { unreachable!("a sample") };
    let counters = Counters(Arc::new([("TcpExt.ListenOverflows".to_owned(), overflows)].into()));
    let limits = Arc::new(Limits { somaxconn: Some(4096), ..Limits::default() });
    Input::Sample(Arc::new(SocketSample { counters, limits, ..SocketSample::clone(&plain) }))
}

/// A socket on which so many bytes were received, of which `queued` wait.
fn receiving(queued: u32, received: u64) -> Socket {
    let info = TcpInfo { bytes_received: Some(received), ..TcpInfo::default() };
    Socket { info: Some(Box::new(info)), ..socket("10.0.0.2:80", "10.0.0.9:5000", TcpState::Estab, (queued, 0), 7, 7) }
}

#[test]
fn a_process_reads_or_does_not_by_what_it_has_taken() {
    let owners = [(7, 99, 4, "app")];
    let mut engine = engine();
    // The queue grows and nothing is taken.
    for (millis, queued) in [(0, 1_000), (5_000, 5_000), (10_000, 9_000)] {
        engine.feed(&sample(millis, vec![receiving(queued, u64::from(queued) + 100)], &owners));
    }
    assert_eq!(told(&engine), [line(Kind::NotReading, "app[99]", "Recv-Q 9.0 kB for 10 s")]);
    assert_eq!((found(&engine)[0].since, found(&engine)[0].confidence), (at(0), Confidence::High));
    // As full as before, but a byte was taken and another came.
    engine.feed(&sample(11_000, vec![receiving(9_000, 9_101)], &owners));
    assert_eq!(told(&engine), []);
    engine.feed(&Input::Tick(at(21_000)));
    assert_eq!(told(&engine).len(), 1, "since then nothing");
    engine.feed(&sample(22_000, vec![receiving(0, 9_101)], &owners));
    assert_eq!(told(&engine), []);
}

#[test]
fn without_counts_a_queue_that_never_shrinks_is_not_read() {
    let of = |lengths: &[u32]| {
        let mut engine = engine();
        for (place, queued) in lengths.iter().enumerate() {
            let row = socket("10.0.0.2:80", "10.0.0.9:5000", TcpState::Estab, (*queued, 0), 7, 7);
            engine.feed(&sample(place as i64 * 5_000, vec![row], &[(7, 99, 4, "app")]));
        }
        found(&engine).first().map(|finding| finding.confidence)
    };
    assert_eq!(of(&[9_000, 9_000, 9_500]), Some(Confidence::Medium));
    assert_eq!(of(&[9_000, 8_999, 9_500]), None);
    assert_eq!(of(&[9_000, 0, 9_500]), None);
}

#[test]
fn a_closed_window_speaks_where_the_kernel_does_not() {
    let mut zero = segment(1_000, "10.0.0.9:80", "10.0.0.2:40000", ".", 501, 1_101, 0);
    zero.window = 0;
    let inputs = [
        segment(0, "10.0.0.2:40000", "10.0.0.9:80", "S", 100, 0, 0),
        segment(1, "10.0.0.9:80", "10.0.0.2:40000", "S.", 500, 101, 0),
        segment(2, "10.0.0.2:40000", "10.0.0.9:80", ".", 101, 501, 0),
        segment(3, "10.0.0.2:40000", "10.0.0.9:80", "P.", 101, 501, 1_000),
        zero,
    ];
    let mut engine = engine();
    feed_all(&mut engine, inputs.map(Input::Segment));
    engine.feed(&Input::Tick(at(5_999)));
    assert_eq!(told(&engine), []);
    engine.feed(&Input::Tick(at(6_500)));
    assert_eq!(told(&engine), [line(Kind::NotReading, "#0 10.0.0.9:80 ← 10.0.0.2:40000", "window closed for 5 s")]);
    // The kernel of that end says that nothing waits.
    let row = socket("10.0.0.9:80", "10.0.0.2:40000", TcpState::Estab, (0, 0), 7, 7);
    engine.feed(&sample(7_000, vec![row], &[]));
    assert_eq!(told(&engine), []);
}

/// Owners, as [`sample`] takes them.
type Holders = Vec<(u64, u32, u32, &'static str)>;

/// `n` sockets of a process in CLOSE-WAIT.
fn left_open(n: u64, recv_q: u32) -> (Vec<Socket>, Holders) {
    let port = |n: u64| format!("10.0.0.2:{}", 41_000 + n);
    let row = |n| socket(&port(n), "10.0.0.9:8000", TcpState::CloseWait, (recv_q, 0), 100 + n, 100 + n);
    ((0..n).map(row).collect(), (0..n).map(|n| (100 + n, 77, n as u32, "worker")).collect())
}

#[test]
fn close_wait_that_gathers_is_a_leak() {
    let mut engine = engine();
    for second in 0..14 {
        let (rows, owners) = left_open(6 + second, 0);
        engine.feed(&sample(second as i64 * 1_000, rows, &owners));
        // Ten have stayed for 5 s at 9 s; that they gather is known after 5 s more.
        let expected = usize::from(second == 14);
        assert_eq!(told(&engine).len(), expected, "{second}");
    }
    let (rows, owners) = left_open(20, 0);
    engine.feed(&sample(14_000, rows, &owners));
    let [finding] = &found(&engine)[..] else { panic!("{:?}", found(&engine)) };
    assert_eq!(finding.subject.to_string(), "worker[77]");
    assert_eq!((finding.told.as_str(), finding.since), ("20 in CLOSE-WAIT, 15 for over 5 s, +1.0/s in 5 s", at(9_000)));
    assert!(finding.why.contains("all show Recv-Q 0"), "{}", finding.why);
    // No more gather, but what has gathered stays.
    for second in 15..100 {
        let (rows, owners) = left_open(20, 0);
        engine.feed(&sample(second * 1_000, rows, &owners));
        assert_eq!(told(&engine).len(), 1, "{second}");
    }
    assert!(found(&engine)[0].told.starts_with("20 in CLOSE-WAIT, the oldest for"), "{:?}", found(&engine));
    // Closed after all, but for nine.
    let (rows, owners) = left_open(9, 0);
    engine.feed(&sample(100_000, rows, &owners));
    assert_eq!(told(&engine), []);
}

#[test]
fn close_wait_that_stays_as_it_is_is_a_pool() {
    let mut engine = engine();
    for second in 0..30 {
        let (rows, owners) = left_open(99, 1);
        engine.feed(&sample(second * 1_000, rows, &owners));
    }
    assert_eq!(told(&engine), []);
}

#[test]
fn what_waits_in_a_full_accept_queue_is_no_leak() {
    let kinds = |limit| {
        let mut engine = engine();
        for second in 0..16_u64 {
            let row =
                |n| socket("10.0.0.2:80", &format!("10.0.0.9:{}", 5_000 + n), TcpState::CloseWait, (1, 0), 0, 100 + n);
            let mut rows: Vec<Socket> = (0..6 + second).map(row).collect();
            let waiting = rows.len() as u32;
            rows.push(socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (waiting, limit), 9, 9));
            engine.feed(&sample(second as i64 * 1_000, rows, &[(9, 12, 3, "app")]));
        }
        found(&engine).into_iter().map(|finding| (finding.kind, finding.about())).collect::<Vec<_>>()
    };
    assert_eq!(kinds(5), [(Kind::AcceptOverflow, "0.0.0.0:80".to_owned())]);
    assert_eq!(kinds(128), [(Kind::CloseWaitLeak, "app[12]".to_owned())], "its process does not accept");
}

#[test]
fn close_wait_by_the_wire_is_told_as_inferred() {
    let mut engine = engine();
    for n in 0..12 {
        let (millis, client) = (i64::from(n) * 1_000, client(n));
        for (after, from_client, flags, seq, ack) in [
            (0, true, "S", 100, 0),
            (1, false, "S.", 500, 101),
            (2, true, ".", 101, 501),
            (9, false, "F.", 501, 101),
            (10, true, ".", 101, 502),
        ] {
            let (src, dst) =
                if from_client { (client.as_str(), "10.0.0.9:80") } else { ("10.0.0.9:80", client.as_str()) };
            engine.feed(&Input::Segment(segment(millis + after, src, dst, flags, seq, ack, 0)));
        }
    }
    engine.feed(&Input::Tick(at(29_000)));
    assert_eq!(told(&engine), [], "not old enough");
    engine.feed(&Input::Tick(at(31_000)));
    let [finding] = &found(&engine)[..] else { panic!("{:?}", found(&engine)) };
    assert_eq!(finding.told, "12 in CLOSE-WAIT, +0.4/s in 30 s");
    assert_eq!(
        (finding.confidence, finding.subject.to_string().as_str()),
        (Confidence::Medium, "10.0.0.2 with 10.0.0.9:80")
    );
}

#[test]
fn an_accept_queue_over_its_limit_explains_what_is_not_answered() {
    let listener = |waiting| socket("0.0.0.0:80", "0.0.0.0:0", TcpState::Listen, (waiting, 5), 9, 9);
    let owners = [(9, 12, 3, "app")];
    let mut engine = engine();
    engine.feed(&reading(0, vec![listener(5)], &owners, 1_000));
    for n in 0..3 {
        let from = format!("10.0.0.7:{}", 50_000 + n);
        engine.feed(&Input::Segment(segment(100, &from, "10.0.0.2:80", "S", 100, 0, 0)));
    }
    assert_eq!(told(&engine), [], "full, not over; what was counted before is not of now");
    engine.feed(&reading(1_000, vec![listener(6)], &owners, 1_000));
    let [finding] = &found(&engine)[..] else { panic!("one") };
    assert_eq!((finding.severity, finding.told.as_str()), (Severity::Warning, "6 wait, limit 5 for 0 s"));
    engine.feed(&reading(10_000, vec![listener(6)], &owners, 1_003));
    let [finding] = &found(&engine)[..] else { panic!("the unanswered SYNs are not told again") };
    assert_eq!((finding.severity, finding.told.as_str()), (Severity::Critical, "6 wait, limit 5, 3 dropped in 9 s"));
    assert_eq!((finding.subject.to_string().as_str(), finding.since), ("0.0.0.0:80", at(1_000)));
    assert_eq!(finding.who.as_ref().map(ToString::to_string).as_deref(), Some("app[12] fd 3"));
    engine.feed(&reading(11_000, vec![listener(0)], &owners, 1_003));
    assert_eq!(found(&engine)[0].severity, Severity::Warning, "it was, a moment ago");
    engine.feed(&Input::Tick(at(70_001)));
    assert_eq!(told(&engine), []);
}

#[test]
fn ports_that_run_out_name_their_route() {
    let limits = || Limits { port_range: Some((41_000, 41_009)), ..Limits::default() };
    let rows = |n: u64| -> Vec<Socket> {
        let own = |n| format!("10.0.0.2:{}", 41_000 + n);
        (0..n).map(|n| socket(&own(n), "10.0.0.9:5432", TcpState::Estab, (0, 0), 100 + n, 100 + n)).collect()
    };
    let mut engine = engine();
    engine.feed(&sample_with(0, limits(), rows(9)));
    assert_eq!(told(&engine), []);
    for millis in [1_000, 2_000] {
        engine.feed(&sample_with(millis, limits(), rows(10)));
    }
    assert_eq!(
        told(&engine),
        [line(Kind::PortsRunOut, "10.0.0.2 → 10.0.0.9:5432", "none left for 1 s, 100% of 10 in use")]
    );
    assert_eq!(found(&engine)[0].since, at(1_000));
}

#[test]
fn ports_that_run_out_do_so_since_it_was_foretold() {
    let limits = || Limits { port_range: Some((41_000, 41_009)), ..Limits::default() };
    let mut engine = engine();
    let mut since = |second: i64, used: u64| {
        let own = |n| format!("10.0.0.2:{}", 41_000 + n);
        let socket = |n| socket(&own(n), "10.0.0.9:5432", TcpState::Estab, (0, 0), 100 + n, 100 + n);
        engine.feed(&sample_with(second * 1_000, limits(), (0..used).map(socket).collect()));
        found(&engine).first().map(|finding| (finding.since, finding.told.clone()))
    };
    let told = |second: i64, told: &str| Some((at(second * 1_000), format!("{told} of 10 in use")));
    assert_eq!([since(0, 4), since(1, 5)], [None, None]);
    assert_eq!(since(2, 6), told(2, "none left in 4 s, 60%"));
    assert_eq!(since(4, 10), told(2, "none left for 0 s, 100%"), "when they ran out is told besides");
    assert_eq!(since(5, 6), None);
    assert_eq!(since(6, 10), told(2, "none left for 2 s, 100%"), "that some were free in between is no end");
    assert_eq!([since(7, 6), since(11, 6)], [None, None]);
    assert_eq!(since(12, 10), told(12, "none left for 0 s, 100%"), "that they were for 5 s is");
}

#[test]
fn frames_lost_lately_are_told() {
    let mut frames = FrameCounts::default();
    frames.frames = 1_000;
    let loss = |millis, kernel| {
        Input::Loss(Box::new(Loss { ts: at(millis), kernel: Some(kernel), interface: Some(0), ours: 0, frames }))
    };
    let mut engine = engine();
    engine.feed(&loss(0, 0));
    assert_eq!(told(&engine), []);
    feed_all(&mut engine, [loss(1_000, 50), loss(2_000, 90), loss(3_000, 90)]);
    let lost = |told: &str| [line(Kind::CaptureLoss, "this capture", told)];
    assert_eq!(told(&engine), lost("90 of 90 frames (100%) lost in 3 s"), "of those that came since the first reading");
    engine.feed(&Input::Tick(at(61_999)));
    assert_eq!(told(&engine).len(), 1);
    engine.feed(&Input::Tick(at(62_000)));
    assert_eq!(told(&engine), []);
    // What was lost before a pause is not of the new run.
    frames.frames = 3_000;
    let later = Loss { ts: at(200_000), kernel: Some(100), interface: Some(0), ours: 0, frames };
    engine.feed(&Input::Loss(later.into()));
    assert_eq!(told(&engine), lost("10 of 2,010 frames (<1%) lost in 3 min"));
}

#[test]
fn asking_and_ticks_change_nothing() {
    let build = |ticks: bool| {
        let mut engine = engine();
        for second in 0..25_i64 {
            let (rows, owners) = left_open(6 + second as u64, 0);
            engine.feed(&sample(second * 1_000, rows, &owners));
            feed_all(&mut engine, refused(second * 1_000 + 10, second as u32));
            if ticks {
                engine.feed(&Input::Tick(at(second * 1_000 + 500)));
                show(&engine);
            }
        }
        engine.feed(&Input::Tick(at(25_000) + Duration::from_millis(1)));
        found(&engine)
    };
    assert_eq!(build(true), build(false));
    assert_eq!(build(true).len(), 2);
}

#[test]
fn a_filter_leaves_the_findings_that_are_about_a_flow_that_fits() {
    let mut engine = engine();
    feed_all(&mut engine, (0..3).flat_map(|n| refused(i64::from(n) * 100, n)));
    feed_all(&mut engine, (3..6).map(silent));
    engine.feed(&Input::Tick(at(9_000)));
    let left = |words: &str| {
        let filter = Filter::parse(words).expect("a filter");
        let left = engine.findings_about(found(&engine), &filter).into_iter();
        left.map(|finding| finding.kind).collect::<Vec<_>>()
    };
    use Kind::{ConnectsRefused, ConnectsUnanswered};
    assert_eq!(left(""), [ConnectsRefused, ConnectsUnanswered]);
    assert_eq!(left("port:81"), [ConnectsRefused]);
    assert_eq!(left("outcome:unanswered"), [ConnectsUnanswered]);
    assert_eq!(left("addr:10.0.0.2").len(), 2);
    assert_eq!(left("port:1"), []);
    // One that was answered tells nothing of those that were not.
    let to_silent =
        [segment(9_100, &client(9), SILENT, "S", 9, 0, 0), segment(9_101, SILENT, &client(9), "R.", 0, 10, 0)];
    feed_all(&mut engine, to_silent.map(Input::Segment));
    let filter = Filter::parse(&format!("orig:{}", client(9))).expect("a filter");
    assert_eq!(engine.findings_about(found(&engine), &filter), []);
}
