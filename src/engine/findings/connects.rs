//! Handshakes that failed or hang, by destination, as far as they are remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Endpoint, Timestamp};
use crate::findings::{ByAddress, Connects, Failures, Holder, Run, Tries, suspects};
use crate::flow::{HandshakeOutcome, Side};
use crate::kernel::Process;

use super::super::handshakes::{Failure, WINDOW, lately};
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
    /// The first that is of the last minute, or waits.
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
            count: before.map_or(0, |before| before.count),
            flow: before.and_then(|before| before.flow).or(flow),
        }
    }

    fn told(self) -> Option<Failures> {
        let Self { run, count, flow } = self;
        Some(Failures { count, first: run.since, last: run.last, flow: flow? })
    }
}

/// What is gathered of one destination.
#[derive(Debug, Default)]
struct Gathered {
    failing: BTreeMap<Way, Failing>,
    /// Those that hang.
    waiting: u64,
    given_up: u64,
    askers: Askers,
    rejection: Option<String>,
    by: ByAddress,
}

impl Gathered {
    /// Adds one, that counts or (while it waits) does not; `flow` if it is of the last minute.
    fn add(&mut self, way: Way, begun: Timestamp, at: Timestamp, flow: Option<FlowId>, count: u64) {
        let mut failing = Failing::with(self.failing.get(&way).copied(), begun, at, flow);
        failing.count += count;
        self.failing.insert(way, failing);
    }

    fn told(self, to: Endpoint) -> Connects {
        let way = |way| self.failing.get(&way).and_then(|failing| failing.told());
        let rejected = way(Way::Rejected);
        Connects {
            refused: way(Way::Refused),
            rejected,
            rejection: self.rejection.filter(|_| rejected.is_some()),
            unanswered: way(Way::Unanswered),
            waiting: self.waiting,
            given_up: self.given_up,
            who: asks_most(&self.askers),
            by: self.by,
            within: Some(WINDOW),
            ..Connects::to(to)
        }
    }
}

impl Engine {
    /// What became of the connections of the last minute to destinations with which some failed, or wait in vain; and of
    /// those of an address that may scan.
    pub(super) fn connects(&self, now: Timestamp, hanging: &Hanging) -> Vec<Connects> {
        let mut gathered: BTreeMap<Endpoint, Gathered> = BTreeMap::new();
        for failure in self.handshakes.failures() {
            self.gather_failure(failure, now, gathered.entry(failure.resp).or_default());
        }
        for record in hanging.slots().map(|slot| self.table.get(slot)) {
            let to = gathered.entry(record.resp).or_default();
            to.waiting += 1;
            to.add(Way::Unanswered, record.first, now, Some(record.id), 0);
            self.gather_tries(record, Way::Unanswered, now, to);
        }
        let at_least = self.handshakes.forgot_some_of(now) || hanging.are_more();
        let told = |(to, gathered): (Endpoint, Gathered)| (to, Connects { at_least, ..gathered.told(to) });
        let mut all: BTreeMap<Endpoint, Connects> = gathered.into_iter().map(told).collect();
        all.retain(|_, to| [to.refused, to.rejected, to.unanswered].iter().any(Option::is_some));
        self.count_completed(&mut all, now);
        for connects in all.values_mut() {
            self.add_context(connects, now);
        }
        all.into_values().collect()
    }

    fn gather_failure(&self, failure: &Failure, now: Timestamp, to: &mut Gathered) {
        let Some(way) = way(failure.outcome) else { return };
        let record = self.table.find_id(failure.flow).map(|slot| self.table.get(slot));
        let lately = lately(failure.at, now);
        // What was waited for in vain began with its SYN.
        let begun = record.filter(|_| way == Way::Unanswered).map_or(failure.at, |record| record.first);
        to.add(way, begun, failure.at, lately.then_some(failure.flow), lately.into());
        if let Some(rejection) = record.and_then(|record| record.rare.as_ref()?.rejected) {
            to.rejection = Some(rejection.to_string());
        }
        if lately {
            to.given_up += u64::from(failure.outcome == HandshakeOutcome::GivenUp);
            record.into_iter().for_each(|record| self.gather_tries(record, way, failure.at, to));
        }
    }

    /// Counts one that failed by where it came from, and by its process where that is known.
    fn gather_tries(&self, record: &Record, way: Way, at: Timestamp, to: &mut Gathered) {
        let process = self.owner(record, Side::Orig).process().cloned();
        let mut tries = Tries::of(record.orig.ip(), record.first, at, record.id, process.clone());
        *match way {
            Way::Refused => &mut tries.refused,
            Way::Rejected => &mut tries.rejected,
            Way::Unanswered => &mut tries.unanswered,
        } = 1;
        to.by.note(tries);
        if let Some(process) = process {
            to.askers.entry(process.pid).or_insert_with(|| (process, 0)).1 += 1;
        }
    }

    /// Counts the connections of the window that completed with these destinations, and those that were answered of
    /// addresses that failed with many.
    fn count_completed(&self, all: &mut BTreeMap<Endpoint, Connects>, now: Timestamp) {
        if all.is_empty() {
            return;
        }
        let suspects = suspects(all.values());
        for (_, record) in self.table.iter() {
            let Some(flow) = record.wire.as_ref().filter(|flow| is_answered(flow.outcome())) else { continue };
            let Some(at) = flow.concluded_at().filter(|at| lately(*at, now)) else { continue };
            let from = record.orig.ip();
            let suspect = suspects.contains(&from);
            if suspect {
                all.entry(record.resp)
                    .or_insert_with(|| Connects { within: Some(WINDOW), ..Connects::to(record.resp) });
            }
            let Some(connects) = all.get_mut(&record.resp) else { continue };
            connects.completed += u64::from(!flow.outcome().is_failure());
            if suspect {
                connects.by.note(Tries { answered: 1, ..Tries::of(from, record.first, at, record.id, None) });
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

/// Whether a SYN-ACK came.
const fn is_answered(outcome: HandshakeOutcome) -> bool {
    use HandshakeOutcome::{Completed, HalfOpen, Reset, Simultaneous};
    matches!(outcome, Completed | Simultaneous | HalfOpen | Reset)
}

const fn way(outcome: HandshakeOutcome) -> Option<Way> {
    match outcome {
        HandshakeOutcome::Refused => Some(Way::Refused),
        HandshakeOutcome::Rejected => Some(Way::Rejected),
        HandshakeOutcome::Unanswered | HandshakeOutcome::GivenUp => Some(Way::Unanswered),
        _ => None,
    }
}
