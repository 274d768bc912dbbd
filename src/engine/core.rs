//! The engine itself: inputs in order, due timers before each.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Series, Timestamp};
use crate::findings::Run;
use crate::flow::{Class, Flow, Side, Zeek};
use crate::wire::Segment;

use super::account::Settled;
use super::connects::Connects;
use super::course::{Course, Told};
use super::dashboard::{Dashboard, Evicted, Second, Sees, Totals, Traffic};
use super::deadlines::Deadlines;
use super::dedupe::Dedupe;
use super::findings::Growth;
use super::going::Going;
use super::handshakes::Handshakes;
use super::incarnation::Incarnation;
use super::join::KernelSide;
use super::lookups::Lookups;
use super::record::{FirstFrame, Rare, Record, Sides, Standing};
use super::sealed::Courses;
use super::spare::Spare;
use super::states::States;
use super::table::{FlowTable, Likely, Slot, side_of};
use super::{FlowId, Input, Loss, Query, QueryCache, Tally};

const SECOND: Duration = Duration::from_secs(1);
const TRAFFIC_KEPT: usize = 240;

/// What the engine is told once, at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Flows in the table at most.
    pub max_flows: usize,
    /// The key of the flow table's hash: chosen at random by whoever starts the engine, for packets choose the tuples.
    pub seed: u64,
    pub repeats: Repeats,
    /// Flows that have closed are forgotten this long after their last segment or reading, which is to be longer than
    /// TIME-WAIT; `None` keeps them until the table is full.
    pub keep_closed: Option<Duration>,
}

/// Which frames that show a segment again are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// None: in a capture file every frame counts.
    None,
    /// Those in a tunnel, of whose sender segments were seen outside of any (live, on one interface).
    Tunnels,
    /// Those too that show a datagram which another interface has just shown (live).
    Interfaces,
}

impl Config {
    /// For a capture file: every frame counts, and every flow is kept.
    pub const fn replay(max_flows: usize, seed: u64) -> Self {
        Self { max_flows, seed, repeats: Repeats::None, keep_closed: None }
    }

    /// For a running host.
    pub const fn live(max_flows: usize, seed: u64) -> Self {
        Self { max_flows, seed, repeats: Repeats::Interfaces, keep_closed: Some(Duration::from_secs(300)) }
    }
}

/// State that is a pure function of the ordered inputs. A [fork](Engine::fork) shares what neither has changed since.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    pub(super) now: Option<Timestamp>,
    pub(super) since: Option<Timestamp>,
    /// The latest time of a packet; behind it, one is out of order.
    newest_packet: Timestamp,
    /// Counts inputs, so that an answer can tell whether it is stale.
    pub(super) revision: u64,
    pub(super) table: FlowTable,
    pub(super) deadlines: Deadlines,
    /// Flows that are over, whose courses will be sealed together.
    pub(super) over: Vec<(Slot, FlowId)>,
    /// Those that are sealed next, the first first.
    pub(super) unsealed: VecDeque<Courses>,
    pub(super) spare: Spare,
    dedupe: Dedupe,
    pub(super) states: States,
    pub(super) handshakes: Handshakes,
    pub(super) kernel: KernelSide,
    pub(super) lookups: Lookups,
    pub(super) connects: Connects,
    /// Flows of which ICMP errors came, the oldest first.
    pub(super) path_errors: VecDeque<FlowId>,
    /// This host's addresses, once a sample told them.
    pub(super) addresses: Option<Arc<[IpAddr]>>,
    pub(super) wire_seen: bool,
    /// Some responder's name was recorded.
    pub(super) named: bool,
    pub(super) loss: Option<Loss>,
    /// When segments were last found to have been lost on their way here.
    pub(super) lost_at: Option<Timestamp>,
    /// When the source lost frames on their way here.
    pub(super) losing: Option<Run>,
    /// What had been lost before that, if anything.
    pub(super) lost_before: Option<Loss>,
    /// How many half-open flows have had to go for others.
    pub(super) crowded_out: Growth,
    pub(super) totals: Totals,
    pub(super) tally: Tally,
    segments: Series,
    bits: Series,
    resent: Series,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: None,
            since: None,
            newest_packet: Timestamp::MIN,
            revision: 0,
            table: FlowTable::new(config.max_flows, config.seed),
            deadlines: Deadlines::default(),
            over: Vec::new(),
            unsealed: VecDeque::new(),
            spare: Spare::default(),
            dedupe: Dedupe::new(),
            states: States::new(),
            handshakes: Handshakes::new(),
            kernel: KernelSide::default(),
            lookups: Lookups::new(config.seed),
            connects: Connects::new(config.seed),
            path_errors: VecDeque::new(),
            addresses: None,
            wire_seen: false,
            named: false,
            loss: None,
            lost_at: None,
            losing: None,
            crowded_out: Growth::FROM_0,
            lost_before: None,
            totals: Totals::default(),
            tally: Tally::default(),
            segments: Series::new(SECOND, TRAFFIC_KEPT),
            bits: Series::new(SECOND, TRAFFIC_KEPT),
            resent: Series::new(SECOND, TRAFFIC_KEPT),
        }
    }

    /// A copy, which shares with this engine what neither of them changes from now on: it takes pointers. A clone does
    /// not share what this engine has changed since it was forked, which takes long.
    pub fn fork(&mut self) -> Self {
        self.table.share();
        self.clone()
    }

    /// Takes in one input: moves the clock, fires what is due, then applies it.
    pub fn feed(&mut self, input: &Input) {
        self.feed_likely(input, self.table.unlooked(input));
    }

    #[inline]
    pub(super) fn feed_likely(&mut self, input: &Input, likely: Likely) {
        if let Input::Segment(segment) = input {
            self.advance(segment.ts, true);
            self.note_packet(segment.ts);
            let found = self.table.find_segment(segment, likely);
            self.segment(segment, likely.hash, found);
        } else {
            self.feed_other(input);
        }
    }

    /// Takes in what is no segment.
    #[inline(never)]
    fn feed_other(&mut self, input: &Input) {
        // Time that has passed already changes nothing, not even where what came late armed a timer that is overdue.
        if matches!(input, Input::Tick(ts) if self.now.is_some_and(|now| *ts <= now)) {
            return;
        }
        // What a segment says was counted with it.
        self.advance(input.ts(), !matches!(input, Input::Tick(_) | Input::Name(_) | Input::Dns(_)));
        match input {
            Input::Icmp(quote) => {
                self.note_packet(quote.ts);
                self.icmp(quote);
            }
            Input::Name(name) => self.name(name),
            Input::Dns(dns) => self.lookups.take(dns),
            Input::Sample(sample) => self.sample(sample),
            Input::Kernel(event) => self.kernel_event(event),
            Input::Loss(loss) => {
                self.wire_seen = true;
                if loss.unseen() > self.loss.as_ref().map_or(0, Loss::unseen) {
                    self.lost_at = Some(loss.ts);
                    let losing = Run::on(self.losing, loss.ts);
                    if losing.since == loss.ts {
                        self.lost_before = self.loss;
                    }
                    self.losing = Some(losing);
                }
                self.loss = Some(**loss);
            }
            Input::Segment(_) | Input::Tick(_) => {}
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
            sees: Sees {
                wire: self.wire_seen,
                names: self.named,
                kernel: self.kernel.readings.sight(),
                trace: self.connects.sight,
                last_words: self.kernel.last_words,
            },
            findings: cache.scan.findings.clone(),
            handshakes: cache.scan.handshakes.clone(),
            states: self.states.pane(now, self.wire_seen, cache.scan.mismatched),
            queues: self.queue_pane(cache),
            time_wait: self.time_wait_pane(now, &cache.scan.time_wait),
            ports: self.kernel.is_seen().then(|| self.kernel.ports.pane(now)),
            flows: self.flow_pane(query, cache),
            list: cache.ordered.as_ref().map(|ordered| self.list_pane(query, ordered)).unwrap_or_default(),
            busiest: cache.scan.busiest.clone(),
            flow: query.selected.and_then(|id| self.detail(id)).map(Box::new),
        }
    }

    /// Moves the clock to `ts` (never back) and fires what is due. A tick does not count as an input: it must change
    /// nothing that the next input would not change.
    #[inline(always)]
    fn advance(&mut self, ts: Timestamp, counts: bool) {
        self.revision += 1;
        if counts {
            self.since.get_or_insert(ts);
        }
        let now = self.now.map_or(ts, |now| now.max(ts));
        self.now = Some(now);
        while let Some((at, id)) = self.deadlines.pop_due(now) {
            self.fire(at, id);
        }
        // Not at a tick: it must change nothing that the next input would not change.
        if counts
            && let Some(keep) = self.config.keep_closed
            && self.table.may_have(Class::Closed)
        {
            self.forget_closed(now, keep);
        }
    }

    /// Counts a packet whose time ran backwards: behind one before it, not behind what others told in between.
    #[inline(always)]
    fn note_packet(&mut self, ts: Timestamp) {
        self.totals.regressions += u64::from(ts < self.newest_packet);
        self.newest_packet = self.newest_packet.max(ts);
    }

    fn fire(&mut self, at: Timestamp, id: FlowId) {
        let Some(slot) = self.table.find_id(id).filter(|slot| self.table.get(*slot).armed == at) else {
            return self.deadlines.pass_stale();
        };
        self.change(slot, at, |record| {
            record.armed = Timestamp::MAX;
            if let Some(flow) = &mut record.wire {
                flow.expire(at);
            }
        });
    }

    /// Drops flows that have closed, once they have been kept for long enough.
    fn forget_closed(&mut self, now: Timestamp, keep: Duration) {
        while let Some(slot) = self.table.stalest(Class::Closed) {
            if now.since(self.table.get(slot).touched) <= keep {
                return;
            }
            self.drop_flow(slot);
        }
    }

    /// Takes in a segment of the flow that was `found` on its tuple, which has that hash.
    #[inline]
    fn segment(&mut self, segment: &Segment, hash: u64, found: Option<(Slot, Side)>) {
        self.wire_seen = true;
        if self.config.repeats != Repeats::None && self.is_shown_twice(segment, found) {
            self.totals.duplicates += 1;
            return;
        }
        let bits = u64::from(segment.frame_len) * 8;
        self.totals.segments += 1;
        self.totals.payload_bytes += u64::from(segment.payload_len);
        self.segments.add(segment.ts, 1);
        self.bits.add(segment.ts, bits);
        let Some((slot, from)) = found else {
            return self.begin_by_wire(segment, Some(hash), None);
        };
        if !self.table.get_mut(slot).take_plain(segment, from, bits, &mut self.spare) {
            self.any_segment(segment, slot, bits);
        }
    }

    /// Takes in a segment of the flow in `slot`, or of one that it begins, the long way.
    #[inline(never)]
    fn any_segment(&mut self, segment: &Segment, slot: Slot, bits: u64) {
        match self.incarnation(slot, segment) {
            Incarnation::New { older } => self.begin_by_wire(segment, None, older),
            Incarnation::Adopt => self.adopt(slot, segment),
            Incarnation::Same(owner) => {
                // Zeek knows one connection a tuple, whichever of ours the segment is.
                if owner != slot {
                    let from = side_of(self.table.get(slot), segment.src);
                    self.change_zeek(slot, |zeek| zeek.feed(segment, from));
                }
                let mut resent = false;
                self.change_with(owner, segment.ts, |record, spare| {
                    let from = side_of(record, segment.src);
                    if owner != slot {
                        resent = record.touch(segment, bits);
                    } else if !record.lets_wait(segment, bits, spare) {
                        record.feed_zeek(segment);
                        resent = record.touch(segment, bits);
                    }
                    record.bare.add(from, segment.tunnel.is_none());
                    record.feed_flow(segment, from);
                    record.opening.feed(segment);
                });
                if resent {
                    self.tally.retransmissions += 1;
                    self.resent.add(segment.ts, 1);
                }
            }
        }
    }

    /// Whether the segment is shown elsewhere too: its datagram by another interface a moment ago, or, for a segment in a
    /// tunnel, its sender's segments outside of it. There offload may cut them otherwise, so no datagram equals another.
    fn is_shown_twice(&mut self, segment: &Segment, found: Option<(Slot, Side)>) -> bool {
        let in_tunnel = segment.tunnel.is_some();
        if in_tunnel && found.is_some_and(|(slot, from)| self.table.get(slot).bare.has(from)) {
            return true;
        }
        let repeat = self.config.repeats == Repeats::Interfaces && self.dedupe.is_repeat(segment);
        if let Some((slot, from)) = found.filter(|_| repeat && !in_tunnel) {
            self.table.get_mut(slot).bare.add(from, true);
        }
        repeat
    }

    /// A flow begins with this segment; `first`: the hash of its tuple, where that leads nowhere yet.
    #[inline(never)]
    fn begin_by_wire(&mut self, segment: &Segment, first: Option<u64>, older: Option<(Slot, FlowId)>) {
        self.make_room();
        self.totals.flows_on_wire += 1;
        let from = Flow::side_of_first(segment);
        let (orig, resp) = if from == Side::Orig { (segment.src, segment.dst) } else { (segment.dst, segment.src) };
        let local = self.locality(orig, resp);
        // Where both ends are one, a segment counts as the originator's.
        let from = if orig == segment.src { Side::Orig } else { Side::Resp };
        let reuses = older.is_some();
        let by_flow = !reuses && Course::is_told_by_flow(segment);
        let course = if by_flow { Told::Nothing } else { Told::Going(Box::new(Going::new(segment, from, reuses))) };
        let opening = self.begin_opening(segment);
        let fill = |record: &mut Record| {
            (record.scope, record.orig, record.resp) = (segment.scope, orig, resp);
            record.orig_known = segment.flags.syn();
            record.wire.insert(Flow::BLANK).begin(segment, reuses);
            record.course = course;
            record.first_frame = FirstFrame::of(segment);
            record.rare = Rare::of(segment, older);
            record.opening = opening;
            record.bare.add(from, segment.tunnel.is_none());
            record.local = local;
            (record.first, record.touched) = (segment.ts, segment.ts);
        };
        let slot = match first {
            Some(hash) => self.table.insert_first(hash, fill),
            None => self.table.insert(fill),
        };
        // It may have had to make room.
        let older = older.filter(|(slot, id)| self.table.still(*slot, *id).is_some());
        if let Some((slot, _)) = older {
            self.change_zeek(slot, |zeek| zeek.replaced(segment.ts));
        }
        self.note_handshake(segment);
        let settled = Settled::of_new(self.table.get_mut(slot));
        self.account(slot, segment.ts, &Standing { local, ..Standing::default() }, &settled);
        self.name_waiting_caller(slot);
    }

    /// Changes what Zeek alone says of a flow, which may be over and sealed.
    fn change_zeek(&mut self, slot: Slot, change: impl FnOnce(&mut Zeek)) {
        let record = self.table.get_mut(slot);
        if let Some(course) = record.course_mut() {
            change(&mut course.zeek);
        }
        if record.may_be_sealed() {
            self.seal_soon(slot);
        }
    }

    /// A connection that only the kernel had shown sends its first captured segment.
    fn adopt(&mut self, slot: Slot, segment: &Segment) {
        self.totals.flows_on_wire += 1;
        let record = self.table.get_mut(slot);
        let mut flow = Flow::new(segment);
        // A segment without SYN tells nothing of who opened the connection; the kernel may have.
        let turned = side_of(record, segment.src) != Flow::side_of_first(segment);
        if turned && !flow.turn_around() {
            record.turn_around();
        }
        record.orig_known |= segment.flags.syn();
        if let Some(shown) = Rare::of(segment, None) {
            // What else is rare, the kernel told before.
            let told = record.rare.take().unwrap_or_default();
            let Rare { vlan, tunnel, .. } = *shown;
            record.rare = Some(Box::new(Rare { vlan, tunnel, ..*told }));
        }
        record.first_frame = FirstFrame::of(segment);
        self.note_handshake(segment);
        let opening = self.begin_opening(segment);
        self.change(slot, segment.ts, |record| {
            record.opening = opening;
            let from = side_of(record, segment.src);
            record.bare = Sides::default();
            record.bare.add(from, segment.tunnel.is_none());
            record.touched = record.touched.max(segment.ts);
            record.wire = Some(flow);
            // It may have been turned around, so its flow does not tell its course.
            record.course = Told::Going(Box::new(Going::new(segment, from, false)));
        });
    }

    fn note_handshake(&mut self, segment: &Segment) {
        if segment.flags.syn() && !segment.malformed {
            self.handshakes.begin(segment.ts);
        }
    }

    fn totals(&self, flows: usize) -> Totals {
        Totals { flows: flows as u64, flows_begun: self.table.begun(), evicted: self.evicted(), ..self.totals }
    }

    fn evicted(&self) -> Evicted {
        self.table.evicted
    }

    fn traffic(&self, now: Timestamp) -> Traffic {
        let second = || Second { segments: self.segments.last_complete(now), bits: self.bits.last_complete(now) };
        let is_complete = self.since.is_some_and(|since| now.seconds() > since.seconds());
        Traffic {
            last_second: is_complete.then(second),
            segments: self.segments.until(now, 0),
            bits: self.bits.until(now, 0),
            resent: self.resent.until(now, 0),
        }
    }
}
