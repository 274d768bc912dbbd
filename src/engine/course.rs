//! What a flow keeps from its second segment on: the analysis, our own verdict, its times, Zeek's view, the rate.
//!
//! A flow that is a lone plain SYN keeps none of it, since its flow tells that SYN in full: a flood of SYNs from
//! ever new addresses takes little memory. Whoever asks for such a flow's course has it made from the SYN.

use std::borrow::Cow;

use crate::base::{Seq, Timestamp};
use crate::flow::{
    Analysis, AnalysisCounts, Around, Flow, Marks, Run, Side, Timing, Verdict, VerdictView, Zeek, ZeekView,
};
use crate::wire::{Flags, Options, Segment};

use super::pending::Pending;
use super::record::{Rate, Record};
use super::sealed::{Block, Sealer};

/// Beside the flow's states: what else is told of its segments. What every plain segment touches stands first.
#[derive(Debug, Clone)]
#[repr(C)]
pub(super) struct Course {
    pub(super) rate: Rate,
    /// Segments that the rate knows, and nothing else does yet.
    pub(super) pending: Pending,
    /// What Wireshark says of them.
    pub(super) analysis: Analysis,
    /// Why they were sent again, as far as the evidence goes.
    pub(super) verdict: Verdict,
    /// Round trips and waits; empty until it carries data.
    pub(super) timing: Timing,
    /// What Zeek would log of them.
    pub(super) zeek: Zeek,
}

impl Course {
    /// Before the first segment.
    pub(super) fn blank() -> Self {
        Self {
            rate: Rate::default(),
            pending: Pending::default(),
            analysis: Analysis::new(),
            verdict: Verdict::new(),
            timing: Timing::default(),
            zeek: Zeek::blank(),
        }
    }

    /// Of a flow whose first segment is `segment`, sent by `from`; `reuses`: on a tuple that had a flow before.
    pub(super) fn new(segment: &Segment, from: Side, reuses: bool) -> Self {
        let mut course = Self::blank();
        course.begin(segment, from, reuses);
        course
    }

    /// Makes the course of a flow that begins so of a blank one, in its place.
    fn begin(&mut self, segment: &Segment, from: Side, reuses: bool) {
        if reuses {
            self.analysis = Analysis::reusing();
        }
        self.zeek = Zeek::new(segment, from);
        self.feed(segment, from, None);
        self.rate.add(segment.ts, u64::from(segment.frame_len) * 8);
    }

    /// Shows all but Zeek's machine a segment sent by `from`, when none waits; `before` is the flow as it was before it.
    /// Returns what Wireshark says of it.
    #[inline]
    pub(super) fn feed(&mut self, segment: &Segment, from: Side, before: Option<&Flow>) -> Marks {
        // The verdict rests on what the others knew before the segment.
        self.verdict.feed(segment, from, || Around::of(&self.analysis, before, from));
        if self.verdict.is_troubled() {
            // From now on none ever waits.
            self.pending = Pending::default();
        }
        self.timing.feed(segment, from, before);
        self.analysis.feed(segment, from)
    }

    /// Whether Wireshark calls no plain segment of `flow` a retransmission. It may where the analysis took in numbers
    /// that the flow did not believe. While segments may wait it does not: they keep the analysis where the flow is.
    #[inline]
    pub(super) fn takes_plain(&self, flow: &Flow) -> bool {
        self.pending.is_allowed() || self.analysis.ends_at(flow.nxt())
    }

    /// Takes in a plain segment of `flow` that cannot wait; `flow` is as it was before it.
    #[inline(never)]
    pub(super) fn take_alone(&mut self, segment: &Segment, from: Side, flow: &Flow) {
        self.catch_up(flow);
        self.pending.close();
        self.zeek.feed(segment, from);
        self.feed(segment, from, Some(flow));
    }

    /// After `flow` has taken in a plain segment too: takes in those that wait, where no more can, and sees whether the
    /// next may.
    #[inline]
    pub(super) fn settle(&mut self, flow: &Flow) {
        if !self.pending.has_room_for(1) {
            self.settle_now(flow);
        }
    }

    #[inline(never)]
    fn settle_now(&mut self, flow: &Flow) {
        self.catch_up(flow);
        if !self.pending.is_allowed()
            && self.lets_wait()
            && let Some(run) = Run::begin(flow, &self.analysis, &self.verdict, &self.zeek)
        {
            self.pending.allow(run);
        }
    }

    /// Takes in what has waited; `flow` is as it is after the last of it.
    fn catch_up(&mut self, flow: &Flow) {
        let Self { pending, analysis, verdict, timing, zeek, rate: _ } = self;
        let briefs = pending.briefs();
        briefs.iter().for_each(|brief| timing.feed_plain(brief));
        Run::end(briefs, flow, analysis, verdict, zeek);
        pending.clear();
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        let Self { pending, analysis, verdict, timing, zeek, rate: _ } = self;
        pending.held() + analysis.held() + verdict.held() + timing.held() + zeek.held()
    }

    /// Whether plain segments may wait: times have begun, which they do by what the flow was just then, and nobody
    /// looks at each segment closely.
    fn lets_wait(&self) -> bool {
        self.timing.has_begun() && !self.verdict.is_troubled()
    }

    /// Whether no segment waits.
    #[cfg(test)]
    pub(super) fn is_told_in_full(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the next plain segment will wait, and those before it go on waiting.
    pub(super) fn lets_next_wait(&self) -> bool {
        self.pending.has_room_for(2)
    }

    /// Reads how many wait, and the rate beside it.
    pub(super) const fn warm_count(&self) -> u64 {
        self.pending.count() as u64 ^ self.rate.warm()
    }

    /// Reads a little of where the next segment will wait.
    pub(super) fn warm_waiting(&self) -> u64 {
        self.pending.warm()
    }

    /// Reads a little of every part but its times, so that all of it is at hand.
    pub(super) fn warm(&self) -> u64 {
        self.analysis.warm() ^ self.zeek.warm() ^ self.pending.warm_all()
    }

    /// Whether [`Record::course`] can make the course of a flow that begins with this segment: a SYN of which nothing
    /// counts but what [`Flow::lone_syn`] tells.
    pub(super) fn is_told_by_flow(segment: &Segment) -> bool {
        const KINDS: u16 = 0x3f;
        let Segment { flags, options, .. } = segment;
        let said_more = options.cut || options.mptcp.is_some() || segment.ack != Seq(0) || segment.malformed;
        flags.0 & KINDS == Flags::SYN.0 && !said_more
    }
}

/// Courses that were sealed, for flows that begin: to ask for the memory anew takes longer. A copy begins with none.
#[derive(Debug, Default)]
// Their boxes are what is kept.
#[allow(clippy::vec_box)]
pub(super) struct Spent(Vec<Box<Course>>);

impl Clone for Spent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Spent {
    /// Kept at most.
    const KEPT: usize = 64;

    /// Keeps one of a flow that needs it no more.
    pub(super) fn keep(&mut self, told: Told) {
        if let Told::Going(course) = told
            && self.0.len() < Self::KEPT
        {
            self.0.push(course);
        }
    }

    /// A blank one. Of what it held before, it keeps the place where segments wait; its times go only now, when others
    /// will soon want the like.
    fn take(&mut self) -> Box<Course> {
        let Some(mut course) = self.0.pop() else { return Box::new(Course::blank()) };
        let mut pending = std::mem::take(&mut course.pending);
        pending.close();
        *course = Course { pending, ..Course::blank() };
        course
    }
}

/// What a course tells of the flow as a whole.
pub(super) struct Outline {
    pub(super) analysis: [AnalysisCounts; 2],
    pub(super) verdict: VerdictView,
}

impl Outline {
    pub(super) fn of(course: &Course) -> Self {
        Self { analysis: course.analysis.counts(), verdict: course.verdict.view() }
    }

    /// Of a lone SYN that its flow tells in full: no rule says anything of one but that its window is 0, which is no
    /// mark of a SYN.
    fn of_lone_syn() -> Self {
        Self { analysis: Default::default(), verdict: VerdictView::default() }
    }
}

/// How a flow's course is kept.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// Not at all: only the kernel knows the flow, or its flow tells its lone SYN in full.
    Nothing,
    Going(Box<Course>),
    /// Of a flow that is over, sealed: where, and its place there. What comes late is taken in by a course made from it.
    Over(Block, u8),
}

impl Told {
    /// The course of a flow that goes on.
    #[inline]
    pub(super) fn going(&self) -> Option<&Course> {
        match self {
            Self::Going(course) => Some(course),
            Self::Nothing | Self::Over(..) => None,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Over(..))
    }

    /// The course of a flow that goes on, or goes on after all.
    #[inline]
    pub(super) fn reopen(&mut self, flow: &Flow) -> Option<&mut Course> {
        if let Self::Over(block, at) = self {
            *self = Self::Going(Box::new(block.course(*at, flow)));
        }
        match self {
            Self::Going(course) => Some(course),
            Self::Nothing | Self::Over(..) => None,
        }
    }

    /// What it holds beside itself and does not share with `other`, bytes.
    pub(super) fn held(&self, other: Option<&Self>) -> usize {
        match (self, other) {
            (Self::Nothing, _) => 0,
            (Self::Going(course), _) => size_of::<Course>() + course.held(),
            (Self::Over(own, _), Some(Self::Over(other, _))) if own.is_shared_with(other) => 0,
            (Self::Over(block, at), _) => block.held(*at),
        }
    }
}

impl Record {
    /// What is told of its segments; `None` if there was none.
    pub(super) fn course(&self) -> Option<Cow<'_, Course>> {
        let flow = self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => Cow::Owned(Course::new(&self.lone_syn(flow), Side::Orig, false)),
            Told::Going(course) => self.caught_up(course),
            Told::Over(block, at) => Cow::Owned(block.course(*at, flow)),
        })
    }

    /// Of it, what tells how the flow went as a whole.
    pub(super) fn outline(&self) -> Option<Outline> {
        self.wire.as_ref()?;
        match &self.course {
            Told::Nothing => Some(Outline::of_lone_syn()),
            Told::Over(block, at) => {
                let (verdict, analysis) = block.outline(*at);
                Some(Outline { analysis: analysis.counts(), verdict: verdict.view() })
            }
            Told::Going(_) => self.course().as_deref().map(Outline::of),
        }
    }

    /// Keeps its course from now on, in a spent one. To be called before the flow takes in its second segment.
    pub(super) fn keep_course(&mut self, spent: &mut Spent) {
        let Some(flow) = self.wire.as_ref().filter(|_| matches!(self.course, Told::Nothing)) else { return };
        let mut course = spent.take();
        course.begin(&self.lone_syn(flow), Side::Orig, false);
        self.course = Told::Going(course);
    }

    /// Its course, kept from now on. To be called before the flow takes in its second segment.
    pub(super) fn course_mut(&mut self) -> Option<&mut Course> {
        self.keep_course(&mut Spent::default());
        let flow = self.wire.as_ref()?;
        let course = self.course.reopen(flow)?;
        course.catch_up(flow);
        course.pending.close();
        Some(course)
    }

    /// Whether the wire shows that it is over, but for TIME-WAIT, and its course is not sealed.
    pub(super) fn may_be_sealed(&self) -> bool {
        self.course.going().is_some() && self.wire.as_ref().is_some_and(Flow::has_closed)
    }

    /// Has its course sealed; where that cannot be, gives back what it holds in vain, and returns false.
    pub(super) fn seal(&mut self, sealer: &mut Sealer) -> bool {
        let Some(flow) = &self.wire else { return false };
        let Told::Going(course) = &mut self.course else { return false };
        course.catch_up(flow);
        course.pending.close();
        if !Sealer::takes(course) {
            course.pending = Pending::default();
            course.verdict.shrink();
            course.zeek.shrink();
            return false;
        }
        sealer.add(course, flow);
        true
    }

    fn caught_up<'a>(&self, course: &'a Course) -> Cow<'a, Course> {
        match &self.wire {
            Some(flow) if !course.pending.is_empty() => {
                let mut course = course.clone();
                course.catch_up(flow);
                Cow::Owned(course)
            }
            _ => Cow::Borrowed(course),
        }
    }

    /// One part of it, once it alone has taken in what has waited.
    fn caught_up_part<'a, T: Clone>(
        &self,
        course: &Course,
        part: &'a T,
        feed: impl Fn(&mut T, &Segment, Side, &Flow),
    ) -> Cow<'a, T> {
        let Some(flow) = self.wire.as_ref().filter(|_| !course.pending.is_empty()) else { return Cow::Borrowed(part) };
        let mut part = part.clone();
        course.pending.for_each([self.orig, self.resp], |segment, from| feed(&mut part, segment, from, flow));
        Cow::Owned(part)
    }

    /// The only segment of a flow that is a lone SYN.
    fn lone_syn(&self, flow: &Flow) -> Segment {
        let syn = flow.lone_syn();
        Segment {
            seq: syn.seq,
            window: syn.window,
            payload_len: syn.payload_len,
            frame_len: self.first_frame.len(),
            options: Options { wscale: syn.wscale, ..Options::default() },
            ttl: self.first_frame.ttl,
            digest: self.first_frame.digest().into(),
            ..Segment::bare(flow.span().0, self.orig, self.resp, Flags::SYN)
        }
    }

    /// How often each half's segments were marked; `None` if no segment was seen.
    pub(super) fn analysis_counts(&self) -> Option<[AnalysisCounts; 2]> {
        self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => Outline::of_lone_syn().analysis,
            Told::Going(course) => {
                let analysis = self.caught_up_part(course, &course.analysis, |analysis, segment, from, _| {
                    analysis.feed(segment, from);
                });
                analysis.counts()
            }
            Told::Over(block, at) => block.outline(*at).1.counts(),
        })
    }

    /// How much it carries; `None` if no segment was seen.
    pub(super) fn rate(&self) -> Option<Rate> {
        let flow = self.wire.as_ref()?;
        let of_first = || {
            let mut rate = Rate::default();
            rate.add(flow.span().0, u64::from(self.first_frame.len()) * 8);
            rate
        };
        Some(match &self.course {
            Told::Nothing => of_first(),
            Told::Going(course) => course.rate,
            Told::Over(block, at) => block.rate(*at, flow),
        })
    }

    /// Segments sent again, by the wire; `None` if no segment was seen.
    pub(super) fn retransmissions(&self) -> Option<u64> {
        self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => 0,
            // None of those that wait is one.
            Told::Going(course) => course.analysis.retransmissions(),
            Told::Over(block, at) => block.outline(*at).1.retransmissions(),
        })
    }

    /// Segments lost, by our own verdict; `None` if no segment was seen.
    pub(super) fn lost(&self) -> Option<u64> {
        // Of a flow that is sealed nothing irregular was seen, and of segments that wait none was sent again.
        self.wire.as_ref().map(|_| self.course.going().map_or(0, |course| course.verdict.lost()))
    }

    /// Its times; `None` of a lone SYN, which has none, and if no segment was seen.
    pub(super) fn timing(&self) -> Option<Cow<'_, Timing>> {
        match (&self.course, &self.wire) {
            (Told::Going(course), _) => {
                Some(self.caught_up_part(course, &course.timing, |timing, segment, from, flow| {
                    timing.feed(segment, from, Some(flow));
                }))
            }
            (Told::Over(block, at), Some(flow)) => Some(Cow::Owned(block.course(*at, flow).timing)),
            _ => None,
        }
    }

    /// What Zeek would log of it at `now`; `None` if no segment was seen.
    pub(super) fn zeek_rows(&self, now: Timestamp) -> Option<ZeekView> {
        match (&self.course, &self.wire) {
            (Told::Over(block, at), Some(flow)) => Some(block.zeek(*at, flow).rows(now)),
            _ => self.course().map(|course| course.zeek.rows(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::segment;
    use super::super::{Config, Engine, Input};
    use super::*;
    use std::time::Duration;

    const CLIENT: &str = "10.0.0.2:40000";
    const SERVER: &str = "10.0.0.5:80";

    /// The flow's record of an engine that has seen these.
    fn record_of(inputs: &[Segment]) -> Record {
        let mut engine = Engine::new(Config::replay(10, 1));
        inputs.iter().for_each(|segment| engine.feed(&Input::Segment(*segment)));
        engine.table.iter().next().map(|(_, record)| record.clone()).expect("a flow")
    }

    #[test]
    fn a_lone_syn_tells_its_course() {
        let syn = segment(7, CLIENT, SERVER, "S", 100, 0, 0);
        let options = |wscale| Options { wscale, mss: Some(1460), sack_permitted: true, ..Options::default() };
        for syn in [
            syn,
            Segment { window: 0, ..syn },
            Segment { options: options(None), seq: Seq(u32::MAX), ..syn },
            Segment { options: options(Some(0)), ..syn },
            Segment { options: options(Some(14)), payload_len: 300, frame_len: u32::MAX, ..syn },
            Segment { flags: Flags::SYN | Flags::ECE | Flags::CWR, src: syn.dst, dst: syn.src, ..syn },
        ] {
            let record = record_of(&[syn]);
            assert!(matches!(record.course, Told::Nothing), "nothing is kept");
            let (made, fed) = (record.course().expect("a segment was seen"), Course::new(&syn, Side::Orig, false));
            assert_eq!((&made.analysis, &made.zeek), (&fed.analysis, &fed.zeek));
            assert_eq!((&made.verdict, &made.timing), (&fed.verdict, &fed.timing));
            assert_eq!((made.rate, record.rate()), (fed.rate, Some(fed.rate)));
            assert_eq!(record.analysis_counts(), Some(fed.analysis.counts()));
            let (told, outline) = (record.outline().expect("a segment was seen"), Outline::of(&fed));
            assert_eq!((told.analysis, told.verdict), (outline.analysis, outline.verdict));
        }
    }

    #[test]
    fn what_says_more_keeps_its_course() {
        let syn = segment(7, CLIENT, SERVER, "S", 100, 0, 0);
        for first in [
            Segment { ack: Seq(5), ..syn },
            Segment { options: Options { mptcp: Some(0), ..Options::default() }, ..syn },
            Segment { options: Options { cut: true, ..Options::default() }, ..syn },
            Segment { malformed: true, ..syn },
            segment(7, SERVER, CLIENT, "S.", 500, 101, 0),
            segment(7, CLIENT, SERVER, "P.", 101, 501, 5),
        ] {
            assert!(!matches!(record_of(&[first]).course, Told::Nothing), "{first:?}");
        }
        let again = Segment { ts: syn.ts + Duration::from_secs(1), ..syn };
        assert!(!matches!(record_of(&[syn, again]).course, Told::Nothing), "a second segment");
    }
}
