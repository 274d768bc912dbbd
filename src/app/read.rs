//! A thread that reads a capture ahead of whoever plays it: frames → segments, in batches, with a bound.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::base::{Progress, Timestamp};
use crate::engine::{Input, Loss};
use crate::io::bpf::FrameFilter;
use crate::io::file;
use crate::journal::{CaptureReader, Damage, Intake, Item};
use crate::wire::FrameCounts;

/// Inputs that are handed over together.
const BATCH: usize = 512;
/// Inputs that are read ahead at most.
const AHEAD: usize = 8 * BATCH;

/// Frames after which their counts are told again; a frame that cannot be decoded is told at once.
const TELL_EVERY: u64 = 256;

/// The demo's capture.
static DEMO: &[u8] = include_bytes!("../../assets/demo.pcap.gz");

/// A capture that can be opened, once or again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Demo,
    File(PathBuf),
}

impl Origin {
    /// What to call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Demo => "built-in incident".to_owned(),
            Self::File(path) if file::is_stdin(path) => "stdin".to_owned(),
            Self::File(path) => crate::base::scrub(&path.display().to_string()),
        }
    }

    /// Whether it can be read from its start again.
    pub(super) fn can_reopen(&self) -> bool {
        match self {
            Self::Demo => true,
            Self::File(path) => file::can_reopen(path),
        }
    }

    /// Its length, where it has one that is worth to be told.
    fn length(&self) -> Option<u64> {
        match self {
            Self::Demo => None,
            Self::File(path) => file::length(path),
        }
    }

    fn open(&self) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Demo => Ok(Box::new(DEMO)),
            Self::File(path) => open_file(path),
        }
    }
}

fn open_file(path: &Path) -> Result<Box<dyn Read + Send>> {
    file::open_capture(path).with_context(|| format!("cannot open {}", crate::base::scrub(&path.display().to_string())))
}

/// What the reading thread delivers.
#[derive(Debug)]
pub(super) enum Reading {
    /// Segments, ICMP errors, names, and what became of all frames so far, in the order of the file.
    Batch(Vec<Input>),
    /// The end: clean, damaged, or the filter failed.
    End(Option<Damage>),
}

/// A capture being read ahead by a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) batches: Receiver<Reading>,
    /// Batches that were taken in go back through here, to be filled again.
    used: Sender<Vec<Input>>,
    /// The newest instant that the thread has come to, nanoseconds.
    newest: Arc<AtomicI64>,
    /// Bytes of the file (as it is stored) that were read, of so many, since then.
    read: Arc<AtomicU64>,
    length: Option<u64>,
    began: Instant,
    /// It is a recording of a live run: every input comes from it, not frames alone.
    pub(super) recording: bool,
}

impl Reader {
    /// Gives a batch back that was taken in.
    pub(super) fn give_back(&self, batch: Vec<Input>) {
        let _not_needed = self.used.try_send(batch);
    }

    /// How far the file is read.
    pub(super) fn progress(&self) -> Option<Progress> {
        Some(Progress { done: self.read.load(Ordering::Relaxed), whole: self.length?, took: self.began.elapsed() })
    }

    /// The newest instant read so far.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let newest = Timestamp::from_nanos(self.newest.load(Ordering::Relaxed));
        (newest > Timestamp::MIN).then_some(newest)
    }
}

/// Opens a capture and starts to read it ahead. Checks first that it is one, and that the filter compiles for it.
///
/// # Errors
/// Where the file cannot be opened, is no capture, or the filter does not compile.
pub(super) fn start(origin: &Origin, filter: Option<&str>) -> Result<Reader> {
    let read = Arc::new(AtomicU64::new(0));
    let input = Box::new(file::Counted::new(origin.open()?, read.clone()));
    let reader = CaptureReader::open(input).with_context(|| origin.name())?;
    let recording = reader.is_recording();
    let mut filter = filter.map(FrameFilter::new);
    if let Some(filter) = &mut filter {
        for interface in reader.interfaces() {
            filter.check(interface.link)?;
        }
    }
    let mut source =
        Source { reader, filter, intake: Intake::default(), told: None, last: Timestamp::MIN, left_out: None };
    // A stream may fall silent for long: nothing of it is held back.
    let batch = if origin.can_reopen() { BATCH } else { 1 };
    let (send, receive) = bounded(AHEAD / batch);
    let (give_back, used) = bounded(AHEAD / batch);
    let newest = Arc::new(AtomicI64::new(Timestamp::MIN.nanos()));
    let told = newest.clone();
    let run = move || {
        let end = source.read_all(batch, &send, &used, &told);
        super::panic_if_asked("reader");
        if let Some(end) = end {
            let _nobody_waits = send.send(Reading::End(end));
        }
    };
    thread::Builder::new().name("reader".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(Reader {
        batches: receive,
        used: give_back,
        newest,
        read,
        length: origin.length(),
        began: Instant::now(),
        recording,
    })
}

/// What reads: the capture, its filter, and what became of its frames so far.
struct Source {
    reader: CaptureReader,
    filter: Option<FrameFilter>,
    intake: Intake,
    /// The counts that were told last.
    told: Option<FrameCounts>,
    last: Timestamp,
    /// When the frame came that was filtered out last.
    left_out: Option<Timestamp>,
}

impl Source {
    /// Reads to the end. `None`: nobody takes the batches any more; otherwise why it ended, if not cleanly.
    fn read_all(
        &mut self,
        batch: usize,
        send: &Sender<Reading>,
        used: &Receiver<Vec<Input>>,
        newest: &AtomicI64,
    ) -> Option<Option<Damage>> {
        loop {
            let mut inputs = used.try_recv().unwrap_or_else(|_| Vec::with_capacity(batch + 1));
            inputs.clear();
            let end = loop {
                match self.next(&mut inputs) {
                    Ok(true) if inputs.len() < batch => {}
                    Ok(true) => break None,
                    Ok(false) => break Some(None),
                    Err(why) => break Some(Some(why)),
                }
            };
            if end.is_some() && self.told != Some(self.intake.counts()) && self.intake.counts().frames > 0 {
                self.tell(&mut inputs);
            }
            newest.store(self.last.nanos(), Ordering::Relaxed);
            if !inputs.is_empty() {
                send.send(Reading::Batch(inputs)).ok()?;
            }
            if end.is_some() {
                return end;
            }
        }
    }

    /// Reads one frame; false at the end.
    fn next(&mut self, inputs: &mut Vec<Input>) -> Result<bool, Damage> {
        let offset = self.reader.offset();
        let (frame, gave) = match self.reader.next_item()? {
            Some(Item::Frame(frame)) => (frame, None),
            Some(Item::Recorded(frame, gave)) => (frame, Some(gave)),
            Some(Item::Input(input)) => {
                self.last = self.last.max(input.ts());
                // What a frame said that was filtered out was not heard.
                let of_frame = matches!(input, Input::Name(_) | Input::Dns(_));
                if !of_frame || self.left_out != Some(input.ts()) {
                    inputs.push(input);
                }
                return Ok(true);
            }
            Some(Item::Mark(_)) => return Ok(true),
            None => return Ok(false),
        };
        self.last = self.last.max(frame.ts);
        if let Some(filter) = &mut self.filter {
            let matches = filter.matches(&frame);
            if !matches.map_err(|error| Damage { offset, reason: error.to_string(), decompressed: false })? {
                self.left_out = Some(frame.ts);
                return Ok(true);
            }
        }
        if let Some(gave) = gave {
            inputs.extend(gave);
            return Ok(true);
        }
        let decoded = self.intake.take(&frame, inputs);
        if self.is_due(decoded) {
            self.tell(inputs);
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
