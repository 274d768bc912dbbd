//! A thread that reads a capture ahead of whoever plays it: frames → segments, in batches, with a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::base::{Mark, Progress, Timestamp};
use crate::engine::{Input, Loss};
use crate::io::Watch;
use crate::io::bpf::FrameFilter;
use crate::journal::{CapturePlace, Captures, Damage, Intake, Item};
use crate::wire::{Frame, FrameCounts};

use super::origin::Origin;
use super::passed_over::{Notes, PassedOver};

/// Inputs that are handed over together.
pub(super) const BATCH: usize = 1024;
/// Inputs that are read ahead at most.
const AHEAD: usize = 8 * BATCH;

/// Frames, and time of the capture, after which a place is told from which it can be read on.
const PLACE_EVERY: u64 = 8_192;
const PLACE_AFTER: Duration = Duration::from_millis(500);
const PLACE_LEAST: u64 = 32;

/// Marks that may wait.
const MARKS: usize = 1_000;

/// Frames after which their counts are told again; a frame that cannot be decoded is told at once.
const TELL_EVERY: u64 = 256;

/// What the reading thread delivers.
#[derive(Debug)]
pub(super) enum Reading {
    /// Segments, ICMP errors, names, and what became of all frames so far, in the order of the file; and now and then
    /// the place behind them.
    Batch(Vec<Input>, Option<Place>),
    /// The end: clean, damaged, or the filter failed.
    End(Option<Damage>),
}

/// A place between two frames of a capture, with all that reading on depends on.
#[derive(Debug, Clone)]
pub(super) struct Place(Arc<PlaceParts>);

#[derive(Debug)]
struct PlaceParts {
    /// In each of its captures.
    captures: Vec<CapturePlace>,
    intake: Intake,
    told: Option<FrameCounts>,
    last: Timestamp,
    left_out: Option<Timestamp>,
    marks: u64,
}

/// A capture being read ahead by a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) batches: Receiver<Reading>,
    /// The marks of a recording, each with its number in the file.
    pub(super) marks: Receiver<(u64, Mark)>,
    /// Where it began to read; `None` if it cannot be read twice.
    pub(super) start: Option<Place>,
    /// Batches that were taken in go back through here, to be filled again.
    used: Sender<Vec<Input>>,
    /// The newest instant that the thread has come to, nanoseconds.
    newest: Arc<AtomicI64>,
    /// Bytes of the file (as it is stored) that were read, of so many, since then.
    read: Arc<AtomicU64>,
    length: Option<u64>,
    /// Of a file that grows.
    watch: Arc<Watch>,
    began: Instant,
    /// It is a recording of a live run: every input comes from it, not frames alone.
    pub(super) recording: bool,
    passed_over: Arc<Notes>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.watch.stop();
    }
}

impl Reader {
    /// Gives a batch back that was taken in.
    pub(super) fn give_back(&self, batch: Vec<Input>) {
        let _not_needed = self.used.try_send(batch);
    }

    /// How far the file is read; `None` of what has no length, or was read to where it ended then.
    pub(super) fn progress(&self) -> Option<Progress> {
        let (done, whole) = (self.read.load(Ordering::Relaxed), self.length?);
        (done < whole).then(|| Progress { done, whole, took: self.began.elapsed() })
    }

    /// Ends the waiting for a file that grows: all is given that was read.
    pub(super) fn stop_waiting(&self) {
        self.watch.stop();
    }

    /// Whether all was given at some time that a growing file held then.
    pub(super) fn has_waited(&self) -> bool {
        self.watch.has_waited()
    }

    /// Whether all was given that a growing file holds now.
    pub(super) fn is_waiting(&self) -> bool {
        self.watch.is_waiting()
    }

    /// What nothing else tells of what was read so far.
    pub(super) fn passed_over(&self) -> PassedOver {
        self.passed_over.told()
    }

    /// The newest instant read so far.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let newest = Timestamp::from_nanos(self.newest.load(Ordering::Relaxed));
        (newest > Timestamp::MIN).then_some(newest)
    }
}

/// Opens a capture and starts to read it ahead, from a place of it or its start. Checks first that it is one, and that
/// the filter compiles for it.
///
/// # Errors
/// Where the file cannot be opened, is no capture, or the filter does not compile.
pub(super) fn start(origin: &Origin, filter: Option<&str>, from: Option<&Place>) -> Result<Reader> {
    let skipped = from.map_or(0, |from| from.0.captures.iter().map(CapturePlace::begins_at).sum());
    let (read, (mark, marks)) = (Arc::new(AtomicU64::new(skipped)), bounded(MARKS));
    let mut source = Source::open(origin, filter, from, &read, mark)?;
    let recording = source.reader.is_recording();
    let start = source.placed.is_some().then(|| source.place());
    let (watch, newest, passed_over) = (source.watch.clone(), source.newest.clone(), source.passed_over.clone());
    // A stream may fall silent for long: nothing of it is held back.
    let batch = if origin.is_stream() { 1 } else { BATCH };
    let (send, receive) = bounded(AHEAD / batch);
    let (give_back, used) = bounded(AHEAD / batch);
    let run = move || {
        let end = source.read_all(batch, &send, &used);
        super::panic_if_asked("reader");
        if let Some(end) = end {
            let _nobody_waits = send.send(Reading::End(end));
        }
    };
    thread::Builder::new().name("reader".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(Reader {
        batches: receive,
        marks,
        start,
        used: give_back,
        newest,
        read,
        length: origin.length(),
        watch,
        began: Instant::now(),
        recording,
        passed_over,
    })
}

/// What reads: the capture, its filter, and what became of its frames so far.
struct Source {
    reader: Captures,
    filter: Option<FrameFilter>,
    intake: Intake,
    /// The counts that were told last.
    told: Option<FrameCounts>,
    last: Timestamp,
    /// What was read so far, frames and whatever else a recording holds.
    items: u64,
    /// Items, and the capture's time, at the last place that was told; `None` where none is, for nobody can come back.
    placed: Option<(u64, Timestamp)>,
    /// When the frame came that was filtered out last.
    left_out: Option<Timestamp>,
    /// Where marks go, and how many of the file came so far.
    marks: Sender<(u64, Mark)>,
    marked: u64,
    /// What it and whoever takes its batches tell one another.
    watch: Arc<Watch>,
    newest: Arc<AtomicI64>,
    passed_over: Arc<Notes>,
}

impl Source {
    /// Opens a capture at a place of it or its start. Bytes of it are counted in `read`, its marks go to `marks`.
    fn open(
        origin: &Origin,
        filter: Option<&str>,
        from: Option<&Place>,
        read: &Arc<AtomicU64>,
        marks: Sender<(u64, Mark)>,
    ) -> Result<Self> {
        let (watch, passed_over) = (Arc::<Watch>::default(), Arc::<Notes>::default());
        let from = from.map(|from| &*from.0);
        let reader = origin.open(from.map(|from| &from.captures[..]), read, &watch)?;
        let mut filter = filter.map(FrameFilter::new);
        if let Some(filter) = &mut filter {
            for interface in reader.interfaces() {
                filter.check(interface.link)?;
            }
        }
        passed_over.note(&reader, false);
        let last = from.map_or(Timestamp::MIN, |from| from.last);
        Ok(Self {
            reader,
            filter,
            intake: from.map(|from| from.intake.clone()).unwrap_or_default(),
            told: from.and_then(|from| from.told),
            last,
            items: 0,
            placed: origin.can_reopen().then_some((0, last)),
            left_out: from.and_then(|from| from.left_out),
            marks,
            marked: from.map_or(0, |from| from.marks),
            watch,
            newest: Arc::new(AtomicI64::new(last.nanos())),
            passed_over,
        })
    }

    /// Reads to the end. `None`: nobody takes the batches any more; otherwise why it ended, if not cleanly.
    fn read_all(
        &mut self,
        batch: usize,
        send: &Sender<Reading>,
        used: &Receiver<Vec<Input>>,
    ) -> Option<Option<Damage>> {
        loop {
            let mut inputs = used.try_recv().unwrap_or_else(|_| Vec::with_capacity(batch + 1));
            inputs.clear();
            let end = loop {
                match self.next(&mut inputs) {
                    Ok(true) if inputs.len() < batch && !self.is_place_due() => {}
                    Ok(true) => break None,
                    Ok(false) => break Some(None),
                    // Where the waiting for the rest of a frame was ended, nothing is wrong.
                    Err(_) if self.watch.is_stopped() => break Some(None),
                    Err(why) => break Some(Some(why)),
                }
            };
            if end.is_some() && self.told != Some(self.intake.counts()) && self.intake.counts().frames > 0 {
                self.tell(&mut inputs);
            }
            if end.is_some() {
                inputs.extend(self.reader.rest(self.last).map(Input::Loss));
            }
            self.newest.store(self.last.nanos(), Ordering::Relaxed);
            self.passed_over.note(&self.reader, matches!(end, Some(None)) && !self.watch.is_stopped());
            if !inputs.is_empty() {
                let place = (self.is_place_due() || (end.is_some() && self.placed.is_some())).then(|| self.place());
                send.send(Reading::Batch(inputs, place)).ok()?;
            }
            if end.is_some() {
                return end;
            }
        }
    }

    /// Whether it is time to tell a place.
    fn is_place_due(&self) -> bool {
        let Some((items, then)) = self.placed else { return false };
        let since = self.items - items;
        since >= PLACE_EVERY || (since >= PLACE_LEAST && self.last >= then + PLACE_AFTER)
    }

    /// Behind the frames read so far.
    fn place(&mut self) -> Place {
        self.placed = Some((self.items, self.last));
        let Self { reader, intake, told, last, left_out, marked, .. } = self;
        let (captures, intake) = (reader.places(), intake.clone());
        let (told, last, left_out, marks) = (*told, *last, *left_out, *marked);
        Place(Arc::new(PlaceParts { captures, intake, told, last, left_out, marks }))
    }

    /// Reads one item; false at the end.
    fn next(&mut self, inputs: &mut Vec<Input>) -> Result<bool, Damage> {
        self.items += 1;
        let Self { reader, filter, intake, last, left_out, .. } = self;
        // Looked at where it is: it is large beside a frame.
        match reader.next_item() {
            Ok(Some(Item::Frame(frame))) => {
                *last = (*last).max(frame.ts);
                match passes(filter, &frame, left_out) {
                    Ok(true) => {}
                    Ok(false) => return Ok(true),
                    Err(why) => return Err(self.reader.damaged(why)),
                }
                let decoded = intake.take(&frame, inputs);
                if self.is_due(decoded) {
                    self.tell(inputs);
                }
            }
            Ok(Some(Item::Recorded(frame, gave))) => {
                *last = (*last).max(frame.ts);
                match passes(filter, &frame, left_out) {
                    Ok(passes) => inputs.extend(gave.filter(|_| passes)),
                    Err(why) => return Err(self.reader.damaged(why)),
                }
            }
            Ok(Some(Item::Input(input))) => {
                *last = (*last).max(input.ts());
                // What a frame said that was filtered out was not heard.
                let of_frame = matches!(input, Input::Name(_) | Input::Dns(_));
                if !of_frame || *left_out != Some(input.ts()) {
                    inputs.push(input);
                }
            }
            // Of more than anybody sets the first are told.
            Ok(Some(Item::Mark(mark))) => {
                let _full = self.marks.try_send((self.marked, mark));
                self.marked += 1;
            }
            Ok(None) => return Ok(false),
            Err(damage) => return Err(damage),
        }
        Ok(true)
    }

    /// Whether the counts are to be told again, with a frame that was decoded or not.
    fn is_due(&self, decoded: bool) -> bool {
        let Some(told) = &self.told else { return true };
        let counts = self.intake.counts();
        counts.frames - told.frames >= TELL_EVERY || (!decoded && counts.undecoded_total() > told.undecoded_total())
    }

    fn tell(&mut self, inputs: &mut Vec<Input>) {
        let frames = self.intake.counts();
        self.told = Some(frames);
        inputs.push(Input::Loss(Loss { ts: self.last, kernel: None, interface: None, ours: 0, frames }));
    }
}

/// Whether a frame passes the filter, if there is one; when it came, if not.
fn passes(
    filter: &mut Option<FrameFilter>,
    frame: &Frame<'_>,
    left_out: &mut Option<Timestamp>,
) -> Result<bool, String> {
    let Some(filter) = filter else { return Ok(true) };
    let passes = filter.matches(frame).map_err(|error| error.to_string())?;
    if !passes {
        *left_out = Some(frame.ts);
    }
    Ok(passes)
}
