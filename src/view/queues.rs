//! Queues, fullest first: Recv-Q, Send-Q and accept queues by the kernel; unacknowledged bytes and closed windows by
//! the wire.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::base::{Endpoint, Timestamp};
use crate::engine::{AcceptRow, FlowId, Ownership, QueueRow, WireQueueRow};
use crate::ui::{QueueItem, queue_items};

use super::Context;
use super::format::{age, bytes, count, endpoint, owner};
use super::theme::Severity;
use super::widgets::{bar, fit, gap, left, pane, put_all, right, spark, styled, title, width};

/// A Recv-Q that has not been empty for this long is marked: its process is slow, or does not read.
const LONG: Duration = Duration::from_secs(10);

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.queues);
    let rest = match (&data.kernel, context.dashboard.sees.wire) {
        (Some(_), _) => "fullest first",
        (None, true) => "by the wire; the kernel's: not recorded",
        (None, false) => "",
    };
    let inner = pane(buf, area, title("Queues", rest, theme), focused, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines: Vec<Line<'static>> =
        queue_items(data, height).into_iter().filter_map(|item| item_line(context, item, room)).collect();
    if lines.is_empty() {
        lines.push(Line::from(styled(empty(context), theme.dim)));
    }
    if let Some(line) = overflows(context)
        && lines.len() < height
    {
        lines.push(line);
    }
    put_all(buf, inner, &lines);
}

fn empty(context: &Context<'_>) -> &'static str {
    match (&context.dashboard.queues.kernel, context.dashboard.sees.wire) {
        (Some(_), _) => "every queue is empty",
        (None, true) => "nothing unacknowledged, no window closed",
        (None, false) => "waiting for the first segment or socket",
    }
}

fn overflows(context: &Context<'_>) -> Option<Line<'static>> {
    let kernel = context.dashboard.queues.kernel.as_ref()?;
    let (overflows, drops) = (kernel.listen_overflows.unwrap_or(0), kernel.listen_drops.unwrap_or(0));
    if overflows == 0 && drops == 0 {
        return None;
    }
    let theme = context.theme;
    let text = format!("listeners since start: {} overflows, {} drops", count(overflows), count(drops));
    let mark = styled(format!("{} ", Severity::Warning.mark()), theme.warning);
    Some(Line::from(vec![mark, styled(text, theme.warning)]))
}

fn item_line(context: &Context<'_>, item: QueueItem, room: usize) -> Option<Line<'static>> {
    let data = &context.dashboard.queues;
    let kernel = data.kernel.as_ref();
    match item {
        QueueItem::Recv(at) => kernel?.recv.get(at).map(|row| socket_line(context, "Recv-Q", row, room)),
        QueueItem::Send(at) => kernel?.send.get(at).map(|row| socket_line(context, "Send-Q", row, room)),
        QueueItem::Accept(at) => kernel?.accept.get(at).map(|row| accept_line(context, row, room)),
        QueueItem::Wire(at) => data.wire.get(at).map(|row| wire_line(context, row, room)),
    }
}

/// What every line of the pane is made of.
struct Parts<'a> {
    severity: Option<Severity>,
    kind: &'static str,
    amount: String,
    /// Part and whole, where there is a limit.
    fill: Option<(u64, u64)>,
    history: &'a [u64],
    since: Option<Timestamp>,
    owner: String,
    ends: Vec<(&'static str, Endpoint)>,
    flow: Option<FlowId>,
}

fn socket_line(context: &Context<'_>, kind: &'static str, row: &QueueRow, room: usize) -> Line<'static> {
    let long = kind == "Recv-Q" && context.ago(row.since) >= LONG;
    let parts = Parts {
        severity: long.then_some(Severity::Warning),
        kind,
        amount: bytes(u64::from(row.bytes)),
        fill: row.limit.map(|limit| (u64::from(row.bytes), u64::from(limit))),
        history: &row.history,
        since: Some(row.since),
        owner: known_owner(&row.owner),
        ends: vec![("", row.local), (if kind == "Recv-Q" { " ← " } else { " → " }, row.peer)],
        flow: Some(row.flow),
    };
    line(context, &parts, room)
}

fn accept_line(context: &Context<'_>, row: &AcceptRow, room: usize) -> Line<'static> {
    let over = row.limit.is_some_and(|limit| row.waiting > limit);
    let limit = row.limit.map_or_else(|| "?".to_owned(), |limit| count(u64::from(limit)));
    let parts = Parts {
        severity: over.then_some(Severity::Critical),
        kind: "accept",
        amount: format!("{}/{limit}", count(u64::from(row.waiting))),
        fill: row.limit.map(|limit| (u64::from(row.waiting), u64::from(limit))),
        history: &row.history,
        since: None,
        owner: known_owner(&row.owner),
        ends: vec![("", row.local)],
        flow: None,
    };
    line(context, &parts, room)
}

fn wire_line(context: &Context<'_>, row: &WireQueueRow, room: usize) -> Line<'static> {
    let closed = row.zero_window_since.map(|since| format!("window closed for {}", age(context.ago(since))));
    let parts = Parts {
        severity: closed.is_some().then_some(Severity::Warning),
        kind: "unacked",
        amount: bytes(u64::from(row.unacked)),
        fill: None,
        history: &[],
        since: None,
        owner: closed.unwrap_or_default(),
        ends: vec![("", row.from), (" → ", row.to)],
        flow: Some(row.flow),
    };
    line(context, &parts, room)
}

fn known_owner(who: &Ownership) -> String {
    match who {
        Ownership::NotRecorded => "owner not recorded".to_owned(),
        other => owner(other),
    }
}

fn line(context: &Context<'_>, parts: &Parts<'_>, room: usize) -> Line<'static> {
    let theme = context.theme;
    let mark = parts.severity.map_or(" ", Severity::mark);
    let kind_style = parts.severity.map_or(theme.text, |severity| severity.style(theme));
    let mut spans = vec![
        styled(format!("{mark} "), kind_style),
        styled(left(parts.kind, 8), kind_style),
        styled(right(&parts.amount, 9), theme.strong),
    ];
    if room >= 60 {
        let bars = if room >= 100 { 12 } else { 8 };
        let text = parts.fill.map_or_else(|| " ".repeat(bars), |(part, whole)| bar(part, whole, bars));
        spans.extend([gap(2), styled(text, theme.bar)]);
    }
    if room >= 100 {
        let bars = if room >= 140 { 30 } else { 16 };
        spans.extend([gap(2), styled(left(&spark(parts.history, bars), bars), theme.spark)]);
    }
    let since = parts.since.map(|since| age(context.ago(since))).unwrap_or_default();
    spans.push(styled(right(&since, 8), kind_style));
    spans.push(gap(2));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.extend(who_and_where(context, parts, room.saturating_sub(used)));
    let selected = parts.flow.is_some() && parts.flow == context.ui.selected();
    let line = Line::from(spans);
    if selected { cursor_line(context, line, room) } else { line }
}

/// Owner, then the ends, as far as there is room for something that can be read.
fn who_and_where(context: &Context<'_>, parts: &Parts<'_>, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let ends_min: usize = parts.ends.iter().map(|(arrow, _)| width(arrow) + 15).sum();
    let who_room = if room >= ends_min + 16 { (room - ends_min - 2).min(28) } else { room };
    let mut spans = Vec::new();
    let mut rest = room;
    if !parts.owner.is_empty() {
        let who = if who_room == room { fit(&parts.owner, room).into_owned() } else { left(&parts.owner, who_room) };
        rest -= width(&who).min(rest);
        spans.push(styled(who, theme.text));
        if who_room == room || rest < ends_min {
            return spans;
        }
        spans.push(gap(2));
        rest = rest.saturating_sub(2);
    }
    let arrows: usize = parts.ends.iter().map(|(arrow, _)| width(arrow)).sum();
    let mut left_over = rest.saturating_sub(arrows);
    for (at, (arrow, end)) in parts.ends.iter().enumerate() {
        let text = endpoint(*end, left_over / (parts.ends.len() - at).max(1));
        left_over -= width(&text).min(left_over);
        spans.extend([styled(*arrow, theme.dim), styled(text, theme.text)]);
    }
    spans
}

/// The row under the cursor: marked at its left and styled to the pane's edge.
fn cursor_line(context: &Context<'_>, mut line: Line<'static>, room: usize) -> Line<'static> {
    let style = context.theme.cursor;
    line.spans.push(gap(room.saturating_sub(line.width())));
    if let Some(first) = line.spans.first_mut()
        && first.content.trim().is_empty()
    {
        first.content = "▸ ".into();
    }
    for span in &mut line.spans {
        span.style = span.style.patch(style);
    }
    line
}
