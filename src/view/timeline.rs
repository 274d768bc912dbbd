//! The timeline: how dense the traffic was when, where findings were made and handshakes failed, where one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::base::Moments;
use crate::ui::{Axis, Track};

use super::Context;
use super::ink::{LEVELS, level};
use super::theme::Severity;
use super::widgets::{put, styled};

/// Where a mark stands, where one is, and what was sent again.
const MARK: &str = "◆";
const HERE: &str = "▲";
const AGAIN: &str = "r";
const FAILED: &str = "×";

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let Some(track) = context.source.track.as_ref().filter(|_| !area.is_empty()) else { return };
    let axis = Axis::of(track, context.source.playback.as_ref(), area.width);
    let parts = track.timeline.parts(axis.from, axis.to, usize::from(area.width)).0;
    let densest = parts.iter().map(|part| part.segments.into()).max().unwrap_or(0);
    let here = context.dashboard.now.map(|now| axis.column(now));
    legend(context, area, buf);
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
            let (symbol, style) = match sign {
                // Its colour tells what stands there.
                sign if at_cursor => (HERE, sign.map_or(context.theme.strong, |(_, style)| style)),
                sign => sign.unwrap_or((" ", context.theme.dim)),
            };
            put_cell(buf, Rect { y: cell.y + 1, ..cell }, symbol, style);
        } else {
            let (symbol, style) = sign.unwrap_or((&density, context.theme.spark));
            put_cell(buf, cell, symbol, style);
        }
    }
}

/// What the signs are, at the right of the line above, as far as nothing stands there.
fn legend(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let signs = [
        (MARK, theme.info, "mark"),
        (Severity::Warning.mark(), theme.warning, "finding"),
        (FAILED, theme.critical, "failed handshake"),
        (AGAIN, theme.text, "sent again"),
    ];
    let line = Line::from_iter(
        signs
            .into_iter()
            .flat_map(|(sign, style, word)| [styled(format!("  {sign} "), style), styled(word, theme.dim)]),
    );
    let width = line.width() as u16;
    let (Some(x), Some(y)) = (area.right().checked_sub(width), area.y.checked_sub(1)) else { return };
    let place = Rect { x, y, width, height: 1 };
    if area.height > 1 && place.positions().all(|position| buf[position].symbol() == " ") {
        put(buf, place, &line);
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
    if track.marks.iter().any(|mark| axis.column(mark.ts) == column) {
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
