//! Segments that a flow has taken in and its course has not yet: few, and in few bytes.
//!
//! Next to every segment of a busy table is one of another flow. What a course reads and writes of a flow lies apart
//! and is not at hand then, so segments of a flow wait in one place, and are shown to its course together. What a
//! course says of a segment does not rest on when it is asked, so waiting changes nothing that is told.

use std::array;
use std::ops::Deref;

use crate::base::Timestamp;
use crate::flow::{Brief, Run, Side, Slip};
use crate::wire::Segment;

/// Segments that wait at most.
const KEPT: usize = 8;

/// The segments that wait.
#[derive(Debug, Clone)]
#[repr(C)]
pub(super) struct Pending {
    /// When the first of them came; the times of all are kept after it.
    since: Timestamp,
    /// The run that they are of, and more may be of. Without one only those wait with which a flow begins or ends.
    pub(super) run: Option<Run>,
    count: u8,
    /// How many, the first, are of a run, where those behind are not.
    of_run: u8,
    /// Whether those may wait with which a flow ends: all before were regular.
    is_closing: bool,
    slips: [Slip; KEPT],
}

impl Pending {
    /// None waits.
    pub(super) const NONE: Self =
        Self { since: Timestamp::MIN, run: None, count: 0, of_run: 0, is_closing: false, slips: [Slip::NONE; KEPT] };

    /// None waits any more.
    pub(super) const fn clear(&mut self) {
        (self.count, self.of_run) = (0, 0);
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
    pub(super) fn keep(&mut self, segment: &Segment, from: Side) -> bool {
        let since = if self.count == 0 { segment.ts } else { self.since };
        let Some(place) = self.slips.get_mut(usize::from(self.count)) else { return false };
        let Some(slip) = Slip::of(segment, from, since) else { return false };
        *place = slip;
        self.since = since;
        self.count += 1;
        true
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether so many more have room.
    #[inline]
    pub(super) const fn has_room_for(&self, count: usize) -> bool {
        self.count as usize + count <= KEPT
    }

    /// Reads a little of where the next one is kept.
    pub(super) fn warm(&self) -> u64 {
        self.slips.get(usize::from(self.count)).map_or(0, Slip::warm)
    }

    /// Reads a little of all that wait: two are in a line of the cache.
    pub(super) fn warm_all(&self) -> u64 {
        self.slips.iter().step_by(2).fold(0, |sum, slip| sum ^ slip.warm())
    }

    /// Those that wait, in their order.
    pub(super) fn briefs(&self) -> Briefs {
        Briefs { all: array::from_fn(|at| self.slips[at].brief(self.since)), count: self.count.into() }
    }

    /// Of those, how many are of a run: all, unless others wait behind them.
    pub(super) fn of_run(&self) -> usize {
        if self.is_closing { self.of_run.into() } else { self.count.into() }
    }
}

/// Segments that have waited.
pub(super) struct Briefs {
    all: [Brief; KEPT],
    count: usize,
}

impl Deref for Briefs {
    type Target = [Brief];

    fn deref(&self) -> &[Brief] {
        &self.all[..self.count]
    }
}
