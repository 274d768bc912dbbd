//! The course of a flow that is over, in few bytes: most flows of a long capture are, and hardly anything comes of them.
//!
//! Nothing is lost of it: who asks, and a segment that comes late, has the very course made again. Where all segments of
//! the flow have waited, they themselves are packed: none was irregular, which is nearly all that is asked of a flow
//! that is over, and most are asked nothing else. Of others the course is packed: what only the flow's own segments
//! change is not told twice ([`Flow::known`]). What lists and outlines go through stands first, then the rate, then
//! Zeek's row.
//! Where something irregular was seen, or Zeek has a second row, the course stays as it is: those are rare, and large.
//!
//! It may be sealed at any time and by any thread, since nothing else changes it any more: what is told is the same
//! before, while and after it is.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::base::{Endpoint, Known, Packer, Packing, Unpacker, prefetch, prefetch_bytes};
use crate::flow::{Analysis, Beginning, Flow, Verdict, Zeek};

use super::course::{Course, Outline};
use super::going::Going;
use super::record::Rate;
use super::regular::Regular;
use super::spare::Spare;

/// Courses that are sealed together: what they share takes little of each.
pub(super) const TOGETHER: usize = 32;

/// Where each of the courses ends among their bytes.
type Ends = [u32; TOGETHER];

/// Bytes that a sealed course takes at most, mostly.
const USUAL: usize = 256;

/// Courses that are sealed together; each is asked for by its place among them. They share a block of memory, also
/// with their copies, which goes with the last of them: flows that were over at about the same time are forgotten at
/// about the same time.
#[derive(Debug, Clone)]
pub struct Courses(Arc<ArcSwap<Kept>>);

/// How they are kept: the same is told of both.
#[derive(Debug)]
enum Kept {
    Unsealed(Vec<Unsealed>),
    Sealed(Sealed),
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
    /// A bit for each of which the segments are packed.
    by_segments: u32,
    /// Those that had to stay as they are, by their places.
    whole: Vec<(u8, Course, Rate)>,
}

/// What one of them is packed in.
#[derive(Debug, Clone, Copy)]
enum Packed<'a> {
    /// The rate, then all segments of a flow of which none is irregular.
    Segments(&'a [u8]),
    Course(&'a [u8]),
}

impl Courses {
    /// About how many bytes one of them takes. The same before and after: what rests on it may not rest on when another
    /// thread comes to seal it, and few wait for that.
    pub(super) const HELD: usize = USUAL + (size_of::<ArcSwap<Kept>>() + size_of::<Kept>()) / TOGETHER;

    /// Of flows that are over, at most [`TOGETHER`].
    pub(super) fn of(flows: Vec<Unsealed>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Kept::Unsealed(flows))))
    }

    /// Seals them, if that was not done; whoever does it at the same time finds the same. What they lay in is spare
    /// then, where nobody asks about them just now.
    pub fn seal(&self, spare: &mut Spare) {
        let kept = self.0.load_full();
        let Kept::Unsealed(flows) = &*kept else { return };
        let sealed = Arc::new(Kept::Sealed(Sealed::of(flows)));
        drop(kept);
        if let Some(Kept::Unsealed(flows)) = Arc::into_inner(self.0.swap(sealed)) {
            spare.take(flows);
        }
    }

    /// Whether a course can be told in few bytes.
    pub(super) fn takes(course: &Course) -> bool {
        !course.verdict.is_troubled() && course.zeek.has_one_row()
    }

    /// A course of `flow`, between these ends, again.
    pub(super) fn course(&self, at: u8, flow: &Flow, ends: [Endpoint; 2]) -> Course {
        let kept = self.0.load();
        match kept.packed(at) {
            None => kept.whole(at).into_owned(),
            Some(packed @ Packed::Segments(_)) => {
                let (_, mut from) = packed.rate(flow);
                Course::of_beginning(Beginning::unpack(flow, &mut from).into_iter(), flow, ends)
            }
            Some(Packed::Course(bytes)) => {
                let mut course = Course::blank();
                pack(&mut course, &mut Rate::default(), flow, &mut Unpacker::new(bytes, flow.known()));
                course
            }
        }
    }

    /// Of it, what a flow in which nothing was irregular has of its own; `None` where it is not kept as one.
    pub(super) fn regular(&self, at: u8, flow: &Flow, ends: [Endpoint; 2]) -> Option<Regular> {
        let kept = self.0.load();
        let packed = kept.packed(at).filter(|packed| matches!(packed, Packed::Segments(_)))?;
        Some(Regular::unpack(flow, ends, &mut packed.rate(flow).1))
    }

    /// Of it, what tells how the flow went as a whole.
    pub(super) fn outline(&self, at: u8) -> Outline {
        let kept = self.0.load();
        match kept.packed(at) {
            None => Outline::of(&kept.whole(at)),
            Some(Packed::Segments(_)) => Outline::regular(),
            Some(Packed::Course(bytes)) => {
                let (mut verdict, mut analysis) = (Verdict::new(), Analysis::new());
                // What stands first needs nothing of what is known.
                pack_outline(&mut verdict, &mut analysis, &mut Unpacker::new(bytes, Known::nothing()));
                Outline { analysis: analysis.counts(), verdict: verdict.view() }
            }
        }
    }

    /// Of it, how much the flow carried.
    pub(super) fn rate(&self, at: u8, flow: &Flow) -> Rate {
        let kept = self.0.load();
        kept.packed(at).map_or_else(|| kept.rate_of_whole(at), |packed| packed.rate(flow).0)
    }

    /// Of it, Zeek's view.
    pub(super) fn zeek(&self, at: u8, flow: &Flow, ends: [Endpoint; 2]) -> Zeek {
        let kept = self.0.load();
        match kept.packed(at) {
            None => kept.whole(at).zeek.clone(),
            Some(packed @ Packed::Segments(_)) => Regular::unpack(flow, ends, &mut packed.rate(flow).1).zeek,
            Some(packed @ Packed::Course(_)) => {
                let mut zeek = Zeek::blank();
                zeek.pack(&mut packed.rate(flow).1);
                zeek
            }
        }
    }

    /// Has the place brought near where it stands how they are kept.
    pub(super) fn prefetch_place(&self) {
        prefetch(&*self.0);
    }

    /// The same of how they are kept.
    pub(super) fn prefetch(&self) {
        prefetch(&**self.0.load());
    }

    /// The same of what one of them is packed in.
    pub(super) fn prefetch_one(&self, at: u8) {
        if let Some(packed) = self.0.load().packed(at) {
            prefetch_bytes(packed.bytes());
        }
    }

    /// In how many bytes one of them is packed.
    #[cfg(test)]
    pub(super) fn packed_in(&self, at: u8) -> Option<usize> {
        self.0.load().packed(at).map(|packed| packed.bytes().len())
    }

    /// Whether it is the segments that are packed.
    #[cfg(test)]
    pub(super) fn has_segments(&self, at: u8) -> bool {
        matches!(self.0.load().packed(at), Some(Packed::Segments(_)))
    }

    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Kept {
    /// One that is packed.
    fn packed(&self, at: u8) -> Option<Packed<'_>> {
        match self {
            Self::Unsealed(_) => None,
            Self::Sealed(sealed) => sealed.packed(at),
        }
    }

    /// One that is not.
    fn whole(&self, at: u8) -> Cow<'_, Course> {
        match self {
            Self::Unsealed(flows) => {
                let Unsealed { going, flow, ends } = &flows[usize::from(at)];
                going.course(flow, *ends)
            }
            Self::Sealed(sealed) => Cow::Borrowed(&sealed.whole(at).1),
        }
    }

    fn rate_of_whole(&self, at: u8) -> Rate {
        match self {
            Self::Unsealed(flows) => flows[usize::from(at)].going.rate,
            Self::Sealed(sealed) => sealed.whole(at).2,
        }
    }
}

impl<'a> Packed<'a> {
    const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Segments(bytes) | Self::Course(bytes) => bytes,
        }
    }

    /// The rate, and what stands behind it.
    fn rate(self, flow: &Flow) -> (Rate, Unpacker<'a>) {
        let (mut rate, mut from) = (Rate::default(), Unpacker::new(self.bytes(), flow.known()));
        if let Self::Course(_) = self {
            pack_outline(&mut Verdict::new(), &mut Analysis::new(), &mut from);
        }
        rate.pack(flow.span().1, &mut from);
        (rate, from)
    }
}

impl Sealed {
    fn of(flows: &[Unsealed]) -> Self {
        let mut sealed = Self { ends: Ends::default(), bytes: Box::default(), by_segments: 0, whole: Vec::new() };
        let mut bytes = Vec::with_capacity(flows.len() * USUAL);
        for (at, flow) in (0..).zip(flows) {
            if flow.pack_segments(&mut bytes) {
                sealed.by_segments |= 1 << at;
            } else if let Some(whole) = flow.pack_course(&mut bytes) {
                sealed.whole.push((at, whole, flow.going.rate));
            }
            sealed.ends[usize::from(at)] = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        }
        sealed.bytes = bytes.into();
        sealed
    }

    fn packed(&self, at: u8) -> Option<Packed<'_>> {
        let (ends, place) = (&self.ends, usize::from(at));
        let from = place.checked_sub(1).map_or(0, |before| ends[before]);
        let bytes = &self.bytes[from as usize..ends[place] as usize];
        if self.by_segments & 1 << at != 0 {
            return Some(Packed::Segments(bytes));
        }
        let is_whole = self.whole.iter().any(|(place, ..)| *place == at);
        (!is_whole).then_some(Packed::Course(bytes))
    }

    fn whole(&self, at: u8) -> &(u8, Course, Rate) {
        self.whole.iter().find(|(place, ..)| *place == at).expect("who is not packed is whole")
    }
}

impl Unsealed {
    /// Packs its segments behind these bytes, if all have waited, none is irregular and they take no more than a course;
    /// else the bytes are as before.
    fn pack_segments(&self, bytes: &mut Vec<u8>) -> bool {
        let Self { going, flow, ends: _ } = self;
        let Some(segments) = going.all_segments() else { return false };
        let before = bytes.len();
        let mut packer = Packer::behind(std::mem::take(bytes), flow.known());
        going.rate.clone().pack(flow.span().1, &mut packer);
        let is_regular = Beginning::pack(segments.briefs(), segments.len(), flow, &mut packer);
        *bytes = packer.finish();
        let packs = is_regular && bytes.len() - before <= USUAL;
        if !packs {
            bytes.truncate(before);
        }
        packs
    }

    /// The same of its course; what has to stay as it is is given back.
    fn pack_course(&self, bytes: &mut Vec<u8>) -> Option<Course> {
        let Self { going, flow, ends } = self;
        let mut course = going.course(flow, *ends).into_owned();
        if !Courses::takes(&course) {
            return Some(course);
        }
        let mut packer = Packer::behind(std::mem::take(bytes), flow.known());
        pack(&mut course, &mut going.rate.clone(), flow, &mut packer);
        *bytes = packer.finish();
        None
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
