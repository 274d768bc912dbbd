//! Screens as text, at the sizes that people have; what no size and no text may break.

mod claims;
mod flow_ends;
mod lists;
mod looks;
mod recording;
mod segments;
mod timeline;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::fixture::{NOW, capture, capture_flow, capture_source, empty, hostile, live, live_flow, live_source};
use super::{Theme, draw, to_ascii};
use crate::base::{Progress, TcpState, scrub};
use crate::engine::{Dashboard, Evicted, FlowDetail, FlowPane, ListPane, Window};
use crate::findings::Kind;
use crate::flow::HandshakeOutcome;
use crate::kernel::{LastWord, Reported, TcpInfo};
use crate::ui::{Playback, Source, ThemeName, UiState};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn press(ui: &mut UiState, keys: &str, dashboard: &Dashboard, source: &Source) {
    for c in keys.chars() {
        let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
        ui.handle(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)), dashboard, source);
    }
}

/// The screen after `keys`.
fn screen(dashboard: &Dashboard, source: &Source, keys: &str, size: (u16, u16), theme: ThemeName) -> Buffer {
    let area = Rect::new(0, 0, size.0, size.1);
    let mut ui = UiState::new(area, theme);
    ui.observe(dashboard, source);
    press(&mut ui, keys, dashboard, source);
    ui.observe(dashboard, source);
    let mut buf = Buffer::empty(area);
    draw(dashboard, &ui, source, &Theme::new(theme, TimeZone::UTC), area, &mut buf);
    buf
}

fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buf.area.width {
            let symbol = buf[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
            }
            skip = super::widgets::width(symbol).max(skip).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Every screen that is held to its picture: name, dashboard, source, keys.
fn screens() -> Vec<(&'static str, Dashboard, Source, &'static str)> {
    let mut troubled = live_source();
    troubled.notices =
        vec!["no packets: this user may not capture; run: sudo setcap cap_net_raw+ep ./sockscope".into()];
    troubled.dead = Some("capture stopped: eth0: The interface disappeared".into());
    let mut blind = live();
    blind.sees.wire = false;
    blind.states.mismatched = 0;
    blind.time_wait.wire = None;
    blind.queues.wire.clear();
    blind.loss = None;
    blind.findings.retain(|finding| finding.who.is_some());
    for row in &mut blind.states.rows {
        row.wire = None;
    }
    vec![
        ("overview_live", live(), live_source(), ""),
        ("overview_capture", capture(), capture_source(), ""),
        ("overview_waiting", empty(), live_source(), ""),
        ("overview_kernel_only", blind, troubled, ""),
        ("flows_live", live(), live_source(), "2jjj"),
        ("flows_capture", capture(), capture_source(), "2"),
        ("flow_live", live_flow(), live_source(), "2j\n"),
        ("flow_capture", capture_flow(), capture_source(), "2j\n"),
        ("help", live(), live_source(), "?"),
    ]
}

/// The views that are lists, live and over a capture.
fn list_screens() -> Vec<(&'static str, Dashboard, Source, &'static str)> {
    let mut all = vec![
        ("handshakes_live", lists::handshakes(live), live_source(), "3jj"),
        ("handshakes_capture", lists::handshakes(capture), capture_source(), "3"),
        ("queues_live", lists::queues(), live_source(), "4jj"),
        ("queues_capture", lists::queues_of_capture(), capture_source(), "4"),
        ("time_wait_live", lists::ports(true), live_source(), "5j"),
        ("time_wait_capture", lists::ports(false), capture_source(), "5"),
        ("listeners_live", lists::listeners(), live_source(), "6jj"),
        ("listeners_capture", lists::listeners_of_capture(), capture_source(), "6"),
        ("processes_live", lists::processes(), live_source(), "7jjj"),
    ];
    all.push(("findings_live", lists::findings(live), live_source(), "8j"));
    all.push(("findings_capture", lists::findings(capture), capture_source(), "8"));
    all.push(("findings_zoomed", lists::findings(live), live_source(), "8jz"));
    all.push(("findings_flooded", lists::flooded(), capture_source(), "8"));
    all.push(("flows_columns", live(), live_source(), "cjj jl"));
    all.push(("flows_grouped", lists::groups(), live_source(), "bjj"));
    let processes = lists::none_of(ListPane::Processes(Window::default()), capture);
    all.push(("processes_capture", processes, capture_source(), "7"));
    all
}

#[test]
fn lists_are_as_pictured() {
    for (name, dashboard, source, keys) in list_screens() {
        for size in SIZES {
            let shown = text(&screen(&dashboard, &source, keys, size, ThemeName::Dark));
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), shown);
        }
    }
}

/// The meaning of each cell's style as a letter; where nothing stands, or plain text does, nothing.
fn styles(buf: &Buffer, theme: &Theme) -> String {
    let meanings = [
        (theme.cursor, '#'),
        (theme.critical, 'C'),
        (theme.warning, 'W'),
        (theme.strong, 's'),
        (theme.good, 'g'),
        (theme.info, 'i'),
        (theme.focus, 'f'),
        (theme.border, 'b'),
        (theme.dim, 'd'),
        (theme.spark, '~'),
    ];
    let letter = |cell: &ratatui::buffer::Cell| {
        let is = |(style, _): &&(Style, char)| style.fg == Some(cell.fg) && style.add_modifier == cell.modifier;
        let meaning = if cell.bg == Color::Reset { meanings[1..].iter().find(is) } else { meanings.first() };
        if cell.symbol() == " " && cell.bg == Color::Reset { ' ' } else { meaning.map_or('.', |(_, letter)| *letter) }
    };
    let lines = buf.content.chunks(usize::from(buf.area.width));
    lines.map(|cells| cells.iter().map(letter).collect::<String>().trim_end().to_owned() + "\n").collect()
}

#[test]
fn screens_are_styled_by_meaning() {
    let theme = Theme::new(ThemeName::Dark, TimeZone::UTC);
    for (name, dashboard, source, keys) in screens().into_iter().chain(list_screens()) {
        for size in SIZES {
            let shown = styles(&screen(&dashboard, &source, keys, size, ThemeName::Dark), &theme);
            insta::assert_snapshot!(format!("style_{name}_{}x{}", size.0, size.1), shown);
        }
    }
}

#[test]
fn a_list_that_no_filter_picks_from_says_so() {
    let shown = |dashboard: Dashboard, keys: &str| {
        text(&screen(&dashboard, &live_source(), keys, (120, 40), ThemeName::Dark))
            .contains("the filter picks connections")
    };
    assert!(shown(lists::listeners(), "6/x\n") && shown(lists::ports(true), "5/x\n"));
    assert!(!shown(lists::listeners(), "6") && !shown(lists::processes(), "7/x\n"));
}

#[test]
fn an_empty_list_says_what_it_waits_for() {
    let lists = [
        ("3", ListPane::Handshakes(Window::default())),
        ("4", ListPane::Queues(Window::default())),
        ("5", ListPane::Ports(Window::default())),
        ("6", ListPane::Listeners(Window::default())),
        ("7", ListPane::Processes(Window::default())),
        ("8", ListPane::Findings(Window::default(), FlowPane::default())),
    ];
    let mut shown = String::new();
    for (keys, list) in lists {
        for base in [empty, live, capture] {
            let dashboard = lists::none_of(list.clone(), base);
            let screen = text(&screen(&dashboard, &live_source(), keys, (80, 24), ThemeName::Dark));
            let body = screen.lines().skip_while(|line| !line.starts_with('┏')).skip(1).take(2).collect::<Vec<_>>();
            shown += &format!("{keys}: {}\n", body.join("\n   "));
        }
    }
    insta::assert_snapshot!("empty_lists", shown);
}

#[test]
fn screens_are_as_pictured() {
    for (name, dashboard, source, keys) in screens() {
        for size in SIZES {
            let shown = text(&screen(&dashboard, &source, keys, size, ThemeName::Dark));
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), shown);
        }
    }
}

#[test]
fn what_has_ended_or_stands_waits_for_nothing() {
    let dashboard = empty();
    let playing = capture_source().playback.expect("it is played");
    let ended = Playback { at_end: true, ..playing };
    let paused = Playback { paused: true, ..playing };
    for (playback, says, never) in [
        (playing, "waiting for the first segment", "in this capture"),
        (ended, "no segment or socket in this capture", "waiting for"),
        (paused, "no segment or socket up to this instant", "waiting for"),
    ] {
        let source = Source { playback: Some(playback), ..capture_source() };
        for keys in ["", "2", "3", "4", "5", "6", "7", "8"] {
            let shown = text(&screen(&dashboard, &source, keys, (200, 60), ThemeName::Dark));
            assert!(!shown.contains(never), "{keys}: {shown}");
            assert!(!keys.is_empty() || shown.contains(says), "{shown}");
        }
    }
}

/// A reading of the kernel's tables comes a moment after the first packet.
#[test]
fn before_the_first_reading_nothing_is_said_not_to_be_recorded() {
    let dashboard = capture();
    assert!(dashboard.sees.kernel.is_none() && dashboard.sees.wire);
    let recorded = Source { of_host: true, ..capture_source() };
    for keys in ["", "2", "4", "6"] {
        let shown = |source| text(&screen(&dashboard, source, keys, (200, 60), ThemeName::Dark));
        let (of_recording, of_capture) = (shown(&recorded), shown(&capture_source()));
        assert!(of_recording.contains("kernel …  owners …") && of_capture.contains("kernel ✗  owners ✗"), "{keys}");
        assert!(keys == "2" || of_recording.contains("not read yet"), "{keys}: {of_recording}");
        assert!(keys == "2" || of_capture.contains("not recorded"), "{keys}: {of_capture}");
    }
}

#[test]
fn the_overview_has_findings_only_where_there_are_any() {
    let shown = |dashboard: &Dashboard| text(&screen(dashboard, &live_source(), "", (120, 40), ThemeName::Dark));
    let mut dashboard = live();
    assert!(shown(&dashboard).contains("┏━ Findings"));
    dashboard.findings.clear();
    assert!(!shown(&dashboard).contains("━ Findings"), "what is not there takes no room");
}

#[test]
fn more_screens_are_as_pictured() {
    let cases = [
        ("too_small", "", (39, 9)),
        ("overview_smallest", "", (40, 10)),
        ("overview_60x20", "", (60, 20)),
        ("flow_60x24", "2j\n", (60, 24)),
        ("flow_smallest", "2j\n", (40, 10)),
        ("flows_smallest", "2j", (40, 10)),
        ("overview_250x70", "", (250, 70)),
        ("zoom_handshakes", "lz", (120, 40)),
        ("zoom_states", "llz", (120, 40)),
        ("zoom_time_wait", "lllz", (120, 40)),
        ("flows_by_the_clock", "2d", (200, 20)),
        ("flows_from_the_start", "2dd", (200, 20)),
        ("life_by_the_clock", "2j\nd", (120, 40)),
        ("life_event_by_event", "2j\ndd", (120, 40)),
        ("filter_fault", "2/nginx sate:estab", (80, 24)),
        ("filter_fault_at_the_right", "2/nginx or curl or postgres and port:80,443 and not rtt>9x", (80, 24)),
        ("filter_offers", "2/nginx s", (120, 40)),
        ("zoom_queues", "llllz", (120, 40)),
        ("zoom_busiest", "hhz", (120, 40)),
        ("filter_prompt", "2/nginx 443", (80, 24)),
        ("explain", "6x", (80, 24)),
        ("explain_flows", "2x", (80, 24)),
        ("explain_columns", "2xx", (80, 24)),
        ("overview_filtered_80x24", "/nginx\n", (80, 24)),
        ("overview_filtered_120x40", "/nginx\n", (120, 40)),
        ("explain_flows_wide", "2x", (200, 60)),
    ];
    for (name, keys, size) in cases {
        insta::assert_snapshot!(name, text(&screen(&live_flow(), &live_source(), keys, size, ThemeName::Dark)));
    }
    let (dashboard, source) = hostile(&scrub("日本語\u{202e}\x1b[2J e\u{301}e\u{301} 👩‍👩‍👧 very-long-process-name"));
    insta::assert_snapshot!("hostile_flows", text(&screen(&dashboard, &source, "2j", (120, 40), ThemeName::Dark)));
    insta::assert_snapshot!("hostile_flow", text(&screen(&dashboard, &source, "2j\n", (120, 40), ThemeName::Dark)));
    insta::assert_snapshot!(
        "jump_prompt",
        text(&screen(&capture(), &capture_source(), "t1m", (80, 24), ThemeName::Dark))
    );
}

#[test]
fn a_picture_is_the_screen_without_its_line_of_keys() {
    for (name, dashboard, source, keys) in screens().into_iter().chain(list_screens()) {
        for size in SIZES {
            let area = Rect::new(0, 0, size.0, size.1);
            let mut ui = UiState::new(area, ThemeName::Dark);
            ui.observe(&dashboard, &source);
            press(&mut ui, keys, &dashboard, &source);
            ui.observe(&dashboard, &source);
            let [seen, pictured] = [ui.clone(), ui.for_picture()].map(|ui| {
                let mut buf = Buffer::empty(area);
                draw(&dashboard, &ui, &source, &Theme::new(ThemeName::Dark, TimeZone::UTC), area, &mut buf);
                buf
            });
            let last = usize::from(size.0) * (usize::from(size.1) - 1);
            assert!(seen.content[..last] == pictured.content[..last], "{name} at {size:?}:\n{}", text(&pictured));
            assert!(pictured.content[last..].iter().all(|cell| cell.symbol() == " "), "{name}:\n{}", text(&pictured));
        }
    }
}

/// Writes every picture where it can be looked at: `cat target/screens/*`.
#[test]
fn screens_can_be_looked_at() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screens");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, dashboard, source, keys) in screens() {
        for size in SIZES {
            let shown = text(&screen(&dashboard, &source, keys, size, ThemeName::Dark));
            assert!(shown.contains("sockscope"), "{name}");
            std::fs::write(folder.join(format!("{name}_{}x{}.txt", size.0, size.1)), shown).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_size_and_no_text_breaks_a_screen(
        width in 1_u16..=250, height in 1_u16..=70, raw in "\\PC{0,80}", keys in "[1-8?bcxz/sSlhjkG \n]{0,8}", which in 0_usize..12,
    ) {
        let text = scrub(&raw);
        let (dashboard, source) = match which {
            0 => (live_flow(), live_source()),
            1 => (capture_flow(), capture_source()),
            2 => (empty(), live_source()),
            3 => (lists::extreme(), live_source()),
            4 => (lists::queues(), live_source()),
            5 => (lists::ports(true), live_source()),
            6 => (lists::listeners(), capture_source()),
            7 => (lists::processes(), live_source()),
            8 => (lists::handshakes(capture), capture_source()),
            9 => (lists::groups(), live_source()),
            10 => (lists::findings(live), live_source()),
            _ => hostile(&text),
        };
        screen(&dashboard, &source, &keys, (width, height), ThemeName::Light);
    }
}
