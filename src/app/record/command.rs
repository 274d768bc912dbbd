//! `record`: a recording without a dashboard. What is recorded needs no engine; only what waits for a finding does.

use std::io::{IsTerminal, Write};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::app::cli::Record;
use crate::app::live::Live;
use crate::app::{Outcome, interrupts, is_set, live_feed, watch_config};
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
    if input.write.is_to_stdout() && std::io::stdout().is_terminal() {
        bail!(
            "stdout is a terminal, and a recording is nothing to look at there: pipe it (| sockscope -r -), or -w FILE"
        );
    }
    // Before anything is made that outlives a process that is merely killed.
    let interrupted = interrupts()?;
    let mut live = live_feed(input, !input.interfaces.is_empty(), options.ring.ring, options.ring.dump_on)?;
    for notice in live.notices() {
        say(&format!("sockscope: {notice}\n"));
    }
    let end = options.duration.map(|duration| Instant::now() + duration);
    // A ring in memory waits for what it is written out for, and only findings need an engine.
    let mut engine = options.ring.dump_on.map(|_| Engine::new(watch_config(input)));
    // What reads a stream may well draw on the same terminal.
    let streams = input.write.is_to_stdout();
    let status = if streams { Status::default() } else { Status::new() };
    let failures = watch(&mut live, engine.as_mut(), end, &interrupted, status);
    live.finish(|inputs| engine.iter_mut().for_each(|engine| engine.feed_batch(inputs)));
    let (recorded, refused) = match options.ring.ring {
        Some(_) => end_ring(&mut live),
        None => (end_file(&mut live), 0),
    };
    outcome(&recorded, failures + refused, live.died())
}

/// Ends the recording, and sums it up.
fn end_file(live: &mut Live) -> Vec<Recorded> {
    let loss = live.losses();
    let recorded = live.tape().finish();
    recorded.iter().for_each(|recorded| say(&recorded.tally.summary(loss.as_ref())));
    recorded
}

/// Lets the ring go, and sums up what came and what became of it; how often it could not be written at last.
fn end_ring(live: &mut Live) -> (Vec<Recorded>, usize) {
    let loss = live.losses();
    let tape = live.tape();
    tape.dump_due();
    let (held, is_unwritten) = (tape.tally(), tape.holds_unwritten());
    let recorded = tape.finish();
    for recorded in &recorded {
        say(&format!("{}\n", recorded.words()));
    }
    let refused = tell_dumped(live);
    say(&held.map(|held| held.summary(loss.as_ref())).unwrap_or_default());
    match live.tape().has_begun_a_file() {
        false => say("nothing was written: what the ring held is gone\n"),
        true if is_unwritten => say("what the ring held since it was last written is gone\n"),
        true => {}
    }
    (recorded, refused)
}

/// Returns how many times a ring could not be written.
fn watch(
    live: &mut Live,
    mut engine: Option<&mut Engine>,
    end: Option<Instant>,
    stop: &AtomicBool,
    mut status: Status,
) -> usize {
    let (mut failures, mut has_told) = (0, false);
    loop {
        let rest = match &mut engine {
            Some(engine) => live.watch(engine),
            None => live.advance(|_| {}),
        };
        status.show(live);
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() || is_set(stop) || live.tape().has_failed() {
            status.clear();
            return failures;
        }
        if let Some(cramped) = live.tape().cramped().filter(|_| !has_told) {
            status.clear();
            say(&format!("sockscope: {cramped}\n"));
            has_told = true;
        }
        if live.tape().has_dumped() {
            status.clear();
            failures += tell_dumped(live);
        }
        thread::sleep(rest.min(left));
    }
}

/// Says how what was written of a ring went; how often it could not be.
fn tell_dumped(live: &mut Live) -> usize {
    let mut failures = 0;
    while let Some(told) = live.tape().tell_dumped() {
        match told {
            Ok(words) => say(&format!("{words}\n")),
            Err(words) => {
                failures += 1;
                say(&format!("sockscope: {words}\n"));
            }
        }
    }
    failures
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
    say(&format!("sockscope: {why}\n"));
    Ok(Outcome::Damaged)
}

/// On stderr, for stdout may be the recording. A terminal that is gone hears nothing, and what is recorded ends as ever.
fn say(text: &str) {
    let _unheard = std::io::stderr().write_all(text.as_bytes());
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

    fn show(&mut self, live: &mut Live) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + STATUS_EVERY);
        self.shown = true;
        let text = live.tape().tally().map(|tally| format!("{}: {}", tally.name(), tally.words()));
        say(&format!("\r{}\x1b[K", text.unwrap_or_default()));
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            say("\r\x1b[K");
        }
    }
}
