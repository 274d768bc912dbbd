//! What the capture threads and a recording know of each other: whether frames are wanted, and how many wait.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::journal::{FrameBatch, Intake};
use crate::wire::Frame;

/// Bytes of frames that may wait between the captures and the recording.
const MOST: usize = 64 << 20;

/// Shared by all capture threads.
#[derive(Debug, Default)]
pub(in crate::app) struct Keep {
    /// The number of the recording that frames are wanted for; 0 of none.
    wanted_for: AtomicU64,
    /// Bytes kept of what a frame carries behind its headers.
    payload: usize,
    waiting: AtomicUsize,
    /// Frames that were wanted and for which there was no room, and those of batches that never came.
    crowded: AtomicU64,
    dropped: AtomicU64,
}

impl Keep {
    pub(super) fn new(payload: u32) -> Self {
        Self { payload: payload as usize, ..Self::default() }
    }

    /// From now on frames are wanted for the recording of that number, from 1 on.
    pub(super) fn want_for(&self, recording: u64) {
        self.wanted_for.store(recording, Ordering::Relaxed);
    }

    /// Frames are wanted no more.
    pub(super) fn rest(&self) {
        self.wanted_for.store(0, Ordering::Relaxed);
    }

    /// What a capture thread's next batch keeps, with room for so many bytes and frames to begin with; `None` if frames
    /// are not wanted.
    pub(in crate::app) fn begin(&self, bytes: usize, frames: usize) -> Option<Keeping> {
        let recording = self.wanted_for.load(Ordering::Relaxed);
        (recording > 0).then(|| Keeping {
            recording,
            room: self.waiting.load(Ordering::Relaxed) < MOST,
            payload: self.payload,
            frames: FrameBatch::with_room(bytes, frames),
            lost: 0,
        })
    }

    /// Frames lost on the way to recordings so far.
    pub(super) fn lost(&self) -> u64 {
        self.crowded() + self.dropped.load(Ordering::Relaxed)
    }

    /// Those among them whose inputs came.
    pub(super) fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// So many bytes wait no more; asked after every input, nearly always of none.
    pub(super) fn free(&self, bytes: usize) {
        if bytes > 0 {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// The batch is on its way.
    pub(in crate::app) fn send(&self, keeping: Keeping) -> KeptFrames {
        self.crowded.fetch_add(keeping.lost + keeping.frames.lost(), Ordering::Relaxed);
        self.waiting.fetch_add(keeping.frames.bytes(), Ordering::Relaxed);
        KeptFrames { recording: keeping.recording, frames: keeping.frames }
    }

    /// The batch did not arrive.
    pub(in crate::app) fn drop_batch(&self, kept: &KeptFrames) {
        self.dropped.fetch_add(kept.frames.len() as u64, Ordering::Relaxed);
        self.free(kept.frames.bytes());
    }
}

/// The frames of a batch on their way, and which recording they are kept for.
#[derive(Debug)]
pub(in crate::app) struct KeptFrames {
    pub(super) recording: u64,
    pub(in crate::app) frames: FrameBatch,
}

/// The frames of a batch that is being read.
#[derive(Debug)]
pub(in crate::app) struct Keeping {
    recording: u64,
    room: bool,
    payload: usize,
    frames: FrameBatch,
    lost: u64,
}

impl Keeping {
    /// Keeps what is wanted of the frame that `intake` took last, and that gave so many inputs.
    pub(in crate::app) fn keep(&mut self, frame: &Frame<'_>, intake: &Intake, inputs: usize) {
        if self.room {
            self.frames.push(frame, intake.headers_len(frame).saturating_add(self.payload), inputs);
        } else {
            self.lost += 1;
        }
    }
}
