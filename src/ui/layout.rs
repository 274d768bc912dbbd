//! Where things stand on the screen: rectangles only, shared by drawing, paging and the mouse.
//!
//! ratatui's `Rect` is used as plain data.

use ratatui::layout::Rect;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::words;

use super::Source;

/// The smallest screen that is drawn.
pub const MIN_WIDTH: u16 = 40;
/// The smallest screen that is drawn.
pub const MIN_HEIGHT: u16 = 10;

/// Lines of a list above its first row: the column headings.
pub const COLUMNS_HEAD: u16 = 1;

/// The parts of the screen, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    pub header: Rect,
    /// Below the header, or in its last line; may be empty.
    pub timeline: Rect,
    pub tabs: Rect,
    /// The dead part and the notices; may be empty.
    pub notices: Rect,
    pub body: Rect,
    pub footer: Rect,
}

impl Screen {
    /// One more line below the body, for what is told of a prompt.
    pub(super) fn make_room_below(&mut self) {
        let taken = 1.min(self.body.height.saturating_sub(1));
        self.body.height -= taken;
        self.footer.y -= taken;
        self.footer.height += taken;
    }
}

/// Divides the screen; `None` if it is too small.
pub fn screen(area: Rect, source: &Source) -> Option<Screen> {
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        return None;
    }
    let roomy = area.height >= 16;
    let header =
        if roomy { 2 + u16::from(source.playback.is_some()) } else { 1 + u16::from(source.playback.is_some()) };
    let wanted = notice_lines(source, usize::from(area.width)).len();
    let room = if roomy { area.height / 4 } else { 1 };
    let notices = u16::try_from(wanted).unwrap_or(u16::MAX).min(room);
    let mut y = area.y;
    let mut take = |height: u16| {
        let part = Rect { y, height, ..area };
        y += height;
        part
    };
    let header = take(header);
    let (timeline, own) = super::time::timeline(area, header, source);
    if own {
        take(timeline.height);
    }
    let (tabs, notices) = (take(1), take(notices));
    let body = take(area.bottom() - notices.bottom() - 1);
    Some(Screen { header, timeline, tabs, notices, body, footer: take(1) })
}

/// A line of the notices: of the part that died or of what stands in the way, and whether it begins one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeLine {
    pub dead: bool,
    pub first: bool,
    pub text: String,
}

/// The part that died, then the notices, wrapped: what a notice says to do must be read whole.
pub fn notice_lines(source: &Source, room: usize) -> Vec<NoticeLine> {
    let all = source.dead.iter().map(|text| (true, text)).chain(source.notices.iter().map(|text| (false, text)));
    all.flat_map(|(dead, text)| {
        let parts = wrap(text, room.saturating_sub(NOTICE_INDENT + 1)).into_iter().enumerate();
        parts.map(move |(at, text)| NoticeLine { dead, first: at == 0, text })
    })
    .collect()
}

/// Columns before a notice's text: its mark.
pub const NOTICE_INDENT: usize = 3;

/// Breaks `text` between [`words`] into lines of at most `room` columns; a longer word is broken where it must be.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2);
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ if word.width() <= room => lines.push(word.to_owned()),
            _ => lines.extend(broken(word, room)),
        }
    }
    lines
}

fn broken(word: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            lines.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }
    lines
}

/// A pane of the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// What is wrong: above the others, where there is anything.
    Findings,
    Handshakes,
    States,
    TimeWait,
    Queues,
    Traffic,
    /// Processes with most traffic.
    Busiest,
    Flows,
}

/// What of the overview's panes have something to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Processes are known, as of a running host or a recording of one.
    pub processes: bool,
    /// Something waits in TIME-WAIT, or did; or the kernel tells its limits.
    pub time_wait: bool,
}

/// The panes of the overview that `body` has room for, in the order that `l` walks through; one alone if zoomed. Where
/// nothing waits in TIME-WAIT its place is the traffic's.
pub fn panes(body: Rect, zoomed: Option<Pane>, shown: Shown) -> Vec<(Pane, Rect)> {
    let mut all = match zoomed {
        Some(pane) => return vec![(pane, body)],
        None if body.width < 80 => stacked(body),
        None if body.width < 110 => two_columns(body),
        None => three_columns(body, shown),
    };
    if !shown.time_wait {
        all.iter_mut().filter(|(pane, _)| *pane == Pane::TimeWait).for_each(|(pane, _)| *pane = Pane::Traffic);
    }
    all
}

/// The top of `body` for so many findings, and what is left for the other panes.
pub(super) fn below_findings(body: Rect, findings: usize) -> (Rect, Rect) {
    let most = usize::from((body.height / 4).clamp(1, 8));
    match findings.min(most) {
        0 => above_below(body, 0),
        lines => above_below(body, lines as u16 + 2),
    }
}

/// While a filter picks flows, flows are shown: in the place of the lowest panes, where they had none.
pub(super) fn make_room_for_flows(all: &mut Vec<(Pane, Rect)>) {
    let Some((_, last)) = all.last().copied().filter(|_| all.iter().all(|(pane, _)| *pane != Pane::Flows)) else {
        return;
    };
    let lowest = all.iter().filter(|(_, rect)| rect.y == last.y).map(|(_, rect)| *rect);
    let place = lowest.reduce(Rect::union).unwrap_or(last);
    all.retain(|(_, rect)| rect.y != last.y);
    all.push((Pane::Flows, place));
}

/// Narrow: one pane under the other, as many as fit at a height that serves.
fn stacked(body: Rect) -> Vec<(Pane, Rect)> {
    let order = [Pane::Handshakes, Pane::States, Pane::Queues, Pane::TimeWait];
    let count = (body.height / 7).clamp(1, 4);
    let rows = split(body.height, count);
    place(body, &order[..usize::from(count)], &rows)
}

/// 80 columns: two by two, and the flows below where there is room.
fn two_columns(body: Rect) -> Vec<(Pane, Rect)> {
    let flows = if body.height >= 27 { body.height - 23 } else { 0 };
    let panes_height = body.height - flows;
    let top = match body.height {
        ..8 => panes_height,
        _ if flows > 0 => 13,
        _ => (panes_height * 11).div_ceil(20),
    };
    let (left, right) = (body.width / 2, body.width - body.width / 2);
    let at = |x, y, width, height| Rect { x: body.x + x, y: body.y + y, width, height };
    let mut all = vec![
        (Pane::Handshakes, at(0, 0, left, top)),
        (Pane::States, at(left, 0, right, top)),
        (Pane::Queues, at(0, top, left + 8, panes_height - top)),
        (Pane::TimeWait, at(left + 8, top, right - 8, panes_height - top)),
    ];
    if flows > 0 {
        all.push((Pane::Flows, at(0, panes_height, body.width, flows)));
    }
    all.retain(|(_, rect)| rect.height > 0);
    all
}

/// Wide: three columns, then the queues with the traffic or the processes (or both) beside them, then the flows.
fn three_columns(body: Rect, Shown { processes, time_wait }: Shown) -> Vec<(Pane, Rect)> {
    let top = match body.height {
        ..8 => body.height,
        8..26 => body.height.div_ceil(2) + 1,
        26..50 => (body.height * 2 / 5).clamp(13, 15),
        50.. => 18,
    };
    let rest = body.height - top;
    // With nothing beside them, a few of the queues are enough: the flows are the more telling rows.
    let most = if processes || time_wait { 16 } else { 9 };
    let queues = if rest >= 12 { (rest * 2 / 5).clamp(6, most) } else { rest };
    let flows = rest - queues;
    let third = body.width / 3;
    let (traffic, busiest) = match (body.width, processes) {
        (150.., true) => (body.width / 4, body.width * 23 / 100),
        (150.., false) => (third, 0),
        (_, true) => (0, third),
        (_, false) => (third, 0),
    };
    let traffic = if time_wait { traffic } else { 0 };
    let beside = traffic + busiest;
    let at = |x, y, width, height| Rect { x: body.x + x, y: body.y + y, width, height };
    let mut all = vec![
        (Pane::Handshakes, at(0, 0, third, top)),
        (Pane::States, at(third, 0, body.width - 2 * third, top)),
        (Pane::TimeWait, at(body.width - third, 0, third, top)),
        (Pane::Queues, at(0, top, body.width - beside, queues)),
        (Pane::Traffic, at(body.width - beside, top, traffic, queues)),
        (Pane::Busiest, at(body.width - busiest, top, busiest, queues)),
    ];
    if flows > 0 {
        all.push((Pane::Flows, at(0, top + queues, body.width, flows)));
    }
    all.retain(|(_, rect)| !rect.is_empty());
    all
}

pub(super) fn above_below(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

pub(super) fn halves(area: Rect) -> [Rect; 2] {
    let left = area.width / 2;
    [Rect { width: left, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
}

pub(super) fn split(height: u16, count: u16) -> Vec<u16> {
    (0..count).map(|n| height / count + u16::from(n < height % count)).collect()
}

fn place(body: Rect, order: &[Pane], heights: &[u16]) -> Vec<(Pane, Rect)> {
    let mut y = body.y;
    let mut all = Vec::new();
    for (pane, height) in order.iter().zip(heights) {
        all.push((*pane, Rect { y, height: *height, ..body }));
        y += height;
    }
    all
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::ui::SourceKind;

    fn source() -> Source {
        let notices = vec!["a b".to_owned(); 30];
        Source {
            kind: SourceKind::Live,
            name: String::new(),
            playback: None,
            track: None,
            notices,
            dead: None,
            recordings: Default::default(),
            of_host: false,
        }
    }

    #[test]
    fn text_is_broken_at_spaces_and_inside_words_only_where_it_must() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("all for 44 s now", 10), ["all for", "44 s now"]);
        assert_eq!(wrap("", 9), Vec::<String>::new());
    }

    #[test]
    fn parts_and_panes_tile_the_screen_at_every_size() {
        for (width, height) in (1..=250).flat_map(|w| (1..=70).map(move |h| (w, h))) {
            let area = Rect::new(0, 0, width, height);
            let Some(parts) = screen(area, &source()) else {
                assert!(width < MIN_WIDTH || height < MIN_HEIGHT);
                continue;
            };
            let parts_area: u32 = [parts.header, parts.tabs, parts.notices, parts.body, parts.footer]
                .iter()
                .map(|part| part.area())
                .sum();
            assert_eq!(parts_area, area.area(), "{width}x{height}");
            assert_eq!(parts.footer.bottom(), height);
            let all = panes(parts.body, None, Shown { processes: width % 2 == 0, time_wait: height % 2 == 0 });
            assert!(!all.is_empty());
            let covered: u32 = all.iter().map(|(_, rect)| rect.area()).sum();
            assert_eq!(covered, parts.body.area(), "{width}x{height}: {all:?}");
            for (index, (_, rect)) in all.iter().enumerate() {
                assert_eq!(rect.intersection(parts.body), *rect, "{width}x{height}");
                assert!(all[..index].iter().all(|(_, other)| rect.intersection(*other).is_empty()), "{width}x{height}");
            }
        }
    }
}
