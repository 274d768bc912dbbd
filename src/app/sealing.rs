//! A thread beside the engine's that seals the courses of flows that are over: half of the work on most flows.

use std::mem;
use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::engine::{Courses, Engine, Spare};

/// Blocks of courses that are handed over together, half a megabyte: to wake a thread takes as long as to seal one.
const TOGETHER: usize = 8;
/// How many times as many may wait.
const AHEAD: usize = 3;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sealing {
    /// What is handed over next.
    next: Work,
    send: Sender<Work>,
    /// What was sealed comes back.
    done: Receiver<Work>,
}

/// Courses to be sealed, and what those lay in that are.
#[derive(Debug, Default)]
struct Work {
    courses: Vec<Courses>,
    spare: Spare,
}

impl Work {
    fn seal(&mut self) {
        self.courses.drain(..).for_each(|courses| courses.seal(&mut self.spare));
    }
}

impl Sealing {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start() -> Result<Self> {
        let (send, receive) = bounded::<Work>(AHEAD);
        let (give_back, done) = bounded(AHEAD);
        let run = move || {
            receive.iter().for_each(|mut work| {
                work.seal();
                let _not_needed = give_back.try_send(work);
            });
        };
        thread::Builder::new().name("sealing".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { next: Work::default(), send, done })
    }

    /// Has all sealed that the engine leaves to others, but for a few that wait for the next. Where the thread is
    /// behind, it is done here: then there is enough to do for both.
    pub(super) fn take(&mut self, engine: &mut Engine) {
        while let Some(courses) = engine.next_unsealed() {
            self.next.courses.push(courses);
            if self.next.courses.len() == TOGETHER {
                self.hand_over(engine);
            }
        }
    }

    fn hand_over(&mut self, engine: &mut Engine) {
        let mut done = self.done.try_recv().unwrap_or_default();
        engine.reuse(&mut done.spare);
        let work = mem::replace(&mut self.next, done);
        if let Err(TrySendError::Full(mut work) | TrySendError::Disconnected(mut work)) = self.send.try_send(work) {
            work.seal();
            engine.reuse(&mut work.spare);
        }
    }
}
