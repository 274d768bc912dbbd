//! Inputs of several live sources → one list in order of time.
//!
//! Packets arrive 10–100 ms late, samples at once. An input is let go once every source's watermark has passed it, and
//! in any case after [`HOLD`]: a stalled source delays the others by that much and no more.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::Input;

/// How long an input may be held back for a source that says nothing, unless [`Merge::hold`] says otherwise.
pub const HOLD: Duration = Duration::from_millis(200);
/// Batches kept for their memory, and the least that is worth it, inputs.
const SPARE: usize = 16;
const WORTH: usize = 64;
/// Inputs given together at most: few enough that they are still at hand when they are used.
const AT_ONCE: usize = 96;

/// The merge of several sources, each of which delivers its own inputs in order of time.
#[derive(Debug)]
pub struct Merge {
    sources: Vec<Source>,
    hold: Duration,
    /// Batches that were let go, empty.
    spent: Vec<Vec<Input>>,
}

#[derive(Debug, Default)]
struct Source {
    waiting: VecDeque<Batch>,
    /// It will deliver nothing older; `None` before it said so.
    watermark: Option<Timestamp>,
    /// It has ended and holds nobody back.
    ended: bool,
}

/// Inputs in the order of their source, of which the first were let go. None is moved: they are large.
#[derive(Debug)]
struct Batch {
    inputs: Vec<Input>,
    gone: usize,
}

impl Source {
    fn head(&self) -> Option<&Input> {
        self.waiting.front().and_then(|batch| batch.inputs.get(batch.gone))
    }
}

impl Merge {
    /// A merge of `sources` sources.
    pub fn new(sources: usize) -> Self {
        Self { sources: (0..sources).map(|_| Source::default()).collect(), hold: HOLD, spent: Vec::new() }
    }

    /// Holds inputs back so long at most from now on; no longer than [`HOLD`].
    pub fn hold(&mut self, hold: Duration) {
        self.hold = hold.min(HOLD);
    }

    /// Takes in inputs of a source.
    pub fn push(&mut self, source: usize, inputs: Vec<Input>) {
        if !inputs.is_empty() {
            self.sources[source].waiting.push_back(Batch { inputs, gone: 0 });
        }
    }

    /// The source has delivered all that happened before `ts`.
    pub fn mark(&mut self, source: usize, ts: Timestamp) {
        let watermark = &mut self.sources[source].watermark;
        *watermark = Some(watermark.map_or(ts, |known| known.max(ts)));
    }

    /// The source will deliver nothing more.
    pub fn end(&mut self, source: usize) {
        self.sources[source].ended = true;
    }

    /// Up to when inputs may be let go at `now`.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        let live = self.sources.iter().filter(|source| !source.ended);
        let passed = live.map(|source| source.watermark.unwrap_or(Timestamp::MIN)).min().unwrap_or(now);
        passed.clamp(now - self.hold, now)
    }

    /// Gives `each` run of inputs that may be let go at `now`, with their source: the oldest first, of the first source
    /// where several are as old.
    pub fn take(&mut self, now: Timestamp, mut each: impl FnMut(usize, &[Input])) {
        let horizon = self.horizon(now);
        // What is stamped far ahead was stamped before the clock was set back: nothing waits for it.
        let may_go = |ts: Timestamp| ts <= horizon || ts > now + HOLD;
        while let Some((source, upto)) = self.next(may_go) {
            let waiting = &mut self.sources[source].waiting;
            let Some(batch) = waiting.front_mut() else { break };
            let rest = &batch.inputs[batch.gone..];
            let before_others =
                |input: &&Input| may_go(input.ts()) && upto.is_none_or(|upto| (input.ts(), source) < upto);
            let count = rest.iter().take(AT_ONCE).take_while(before_others).count();
            each(source, &rest[..count]);
            batch.gone += count;
            if batch.gone == batch.inputs.len()
                && let Some(Batch { mut inputs, .. }) = waiting.pop_front()
                && inputs.capacity() >= WORTH
                && self.spent.len() < SPARE
            {
                inputs.clear();
                self.spent.push(inputs);
            }
        }
    }

    /// Empty batches, for their memory: whoever fills them anew spares the kernel its pages.
    pub fn spent(&mut self) -> impl Iterator<Item = Vec<Input>> {
        self.spent.drain(..)
    }

    /// The source whose head goes next, and the head of another that goes before whatever is younger.
    fn next(&self, may_go: impl Fn(Timestamp) -> bool) -> Option<(usize, Option<(Timestamp, usize)>)> {
        let heads = self.sources.iter().enumerate().filter_map(|(index, source)| Some((source.head()?.ts(), index)));
        let (mut first, mut second) = (None, None);
        for head in heads.filter(|(ts, _)| may_go(*ts)) {
            if first.is_none_or(|first| head < first) {
                (first, second) = (Some(head), first);
            } else if second.is_none_or(|second| head < second) {
                second = Some(head);
            }
        }
        first.map(|(_, source)| (source, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn drain(merge: &mut Merge, now: i64) -> Vec<i64> {
        let mut gone = Vec::new();
        merge.take(at(now), |_, inputs| gone.extend(inputs.iter().map(|input| input.ts().nanos() / 1_000_000)));
        gone
    }

    #[test]
    fn a_fast_source_waits_for_the_slow_one() {
        let mut merge = Merge::new(2);
        merge.push(0, vec![Input::Tick(at(1000))]);
        merge.mark(0, at(1000));
        assert!(drain(&mut merge, 1001).is_empty(), "the other source has said nothing yet");
        merge.push(1, vec![Input::Tick(at(990))]);
        merge.mark(1, at(995));
        assert_eq!(drain(&mut merge, 1010), [990], "1000 is past the other's watermark");
        merge.mark(1, at(1005));
        assert_eq!(drain(&mut merge, 1010), [1000]);
    }

    #[test]
    fn nobody_is_held_back_for_long() {
        let mut merge = Merge::new(2);
        merge.push(0, vec![Input::Tick(at(1000))]);
        merge.mark(0, at(1000));
        assert!(drain(&mut merge, 1199).is_empty());
        assert_eq!(drain(&mut merge, 1200), [1000]);
        merge.hold(Duration::from_millis(50));
        merge.push(0, vec![Input::Tick(at(1300))]);
        merge.mark(0, at(1300));
        assert_eq!((drain(&mut merge, 1349), drain(&mut merge, 1350)), (vec![], vec![1300]), "less, if so asked");
    }

    #[test]
    fn a_clock_set_back_blocks_nobody() {
        let mut merge = Merge::new(1);
        merge.push(0, vec![Input::Tick(at(600_000))]);
        merge.push(0, vec![Input::Tick(at(1_000))]);
        merge.mark(0, at(1_000));
        assert_eq!(drain(&mut merge, 1_001), [600_000, 1_000]);
    }

    #[test]
    fn batches_are_merged_input_by_input() {
        let mut merge = Merge::new(3);
        let ticks = |millis: &[i64]| millis.iter().map(|millis| Input::Tick(at(*millis))).collect();
        merge.push(0, ticks(&[1, 4, 5]));
        merge.push(1, ticks(&[2, 4, 9]));
        merge.push(0, ticks(&[5, 8]));
        merge.push(2, Vec::new());
        (0..3).for_each(|source| merge.mark(source, at(8)));
        let mut gone = Vec::new();
        merge.take(at(20), |source, inputs| {
            gone.extend(inputs.iter().map(|input| (input.ts().nanos() / 1_000_000, source)));
        });
        assert_eq!(gone, [(1, 0), (2, 1), (4, 0), (4, 1), (5, 0), (5, 0), (8, 0)], "of equals the first source's");
        (0..3).for_each(|source| merge.mark(source, at(9)));
        assert_eq!(drain(&mut merge, 20), [9]);
    }

    #[test]
    fn large_batches_are_given_back_empty() {
        let mut merge = Merge::new(1);
        for size in [WORTH, 1, WORTH + 1] {
            merge.push(0, (0..size).map(|_| Input::Tick(at(1_000))).collect());
        }
        merge.mark(0, at(1_000));
        assert_eq!((drain(&mut merge, 1_001).len(), merge.spent().count()), (2 * WORTH + 2, 2));
        for _ in 0..2 * SPARE {
            merge.push(0, (0..WORTH).map(|_| Input::Tick(at(1_000))).collect());
        }
        drain(&mut merge, 1_001);
        let spent: Vec<Vec<Input>> = merge.spent().collect();
        assert!(spent.len() == SPARE && spent.iter().all(Vec::is_empty), "no more than that is kept");
    }

    #[test]
    fn an_ended_source_holds_nobody_back() {
        let mut merge = Merge::new(2);
        merge.end(1);
        merge.push(0, vec![Input::Tick(at(1000))]);
        merge.mark(0, at(1001));
        assert_eq!(drain(&mut merge, 1001), [1000]);
    }
}
