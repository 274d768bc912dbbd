//! States: the kernel's count beside the wire's, and how it went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::TcpState;
use crate::engine::{StateRow, WireCounts};
use crate::findings::{Finding, Kind};

use super::Context;
use super::chart::{spark, spark_axis};
use super::format::{ABSENT, count, short_count};
use super::theme::Severity;
use super::widgets::{gap, left, message, middle, pane, put_all, right, styled, title, width};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.states);
    let what = match (context.sees_kernel(), context.dashboard.sees.wire, data.wire_counts) {
        (true, true, WireCounts::LocalEnds) => "ends on this host",
        (true, true, WireCounts::BothEnds) => "kernel: this host; wire: both ends",
        (true, false, _) => "sockets of this host",
        (false, true, _) => "both ends, inferred",
        (false, false, _) => "",
    };
    let rest = context.and_age_in(("States", area.width), what, |sight| Some(sight.at));
    let inner = pane(buf, area, title("States", &rest, theme), focused, theme);
    if data.rows.is_empty() {
        return message(buf, inner, &context.none_of("segment or socket"), theme);
    }
    let height = usize::from(inner.height);
    let mut foot = Vec::new();
    let leak = leak_line(context, usize::from(inner.width));
    if data.mismatched > 0 {
        let ends = if data.mismatched == 1 { "end disagrees" } else { "ends disagree" };
        let mark = styled(format!("{} ", Severity::Warning.mark()), theme.warning);
        let text = format!("{} {ends}: wire and kernel", count(data.mismatched));
        foot.push(Line::from(vec![mark, styled(text, theme.warning)]));
    } else if !context.sees_kernel() {
        foot.push(Line::from(styled(format!("  kernel's side: {}", context.unread()), theme.dim)));
    }
    let mut lines = vec![head(context, usize::from(inner.width))];
    let rows = rows_that_fit(&data.rows, height.saturating_sub(1 + foot.len() + usize::from(leak.is_some())));
    let hidden = data.rows.len() - rows.len();
    for row in rows {
        lines.push(state_line(context, row, usize::from(inner.width)));
        lines.extend(leak.clone().filter(|_| row.state == TcpState::CloseWait));
    }
    if hidden > 0 && lines.len() + foot.len() < height {
        lines.push(Line::from(styled(format!("  {hidden} more at 0"), theme.dim)));
    }
    lines.extend(foot);
    put_all(buf, inner, &lines);
}

/// All states, or those that are not empty, or the fullest of them; in the order of the list.
fn rows_that_fit(rows: &[StateRow], height: usize) -> Vec<&StateRow> {
    let weight = |row: &StateRow| row.kernel.unwrap_or(0).max(row.wire.unwrap_or(0));
    let mut kept: Vec<(usize, &StateRow)> = rows.iter().enumerate().collect();
    if kept.len() > height {
        kept.retain(|(_, row)| weight(row) > 0);
    }
    if kept.len() > height {
        kept.sort_by_key(|(at, row)| (std::cmp::Reverse(weight(row)), *at));
        kept.truncate(height);
        kept.sort_by_key(|(at, _)| *at);
    }
    kept.into_iter().map(|(_, row)| row).collect()
}

/// A shorter sparkline says nothing.
const MIN_SPARK: usize = 5;
const NAME: usize = 11;

/// The worst leak of CLOSE-WAIT that is found.
fn leak<'a>(context: &'a Context<'_>) -> Option<&'a Finding> {
    context.dashboard.findings.iter().find(|finding| finding.kind == Kind::CloseWaitLeak)
}

/// Who leaks.
fn leak_line(context: &Context<'_>, room: usize) -> Option<Line<'static>> {
    let who = leak(context)?.about();
    let lead = ["  held by ", "  by "].into_iter().find(|lead| width(lead) + width(&who) <= room).unwrap_or("  by ");
    let who = middle(&who, room.saturating_sub(width(lead)));
    Some(Line::from(vec![styled(lead, context.theme.dim), styled(who, context.theme.warning)]))
}

/// Columns of a count: enough for a million and its separators where there is room.
const fn amount(room: usize) -> usize {
    if room < 44 { 8 } else { 10 }
}

fn head(context: &Context<'_>, room: usize) -> Line<'static> {
    let wide = amount(room);
    let kernel = if context.sees_kernel() { right("kernel", wide) } else { String::new() };
    let mut text = format!("  {}{kernel}{}", left("", NAME), right("wire", wide));
    let rows = &context.dashboard.states.rows;
    let columns = room.saturating_sub(width(&text) + 2);
    if let Some(row) = rows.iter().max_by_key(|row| row.history.len()).filter(|_| columns >= MIN_SPARK) {
        let history = context.history(&row.history).beside(longest(rows));
        text += &format!("  {}", spark_axis(history, columns));
    }
    Line::from(styled(text, context.theme.dim))
}

/// Bins of the longest history: what all of them are drawn against.
fn longest(rows: &[StateRow]) -> usize {
    rows.iter().map(|row| row.history.len()).max().unwrap_or(0)
}

fn state_line(context: &Context<'_>, row: &StateRow, room: usize) -> Line<'static> {
    let theme = context.theme;
    let wide = amount(room);
    let cell = |n: Option<u64>| match n.map(|n| (n, count(n))) {
        Some((n, text)) => right(&if text.len() < wide { text } else { short_count(n) }, wide),
        None => right(ABSENT, wide),
    };
    let empty = row.kernel.unwrap_or(0) == 0 && row.wire.unwrap_or(0) == 0;
    let (name, number) = if empty { (theme.dim, theme.dim) } else { (theme.state(row.state), theme.strong) };
    let leaks = row.state == TcpState::CloseWait && leak(context).is_some();
    let (mark, name, number) = match leaks {
        true => (styled(format!("{} ", Severity::Warning.mark()), theme.warning), theme.warning, theme.warning),
        false => (gap(2), name, number),
    };
    let mut spans = vec![mark, styled(left(row.state.name(), NAME), name)];
    if context.sees_kernel() {
        spans.push(styled(cell(row.kernel), number));
    }
    spans.push(styled(cell(row.wire), if context.sees_kernel() { theme.text } else { number }));
    let used: usize = spans.iter().map(ratatui::text::Span::width).sum();
    if room >= used + 2 + MIN_SPARK && row.history.iter().any(|n| *n > 0) {
        spans.extend([
            gap(2),
            styled(
                spark(
                    context.history(&row.history).beside(longest(&context.dashboard.states.rows)),
                    room.saturating_sub(used + 2),
                ),
                theme.spark,
            ),
        ]);
    }
    Line::from(spans)
}
