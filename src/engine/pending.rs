//! Segments that a flow has taken in and its course has not yet: few, and in few bytes.
//!
//! Next to every segment of a busy table is one of another flow. What a course reads and writes of a flow lies apart
//! and is not at hand then, so the plain segments of a flow wait in one place, and are shown to its course together.
//! What a course says of a segment does not rest on when it is asked, so waiting changes nothing that is told.

use crate::base::Endpoint;
use crate::flow::{Brief, Flow, Run, Side};
use crate::wire::Segment;

/// Segments that wait at most.
const KEPT: usize = 8;

/// The segments that wait, if any may.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    waiting: Option<Box<Waiting>>,
    count: u8,
    /// Whether more may.
    is_open: bool,
}

/// What those that wait have in common, and each.
#[derive(Debug, Clone)]
struct Waiting {
    run: Run,
    briefs: [Brief; KEPT],
}

impl Pending {
    /// From now on segments of the run may wait.
    pub(super) fn allow(&mut self, run: Run) {
        match &mut self.waiting {
            Some(waiting) => waiting.run = run,
            none => *none = Some(Box::new(Waiting { run, briefs: [Brief::NONE; KEPT] })),
        }
        self.is_open = true;
    }

    /// Whether segments may wait.
    pub(super) const fn is_allowed(&self) -> bool {
        self.is_open
    }

    /// From now on none may wait; none waits now.
    pub(super) fn close(&mut self) {
        (self.count, self.is_open) = (0, false);
    }

    /// Keeps a segment sent by `from`, of a flow as it was before it, if it is plain and can wait: none may, or there is
    /// no room, or it is none of the run.
    #[inline]
    pub(super) fn put(&mut self, segment: &Segment, from: Side, flow: &Flow) -> bool {
        let Some(waiting) = self.waiting.as_deref_mut().filter(|_| self.is_open) else { return false };
        let Some(place) = waiting.briefs.get_mut(usize::from(self.count)) else { return false };
        if !waiting.run.takes(segment, from, flow) {
            return false;
        }
        *place = Brief::of(segment, from);
        self.count += 1;
        true
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| size_of_val(&**waiting))
    }

    pub(super) const fn clear(&mut self) {
        self.count = 0;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many wait.
    pub(super) const fn count(&self) -> u8 {
        self.count
    }

    /// Whether so many more can wait.
    pub(super) fn has_room_for(&self, count: usize) -> bool {
        self.is_open & (usize::from(self.count) + count <= KEPT)
    }

    /// Reads a little of where the next one is kept.
    pub(super) fn warm(&self) -> u64 {
        let next = self.waiting.as_deref().and_then(|waiting| waiting.briefs.get(usize::from(self.count)));
        next.map_or(0, |brief| brief.ts.nanos().cast_unsigned() ^ u64::from(brief.ttl))
    }

    /// Reads a little of all that wait.
    pub(super) fn warm_all(&self) -> u64 {
        let briefs = self.waiting.iter().flat_map(|waiting| &waiting.briefs);
        briefs.fold(0, |sum, brief| sum ^ brief.ts.nanos().cast_unsigned())
    }

    /// Those that wait, in their order.
    pub(super) fn briefs(&self) -> &[Brief] {
        self.waiting.as_deref().map_or(&[], |waiting| &waiting.briefs[..usize::from(self.count)])
    }

    /// Shows those that wait to `each`, in their order, and who sent them; `ends` are the originator's and the
    /// responder's.
    pub(super) fn for_each(&self, ends: [Endpoint; 2], mut each: impl FnMut(&Segment, Side)) {
        self.briefs().iter().for_each(|brief| each(&brief.segment(ends), brief.from()));
    }
}
