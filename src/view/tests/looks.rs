//! Colours, modifiers and ASCII: what matters is seen without either.

use super::*;

#[test]
fn mono_uses_no_colour_and_still_marks_what_matters() {
    for (name, dashboard, source, keys) in screens().into_iter().chain(list_screens()) {
        let buf = screen(&dashboard, &source, keys, (120, 40), ThemeName::Mono);
        assert!(buf.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)), "{name}");
        assert!(buf.content.iter().any(|cell| !cell.modifier.is_empty()), "{name}: no modifier at all");
    }
    let buf = screen(&live(), &live_source(), "2jj", (120, 40), ThemeName::Mono);
    let reversed = |y: &u16| (0..120).any(|x| buf[(x, *y)].modifier.contains(ratatui::style::Modifier::REVERSED));
    assert_eq!((0..40).filter(reversed).collect::<Vec<_>>(), [2, 6], "the open tab and the second row");
}

#[test]
fn titles_are_not_dim_though_their_borders_are() {
    let buf = screen(&live(), &live_source(), "l", (120, 40), ThemeName::Mono);
    let cell = |x| &buf[(x, 3)];
    assert_eq!((cell(1).symbol(), cell(3).symbol()), ("─", "F"));
    let dim = |x| cell(x).modifier.contains(ratatui::style::Modifier::DIM);
    assert_eq!((dim(1), dim(3)), (true, false));
}

#[test]
fn in_ascii_every_glyph_of_our_own_has_a_stand_in() {
    for (name, dashboard, source, keys) in screens() {
        for size in SIZES {
            let mut buf = screen(&dashboard, &source, keys, size, ThemeName::Dark);
            let before = text(&buf);
            to_ascii(&mut buf);
            let after = text(&buf);
            assert!(after.is_ascii() && after.matches('?').count() == before.matches('?').count(), "{name}:\n{after}");
            assert_eq!(after.lines().count(), before.lines().count());
        }
    }
    let (dashboard, source) = hostile("日本語 e\u{301}");
    let mut buf = screen(&dashboard, &source, "2j", (120, 40), ThemeName::Dark);
    to_ascii(&mut buf);
    assert!(text(&buf).is_ascii(), "{}", text(&buf));
}

#[test]
fn in_ascii_a_critical_mark_is_no_warning() {
    use crate::view::theme::Severity;
    let marks = [Severity::Critical, Severity::Warning].map(|severity| crate::base::in_ascii(severity.mark()));
    assert_ne!(marks[0], marks[1]);
}
