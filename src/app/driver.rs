//! The engine's thread: pumps a feed, answers queries. Nobody else touches the engine, so there is no lock around it.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::engine::{Dashboard, Engine, Query, QueryCache};
use crate::ui::{Control, Source};

use super::feed::Feed;

/// What the engine's thread is asked.
#[derive(Debug)]
pub(super) enum Ask {
    Show(Query),
    Control(Control),
}

/// What it answers to [`Ask::Show`].
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) dashboard: Dashboard,
    pub(super) source: Source,
}

/// A running engine. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Driver {
    asks: Option<Sender<Ask>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts the engine's thread on a feed.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(super) fn start(engine: Engine, feed: Box<dyn Feed>) -> std::io::Result<Self> {
        let (ask, asks) = bounded(64);
        let (answer, answers) = bounded(4);
        let run = move || drive(engine, feed, &asks, &answer);
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(run)?;
        Ok(Self { asks: Some(ask), answers, thread: Some(thread) })
    }

    /// Asks, without waiting. False if the engine's thread has died or is overwhelmed.
    pub(super) fn ask(&self, ask: Ask) -> bool {
        self.asks.as_ref().is_some_and(|asks| asks.try_send(ask).is_ok())
    }

    /// Waits at most `patience` for an answer; the newest if there are several.
    pub(super) fn answer(&self, patience: Duration) -> Option<Answer> {
        let first = self.answers.recv_timeout(patience).ok()?;
        Some(self.answers.try_iter().last().unwrap_or(first))
    }

    /// Whether the engine's thread still runs.
    pub(super) fn alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the hook; there is nothing to add.
            let _reported = thread.join();
        }
    }
}

fn drive(mut engine: Engine, mut feed: Box<dyn Feed>, asks: &Receiver<Ask>, answers: &Sender<Answer>) {
    let mut cache = QueryCache::default();
    loop {
        let rest = feed.pump(&mut engine);
        let mut ask = match asks.recv_timeout(rest) {
            Ok(ask) => Some(ask),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        while let Some(next) = ask {
            match next {
                Ask::Show(query) => {
                    let dashboard = engine.dashboard(&query, &mut cache);
                    // A screen that is slow to take answers gets a newer one when it asks again.
                    let _slow = answers.try_send(Answer { dashboard, source: feed.source(&engine) });
                }
                Ask::Control(control) => feed.control(control, &mut engine),
            }
            ask = asks.try_recv().ok();
        }
    }
}
