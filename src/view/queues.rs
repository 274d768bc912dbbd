//! Queues, fullest first: Recv-Q, Send-Q and accept queues by the kernel; unacknowledged bytes and closed windows by
//! the wire.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::base::{Endpoint, Timestamp};
use crate::engine::{AcceptRow, FlowId, Ownership, QueueEntry, QueueRow, STUCK, WireQueueRow};
use crate::findings::{Finding, Kind, Subject};
use crate::ui::{QueueItem, overflows, queue_items, queues_in_use};

use super::Context;
use super::chart::{History, spark};
use super::format::{age, bytes, count, counted, endpoint, owner_in};
use super::theme::Severity;
use super::widgets::{bar, fit, gap, left, message, pane, put_all, right, styled, title, width};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.queues);
    let rest = match (&data.kernel, context.dashboard.sees.wire) {
        (Some(_), _) => "fullest first",
        // The first lines of the screen tell that the kernel's are not recorded.
        (None, true) => "by the wire",
        (None, false) => "",
    };
    let shown = queue_items(data, usize::from(area.height.saturating_sub(2))).len();
    // There may be more than came: how many in all is not claimed.
    let rest = match (shown < queues_in_use(data), rest) {
        (false, rest) => rest.to_owned(),
        (true, "fullest first") => format!("the {shown} fullest"),
        (true, rest) => format!("the {shown} fullest, {rest}"),
    };
    let rest = context.and_age_in(("Queues", area.width), &rest, |sight| Some(sight.at));
    let inner = pane(buf, area, title("Queues", &rest, theme), focused, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines: Vec<Line<'static>> =
        queue_items(data, height).into_iter().filter_map(|item| item_line(context, item, room)).collect();
    lines.extend(overflow_line(context));
    if lines.is_empty() {
        return message(buf, inner, &empty(context), theme);
    }
    put_all(buf, inner, &lines);
}

pub(super) fn empty(context: &Context<'_>) -> String {
    match (&context.dashboard.queues.kernel, context.dashboard.sees.wire) {
        (Some(_), _) => "every queue is empty".to_owned(),
        (None, true) if context.dashboard.queues.unknown_halves > 0 => {
            "no acknowledgment seen: what waits is not known".to_owned()
        }
        (None, true) => "nothing unacknowledged, no window closed".to_owned(),
        (None, false) => context.none_of("segment or socket"),
    }
}

fn overflow_line(context: &Context<'_>) -> Option<Line<'static>> {
    let theme = context.theme;
    let text = format!("accept: {}", overflow_words(context)?);
    let mark = styled(format!("{} ", Severity::Warning.mark()), theme.warning);
    Some(Line::from(vec![mark, styled(text, theme.warning)]))
}

/// What the kernel dropped at accept queues, if anything: `31 overflows, 31 drops seen`.
pub(super) fn overflow_words(context: &Context<'_>) -> Option<String> {
    let (overflows, drops) = overflows(&context.dashboard.queues)?;
    Some(format!("{}, {} seen", counted(overflows, "overflow"), counted(drops, "drop")))
}

fn item_line(context: &Context<'_>, item: QueueItem, room: usize) -> Option<Line<'static>> {
    let data = &context.dashboard.queues;
    let kernel = data.kernel.as_ref();
    match item {
        QueueItem::Recv(at) => {
            kernel?.recv.get(at).map(|row| line(context, &socket_parts(context, "Recv-Q", row), room))
        }
        QueueItem::Send(at) => {
            kernel?.send.get(at).map(|row| line(context, &socket_parts(context, "Send-Q", row), room))
        }
        QueueItem::Accept(at) => kernel?.accept.get(at).map(|row| line(context, &accept_parts(context, row), room)),
        QueueItem::Wire(at) => data.wire.get(at).map(|row| line(context, &wire_parts(context, row), room)),
    }
}

/// What every line of the pane is made of.
pub(super) struct Parts<'a> {
    pub(super) severity: Option<Severity>,
    pub(super) kind: &'static str,
    pub(super) amount: String,
    /// Part and whole, where there is a limit.
    pub(super) fill: Option<(u64, u64)>,
    pub(super) history: &'a [u64],
    pub(super) since: Option<Timestamp>,
    pub(super) who: Who<'a>,
    /// One or two.
    pub(super) ends: Vec<(&'static str, Endpoint)>,
    flow: Option<FlowId>,
}

/// What stands before the addresses.
pub(super) enum Who<'a> {
    Owner(&'a Ownership),
    Note(String),
}

impl Who<'_> {
    fn text(&self, room: usize) -> String {
        match self {
            Self::Owner(Ownership::NotRecorded) => fit("owner not recorded", room).into_owned(),
            Self::Owner(owner) => owner_in(owner, room),
            Self::Note(note) => fit(note, room).into_owned(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Note(note) if note.is_empty())
    }
}

/// The same for a row of the list of queues.
pub(super) fn entry_parts<'a>(context: &Context<'_>, entry: &'a QueueEntry) -> Parts<'a> {
    match entry {
        QueueEntry::Recv(row) => socket_parts(context, "Recv-Q", row),
        QueueEntry::Send(row) => socket_parts(context, "Send-Q", row),
        QueueEntry::Accept(_, _, row) => accept_parts(context, row),
        QueueEntry::Wire(row, Ownership::NotRecorded) => wire_parts(context, row),
        QueueEntry::Wire(row, owner) => Parts { who: Who::Owner(owner), ..wire_parts(context, row) },
    }
}

fn socket_parts<'a>(context: &Context<'_>, kind: &'static str, row: &'a QueueRow) -> Parts<'a> {
    let long = kind == "Recv-Q" && row.bytes > 0 && context.ago(row.since) >= STUCK;
    Parts {
        severity: long.then_some(Severity::Warning),
        kind,
        amount: bytes(u64::from(row.bytes)),
        fill: row.limit.map(|limit| (u64::from(row.bytes), u64::from(limit))),
        history: &row.history,
        since: Some(row.since),
        who: Who::Owner(&row.owner),
        ends: vec![("", row.local), (if kind == "Recv-Q" { " ← " } else { " → " }, row.peer)],
        flow: Some(row.flow),
    }
}

/// How bad it is that an accept queue is over its limit, where it is: what the finding about it says.
pub(super) fn accept_severity(
    context: &Context<'_>,
    local: Endpoint,
    waiting: u32,
    limit: Option<u32>,
) -> Option<Severity> {
    limit.filter(|limit| waiting > *limit)?;
    let subject = Subject::Listener(local);
    let about = |finding: &&Finding| finding.kind == Kind::AcceptOverflow && finding.subject == subject;
    let found = context.dashboard.findings.iter().find(about);
    found.map_or(Some(Severity::Warning), |finding| Severity::of(finding.severity))
}

fn accept_parts<'a>(context: &Context<'_>, row: &'a AcceptRow) -> Parts<'a> {
    let limit = row.limit.map_or_else(|| "?".to_owned(), |limit| count(u64::from(limit)));
    Parts {
        severity: accept_severity(context, row.local, row.waiting, row.limit),
        kind: "accept",
        amount: format!("{}/{limit}", count(u64::from(row.waiting))),
        fill: row.limit.map(|limit| (u64::from(row.waiting), u64::from(limit))),
        history: &row.history,
        since: row.full_since,
        who: Who::Owner(&row.owner),
        ends: vec![("", row.local)],
        flow: None,
    }
}

/// A closed window is told by its receiver, who does not read; unacknowledged bytes by their sender.
fn wire_parts<'a>(context: &Context<'_>, row: &WireQueueRow) -> Parts<'a> {
    let unacked = bytes(u64::from(row.unacked));
    let closed = row.zero_window_since.is_some();
    let (amount, note, ends) = if closed {
        let note = match waiting_to_be_sent(context, row) {
            Some(waiting) => format!("{} in peer's Send-Q", bytes(u64::from(waiting))),
            None if row.unacked == 0 => String::new(),
            None => format!("{unacked} unacked"),
        };
        ("closed".to_owned(), note, vec![("", row.to), (" ← ", row.from)])
    } else {
        (unacked, String::new(), vec![("", row.from), (" → ", row.to)])
    };
    Parts {
        severity: closed.then_some(Severity::Warning),
        kind: if closed { "window" } else { "unacked" },
        amount,
        fill: None,
        history: &[],
        since: row.zero_window_since,
        who: Who::Note(note),
        ends,
        flow: Some(row.flow),
    }
}

/// What the sender before a closed window still has to send, where its kernel told it.
fn waiting_to_be_sent(context: &Context<'_>, row: &WireQueueRow) -> Option<u32> {
    let dashboard = context.dashboard;
    let queued = dashboard.queues.kernel.as_ref().and_then(|kernel| {
        kernel.send.iter().find(|queue| queue.flow == row.flow && queue.local == row.from).map(|queue| queue.bytes)
    });
    let shown = || {
        let flow = dashboard.flows.rows.iter().find(|flow| flow.id == row.flow)?;
        [&flow.orig, &flow.resp].into_iter().find(|end| end.endpoint == row.from)?.send_q
    };
    queued.or_else(shown).filter(|n| *n > row.unacked)
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
    // Only the kernel tells limits and how a queue went.
    let kernel = context.sees_kernel();
    if room >= 60 && kernel {
        let bars = if room >= 140 { 12 } else { 8 };
        let text = parts.fill.map_or_else(|| " ".repeat(bars), |(part, whole)| bar(part, whole, bars));
        spans.extend([gap(2), styled(text, theme.bar)]);
    }
    if room >= 100 && kernel {
        let bars = if room >= 140 { 30 } else { 14 };
        spans.extend([gap(2), styled(spark(History::of_readings(parts.history), bars), theme.spark)]);
    }
    // Of what only the wire tells, a closed window alone has a time.
    let timed = kernel || context.dashboard.queues.wire.iter().any(|row| row.zero_window_since.is_some());
    let since = parts.since.map(|since| age(context.ago(since))).unwrap_or_default();
    spans.push(styled(right(&since, if timed { 7 } else { 0 }), kind_style));
    spans.push(gap(2));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.extend(who_and_where(context, parts, room.saturating_sub(used)));
    let selected = parts.flow.is_some() && parts.flow == context.ui.selected();
    let line = Line::from(spans);
    if selected { cursor_line(context, line, room) } else { line }
}

/// Columns of an owner with its fd, of its name alone, and of an end that can be read.
const OWNER: usize = 24;
const NAME: usize = 16;
const END: usize = 15;

/// Owner, then the ends, as far as there is room for something that can be read.
fn who_and_where(context: &Context<'_>, parts: &Parts<'_>, room: usize) -> Vec<Span<'static>> {
    if room < OWNER + 2 + 2 * END + 3 {
        return who_or_where(context, parts, room);
    }
    let theme = context.theme;
    if !context.sees_kernel() {
        // Nobody's owner is known: the ends stand first, then what is told of a closed window.
        let mut spans = ends(context, parts, room);
        let used: usize = spans.iter().map(Span::width).sum();
        if !parts.who.is_empty() {
            spans.extend([gap(2), styled(parts.who.text(room.saturating_sub(used + 2)), theme.dim)]);
        }
        return spans;
    }
    let text = if parts.who.is_empty() { String::new() } else { parts.who.text(OWNER) };
    let arrows: usize = parts.ends.iter().map(|(arrow, _)| width(arrow)).sum();
    // Long addresses take what a short owner leaves.
    let whole: usize = arrows + parts.ends.iter().map(|(_, end)| width(&end.to_string())).sum::<usize>();
    let owner = OWNER.min(room.saturating_sub(2 + whole)).max(width(&text));
    let mut spans = vec![styled(left(&text, owner), theme.text), gap(2)];
    spans.extend(ends(context, parts, room - owner - 2));
    spans
}

/// Where there is no room for all: who it is, then its far end; where there is nothing to say of who, where it is.
fn who_or_where(context: &Context<'_>, parts: &Parts<'_>, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    match parts.ends.last() {
        _ if parts.who.is_empty() && room >= 2 * END + 3 => ends(context, parts, room),
        _ if parts.who.is_empty() => {
            parts.ends.first().map(|(_, end)| styled(endpoint(*end, room), theme.text)).into_iter().collect()
        }
        Some((arrow, end)) if room >= NAME + 2 + END => {
            let arrow = arrow.trim_start();
            // A name can be shortened, a note cannot.
            let shortened = room.saturating_sub(2 + 2 + 21).clamp(NAME, OWNER);
            let owner = if matches!(parts.who, Who::Note(_)) { OWNER.min(room - 2 - END) } else { shortened };
            let text = parts.who.text(owner);
            // A long address takes what a short owner leaves.
            let whole = width(arrow) + width(&end.to_string());
            let left_over = room.saturating_sub(2 + whole);
            let owner = if width(&text) <= left_over { owner.min(left_over) } else { owner };
            let place = room.saturating_sub(owner + 2 + width(arrow));
            let who = styled(left(&text, owner), theme.text);
            vec![who, gap(2), styled(arrow, theme.dim), styled(endpoint(*end, place), theme.text)]
        }
        _ => vec![styled(parts.who.text(room), theme.text)],
    }
}

/// The ends in `room` columns.
fn ends(context: &Context<'_>, parts: &Parts<'_>, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let arrows: usize = parts.ends.iter().map(|(arrow, _)| width(arrow)).sum();
    let mut rest = room.saturating_sub(arrows);
    let mut spans = Vec::new();
    for (at, (arrow, end)) in parts.ends.iter().enumerate() {
        let text = endpoint(*end, rest / (parts.ends.len() - at).max(1));
        rest -= width(&text).min(rest);
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
