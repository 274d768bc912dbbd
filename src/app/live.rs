//! The running host: a thread for each capture, one for the socket table, merged by time into the engine.
//!
//! Channels are bounded: when the engine cannot follow, segments are dropped here and counted as ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::base::Timestamp;
use crate::engine::{Engine, Input, Loss, Query};
use crate::io::capture::CaptureSettings;
use crate::io::clock;
use crate::io::schedule::Attention;
use crate::io::{LastWords, Sockets};
use crate::journal::{HOLD, Merge, Past};
use crate::ui::{Control, Source, SourceKind};

use super::capture::{self, Opened};
use super::elsewhere::Passing;
use super::feed::Feed;
use super::ladder::{Callers, OwnerChoice};
use super::line::{Delivery, Line};
use super::losses::Losses;
use super::record::{Recorded, Tape, Wanted};
use super::sampling::{self, Reading};
use super::{privileges, trace};

const BATCHES: usize = 256;
/// Empty batches that wait to be filled anew.
const SPARE: usize = 16;
/// A reading of the socket table is announced at most this long after it began.
const DELIVERY: Duration = Duration::from_millis(20);
const REST: Duration = Duration::from_millis(20);
/// The same while a file is written: a kill may cost it no more than 100 ms, of which the kernel gathers for 20. A
/// reading of the table that takes longer than is held back for comes late, as it may come to any run.
const HOLD_TO_WRITE: Duration = Duration::from_millis(60);
const REST_TO_WRITE: Duration = Duration::from_millis(5);

/// A host being watched.
#[derive(Debug)]
pub(super) struct Live {
    name: String,
    merge: Merge,
    deliveries: Receiver<Delivery>,
    losses: Losses,
    /// Empty batches on their way back to the captures.
    spare: (Sender<Vec<Input>>, Receiver<Vec<Input>>),
    /// Up to when inputs were given.
    reached: Option<Timestamp>,
    notices: Vec<String>,
    /// Why the socket table is read in a lesser way now.
    fallback: Option<String>,
    dead: Option<String>,
    stop: Arc<AtomicBool>,
    reading: Reading,
    /// What the sampler was last told of the screen, and its line.
    attention: Attention,
    attend: Sender<Attention>,
    tracing: Option<JoinHandle<()>>,
    capturing: Vec<JoinHandle<()>>,
    passing: Passing,
    tape: Tape,
    /// What a frozen screen shows while the source goes on.
    frozen: Option<Engine>,
}

impl Live {
    /// Starts the threads. Where this user may not capture, the kernel and the owners are watched alone.
    ///
    /// # Errors
    /// Where a filter does not compile; if `strict`, where any interface cannot be captured on.
    pub(super) fn start(
        settings: &[CaptureSettings],
        strict: bool,
        sockets: Sockets,
        owners: OwnerChoice,
        wanted: Wanted,
    ) -> Result<Self> {
        let Opened { captures, settings: captured, refused } = capture::open(settings, strict)?;
        let (send, deliveries) = bounded(BATCHES);
        let (attend, attention) = bounded(8);
        let (callers, untraced) = owners.callers(&captured)?;
        let mut tape = Tape::new(wanted, captured.iter().zip(&captures).map(capture::place).collect());
        tape.begin_wanted()?;
        let name = settings.iter().map(|settings| settings.device.as_str()).collect::<Vec<_>>().join(" ");
        let mut live = Self::new(name, captures.len(), deliveries, attend, tape);
        live.notices
            .extend(refused.iter().map(privileges::without_packets).chain(owners.scan_notice()).chain(untraced));
        live.follow_callers(callers, captures.len() + 1, &send)?;
        live.hear_last_words(captures.len() + 2, &send)?;
        let begun = live.reading.clone();
        let read = move |line: &Line| sampling::follow(owners.sampler(sockets)?, line, &begun, &attention);
        live.spawn("sampler", captures.len(), &send, read)?;
        for (source, (capture, packer)) in captures.into_iter().zip(live.tape.packers()).enumerate() {
            let keep = live.tape.keep();
            let read = move |line: &Line| capture::follow(capture, packer, &keep, line);
            let thread = live.spawn("capture", source, &send, read)?;
            live.capturing.push(thread);
        }
        Ok(live)
    }

    /// Of so many captures; no thread runs yet.
    fn new(
        name: String,
        captures: usize,
        deliveries: Receiver<Delivery>,
        attend: Sender<Attention>,
        tape: Tape,
    ) -> Self {
        Self {
            name,
            merge: Merge::new(captures + 3),
            deliveries,
            losses: Losses::of(captures),
            spare: bounded(SPARE),
            reached: None,
            notices: Vec::new(),
            fallback: None,
            dead: None,
            stop: Arc::default(),
            reading: Reading::default(),
            attention: sampling::all(),
            attend,
            tracing: None,
            capturing: Vec::new(),
            passing: Passing::new(captures > 0),
            tape,
            frozen: None,
        }
    }

    fn spawn(
        &self,
        name: &str,
        source: usize,
        send: &Sender<Delivery>,
        work: impl FnOnce(&Line) -> Result<()> + Send + 'static,
    ) -> Result<JoinHandle<()>> {
        let (send, stop, ours, spare) = (send.clone(), self.stop.clone(), self.losses.ours(), self.spare.1.clone());
        let line = Line { source, send, stop, ours, spare };
        let title = name.to_owned();
        let run = move || {
            if let Err(error) = work(&line) {
                line.tell_death(format!("{title} stopped: {error:#}"));
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(run).context("cannot start a thread")
    }

    /// Watches who calls connect(), in whichever way it can.
    fn follow_callers(&mut self, callers: Callers, source: usize, send: &Sender<Delivery>) -> Result<()> {
        match callers {
            Callers::Trace(tracer) => {
                self.tracing = Some(self.spawn("tracer", source, send, move |line| trace::follow(*tracer, line))?);
            }
            Callers::Syn(watch) => {
                self.spawn("syns", source, send, move |line| trace::follow_syns(*watch, line))?;
            }
            Callers::None => self.merge.end(source),
        }
        Ok(())
    }

    /// Listens to the kernel's last words, or says why not.
    fn hear_last_words(&mut self, source: usize, send: &Sender<Delivery>) -> Result<()> {
        match LastWords::listen() {
            Ok(words) => {
                self.spawn("last words", source, send, move |line| sampling::follow_last_words(words, line))?;
            }
            Err(error) => {
                self.merge.end(source);
                self.notices.push(privileges::without_last_words(&error));
            }
        }
        Ok(())
    }

    fn take(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Inputs { source, inputs, kept, upto, frames } => {
                self.losses.count(source, frames);
                self.tape.arrive(source, inputs.len(), kept);
                self.merge.push(source, inputs);
                self.merge.mark(source, upto);
            }
            Delivery::Drops { source, kernel, interface } => {
                self.losses.dropped(source, kernel, interface);
            }
            Delivery::Sample { source, sample, fallback } => {
                self.fallback = fallback;
                let ts = sample.ts;
                self.merge.push(source, vec![Input::Sample(sample)]);
                self.merge.mark(source, ts);
            }
            Delivery::Events { source, inputs, upto } => {
                self.merge.push(source, inputs);
                self.merge.mark(source, upto);
            }
            Delivery::Died { source, why } => {
                self.merge.end(source);
                self.dead = Some(self.dead.take().map_or(why.clone(), |before| format!("{before}; {why}")));
            }
        }
    }

    /// Takes in what came, and gives `each` run of inputs that are due; a tick alone. Returns how long to rest.
    pub(super) fn advance(&mut self, mut each: impl FnMut(&[Input])) -> Duration {
        // Looked at before its delivery could have come, so that a reading under way is always waited for.
        let began = self.reading.begun();
        for _ in 0..BATCHES {
            let Ok(delivery) = self.deliveries.try_recv() else { break };
            self.take(delivery);
        }
        let writes = self.tape.writes();
        self.merge.hold(if writes { HOLD_TO_WRITE } else { HOLD });
        let now = clock::now();
        // The sampler says nothing between its readings; the next begins after now.
        self.merge.mark(self.losses.captures(), began.unwrap_or(now - DELIVERY));
        // Before what was captured behind it: where a recording is cut off, its holes are told.
        if let Some(reached) = self.reached.filter(|_| self.losses.are_new()) {
            self.tell_loss(reached, &mut each);
        }
        self.give(now, &mut each);
        let horizon = self.merge.horizon(now);
        self.reached = Some(horizon);
        each(&[Input::Tick(horizon)]);
        if self.losses.are_due() {
            self.tell_loss(horizon, &mut each);
        }
        self.tape.settle(horizon);
        match self.deliveries.is_empty() {
            true if writes => REST_TO_WRITE,
            true => REST,
            false => Duration::ZERO,
        }
    }

    /// The same into an engine, which a ring may watch for findings.
    pub(super) fn watch(&mut self, engine: &mut Engine) -> Duration {
        let rest = self.advance(|inputs| engine.feed_batch(inputs));
        self.tape.watch(engine);
        rest
    }

    fn give(&mut self, now: Timestamp, each: &mut impl FnMut(&[Input])) {
        let Self { merge, tape, passing, spare, .. } = self;
        merge.take(now, |source, inputs| {
            // As nearly always.
            if inputs.iter().all(Passing::disregards) && tape.skip(source, inputs.len()) {
                return each(inputs);
            }
            for inputs in inputs.split(|input| !passing.concerns(input)) {
                inputs.iter().for_each(|input| tape.pass(source, input));
                each(inputs);
            }
        });
        // Where enough are on their way, the rest is let go of.
        merge.spent().for_each(|spent| drop(spare.0.try_send(spent)));
    }

    fn tell_loss(&mut self, ts: Timestamp, each: &mut impl FnMut(&[Input])) {
        if let Some(loss) = self.losses.tell(ts) {
            self.tape.tell(&loss);
            each(&[Input::Loss(Box::new(loss))]);
        }
    }

    /// Stops watching, and gives `each` run of inputs of what happened up to now.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[Input])) {
        let end = clock::now();
        while self.merge.horizon(clock::now()) < end {
            thread::sleep(self.advance(&mut each));
        }
        self.stop.store(true, Ordering::Relaxed);
        // They end within the capture's timeout, and what they hold is counted.
        while !self.capturing.iter().all(JoinHandle::is_finished) {
            if let Ok(delivery) = self.deliveries.recv_timeout(REST) {
                self.take(delivery);
            }
        }
        while let Ok(delivery) = self.deliveries.try_recv() {
            self.take(delivery);
        }
        // Nothing is held back any more, so that the counts of frames are those of the segments.
        let now = clock::now();
        self.give(now + HOLD, &mut each);
        self.tell_loss(now, &mut each);
        self.tape.settle(Timestamp::MAX);
    }

    /// What was lost in all so far.
    pub(super) fn losses(&self) -> Option<Loss> {
        self.losses.so_far(clock::now())
    }

    /// What stands in the way.
    pub(super) fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Why a part has died, if one has.
    pub(super) fn died(&self) -> Option<&str> {
        self.dead.as_deref()
    }

    /// The recording side.
    pub(super) fn tape(&mut self) -> &mut Tape {
        &mut self.tape
    }
}

impl Feed for Live {
    fn pump(&mut self, engine: &mut Engine) -> Duration {
        let rest = self.watch(engine);
        self.tape.hear();
        rest
    }

    fn control(&mut self, control: Control, engine: &mut Engine) {
        match control {
            Control::Record => {
                // What begins counts from here, and what ends tells all: what the engine is told too, and not of an
                // instant that it has yet to hear of.
                if let Some(now) = engine.now() {
                    self.tell_loss(now, &mut |inputs| engine.feed_batch(inputs));
                }
                self.tape.toggle();
            }
            Control::Save => self.tape.save(&Past::default(), &[]),
            Control::Mark(note) => {
                if let Some(at) = self.shown(engine).now() {
                    self.tape.mark(at, &note);
                }
            }
            Control::Pause(stop) => self.frozen = stop.then(|| engine.fork()),
            _ => {}
        }
    }

    fn shown<'a>(&'a self, engine: &'a Engine) -> &'a Engine {
        self.frozen.as_ref().unwrap_or(engine)
    }

    fn end(&mut self, engine: &mut Engine) -> Vec<Recorded> {
        if self.tape.is_running() {
            self.finish(|inputs| engine.feed_batch(inputs));
        }
        self.tape.finish()
    }

    fn attend(&mut self, query: &Query, engine: &Engine) {
        let attention = sampling::attention(query, engine);
        // One that does not get through is sent with the next question.
        if attention != self.attention && self.attend.try_send(attention.clone()).is_ok() {
            self.attention = attention;
        }
    }

    fn is_damaged(&self) -> bool {
        self.dead.is_some()
    }

    fn source(&self, _engine: &Engine) -> Source {
        Source {
            kind: SourceKind::Live,
            name: self.name.clone(),
            playback: None,
            track: None,
            notices: self.tape.trouble().iter().chain(&self.notices).chain(&self.fallback).cloned().collect(),
            dead: self.dead.clone(),
            recordings: self.tape.shown(),
            of_host: true,
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // What the tracer made in the kernel outlives the process unless it is removed.
        if let Some(tracing) = self.tracing.take() {
            let _reported = tracing.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::rewind::Rewind;
    use crate::base::Scrubbed;
    use crate::engine::{Config, QueryCache};
    use crate::journal::{CaptureReader, Item, Reach};
    use crate::wire::FrameCounts;

    /// One capture, of which nobody delivers anything.
    fn live(wanted: Wanted) -> Live {
        let mut live = Live::new(String::new(), 1, bounded(1).1, bounded(1).0, Tape::new(wanted, Vec::new()));
        // Nor are there a trace and last words.
        (2..4).for_each(|source| live.merge.end(source));
        live
    }

    #[test]
    fn what_is_recorded_takes_a_mark_where_no_past_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("marked.pcapng");
        let mut live = live(Wanted { file: Some(file.clone()), ..Wanted::default() });
        let mut engine = Engine::new(Config::live(10, 1));
        live.tape.begin_wanted().unwrap();
        live.merge.push(1, vec![Input::Tick(clock::now() - HOLD)]);
        live.watch(&mut engine);
        live.control(Control::Mark("oh".to_owned()), &mut engine);
        let stood = engine.now();
        live.control(Control::Pause(true), &mut engine);
        live.merge.push(1, vec![Input::Tick(clock::now() - HOLD)]);
        live.watch(&mut engine);
        assert!(engine.now() > stood && live.shown(&engine).now() == stood, "it goes on behind a frozen screen");
        live.control(Control::Mark("frozen".to_owned()), &mut engine);
        live.control(Control::Pause(false), &mut engine);
        live.control(Control::Mark("on".to_owned()), &mut engine);
        assert!(live.tape.finish().iter().all(|recorded| recorded.failed.is_none()));
        let mut reader = CaptureReader::open(Box::new(std::fs::File::open(&file).unwrap())).unwrap();
        let mut marks = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            marks.extend(if let Item::Mark(mark) = item { Some((Some(mark.ts), mark.note)) } else { None });
        }
        let expected = [(stood, "oh"), (stood, "frozen"), (engine.now(), "on")];
        assert_eq!(marks, expected.map(|(at, note)| (at, Scrubbed::new(note))));
    }

    #[test]
    fn a_frozen_screen_stands_until_one_goes_on_or_live() {
        let rewind = || -> Box<dyn Feed> { Box::new(Rewind::new(live(Wanted::default()), 1 << 20)) };
        let at = |secs| Input::Tick(Timestamp::from_secs_nanos(secs, 0));
        let alone: Box<dyn Feed> = Box::new(live(Wanted::default()));
        let on = Control::Pause(false);
        for (mut feed, goes_on) in [(alone, on.clone()), (rewind(), on), (rewind(), Control::Live)] {
            let mut engine = Engine::new(Config::live(10, 1));
            engine.feed(&at(5));
            feed.control(Control::Pause(true), &mut engine);
            engine.feed(&at(9));
            assert_eq!(feed.shown(&engine).now(), Some(at(5).ts()));
            feed.control(goes_on.clone(), &mut engine);
            assert_eq!(feed.shown(&engine).now(), Some(at(9).ts()), "{goes_on:?}");
        }
    }

    /// A kill may cut a recording off behind any input: a hole in it is told before what is behind the hole.
    #[test]
    fn what_the_kernel_dropped_is_told_at_once_and_before_what_was_captured_behind_it() {
        let mut live = live(Wanted::default());
        let (send, deliveries) = bounded(4);
        live.deliveries = deliveries;
        live.losses.put_off();
        let advance = |live: &mut Live| {
            let mut told = Vec::new();
            live.advance(|inputs| {
                told.extend(inputs.iter().filter_map(|input| match input {
                    Input::Loss(loss) => Some((loss.kernel, loss.ts)),
                    Input::Kernel(event) => Some((None, event.ts())),
                    _ => None,
                }));
            });
            told
        };
        assert_eq!(advance(&mut live), []);
        let reached = live.reached.expect("it was ticked");
        let drops = |kernel| Delivery::Drops { source: 0, kernel, interface: 0 };
        let inputs = vec![Input::Kernel(crate::kernel::KernelEvent::Tracing(reached))];
        let (upto, frames) = (clock::now(), FrameCounts::default());
        send.send(drops(7)).unwrap();
        send.send(Delivery::Inputs { source: 0, inputs, kept: None, upto, frames }).unwrap();
        assert_eq!(advance(&mut live), [(Some(7), reached), (None, reached)]);
        send.send(drops(7)).unwrap();
        assert_eq!(advance(&mut live), [], "nothing new");
    }

    /// What a file tells of losses last.
    fn last_loss(file: &std::path::Path) -> Option<Loss> {
        let mut reader = CaptureReader::open(Box::new(std::fs::File::open(file).unwrap())).unwrap();
        let mut last = None;
        while let Some(item) = reader.next_item().unwrap() {
            last = if let Item::Input(Input::Loss(loss)) = item { Some(*loss) } else { last };
        }
        last
    }

    #[test]
    fn what_the_key_tells_a_recording_of_losses_the_engine_is_told_too() {
        for ring in [None, Some(Reach::Bytes(1 << 20))] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("key.pcapng");
            let mut live = live(Wanted { file: Some(file.clone()), ring, ..Wanted::default() });
            let mut engine = Engine::new(Config::live(10, 1));
            live.tape.begin_wanted().unwrap();
            live.merge.push(1, vec![Input::Tick(clock::now() - HOLD)]);
            live.watch(&mut engine);
            let now = engine.now().expect("it was ticked");
            live.losses.dropped(0, 7, 0);
            live.control(Control::Record, &mut engine);
            assert!(live.tape.finish().iter().all(|recorded| recorded.failed.is_none()));
            assert_eq!(engine.now(), Some(now), "what the merge still holds is no older");
            let shown = engine.dashboard(&Query::default(), &mut QueryCache::default());
            let last = |loss: Option<Loss>| loss.map(|loss| (loss.ts, loss.kernel));
            assert_eq!(last(shown.loss), Some((now, Some(7))));
            assert_eq!((last(last_loss(&file)), shown.totals.regressions), (last(shown.loss), 0), "{ring:?}");
        }
    }
}
