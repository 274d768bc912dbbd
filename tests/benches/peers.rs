//! `sockscope report` beside tcpdump, tcptrace and tshark on the same made captures, in one run, where they are
//! installed: time, peak memory, ratios. A machine is noisy: the ratios count.
//!
//! Captures are made in a temporary directory. SOCKSCOPE_BENCH_SEGMENTS (5,000,000) tells how long they are.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/talk.rs"]
mod talk;

use talk::{ACK, Pcap, SYN, make_talk};

/// Flows that are open at a time.
const OPEN: usize = 20_000;
/// Established flows planted before a flood.
const PLANTED: u16 = 1_000;
const RUNS: usize = 3;

fn main() -> std::io::Result<()> {
    if !bench::is_asked_for() {
        return Ok(());
    }
    let segments: u32 = bench::number("SOCKSCOPE_BENCH_SEGMENTS", 5_000_000);
    let dir = tempfile::tempdir()?;
    let [talk, tenth, flood] = ["talk.pcap", "tenth.pcap", "flood.pcap"].map(|name| dir.path().join(name));
    make_talk(&talk, segments, OPEN)?;
    make_talk(&tenth, segments / 10, OPEN / 10)?;
    make_flood(&flood, segments.saturating_mul(2))?;
    println!("\n{segments} segments of {OPEN} flows at a time");
    let copy = run(&tcpdump(&talk), 1);
    let text = run(&ours(&talk, "text"), 1);
    compare("tcpdump -w /dev/null", copy, text);
    compare("report, text", text, text);
    compare("report, ndjson", run(&ours(&talk, "ndjson"), 1), text);
    compare("tcptrace", run(&["tcptrace", "-n", path(&talk)].map(str::to_owned), 1), text);
    let tshark = ["tshark", "-n", "-q", "-r", path(&tenth), "-z", "conv,tcp"].map(str::to_owned);
    compare("tshark (a tenth, × 10)", run(&tshark, 10), text);
    println!("{} SYNs, each from another address, after {PLANTED} established flows", segments.saturating_mul(2));
    let (copy, text) = (run(&tcpdump(&flood), 1), run(&ours(&flood, "text"), 1));
    compare("tcpdump -w /dev/null", copy, text);
    compare("report, text", text, text);
    Ok(())
}

fn ours(capture: &Path, format: &str) -> [String; 6] {
    [env!("CARGO_BIN_EXE_sockscope"), "report", "-r", path(capture), "--format", format].map(str::to_owned)
}

fn tcpdump(capture: &Path) -> [String; 5] {
    ["tcpdump", "-r", path(capture), "-w", "/dev/null"].map(str::to_owned)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary directory's plain name")
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: Duration,
    peak_kib: u64,
}

/// The quickest of a few runs, times `scale`; `None` where the program is not installed.
fn run(command: &[String], scale: u32) -> Option<Took> {
    let once = || {
        let begun = Instant::now();
        let mut child =
            Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let status = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0;
        let ended = loop {
            if let Some(ended) = child.try_wait().ok()? {
                break ended;
            }
            let told = std::fs::read_to_string(&status).unwrap_or_default();
            let peak =
                told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
            peak_kib = peak.unwrap_or(0).max(peak_kib);
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(ended.success(), "{command:?} ended with {ended}");
        Some(Took { wall: begun.elapsed() * scale, peak_kib })
    };
    let runs = if scale == 1 && command[0] != "tcptrace" { RUNS } else { 1 };
    (0..runs).filter_map(|_| once()).min_by_key(|took| took.wall)
}

fn compare(what: &str, took: Option<Took>, ours: Option<Took>) {
    match (took, ours) {
        (Some(took), Some(ours)) => println!(
            "  {what:24} {:8.2} s {:7} MiB   {:6.2} × the text report's time",
            took.wall.as_secs_f64(),
            took.peak_kib / 1024,
            took.wall.as_secs_f64() / ours.wall.as_secs_f64()
        ),
        _ => println!("  {what:24} not installed"),
    }
}

fn make_flood(path: &Path, syns: u32) -> std::io::Result<()> {
    let mut pcap = Pcap::create(path)?;
    let server = (0xc000_0201, 80);
    for port in 0..PLANTED {
        let client = (0xc633_6407, 1024 + port);
        pcap.put([client, server], SYN, [1, 0], 0)?;
        pcap.put([server, client], SYN | ACK, [1, 2], 0)?;
        pcap.put([client, server], ACK, [2, 2], 0)?;
    }
    for n in 0..syns {
        pcap.micros += 1;
        pcap.put([(0x0a00_0000_u32.wrapping_add(n), 7), server], SYN, [n.wrapping_mul(2_654_435_761), 0], 0)?;
    }
    pcap.out.flush()
}
