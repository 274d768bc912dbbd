//! Network namespaces for tests: a pair of them joined by veth, removed when the value goes, after a panic too.
//!
//! May touch iproute2 and setns(2). Read first: network_namespaces(7), veth(4), ip-netns(8).
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

#[path = "skip.rs"]
mod skip;
pub(crate) use skip::skip;

/// A network namespace with `lo` up.
#[derive(Debug)]
pub(crate) struct Netns {
    name: String,
}

/// Two namespaces and a veth pair: `a` has 10.77.0.1 and fd77::1 on `va`, `b` has 10.77.0.2 and fd77::2 on `vb`.
/// What `a` sends to 10.78.0.0/16 reaches `b`, which does not forward: it is never answered.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) a: Netns,
    pub(crate) b: Netns,
}

/// Where namespaces can be made: the right to run alone, so that no other test forks meanwhile. (A child is, until it
/// executes its program, a true owner of every socket of its parent.) Elsewhere says that the test is skipped.
pub(crate) fn alone() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !rustix::process::geteuid().is_root() || Netns::try_new("probe").is_none() {
        skip("needs root and network namespaces");
        return None;
    }
    Some(alone)
}

impl Netns {
    /// A new namespace whose name tells the process that made it.
    pub(crate) fn new(tag: &str) -> Self {
        Self::try_new(tag).unwrap_or_else(|| panic!("cannot make a network namespace"))
    }

    fn try_new(tag: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sockscope-{}-{number}-{tag}", std::process::id());
        try_ip(&["netns", "add", &name]).then_some(())?;
        let netns = Self { name };
        netns.ip(&["link", "set", "lo", "up"]);
        Some(netns)
    }

    /// Its name, as `ip` knows it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` in the namespace.
    ///
    /// # Panics
    /// If it fails.
    pub(crate) fn ip(&self, arguments: &[&str]) {
        let all = [&["-n", &self.name], arguments].concat();
        assert!(try_ip(&all), "ip {}", all.join(" "));
    }

    /// A command that will run in the namespace (with that namespace's /sys).
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs `work` in the namespace, on a thread of its own; the calling thread stays where it is.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let handle = File::open(format!("/run/netns/{}", self.name)).expect("the namespace's handle");
                move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network)).expect("setns");
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        try_ip(&["netns", "del", &self.name]);
    }
}

impl Pair {
    /// A joined pair.
    pub(crate) fn new(tag: &str) -> Self {
        let (a, b) = (Netns::new(&format!("{tag}-a")), Netns::new(&format!("{tag}-b")));
        a.ip(&["link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", &b.name]);
        for (netns, link, v4, v6) in
            [(&a, "va", "10.77.0.1/24", "fd77::1/64"), (&b, "vb", "10.77.0.2/24", "fd77::2/64")]
        {
            netns.ip(&["addr", "add", v4, "dev", link]);
            netns.ip(&["addr", "add", v6, "dev", link, "nodad"]);
            netns.ip(&["link", "set", link, "up"]);
        }
        a.ip(&["route", "add", "10.78.0.0/16", "via", "10.77.0.2"]);
        Self { a, b }
    }
}

fn try_ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
