//! Everything up to an instant, seen without a screen: what `report` and `snap` begin with.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow};
use jiff::tz::TimeZone;

use crate::base::{Mark, Timestamp};
use crate::engine::{Config, Engine};
use crate::export::Damage;
use crate::ui::{Ground, Nowhere, Source};

use super::cli::Input;
use super::feed::Feed;
use super::large_pages;
use super::opening::Opening;
use super::origin::Origin;
use super::record::Recorded;
use super::replay::Replay;
use super::{Outcome, SOON, interrupts, is_set, live_config, live_feed, replay_config, watch_config};

/// How often it is looked whether somebody interrupts.
const REST: Duration = Duration::from_millis(50);

/// An engine that has seen all that was asked for.
pub(super) struct Seen {
    pub(super) engine: Engine,
    pub(super) source: Source,
    /// What was marked, in order of time.
    pub(super) marks: Vec<Mark>,
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

    /// Says on stderr what there is to know about the source: where it is damaged, why it ended.
    pub(super) fn say(&self) -> io::Result<()> {
        let mut notices = self.source.dead.iter().chain(&self.source.notices);
        notices.try_for_each(|notice| writeln!(io::stderr(), "sockscope: {notice}"))
    }
}

/// Reads captures (or the demo) up to `at`, or watches this host or a file that grows for `duration`.
pub(super) fn gather(input: &Input, origin: Option<Origin>, duration: Duration, at: Option<&str>) -> Result<Seen> {
    match origin {
        Some(Origin::Demo) if input.write.file.is_some() => Err(anyhow!("-w records a running host, not the demo")),
        Some(Origin::Growing(_)) if at.is_some() => Err(anyhow!("--at is of a capture that is whole")),
        Some(origin @ Origin::Growing(_)) => follow(&origin, input, duration),
        Some(origin) => {
            // Does not return where they are to be had; nothing has been opened yet. Not under a dashboard, whose engine
            // has a thread of its own, to whose memory glibc gives none.
            large_pages::ask_for(&input.read);
            replay(origin, input, at)
        }
        None if at.is_some() => Err(anyhow!("--at needs a capture: -r FILE")),
        None => live(input, duration),
    }
}

fn open(origin: Origin, input: &Input) -> Result<Replay> {
    Opening::now(origin, opener(input))
}

fn opener(input: &Input) -> impl FnOnce(Origin) -> Result<Replay> + Send + 'static {
    let configs = [replay_config(input.flows), Config { keep_closed: None, ..live_config(input.flows) }];
    let filter = input.filter();
    move |origin| Replay::open(origin, filter, configs, f64::INFINITY, 0)
}

fn replay(origin: Origin, input: &Input, at: Option<&str>) -> Result<Seen> {
    let mut replay = open(origin.clone(), input)?;
    let mut engine = Engine::new(replay.config());
    match at {
        Some(at) => run_to(at, &mut replay, &mut engine)?,
        None => replay.run(&mut engine, None),
    }
    Ok(seen(&replay, engine, Some(origin).filter(Origin::can_reopen)))
}

/// What is in a file, and what is written into it for `duration`, which begins once that was read: of an empty one at
/// once.
fn follow(origin: &Origin, input: &Input, duration: Duration) -> Result<Seen> {
    let interrupted = interrupts()?;
    let opening = Opening::start(origin, opener(input))?;
    let (mut opened, mut end) = (opening.wait(SOON)?, None);
    if opened.is_none() {
        opening.tell()?;
        let until = Instant::now() + duration;
        while opened.is_none() && !is_set(&interrupted) && Instant::now() < until {
            opened = opening.wait(REST)?;
        }
        end = Some(until);
    }
    // What there is then tells what is wrong with it.
    let mut replay = opened.map_or_else(|| open(origin.so_far(), input), Ok)?;
    let mut engine = Engine::new(replay.config());
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
    Ok(seen(&replay, engine, None))
}

fn seen(replay: &Replay, engine: Engine, origin: Option<Origin>) -> Seen {
    // Nothing plays: what is told is the instant, and the window in the footer.
    let source = Source { playback: None, track: None, ..replay.source(&engine) };
    let (marks, damage) = (replay.marks().to_vec(), replay.damage());
    Seen { engine, source, marks, damage, origin, recorded: Vec::new() }
}

/// Reads up to the instant that `text` names, by UTC as the pictures tell it. Of a text that is a span or, where the
/// capture is not that long, the time of day, what stood at the earlier one is kept until it is known which.
fn run_to(text: &str, replay: &mut Replay, engine: &mut Engine) -> Result<()> {
    let start = replay.start().context("the capture is empty: it has no start")?;
    let ground = |end| Ground { start: Some(start), end, zone: TimeZone::UTC };
    let at = match ground(None).instant(text) {
        Ok(at) => at,
        Err(why) => return Err(refused(text, &why, replay, engine, start)),
    };
    let earlier = ground(None).otherwise(text).filter(|by_clock| (start..at).contains(by_clock));
    let kept = earlier.map(|earlier| {
        replay.run(engine, Some(earlier));
        (earlier, engine.fork())
    });
    replay.run(engine, Some(at));
    let end = if replay.is_at_end() { engine.now() } else { None };
    match (ground(end).instant(text), kept) {
        (Ok(found), Some((earlier, then))) if found == earlier => *engine = then,
        (Ok(_), _) => {}
        (Err(why), _) => return Err(refused(text, &why, replay, engine, start)),
    }
    Ok(())
}

/// Why an instant is not drawn; of one beside the capture, what that spans.
fn refused(text: &str, why: &Nowhere, replay: &mut Replay, engine: &mut Engine, start: Timestamp) -> Error {
    if !matches!(why, Nowhere::Outside(_)) {
        return anyhow!("--at {text:?} is no time: {why}");
    }
    replay.run(engine, None);
    let end = engine.now().unwrap_or(start);
    let clock = |at: Timestamp| jiff::Timestamp::from_nanosecond(at.nanos().into()).map(|at| format!("{at:.3}"));
    let (Ok(from), Ok(to)) = (clock(start), clock(end)) else { return anyhow!("--at {text}: {why}") };
    // Cut, not rounded: what is told can be asked for.
    let millis = end.since(start).as_millis();
    let whole = format!("{}.{:03} s", millis / 1000, millis % 1000);
    anyhow!("--at {text}: {why}: the capture spans {whole}, from {from} to {to}")
}

fn live(input: &Input, duration: Duration) -> Result<Seen> {
    // Before anything is made that outlives a process that is merely killed.
    let interrupted = interrupts()?;
    let mut feed = live_feed(input, !input.interfaces.is_empty(), None, None)?;
    let mut engine = Engine::new(Config { keep_closed: None, ..watch_config(input) });
    let end = Instant::now() + duration;
    loop {
        let rest = feed.pump(&mut engine);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || is_set(&interrupted) {
            break;
        }
        thread::sleep(rest.min(left));
    }
    feed.finish(|inputs| engine.feed_batch(inputs));
    let recorded = feed.tape().finish();
    Ok(Seen { source: feed.source(&engine), engine, marks: Vec::new(), damage: None, origin: None, recorded })
}
