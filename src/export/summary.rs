//! The last line of a report: what the source held as a whole, and what is missing from it.
//!
//! [`Tally`] is fed each flow in passing, since the engine's panes speak of the last minute only. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::base::{Endpoint, Timestamp, nanos};
use crate::engine::{
    Dashboard, Evicted, Gist, KernelSight, LastWordSight, Loss, Percentiles, StateRow, TraceSight, WireCounts,
};
use crate::flow::HandshakeOutcome;
use crate::kernel::TableSource;
use crate::wire::Undecoded;

use super::findings::Attempts;
use super::ports::PortsRecord;
use super::record::{SCHEMA, outcome_key};

/// Where a capture is damaged: everything before it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    pub file: String,
    /// Bytes from the start of the file (of its decompressed content).
    pub offset: u64,
    pub reason: String,
}

/// Counts over every flow of a report.
#[derive(Debug, Clone)]
pub struct Tally {
    pub flows: u64,
    /// Flows of which no segment was seen: known from the kernel's socket table alone.
    pub kernel_only: u64,
    pub outcomes: BTreeMap<HandshakeOutcome, u64>,
    pub(super) failing: BTreeMap<(Endpoint, HandshakeOutcome), Failing>,
    pub(super) attempts: Attempts,
    connect: Times,
}

/// Times in nanoseconds: a few are kept as they are, for a histogram of many is large.
#[derive(Debug, Clone)]
enum Times {
    Few(Vec<u64>),
    Many(Histogram<u64>),
}

impl Times {
    const FEW: usize = 1_000;

    fn note(&mut self, time: u64) {
        match self {
            Self::Few(times) if times.len() < Self::FEW => times.push(time),
            Self::Few(_) => {
                *self = Self::Many(self.histogram().into_owned());
                self.note(time);
            }
            Self::Many(times) => times.saturating_record(time),
        }
    }

    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Many(own), Self::Many(other)) => own.add(&other).expect("both have the same bounds"),
            (_, Self::Few(times)) => times.into_iter().for_each(|time| self.note(time)),
            (Self::Few(_), mut other) => {
                std::mem::swap(self, &mut other);
                self.add(other);
            }
        }
    }

    fn histogram(&self) -> Cow<'_, Histogram<u64>> {
        const LONGEST: u64 = 3_600_000_000_000;
        match self {
            Self::Many(times) => Cow::Borrowed(times),
            Self::Few(times) => {
                let mut all = Histogram::new_with_bounds(1, LONGEST, 3).expect("constant bounds");
                times.iter().for_each(|time| all.saturating_record(*time));
                Cow::Owned(all)
            }
        }
    }
}

/// Handshakes of one responder that failed in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Failing {
    pub(super) flows: u64,
    pub(super) retries: u64,
    pub(super) last: Timestamp,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            flows: 0,
            kernel_only: 0,
            outcomes: BTreeMap::new(),
            failing: BTreeMap::new(),
            attempts: Attempts::default(),
            connect: Times::Few(Vec::new()),
        }
    }

    /// Counts one flow.
    pub fn count(&mut self, gist: &Gist) {
        self.flows += 1;
        self.attempts.count(gist);
        let Some(handshake) = &gist.handshake else {
            self.kernel_only += 1;
            return;
        };
        *self.outcomes.entry(handshake.outcome).or_default() += 1;
        if let Some(time) = handshake.connect_time {
            self.connect.note(nanos(time));
        }
        if handshake.outcome.is_failure() {
            let failing = self.failing.entry((gist.resp, handshake.outcome)).or_default();
            failing.flows += 1;
            failing.retries += u64::from(handshake.syn_retries) + u64::from(handshake.syn_ack_retries);
            failing.last = failing.last.max(gist.last);
        }
    }

    /// Adds what was counted over other flows.
    pub fn add(&mut self, other: Self) {
        self.flows += other.flows;
        self.kernel_only += other.kernel_only;
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (who, more) in other.failing {
            let failing = self.failing.entry(who).or_default();
            failing.flows += more.flows;
            failing.retries += more.retries;
            failing.last = failing.last.max(more.last);
        }
        self.attempts.add(other.attempts);
        self.connect.add(other.connect);
    }

    /// How many flows had `outcome`.
    pub fn with(&self, outcome: HandshakeOutcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// First SYN to the ACK that completed, retries included, over every completed handshake; within 0.1 %.
    pub fn connect_times(&self) -> Option<Percentiles> {
        let connect = self.connect.histogram();
        let at = |quantile| Duration::from_nanos(connect.value_at_quantile(quantile).min(connect.max()));
        (!connect.is_empty()).then(|| Percentiles {
            count: connect.len(),
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max: Duration::from_nanos(connect.max()),
        })
    }
}

/// The object of `type` "summary" that ends a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SummaryRecord<'a> {
    r#type: &'static str,
    /// sockscope's version, and the schema's.
    version: &'static str,
    schema: u32,
    source: &'a str,
    /// The words that the reported flows match; `flows.reported`, `kernel_only` and `outcomes` are of those alone, all
    /// else is of the whole source. Absent if none were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    /// First and last instant of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_ts_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ts_ns: Option<i64>,
    /// Frames read, and those that hold no TCP; absent where the source counts none (the kernel alone).
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_tcp: Option<u64>,
    /// Fragments of datagrams that a later frame completed and stands for; absent if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_fragments: Option<u64>,
    /// Absent where no packets were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_bytes: Option<u64>,
    /// Segments that showed a datagram already seen on another interface; packets out of order in time.
    duplicates: u64,
    regressions: u64,
    flows: FlowsRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<LostRecord>,
    /// What the kernel's record of connect(2) told; absent where it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<TraceRecord>,
    /// The kernel's last words on sockets; absent where they were not listened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_words: Option<LastWordsRecord>,
    /// The last reading of the socket table; absent where it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<KernelRecord>,
    evicted: EvictedRecord,
    states: StatesRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports: Option<PortsRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<&'a Damage>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct FlowsRecord {
    /// Ever begun; printed in this report; of those, known from the kernel alone.
    begun: u64,
    reported: u64,
    /// Those that do not fit the filter; absent if none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
    kernel_only: u64,
    /// By the handshake's outcome, of flows that were not evicted: every key is there.
    outcomes: BTreeMap<Cow<'static, str>, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LostRecord {
    /// Frames that libpcap says the kernel or the interface dropped; absent for a file, which does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<u64>,
    /// Segments that a full queue of our own dropped.
    ours: u64,
    /// Frames that could not be decoded, by reason: every key is there, and `total`.
    undecoded: BTreeMap<&'static str, u64>,
}

/// Connections whose caller was told, and events of the trace that were lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct TraceRecord {
    connects: u64,
    lost: u64,
}

/// Sockets of connections that were let go; of these, ends of flows that are known; and words that were lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct LastWordsRecord {
    heard: u64,
    joined: u64,
    lost: u64,
}

impl LastWordsRecord {
    const fn of(LastWordSight { heard, joined, lost }: LastWordSight) -> Self {
        Self { heard, joined, lost }
    }
}

/// Where sockets were read (diag or proc), and when: connections, listeners, TIME-WAIT.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct KernelRecord {
    source: &'static str,
    at_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    listeners_at_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_wait_at_ns: Option<i64>,
    /// How long the reading of the connections took.
    took_ns: u64,
    sockets: u64,
    /// Rows that could not be read.
    bad_rows: u64,
}

impl KernelRecord {
    fn of(sight: KernelSight) -> Self {
        Self {
            source: match sight.source {
                TableSource::Diag => "diag",
                TableSource::Proc => "proc",
            },
            at_ns: sight.at.nanos(),
            listeners_at_ns: sight.listeners_at.map(Timestamp::nanos),
            time_wait_at_ns: sight.time_wait_at.map(Timestamp::nanos),
            took_ns: nanos(sight.took),
            sockets: sight.sockets,
            bad_rows: sight.bad_rows,
        }
    }
}

/// Flows thrown out of a full table, which are not printed, by what they were.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct EvictedRecord {
    closed: u64,
    half_open: u64,
    idle: u64,
}

/// How many ends are in each state at the last instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct StatesRecord {
    /// Whose ends `wire` counts: "local" (those on this host) or "both" (a capture does not say which host it watches).
    wire_ends: &'static str,
    /// Ends whose inferred and reported state disagree; absent where wire or kernel was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatched: Option<u64>,
    /// By state, as `ss` writes it: every state but CLOSED is there. The wire's is of flows that were not evicted.
    by_state: BTreeMap<&'static str, StateRecord>,
}

/// Ends inferred to be in a state, and sockets that the kernel's last reading had in it; absent where not seen (LISTEN
/// never shows on the wire).
#[derive(Debug, Clone, PartialEq, Serialize)]
struct StateRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    wire: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<u64>,
}

impl<'a> SummaryRecord<'a> {
    pub(super) fn of(source: &'a str, dashboard: &Dashboard, tally: &Tally, damage: Option<&'a Damage>) -> Self {
        let totals = &dashboard.totals;
        let wire = dashboard.sees.wire;
        let frames = dashboard.loss.map(|loss| loss.frames).filter(|_| wire);
        let outcomes = HandshakeOutcome::CONCLUDED.into_iter().chain([HandshakeOutcome::Waiting]);
        let outcomes = outcomes.chain([HandshakeOutcome::Partial]);
        let Evicted { closed, half_open, idle } = totals.evicted;
        Self {
            r#type: "summary",
            version: env!("CARGO_PKG_VERSION"),
            schema: SCHEMA,
            source,
            filter: None,
            first_ts_ns: dashboard.since.map(Timestamp::nanos),
            last_ts_ns: dashboard.now.map(Timestamp::nanos),
            frames: frames.map(|frames| frames.frames),
            not_tcp: frames.map(|frames| frames.not_tcp),
            joined_fragments: frames.map(|frames| frames.joined).filter(|joined| *joined > 0),
            segments: wire.then_some(totals.segments),
            payload_bytes: wire.then_some(totals.payload_bytes),
            duplicates: totals.duplicates,
            regressions: totals.regressions,
            flows: FlowsRecord {
                begun: totals.flows_begun,
                reported: tally.flows,
                left_out: None,
                kernel_only: tally.kernel_only,
                outcomes: outcomes.map(|outcome| (outcome_key(outcome), tally.with(outcome))).collect(),
            },
            lost: dashboard.loss.as_ref().map(LostRecord::of),
            trace: dashboard.sees.trace.map(|TraceSight { connects, lost }| TraceRecord { connects, lost }),
            last_words: dashboard.sees.last_words.map(LastWordsRecord::of),
            kernel: dashboard.sees.kernel.map(KernelRecord::of),
            evicted: EvictedRecord { closed, half_open, idle },
            states: StatesRecord::of(dashboard),
            ports: dashboard.ports.as_ref().and_then(PortsRecord::of),
            damage,
        }
    }
}

impl<'a> SummaryRecord<'a> {
    /// The same, of flows that match `filter`; `dashboard` is the answer to a query with it.
    pub(super) fn filtered(self, filter: Option<&'a str>, dashboard: &Dashboard) -> Self {
        let pane = &dashboard.flows;
        let left_out = filter.map(|_| pane.all.saturating_sub(pane.matching));
        Self { filter, flows: FlowsRecord { left_out, ..self.flows }, ..self }
    }
}

impl StatesRecord {
    fn of(dashboard: &Dashboard) -> Self {
        let pane = &dashboard.states;
        let both_seen = dashboard.sees.wire && dashboard.sees.kernel.is_some();
        let record = |row: &StateRow| StateRecord { wire: row.wire, kernel: row.kernel };
        Self {
            wire_ends: match pane.wire_counts {
                WireCounts::BothEnds => "both",
                WireCounts::LocalEnds => "local",
            },
            mismatched: both_seen.then_some(pane.mismatched),
            by_state: pane.rows.iter().map(|row| (row.state.name(), record(row))).collect(),
        }
    }
}

impl LostRecord {
    fn of(loss: &Loss) -> Self {
        let reasons = Undecoded::ALL.into_iter().map(|reason| (reason.name(), loss.frames.undecoded(reason)));
        let undecoded = reasons.chain([("total", loss.frames.undecoded_total())]).collect();
        Self { kernel: loss.kernel, interface: loss.interface, ours: loss.ours, undecoded }
    }
}
