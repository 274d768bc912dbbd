//! Handshakes over time: begun, concluded by outcome, how long they took, who fails.
//!
//! An outcome can be revised (a SYN retried after it was thought given up): its count then moves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Series, Timestamp};
use crate::flow::HandshakeOutcome;

use super::FlowId;
use super::dashboard::{FailingPeer, HandshakePane, Percentiles};
use super::minute::{self, lately};
use super::record::Standing;

const SECOND: Duration = Duration::from_secs(1);
/// Latencies are kept in slices of this width, so that old ones can be forgotten together; so many are of a minute.
const SLICE: Duration = Duration::from_secs(5);
const SLICES: i64 = 12;
/// Failures remembered for the list of who fails.
const FAILURES: usize = 8192;
const FAILING_SHOWN: usize = 20;

type Latencies = Histogram<u32>;

/// What is counted of handshakes.
#[derive(Debug, Clone)]
pub(super) struct Handshakes {
    begun: Series,
    waiting: u64,
    /// By place in [`HandshakeOutcome::CONCLUDED`].
    concluded: Vec<Series>,
    slices: VecDeque<(i64, Arc<Latencies>)>,
    failures: VecDeque<Failure>,
}

/// A handshake that went wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) at: Timestamp,
    pub(super) flow: FlowId,
    pub(super) resp: Endpoint,
    pub(super) outcome: HandshakeOutcome,
}

impl Handshakes {
    pub(super) fn new() -> Self {
        let series = || Series::new(SECOND, 240);
        Self {
            begun: series(),
            waiting: 0,
            concluded: vec![series(); HandshakeOutcome::CONCLUDED.len()],
            slices: VecDeque::new(),
            failures: VecDeque::new(),
        }
    }

    /// What failures take, and latencies that `other` does not share; bytes.
    pub(super) fn apart_from(&self, other: &Self) -> usize {
        let is_shared = |own: &Arc<Latencies>| other.slices.iter().any(|(_, there)| Arc::ptr_eq(there, own));
        let own = self.slices.iter().map(|(_, slice)| slice).filter(|slice| !is_shared(slice));
        let latencies: usize = own.map(|slice| slice.distinct_values() * size_of::<u32>()).sum();
        latencies + self.failures.capacity() * size_of::<Failure>()
    }

    /// A flow's handshake was first seen.
    pub(super) fn begin(&mut self, at: Timestamp) {
        self.begun.add(at, 1);
    }

    /// A flow's handshake went from `was` to `is`.
    pub(super) fn turn(&mut self, flow: FlowId, resp: Endpoint, was: &Standing, is: &Standing, took: Option<Duration>) {
        if was.outcome == is.outcome {
            return;
        }
        let waits = |standing: &Standing| u64::from(standing.outcome == Some(HandshakeOutcome::Waiting));
        self.waiting = (self.waiting + waits(is)).saturating_sub(waits(was));
        if let Some((index, at)) = concluded(was) {
            self.concluded[index].take_back(at, 1);
            if HandshakeOutcome::CONCLUDED[index].is_failure() {
                self.take_back(flow);
            }
        }
        let Some((index, at)) = concluded(is) else { return };
        self.concluded[index].add(at, 1);
        let outcome = HandshakeOutcome::CONCLUDED[index];
        if outcome.is_failure() {
            self.fail(Failure { at, flow, resp, outcome });
            return;
        }
        if let Some(took) = took {
            self.record(at, took);
        }
    }

    fn fail(&mut self, failure: Failure) {
        if self.failures.len() == FAILURES {
            self.failures.pop_front();
        }
        self.failures.push_back(failure);
    }

    /// The flow's handshake did not fail after all: that shows mostly soon.
    fn take_back(&mut self, flow: FlowId) {
        if let Some(at) = self.failures.iter().rposition(|failure| failure.flow == flow) {
            self.failures.remove(at);
        }
    }

    /// The failures that are remembered, in the order in which they were found.
    pub(super) fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.failures.iter()
    }

    /// Whether more failed in the window than are remembered.
    pub(super) fn forgot_some_of(&self, now: Timestamp) -> bool {
        self.failures.len() == FAILURES && self.failures.front().is_some_and(|oldest| lately(oldest.at, now))
    }

    /// A flow left the table while its handshake still waited.
    pub(super) fn forget(&mut self, standing: &Standing) {
        if standing.outcome == Some(HandshakeOutcome::Waiting) {
            self.waiting = self.waiting.saturating_sub(1);
        }
    }

    fn record(&mut self, at: Timestamp, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let slice = at.bin(SLICE);
        if self.slices.back().is_none_or(|(newest, _)| *newest < slice) {
            self.slices.push_back((slice, Arc::new(latencies())));
            let oldest = slice - SLICES;
            self.slices.retain(|(number, _)| *number > oldest);
        }
        if let Some((_, latencies)) = self.slices.iter_mut().rev().find(|(number, _)| *number <= slice) {
            Arc::make_mut(latencies).saturating_record(micros);
        }
    }

    /// Handshakes that completed in the last so many seconds, the one that goes on included.
    pub(super) fn completed(&self, seconds: usize, now: Timestamp) -> u64 {
        let all = HandshakeOutcome::CONCLUDED.into_iter().zip(&self.concluded);
        let completed = all.filter(|(outcome, _)| outcome.is_completed());
        completed.map(|(_, series)| series.sum(now, SECOND * u32::try_from(seconds).unwrap_or(u32::MAX))).sum()
    }

    /// The pane, as of `now`, of what is watched since then.
    pub(super) fn pane(&self, since: Option<Timestamp>, now: Timestamp) -> HandshakePane {
        let mut recent = latencies();
        let oldest = now.bin(SLICE) - SLICES;
        for (_, slice) in self.slices.iter().filter(|(number, _)| *number > oldest) {
            recent.add(&**slice).expect("both have the same bounds");
        }
        let sums = self.concluded.iter().map(|series| minute::sum(series, now));
        HandshakePane {
            window: minute::watched(since, now),
            begun: minute::sum(&self.begun, now),
            waiting: self.waiting,
            outcomes: HandshakeOutcome::CONCLUDED.into_iter().zip(sums).collect(),
            begun_per_s: self.begun.until(now, 0),
            latency: percentiles(&recent),
            histogram: histogram(&recent),
            failing: self.failing(now),
        }
    }

    fn failing(&self, now: Timestamp) -> Vec<FailingPeer> {
        let mut by_peer: FxHashMap<(Endpoint, HandshakeOutcome), (u64, Timestamp)> = FxHashMap::default();
        for failure in self.failures.iter().filter(|failure| lately(failure.at, now)) {
            let (count, last) = by_peer.entry((failure.resp, failure.outcome)).or_insert((0, failure.at));
            *count += 1;
            *last = (*last).max(failure.at);
        }
        let mut failing: Vec<FailingPeer> = by_peer
            .into_iter()
            .map(|((resp, outcome), (count, last))| FailingPeer { resp, outcome, count, last })
            .collect();
        failing.sort_by_key(|peer| (std::cmp::Reverse(peer.count), peer.resp, peer.outcome));
        failing.truncate(FAILING_SHOWN);
        failing
    }
}

fn concluded(standing: &Standing) -> Option<(usize, Timestamp)> {
    let outcome = standing.outcome?;
    let index = HandshakeOutcome::CONCLUDED.iter().position(|known| *known == outcome)?;
    Some((index, standing.concluded_at?))
}

/// Microseconds up to 1,000 s, to three digits.
fn latencies() -> Latencies {
    Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("the bounds are valid")
}

fn percentiles(latencies: &Latencies) -> Option<Percentiles> {
    let at = |quantile| Duration::from_micros(latencies.value_at_quantile(quantile));
    (!latencies.is_empty()).then(|| Percentiles {
        count: latencies.len(),
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
        max: Duration::from_micros(latencies.max()),
    })
}

/// Bucket bounds in microseconds: powers of √10 from 10 µs (loopback) to 10 s.
const BOUNDS: [u64; 13] =
    [10, 32, 100, 316, 1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000, 3_162_278, 10_000_000];

fn histogram(latencies: &Latencies) -> Vec<(Duration, u64)> {
    if latencies.is_empty() {
        return Vec::new();
    }
    let mut low = 0;
    let mut buckets = Vec::with_capacity(BOUNDS.len() + 1);
    for bound in BOUNDS {
        buckets.push((Duration::from_micros(bound), latencies.count_between(low, bound - 1)));
        low = bound;
    }
    buckets.push((Duration::MAX, latencies.count_between(low, u64::MAX)));
    buckets
}
