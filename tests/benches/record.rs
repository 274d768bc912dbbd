//! `sockscope record` beside `tcpdump -w` under the same load on the loopback of a namespace, in turn in one run: what
//! each dropped, and the processor time that each took. A machine is noisy: the ratios count.
//!
//! Needs root and network namespaces. SOCKSCOPE_BENCH_RATE (300,000) is the packets a second that are offered,
//! SOCKSCOPE_BENCH_SECONDS (5) for how long.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/blast.rs"]
mod blast;
#[path = "../support/netns.rs"]
mod netns;
#[path = "../support/threads.rs"]
mod threads;

use netns::{Netns, alone};
use threads::Threads;

/// Connections that the packets belong to.
const FLOWS: u16 = 1_000;
/// Rounds of each, of which the best counts.
const ROUNDS: usize = 3;
/// The same for both: bytes kept of a frame, and the ring.
const SETTINGS: [&str; 4] = ["-s", "256", "-B", "32768"];

fn main() {
    if !bench::is_asked_for() {
        return;
    }
    let Some(_alone) = alone() else { return };
    let (rate, seconds) = bench::load(5);
    let netns = Netns::new("bench");
    println!("\n{rate} packets a second on loopback for {seconds} s");
    let (mut tcpdump, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        tcpdump.extend(measure(&netns, "tcpdump", &["-n"], rate, seconds));
        ours.extend(measure(&netns, env!("CARGO_BIN_EXE_sockscope"), &["record"], rate, seconds));
    }
    let best = |rounds: Vec<Took>| rounds.into_iter().min_by_key(|took| (took.dropped, took.each()));
    let (tcpdump, ours) = (best(tcpdump), best(ours));
    for (what, took) in [("tcpdump -w", &tcpdump), ("sockscope record", &ours)] {
        match took {
            Some(took) => println!(
                "  {what:18} {:9} sent {:9} captured {:8} dropped {:7.1} ms of CPU  {:6.1} MB",
                took.sent,
                took.captured,
                took.dropped,
                millis(took.threads.sum()),
                took.bytes as f64 / 1e6
            ),
            None => println!("  {what:18} not installed"),
        }
        let threads = took.iter().flat_map(|took| took.threads.each());
        threads.for_each(|(name, time)| println!("    {name:12} {:7.1} ms", millis(time)));
    }
    if let (Some(tcpdump), Some(ours)) = (tcpdump, ours) {
        println!("  {:.2} × tcpdump's CPU a packet", ours.each() as f64 / tcpdump.each() as f64);
    }
}

#[derive(Debug)]
struct Took {
    sent: u64,
    captured: u64,
    /// By the kernel or by the program.
    dropped: u64,
    bytes: u64,
    threads: Threads,
}

impl Took {
    fn each(&self) -> u128 {
        self.threads.for_each_of(self.captured)
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn measure(netns: &Netns, program: &str, options: &[&str], rate: u64, seconds: u64) -> Option<Took> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("load.pcap");
    let mut command = netns.command(program);
    command.args(options).args(["-i", "lo", "-w"]).arg(&file).args(SETTINGS);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
    await_begin(&mut child, &file)?;
    let sent = netns.run(|| blast::send(FLOWS, rate, Duration::from_secs(seconds)));
    // What is still in the ring is taken.
    std::thread::sleep(Duration::from_millis(1_500));
    let threads = Threads::of(child.id())?;
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is told to end");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = |words: &str| {
        let line = said.lines().find(|line| line.contains(words))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let lost = ["dropped by kernel", "lost by sockscope"].iter().filter_map(|words| count(words)).sum();
    let bytes = file.metadata().expect("the file").len();
    Some(Took { sent, captured: count("captured").expect("a sum"), dropped: lost, bytes, threads })
}

/// Both have written their file's head once they capture; tcpdump writes it late, so its socket tells.
fn await_begin(child: &mut Child, file: &Path) -> Option<()> {
    let begun = Instant::now();
    while !file.exists() {
        if child.try_wait().ok()?.is_some() || begun.elapsed() > Duration::from_secs(10) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(500));
    Some(())
}
