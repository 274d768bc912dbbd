//! Copies of the engine with the place in the source where each was made, so that going back begins near by. Kept under
//! a budget of memory: where it is reached every second one goes, and those that follow stand further apart.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::Engine;

/// Checkpoints at most.
const MOST: usize = 512;
/// How far apart they stand at first: so many inputs, or so long, whichever is sooner.
const INPUTS: u64 = 128 << 10;
const SPAN: Duration = Duration::from_secs(1);
/// The least inputs between two, whatever the time.
const FEWEST: u64 = 64;
/// A copy of a table with fewer flows costs nothing worth saving; of a larger one every page is copied that is written
/// afterwards, so that at least as many inputs must pass as there are flows.
const SMALL: u64 = 4_096;

/// The engine as it was after so many inputs, and where the source stood then.
#[derive(Debug, Clone)]
pub struct Checkpoint<P> {
    pub engine: Engine,
    /// Inputs that it had taken in.
    pub at: u64,
    pub place: P,
    /// Bytes that only it holds; 0 of the newest, which shares all with the engine that goes on.
    weight: usize,
}

/// The checkpoints of a source, in its order.
#[derive(Debug)]
pub struct Checkpoints<P> {
    kept: Vec<Checkpoint<P>>,
    /// The one that was passed last on the way back to where one is: going back step by step begins there.
    near: Option<Checkpoint<P>>,
    /// Bytes that they may hold beside the engine.
    budget: usize,
    inputs: u64,
    span: Duration,
}

impl<P> Checkpoints<P> {
    /// No checkpoint yet; together they may hold about so many bytes that the engine does not.
    pub const fn new(budget: usize) -> Self {
        Self { kept: Vec::new(), near: None, budget, inputs: INPUTS, span: SPAN }
    }

    /// Whether it is time for another one.
    pub fn is_due(&self, engine: &Engine, at: u64) -> bool {
        let Some(last) = self.kept.last() else { return true };
        let since = at.saturating_sub(last.at);
        let flows = engine.tally().flows;
        let least = if flows < SMALL { FEWEST } else { flows };
        let span = engine.now().zip(last.engine.now()).map_or(self.span, |(now, then)| now.since(then));
        since >= self.inputs.max(flows / 2) || (since >= least && span >= self.span)
    }

    /// Keeps a copy. It must be later than those that are kept.
    pub fn keep(&mut self, engine: &Engine, at: u64, place: P) {
        if let Some(last) = self.kept.last_mut() {
            last.weight = last.engine.apart_from(engine);
        }
        self.kept.push(Checkpoint { engine: engine.clone(), at, place, weight: 0 });
        while self.kept.len() > 2 && (self.kept.len() > MOST || self.bytes() > self.budget) {
            self.thin();
        }
    }

    /// Remembers where one passed on the way to a place near by.
    pub fn pass(&mut self, engine: &Engine, at: u64, place: P) {
        self.near = Some(Checkpoint { engine: engine.clone(), at, place, weight: 0 });
    }

    /// The latest one that `fits`; those before one that fits fit too.
    pub fn last_where(&self, fits: impl Fn(&Checkpoint<P>) -> bool) -> Option<&Checkpoint<P>> {
        let kept = self.kept[..self.kept.partition_point(&fits)].last();
        let near = self.near.as_ref().filter(|near| kept.is_none_or(|kept| near.at > kept.at) && fits(near));
        near.or(kept)
    }

    /// The latest one from which an instant can be reached by going on.
    pub fn before_time(&self, to: Timestamp) -> Option<&Checkpoint<P>> {
        self.last_where(|checkpoint| checkpoint.engine.now().is_none_or(|now| now <= to))
    }

    /// The latest one from which the state after so many inputs can be reached by going on.
    pub fn before(&self, at: u64) -> Option<&Checkpoint<P>> {
        self.last_where(|checkpoint| checkpoint.at <= at)
    }

    /// The earliest one.
    pub fn first(&self) -> Option<&Checkpoint<P>> {
        self.kept.first()
    }

    /// Lets the earliest go; what the one after it stands at, which is the earliest then.
    pub fn drop_first(&mut self) -> Option<u64> {
        if self.kept.len() < 2 {
            return None;
        }
        self.kept.remove(0);
        let first = self.kept[0].at;
        self.near.take_if(|near| near.at < first);
        Some(first)
    }

    /// How many there are, and about how many bytes only they hold.
    pub fn held(&self) -> (usize, usize) {
        (self.kept.len(), self.bytes())
    }

    fn bytes(&self) -> usize {
        self.kept.iter().map(|checkpoint| checkpoint.weight).sum()
    }

    /// Every second one goes; the first and the last stay.
    fn thin(&mut self) {
        let last = self.kept.len() - 1;
        let mut place = 0;
        self.kept.retain(|_| {
            place += 1;
            (place - 1) % 2 == 0 || place - 1 == last
        });
        for place in 1..self.kept.len() {
            let (before, after) = self.kept.split_at_mut(place);
            let earlier = &mut before[place - 1];
            earlier.weight = earlier.engine.apart_from(&after[0].engine);
        }
        (self.inputs, self.span) = (self.inputs.saturating_mul(2), self.span.saturating_mul(2));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{crowd, engine};
    use super::*;

    fn filled(budget: usize, inputs: u64) -> Checkpoints<u64> {
        let mut checkpoints = Checkpoints::new(budget);
        let (mut engine, mut at) = (engine(), 0);
        for input in crowd(300, inputs as usize) {
            if checkpoints.is_due(&engine, at) {
                checkpoints.keep(&engine, at, at);
            }
            engine.feed(&input);
            at += 1;
        }
        checkpoints
    }

    #[test]
    fn small_tables_have_one_each_second() {
        let all = filled(usize::MAX, 3_000);
        assert!(all.kept.len() > 20 && all.kept[0].at == 0, "{:?}", all.held());
        assert!(all.kept.windows(2).all(|two| two[1].at - two[0].at >= FEWEST));
    }

    #[test]
    fn a_budget_that_is_reached_thins_them_and_the_ends_stay() {
        let all = filled(usize::MAX, 3_000);
        let budget = all.bytes() / 3;
        let few = filled(budget, 3_000);
        assert!(few.bytes() <= budget && few.kept.len() > 2, "{:?} {:?}", all.held(), few.held());
        assert_eq!(few.kept[0].at, 0);
        assert!(few.span > SPAN && few.kept.len() < all.kept.len());
        let none = filled(0, 3_000);
        assert_eq!(none.kept.len(), 2, "the ends, whatever the budget");
    }

    #[test]
    fn the_nearest_before_is_found() {
        let mut all = filled(usize::MAX, 3_000);
        let (third, fourth) = (all.kept[2].at, all.kept[3].at);
        assert_eq!(all.before(fourth - 1).map(|found| found.at), Some(third));
        assert_eq!(all.before(fourth).map(|found| found.at), Some(fourth));
        let then = all.kept[3].engine.now().unwrap();
        assert_eq!(all.before_time(then).map(|found| found.at), Some(fourth));
        assert_eq!(all.before_time(then - Duration::from_nanos(1)).map(|found| found.at), Some(third));
        assert_eq!(all.before_time(Timestamp::MIN).map(|found| found.at), Some(0), "before anything happened");
        let near = all.kept[2].engine.clone();
        all.pass(&near, third + 3, 7);
        assert_eq!(all.before(fourth - 1).map(|found| found.place), Some(7));
        assert_eq!(all.before(third + 2).map(|found| found.at), Some(third));
        assert_eq!(all.drop_first(), Some(all.kept[0].at));
        assert!(all.before(0).is_none());
    }
}
