//! Names in the flow table, and a flow's opening: where the wait was.

use super::*;
use crate::engine::Opening;
use crate::engine::opening::fixture::opening;

/// The capture's flow with an opening, and the table with names.
fn named(change: impl FnOnce(&mut Opening)) -> Dashboard {
    let mut dashboard = capture_flow();
    let detail = dashboard.flow.as_mut().expect("a flow");
    let view = detail.handshake.as_ref().expect("a handshake");
    let mut shown = opening(view.syn_at.expect("a SYN"), view.ack_at.expect("an ACK"));
    change(&mut shown);
    detail.row.name = shown.name();
    dashboard.flows.rows[1].name = shown.name();
    detail.opening = Some(Box::new(shown));
    dashboard.sees.names = true;
    dashboard
}

#[test]
fn names_and_waits_are_as_pictured() {
    for size in SIZES {
        for (name, keys) in [("names_flows", "2"), ("names_flow", "2j\n")] {
            let shown = text(&screen(&named(|_| {}), &capture_source(), keys, size, ThemeName::Dark));
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), shown);
        }
    }
}

fn shown(dashboard: &Dashboard, size: (u16, u16)) -> String {
    text(&screen(dashboard, &capture_source(), "2j\n", size, ThemeName::Dark))
}

#[test]
fn what_was_not_recorded_is_said_to_be_so() {
    let unanswered = named(|opening| {
        opening.dns = None;
        opening.exchange = opening.exchange.map(|exchange| crate::engine::Exchange { answered: None, ..exchange });
    });
    assert!(shown(&unanswered, (120, 40)).contains("end not recorded"), "a request without its answer");
    let nameless = named(|opening| *opening = Opening { http2: true, ..Opening::default() });
    let screen = shown(&nameless, (120, 40));
    assert!(screen.contains("name not recorded") && screen.contains("HTTP/2 without TLS"), "{screen}");
    assert!(!shown(&capture_flow(), (120, 40)).contains("Opening"), "nothing of it was recorded");
}

#[test]
fn no_length_of_wait_breaks_the_axis() {
    for nanos in [0, 1, 999, 1_000_000, i64::MAX / 4] {
        let dashboard = named(|opening| {
            let exchange = opening.exchange.as_mut().expect("a request");
            exchange.answered = Some(crate::base::Timestamp::from_nanos(exchange.asked.nanos().saturating_add(nanos)));
        });
        for size in [(80, 24), (120, 40), (40, 10), (60, 24)] {
            shown(&dashboard, size);
        }
    }
}

#[test]
fn the_waits_around_a_handshake_stand_beside_it() {
    let heads = |names: bool| {
        let mut dashboard = super::lists::handshakes(live);
        dashboard.sees.names = names;
        let shown = text(&screen(&dashboard, &live_source(), "3", (200, 60), ThemeName::Dark));
        let head = shown.lines().find(|line| line.contains("outcome▼")).expect("the head of the list");
        let of = |name| head.split_whitespace().position(|word| word == name);
        (of("DNS"), of("took"), of("TLS"), shown.contains("3.00 ms"))
    };
    let (Some(dns), Some(took), Some(tls), true) = heads(true) else { panic!("{:?}", heads(true)) };
    assert!(dns < took && took < tls);
    assert!(matches!(heads(false), (None, Some(_), None, false)), "{:?}", heads(false));
}
