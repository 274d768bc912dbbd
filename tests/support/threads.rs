//! What processor time the threads of a process took, as benches print it.
//!
//! May touch /proc. Read first: proc(5); schedstat counts nanoseconds, where stat counts ticks.
#![allow(dead_code, reason = "each bench that includes this file uses its own part of it")]

use std::collections::BTreeMap;
use std::time::Duration;

/// The time of each thread, those of one name together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Threads(BTreeMap<String, Duration>);

impl Threads {
    /// So far; `None` once the process has ended.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let mut used = Self::default();
        for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
            let read = |name| std::fs::read_to_string(thread.path().join(name)).ok();
            let Some((comm, stat)) = read("comm").zip(read("schedstat")) else { continue };
            let nanos = stat.split_whitespace().next()?.parse().ok()?;
            *used.0.entry(comm.trim_end().to_owned()).or_default() += Duration::from_nanos(nanos);
        }
        Some(used)
    }

    /// What was used since.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        for (name, time) in &mut self.0 {
            *time = time.saturating_sub(before.0.get(name).copied().unwrap_or_default());
        }
        self
    }

    /// Of all together.
    pub(crate) fn sum(&self) -> Duration {
        self.0.values().sum()
    }

    /// Of all together for each of so many packets, picoseconds: a busy machine sends fewer.
    pub(crate) fn for_each_of(&self, packets: u64) -> u128 {
        self.sum().as_nanos() * 1_000 / u128::from(packets.max(1))
    }

    /// Each thread, the busiest first.
    pub(crate) fn each(&self) -> Vec<(&str, Duration)> {
        let mut each: Vec<(&str, Duration)> = self.0.iter().map(|(name, time)| (name.as_str(), *time)).collect();
        each.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        each
    }
}
