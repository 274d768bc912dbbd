//! The flow table: one line a connection; only the visible rows are laid out. Its columns are chosen by weight
//! (`flow_columns`). Grouped, it has a line for each group (`flow_groups`).

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::engine::{EndCell, FlowRow, Ownership, Rtt, Sort};
use crate::flow::{HandshakeOutcome, Side};

use super::flow_columns::{Column, Kind, columns, heading, is_number, marks_order};
use super::format::{ABSENT, bits, bytes, count, counted, endpoint, owner, owner_in, span};
use super::table::{direction, mark_cursor, summary};
use super::theme::Severity;
use super::widgets::{fit, gap, left, message, middle, pane, put, right, room_for_rows, styled, title, width};
use super::{Context, instants};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.flows);
    let (visible, room) = room_for_rows(area);
    let rows = visible_rows(context, visible);
    let columns = columns(context, &rows, room);
    let place = summary(context, data.matching, visible, ("", marks_order(context, &columns)));
    let inner = pane(buf, area, title("Flows", &place, theme), focused, theme);
    if data.matching == 0 {
        return message(buf, inner, &empty(context), theme);
    }
    let mut lines = inner.rows();
    if let Some(row) = lines.next() {
        put(buf, row, &head(context, &columns, Some(context.ui.sort())));
    }
    // Rows that the engine has not sent yet leave the top empty.
    let missing = data.offset.saturating_sub(context.ui.offset());
    for (flow, row) in rows.into_iter().zip(lines.skip(missing)) {
        let line = row_line(context, flow, &columns);
        put(buf, row, &line);
        if context.ui.selected() == Some(flow.id) {
            mark_cursor(context, row, buf);
        }
    }
}

/// The rows in sight of those that came.
pub(super) fn visible_rows<'a>(context: &Context<'a>, visible: usize) -> Vec<&'a FlowRow> {
    let data = &context.dashboard.flows;
    let skip = context.ui.offset().saturating_sub(data.offset);
    data.rows.iter().skip(skip).take(visible).collect()
}

pub(super) fn empty(context: &Context<'_>) -> String {
    let data = &context.dashboard.flows;
    match data.all {
        0 if context.dashboard.now.is_none() => context.none_of("segment or socket"),
        0 => context.none_of("TCP connection"),
        all => {
            let filter = context.ui.filter();
            format!("none of {} matches \"{}\"{}", counted(all as u64, "flow"), filter.text(), data.hint(filter))
        }
    }
}

/// What a column that gives way to others says in full.
pub(super) fn name_text(context: &Context<'_>, row: &FlowRow, kind: Kind) -> String {
    match kind {
        Kind::Orig => row.orig.endpoint.to_string(),
        Kind::Resp => format!("{} {}", arrow(row), row.resp.endpoint),
        Kind::Process => owners(context, row),
        Kind::Name => row.name.as_ref().map(|name| name.text.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// `→` where a SYN told who the originator is; `–` where it is only the first seen to send.
const fn arrow(row: &FlowRow) -> &'static str {
    if row.orig_known { "→" } else { "–" }
}

/// The headings; `sort` is the order by one of them, if it is by one.
pub(super) fn head(context: &Context<'_>, columns: &[Column], sort: Option<Sort>) -> Line<'static> {
    let theme = context.theme;
    let mut spans = Vec::new();
    for column in columns {
        let (name, key) = heading(column.kind);
        let name = instants::heading(context.ui.times(), name);
        let sorted = sort.filter(|sort| key == Some(sort.by));
        let arrow = sorted.map_or("", |sort| direction(sort.reverse));
        let style = if sorted.is_some() { theme.strong } else { theme.dim };
        let text = format!("{name}{arrow}");
        let text = if is_number(column.kind) { right(&text, column.width) } else { left(&text, column.width) };
        spans.extend([styled(text, style), gap(1)]);
    }
    spans.pop();
    Line::from(spans)
}

pub(super) fn row_line(context: &Context<'_>, row: &FlowRow, columns: &[Column]) -> Line<'static> {
    let mut spans = Vec::with_capacity(columns.len() * 2);
    for column in columns {
        spans.push(cell(context, row, *column));
        spans.push(gap(1));
    }
    spans.pop();
    Line::from(spans)
}

fn cell(context: &Context<'_>, row: &FlowRow, column: Column) -> Span<'static> {
    let theme = context.theme;
    let room = column.width;
    let plain = if row.closed { theme.dim } else { theme.text };
    let number = |n: Option<u64>, show: fn(u64) -> String| {
        let style = if n.unwrap_or(0) == 0 { theme.dim } else { plain };
        styled(right(&n.map_or_else(|| ABSENT.to_owned(), show), room), style)
    };
    match column.kind {
        Kind::Mark => match severity(row) {
            Some(severity) => styled(left(severity.mark(), room), severity.style(theme)),
            None => gap(room),
        },
        Kind::Process => styled(left(&owners_in(context, row, room), room), plain),
        Kind::Orig => styled(left(&endpoint(row.orig.endpoint, room), room), plain),
        Kind::Resp => {
            let place = room.saturating_sub(2);
            styled(format!("{} {}", arrow(row), left(&endpoint(row.resp.endpoint, place), place)), plain)
        }
        Kind::Name => match &row.name {
            // Names differ at either end, so what has no room goes from the middle.
            Some(name) => styled(left(&middle(&name.text, room), room), plain),
            None => styled(left(ABSENT, room), theme.dim),
        },
        Kind::State(side) => state_cell(context, row.end(side), room),
        Kind::NearState => {
            let near =
                if row.orig.local != Some(true) && row.resp.local == Some(true) { Side::Resp } else { Side::Orig };
            state_cell(context, row.end(near), room)
        }
        Kind::Outcome => outcome_cell(context, row.outcome, room),
        Kind::RecvQ => number(fullest(row, |end| end.recv_q), bytes),
        Kind::SendQ => number(fullest(row, |end| end.send_q), bytes),
        Kind::Rtt => {
            let text = match row.rtt {
                None => ABSENT.to_owned(),
                Some(Rtt::Kernel(time)) => format!("{}  ", span(time)),
                Some(Rtt::Handshake(time)) => format!("{} h", span(time)),
                Some(Rtt::Data(time)) => format!("{} d", span(time)),
            };
            styled(right(&text, room), plain)
        }
        Kind::Retrans if row.retrans.is_some() => number(row.retrans, count),
        Kind::Retrans => number(row.retrans_wire, |n| format!("~{}", count(n))),
        Kind::Lost => number(row.lost, count),
        Kind::Rate => number(row.bits_per_s, bits),
        Kind::Bytes => number(row.payload_bytes, bytes),
        Kind::Age => styled(right(&instants::instant(context, row.first), room), plain),
        Kind::Idle => styled(right(&instants::instant(context, row.last), room), plain),
    }
}

/// The fuller of the queues of the ends on this host.
fn fullest(row: &FlowRow, queue: fn(&EndCell) -> Option<u32>) -> Option<u64> {
    Side::BOTH.into_iter().filter_map(|side| queue(row.end(side))).max().map(u64::from)
}

fn severity(row: &FlowRow) -> Option<Severity> {
    let failed = row.outcome.is_some_and(HandshakeOutcome::is_failure);
    let differs = Side::BOTH.into_iter().any(|side| row.end(side).mismatch_since.is_some());
    (failed || differs).then_some(Severity::Warning)
}

fn outcome_cell(context: &Context<'_>, outcome: Option<HandshakeOutcome>, room: usize) -> Span<'static> {
    let theme = context.theme;
    let (text, style) = match outcome {
        None => (ABSENT, theme.dim),
        Some(outcome) if outcome.is_failure() => (outcome.name(), theme.warning),
        Some(outcome) => (outcome.name(), theme.dim),
    };
    styled(left(text, room), style)
}

/// The reported state, or the inferred one marked `~` where it is the newer, or the only one; `≠` where the two have
/// disagreed for long.
fn state_cell(context: &Context<'_>, end: &EndCell, room: usize) -> Span<'static> {
    let theme = context.theme;
    let (text, style): (String, Style) = match (end.reported, end.inferred) {
        (Some(state), _) if end.mismatch_since.is_some() => (format!("{} ≠", state.name()), theme.warning),
        (Some(state), _) if end.outdated.is_none() => (state.name().to_owned(), theme.state(state)),
        (_, Some(state)) => (format!("~{}", state.name()), theme.state(state)),
        (_, None) => (ABSENT.to_owned(), theme.dim),
    };
    styled(left(&text, room), style)
}

/// Who holds the ends on this host: both, where both are here.
fn owners(context: &Context<'_>, row: &FlowRow) -> String {
    owners_in(context, row, usize::MAX)
}

/// The same in at most `room` columns: the fds give way first, then the pids, then the middle of the names.
fn owners_in(context: &Context<'_>, row: &FlowRow, room: usize) -> String {
    let known =
        |end: &EndCell| (end.local != Some(false) || end.owner.is_elsewhere()) && end.owner != Ownership::NotRecorded;
    let both_unnamed = row.orig.owner == row.resp.owner && row.orig.owner.process().is_none();
    match (known(&row.orig), known(&row.resp)) {
        (true, true) if both_unnamed => owner_in(&row.orig.owner, room),
        (true, true) => {
            let (orig, resp) = (owner(&row.orig.owner), owner(&row.resp.owner));
            let both = width(&orig) + 3 + width(&resp);
            if both <= room {
                return format!("{orig} → {resp}");
            }
            let each = room.saturating_sub(3) / 2;
            if each < 12 {
                return names_in(&row.orig.owner, &row.resp.owner, room);
            }
            format!("{} → {}", owner_in(&row.orig.owner, each), owner_in(&row.resp.owner, each))
        }
        (true, false) => owner_in(&row.orig.owner, room),
        (false, true) => owner_in(&row.resp.owner, room),
        (false, false) if context.sees_kernel() => ABSENT.to_owned(),
        (false, false) => context.unread().to_owned(),
    }
}

/// `curl→nginx`: names alone, where there is no room for more of both.
fn names_in(orig: &Ownership, resp: &Ownership, room: usize) -> String {
    let name = |who: &Ownership| who.process().map_or_else(|| owner(who), |process| process.comm.to_string());
    let (orig, resp) = (name(orig), name(resp));
    let both = room.saturating_sub(1);
    let first = both.saturating_sub(width(&resp)).max(both / 2).min(width(&orig));
    format!("{}→{}", middle(&orig, first), middle(&resp, both.saturating_sub(first)))
}

/// `10.0.0.2:54321 → 10.0.0.5:80` in at most `room` columns.
pub(super) fn tuple(row: &FlowRow, room: usize) -> String {
    let room_of_both = room.saturating_sub(3);
    // What the one does not need, the other has.
    let orig = room_of_both.saturating_sub(width(&row.resp.endpoint.to_string())).max(room_of_both / 2);
    let orig = endpoint(row.orig.endpoint, orig);
    let resp = endpoint(row.resp.endpoint, room_of_both.saturating_sub(width(&orig)));
    fit(&format!("{orig} {} {resp}", arrow(row)), room).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_processes_are_named_however_narrow() {
        let who = |comm| super::super::fixture::held(4_121, comm, 5);
        let names = |a, b, room| names_in(&who(a), &who(b), room);
        assert_eq!(names("curl", "nginx", 15), "curl→nginx");
        assert_eq!(names("connect-test", "nginx", 15), "conn…test→nginx");
        assert_eq!(names("connect-test", "connect-server", 15), "con…est→con…ver");
        assert_eq!(names_in(&who("curl"), &Ownership::NoAccess, 15), "curl→no access");
    }
}
