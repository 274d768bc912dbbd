//! Going to where one wants to be: from the checkpoint before it, on to there.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::{Engine, Happening};

use super::super::{Checkpoint, Deck, Pace, Tape};
use super::{AT_ONCE, Doing, Player, belongs_to_the_one_before};

/// Where one is going; it takes no time of the capture's clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    Time(Timestamp),
    /// The state after so many inputs.
    At(u64),
    /// The same, where one was before: what was looked for is not there, and it goes on as it did.
    Back(u64),
    /// The next time that it happens; there are so many before, and `origin` is where one was.
    Next {
        happening: Happening,
        count: u64,
        origin: u64,
    },
    /// The next time that something is first found to be wrong.
    Finding {
        origin: u64,
    },
}

/// What is hopped to from where one is, forwards or backwards.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hop {
    Happening(Happening, bool),
    Finding(bool),
}

/// Hops that may wait for the one before them.
const HOPS: usize = 16;

pub(super) const NO_WAY_BACK: &str = "a stream cannot be played again: save it to a file to go back";

impl<P: Clone> Player<P> {
    /// Stops or goes on.
    pub fn pause(&mut self, engine: &Engine, now: Duration, paused: bool) {
        self.stop();
        self.clock.pause(now, engine.now(), paused);
    }

    /// Gives up where one is going.
    fn stop(&mut self) {
        self.doing = Doing::Play;
        self.then.clear();
    }

    /// Hops from where one is; from where one is going, once one is there.
    pub(super) fn hop<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, hop: Hop) {
        if !self.is_going() {
            self.begin_hop(deck, engine, hop);
        } else if self.then.len() < HOPS {
            self.then.push_back(hop);
        }
    }

    pub(super) fn begin_hop<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, hop: Hop) {
        self.stood = engine.now().map(|now| (self.at, now));
        match hop {
            Hop::Happening(happening, true) => self.go_to_next(deck, engine, happening),
            Hop::Happening(happening, false) => {
                let count = engine.count(happening);
                self.search(deck, engine, happening, (self.at, self.at, count));
            }
            Hop::Finding(forwards) => self.find(deck, engine, self.at, forwards),
        }
    }

    /// Plays from the start.
    pub fn restart<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, now: Duration) {
        self.stop();
        let first = deck.index.checkpoints.first().cloned();
        if self.begin_at(deck, engine, first, true) {
            self.slow_down(now);
            self.clock.pause(now, None, false);
            self.clock.clear();
        }
    }

    /// To the end; of a source that goes on, on with it as it comes.
    pub fn to_end<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, now: Duration) {
        if !deck.tape.goes_on() {
            return self.seek(deck, engine, Timestamp::MAX, now);
        }
        self.stop();
        let near = deck.index.checkpoints.last_where(|_| true).filter(|near| near.at > self.at).cloned();
        if self.begin_at(deck, engine, near, false) {
            self.doing = Doing::Play;
            self.clock.set_speed(now, engine.now(), f64::INFINITY);
            self.clock.pause(now, engine.now(), false);
        }
    }

    /// To an instant. What was paused stays so, and what was played goes on from there; the end is a pause.
    pub fn seek<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, to: Timestamp, now: Duration) {
        self.stop();
        let to = self.first.map_or(to, |first| to.max(first));
        let to = if self.read { self.last.map_or(to, |last| to.min(last)) } else { to };
        let back = engine.now().is_some_and(|now| to < now);
        let at_end = self.is_at_end();
        let near = deck.index.checkpoints.before_time(to).filter(|near| back || near.at > self.at).cloned();
        if !self.begin_at(deck, engine, near, back) {
            return;
        }
        if at_end {
            self.clock.pause(now, engine.now(), true);
        }
        self.slow_down(now);
        self.doing = Doing::Go(Goal::Time(to));
    }

    /// To the next time that something happens.
    pub fn next<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, happening: Happening) {
        self.hop(deck, engine, Hop::Happening(happening, true));
    }

    /// Back to the last time before that something happened.
    pub fn previous<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, happening: Happening) {
        self.hop(deck, engine, Hop::Happening(happening, false));
    }

    fn go_to_next<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, happening: Happening) {
        let (origin, count) = (self.at, engine.count(happening));
        // Of those behind where one is, the last before which it has not happened again.
        let fits = |near: &Checkpoint<P>| near.at <= origin || near.engine.count(happening) <= count;
        let near = deck.index.checkpoints.last_where(fits).filter(|near| near.at > origin).cloned();
        if self.begin_at(deck, engine, near, false) {
            self.doing = Doing::Go(Goal::Next { happening, count, origin });
        }
    }

    /// On to what is found to be wrong behind all that was read so far.
    pub(super) fn find_beyond<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, origin: u64) {
        let near = deck.index.checkpoints.last_where(|_| true).filter(|near| near.at > self.at).cloned();
        if self.begin_at(deck, engine, near, false) {
            self.doing = Doing::Go(Goal::Finding { origin });
        }
    }

    /// To the state after so many inputs, as [`Goal::At`] or [`Goal::Back`].
    pub(super) fn go_to<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        to: u64,
        goal: fn(u64) -> Goal,
    ) {
        let back = to < self.at;
        let near = deck.index.checkpoints.before(to).filter(|near| back || near.at > self.at).cloned();
        if self.begin_at(deck, engine, near, back) {
            self.doing = Doing::Go(goal(to));
        }
    }

    /// Goes on from a checkpoint, if there is one; false where there must be and none is, or it cannot be gone on from.
    fn begin_at<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        near: Option<Checkpoint<P>>,
        needed: bool,
    ) -> bool {
        match near {
            Some(near) => self.go_from(deck, engine, near),
            None if needed => {
                self.say(NO_WAY_BACK);
                false
            }
            None => true,
        }
    }

    pub(super) fn go_from<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        from: Checkpoint<P>,
    ) -> bool {
        if let Err(why) = deck.tape.go(&from.place) {
            self.say(&why);
            return false;
        }
        self.left = Some(std::mem::replace(engine, from.engine));
        self.jumps += 1;
        (self.at, self.at_end, self.behind) = (from.at, false, None);
        self.ahead.clear();
        self.taken = 0;
        self.doing = Doing::Play;
        true
    }

    /// To watch what happens there is why one goes somewhere: as fast as it goes it would run on to the end at once.
    fn slow_down(&mut self, now: Duration) {
        if self.clock.speed().is_infinite() {
            self.clock.set_speed(now, None, 1.0);
        }
    }

    /// Goes on towards where one wants to be.
    pub(super) fn go_on<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        goal: Goal,
        now: Duration,
    ) -> Pace {
        let there = self.is_at_end() || matches!(goal, Goal::At(to) | Goal::Back(to) if self.at >= to);
        if !there && !self.fill(deck, false) && !self.at_end && !self.caught_up {
            return Pace::Waits;
        }
        // What may come later is not waited for.
        let missed = self.is_at_end() || (!there && self.is_empty() && self.caught_up);
        if missed || self.go_further(deck, engine, goal) {
            self.doing = Doing::Play;
            self.arrive(deck, engine, goal, missed, now);
        }
        Pace::AtOnce
    }

    /// Feeds a part of the way; whether that leads there.
    fn go_further<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, goal: Goal) -> bool {
        match goal {
            Goal::Time(to) => !self.feed_until(deck, engine, Some(to), AT_ONCE),
            Goal::At(to) | Goal::Back(to) => {
                self.feed_until(deck, engine, None, self.inputs_to(to).min(AT_ONCE));
                self.at >= to
            }
            Goal::Next { happening, count, .. } => self.feed_to_next(deck, engine, happening, count),
            Goal::Finding { origin } => {
                self.feed_until(deck, engine, None, AT_ONCE);
                deck.index.finding_beside(origin, true).is_some()
            }
        }
    }

    /// Does what is to be done where one was going, or where there is no more of the way: then it was `missed`.
    fn arrive<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        goal: Goal,
        missed: bool,
        now: Duration,
    ) {
        match goal {
            Goal::Time(to) => {
                if missed && !self.at_end {
                    self.say("so far it has not come: this is the newest");
                } else if missed && to < Timestamp::MAX && self.last.is_some_and(|last| last < to) {
                    self.say("it ends before that: this is its end");
                }
                self.finish(engine, Some(to));
                self.clock.rebase(now, engine.now());
            }
            Goal::Finding { origin } if !missed => self.find(deck, engine, origin, true),
            Goal::Next { origin, .. } | Goal::Finding { origin } if missed => {
                self.go_to(deck, engine, origin, Goal::Back);
                self.say("none after this");
            }
            Goal::At(_) | Goal::Next { .. } | Goal::Finding { .. } => {
                self.slow_down(now);
                self.stand(engine);
                self.clock.pause(now, engine.now(), true);
            }
            Goal::Back(_) => {
                self.stand(engine);
                self.clock.rebase(now, engine.now());
            }
        }
    }

    /// Back where the hop began, it is that instant again, and not that of the input before it.
    fn stand(&self, engine: &mut Engine) {
        let stood = self.stood.filter(|(at, _)| *at == self.at).map(|(_, instant)| instant);
        self.finish(engine, stood.max(engine.now()));
    }

    /// Feeds one input after another until it has happened again, and then what belongs to that input.
    fn feed_to_next<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        happening: Happening,
        count: u64,
    ) -> bool {
        for _ in 0..self.waiting().len() {
            self.feed_until(deck, engine, None, 1);
            if engine.count(happening) > count {
                while self.fill(deck, false) && belongs_to_the_one_before(&self.waiting()[0]) {
                    self.feed_until(deck, engine, None, 1);
                }
                return true;
            }
        }
        false
    }
}
