//! What /proc still says of a process that called connect(2) a moment ago.
//!
//! May touch /proc. Read first: proc_pid_stat(5), namespaces(7), clock_gettime(2). The process may have ended, and its
//! number may be another's: nothing is taken over unless the start time is the one that the kernel traced.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use rustix::fs::{CWD, readlinkat};
use rustix::param::clock_ticks_per_second;

use super::mono::Clocks;
use super::proc_dir::{ProcessDir, open_proc, pids};
use crate::base::Scrubbed;
use crate::kernel::Process;
use crate::kernel::process::Users;
use crate::kernel::trace::{Caller, Comm, Joiner, Started, Task};

/// Processes looked at in one go: each costs 25 µs, and whoever lives long is looked at once a second.
const LOOKS: u32 = 4;
/// What of that may be saved up, for the moment when many who live long are seen for the first time.
const SAVED: u32 = 128;
/// Callers remembered at most.
const MOST: usize = 4096;
/// For so long a task is taken to stay in its network namespace.
const FRESH: Duration = Duration::from_secs(1);

/// Who called, and whether from the network namespace that is watched.
pub(super) type Named = (Arc<Process>, Option<bool>);

/// The memory of callers that still lived when they were looked at.
#[derive(Debug)]
pub(super) struct Callers {
    proc: OwnedFd,
    users: Users,
    /// The network namespace that is watched, as /proc names it.
    netns: Option<Vec<u8>>,
    known: FxHashMap<Caller, (Named, Instant)>,
    looks: u32,
}

impl Callers {
    pub(super) fn new(users: Users) -> rustix::io::Result<Self> {
        let netns = readlinkat(CWD, "/proc/thread-self/ns/net", Vec::new()).ok().map(std::ffi::CString::into_bytes);
        Ok(Self { proc: open_proc()?, users, netns, known: FxHashMap::default(), looks: SAVED })
    }

    /// Allows as many more looks as one go may take.
    pub(super) fn begin(&mut self) {
        self.looks = (self.looks + LOOKS).min(SAVED);
        if self.known.len() > MOST {
            self.known.clear();
        }
    }

    /// The process, with what else is known of it while it lives.
    pub(super) fn name(&mut self, caller: &Caller, lives: bool, clocks: &Clocks) -> Named {
        let known = self.known.get(caller);
        let may_look = lives && self.looks > 0;
        let known = match known {
            Some((named, at)) if !may_look || at.elapsed() < FRESH => return named.clone(),
            None if !may_look => return (Arc::new(bare(caller)), None),
            known => known.map(|((process, _), _)| Arc::clone(process)),
        };
        self.looks -= 1;
        let (process, here) = self.look(caller, clocks).unwrap_or_else(|| (bare(caller), None));
        let process = known.filter(|known| **known == process).unwrap_or_else(|| Arc::new(process));
        let named = (process, here);
        self.known.insert(*caller, (named.clone(), Instant::now()));
        named
    }

    fn look(&self, caller: &Caller, clocks: &Clocks) -> Option<(Process, Option<bool>)> {
        let dir = ProcessDir::open(self.proc.as_fd(), caller.pid).ok()?;
        let stat = dir.stat().ok()?;
        if !is_start(caller.started?, stat.start_time, clocks) {
            return None;
        }
        let process = dir.identify(stat, &self.users);
        let comm = name(&caller.comm);
        // Under another name it runs another program by now, whose arguments are not the caller's.
        let cmdline = if process.comm == comm { process.cmdline } else { Scrubbed::new("") };
        Some((Process { comm, cmdline, ..process }, self.is_here(&dir, caller.tid)))
    }

    /// Whether a task of a process is in the network namespace that is watched.
    fn is_here(&self, dir: &ProcessDir, tid: u32) -> Option<bool> {
        let netns = dir.netns(tid).ok()?;
        self.netns.as_ref().map(|own| *own == netns)
    }

    /// Learns every task that there is now.
    pub(super) fn learn_tasks(&self, joiner: &mut Joiner) {
        for pid in pids().unwrap_or_default() {
            let Ok(dir) = ProcessDir::open(self.proc.as_fd(), pid) else { continue };
            let (Ok(stat), Ok(tids)) = (dir.stat(), dir.tasks()) else { continue };
            let started = Some(Started::Ticks(stat.start_time));
            let since = Clocks::read().mono;
            for tid in tids {
                joiner.learn(tid, Task { tgid: Some(pid), comm: stat.raw_comm, since, started });
            }
        }
    }
}

/// What the trace alone says.
fn bare(caller: &Caller) -> Process {
    let start_time = match caller.started {
        Some(Started::Ticks(ticks)) => Some(ticks),
        Some(Started::Mono(_)) | None => None,
    };
    let (comm, cmdline, user) = (name(&caller.comm), Scrubbed::new(""), Scrubbed::new("?"));
    Process { pid: caller.pid, start_time, comm, cmdline, user }
}

fn name(comm: &Comm) -> Scrubbed {
    let len = comm.iter().position(|&byte| byte == 0).unwrap_or(comm.len());
    Scrubbed::from_bytes(&comm[..len])
}

/// Whether a process that began then has this start time. It is taken a moment before the kernel says that it began.
fn is_start(started: Started, ticks: u64, clocks: &Clocks) -> bool {
    match started {
        Started::Ticks(known) => known == ticks,
        Started::Mono(mono) => {
            let boot = u128::from(mono) + u128::from(clocks.boot.saturating_sub(clocks.mono));
            let told = boot * u128::from(clock_ticks_per_second()) / 1_000_000_000;
            matches!(told.checked_sub(ticks.into()), Some(0 | 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_time_is_that_of_the_trace_or_a_tick_before() {
        let clocks = Clocks { mono: 100_000_000_000, boot: 160_000_000_000, real: 0 };
        let hz = clock_ticks_per_second();
        // 40 s on a clock that stood still for a minute.
        let started = Started::Mono(40_000_000_000);
        let verdicts = [-1, 0, 1, 2].map(|early| is_start(started, (100 * hz).wrapping_add_signed(-early), &clocks));
        assert_eq!(verdicts, [false, true, true, false]);
        assert!(is_start(Started::Ticks(5), 5, &clocks) && !is_start(Started::Ticks(5), 6, &clocks));
    }

    #[test]
    fn who_lives_is_known_in_full_and_who_does_not_by_the_trace_alone() {
        let mut callers = Callers::new(Users::default()).unwrap();
        let own = std::process::id();
        let mut joiner = Joiner::default();
        callers.learn_tasks(&mut joiner);
        assert!(joiner.lives(own));
        let dir = ProcessDir::open(callers.proc.as_fd(), own).unwrap();
        let stat = dir.stat().unwrap();
        let mut caller =
            Caller { tid: own, pid: own, comm: stat.raw_comm, started: Some(Started::Ticks(stat.start_time)) };
        let clocks = Clocks::read();
        let mut ask = |caller: &Caller, lives| {
            callers.begin();
            callers.name(caller, lives, &clocks)
        };
        let (process, here) = ask(&caller, true);
        assert_eq!((&process.comm, process.start_time, here), (&stat.comm, Some(stat.start_time), Some(true)));
        assert!(!process.cmdline.is_empty() && &*process.user != "?");
        // As if the number had been another process's.
        caller.started = Some(Started::Ticks(stat.start_time + 1));
        for lives in [true, false] {
            let (process, here) = ask(&caller, lives);
            assert_eq!((&*process.cmdline, &*process.user, here), ("", "?", None), "{lives}");
        }
    }
}
