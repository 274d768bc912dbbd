//! What a screen needs that only a walk over all flows tells. The walk that orders the flow table gathers it too.

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
    wrong: Walk,
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
            wrong: Walk::new(engine.table.hasher()),
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
        self.wrong.offer(slot, record, self.now);
    }

    pub(super) fn finish(self) -> Scan {
        let Self { engine, now, scan, queues, waiting, let_go, wrong } = self;
        let wire_queues = queues.rows();
        Scan {
            findings: engine.findings(&wire_queues, &wrong),
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
    use super::super::time_wait::Groups;
    use super::super::{Engine, Filter, FlowId, Input, List, Query, QueryCache, RowKey, Sort};
    use crate::base::TcpState;

    const LET_GO: &str = "10.0.0.2:40001";
    /// More than are put in order at first.
    const SYNS: u64 = 600;

    /// A flow that has sent what nobody acknowledged, of whose socket the kernel says something else; one that waits in
    /// TIME-WAIT, whose process has just let go of it; and many that only began.
    fn any_engine() -> Engine {
        let mut engine = engine();
        let unacked = segment(20, CLIENT, SERVER, "P.", 101, 501, 100);
        feed_all(&mut engine, handshake(0).into_iter().chain([unacked]).map(Input::Segment));
        let socket_of = |local, state, inode| socket(local, SERVER, state, (5, 100), inode, inode);
        let half_closed = || socket_of(CLIENT, TcpState::CloseWait, 7);
        let owners = [(7, 9, 3, "curl"), (8, 10, 3, "wget")];
        let of_other = |mut segment: crate::wire::Segment| {
            let ends = [&mut segment.src, &mut segment.dst];
            ends.into_iter().filter(|other| **other == end(CLIENT)).for_each(|other| *other = end(LET_GO));
            Input::Segment(segment)
        };
        feed_all(&mut engine, handshake(4_000).into_iter().map(of_other));
        feed_all(&mut engine, [sample(5_000, vec![half_closed(), socket_of(LET_GO, TcpState::Estab, 8)], &owners)]);
        feed_all(&mut engine, close(7_500).into_iter().map(of_other));
        feed_all(&mut engine, [sample(8_000, vec![half_closed()], &owners[..1])]);
        let syn = |n| segment(8_100, &format!("10.0.0.3:{}", 1_024 + n), SERVER, "S", 1, 0, 0);
        feed_all(&mut engine, (0..SYNS).map(|n| Input::Segment(syn(n))));
        engine
    }

    #[test]
    fn the_walk_that_orders_flows_gathers_the_same() {
        let engine = any_engine();
        let scan = |query: Query| {
            let mut cache = QueryCache::default();
            engine.refresh(&Query { rows: 10, ..query }, &mut cache);
            format!("{:?}", cache.scan)
        };
        let alone = scan(Query { list: List::Handshakes(Sort::default()), ..Query::default() });
        for filter in ["", "port:40001", "state:listen"] {
            let filter = Filter::parse(filter).expect("a filter");
            assert_eq!(scan(Query { filter, ..Query::default() }), alone);
        }
        // Where the flow that is followed stands, only the order of all tells.
        for flow in [0, SYNS] {
            assert_eq!(scan(Query { follow: Some(RowKey::Flow(FlowId(flow))), ..Query::default() }), alone);
        }
    }

    #[test]
    fn a_walk_gathers_what_a_screen_counts() {
        let scan = any_engine().scan();
        assert_eq!((scan.flows as u64, scan.mismatched, scan.unknown_halves), (2 + SYNS, 1, 0));
        assert_eq!(scan.wire_queues.len(), 1);
        assert_ne!(scan.time_wait, Groups::default());
        let busiest: Vec<&str> = scan.busiest.iter().map(|row| &*row.process.comm).collect();
        assert!(busiest.contains(&"wget"), "{busiest:?}");
    }
}
