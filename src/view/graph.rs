//! A flow's numbers over time, after Stevens and tcptrace: what one end sent, what was acknowledged, up to where the
//! window went; below it round trips, bytes in flight and queues on the same axis, and one cursor through all of them.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::base::Timestamp;
use crate::engine::FlowDetail;
use crate::flow::Side;
use crate::ui::{FlowScreen, Segments, graph_parts};

use super::format::{bytes, span};
use super::graph_axis::{Axis, ticks};
use super::graph_charts::{Chart, queues};
use super::graph_points::Points;
use super::ladder::known_by;
use super::widgets::{gap, put, styled, width};
use super::{Context, flow_frame, graph_numbers, segment_detail};

pub(super) fn draw(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let screen = context.ui.flow();
    let shown = screen.entries(context.dashboard.now);
    let side = screen.side(shown);
    // Where the title has no room for it, the legend tells who sends.
    let way = match side {
        _ if area.width < 100 => "",
        Side::Orig => "orig → resp, r turns",
        Side::Resp => "resp → orig, r turns",
    };
    let inner = flow_frame::draw(context, detail, way, area, buf);
    let Some(entries) = flow_frame::entries(context, inner, buf) else { return };
    let (Some((from, to)), Segments::Read(transcript)) = (screen.window(entries), screen.segments()) else { return };
    let axis = Axis { from, to, zero: transcript.key.first };
    let parts = graph_parts(area, FlowScreen::has_queues(entries));
    let points = Points::of(entries, side, known_by(context, entries));
    legend(context, side, parts.legend, buf);
    graph_numbers::draw(context, &points, axis, parts.numbers, buf);
    let rtt: Vec<(Timestamp, u64)> = points.rtt.iter().map(|(at, rtt)| (*at, rtt.as_nanos() as u64)).collect();
    let charts = [
        Chart { name: "rtt", values: &rtt, holds: false, unit: |n| span(Duration::from_nanos(n)), area: parts.rtt },
        Chart { name: "in flight", values: &points.in_flight, holds: true, unit: bytes, area: parts.in_flight },
    ];
    charts.iter().for_each(|chart| chart.draw(context, axis, buf));
    queues(context, &points, axis, parts.queues, buf);
    ticks(context, axis, parts.axis, buf);
    let cursor = screen.cursor(entries.len());
    if let Some(column) = axis.place(entries[cursor].at, usize::from(parts.axis.width)) {
        let x = parts.axis.x + column as u16;
        let line = Rect { x, y: parts.numbers.y, width: 1, height: parts.axis.bottom() - parts.numbers.y };
        for position in line.positions() {
            if buf[position].symbol() == " " {
                buf[position].set_symbol("┊").set_style(context.theme.border);
            }
        }
        buf.set_style(line, context.theme.cursor);
    }
    segment_detail::draw(context, entries, cursor, parts.detail, buf);
}

/// What the lines and letters are.
fn legend(context: &Context<'_>, side: Side, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let sent = format!("sent by {}", side.name());
    let words = [
        ("⣿", theme.text, sent.as_str()),
        ("⠤", theme.good, "acked"),
        ("⠄", theme.dim, "window edge"),
        ("R", theme.warning, "sent again"),
        ("✗", theme.warning, "lost"),
        ("s", theme.info, "SACKed"),
        ("z", theme.warning, "window 0"),
        ("F X", theme.strong, "FIN RST"),
    ];
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (sign, style, word) in words {
        used += width(sign) + 1 + word.len() + 2;
        if used > usize::from(area.width) + 2 {
            break;
        }
        spans.extend([styled(sign, style), gap(1), styled(word, theme.dim), gap(2)]);
    }
    put(buf, area, &Line::from(spans));
}
