//! How often what one may want to go to has happened so far: counts that only grow.

use rustc_hash::FxHashSet;

use crate::findings::{Finding, FindingKey};
use crate::flow::{HandshakeOutcome, Side};

use super::findings::Walk;
use super::queues::WireQueues;
use super::record::Standing;
use super::{Engine, FlowId};

/// What happens in an engine at one input or another, and is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    Segment,
    /// A segment of this flow.
    SegmentOf(FlowId),
    /// A handshake was found to have failed, as [`crate::flow::HandshakeOutcome::is_failure`] has it.
    Failure,
    /// A segment was sent again, as Wireshark has it.
    Retransmission,
}

/// How often each has happened. A failure that is revised later has been one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Flows in the table now: this alone may shrink.
    pub flows: u64,
    pub segments: u64,
    pub retransmissions: u64,
    pub failures: u64,
}

/// Which findings hold at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnosis(FxHashSet<FindingKey>);

impl Diagnosis {
    /// How many of them did not hold `before`.
    pub fn new_since(&self, before: &Self) -> usize {
        self.0.difference(&before.0).count()
    }
}

impl Tally {
    pub(super) fn turn(&mut self, was: &Standing, is: &Standing) {
        let failed = is.outcome.is_some_and(HandshakeOutcome::is_failure);
        self.failures += u64::from(failed && was.outcome != is.outcome);
    }
}

impl Engine {
    /// What has happened so far.
    pub const fn tally(&self) -> Tally {
        Tally { flows: self.table.len() as u64, segments: self.totals.segments, ..self.tally }
    }

    /// How often it has happened so far: it grows by the input at which it happens.
    pub fn count(&self, happening: Happening) -> u64 {
        match happening {
            Happening::Segment => self.totals.segments,
            Happening::Failure => self.tally.failures,
            Happening::Retransmission => self.tally.retransmissions,
            Happening::SegmentOf(flow) => {
                let record = self.table.find_id(flow).map(|slot| self.table.get(slot));
                let wire = record.and_then(|record| record.wire.as_ref());
                wire.map_or(0, |wire| Side::BOTH.into_iter().map(|side| wire.sent(side).0).sum())
            }
        }
    }

    /// What is wrong now: a walk over all flows.
    pub fn diagnosis(&self) -> Diagnosis {
        let (mut queues, mut walk) = (WireQueues::default(), Walk::new(self.table.hasher()));
        let now = self.now.unwrap_or_default();
        for (slot, record) in self.table.walk() {
            queues.offer(record);
            walk.offer(slot, record, now);
        }
        Diagnosis(self.findings(&queues.rows(), &walk).iter().map(Finding::key).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::segment;
    use super::super::{Config, Engine, FlowId, Input};
    use super::*;

    #[test]
    fn what_happens_is_counted_at_the_input_where_it_happens() {
        let mut engine = Engine::new(Config::replay(10, 1));
        let (a, b) = ("10.0.0.2:40000", "10.0.0.5:80");
        let all = [Happening::Segment, Happening::SegmentOf(FlowId(0)), Happening::Failure, Happening::Retransmission];
        let inputs = [
            (segment(0, a, b, "S", 100, 0, 0), [1, 1, 0, 0]),
            (segment(5, "10.0.0.2:40001", b, "S", 7, 0, 0), [2, 1, 0, 0]),
            (segment(1_000, a, b, "S", 100, 0, 0), [3, 2, 0, 1]),
            (segment(1_001, b, a, "R.", 0, 101, 0), [4, 3, 1, 1]),
            (segment(1_002, b, a, "R.", 0, 101, 0), [5, 4, 1, 1]),
        ];
        for (segment, expected) in inputs {
            engine.feed(&Input::Segment(segment));
            assert_eq!(all.map(|happening| engine.count(happening)), expected, "{segment:?}");
        }
        engine.feed(&Input::Tick(segment(60_000, a, b, "S", 0, 0, 0).ts));
        assert_eq!(engine.count(Happening::Failure), 2, "the other SYN was given up");
        assert_eq!(engine.count(Happening::SegmentOf(FlowId(7))), 0, "no such flow");
    }
}
