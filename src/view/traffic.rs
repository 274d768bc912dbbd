//! Traffic: segments and bits a second over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Context;
use super::format::{bits, bytes, count, short_count};
use super::widgets::{chart, message, pane, put_all, right, styled, title};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.traffic);
    let totals = &context.dashboard.totals;
    let sum = format!("{} segments, {} of payload so far", count(totals.segments), bytes(totals.payload_bytes));
    let rest = if context.dashboard.sees.wire { sum.as_str() } else { "" };
    let inner = pane(buf, area, title("Traffic", rest, theme), focused, theme);
    if !context.dashboard.sees.wire {
        return message(buf, inner, "not recorded: no segment captured", theme);
    }
    let height = usize::from(inner.height);
    let upper = height / 2;
    let rate = |n: u64| format!("{} seg/s", short_count(n));
    let mut lines = series(context, &data.bits, height - upper, usize::from(inner.width), bits);
    lines.extend(series(context, &data.segments, upper, usize::from(inner.width), rate));
    put_all(buf, inner, &lines);
}

fn series(
    context: &Context<'_>,
    values: &[u64],
    height: usize,
    room: usize,
    unit: fn(u64) -> String,
) -> Vec<Line<'static>> {
    const LABEL: usize = 14;
    let theme = context.theme;
    let columns = room.saturating_sub(LABEL);
    let shown = &values[values.len().saturating_sub(columns)..];
    let most = shown.iter().copied().max().unwrap_or(0);
    let bars = chart(values, columns, height);
    let labels = ["max".to_owned(), unit(most), format!("last {} s", shown.len())];
    let label = |at: usize| match (at, height) {
        (0, _) => unit(most),
        (1, 3..) => labels[0].clone(),
        (at, 2..) if at + 1 == height => labels[2].clone(),
        _ => String::new(),
    };
    bars.iter()
        .enumerate()
        .map(|(at, bar)| {
            let indent = " ".repeat(columns - shown.len().min(columns));
            Line::from(vec![styled(format!("{indent}{bar}"), theme.spark), styled(right(&label(at), LABEL), theme.dim)])
        })
        .collect()
}
