//! The dashboard over a long made capture, as a user has it: the first screen, the whole of it indexed beside what
//! `report` takes, seeks to random instants, peak memory. Each is printed beside what it may be.
//!
//! The capture is made in a temporary directory; SOCKSCOPE_BENCH_SEGMENTS (5,000,000) tells how long it is, or
//! SOCKSCOPE_BENCH_CAPTURE names another.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/pty.rs"]
mod pty;
#[path = "../support/talk.rs"]
mod talk;

use pty::Pty;

/// Flows that are open at a time.
const OPEN: usize = 20_000;
const SEEKS: usize = 60;
const FIRST: Duration = Duration::from_millis(300);
const SEEK: Duration = Duration::from_millis(200);
const MEMORY_MIB: u64 = 1024;
/// Times of `report`.
const INDEXED: f64 = 1.3;

fn main() -> std::io::Result<()> {
    if !bench::is_asked_for() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let capture = match std::env::var_os("SOCKSCOPE_BENCH_CAPTURE") {
        Some(path) => PathBuf::from(path),
        None => {
            let path = folder.path().join("talk.pcap");
            talk::make_talk(&path, bench::number("SOCKSCOPE_BENCH_SEGMENTS", 5_000_000), OPEN)?;
            path
        }
    };
    let path = capture.to_str().expect("a plain name");
    let report = report(path);
    let begun = Instant::now();
    let mut pty = Pty::start(pty::sockscope(&["-r", path]), 120, 40);
    pty.shows(&["Handshakes", " flows"]);
    told("first screen", begun.elapsed(), FIRST);
    pty.shows(&["at the end"]);
    let indexed = begun.elapsed();
    let times = indexed.as_secs_f64() / report.as_secs_f64();
    println!("  {:24} {:8.2} s   {times:.2} × report, of {INDEXED}", "indexed", indexed.as_secs_f64());
    let whole = length(&pty.text());
    let before = pty::process(pty.pid()).expect("it runs").1;
    let mut seeks: Vec<Duration> = (0..SEEKS).map(|number| seek(&mut pty, whole, number as u64)).collect();
    seeks.sort();
    told("seek, in the middle", seeks[SEEKS / 2], SEEK);
    told("seek, the longest", seeks[SEEKS - 1], SEEK);
    // On a machine that does other things besides, this counts.
    let each = pty::process(pty.pid()).expect("it runs").1.saturating_sub(before) / SEEKS as u32;
    println!("  {:24} {:8.0} ms of a processor", "seek, on the average", each.as_secs_f64() * 1e3);
    let status = std::fs::read_to_string(format!("/proc/{}/status", pty.pid()))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    println!("  {:24} {:8} MiB of {MEMORY_MIB}", "peak memory", peak.unwrap_or(0_u64) / 1024);
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 0);
    Ok(())
}

fn told(what: &str, took: Duration, most: Duration) {
    println!("  {what:24} {:8.0} ms of {}", took.as_secs_f64() * 1e3, most.as_millis());
}

fn report(path: &str) -> Duration {
    let begun = Instant::now();
    let mut report = Command::new(env!("CARGO_BIN_EXE_sockscope"));
    report.args(["report", "-r", path]).stdout(Stdio::null());
    assert!(report.status().expect("it runs").success());
    let took = begun.elapsed();
    println!("\n  {:24} {:8.2} s", "report", took.as_secs_f64());
    took
}

/// Tenths of seconds of the whole capture: the header tells `0:17.5 / 0:17.5`.
fn length(screen: &str) -> u64 {
    let (_, whole) = screen.lines().find_map(|line| line.split_once(" / ")).expect("how long it is");
    let (minutes, rest) = whole.trim().split_once(':').expect("minutes");
    let seconds: f64 = rest.split_whitespace().next().expect("seconds").parse().expect("a number");
    minutes.parse::<u64>().expect("a number") * 600 + (seconds * 10.0) as u64
}

/// How long it takes from the key to the screen of a random instant.
fn seek(pty: &mut Pty, whole: u64, number: u64) -> Duration {
    let random = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    // In the middle of a tenth, each time in another than before.
    let tenth = (random % (whole - 1) / 2) * 2 + number % 2;
    let place = format!("{}:{:02}.{} /", tenth / 600, tenth / 10 % 60, tenth % 10);
    pty.keys(&format!("t{}.{}5", tenth / 10, tenth % 10));
    pty.shows(&["to time: "]);
    let begun = Instant::now();
    pty.keys("\r");
    pty.wait(&place, |screen| {
        let text = screen.contents();
        text.contains(&place) && text.contains("paused")
    });
    begun.elapsed()
}
