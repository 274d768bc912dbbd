//! The dashboard beside `tcpdump -w /dev/null` under the same flood on the loopback of a namespace, in turn in one run:
//! what each dropped and the processor time that each took, also with a reader that is stopped for 250 ms.
//!
//! Needs root and network namespaces. SOCKSCOPE_BENCH_RATE (300,000) is the packets a second that are offered,
//! SOCKSCOPE_BENCH_SECONDS (20) for how long. A machine is noisy: the ratios count, of the least time of a few
//! rounds that are long enough for what a start costs once to weigh little.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/blast.rs"]
mod blast;
#[path = "../support/netns.rs"]
mod netns;
#[path = "../support/pty.rs"]
mod pty;
#[path = "../support/threads.rs"]
mod threads;

use netns::{Netns, alone};
use pty::Pty;
use threads::Threads;

const FLOWS: u16 = 64;
const ROUNDS: usize = 3;
const STALL: Duration = Duration::from_millis(250);
/// The same for both: bytes kept of a frame, and the ring.
const SETTINGS: [&str; 6] = ["-i", "lo", "-s", "256", "-B", "65536"];
/// For a program to begin, and to take what is still in the ring.
const SETTLE: Duration = Duration::from_millis(1_500);
/// A screen that has room for every count.
const SCREEN: (u16, u16) = (200, 50);

fn main() {
    if !bench::is_asked_for() {
        return;
    }
    let Some(_alone) = alone() else { return };
    let (rate, seconds) = bench::load(20);
    let flood = Flood { netns: Netns::new("flood"), rate, span: Duration::from_secs(seconds) };
    for (what, stall) in [("", None), (", its reader stopped for 250 ms", Some(STALL))] {
        println!("\n{rate} packets a second on loopback for {seconds} s, {FLOWS} connections{what}");
        let (mut tcpdump, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            tcpdump.extend(flood.on_tcpdump(stall));
            ours.push(flood.on_ours(stall));
        }
        let best = |rounds: Vec<Took>| rounds.into_iter().min_by_key(|took| (took.dropped, took.each()));
        let (tcpdump, ours) = (best(tcpdump), best(ours));
        for (what, took) in [("tcpdump -w /dev/null", &tcpdump), ("sockscope", &ours)] {
            match took {
                Some(took) => took.print(what),
                None => println!("  {what:22} not installed"),
            }
        }
        if let (Some(tcpdump), Some(ours)) = (tcpdump, ours) {
            println!("  {:.2} × tcpdump's CPU a packet", ours.each() as f64 / tcpdump.each() as f64);
        }
    }
}

struct Flood {
    netns: Netns,
    rate: u64,
    span: Duration,
}

struct Took {
    sent: u64,
    /// By the kernel or by the program, as it says itself.
    dropped: u64,
    threads: Threads,
}

impl Took {
    fn each(&self) -> u128 {
        self.threads.for_each_of(self.sent)
    }

    fn print(&self, what: &str) {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let Self { sent, dropped, threads } = self;
        println!("  {what:22} {sent:9} sent {dropped:8} dropped {:7.1} ms of CPU", millis(threads.sum()));
        threads.each().iter().for_each(|(name, time)| println!("    {name:12} {:7.1} ms", millis(*time)));
    }
}

impl Flood {
    fn on_tcpdump(&self, stall: Option<Duration>) -> Option<Took> {
        let mut command = self.netns.command("tcpdump");
        command.args(SETTINGS).args(["-n", "-w", "/dev/null"]).stdin(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().ok()?;
        let (sent, threads) = self.run(child.id(), stall)?;
        kill_process(Pid::from_child(&child), Signal::INT).ok()?;
        let said = String::from_utf8_lossy(&child.wait_with_output().ok()?.stderr).into_owned();
        let dropped = said.lines().find(|line| line.contains("dropped by kernel"))?.split(' ').next()?.parse().ok()?;
        Some(Took { sent, dropped, threads })
    }

    fn on_ours(&self, stall: Option<Duration>) -> Took {
        let words = [&["netns", "exec", self.netns.name(), env!("CARGO_BIN_EXE_sockscope")][..], &SETTINGS].concat();
        let mut pty = Pty::start(pty::command("ip", &words), SCREEN.0, SCREEN.1);
        pty.shows(&["lost kernel 0"]);
        let (sent, threads) = self.run(pty.id(), stall).expect("it runs");
        Took { sent, dropped: pty.lost(), threads }
    }

    /// Floods a program: what was sent, and the time that it took for it.
    fn run(&self, pid: u32, stall: Option<Duration>) -> Option<(u64, Threads)> {
        std::thread::sleep(SETTLE);
        let before = Threads::of(pid)?;
        let sent = std::thread::scope(|scope| {
            scope.spawn(|| stall.into_iter().for_each(|stall| stop_for(pid, self.span / 2, stall)));
            self.netns.run(|| blast::send(FLOWS, self.rate, self.span))
        });
        std::thread::sleep(SETTLE);
        Some((sent, Threads::of(pid)?.since(&before)))
    }
}

/// Stops a process after a time, for a time.
fn stop_for(pid: u32, after: Duration, stall: Duration) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    std::thread::sleep(after);
    kill_process(pid, Signal::STOP).expect("it is stopped");
    std::thread::sleep(stall);
    kill_process(pid, Signal::CONT).expect("it goes on");
}
