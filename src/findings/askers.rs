//! Who asked for connections, and who of them most.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kernel::Process;

use super::finding::Holder;

/// What a process is known by: its pid may be another's later.
pub(super) type Asker = (u32, Option<u64>);

/// See [`Asker`].
pub(super) fn asker(process: &Process) -> Asker {
    (process.pid, process.start_time)
}

/// Processes, and how often each asked.
#[derive(Debug, Clone, Default)]
pub struct Askers(BTreeMap<Asker, (Arc<Process>, u64)>);

impl Askers {
    /// One more that this process asked for.
    pub fn note(&mut self, process: &Arc<Process>) {
        self.add_times(process, 1);
    }

    /// Adds what others asked for.
    pub fn add(&mut self, others: &Self) {
        others.0.values().for_each(|(process, times)| self.add_times(process, *times));
    }

    fn add_times(&mut self, process: &Arc<Process>, times: u64) {
        self.0.entry(asker(process)).or_insert_with(|| (process.clone(), 0)).1 += times;
    }

    /// How often all together asked.
    pub(super) fn times(&self) -> u64 {
        self.0.values().map(|(_, times)| times).sum()
    }

    /// Who asked most, the lowest pid of several, and how many others did; `None` where nobody is known to.
    pub fn most(&self) -> Option<Holder> {
        let (process, _) = self.0.values().max_by_key(|(process, times)| (*times, Reverse(process.pid)))?;
        Some(Holder { process: process.clone(), fd: None, others: self.0.len() - 1 })
    }
}
