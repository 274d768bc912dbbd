//! What header and panes claim, and the near misses of which they claim nothing.

use super::*;
use crate::base::Endpoint;

#[test]
fn before_a_closed_window_stands_what_waits() {
    let mut dashboard = live();
    let (window, kernel) = (dashboard.queues.wire[0], dashboard.queues.kernel.as_mut().unwrap());
    let mut waiting = kernel.send[0].clone();
    (waiting.flow, waiting.local, waiting.peer, waiting.bytes) = (window.flow, window.from, window.to, 4_200_000);
    kernel.send.insert(0, waiting);
    let shown = text(&screen(&dashboard, &live_source(), "", (200, 60), ThemeName::Dark));
    assert!(shown.contains("4.2 MB in peer's Send-Q"), "{shown}");
}

#[test]
fn one_byte_that_waits_for_long_is_a_warning_and_none_is_not() {
    let marked = |bytes| {
        let mut dashboard = live();
        dashboard.queues.kernel.as_mut().unwrap().recv[0].bytes = bytes;
        text(&screen(&dashboard, &live_source(), "", (120, 40), ThemeName::Dark)).contains("! Recv-Q")
    };
    assert_eq!((marked(0), marked(1)), (false, true));
}

#[test]
fn an_accept_queue_over_its_limit_is_as_bad_as_its_finding_says() {
    use crate::findings::Severity::{Critical, Warning};
    for (severity, mark) in [(Warning, "! "), (Critical, "‼ ")] {
        for (mut dashboard, key, row) in
            [(live(), "", "accept"), (lists::queues(), "4", "accept"), (lists::listeners(), "6", "0.0.0.0:8080")]
        {
            let mut overflows = dashboard.findings.iter_mut().filter(|finding| finding.kind == Kind::AcceptOverflow);
            overflows.next().expect("one").severity = severity;
            let shown = text(&screen(&dashboard, &live_source(), key, (120, 40), ThemeName::Dark));
            assert!(shown.contains(&format!("{mark}{row}")), "{severity:?} {key}: {shown}");
        }
    }
}

#[test]
fn the_cursor_does_not_hide_what_is_wrong_with_a_flow() {
    let selected = |failed: bool| {
        let mut dashboard = capture();
        let outcome = if failed { HandshakeOutcome::Refused } else { HandshakeOutcome::Completed };
        dashboard.flows.rows[0].outcome = Some(outcome);
        let shown = text(&screen(&dashboard, &capture_source(), "2j", (120, 40), ThemeName::Dark));
        let end = dashboard.flows.rows[0].orig.endpoint.to_string();
        shown.lines().find(|line| line.contains(&end)).expect("the first row").to_owned()
    };
    assert!(selected(true).starts_with("┃ ! ") && selected(false).starts_with("┃ ▸ "), "{}", selected(true));
}

#[test]
fn owners_are_a_number_where_some_are_not_known() {
    let owners = |owned, ownable| {
        let mut dashboard = live();
        let sight = dashboard.sees.kernel.as_mut().unwrap();
        (sight.owned, sight.ownable) = (owned, ownable);
        let shown = text(&screen(&dashboard, &live_source(), "", (80, 24), ThemeName::Dark));
        shown.lines().nth(1).unwrap().rsplit("owners ").next().unwrap().trim().to_owned()
    };
    assert_eq!((owners(3, 4).as_str(), owners(0, 1).as_str()), ("3 of 4", "0 of 1"));
    assert_eq!((owners(4, 4).as_str(), owners(0, 0).as_str()), ("✓", "✓"));
}

#[test]
fn a_file_that_is_being_read_tells_how_far_and_how_long() {
    let reading = Some(Progress { done: 1_275_000, whole: 3_000_000, took: Duration::from_millis(1_500) });
    let told = |speed, paused, going| {
        let mut source = capture_source();
        let played = |playback| Playback { speed, paused, going, reading, growing: true, ..playback };
        source.playback = source.playback.map(played);
        text(&screen(&capture(), &source, "", (120, 40), ThemeName::Dark))
    };
    for (paused, going) in [(false, false), (true, true)] {
        let read = told(f64::INFINITY, paused, going);
        assert!(read.contains("read  42%  1.3 MB of 3.0 MB  850.0 kB/s  3 s left"), "{read}");
    }
    let paused = told(f64::INFINITY, true, false);
    assert!(paused.contains("read  42%  1.3 MB of 3.0 MB  reading waits") && !paused.contains("left"), "{paused}");
    let paced = told(2.0, false, false);
    assert!(!paced.contains("left"), "played at a pace, the capture's time counts");
    assert!(paced.contains("1:30.5 so far") && !paced.contains("%  ━"), "its length is not known: {paced}");
}

#[test]
fn what_a_full_table_threw_out_is_told_by_reason() {
    let mut dashboard = capture();
    dashboard.totals.evicted = Evicted { closed: 0, half_open: 9_000_000, idle: 3 };
    let text = text(&screen(&dashboard, &capture_source(), "", (200, 60), ThemeName::Dark));
    assert!(text.contains("half-open evicted 9.0M") && text.contains("idle evicted 3"), "{text}");
    assert!(!text.contains("closed evicted"));
}

#[test]
fn a_failing_peer_is_cut_only_where_its_count_needs_the_room() {
    let shown = |n: u64| {
        let mut dashboard = capture();
        let failing = &mut dashboard.handshakes.failing;
        failing.truncate(1);
        (failing[0].resp, failing[0].count) = (Endpoint::new([198, 51, 100, 20], 6_379), n);
        text(&screen(&dashboard, &capture_source(), "3", (120, 40), ThemeName::Dark))
    };
    assert!(shown(22).contains("198.51.100.20:6379   refused"));
    assert!(shown(12_345_678).contains("198.….20:6379"));
}

#[test]
fn a_tie_names_no_one() {
    let shown = |second: u64| {
        let mut dashboard = live();
        let failing = &mut dashboard.handshakes.failing;
        failing.truncate(2);
        for (peer, count) in failing.iter_mut().zip([3, second]) {
            (peer.outcome, peer.count) = (HandshakeOutcome::Unanswered, count);
        }
        for (outcome, n) in &mut dashboard.handshakes.outcomes {
            *n = if *outcome == HandshakeOutcome::Unanswered { 3 + second } else { 0 };
        }
        text(&screen(&dashboard, &live_source(), "", (200, 60), ThemeName::Dark))
    };
    assert!(shown(3).contains("2 ends, 3 each") && shown(2).contains("most to 10.0.0.8:80"), "{}", shown(2));
}

#[test]
fn who_failed_is_not_named_for_those_of_others() {
    let shown = |count: u64, all: u64| {
        let mut dashboard = live();
        let pane = &mut dashboard.handshakes;
        pane.failing.truncate(1);
        (pane.begun, pane.waiting) = (all, 0);
        (pane.failing[0].outcome, pane.failing[0].count) = (HandshakeOutcome::Unanswered, count);
        pane.failing[0].resp = Endpoint::new([10, 9, 9, 2], 7_003);
        for (outcome, n) in &mut pane.outcomes {
            *n = if *outcome == HandshakeOutcome::Unanswered { all } else { 0 };
        }
        let text = text(&screen(&dashboard, &live_source(), "", (120, 40), ThemeName::Dark));
        text.lines().find(|line| line.starts_with("│ ! unanswered")).expect("some were").to_owned()
    };
    for (count, all, expected) in [
        (5, 5, "5 all to 10.9.9.2:7003"),
        (5, 6, "6 5 to 10.9.9.2:7003"),
        (5, 60_123, "60,123 5 to 10.….2:7003"),
        (5_123, 60_123, "60,123 5,123 to one end"),
    ] {
        assert!(shown(count, all).contains(expected), "{}", shown(count, all));
    }
}

#[test]
fn one_flow_is_told_as_one() {
    let shown = |flows: usize| {
        let mut dashboard = capture();
        (dashboard.totals.flows, dashboard.flows.all) = (flows as u64, flows);
        (dashboard.flows.rows, dashboard.flows.matching) = (Vec::new(), 0);
        text(&screen(&dashboard, &capture_source(), "2", (120, 40), ThemeName::Dark))
    };
    assert!(shown(1).contains(" 1 flow ") && shown(1).contains("none of 1 flow matches"), "{}", shown(1));
    assert!(shown(2).contains(" 2 flows ") && shown(2).contains("none of 2 flows matches"), "{}", shown(2));
}

#[test]
fn a_field_without_its_colon_is_hinted_at_where_nothing_matches() {
    let mut dashboard = capture();
    (dashboard.flows.rows, dashboard.flows.matching) = (Vec::new(), 0);
    let shown = |keys: &str| text(&screen(&dashboard, &capture_source(), keys, (120, 40), ThemeName::Dark));
    assert!(shown("2/port 1").contains("matches \"port 1\" (did you mean port:1?)"), "{}", shown("2/port 1"));
    assert!(!shown("2/port:1").contains("did you mean"));
}

#[test]
fn a_leak_of_close_wait_is_marked_with_who_leaks() {
    let shown = |leaks: bool| {
        let mut dashboard = live();
        dashboard.findings.retain(|finding| leaks || finding.kind != Kind::CloseWaitLeak);
        text(&screen(&dashboard, &live_source(), "", (200, 60), ThemeName::Dark))
    };
    assert!(shown(true).contains("! CLOSE-WAIT") && shown(true).contains("held by worker[77]"), "{}", shown(true));
    assert!(!shown(false).contains("! CLOSE-WAIT") && !shown(false).contains("held by worker"), "{}", shown(false));
}

#[test]
fn nothing_recorded_is_never_drawn_as_0() {
    for size in SIZES {
        let shown = text(&screen(&capture(), &capture_source(), "", size, ThemeName::Dark));
        assert!(shown.contains("not recorded"), "{shown}");
        assert!(!shown.contains("Recv-Q") && !shown.contains("lost kernel"), "{shown}");
    }
}

#[test]
fn an_address_that_has_room_stands_whole_beside_its_count() {
    let shown = |refused| {
        let mut dashboard = live();
        let pane = &mut dashboard.handshakes;
        let resp = Endpoint::new([198, 51, 100, 20], 6_379);
        let worst = crate::engine::FailingPeer { resp, count: refused, ..pane.failing[0] };
        let worst = crate::engine::FailingPeer { outcome: HandshakeOutcome::Refused, ..worst };
        (pane.begun, pane.waiting, pane.failing) = (482, 1, vec![worst]);
        pane.outcomes = vec![(HandshakeOutcome::Completed, 450), (HandshakeOutcome::Refused, refused)];
        text(&screen(&dashboard, &live_source(), "", (120, 40), ThemeName::Dark))
    };
    assert!(shown(22).contains("! refused      22 198.51.100.20:6379 │"), "{}", shown(22));
    let many = shown(29_311);
    assert!(many.contains("29,311 198.51.….20:6379"), "the port and the ends of the address stay: {many}");
}

#[test]
fn who_may_not_be_looked_into_is_named_as_far_as_that_is_recorded() {
    let told = |denied: u32, pids: [Option<u32>; 3], width| {
        let mut dashboard = live();
        let sight = dashboard.sees.kernel.as_mut().unwrap();
        (sight.processes_denied, sight.denied) = (denied, pids);
        text(&screen(&dashboard, &live_source(), "7", (width, 24), ThemeName::Dark))
    };
    assert!(told(1, [Some(812), None, None], 120).contains("no access to pid 812: x tells why"));
    let many = told(7, [Some(1), Some(812), Some(900)], 120);
    assert!(many.contains("no access to pid 1, 812, 900 and 4 more: x"), "{many}");
    assert!(told(1, [None; 3], 120).contains("no access to 1 process, not recorded to which"));
    assert!(!told(0, [None; 3], 120).contains("no access to"));
}

#[test]
fn what_flows_are_sorted_by_is_told_with_its_column_and_without() {
    let shown = |keys, size| text(&screen(&live(), &live_source(), keys, size, ThemeName::Dark));
    assert!(shown("2", (80, 24)).contains("rate▼") && shown("2", (80, 24)).contains("by rate ━"));
    assert!(shown("2ssss", (80, 24)).contains("Recv-Q▼"), "another order, another column");
    let narrow = shown("2S", (40, 10));
    assert!(narrow.contains("by rate ▲") && !narrow.contains("rate▲"), "{narrow}");
}
