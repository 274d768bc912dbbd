//! Keys and clicks that go about in time, and how times are told.

use super::*;
use crate::base::Scrubbed;

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
fn the_axis_of_what_goes_on_stands_still_for_a_while() {
    let axes = |playback: &Playback| {
        let axis = |tenths: u32| {
            let moved = Duration::from_millis(100) * tenths;
            let track = Track { from: track().from + moved / 2, to: track().to + moved, ..track() };
            let axis = Axis::of(&track, Some(playback), 100);
            assert!(axis.from <= track.from && track.to <= axis.to, "{axis:?}");
            (axis.from, axis.to)
        };
        (0..100).map(axis).collect::<std::collections::HashSet<_>>().len()
    };
    let played = replay().playback.unwrap();
    let rewound = Playback { live: Some(track().to), ..played };
    assert_eq!(axes(&played), 100, "to its very end");
    assert!(axes(&rewound) < 12, "ten seconds of a hundred: {}", axes(&rewound));
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

#[test]
fn a_mark_that_was_set_is_told() {
    let now = track().from + Duration::from_secs(5);
    let marked = |marks: Vec<Mark>, keys: &str| {
        let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
        let kept = Source { track: Some(Track { marks, ..track() }), ..live() };
        let dashboard = Dashboard { now: Some(now), ..Dashboard::default() };
        for code in keys.chars().map(|c| if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) }) {
            ui.handle(&Event::Key(code.into()), &dashboard, &kept);
        }
        ui.message().map(str::to_owned)
    };
    let there = vec![Mark { ts: now, note: Scrubbed::new("old") }];
    assert_eq!(marked(vec![], "moh\n").as_deref(), Some("marked: oh"));
    assert_eq!(marked(vec![], "m\n").as_deref(), Some("marked"));
    assert_eq!(marked(there, "m\n").as_deref(), Some("the mark is gone"));
}

#[test]
fn a_recording_takes_marks_where_no_past_is_kept() {
    let running = Recording { in_memory: false, name: "x.pcapng".to_owned(), bytes: 0, lost: 0, took: Duration::ZERO };
    let recorded = Source { recordings: Recordings { running: Some(running), ended: None }, ..live() };
    assert_eq!(after("m o h Enter", &recorded).1, [Effect::Control(Control::Mark("oh".to_owned()))]);
    let (ui, effects) = after("m", &live());
    assert!(effects.is_empty() && ui.prompt().is_none());
    assert!(ui.message().is_some_and(|text| text.starts_with("no mark can be set")));
    assert!(after("t", &recorded).0.prompt().is_none(), "there is nothing to go back to");
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
fn only_a_running_host_is_recorded_whatever_is_shown_of_it() {
    let went_back = Source { playback: replay().playback, ..live() };
    for source in [live(), went_back] {
        assert_eq!(after("w", &source).1, [Effect::Control(Control::Record)]);
        assert_eq!(after("W", &source).1, [Effect::Control(Control::Save)]);
    }
    for key in ["w", "W"] {
        let (ui, effects) = after(key, &replay());
        assert_eq!((effects, ui.message()), (vec![], Some("only while a host is watched")), "{key}");
    }
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
fn a_mark_is_told_where_one_hops_to_it() {
    let at = |secs, note: &str| Mark { ts: Timestamp::from_secs_nanos(secs, 0), note: Scrubbed::new(note) };
    let marks = vec![at(1_010, "deploy 4711"), at(1_050, "")];
    let source = Source { track: Some(Track { marks, ..track() }), ..replay() };
    for (now, key, words) in [
        (1_000, "'", "mark: deploy 4711"),
        (1_010, "'", "a mark without a note"),
        (1_050, "'", "no mark after this instant: m sets one"),
        (1_050, "`", "mark: deploy 4711"),
        (1_010, "`", "no mark before this instant: m sets one"),
    ] {
        let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
        let shown = Dashboard { now: Some(Timestamp::from_secs_nanos(now, 0)), ..Dashboard::default() };
        let effects = ui.handle(&event(key), &shown, &source);
        assert_eq!((effects.len(), ui.message()), (1, Some(words)), "{now} {key}");
    }
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
