//! What is told of a flow that goes on: its course, and the segments that wait to be shown to it.
//!
//! Most segments wait, and touch none of the course: from the beginning of a flow ([`Flow::opens_with`]), while there
//! is no course at all, and in runs ([`crate::flow::Run`]) later.

use std::borrow::Cow;

use crate::base::{Endpoint, prefetch};
use crate::flow::{Flow, Side};
use crate::wire::Segment;

use super::course::Course;
use super::pending::{Part, Pending};
use super::record::Rate;
use super::spare::Spare;

/// Of a flow that goes on. In whole lines of the processor's cache: the first is what every segment touches, one of
/// the others where it waits.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct Going {
    pub(super) rate: Rate,
    /// Segments that the rate knows, and nothing else does yet.
    pending: Pending,
    /// `None` while all segments of the flow wait ([`Pending::is_beginning`]).
    course: Option<Box<Course>>,
}

impl Going {
    /// What every segment touches is of so many bytes.
    pub(super) const HEAD: usize = std::mem::offset_of!(Self, pending) + Pending::HEAD;

    /// Of a flow whose first segment is `segment`, sent by `from`; `reuses`: on a tuple that had a flow before.
    pub(super) fn new(segment: &Segment, from: Side, reuses: bool) -> Self {
        let mut rate = Rate::default();
        rate.add(segment.ts, u64::from(segment.frame_len) * 8);
        Self::of(Course::new(segment, from, reuses), rate)
    }

    /// Of a flow with this course.
    pub(super) fn of(course: Course, rate: Rate) -> Self {
        Self { rate, course: Some(Box::new(course)), pending: Pending::NONE }
    }

    /// Of a flow that has begun with this SYN, which waits; it is one that [`Course::is_told_by_flow`].
    pub(super) fn beginning_with(syn: &Segment, rate: Rate, spare: &mut Spare) -> Self {
        let mut pending = Pending::BEGINNING;
        pending.keep(syn, Side::Orig, spare);
        Self { rate, course: None, pending }
    }

    /// Lets a plain segment wait that `from` sends, of a flow as it was before it; false if it is not plain, or cannot.
    /// Who waits is no retransmission.
    #[inline]
    pub(super) fn wait(&mut self, segment: &Segment, from: Side, flow: &Flow, spare: &mut Spare) -> bool {
        let may = match &mut self.pending.run {
            Some(run) => run.takes(segment, from, flow),
            None => self.pending.is_beginning() && flow.goes_on_with(segment, from),
        };
        may && self.pending.keep(segment, from, spare)
    }

    /// The same of a segment of the handshake.
    pub(super) fn wait_at_opening(&mut self, segment: &Segment, from: Side, flow: &Flow, spare: &mut Spare) -> bool {
        self.pending.is_beginning() && flow.opens_with(segment, from) && self.pending.keep(segment, from, spare)
    }

    /// The same of a segment with which the flow ends.
    pub(super) fn wait_at_close(
        &mut self,
        segment: &Segment,
        from: Side,
        flow: &Flow,
        ends: [Endpoint; 2],
        spare: &mut Spare,
    ) -> bool {
        let begins = self.pending.is_beginning() && self.pending.has_room_for(1);
        let regular = self.pending.is_beginning() || self.pending.run.is_some() || self.pending.is_closing();
        // Times may begin with its data, by what the flow was just then.
        let begins_times = segment.payload_len > 0 && !begins && self.pending.run.is_none();
        if !regular || begins_times || !flow.closes_with(segment, from) {
            return false;
        }
        if !self.pending.has_room_for(1) {
            self.catch_up(flow, ends);
        }
        self.pending.begin_to_close();
        self.pending.keep(segment, from, spare)
    }

    /// Whether the next plain segment will wait, and those before it go on waiting.
    pub(super) const fn lets_next_wait(&self) -> bool {
        let regular = self.pending.run.is_some() | self.pending.is_beginning() | self.pending.is_closing();
        regular & self.pending.has_room_for(2)
    }

    /// After `flow` has taken in a plain segment too: shows those that wait to the course, where no more can, and sees
    /// whether the next may.
    #[inline]
    pub(super) fn settle(&mut self, flow: &Flow, ends: impl FnOnce() -> [Endpoint; 2]) {
        let waits = self.pending.run.is_some() || self.pending.is_beginning();
        if !(waits && self.pending.has_room_for(1)) {
            self.settle_now(flow, ends());
        }
    }

    #[inline(never)]
    fn settle_now(&mut self, flow: &Flow, ends: [Endpoint; 2]) {
        let goes_on = self.pending.run.is_some();
        let course = self.catch_up(flow, ends);
        if !goes_on {
            self.pending.run = course.begin_run(flow);
        }
    }

    /// Shows the course a plain segment that cannot wait; `flow` is as it was before it. False, and nothing is changed,
    /// where it may be a retransmission to the analysis, which took in numbers that the flow did not believe. While
    /// segments may wait it has not: they keep it where the flow is.
    #[inline(never)]
    pub(super) fn take_alone(&mut self, segment: &Segment, from: Side, flow: &Flow, ends: [Endpoint; 2]) -> bool {
        let strays = |course: &Course| !course.analysis.ends_at(flow.nxt());
        if self.pending.run.is_none() && self.known_course().is_some_and(strays) {
            return false;
        }
        let course = self.course_mut(flow, ends);
        course.zeek.feed(segment, from);
        course.feed(segment, from, Some(flow));
        true
    }

    /// Shows the course what has waited; `flow` is as it is after the last of it.
    fn catch_up(&mut self, flow: &Flow, ends: [Endpoint; 2]) -> &mut Course {
        Self::caught_up(&mut self.course, &mut self.pending, flow, ends)
    }

    fn caught_up<'a>(
        course: &'a mut Option<Box<Course>>,
        pending: &mut Pending,
        flow: &Flow,
        ends: [Endpoint; 2],
    ) -> &'a mut Course {
        if let Some(course) = course {
            course.take(pending, flow, ends);
        }
        let course = course.get_or_insert_with(|| Box::new(Course::of_beginning(pending.briefs(), flow, ends)));
        pending.clear();
        course
    }

    /// The course, of which no segment waits; none will before the next run. `flow` is as it is after the last segment.
    pub(super) fn course_mut(&mut self, flow: &Flow, ends: [Endpoint; 2]) -> &mut Course {
        let Self { pending, course, rate: _ } = self;
        let course = Self::caught_up(course, pending, flow, ends);
        pending.close();
        course
    }

    /// The course as it is once nothing waits any more.
    pub(super) fn course(&self, flow: &Flow, ends: [Endpoint; 2]) -> Cow<'_, Course> {
        match self.known_course() {
            None => Cow::Owned(Course::of_beginning(self.pending.briefs(), flow, ends)),
            Some(course) if self.pending.is_empty() => Cow::Borrowed(course),
            Some(course) => {
                let mut course = course.clone();
                course.take(&self.pending, flow, ends);
                Cow::Owned(course)
            }
        }
    }

    /// The course as it was before those segments that wait, if any did not.
    pub(super) fn known_course(&self) -> Option<&Course> {
        self.course.as_deref()
    }

    /// The segments that wait.
    pub(super) const fn pending(&self) -> &Pending {
        &self.pending
    }

    /// All segments of the flow, if all of them wait.
    pub(super) fn all_segments(&self) -> Option<&Pending> {
        if self.course.is_none() { Some(&self.pending) } else { None }
    }

    /// Leaves all that lies beside it: what the parts lay in, to be used again.
    pub(super) fn leave_parts(&mut self) -> impl Iterator<Item = Part> {
        self.course = None;
        self.pending.leave_parts()
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.course.as_ref().map_or(0, |course| size_of::<Course>() + course.held()) + self.pending.held()
    }

    /// Whether the next segment, plain as it looks, may be one of those with which the flow opens or closes.
    #[inline]
    pub(super) const fn opens_or_closes(&self) -> bool {
        const SYNS: u8 = 2;
        self.pending.is_closing() | (self.pending.is_beginning() & (self.pending.len() <= SYNS))
    }

    /// Has what the next segment touches behind [`Self::HEAD`] brought near: where it will wait, or, if its course will
    /// be asked for, that and all that wait; whether that will be asked for its times. `is_asked`: for certain.
    #[inline]
    pub(super) fn prefetch(&self, is_asked: bool) -> bool {
        if self.lets_next_wait() & !is_asked {
            self.pending.prefetch();
            return false;
        }
        self.pending.prefetch_all();
        if let Some(course) = &self.course {
            prefetch(&**course);
        }
        self.course.is_some()
    }

    /// The same of what stands first and last: the rate, and whether there is a course.
    #[inline]
    pub(super) fn prefetch_ends(&self) {
        prefetch(&self.rate);
        prefetch(&self.course);
    }

    /// The same of the times of the course.
    #[inline]
    pub(super) fn prefetch_times(&self) {
        if let Some(course) = &self.course {
            course.timing.prefetch();
        }
    }
}
