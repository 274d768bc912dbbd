//! A followed file or a stream that holds no packet so far, and perhaps nothing at all: whoever waits for it is told so.

use std::io::{IsTerminal, Write};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};

use crate::base::Timestamp;
use crate::engine::{Engine, FlowKey};
use crate::ui::{Control, Playback, Segments, Source, SourceKind};

use super::feed::Feed;
use super::origin::Origin;
use super::replay::Replay;

/// How often it is looked whether it is open.
const REST: Duration = Duration::from_millis(50);
/// A stream that is silent for so long is told of: what begins it may have to ask for a password first.
const SILENT: Duration = Duration::from_secs(3);

/// A capture that cannot be opened before something is written into it.
pub(super) struct Opening {
    origin: Origin,
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
    pub(super) fn start(origin: &Origin, open: impl FnOnce(Origin) -> Result<Replay> + Send + 'static) -> Result<Self> {
        let (send, opened) = bounded(1);
        let of = origin.clone();
        let run = move || drop(send.send(open(of)));
        thread::Builder::new().name("opening".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { origin: origin.clone(), state: State::Waits(opened) })
    }

    /// Waits at most so long until it is open; `None` where it is not yet.
    ///
    /// # Errors
    /// Where it cannot be played.
    pub(super) fn wait(&self, patience: Duration) -> Result<Option<Replay>> {
        let State::Waits(opened) = &self.state else { return Ok(None) };
        match opened.recv_timeout(patience) {
            Ok(opened) => opened.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!(self.died()),
        }
    }

    fn died(&self) -> String {
        format!("{}: the opening thread died", self.origin.name())
    }

    /// Opens it, however long that takes; of a stream that is silent somebody at a terminal is told.
    ///
    /// # Errors
    /// Where it cannot be played.
    pub(super) fn now(origin: Origin, open: impl FnOnce(Origin) -> Result<Replay> + Send + 'static) -> Result<Replay> {
        if !origin.is_stream() {
            return open(origin);
        }
        let opening = Self::start(&origin, open)?;
        let mut told = false;
        loop {
            if let Some(replay) = opening.wait(SILENT)? {
                return Ok(replay);
            }
            if !std::mem::replace(&mut told, true) {
                opening.tell()?;
            }
        }
    }

    /// Tells somebody at a terminal what is waited for.
    pub(super) fn tell(&self) -> Result<()> {
        let mut stderr = std::io::stderr();
        if stderr.is_terminal() {
            writeln!(stderr, "sockscope: {}; Ctrl-C ends that", self.waits())?;
        }
        Ok(())
    }

    /// What is waited for.
    fn waits(&self) -> String {
        let what = if self.origin.length() == Some(0) { "nothing" } else { "no packet" };
        let why = "waits for what is written (tcpdump -U writes each packet at once)";
        format!("{}: {what} is in it yet: {why}", self.origin.name())
    }

    const fn replay(&self) -> Option<&Replay> {
        if let State::Opened(replay) = &self.state { Some(replay) } else { None }
    }

    /// Looks whether it is open; the engine is that of what turned out to be in it.
    fn look(&mut self, engine: &mut Engine) {
        let State::Waits(opened) = &self.state else { return };
        self.state = match opened.try_recv() {
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => State::Failed(self.died()),
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
            State::Waits(_) => (Some(self.waits()), None),
            State::Failed(why) => (None, Some(why.clone())),
        };
        Source {
            kind: SourceKind::Replay,
            name: self.origin.name(),
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
            of_host: false,
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
