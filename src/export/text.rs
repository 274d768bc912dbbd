//! A `Buffer` as plain text: what a screen says, without its colours.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

/// The rows of `buffer`, blanks at their ends trimmed, each ended by a newline.
pub(super) fn plain(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let row: String = symbols(buffer, y).map(|(_, _, symbol)| symbol).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// The symbols of row `y` with their column (from the buffer's left edge) and their width in cells, those that a
/// wider neighbour covers left out.
pub(super) fn symbols(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, u16, &str)> {
    let mut covered = 0;
    (0..buffer.area.width).filter_map(move |column| {
        let cell = &buffer[(buffer.area.left() + column, y)];
        if covered > 0 {
            covered -= 1;
            return None;
        }
        let width = u16::try_from(cell.symbol().width()).unwrap_or(u16::MAX).clamp(1, buffer.area.width - column);
        covered = width - 1;
        Some((column, width, cell.symbol()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn trailing_blanks_go_and_wide_characters_count_once() {
        let mut buffer = Buffer::empty(Rect::new(3, 2, 8, 3));
        buffer.set_string(3, 2, "ab  c", Style::new());
        buffer.set_string(3, 4, "日本 x", Style::new());
        assert_eq!(plain(&buffer), "ab  c\n\n日本 x\n");
    }
}
