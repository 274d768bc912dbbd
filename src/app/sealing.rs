//! A thread beside the engine's that seals the courses of flows that are over: half of the work on most flows.

use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::engine::{Courses, Engine, Spare};

/// Blocks of courses that may wait: a megabyte.
const AHEAD: usize = 16;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sealing {
    send: Sender<Courses>,
    /// What the courses lay in comes back.
    spare: Receiver<Spare>,
}

impl Sealing {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start() -> Result<Self> {
        let (send, receive) = bounded::<Courses>(AHEAD);
        let (give_back, spare) = bounded(AHEAD);
        let run = move || {
            receive.iter().for_each(|courses| {
                let _not_needed = give_back.try_send(courses.seal());
            });
        };
        thread::Builder::new().name("sealing".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { send, spare })
    }

    /// Has all sealed that the engine leaves to others. Where the thread is behind, it is done here: then there is
    /// enough to do for both.
    pub(super) fn take(&self, engine: &mut Engine) {
        self.spare.try_iter().for_each(|spare| engine.reuse(spare));
        while let Some(courses) = engine.next_unsealed() {
            if let Err(TrySendError::Full(courses) | TrySendError::Disconnected(courses)) = self.send.try_send(courses)
            {
                engine.reuse(courses.seal());
            }
        }
    }
}
