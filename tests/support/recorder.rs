//! `sockscope record` at work in a namespace, and what it left behind.
//!
//! May touch child processes and the files that they write. Read first: `app::record` (what it sums up).
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sockscope::base::{Endpoint, Seq, Timestamp};
use sockscope::engine::Input;
use sockscope::journal::{CaptureReader, Damage, Intake, Item};

use super::netns::Netns;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sockscope");
/// Far longer than anything takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// The program while it records.
pub(crate) struct Recorder {
    child: Child,
}

/// What it said when it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

impl Recorder {
    /// Starts it on `lo`, run by another program if `by` names one.
    pub(crate) fn begin(netns: &Netns, by: &[&str], file: &Path, options: &[&str]) -> Self {
        let words = [by, &[PROGRAM, "record", "-i", "lo", "-w"]].concat();
        let mut command = netns.command(words[0]);
        command.args(&words[1..]).arg(file).args(options);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut recorder = Self { child };
        recorder.await_thread("capture");
        recorder
    }

    /// Waits until it has a thread of that name: its threads begin once their sources are open.
    fn await_thread(&mut self, name: &str) {
        let deadline = Instant::now() + DEADLINE;
        let tasks = format!("/proc/{}/task", self.child.id());
        let is_there = || {
            let threads = std::fs::read_dir(&tasks).into_iter().flatten().flatten();
            let mut names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
            names.any(|comm| comm.trim_end() == name)
        };
        while !is_there() {
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended at once");
            assert!(Instant::now() < deadline, "it does not begin");
            std::thread::yield_now();
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The stream, where it records to stdout.
    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// What it says from now on, line by line as it comes.
    pub(crate) fn lines(&mut self) -> Receiver<String> {
        let (send, lines) = channel();
        let stderr = BufReader::new(self.child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        lines
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Kills it, so that it can tidy up nothing.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn end(self) -> Ended {
        self.signal(Signal::INT);
        self.wait()
    }

    /// Waits until it ends of itself.
    pub(crate) fn wait(mut self) -> Ended {
        let mut stderr = String::new();
        let rest = self.child.stderr.take().map(|mut rest| rest.read_to_string(&mut stderr));
        rest.transpose().unwrap();
        Ended { status: self.child.wait().unwrap(), stderr }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The number before these words in its summary.
    pub(crate) fn count(&self, words: &str) -> u64 {
        let line = self.stderr.lines().find(|line| line.contains(words));
        let line = line.unwrap_or_else(|| panic!("no {words:?}: {}", self.stderr));
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Frames that it captured, that it says are in the file, and that it says are lost.
    pub(crate) fn counts(&self) -> [u64; 3] {
        ["packets captured", "packets in ", "packets lost by sockscope"].map(|words| self.count(words))
    }
}

/// What a file, or the beginning of a stream, holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) frames: u64,
    pub(crate) last: Option<Timestamp>,
    pub(crate) damage: Option<Damage>,
    /// Stretches that a sender sent and that are not there, though later ones are, and before those no kernel drop is
    /// told: whatever else lost them is a fault.
    pub(crate) holes: usize,
    /// Those before whose end one was told.
    pub(crate) told: usize,
    /// Packets that it tells the kernel to have dropped.
    pub(crate) drops: u64,
    /// The notes of the marks in it.
    pub(crate) marks: Vec<String>,
}

/// What is there of what a sender sent.
#[derive(Debug, Default)]
struct Sent {
    next: Option<Seq>,
    /// Where something is missing, and how many packets the kernel was told to have dropped by then.
    holes: Vec<([Seq; 2], u64)>,
}

impl Sent {
    /// Takes a segment in. One that was overtaken, on another processor say, fills the hole that it seemed.
    fn take(&mut self, from: Seq, to: Seq, drops: u64) {
        match self.next {
            Some(next) if next.before(from) => self.holes.push(([next, from], drops)),
            _ => self.holes.retain(|([begin, end], _)| begin.before(from) || to.before(*end)),
        }
        self.next = Some(self.next.map_or(to, |next| next.latest(to)));
    }
}

impl Held {
    pub(crate) fn read(path: &Path) -> Self {
        Self::of(Box::new(File::open(path).unwrap()))
    }

    pub(crate) fn of(input: Box<dyn Read + Send>) -> Self {
        let mut reader = CaptureReader::open(input).unwrap();
        let (mut intake, mut inputs) = (Intake::default(), Vec::new());
        let mut held = Self { frames: 0, last: None, damage: None, holes: 0, told: 0, drops: 0, marks: Vec::new() };
        let mut sent: HashMap<(Endpoint, Endpoint), Sent> = HashMap::new();
        loop {
            match reader.next_item() {
                Ok(Some(Item::Recorded(frame, _))) => {
                    held.frames += 1;
                    held.last = held.last.max(Some(frame.ts));
                    inputs.clear();
                    intake.take(&frame, &mut inputs);
                    for input in &inputs {
                        let Input::Segment(segment) = input else { continue };
                        let sent = sent.entry((segment.src, segment.dst)).or_default();
                        sent.take(segment.seq, segment.end(), held.drops);
                    }
                }
                Ok(Some(Item::Input(Input::Loss(loss)))) => held.drops = loss.kernel.unwrap_or(0),
                Ok(Some(Item::Mark(mark))) => held.marks.push(mark.note.to_string()),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(damage) => held.damage = Some(damage),
            }
        }
        let drops: Vec<u64> = sent.values().flat_map(|sent| &sent.holes).map(|(_, drops)| *drops).collect();
        held.holes = drops.iter().filter(|drops| **drops == 0).count();
        held.told = drops.len() - held.holes;
        held
    }
}

/// How many frames tshark reads in a file; `None` where there is no tshark. It may complain of nothing but an end
/// inside a block.
pub(crate) fn tshark_count(path: &Path) -> Option<u64> {
    // What is no frame has no interface.
    let words = ["-n", "-Y", "frame.interface_id", "-T", "fields", "-e", "frame.number", "-r"];
    let output = Command::new("tshark").args(words).arg(path).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let others = said.lines().filter(|line| !line.contains("Running as user") && !line.trim().is_empty());
    let complaints: Vec<&str> = others.filter(|line| !line.contains("cut short in the middle of a packet")).collect();
    assert!(complaints.is_empty(), "{}: {complaints:?}", path.display());
    Some(output.stdout.iter().filter(|byte| **byte == b'\n').count() as u64)
}
