//! The course of a flow that is over, in few bytes: most flows of a long capture are, and hardly anything comes of them.
//!
//! Nothing is lost of it: who asks, and a segment that comes late, has the very course made again. What only the flow's
//! own segments change is not told twice ([`Flow::known`]). The sums that lists go through stand first, Zeek's row next.
//! Where something irregular was seen, or Zeek has a second row, the course stays as it is: those are rare, and large.

use triomphe::ThinArc;

use crate::base::{Packer, Packing, Unpacker};
use crate::flow::{Analysis, Flow, Zeek};

use super::course::Course;
use super::record::Rate;

/// A course that is packed; copies share it.
#[derive(Debug, Clone)]
pub(super) struct Sealed(ThinArc<(), u8>);

impl Sealed {
    /// Whether a course is of those that can be.
    pub(super) fn can_hold(course: &Course) -> bool {
        !course.verdict.is_troubled() && course.zeek.has_one_row()
    }

    /// The course of `flow`, of which no segment waits.
    pub(super) fn of(course: &mut Course, flow: &Flow) -> Self {
        let mut packer = Packer::new(flow.known());
        pack_sums(&mut course.rate, &mut course.analysis, flow, &mut packer);
        course.zeek.pack(&mut packer);
        pack_rest(course, &mut packer);
        Self(ThinArc::from_header_and_slice((), &packer.finish()))
    }

    /// The course of `flow` again.
    pub(super) fn course(&self, flow: &Flow) -> Course {
        let mut course = Course::blank();
        let mut unpacker = self.read(flow);
        pack_sums(&mut course.rate, &mut course.analysis, flow, &mut unpacker);
        course.zeek.pack(&mut unpacker);
        pack_rest(&mut course, &mut unpacker);
        course
    }

    /// Of it, how much the flow carried, and an analysis that has nothing but its counts.
    pub(super) fn sums(&self, flow: &Flow) -> (Rate, Analysis) {
        let (mut rate, mut analysis) = (Rate::default(), Analysis::new());
        pack_sums(&mut rate, &mut analysis, flow, &mut self.read(flow));
        (rate, analysis)
    }

    /// Of it, Zeek's view.
    pub(super) fn zeek(&self, flow: &Flow) -> Zeek {
        let (mut rate, mut analysis, mut zeek) = (Rate::default(), Analysis::new(), Zeek::blank());
        let mut unpacker = self.read(flow);
        pack_sums(&mut rate, &mut analysis, flow, &mut unpacker);
        zeek.pack(&mut unpacker);
        zeek
    }

    fn read(&self, flow: &Flow) -> Unpacker<'_> {
        Unpacker::new(&self.0.slice, flow.known())
    }

    /// What it holds, bytes.
    pub(super) fn held(&self) -> usize {
        // Beside the bytes, how many there are and who shares them.
        self.0.slice.len() + 2 * size_of::<usize>()
    }

    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        std::ptr::eq(&self.0.slice, &other.0.slice)
    }
}

fn pack_sums(rate: &mut Rate, analysis: &mut Analysis, flow: &Flow, into: &mut impl Packing) {
    rate.pack(flow.span().1, into);
    analysis.pack_counts(into);
}

fn pack_rest(course: &mut Course, into: &mut impl Packing) {
    course.analysis.pack(into);
    course.verdict.pack(into);
    course.timing.pack(into);
}
