//! Plays a source into an engine: at a pace, or to where one wants to be, forwards and backwards. Going back is to go on
//! from a checkpoint before.
//!
//! May touch no clock: moments are told. Read first: [`Checkpoints`](super::Checkpoints), [`PlayClock`].

mod going;
mod narrow;
#[cfg(test)]
mod properties;
mod search;

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::{Engine, Input};

use super::{Damage, Deck, Next, PlayClock, Tape};
use going::{Goal, Hop};
use narrow::Narrow;
use search::Search;

/// Inputs fed in one go, so that whoever asks is answered in between.
const AT_ONCE: usize = 20_000;
/// Within so many inputs of where one is going, the way back is remembered.
const NEAR: u64 = 16 << 10;

/// What the player does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// There is more to do at once.
    AtOnce,
    /// The source has nothing yet.
    Waits,
    /// Nothing is due.
    Rests,
}

/// Where a source is played.
#[derive(Debug)]
pub struct Player<P> {
    pub clock: PlayClock,
    doing: Doing,
    /// What was asked for on the way: done in order from where that leads.
    then: VecDeque<Hop>,
    /// Where the last hop began: after so many inputs, at an instant that may be later than theirs.
    stood: Option<(u64, Timestamp)>,
    /// The engine that was left at the last jump: letting it go takes a while, and nobody should wait for that.
    left: Option<Engine>,
    /// What was read and is not fed yet, and the place behind all of it.
    ahead: Vec<Input>,
    taken: usize,
    behind: Option<P>,
    /// The last place that was passed, where no checkpoint was due.
    edge: Option<(u64, P)>,
    /// Inputs that the engine has taken in.
    at: u64,
    at_end: bool,
    /// All that there was so far was given, when it was asked for last.
    caught_up: bool,
    /// The end was read, now or before.
    read: bool,
    /// How often the engine was exchanged for a checkpoint's.
    jumps: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    damage: Option<Damage>,
    notice: Option<String>,
}

#[derive(Debug)]
enum Doing {
    /// As the clock has it.
    Play,
    Go(Goal),
    Search(Search),
    Narrow(Box<Narrow>),
}

impl<P: Clone> Player<P> {
    /// At the start of a source, to be played at `speed`.
    pub const fn new(speed: f64) -> Self {
        Self {
            clock: PlayClock::new(speed),
            doing: Doing::Play,
            then: VecDeque::new(),
            stood: None,
            left: None,
            ahead: Vec::new(),
            taken: 0,
            behind: None,
            edge: None,
            at: 0,
            at_end: false,
            caught_up: false,
            read: false,
            jumps: 0,
            first: None,
            last: None,
            damage: None,
            notice: None,
        }
    }

    /// Beside an engine that has taken in so many inputs of a source whose first instant is `first`.
    pub fn standing_at(at: u64, first: Option<Timestamp>) -> Self {
        Self { at, first, ..Self::new(1.0) }
    }

    /// The first instant that can be gone to is another now.
    pub const fn begins_at(&mut self, first: Option<Timestamp>) {
        self.first = first;
    }

    /// The first instant of the source, and the last that was read.
    pub const fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.first, self.last)
    }

    /// Inputs that the engine has taken in.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Whether all was read and taken in.
    pub fn is_at_end(&self) -> bool {
        self.at_end && self.is_empty()
    }

    /// Whether the end was read, wherever one is now.
    pub const fn was_read(&self) -> bool {
        self.read
    }

    /// How often the engine was exchanged for that of a checkpoint.
    pub const fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Whether it is on its way to where one wants to be, or will be on from there.
    pub fn is_going(&self) -> bool {
        !matches!(self.doing, Doing::Play) || !self.then.is_empty()
    }

    /// The instant that it is on its way to, where it is to one.
    pub const fn heads_for(&self) -> Option<Timestamp> {
        match self.doing {
            Doing::Go(Goal::Time(to)) if to.nanos() < Timestamp::MAX.nanos() => Some(to),
            _ => None,
        }
    }

    /// How the source ended, if not cleanly.
    pub const fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// What could not be done, in words.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Forgets what could not be done.
    pub fn hush(&mut self) {
        self.notice = None;
    }

    /// Says what cannot be done.
    pub fn say(&mut self, words: &str) {
        self.notice = Some(words.to_owned());
    }

    fn waiting(&self) -> &[Input] {
        &self.ahead[self.taken..]
    }

    fn is_empty(&self) -> bool {
        self.taken == self.ahead.len()
    }

    /// Makes sure that an input waits, if there is one to be had. False at the end; without `wait`, also where the
    /// source has not come so far.
    pub fn fill<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, wait: bool) -> bool {
        while self.is_empty() && !self.at_end {
            self.caught_up = false;
            match deck.tape.next(wait) {
                Next::Inputs(inputs, behind) => {
                    self.first = self.first.or_else(|| inputs.first().map(Input::ts));
                    self.last = self.last.max(inputs.last().map(Input::ts));
                    (self.taken, self.behind) = (0, behind);
                    deck.tape.give_back(std::mem::replace(&mut self.ahead, inputs));
                }
                Next::NotYet => return false,
                Next::NoMore => {
                    self.caught_up = true;
                    return false;
                }
                Next::End(damage) => {
                    (self.at_end, self.read) = (true, true);
                    self.damage = damage.or(self.damage.take());
                }
            }
        }
        !self.is_empty()
    }

    /// Feeds all up to an instant (or the end) without regard to the clock, and notes nothing of it: nobody will go
    /// back.
    pub fn run<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        until: Option<Timestamp>,
        mut each: impl FnMut(&T, &mut Engine),
    ) {
        while self.fill(deck, true) {
            let due = self.due(until, usize::MAX);
            let all = due == self.waiting().len();
            engine.feed_batch(&self.waiting()[..due]);
            (self.taken, self.at) = (self.taken + due, self.at + due as u64);
            if !all {
                break;
            }
            self.last = self.last.max(engine.now());
            each(&deck.tape, engine);
        }
        self.finish(engine, until);
    }

    /// Does what is due at the moment `now`.
    pub fn pump<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, now: Duration) -> Pace {
        // What is not there yet puts itself back.
        match std::mem::replace(&mut self.doing, Doing::Play) {
            Doing::Play => match self.then.pop_front() {
                Some(hop) => {
                    self.begin_hop(deck, engine, hop);
                    Pace::AtOnce
                }
                None => self.play(deck, engine, now),
            },
            Doing::Go(goal) => {
                self.doing = Doing::Go(goal);
                self.go_on(deck, engine, goal, now)
            }
            Doing::Search(search) => {
                self.doing = Doing::Search(search);
                self.look(deck, engine, search)
            }
            Doing::Narrow(narrow) => self.narrow(deck, engine, narrow),
        }
    }

    fn play<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, now: Duration) -> Pace {
        if !self.fill(deck, false) && !self.at_end {
            return Pace::Waits;
        }
        if self.is_at_end()
            && let Some((at, place)) = self.edge.take().filter(|(at, _)| *at == self.at && deck.index.is_new(*at))
        {
            // Whoever goes back from the end shares all of it, and comes back at once.
            deck.index.checkpoint(engine, at, place);
        }
        if engine.now().is_none()
            && let Some(input) = self.waiting().first()
        {
            self.clock.set(now, input.ts());
        }
        let due = self.clock.due(now);
        let more = self.feed_until(deck, engine, due, AT_ONCE) && !self.is_at_end();
        if more && (!self.is_empty() || self.fill(deck, false)) {
            return Pace::AtOnce;
        }
        self.finish(engine, due);
        if more {
            return Pace::Waits;
        }
        self.left = None;
        Pace::Rests
    }

    /// How many inputs are between here and where so many were taken in.
    fn inputs_to(&self, to: u64) -> usize {
        usize::try_from(to.saturating_sub(self.at)).unwrap_or(usize::MAX)
    }

    /// How many of the waiting inputs, at most, are due.
    fn due(&self, until: Option<Timestamp>, at_most: usize) -> usize {
        let waiting = &self.waiting()[..at_most.min(self.waiting().len())];
        let later = until.and_then(|until| waiting.iter().position(|input| input.ts() > until));
        later.unwrap_or(waiting.len())
    }

    /// Feeds waiting inputs that are due; false once one waits that is not.
    fn feed_until<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        until: Option<Timestamp>,
        at_most: usize,
    ) -> bool {
        let due = self.due(until, at_most);
        let all = due == at_most.min(self.waiting().len());
        let inputs = &self.ahead[self.taken..self.taken + due];
        deck.index.feed(engine, inputs, &mut self.at);
        self.taken += due;
        self.leave_batch(deck, engine);
        all
    }

    /// Behind a batch there may be a place to come back to.
    fn leave_batch<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine) {
        if !self.is_empty() {
            return;
        }
        // Within a batch one may be stamped later than the last.
        self.last = self.last.max(engine.now());
        let Some(place) = self.behind.take() else { return };
        let near = match &self.doing {
            Doing::Search(search) => Some(search.upto),
            Doing::Go(Goal::At(to) | Goal::Back(to)) => Some(*to),
            _ => None,
        };
        let checkpoints = &deck.index.checkpoints;
        let far = |to: u64| checkpoints.before(to).is_none_or(|known| to - known.at > NEAR);
        if near.is_some_and(|to| to.saturating_sub(self.at) < NEAR && far(to)) && self.at < deck.index.upto() {
            deck.index.checkpoints.pass(engine, self.at, place);
        } else if deck.index.is_due(engine, self.at) {
            deck.index.checkpoints.expect(deck.tape.progress().map(|progress| progress.whole_of(self.at)));
            deck.index.checkpoint(engine, self.at, place);
        } else {
            self.edge = Some((self.at, place));
        }
    }

    /// The clock moves on to where it stands even if no input does.
    fn finish(&self, engine: &mut Engine, until: Option<Timestamp>) {
        // Nor does it run ahead of a source that goes on.
        let at_edge = self.is_at_end() || (self.caught_up && self.is_empty());
        let end = if at_edge { self.last } else { None };
        let reached = match (until, end) {
            (Some(until), Some(end)) => Some(until.min(end)),
            (Some(until), None) => Some(until),
            (None, end) => end,
        };
        let started = engine.now().is_some() || end.is_some();
        if let Some(reached) = reached.filter(|_| started) {
            engine.feed(&Input::Tick(reached));
        }
    }
}

/// Whether an input tells more of the segment before it.
const fn belongs_to_the_one_before(input: &Input) -> bool {
    matches!(input, Input::Name(_) | Input::Dns(_) | Input::Loss(_))
}
