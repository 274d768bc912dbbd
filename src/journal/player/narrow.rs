//! Finding the very input at which something was first found to be wrong: the stretch between two checkpoints is walked
//! over in strides, and the stride in which it arose is halved.

use crate::engine::{Diagnosis, Engine, Input};

use super::super::index::Found;
use super::super::{Deck, Pace, Tape};
use super::going::Hop;
use super::{AT_ONCE, Doing, Player, belongs_to_the_one_before};

/// Inputs after which it is looked for: a look is a walk over all flows, and so many inputs are kept.
const STRIDE: usize = 8_192;

/// A walk over ground that is known, to where `found` arose.
#[derive(Debug)]
pub(super) struct Narrow {
    found: Found,
    /// Where one was, and which way one is looking for it.
    origin: u64,
    forwards: bool,
    /// From where it is looked for: what was wrong there.
    known: Option<Diagnosis>,
    /// The last state in which it was not there, after so many inputs, and the inputs since.
    before: Option<(u64, Engine)>,
    since: Vec<Input>,
}

impl<P: Clone> Player<P> {
    /// To the next finding, or back to the last before.
    pub fn finding<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, forwards: bool) {
        if !self.put_off(Hop::Finding(forwards), engine) {
            self.find(deck, engine, self.at, forwards);
        }
    }

    /// The same, of one who was at `origin`.
    pub(super) fn find<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        origin: u64,
        forwards: bool,
    ) {
        match deck.index.finding_beside(origin, forwards) {
            Some(Found { exact: Some(at), .. }) => self.go_to(deck, engine, at),
            Some(found) => {
                let Some(from) = deck.index.checkpoints.before(found.after).cloned() else {
                    // What comes before it is kept no longer.
                    return self.go_to(deck, engine, found.at);
                };
                if self.go_from(deck, engine, from) {
                    let (known, before, since) = (None, None, Vec::new());
                    self.doing = Doing::Narrow(Box::new(Narrow { found, origin, forwards, known, before, since }));
                }
            }
            None if forwards => self.find_beyond(deck, engine, origin),
            None => {
                if self.at != origin {
                    self.go_to(deck, engine, origin);
                }
                self.say("no finding before this");
            }
        }
    }

    /// Goes on a part of the walk.
    pub(super) fn narrow<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        mut walk: Box<Narrow>,
    ) -> Pace {
        if !self.fill(deck, false) && !self.at_end {
            self.doing = Doing::Narrow(walk);
            return Pace::Waits;
        }
        let goal = if self.at < walk.found.after { walk.found.after } else { walk.found.at };
        let left = usize::try_from(goal.saturating_sub(self.at)).unwrap_or(usize::MAX).min(AT_ONCE);
        if walk.known.is_none() && left > 0 && goal == walk.found.after && !self.is_at_end() {
            self.feed_until(deck, engine, None, left);
            self.doing = Doing::Narrow(walk);
            return Pace::AtOnce;
        }
        if walk.known.is_none() {
            walk.known = Some(engine.diagnosis());
        }
        if walk.before.is_none() {
            walk.before = Some((self.at, engine.clone()));
        }
        let left = left.min(STRIDE - walk.since.len()).min(self.waiting().len());
        walk.since.extend_from_slice(&self.waiting()[..left]);
        self.feed_until(deck, engine, None, left);
        let there = self.at >= walk.found.at || self.is_at_end();
        if !there && walk.since.len() < STRIDE {
            self.doing = Doing::Narrow(walk);
            return Pace::AtOnce;
        }
        match walk.halve(engine) {
            None if !there => {
                (walk.before, walk.since) = (None, Vec::new());
                self.doing = Doing::Narrow(walk);
            }
            exact => {
                deck.index.found_at(walk.found, exact.unwrap_or(walk.found.at));
                self.find(deck, engine, walk.origin, walk.forwards);
            }
        }
        Pace::AtOnce
    }
}

impl Narrow {
    /// After how many inputs it was there, if it is at the end of what was walked over.
    fn halve(&self, engine: &Engine) -> Option<u64> {
        let known = self.known.as_ref()?;
        let is_there = |engine: &Engine| engine.diagnosis().new_since(known) > 0;
        let (begin, before) = self.before.as_ref().filter(|_| is_there(engine))?;
        let (mut engine, mut from, mut upto) = (before.clone(), 0, self.since.len());
        while upto - from > 1 {
            let middle = from + (upto - from) / 2;
            let mut further = engine.clone();
            further.feed_batch(&self.since[from..middle]);
            if is_there(&further) {
                upto = middle;
            } else {
                (engine, from) = (further, middle);
            }
        }
        let more = self.since[upto..].iter().take_while(|input| belongs_to_the_one_before(input)).count();
        Some(begin + (upto + more) as u64)
    }
}
