//! What is kept of the past → a recording, after the fact, by a thread of its own.
//!
//! No frame is kept for so long: the headers of each are made anew from its segment, and the interface's name says so.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::base::{Scope, Scrubbed, Timestamp};
use crate::engine::{Input, Loss};
use crate::journal::Packed;
use crate::journal::recording::{Packer, Setup, Source};
use crate::wire::{Frame, FrameCounts, Segment};

use super::recorded::Recorded;
use super::recording::Recording;

/// How long to wait for the disk before one looks again.
const REST: Duration = Duration::from_millis(1);

/// What the recording tells of itself: `setup`, but for where its frames are from.
pub(super) fn setup(setup: &Setup) -> Setup {
    let source = Source {
        name: Scrubbed::new("kept by --rewind, headers made anew"),
        filter: None,
        link: Segment::REBUILT,
        snaplen: 0,
        iface: 0,
        scope: Scope::default(),
    };
    Setup { sources: vec![source], payload: 0, ..setup.clone() }
}

/// What was lost before the first of these inputs, as far as they tell; `None` where nothing came before them.
pub(super) fn lost_before(inputs: &[Input], from_start: bool) -> Option<Loss> {
    let at = inputs.iter().position(|input| matches!(input, Input::Loss(_))).filter(|_| !from_start)?;
    let Input::Loss(first) = inputs[at] else { return None };
    // Frames among them came before that was told.
    let came = inputs[..at].iter().filter(|input| matches!(input, Input::Segment(_))).count() as u64;
    Some(Loss { frames: first.frames.since(&FrameCounts::default().at_least(came, came)), ..first })
}

/// A recording that is being written.
#[derive(Debug)]
pub(super) struct Saving(JoinHandle<Recorded>);

impl Saving {
    /// Begins to write these inputs, in the order that the engine saw.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(super) fn begin(recording: Recording, packers: Vec<Packer>, inputs: Vec<Input>) -> Result<Self> {
        let run = move || write(recording, packers, &inputs);
        Ok(Self(thread::Builder::new().name("saver".to_owned()).spawn(run).context("cannot start a thread")?))
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until it is written; `None` where the thread died, of which a panic has told.
    pub(super) fn wait(self) -> Option<Recorded> {
        self.0.join().ok()
    }
}

fn write(mut recording: Recording, mut packers: Vec<Packer>, inputs: &[Input]) -> Recorded {
    let mut block = Vec::new();
    for input in inputs {
        // Nothing is lost for a disk that is slow: this thread has time.
        while !recording.has_room() && recording.failed().is_none() {
            thread::sleep(REST);
        }
        match (input, packers.first_mut()) {
            (Input::Segment(segment), Some(packer)) => {
                block.clear();
                pack(packer, segment, input, &mut block);
                recording.frame(&Packed { ts: segment.ts, block: &block }, Some(input));
            }
            (Input::Loss(loss), _) => recording.loss(loss),
            (other, _) => recording.input(other),
        }
    }
    let at = |input: Option<&Input>| input.map_or(Timestamp::MIN, Input::ts);
    recording.end_as_of(at(inputs.last()).since(at(inputs.first())))
}

fn pack(packer: &mut Packer, segment: &Segment, input: &Input, out: &mut Vec<u8>) {
    let bytes = segment.headers();
    let Segment { ts, scope, iface, frame_len, .. } = *segment;
    let len = frame_len.max(bytes.len() as u32);
    packer.pack(&Frame { ts, scope, iface, link: Segment::REBUILT, bytes: &bytes, len }, Some(input), out);
}
