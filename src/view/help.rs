//! The help screen: draws the columns of help.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::{HELP_GAP, HELP_LABEL, HelpLine, help_columns};

use super::Context;
use super::theme::Theme;
use super::widgets::{gap, left, pane, put_all, styled, title};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let (room, height) = (usize::from(area.width.saturating_sub(4)), usize::from(area.height.saturating_sub(2)));
    let (columns, each) = help_columns(context.source.playback.is_some(), room, height);
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let scroll = context.ui.help_scroll().min(count.saturating_sub(height));
    let place =
        if count > height { format!("{}–{} of {count} lines", scroll + 1, scroll + height) } else { String::new() };
    let inner = pane(buf, area, title("Help", &place, theme), true, theme);
    let lines: Vec<Line<'static>> = (scroll..count).map(|at| line(&columns, at, each, theme)).collect();
    put_all(buf, inner, &lines);
}

/// The line that goes through every column at this height.
fn line(columns: &[Vec<HelpLine>], at: usize, each: usize, theme: &Theme) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for column in columns {
        let cell = match column.get(at) {
            None | Some(HelpLine::Blank) => Vec::new(),
            Some(HelpLine::Heading(name)) => vec![styled(*name, theme.strong)],
            Some(HelpLine::Entry { label, text }) => {
                vec![styled(left(label, HELP_LABEL), theme.info), gap(1), styled(text.as_str(), theme.text)]
            }
        };
        let used: usize = cell.iter().map(Span::width).sum();
        spans.extend(cell);
        spans.push(gap((each + HELP_GAP).saturating_sub(used)));
    }
    spans.pop();
    Line::from(spans)
}
