//! Screens as text, at the sizes that people have; what no size and no text may break.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::fixture::{capture, capture_flow, capture_source, empty, hostile, live, live_flow, live_source};
use super::{Theme, draw};
use crate::base::scrub;
use crate::engine::Dashboard;
use crate::ui::{Source, ThemeName, UiState};

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
        ("zoom_queues", "hz", (120, 40)),
        ("filter_prompt", "2/nginx 443", (80, 24)),
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
fn a_picture_has_no_keys_and_uses_their_line() {
    let area = Rect::new(0, 0, 80, 24);
    for (name, dashboard, source, _) in screens() {
        let ui = UiState::new(area, ThemeName::Dark).for_picture();
        let mut buf = Buffer::empty(area);
        draw(&dashboard, &ui, &source, &Theme::new(ThemeName::Dark, TimeZone::UTC), area, &mut buf);
        let shown = text(&buf);
        assert!(!shown.contains("q quit"), "{name}");
        assert!(shown.lines().last().is_some_and(|line| line.starts_with(['╰', '┗'])), "{name}:\n{shown}");
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

#[test]
fn mono_uses_no_colour_and_still_marks_what_matters() {
    for (name, dashboard, source, keys) in screens() {
        let buf = screen(&dashboard, &source, keys, (120, 40), ThemeName::Mono);
        assert!(buf.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)), "{name}");
        assert!(buf.content.iter().any(|cell| !cell.modifier.is_empty()), "{name}: no modifier at all");
    }
    let buf = screen(&live(), &live_source(), "2jj", (120, 40), ThemeName::Mono);
    let reversed = |y: &u16| (0..120).any(|x| buf[(x, *y)].modifier.contains(ratatui::style::Modifier::REVERSED));
    assert_eq!((0..40).filter(reversed).collect::<Vec<_>>(), [2, 6], "the open tab and the second row");
}

#[test]
fn nothing_recorded_is_never_drawn_as_0() {
    for size in SIZES {
        let shown = text(&screen(&capture(), &capture_source(), "", size, ThemeName::Dark));
        assert!(shown.contains("not recorded"), "{shown}");
        assert!(!shown.contains("Recv-Q") && !shown.contains("lost kernel"), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_size_and_no_text_breaks_a_screen(
        width in 1_u16..=250, height in 1_u16..=70, raw in "\\PC{0,80}", keys in "[123?z/sSlhjkG \n]{0,8}", which in 0_usize..4,
    ) {
        let text = scrub(&raw);
        let (dashboard, source) = match which {
            0 => (live_flow(), live_source()),
            1 => (capture_flow(), capture_source()),
            2 => (empty(), live_source()),
            _ => hostile(&text),
        };
        screen(&dashboard, &source, &keys, (width, height), ThemeName::Light);
    }
}
