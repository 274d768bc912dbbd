//! The small parts that panes are made of: fitted text, bars, boxes.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::ui::wrap;

use super::ink::level;
use super::theme::Theme;

/// Columns that `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `room` columns; what is cut ends with `…`.
pub(super) fn fit(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    match room.checked_sub(1) {
        None => Cow::Borrowed(""),
        Some(room) => Cow::Owned(format!("{}…", head(text, room))),
    }
}

/// `text` in at most `room` columns, shortened in the middle.
pub(super) fn middle(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let Some(rest) = room.checked_sub(1) else { return String::new() };
    let front = head(text, rest.div_ceil(2));
    let mut tail = String::new();
    let mut left = rest - width(front);
    for c in text.chars().rev() {
        let Some(after) = left.checked_sub(c.width().unwrap_or(0)) else { break };
        left = after;
        tail.insert(0, c);
    }
    format!("{front}…{tail}")
}

/// The longest beginning of `text` that takes at most `room` columns.
fn head(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > room {
            return &text[..at];
        }
    }
    text
}

/// `text` fitted and filled up to exactly `room` columns, at the left.
pub(super) fn left(text: &str, room: usize) -> String {
    let text = fit(text, room);
    let fill = room - width(&text);
    format!("{text}{:fill$}", "")
}

/// The same at the right: for numbers.
pub(super) fn right(text: &str, room: usize) -> String {
    let text = fit(text, room);
    let fill = room - width(&text);
    format!("{:fill$}{text}", "")
}

/// Says why a pane is empty.
pub(super) fn message(buf: &mut Buffer, area: Rect, text: &str, theme: &Theme) {
    let lines: Vec<Line<'_>> =
        wrap(text, usize::from(area.width)).into_iter().map(|line| Line::from(styled(line, theme.dim))).collect();
    put_all(buf, area, &lines);
}

/// `part` of `whole` as a heavy line of `room` columns in halves, then a light one. Anything above 0 is seen.
pub(super) fn bar(part: u64, whole: u64, room: usize) -> String {
    let halves = level(part, whole, room * 2);
    let (full, rest) = (halves / 2, halves % 2);
    format!("{}{}{}", "━".repeat(full), if rest > 0 { "╸" } else { "" }, "─".repeat(room - full - rest))
}

/// The same without the empty part: for bars that are compared with each other.
pub(super) fn plain_bar(part: u64, whole: u64, room: usize) -> String {
    bar(part, whole, room).trim_end_matches('─').to_owned()
}

/// Draws a line; what does not fit ends with `…`, so that nothing is cut silently.
pub(super) fn put(buf: &mut Buffer, area: Rect, line: &Line<'_>) {
    if area.is_empty() {
        return;
    }
    let room = usize::from(area.width);
    if line.width() <= room {
        buf.set_line(area.x, area.y, line, area.width);
        return;
    }
    let mut left = room - 1;
    let mut cut: Vec<Span<'_>> = Vec::new();
    for span in &line.spans {
        let part = head(&span.content, left);
        left -= width(part);
        let whole = part.len() == span.content.len();
        cut.push(Span::styled(part, span.style));
        if !whole {
            cut.push(Span::styled("…", span.style));
            break;
        }
    }
    buf.set_line(area.x, area.y, &Line::from(cut).style(line.style), area.width);
}

/// Draws lines one under the other, as many as fit.
pub(super) fn put_all(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    for (line, row) in lines.iter().zip(area.rows()) {
        put(buf, row, line);
    }
}

/// Draws a box with a title and gives its inside, one column narrower on each side.
pub(super) fn pane(buf: &mut Buffer, area: Rect, title: Vec<Span<'static>>, focused: bool, theme: &Theme) -> Rect {
    let (kind, style) = if focused { (BorderType::Thick, theme.focus) } else { (BorderType::Rounded, theme.border) };
    let block = Block::bordered().border_type(kind).border_style(style);
    let inner = block.inner(area);
    block.render(area, buf);
    let mut spans = vec![Span::raw(" ")];
    spans.extend(title);
    spans.push(Span::raw(" "));
    let line = Line::from(spans);
    let room = area.width.saturating_sub(4);
    let place = Rect { x: area.x + 2, y: area.y, width: room, height: 1.min(area.height) }.intersection(area);
    // The border under it may be dim; styles only add to one another.
    let plain = Style::new().remove_modifier(Modifier::all()).patch(theme.text);
    let covered = u16::try_from(line.width()).unwrap_or(room).min(place.width);
    buf.set_style(Rect { width: covered, ..place }, plain);
    put(buf, place, &line);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }.intersection(area)
}

/// Rows and columns that a table has in a pane: inside its border, below the headings.
pub(super) fn room_for_rows(pane: Rect) -> (usize, usize) {
    (usize::from(pane.height.saturating_sub(3)), usize::from(pane.width.saturating_sub(4)))
}

/// The title of a pane: its name, then what it says of itself.
pub(super) fn title(name: &str, rest: &str, theme: &Theme) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled(name.to_owned(), theme.strong)];
    if !rest.is_empty() {
        spans.push(Span::styled(format!("  {rest}"), theme.dim));
    }
    spans
}

/// Puts the parts side by side as far as all of one fit, leaving out from the end.
pub(super) fn as_fit(parts: &[String], gap: &str, room: usize) -> String {
    let mut out = String::new();
    for part in parts {
        let glue = if out.is_empty() { "" } else { gap };
        if width(&out) + width(glue) + width(part) > room {
            break;
        }
        out.push_str(glue);
        out.push_str(part);
    }
    out
}

/// The parts in as many lines as they need; one that is wider than `room` has a line of its own.
pub(super) fn packed(parts: &[String], gap: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(gap) + width(part) <= room => *line += &format!("{gap}{part}"),
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// A span of text in a style.
pub(super) fn styled(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}

/// Empty columns.
pub(super) fn gap(columns: usize) -> Span<'static> {
    Span::raw(" ".repeat(columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_fitted_by_columns_not_by_characters() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(middle("abcdefgh", 5), "ab…gh");
        assert_eq!(width(&middle("日本語日本語", 6)), 5);
        assert_eq!(right("7", 3), "  7");
        assert_eq!(left("日本", 5), "日本 ");
    }

    #[test]
    fn zero_and_nearly_zero_differ() {
        assert_eq!(bar(0, 10, 4), "────");
        assert_eq!(bar(1, 10_000, 4), "╸───");
        assert_eq!(bar(5, 10, 4), "━━──");
        assert_eq!(bar(129, 128, 4), "━━━━");
        assert_eq!(bar(1, 0, 4), "━━━━");
        assert_eq!(plain_bar(5, 10, 4), "━━");
    }

    #[test]
    fn a_line_too_long_says_so() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 5, 1));
        put(&mut buf, Rect::new(0, 0, 5, 1), &Line::from(vec![Span::raw("abc"), Span::raw("defg")]));
        let text: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "abcd…");
    }
}
