//! The running host with its last minutes: one may go back in them while it is watched on. One engine goes on live,
//! another is shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::Timestamp;
use crate::engine::{Collector, Engine, FlowKey, Input, Query};
use crate::journal::{Deck, Index, Pace, Past, PastPlace, Player};
use crate::ui::{Control, Playback, Segments, Source, Track};

use super::feed::Feed;
use super::live::Live;
use super::marks::Marks;
use super::record::Recorded;
use super::steer::steer;

/// A checkpoint is made at the latest when so many parts of what may be kept came since the last.
const PARTS: usize = 16;
/// A flow's segments are gone through so long at once, before others are answered.
const PATIENCE: Duration = Duration::from_millis(30);
/// A reading of the socket table comes after what happened at most so long after it.
const LATE: Duration = Duration::from_secs(10);

/// A host being watched, with its past.
#[derive(Debug)]
pub(super) struct Rewind {
    live: Live,
    deck: Deck<Past>,
    /// Inputs that the live engine has taken in, and bytes of them since the last checkpoint.
    at: u64,
    fresh: usize,
    /// Bytes that inputs and checkpoints may hold together.
    memory: usize,
    shown: Option<Shown>,
    /// What a frozen screen shows, and after how many inputs.
    frozen: Option<(u64, Engine)>,
    marks: Marks,
    started: Instant,
    jumps: u64,
    told: Option<Told>,
}

/// The flow of which the segments are shown.
#[derive(Debug)]
struct Told {
    collector: Collector,
    /// Before the next input that it has not taken in.
    place: PastPlace,
    /// What was told last, and of how many entries.
    last: Option<(usize, Segments)>,
}

/// The past that is shown.
#[derive(Debug)]
struct Shown {
    engine: Engine,
    player: Player<u64>,
}

impl Rewind {
    /// Of a host; so many bytes are kept of its past.
    pub(super) fn new(live: Live, memory: usize) -> Self {
        Self {
            live,
            deck: Deck { tape: Past::default(), index: Index::new(memory / 2) },
            at: 0,
            fresh: 0,
            memory,
            shown: None,
            frozen: None,
            marks: Marks::default(),
            started: Instant::now(),
            jumps: 0,
            told: None,
        }
    }

    /// Takes in what came, and keeps it.
    fn watch(&mut self, engine: &mut Engine) -> Duration {
        let Self { live, deck: Deck { tape, index }, at, .. } = self;
        let (before, mut tick) = (tape.bytes(), None);
        // Ticks change nothing that the next input would not change: the last one will do.
        let rest = live.advance(|inputs| match inputs {
            [Input::Tick(ts)] => tick = Some(*ts),
            others => {
                index.feed(engine, others, at);
                tape.extend(others);
            }
        });
        if let Some(tick) = tick {
            engine.feed(&Input::Tick(tick));
        }
        self.live.tape().watch(engine);
        self.live.tape().hear();
        self.fresh += tape.bytes() - before;
        if self.fresh > self.memory / PARTS || index.checkpoints.is_due(engine, self.at) {
            index.checkpoint(engine, self.at, self.at);
            self.fresh = 0;
            self.forget();
        }
        rest
    }

    /// Lets the oldest go until what is kept fits.
    fn forget(&mut self) {
        let Deck { tape, index } = &mut self.deck;
        while tape.bytes() + index.checkpoints.held().1 > self.memory {
            let Some(first) = index.checkpoints.drop_first() else { return };
            tape.forget_before(first);
            let then = index.checkpoints.first().and_then(|first| first.engine.now());
            index.forget_before(then.unwrap_or(Timestamp::MIN), first);
        }
    }

    /// The earliest instant that can be shown.
    fn earliest(&self) -> Option<Timestamp> {
        self.deck.index.checkpoints.first()?.engine.now().or(self.deck.index.timeline().start())
    }

    /// Plays the past, where it is shown; how long to rest.
    fn play(&mut self) -> Option<Duration> {
        let shown = self.shown.as_mut()?;
        let now = self.started.elapsed();
        if shown.player.at() < self.deck.tape.span().0 {
            // What was shown is kept no longer.
            shown.player.seek(&mut self.deck, &mut shown.engine, Timestamp::MIN, now);
            shown.player.say("what was shown is kept no longer: this is the oldest");
        }
        let pace = shown.player.pump(&mut self.deck, &mut shown.engine, now);
        let runs = !shown.player.is_going() && !shown.player.clock.paused();
        if runs && pace == Pace::Waits && self.deck.tape.is_at_end() && shown.player.clock.speed().is_infinite() {
            self.go_live();
        }
        (pace == Pace::AtOnce).then_some(Duration::ZERO)
    }

    fn go_live(&mut self) {
        self.jumps += self.shown.as_ref().map_or(1, |shown| shown.player.jumps() + 1);
        (self.shown, self.frozen) = (None, None);
    }

    /// Does what was asked of the past, which is shown from here on.
    fn go_about(&mut self, control: &Control, live: &mut Engine) {
        let now = self.started.elapsed();
        let earliest = self.earliest();
        let shown = self.shown.get_or_insert_with(|| {
            let (at, engine) = self.frozen.take().unwrap_or_else(|| (self.at, live.fork()));
            self.jumps += 1;
            self.deck.tape.stand_at(at);
            let mut player = Player::standing_at(at, earliest);
            player.pause(&engine, now, true);
            Shown { engine, player }
        });
        let (Shown { engine, player }, deck) = (shown, &mut self.deck);
        player.hush();
        player.begins_at(earliest);
        steer((player, deck), engine, &self.marks, control, now);
    }
}

impl Told {
    /// Takes in what came since, and tells all of it.
    fn tell(&mut self, past: &Past) -> Segments {
        let began = Instant::now();
        while self.place.next() < past.span().1 {
            if began.elapsed() > PATIENCE {
                let told = self.last.as_ref().map(|(_, told)| told.clone());
                return told.unwrap_or(Segments::Reading(None));
            }
            past.read(&mut self.place, |input| self.collector.take(input));
        }
        let entries = self.collector.entries();
        if let Some((_, told)) = self.last.as_ref().filter(|(told, _)| *told == entries) {
            return told.clone();
        }
        let told = self.collector.clone().finish().map_or_else(
            || Segments::Missing("its segments are kept no longer: --rewind SIZE keeps more".to_owned()),
            |transcript| Segments::Read(Arc::new(transcript)),
        );
        self.last = Some((entries, told.clone()));
        told
    }
}

impl Feed for Rewind {
    fn pump(&mut self, engine: &mut Engine) -> Duration {
        let rest = self.watch(engine);
        self.play().unwrap_or(rest)
    }

    fn control(&mut self, control: Control, engine: &mut Engine) {
        let past_now = |to: Timestamp| engine.now().is_some_and(|now| to >= now);
        match control {
            Control::Record => self.live.control(control, engine),
            Control::Save => self.live.tape().save(&self.deck.tape, self.marks.all()),
            Control::Live | Control::End => self.go_live(),
            Control::Mark(note) => {
                let at = self.shown(engine).now();
                self.marks.set(at, &note);
                if let Some(at) = at {
                    self.live.tape().mark(at, &note);
                }
            }
            Control::Pause(stop) if self.shown.is_none() => {
                self.frozen = stop.then(|| (self.at, engine.fork()));
            }
            Control::Speed(_) if self.shown.is_none() => {}
            Control::Seek(to) if past_now(to) => self.go_live(),
            Control::SeekBy(span, true) if self.shown(engine).now().is_some_and(|at| past_now(at + span)) => {
                self.go_live();
            }
            control => self.go_about(&control, engine),
        }
    }

    fn attend(&mut self, query: &Query, engine: &Engine) {
        if self.shown.is_none() {
            self.live.attend(query, engine);
        }
    }

    fn source(&self, engine: &Engine) -> Source {
        let mut source = self.live.source(engine);
        let track = self.earliest().zip(engine.now());
        source.track = track.map(|(from, to)| Track {
            from,
            to,
            timeline: self.deck.index.timeline().clone(),
            marks: self.marks.all().to_vec(),
        });
        if let Some(Shown { player, .. }) = &self.shown {
            source.notices.extend(player.notice().map(str::to_owned));
            source.playback = Some(Playback {
                paused: player.clock.paused(),
                going: player.is_going(),
                speed: player.clock.speed(),
                start: self.earliest(),
                end: engine.now(),
                at_end: false,
                growing: false,
                reading: None,
                live: engine.now(),
            });
        }
        source
    }

    fn shown<'a>(&'a self, engine: &'a Engine) -> &'a Engine {
        let frozen = self.frozen.as_ref().map_or(engine, |(_, frozen)| frozen);
        self.shown.as_ref().map_or(frozen, |shown| &shown.engine)
    }

    fn is_going(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.player.is_going())
    }

    fn jumps(&self) -> u64 {
        self.jumps + self.shown.as_ref().map_or(0, |shown| shown.player.jumps())
    }

    fn end(&mut self, engine: &mut Engine) -> Vec<Recorded> {
        self.live.end(engine)
    }

    fn segments(&mut self, of: Option<(FlowKey, Timestamp)>) -> Segments {
        let Some((key, _)) = of else {
            self.told = None;
            return Segments::Unknown;
        };
        let past = &self.deck.tape;
        let told = match self.told.take() {
            Some(told) if told.collector.key() == key => told,
            _ => {
                let (first, _) = past.span();
                let from = past.since(first).next().map_or(Timestamp::MIN, |input| input.ts());
                // Until the first is forgotten, all that was is kept.
                let from = if first == 0 { Timestamp::MIN } else { from };
                // What its sockets' readings tell, they tell from its first segment on.
                let place = PastPlace::before(first).with_readings_from(key.first - LATE);
                Told { collector: Collector::live(key, from), place, last: None }
            }
        };
        self.told.insert(told).tell(past)
    }

    fn is_damaged(&self) -> bool {
        self.live.is_damaged()
    }
}
