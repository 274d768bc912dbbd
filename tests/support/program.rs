//! The program itself, watching a namespace, and the report that it prints.
//!
//! May touch child processes and /proc. Read first: `export::record` (the report's schema).
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::netns::Netns;

/// The binary under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sockscope");
const DEADLINE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// Readings of the socket table are a second apart, and each takes far less than this.
const APART: Duration = Duration::from_millis(500);
/// Where nothing is read for so long, no reading is under way.
const QUIET: Duration = Duration::from_millis(50);

/// The program at work: it reports when it is told to stop.
#[derive(Debug)]
pub(crate) struct Watch {
    child: Child,
}

/// What it printed.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) flows: Vec<Value>,
    pub(crate) findings: Vec<Value>,
    pub(crate) summary: Value,
    pub(crate) stderr: String,
}

/// A flow as one of its ends has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) flow: &'a Value,
    pub(crate) own: &'a Value,
    pub(crate) other: &'a Value,
}

impl Watch {
    /// Starts it in a namespace, on every interface or on those named, and waits until it captures and reads.
    pub(crate) fn begin(netns: &Netns, interfaces: &[&str]) -> Self {
        Self::begin_with(netns, interfaces, &[])
    }

    /// The same with further options.
    pub(crate) fn begin_with(netns: &Netns, interfaces: &[&str], options: &[&str]) -> Self {
        Self::begin_under(netns, &[], interfaces, options)
    }

    /// The same, run by another program (which lessens its rights, say).
    pub(crate) fn begin_under(netns: &Netns, by: &[&str], interfaces: &[&str], options: &[&str]) -> Self {
        let words = [by, &[PROGRAM]].concat();
        let mut command = netns.command(words[0]);
        command.args(&words[1..]).args(["report", "--for", "60s", "--format", "ndjson"]);
        command.args(interfaces.iter().flat_map(|name| ["-i", name])).args(options);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut watch = Self { child };
        // Its threads begin once their sources are open.
        await_all(|| {
            assert_eq!(watch.child.try_wait().unwrap(), None, "it ended at once");
            watch.threads("capture").count() >= interfaces.len().max(1) && watch.threads("sampler").count() > 0
        });
        watch
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, so that it can tidy up nothing.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The processor time that its thread of this name has used.
    pub(crate) fn cpu_of(&self, name: &str) -> Duration {
        let text = self.told_of(name, "schedstat");
        Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
    }

    /// What the kernel tells of its thread of this name in that file.
    fn told_of(&self, name: &str, file: &str) -> String {
        let thread = self.threads(name).next().expect("the thread");
        std::fs::read_to_string(thread.join(file)).unwrap()
    }

    /// Its threads of this name.
    fn threads(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let is_called = move |thread: &PathBuf| {
            std::fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        threads.map(|thread| thread.path()).filter(is_called)
    }

    /// How often it read from a file for the socket table: with each reading of all connections, and at no other time.
    fn files_read(&self) -> u64 {
        let io = self.told_of("sampler", "io");
        io.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
    }

    /// Lets these take in what stands still now: a first reading of the socket table is behind them, and a second is
    /// under way, which their end waits for.
    pub(crate) fn settle<'a>(watches: impl IntoIterator<Item = &'a Self>) {
        let mut readings: Vec<Readings<'_>> = watches.into_iter().map(Readings::from_now).collect();
        await_all(|| {
            readings.retain_mut(|readings| !readings.have_come(2));
            readings.is_empty()
        });
    }

    /// Waits until its captures have ended.
    pub(crate) fn await_end_of_captures(&self) {
        await_all(|| self.threads("capture").next().is_none());
    }

    /// Ends it and reads its report.
    pub(crate) fn end(self) -> Report {
        let (report, status) = self.end_with_status();
        assert!(status.success(), "{status}: {}", report.stderr);
        report
    }

    /// The same, where it need not have gone well.
    pub(crate) fn end_with_status(mut self) -> (Report, ExitStatus) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let (mut text, mut stderr) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        (Report::parse(&text, stderr), status)
    }
}

/// Readings of the socket table that begin from some moment on.
struct Readings<'a> {
    watch: &'a Watch,
    /// What was read of files, and since when no more was.
    read: u64,
    since: Instant,
    /// Those that began; `None` while one may be under way that began before.
    begun: Option<u32>,
}

impl<'a> Readings<'a> {
    fn from_now(watch: &'a Watch) -> Self {
        Self { watch, read: watch.files_read(), since: Instant::now(), begun: None }
    }

    /// Whether so many have begun, as it looks now.
    fn have_come(&mut self, count: u32) -> bool {
        let (read, quiet) = (self.watch.files_read(), self.since.elapsed());
        let goes_on = read != std::mem::replace(&mut self.read, read);
        self.since = if goes_on { Instant::now() } else { self.since };
        self.begun = match self.begun {
            None => (!goes_on && quiet >= QUIET).then_some(0),
            Some(begun) => Some(begun + u32::from(goes_on && (begun == 0 || quiet >= APART))),
        };
        self.begun >= Some(count)
    }
}

/// Waits until all is so.
fn await_all(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(GLANCE);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Report {
    /// Reads what `report --format ndjson` printed.
    pub(crate) fn parse(text: &str, stderr: String) -> Self {
        let mut flows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = flows.pop().unwrap_or_else(|| panic!("nothing printed: {stderr}"));
        assert_eq!(summary["type"], "summary");
        let findings = flows.split_off(flows.iter().position(|line| line["type"] != "flow").unwrap_or(flows.len()));
        assert!(findings.iter().all(|finding| finding["type"] == "finding"));
        Self { flows, findings, summary, stderr }
    }

    /// Every end of every flow.
    pub(crate) fn ends(&self) -> impl Iterator<Item = End<'_>> {
        self.flows.iter().flat_map(|flow| {
            let [orig, resp] = [&flow["orig"], &flow["resp"]];
            [End { flow, own: orig, other: resp }, End { flow, own: resp, other: orig }]
        })
    }

    /// The ends whose socket the kernel still held.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = End<'_>> {
        self.ends().filter(|end| end.own.get("socket").is_some_and(|socket| socket.get("gone_ns").is_none()))
    }

    /// The one flow between `own` and `peer`. (Connections to different services may share a local port.)
    pub(crate) fn end_at(&self, own: SocketAddr, peer: &str) -> End<'_> {
        let peer = peer.parse().unwrap();
        let mut found = self.ends().filter(|end| address(end.own) == own && address(end.other) == peer);
        let end = found.next().unwrap_or_else(|| panic!("no flow of {own}: {:#?}", self.flows));
        let other = found.next();
        assert!(other.is_none(), "two flows of {own}: {:#} {:#}", end.flow, other.unwrap().flow);
        end
    }

    /// How many ends the summary counts in a state: by the wire and by the kernel.
    pub(crate) fn count(&self, state: &str) -> (Option<u64>, Option<u64>) {
        let counts = &self.summary["states"]["by_state"][state];
        (counts["wire"].as_u64(), counts["kernel"].as_u64())
    }
}

impl<'a> End<'a> {
    /// Inferred and reported state.
    pub(crate) fn states(&self) -> (Option<&'a str>, Option<&'a str>) {
        let there = &self.own["socket"];
        let reported = there.get("gone_ns").is_none().then(|| there["state"].as_str()).flatten();
        (self.own["state"].as_str(), reported)
    }
}

/// The address of an end.
pub(crate) fn address(end: &Value) -> SocketAddr {
    SocketAddr::new(end["addr"].as_str().unwrap().parse().unwrap(), end["port"].as_u64().unwrap().try_into().unwrap())
}
