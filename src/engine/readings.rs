//! What the readings of the socket table show together: of each state the last one that covered it.
//!
//! Read first: `kernel::Covers`. The parts are of different instants: a socket that changed its state between two of
//! them may be in neither, or in both.

use std::sync::Arc;

use crate::base::units::count;
use crate::base::{Scope, StateSet, TcpState};
use crate::kernel::{Counters, Limits, Socket, SocketSample};

use super::dashboard::KernelSight;

const STATES: usize = TcpState::ALL.len();

/// The last reading of each state.
#[derive(Debug, Clone, Default)]
pub(super) struct Readings {
    /// Each with the states of which no later one was read, the oldest first.
    parts: Vec<(StateSet, Arc<SocketSample>)>,
    tallies: [Tally; STATES],
    /// As last read; empty before that.
    counters: Counters,
    first: FirstCounts,
}

/// The sockets of one state in its last reading.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sockets: u64,
    ownable: u64,
    owned: u64,
}

/// `TcpExt.ListenOverflows` and `ListenDrops` when they were first read.
#[derive(Debug, Clone, Copy, Default)]
struct FirstCounts {
    overflows: Option<i64>,
    drops: Option<i64>,
}

const OVERFLOWS: &str = "TcpExt.ListenOverflows";
const DROPS: &str = "TcpExt.ListenDrops";

impl Readings {
    /// Takes in a reading: what it covers replaces what was read of the same states before.
    pub(super) fn take(&mut self, sample: &Arc<SocketSample>) {
        let states = sample.covers.states();
        for (of, _) in &mut self.parts {
            *of = of.without(states);
        }
        self.parts.retain(|(of, _)| !of.is_empty());
        self.parts.push((states, sample.clone()));
        for state in states.iter() {
            self.tallies[state.index()] = Tally::default();
        }
        for socket in sample.sockets.iter().filter(|socket| states.has(socket.state.0)) {
            let tally = &mut self.tallies[socket.state.0.index()];
            tally.sockets += 1;
            if let Some(inode) = socket.inode {
                tally.ownable += 1;
                tally.owned += u64::from(sample.owners.by_inode.contains_key(&inode));
            }
        }
        if !sample.counters.0.is_empty() {
            self.counters = sample.counters.clone();
            self.first.overflows = self.first.overflows.or(self.counters.get(OVERFLOWS));
            self.first.drops = self.first.drops.or(self.counters.get(DROPS));
        }
    }

    /// What readings take that `other` does not share, bytes.
    pub(super) fn apart_from(&self, other: &Self) -> usize {
        let is_shared = |own: &Arc<SocketSample>| other.parts.iter().any(|(_, there)| Arc::ptr_eq(there, own));
        let own = self.parts.iter().map(|(_, sample)| sample).filter(|sample| !is_shared(sample));
        let info = |socket: &Socket| socket.info.as_ref().map_or(0, |info| size_of_val(&**info));
        own.map(|sample| {
            sample.sockets.capacity() * size_of::<Socket>() + sample.sockets.iter().map(info).sum::<usize>()
        })
        .sum()
    }

    /// The last reading of sockets in `state`; `None` before the first.
    pub(super) fn of(&self, state: TcpState) -> Option<&Arc<SocketSample>> {
        self.parts.iter().find(|(of, _)| of.has(state)).map(|(_, sample)| sample)
    }

    /// The last of all.
    pub(super) fn newest(&self) -> Option<&SocketSample> {
        self.parts.last().map(|(_, sample)| &**sample)
    }

    /// Every socket by the last reading of its state, with that reading.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (&SocketSample, &Socket)> {
        self.parts.iter().flat_map(|(of, sample)| {
            sample.sockets.iter().filter(|socket| of.has(socket.state.0)).map(|socket| (&**sample, socket))
        })
    }

    pub(super) fn limits(&self) -> Option<&Arc<Limits>> {
        self.newest().map(|sample| &sample.limits)
    }

    pub(super) fn scope(&self) -> Option<Scope> {
        self.newest().map(|sample| sample.scope)
    }

    /// Growth of `TcpExt.ListenOverflows` and `ListenDrops` since they were first read.
    pub(super) fn listen_losses(&self) -> (Option<u64>, Option<u64>) {
        let since = |first: Option<i64>, name| Some(u64::try_from(self.counters.get(name)? - first?).unwrap_or(0));
        (since(self.first.overflows, OVERFLOWS), since(self.first.drops, DROPS))
    }

    /// How well the kernel's side is seen; `None` before the first reading.
    pub(super) fn sight(&self) -> Option<KernelSight> {
        let newest = self.newest()?;
        let connections = self.of(TcpState::Estab).map_or(newest, |sample| &**sample);
        let at = |state| self.of(state).map(|sample| sample.ts);
        let sum = |count: fn(&Tally) -> u64| self.tallies.iter().map(count).sum();
        Some(KernelSight {
            source: connections.source,
            at: connections.ts,
            took: connections.took,
            listeners_at: at(TcpState::Listen),
            time_wait_at: at(TcpState::TimeWait),
            sockets: sum(|tally| tally.sockets),
            ownable: sum(|tally| tally.ownable),
            owned: sum(|tally| tally.owned),
            bad_rows: self.parts.iter().map(|(_, sample)| u64::from(sample.bad_rows)).sum(),
            processes_denied: connections.owners.processes_denied,
            denied: connections.owners.denied,
        })
    }

    /// How many sockets the last readings of these states have.
    pub(super) fn counts(&self, states: StateSet) -> impl Iterator<Item = (TcpState, u64)> {
        states.iter().map(|state| (state, self.tallies[state.index()].sockets))
    }
}

impl KernelSight {
    /// `pid 812`, `pid 812, 900, 1004 and 4 more`: whose fd tables could not be read; `None` where that is not recorded.
    pub fn which_denied(&self) -> Option<String> {
        let pids: Vec<String> = self.denied.iter().flatten().map(u32::to_string).collect();
        let more = u64::from(self.processes_denied).saturating_sub(pids.len() as u64);
        let rest = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
        (!pids.is_empty()).then(|| format!("pid {}{rest}", pids.join(", ")))
    }
}
