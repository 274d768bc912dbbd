//! Commands, threads, channels: the wiring of all rooms. No logic here that is worth a unit test of its own.

mod capture;
mod cli;
mod driver;
mod elsewhere;
mod feed;
mod gather;
mod ladder;
mod large_pages;
mod line;
mod live;
mod looks;
mod losses;
mod marks;
mod meter;
mod opening;
mod origin;
mod parts;
mod passed_over;
mod privileges;
mod read;
mod record;
mod replay;
mod report;
mod reread;
mod rewind;
mod sampling;
mod screen;
mod sealing;
mod snap;
mod steer;
mod tape;
mod trace;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::Parser;

use crate::engine::{Config, Engine};
use crate::io::TraceError;
use crate::io::capture::{CaptureError, CaptureSettings};
use crate::journal::Reach;

use cli::{ANY, Cli, Command, Input, Look, SeverityChoice};
use driver::Driver;
use live::Live;
use looks::Looks;
use opening::Opening;
use origin::Origin;
use record::Wanted;
use replay::Replay;
use rewind::Rewind;

/// Room for the headers of a frame, before a payload that is to be recorded.
const HEADERS: u32 = 192;
const MAX_SNAPLEN: u32 = 262_144;
/// A file that grows is open by then, if a packet is in it.
const SOON: std::time::Duration = std::time::Duration::from_millis(200);

/// How a command ended, if it did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The input was damaged; everything before the damage was used.
    Damaged,
    /// The report found something at or above what `--fail-on` asks for, damaged or not.
    Found,
}

/// Runs the command line; the exit code says how it went.
pub fn main() -> ExitCode {
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let input = match &mut cli.command {
        Some(Command::Report(options)) => &mut options.input,
        Some(Command::Snap(options)) => &mut options.input,
        Some(Command::Record(options)) => &mut options.input,
        Some(Command::Demo(_)) | None => &mut cli.input,
    };
    match origin::take_files(input).and_then(|()| run(&cli)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Damaged) => ExitCode::from(2),
        Ok(Outcome::Found) => ExitCode::from(4),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do if stderr is gone too.
            // What the user typed may be a name that someone else chose: nothing in it may act on the terminal.
            let _unheard = writeln!(std::io::stderr(), "sockscope: {}", crate::base::scrub(&format!("{error:#}")));
            ExitCode::from(if is_refusal(&error) { 3 } else { 1 })
        }
    }
}

/// Help and the version are no failure; the rest is 1, since clap's own 2 would say that the input is damaged.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _unheard = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let lines: Vec<String> = text.lines().map(crate::base::scrub).collect();
    let _unheard = writeln!(std::io::stderr(), "{}", lines.join("\n").trim_end());
    ExitCode::from(1)
}

fn run(cli: &Cli) -> Result<Outcome> {
    match &cli.command {
        Some(Command::Report(options)) => report::run(options),
        Some(Command::Snap(options)) => snap::run(options),
        Some(Command::Record(options)) => record::run(options),
        Some(Command::Demo(options)) => dashboard(cli, Some(Origin::Demo), &options.look),
        None => {
            cli.input.check_for_command()?;
            dashboard(cli, Origin::of(&cli.input.read, cli.follow.follow)?, &cli.look)
        }
    }
}

/// The dashboard over a capture, the demo or this host; without a terminal on stdout the text report instead.
fn dashboard(cli: &Cli, origin: Option<Origin>, look: &Look) -> Result<Outcome> {
    let input = &cli.input;
    if !can_draw() {
        return report::instead_of_dashboard(input, origin);
    }
    let Some(origin) = origin else { return live_dashboard(cli, look) };
    let looks = Looks::of(look).for_terminal();
    let configs = [replay_config(input.flows), live_config(input.flows)];
    // The demo is a story to be watched; of a file one wants to see all, and may then go back.
    let speed = if origin == Origin::Demo { 1.0 } else { f64::INFINITY };
    let (filter, memory) = (input.filter(), cli.seek_memory);
    let open = move |origin| Replay::open(origin, filter, configs, speed, memory);
    let play = |replay: Replay| Driver::start(Engine::new(replay.config()), Box::new(replay));
    let driver = if matches!(origin, Origin::Growing(_)) {
        let opening = Opening::start(&origin, open)?;
        match opening.wait(SOON)? {
            Some(replay) => play(replay)?,
            None => Driver::start(Engine::new(configs[0]), Box::new(opening))?,
        }
    } else {
        play(Opening::now(origin, open)?)?
    };
    screen::run(&driver, &looks, look.view.shown())
}

fn live_dashboard(cli: &Cli, look: &Look) -> Result<Outcome> {
    let input = &cli.input;
    if input.write.is_to_stdout() {
        anyhow::bail!("the dashboard has the terminal: sockscope record -w - streams to stdout");
    }
    let looks = Looks::of(look).for_terminal();
    let live = live_feed(input, !input.interfaces.is_empty(), cli.ring.ring, cli.ring.dump_on)?;
    let engine = Engine::new(watch_config(input));
    let driver = match cli.rewind {
        0 => Driver::start(engine, Box::new(live))?,
        memory => Driver::start(engine, Box::new(Rewind::new(live, memory)))?,
    };
    let shown = screen::run(&driver, &looks, look.view.shown());
    let recorded = driver.end();
    record::tell(&recorded, shown)
}

/// Whether stdout is a terminal that can do more than print lines.
fn can_draw() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Starts to watch this host. `strict`: no packets is an error, not a notice.
fn live_feed(input: &Input, strict: bool, ring: Option<Reach>, dump_on: Option<SeverityChoice>) -> Result<Live> {
    let devices = if input.interfaces.is_empty() { vec![ANY.to_owned()] } else { input.interfaces.clone() };
    let settings: Vec<CaptureSettings> = devices
        .into_iter()
        .map(|device| CaptureSettings {
            device,
            snaplen: input.snaplen.max(input.write.payload.saturating_add(HEADERS)).min(MAX_SNAPLEN),
            buffer_kib: input.buffer_kib,
            filter: input.filter(),
        })
        .collect();
    let wanted = Wanted {
        file: input.write.file.clone(),
        replace: input.write.force,
        payload: input.write.payload,
        ring,
        dump_on: dump_on.map(Into::into),
    };
    Live::start(&settings, strict, input.sockets.into(), input.owners, wanted)
}

/// A dashboard forgets after a while what is over; a report tells all that it has seen.
fn live_config(flows: usize) -> Config {
    Config::live(flows, seed())
}

/// The same for the interfaces that are asked for.
fn watch_config(input: &Input) -> Config {
    Config { repeats: input.repeats(), ..live_config(input.flows) }
}

fn replay_config(flows: usize) -> Config {
    Config::replay(flows, seed())
}

/// A key for the flow table's hash that no sender of packets can know.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// A flag that SIGINT, SIGTERM and SIGHUP set, for commands that watch for a while: they then print what they have.
fn interrupts() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second signal ends the program at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, flag.clone())?;
        signal_hook::flag::register(signal, flag.clone())?;
    }
    // A second one hurries nobody: of a terminal that is gone both the shell and the kernel tell.
    let hang_up = signal_hook::consts::SIGHUP;
    if !crate::io::ignored::is_ignored(hang_up) {
        signal_hook::flag::register(hang_up, flag.clone())?;
    }
    Ok(flag)
}

/// Panics where a test asks for it, to see that the terminal is given back: in builds with debug assertions,
/// `SOCKSCOPE_TEST_PANIC` names the thread (`engine` and `ui`: at a key for them; `reader`: at the end of the file).
fn panic_if_asked(thread: &str) {
    #[cfg(debug_assertions)]
    if std::env::var_os("SOCKSCOPE_TEST_PANIC").is_some_and(|named| named == thread) {
        panic!("SOCKSCOPE_TEST_PANIC={thread}");
    }
    #[cfg(not(debug_assertions))]
    let _ = thread;
}

fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

fn is_refusal(error: &anyhow::Error) -> bool {
    let by_capture = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<CaptureError>(), Some(CaptureError::NotPermitted { .. }))
    };
    let by_tracefs = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<TraceError>(), Some(TraceError::NotPermitted(_)))
    };
    error.chain().any(|cause| by_capture(cause) || by_tracefs(cause))
}
