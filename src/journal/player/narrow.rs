//! Finding the very input at which something was first found to be wrong: the stretch between two checkpoints is walked
//! over in strides, and the stride in which it arose is halved.

use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::Range;

use crate::engine::{Diagnosis, Engine, Input};

use super::super::index::Found;
use super::super::{Deck, Pace, Tape};
use super::going::{Goal, Hop};
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
    step: Step,
}

/// What is done of the walk, a part at a time, so that whoever asks is answered in between.
#[derive(Debug)]
enum Step {
    /// On the way to the checkpoint after which it arose.
    Approach,
    /// Over a stride, at the end of which it is looked for.
    Stride(Stride),
    /// It arose in this part of the inputs of a stride.
    Halve(Stride, Range<usize>),
}

#[derive(Debug)]
struct Stride {
    /// What was wrong where the walk began.
    known: Diagnosis,
    /// The inputs before the stride, and those of it so far.
    begin: u64,
    since: Vec<Input>,
    /// The last state that is known in which it was not there.
    before: Engine,
}

impl<P: Clone> Player<P> {
    /// To the next finding, or back to the last before.
    pub fn finding<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, forwards: bool) {
        self.hop(deck, engine, Hop::Finding(forwards));
    }

    /// The same at once, of one who was at `origin`.
    pub(super) fn find<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        origin: u64,
        forwards: bool,
    ) {
        match deck.index.finding_beside(origin, forwards) {
            Some(Found { exact: Some(at), .. }) => self.go_to(deck, engine, at, Goal::At),
            Some(found) => {
                let Some(from) = deck.index.checkpoints.before(found.after).cloned() else {
                    // What comes before it is kept no longer.
                    return self.go_to(deck, engine, found.at, Goal::At);
                };
                if self.go_from(deck, engine, from) {
                    self.doing = Doing::Narrow(Box::new(Narrow { found, origin, forwards, step: Step::Approach }));
                }
            }
            None if forwards => self.find_beyond(deck, engine, origin),
            None => {
                if self.at != origin {
                    self.go_to(deck, engine, origin, Goal::Back);
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
        walk: Box<Narrow>,
    ) -> Pace {
        // What is halved was read before.
        if !matches!(walk.step, Step::Halve(..)) && !self.fill(deck, false) && !self.at_end {
            self.doing = Doing::Narrow(walk);
            return Pace::Waits;
        }
        let Narrow { found, origin, forwards, step } = *walk;
        let further = match step {
            Step::Approach => Continue(self.approach(deck, engine, found)),
            Step::Stride(stride) => self.stride(deck, engine, found, stride),
            Step::Halve(stride, part) => stride.halve(part),
        };
        match further {
            Continue(step) => self.doing = Doing::Narrow(Box::new(Narrow { found, origin, forwards, step })),
            Break(exact) => {
                deck.index.found_at(found, exact);
                self.find(deck, engine, origin, forwards);
            }
        }
        Pace::AtOnce
    }

    fn approach<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, found: Found) -> Step {
        let left = self.inputs_to(found.after).min(AT_ONCE);
        if left == 0 || self.is_at_end() {
            return Step::Stride(Stride::new(engine.diagnosis(), self.at, engine));
        }
        self.feed_until(deck, engine, None, left);
        Step::Approach
    }

    /// Goes on with a stride; after how many inputs it arose, where that cannot be told better.
    fn stride<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        found: Found,
        mut stride: Stride,
    ) -> ControlFlow<u64, Step> {
        let left = self.inputs_to(found.at).min(STRIDE - stride.since.len()).min(self.waiting().len());
        stride.since.extend_from_slice(&self.waiting()[..left]);
        self.feed_until(deck, engine, None, left);
        let there = self.at >= found.at || self.is_at_end();
        if !there && stride.since.len() < STRIDE {
            return Continue(Step::Stride(stride));
        }
        if stride.shows(engine) {
            let whole = 0..stride.since.len();
            return Continue(Step::Halve(stride, whole));
        }
        if there { Break(found.at) } else { Continue(Step::Stride(Stride::new(stride.known, self.at, engine))) }
    }
}

impl Stride {
    fn new(known: Diagnosis, begin: u64, engine: &mut Engine) -> Self {
        Self { known, begin, since: Vec::new(), before: engine.fork() }
    }

    /// Whether it is there.
    fn shows(&self, engine: &Engine) -> bool {
        engine.diagnosis().new_since(&self.known) > 0
    }

    /// Halves the part in which it arose; of one input, after how many it was there, with what belongs to that one.
    fn halve(mut self, part: Range<usize>) -> ControlFlow<u64, Step> {
        if part.len() <= 1 {
            let more = self.since[part.end..].iter().take_while(|input| belongs_to_the_one_before(input)).count();
            return Break(self.begin + (part.end + more) as u64);
        }
        let middle = part.start + part.len() / 2;
        let mut further = self.before.fork();
        further.feed_batch(&self.since[part.start..middle]);
        if self.shows(&further) {
            return Continue(Step::Halve(self, part.start..middle));
        }
        self.before = further;
        Continue(Step::Halve(self, middle..part.end))
    }
}
