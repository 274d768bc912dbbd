//! Which flows a screen shows and in which order, re-evaluated twice a second of the engine's time, and when rates
//! change.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::Timestamp;

use super::dashboard::FlowPane;
use super::first::first_of;
use super::lists::{List, Ordered};
use super::record::Record;
use super::scanning::Scanning;
use super::table::Slot;
use super::{Engine, Filter, FlowId, Query, QueryCache, RowKey, Sort, SortKey};

const FRESH: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);

/// Flows that are put in order at least: a window that moves on a little needs no other order.
const FIRST: usize = 256;

/// The first flows of the table, in order: who looks at it sees no more, and to sort all takes long.
#[derive(Debug, Clone)]
pub(super) struct FirstFlows {
    first: Vec<FlowId>,
    /// How many match in all.
    pub(super) matching: usize,
}

impl FirstFlows {
    /// Whether it holds the window that is asked for, and the flow that is followed.
    fn serves(&self, query: &Query) -> bool {
        let holds = |id: FlowId| self.first.contains(&id);
        let whole = self.first.len() == self.matching;
        let followed = || query.follow.and_then(RowKey::flow).is_none_or(holds);
        whole || (query.offset.saturating_add(query.rows) <= self.first.len() && followed())
    }
}

impl Engine {
    /// Brings the cache up to date where it is stale.
    pub(super) fn refresh(&self, query: &Query, cache: &mut QueryCache) {
        let same_question =
            cache.key.as_ref().is_some_and(|key| (&key.0, &key.1, &key.2) == (&query.filter, &query.sort, &query.list));
        let now = self.now.unwrap_or_default();
        let made_now = Some((self.revision, now));
        // Rates change all at once, when a second is complete.
        let same_rates = |at: Timestamp| query.sort.by != SortKey::Rate || now.bin(SECOND) == at.bin(SECOND);
        let unchanged = |(revision, _): (u64, Timestamp)| revision == self.revision;
        // Where nothing has happened since the last question, what is told is what is.
        let at_rest = cache.asked_at.replace(self.revision) == Some(self.revision);
        let lately = |(revision, at): (u64, Timestamp)| {
            !at_rest && revision < self.revision && now.since(at) < FRESH && now >= at
        };
        let fresh = cache.made_at.is_some_and(|made| unchanged(made) || (lately(made) && same_rates(made.1)));
        let wants_order = query.rows > 0 || query.follow.is_some();
        let reaches = |ordered: &Ordered| ordered.flows().is_none_or(|order| order.serves(query));
        if !(fresh && same_question && (!wants_order || cache.ordered.as_ref().is_some_and(reaches))) {
            // Whatever a screen counts is of one instant. A filter that is being typed changes the order at every letter,
            // and what is told of all flows only if something happened.
            let is_told = cache.made_at.is_some_and(unchanged);
            cache.ordered = if !is_told && wants_order && query.list == List::Flows {
                // In one walk: what takes the time is to read them all.
                let mut scanning = Scanning::new(self);
                let first = self.first_flows(query, |slot, record| scanning.offer(slot, record));
                cache.scan = scanning.finish();
                Some(Ordered::Flows(first))
            } else {
                if !is_told {
                    cache.scan = self.scan();
                }
                wants_order.then(|| self.ordered(query, &cache.scan.findings))
            };
            let flows = cache.ordered.as_ref().and_then(Ordered::flows);
            cache.matching = flows.map_or_else(|| self.count_matching(&query.filter), |order| order.matching);
            cache.key = Some((query.filter.clone(), query.sort, query.list.clone()));
            cache.made_at = made_now;
        }
    }

    /// The flows that match, in no order that may be shown.
    pub(super) fn matching(&self, filter: &Filter) -> impl Iterator<Item = (Slot, FlowId)> {
        self.matching_of(self.table.iter(), filter)
    }

    fn matching_of<'a>(
        &'a self,
        flows: impl Iterator<Item = (Slot, &'a Record)>,
        filter: &Filter,
    ) -> impl Iterator<Item = (Slot, FlowId)> {
        flows.filter(|(_, record)| filter.matches(self, record)).map(|(slot, record)| (slot, record.id))
    }

    fn count_matching(&self, filter: &Filter) -> usize {
        if filter.is_empty() { self.table.len() } else { self.matching(filter).count() }
    }

    /// The flow table as far as the window reaches, or in full to tell where the flow stands that is followed. On the way
    /// `offer` is given every flow, once.
    pub(super) fn first_flows<'a>(&'a self, query: &Query, mut offer: impl FnMut(Slot, &'a Record)) -> FirstFlows {
        let mut matching = 0;
        let count = |_: &(Slot, FlowId)| matching += 1;
        let wanted = query.offset.saturating_add(query.rows).max(FIRST).saturating_mul(2);
        let all = self.table.walk().inspect(|(slot, record)| offer(*slot, record));
        let first = self.in_order(self.matching_of(all, &query.filter).inspect(count), query.sort, wanted);
        let order = FirstFlows { first, matching };
        if order.serves(query) {
            return order;
        }
        let first = self.in_order(self.matching(&query.filter), query.sort, usize::MAX);
        FirstFlows { first, ..order }
    }

    /// The first so many of these flows, in an order.
    pub(super) fn in_order(
        &self,
        flows: impl Iterator<Item = (Slot, FlowId)>,
        sort: Sort,
        count: usize,
    ) -> Vec<FlowId> {
        let now = self.now.unwrap_or_default();
        match sort.by {
            SortKey::Recent => self.first_by(flows, sort, count, |record| Reverse(record.touched)),
            SortKey::First => self.first_by(flows, sort, count, |_| ()),
            SortKey::Process => self.first_by(flows, sort, count, |record| {
                let process = self.process(record);
                (process.is_none(), process.map(|process| (process.comm.clone(), process.pid)))
            }),
            SortKey::Orig => self.first_by(flows, sort, count, |record| record.orig),
            SortKey::Resp => self.first_by(flows, sort, count, |record| record.resp),
            SortKey::Rate => {
                self.first_by(flows, sort, count, |record| (Reverse(record.bits_per_s(now)), Reverse(record.touched)))
            }
            SortKey::Bytes | SortKey::RecvQ | SortKey::SendQ | SortKey::Rtt | SortKey::State => {
                self.first_by(flows, sort, count, |record| Reverse(weight(record, sort.by)))
            }
        }
    }

    /// The first so many by a key, then by their number.
    fn first_by<K: Ord>(
        &self,
        flows: impl Iterator<Item = (Slot, FlowId)>,
        sort: Sort,
        count: usize,
        key: impl Fn(&Record) -> K,
    ) -> Vec<FlowId> {
        let keyed = flows.map(|(slot, id)| (key(self.table.get(slot)), id));
        let first = first_of(keyed, count, |a, b| if sort.reverse { b.cmp(a) } else { a.cmp(b) });
        first.into_iter().map(|(_, id)| id).collect()
    }

    /// A window of the flow table, served from the cache.
    pub(super) fn flow_pane(&self, query: &Query, cache: &QueryCache) -> FlowPane {
        let order = cache.ordered.as_ref().and_then(Ordered::flows).map_or(&[][..], |order| &order.first);
        let window = order.iter().skip(query.offset).take(query.rows);
        let rows = window.filter_map(|id| self.table.find_id(*id)).map(|slot| self.row(self.table.get(slot)));
        FlowPane {
            all: cache.scan.flows,
            matching: cache.matching,
            offset: query.offset,
            followed: query.follow.and_then(|key| order.iter().position(|other| RowKey::Flow(*other) == key)),
            rows: rows.collect(),
        }
    }

    /// The numbers of all flows that match, in order of first appearance.
    pub fn flow_ids(&self, filter: &Filter) -> Vec<FlowId> {
        if filter.is_empty() && self.table.len() as u64 == self.table.begun() {
            // None has gone.
            return (0..self.table.begun()).map(FlowId).collect();
        }
        // As it grows by doubling there is half as much again for a moment.
        let mut ids = Vec::with_capacity(if filter.is_empty() { self.table.len() } else { 0 });
        ids.extend(self.matching(filter).map(|(_, id)| id));
        ids.sort_unstable();
        ids
    }
}

/// What a numeric order compares, heaviest first.
fn weight(record: &Record, by: SortKey) -> u128 {
    let ends = || record.ends.iter().flatten().filter(|end| end.is_there());
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
