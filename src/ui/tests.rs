//! Keys and clicks → what is shown, selected and asked for.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::*;
use crate::base::{Endpoint, Scope};
use crate::engine::{
    Dashboard, EndCell, Filter, FlowId, FlowPane, FlowRow, HandshakePane, Happening, Keyed, ListPane, ListenerRow,
    Ownership, QueuePane, RowKey, Sees, Sort, SortKey, StatePane, TimeWaitPane, Totals, Traffic, Window, WireQueueRow,
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
        findings: Vec::new(),
        ports: None,
        now: None,
        since: None,
        totals: Totals::default(),
        traffic: Traffic::default(),
        loss: None,
        sees: Sees::default(),
        handshakes: HandshakePane::default(),
        states: StatePane::default(),
        queues: QueuePane { kernel: None, wire: vec![waiting(900), waiting(901)], unknown_halves: 0 },
        time_wait: TimeWaitPane::default(),
        flows: FlowPane {
            all: ids.len(),
            matching: ids.len(),
            offset: query.offset,
            followed: query.follow.and_then(|id| ids.iter().position(|other| RowKey::Flow(FlowId(*other)) == id)),
            rows,
        },
        list: ListPane::Flows,
        busiest: Vec::new(),
        flow: None,
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

#[test]
fn a_click_on_the_timeline_goes_there() {
    use ratatui::layout::Position;
    for (size, wide) in [((80, 24), 33), ((120, 40), 118), ((200, 60), 198)] {
        let ui = UiState::new(Rect::new(0, 0, size.0, size.1), ThemeName::Dark);
        let rect = ui.screen(&replay()).unwrap().timeline;
        assert_eq!(rect.width, wide);
        let axis = Axis { from: track().from, to: track().to, width: rect.width };
        for column in 0..rect.width {
            assert_eq!(axis.column(axis.instant(column)), column, "of {wide}");
            let at = Position::new(rect.x + column, rect.y);
            assert_eq!(ui.click_time(at, &replay()), Some(Control::Seek(axis.instant(column))));
        }
        for beside in [(rect.x - 1, rect.y), (rect.right(), rect.y), (rect.x, rect.bottom())] {
            assert_eq!(ui.click_time(beside.into(), &replay()), None);
        }
        assert_eq!(axis.column(axis.to), rect.width - 1);
        assert_eq!(axis.column(Timestamp::MIN), 0);
    }
    let narrow = UiState::new(Rect::new(0, 0, 79, 50), ThemeName::Dark);
    assert!(narrow.screen(&replay()).unwrap().timeline.is_empty());
    let ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    assert!(ui.screen(&live()).unwrap().timeline.is_empty(), "what happens now needs none");
}

#[test]
fn live_goes_back_by_the_same_keys() {
    let kept = Source { track: Some(track()), ..live() };
    let back = [Effect::Control(Control::Hop(Hop::Happening(Happening::Segment), false))];
    assert_eq!(after(",", &kept).1, back);
    assert_eq!(after("(", &kept).1, [Effect::Control(Control::SeekBy(Duration::from_secs(1), false))]);
    let (ui, effects) = after("Space ,", &kept);
    assert!(!ui.frozen() && effects[1..] == back, "what is shown moves");
    let rewound = Source { playback: replay().playback, ..kept.clone() };
    assert_eq!(after("Space", &rewound).1, [Effect::Control(Control::Pause(true))]);
    assert_eq!(after("Left", &rewound).1, [Effect::Control(Control::SeekBy(Duration::from_secs(5), false))]);
    assert_eq!(after("L", &rewound).1, [Effect::Control(Control::Live)]);
    for (keys, source) in [(",", live()), ("m", live()), (".", kept)] {
        let (ui, effects) = after(keys, &source);
        assert!(effects.is_empty() && ui.prompt().is_none() && ui.message().is_some(), "{keys}");
    }
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
fn while_a_filter_is_in_force_the_overview_shows_flows_at_every_size() {
    for size in [(40, 10), (60, 20), (80, 24), (110, 24), (120, 40), (200, 60)] {
        let source = live();
        let mut ui = UiState::new(Rect::new(0, 0, size.0, size.1), ThemeName::Dark);
        let body = ui.screen(&source).unwrap().body;
        ui.set_filter(Filter::parse("port:80").unwrap());
        let panes = ui.panes(body, None, &source);
        let covered: u32 = panes.iter().map(|(_, rect)| rect.area()).sum();
        assert_eq!(covered, body.area(), "{size:?}");
        assert_eq!(panes.iter().filter(|(pane, _)| *pane == Pane::Flows).count(), 1, "{size:?}: {panes:?}");
    }
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
fn a_filter_works_as_it_is_typed() {
    let source = live();
    assert_eq!(after("/ n g i", &source).0.query(&source).filter.text(), "ngi");
    assert_eq!(after("/ n g Enter", &source).0.filter().text(), "ng");
    assert_eq!(after("/ n g Enter / x Enter", &source).0.filter().text(), "x", "the old text is selected");
    assert_eq!(after("/ n g Enter / Right x Enter", &source).0.filter().text(), "ngx", "a movement keeps it");
    assert_eq!(after("/ n g Enter / Bksp x Enter", &source).0.filter().text(), "nx", "so does a correction");
    assert_eq!(after("/ n g Enter / Enter", &source).0.filter().text(), "ng");
    assert_eq!(after("/ n g Enter / x Esc", &source).0.filter().text(), "");
    assert_eq!(after("/ n g Enter Esc", &source).0.filter().text(), "");
    let (ui, effects) = after("/ q Enter", &source);
    assert_eq!((ui.filter().text(), effects), ("q", vec![]), "a letter that is typed is no command");
    assert_eq!(after("2 G / 7", &source).0.offset(), 0, "what is found is shown from its first row");
    assert_eq!(after("/ C-c", &source).1, [Effect::Quit]);
}

#[test]
fn the_last_filter_that_can_be_read_stays_in_force() {
    let source = live();
    let keys = |text: &str| text.chars().map(|c| format!("{c} ")).collect::<String>();
    let typed = |text: &str, more: &str| after(&format!("/ {}{more}", keys(text)), &source).0;
    let fault = |ui: &UiState| match ui.prompt() {
        Some(Prompt::Filter(prompt)) => prompt.fault().map(ToString::to_string),
        _ => None,
    };
    let ui = typed("port:80x", "");
    assert_eq!(ui.query(&source).filter.text(), "port:80");
    assert!(fault(&ui).is_some_and(|fault| fault.starts_with("80x is no number")));
    let ui = typed("port:80x", "Enter");
    assert!(ui.prompt().is_some(), "what cannot be read is not kept");
    let ui = typed("port:80x", "Enter Bksp Enter");
    assert_eq!((ui.prompt().is_none(), ui.filter().text()), (true, "port:80"));
    assert_eq!(typed("port:80x", "Esc").filter().text(), "");
    let ui = typed("port:80", "Space s t a t e :");
    assert_eq!((ui.filter().text(), fault(&ui)), ("port:80 ", None), "what is being typed is not wrong yet");
    let ui = typed("port:80", "Space s t a t e : Enter");
    assert!(ui.prompt().is_some() && fault(&ui).is_some(), "nor is it kept");
}

#[test]
fn tab_goes_through_what_could_stand_there() {
    let source = live();
    let typed = |keys: &str| match after(&format!("/ {keys}"), &source).0.prompt() {
        Some(Prompt::Filter(prompt)) => prompt.input().value().to_owned(),
        _ => panic!("a filter"),
    };
    for (keys, expected) in [
        ("s t Tab", "state:"),
        ("s t Tab t i Tab", "state:time-wait"),
        ("s Tab", "state:"),
        ("s Tab Tab", "sendq>"),
        ("s Tab Tab S-Tab", "state:"),
        ("s S-Tab", "service:"),
        ("s t Tab Tab Tab", "state:syn-sent"),
        ("x y Tab", "xy"),
        ("Tab", "state:"),
    ] {
        assert_eq!(typed(keys), expected, "{keys}");
    }
    assert_eq!(after("/ r t t Tab 1 s Enter", &source).0.filter().text(), "rtt>1s");
}

#[test]
fn a_paste_is_text_and_never_keys() {
    let (source, ids) = (live(), [1]);
    let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
    let dashboard = answer(&ids, &ui, &source);
    assert_eq!(ui.handle(&Event::Paste("q".into()), &dashboard, &source), []);
    ui.handle(&event("/"), &dashboard, &source);
    ui.handle(&Event::Paste("a\x1b\nb".into()), &dashboard, &source);
    assert_eq!(ui.filter().text(), "a··b");
}

#[test]
fn times_are_told_in_three_ways() {
    for (keys, expected) in [
        ("", TimeStyle::Relative),
        ("d", TimeStyle::Absolute),
        ("d d", TimeStyle::Delta),
        ("d d d", TimeStyle::Relative),
    ] {
        assert_eq!(after(keys, &live()).0.times(), expected, "{keys}");
    }
    assert!(after("d", &live()).0.message().is_some_and(|text| text.contains("absolute")));
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
fn only_a_running_host_is_recorded() {
    let (_, effects) = after("w", &live());
    assert_eq!(effects, [Effect::Control(Control::Record)]);
    let (ui, effects) = after("w", &replay());
    assert_eq!((effects, ui.message()), (vec![], Some("only while a host is watched")));
}

#[test]
fn keys_of_time_control_the_playback() {
    let (one, five) = (Duration::from_secs(1), Duration::from_secs(5));
    let hop = |happening, forwards| Control::Hop(Hop::Happening(happening), forwards);
    let start = Timestamp::from_secs_nanos(1_000, 0);
    let cases = [
        ("Space", Control::Pause(true)),
        ("+", Control::Speed(2.0)),
        ("]", Control::Speed(2.0)),
        ("-", Control::Speed(0.5)),
        (".", hop(Happening::Segment, true)),
        (",", hop(Happening::Segment, false)),
        ("2 j j >", hop(Happening::SegmentOf(FlowId(1)), true)),
        ("2 j <", hop(Happening::SegmentOf(FlowId(0)), false)),
        ("f", hop(Happening::Failure, true)),
        ("F", hop(Happening::Failure, false)),
        ("a", hop(Happening::Retransmission, true)),
        ("A", hop(Happening::Retransmission, false)),
        ("n", Control::Hop(Hop::Finding, true)),
        ("N", Control::Hop(Hop::Finding, false)),
        ("'", Control::Hop(Hop::Mark, true)),
        ("`", Control::Hop(Hop::Mark, false)),
        ("(", Control::SeekBy(one, false)),
        (")", Control::SeekBy(one, true)),
        ("$", Control::End),
        ("m Enter", Control::Mark(String::new())),
        ("m o o p s Enter", Control::Mark("oops".to_owned())),
        ("R", Control::Start),
        ("0", Control::Start),
        ("Left", Control::SeekBy(five, false)),
        ("Right", Control::SeekBy(five, true)),
        ("t 1 m 2 s Enter", Control::Seek(start + Duration::from_secs(62))),
    ];
    for (keys, control) in cases {
        assert_eq!(after(keys, &replay()).1, [Effect::Control(control)], "{keys}");
    }
    let (ui, effects) = after("t x Enter", &replay());
    assert!(effects.is_empty() && ui.message().is_some_and(|text| text.contains("1m30s")));
    let (ui, effects) = after("t 5 Esc", &replay());
    assert!(effects.is_empty() && ui.prompt().is_none());
}

#[test]
fn speeds_end_at_their_ends() {
    let mut source = replay();
    for (speed, key, expected) in [(f64::INFINITY, "+", f64::INFINITY), (0.1, "-", 0.1), (1.5, "+", 2.0)] {
        source.playback = source.playback.map(|playback| Playback { speed, ..playback });
        assert_eq!(after(key, &source).1, [Effect::Control(Control::Speed(expected))]);
    }
}

#[test]
fn live_has_no_playback_but_can_be_frozen() {
    let (ui, effects) = after("Space", &live());
    assert!(ui.frozen() && effects == [Effect::Control(Control::Pause(true))]);
    let (ui, effects) = after("Space Space", &live());
    assert!(!ui.frozen() && effects.len() == 2);
    let (ui, effects) = after("+", &live());
    assert!(effects.is_empty() && ui.message().is_some());
    assert!(after("+ j", &live()).0.message().is_none(), "the next key takes the message away");
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
    ListenerRow {
        scope: Scope::FILE,
        local: Endpoint::new([0, 0, 0, 0], port),
        id: None,
        owner: Ownership::NotRecorded,
        listens: true,
        waiting: None,
        limit: None,
        history: Vec::new(),
        drops: None,
        came_in: None,
    }
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

/// What an engine answers that found something.
fn found(ui: &UiState, source: &Source) -> Dashboard {
    let findings = incident(Timestamp::from_secs_nanos(1_000, 0));
    let mut dashboard = answer(&[1, 2, 3], ui, source);
    if matches!(ui.query(source).list, crate::engine::List::Findings(..)) {
        let key = |finding: &crate::findings::Finding| Keyed::key(finding);
        let followed =
            ui.query(source).follow.and_then(|wanted| findings.iter().position(|other| key(other) == wanted));
        let window = Window { matching: findings.len(), offset: 0, followed, rows: findings.clone() };
        dashboard.list = ListPane::Findings(window, FlowPane::default());
    }
    Dashboard { findings, ..dashboard }
}

/// A screen over findings after `keys`, each answered.
fn amid_findings(keys: &str, size: (u16, u16)) -> UiState {
    let source = live();
    let mut ui = UiState::new(Rect::new(0, 0, size.0, size.1), ThemeName::Dark);
    ui.observe(&found(&ui, &source), &source);
    for word in keys.split_whitespace() {
        let dashboard = found(&ui, &source);
        ui.handle(&event(word), &dashboard, &source);
        ui.observe(&found(&ui, &source), &source);
    }
    ui
}

#[test]
fn what_is_wrong_has_the_focus_and_two_keys_lead_to_its_reason() {
    let all: Vec<RowKey> = incident(Timestamp::from_secs_nanos(1_000, 0)).iter().map(Keyed::key).collect();
    for size in [(80, 24), (120, 40), (200, 60)] {
        let ui = amid_findings("", size);
        assert_eq!((ui.focus(&live()), ui.finding().0), (Some(Pane::Findings), None));
        let ui = amid_findings("Enter", size);
        assert_eq!((ui.view(), ui.row()), (View::Findings, Some(all[0])), "one key: the worst");
        let ui = amid_findings("j j Enter", size);
        assert_eq!((ui.view(), ui.row()), (View::Findings, Some(all[1])));
        assert_eq!(amid_findings("8", size).row(), Some(all[0]), "there is always one in full");
        assert_eq!(amid_findings("z", size).view(), View::Findings);
        assert_eq!(amid_findings("8 j Esc", size).view(), View::Overview);
        let zoomed = amid_findings("8 j z", size);
        assert!(zoomed.finding_zoomed() && zoomed.row() == Some(all[1]) && zoomed.leads_back());
        let back = amid_findings("8 j z Esc", size);
        assert_eq!((back.finding_zoomed(), back.view(), back.row()), (false, View::Findings, Some(all[1])));
        assert_eq!(amid_findings("8 z j j", size).row(), Some(all[2]), "the next one, in full too");
        assert_eq!(amid_findings("G", size).finding().0, all.last().copied());
    }
    let among_flows = amid_findings("h j", (120, 40));
    assert_eq!((among_flows.focus(&live()), among_flows.selected()), (Some(Pane::Flows), Some(FlowId(1))));
}

#[test]
fn a_finding_leads_to_its_flows_and_back() {
    let all = incident(Timestamp::from_secs_nanos(1_000, 0));
    let at = |kind| all.iter().position(|finding| finding.kind == kind).unwrap();
    let keys = |kind| format!("8 {} Enter", "j ".repeat(at(kind)));
    use crate::findings::Kind::{CaptureLoss, CloseWaitLeak, ConnectsRefused};
    let ui = amid_findings(&keys(ConnectsRefused), (120, 40));
    assert_eq!((ui.view(), ui.filter().text()), (View::Flows, "resp:10.0.0.8:80 outcome:refused"));
    let ui = amid_findings(&(keys(ConnectsRefused) + " Esc"), (120, 40));
    assert_eq!(
        (ui.view(), ui.filter().text(), ui.row()),
        (View::Findings, "", Some(Keyed::key(&all[at(ConnectsRefused)])))
    );
    let ui = amid_findings(&keys(CloseWaitLeak), (120, 40));
    assert_eq!(ui.filter().text(), "pid:77 state:close-wait");
    let ui = amid_findings(&keys(CaptureLoss), (120, 40));
    assert!(ui.view() == View::Findings && ui.message().is_some());
}

#[test]
fn a_click_on_a_finding_selects_it_and_another_opens_it() {
    let source = live();
    let mut ui = amid_findings("", (120, 40));
    let all: Vec<RowKey> = incident(Timestamp::from_secs_nanos(1_000, 0)).iter().map(Keyed::key).collect();
    let click = |ui: &mut UiState, row| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let mouse = MouseEvent { kind, column: 20, row, modifiers: KeyModifiers::NONE };
        ui.handle(&Event::Mouse(mouse), &found(ui, &source), &source);
        ui.observe(&found(ui, &source), &source);
    };
    click(&mut ui, 5);
    assert_eq!((ui.view(), ui.finding().0), (View::Overview, Some(all[1])));
    click(&mut ui, 3);
    assert_eq!(ui.finding().0, Some(all[1]), "the border is no row");
    click(&mut ui, 5);
    assert_eq!((ui.view(), ui.row()), (View::Findings, Some(all[1])));
}
