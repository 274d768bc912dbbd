//! Plays a capture into the engine: pace, pause, step, restart, jumps. To go back it starts again from the beginning.

use std::time::{Duration, Instant};

use anyhow::Result;
use crossbeam_channel::TryRecvError;

use crate::base::Timestamp;
use crate::engine::{Config, Engine, FlowKey, Input};
use crate::journal::{Damage, PlayClock};
use crate::ui::{Control, Playback, Segments, Source, SourceKind};

use super::feed::Feed;
use super::meter::Meter;
use super::read::{self, Origin, Reader, Reading};
use super::reread::Reread;

/// Segments fed in one go, so that queries are answered in between.
const AT_ONCE: usize = 20_000;
/// How often the engine's clock is moved while nothing happens.
const REST: Duration = Duration::from_millis(20);

/// A capture being played.
#[derive(Debug)]
pub(super) struct Replay {
    origin: Origin,
    filter: Option<String>,
    config: Config,
    /// How long to wait for the reader: a file's is never far, a stream may be silent for long.
    patience: Duration,
    clock: PlayClock,
    started: Instant,
    reader: Reader,
    /// What was read and is not due yet, in the order of the file.
    ahead: Batch,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Where a jump is going; it takes no time of the capture's clock.
    target: Option<Timestamp>,
    /// One segment is to be fed as soon as there is one.
    step: bool,
    at_end: bool,
    /// How the file ended, if not cleanly.
    damage: Option<Damage>,
    notice: Option<String>,
    /// The flow of which the segments are read again.
    reread: Option<Reread>,
}

/// Inputs of which the first may be taken in already.
#[derive(Debug, Default)]
struct Batch {
    inputs: Vec<Input>,
    taken: usize,
}

impl Batch {
    fn waiting(&self) -> &[Input] {
        &self.inputs[self.taken..]
    }

    fn is_empty(&self) -> bool {
        self.taken == self.inputs.len()
    }

    /// Holds `inputs` instead; gives those that it held.
    fn replace(&mut self, inputs: Vec<Input>) -> Vec<Input> {
        std::mem::replace(self, Self { inputs, taken: 0 }).inputs
    }
}

impl Replay {
    /// Opens a capture, to be played at `speed`.
    ///
    /// # Errors
    /// As [`read::start`].
    pub(super) fn open(origin: Origin, filter: Option<String>, config: Config, speed: f64) -> Result<Self> {
        Ok(Self {
            reader: read::start(&origin, filter.as_deref())?,
            patience: if origin.can_reopen() { Duration::from_millis(1) } else { REST },
            origin,
            filter,
            config,
            clock: PlayClock::new(speed),
            started: Instant::now(),
            ahead: Batch::default(),
            first: None,
            last: None,
            target: None,
            step: false,
            at_end: false,
            damage: None,
            notice: None,
            reread: None,
        })
    }

    /// Feeds everything up to `until` (or the end), without regard to the clock.
    pub(super) fn run(&mut self, engine: &mut Engine, until: Option<Timestamp>) {
        let mut meter = Meter::new();
        while self.fill(true) && self.feed_until(engine, until, usize::MAX) {
            meter.show(|| self.reader.progress());
        }
        self.finish(engine, until);
    }

    /// The first instant of the capture, if it has one.
    pub(super) fn start(&mut self) -> Option<Timestamp> {
        self.fill(true);
        self.first
    }

    /// How the file ended, if not cleanly.
    pub(super) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Makes sure that a segment waits, if there is one to be had. False at the end; without `wait`, also when the
    /// reader has not come so far.
    fn fill(&mut self, wait: bool) -> bool {
        while self.ahead.is_empty() && !self.at_end {
            let message = if wait {
                self.reader.batches.recv().map_err(|_| TryRecvError::Disconnected)
            } else {
                self.reader.batches.try_recv()
            };
            match message {
                Ok(Reading::Batch(inputs)) => {
                    self.first = self.first.or_else(|| inputs.first().map(Input::ts));
                    self.last = self.last.max(inputs.last().map(Input::ts));
                    self.reader.give_back(self.ahead.replace(inputs));
                }
                Ok(Reading::End(damage)) => (self.at_end, self.damage) = (true, damage),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => {
                    self.at_end = true;
                    let reason = "the reading thread died".to_owned();
                    self.damage.get_or_insert(Damage { offset: 0, reason, decompressed: false });
                }
            }
        }
        !self.ahead.is_empty()
    }

    /// Feeds waiting inputs that are due; false once one waits that is not.
    fn feed_until(&mut self, engine: &mut Engine, until: Option<Timestamp>, at_most: usize) -> bool {
        let waiting = self.ahead.waiting();
        let waiting = &waiting[..at_most.min(waiting.len())];
        let later = until.and_then(|until| waiting.iter().position(|input| input.ts() > until));
        let due = &waiting[..later.unwrap_or(waiting.len())];
        engine.feed_batch(due);
        self.ahead.taken += due.len();
        later.is_none()
    }

    /// The clock moves on to where it stands even if no segment does.
    fn finish(&mut self, engine: &mut Engine, until: Option<Timestamp>) {
        let end = if self.at_end && self.ahead.is_empty() { self.last } else { None };
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

    /// Starts again from the beginning.
    fn restart(&mut self, engine: &mut Engine) -> bool {
        if !self.origin.can_reopen() {
            self.notice = Some("a stream cannot be played again: save it to a file to go back".to_owned());
            return false;
        }
        match read::start(&self.origin, self.filter.as_deref()) {
            Ok(reader) => self.reader = reader,
            Err(error) => {
                self.notice = Some(format!("{error:#}"));
                return false;
            }
        }
        *engine = Engine::new(self.config);
        self.ahead = Batch::default();
        self.clock.clear();
        (self.at_end, self.damage, self.target, self.step) = (false, None, None, false);
        true
    }

    fn seek(&mut self, to: Timestamp, engine: &mut Engine) {
        let to = self.first.map_or(to, |first| to.max(first));
        let to = if self.at_end { self.last.map_or(to, |last| to.min(last)) } else { to };
        if engine.now().is_some_and(|now| to < now) && !self.restart(engine) {
            return;
        }
        if self.clock.speed().is_infinite() {
            // It would run on to the end at once; to watch what happens there is why one jumps.
            self.clock.set_speed(self.now(), None, 1.0);
        }
        self.target = Some(to);
    }

    fn pump_jump(&mut self, engine: &mut Engine, target: Timestamp) -> Duration {
        let more = self.fill(false) && self.feed_until(engine, Some(target), AT_ONCE);
        let waiting = more || (self.ahead.is_empty() && !self.at_end);
        if waiting {
            return if more { Duration::ZERO } else { self.patience };
        }
        self.target = None;
        self.finish(engine, Some(target));
        if let Some(now) = engine.now() {
            self.clock.set(self.now(), now);
        }
        Duration::ZERO
    }

    /// Feeds one segment and what belongs to it; where the reader has none yet (a stream may be silent for long),
    /// later.
    fn step(&mut self, engine: &mut Engine) {
        let mut found = false;
        while !found && self.fill(false) {
            found = matches!(self.ahead.waiting().first(), Some(Input::Segment(_)));
            self.feed_until(engine, None, 1);
        }
        while matches!(self.ahead.waiting().first(), Some(Input::Name(_) | Input::Dns(_) | Input::Loss(_))) {
            self.feed_until(engine, None, 1);
        }
        self.step = !found && !self.at_end;
        self.finish(engine, engine.now());
        self.clock.pause(self.now(), engine.now(), true);
    }
}

impl Feed for Replay {
    fn pump(&mut self, engine: &mut Engine) -> Duration {
        if let Some(target) = self.target {
            return self.pump_jump(engine, target);
        }
        if self.step {
            self.step(engine);
        }
        if !self.fill(false) && !self.at_end {
            return self.patience;
        }
        if engine.now().is_none()
            && let Some(input) = self.ahead.waiting().first()
        {
            self.clock.set(self.started.elapsed(), input.ts());
        }
        let due = self.clock.due(self.now());
        let more = self.feed_until(engine, due, AT_ONCE) && !(self.at_end && self.ahead.is_empty());
        if more && (!self.ahead.is_empty() || self.fill(false)) {
            return Duration::ZERO;
        }
        self.finish(engine, due);
        if more { self.patience } else { REST }
    }

    fn control(&mut self, control: Control, engine: &mut Engine) {
        self.notice = None;
        self.step = false;
        let (now, at) = (self.now(), engine.now());
        match control {
            Control::Pause(paused) => self.clock.pause(now, at, paused),
            Control::Speed(speed) => self.clock.set_speed(now, at, speed),
            Control::Step => self.step(engine),
            Control::Restart => {
                if self.restart(engine) && self.clock.speed().is_infinite() {
                    // To watch it again is why one starts again.
                    self.clock.set_speed(now, None, 1.0);
                }
            }
            // It is one already.
            Control::Record => {}
            Control::Seek(to) => self.seek(to, engine),
            Control::SeekBy(span, forwards) => {
                if let Some(at) = at {
                    self.seek(if forwards { at + span } else { at - span }, engine);
                }
            }
        }
    }

    fn is_damaged(&self) -> bool {
        self.damage.is_some()
    }

    fn segments(&mut self, of: Option<(FlowKey, Timestamp)>) -> Segments {
        let Some((key, now)) = of else {
            self.reread = None;
            return Segments::Unknown;
        };
        if !self.origin.can_reopen() {
            return Segments::Missing("segments of a stream are not kept: save it to a file, and read that".to_owned());
        }
        if self.reread.as_ref().is_none_or(|reread| !reread.serves(&key, now)) {
            match Reread::start(&self.origin, self.filter.as_deref(), key, now) {
                Ok(reread) => self.reread = Some(reread),
                Err(error) => return Segments::Missing(format!("{error:#}")),
            }
        }
        self.reread.as_ref().map(Reread::told).unwrap_or_default()
    }

    fn source(&self, _engine: &Engine) -> Source {
        let kind = if self.origin == Origin::Demo { SourceKind::Demo } else { SourceKind::Replay };
        let name = self.origin.name();
        Source {
            kind,
            playback: Some(Playback {
                paused: self.clock.paused(),
                speed: self.clock.speed(),
                start: self.first,
                end: self.reader.newest().max(self.last),
                at_end: self.at_end && self.ahead.is_empty(),
                reading: self.reader.progress().filter(|_| !self.at_end),
            }),
            notices: self.damage.iter().map(|damage| told(&name, damage)).chain(self.notice.clone()).collect(),
            dead: None,
            recordings: Default::default(),
            name,
        }
    }
}

/// A damage in words: which file, where, why, and what became of the rest.
pub(super) fn told(name: &str, damage: &Damage) -> String {
    format!("{name}: {damage}; everything before it was used")
}
