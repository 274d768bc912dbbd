//! What a flow keeps from its second segment on: the analysis, our own verdict, its times, Zeek's view, the rate.
//!
//! A flow that is a lone plain SYN keeps none of it, since its flow tells that SYN in full: a flood of SYNs from
//! ever new addresses takes little memory. Whoever asks for such a flow's course has it made from the SYN.

use std::borrow::Cow;
use std::mem;

use crate::base::{Endpoint, Seq, Timestamp, prefetch};
use crate::flow::{
    Analysis, AnalysisCounts, Around, Beginning, Brief, Flow, Mark, Marks, PastRun, Run, Side, Starts, Timing, Verdict,
    VerdictView, Zeek, ZeekView,
};
use crate::wire::{Flags, Options, Segment};

use super::going::Going;
use super::pending::Pending;
use super::record::{Rate, Record};
use super::regular::Regular;
use super::sealed::{Courses, Unsealed};
use super::spare::Spare;
use super::table::side_of;

/// Beside the flow's states: what else is told of its segments.
#[derive(Debug, Clone)]
pub(super) struct Course {
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
        Self { analysis: Analysis::new(), verdict: Verdict::new(), timing: Timing::default(), zeek: Zeek::blank() }
    }

    /// Of a flow whose first segment is `segment`, sent by `from`; `reuses`: on a tuple that had a flow before.
    pub(super) fn new(segment: &Segment, from: Side, reuses: bool) -> Self {
        let analysis = if reuses { Analysis::reusing() } else { Analysis::new() };
        let zeek = Zeek::new(segment, from);
        let mut course = Self { analysis, verdict: Verdict::new(), timing: Timing::default(), zeek };
        course.feed(segment, from, None);
        course
    }

    /// Of a flow all of whose segments have waited; `flow` is as it is after the last of them.
    pub(super) fn of_beginning(briefs: impl Iterator<Item = Brief>, flow: &Flow, ends: [Endpoint; 2]) -> Self {
        let (mut stands, mut course, mut run) = (Beginning::NONE, Self::blank(), None::<PastRun>);
        for (number, brief) in briefs.enumerate() {
            if run.as_mut().is_some_and(|run| run.takes(&brief)) {
                course.timing.feed_plain(&brief);
            } else {
                course.end_run(run.take());
                course.begin_with(number, &brief, &stands, flow, ends);
            }
            stands.pass(&brief);
            if run.is_none() {
                run = course.begin_past_run(&stands);
            }
        }
        course.end_run(run);
        course
    }

    /// Takes in one segment of the beginning, the first if its `number` is 0.
    fn begin_with(&mut self, number: usize, brief: &Brief, stands: &Beginning, flow: &Flow, ends: [Endpoint; 2]) {
        let (mut segment, from) = (brief.segment(ends), brief.from());
        if number == 0 {
            self.zeek = Zeek::new(&segment, from);
        } else {
            self.zeek.feed(&segment, from);
        }
        segment.options = segment.options.with_wscale(flow.scale_offered_by(&segment, from));
        // In line as they are, the verdict asks for nothing else.
        self.verdict.feed(&segment, from, Around::default);
        self.timing.feed(&segment, from, || Some(stands.starts(flow)));
        self.analysis.feed(&segment, from);
    }

    /// The same as [`Self::begin_run`], where the flow stood so and has gone on since.
    fn begin_past_run(&self, stands: &Beginning) -> Option<PastRun> {
        let Self { analysis, verdict, timing: _, zeek } = self;
        self.may_begin_run().then(|| PastRun::begin(stands, analysis, verdict, zeek)).flatten()
    }

    fn end_run(&mut self, run: Option<PastRun>) {
        if let Some(run) = run {
            run.end(&mut self.analysis, &mut self.verdict, &mut self.zeek);
        }
    }

    /// Shows all but Zeek's machine a segment sent by `from`, when none waits; `before` is the flow as it was before it.
    /// Returns what Wireshark says of it.
    #[inline]
    pub(super) fn feed(&mut self, segment: &Segment, from: Side, before: Option<&Flow>) -> Marks {
        // The verdict rests on what the others knew before the segment.
        self.verdict.feed(segment, from, || Around::of(&self.analysis, before, from));
        self.timing.feed(segment, from, || before.map(Starts::of));
        self.analysis.feed(segment, from)
    }

    /// Takes in what has waited; `flow` is as it is after the last of it.
    pub(super) fn take(&mut self, pending: &Pending, flow: &Flow, ends: [Endpoint; 2]) {
        if pending.is_empty() {
            return;
        }
        let Self { analysis, verdict, timing, zeek } = self;
        let (run, more) = (|| pending.briefs().take(pending.of_run()), pending.briefs().skip(pending.of_run()));
        run().for_each(|brief| timing.feed_plain(&brief));
        if !pending.has_more_than_run() {
            return Run::end(run(), flow, analysis, verdict, zeek);
        }
        Run::end_before_more(run(), analysis, verdict, zeek);
        for brief in more {
            let (segment, from) = (brief.segment(ends), brief.from());
            self.zeek.feed(&segment, from);
            // In line as it is, nothing asks for the flow as it was before.
            self.feed(&segment, from, None);
        }
    }

    /// A run that the next segment may begin.
    pub(super) fn begin_run(&self, flow: &Flow) -> Option<Run> {
        let Self { analysis, verdict, timing: _, zeek } = self;
        self.may_begin_run().then(|| Run::begin(flow, analysis, verdict, zeek)).flatten()
    }

    /// Where times have begun, which they do by what the flow was just then, and nobody looks at each segment closely.
    fn may_begin_run(&self) -> bool {
        self.timing.has_begun() && !self.verdict.is_troubled()
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        let Self { analysis, verdict, timing, zeek } = self;
        analysis.held() + verdict.held() + timing.held() + zeek.held()
    }

    /// Whether [`Record::course`] can make the course of a flow that begins with this segment: a SYN of which nothing
    /// counts but what [`Flow::lone_syn`] tells.
    pub(super) fn is_told_by_flow(segment: &Segment) -> bool {
        const KINDS: u16 = 0x3f;
        let Segment { flags, options, .. } = segment;
        let said_more = options.cut() || options.mptcp().is_some() || segment.ack != Seq(0) || segment.malformed;
        flags.0 & KINDS == Flags::SYN.0 && !said_more
    }
}

/// What a course tells of the flow as a whole.
pub(super) struct Outline {
    pub(super) analysis: [AnalysisCounts; 2],
    pub(super) verdict: VerdictView,
}

impl Outline {
    /// Of a flow whose SYN was seen, and in which nothing was irregular; a lone SYN has no mark either.
    pub(super) fn regular() -> Self {
        Self { analysis: Default::default(), verdict: VerdictView::default() }
    }

    pub(super) fn of(course: &Course) -> Self {
        Self { analysis: course.analysis.counts(), verdict: course.verdict.view() }
    }
}

/// How a flow's course is kept.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// Not at all: only the kernel knows the flow, or its flow tells its lone SYN in full.
    Nothing,
    Going(Box<Going>),
    /// Of a flow that is over: where it is sealed, or will be, and its place there. What comes late is taken in by a
    /// course made from it.
    Over(Courses, u8),
}

impl Told {
    /// What is told of a flow that goes on.
    #[inline]
    pub(super) fn going(&self) -> Option<&Going> {
        match self {
            Self::Going(going) => Some(going),
            Self::Nothing | Self::Over(..) => None,
        }
    }

    /// Has that brought near; of one that is over, the place where it stands how it is kept.
    pub(super) fn prefetch(&self) {
        match self {
            Self::Nothing => {}
            Self::Going(going) => prefetch(&**going),
            Self::Over(block, _) => block.prefetch_place(),
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Over(..))
    }

    /// What is told of a flow that goes on, or goes on after all.
    #[inline]
    pub(super) fn reopen(&mut self, flow: &Flow, ends: [Endpoint; 2]) -> Option<&mut Going> {
        if let Self::Over(block, at) = self {
            *self = Self::Going(Box::new(Going::of(block.course(*at, flow, ends), block.rate(*at, flow))));
        }
        match self {
            Self::Going(going) => Some(going),
            Self::Nothing | Self::Over(..) => None,
        }
    }

    /// What it holds beside itself and does not share with `other`, bytes.
    pub(super) fn held(&self, other: Option<&Self>) -> usize {
        match (self, other) {
            (Self::Nothing, _) => 0,
            (Self::Going(going), _) => size_of::<Going>() + going.held(),
            (Self::Over(own, _), Some(Self::Over(other, _))) if own.is_shared_with(other) => 0,
            (Self::Over(..), _) => Courses::HELD,
        }
    }
}

impl Record {
    /// What is told of its segments; `None` if there was none.
    pub(super) fn course(&self) -> Option<Cow<'_, Course>> {
        let flow = self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => Cow::Owned(self.made_course(flow)),
            Told::Going(going) => going.course(flow, [self.orig, self.resp]),
            Told::Over(block, at) => Cow::Owned(block.course(*at, flow, [self.orig, self.resp])),
        })
    }

    /// What it has of its own if it is over and kept as a flow in which nothing was irregular.
    pub(super) fn regular(&self) -> Option<Regular> {
        match (&self.course, &self.wire) {
            (Told::Over(block, at), Some(flow)) => block.regular(*at, flow, [self.orig, self.resp]),
            _ => None,
        }
    }

    /// Of it, what tells how the flow went as a whole.
    pub(super) fn outline(&self) -> Option<Outline> {
        let flow = self.wire.as_ref()?;
        let is_regular = |segments: &Pending| Beginning::is_regular(segments.briefs(), flow);
        match &self.course {
            Told::Nothing => Some(Outline::regular()),
            Told::Over(block, at) => Some(block.outline(*at)),
            Told::Going(going) if going.all_segments().is_some_and(is_regular) => Some(Outline::regular()),
            Told::Going(_) => self.course().as_deref().map(Outline::of),
        }
    }

    /// The same, kept from now on. To be called before the flow takes in its second segment.
    pub(super) fn course_mut(&mut self) -> Option<&mut Course> {
        let flow = self.wire.as_ref()?;
        if let Told::Nothing = self.course {
            self.course = Told::Going(Box::new(Going::of(self.made_course(flow), self.rate_of_first(flow))));
        }
        let ends = [self.orig, self.resp];
        Some(self.course.reopen(flow, ends)?.course_mut(flow, ends))
    }

    /// Whether the wire shows that it is over, but for TIME-WAIT, and its course is not sealed.
    pub(super) fn may_be_sealed(&self) -> bool {
        self.course.going().is_some() && self.wire.as_ref().is_some_and(Flow::has_closed)
    }

    /// Takes out what is told of its segments, to be sealed and put back; `None` where that cannot be: then what it
    /// holds in vain is given back.
    pub(super) fn take_unsealed(&mut self) -> Option<Unsealed> {
        let (flow, ends) = (self.wire.as_ref()?, [self.orig, self.resp]);
        let Told::Going(going) = &mut self.course else { return None };
        if going.known_course().is_some() {
            let course = going.course_mut(flow, ends);
            if !Courses::takes(course) {
                course.verdict.shrink();
                course.zeek.shrink();
                return None;
            }
        }
        let Told::Going(going) = mem::replace(&mut self.course, Told::Nothing) else { return None };
        Some(Unsealed { going, flow: flow.clone(), ends })
    }

    /// Lets a segment with which the flow opens or closes wait, before its flow takes it in; false if it is none, or
    /// cannot. It is no retransmission.
    pub(super) fn lets_wait(&mut self, segment: &Segment, bits: u64, spare: &mut Spare) -> bool {
        let (from, ends) = (side_of(self, segment.src), [self.orig, self.resp]);
        let Some(flow) = &self.wire else { return false };
        if let Told::Nothing = self.course
            && flow.opens_with(segment, from)
        {
            let going = Going::beginning_with(&self.lone_syn(flow), self.rate_of_first(flow), spare);
            self.course = Told::Going(spare.hold(going));
        }
        let Told::Going(going) = &mut self.course else { return false };
        let waits =
            going.wait_at_opening(segment, from, flow, spare) || going.wait_at_close(segment, from, flow, ends, spare);
        if waits {
            going.rate.add(segment.ts, bits);
            self.touched = self.touched.max(segment.ts);
        }
        waits
    }

    /// One part of the course, once it alone has taken in what has waited.
    fn caught_up_part<'a, T: Clone>(
        &'a self,
        going: &'a Going,
        part: impl Fn(&Course) -> &T,
        feed: impl Fn(&mut T, &Segment, Side, &Flow),
    ) -> Option<Cow<'a, T>> {
        let (flow, ends) = (self.wire.as_ref()?, [self.orig, self.resp]);
        let Some(course) = going.known_course() else {
            return Some(Cow::Owned(part(&going.course(flow, ends)).clone()));
        };
        if going.pending().is_empty() {
            return Some(Cow::Borrowed(part(course)));
        }
        let mut part = part(course).clone();
        going.pending().briefs().for_each(|brief| feed(&mut part, &brief.segment(ends), brief.from(), flow));
        Some(Cow::Owned(part))
    }

    /// The course of a flow that is a lone SYN.
    fn made_course(&self, flow: &Flow) -> Course {
        Course::new(&self.lone_syn(flow), Side::Orig, false)
    }

    /// The SYN of a flow that has no other segment.
    fn lone_syn(&self, flow: &Flow) -> Segment {
        let syn = flow.lone_syn();
        Segment {
            seq: syn.seq,
            window: syn.window,
            payload_len: syn.payload_len,
            frame_len: self.first_frame.len(),
            options: Options::default().with_wscale(syn.wscale),
            ttl: self.first_frame.ttl,
            digest: self.first_frame.digest().into(),
            ..Segment::bare(flow.span().0, self.orig, self.resp, Flags::SYN)
        }
    }

    fn rate_of_first(&self, flow: &Flow) -> Rate {
        let mut rate = Rate::default();
        rate.add(flow.span().0, u64::from(self.first_frame.len()) * 8);
        rate
    }

    /// How often each half's segments were marked; `None` if no segment was seen.
    pub(super) fn analysis_counts(&self) -> Option<[AnalysisCounts; 2]> {
        self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => Outline::regular().analysis,
            Told::Going(going) => {
                let feed =
                    |analysis: &mut Analysis, segment: &Segment, from, _: &Flow| _ = analysis.feed(segment, from);
                self.caught_up_part(going, |course| &course.analysis, feed)?.counts()
            }
            Told::Over(block, at) => block.outline(*at).analysis,
        })
    }

    /// The course of a flow that goes on, as it was before those segments that wait.
    pub(super) fn known_course(&self) -> Option<&Course> {
        self.course.going()?.known_course()
    }

    /// How much it carries; `None` if no segment was seen.
    pub(super) fn rate(&self) -> Option<Rate> {
        let flow = self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => self.rate_of_first(flow),
            Told::Going(going) => going.rate,
            Told::Over(block, at) => block.rate(*at, flow),
        })
    }

    /// Segments sent again, by the wire; `None` if no segment was seen.
    pub(super) fn retransmissions(&self) -> Option<u64> {
        self.wire.as_ref()?;
        Some(match &self.course {
            Told::Nothing => 0,
            // None of those that wait is one.
            Told::Going(going) => going.known_course().map_or(0, |course| course.analysis.retransmissions()),
            Told::Over(block, at) => block.outline(*at).analysis.iter().map(|half| half.of(Mark::Retransmission)).sum(),
        })
    }

    /// Segments lost, by our own verdict; `None` if no segment was seen.
    pub(super) fn lost(&self) -> Option<u64> {
        // Of a flow that is sealed nothing irregular was seen, and of segments that wait none was sent again.
        self.wire.as_ref().map(|_| self.known_course().map_or(0, |course| course.verdict.lost()))
    }

    /// Its times; `None` of a lone SYN, which has none, and if no segment was seen.
    pub(super) fn timing(&self) -> Option<Cow<'_, Timing>> {
        match (&self.course, &self.wire) {
            (Told::Going(going), _) => self.caught_up_part(
                going,
                |course| &course.timing,
                |timing, segment, from, flow| {
                    timing.feed(segment, from, || Some(Starts::of(flow)));
                },
            ),
            (Told::Over(block, at), Some(flow)) => {
                let regular = self.regular().map(|regular| regular.timing);
                Some(Cow::Owned(regular.unwrap_or_else(|| block.course(*at, flow, [self.orig, self.resp]).timing)))
            }
            _ => None,
        }
    }

    /// What Zeek would log of it at `now`; `None` if no segment was seen.
    pub(super) fn zeek_rows(&self, now: Timestamp) -> Option<ZeekView> {
        match (&self.course, &self.wire) {
            (Told::Over(block, at), Some(flow)) => Some(block.zeek(*at, flow, [self.orig, self.resp]).rows(now)),
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
        let options = |wscale| Options::default().with_wscale(wscale).with_mss(1460).with_sack_permitted(true);
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
            assert_eq!(record.rate(), Some(Going::new(&syn, Side::Orig, false).rate));
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
            Segment { options: Options::default().with_mptcp(0), ..syn },
            Segment { options: Options::default().with_cut(true), ..syn },
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
