//! Events of every processor → claims: this process opened that connection, between these two moments.
//!
//! Read first: the charter of this folder. Each processor's events come in order; they are merged by time once every
//! processor has been read past it, so nothing is joined that an unread event could still contradict.

use rustc_hash::{FxHashMap, FxHashSet};

use super::event::{Event, Stamped};
use super::tasks::{Caller, Task, Tasks};
use crate::base::Endpoint;

/// Connections under way at most; of those beyond, nothing is claimed.
const MOST: usize = 1 << 16;

/// What a process did to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Connected,
    Closed,
}

/// A connection that a process opened or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub deed: Deed,
    /// When connect(2) was under way and when its outcome was known, in nanoseconds of CLOCK_MONOTONIC: the SYN was
    /// sent between the two. Of a close both are the same.
    pub begin: u64,
    pub end: u64,
    pub local: Endpoint,
    pub peer: Endpoint,
    /// `None` where the task is not known.
    pub caller: Option<Caller>,
    /// The socket had a port before connect(2).
    pub bound: bool,
    /// Of a connect(2), whether it succeeded, where that is told.
    pub connected: Option<bool>,
}

/// A socket in SYN-SENT whose port is not known yet.
#[derive(Debug, Clone, Copy)]
struct Pending {
    begin: u64,
    caller: Option<Caller>,
    bound: bool,
}

/// The merge of all processors' events, and what it remembers.
#[derive(Debug, Clone, Default)]
pub struct Joiner {
    held: Vec<Stamped>,
    /// Tasks of which an event that is still held says that they ended.
    ending: FxHashSet<u32>,
    pending: FxHashMap<u64, Pending>,
    tasks: Tasks,
    /// Events up to here may lack others of their time.
    doubted: u64,
    /// Events were lost: who the tasks are must be asked anew.
    is_lost: bool,
}

impl Joiner {
    /// Takes in an event. Those of one processor come in order, and none older than what was released.
    pub fn push(&mut self, stamped: Stamped) {
        if let Event::Ended { tid } = stamped.event {
            self.ending.insert(tid);
        }
        self.held.push(stamped);
    }

    /// What /proc says of a task.
    pub fn learn(&mut self, tid: u32, task: Task) {
        self.tasks.learn(tid, task);
    }

    /// Whether events were lost since this was last asked, so that every task must be learnt anew.
    pub fn take_loss(&mut self) -> bool {
        std::mem::take(&mut self.is_lost)
    }

    /// Whether no event has said that the task ended.
    pub fn lives(&self, tid: u32) -> bool {
        self.tasks.has(tid) && !self.ending.contains(&tid)
    }

    /// Lets go of what happened before `upto`: all of it has been pushed. Tells each connection whose outcome is known.
    pub fn release(&mut self, upto: u64, claims: &mut Vec<Claim>) {
        // Runs in order already, one a processor: the sort merges them, and keeps each in its own order.
        self.held.sort_by_key(|stamped| stamped.ts);
        let due = self.held.partition_point(|stamped| stamped.ts < upto);
        let mut held = std::mem::take(&mut self.held);
        for Stamped { ts, event } in held.drain(..due) {
            self.apply(ts, event, claims);
        }
        self.held = held;
    }

    fn apply(&mut self, ts: u64, event: Event, claims: &mut Vec<Claim>) {
        if let Event::Missed { until, .. } = event {
            // What was lost may have ended any socket and any task, and begun another in its place.
            self.doubted = self.doubted.max(until);
            self.pending.clear();
            self.tasks.forget();
            self.is_lost = true;
        }
        if let Event::Ended { tid } = event {
            self.ending.remove(&tid);
        }
        if ts <= self.doubted {
            return;
        }
        match event {
            Event::Connecting { tid, socket, bound } => {
                let pending = Pending { begin: ts, caller: self.tasks.caller(tid, ts), bound };
                self.connecting(socket, pending);
            }
            Event::Settled { socket, local, peer, connected } => {
                let Some(Pending { begin, caller, bound }) = self.pending.remove(&socket) else { return };
                // A connect() that found no port or no route sent nothing.
                if local.port() != 0 {
                    let deed = Deed::Connected;
                    claims.push(Claim { deed, begin, end: ts, local, peer, caller, bound, connected });
                }
            }
            Event::Closing { tid, local, peer } => {
                let caller = self.tasks.caller(tid, ts);
                let (deed, bound, connected) = (Deed::Closed, false, None);
                claims.push(Claim { deed, begin: ts, end: ts, local, peer, caller, bound, connected });
            }
            Event::Began { parent, tid, comm, thread } => self.tasks.began(ts, parent, tid, comm, thread),
            Event::Renamed { tid, comm } => self.tasks.renamed(ts, tid, comm),
            Event::Executed { tid, before } => self.tasks.executed(tid, before),
            Event::Ended { tid } => self.tasks.ended(ts, tid),
            Event::Missed { .. } => {}
        }
    }

    fn connecting(&mut self, socket: u64, pending: Pending) {
        // Whatever was said of another socket at this address is over.
        self.pending.remove(&socket);
        if self.pending.len() < MOST {
            self.pending.insert(socket, pending);
        }
    }
}
