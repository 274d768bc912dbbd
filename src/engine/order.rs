//! Which flows a screen shows and in which order, re-evaluated twice a second of the engine's time, and when rates change.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::Timestamp;
use crate::flow::Side;

use super::dashboard::FlowPane;
use super::query::Scan;
use super::queues::{unknown_halves, wire_queues};
use super::record::Record;
use super::table::Slot;
use super::time_wait::{Groups, close_wait_by_wire};
use super::{Engine, Filter, FlowId, Query, QueryCache, SortKey};

const FRESH: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);

impl Engine {
    /// Brings the cache up to date where it is stale.
    pub(super) fn refresh(&self, query: &Query, cache: &mut QueryCache) {
        let same_question =
            cache.key.as_ref().is_some_and(|(filter, sort)| (filter, sort) == (&query.filter, &query.sort));
        let now = self.now.unwrap_or_default();
        // Rates change all at once, when a second is complete.
        let same_rates = |at: Timestamp| query.sort.by != SortKey::Rate || now.bin(SECOND) == at.bin(SECOND);
        let fresh = cache.made_at.is_some_and(|(revision, at)| {
            let lately = revision < self.revision && now.since(at) < FRESH && now >= at;
            revision == self.revision || (lately && same_rates(at))
        });
        if !(fresh && same_question) {
            cache.scan = self.scan();
            cache.order = self.order(query);
            cache.key = Some((query.filter.clone(), query.sort));
            cache.made_at = Some((self.revision, now));
        }
    }

    /// What a screen needs that only a walk over all flows tells.
    fn scan(&self) -> Scan {
        let mismatches = |record: &Record| {
            Side::BOTH.into_iter().filter(|side| self.mismatch_since(record, *side).is_some()).count() as u64
        };
        let wire_queues = wire_queues(self.table.iter().map(|(_, record)| record));
        Scan {
            findings: self.findings(&wire_queues),
            flows: self.table.len(),
            mismatched: self.table.iter().map(|(_, record)| mismatches(record)).sum(),
            wire_queues,
            unknown_halves: self.table.iter().map(|(_, record)| unknown_halves(record)).sum(),
            time_wait: Groups::by_wire(self.table.iter().map(|(_, record)| record)),
            close_wait: close_wait_by_wire(self.table.iter().map(|(_, record)| record)),
        }
    }

    fn order(&self, query: &Query) -> Vec<FlowId> {
        let mut matching: Vec<(Slot, FlowId)> = self
            .table
            .iter()
            .filter(|(_, record)| query.filter.matches(record))
            .map(|(slot, record)| (slot, record.id))
            .collect();
        self.sort(&mut matching, query.sort.by);
        if query.sort.reverse {
            matching.reverse();
        }
        matching.into_iter().map(|(_, id)| id).collect()
    }

    fn sort(&self, flows: &mut [(Slot, FlowId)], by: SortKey) {
        let now = self.now.unwrap_or_default();
        let record = |slot: Slot| self.table.get(slot);
        match by {
            SortKey::Recent => flows.sort_by_cached_key(|(slot, id)| (Reverse(record(*slot).touched), *id)),
            SortKey::First => flows.sort_unstable_by_key(|(_, id)| *id),
            SortKey::Process => flows.sort_by_cached_key(|(slot, id)| {
                let process = record(*slot).process();
                (process.is_none(), process.map(|process| (process.comm.clone(), process.pid)), *id)
            }),
            SortKey::Orig => flows.sort_by_cached_key(|(slot, id)| (record(*slot).orig, *id)),
            SortKey::Resp => flows.sort_by_cached_key(|(slot, id)| (record(*slot).resp, *id)),
            SortKey::Rate => flows.sort_by_cached_key(|(slot, id)| {
                let record = record(*slot);
                (Reverse(record.bits_per_s(now)), Reverse(record.touched), *id)
            }),
            SortKey::Bytes | SortKey::RecvQ | SortKey::SendQ | SortKey::Rtt | SortKey::State => {
                flows.sort_by_cached_key(|(slot, id)| (Reverse(weight(record(*slot), by)), *id));
            }
        }
    }

    /// A window of the flow table, served from the cache.
    pub(super) fn flow_pane(&self, query: &Query, cache: &QueryCache) -> FlowPane {
        let window = cache.order.iter().skip(query.offset).take(query.rows);
        let rows = window.filter_map(|id| self.table.find_id(*id)).map(|slot| self.row(self.table.get(slot)));
        FlowPane {
            all: cache.scan.flows,
            matching: cache.order.len(),
            offset: query.offset,
            followed: query.follow.and_then(|id| cache.order.iter().position(|other| *other == id)),
            rows: rows.collect(),
        }
    }

    /// The numbers of all flows that match, in order of first appearance.
    pub fn flow_ids(&self, filter: &Filter) -> Vec<FlowId> {
        let matching = self.table.iter().filter(|(_, record)| filter.matches(record));
        let mut ids: Vec<FlowId> = matching.map(|(_, record)| record.id).collect();
        ids.sort_unstable();
        ids
    }
}

/// What a numeric order compares, heaviest first.
fn weight(record: &Record, by: SortKey) -> u128 {
    let ends = || record.ends.iter().flatten().filter(|end| end.gone.is_none());
    match by {
        SortKey::Bytes => u128::from(record.payload_bytes().unwrap_or(0)),
        SortKey::RecvQ => ends().map(|end| u128::from(end.socket.recv_q)).max().unwrap_or(0),
        SortKey::SendQ => ends().map(|end| u128::from(end.socket.send_q.unwrap_or(0))).max().unwrap_or(0),
        SortKey::Rtt => record.rtt().map_or(0, |rtt| rtt.time().as_nanos()),
        SortKey::State => {
            let state = record.state();
            // Ascending by the list of states: the reverse of the other orders; unknown last.
            state.map_or(0, |state| u128::try_from(crate::base::TcpState::ALL.len() - state.index()).unwrap_or(0))
        }
        SortKey::Rate | SortKey::Recent | SortKey::First | SortKey::Process | SortKey::Orig | SortKey::Resp => 0,
    }
}
