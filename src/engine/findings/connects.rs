//! Failed handshakes by destination, as far as they are remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Endpoint, Timestamp};
use crate::findings::{Connects, Failures, Holder, Run};
use crate::flow::{HandshakeOutcome, Side};
use crate::kernel::Process;

use super::super::handshakes::{Failure, WINDOW};
use super::super::opener::listening_ends;
use super::super::ownership::Ownership;
use super::super::record::Record;
use super::super::{Engine, FlowId};

/// Processes that asked, by pid, and how often.
type Askers = BTreeMap<u32, (Arc<Process>, u64)>;

/// How connections to a destination fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Refused,
    Rejected,
    Unanswered,
}

/// Those that fail in one way: the run of them that goes on, and how many of it are of the last minute.
#[derive(Debug, Clone, Copy)]
struct Failing {
    run: Run,
    count: u64,
    /// The first that is of the last minute.
    flow: Option<FlowId>,
}

impl Engine {
    /// What became of the connections of the last minute to destinations with which some failed.
    pub(super) fn connects(&self, now: Timestamp) -> Vec<Connects> {
        let mut failing: BTreeMap<(Endpoint, Way), Failing> = BTreeMap::new();
        let mut askers: BTreeMap<Endpoint, Askers> = BTreeMap::new();
        let mut rejections = BTreeMap::new();
        for failure in self.handshakes.failures() {
            let record = self.table.find_id(failure.flow).map(|slot| self.table.get(slot));
            let Some(way) = way(failure, record) else { continue };
            let key = (failure.resp, way);
            let before = failing.get(&key).copied();
            let lately = now.since(failure.at) < WINDOW;
            let run = Run::on(before.map(|before| before.run), failure.at);
            let count = before.map_or(0, |before| before.count) + u64::from(lately);
            let flow = before.and_then(|before| before.flow).or(lately.then_some(failure.flow));
            failing.insert(key, Failing { run, count, flow });
            if let Some(rejection) = record.and_then(|record| record.rare.as_ref()?.rejected) {
                rejections.insert(failure.resp, rejection);
            }
            let owner = record.filter(|_| lately).map(|record| self.owner(record, Side::Orig));
            if let Some(process) = owner.as_ref().and_then(Ownership::process) {
                let askers = askers.entry(failure.resp).or_default();
                askers.entry(process.pid).or_insert_with(|| (process.clone(), 0)).1 += 1;
            }
        }
        let mut all: BTreeMap<Endpoint, Connects> = BTreeMap::new();
        for ((to, way), Failing { run, count, flow }) in failing {
            let Some(flow) = flow else { continue };
            let connects = all.entry(to).or_insert_with(|| Connects::to(to));
            let failures = match way {
                Way::Refused => &mut connects.refused,
                Way::Rejected => &mut connects.rejected,
                Way::Unanswered => &mut connects.unanswered,
            };
            *failures = Some(Failures { count, first: run.since, last: run.last, flow });
        }
        for connects in all.values_mut() {
            connects.who = askers.get(&connects.to).and_then(asks_most);
            let rejection = connects.rejected.and_then(|_| rejections.get(&connects.to));
            connects.rejection = rejection.map(ToString::to_string);
            self.add_context(connects, now);
        }
        all.into_values().collect()
    }

    fn add_context(&self, connects: &mut Connects, now: Timestamp) {
        let to = connects.to;
        connects.completed = self.handshakes.completed_beside(to, now);
        connects.listener_is_full = self.locality(to, to)[0] && self.is_full(to, now);
        connects.lossy = self.losing.is_some_and(|run| run.lasts(now));
    }

    /// Whether the listener of this host that takes connections to `to` was over its limit lately.
    pub(super) fn is_full(&self, to: Endpoint, now: Timestamp) -> bool {
        let ends = listening_ends(to);
        let full = |over: Option<Run>| over.is_some_and(|run| run.lasts(now));
        self.kernel.listeners.iter().any(|listener| ends.contains(&listener.socket.local) && full(listener.over))
    }
}

fn asks_most(askers: &Askers) -> Option<Holder> {
    let (process, _) = askers.values().max_by_key(|(process, count)| (*count, std::cmp::Reverse(process.pid)))?;
    Some(Holder { process: process.clone(), fd: None, others: askers.len() - 1 })
}

fn way(failure: &Failure, record: Option<&Record>) -> Option<Way> {
    match failure.outcome {
        HandshakeOutcome::Refused => Some(Way::Refused),
        HandshakeOutcome::TimedOut => {
            let rare = record.and_then(|record| record.rare.as_ref());
            Some(if rare.is_some_and(|rare| rare.rejected.is_some()) { Way::Rejected } else { Way::Unanswered })
        }
        _ => None,
    }
}
