//! Looking for the last time before that something happened: the stretch from the checkpoint before is walked over, then
//! the one before that.

use crate::engine::{Engine, Happening};

use super::super::{Checkpoint, Deck, Pace, Tape};
use super::going::{Goal, NO_WAY_BACK};
use super::{AT_ONCE, Doing, Player, belongs_to_the_one_before};

/// A walk over ground that is known, for the last time that something happened before `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    happening: Happening,
    /// Where one was: what is looked for is before it.
    origin: u64,
    /// Where the walk began, and where it ends.
    from: u64,
    pub(super) upto: u64,
    /// How often it had happened at the start of the walk, and so far.
    before: u64,
    count: u64,
    /// It happened at the last input; what belongs to that may follow.
    fresh: bool,
    found: Option<u64>,
}

impl<P: Clone> Player<P> {
    /// Begins to walk over the last stretch before `upto` in which it happened; there it had happened `count` times.
    pub(super) fn search<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        happening: Happening,
        (origin, upto, count): (u64, u64, u64),
    ) {
        let fits = |near: &Checkpoint<P>| near.at < upto && near.engine.count(happening) < count;
        let Some(from) = deck.index.checkpoints.last_where(fits).cloned() else {
            if deck.index.checkpoints.first().is_none() {
                return self.say(NO_WAY_BACK);
            }
            self.go_to(deck, engine, origin, Goal::Back);
            return self.say("none before this");
        };
        let (start, before) = (from.at, from.engine.count(happening));
        if self.go_from(deck, engine, from) {
            let walk =
                Search { happening, origin, from: start, upto, before, count: before, fresh: false, found: None };
            self.doing = Doing::Search(walk);
        }
    }

    pub(super) fn look<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        mut walk: Search,
    ) -> Pace {
        for _ in 0..AT_ONCE {
            if self.at >= walk.upto || (!self.fill(deck, false) && self.at_end) {
                walk.settle(self.at);
                // Where nothing can be gone on from, the walk is over too.
                self.doing = Doing::Play;
                match walk.found {
                    Some(found) => self.go_to(deck, engine, found, Goal::At),
                    None => self.search(deck, engine, walk.happening, (walk.origin, walk.from, walk.before)),
                }
                return Pace::AtOnce;
            }
            let Some(input) = self.waiting().first() else {
                self.doing = Doing::Search(walk);
                return Pace::Waits;
            };
            if !belongs_to_the_one_before(input) {
                walk.settle(self.at);
            }
            self.feed_until(deck, engine, None, 1);
            let count = engine.count(walk.happening);
            walk.fresh |= count > walk.count;
            walk.count = count;
        }
        self.doing = Doing::Search(walk);
        Pace::AtOnce
    }
}

impl Search {
    /// What happened at the input before `at` can be gone to, if that is back.
    fn settle(&mut self, at: u64) {
        if self.fresh && at < self.origin {
            self.found = Some(at);
        }
        self.fresh = false;
    }
}
