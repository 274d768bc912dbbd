//! `sockscope record` beside `tcpdump -w` under the same load on the loopback of a namespace, one after the other in
//! one run: what each dropped, and the processor time that each took. A machine is noisy: the ratios count.
//!
//! Needs root and network namespaces. SOCKSCOPE_BENCH_RATE (300,000) is the packets a second that are offered,
//! SOCKSCOPE_BENCH_SECONDS (5) for how long.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use pcap::Capture;
use rustix::process::{Pid, Signal, kill_process};

#[path = "../support/netns.rs"]
mod netns;

use netns::{Netns, alone};

/// Connections that the packets belong to.
const FLOWS: u32 = 1_000;
const PAYLOAD: usize = 100;
/// Rounds of each, of which the best counts.
const ROUNDS: usize = 3;
/// The same for both: bytes kept of a frame, and the ring.
const SETTINGS: [&str; 4] = ["-s", "256", "-B", "32768"];

fn main() {
    // `cargo test --benches` runs it too, with nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let Some(_alone) = alone() else { return };
    let number = |name, usual| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (rate, seconds) = (number("SOCKSCOPE_BENCH_RATE", 300_000), number("SOCKSCOPE_BENCH_SECONDS", 5));
    let netns = Netns::new("bench");
    println!("\n{rate} packets a second on loopback for {seconds} s");
    let run = |program: &str, options: &[&str]| {
        let rounds = (0..ROUNDS).filter_map(|_| measure(&netns, program, options, rate, seconds));
        rounds.min_by_key(|took| (took.dropped, took.cpu))
    };
    let tcpdump = run("tcpdump", &["-n"]);
    let ours = run(env!("CARGO_BIN_EXE_sockscope"), &["record"]);
    for (what, took) in [("tcpdump -w", &tcpdump), ("sockscope record", &ours)] {
        match took {
            Some(took) => println!(
                "  {what:18} {:9} sent {:9} captured {:8} dropped {:7.1} ms of CPU  {:6.1} MB",
                took.sent,
                took.captured,
                took.dropped,
                took.cpu.as_secs_f64() * 1e3,
                took.bytes as f64 / 1e6
            ),
            None => println!("  {what:18} not installed"),
        }
        took.iter().flat_map(|took| &took.threads).for_each(|thread| println!("    {thread}"));
    }
    if let (Some(tcpdump), Some(ours)) = (tcpdump, ours) {
        println!("  {:.2} × tcpdump's CPU", ours.cpu.as_secs_f64() / tcpdump.cpu.as_secs_f64());
    }
}

#[derive(Debug)]
struct Took {
    sent: u64,
    captured: u64,
    /// By the kernel or by the program.
    dropped: u64,
    cpu: Duration,
    bytes: u64,
    threads: Vec<String>,
}

fn measure(netns: &Netns, program: &str, options: &[&str], rate: u64, seconds: u64) -> Option<Took> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("load.pcap");
    let mut command = netns.command(program);
    command.args(options).args(["-i", "lo", "-w"]).arg(&file).args(SETTINGS);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
    await_begin(&mut child, &file)?;
    let sent = netns.run(|| send(rate, Duration::from_secs(seconds)));
    // What is still in the ring is taken.
    std::thread::sleep(Duration::from_millis(1_500));
    let (cpu, threads) = cpu(child.id());
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is told to end");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = |words: &str| {
        let line = said.lines().find(|line| line.contains(words))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let lost = ["dropped by kernel", "lost by sockscope"].iter().filter_map(|words| count(words)).sum();
    let bytes = file.metadata().expect("the file").len();
    Some(Took { sent, captured: count("captured").expect("a sum"), dropped: lost, cpu, bytes, threads })
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

/// The processor time of all threads so far, and each one's.
fn cpu(pid: u32) -> (Duration, Vec<String>) {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten();
    let each: Vec<(String, u64)> = threads
        .filter_map(|thread| {
            let read = |name| std::fs::read_to_string(thread.path().join(name)).ok();
            Some((read("comm")?.trim_end().to_owned(), read("schedstat")?.split(' ').next()?.parse().ok()?))
        })
        .collect();
    let told = each.iter().map(|(name, nanos)| format!("{name:12} {:7.1} ms", *nanos as f64 / 1e6)).collect();
    (Duration::from_nanos(each.iter().map(|(_, nanos)| nanos).sum()), told)
}

/// Sends segments at that rate; how many.
fn send(rate: u64, span: Duration) -> u64 {
    let open = Capture::from_device("lo").expect("lo").open();
    let mut out = open.expect("the right to send");
    let mut frames: Vec<Vec<u8>> = (0..FLOWS).map(frame).collect();
    let (begun, mut sent) = (Instant::now(), 0_u64);
    while begun.elapsed() < span {
        let due = (begun.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000) as u64;
        while sent < due {
            let frame = &mut frames[(sent % u64::from(FLOWS)) as usize];
            let seq = &mut frame[38..42];
            let next = u32::from_be_bytes([seq[0], seq[1], seq[2], seq[3]]).wrapping_add(PAYLOAD as u32);
            seq.copy_from_slice(&next.to_be_bytes());
            out.sendpacket(&frame[..]).expect("it is sent");
            sent += 1;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    sent
}

/// A segment with data to a station that is not there, so that no one answers.
fn frame(flow: u32) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0];
    let total = (40 + PAYLOAD) as u16;
    frame.extend([0x45, 0, (total >> 8) as u8, total as u8, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7]);
    frame.extend((1024 + flow as u16).to_be_bytes());
    frame.extend([0x1f, 0x90, 0, 0, 0, 0, 0, 0, 0, 1, 0x50, 0x10, 4, 0, 0, 0, 0, 0]);
    frame.extend([7; PAYLOAD]);
    frame
}
