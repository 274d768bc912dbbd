//! A capture being played: what the user asks of it, and what is told of it beside the dashboard.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::base::{Mark, Timestamp};
use crate::engine::{Config, Engine, FlowKey};
use crate::export::Damage;
use crate::journal::{self, Deck, Index, Pace, Player};
use crate::ui::{Control, Playback, Segments, Source, SourceKind, Track};

use super::feed::Feed;
use super::marks::Marks;
use super::meter::Meter;
use super::origin::Origin;
use super::read::Place;
use super::reread::Reread;
use super::sealing::Sealing;
use super::steer::steer;
use super::tape::CaptureTape;

/// How often the engine's clock is moved while nothing happens.
const REST: Duration = Duration::from_millis(20);

/// A capture being played.
#[derive(Debug)]
pub(super) struct Replay {
    config: Config,
    deck: Deck<CaptureTape>,
    player: Player<Place>,
    sealing: Sealing,
    marks: Marks,
    /// How long to rest where nothing has come: a file is waited for already, a stream may be silent for long.
    patience: Duration,
    started: Instant,
    /// The flow of which the segments are read again, and that once more, since the file has grown.
    reread: Option<Reread>,
    once_more: Option<Reread>,
}

impl Replay {
    /// Opens a capture, to be played at `speed`, for an engine of the first of `configs`; or a recording of a live run,
    /// for one of the second. What it takes to go back may hold so many bytes.
    ///
    /// # Errors
    /// As [`super::read::start`].
    pub(super) fn open(
        origin: Origin,
        filter: Option<String>,
        configs: [Config; 2],
        speed: f64,
        memory: usize,
    ) -> Result<Self> {
        let tape = CaptureTape::open(origin, filter)?;
        let patience = if tape.reader.is_stream { REST } else { Duration::ZERO };
        Ok(Self {
            config: configs[usize::from(tape.reader.recording)],
            deck: Deck { tape, index: Index::new(memory) },
            player: Player::new(speed),
            sealing: Sealing::start()?,
            marks: Marks::default(),
            patience,
            started: Instant::now(),
            reread: None,
            once_more: None,
        })
    }

    /// What the engine that it feeds is to be told.
    pub(super) const fn config(&self) -> Config {
        self.config
    }

    /// Feeds everything up to `until` (or the end), without regard to the clock.
    pub(super) fn run(&mut self, engine: &mut Engine, until: Option<Timestamp>) {
        let mut meter = Meter::new();
        self.player.run(&mut self.deck, engine, until, |tape, engine| {
            self.sealing.take(engine);
            meter.show(|| tape.reader.progress());
        });
        self.take_marks();
    }

    /// The first instant of the capture, if it has one.
    pub(super) fn start(&mut self) -> Option<Timestamp> {
        self.player.fill(&mut self.deck, true);
        self.player.span().0
    }

    /// Whether all of it was read and fed.
    pub(super) fn is_at_end(&self) -> bool {
        self.player.is_at_end()
    }

    /// How the file ended, if not cleanly.
    pub(super) fn damage(&self) -> Option<Damage> {
        let journal::Damage { file, offset, reason, .. } = self.player.damage()?.clone();
        Some(Damage { file: self.deck.tape.origin.name_of_file(file), offset, reason })
    }

    /// Feeds what was read of a growing file, and waits for no more of it.
    pub(super) fn stop_waiting(&mut self, engine: &mut Engine) {
        self.deck.tape.reader.stop_waiting();
        self.run(engine, None);
    }

    fn take_marks(&mut self) {
        for (number, mark) in self.deck.tape.reader.marks.try_iter() {
            self.marks.take(number, &mark);
        }
    }

    /// The marks that were read so far.
    pub(super) fn marks(&self) -> &[Mark] {
        self.marks.all()
    }

    /// Whether all was given at some time that a growing file held then.
    pub(super) fn has_waited(&self) -> bool {
        self.deck.tape.reader.has_waited()
    }

    fn track(&self) -> Option<Track> {
        let timeline = self.deck.index.timeline().clone();
        let (start, last) = self.player.span();
        let read = self.deck.tape.reader.newest().max(last);
        Some(Track { from: start?, to: read?, timeline, marks: self.marks.all().to_vec() })
    }
}

impl Feed for Replay {
    fn pump(&mut self, engine: &mut Engine) -> Duration {
        if self.player.at() == 0
            && let Some(start) = self.deck.tape.start()
        {
            self.deck.index.offer(engine, 0, || start);
        }
        self.take_marks();
        let pace = self.player.pump(&mut self.deck, engine, self.started.elapsed());
        self.sealing.take(engine);
        match pace {
            Pace::AtOnce => Duration::ZERO,
            Pace::Waits => self.patience,
            Pace::Rests => REST,
        }
    }

    fn control(&mut self, control: Control, engine: &mut Engine) {
        let Self { player, deck, marks, .. } = self;
        player.hush();
        if let Control::Mark(note) = &control {
            marks.set(engine.now(), note);
        }
        steer((player, deck), engine, marks, &control, self.started.elapsed());
    }

    fn is_damaged(&self) -> bool {
        self.player.damage().is_some()
    }

    fn is_going(&self) -> bool {
        self.player.is_going()
    }

    fn jumps(&self) -> u64 {
        self.player.jumps()
    }

    fn segments(&mut self, of: Option<(FlowKey, Timestamp)>) -> Segments {
        let Some((key, now)) = of else {
            (self.reread, self.once_more) = (None, None);
            return Segments::Unknown;
        };
        let tape = &self.deck.tape;
        if !tape.origin.can_reopen() {
            return Segments::Missing("segments of a stream are not kept: save it to a file, and read that".to_owned());
        }
        let newest = tape.reader.newest().max(self.player.span().1);
        let start = || Reread::start(&tape.origin.so_far(), tape.filter.as_deref(), (key, now), newest);
        if self.reread.as_ref().is_none_or(|reread| !reread.serves(&key, now)) {
            self.once_more = None;
            match start() {
                Ok(reread) => self.reread = Some(reread),
                Err(error) => return Segments::Missing(format!("{error:#}")),
            }
        }
        if let Some(read) = self.once_more.take_if(|more| more.is_read()) {
            self.reread = Some(read);
        }
        let is_stale = self.reread.as_ref().is_some_and(|reread| reread.is_stale(newest));
        if is_stale && self.once_more.is_none() && matches!(tape.origin, Origin::Growing(_)) {
            self.once_more = start().ok();
        }
        self.reread.as_ref().map(Reread::told).unwrap_or_default()
    }

    fn source(&self, _engine: &Engine) -> Source {
        let origin = &self.deck.tape.origin;
        let kind = if *origin == Origin::Demo { SourceKind::Demo } else { SourceKind::Replay };
        let name = origin.name();
        let (start, _) = self.player.span();
        let track = self.track();
        let damage = self.player.damage().map(|damage| told(&origin.name_of_file(damage.file), damage));
        let remarks = self.deck.tape.passed_over().words().map(|told| format!("{name}: {told}"));
        Source {
            kind,
            playback: Some(Playback {
                paused: self.player.clock.paused(),
                going: self.player.is_going(),
                speed: self.player.clock.speed(),
                start,
                end: track.as_ref().map(|track| track.to),
                at_end: self.player.is_at_end(),
                growing: !self.player.was_read(),
                reading: self.deck.tape.reader.progress().filter(|_| !self.player.was_read()),
                live: None,
            }),
            track,
            notices: damage.into_iter().chain(remarks).chain(self.player.notice().map(str::to_owned)).collect(),
            dead: None,
            recordings: Default::default(),
            of_host: self.deck.tape.reader.recording,
            name,
        }
    }
}

/// A damage in words: which file, where, why, and what became of the rest.
pub(super) fn told(name: &str, damage: &journal::Damage) -> String {
    format!("{name}: {damage}; everything before it was used")
}
