//! Which task is whose thread and what it is called, kept by the ring's own events.
//!
//! Read first: kernel/fork.c (copy_process), fs/exec.c (begin_new_exec, de_thread), proc_pid_task(5).
//!
//! What a task was before the ring began is read from /proc once. Such knowledge holds from the moment when it was
//! read, what an event tells from the event on; nothing is said of any time before that.

use rustc_hash::FxHashMap;

use super::event::Comm;

/// Tasks known at most: a host may have as many threads (pid_max is 4,194,304); beyond, new ones stay unknown.
const MOST: usize = 1 << 18;

/// What tells a process from others that had its pid before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Started {
    /// Its start time as /proc/PID/stat has it: clock ticks since boot.
    Ticks(u64),
    /// When the kernel said that it began, in nanoseconds of CLOCK_MONOTONIC: a moment after its start time.
    Mono(u64),
}

/// A task as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// The process that it is a thread of; `None` where no event told (the only task after execve(2) is its process).
    pub tgid: Option<u32>,
    pub comm: Comm,
    /// The clock from which on this holds.
    pub since: u64,
    /// `None` where that is not known.
    pub started: Option<Started>,
}

/// Who called: the process, by the name that its first task bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The task that called, and its process.
    pub tid: u32,
    pub pid: u32,
    pub comm: Comm,
    /// `None` where that is not known.
    pub started: Option<Started>,
}

/// Every task that is known.
#[derive(Debug, Clone, Default)]
pub struct Tasks(FxHashMap<u32, Task>);

impl Tasks {
    /// A task as /proc showed it.
    pub fn learn(&mut self, tid: u32, task: Task) {
        if self.0.len() < MOST || self.0.contains_key(&tid) {
            self.0.insert(tid, task);
        }
    }

    /// Who a task was at the time `at`.
    pub(super) fn caller(&self, tid: u32, at: u64) -> Option<Caller> {
        let task = self.at(tid, at)?;
        let pid = task.tgid?;
        // The first task may have ended before the others.
        let leader = self.at(pid, at).filter(|leader| leader.tgid == Some(pid));
        let comm = leader.map_or(task.comm, |leader| leader.comm);
        Some(Caller { tid, pid, comm, started: leader.and_then(|leader| leader.started) })
    }

    fn at(&self, tid: u32, at: u64) -> Option<&Task> {
        self.0.get(&tid).filter(|task| task.since <= at)
    }

    pub(super) fn began(&mut self, at: u64, parent: u32, tid: u32, comm: Comm, thread: bool) {
        let tgid = if thread { self.at(parent, at).and_then(|parent| parent.tgid) } else { Some(tid) };
        self.0.remove(&tid);
        self.learn(tid, Task { tgid, comm, since: at, started: Some(Started::Mono(at)) });
    }

    /// A task that is not known is remembered by its name: execve(2) gives a process its first task's number.
    pub(super) fn renamed(&mut self, at: u64, tid: u32, comm: Comm) {
        match self.0.get_mut(&tid) {
            Some(task) => task.comm = comm,
            None => self.learn(tid, Task { tgid: None, comm, since: at, started: None }),
        }
    }

    /// The process has one task now, under the process's own number, whichever of its threads called execve(2).
    pub(super) fn executed(&mut self, tid: u32, before: u32) {
        if before != tid {
            self.0.remove(&before);
        }
        if let Some(task) = self.0.get_mut(&tid) {
            task.tgid = Some(tid);
        }
    }

    /// A number that has been used again since keeps its new task.
    pub(super) fn ended(&mut self, at: u64, tid: u32) {
        if self.at(tid, at).is_some() {
            self.0.remove(&tid);
        }
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Whether the task is known and has not ended.
    pub(super) fn has(&self, tid: u32) -> bool {
        self.0.contains_key(&tid)
    }
}
