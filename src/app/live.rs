//! The running host: a thread for each capture, one for the socket table, merged by time into the engine.
//!
//! Channels are bounded: when the engine cannot follow, segments are dropped here and counted as ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::base::Timestamp;
use crate::engine::{Engine, Input, Loss};
use crate::io::capture::{CaptureError, CaptureSettings, LiveCapture};
use crate::io::clock;
use crate::io::{Sampler, Sockets};
use crate::journal::{HOLD, Intake, Merge};
use crate::kernel::SocketSample;
use crate::ui::{Control, Source, SourceKind};
use crate::wire::FrameCounts;

use super::feed::Feed;
use super::ladder::{Callers, OwnerChoice};
use super::{privileges, trace};

const BATCHES: usize = 256;
/// Segments that may wait in one batch before it is sent.
const BATCH: usize = 4096;
/// How often the socket table is read, and the share of that time which a reading may take.
const SAMPLE_EVERY: Duration = Duration::from_millis(500);
const SAMPLE_SHARE: u32 = 20;
/// Readings of the table that must fail in a row before it is given up.
const FAILURES: u32 = 5;
/// A packet is handed over at most this long after it was stamped (the capture's timeout, twice).
const SETTLE: Duration = Duration::from_millis(100);
/// A reading of the socket table is announced at most this long after it began.
const DELIVERY: Duration = Duration::from_millis(20);
const REST: Duration = Duration::from_millis(20);
const LOSS_EVERY: Duration = Duration::from_millis(250);

/// What the threads deliver, with the number of their source.
#[derive(Debug)]
enum Delivery {
    Inputs { source: usize, inputs: Vec<Input>, upto: Timestamp, frames: FrameCounts },
    Drops { source: usize, kernel: u64, interface: u64 },
    Sample { source: usize, sample: Arc<SocketSample>, fallback: Option<String> },
    Events { source: usize, inputs: Vec<Input>, upto: Timestamp },
    Died { source: usize, why: String },
}

/// A host being watched.
#[derive(Debug)]
pub(super) struct Live {
    name: String,
    merge: Merge,
    deliveries: Receiver<Delivery>,
    losses: Vec<Losses>,
    ours: Arc<AtomicU64>,
    told: Instant,
    notices: Vec<String>,
    /// Why the socket table is read in a lesser way now.
    fallback: Option<String>,
    dead: Option<String>,
    stop: Arc<AtomicBool>,
    reading: Reading,
    tracing: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Losses {
    kernel: u64,
    interface: u64,
    frames: FrameCounts,
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
    ) -> Result<Self> {
        let mut captures = Vec::new();
        let mut captured = Vec::new();
        let mut refused = None;
        for settings in settings {
            match LiveCapture::open(settings) {
                Ok(capture) => {
                    captures.push(capture);
                    captured.push(settings.clone());
                }
                Err(error @ CaptureError::NotPermitted { .. }) if strict => return Err(privileges::refused(error)),
                Err(error) if strict || matches!(error, CaptureError::Filter { .. }) => return Err(error.into()),
                Err(error) => refused = Some(error),
            }
        }
        let mut notices: Vec<String> = refused.iter().map(privileges::without_packets).collect();
        let (send, deliveries) = bounded(BATCHES);
        let stop = Arc::new(AtomicBool::new(false));
        let reading = Reading::default();
        let begun = reading.clone();
        notices.extend(owners.scan_notice());
        let (callers, untraced) = owners.callers(&captured)?;
        notices.extend(untraced);
        let mut live = Self {
            name: settings.iter().map(|settings| settings.device.as_str()).collect::<Vec<_>>().join(" "),
            merge: Merge::new(captures.len() + 2),
            deliveries,
            losses: vec![Losses::default(); captures.len()],
            ours: Arc::default(),
            told: Instant::now(),
            notices,
            fallback: None,
            dead: None,
            stop,
            reading,
            tracing: None,
        };
        let source = captures.len() + 1;
        match callers {
            Callers::Trace(tracer) => {
                live.tracing = Some(live.spawn("tracer", source, &send, move |line| trace::follow(*tracer, line))?);
            }
            Callers::Syn(watch) => {
                live.spawn("syns", source, &send, move |line| trace::follow_syns(*watch, line))?;
            }
            Callers::None => live.merge.end(source),
        }
        live.spawn("sampler", captures.len(), &send, move |line| sample(owners.sampler(sockets)?, line, &begun))?;
        for (source, capture) in captures.into_iter().enumerate() {
            live.spawn("capture", source, &send, move |line| follow(capture, line))?;
        }
        Ok(live)
    }

    fn spawn(
        &self,
        name: &str,
        source: usize,
        send: &Sender<Delivery>,
        work: impl FnOnce(&Line) -> Result<()> + Send + 'static,
    ) -> Result<JoinHandle<()>> {
        let line = Line { source, send: send.clone(), stop: self.stop.clone(), ours: self.ours.clone() };
        let title = name.to_owned();
        let run = move || {
            if let Err(error) = work(&line) {
                let _nobody_waits =
                    line.send.send(Delivery::Died { source, why: format!("{title} stopped: {error:#}") });
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(run).context("cannot start a thread")
    }

    fn take(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Inputs { source, inputs, upto, frames } => {
                self.losses[source].frames = frames;
                for input in inputs {
                    self.merge.push(source, input);
                }
                self.merge.mark(source, upto);
            }
            Delivery::Drops { source, kernel, interface } => {
                let losses = &mut self.losses[source];
                (losses.kernel, losses.interface) = (kernel, interface);
            }
            Delivery::Sample { source, sample, fallback } => {
                self.fallback = fallback;
                let ts = sample.ts;
                self.merge.push(source, Input::Sample(sample));
                self.merge.mark(source, ts);
            }
            Delivery::Events { source, inputs, upto } => {
                for input in inputs {
                    self.merge.push(source, input);
                }
                self.merge.mark(source, upto);
            }
            Delivery::Died { source, why } => {
                self.merge.end(source);
                self.dead = Some(self.dead.take().map_or(why.clone(), |before| format!("{before}; {why}")));
            }
        }
    }

    fn loss(&self, ts: Timestamp) -> Option<Loss> {
        let first = self.losses.first()?;
        let sum = |field: fn(&Losses) -> u64| Some(self.losses.iter().map(field).sum());
        let frames = self.losses[1..].iter().fold(first.frames, |sum, losses| sum.plus(&losses.frames));
        Some(Loss {
            ts,
            kernel: sum(|losses| losses.kernel),
            interface: sum(|losses| losses.interface),
            ours: self.ours.load(Ordering::Relaxed),
            frames,
        })
    }

    /// Stops watching, and gives the engine all that happened up to now.
    pub(super) fn finish(&mut self, engine: &mut Engine) {
        let end = clock::now();
        while self.merge.horizon(clock::now()) < end {
            thread::sleep(self.pump(engine));
        }
        self.stop.store(true, Ordering::Relaxed);
        while let Ok(delivery) = self.deliveries.try_recv() {
            self.take(delivery);
        }
        // Nothing is held back any more, so that the counts of frames are those of the segments.
        let now = clock::now();
        while let Some(input) = self.merge.pop(now + HOLD) {
            engine.feed(&input);
        }
        if let Some(loss) = self.loss(now) {
            engine.feed(&Input::Loss(loss));
        }
    }
}

impl Feed for Live {
    fn pump(&mut self, engine: &mut Engine) -> Duration {
        // Looked at before its delivery could have come, so that a reading under way is always waited for.
        let began = self.reading.begun();
        for _ in 0..BATCHES {
            let Ok(delivery) = self.deliveries.try_recv() else { break };
            self.take(delivery);
        }
        let now = clock::now();
        // The sampler says nothing between its readings; the next begins after now.
        self.merge.mark(self.losses.len(), began.unwrap_or(now - DELIVERY));
        while let Some(input) = self.merge.pop(now) {
            engine.feed(&input);
        }
        let horizon = self.merge.horizon(now);
        engine.feed(&Input::Tick(horizon));
        if self.told.elapsed() >= LOSS_EVERY {
            self.told = Instant::now();
            if let Some(loss) = self.loss(horizon) {
                engine.feed(&Input::Loss(loss));
            }
        }
        if self.deliveries.is_empty() { REST } else { Duration::ZERO }
    }

    fn control(&mut self, _control: Control, _engine: &mut Engine) {}

    fn is_damaged(&self) -> bool {
        self.dead.is_some()
    }

    fn source(&self, _engine: &Engine) -> Source {
        Source {
            kind: SourceKind::Live,
            name: self.name.clone(),
            playback: None,
            track: None,
            notices: self.notices.iter().chain(&self.fallback).cloned().collect(),
            dead: self.dead.clone(),
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

/// A thread's line to the engine.
pub(super) struct Line {
    source: usize,
    send: Sender<Delivery>,
    stop: Arc<AtomicBool>,
    ours: Arc<AtomicU64>,
}

impl Line {
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends what was traced up to an instant, and gives back what the engine cannot take now; `None` once nobody
    /// listens.
    pub(super) fn hand_over(&self, inputs: Vec<Input>, upto: Timestamp) -> Option<Vec<Input>> {
        match self.send.try_send(Delivery::Events { source: self.source, inputs, upto }) {
            Ok(()) => Some(Vec::new()),
            Err(TrySendError::Full(Delivery::Events { inputs, .. })) => Some(inputs),
            Err(_) => None,
        }
    }

    /// Sends, or drops and counts where the engine does not follow. False once nobody listens.
    fn offer(&self, delivery: Delivery) -> bool {
        match self.send.try_send(delivery) {
            Ok(()) => true,
            Err(TrySendError::Full(Delivery::Inputs { inputs, .. })) => {
                let told_with_segments = |input: &&Input| matches!(input, Input::Name(_) | Input::Dns(_));
                let lost = inputs.iter().filter(|input| !told_with_segments(input)).count();
                self.ours.fetch_add(lost as u64, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Full(_)) => true,
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

fn follow(mut capture: LiveCapture, line: &Line) -> Result<()> {
    let source = line.source;
    let mut told = Instant::now();
    let mut batch = Vec::with_capacity(BATCH);
    let mut intake = Intake::default();
    while !line.stopped() {
        let before = clock::now();
        capture.read(|frame| {
            intake.take(frame, &mut batch);
        })?;
        let newest = batch.last().map(Input::ts);
        let upto = (before - SETTLE).max(newest.unwrap_or(Timestamp::MIN));
        let inputs = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
        if !line.offer(Delivery::Inputs { source, inputs, upto, frames: intake.counts() }) {
            return Ok(());
        }
        if told.elapsed() >= LOSS_EVERY {
            told = Instant::now();
            let (kernel, interface) = capture.dropped().unwrap_or_default();
            line.offer(Delivery::Drops { source, kernel, interface });
        }
    }
    Ok(())
}

/// When the reading that is under way began: its sample is not older, however long the owners take.
#[derive(Debug, Clone)]
struct Reading(Arc<AtomicI64>);

impl Reading {
    const NONE: i64 = i64::MAX;

    fn begin(&self) {
        self.0.store(clock::now().nanos(), Ordering::SeqCst);
    }

    fn end(&self) {
        self.0.store(Self::NONE, Ordering::SeqCst);
    }

    fn begun(&self) -> Option<Timestamp> {
        Some(self.0.load(Ordering::SeqCst)).filter(|began| *began != Self::NONE).map(Timestamp::from_nanos)
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(Self::NONE)))
    }
}

fn sample(mut sampler: Sampler, line: &Line, reading: &Reading) -> Result<()> {
    let mut failures = 0;
    while !line.stopped() {
        let began = Instant::now();
        reading.begin();
        let sampled = sampler.sample(clock::now);
        failures = if sampled.is_ok() { 0 } else { failures + 1 };
        let heard = match sampled {
            Ok(sample) => {
                let fallback = sampler.fallback_reason().map(privileges::without_diag);
                line.offer(Delivery::Sample { source: line.source, sample: Arc::new(sample), fallback })
            }
            // Once may be a shortage that passes.
            Err(_) if failures < FAILURES => true,
            Err(error) => return Err(error.into()),
        };
        reading.end();
        if !heard {
            return Ok(());
        }
        let took = began.elapsed();
        thread::sleep(SAMPLE_EVERY.max(took * SAMPLE_SHARE).saturating_sub(took));
    }
    Ok(())
}
