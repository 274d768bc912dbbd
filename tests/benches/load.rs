//! What watching costs while 5,000 connections a second come and go for 30 s: the whole program with capture, owners
//! and dashboard, thread by thread, beside rustnet and bandwhich on the same load at the same time, where they are
//! installed (`cargo install bandwhich`, `cargo install rustnet-monitor --no-default-features`).
//!
//! May touch network namespaces and ptys that it makes itself; needs root.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::process::{Command, Stdio};
use std::time::Duration;

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/churn.rs"]
mod churn;
#[path = "../support/netns.rs"]
mod netns;
#[path = "../support/pty.rs"]
mod pty;
#[path = "../support/threads.rs"]
mod threads;

use netns::{Pair, alone};
use pty::Pty;
use threads::Threads;

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
    if !bench::is_asked_for() {
        return;
    }
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("load");
    let mut watchers: Vec<(&str, Option<Pty>)> =
        WATCHERS.map(|(program, words)| (program, watch(&pair, program, words))).into();
    std::thread::sleep(SETTLE);
    let cpu = |watchers: &[(&str, Option<Pty>)]| -> Vec<Option<Threads>> {
        watchers.iter().map(|(_, pty)| pty.as_ref().and_then(|pty| Threads::of(pty.id()))).collect()
    };
    let before = cpu(&watchers);
    let (made, took) = churn::run(&pair, PORTS, PER_SECOND, SPAN);
    let after = cpu(&watchers);
    let rate = f64::from(made) / took.as_secs_f64();
    println!("\n{rate:.0} connections a second for {:.0} s, to {PORTS} ports", took.as_secs_f64());
    let percent = |time: Duration| time.as_secs_f64() * 100.0 / took.as_secs_f64();
    for (((program, pty), before), after) in watchers.iter_mut().zip(before).zip(after) {
        let name = program.rsplit('/').next().unwrap_or(program);
        let Some((before, after)) = before.zip(after) else {
            println!("  {name:24} not installed");
            continue;
        };
        let used = after.since(&before);
        println!("  {name:24} {:6.2} % of a processor", percent(used.sum()));
        if name == "sockscope" {
            used.each().iter().for_each(|(thread, time)| println!("    {thread:22} {:6.2} %", percent(*time)));
            pty.iter_mut().for_each(|pty| println!("    {} packets lost", pty.lost()));
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
