//! Handshakes that failed or hang, by destination, as far as they are remembered.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::findings::{Askers, ByAddress, Connects, Failures, Run, Tries, Way, suspects};
use crate::flow::{HandshakeOutcome, Side};

use super::super::handshakes::Failure;
use super::super::minute::{self, lately};
use super::super::opener::listening_ends;
use super::super::record::Record;
use super::super::{Engine, FlowId};
use super::hanging::Hanging;

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

    fn told(self, to: Endpoint, within: Duration) -> Connects {
        let mut connects = Connects {
            waiting: self.waiting,
            given_up: self.given_up,
            who: self.askers.most(),
            by: self.by,
            within: Some(within),
            ..Connects::to(to)
        };
        for (way, failing) in self.failing {
            *connects.failures_mut(way) = failing.told();
        }
        connects.rejection = self.rejection.filter(|_| connects.rejected.is_some());
        connects
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
        let within = minute::watched(self.since, now);
        let told = |(to, gathered): (Endpoint, Gathered)| (to, Connects { at_least, ..gathered.told(to, within) });
        let mut all: BTreeMap<Endpoint, Connects> = gathered.into_iter().map(told).collect();
        all.retain(|_, to| to.has_failures());
        self.count_completed(&mut all, within, now);
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
        process.iter().for_each(|process| to.askers.note(process));
        to.by.note(Tries::of(record.orig.ip(), record.first, at, record.id, process).and_failed(way));
    }

    /// Counts the connections of the window that completed with these destinations, and those that were answered of
    /// addresses that failed with many.
    fn count_completed(&self, all: &mut BTreeMap<Endpoint, Connects>, within: Duration, now: Timestamp) {
        if all.is_empty() {
            return;
        }
        let suspects = suspects(all.values());
        for (_, record) in self.table.iter() {
            let Some(flow) = record.wire.as_ref() else { continue };
            let Some(at) = flow.concluded_at() else { continue };
            let from = record.orig.ip();
            let suspect = suspects.contains(&from);
            if !lately(at, now) {
                if suspect && let Some(to) = all.get_mut(&record.resp) {
                    to.by.note_before(from, record.first);
                }
                continue;
            }
            if !flow.handshake().is_answered() {
                continue;
            }
            if suspect {
                all.entry(record.resp)
                    .or_insert_with(|| Connects { within: Some(within), ..Connects::to(record.resp) });
            }
            let Some(connects) = all.get_mut(&record.resp) else { continue };
            connects.completed += u64::from(!flow.outcome().is_failure());
            if suspect {
                connects.by.note(Tries::of(from, record.first, at, record.id, None).and_answered());
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

const fn way(outcome: HandshakeOutcome) -> Option<Way> {
    match outcome {
        HandshakeOutcome::Refused => Some(Way::Refused),
        HandshakeOutcome::Rejected => Some(Way::Rejected),
        HandshakeOutcome::Unanswered | HandshakeOutcome::GivenUp => Some(Way::Unanswered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::*;
    use super::super::super::{Engine, Input};
    use crate::findings::Kind;

    /// One process tries 25 places where nothing listens, all at once, at these times.
    fn checked(place: fn(usize) -> String, at_secs: &[i64], until: i64) -> Vec<Kind> {
        let mut engine = Engine::new(super::super::super::Config::replay(1_000, 1));
        for (round, secs) in at_secs.iter().enumerate() {
            for nth in 1..=25 {
                let (from, to) = (format!("10.0.0.2:{}", 40_000 + round * 100 + nth), place(nth));
                let millis = secs * 1_000 + nth as i64;
                engine.feed(&Input::Segment(segment(millis, &from, &to, "S", 100, 0, 0)));
                engine.feed(&Input::Segment(segment(millis, &to, &from, "R.", 0, 101, 0)));
            }
        }
        engine.feed(&Input::Tick(at(until * 1_000)));
        show(&engine).findings.into_iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn a_round_of_checks_that_comes_again_is_no_scan() {
        let hosts = |nth| format!("10.0.1.{nth}:8080");
        let refused = [Kind::ConnectsRefused; 25];
        assert_eq!(checked(hosts, &[0], 1), [Kind::Scan], "the first, of which nobody knows better");
        assert_eq!(checked(hosts, &[0, 30], 31), refused);
        assert_eq!(checked(hosts, &[0, 70], 71), refused, "though the first is out of the minute");
        assert_eq!(checked(hosts, &[0, 10], 11), [Kind::Scan], "at once again");
        let ports = |nth| format!("10.0.0.5:{nth}");
        assert_eq!(checked(ports, &[0, 30], 31), [Kind::Scan], "ports of a host that answers on none");
    }
}
