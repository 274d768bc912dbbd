//! The flow table in groups: a line a group with the sums of its flows, in the columns of the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{FlowRow, GroupBy, GroupKey, GroupLine, GroupRow, Keyed, ListPane};

use super::Context;
use super::flow_columns::{self, Column, Kind};
use super::flows;
use super::format::{ABSENT, bits, bytes, count, process};
use super::table::{mark_cursor, summary};
use super::widgets::{fit, gap, left, message, middle, pane, put, right, room_for_rows, styled, title, width};

pub(super) fn draw(context: &Context<'_>, by: GroupBy, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let window = if let ListPane::Groups(window) = &context.dashboard.list { Some(window) } else { None };
    let (height, room) = room_for_rows(area);
    let skip = window.map_or(0, |window| context.ui.offset().saturating_sub(window.offset));
    let all = window.map_or(&[][..], |window| &window.rows);
    let visible: Vec<&GroupLine> = all.iter().skip(skip).take(height).collect();
    let known: Vec<&FlowRow> = visible.iter().copied().filter_map(flow_of).collect();
    let columns = flow_columns::columns(context, &known, room);
    let around = (" rows", flow_columns::marks_order(context, &columns));
    let place = summary(context, window.map_or(0, |window| window.matching), height, around);
    let rest = format!("{place}   grouped by {}", by.name());
    let inner = pane(buf, area, title("Flows", &rest, theme), true, theme);
    let Some(window) = window else { return };
    if window.matching == 0 {
        return message(buf, inner, &flows::empty(context), theme);
    }
    let mut rows = inner.rows();
    if let Some(row) = rows.next() {
        put(buf, row, &flows::head(context, &columns, Some(context.ui.sort())));
    }
    let missing = window.offset.saturating_sub(context.ui.offset());
    for (line, row) in visible.into_iter().zip(rows.skip(missing)) {
        let drawn = match line {
            GroupLine::Group(group) => group_line(context, group, &columns),
            GroupLine::Flow(flow) => flows::row_line(context, flow, &columns),
        };
        put(buf, row, &drawn);
        if context.ui.row() == Some(line.key()) {
            mark_cursor(context, row, buf);
        }
    }
}

fn flow_of(line: &GroupLine) -> Option<&FlowRow> {
    if let GroupLine::Flow(row) = line { Some(row) } else { None }
}

/// Its name and how many flows it has, in place of the columns of text; sums under the numbers.
fn group_line(context: &Context<'_>, row: &GroupRow, columns: &[Column]) -> Line<'static> {
    let theme = context.theme;
    let texts = columns.iter().take_while(|column| !flow_columns::is_number(column.kind)).count();
    let room: usize = columns[..texts].iter().map(|column| column.width + 1).sum::<usize>().saturating_sub(1);
    let mut spans = lead(context, row, room);
    for column in &columns[texts..] {
        let number = |n: Option<u64>, show: fn(u64) -> String| {
            let style = if n.unwrap_or(0) == 0 { theme.dim } else { theme.strong };
            styled(right(&n.map_or_else(|| ABSENT.to_owned(), show), column.width), style)
        };
        spans.push(gap(1));
        spans.push(match column.kind {
            Kind::RecvQ => number(row.recv_q, bytes),
            Kind::SendQ => number(row.send_q, bytes),
            Kind::Retrans => number(row.retrans_wire, |n| format!("~{}", count(n))),
            Kind::Rate => number(row.bits_per_s, bits),
            Kind::Bytes => number(row.payload_bytes, bytes),
            _ => gap(column.width),
        });
    }
    Line::from(spans)
}

fn lead(context: &Context<'_>, row: &GroupRow, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let flows = if row.flows == 1 { "flow" } else { "flows" };
    let closed = if row.closed > 0 { format!(", {} closed", count(row.closed)) } else { String::new() };
    let sums = format!("{} {flows}{closed}", count(row.flows));
    let name = match (row.key, &row.process) {
        (GroupKey::Process(_), Some(who)) => process(who),
        (GroupKey::Process(id), None) => format!("[{}]", id.pid),
        (GroupKey::NoProcess, _) if context.sees_kernel() => "process not known".to_owned(),
        (GroupKey::NoProcess, _) => "process not recorded".to_owned(),
        (GroupKey::Peer(ip), _) => ip.to_string(),
        (GroupKey::Port(port), _) => format!("port {port}"),
    };
    let place = room.saturating_sub(2 + 2 + width(&sums)).min(width(&name).clamp(26, 39));
    let name = left(&middle(&name, place), place);
    let rest = room.saturating_sub(2 + place + 2);
    vec![
        styled(if row.open { "− " } else { "+ " }, theme.dim),
        styled(name, theme.strong),
        gap(2),
        styled(left(&fit(&sums, rest), rest), theme.text),
    ]
}
