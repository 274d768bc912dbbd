//! Each list's order and cursor, what a row opens as, and what leads back.

use super::*;
use crate::engine::GroupBy;

#[test]
fn columns_are_chosen_in_a_menu() {
    let (ui, _) = after("c", &live());
    assert_eq!((ui.view(), ui.columns().menu()), (View::Flows, Some(0)));
    let (ui, effects) = after("c j j Space k l l q", &live());
    let columns = ui.columns();
    assert!(effects.is_empty() && columns.menu().is_none(), "q closes the menu, not the program");
    assert!(!columns.shows("resp") && columns.shows("orig") && columns.shows("a column of tomorrow"));
    assert_eq!((columns.extra("orig"), columns.extra("resp")), (2, 0));
    let (ui, _) = after("c j j Space Space Esc", &live());
    assert!(ui.columns().shows("resp") && ui.view() == View::Flows);
    assert_eq!(after("c C-c", &live()).1, [Effect::Quit]);
    assert_eq!(after("c k k", &live()).0.columns().menu(), Some(0));
}

#[test]
fn flows_are_grouped_the_next_way_and_at_last_not() {
    let group = |keys: &str| after(keys, &live()).0.group();
    use crate::engine::GroupBy::{Peer, Port, Process};
    assert_eq!(["b", "b b", "b b b", "b b b b"].map(group), [Some(Process), Some(Peer), Some(Port), None]);
    let (ui, _) = after("b", &live());
    assert_eq!(ui.view(), View::Flows);
    assert!(matches!(ui.query(&live()).list, crate::engine::List::Groups(Process, _)));
    assert_eq!(after("b Esc", &live()).0.group(), None);
    assert!(matches!(after("b 1", &live()).0.query(&live()).list, crate::engine::List::Flows), "not on the overview");
}

#[test]
fn a_pane_that_sums_up_opens_its_view() {
    let view = |keys: &str| after(keys, &live()).0.view();
    assert_eq!(view("l Enter"), View::Handshakes);
    assert_eq!(view("h Enter"), View::Processes);
    assert_eq!(view("l l l Enter"), View::TimeWait);
    assert_eq!(view("l l Enter"), View::Flow, "no view is of states: the first flow is opened, as without a focus");
    assert_eq!(view("l j Enter"), View::Flow, "a flow that was chosen comes first");
}

/// The answer of a list to a state that asks for it.
fn list_of(list: ListPane) -> Dashboard {
    let source = live();
    let ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    Dashboard { list, ..answer(&[], &ui, &source) }
}

fn listener(port: u16) -> ListenerRow {
    ListenerRow::new(Scope::FILE, Endpoint::new([0, 0, 0, 0], port))
}

#[test]
fn a_listener_opens_as_its_flows_and_esc_leads_back() {
    let source = live();
    let rows = vec![listener(80), listener(443)];
    let dashboard = list_of(ListPane::Listeners(Window { matching: 2, offset: 0, followed: None, rows }));
    let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    ui.set_filter(Filter::parse("before").expect("a filter"));
    for key in ["6", "j", "j", "Enter"] {
        ui.handle(&event(key), &dashboard, &source);
        ui.observe(&dashboard, &source);
    }
    assert_eq!((ui.view(), ui.filter().text(), ui.tab()), (View::Flows, ":443", View::Flows));
    ui.handle(&event("j"), &answer(&[5, 6], &ui, &source), &source);
    assert_eq!(ui.selected(), Some(FlowId(5)));
    ui.handle(&event("Esc"), &answer(&[5, 6], &ui, &source), &source);
    assert_eq!((ui.view(), ui.selected()), (View::Flows, None), "first the selection is let go");
    ui.handle(&event("Esc"), &answer(&[5, 6], &ui, &source), &source);
    assert_eq!((ui.view(), ui.filter().text()), (View::Listeners, "before"));
    assert_eq!(ui.row(), Some(RowKey::Listener(Scope::FILE, Endpoint::new([0, 0, 0, 0], 443), None)));
}

#[test]
fn an_answer_to_another_view_moves_no_cursor() {
    let source = live();
    let rows = vec![listener(80), listener(443)];
    let dashboard = list_of(ListPane::Listeners(Window { matching: 2, offset: 0, followed: None, rows }));
    let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    for key in ["4", "j", "G", "Enter"] {
        ui.handle(&event(key), &dashboard, &source);
        ui.observe(&dashboard, &source);
    }
    assert_eq!((ui.view(), ui.row(), ui.offset()), (View::Queues, None, 0));
}

#[test]
fn each_list_has_its_own_order_and_cursor() {
    let (ui, _) = after("2 j j 3 s", &live());
    assert_eq!(ui.order(), ("recent", false));
    assert_eq!(ui.row(), None);
    let (ui, _) = after("2 j j 3 s S 2", &live());
    assert_eq!((ui.order(), ui.selected()), (("rate", false), Some(FlowId(1))));
    for (view, names) in [("3", 3), ("4", 3), ("5", 4), ("6", 5), ("7", 7), ("8", 3)] {
        let first = after(view, &live()).0.order();
        assert_eq!(after(&format!("{view} {}", "s ".repeat(names)), &live()).0.order(), first, "view {view}");
        assert_ne!(after(&format!("{view} s"), &live()).0.order(), first, "view {view}");
    }
}

#[test]
fn without_any_process_flows_are_not_grouped_by_it() {
    let grouped = |keys: &str, source: &Source| after(keys, source).0.group();
    assert_eq!(grouped("b", &live()), Some(GroupBy::Process), "a host has processes");
    assert_eq!([grouped("b", &replay()), grouped("b b", &replay())], [Some(GroupBy::Peer), Some(GroupBy::Port)]);
    assert_eq!((grouped("b b b", &replay()), grouped("b b b b", &live())), (None, None));
}
