//! The thread that writes a recording, behind a queue whose bytes are bounded.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::io::recording::RecordingFile;

use super::recorded::Tally;

/// Bytes that may wait to be written while frames are still taken: some seconds of a fast network on a disk that
/// stalls.
const MOST: usize = 64 << 20;
/// Bytes that may wait at all. What is no frame is not dropped, for a recording with holes in it tells wrong things.
const TOO_MUCH: usize = 4 * MOST;

/// What is known of the writing from outside.
#[derive(Debug, Default)]
struct State {
    /// Bytes that wait.
    queued: AtomicUsize,
    /// What is in the file.
    bytes: AtomicU64,
    frames: AtomicU64,
    /// Frames that can no longer come into it.
    lost: AtomicU64,
    failed: OnceLock<String>,
}

/// A file being written. Dropping it lets the thread write what waits and end.
#[derive(Debug)]
pub(super) struct Writer {
    send: Option<Sender<Chunk>>,
    used: Receiver<Vec<u8>>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

/// Whole blocks with so many frames.
#[derive(Debug)]
struct Chunk {
    blocks: Arc<Vec<u8>>,
    frames: u64,
}

impl Writer {
    /// Creates the file and starts the thread.
    ///
    /// # Errors
    /// Where the file cannot be created: it is there already, say.
    pub(super) fn start(path: &Path, replace: bool) -> Result<Self> {
        let name = crate::base::scrub(&path.display().to_string());
        let file = RecordingFile::create(path, replace).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                anyhow::anyhow!(
                    "{name} is there already: another name, or --force to replace it once this one is whole"
                )
            }
            _ => anyhow::Error::new(error).context(format!("cannot create {name}")),
        })?;
        // Bounded by the bytes that wait.
        let (send, chunks) = unbounded();
        let (give_back, used) = unbounded();
        let state = Arc::<State>::default();
        let shared = state.clone();
        let run = move || write(file, &chunks, &give_back, &shared);
        let thread = thread::Builder::new().name("recorder".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { send: Some(send), used, state, thread: Some(thread), path: path.to_owned() })
    }

    /// A buffer to fill.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.used.try_recv().unwrap_or_default()
    }

    /// Whether so many more bytes may wait.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.state.queued.load(Ordering::Relaxed).saturating_add(bytes) <= MOST
    }

    /// Gives up where far too much waits.
    pub(super) fn check_queue(&self) {
        if self.state.queued.load(Ordering::Relaxed) > TOO_MUCH {
            let _first = self.state.failed.set("nothing is taken any more".to_owned());
        }
    }

    /// Hands over whole blocks that hold so many frames.
    pub(super) fn send(&self, blocks: Arc<Vec<u8>>, frames: u64) {
        self.state.queued.fetch_add(blocks.len(), Ordering::Relaxed);
        let chunk = Chunk { blocks, frames };
        if self.send.as_ref().is_none_or(|send| send.send(chunk).is_err()) {
            self.state.lost.fetch_add(frames, Ordering::Relaxed);
        }
    }

    /// Nothing more comes.
    pub(super) fn close(&mut self) {
        self.send = None;
    }

    /// Whether all is written, or nothing more can be.
    pub(super) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until it is.
    pub(super) fn join(&mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the hook.
            if thread.join().is_err() {
                let _first = self.state.failed.set("the writing thread died".to_owned());
            }
        }
    }

    /// How the recording stands of which so many frames came and were dropped in front of it.
    pub(super) fn tally(&self, came: u64, dropped: u64, took: Duration) -> Tally {
        let State { bytes, frames, lost, .. } = &*self.state;
        let [bytes, written, lost] = [bytes, frames, lost].map(|count| count.load(Ordering::Relaxed));
        Tally { file: Some(self.path.clone()), came, written, lost: dropped + lost, bytes, took }
    }

    /// Why nothing more is written, if that is so.
    pub(super) fn failed(&self) -> Option<&str> {
        self.state.failed.get().map(String::as_str)
    }
}

/// Writes each chunk at once: what was sent survives a kill. After a failure what comes is counted and dropped.
fn write(mut file: RecordingFile, chunks: &Receiver<Chunk>, give_back: &Sender<Vec<u8>>, state: &State) {
    let fail = |file: &RecordingFile, error: &dyn std::fmt::Display| {
        let beside = file.beside().map(|path| format!("; what was written is in {}", path.display()));
        let _first = state.failed.set(format!("{error}{}", beside.unwrap_or_default()));
    };
    let mut taken = 0;
    for Chunk { blocks, frames } in chunks {
        taken += frames;
        if state.failed.get().is_none()
            && let Err(stopped) = file.write(&blocks, frames)
        {
            fail(&file, &stopped);
        }
        tell(&file, taken, state);
        state.queued.fetch_sub(blocks.len(), Ordering::Relaxed);
        if let Some(mut blocks) = Arc::into_inner(blocks) {
            blocks.clear();
            let _not_needed = give_back.send(blocks);
        }
    }
    if state.failed.get().is_none()
        && let Err(stopped) = file.finish()
    {
        fail(&file, &stopped);
        tell(&file, taken, state);
    }
}

fn tell(file: &RecordingFile, taken: u64, state: &State) {
    state.bytes.store(file.bytes(), Ordering::Relaxed);
    state.frames.store(file.frames(), Ordering::Relaxed);
    state.lost.store(taken.saturating_sub(file.frames()), Ordering::Relaxed);
}
