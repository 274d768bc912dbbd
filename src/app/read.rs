//! A thread that reads a capture ahead of whoever plays it: frames → segments, in batches, with a bound.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::base::Timestamp;
use crate::engine::{Input, Loss};
use crate::io::bpf::FrameFilter;
use crate::io::file;
use crate::journal::{CaptureReader, Damage};
use crate::wire::Decoder;

const BATCH: usize = 1024;
const BATCHES_AHEAD: usize = 16;

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
    /// Segments and ICMP errors in the order of the file, and what became of all frames so far.
    Batch { inputs: Vec<Input>, loss: Loss },
    /// The end: clean, damaged, or the filter failed.
    End(Option<Damage>),
}

/// Opens a capture and starts to read it ahead. Checks first that it is one, and that the filter compiles for it.
///
/// # Errors
/// Where the file cannot be opened, is no capture, or the filter does not compile.
pub(super) fn start(origin: &Origin, filter: Option<&str>) -> Result<Receiver<Reading>> {
    let mut reader = CaptureReader::open(origin.open()?).with_context(|| origin.name())?;
    let mut frames = filter.map(FrameFilter::new);
    if let Some(frames) = &mut frames {
        for interface in reader.interfaces() {
            frames.check(interface.link)?;
        }
    }
    let (send, receive) = bounded(BATCHES_AHEAD);
    let run = move || {
        let end = read_all(&mut reader, frames.as_mut(), &send);
        if let Some(end) = end {
            let _nobody_waits = send.send(Reading::End(end));
        }
    };
    thread::Builder::new().name("reader".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(receive)
}

/// Reads to the end. `None`: nobody takes the batches any more; otherwise why it ended, if not cleanly.
fn read_all(
    reader: &mut CaptureReader,
    mut filter: Option<&mut FrameFilter>,
    send: &Sender<Reading>,
) -> Option<Option<Damage>> {
    let mut decoder = Decoder::default();
    let mut last = Timestamp::MIN;
    loop {
        let mut inputs = Vec::with_capacity(BATCH);
        let end = loop {
            match next(reader, filter.as_deref_mut(), &mut decoder, &mut last, &mut inputs) {
                Ok(true) if inputs.len() < BATCH => {}
                Ok(true) => break None,
                Ok(false) => break Some(None),
                Err(why) => break Some(Some(why)),
            }
        };
        if last > Timestamp::MIN {
            let loss = Loss { ts: last, kernel: None, interface: None, ours: 0, frames: decoder.counts() };
            send.send(Reading::Batch { inputs, loss }).ok()?;
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
    decoder: &mut Decoder,
    last: &mut Timestamp,
    inputs: &mut Vec<Input>,
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
    inputs.extend(Input::of(&decoder.decode(&frame)));
    Ok(true)
}
