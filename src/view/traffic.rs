//! Traffic: bits, segments and retransmissions a second over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Context;
use super::format::{bits, bytes, count, short_count};
use super::widgets::{as_fit, chart, fitted, message, pane, put_all, right, styled, title};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.traffic);
    let totals = &context.dashboard.totals;
    let sums = [format!("{} segments", count(totals.segments)), format!("{} of payload", bytes(totals.payload_bytes))];
    let room = usize::from(area.width).saturating_sub(16);
    let rest = if context.dashboard.sees.wire { as_fit(&sums, ", ", room) } else { String::new() };
    let inner = pane(buf, area, title("Traffic", &rest, theme), focused, theme);
    if !context.dashboard.sees.wire {
        return message(buf, inner, "not recorded: no segment captured", theme);
    }
    let height = usize::from(inner.height);
    let rate = |n: u64| format!("{} seg/s", short_count(n));
    let again = |n: u64| format!("{} retrans/s", short_count(n));
    // Nothing was sent again in the seconds before the first that was.
    let quiet = data.bits.len().saturating_sub(data.resent.len());
    let resent: Vec<u64> = std::iter::repeat_n(0, quiet).chain(data.resent.iter().copied()).collect();
    let all: [(&[u64], Unit); 3] = [(&data.bits, bits), (&data.segments, rate), (&resent, again)];
    let shown = (height / 2).clamp(1, all.len());
    let mut lines = Vec::with_capacity(height);
    for (at, (values, unit)) in all.into_iter().take(shown).enumerate() {
        let share = height / shown + usize::from(at < height % shown);
        lines.extend(series(context, values, share, usize::from(inner.width), unit));
    }
    put_all(buf, inner, &lines);
}

type Unit = fn(u64) -> String;

fn series(context: &Context<'_>, values: &[u64], height: usize, room: usize, unit: Unit) -> Vec<Line<'static>> {
    const LABEL: usize = 18;
    let theme = context.theme;
    let columns = room.saturating_sub(LABEL);
    let most = values.iter().copied().max().unwrap_or(0);
    let shown = fitted(values, columns);
    let bars = chart(&shown, columns, height);
    let label = |at: usize| match at {
        0 => format!("{} max", unit(most)),
        _ if at + 1 == height => format!("last {} s", values.len()),
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
