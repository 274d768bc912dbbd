//! The engine itself: inputs in order, due timers before each, every change of a record counted.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Series, Timestamp};
use crate::flow::{Analysis, Class, Flow, HandshakeOutcome, Side, Zeek};
use crate::wire::Segment;

use super::connects::Connects;
use super::dashboard::{Dashboard, Evicted, Sees, StatePane, Totals, Traffic};
use super::deadlines::Deadlines;
use super::dedupe::Dedupe;
use super::handshakes::Handshakes;
use super::join::KernelSide;
use super::record::{Rare, Rate, Record, Standing};
use super::states::States;
use super::table::{FlowTable, Slot, Tuple, side_of};
use super::{FlowId, Input, Loss, Query, QueryCache};

const SECOND: Duration = Duration::from_secs(1);
const TRAFFIC_KEPT: usize = 120;

/// What the engine is told once, at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Flows in the table at most.
    pub max_flows: usize,
    /// The key of the flow table's hash: chosen at random by whoever starts the engine, for packets choose the tuples.
    pub seed: u64,
    /// A datagram shown by two interfaces is one segment (live); in a capture file every frame counts.
    pub merge_interfaces: bool,
    /// Flows that are over are forgotten this long after their last segment; `None` keeps them until the table is full.
    pub keep_closed: Option<Duration>,
}

impl Config {
    /// For a capture file: every frame counts, and every flow is kept.
    pub const fn replay(max_flows: usize, seed: u64) -> Self {
        Self { max_flows, seed, merge_interfaces: false, keep_closed: None }
    }

    /// For a running host.
    pub const fn live(max_flows: usize, seed: u64) -> Self {
        Self { max_flows, seed, merge_interfaces: true, keep_closed: Some(Duration::from_secs(300)) }
    }
}

/// State that is a pure function of the ordered inputs. A copy shares what neither has changed since.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    pub(super) now: Option<Timestamp>,
    pub(super) since: Option<Timestamp>,
    /// Counts inputs, so that an answer can tell whether it is stale.
    pub(super) revision: u64,
    pub(super) table: FlowTable,
    deadlines: Deadlines,
    dedupe: Dedupe,
    pub(super) states: States,
    pub(super) handshakes: Handshakes,
    pub(super) kernel: KernelSide,
    pub(super) connects: Connects,
    /// This host's addresses, once a sample told them.
    pub(super) addresses: Option<Arc<[IpAddr]>>,
    pub(super) wire_seen: bool,
    loss: Option<Loss>,
    /// When segments were last found to have been lost on their way here.
    pub(super) lost_at: Option<Timestamp>,
    totals: Totals,
    segments: Series,
    bits: Series,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: None,
            since: None,
            revision: 0,
            table: FlowTable::new(config.max_flows, config.seed),
            deadlines: Deadlines::default(),
            dedupe: Dedupe::new(),
            states: States::new(),
            handshakes: Handshakes::new(),
            kernel: KernelSide::default(),
            connects: Connects::new(config.seed),
            addresses: None,
            wire_seen: false,
            loss: None,
            lost_at: None,
            totals: Totals::default(),
            segments: Series::new(SECOND, TRAFFIC_KEPT),
            bits: Series::new(SECOND, TRAFFIC_KEPT),
        }
    }

    /// Takes in one input: moves the clock, fires what is due, then applies it.
    pub fn feed(&mut self, input: &Input) {
        self.advance(input.ts(), !matches!(input, Input::Tick(_)));
        match input {
            Input::Segment(segment) => self.segment(segment),
            Input::Icmp(quote) => self.icmp(quote),
            Input::Sample(sample) => self.sample(sample),
            Input::Kernel(event) => self.kernel_event(event),
            Input::Loss(loss) => {
                self.wire_seen = true;
                if loss.unseen() > self.loss.as_ref().map_or(0, Loss::unseen) {
                    self.lost_at = Some(loss.ts);
                }
                self.loss = Some(*loss);
            }
            Input::Tick(_) => {}
        }
    }

    /// Takes in many segments; the same result as one by one.
    pub fn feed_batch(&mut self, segments: &[Segment]) {
        for segment in segments {
            self.advance(segment.ts, true);
            self.segment(segment);
        }
    }

    /// When something happens next without an input; may be early, never late.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    /// The engine's clock: the latest time of any input.
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// What a screen needs; `cache` belongs to that screen and is passed again with its next query.
    pub fn dashboard(&self, query: &Query, cache: &mut QueryCache) -> Dashboard {
        self.refresh(query, cache);
        let now = self.now.unwrap_or_default();
        Dashboard {
            now: self.now,
            since: self.since,
            // Of the same instant as the flow pane's sums.
            totals: self.totals(cache.scan.flows),
            traffic: self.traffic(now),
            loss: self.loss,
            sees: Sees { wire: self.wire_seen, kernel: self.kernel.sight, trace: self.connects.sight },
            handshakes: self.handshakes.pane(now),
            states: StatePane {
                close_wait: self.close_wait(&cache.scan.close_wait),
                ..self.states.pane(now, self.wire_seen, cache.scan.mismatched)
            },
            queues: self.queue_pane(cache),
            time_wait: self.time_wait_pane(now, &cache.scan.time_wait),
            flows: self.flow_pane(query, cache),
            flow: query.selected.and_then(|id| self.detail(id)).map(Box::new),
        }
    }

    /// Moves the clock to `ts` (never back) and fires what is due. A tick does not count as an input: it must change
    /// nothing that the next input would not change.
    fn advance(&mut self, ts: Timestamp, counts: bool) {
        self.revision += 1;
        if counts {
            self.since.get_or_insert(ts);
            self.totals.regressions += u64::from(self.now.is_some_and(|now| ts < now));
        }
        let now = self.now.map_or(ts, |now| now.max(ts));
        self.now = Some(now);
        while let Some((at, id)) = self.deadlines.pop_due(now) {
            self.fire(at, id);
        }
        // Not at a tick: it must change nothing that the next input would not change.
        if counts {
            self.forget_closed(now);
        }
    }

    fn fire(&mut self, at: Timestamp, id: FlowId) {
        let Some(slot) = self.table.find_id(id) else { return };
        if self.table.get(slot).armed != Some(at) {
            return;
        }
        self.change(slot, at, |record| {
            record.armed = None;
            if let Some(flow) = &mut record.wire {
                flow.expire(at);
            }
        });
    }

    /// Drops flows that are over, once they have been kept for long enough.
    fn forget_closed(&mut self, now: Timestamp) {
        let Some(keep) = self.config.keep_closed else { return };
        while let Some(slot) = self.table.stalest(Class::Closed) {
            if now.since(self.table.get(slot).touched) <= keep {
                return;
            }
            self.drop_flow(slot);
        }
    }

    fn segment(&mut self, segment: &Segment) {
        self.wire_seen = true;
        let tuple = Tuple::new(segment.scope, segment.src, segment.dst);
        let found = self.table.find(&tuple);
        if self.config.merge_interfaces && self.is_shown_twice(segment, found) {
            self.totals.duplicates += 1;
            return;
        }
        let bits = u64::from(segment.frame_len) * 8;
        self.totals.segments += 1;
        self.totals.payload_bytes += u64::from(segment.payload_len);
        self.segments.add(segment.ts, 1);
        self.bits.add(segment.ts, bits);
        let Some(slot) = found else {
            return self.begin_by_wire(segment, None);
        };
        match self.incarnation(slot, segment) {
            Incarnation::New { older } => self.begin_by_wire(segment, older),
            Incarnation::Adopt => self.adopt(slot, segment),
            Incarnation::Same(owner) => {
                // Zeek knows one connection a tuple, whichever of ours the segment is.
                self.table.get_mut(slot).feed_zeek(segment);
                self.change(owner, segment.ts, |record| {
                    let from = side_of(record, segment.src);
                    record.touch(segment, bits);
                    record.bare[from.index()] |= segment.tunnel.is_none();
                    if let Some(flow) = &mut record.wire {
                        flow.feed(segment, from);
                    }
                });
            }
        }
    }

    /// Whether another interface shows the segment too: the same datagram a moment ago, or, for a segment in a tunnel,
    /// its sender's segments outside of it. There offload may cut them otherwise, so no datagram equals another.
    fn is_shown_twice(&mut self, segment: &Segment, found: Option<Slot>) -> bool {
        let side = |slot| side_of(self.table.get(slot), segment.src).index();
        let known = found.map(|slot| (slot, side(slot)));
        let in_tunnel = segment.tunnel.is_some();
        if in_tunnel && known.is_some_and(|(slot, side)| self.table.get(slot).bare[side]) {
            return true;
        }
        let repeat = self.dedupe.is_repeat(segment);
        if let Some((slot, side)) = known.filter(|_| repeat && !in_tunnel) {
            self.table.get_mut(slot).bare[side] = true;
        }
        repeat
    }

    /// Which connection on its tuple a segment belongs to.
    fn incarnation(&self, slot: Slot, segment: &Segment) -> Incarnation {
        let record = self.table.get(slot);
        let from = side_of(record, segment.src);
        let Some(flow) = &record.wire else {
            let begins = segment.flags.pure_syn() && !record.awaits_syn();
            return if begins { Incarnation::New { older: None } } else { Incarnation::Adopt };
        };
        if flow.is_replaced_by(segment, from) {
            // Of a SYN after a SYN that nobody answered, the connection before both is the one that may still live.
            let before = record.older.filter(|_| flow.is_unproven() && self.older_of(record).is_some());
            return Incarnation::New { older: Some(before.unwrap_or((slot, record.id))) };
        }
        Incarnation::Same(self.older_owner(record, segment).unwrap_or(slot))
    }

    /// The incarnation before, if the SYN that followed it was not believed and the segment is still its own.
    fn older_owner(&self, newer: &Record, segment: &Segment) -> Option<Slot> {
        let slot = self.older_of(newer)?;
        let older = self.table.get(slot);
        older.wire.as_ref()?.still_owns(segment, side_of(older, segment.src)).then_some(slot)
    }

    /// The incarnation before, while nothing has shown that the SYN which followed it was believed.
    pub(super) fn older_of(&self, newer: &Record) -> Option<Slot> {
        let (slot, id) = newer.older.filter(|_| newer.wire.as_ref().is_some_and(Flow::is_unproven))?;
        (self.table.find_id(id) == Some(slot)).then_some(slot)
    }

    fn begin_by_wire(&mut self, segment: &Segment, older: Option<(Slot, FlowId)>) {
        self.make_room();
        let from = Flow::side_of_first(segment);
        let (orig, resp) = if from == Side::Orig { (segment.src, segment.dst) } else { (segment.dst, segment.src) };
        let local = self.locality(orig, resp);
        let slot = self.table.insert(|id| Record {
            id,
            scope: segment.scope,
            orig,
            resp,
            orig_known: segment.flags.syn(),
            wire: None,
            analysis: if older.is_some() { Analysis::reusing() } else { Analysis::new() },
            zeek: None,
            rare: Rare::of(segment),
            bare: [false; 2],
            ends: [None, None],
            local,
            first: segment.ts,
            touched: segment.ts,
            rate: Rate::default(),
            armed: None,
            older,
        });
        let evicted = |(slot, id): &(Slot, FlowId)| self.table.find_id(*id) != Some(*slot);
        if let Some((slot, _)) = older.filter(|older| !evicted(older))
            && let Some(zeek) = &mut self.table.get_mut(slot).zeek
        {
            zeek.replaced(segment.ts);
        }
        let flow = if older.is_some() { Flow::reusing(segment) } else { Flow::new(segment) };
        self.start_wire(slot, segment, flow);
        self.name_waiting_caller(slot);
    }

    /// A connection that only the kernel had shown sends its first captured segment.
    fn adopt(&mut self, slot: Slot, segment: &Segment) {
        let record = self.table.get_mut(slot);
        let mut flow = Flow::new(segment);
        // A segment without SYN tells nothing of who opened the connection; the kernel may have.
        let turned = side_of(record, segment.src) != Flow::side_of_first(segment);
        if turned && !flow.turn_around() {
            record.turn_around();
        }
        record.orig_known |= segment.flags.syn();
        let connected = record.rare.take().map(|rare| rare.connected);
        record.rare = Rare::of(segment);
        if let Some(connected) = connected.filter(|sides| sides.iter().any(Option::is_some)) {
            record.rare.get_or_insert_default().connected = connected;
        }
        self.start_wire(slot, segment, flow);
    }

    fn start_wire(&mut self, slot: Slot, segment: &Segment, flow: Flow) {
        if segment.flags.syn() && !segment.malformed {
            self.handshakes.begin(segment.ts);
        }
        self.change(slot, segment.ts, |record| {
            let from = side_of(record, segment.src);
            record.bare[from.index()] = segment.tunnel.is_none();
            record.touch(segment, u64::from(segment.frame_len) * 8);
            record.wire = Some(flow);
            record.zeek = Some(Zeek::new(segment, side_of(record, segment.src)));
        });
    }

    /// Changes a record and counts what became of it. Every change goes through here.
    pub(super) fn change(&mut self, slot: Slot, at: Timestamp, change: impl FnOnce(&mut Record)) {
        let record = self.table.get_mut(slot);
        let was = record.standing();
        change(record);
        let is = record.standing();
        let (id, resp) = (record.id, record.resp);
        let deadline = record.wire.as_ref().and_then(Flow::next_deadline);
        if let Some(deadline) = deadline
            && record.armed.is_none_or(|armed| deadline < armed)
        {
            record.armed = Some(deadline);
            self.deadlines.push(deadline, id);
        }
        if was != is {
            let took = self.took(slot, &is);
            self.states.turn(at, &was, &is);
            self.handshakes.turn(id, resp, &was, &is, took);
            self.supersede_older(slot, &is, at);
        }
        self.table.reclass(slot);
    }

    fn took(&self, slot: Slot, is: &Standing) -> Option<Duration> {
        let completed = matches!(is.outcome, Some(HandshakeOutcome::Completed | HandshakeOutcome::Simultaneous));
        completed.then(|| self.table.get(slot).wire.as_ref()?.handshake().connect_time).flatten()
    }

    /// Once a new incarnation's SYN was believed, the one before it is over.
    fn supersede_older(&mut self, slot: Slot, is: &Standing, at: Timestamp) {
        let believed = matches!(is.outcome, Some(HandshakeOutcome::Completed | HandshakeOutcome::Simultaneous));
        let Some((older, id)) = self.table.get(slot).older.filter(|_| believed) else { return };
        self.table.get_mut(slot).older = None;
        if self.table.find_id(id) == Some(older) {
            self.change(older, at, |record| {
                if let Some(flow) = &mut record.wire {
                    flow.superseded(at);
                }
            });
        }
    }

    /// Throws out flows until one more fits.
    pub(super) fn make_room(&mut self) {
        while self.table.is_full() {
            let Some(slot) = self.table.victim() else { return };
            self.table.count_eviction(slot);
            self.drop_flow(slot);
        }
        let (table, deadlines) = (&self.table, &mut self.deadlines);
        deadlines.prune(table.len(), |at, id| table.find_id(id).is_some_and(|slot| table.get(slot).armed == Some(at)));
    }

    fn drop_flow(&mut self, slot: Slot) {
        let Some(record) = self.table.remove(slot) else { return };
        let (was, is) = (record.standing(), Standing::default());
        self.states.turn(self.now.unwrap_or_default(), &was, &is);
        self.handshakes.forget(&was);
    }

    fn totals(&self, flows: usize) -> Totals {
        Totals { flows: flows as u64, flows_begun: self.table.begun(), evicted: self.evicted(), ..self.totals }
    }

    fn evicted(&self) -> Evicted {
        self.table.evicted
    }

    fn traffic(&self, now: Timestamp) -> Traffic {
        Traffic {
            segments_per_s: self.segments.last_complete(now),
            bits_per_s: self.bits.last_complete(now),
            segments: self.segments.until(now, 0),
            bits: self.bits.until(now, 0),
        }
    }
}

/// Which connection on its tuple a segment belongs to.
enum Incarnation {
    /// The one in this slot.
    Same(Slot),
    /// The newest, of which only the kernel had told.
    Adopt,
    /// One that begins here; the one before it may not have ended.
    New { older: Option<(Slot, FlowId)> },
}
