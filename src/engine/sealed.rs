//! The course of a flow that is over, in few bytes: most flows of a long capture are, and hardly anything comes of them.
//!
//! Nothing is lost of it: who asks, and a segment that comes late, has the very course made again. What only the flow's
//! own segments change is not told twice ([`Flow::known`]). What lists and outlines go through stands first, then the
//! rate, then Zeek's row.
//! Where something irregular was seen, or Zeek has a second row, the course stays as it is: those are rare, and large.
//!
//! It may be sealed at any time and by any thread, since nothing else changes it any more: what is told is the same
//! before, while and after it is.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use triomphe::Arc;

use crate::base::{Endpoint, Known, Packer, Packing, Unpacker};
use crate::flow::{Analysis, Flow, Verdict, Zeek};

use super::course::Course;
use super::going::Going;
use super::record::Rate;

/// Courses that are sealed together: what they share takes little of each.
pub(super) const TOGETHER: usize = 32;

/// Where each of the courses ends among their bytes.
type Ends = [u32; TOGETHER];

/// Bytes that a sealed course takes, mostly.
const USUAL: usize = 256;

/// Courses that are sealed together; each is asked for by its place among them. They share a block of memory, also
/// with their copies, which goes with the last of them: flows that were over at about the same time are forgotten at
/// about the same time.
#[derive(Debug, Clone)]
pub struct Courses(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    sealed: OnceLock<Sealed>,
    /// None, once they are sealed.
    unsealed: Mutex<Vec<Unsealed>>,
}

/// What is told of the segments of a flow that is over.
#[derive(Debug, Clone)]
pub(super) struct Unsealed {
    pub(super) going: Box<Going>,
    pub(super) flow: Flow,
    pub(super) ends: [Endpoint; 2],
}

#[derive(Debug)]
struct Sealed {
    ends: Ends,
    bytes: Box<[u8]>,
    /// Those that had to stay as they are, by their places.
    whole: Vec<(u8, Course, Rate)>,
}

/// One of them.
enum Entry<'a> {
    Packed(&'a [u8]),
    Whole(&'a Course, Rate),
    /// Of one that is not sealed yet.
    Made(Box<Course>, Rate),
}

impl Unsealed {
    fn held(&self) -> usize {
        size_of::<Self>() + size_of::<Going>() + self.going.held()
    }
}

impl Courses {
    /// Of flows that are over, at most [`TOGETHER`].
    pub(super) fn of(flows: Vec<Unsealed>) -> Self {
        Self(Arc::new(Parts { sealed: OnceLock::new(), unsealed: Mutex::new(flows) }))
    }

    /// Seals them, if that was not done.
    pub fn seal(&self) {
        let mut unsealed = self.unsealed();
        if self.0.sealed.get().is_none() {
            let _was_none = self.0.sealed.set(Sealed::of(&mut unsealed));
            *unsealed = Vec::new();
        }
    }

    /// Whether a course can be told in few bytes.
    pub(super) fn takes(course: &Course) -> bool {
        !course.verdict.is_troubled() && course.zeek.has_one_row()
    }

    /// A course of `flow` again.
    pub(super) fn course(&self, at: u8, flow: &Flow) -> Course {
        match self.entry(at) {
            Entry::Packed(bytes) => {
                let (mut course, mut rate) = (Course::blank(), Rate::default());
                pack(&mut course, &mut rate, flow, &mut Unpacker::new(bytes, flow.known()));
                course
            }
            Entry::Whole(course, _) => course.clone(),
            Entry::Made(course, _) => *course,
        }
    }

    /// Of it, a verdict and an analysis of which nothing may be asked but what they tell of the flow as a whole.
    pub(super) fn outline(&self, at: u8) -> (Verdict, Analysis) {
        match self.entry(at) {
            Entry::Packed(bytes) => begin(bytes, Known::nothing()).0,
            Entry::Whole(Course { analysis, verdict, .. }, _) => (verdict.clone(), analysis.clone()),
            Entry::Made(course, _) => (course.verdict, course.analysis),
        }
    }

    /// Of it, how much the flow carried.
    pub(super) fn rate(&self, at: u8, flow: &Flow) -> Rate {
        match self.entry(at) {
            Entry::Packed(bytes) => {
                let (mut rate, (_, mut unpacker)) = (Rate::default(), begin(bytes, Known::nothing()));
                rate.pack(flow.span().1, &mut unpacker);
                rate
            }
            Entry::Whole(_, rate) | Entry::Made(_, rate) => rate,
        }
    }

    /// Of it, Zeek's view.
    pub(super) fn zeek(&self, at: u8, flow: &Flow) -> Zeek {
        match self.entry(at) {
            Entry::Packed(bytes) => {
                let (mut zeek, (_, mut unpacker)) = (Zeek::blank(), begin(bytes, flow.known()));
                Rate::default().pack(flow.span().1, &mut unpacker);
                zeek.pack(&mut unpacker);
                zeek
            }
            Entry::Whole(course, _) => course.zeek.clone(),
            Entry::Made(course, _) => course.zeek,
        }
    }

    /// What one of them takes, bytes.
    pub(super) fn held(&self, at: u8) -> usize {
        let of_all = (size_of::<Parts>() + size_of::<Ends>()) / TOGETHER;
        let Some(sealed) = self.0.sealed.get() else {
            return of_all + self.unsealed().get(usize::from(at)).map_or(0, Unsealed::held);
        };
        let of_one = match sealed.entry(at) {
            Entry::Packed(bytes) => bytes.len(),
            Entry::Whole(course, _) => size_of::<Course>() + course.held(),
            Entry::Made(course, _) => size_of::<Course>() + course.held(),
        };
        of_all + of_one
    }

    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn entry(&self, at: u8) -> Entry<'_> {
        if let Some(sealed) = self.0.sealed.get() {
            return sealed.entry(at);
        }
        let unsealed = self.unsealed();
        // It may have been sealed meanwhile.
        match self.0.sealed.get() {
            Some(sealed) => sealed.entry(at),
            None => {
                let Unsealed { going, flow, ends } = &unsealed[usize::from(at)];
                Entry::Made(Box::new(going.course(flow, *ends).into_owned()), going.rate)
            }
        }
    }

    fn unsealed(&self) -> MutexGuard<'_, Vec<Unsealed>> {
        // Whoever panicked has changed nothing that is told.
        self.0.unsealed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sealed {
    fn of(flows: &mut [Unsealed]) -> Self {
        let mut sealed = Self { ends: Ends::default(), bytes: Box::default(), whole: Vec::new() };
        let mut bytes = Vec::with_capacity(flows.len() * USUAL);
        for (at, Unsealed { going, flow, ends }) in (0..).zip(flows) {
            let mut rate = going.rate;
            let course = going.course_mut(flow, *ends);
            if Courses::takes(course) {
                let mut packer = Packer::behind(bytes, flow.known());
                pack(course, &mut rate, flow, &mut packer);
                bytes = packer.finish();
            } else {
                sealed.whole.push((at, course.clone(), rate));
            }
            sealed.ends[usize::from(at)] = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        }
        sealed.bytes = bytes.into();
        sealed
    }

    fn entry(&self, at: u8) -> Entry<'_> {
        if let Some((_, course, rate)) = self.whole.iter().find(|(place, ..)| *place == at) {
            return Entry::Whole(course, *rate);
        }
        let (ends, at) = (&self.ends, usize::from(at));
        let from = at.checked_sub(1).map_or(0, |before| ends[before]);
        Entry::Packed(&self.bytes[from as usize..ends[at] as usize])
    }
}

/// What stands first of one, and where the rate follows: neither needs what is known.
fn begin(bytes: &[u8], known: Known) -> ((Verdict, Analysis), Unpacker<'_>) {
    let (mut verdict, mut analysis) = (Verdict::new(), Analysis::new());
    let mut unpacker = Unpacker::new(bytes, known);
    pack_outline(&mut verdict, &mut analysis, &mut unpacker);
    ((verdict, analysis), unpacker)
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
