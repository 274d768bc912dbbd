//! Keys and clicks → what is shown, selected and asked for.

mod filter;
mod findings;
mod lists;
mod time;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::*;
use crate::base::{Endpoint, Scope};
use crate::engine::{
    Dashboard, EndCell, Filter, FlowId, FlowPane, FlowRow, Happening, Keyed, ListPane, ListenerRow, Ownership,
    QueuePane, RowKey, Sort, SortKey, Window, WireQueueRow,
};
use crate::findings::fixture::incident;

fn live() -> Source {
    Source {
        kind: SourceKind::Live,
        name: "lo".into(),
        playback: None,
        track: None,
        notices: Vec::new(),
        dead: None,
        recordings: Default::default(),
        of_host: false,
    }
}

fn replay() -> Source {
    let start = Some(Timestamp::from_secs_nanos(1_000, 0));
    let playback = Playback {
        paused: false,
        speed: 1.0,
        start,
        end: None,
        at_end: false,
        growing: false,
        reading: None,
        live: None,
        going: false,
    };
    Source { kind: SourceKind::Replay, playback: Some(playback), track: Some(track()), ..live() }
}

/// A hundred seconds, with nothing in them.
fn track() -> Track {
    let from = Timestamp::from_secs_nanos(1_000, 0);
    Track { from, to: from + Duration::from_secs(100), timeline: Timeline::default(), marks: Vec::new() }
}

fn row(id: u64) -> FlowRow {
    let end = EndCell {
        endpoint: Endpoint::default(),
        local: None,
        inferred: None,
        reported: None,
        outdated: None,
        mismatch_since: None,
        recv_q: None,
        send_q: None,
        owner: Ownership::NotRecorded,
    };
    let at = Timestamp::from_nanos(0);
    FlowRow {
        id: FlowId(id),
        scope: Scope::FILE,
        orig: end.clone(),
        resp: end,
        orig_known: true,
        name: None,
        outcome: None,
        first: at,
        last: at,
        segments: None,
        payload_bytes: None,
        bits_per_s: None,
        rtt: None,
        retrans: None,
        retrans_wire: None,
        lost: None,
        closed: false,
    }
}

/// What an engine whose flows stand in the order of `ids` answers to the state's query.
fn answer(ids: &[u64], ui: &UiState, source: &Source) -> Dashboard {
    let query = ui.query(source);
    let rows = ids.iter().skip(query.offset).take(query.rows).map(|id| row(*id)).collect();
    let end = Endpoint::default();
    let waiting = |id| WireQueueRow { flow: FlowId(id), from: end, to: end, unacked: 9, zero_window_since: None };
    Dashboard {
        queues: QueuePane { kernel: None, wire: vec![waiting(900), waiting(901)], unknown_halves: 0 },
        flows: FlowPane {
            all: ids.len(),
            matching: ids.len(),
            offset: query.offset,
            followed: query.follow.and_then(|id| ids.iter().position(|other| RowKey::Flow(FlowId(*other)) == id)),
            rows,
        },
        ..Dashboard::default()
    }
}

fn event(word: &str) -> Event {
    let code = match word {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Bksp" => KeyCode::Backspace,
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "PgDn" => KeyCode::PageDown,
        "PgUp" => KeyCode::PageUp,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Space" => KeyCode::Char(' '),
        "C-c" => return Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
        "C-z" => return Event::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL)),
        "C-l" => return Event::Key(KeyEvent::new(KeyCode::Char('l'), KeyModifiers::CONTROL)),
        _ => KeyCode::Char(word.chars().next().unwrap()),
    };
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// A screen of 120x40 over 100 flows, after `keys` (words apart by spaces), each answered by the engine.
fn after(keys: &str, source: &Source) -> (UiState, Vec<Effect>) {
    let ids: Vec<u64> = (0..100).collect();
    let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    let mut effects = Vec::new();
    for word in keys.split_whitespace() {
        let dashboard = answer(&ids, &ui, source);
        ui.observe(&dashboard, source);
        effects.extend(ui.handle(&event(word), &dashboard, source));
    }
    let dashboard = answer(&ids, &ui, source);
    ui.observe(&dashboard, source);
    (ui, effects)
}

/// The rows of the flow table at 120x40: what is left of 40 lines.
const PAGE: usize = 33;

#[test]
fn keys_lead_to_views() {
    let cases = [
        ("", View::Overview),
        ("2", View::Flows),
        ("Tab", View::Flows),
        ("S-Tab", View::Findings),
        ("Tab Tab", View::Handshakes),
        ("3", View::Handshakes),
        ("4", View::Queues),
        ("5", View::TimeWait),
        ("6", View::Listeners),
        ("7", View::Processes),
        ("8", View::Findings),
        ("8 Tab", View::Overview),
        ("2 Enter Tab", View::Handshakes),
        ("2 Enter", View::Flow),
        ("2 Enter Esc", View::Flows),
        ("Enter Esc", View::Overview),
        ("2 Esc", View::Overview),
        ("2 j Esc", View::Flows),
        ("2 ? Esc", View::Flows),
        ("2 Enter 1", View::Overview),
    ];
    for (keys, view) in cases {
        assert_eq!(after(keys, &live()).0.view(), view, "{keys}");
    }
    let explains = |keys: &str| after(keys, &live()).0.explains();
    assert_eq!(
        [explains("x"), explains("x x"), explains("x Esc"), explains("x ?")],
        [Some(Explained::All), None, None, None]
    );
    assert_eq!(explains("x 3"), Some(Explained::All), "of the next view too");
    assert!(after("?", &live()).0.help_open() && !after("? ?", &live()).0.help_open());
}

#[test]
fn on_a_low_screen_an_explanation_of_a_list_has_two_pages() {
    let pages = |view: &str| {
        let source = live();
        let mut ui = UiState::new(Rect::new(0, 0, 80, 24), ThemeName::Dark);
        let dashboard = answer(&[1], &ui, &source);
        ui.handle(&event(view), &dashboard, &source);
        [(); 3].map(|()| {
            ui.handle(&event("x"), &dashboard, &source);
            ui.explains()
        })
    };
    assert_eq!(pages("2"), [Some(Explained::Text), Some(Explained::Columns), None]);
    assert_eq!(pages("1"), [Some(Explained::All), None, Some(Explained::All)]);
}

#[test]
fn keys_move_the_selection() {
    let cases = [
        ("2", None, 0),
        ("2 j", Some(0), 0),
        ("2 j j j k", Some(1), 0),
        ("2 k", Some(0), 0),
        ("2 Enter", Some(0), 0),
        ("2 j PgDn", Some(PAGE as u64), 1),
        ("2 G", Some(99), 100 - PAGE),
        ("2 G k", Some(98), 100 - PAGE),
        ("2 G g", Some(0), 0),
        ("2 j PgDn PgDn PgDn PgDn PgUp", Some(99 - PAGE as u64), 99 - PAGE),
        ("2 j j Esc", None, 0),
    ];
    for (keys, selected, offset) in cases {
        let (ui, _) = after(keys, &live());
        assert_eq!((ui.selected(), ui.offset()), (selected.map(FlowId), offset), "{keys}");
    }
}

#[test]
fn the_query_asks_for_the_page_and_one_on_each_side() {
    let (ui, _) = after("2 G", &live());
    let query = ui.query(&live());
    assert_eq!((query.offset, query.rows), (100 - 2 * PAGE, 3 * PAGE));
    assert_eq!(query.selected, None, "details are asked for where they are shown");
    let (ui, _) = after("2 j j Enter", &live());
    assert_eq!(ui.query(&live()).selected, Some(FlowId(1)));
}

#[test]
fn the_selection_stays_on_its_flow_and_line_while_rows_move() {
    let source = live();
    let (mut ui, _) = after("2 G k k", &source);
    assert_eq!((ui.selected(), ui.offset()), (Some(FlowId(97)), 100 - PAGE));
    // Five flows that stood behind it come to the front of the order.
    let ids: Vec<u64> = (0..5).map(|n| 200 + n).chain(0..100).collect();
    let dashboard = answer(&ids, &ui, &source);
    ui.observe(&dashboard, &source);
    assert_eq!((ui.selected(), ui.offset()), (Some(FlowId(97)), 105 - PAGE), "five further down, on the same line");
    // All but it go.
    let dashboard = answer(&[97], &ui, &source);
    ui.observe(&dashboard, &source);
    assert_eq!((ui.selected(), ui.offset()), (Some(FlowId(97)), 0));
}

#[test]
fn sorting_walks_through_every_key() {
    let sort = |keys: &str| after(keys, &live()).0.sort();
    assert_eq!(sort("s"), Sort { by: SortKey::Recent, reverse: false });
    assert_eq!(sort("s S"), Sort { by: SortKey::Recent, reverse: true });
    assert_eq!(sort("r s"), Sort { by: SortKey::Recent, reverse: false });
    assert_eq!(sort(&"s ".repeat(SortKey::ALL.len())), Sort::default());
}

#[test]
fn the_program_is_told_what_only_it_can_do() {
    let cases = [
        ("q", Effect::Quit),
        ("C-c", Effect::Quit),
        ("C-z", Effect::Suspend),
        ("C-l", Effect::Redraw),
        ("p", Effect::Snap),
    ];
    for (keys, effect) in cases {
        assert_eq!(after(keys, &live()).1, [effect], "{keys}");
    }
}

#[test]
fn panes_are_walked_and_zoomed() {
    let focus = |keys: &str| after(keys, &live()).0.focus(&live());
    assert_eq!(focus(""), Some(Pane::Flows));
    assert_eq!(focus("l"), Some(Pane::Handshakes));
    assert_eq!(focus("Left"), Some(Pane::Busiest));
    assert_eq!(focus("h h"), Some(Pane::Queues));
    assert_eq!(focus("2"), None);
    let (ui, _) = after("l z", &live());
    assert_eq!(ui.zoomed(), Some(Pane::Handshakes));
    assert_eq!(after("l z l", &live()).0.zoomed(), Some(Pane::States), "another pane while zoomed");
    assert_eq!(after("l z Esc", &live()).0.zoomed(), None);
    assert_eq!(after("l z z", &live()).0.zoomed(), None);
}

#[test]
fn help_scrolls_no_further_than_its_end() {
    let on = |(width, height), keys: &str| {
        let (source, mut ui) = (live(), UiState::new(Rect::new(0, 0, width, height), ThemeName::Dark));
        let dashboard = answer(&[1], &ui, &source);
        for word in keys.split_whitespace() {
            ui.handle(&event(word), &dashboard, &source);
        }
        ui.help_scroll()
    };
    let small = |keys| on((80, 24), keys);
    let last = small("? G");
    assert!(last > 0 && last < 60, "{last}");
    assert_eq!((small("? G j"), small("? G k"), small("? G g")), (last, last - 1, 0));
    assert_eq!(on((200, 60), "? j"), 0, "200x60 shows it whole");
}

#[test]
fn a_queue_is_selected_and_its_flow_opened() {
    let (ui, _) = after("h h j j Enter", &live());
    assert_eq!((ui.view(), ui.selected()), (View::Flow, Some(FlowId(901))));
}

#[test]
fn the_mouse_clicks_tabs_and_rows_and_turns_the_wheel() {
    let source = live();
    let ids: Vec<u64> = (0..100).collect();
    let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    let mouse = |ui: &mut UiState, kind, column, line| {
        let dashboard = answer(&ids, ui, &source);
        ui.observe(&dashboard, &source);
        let event = MouseEvent { kind, column, row: line, modifiers: KeyModifiers::NONE };
        ui.handle(&Event::Mouse(event), &dashboard, &source);
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    mouse(&mut ui, click, 16, 2);
    assert_eq!(ui.view(), View::Flows);
    mouse(&mut ui, click, 30, 5);
    assert_eq!(ui.selected(), Some(FlowId(0)));
    mouse(&mut ui, MouseEventKind::ScrollDown, 30, 9);
    assert_eq!((ui.offset(), ui.selected()), (3, Some(FlowId(3))));
    mouse(&mut ui, click, 30, 8);
    assert_eq!((ui.view(), ui.selected()), (View::Flows, Some(FlowId(6))));
    mouse(&mut ui, click, 30, 8);
    assert_eq!(ui.view(), View::Flow, "the row under the cursor is opened");
}

#[test]
fn a_smaller_screen_keeps_the_selection_in_sight() {
    let source = live();
    let (mut ui, _) = after("2 G", &source);
    let ids: Vec<u64> = (0..100).collect();
    let dashboard = answer(&ids, &ui, &source);
    ui.handle(&Event::Resize(80, 24), &dashboard, &source);
    let page = 17;
    assert_eq!(ui.selected(), Some(FlowId(99)));
    assert!((ui.offset()..ui.offset() + page).contains(&99), "{}", ui.offset());
    ui.handle(&Event::Resize(1, 1), &dashboard, &source);
    assert_eq!(ui.query(&source).rows, 0);
}

#[test]
fn a_key_that_does_nothing_here_says_so() {
    let said = |keys: &str, source: &Source| after(keys, source).0.message().map(str::to_owned);
    for (keys, words) in [
        ("i", "? lists the keys"),
        ("2 l", "in the overview"),
        ("2 z", "nothing to zoom"),
        ("2 {", "graph"),
        ("2 j Enter s", "only a list"),
    ] {
        let told = said(keys, &live()).unwrap_or_default();
        assert!(told.contains(words), "{keys}: {told}");
    }
    for keys in ["l", "z", "8 z", "2 s", "2 j Enter l", "Tab"] {
        assert_eq!(said(keys, &live()), None, "{keys}");
    }
}
