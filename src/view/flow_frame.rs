//! The frame of one flow's view: its border, name and parts; and what stands where its segments are not there.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{Entry, FlowDetail};
use crate::ui::{Segments, part_tabs};

use super::format::count;
use super::theme::Theme;
use super::widgets::{message, pane, put, styled, title, width};
use super::{Context, flows};

/// Draws the border of the whole view, with `rest` behind the flow's name; gives its inside.
pub(super) fn draw(context: &Context<'_>, detail: &FlowDetail, rest: &str, area: Rect, buf: &mut Buffer) -> Rect {
    let name = name(context, detail, rest, area);
    let inner = pane(buf, area, name, true, context.theme);
    tabs(context, area, buf);
    inner
}

/// The flow's number and ends, as far as there is room, then `rest`.
pub(super) fn name(context: &Context<'_>, detail: &FlowDetail, rest: &str, area: Rect) -> Vec<Span<'static>> {
    let tabs = part_tabs(area).first().map_or(area.right(), |(_, first)| first.x);
    let room = usize::from(tabs - area.x).saturating_sub(12 + width(rest) + usize::from(!rest.is_empty()) * 2);
    let number = detail.row.id.to_string();
    let ends = flows::tuple(&detail.row, room.saturating_sub(width(&number)));
    let mut spans = title(&format!("Flow {number}"), &ends, context.theme);
    if !rest.is_empty() {
        spans.push(styled(format!("  {rest}"), context.theme.dim));
    }
    spans
}

/// The tabs of the parts on the top border, the one that is shown lit.
pub(super) fn tabs(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let Theme { cursor, text, .. } = *context.theme;
    for (part, rect) in part_tabs(area) {
        let style = if part == context.ui.flow().part() { cursor } else { text };
        buf.set_style(rect, ratatui::style::Style::new().remove_modifier(ratatui::style::Modifier::all()));
        put(buf, rect, &Line::from(styled(format!(" {} ", part.name()), style)));
    }
}

/// The flow's entries by now; where there are none, why.
pub(super) fn entries<'a>(context: &Context<'a>, area: Rect, buf: &mut Buffer) -> Option<&'a [Entry]> {
    let say = |buf: &mut Buffer, text: &str| message(buf, area, text, context.theme);
    match context.ui.flow().segments() {
        Segments::Unknown => say(buf, "looking for its segments …"),
        Segments::Reading(progress) => {
            let how_far = progress.and_then(|progress| super::format::percent(progress.done, progress.whole));
            let how_far = how_far.map(|percent| format!(": {percent}")).unwrap_or_default();
            say(buf, &format!("reading its segments again{how_far} …"));
        }
        Segments::Missing(why) => say(buf, &format!("no segments to show: {why}")),
        Segments::Read(_) => {
            let entries = context.ui.flow().entries(context.dashboard.now);
            if !entries.is_empty() {
                return Some(entries);
            }
            say(buf, "none of its segments has come yet");
        }
    }
    None
}

/// What had to be left out of a long flow, if anything.
pub(super) fn left_out(context: &Context<'_>) -> Option<String> {
    let Segments::Read(transcript) = context.ui.flow().segments() else { return None };
    let [before, after] = transcript.left_out;
    let parts = [(before, "before"), (after, "after")].into_iter().filter(|(segments, _)| *segments > 0);
    let parts: Vec<String> = parts.map(|(segments, where_)| format!("{} {where_}", count(segments))).collect();
    if transcript.late {
        return Some("its beginning is kept no longer".to_owned());
    }
    (!parts.is_empty()).then(|| format!("not kept: {}", parts.join(", ")))
}
