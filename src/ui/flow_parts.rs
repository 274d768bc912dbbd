//! Where the parts of a flow's summary stand.

use ratatui::layout::Rect;

use crate::engine::FlowDetail;
use crate::flow::VerdictView;

use super::layout::{above_below, halves, split, wrap};

/// The parts of a flow's details; a part without room is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowParts {
    pub story: Rect,
    /// Names and waits, where any were recorded.
    pub opening: Rect,
    /// The originator's and the responder's end.
    pub ends: [Rect; 2],
    pub handshake: Rect,
    pub life: Rect,
    /// Its times; empty on all but wide screens, where they stand with the ends.
    pub times: Rect,
    /// Why segments were sent again; empty where there is nothing to tell.
    pub losses: Rect,
    /// The queues of each end over time.
    pub charts: [Rect; 2],
    /// The beginning of the ladder; empty but where life and losses leave room for it.
    pub ladder: Rect,
}

/// From this width on, the ends stand beside each other.
const ENDS_BESIDE: u16 = 70;
/// From this width on, handshake and life stand beside the ends.
const WIDE: u16 = 150;

/// From this height on, queues over time stand below the ends.
const CHARTS_FROM: u16 = 32;
const ENDS_WITH_CHARTS: u16 = 22;
const ENDS_WITHOUT_CHARTS: u16 = 15;
/// From this height on, times stand between handshake and life.
const TIMES_FROM: u16 = 40;
const TIMES: u16 = 17;

/// From so many lines on the beginning of a ladder is worth its room.
const LADDER_FROM: u16 = 10;

/// Divides the body for a flow: its story, the ends beside each other, handshake and life below or (wide) beside them;
/// `is_read`: its segments are at hand.
pub fn flow_parts(body: Rect, detail: &FlowDetail, is_read: bool) -> FlowParts {
    let lines = wrap(&detail.story, usize::from(body.width).saturating_sub(4)).len();
    let most = (body.height / 6).max(1);
    let story = u16::try_from(lines).unwrap_or(most).clamp(1, most) + 2;
    let (story, rest) = above_below(body, story);
    let (opening, rest) = above_below(rest, opening_height(detail, rest.height));
    let none = Rect { width: 0, height: 0, ..rest };
    let bare = FlowParts {
        story,
        opening,
        ends: [none; 2],
        handshake: none,
        life: none,
        times: none,
        losses: none,
        charts: [none; 2],
        ladder: none,
    };
    match body.width {
        ..ENDS_BESIDE => narrow(rest, bare),
        ENDS_BESIDE..WIDE => middling(rest, detail, bare),
        WIDE.. => wide(rest, detail, is_read, bare),
    }
}

/// One below the other: the ends, and the life as far as there is room.
fn narrow(rest: Rect, bare: FlowParts) -> FlowParts {
    let count = (rest.height / 4).clamp(1, 3);
    let heights = split(rest.height, count);
    let [orig, resp, life] = [0, 1, 2].map(|n| {
        let above: u16 = heights.iter().take(n).sum();
        Rect { y: rest.y + above, height: heights.get(n).copied().unwrap_or(0), ..rest }
    });
    FlowParts { ends: [orig, resp], life, ..bare }
}

/// Handshake and life below the ends.
fn middling(rest: Rect, detail: &FlowDetail, bare: FlowParts) -> FlowParts {
    // On a low screen the story below needs a line more than the ends above it.
    let least = if rest.height < 18 { 8 } else { 9 };
    let wanted = if rest.height < 18 { least } else { rest.height * 3 / 5 };
    let (above, below) = above_below(rest, wanted.clamp(rest.height.min(least), 24));
    let [handshake, life] = halves(below);
    let [life, losses] = life_and_losses(life, detail);
    FlowParts { ends: halves(above), handshake, life, losses, ..bare }
}

/// Handshake, times and life beside the ends, below which their queues over time stand.
fn wide(rest: Rect, detail: &FlowDetail, is_read: bool, bare: FlowParts) -> FlowParts {
    let third = rest.width / 3;
    let main = Rect { width: rest.width - third, ..rest };
    let side = Rect { x: main.right(), width: third, ..rest };
    let (handshake, below) = above_below(side, 12.min(rest.height / 2));
    let tall = rest.height >= CHARTS_FROM;
    let charted = detail.sockets.iter().flatten().any(|socket| !socket.recv_q.is_empty());
    if tall && !charted {
        return FlowParts { handshake, times: below, ..without_charts(main, detail, is_read, bare) };
    }
    let (times, life) = above_below(below, if rest.height >= TIMES_FROM { TIMES } else { 0 });
    let [life, losses] = life_and_losses(life, detail);
    let (ends, charts) = above_below(main, if tall { ENDS_WITH_CHARTS } else { rest.height });
    FlowParts { ends: halves(ends), handshake, life, losses, times, charts: halves(charts), ..bare }
}

/// Without queues over time their place is the life's, what was lost stands beside it, and the ladder begins below.
fn without_charts(main: Rect, detail: &FlowDetail, is_read: bool, bare: FlowParts) -> FlowParts {
    let (ends, under) = above_below(main, ENDS_WITHOUT_CHARTS);
    let told = lines_of_life(detail).max(lines_of_losses(detail)) + 2;
    let has_ladder = is_read && under.height.saturating_sub(told) >= LADDER_FROM;
    let (under, ladder) = above_below(under, if has_ladder { told } else { under.height });
    let [_, tells] = life_and_losses(under, detail);
    let [life, losses] = if tells.is_empty() { [under, bare.losses] } else { halves(under) };
    FlowParts { ends: halves(ends), life, losses, ladder, ..bare }
}

/// A line for what is spoken and one for each wait where there is room, else one for all of them.
fn opening_height(detail: &FlowDetail, room: u16) -> u16 {
    let waits = u16::try_from(detail.waits().len()).unwrap_or(u16::MAX);
    match room {
        _ if detail.opening.is_none() => 0,
        28.. => waits.clamp(1, 4) + 3,
        20.. => 4,
        12.. => 3,
        _ => 0,
    }
}

/// Parts the place of the life for what was lost, if there is anything to tell of it: about two lines for each thing,
/// at most half of the place; where the life would not fit beside that, a line for each thing.
fn life_and_losses(area: Rect, detail: &FlowDetail) -> [Rect; 2] {
    let lines = lines_of_losses(detail);
    let most = if lines == 0 { 0 } else { lines.saturating_add(2).min(area.height / 2) };
    let least = (lines / 2 + 2).min(most);
    let height = area.height.saturating_sub(lines_of_life(detail) + 2).clamp(least, most);
    let (life, losses) = above_below(area, area.height - if height < 3 { 0 } else { height });
    [life, losses]
}

/// Lines that the life needs inside its border.
fn lines_of_life(detail: &FlowDetail) -> u16 {
    u16::try_from(detail.life.len().max(1)).unwrap_or(u16::MAX - 2)
}

/// The same of what was lost: 0 where there is nothing to tell.
fn lines_of_losses(detail: &FlowDetail) -> u16 {
    let told = |view: &VerdictView| {
        let halves = view.halves.iter().filter(|half| !half.is_quiet());
        let of_halves: usize = halves.map(|half| 2 + half.episodes.len() + usize::from(half.open.is_some())).sum();
        of_halves + usize::from(view.injected.is_some()) + usize::from(!view.limits.is_empty())
    };
    u16::try_from(detail.verdict.as_ref().map_or(0, told) * 2).unwrap_or(u16::MAX - 2)
}
