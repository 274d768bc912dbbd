//! The help screen: every key from the table of keys, and what marks and columns mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::{BINDINGS, Group, wrap};

use super::Context;
use super::theme::Theme;
use super::widgets::{gap, left, pane, put_all, styled, title, width};

const LEGEND: [(&str, &str); 10] = [
    ("‼  !", "critical, warning"),
    ("✓  ✗", "seen, not seen"),
    ("·", "not recorded: never a 0"),
    ("~ESTAB", "inferred from the wire alone"),
    ("ESTAB ≠", "kernel and wire disagree on the state"),
    ("Recv-Q", "bytes received that the process has not read"),
    ("Send-Q", "bytes written that the peer has not acknowledged"),
    ("RTT h", "of the handshake; without h: the kernel's smoothed one"),
    ("(last)", "held the socket before it closed it"),
    ("orphan", "closed: the kernel finishes alone"),
];

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let inner = pane(buf, area, title("Help", "", theme), true, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let lines = lines(context, room, height);
    let scroll = context.ui.help_scroll().min(lines.len().saturating_sub(height));
    put_all(buf, inner, &lines[scroll..]);
    if lines.len() > height {
        let text = format!(" {}–{} of {} lines: j k ", scroll + 1, scroll + height, lines.len());
        let at = Rect { x: area.right().saturating_sub(width(&text) as u16 + 2), y: area.bottom() - 1, ..area };
        put_all(
            buf,
            at.intersection(Rect { y: area.bottom() - 1, height: 1, ..area }),
            &[Line::from(styled(text, theme.dim))],
        );
    }
}

/// The blocks in as many columns as there is room for, each next block in the shortest column.
fn lines(context: &Context<'_>, room: usize, height: usize) -> Vec<Line<'static>> {
    let columns = (room / 37).clamp(1, 4);
    let each = (room - (columns - 1) * 2) / columns;
    let mut stacks: Vec<Vec<Line<'static>>> = vec![Vec::new(); columns];
    for block in blocks(context, each) {
        let spaced = |stack: &Vec<Line<'static>>| stack.len() + usize::from(!stack.is_empty());
        let fits = stacks.iter().position(|stack| spaced(stack) + block.len() <= height);
        let shortest = (0..columns).min_by_key(|at| stacks[*at].len()).unwrap_or(0);
        let stack = &mut stacks[fits.unwrap_or(shortest)];
        if !stack.is_empty() {
            stack.push(Line::default());
        }
        stack.extend(block);
    }
    let rows = stacks.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| {
        let cells = stacks.iter().flat_map(|stack| {
            let line = stack.get(at).cloned().unwrap_or_default();
            let fill = gap((each + 2).saturating_sub(line.width()));
            line.spans.into_iter().chain([fill])
        });
        let mut cells: Vec<Span<'static>> = cells.collect();
        cells.pop();
        Line::from(cells)
    };
    (0..rows).map(row).collect()
}

fn blocks(context: &Context<'_>, room: usize) -> Vec<Vec<Line<'static>>> {
    let theme = context.theme;
    let replay = context.source.playback.is_some();
    let of_group = |group| BINDINGS.iter().filter(move |row| row.group == group && row.when.holds(replay));
    let keys = Group::ALL.into_iter().map(|group| {
        let rows: Vec<(String, String)> = of_group(group).map(|row| (row.label(), row.help.to_owned())).collect();
        block(group.name(), &rows, room, theme)
    });
    let legend: Vec<(String, String)> = LEGEND.iter().map(|(mark, text)| ((*mark).into(), (*text).into())).collect();
    keys.chain([block("Marks and columns", &legend, room, theme)]).collect()
}

fn block(name: &str, rows: &[(String, String)], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(styled(name, theme.strong))];
    let indent = 11.min(room / 3);
    for (label, text) in rows {
        for (at, part) in wrap(text, room.saturating_sub(indent + 1)).into_iter().enumerate() {
            let label = if at == 0 { left(label, indent) } else { left("", indent) };
            lines.push(Line::from(vec![styled(label, theme.info), gap(1), styled(part, theme.text)]));
        }
    }
    lines
}
