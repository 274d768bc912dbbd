//! Traffic: bits, segments and retransmissions a second over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Context;
use super::chart::Chart;
use super::format::{bits, bytes, counted, short_count};
use super::widgets::{as_fit, message, pane, put_all, title};

/// A number in words.
type Unit = fn(u64) -> String;

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.traffic);
    let totals = &context.dashboard.totals;
    let sums = [counted(totals.segments, "segment"), format!("{} of payload", bytes(totals.payload_bytes))];
    let room = usize::from(area.width).saturating_sub(16);
    let rest = if context.dashboard.sees.wire { as_fit(&sums, ", ", room) } else { String::new() };
    let inner = pane(buf, area, title("Traffic", &rest, theme), focused, theme);
    if !context.dashboard.sees.wire {
        let text = match context.sees_kernel() {
            true => "not recorded: no segment captured".to_owned(),
            false => context.none_of("segment"),
        };
        return message(buf, inner, &text, theme);
    }
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    // Nothing was sent again in the seconds before the first that was.
    let quiet = data.bits.len().saturating_sub(data.resent.len());
    let resent: Vec<u64> = std::iter::repeat_n(0, quiet).chain(data.resent.iter().copied()).collect();
    let all: [(&[u64], Unit); 3] = [(&data.bits, bits), (&data.segments, segments), (&resent, again)];
    let shown = (height / 3).clamp(1, all.len());
    let mut charts: Vec<Chart<'_>> = all[..shown]
        .iter()
        .map(|(values, unit)| Chart { history: context.history(values), unit: *unit, label: 0, dated: false })
        .collect();
    let label = charts.iter().map(|chart| chart.label_room(room)).max().unwrap_or(0);
    let last = charts.len() - 1;
    charts[last].dated = true;
    // The line that says how far back they show is the last one's, and all have the same number besides.
    let each = height.saturating_sub(1) / shown;
    let left_over = height.saturating_sub(1) % shown;
    let mut lines = Vec::with_capacity(height);
    for (at, chart) in charts.into_iter().enumerate() {
        let own = each + usize::from(at < left_over) + usize::from(at == last);
        lines.extend(Chart { label, ..chart }.lines(room, own, theme));
    }
    put_all(buf, inner, &lines);
}

fn segments(n: u64) -> String {
    format!("{} seg/s", short_count(n))
}

fn again(n: u64) -> String {
    format!("{} resent/s", short_count(n))
}
