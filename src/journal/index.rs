//! What is noted of a source while it is read for the first time: checkpoints, the timeline, when findings were made.

use crate::base::{Moments, Timeline, Timestamp};
use crate::engine::{Diagnosis, Engine, Input, Tally};

use super::Checkpoints;

/// Findings of which it is remembered when they were made.
const FINDINGS: usize = 4_096;

/// The index of a source; `P` is a place in it.
#[derive(Debug)]
pub struct Index<P> {
    pub checkpoints: Checkpoints<P>,
    timeline: Timeline,
    /// Inputs that are noted: those after them are new.
    upto: u64,
    noted: Tally,
    /// What was wrong at the last checkpoint, after so many inputs.
    wrong: (u64, Diagnosis),
    /// In order.
    findings: Vec<Found>,
}

/// A checkpoint that showed something wrong which the one before it had not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The inputs before that checkpoint, and before this one.
    pub(super) after: u64,
    pub(super) at: u64,
    /// The inputs after which it was there, once somebody looked for that.
    pub(super) exact: Option<u64>,
}

impl Found {
    /// No later than after so many inputs.
    pub(super) fn latest(&self) -> u64 {
        self.exact.unwrap_or(self.at)
    }

    fn earliest(&self) -> u64 {
        self.exact.unwrap_or(self.after + 1)
    }
}

impl<P> Index<P> {
    /// Of a source of which nothing was read; its checkpoints may hold so many bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            checkpoints: Checkpoints::new(budget),
            timeline: Timeline::default(),
            upto: 0,
            noted: Tally::default(),
            wrong: (0, Diagnosis::default()),
            findings: Vec::new(),
        }
    }

    /// What happened when, as far as the source was read.
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Inputs that were read so far.
    pub const fn upto(&self) -> u64 {
        self.upto
    }

    /// What was found to be wrong, in order.
    #[cfg(test)]
    pub(super) fn findings(&self) -> &[Found] {
        &self.findings
    }

    /// The first that may have been found behind so many inputs, or the last before that.
    pub(super) fn finding_beside(&self, at: u64, forwards: bool) -> Option<Found> {
        let mut all = self.findings.iter();
        let found =
            if forwards { all.find(|found| found.latest() > at) } else { all.rfind(|found| found.earliest() < at) };
        found.copied()
    }

    /// After how many inputs that was found.
    pub(super) fn found_at(&mut self, found: Found, exact: u64) {
        let same = self.findings.iter_mut().find(|known| known.at == found.at);
        same.into_iter().for_each(|found| found.exact = Some(exact));
    }

    /// Feeds inputs to an engine that has taken in `at` of the source, and notes those that are new. The engine's state
    /// is that after feeding them alone: what is done beside are ticks up to the next input's time.
    pub fn feed(&mut self, engine: &mut Engine, inputs: &[Input], at: &mut u64) {
        let known = usize::try_from(self.upto.saturating_sub(*at)).unwrap_or(usize::MAX).min(inputs.len());
        let (known, mut new) = inputs.split_at(known);
        engine.feed_batch(known);
        *at += inputs.len() as u64;
        self.upto = self.upto.max(*at);
        while let Some(first) = new.first() {
            self.pass_silence(engine, first.ts());
            let now = engine.now().map_or(first.ts(), |now| now.max(first.ts()));
            let end = self.timeline.slot_end(now);
            let count = new.iter().position(|input| input.ts() >= end).unwrap_or(new.len()).max(1);
            engine.feed_batch(&new[..count]);
            self.note(engine);
            new = &new[count..];
        }
    }

    /// Notes where the source can be gone on with from here, if it is time for a checkpoint.
    pub fn offer(&mut self, engine: &mut Engine, at: u64, place: impl FnOnce() -> P) {
        if self.is_due(engine, at) {
            self.checkpoint(engine, at, place());
        }
    }

    /// Whether it is time for a checkpoint after so many inputs.
    pub fn is_due(&self, engine: &Engine, at: u64) -> bool {
        at >= self.upto && self.checkpoints.is_due(engine, at)
    }

    /// Whether nothing was read beyond so many inputs, and no checkpoint is kept there.
    pub fn is_new(&self, at: u64) -> bool {
        at >= self.upto && self.checkpoints.last().is_none_or(|last| last.at < at)
    }

    /// Keeps a checkpoint, later than those before, and notes what is found to be wrong there.
    pub fn checkpoint(&mut self, engine: &mut Engine, at: u64, place: P) {
        self.checkpoints.keep(engine, at, place);
        let wrong = engine.diagnosis();
        let (after, before) = std::mem::replace(&mut self.wrong, (at, wrong));
        let new = self.wrong.1.new_since(&before);
        if let Some(now) = engine.now().filter(|_| new > 0 && self.findings.len() < FINDINGS) {
            self.findings.push(Found { after, at, exact: None });
            self.timeline.add(now, Moments { findings: u32::try_from(new).unwrap_or(u32::MAX), ..Moments::default() });
        }
    }

    /// Forgets what came before an instant, of which the source keeps nothing any more, and the findings before `at`.
    pub fn forget_before(&mut self, ts: Timestamp, at: u64) {
        self.timeline.forget_before(ts);
        self.findings.retain(|found| found.at >= at);
    }

    /// What happens between two inputs (a handshake is given up) is noted when it happened.
    fn pass_silence(&mut self, engine: &mut Engine, to: Timestamp) {
        while let (Some(now), Some(next)) = (engine.now(), engine.next_deadline()) {
            let end = self.timeline.slot_end(next);
            if end > to || !self.timeline.turns(now, next) {
                return;
            }
            engine.feed(&Input::Tick(end - std::time::Duration::from_nanos(1)));
            self.note(engine);
        }
    }

    fn note(&mut self, engine: &Engine) {
        let (Some(now), tally) = (engine.now(), engine.tally()) else { return };
        let grown = |now: u64, before: u64| u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX);
        let moments = Moments {
            segments: grown(tally.segments, self.noted.segments),
            retransmissions: grown(tally.retransmissions, self.noted.retransmissions),
            failures: grown(tally.failures, self.noted.failures),
            findings: 0,
        };
        self.noted = tally;
        self.timeline.add(now, moments);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{crowd, engine, told};
    use super::*;

    fn sum(timeline: &Timeline, of: fn(&Moments) -> u32) -> u64 {
        let (from, to) = (timeline.start().unwrap(), Timestamp::MAX);
        timeline.parts(from, to, Timeline::MOST).0.iter().map(|part| u64::from(of(part))).sum()
    }

    #[test]
    fn everything_is_noted_once_and_the_engine_is_as_if_alone() {
        let inputs = crowd(40, 2_000);
        let (mut alone, mut noted, mut index, mut at) = (engine(), engine(), Index::new(1 << 30), 0);
        alone.feed_batch(&inputs);
        for batch in inputs.chunks(77) {
            index.feed(&mut noted, batch, &mut at);
            index.offer(&mut noted, at, || at);
        }
        assert_eq!((at, index.upto()), (2_000, 2_000));
        assert!(told(&alone) == told(&noted));
        let tally = alone.tally();
        assert_eq!(sum(&index.timeline, |part| part.segments), tally.segments);
        assert_eq!(sum(&index.timeline, |part| part.retransmissions), tally.retransmissions);
        assert_eq!(sum(&index.timeline, |part| part.failures), tally.failures);
        assert!(tally.failures > 0 && tally.retransmissions > 0 && !index.findings.is_empty());
        // The same ground once more.
        let (mut again, before, mut at) = (engine(), index.timeline.clone(), 0);
        index.feed(&mut again, &inputs, &mut at);
        assert!(index.timeline == before && told(&again) == told(&alone));
    }

    #[test]
    fn what_time_alone_brings_is_noted_when_it_happened() {
        use crate::base::Endpoint;
        let mut inputs = crowd(1, 1);
        let crate::engine::Input::Segment(mut syn) = inputs.remove(0) else { panic!("a segment") };
        (syn.flags, syn.src, syn.dst) =
            (crate::wire::Flags::SYN, Endpoint::new([10, 0, 0, 1], 7), Endpoint::new([10, 0, 0, 2], 80));
        let mut later = syn;
        (later.ts, later.src) = (syn.ts + std::time::Duration::from_secs(100), Endpoint::new([10, 0, 0, 3], 7));
        let (mut engine, mut index, mut at) = (engine(), Index::<u64>::new(0), 0);
        index.feed(&mut engine, &[Input::Segment(syn), Input::Segment(later)], &mut at);
        let (parts, _) = index.timeline.parts(syn.ts, later.ts, 100);
        let failed = parts.iter().position(|part| part.failures > 0).expect("it was given up");
        assert!((3..6).contains(&failed), "{failed}");
    }
}
