//! The engine's thread: pumps a feed, answers queries. Nobody else touches the engine, so there is no lock around it.

use std::cell::Cell;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::base::Timestamp;
use crate::engine::{Dashboard, Engine, FlowKey, Query, QueryCache};
use crate::ui::{Control, Segments, Source};

use super::feed::Feed;
use super::record::Recorded;

/// On a way that takes longer than this, it is shown how far it is.
const LONG_WAY: Duration = Duration::from_millis(400);

/// While there is more to feed, an answer is told after so many times as long as the last took.
const SHARE: u32 = 19;

/// What the engine's thread is asked.
#[derive(Debug)]
enum Ask {
    /// The number tells its answer from those to earlier questions.
    Show(u64, Query),
    Control(Control),
}

/// What it answers to [`Ask::Show`].
#[derive(Debug)]
pub(super) struct Answer {
    number: u64,
    pub(super) dashboard: Dashboard,
    pub(super) source: Source,
    /// Of the flow that is shown in full.
    pub(super) segments: Segments,
    /// As [`Feed::is_damaged`].
    pub(super) damaged: bool,
}

/// A running engine. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Driver {
    asks: Option<Sender<Ask>>,
    answers: Receiver<Answer>,
    asked: Cell<u64>,
    thread: Option<JoinHandle<Vec<Recorded>>>,
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
        Ok(Self { asks: Some(ask), answers, asked: Cell::new(0), thread: Some(thread) })
    }

    /// Asks what to show and waits at most `patience` for the answer to just that; where it does not come in time, the
    /// newest of those to earlier questions, if there is one.
    pub(super) fn show(&self, query: Query, patience: Duration) -> Option<Answer> {
        let number = self.asked.get() + 1;
        let deadline = Instant::now() + patience;
        let mut newest = None;
        if self.ask(Ask::Show(number, query)) {
            self.asked.set(number);
            while newest.as_ref().is_none_or(|answer: &Answer| answer.number < number) {
                let Ok(answer) = self.answers.recv_deadline(deadline) else { break };
                newest = Some(answer);
            }
        }
        self.answers.try_iter().last().or(newest)
    }

    /// Whether the answer to the last question has not come yet, where this one was the last that came.
    pub(super) fn owes(&self, newest: &Answer) -> bool {
        newest.number < self.asked.get()
    }

    /// Waits at most so long for an answer that was not there in time.
    pub(super) fn late(&self, patience: Duration) -> Option<Answer> {
        self.answers.recv_timeout(patience).ok()
    }

    /// Passes on what the user wants of the source. False if the engine's thread has died or is overwhelmed.
    pub(super) fn control(&self, control: Control) -> bool {
        self.ask(Ask::Control(control))
    }

    fn ask(&self, ask: Ask) -> bool {
        self.asks.as_ref().is_some_and(|asks| asks.try_send(ask).is_ok())
    }

    /// Ends it; how the recordings went that nobody was told of.
    pub(super) fn end(mut self) -> Vec<Recorded> {
        self.asks = None;
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
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

fn drive(mut engine: Engine, mut feed: Box<dyn Feed>, asks: &Receiver<Ask>, answers: &Sender<Answer>) -> Vec<Recorded> {
    let (mut asker, mut jumps) = (Asker::default(), 0);
    loop {
        let rest = feed.pump(&mut engine);
        if jumps != feed.jumps() {
            (jumps, asker.cache) = (feed.jumps(), QueryCache::default());
        }
        let mut ask = match asks.recv_timeout(rest) {
            Ok(ask) => Some(ask),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return feed.end(&mut engine),
        };
        while let Some(next) = ask {
            match next {
                // Of several questions that waited only the last still matters.
                Ask::Show(number, query) => asker.wanted = Some((number, query)),
                Ask::Control(control) => asker.control(control, feed.as_mut(), &mut engine),
            }
            ask = asks.try_recv().ok();
        }
        if asker.is_to_be_told(feed.is_going(), !rest.is_zero())
            && let Some(answer) = asker.answer(feed.as_mut(), &engine)
        {
            let _nobody_waits = answers.try_send(answer);
        }
    }
}

/// What the engine's thread knows of whoever asks it.
#[derive(Default)]
struct Asker {
    cache: QueryCache,
    /// The last question, if it was not answered yet.
    wanted: Option<(u64, Query)>,
    /// When the last answer was told, and how long it took to make.
    told: Option<Instant>,
    cost: Duration,
    way: Way,
}

/// Whether the source is on its way to where one wants to be.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Way {
    #[default]
    Nowhere,
    Going,
    /// It is there, and nobody was told yet.
    Arrived,
}

impl Asker {
    fn control(&mut self, control: Control, feed: &mut dyn Feed, engine: &mut Engine) {
        super::panic_if_asked("engine");
        feed.control(control, engine);
        // It may be another engine's now.
        self.cache = QueryCache::default();
    }

    /// What is passed on the way to an instant is not worth the time that it takes to tell of it; and of what is read as
    /// fast as it goes, telling takes a small share of the time.
    fn is_to_be_told(&mut self, going: bool, rests: bool) -> bool {
        self.way = match self.way {
            _ if going => Way::Going,
            Way::Going => Way::Arrived,
            there => there,
        };
        let patience = match self.way {
            Way::Going => LONG_WAY,
            Way::Nowhere if !rests => (self.cost * SHARE).min(LONG_WAY),
            Way::Nowhere | Way::Arrived => Duration::ZERO,
        };
        self.told.is_none_or(|told| told.elapsed() >= patience)
    }

    /// The answer to the last question, if one waits.
    fn answer(&mut self, feed: &mut dyn Feed, engine: &Engine) -> Option<Answer> {
        let (number, query) = self.wanted.take()?;
        let began = Instant::now();
        feed.attend(&query, engine);
        let shown = feed.shown(engine);
        let dashboard = shown.dashboard(&query, &mut self.cache);
        let key = query.selected.and_then(|id| shown.flow_key(id)).zip(shown.now());
        let segments = segments(feed, key, query.selected.is_some());
        let (source, damaged) = (feed.source(engine), feed.is_damaged());
        (self.told, self.cost) = (Some(Instant::now()), began.elapsed());
        if self.way == Way::Arrived {
            self.way = Way::Nowhere;
        }
        Some(Answer { number, dashboard, source, segments, damaged })
    }
}

/// What there is of the segments of the flow that is shown in full, if one is.
fn segments(feed: &mut dyn Feed, key: Option<(FlowKey, Timestamp)>, wanted: bool) -> Segments {
    let told = feed.segments(key);
    match key {
        None if wanted => Segments::Missing("no segment of it was captured".to_owned()),
        _ => told,
    }
}
