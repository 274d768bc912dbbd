//! The view of one flow: which part of it is shown, the cursor in its segments, what of them is folded, and the span of
//! time that the graph shows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::base::{Progress, Timestamp};
use crate::engine::{Entry, EntryKind, FlowId, Transcript};
use crate::flow::Side;

use super::ladder::{self, Item};

/// A part of the view of one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlowPart {
    #[default]
    Summary,
    /// Its segments one by one between its ends.
    Ladder,
    /// Its numbers over time.
    Graph,
}

impl FlowPart {
    /// Every part, in the order in which keys go through them.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Ladder, Self::Graph];

    /// As its tab has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Ladder => "Ladder",
            Self::Graph => "Graph",
        }
    }

    fn beside(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|part| *part == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What there is of the segments of the flow that is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Segments {
    /// Nothing has been said yet.
    #[default]
    Unknown,
    /// They are read again; how far.
    Reading(Option<Progress>),
    Read(Arc<Transcript>),
    /// They cannot be had, and why.
    Missing(String),
}

/// The tabs of the parts: at the right end of the top border of `area`, where there is room.
pub fn part_tabs(area: Rect) -> Vec<(FlowPart, Rect)> {
    let widths = FlowPart::ALL.map(|part| part.name().len() as u16 + 2);
    let all: u16 = widths.iter().sum::<u16>() + 2;
    if area.width < all + 48 || area.height == 0 {
        return Vec::new();
    }
    let mut x = area.right() - 2 - all;
    let tab = |(part, width): (FlowPart, u16)| {
        let rect = Rect { x, y: area.y, width, height: 1 };
        x += width + 1;
        (part, rect)
    };
    FlowPart::ALL.into_iter().zip(widths).map(tab).collect()
}

/// What is shown of one flow.
#[derive(Debug, Clone, Default)]
pub struct FlowScreen {
    pub(super) part: FlowPart,
    of: Option<FlowId>,
    segments: Segments,
    /// The entry under the cursor, and the first item of the ladder in sight.
    cursor: usize,
    offset: usize,
    /// The cursor stays on the newest entry.
    follows: bool,
    /// Folds that are opened, by their first entries; or all of them.
    open: BTreeSet<usize>,
    all_open: bool,
    /// The span of time that the graph shows; all without it.
    window: Option<(Timestamp, Timestamp)>,
    /// Whose numbers the graph shows, if chosen.
    side: Option<Side>,
}

impl FlowScreen {
    pub const fn part(&self) -> FlowPart {
        self.part
    }

    pub const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// Another flow is shown: its part stays, all else begins anew.
    pub(super) fn open(&mut self, flow: Option<FlowId>) {
        if self.of != flow {
            *self = Self { part: self.part, of: flow, ..Self::default() };
        }
    }

    /// Takes in what there is of the flow's segments.
    pub(super) fn take(&mut self, segments: Segments) {
        self.segments = segments;
    }

    pub(super) fn turn(&mut self, forwards: bool) {
        self.part = self.part.beside(if forwards { 1 } else { FlowPart::ALL.len() - 1 });
    }

    /// The entries that had come by `now`.
    pub fn entries(&self, now: Option<Timestamp>) -> &[Entry] {
        match &self.segments {
            Segments::Read(transcript) => {
                &transcript.entries[..now.map_or(transcript.entries.len(), |now| transcript.upto(now))]
            }
            _ => &[],
        }
    }

    /// Whether any of its segments up to `now` are at hand.
    pub fn is_read(&self, now: Option<Timestamp>) -> bool {
        !self.entries(now).is_empty()
    }

    /// The entry under the cursor among so many.
    pub fn cursor(&self, entries: usize) -> usize {
        let last = entries.saturating_sub(1);
        if self.follows { last } else { self.cursor.min(last) }
    }

    /// The ladder of those entries.
    pub fn items(&self, entries: &[Entry]) -> Vec<Item> {
        ladder::items(entries, |first| self.all_open || self.open.contains(&first))
    }

    /// The first item in sight of a ladder of `height` lines, so that the cursor is.
    pub fn offset(&self, items: &[Item], entries: usize, height: usize) -> usize {
        let at = ladder::place(items, self.cursor(entries));
        // The gap above it belongs to the entry.
        let above = at.saturating_sub(usize::from(at > 0 && matches!(items[at - 1], Item::Gap(_))));
        let least = (at + 1).saturating_sub(height.max(1));
        self.offset.min(items.len().saturating_sub(height)).clamp(least.min(above), above)
    }

    /// Moves the cursor by so many items of the ladder, of which `height` are in sight.
    pub(super) fn step(&mut self, by: isize, now: Option<Timestamp>, height: usize) {
        let entries = self.entries(now);
        let (items, count) = (self.items(entries), entries.len());
        let was = ladder::place(&items, self.cursor(count));
        let mut at = was.saturating_add_signed(by).min(items.len().saturating_sub(1));
        let towards = if by < 0 { -1 } else { 1 };
        while matches!(items.get(at), Some(Item::Gap(_))) {
            at = at.saturating_add_signed(towards);
        }
        let Some(entry) = items.get(at).or_else(|| items.last()).and_then(Item::entry) else { return };
        let offset = self.offset(&items, count, height);
        (self.cursor, self.offset, self.follows) = (entry, offset, by == isize::MAX);
        self.offset = self.offset(&items, count, height);
    }

    /// Moves what is in sight of the ladder by so many items, and the cursor only as far as it must.
    pub(super) fn scroll(&mut self, by: isize, now: Option<Timestamp>, height: usize) {
        let entries = self.entries(now);
        let (items, count) = (self.items(entries), entries.len());
        let was = self.offset(&items, count, height);
        let offset = was.saturating_add_signed(by).min(items.len().saturating_sub(height));
        let at = ladder::place(&items, self.cursor(count));
        let seen = at.clamp(offset, (offset + height.max(1) - 1).min(items.len().saturating_sub(1)));
        let seen = if matches!(items.get(seen), Some(Item::Gap(_))) { seen + 1 } else { seen };
        let Some(entry) = items.get(seen).and_then(Item::entry) else { return };
        self.offset = offset;
        if seen != at {
            (self.cursor, self.follows) = (entry, false);
        }
    }

    /// The cursor on an item of the ladder that is in sight; again, it is folded or unfolded.
    pub(super) fn click(&mut self, line: usize, now: Option<Timestamp>, height: usize) {
        let entries = self.entries(now);
        let (items, count) = (self.items(entries), entries.len());
        let offset = self.offset(&items, count, height);
        let Some(entry) = items.get(offset + line).and_then(Item::entry) else { return };
        if ladder::place(&items, self.cursor(count)) == offset + line {
            return self.toggle(now);
        }
        (self.cursor, self.offset, self.follows) = (entry, offset, false);
    }

    /// Opens the fold under the cursor, or closes the one that it stands in.
    pub(super) fn toggle(&mut self, now: Option<Timestamp>) {
        let entries = self.entries(now);
        let cursor = self.cursor(entries.len());
        let folds = ladder::items(entries, |_| false);
        let Some(Item::Fold(fold)) = folds.get(ladder::place(&folds, cursor)) else { return };
        let first = fold.entries.start;
        if self.all_open {
            // From here on each is opened or closed by itself.
            let all = folds
                .iter()
                .filter_map(|item| if let Item::Fold(fold) = item { Some(fold.entries.start) } else { None });
            self.open = all.collect();
            self.all_open = false;
        }
        if !self.open.remove(&first) {
            self.open.insert(first);
        }
        (self.cursor, self.follows) = (first, false);
    }

    pub(super) fn open_all(&mut self, open: bool) {
        self.all_open = open;
        self.open.clear();
    }

    /// Whether any reading of the kernel's queues is among them.
    pub fn has_queues(entries: &[Entry]) -> bool {
        entries.iter().any(|entry| matches!(entry.what, EntryKind::Queues(_)))
    }

    /// The end whose numbers the graph shows: the chosen one, else that which sends more bytes, or more
    /// segments of as many.
    pub fn side(&self, entries: &[Entry]) -> Side {
        let sent = |side| {
            let arrows = entries.iter().filter_map(|entry| match &entry.what {
                EntryKind::Segment(arrow) if arrow.from == side => Some(u64::from(arrow.segment.payload_len)),
                _ => None,
            });
            arrows.fold((0, 0), |(bytes, segments), len| (bytes + len, segments + 1))
        };
        self.side.unwrap_or_else(|| if sent(Side::Resp) > sent(Side::Orig) { Side::Resp } else { Side::Orig })
    }

    pub(super) fn turn_side(&mut self, now: Option<Timestamp>) {
        self.side = Some(self.side(self.entries(now)).peer());
    }

    /// The span of time that the graph shows, within that of the entries; `None` if there are none.
    pub fn window(&self, entries: &[Entry]) -> Option<(Timestamp, Timestamp)> {
        let whole = span(entries)?;
        Some(self.window.map_or(whole, |window| within(window, whole)))
    }

    /// Moves the cursor of the graph by so many entries; what is shown follows it.
    pub(super) fn step_in_graph(&mut self, by: isize, now: Option<Timestamp>) {
        let entries = self.entries(now);
        let Some(last) = entries.len().checked_sub(1) else { return };
        let at = self.cursor(entries.len()).saturating_add_signed(by).min(last);
        let (time, window) = (entries[at].at, self.window(entries));
        (self.cursor, self.follows) = (at, by == isize::MAX);
        if let (Some((from, to)), Some(_)) = (window, self.window) {
            let span = to.since(from);
            if time < from {
                self.window = Some((time, time + span));
            } else if time > to {
                self.window = Some((time - span, time));
            }
        }
    }

    /// By how many entries a page moves: a tenth of what is shown.
    pub(super) fn page_of_graph(&self, now: Option<Timestamp>) -> usize {
        let entries = self.entries(now);
        let shown = self.window(entries).map_or(0, |(from, to)| {
            entries.partition_point(|entry| entry.at <= to) - entries.partition_point(|entry| entry.at < from)
        });
        (shown / 10).max(1)
    }

    /// The cursor on the entry nearest to an instant.
    pub(super) fn point_at(&mut self, at: Timestamp, now: Option<Timestamp>) {
        let entries = self.entries(now);
        let after = entries.partition_point(|entry| entry.at < at);
        let distance = |index: &usize| {
            let there = entries[*index].at;
            there.since(at).max(at.since(there))
        };
        let near = [after.saturating_sub(1), after].into_iter().filter(|index| *index < entries.len());
        if let Some(nearest) = near.min_by_key(distance) {
            (self.cursor, self.follows) = (nearest, false);
        }
    }

    /// Shows half as much time around the cursor, or twice as much.
    pub(super) fn zoom(&mut self, nearer: bool, now: Option<Timestamp>) {
        let entries = self.entries(now);
        let (Some((from, to)), Some(whole)) = (self.window(entries), span(entries)) else { return };
        let at = entries[self.cursor(entries.len())].at.clamp(from, to);
        let part = |span: Duration| if nearer { span / 2 } else { span.saturating_mul(2).max(SHORTEST) };
        let (from, to) = (at - part(at.since(from)), at + part(to.since(at)));
        if from <= whole.0 && to >= whole.1 {
            self.window = None;
        } else if to.since(from) >= SHORTEST {
            self.window = Some(within((from, to), whole));
        }
    }

    /// Shows what is a quarter of the span earlier or later.
    pub(super) fn pan(&mut self, later: bool, now: Option<Timestamp>) {
        let entries = self.entries(now);
        let (Some((from, to)), Some(whole)) = (self.window(entries), span(entries)) else { return };
        let at = entries[self.cursor(entries.len())].at;
        if self.window.is_none() {
            return;
        }
        let by = to.since(from) / 4;
        let window = within(if later { (from + by, to + by) } else { (from - by, to - by) }, whole);
        self.window = Some(window);
        if at < window.0 || at > window.1 {
            self.point_at(at.clamp(window.0, window.1), now);
        }
    }
}

/// From the first entry to the last.
fn span(entries: &[Entry]) -> Option<(Timestamp, Timestamp)> {
    let (first, last) = (entries.first()?.at, entries.last()?.at);
    Some((first, last.max(first + SHORTEST)))
}

/// The shortest span that the graph shows.
const SHORTEST: Duration = Duration::from_micros(10);

/// A span of time moved, and cut if it must be, so that it lies within another.
fn within((from, to): (Timestamp, Timestamp), whole: (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
    let span = to.since(from).min(whole.1.since(whole.0));
    let from = from.clamp(whole.0, (whole.1 - span).max(whole.0));
    (from, from + span)
}
