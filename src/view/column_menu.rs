//! The menu of the flow table's columns, above the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use crate::ui::FLOW_COLUMNS;

use super::widgets::{left, pane, put, right, styled, title};
use super::{Context, flow_columns};

const WIDTH: u16 = 38;

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
    let why_hidden = flow_columns::why_hidden(context, body);
    for (at, name) in FLOW_COLUMNS.iter().enumerate().skip(first).take(visible) {
        let Some(row) = rows.next() else { return };
        let columns = context.ui.columns();
        let shows = columns.shows(name);
        let mark = if shows { "[x] " } else { "[ ] " };
        let why = if shows { why_hidden(name) } else { None };
        let extra = match (columns.extra(name), why) {
            (_, Some(why)) => why.to_owned(),
            (0, None) => String::new(),
            (n, None) => format!("{n:+} wide"),
        };
        let line = Line::from(vec![
            styled(mark, theme.strong),
            styled(left(name, 14), theme.text),
            styled(right(&extra, 15), theme.dim),
        ]);
        put(buf, row, &line);
        if at == cursor {
            buf.set_style(row, theme.cursor);
        }
    }
    for (row, text) in rows.zip(["Space shows, hides   h l width", "no room: hide or narrow others"]) {
        put(buf, row, &Line::from(styled(text, theme.dim)));
    }
}
