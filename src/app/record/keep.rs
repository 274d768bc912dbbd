//! What the capture threads and a recording know of each other: whether frames are wanted, and how many wait.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::engine::Input;
use crate::journal::FrameBatch;
use crate::journal::recording::Packer;
use crate::wire::Frame;

/// Bytes of frames that may wait between the captures and the recording.
const MOST: usize = 64 << 20;
/// Batches that are done with and kept for their memory; not those with more than so many bytes.
const SPARE: usize = 16;
const SPARE_BYTES: usize = 1 << 20;

/// Shared by all capture threads.
#[derive(Debug)]
pub(in crate::app) struct Keep {
    /// The number of the recording that frames are wanted for; 0 of none.
    wanted_for: AtomicU64,
    waiting: AtomicUsize,
    /// Frames that were wanted and for which there was no room, and those of batches that never came.
    crowded: AtomicU64,
    dropped: AtomicU64,
    /// Empty batches, to be filled anew.
    spare: (Sender<FrameBatch>, Receiver<FrameBatch>),
}

impl Keep {
    pub(super) fn new() -> Self {
        Self {
            wanted_for: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            crowded: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            spare: bounded(SPARE),
        }
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
            frames: self.spare.1.try_recv().unwrap_or_else(|_| FrameBatch::with_room(bytes, frames)),
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

    /// These wait no more.
    pub(super) fn free(&self, done: impl IntoIterator<Item = FrameBatch>) {
        for frames in done {
            self.waiting.fetch_sub(frames.bytes(), Ordering::Relaxed);
            if frames.bytes() <= SPARE_BYTES {
                let _enough_are_kept = self.spare.0.try_send(frames.emptied());
            }
        }
    }

    /// The batch is on its way.
    pub(in crate::app) fn send(&self, keeping: Keeping) -> KeptFrames {
        self.crowded.fetch_add(keeping.lost + keeping.frames.lost(), Ordering::Relaxed);
        self.waiting.fetch_add(keeping.frames.bytes(), Ordering::Relaxed);
        KeptFrames { recording: keeping.recording, frames: keeping.frames }
    }

    /// The batch did not arrive.
    pub(in crate::app) fn drop_batch(&self, kept: KeptFrames) {
        self.dropped.fetch_add(kept.frames.len() as u64, Ordering::Relaxed);
        self.free([kept.frames]);
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
    frames: FrameBatch,
    lost: u64,
}

impl Keeping {
    /// Keeps what is wanted of a frame that gave these inputs, of which a segment or ICMP error is the first.
    pub(in crate::app) fn keep(&mut self, packer: &mut Packer, frame: &Frame<'_>, gave: &[Input]) {
        if self.room {
            let own = gave.first().filter(|input| input.is_frames_own());
            self.frames.push(frame.ts, gave.len(), |out| packer.pack(frame, own, out));
        } else {
            self.lost += 1;
        }
    }
}
