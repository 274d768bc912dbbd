//! The course of a flow that is over, in few bytes: most flows of a long capture are, and hardly anything comes of them.
//!
//! Nothing is lost of it: who asks, and a segment that comes late, has the very course made again. What only the flow's
//! own segments change is not told twice ([`Flow::known`]). What lists and outlines go through stands first, then the
//! rate, then Zeek's row.
//! Where something irregular was seen, or Zeek has a second row, the course stays as it is: those are rare, and large.

use triomphe::ThinArc;

use crate::base::{Known, Packer, Packing, Unpacker};
use crate::flow::{Analysis, Flow, Verdict, Zeek};

use super::course::{Course, Told};
use super::record::Rate;

/// Courses that are sealed together: what they share takes little of each.
pub(super) const TOGETHER: usize = 32;

/// Where each of the courses ends among their bytes.
type Ends = [u32; TOGETHER];

/// Bytes that a sealed course takes, mostly.
const USUAL: usize = 256;

/// Courses while they are sealed.
#[derive(Debug)]
pub(super) struct Sealer {
    bytes: Vec<u8>,
    ends: Ends,
    count: u8,
}

impl Sealer {
    /// Has sealed none.
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(TOGETHER * USUAL), ends: Ends::default(), count: 0 }
    }

    /// Whether a course is of those that can be sealed.
    pub(super) fn takes(course: &Course) -> bool {
        !course.verdict.is_troubled() && course.zeek.has_one_row()
    }

    /// Adds the course of `flow`, of which no segment waits; at most [`TOGETHER`].
    pub(super) fn add(&mut self, course: &mut Course, rate: &mut Rate, flow: &Flow) {
        let mut packer = Packer::behind(std::mem::take(&mut self.bytes), flow.known());
        pack(course, rate, flow, &mut packer);
        self.bytes = packer.finish();
        self.ends[usize::from(self.count)] = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.count += 1;
    }

    /// The courses, in the order in which they came.
    pub(super) fn finish(self) -> impl Iterator<Item = Told> {
        let block = Block(ThinArc::from_header_and_slice(self.ends, &self.bytes));
        (0..self.count).map(move |at| Told::Over(block.clone(), at))
    }
}

/// Courses that were sealed together; each is asked for by its place among them. They share a block of memory, also
/// with their copies, which goes with the last of them: flows that were over at about the same time are forgotten at
/// about the same time.
#[derive(Debug, Clone)]
pub(super) struct Block(ThinArc<Ends, u8>);

impl Block {
    /// A course of `flow` again.
    pub(super) fn course(&self, at: u8, flow: &Flow) -> Course {
        let mut course = Course::blank();
        let (mut rate, mut unpacker) = (Rate::default(), Unpacker::new(self.bytes(at), flow.known()));
        pack(&mut course, &mut rate, flow, &mut unpacker);
        course
    }

    /// Of it, a verdict and an analysis of which nothing may be asked but what they tell of the flow as a whole.
    pub(super) fn outline(&self, at: u8) -> (Verdict, Analysis) {
        self.begin(at, Known::nothing()).0
    }

    /// Of it, how much the flow carried.
    pub(super) fn rate(&self, at: u8, flow: &Flow) -> Rate {
        let (mut rate, (_, mut unpacker)) = (Rate::default(), self.begin(at, Known::nothing()));
        rate.pack(flow.span().1, &mut unpacker);
        rate
    }

    /// Of it, Zeek's view.
    pub(super) fn zeek(&self, at: u8, flow: &Flow) -> Zeek {
        let (mut zeek, (_, mut unpacker)) = (Zeek::blank(), self.begin(at, flow.known()));
        Rate::default().pack(flow.span().1, &mut unpacker);
        zeek.pack(&mut unpacker);
        zeek
    }

    /// What stands first of it, and where the rate follows: neither needs what is known.
    fn begin(&self, at: u8, known: Known) -> ((Verdict, Analysis), Unpacker<'_>) {
        let (mut verdict, mut analysis) = (Verdict::new(), Analysis::new());
        let mut unpacker = Unpacker::new(self.bytes(at), known);
        pack_outline(&mut verdict, &mut analysis, &mut unpacker);
        ((verdict, analysis), unpacker)
    }

    fn bytes(&self, at: u8) -> &[u8] {
        let (ends, at) = (&self.0.header.header, usize::from(at));
        let from = at.checked_sub(1).map_or(0, |before| ends[before]);
        &self.0.slice[from as usize..ends[at] as usize]
    }

    /// What one of them takes, bytes.
    pub(super) fn held(&self, at: u8) -> usize {
        self.bytes(at).len() + (size_of::<Ends>() + 2 * size_of::<usize>()) / TOGETHER
    }

    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        std::ptr::eq(&self.0.slice, &other.0.slice)
    }
}

/// All of it: no segment waits.
fn pack(course: &mut Course, rate: &mut Rate, flow: &Flow, into: &mut impl Packing) {
    let Course { analysis, verdict, timing, zeek } = course;
    pack_outline(verdict, analysis, into);
    rate.pack(flow.span().1, into);
    zeek.pack(into);
    analysis.pack(into);
    verdict.pack(into);
    timing.pack(into);
}

fn pack_outline(verdict: &mut Verdict, analysis: &mut Analysis, into: &mut impl Packing) {
    verdict.pack_outline(into);
    analysis.pack_counts(into);
}
