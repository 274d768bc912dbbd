//! A followed file that is empty so far: the dashboard is there already, and waits for its first bytes.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::base::Timestamp;
use crate::engine::{Engine, FlowKey};
use crate::ui::{Control, Playback, Segments, Source, SourceKind};

use super::feed::Feed;
use super::replay::Replay;

/// How often it is looked whether it is open.
const REST: Duration = Duration::from_millis(50);

/// A capture that cannot be opened before something is written into it.
pub(super) struct Opening {
    name: String,
    state: State,
}

enum State {
    Waits(Receiver<Result<Replay>>),
    Opened(Box<Replay>),
    /// Why it cannot be played.
    Failed(String),
}

impl Opening {
    /// Begins to open it, on a thread of its own: that may wait for as long as the program runs.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(super) fn start(name: String, open: impl FnOnce() -> Result<Replay> + Send + 'static) -> Result<Self> {
        let (send, opened) = bounded(1);
        let run = move || drop(send.send(open()));
        thread::Builder::new().name("opening".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { name, state: State::Waits(opened) })
    }

    const fn replay(&self) -> Option<&Replay> {
        if let State::Opened(replay) = &self.state { Some(replay) } else { None }
    }

    /// Looks whether it is open; the engine is that of what turned out to be in it.
    fn look(&mut self, engine: &mut Engine) {
        let State::Waits(opened) = &self.state else { return };
        self.state = match opened.try_recv() {
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => State::Failed(format!("{}: the opening thread died", self.name)),
            Ok(Err(error)) => State::Failed(crate::base::scrub(&format!("{error:#}"))),
            Ok(Ok(replay)) => {
                *engine = Engine::new(replay.config());
                State::Opened(Box::new(replay))
            }
        };
    }
}

impl Feed for Opening {
    fn pump(&mut self, engine: &mut Engine) -> Duration {
        self.look(engine);
        if let State::Opened(replay) = &mut self.state { replay.pump(engine) } else { REST }
    }

    fn control(&mut self, control: Control, engine: &mut Engine) {
        if let State::Opened(replay) = &mut self.state {
            replay.control(control, engine);
        }
    }

    fn source(&self, engine: &Engine) -> Source {
        let (notice, dead) = match &self.state {
            State::Opened(replay) => return replay.source(engine),
            State::Waits(_) => {
                let why = "nothing is in it yet: waits for what is written (tcpdump -U writes each packet at once)";
                (Some(format!("{}: {why}", self.name)), None)
            }
            State::Failed(why) => (None, Some(why.clone())),
        };
        Source {
            kind: SourceKind::Replay,
            name: self.name.clone(),
            playback: Some(Playback {
                paused: false,
                going: false,
                speed: f64::INFINITY,
                start: None,
                end: None,
                at_end: false,
                growing: dead.is_none(),
                reading: None,
                live: None,
            }),
            track: None,
            notices: notice.into_iter().collect(),
            dead,
            recordings: Default::default(),
        }
    }

    fn is_going(&self) -> bool {
        self.replay().is_some_and(Replay::is_going)
    }

    fn jumps(&self) -> u64 {
        // Another engine is shown once it is open.
        self.replay().map_or(0, |replay| replay.jumps() + 1)
    }

    fn is_damaged(&self) -> bool {
        matches!(self.state, State::Failed(_)) || self.replay().is_some_and(Replay::is_damaged)
    }

    fn segments(&mut self, of: Option<(FlowKey, Timestamp)>) -> Segments {
        if let State::Opened(replay) = &mut self.state { replay.segments(of) } else { Segments::Unknown }
    }
}
