//! A flow's segments read from the file once more, by a thread of its own, for its ladder and its graph.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::base::Timestamp;
use crate::engine::{Collector, FlowKey, Transcript};
use crate::ui::Segments;

use super::origin::Origin;
use super::read::{self, Reader, Reading};

/// A file that grew is read again at the soonest after so long, and after so many times as long as that took.
const AGAIN: Duration = Duration::from_secs(1);
const SHARE: u32 = 10;

/// One flow being read again, or read. Dropping it ends the reading.
#[derive(Debug)]
pub(super) struct Reread {
    key: FlowKey,
    began: Instant,
    /// How long it took.
    took: Arc<OnceLock<Duration>>,
    /// The newest that the file held then, as far as is known.
    upto: Option<Timestamp>,
    reader: Arc<Reader>,
    stop: Arc<AtomicBool>,
    read: Arc<OnceLock<Option<Arc<Transcript>>>>,
}

impl Drop for Reread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Reread {
    /// Starts to read the segments of a flow; of a long one those near `around`. The file holds what came up to `upto`,
    /// and more where it grows.
    ///
    /// # Errors
    /// As [`read::start`], and where no thread can be started.
    pub(super) fn start(
        origin: &Origin,
        filter: Option<&str>,
        (key, around): (FlowKey, Timestamp),
        upto: Option<Timestamp>,
    ) -> Result<Self> {
        let reader = Arc::new(read::start(origin, filter, None)?);
        let (stop, read) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
        let (began, took) = (Instant::now(), Arc::new(OnceLock::new()));
        let reread = Self {
            key,
            began,
            took: took.clone(),
            upto,
            reader: reader.clone(),
            stop: stop.clone(),
            read: read.clone(),
        };
        let run = move || {
            if let Some(found) = collect(&reader, Collector::new(key, around), &stop) {
                let _only_once = (took.set(began.elapsed()), read.set(found.map(Arc::new)));
            }
        };
        thread::Builder::new().name("segments".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(reread)
    }

    /// Whether it reads what a screen at `now` shows of this flow.
    pub(super) fn serves(&self, key: &FlowKey, now: Timestamp) -> bool {
        // Who was first to send may turn out later, or its sides.
        let same = (self.key.first, self.key.digest) == (key.first, key.digest) && self.key.orig == key.orig;
        same && self.read.get().is_none_or(|read| read.as_ref().is_none_or(|transcript| transcript.covers(now)))
    }

    /// Whether it was read.
    pub(super) fn is_read(&self) -> bool {
        self.read.get().is_some()
    }

    /// Whether it was read, the file has grown since to what came up to `newest`, and it is time to read it again.
    pub(super) fn is_stale(&self, newest: Option<Timestamp>) -> bool {
        let rest = |took: &Duration| self.began.elapsed() >= *took + AGAIN.max(*took * SHARE);
        newest > self.upto && self.took.get().is_some_and(rest)
    }

    /// What there is of it.
    pub(super) fn told(&self) -> Segments {
        match self.read.get() {
            None => Segments::Reading(self.reader.progress()),
            Some(Some(transcript)) => Segments::Read(transcript.clone()),
            Some(None) => Segments::Missing("its first segment was not found again in the file".to_owned()),
        }
    }
}

/// Reads them at once.
///
/// # Errors
/// As [`read::start`].
pub(super) fn now(origin: &Origin, filter: Option<&str>, key: FlowKey, around: Timestamp) -> Result<Segments> {
    let reader = read::start(origin, filter, None)?;
    let found = collect(&reader, Collector::new(key, around), &AtomicBool::new(false)).flatten();
    Ok(found.map_or_else(
        || Segments::Missing("its first segment was not found again in the file".to_owned()),
        |read| Segments::Read(Arc::new(read)),
    ))
}

/// Goes through the file. `None` if it was told to stop, or the reading thread died.
fn collect(reader: &Reader, mut collector: Collector, stop: &AtomicBool) -> Option<Option<Transcript>> {
    loop {
        match reader.batches.recv().ok()? {
            Reading::Batch(inputs, _) => {
                inputs.iter().for_each(|input| collector.take(input));
                reader.give_back(inputs);
            }
            // Where the file is damaged, what comes before that is all there is, here as elsewhere.
            Reading::End(_) => return Some(collector.finish()),
        }
        if stop.load(Ordering::Relaxed) {
            return None;
        }
    }
}
