//! The timeline: how dense the traffic was when, where findings were made and handshakes failed, where one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::base::Moments;
use crate::ui::{Axis, Track};

use super::Context;
use super::theme::Severity;
use super::widgets::{LEVELS, level, put, styled};

/// Where a mark stands, where one is, and what was sent again.
const MARK: &str = "◆";
const HERE: &str = "▲";
const AGAIN: &str = "r";
const FAILED: &str = "×";

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let Some(track) = context.source.track.as_ref().filter(|_| !area.is_empty()) else { return };
    let axis = Axis { from: track.from, to: track.to, width: area.width };
    let parts = track.timeline.parts(track.from, track.to, usize::from(area.width)).0;
    let densest = parts.iter().map(|part| part.segments.into()).max().unwrap_or(0);
    let here = context.dashboard.now.map(|now| axis.column(now));
    let read = track.timeline.end().map_or(0, |end| axis.column(end));
    for (column, part) in (0..area.width).zip(&parts) {
        let at_cursor = here == Some(column);
        let cell = Rect { x: area.x + column, width: 1, height: 1, ..area };
        let put_cell = |buf: &mut Buffer, cell: Rect, symbol: &str, style: Style| {
            let style = if at_cursor { style.add_modifier(Modifier::REVERSED) } else { style };
            put(buf, cell, &Line::from(styled(symbol, style)));
        };
        let density = match part.segments {
            0 if column > read => "┈".to_owned(),
            0 => " ".to_owned(),
            segments => LEVELS[level(segments.into(), densest, LEVELS.len() - 1)].to_string(),
        };
        let sign = sign(context, track, &axis, column, part, area.height > 1);
        if area.height > 1 {
            put_cell(buf, cell, &density, context.theme.spark);
            let (symbol, style) =
                sign.unwrap_or(if at_cursor { (HERE, context.theme.strong) } else { (" ", context.theme.dim) });
            put_cell(buf, Rect { y: cell.y + 1, ..cell }, symbol, style);
        } else {
            let (symbol, style) = sign.unwrap_or((&density, context.theme.spark));
            put_cell(buf, cell, symbol, style);
        }
    }
}

/// What of a column is told by a sign: the worst.
fn sign(
    context: &Context<'_>,
    track: &Track,
    axis: &Axis,
    column: u16,
    part: &Moments,
    roomy: bool,
) -> Option<(&'static str, Style)> {
    let theme = context.theme;
    if track.marks.iter().any(|mark| axis.column(mark.at) == column) {
        return Some((MARK, theme.info));
    }
    if part.findings > 0 {
        return Some((Severity::Warning.mark(), theme.warning));
    }
    if part.failures > 0 {
        return Some((FAILED, theme.critical));
    }
    // In one line they would hide how dense the traffic was.
    (roomy && part.retransmissions > 0).then_some((AGAIN, theme.text))
}
