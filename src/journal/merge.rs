//! Inputs of several live sources → one list in order of time.
//!
//! Packets arrive 10–100 ms late, samples at once. An input is let go once every source's watermark has passed it, and
//! in any case after [`HOLD`]: a stalled source delays the others by that much and no more.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::Input;

/// How long an input may be held back for a source that says nothing.
pub const HOLD: Duration = Duration::from_millis(200);

/// The merge of several sources, each of which delivers its own inputs in order of time.
#[derive(Debug)]
pub struct Merge {
    sources: Vec<Source>,
}

#[derive(Debug, Default)]
struct Source {
    waiting: VecDeque<Input>,
    /// It will deliver nothing older; `None` before it said so.
    watermark: Option<Timestamp>,
    /// It has ended and holds nobody back.
    ended: bool,
}

impl Merge {
    /// A merge of `sources` sources.
    pub fn new(sources: usize) -> Self {
        Self { sources: (0..sources).map(|_| Source::default()).collect() }
    }

    /// Takes in an input of a source.
    pub fn push(&mut self, source: usize, input: Input) {
        self.sources[source].waiting.push_back(input);
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
        passed.clamp(now - HOLD, now)
    }

    /// The next input that may be let go at `now`: the oldest, of the first source where several are as old.
    pub fn pop(&mut self, now: Timestamp) -> Option<Input> {
        self.pop_from(now).map(|(_, input)| input)
    }

    /// The same, with its source.
    pub fn pop_from(&mut self, now: Timestamp) -> Option<(usize, Input)> {
        let horizon = self.horizon(now);
        let heads = self.sources.iter().enumerate();
        let (oldest, _) = heads
            .filter_map(|(index, source)| source.waiting.front().map(|input| (index, input.ts())))
            // What is stamped far ahead was stamped before the clock was set back: nothing waits for it.
            .filter(|(_, ts)| *ts <= horizon || *ts > now + HOLD)
            .min_by_key(|(index, ts)| (*ts, *index))?;
        self.sources[oldest].waiting.pop_front().map(|input| (oldest, input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn drain(merge: &mut Merge, now: i64) -> Vec<i64> {
        std::iter::from_fn(|| merge.pop(at(now))).map(|input| input.ts().nanos() / 1_000_000).collect()
    }

    #[test]
    fn a_fast_source_waits_for_the_slow_one() {
        let mut merge = Merge::new(2);
        merge.push(0, Input::Tick(at(1000)));
        merge.mark(0, at(1000));
        assert!(drain(&mut merge, 1001).is_empty(), "the other source has said nothing yet");
        merge.push(1, Input::Tick(at(990)));
        merge.mark(1, at(995));
        assert_eq!(drain(&mut merge, 1010), [990], "1000 is past the other's watermark");
        merge.mark(1, at(1005));
        assert_eq!(drain(&mut merge, 1010), [1000]);
    }

    #[test]
    fn nobody_is_held_back_for_long() {
        let mut merge = Merge::new(2);
        merge.push(0, Input::Tick(at(1000)));
        merge.mark(0, at(1000));
        assert!(drain(&mut merge, 1199).is_empty());
        assert_eq!(drain(&mut merge, 1200), [1000]);
    }

    #[test]
    fn a_clock_set_back_blocks_nobody() {
        let mut merge = Merge::new(1);
        merge.push(0, Input::Tick(at(600_000)));
        merge.push(0, Input::Tick(at(1_000)));
        merge.mark(0, at(1_000));
        assert_eq!(drain(&mut merge, 1_001), [600_000, 1_000]);
    }

    #[test]
    fn an_ended_source_holds_nobody_back() {
        let mut merge = Merge::new(2);
        merge.end(1);
        merge.push(0, Input::Tick(at(1000)));
        merge.mark(0, at(1001));
        assert_eq!(drain(&mut merge, 1001), [1000]);
    }
}
