//! A thread that reads a capture ahead of whoever plays it: frames → segments, in batches, with a bound.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::base::Timestamp;
use crate::engine::Loss;
use crate::io::bpf::FrameFilter;
use crate::io::file;
use crate::journal::{CaptureReader, Damage};
use crate::wire::{Decoded, FrameCounts, Segment, decode};

const BATCH: usize = 1024;
/// Segments that are read ahead at most.
const AHEAD: usize = 16 * BATCH;

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
    /// Segments in the order of the file, and what became of all frames so far.
    Batch { segments: Vec<Segment>, loss: Loss },
    /// The end: clean, damaged, or the filter failed.
    End(Option<Damage>),
}

/// A capture being read ahead by a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) batches: Receiver<Reading>,
    /// The newest instant that the thread has come to, nanoseconds.
    newest: Arc<AtomicI64>,
}

impl Reader {
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
    let mut reader = CaptureReader::open(origin.open()?).with_context(|| origin.name())?;
    let mut frames = filter.map(FrameFilter::new);
    if let Some(frames) = &mut frames {
        for interface in reader.interfaces() {
            frames.check(interface.link)?;
        }
    }
    // A stream may fall silent for long: nothing of it is held back.
    let batch = if origin.can_reopen() { BATCH } else { 1 };
    let (send, receive) = bounded(AHEAD / batch);
    let newest = Arc::new(AtomicI64::new(Timestamp::MIN.nanos()));
    let told = newest.clone();
    let run = move || {
        let end = read_all(&mut reader, frames.as_mut(), batch, &send, &told);
        super::panic_if_asked("reader");
        if let Some(end) = end {
            let _nobody_waits = send.send(Reading::End(end));
        }
    };
    thread::Builder::new().name("reader".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(Reader { batches: receive, newest })
}

/// Reads to the end. `None`: nobody takes the batches any more; otherwise why it ended, if not cleanly.
fn read_all(
    reader: &mut CaptureReader,
    mut filter: Option<&mut FrameFilter>,
    batch: usize,
    send: &Sender<Reading>,
    newest: &AtomicI64,
) -> Option<Option<Damage>> {
    let mut counts = FrameCounts::default();
    let mut last = Timestamp::MIN;
    loop {
        let mut segments = Vec::with_capacity(batch);
        let end = loop {
            match next(reader, filter.as_deref_mut(), &mut counts, &mut last, &mut segments) {
                Ok(true) if segments.len() < batch => {}
                Ok(true) => break None,
                Ok(false) => break Some(None),
                Err(why) => break Some(Some(why)),
            }
        };
        if last > Timestamp::MIN {
            newest.store(last.nanos(), Ordering::Relaxed);
            let loss = Loss { ts: last, kernel: None, interface: None, ours: 0, frames: counts };
            send.send(Reading::Batch { segments, loss }).ok()?;
        }
        if end.is_some() {
            return end;
        }
    }
}

/// Reads one frame; false at the end.
fn next(
    reader: &mut CaptureReader,
    filter: Option<&mut FrameFilter>,
    counts: &mut FrameCounts,
    last: &mut Timestamp,
    segments: &mut Vec<Segment>,
) -> Result<bool, Damage> {
    let offset = reader.offset();
    let frame = match reader.next_frame() {
        Ok(Some(frame)) => frame,
        Ok(None) => return Ok(false),
        Err(damage) => return Err(damage),
    };
    *last = (*last).max(frame.ts);
    if let Some(filter) = filter
        && !filter.matches(&frame).map_err(|error| Damage { offset, reason: error.to_string(), decompressed: false })?
    {
        return Ok(true);
    }
    let decoded = decode(&frame);
    counts.count(&decoded);
    if let Decoded::Tcp(segment) = decoded {
        segments.push(segment);
    }
    Ok(true)
}
