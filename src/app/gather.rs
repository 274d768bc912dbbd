//! Everything up to an instant, seen without a screen: what `report` and `snap` begin with.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::engine::{Config, Engine};
use crate::journal::Damage;
use crate::ui::Source;

use super::cli::Input;
use super::feed::Feed;
use super::read::Origin;
use super::record::Recorded;
use super::replay::Replay;
use super::{Outcome, interrupts, is_set, live_config, live_feed, replay_config, snap};

/// An engine that has seen all that was asked for.
pub(super) struct Seen {
    pub(super) engine: Engine,
    pub(super) source: Source,
    /// The input was damaged: where and how.
    pub(super) damage: Option<Damage>,
    /// What was read, if it can be read again.
    pub(super) origin: Option<Origin>,
    /// What was recorded besides.
    pub(super) recorded: Vec<Recorded>,
}

impl Seen {
    /// A source that ended before its time is damage too: what it gave before was used.
    pub(super) fn outcome(&self) -> Outcome {
        if self.damage.is_some() || self.source.dead.is_some() { Outcome::Damaged } else { Outcome::Done }
    }
}

/// Reads a capture (or the demo) up to `at`, or watches this host for `duration`.
pub(super) fn gather(input: &Input, demo: bool, duration: Duration, at: Option<&str>) -> Result<Seen> {
    match (&input.read, demo) {
        (None, true) if input.write.file.is_some() => Err(anyhow!("-w records a running host, not the demo")),
        (Some(path), _) => replay(Origin::File(path.clone()), input, at),
        (None, true) => replay(Origin::Demo, input, at),
        (None, false) if at.is_some() => Err(anyhow!("--at needs a capture: -r FILE")),
        (None, false) => live(input, duration),
    }
}

fn replay(origin: Origin, input: &Input, at: Option<&str>) -> Result<Seen> {
    let config = replay_config(input.flows);
    let mut engine = Engine::new(config);
    let mut replay = Replay::open(origin.clone(), input.filter(), config, f64::INFINITY)?;
    let until = at.map(|at| snap::instant(at, replay.start())).transpose()?;
    replay.run(&mut engine, until);
    let damage = replay.damage().cloned();
    // Nothing plays: what is told is the instant, and the window in the footer.
    let source = Source { playback: None, ..replay.source(&engine) };
    let origin = Some(origin).filter(Origin::can_reopen);
    Ok(Seen { source, engine, damage, origin, recorded: Vec::new() })
}

fn live(input: &Input, duration: Duration) -> Result<Seen> {
    let mut feed = live_feed(input, !input.interfaces.is_empty(), None, None)?;
    let mut engine = Engine::new(Config { keep_closed: None, ..live_config(input.flows) });
    let end = Instant::now() + duration;
    let interrupted = interrupts()?;
    loop {
        let rest = feed.pump(&mut engine);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || is_set(&interrupted) {
            break;
        }
        thread::sleep(rest.min(left));
    }
    feed.finish(|input| engine.feed(input));
    let recorded = feed.tape().finish();
    Ok(Seen { source: feed.source(&engine), engine, damage: None, origin: None, recorded })
}
