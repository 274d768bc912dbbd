//! A thread beside the engine's that seals the courses of flows that are over: half of the work on most flows.

use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Sender, TrySendError, bounded};

use crate::engine::{Courses, Engine};

/// Courses that may wait, in their blocks: a few megabytes.
const AHEAD: usize = 64;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sealing {
    send: Sender<Courses>,
}

impl Sealing {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start() -> Result<Self> {
        let (send, receive) = bounded::<Courses>(AHEAD);
        let run = move || receive.iter().for_each(|courses| courses.seal());
        thread::Builder::new().name("sealing".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { send })
    }

    /// Has all sealed that the engine leaves to others. Where the thread is behind, it is done here: then there is
    /// enough to do for both.
    pub(super) fn take(&self, engine: &mut Engine) {
        for courses in engine.take_unsealed() {
            if let Err(TrySendError::Full(courses) | TrySendError::Disconnected(courses)) = self.send.try_send(courses)
            {
                courses.seal();
            }
        }
    }
}
