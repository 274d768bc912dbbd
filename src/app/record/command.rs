//! `record`: a recording without a dashboard. What is recorded needs no engine; only what waits for a finding does.

use std::io::{IsTerminal, Write};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::app::cli::Record;
use crate::app::live::Live;
use crate::app::{Outcome, interrupts, is_set, live_config, live_feed};
use crate::engine::Engine;

use super::Recorded;

/// How often the line on a terminal is written anew.
const STATUS_EVERY: Duration = Duration::from_millis(500);

/// Records until it is told to stop, the time is over or nothing more can be written.
pub(in crate::app) fn run(options: &Record) -> Result<Outcome> {
    let input = &options.input;
    input.check_for_command()?;
    if input.write.file.is_none() {
        bail!("where to? -w FILE, or -w - for stdout");
    }
    let mut live = live_feed(input, !input.interfaces.is_empty(), options.ring.ring, options.ring.dump_on)?;
    for notice in live.notices() {
        say(&format!("sockscope: {notice}\n"))?;
    }
    let interrupted = interrupts()?;
    let end = options.duration.map(|duration| Instant::now() + duration);
    // A ring in memory waits for what it is written out for, and only findings need an engine.
    let mut engine = options.ring.dump_on.map(|_| Engine::new(live_config(input.flows)));
    // What reads a stream may well draw on the same terminal.
    let streams = input.write.is_to_stdout();
    let status = if streams { Status::default() } else { Status::new() };
    let failures = watch(&mut live, engine.as_mut(), end, &interrupted, status)?;
    live.finish(|input| engine.iter_mut().for_each(|engine| engine.feed(input)));
    let loss = live.losses();
    let recorded = live.tape().finish();
    for recorded in &recorded {
        say(&recorded.summary(loss.as_ref()))?;
    }
    if !live.tape().has_begun_a_file() {
        say("nothing was written: what the ring held is gone\n")?;
    }
    outcome(&recorded, failures, live.died())
}

/// Returns how many times a ring could not be written.
fn watch(
    live: &mut Live,
    mut engine: Option<&mut Engine>,
    end: Option<Instant>,
    stop: &AtomicBool,
    mut status: Status,
) -> Result<usize> {
    let mut failures = 0;
    loop {
        let rest = match &mut engine {
            Some(engine) => live.watch(engine),
            None => live.advance(|_| {}),
        };
        status.show(live)?;
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() || is_set(stop) || live.tape().has_failed() {
            return status.clear().map(|()| failures);
        }
        while let Some(told) = live.tape().tell_dumped() {
            status.clear()?;
            match told {
                Ok(words) => say(&format!("{words}\n"))?,
                Err(words) => {
                    failures += 1;
                    say(&format!("sockscope: {words}\n"))?;
                }
            }
        }
        thread::sleep(rest.min(left));
    }
}

fn outcome(recorded: &[Recorded], failures: usize, died: Option<&str>) -> Result<Outcome> {
    if let Some(recorded) = recorded.iter().find(|recorded| recorded.failed.is_some()) {
        return Err(anyhow!("{}", recorded.words()));
    }
    match failures {
        0 => {}
        1 => bail!("the ring could not be written when that was asked for, as said above"),
        _ => bail!("{failures} times the ring could not be written, as said above"),
    }
    let Some(why) = died else { return Ok(Outcome::Done) };
    say(&format!("sockscope: {why}\n"))?;
    Ok(Outcome::Damaged)
}

/// On stderr, for stdout may be the recording.
fn say(text: &str) -> Result<()> {
    Ok(std::io::stderr().write_all(text.as_bytes())?)
}

/// The line on a terminal.
#[derive(Default)]
struct Status {
    /// `None` where nobody would see it.
    next: Option<Instant>,
    shown: bool,
}

impl Status {
    fn new() -> Self {
        let seen = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { next: seen.then(Instant::now), shown: false }
    }

    fn show(&mut self, live: &mut Live) -> Result<()> {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return Ok(());
        }
        self.next = Some(now + STATUS_EVERY);
        self.shown = true;
        let text = live.tape().tally().map(|tally| format!("{}: {}", tally.name(), tally.words()));
        say(&format!("\r{}\x1b[K", text.unwrap_or_default()))
    }

    fn clear(&mut self) -> Result<()> {
        if std::mem::take(&mut self.shown) { say("\r\x1b[K") } else { Ok(()) }
    }
}
