//! The processes with most traffic.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::engine::ProcessRow;

use super::Context;
use super::format::{ABSENT, bits, count};
use super::widgets::{gap, left, message, middle, pane, plain_bar, put_all, right, styled, title};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.busiest);
    let inner = pane(buf, area, title("Busiest", "processes by rate", theme), focused, theme);
    if data.is_empty() {
        let text = match context.sees_kernel() {
            true => "no process is known to hold a TCP socket".to_owned(),
            false => format!("processes are {}", context.unread()),
        };
        return message(buf, inner, &text, theme);
    }
    let room = usize::from(inner.width);
    let most = data.iter().filter_map(|row| row.bits_per_s).max().unwrap_or(0);
    let mut lines = vec![head(context, room)];
    lines.extend(data.iter().map(|row| line(context, row, most, room)));
    put_all(buf, inner, &lines);
}

/// Columns of the rate and of the number of sockets.
const RATE: usize = 13;
const SOCKETS: usize = 8;
const MIN_BAR: usize = 6;

fn name_room(room: usize) -> usize {
    room.saturating_sub(RATE + SOCKETS).min(26)
}

fn head(context: &Context<'_>, room: usize) -> Line<'static> {
    let text = format!("{}{}{}", left("process", name_room(room)), right("sockets", SOCKETS), right("rate", RATE));
    Line::from(styled(text, context.theme.dim))
}

fn line(context: &Context<'_>, row: &ProcessRow, most: u64, room: usize) -> Line<'static> {
    let theme = context.theme;
    let name = name_room(room);
    let pid = format!("[{}]", row.process.pid);
    let who = middle(row.process.comm.as_str(), name.saturating_sub(pid.len())) + &pid;
    let (rate, style) = match row.bits_per_s {
        None => (ABSENT.to_owned(), theme.dim),
        Some(0) => (bits(0), theme.dim),
        Some(rate) => (bits(rate), theme.strong),
    };
    let mut spans = vec![
        styled(left(&who, name), theme.text),
        styled(right(&count(row.sockets), SOCKETS), theme.text),
        styled(right(&rate, RATE), style),
    ];
    let bars = room.saturating_sub(name + SOCKETS + RATE + 2);
    if bars >= MIN_BAR
        && let Some(rate) = row.bits_per_s.filter(|rate| *rate > 0)
    {
        spans.extend([gap(2), styled(plain_bar(rate, most, bars), theme.bar)]);
    }
    Line::from(spans)
}
