//! Everything up to an instant, seen without a screen: what `report` and `snap` begin with.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::base::Timestamp;
use crate::engine::{Config, Engine};
use crate::export::Damage;
use crate::ui::Source;

use super::cli::Input;
use super::feed::Feed;
use super::origin::Origin;
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
    /// What of the request could not be met to the letter.
    pub(super) note: Option<String>,
}

impl Seen {
    /// A source that ended before its time is damage too: what it gave before was used.
    pub(super) fn outcome(&self) -> Outcome {
        if self.damage.is_some() || self.source.dead.is_some() { Outcome::Damaged } else { Outcome::Done }
    }
}

/// Reads captures (or the demo) up to `at`, or watches this host or a file that grows for `duration`.
pub(super) fn gather(input: &Input, origin: Option<Origin>, duration: Duration, at: Option<&str>) -> Result<Seen> {
    match origin {
        Some(Origin::Demo) if input.write.file.is_some() => Err(anyhow!("-w records a running host, not the demo")),
        Some(Origin::Growing(_)) if at.is_some() => Err(anyhow!("--at is of a capture that is whole")),
        Some(origin @ Origin::Growing(_)) => follow(origin, input, duration),
        Some(origin) => replay(origin, input, at),
        None if at.is_some() => Err(anyhow!("--at needs a capture: -r FILE")),
        None => live(input, duration),
    }
}

fn open(origin: Origin, input: &Input) -> Result<Replay> {
    let configs = [replay_config(input.flows), Config { keep_closed: None, ..live_config(input.flows) }];
    Replay::open(origin, input.filter(), configs, f64::INFINITY, 0)
}

fn replay(origin: Origin, input: &Input, at: Option<&str>) -> Result<Seen> {
    let mut replay = open(origin.clone(), input)?;
    let mut engine = Engine::new(replay.config());
    let until = at.map(|at| snap::instant(at, replay.start())).transpose()?;
    replay.run(&mut engine, until);
    let damage = replay.damage();
    let note = until.and_then(|until| outside(until, replay.start(), engine.now()));
    // Nothing plays: what is told is the instant, and the window in the footer.
    let source = Source { playback: None, track: None, ..replay.source(&engine) };
    let origin = Some(origin).filter(Origin::can_reopen);
    Ok(Seen { source, engine, damage, origin, note, recorded: Vec::new() })
}

/// What is in a file, and what is written into it for `duration`, which begins once that was read.
fn follow(origin: Origin, input: &Input, duration: Duration) -> Result<Seen> {
    let mut replay = open(origin, input)?;
    let mut engine = Engine::new(replay.config());
    let interrupted = interrupts()?;
    let mut end = None;
    while !is_set(&interrupted) && !replay.is_damaged() {
        let all_is_given = replay.has_waited();
        let rest = replay.pump(&mut engine);
        if all_is_given && !rest.is_zero() {
            end = end.or_else(|| Some(Instant::now() + duration));
        }
        let left = end.map_or(rest, |end: Instant| end.saturating_duration_since(Instant::now()));
        if end.is_some() && left.is_zero() {
            break;
        }
        thread::sleep(rest.min(left));
    }
    replay.stop_waiting(&mut engine);
    let source = Source { playback: None, track: None, ..replay.source(&engine) };
    Ok(Seen { source, engine, damage: replay.damage(), origin: None, note: None, recorded: Vec::new() })
}

/// What is told of an instant that the capture does not reach: it was read to its end, `end`, on the way there.
fn outside(at: Timestamp, start: Option<Timestamp>, end: Option<Timestamp>) -> Option<String> {
    let (start, end) = (start?, end.unwrap_or(at));
    if at < start {
        return Some(format!(
            "--at is {:.3} s before the capture begins: nothing had been seen",
            start.since(at).as_secs_f64()
        ));
    }
    let late = (at > end).then(|| at.since(end).as_secs_f64())?;
    let whole = end.since(start).as_secs_f64();
    Some(format!("--at is {late:.3} s after the capture ends: its end is drawn, {whole:.3} s from its start"))
}

fn live(input: &Input, duration: Duration) -> Result<Seen> {
    // Before anything is made that outlives a process that is merely killed.
    let interrupted = interrupts()?;
    let mut feed = live_feed(input, !input.interfaces.is_empty(), None, None)?;
    let mut engine = Engine::new(Config { keep_closed: None, ..live_config(input.flows) });
    let end = Instant::now() + duration;
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
    Ok(Seen { source: feed.source(&engine), engine, damage: None, origin: None, note: None, recorded })
}
