//! What watching costs while 5,000 connections a second come and go for 30 s: the whole program with capture, owners
//! and dashboard, thread by thread, beside rustnet and bandwhich on the same load at the same time, where they are
//! installed (`cargo install bandwhich`, `cargo install rustnet-monitor --no-default-features`).
//!
//! May touch network namespaces and ptys that it makes itself; needs root.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Pid;

#[path = "../support/churn.rs"]
mod churn;
#[path = "../support/netns.rs"]
mod netns;
#[path = "../support/pty.rs"]
mod pty;

use netns::{Pair, alone};
use pty::Pty;

/// Destinations enough that no port runs out.
const PORTS: u16 = 12;
const PER_SECOND: u32 = 5000;
const SPAN: Duration = Duration::from_secs(30);
/// For programs to begin.
const SETTLE: Duration = Duration::from_secs(4);
const COLUMNS: u16 = 160;
const ROWS: u16 = 48;

/// Who watches, and with which words. Names are looked up by none of them.
const WATCHERS: [(&str, &[&str]); 3] = [
    (env!("CARGO_BIN_EXE_sockscope"), &["-i", "va"]),
    ("rustnet", &["-i", "va", "--no-resolve-dns", "--no-geoip", "--no-uid-drop"]),
    ("bandwhich", &["-i", "va", "--no-resolve"]),
];

fn main() {
    // `cargo test --benches` runs it too, with nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("load");
    let watchers: Vec<(&str, Option<Pty>)> =
        WATCHERS.map(|(program, words)| (program, watch(&pair, program, words))).into();
    std::thread::sleep(SETTLE);
    let cpu = || -> Vec<Option<BTreeMap<String, Duration>>> {
        watchers.iter().map(|(_, pty)| pty.as_ref().and_then(|pty| threads(pty.pid()))).collect()
    };
    let before = cpu();
    let (made, took) = churn::run(&pair, PORTS, PER_SECOND, SPAN);
    let after = cpu();
    let rate = f64::from(made) / took.as_secs_f64();
    println!("\n{rate:.0} connections a second for {:.0} s, to {PORTS} ports", took.as_secs_f64());
    let percent = |time: Duration| time.as_secs_f64() * 100.0 / took.as_secs_f64();
    for (((program, _), before), after) in watchers.iter().zip(before).zip(after) {
        let name = program.rsplit('/').next().unwrap_or(program);
        let Some((before, after)) = before.zip(after) else {
            println!("  {name:24} not installed");
            continue;
        };
        let used = |(name, time): (&String, &Duration)| {
            (name.clone(), time.saturating_sub(before.get(name).copied().unwrap_or_default()))
        };
        let mut used: Vec<(String, Duration)> = after.iter().map(used).collect();
        used.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        let all: Duration = used.iter().map(|(_, time)| *time).sum();
        println!("  {name:24} {:6.2} % of a processor", percent(all));
        if name == "sockscope" {
            used.iter().for_each(|(thread, time)| println!("    {thread:22} {:6.2} %", percent(*time)));
        }
    }
}

/// A program that watches `a` in a terminal of its own; `None` where it is not installed.
fn watch(pair: &Pair, program: &str, words: &[&str]) -> Option<Pty> {
    let probe = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.ok()?;
    let words = [&["netns", "exec", pair.a.name(), program], words].concat();
    Some(Pty::start(pty::command("ip", &words), COLUMNS, ROWS))
}

/// The processor time of a process's threads, those of one name together; `None` once it has ended.
fn threads(pid: Pid) -> Option<BTreeMap<String, Duration>> {
    let mut used = BTreeMap::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let read = |name| std::fs::read_to_string(thread.path().join(name)).ok();
        let Some((comm, stat)) = read("comm").zip(read("schedstat")) else { continue };
        let nanos = stat.split_whitespace().next()?.parse().ok()?;
        *used.entry(comm.trim_end().to_owned()).or_default() += Duration::from_nanos(nanos);
    }
    Some(used)
}
