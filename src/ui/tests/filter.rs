//! The filter: typed, kept, completed, pasted.

use super::*;

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
fn over_many_flows_a_filter_takes_effect_once_the_keys_pause() {
    let source = replay();
    let ms = Duration::from_millis;
    let typed = |flows: usize, keys: &[(u64, &str)], then: u64| {
        let mut ui = UiState::new(Rect::new(0, 0, 120, 40), ThemeName::Dark);
        for (at, key) in keys {
            let mut dashboard = answer(&[1], &ui, &source);
            dashboard.flows.all = flows;
            ui.tell_time(ms(*at));
            ui.handle(&event(key), &dashboard, &source);
        }
        ui.tell_time(ms(then));
        ui.query(&source).filter.text().to_owned()
    };
    let quick = [(0, "/"), (10, "n"), (150, "g")];
    assert_eq!(typed(1_000, &quick, 150), "ng", "a walk over few is not felt");
    assert_eq!(typed(1_000_000, &quick, 349), "");
    assert_eq!(typed(1_000_000, &quick, 350), "ng");
    assert_eq!(typed(1_000_000, &[(0, "/"), (10, "n"), (300, "g")], 300), "n", "the pause before the last key");
    assert_eq!(typed(1_000_000, &[(0, "/"), (10, "n"), (20, "Enter")], 20), "n", "Enter waits for nothing");
    assert_eq!(typed(1_000_000, &[(0, "/"), (10, "n"), (20, "Esc")], 500), "");
}
