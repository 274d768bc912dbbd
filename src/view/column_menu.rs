//! The menu of the flow table's columns, above the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use crate::ui::FLOW_COLUMNS;

use super::Context;
use super::widgets::{left, pane, put, right, styled, title};

const WIDTH: u16 = 34;

pub(super) fn draw(context: &Context<'_>, body: Rect, buf: &mut Buffer) {
    let Some(cursor) = context.ui.columns().menu() else { return };
    let theme = context.theme;
    let width = WIDTH.min(body.width);
    let height = (FLOW_COLUMNS.len() as u16 + 4).min(body.height);
    let area = Rect { x: body.right() - width, y: body.y, width, height };
    Clear.render(area, buf);
    buf.set_style(area, theme.text);
    let inner = pane(buf, area, title("Columns", "Esc closes", theme), true, theme);
    let mut rows = inner.rows();
    let visible = usize::from(inner.height.saturating_sub(2));
    let first = (cursor + 1).saturating_sub(visible);
    for (at, name) in FLOW_COLUMNS.iter().enumerate().skip(first).take(visible) {
        let Some(row) = rows.next() else { return };
        let columns = context.ui.columns();
        let mark = if columns.shows(name) { "[x] " } else { "[ ] " };
        let extra = match columns.extra(name) {
            0 => String::new(),
            n => format!("{n:+} wide"),
        };
        let line = Line::from(vec![
            styled(mark, theme.strong),
            styled(left(name, 14), theme.text),
            styled(right(&extra, 11), theme.dim),
        ]);
        put(buf, row, &line);
        if at == cursor {
            buf.set_style(row, theme.cursor);
        }
    }
    for (row, text) in rows.zip(["Space shows or hides", "h l narrower, wider"]) {
        put(buf, row, &Line::from(styled(text, theme.dim)));
    }
}
