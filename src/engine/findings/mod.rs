//! The evidence for [`crate::findings`], gathered from what the engine keeps. Asking changes nothing: since when
//! something holds is noted where inputs are taken in.

mod bounded;
mod close_wait;
mod connects;
mod crowds;
mod elsewhere;
mod growth;
mod hanging;
mod path;
mod probed;
mod silent;
mod syn_flood;
#[cfg(test)]
mod tests;
mod unread;

use foldhash::fast::FixedState;

use crate::base::{StateSet, TcpState, Timestamp};
use crate::findings::{AcceptQueue, AcceptQueues, Evidence, Finding, Holder, Losing, Route, diagnose};
use crate::kernel::SocketSample;

use super::Engine;
use super::dashboard::WireQueueRow;
use super::ownership::Ownership;
use super::ports::RouteRow;
use super::record::Record;
use super::table::Slot;
use close_wait::{HalfClosed, Leaks};
use crowds::Crowds;
pub(super) use growth::Growth;
use hanging::Hanging;
use path::TooLong;
use silent::InVainByWire;

/// What only a walk over all flows tells the rules.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    hanging: Hanging,
    in_vain: InVainByWire,
    too_long: TooLong,
    half_closed: HalfClosed,
    crowds: Crowds,
}

impl Walk {
    /// Of no flow yet; `hasher` is keyed.
    pub(super) fn new(hasher: FixedState) -> Self {
        Self {
            hanging: Hanging::default(),
            in_vain: InVainByWire::default(),
            too_long: TooLong::default(),
            half_closed: HalfClosed::default(),
            crowds: Crowds::keyed(hasher),
        }
    }

    /// Takes in the next flow.
    pub(super) fn offer(&mut self, slot: Slot, record: &Record, now: Timestamp) {
        self.hanging.offer(slot, record);
        // Of most nothing was irregular, and that is soon told.
        if record.troubled_course().is_some() {
            self.in_vain.offer(slot, record, now);
            self.too_long.offer(slot, record, now);
        }
        self.half_closed.offer(slot, record);
        self.crowds.offer(record, now);
    }
}

/// What is noted of each reading of the socket table for the rules alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    leaks: Leaks,
    /// TcpExt.ListenOverflows, SyncookiesSent and TCPReqQFullDrop.
    overflows: Growth,
    cookies: Growth,
    drops: Growth,
}

impl Engine {
    /// Notes what a reading shows.
    pub(super) fn watch(&mut self, sample: &SocketSample, states: StateSet) {
        let mut watch = std::mem::take(&mut self.kernel.watch);
        for (growth, name) in [
            (&mut watch.overflows, "TcpExt.ListenOverflows"),
            (&mut watch.cookies, "TcpExt.SyncookiesSent"),
            (&mut watch.drops, "TcpExt.TCPReqQFullDrop"),
        ] {
            growth.take(sample.ts, sample.counters.get(name));
        }
        if states.has(TcpState::CloseWait) {
            watch.leaks.take(sample.ts, self.in_close_wait(sample.ts));
        }
        self.kernel.watch = watch;
    }

    /// What is wrong now; `wire_queues` is what the wire shows of queues, `walk` what it shows of all flows.
    pub(super) fn findings(&self, wire_queues: &[WireQueueRow], walk: &Walk) -> Vec<Finding> {
        let now = self.now.unwrap_or_default();
        let mut close_wait = self.kernel.watch.leaks.groups().to_vec();
        close_wait.extend(self.close_wait_by_wire(&walk.half_closed, now));
        diagnose(&Evidence {
            now,
            connects: self.connects(now, &walk.hanging),
            unread: self.unread(wire_queues, now),
            silent: self.silent(&walk.in_vain, now),
            undelivered: self.undelivered(&walk.too_long, now),
            close_wait,
            piles: self.piles(&walk.crowds, now),
            accept: self.accept_queues(),
            routes: self.tight_routes(),
            losing: self.losing(),
        })
    }

    fn accept_queues(&self) -> AcceptQueues {
        let queue = |listener: &super::listening::Listener| AcceptQueue {
            local: listener.socket.local,
            waiting: listener.socket.recv_q,
            limit: listener.socket.send_q,
            over: listener.over,
            who: holder(&listener.owner),
        };
        let overflows = self.kernel.watch.overflows.told();
        AcceptQueues {
            listeners: self.kernel.listeners.iter().filter(|listener| listener.over.is_some()).map(queue).collect(),
            overflows: overflows.map_or(0, |grown| grown.count),
            counted_since: overflows.map_or_else(Timestamp::default, |grown| grown.since),
            overflowing: overflows.map(|grown| grown.run),
            somaxconn: self.kernel.readings.limits().and_then(|limits| limits.somaxconn),
        }
    }

    fn tight_routes(&self) -> Vec<Route> {
        let reuses = self.kernel.readings.limits().is_some_and(|limits| limits.tcp_tw_reuse == Some(1));
        let route = |(row, since): (&RouteRow, Timestamp)| {
            let outlook = row.outlook().foretold()?;
            let who = row.holders.first().map(|(process, _)| (process.clone(), row.processes - 1));
            Some(Route {
                from: row.from,
                to: row.to,
                capacity: row.capacity,
                live: row.live,
                time_wait: row.time_wait,
                closes_per_s: row.closes_per_s,
                outlook,
                since,
                who: who.map(|(process, others)| Holder { process, fd: None, others }),
                reuses,
            })
        };
        self.kernel.ports.tight().filter_map(route).collect()
    }

    fn losing(&self) -> Option<Losing> {
        let (loss, run) = (self.loss.as_ref()?, self.losing?);
        let lost = self.lost_before.as_ref().map_or(*loss, |before| loss.since(before));
        Some(Losing {
            kernel: lost.kernel.unwrap_or(0),
            ours: lost.ours,
            frames: lost.frames.frames,
            counted_since: self.lost_before.as_ref().map_or(run.since, |before| before.ts),
            run,
        })
    }
}

/// The process that an end is known to be of.
fn holder(ownership: &Ownership) -> Option<Holder> {
    let process = ownership.process()?.clone();
    let (fd, others) = match ownership {
        Ownership::Held { fd, others, .. } => (Some(*fd), *others),
        Ownership::Listener { others, .. } => (None, *others),
        _ => (None, 0),
    };
    Some(Holder { process, fd, others })
}
