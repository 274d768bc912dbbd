//! Handshakes that failed or hang, by destination, as far as they are remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Endpoint, Timestamp};
use crate::findings::{Connects, Failures, Holder, Run};
use crate::flow::{Flow, HandshakeOutcome, Side};
use crate::kernel::Process;

use super::super::handshakes::WINDOW;
use super::super::opener::listening_ends;
use super::super::record::Record;
use super::super::{Engine, FlowId};
use super::hanging::Hanging;

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

impl Failing {
    /// One more, that began at `begun` and was known to fail at `at`; `flow` if that is of the last minute.
    fn with(before: Option<Self>, begun: Timestamp, at: Timestamp, flow: Option<FlowId>) -> Self {
        let lasting = before.filter(|before| Run::on(Some(before.run), at).since == before.run.since);
        let since = lasting.map_or(begun, |before| before.run.since.min(begun));
        let last = lasting.map_or(at, |before| before.run.last.max(at));
        Self {
            run: Run { since, last },
            count: before.map_or(0, |before| before.count) + u64::from(flow.is_some()),
            flow: before.and_then(|before| before.flow).or(flow),
        }
    }
}

impl Engine {
    /// What became of the connections of the last minute to destinations with which some failed, or wait in vain.
    pub(super) fn connects(&self, now: Timestamp, hanging: &Hanging) -> Vec<Connects> {
        let mut failing: BTreeMap<(Endpoint, Way), Failing> = BTreeMap::new();
        let mut askers: BTreeMap<Endpoint, Askers> = BTreeMap::new();
        let mut rejections = BTreeMap::new();
        for failure in self.handshakes.failures() {
            let record = self.table.find_id(failure.flow).map(|slot| self.table.get(slot));
            let Some(way) = way(failure.outcome) else { continue };
            let before = failing.get(&(failure.resp, way)).copied();
            let lately = now.since(failure.at) < WINDOW;
            // What was waited for in vain began with its SYN.
            let begun = record.filter(|_| way == Way::Unanswered).map_or(failure.at, |record| record.first);
            let failed = Failing::with(before, begun, failure.at, lately.then_some(failure.flow));
            failing.insert((failure.resp, way), failed);
            if let Some(rejection) = record.and_then(|record| record.rare.as_ref()?.rejected) {
                rejections.insert(failure.resp, rejection);
            }
            self.note_asker(record.filter(|_| lately), &mut askers);
        }
        let mut waiting: BTreeMap<Endpoint, u64> = BTreeMap::new();
        for record in hanging.slots().map(|slot| self.table.get(slot)) {
            *waiting.entry(record.resp).or_default() += 1;
            let key = (record.resp, Way::Unanswered);
            let failed = Failing::with(failing.get(&key).copied(), record.first, now, Some(record.id));
            failing.insert(key, failed);
            self.note_asker(Some(record), &mut askers);
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
        self.count_completed(&mut all, now);
        for connects in all.values_mut() {
            connects.who = askers.get(&connects.to).and_then(asks_most);
            let rejection = connects.rejected.and_then(|_| rejections.get(&connects.to));
            connects.rejection = rejection.map(ToString::to_string);
            connects.waiting = waiting.get(&connects.to).copied().unwrap_or(0);
            connects.within = Some(WINDOW);
            self.add_context(connects, now);
        }
        all.into_values().collect()
    }

    /// Counts the process that opens a flow, where it is known.
    fn note_asker(&self, record: Option<&Record>, askers: &mut BTreeMap<Endpoint, Askers>) {
        let Some(record) = record else { return };
        if let Some(process) = self.owner(record, Side::Orig).process() {
            let askers = askers.entry(record.resp).or_default();
            askers.entry(process.pid).or_insert_with(|| (process.clone(), 0)).1 += 1;
        }
    }

    /// Counts the connections of the window that completed with these destinations.
    fn count_completed(&self, all: &mut BTreeMap<Endpoint, Connects>, now: Timestamp) {
        if all.is_empty() {
            return;
        }
        let lately = |flow: &Flow| flow.concluded_at().is_some_and(|at| now.since(at) < WINDOW);
        let completed = |flow: &Flow| flow.outcome().is_completed() && lately(flow);
        for (_, record) in self.table.iter() {
            if record.wire.as_ref().is_some_and(completed)
                && let Some(connects) = all.get_mut(&record.resp)
            {
                connects.completed += 1;
            }
        }
    }

    fn add_context(&self, connects: &mut Connects, now: Timestamp) {
        let to = connects.to;
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

const fn way(outcome: HandshakeOutcome) -> Option<Way> {
    match outcome {
        HandshakeOutcome::Refused => Some(Way::Refused),
        HandshakeOutcome::Rejected => Some(Way::Rejected),
        HandshakeOutcome::Unanswered | HandshakeOutcome::GivenUp => Some(Way::Unanswered),
        _ => None,
    }
}
