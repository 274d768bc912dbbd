//! A flow's ladder: its segments as arrows between its ends, the times at the left, both ends' states at the sides.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::base::{TcpState, Timestamp};
use crate::engine::{Call, Entry, EntryKind, FlowDetail, Queues};
use crate::flow::Side;
use crate::ui::{Item, Segments, TimeStyle, ladder_parts, wrap};

use super::format::{bytes, clock_ms, count, endpoint, owner_in, process, span};
use super::widgets::{fit, gap, left, pane, put, right, room_for_rows, styled, title, width};
use super::{Context, flow_frame, ladder_arrow, segment_detail, segment_words};

/// Columns of a state, and of a time.
const STATE: usize = 10;
const TIME: usize = 10;
const CLOCK: usize = 12;
/// From this room on, what is told of a segment has a column of its own.
const NOTES_FROM: usize = 150;

/// How the columns of a ladder are divided.
#[derive(Debug, Clone, Copy)]
struct Columns {
    time: usize,
    arrows: usize,
    notes: usize,
}

impl Columns {
    fn of(context: &Context<'_>, room: usize) -> Self {
        let time = if context.ui.times() == TimeStyle::Absolute { CLOCK } else { TIME };
        let sides = 2 * (STATE + 1) + time + 1;
        let notes = if room >= NOTES_FROM { (room - sides) * 2 / 5 } else { 0 };
        Self { time, arrows: room.saturating_sub(sides + notes), notes: notes.saturating_sub(2) }
    }
}

pub(super) fn draw(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let parts = ladder_parts(area);
    let screen = context.ui.flow();
    let entries = screen.entries(context.dashboard.now);
    let items = screen.items(entries);
    let height = usize::from(parts.rows.height);
    let offset = screen.offset(&items, entries.len(), height);
    let shown = items.len().min(offset + height);
    let place = match items.get(offset).zip(shown.checked_sub(1).and_then(|last| items.get(last))) {
        Some(_) if items.len() > height => format!("{}–{} of {}", offset + 1, shown, count(items.len() as u64)),
        _ => String::new(),
    };
    let rest: Vec<String> =
        [place].into_iter().filter(|place| !place.is_empty()).chain(flow_frame::left_out(context)).collect();
    let inner = flow_frame::draw(context, detail, &rest.join("  "), area, buf);
    let Some(entries) = flow_frame::entries(context, inner, buf) else { return };
    let columns = Columns::of(context, usize::from(parts.rows.width));
    head(context, detail, columns, parts.head, buf);
    let cursor = screen.cursor(entries.len());
    for (line, item) in parts.rows.rows().zip(items.iter().skip(offset)) {
        let row = Row { context, entries, columns, top: line.y == parts.rows.y };
        put(buf, line, &Line::from(row.spans(item)));
        let under = match item {
            Item::Entry(entry) => *entry == cursor,
            Item::Fold(fold) => fold.entries.contains(&cursor),
            Item::Gap(_) => false,
        };
        if under {
            buf.set_style(line, context.theme.cursor);
        }
    }
    story(context, detail, columns, parts.rows, items.len() - offset, buf);
    segment_detail::draw(context, entries, cursor, parts.detail, buf);
}

/// The beginning of the ladder, below what else is told of a flow.
pub(super) fn draw_beginning(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let screen = context.ui.flow();
    let entries = screen.entries(context.dashboard.now);
    let items = screen.items(entries);
    let (height, _) = room_for_rows(area);
    let shown = items.len().min(height);
    let place =
        if shown < items.len() { format!("1–{shown} of {}, ", count(items.len() as u64)) } else { String::new() };
    let inner = pane(buf, area, title("Ladder", &format!("{place}l opens it"), theme), false, theme);
    let mut lines = inner.rows();
    let columns = Columns::of(context, usize::from(inner.width));
    if let Some(line) = lines.next() {
        head(context, detail, columns, line, buf);
    }
    for (at, (line, item)) in lines.zip(&items).enumerate() {
        let row = Row { context, entries, columns, top: at == 0 };
        put(buf, line, &Line::from(row.spans(item)));
    }
}

/// What the flow does now, below its last row, where there is room.
fn story(context: &Context<'_>, detail: &FlowDetail, columns: Columns, rows: Rect, used: usize, buf: &mut Buffer) {
    let before = STATE + 1 + columns.time + 1;
    let lines = wrap(&detail.story, columns.arrows);
    if used + 1 + lines.len() > usize::from(rows.height) {
        return;
    }
    let below = Rect { y: rows.y + used as u16 + 1, height: rows.height - used as u16 - 1, ..rows };
    for (at, (line, row)) in lines.into_iter().zip(below.rows()).enumerate() {
        let label = right(if at == 0 { "now" } else { "" }, before - 1);
        put(buf, row, &Line::from(vec![styled(label, context.theme.dim), gap(1), styled(line, context.theme.strong)]));
    }
}

/// Who stands at the sides.
fn head(context: &Context<'_>, detail: &FlowDetail, columns: Columns, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let before = STATE + 1 + columns.time + 1;
    let room = columns.arrows / 2;
    let name = |side: Side| {
        let end = detail.row.end(side);
        let who = end.owner.process().map(|_| owner_in(&end.owner, room.saturating_sub(1)));
        let full = |who: &String| format!("{who}  {}", end.endpoint);
        match who {
            Some(who) if width(&full(&who)) < room => full(&who),
            Some(who) => who,
            None => endpoint(end.endpoint, room.saturating_sub(1)),
        }
    };
    let (orig, resp) = (name(Side::Orig), name(Side::Resp));
    let between = columns.arrows.saturating_sub(width(&orig) + width(&resp));
    let mut spans =
        vec![styled(left("orig", STATE + 1), theme.dim), styled(right("time", columns.time), theme.dim), gap(1)];
    spans.extend([styled(orig, theme.strong), gap(between), styled(resp, theme.strong), styled(" resp", theme.dim)]);
    if columns.notes > 0 {
        spans.push(gap((before + columns.arrows + STATE + 3).saturating_sub(Line::from(spans.clone()).width())));
        spans.push(styled("what is known of it", theme.dim));
    }
    put(buf, area, &Line::from(spans));
}

/// One line of the ladder.
struct Row<'a> {
    context: &'a Context<'a>,
    entries: &'a [Entry],
    columns: Columns,
    /// The first in sight: it tells the states that were entered above it.
    top: bool,
}

impl Row<'_> {
    fn spans(&self, item: &Item) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let room = self.columns.arrows;
        let (at, between, notes) = match item {
            Item::Gap(time) => {
                let between = ladder_arrow::pause(self.context, &format!("·  {}  ·", span(*time)), room);
                return [vec![gap(STATE + 1), gap(self.columns.time + 1)], between].concat();
            }
            Item::Entry(at) => (*at, self.happening(*at), self.notes(*at)),
            Item::Fold(fold) => {
                let ends = &self.entries[fold.entries.clone()];
                let took =
                    ends.first().zip(ends.last()).map_or(Duration::ZERO, |(first, last)| last.at.since(first.at));
                (
                    fold.entries.start,
                    ladder_arrow::fold(self.context, fold, took, room),
                    Some("Enter unfolds".to_owned()),
                )
            }
        };
        let [orig, resp] = Side::BOTH.map(|side| self.state(at, side));
        let mut spans = vec![
            styled(right(orig.0, STATE), orig.1),
            gap(1),
            styled(right(&time(self.context, self.entries, at), self.columns.time), theme.dim),
            gap(1),
        ];
        spans.extend(between);
        spans.extend([gap(1), styled(left(resp.0, STATE), resp.1)]);
        if let Some(notes) = notes.filter(|_| self.columns.notes > 0) {
            spans.extend([gap(2), styled(fit(&notes, self.columns.notes).into_owned(), theme.dim)]);
        }
        spans
    }

    /// A state where it is entered; in the first line that is in sight, the one that holds.
    fn state(&self, at: usize, side: Side) -> (&'static str, Style) {
        let theme = self.context.theme;
        let state = |at: usize| self.entries[at].states[side.index()];
        let before = at.checked_sub(1).and_then(state);
        match state(at) {
            Some(now) if before != Some(now) => (now.name(), theme.state(now)),
            Some(now) if self.top => (now.name(), theme.dim),
            _ => ("", theme.dim),
        }
    }

    fn happening(&self, at: usize) -> Vec<Span<'static>> {
        let (context, room, theme) = (self.context, self.columns.arrows, self.context.theme);
        let entry = &self.entries[at];
        let known = known_by(self.context, self.entries);
        match &entry.what {
            EntryKind::Segment(arrow) => ladder_arrow::segment(context, arrow, known, room, self.columns.notes > 0),
            EntryKind::Time => ladder_arrow::pause(context, timer(self.entries, at), room),
            EntryKind::Queues(queues) => {
                ladder_arrow::note(context, queues.side, &queue_words(*queues, &self.entries[..at]), theme.info, room)
            }
            EntryKind::Gone(side) => ladder_arrow::note(context, *side, "the kernel holds it no more", theme.dim, room),
            EntryKind::Called(side, call, process) => {
                ladder_arrow::note(context, *side, &call_words(*call, process.as_deref()), theme.info, room)
            }
            EntryKind::Icmp(side, quote) => {
                let text = format!("ICMP from {}: {}", quote.from, quote.error);
                ladder_arrow::note(context, *side, &text, theme.warning, room)
            }
        }
    }

    /// What has no place on the arrow.
    fn notes(&self, at: usize) -> Option<String> {
        let entry = &self.entries[at];
        let EntryKind::Segment(arrow) = &entry.what else { return None };
        let known = known_by(self.context, self.entries);
        let trouble = segment_words::trouble(arrow, known).map(|trouble| trouble.full);
        let in_flight = entry.in_flight[arrow.from.index()].filter(|_| arrow.segment.payload_len > 0);
        let in_flight = in_flight.map(|unacked| format!("{} in flight", bytes(unacked.into())));
        let parts: Vec<String> = [trouble, segment_words::round_trip(arrow), in_flight].into_iter().flatten().collect();
        Some(parts.join("  "))
    }
}

/// Up to when evidence counts: the dashboard's instant.
pub(super) fn known_by(context: &Context<'_>, entries: &[Entry]) -> Timestamp {
    context.dashboard.now.or_else(|| entries.last().map(|last| last.at)).unwrap_or_default()
}

/// When an entry was: since the flow's first segment, since the entry before, or by the clock.
pub(super) fn time(context: &Context<'_>, entries: &[Entry], at: usize) -> String {
    let entry = &entries[at];
    let first = match context.ui.flow().segments() {
        Segments::Read(transcript) => transcript.key.first,
        _ => entries[0].at,
    };
    match context.ui.times() {
        TimeStyle::Absolute => clock_ms(entry.at, &context.theme.zone),
        TimeStyle::Relative => seconds(entry.at.since(first), TIME),
        TimeStyle::Delta => {
            let before = at.checked_sub(1).map_or(first, |before| entries[before].at);
            format!("+{}", seconds(entry.at.since(before), TIME - 1))
        }
    }
}

/// Seconds with as many decimals as there is room for, six at most.
pub(super) fn seconds(time: Duration, room: usize) -> String {
    let whole = time.as_secs().to_string().len();
    let decimals = room.saturating_sub(whole + 1).min(6);
    // Cut, not rounded: a time is never told before it is over.
    let digits = format!("{:09}", time.subsec_nanos());
    match decimals {
        0 => time.as_secs().to_string(),
        _ => format!("{}.{}", time.as_secs(), &digits[..decimals]),
    }
}

/// What only time changed.
fn timer(entries: &[Entry], at: usize) -> &'static str {
    let was = at.checked_sub(1).map(|before| entries[before].states);
    match was {
        Some(states) if states.contains(&Some(TcpState::TimeWait)) => "TIME-WAIT is over",
        Some(states) if states.contains(&Some(TcpState::SynSent)) => "given up: no answer came",
        _ => "over: a newer connection has these ports",
    }
}

/// The queues of an end, and what they were in the reading before.
fn queue_words(queues: Queues, before: &[Entry]) -> String {
    let last = before.iter().rev().find_map(|entry| match entry.what {
        EntryKind::Queues(was) if was.side == queues.side => Some(was),
        _ => None,
    });
    let change = |name: &str, was: Option<u32>, is: Option<u32>| match (was, is) {
        (Some(was), Some(is)) if was != is => Some(format!("{name} {} → {}", bytes(was.into()), bytes(is.into()))),
        (None, Some(is)) => Some(format!("{name} {}", bytes(is.into()))),
        _ => None,
    };
    let parts = [
        change("Recv-Q", last.map(|was| was.recv_q), Some(queues.recv_q)),
        change("Send-Q", last.and_then(|was| was.send_q), queues.send_q),
        last.is_none_or(|was| was.state != queues.state).then(|| format!("kernel: {}", queues.state)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn call_words(call: Call, by: Option<&crate::kernel::Process>) -> String {
    let what = match call {
        Call::Connect(Some(true)) => "connect() done",
        Call::Connect(Some(false)) => "connect() over, no connection",
        Call::Connect(None) => "connect()",
        Call::Close => "close()",
    };
    by.map_or_else(|| what.to_owned(), |by| format!("{what} by {}", process(by)))
}
