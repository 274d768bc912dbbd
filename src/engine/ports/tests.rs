//! Ports by route over readings that are made up: what holds a port, for whom, and what does not.

use std::time::Duration;

use super::super::tests::{end, engine, sample_with, show, socket};
use super::*;
use crate::base::Scope;
use crate::base::TcpState::{self, Closed, Estab, Listen, SynSent, TimeWait};
use crate::engine::{Engine, Input};
use crate::findings::Severity;
use crate::kernel::{Connect, KernelEvent, Limits, Rung, Socket, Timer, TimerKind};

const A: &str = "10.0.0.5:5432";
const B: &str = "10.0.0.9:6379";

/// A range of 100 ports, of which ten are reserved.
fn limits() -> Limits {
    Limits {
        port_range: Some((1000, 1099)),
        reserved_ports: Some(vec![(1090, 1099)]),
        tcp_tw_reuse: Some(2),
        tcp_timestamps: Some(1),
        ..Limits::default()
    }
}

fn from(port: u16, to: &str, state: TcpState) -> Socket {
    let from = if to.starts_with("127.") { "127.0.0.1" } else { "10.0.0.2" };
    socket(&format!("{from}:{port}"), to, state, (0, 0), u64::from(port), 0x1000 + u64::from(port))
}

fn waits(port: u16, to: &str, age: u64) -> Socket {
    let timer = Timer { kind: TimerKind::TimeWait, left: Duration::from_secs(60 - age), retries: 0 };
    Socket { timer: Some(timer), inode: None, ..from(port, to, TimeWait) }
}

fn read(engine: &mut Engine, second: i64, limits: Limits, sockets: Vec<Socket>) -> PortsPane {
    engine.feed(&sample_with(second * 1000, limits, sockets));
    show(engine).ports.expect("the kernel was seen")
}

/// None will be left so many seconds after the reading at `second`.
fn runs_out(second: i64, secs: u64) -> Forecast {
    let left = Duration::from_secs(secs);
    Forecast::RunsOut { left, at: super::super::tests::at(second * 1000) + left }
}

fn route<'a>(pane: &'a PortsPane, to: &str) -> &'a RouteRow {
    pane.routes.iter().find(|row| row.to == end(to)).unwrap_or_else(|| panic!("no route to {to}: {pane:?}"))
}

fn ports(numbers: std::ops::Range<u16>, to: &str) -> impl Iterator<Item = Socket> {
    numbers.map(move |port| from(port, to, Estab))
}

#[test]
fn each_destination_has_all_the_ports() {
    let sockets = ports(1000..1060, A).chain(ports(1000..1010, B)).collect();
    let pane = read(&mut engine(), 0, limits(), sockets);
    assert_eq!((pane.usable, pane.held), (90, 0));
    assert_eq!((route(&pane, A).free(), route(&pane, B).free()), (30, 80));
    assert_eq!(pane.routes[0].to, end(A), "the tightest first");
}

#[test]
fn what_binds_takes_from_all() {
    let mut engine = engine();
    let bound =
        |port: u16| socket(&format!("10.0.0.2:{port}"), "0.0.0.0:0", Closed, (0, 0), 7, 0x2000 + u64::from(port));
    let listener = || socket("0.0.0.0:1070", "0.0.0.0:0", Listen, (0, 128), 9, 9);
    let mut first = vec![listener(), bound(1000), from(1001, B, Estab)];
    first.push(from(1095, B, Estab));
    let pane = read(&mut engine, 0, limits(), first);
    assert_eq!((pane.held, route(&pane, B).capacity), (2, 88));
    assert_eq!(route(&pane, B).used(), 1, "a reserved port is none of the range");
    // It was seen bound; connected, it goes on to hold its port for all, as its accepted sibling on 1070 does.
    let accepted = socket("10.0.0.2:1070", "10.0.0.7:4000", Estab, (0, 0), 11, 11);
    let then = vec![listener(), from(1000, A, Estab), from(1001, B, Estab), accepted.clone()];
    let pane = read(&mut engine, 1, limits(), then);
    assert_eq!((pane.held, route(&pane, B).free()), (2, 87));
    assert!(pane.routes.iter().all(|row| row.to == end(B)), "neither is a connect() that shares: {pane:?}");
    // Nobody listens any more, but what was accepted is left; the bound one is gone, and its port is anybody's.
    let pane = read(&mut engine, 2, limits(), vec![from(1001, B, Estab), accepted]);
    assert_eq!(pane.held, 1);
    let pane = read(&mut engine, 3, limits(), vec![from(1000, B, Estab)]);
    assert_eq!((pane.held, route(&pane, B).used()), (0, 1));
}

#[test]
fn what_bound_and_connected_between_two_readings_is_told_by_the_trace() {
    let claim = |second: i64, port: u16, bound: bool, here: Option<bool>| {
        let at = super::super::tests::at(second * 1000);
        let (local, peer) = (end(&format!("10.0.0.2:{port}")), end(A));
        let (scope, rung) = (Scope::FILE, Rung::Trace);
        Input::Kernel(KernelEvent::Connect(Connect {
            begin: at,
            end: at,
            scope,
            local,
            peer,
            process: None,
            here,
            bound,
            connected: None,
            rung,
        }))
    };
    let mut engine = engine();
    // Bound; given out by connect(); bound, but in another namespace; bound, and read by no reading for long.
    for (port, bound, here) in [(1000, true, None), (1001, false, None), (1002, true, Some(false)), (1003, true, None)]
    {
        engine.feed(&claim(1, port, bound, here));
    }
    let pane = read(&mut engine, 2, limits(), ports(1000..1003, A).chain([from(1003, B, Estab)]).collect());
    assert_eq!((pane.held, route(&pane, A).used()), (1, 2), "another connection on 1003 is another socket's");
    // It goes on to hold its port while any socket is on it, and no longer.
    assert_eq!(read(&mut engine, 59, limits(), vec![waits(1000, A, 1), from(1001, A, Estab)]).held, 1);
    let later = vec![waits(1000, A, 2), from(1001, A, Estab), from(1003, A, Estab)];
    let pane = read(&mut engine, 60, limits(), later);
    assert_eq!((pane.held, route(&pane, A).used()), (1, 2), "what was told long ago is of an older connection");
    let pane = read(&mut engine, 61, limits(), vec![from(1001, A, Estab)]);
    assert_eq!(pane.held, 0);
    assert_eq!(read(&mut engine, 62, limits(), vec![from(1000, A, Estab)]).held, 0);
}

#[test]
fn time_wait_that_reuse_lets_go_holds_nothing() {
    let loopback = "127.0.0.1:80";
    let sockets =
        || vec![waits(1000, loopback, 5), waits(1001, loopback, 0), waits(1000, A, 5), from(1001, A, SynSent)];
    let pane = read(&mut engine(), 0, limits(), sockets());
    let row = route(&pane, loopback);
    assert_eq!((row.live, row.time_wait, row.let_go), (0, 1, 1), "older than the delay");
    assert_eq!((route(&pane, A).time_wait, route(&pane, A).live), (1, 1), "2 is for loopback only");
    let everywhere = Limits { tcp_tw_reuse: Some(1), ..limits() };
    assert_eq!(route(&read(&mut engine(), 0, everywhere, sockets()), A).let_go, 1);
    for off in [Limits { tcp_tw_reuse: Some(0), ..limits() }, Limits { tcp_timestamps: Some(0), ..limits() }] {
        assert_eq!(route(&read(&mut engine(), 0, off, sockets()), loopback).let_go, 0);
    }
    let slower = Limits { tcp_tw_reuse_delay: Some(10_000), ..limits() };
    assert_eq!(route(&read(&mut engine(), 0, slower, sockets()), loopback).let_go, 0);
}

#[test]
fn the_rate_is_that_of_the_last_seconds() {
    // Two a second for twenty seconds; then for three.
    let long = (0..20_u16).flat_map(|age| [0, 1].map(|n| waits(1000 + 2 * age + n, A, age.into()))).collect();
    let pane = read(&mut engine(), 0, limits(), long);
    assert_eq!(route(&pane, A).closes_per_s, 2.0);
    assert_eq!(route(&pane, A).forecast, runs_out(0, 25), "40 of 90, two more a second");
    let brief = (0..3_u16).map(|age| waits(1000 + age, A, age.into())).collect();
    let pane = read(&mut engine(), 0, limits(), brief);
    assert_eq!((route(&pane, A).closes_per_s, route(&pane, A).forecast), (1.0, Forecast::LevelsOff(60)));
}

#[test]
fn a_leak_is_growth_that_goes_on() {
    let mut leaking = engine();
    for second in 0..8 {
        read(&mut leaking, second, limits(), ports(1000..1002 + 4 * second as u16, A).collect());
    }
    let pane = show(&leaking).ports.expect("seen");
    assert_eq!(route(&pane, A).used(), 30);
    assert_eq!(route(&pane, A).forecast, runs_out(7, 15), "60 are left, four more a second");
    assert_eq!(route(&pane, A).history, [2, 6, 10, 14, 18, 22, 26, 30]);
    // A step is no growth.
    let mut stepping = engine();
    for second in 0..8 {
        let used = if second < 7 { 1002 } else { 1030 };
        read(&mut stepping, second, limits(), ports(1000..used, A).collect());
    }
    let pane = show(&stepping).ports.expect("seen");
    assert_eq!(route(&pane, A).forecast, Forecast::LevelsOff(30));
}

#[test]
fn when_none_is_left_is_told_and_kept() {
    let at = |second: i64| super::super::tests::at(second * 1000);
    let mut engine = engine();
    let mut read = |second: i64, used: u16| {
        let pane = read(&mut engine, second, limits(), ports(1000..1000 + used, A).collect());
        route(&pane, A).forecast
    };
    let gone = |second| Forecast::Exhausted { since: at(second) };
    assert_eq!(read(0, 60), Forecast::LevelsOff(60), "steady");
    for second in 1..=9 {
        read(second, 60 + 3 * second as u16);
    }
    // 90 are there, 87 in use, three more a second.
    assert_eq!(read(9, 87), runs_out(9, 1));
    assert_eq!(read(11, 90), gone(11), "when a reading showed it");
    // One is free for a moment; then one is for long.
    assert!(!matches!(read(12, 89), Forecast::Exhausted { .. }));
    assert_eq!(read(13, 90), gone(11), "that one was free in between is no relief");
    read(14, 89);
    assert_eq!(read(18, 90), gone(18), "for 5 s there was one");
    let outlook = |forecast| PortsOutlook { forecast, used: 60, capacity: 90 };
    let words = |outlook: PortsOutlook| outlook.words(Some(at(20)), |at| at.seconds().to_string());
    let second = |secs| at(secs).seconds();
    assert_eq!(words(outlook(gone(18))), format!("none left since {} (EADDRNOTAVAIL)", second(18)));
    let runs_out = outlook(runs_out(18, 12));
    assert_eq!(words(runs_out), format!("none left at {}, in 10 s", second(30)), "the reading was 2 s ago");
    let unclocked = runs_out.words(None, |at| at.seconds().to_string());
    assert_eq!(unclocked, format!("none left at {}", second(30)), "how far ahead, nobody knows");
    assert_eq!(words(outlook(Forecast::LevelsOff(60))), "steady");
}

#[test]
fn readings_far_apart_that_find_none_left_are_of_one_time() {
    let at = |second: i64| super::super::tests::at(second * 1000);
    let mut engine = engine();
    let mut read = |second: i64, used: u16| {
        let pane = read(&mut engine, second, limits(), ports(1000..1000 + used, A).collect());
        route(&pane, A).forecast
    };
    let gone = |second| Forecast::Exhausted { since: at(second) };
    assert_eq!([read(0, 90), read(10, 90), read(60, 90)], [gone(0); 3]);
    read(70, 89);
    assert_eq!(read(80, 90), gone(80), "one between them found one free, and long ago");
}

#[test]
fn what_is_tight_again_long_after_a_reading_that_found_ports_is_of_another_time() {
    let at = |second: i64| super::super::tests::at(second * 1000);
    let mut engine = engine();
    let mut tight = |second: i64, used: u16| {
        read(&mut engine, second, limits(), ports(1000..1000 + used, A).collect());
        engine.kernel.ports.tight().next().map(|(_, since)| since)
    };
    assert_eq!([tight(0, 90), tight(3, 89), tight(4, 90)], [Some(at(0)), None, Some(at(0))], "free for a moment");
    assert_eq!([tight(7, 89), tight(100, 90)], [None, Some(at(100))], "nothing tells that it was so all along");
}

#[test]
fn how_bad_a_forecast_is_the_rule_of_findings_says() {
    let at = |secs| Timestamp::from_secs_nanos(secs, 0);
    let severity = |forecast, used| {
        let outlook = PortsOutlook { forecast, used, capacity: 90 };
        outlook.severity(at(20)).map(Severity::name)
    };
    let read_at = |second, secs| Forecast::RunsOut { left: Duration::from_secs(secs), at: at(second + secs as i64) };
    assert_eq!(severity(Forecast::Exhausted { since: at(20) }, 90), Some("critical"));
    assert_eq!(severity(read_at(10, 70), 60), Some("critical"), "by now it is in 60 s");
    assert_eq!(severity(read_at(20, 61), 60), Some("warning"));
    assert_eq!(severity(read_at(20, 601), 60), None, "too far away");
    assert_eq!(severity(read_at(20, 5), 17), None, "below 20%");
    assert_eq!(severity(Forecast::LevelsOff(89), 89), None);
}

#[test]
fn without_the_range_nothing_is_claimed() {
    let pane = read(&mut engine(), 0, Limits::default(), ports(1000..1060, A).collect());
    assert_eq!((pane.range, pane.routes.len()), (None, 0));
}
