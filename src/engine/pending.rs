//! Segments that a flow has taken in and its course has not yet: few, and in few bytes.
//!
//! Next to every segment of a busy table is one of another flow. What a course reads and writes of a flow lies apart
//! and is not at hand then, so segments of a flow wait in one place, and are shown to its course together. What a
//! course says of a segment does not rest on when it is asked, so waiting changes nothing that is told.

use crate::base::{Timestamp, prefetch};
use crate::flow::{Brief, Run, Side, Slip};
use crate::wire::Segment;

use super::spare::Spare;

/// Segments that wait at most: in the first place, and beside it while the flow has no course, in so many parts.
const KEPT: usize = 7;
pub(super) const PART: usize = 16;
const PARTS: usize = 2;

/// Behind what stands first of a flow that goes on these fill whole lines of the processor's cache: two to a line.
#[derive(Debug, Clone)]
#[repr(C, align(8))]
struct First([Slip; KEPT]);

/// Some of those behind the first.
pub(super) type Part = Box<[Slip; PART]>;

/// The segments that wait. What each of them touches, but for its place, stands before the first.
#[derive(Debug, Clone)]
#[repr(C)]
pub(super) struct Pending {
    /// When the first of them came; the times of all are kept after it.
    since: Timestamp,
    /// The run that they are of, and more may be of. Without one only those wait with which a flow begins or ends.
    pub(super) run: Option<Run>,
    /// The part that is filled; each is made when there is something for it.
    newest: Option<Part>,
    count: u8,
    /// So many may wait.
    most: u8,
    /// How many, the first, are of a run, where those behind are not.
    of_run: u8,
    /// Whether those may wait with which a flow ends: all before were regular.
    is_closing: bool,
    first: First,
    /// The part that is full, once there are two.
    older: Option<Part>,
}

impl Pending {
    /// What each segment touches, but for its place, is of so many bytes.
    pub(super) const HEAD: usize = std::mem::offset_of!(Self, first);

    /// None waits.
    pub(super) const NONE: Self = Self {
        since: Timestamp::MIN,
        run: None,
        count: 0,
        most: KEPT as u8,
        of_run: 0,
        is_closing: false,
        first: First([Slip::NONE; KEPT]),
        newest: None,
        older: None,
    };
    /// None waits of a flow that begins: many may, until they are [cleared](Self::clear).
    pub(super) const BEGINNING: Self = Self { most: (KEPT + PARTS * PART) as u8, ..Self::NONE };

    /// None waits any more.
    pub(super) fn clear(&mut self) {
        (self.count, self.most, self.of_run) = (0, KEPT as u8, 0);
        (self.newest, self.older) = (None, None);
    }

    /// Leaves what those lay in that waited behind the first.
    pub(super) fn leave_parts(&mut self) -> impl Iterator<Item = Part> {
        [self.older.take(), self.newest.take()].into_iter().flatten()
    }

    /// Whether all of the flow's segments wait, and many may.
    pub(super) const fn is_beginning(&self) -> bool {
        self.most > KEPT as u8
    }

    /// None is let wait any more.
    pub(super) const fn close(&mut self) {
        (self.run, self.is_closing) = (None, false);
    }

    /// From now on those wait with which the flow ends.
    pub(super) fn begin_to_close(&mut self) {
        if self.run.take().is_some() {
            self.of_run = self.count;
        }
        self.is_closing = true;
    }

    pub(super) const fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Keeps a segment sent by `from`; false if it cannot be kept.
    #[inline]
    pub(super) fn keep(&mut self, segment: &Segment, from: Side, spare: &mut Spare) -> bool {
        let since = if self.count == 0 { segment.ts } else { self.since };
        if !self.has_room_for(1) {
            return false;
        }
        let Some(slip) = Slip::of(segment, from, since) else { return false };
        match usize::from(self.count).checked_sub(KEPT) {
            None => self.first.0[usize::from(self.count)] = slip,
            Some(at) => {
                // Of the first part it is known, without a look there, that none is older.
                if at == 0 {
                    self.newest = Some(spare.part());
                } else if at % PART == 0 {
                    self.older = self.newest.replace(spare.part());
                }
                let Some(part) = &mut self.newest else { return false };
                part[at % PART] = slip;
            }
        }
        self.since = since;
        self.count += 1;
        true
    }

    pub(super) const fn len(&self) -> u8 {
        self.count
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether so many more have room.
    #[inline]
    pub(super) const fn has_room_for(&self, count: u8) -> bool {
        self.count + count <= self.most
    }

    /// Has where the next one is kept brought near.
    #[inline]
    pub(super) fn prefetch(&self) {
        if let Some(slip) = self.slip(self.count.into()) {
            prefetch(slip);
        }
    }

    /// The same of all that wait: two are in a line of the cache.
    pub(super) fn prefetch_all(&self) {
        (0..self.count).step_by(2).filter_map(|at| self.slip(at.into())).for_each(prefetch);
    }

    /// Those that wait, in their order.
    pub(super) fn briefs(&self) -> impl Iterator<Item = Brief> {
        let (since, count) = (self.since, usize::from(self.count));
        let first = &self.first.0[..count.min(KEPT)];
        let older = self.older.as_deref().map_or(&[][..], |part| part);
        let rest = count.saturating_sub(KEPT + older.len());
        let newest = self.newest.as_deref().map_or(&[][..], |part| &part[..rest.min(PART)]);
        [first, older, newest].into_iter().flatten().map(move |slip| slip.brief(since))
    }

    /// Of those, how many are of a run: all, unless others wait behind them.
    pub(super) fn of_run(&self) -> usize {
        if self.is_closing { self.of_run.into() } else { self.count.into() }
    }

    /// Whether others wait behind those of a run.
    pub(super) fn has_more_than_run(&self) -> bool {
        self.of_run() < self.count.into()
    }

    fn slip(&self, at: usize) -> Option<&Slip> {
        match at.checked_sub(KEPT) {
            None => self.first.0.get(at),
            Some(at) => {
                let newest = usize::from(self.count).checked_sub(KEPT + 1)? / PART;
                let part = if at / PART == newest { &self.newest } else { &self.older };
                part.as_ref().filter(|_| at / PART <= newest)?.get(at % PART)
            }
        }
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        [&self.newest, &self.older].into_iter().flatten().count() * size_of::<[Slip; PART]>()
    }
}
