//! Copies of the engine with the place in the source where each was made, so that going back begins near by. Kept under
//! a budget of memory, as evenly as that allows: the way to an instant takes as long as there are inputs from the one
//! before. Where the budget is reached, the one goes that is missed least.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::Engine;

/// Checkpoints at most.
const MOST: usize = 512;
/// How far apart they stand at most, where nothing speaks against it: so many inputs, or so long, whichever is sooner.
const INPUTS: u64 = 128 << 10;
const SPAN: Duration = Duration::from_secs(1);
/// What is written after a copy was made is copied first. So many bytes of that for each input take a fifth of the time
/// that the input takes by itself; what is lighter than this costs nothing worth saving.
const BYTES_AN_INPUT: usize = 128;
const LIGHT: usize = 4 << 20;
/// The least inputs between two, whatever the time.
const FEWEST: u64 = 64;
/// A table with fewer flows is small; to walk over a larger one takes as long as to take in as many inputs.
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
    /// Inputs that there will be in all, where somebody can tell.
    whole: Option<u64>,
    /// The least inputs before the next.
    apart: u64,
    thinned: bool,
}

impl<P> Checkpoints<P> {
    /// No checkpoint yet; together they may hold about so many bytes that the engine does not.
    pub const fn new(budget: usize) -> Self {
        Self { kept: Vec::new(), near: None, budget, whole: None, apart: 0, thinned: false }
    }

    /// Whether it is time for another one.
    pub fn is_due(&self, engine: &Engine, at: u64) -> bool {
        let Some(last) = self.kept.last() else { return true };
        let since = at.saturating_sub(last.at);
        let flows = engine.tally().flows;
        let least = if flows < SMALL { FEWEST } else { flows };
        let span = engine.now().zip(last.engine.now()).map_or(SPAN, |(now, then)| now.since(then));
        let (near, far) = (least.max(self.apart), INPUTS.max(flows / 2).max(self.apart));
        since >= far || (since >= near && span >= SPAN)
    }

    /// Inputs that there will be in all, about: how far apart they are to stand rests on that.
    pub const fn expect(&mut self, whole: Option<u64>) {
        self.whole = whole;
    }

    /// Keeps a copy. It must be later than those that are kept.
    pub fn keep(&mut self, engine: &mut Engine, at: u64, place: P) {
        if let Some(last) = self.kept.last_mut() {
            last.weight = last.engine.apart_from(engine);
        }
        self.kept.push(Checkpoint { engine: engine.fork(), at, place, weight: 0 });
        while self.kept.len() > 2 && (self.kept.len() > MOST || self.bytes() > self.budget) {
            self.thin();
        }
        self.apart = self.spacing(at);
    }

    /// How many inputs are to pass before the next, by what the last but one weighs.
    fn spacing(&self, at: u64) -> u64 {
        let weight = self.kept.iter().rev().nth(1).map_or(0, |last| last.weight);
        let by_cost = (weight.saturating_sub(LIGHT) / BYTES_AN_INPUT) as u64;
        // The table grows, and its copies with it.
        let fit = |bytes: usize, most: usize| (bytes / (weight + weight / 4).max(1)).clamp(1, most.max(1)) as u64;
        let by_room = match self.whole {
            Some(whole) => {
                let left = fit(self.budget.saturating_sub(self.bytes()), MOST.saturating_sub(self.kept.len()));
                (whole.saturating_sub(at) / left).min(whole / fit(self.budget, MOST))
            }
            None if self.thinned => at / self.kept.len() as u64,
            None => 0,
        };
        by_cost.max(by_room)
    }

    /// Remembers where one passed on the way to a place near by.
    pub fn pass(&mut self, engine: &mut Engine, at: u64, place: P) {
        self.near = Some(Checkpoint { engine: engine.fork(), at, place, weight: 0 });
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

    /// The latest that is kept.
    pub fn last(&self) -> Option<&Checkpoint<P>> {
        self.kept.last()
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

    /// The one goes whose neighbours stand closest together; the first and the last stay.
    fn thin(&mut self) {
        let stretch = |place: &usize| self.kept[place + 1].at - self.kept[place - 1].at;
        let Some(place) = (1..self.kept.len() - 1).min_by_key(stretch) else { return };
        self.kept.remove(place);
        let (before, after) = self.kept.split_at_mut(place);
        before[place - 1].weight = before[place - 1].engine.apart_from(&after[0].engine);
        self.thinned = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{crowd, engine};
    use super::*;

    fn filled(budget: usize, inputs: u64) -> Checkpoints<u64> {
        filled_to(budget, inputs, None)
    }

    fn filled_to(budget: usize, inputs: u64, whole: Option<u64>) -> Checkpoints<u64> {
        let mut checkpoints = Checkpoints::new(budget);
        checkpoints.expect(whole);
        let (mut engine, mut at) = (engine(), 0);
        for input in crowd(300, inputs as usize) {
            if checkpoints.is_due(&engine, at) {
                checkpoints.keep(&mut engine, at, at);
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

    /// The widest gap between two, and what it would be were all alike.
    fn gaps(checkpoints: &Checkpoints<u64>) -> (u64, u64) {
        let kept = &checkpoints.kept;
        let widest = kept.windows(2).map(|two| two[1].at - two[0].at).max().unwrap_or(0);
        (widest, kept.last().map_or(0, |last| last.at) / (kept.len() as u64 - 1))
    }

    #[test]
    fn a_budget_that_is_reached_thins_them_evenly_and_the_ends_stay() {
        let all = filled(usize::MAX, 3_000);
        let budget = all.bytes() / 3;
        let few = filled(budget, 3_000);
        assert!(few.bytes() <= budget && few.kept.len() > 4, "{:?} {:?}", all.held(), few.held());
        assert_eq!(few.kept[0].at, 0);
        let (widest, even) = gaps(&few);
        assert!(few.kept.len() < all.kept.len() && widest <= even * 3, "{widest} {even}");
        let none = filled(0, 3_000);
        assert_eq!(none.kept.len(), 2, "the ends, whatever the budget");
    }

    #[test]
    fn where_the_end_is_known_the_budget_is_shared_out() {
        let budget = filled(usize::MAX, 3_000).bytes() / 3;
        let few = filled_to(budget, 3_000, Some(3_000));
        let (widest, even) = gaps(&few);
        assert!(few.bytes() <= budget && few.kept.len() > 4, "{:?}", few.held());
        assert!(widest <= even * 3, "{widest} {even}");
        // Whoever expects too much, or too little, has some all the same.
        for whole in [1, 9_000] {
            let few = filled_to(budget, 3_000, Some(whole));
            assert!(few.bytes() <= budget && few.kept.len() >= 2, "{whole}: {:?}", few.held());
        }
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
        let mut near = all.kept[2].engine.clone();
        all.pass(&mut near, third + 3, 7);
        assert_eq!(all.before(fourth - 1).map(|found| found.place), Some(7));
        assert_eq!(all.before(third + 2).map(|found| found.at), Some(third));
        assert_eq!(all.drop_first(), Some(all.kept[0].at));
        assert!(all.before(0).is_none());
    }
}
