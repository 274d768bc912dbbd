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

/// Inputs that are handed over together, so that threads wake one another rarely.
pub(super) const BATCH: usize = 2048;
/// Inputs that wait at most.
const AHEAD: usize = 4 * BATCH;

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
    /// Whether more may come at any time, of which nothing is held back.
    pub(super) is_stream: bool,
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
    let start = source.taken.placed.is_some().then(|| source.place());
    let (watch, newest, passed_over) = (source.watch.clone(), source.newest.clone(), source.passed_over.clone());
    // A stream may fall silent for long.
    let is_stream = origin.is_stream();
    let batch = if is_stream { 1 } else { BATCH };
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
        is_stream,
        recording,
        passed_over,
    })
}

/// What reads: the capture, and what becomes of what it holds.
struct Source {
    reader: Captures,
    taken: Taken,
    /// Where marks go, and how many of the file came so far.
    marks: Sender<(u64, Mark)>,
    marked: u64,
    /// What it and whoever takes its batches tell one another.
    watch: Arc<Watch>,
    newest: Arc<AtomicI64>,
    passed_over: Arc<Notes>,
}

/// What was taken of the capture: frames that pass the filter, and what became of them.
struct Taken {
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
        let taken = Taken {
            filter,
            intake: from.map(|from| from.intake.clone()).unwrap_or_default(),
            told: from.and_then(|from| from.told),
            last,
            items: 0,
            placed: origin.can_reopen().then_some((0, last)),
            left_out: from.and_then(|from| from.left_out),
        };
        Ok(Self {
            reader,
            taken,
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
            let end = match self.fill(&mut inputs, batch) {
                Ok(true) => None,
                Ok(false) => Some(None),
                // Where the waiting for the rest of a frame was ended, nothing is wrong.
                Err(_) if self.watch.is_stopped() => Some(None),
                Err(why) => Some(Some(why)),
            };
            let taken = &mut self.taken;
            if end.is_some() {
                taken.tell_rest(&mut inputs);
                inputs.extend(self.reader.rest(taken.last).map(|loss| Input::Loss(Box::new(loss))));
            }
            self.newest.store(taken.last.nanos(), Ordering::Relaxed);
            self.passed_over.note(&self.reader, matches!(end, Some(None)) && !self.watch.is_stopped());
            if !inputs.is_empty() {
                // Rather now than behind a few more.
                let is_place_due = taken.is_place_due(batch as u64 / 2) || (end.is_some() && taken.placed.is_some());
                let place = is_place_due.then(|| self.place());
                send.send(Reading::Batch(inputs, place)).ok()?;
            }
            if end.is_some() {
                return end;
            }
        }
    }

    /// Reads until there are so many inputs or a place is to be told, or for so long that somebody may ask where it has
    /// come to; false at the end.
    fn fill(&mut self, inputs: &mut Vec<Input>, batch: usize) -> Result<bool, Damage> {
        let begun = self.taken.items;
        loop {
            let Self { reader, taken, .. } = self;
            let (had, mut failed) = (taken.items, None);
            // One after another, without a look at what else a capture may hold.
            reader.frames_at_hand(|frame| match taken.take(frame, inputs) {
                Ok(()) => !taken.are_enough(inputs, batch),
                Err(why) => {
                    failed = Some(why);
                    false
                }
            });
            if let Some(why) = failed {
                return Err(reader.damaged(why));
            }
            // A place that is due without inputs stays so until there are some: it must not end the reading.
            if taken.items == had && !self.next(inputs)? {
                return Ok(false);
            }
            if self.taken.are_enough(inputs, batch) || self.taken.items - begun >= PLACE_EVERY {
                return Ok(true);
            }
        }
    }

    /// Behind the frames read so far.
    fn place(&mut self) -> Place {
        let Self { reader, taken, marked, .. } = self;
        taken.placed = Some((taken.items, taken.last));
        let Taken { intake, told, last, left_out, .. } = taken;
        let (captures, intake) = (reader.places(), intake.clone());
        let (told, last, left_out, marks) = (*told, *last, *left_out, *marked);
        Place(Arc::new(PlaceParts { captures, intake, told, last, left_out, marks }))
    }

    /// Reads one item; false at the end.
    fn next(&mut self, inputs: &mut Vec<Input>) -> Result<bool, Damage> {
        let Self { reader, taken, .. } = self;
        // Looked at where it is: it is large beside a frame.
        let failed = match reader.next_item() {
            Ok(Some(Item::Frame(frame))) => taken.take(&frame, inputs).err(),
            Ok(Some(Item::Recorded(frame, gave))) => taken.take_recorded(&frame, gave, inputs).err(),
            Ok(Some(Item::Input(input))) => {
                taken.take_input(input, inputs);
                None
            }
            // Of more than anybody sets the first are told.
            Ok(Some(Item::Mark(mark))) => {
                taken.items += 1;
                let _full = self.marks.try_send((self.marked, mark));
                self.marked += 1;
                None
            }
            Ok(None) => return Ok(false),
            Err(damage) => return Err(damage),
        };
        failed.map_or(Ok(true), |why| Err(self.reader.damaged(why)))
    }
}

impl Taken {
    /// Takes a frame in; the reason where the filter fails.
    #[inline(always)]
    fn take(&mut self, frame: &Frame<'_>, inputs: &mut Vec<Input>) -> Result<(), String> {
        self.note(frame.ts);
        if self.passes(frame)? {
            let decoded = self.intake.take(frame, inputs);
            if self.is_due(decoded) {
                self.tell(inputs);
            }
        }
        Ok(())
    }

    /// The same of a recording's, with what the engine was told of it.
    fn take_recorded(&mut self, frame: &Frame<'_>, gave: Option<Input>, inputs: &mut Vec<Input>) -> Result<(), String> {
        self.note(frame.ts);
        let passes = self.passes(frame)?;
        inputs.extend(gave.filter(|_| passes));
        Ok(())
    }

    /// Takes in what else the engine was told.
    fn take_input(&mut self, input: Input, inputs: &mut Vec<Input>) {
        self.note(input.ts());
        // What a frame said that was filtered out was not heard.
        let of_frame = matches!(input, Input::Name(_) | Input::Dns(_));
        if !of_frame || self.left_out != Some(input.ts()) {
            inputs.push(input);
        }
    }

    #[inline]
    fn note(&mut self, ts: Timestamp) {
        self.items += 1;
        self.last = self.last.max(ts);
    }

    /// Whether a frame passes the filter, if there is one.
    #[inline]
    fn passes(&mut self, frame: &Frame<'_>) -> Result<bool, String> {
        if self.filter.is_none() { Ok(true) } else { self.passes_filter(*frame) }
    }

    #[inline(never)]
    fn passes_filter(&mut self, frame: Frame<'_>) -> Result<bool, String> {
        let Some(filter) = &mut self.filter else { return Ok(true) };
        let passes = filter.matches(&frame).map_err(|error| error.to_string())?;
        if !passes {
            self.left_out = Some(frame.ts);
        }
        Ok(passes)
    }

    /// Whether a batch is to be handed over.
    #[inline]
    fn are_enough(&self, inputs: &[Input], batch: usize) -> bool {
        !inputs.is_empty() && (inputs.len() >= batch || self.is_place_due(0))
    }

    /// Whether it is time to tell a place, or will be after so few items more.
    #[inline]
    fn is_place_due(&self, soon: u64) -> bool {
        let Some((items, then)) = self.placed else { return false };
        let since = self.items - items;
        since + soon >= PLACE_EVERY || (since >= PLACE_LEAST && self.last >= then + PLACE_AFTER)
    }

    /// Whether the counts are to be told again, with a frame that was decoded or not.
    #[inline]
    fn is_due(&self, decoded: bool) -> bool {
        let Some(told) = &self.told else { return true };
        let counts = self.intake.counts();
        counts.frames - told.frames >= TELL_EVERY || (!decoded && counts.undecoded_total() > told.undecoded_total())
    }

    #[inline(never)]
    fn tell(&mut self, inputs: &mut Vec<Input>) {
        let frames = self.intake.counts();
        self.told = Some(frames);
        inputs.push(Input::Loss(Box::new(Loss { ts: self.last, kernel: None, interface: None, ours: 0, frames })));
    }

    /// Tells the counts at the end, where they are others than those told last.
    fn tell_rest(&mut self, inputs: &mut Vec<Input>) {
        if self.told != Some(self.intake.counts()) && self.intake.counts().frames > 0 {
            self.tell(inputs);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_place_that_is_due_where_no_frame_gives_anything_holds_nothing_up() {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        for second in 1..=2 * PLACE_LEAST as u32 {
            file.extend([second, 0, 60, 60].map(u32::to_le_bytes).as_flattened());
            file.extend([0; 60]);
        }
        let mut kept = tempfile::NamedTempFile::new().expect("a file");
        kept.write_all(&file).expect("room");
        let origin = Origin::Files(vec![kept.path().to_owned()]);
        let reader = start(&origin, None, None).expect("a capture");
        let long = Duration::from_secs(60);
        let end = std::iter::from_fn(|| reader.batches.recv_timeout(long).ok())
            .find_map(|reading| if let Reading::End(damage) = reading { Some(damage) } else { None });
        assert_eq!(end, Some(None));
        assert_eq!(reader.newest(), Some(Timestamp::from_secs_nanos(2 * PLACE_LEAST as i64, 0)));
    }
}
