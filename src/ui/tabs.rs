//! Where the tabs and the parts of a list stand.

use ratatui::layout::Rect;

use super::layout::above_below;
use super::state::View;

/// A tab's name, its short name and its key alone, in the order of [`View::TABS`].
const TABS: [[&str; 3]; 8] = [
    ["1 Overview", "1 Over", "1"],
    ["2 Flows", "2 Flows", "2"],
    ["3 Handshakes", "3 Hand", "3"],
    ["4 Queues", "4 Queue", "4"],
    ["5 TIME-WAIT", "5 TW", "5"],
    ["6 Listeners", "6 Listen", "6"],
    ["7 Processes", "7 Proc", "7"],
    ["8 Findings", "8 Find", "8"],
];

/// Columns beside the tabs that a filter in force should have.
const FILTER: usize = 26;

/// Where each tab stands in the line of tabs, under the longest names that fit, beside a filter where one is in force;
/// where only keys do, the lit one's name stands too.
pub(super) fn tabs(line: Rect, lit: View, filtered: bool) -> Vec<(View, &'static str, Rect)> {
    let beside = if filtered { FILTER } else { 0 };
    let room = |size: usize| TABS.iter().map(|names| names[size].len() + 3).sum::<usize>() + beside;
    let size = (0..2).find(|size| room(*size) <= usize::from(line.width)).unwrap_or(2);
    let mut x = line.x + 1;
    let place = |(view, names): (View, [&'static str; 3])| {
        let name = names[if view == lit { size.min(1) } else { size }];
        let width = name.len() as u16 + 2;
        let rect = Rect { x, width, ..line }.intersection(line);
        x += width + 1;
        (view, name, rect)
    };
    View::TABS.into_iter().zip(TABS).map(place).collect()
}

/// The parts of a view that is a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListParts {
    /// What sums the list up; empty where the list needs the room.
    pub above: Rect,
    pub list: Rect,
    /// What tells the row under the cursor in full; empty where a list has no such part.
    pub detail: Rect,
}

/// What the parts of a list depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    /// No handshake lately, so none are summed up.
    pub(super) quiet: bool,
    /// How many there are.
    pub(super) findings: usize,
    /// The one under the cursor has the room of the others.
    pub(super) zoomed: bool,
    /// Something waits in TIME-WAIT, or did: there is a history to draw.
    pub(super) time_wait: bool,
}

/// Divides the body for a list.
pub(super) fn list_parts(view: View, body: Rect, content: Content) -> ListParts {
    let Content { quiet, findings, zoomed, time_wait } = content;
    if view == View::Findings {
        return findings_parts(body, findings, zoomed);
    }
    let above = match view {
        View::Handshakes if body.height >= 30 && !quiet => 13,
        View::TimeWait if body.height >= 16 && !time_wait => 7,
        View::TimeWait if body.height >= 16 => (body.height * 2 / 5).clamp(8, 14),
        _ => 0,
    };
    let (above, list) = above_below(body, above);
    ListParts { above, list, detail: Rect { height: 0, ..body } }
}

/// From this height on a finding that is told in full has its line above it.
const LINE_FROM: u16 = 14;
/// What a finding is told in is worth its room from this height on.
const DETAIL: u16 = 5;

fn findings_parts(body: Rect, findings: usize, zoomed: bool) -> ListParts {
    let above = Rect { height: 0, ..body };
    if findings == 0 {
        return ListParts { above, list: body, detail: above };
    }
    // A border above and below, and the headings. On a low screen the reasons need the room more than the list.
    let wanted = u16::try_from(findings).unwrap_or(u16::MAX).saturating_add(3);
    let height = match zoomed {
        true if body.height < LINE_FROM => 0,
        _ => wanted.min((body.height * 2 / 5).max(5)),
    };
    let (list, detail) = above_below(body, if body.height - height < DETAIL { body.height } else { height });
    ListParts { above, list, detail }
}
