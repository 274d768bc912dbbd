//! What a screen needs that only a walk over all flows tells: each walk that is made anyway may gather it.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::flow::Side;
use crate::kernel::Process;

use super::Engine;
use super::findings::Walk;
use super::query::Scan;
use super::queues::{WireQueues, unknown_halves};
use super::record::Record;
use super::table::Slot;
use super::time_wait::Waiting;

impl Engine {
    /// Gathers it by a walk of its own.
    pub(super) fn scan(&self) -> Scan {
        let mut scanning = Scanning::new(self);
        self.table.walk().for_each(|(slot, record)| scanning.offer(slot, record));
        scanning.finish()
    }
}

/// It, flow by flow.
pub(super) struct Scanning<'a> {
    engine: &'a Engine,
    now: Timestamp,
    scan: Scan,
    queues: WireQueues,
    waiting: Waiting,
    let_go: Vec<(&'a Arc<Process>, u64)>,
    walk: Walk,
}

impl<'a> Scanning<'a> {
    /// Of no flow yet.
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            now: engine.now.unwrap_or_default(),
            scan: Scan { flows: engine.table.len(), ..Scan::default() },
            queues: WireQueues::default(),
            waiting: Waiting::default(),
            let_go: Vec::new(),
            walk: Walk::new(engine.table.hasher()),
        }
    }

    /// Takes in the next flow.
    pub(super) fn offer(&mut self, slot: Slot, record: &'a Record) {
        let mismatches = |side: &Side| self.engine.mismatch_since(record, *side).is_some();
        self.let_go.extend(self.engine.let_go(record));
        self.scan.mismatched += Side::BOTH.iter().filter(|side| mismatches(side)).count() as u64;
        self.scan.unknown_halves += unknown_halves(record);
        self.queues.offer(record);
        self.waiting.count(record);
        self.walk.offer(slot, record, self.now);
    }

    pub(super) fn finish(self) -> Scan {
        let Self { engine, now, scan, queues, waiting, let_go, walk } = self;
        let wire_queues = queues.rows();
        Scan {
            findings: engine.findings(&wire_queues, &walk),
            kernel_queues: engine.kernel_queues(),
            wire_queues,
            time_wait: waiting.time_wait(),
            busiest: engine.busiest(let_go),
            handshakes: engine.handshakes.pane(engine.since, now),
            ..scan
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::super::{Filter, Input, List, Query, QueryCache, Sort};
    use crate::base::TcpState;

    /// A flow that has sent what nobody acknowledged, one that waits in TIME-WAIT, and sockets of which the kernel says
    /// something else.
    #[test]
    fn the_walk_that_orders_flows_gathers_the_same() {
        const OTHER: &str = "10.0.0.2:40001";
        let mut engine = engine();
        let data = segment(20, CLIENT, SERVER, "P.", 101, 501, 100);
        feed_all(&mut engine, handshake(0).into_iter().chain([data]).map(Input::Segment));
        let others = handshake(30).into_iter().chain(close(40)).map(|mut segment| {
            let turn = |to: &mut crate::base::Endpoint| *to = if *to == end(CLIENT) { end(OTHER) } else { *to };
            turn(&mut segment.src);
            turn(&mut segment.dst);
            Input::Segment(segment)
        });
        feed_all(&mut engine, others);
        let held = socket(CLIENT, SERVER, TcpState::CloseWait, (5, 100), 7, 1);
        feed_all(&mut engine, [5_000, 8_000].map(|millis| sample(millis, vec![held.clone()], &[(7, 9, 3, "curl")])));
        let scan = |list: List, filter: &str| {
            let (mut cache, filter) = (QueryCache::default(), Filter::parse(filter).expect("a filter"));
            engine.refresh(&Query { list, filter, rows: 10, ..Query::default() }, &mut cache);
            format!("{:?}", cache.scan)
        };
        let alone = scan(List::Handshakes(Sort::default()), "");
        for filter in ["", "port:40001", "state:listen"] {
            assert_eq!(scan(List::Flows, filter), alone, "{filter:?}");
        }
        let scan = engine.scan();
        assert_eq!((scan.flows, scan.wire_queues.len(), scan.time_wait == Default::default()), (2, 1, false));
        assert!(scan.mismatched > 0 && !scan.busiest.is_empty(), "{scan:?}");
    }
}
