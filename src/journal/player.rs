//! Plays a source into an engine: at a pace, or to where one wants to be, forwards and backwards. Going back is to go on
//! from a checkpoint before.
//!
//! May touch no clock: moments are told. Read first: [`Checkpoints`](super::Checkpoints), [`PlayClock`].

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::{Engine, Happening, Input};

use super::{Checkpoint, Damage, Index, PlayClock};

/// Inputs fed in one go, so that whoever asks is answered in between.
const AT_ONCE: usize = 20_000;
/// Within so many inputs of where one is going, the way back is remembered.
const NEAR: u64 = 16 << 10;

/// A source that can be gone on with from places in it.
pub trait Tape {
    /// A place between two inputs.
    type Place: Clone;

    /// The next inputs; waits for them if asked to.
    fn next(&mut self, wait: bool) -> Next<Self::Place>;

    /// Goes on from there.
    ///
    /// # Errors
    /// Why that cannot be, in words; it then goes on as before.
    fn go(&mut self, place: &Self::Place) -> Result<(), String>;

    /// Takes inputs back that were used, for their memory.
    fn give_back(&mut self, _used: Vec<Input>) {}
}

/// What a source gives.
#[derive(Debug)]
pub enum Next<P> {
    /// Inputs, and where the source stands behind them, if it can be gone on with from there.
    Inputs(Vec<Input>, Option<P>),
    NotYet,
    /// The end: clean, or damaged.
    End(Option<Damage>),
}

/// A source and what is noted of it.
#[derive(Debug)]
pub struct Deck<T: Tape> {
    pub tape: T,
    pub index: Index<T::Place>,
}

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
    /// What was read and is not fed yet, and the place behind all of it.
    ahead: Vec<Input>,
    taken: usize,
    behind: Option<P>,
    /// Inputs that the engine has taken in.
    at: u64,
    at_end: bool,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    damage: Option<Damage>,
    notice: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    /// As the clock has it.
    Play,
    Go(Goal),
    Search(Search),
}

/// Where one is going; it takes no time of the capture's clock.
#[derive(Debug, Clone, Copy)]
enum Goal {
    Time(Timestamp),
    /// The state after so many inputs.
    At(u64),
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

/// A walk over ground that is known, for the last time that something happened before `end`.
#[derive(Debug, Clone, Copy)]
struct Search {
    happening: Happening,
    /// Where one was: what is looked for is before it.
    origin: u64,
    /// Where the walk began, and where it ends.
    from: u64,
    upto: u64,
    /// How often it had happened at the start of the walk, and so far.
    before: u64,
    count: u64,
    /// It happened at the last input; what belongs to that may follow.
    fresh: bool,
    found: Option<u64>,
}

impl<P: Clone> Player<P> {
    /// At the start of a source, to be played at `speed`.
    pub const fn new(speed: f64) -> Self {
        Self {
            clock: PlayClock::new(speed),
            doing: Doing::Play,
            ahead: Vec::new(),
            taken: 0,
            behind: None,
            at: 0,
            at_end: false,
            first: None,
            last: None,
            damage: None,
            notice: None,
        }
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

    /// Whether it is on its way to where one wants to be.
    pub const fn is_going(&self) -> bool {
        !matches!(self.doing, Doing::Play)
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
            match deck.tape.next(wait) {
                Next::Inputs(inputs, behind) => {
                    self.first = self.first.or_else(|| inputs.first().map(Input::ts));
                    self.last = self.last.max(inputs.last().map(Input::ts));
                    (self.taken, self.behind) = (0, behind);
                    deck.tape.give_back(std::mem::replace(&mut self.ahead, inputs));
                }
                Next::NotYet => return false,
                Next::End(damage) => {
                    self.at_end = true;
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
        mut each: impl FnMut(&T),
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
            each(&deck.tape);
        }
        self.finish(engine, until);
    }

    /// Does what is due at the moment `now`.
    pub fn pump<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, now: Duration) -> Pace {
        match self.doing {
            Doing::Play => self.play(deck, engine, now),
            Doing::Go(goal) => self.go_on(deck, engine, goal, now),
            Doing::Search(search) => self.look(deck, engine, search),
        }
    }

    fn play<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, now: Duration) -> Pace {
        if !self.fill(deck, false) && !self.at_end {
            return Pace::Waits;
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
        if more { Pace::Waits } else { Pace::Rests }
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
    fn leave_batch<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &Engine) {
        if !self.is_empty() {
            return;
        }
        // Within a batch one may be stamped later than the last.
        self.last = self.last.max(engine.now());
        let Some(place) = self.behind.take() else { return };
        let near = match self.doing {
            Doing::Search(search) => Some(search.upto),
            Doing::Go(Goal::At(to)) => Some(to),
            _ => None,
        };
        let checkpoints = &deck.index.checkpoints;
        let far = |to: u64| checkpoints.before(to).is_none_or(|known| to - known.at > NEAR);
        if near.is_some_and(|to| to.saturating_sub(self.at) < NEAR && far(to)) && self.at < deck.index.upto() {
            deck.index.checkpoints.pass(engine, self.at, place);
        } else {
            deck.index.offer(engine, self.at, || place);
        }
    }

    /// The clock moves on to where it stands even if no input does.
    fn finish(&self, engine: &mut Engine, until: Option<Timestamp>) {
        let end = if self.is_at_end() { self.last } else { None };
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

/// Where one wants to be.
impl<P: Clone> Player<P> {
    /// Stops or goes on.
    pub fn pause(&mut self, engine: &Engine, now: Duration, paused: bool) {
        self.doing = Doing::Play;
        self.clock.pause(now, engine.now(), paused);
    }

    /// From the start, at the pace that is set; false if that cannot be.
    pub fn restart<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine) -> bool {
        let Some(first) = deck.index.checkpoints.first().cloned() else {
            self.say(NO_WAY_BACK);
            return false;
        };
        self.clock.clear();
        self.go_from(deck, engine, first)
    }

    /// To an instant.
    pub fn seek<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, to: Timestamp, now: Duration) {
        let to = self.first.map_or(to, |first| to.max(first));
        let to = if self.at_end { self.last.map_or(to, |last| to.min(last)) } else { to };
        let back = engine.now().is_some_and(|now| to < now);
        let near = deck.index.checkpoints.before_time(to).filter(|near| back || near.at > self.at).cloned();
        if !self.begin_at(deck, engine, near, back) {
            return;
        }
        self.slow_down(now);
        self.doing = Doing::Go(Goal::Time(to));
    }

    /// To the next time that something happens.
    pub fn next<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, happening: Happening) {
        let (origin, count) = (self.at, engine.count(happening));
        // Of those behind where one is, the last before which it has not happened again.
        let fits = |near: &Checkpoint<P>| near.at <= origin || near.engine.count(happening) <= count;
        let near = deck.index.checkpoints.last_where(fits).filter(|near| near.at > origin).cloned();
        if self.begin_at(deck, engine, near, false) {
            self.doing = Doing::Go(Goal::Next { happening, count, origin });
        }
    }

    /// Back to the last time before that something happened.
    pub fn previous<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, happening: Happening) {
        let count = engine.count(happening);
        self.search(deck, engine, happening, (self.at, self.at, count));
    }

    /// To the next, or back to the last checkpoint at which something was first found to be wrong.
    pub fn finding<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, forwards: bool) {
        let (all, at) = (deck.index.findings(), self.at);
        let found = if forwards {
            all.iter().find(|finding| **finding > at)
        } else {
            all.iter().rfind(|finding| **finding < at)
        };
        match found.copied() {
            Some(found) => self.go_to(deck, engine, found),
            None if forwards => {
                let near = deck.index.checkpoints.last_where(|_| true).filter(|near| near.at > at).cloned();
                if self.begin_at(deck, engine, near, false) {
                    self.doing = Doing::Go(Goal::Finding { origin: at });
                }
            }
            None => self.say("no finding before this"),
        }
    }

    /// To the state after so many inputs.
    fn go_to<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, to: u64) {
        let back = to < self.at;
        let near = deck.index.checkpoints.before(to).filter(|near| back || near.at > self.at).cloned();
        if self.begin_at(deck, engine, near, back) {
            self.doing = Doing::Go(Goal::At(to));
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

    fn go_from<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, from: Checkpoint<P>) -> bool {
        if let Err(why) = deck.tape.go(&from.place) {
            self.say(&why);
            return false;
        }
        *engine = from.engine;
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
    fn go_on<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        goal: Goal,
        now: Duration,
    ) -> Pace {
        let there = self.is_at_end() || matches!(goal, Goal::At(to) if self.at >= to);
        if !there && !self.fill(deck, false) && !self.at_end {
            return Pace::Waits;
        }
        let missed = self.is_at_end();
        let arrived = missed
            || match goal {
                Goal::Time(to) => !self.feed_until(deck, engine, Some(to), AT_ONCE),
                Goal::At(to) => {
                    let left = usize::try_from(to.saturating_sub(self.at)).unwrap_or(usize::MAX);
                    self.feed_until(deck, engine, None, left.min(AT_ONCE));
                    self.at >= to
                }
                Goal::Next { happening, count, .. } => self.feed_to_next(deck, engine, happening, count),
                Goal::Finding { origin } => {
                    self.feed_until(deck, engine, None, AT_ONCE);
                    deck.index.findings().last().is_some_and(|found| *found > origin)
                }
            };
        if !arrived {
            return Pace::AtOnce;
        }
        self.doing = Doing::Play;
        match goal {
            Goal::Time(to) => {
                self.finish(engine, Some(to));
                if let Some(at) = engine.now() {
                    self.clock.set(now, at);
                }
            }
            Goal::Next { origin, .. } | Goal::Finding { origin } if missed => {
                self.go_to(deck, engine, origin);
                self.say("none after this");
            }
            Goal::At(_) | Goal::Next { .. } | Goal::Finding { .. } => {
                self.slow_down(now);
                self.finish(engine, engine.now());
                self.clock.pause(now, engine.now(), true);
            }
        }
        Pace::AtOnce
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

    /// Begins to walk over the last stretch before `upto` in which it happened; there it had happened `count` times.
    fn search<T: Tape<Place = P>>(
        &mut self,
        deck: &mut Deck<T>,
        engine: &mut Engine,
        happening: Happening,
        (origin, upto, count): (u64, u64, u64),
    ) {
        let fits = |near: &Checkpoint<P>| near.at < upto && near.engine.count(happening) < count;
        let Some(from) = deck.index.checkpoints.last_where(fits).cloned() else {
            self.go_to(deck, engine, origin);
            let nothing_kept = deck.index.checkpoints.first().is_none();
            self.say(if nothing_kept { NO_WAY_BACK } else { "none before this" });
            return;
        };
        let (start, before) = (from.at, from.engine.count(happening));
        if self.go_from(deck, engine, from) {
            let walk =
                Search { happening, origin, from: start, upto, before, count: before, fresh: false, found: None };
            self.doing = Doing::Search(walk);
        }
    }

    fn look<T: Tape<Place = P>>(&mut self, deck: &mut Deck<T>, engine: &mut Engine, mut walk: Search) -> Pace {
        for _ in 0..AT_ONCE {
            if self.at >= walk.upto || (!self.fill(deck, false) && self.at_end) {
                walk.settle(self.at);
                match walk.found {
                    Some(found) => self.go_to(deck, engine, found),
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

const NO_WAY_BACK: &str = "a stream cannot be played again: save it to a file to go back";

#[cfg(test)]
mod properties;

/// Whether an input tells more of the segment before it.
const fn belongs_to_the_one_before(input: &Input) -> bool {
    matches!(input, Input::Name(_) | Input::Dns(_) | Input::Loss(_))
}
