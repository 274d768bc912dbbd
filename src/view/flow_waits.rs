//! The opening of a flow: what the responder is called, and where the wait was, on one axis of time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::Timestamp;
use crate::engine::{FlowDetail, Opening, Wait};

use super::Context;
use super::format::span;
use super::widgets::{as_fit, fit, gap, left, pane, put_all, right, styled, title, width};

/// Columns of a wait's name and of its time.
const NAME: usize = 9;
const TIME: usize = 10;

pub(super) fn draw(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let Some(opening) = detail.opening.as_deref().filter(|_| area.height >= 3) else { return };
    let theme = context.theme;
    let most = usize::from(area.width).saturating_sub(14);
    let inner = pane(buf, area, title("Opening", &fit(&name(opening), most), theme), false, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let waits = detail.waits();
    let facts = detail.spoken();
    let facts = (!facts.is_empty()).then(|| Line::from(styled(as_fit(&facts, "  ", room), theme.text)));
    let mut lines: Vec<Line<'static>> = Vec::new();
    if waits.len() <= height && waits.len() > 1 {
        lines.extend(facts.filter(|_| waits.len() < height));
        lines.extend(axis(context, &waits, room));
    } else {
        lines.push(one_line(context, &waits, room));
        lines.splice(0..0, facts.filter(|_| height > 1 || waits.is_empty()));
        lines.truncate(height);
    }
    put_all(buf, inner, &lines);
}

/// The responder's name and whose word it is.
fn name(opening: &Opening) -> String {
    match opening.name() {
        Some(name) => format!("{}  by {}", name.text, name.by.name()),
        None => "name not recorded".to_owned(),
    }
}

/// Every wait on a line of its own, each bar where its time was: all of them share the axis.
fn axis(context: &Context<'_>, waits: &[Wait], room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let place = room.saturating_sub(NAME + TIME + 2);
    let begin = waits.iter().map(|wait| wait.from).min().unwrap_or_default();
    let end = waits.iter().map(|wait| wait.to.unwrap_or(wait.from)).max().unwrap_or_default();
    let line = |wait: &Wait| {
        let name = styled(left(wait.kind.name(), NAME), theme.dim);
        let Some(time) = wait.time() else {
            let (before, _) = place_of(wait.from, wait.from, [begin, end], place);
            let text = fit("end not recorded", place);
            let before = before.min(place.saturating_sub(width(&text)));
            return Line::from(vec![name, gap(TIME + 2 + before), styled(text, theme.dim)]);
        };
        let (before, long) = place_of(wait.from, wait.to.unwrap_or(wait.from), [begin, end], place);
        let bar = if long == 0 { "▏".to_owned() } else { "█".repeat(long) };
        let time = styled(right(&span(time), TIME), theme.strong);
        Line::from(vec![name, time, gap(2 + before), styled(bar, theme.spark)])
    };
    waits.iter().map(line).collect()
}

/// Columns before a bar, and of it: in proportion to the whole axis; 0 for less than half a column.
fn place_of(from: Timestamp, to: Timestamp, [begin, end]: [Timestamp; 2], room: usize) -> (usize, usize) {
    let whole = end.since(begin).as_nanos().max(1);
    let room = room.max(1) as u128;
    let column = |at: Timestamp| ((at.since(begin).as_nanos() * room * 2 + whole) / (whole * 2)).min(room) as usize;
    let (first, last) = (column(from), column(to));
    (first.min(room as usize - 1), last - first)
}

/// All waits on one line: names and times, then bars end to end in what is left.
fn one_line(context: &Context<'_>, waits: &[Wait], room: usize) -> Line<'static> {
    let theme = context.theme;
    let known: Vec<(&Wait, std::time::Duration)> = waits.iter().filter_map(|wait| Some((wait, wait.time()?))).collect();
    if known.is_empty() {
        return Line::from(styled("waits not recorded", theme.dim));
    }
    let times: Vec<String> = known.iter().map(|(wait, time)| format!("{} {}", wait.kind.name(), span(*time))).collect();
    let text = as_fit(&times, "  ", room);
    let place = room.saturating_sub(width(&text) + 2);
    let whole = known.iter().map(|(_, time)| time.as_nanos()).sum::<u128>().max(1);
    let mut spans = vec![styled(text, theme.text)];
    if place >= 8 && known.len() > 1 {
        spans.push(gap(2));
        // Dark and light in turn, so that where one ends the next is seen to begin.
        for ((_, time), block) in known.iter().zip(["█", "▒"].iter().cycle()) {
            let long = (time.as_nanos() * place as u128 / whole) as usize;
            spans.push(styled(block.repeat(long), theme.spark));
        }
    }
    Line::from(spans)
}
