//! Who connected: claims of the kernel's trace, held against the flows, whichever of the two comes first.
//!
//! Read first: `kernel::Connect`. The SYN was sent while connect(2) was under way, so a claim is of the flow on its
//! tuple whose first segment lies between its two moments; one whose beginning was not captured is of the last claim
//! before.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::flow::{Flow, HandshakeOutcome, Side};
use crate::kernel::{Close, Connect, KernelEvent, LostEvents, Process, Rung};

use super::Engine;
use super::dashboard::TraceSight;
use super::record::Record;
use super::table::{Slot, Tuple, side_of};

/// Claims that wait for their flow, at most, and for how long: until the socket table was read again.
const MOST: usize = 1 << 15;
const PATIENCE: Duration = Duration::from_secs(5);
/// What reading two clocks one after the other, and stamps in microseconds, may put between the same instants.
const SLACK: Duration = Duration::from_micros(100);

/// What the trace told, and what of it no flow has taken yet.
#[derive(Debug, Clone)]
pub(super) struct Connects {
    waiting: HashMap<Tuple, Vec<(u64, Connect)>, FixedState>,
    /// In the order of their coming; those that were taken are still in it.
    order: VecDeque<(u64, Tuple, Timestamp)>,
    next: u64,
    pub(super) sight: Option<TraceSight>,
    /// Events of a time before this one may be missing.
    lost_at: Option<Timestamp>,
}

/// Who connected one end of a flow.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    begin: Timestamp,
    /// The flow began between the claim's two moments.
    encloses: bool,
    here: bool,
    /// `None` if it is not known, or two processes claim the same.
    process: Option<Arc<Process>>,
    rung: Rung,
}

impl Connects {
    /// Claims of which no flow is known; `seed` keys the hash, since whoever connects chooses the tuples.
    pub(super) fn new(seed: u64) -> Self {
        let waiting = HashMap::with_hasher(FixedState::with_seed(seed));
        Self { waiting, order: VecDeque::new(), next: 0, sight: None, lost_at: None }
    }

    /// What the claims that wait hold, bytes.
    pub(super) fn held(&self) -> usize {
        let claims: usize = self.waiting.values().map(Vec::capacity).sum();
        claims * size_of::<(u64, Connect)>()
            + self.waiting.capacity() * size_of::<(Tuple, Vec<(u64, Connect)>)>()
            + self.order.capacity() * size_of::<(u64, Tuple, Timestamp)>()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.values().map(Vec::len).sum::<usize>().max(self.order.len())
    }

    fn wait(&mut self, tuple: Tuple, connect: &Connect) {
        while self.order.front().is_some_and(|(_, _, at)| connect.end.since(*at) > PATIENCE) || self.order.len() >= MOST
        {
            self.drop_oldest();
        }
        self.order.push_back((self.next, tuple, connect.end));
        self.waiting.entry(tuple).or_default().push((self.next, connect.clone()));
        self.next += 1;
    }

    fn drop_oldest(&mut self) {
        if let Some((number, tuple, _)) = self.order.pop_front() {
            self.release(&tuple, |other| other == number);
        }
    }

    /// Those of the claims on a tuple whose numbers `goes` names wait no more.
    fn release(&mut self, tuple: &Tuple, goes: impl Fn(u64) -> bool) {
        let Some(claims) = self.waiting.get_mut(tuple) else { return };
        claims.retain(|(number, _)| !goes(*number));
        if claims.is_empty() {
            self.waiting.remove(tuple);
        }
    }

    /// Whether every connection since `begin` was told of.
    fn is_whole_since(&self, begin: Timestamp) -> bool {
        self.lost_at.is_none_or(|lost_at| lost_at < begin)
    }

    /// Whether a claim is of this flow; `local`: whether its end is of the namespace that is watched, where that is
    /// known.
    fn fits(&self, connect: &Connect, record: &Record, local: Option<bool>) -> bool {
        let elsewhere = connect.here == Some(false);
        if elsewhere != (local == Some(false)) {
            return false;
        }
        // Of a rung that does not tell of all, a later claim may be missing.
        let is_last = connect.rung == Rung::Trace && !elsewhere && self.is_whole_since(connect.begin);
        let joined_late = is_last && is_joined_late(record);
        encloses(connect, record.first) || (joined_late && begins_before(connect, record.first))
    }
}

/// Whether a flow of which the first segment was captured at `first` began while the connect() was under way.
fn encloses(connect: &Connect, first: Timestamp) -> bool {
    begins_before(connect, first) && first <= connect.end + SLACK
}

fn begins_before(connect: &Connect, first: Timestamp) -> bool {
    connect.begin <= first + SLACK
}

/// Whether it tells how the connect() went by which `orig` began a flow at `first`.
pub(super) fn is_originators(connect: &Connect, orig: Endpoint, first: Timestamp) -> bool {
    connect.rung == Rung::Trace && connect.local == orig && encloses(connect, first)
}

/// Whether nothing shows how the flow began.
fn is_joined_late(record: &Record) -> bool {
    let begins = |side| matches!(record.reported(side), Some(TcpState::SynSent | TcpState::SynRecv));
    match record.wire.as_ref().map(Flow::outcome) {
        Some(outcome) => outcome == HandshakeOutcome::Partial,
        None => !Side::BOTH.into_iter().any(begins),
    }
}

/// Who closed one end of a flow; `None` if two processes did.
#[derive(Debug, Clone)]
pub(super) struct Closed(Option<Arc<Process>>, Rung);

impl Connected {
    fn of(connect: &Connect, record: &Record) -> Self {
        Self {
            begin: connect.begin,
            encloses: encloses(connect, record.first),
            here: connect.here == Some(true),
            process: connect.process.clone(),
            rung: connect.rung,
        }
    }

    /// The better of two claims; where neither is, nobody is named.
    fn or_better(self, other: Self) -> Self {
        let rank = |claim: &Self| (claim.encloses, claim.here);
        match rank(&self).cmp(&rank(&other)) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            // One after the other on the same tuple: the flow is of the last.
            _ if !self.encloses => {
                if self.begin > other.begin {
                    self
                } else {
                    other
                }
            }
            // At the same time in two network namespaces, say.
            _ if self.process != other.process => Self { process: None, ..self },
            _ => self,
        }
    }
}

impl Engine {
    /// Whether a claim is of the flow in `slot`.
    fn is_caller_of(&self, connect: &Connect, slot: Slot) -> bool {
        let record = self.table.get(slot);
        self.connects.fits(connect, record, self.is_local(record, side_of(record, connect.local)))
    }

    pub(super) fn kernel_event(&mut self, event: &KernelEvent) {
        match event {
            KernelEvent::Tracing(_) => drop(self.connects.sight.get_or_insert_default()),
            KernelEvent::Connect(connect) => {
                if connect.rung == Rung::Trace && connect.process.is_some() {
                    self.connects.sight.get_or_insert_default().connects += 1;
                }
                self.kernel.ports.connected(connect);
                let tuple = Tuple::new(connect.scope, connect.local, connect.peer);
                let slot = self.table.find(&tuple).filter(|slot| self.is_caller_of(connect, *slot));
                match slot {
                    Some(slot) => {
                        self.name_caller(slot, connect);
                        self.end_connect(slot, connect);
                    }
                    None => self.connects.wait(tuple, connect),
                }
            }
            KernelEvent::Close(close) => self.close(close),
            KernelEvent::Lost(LostEvents { until, total, .. }) => {
                self.connects.sight.get_or_insert_default().lost = *total;
                self.connects.lost_at = self.connects.lost_at.max(Some(*until));
            }
            KernelEvent::LastWords(_) => drop(self.last_words()),
            KernelEvent::LastWord(word) => self.last_word(word),
            KernelEvent::LastWordsLost(lost) => self.last_words().lost = lost.total,
        }
    }

    /// The flow is known by now: its segments came before this.
    fn close(&mut self, close: &Close) {
        let Some(slot) = self.table.find(&Tuple::new(close.scope, close.local, close.peer)) else { return };
        let record = self.table.get(slot);
        let side = side_of(record, close.local);
        if self.is_local(record, side) == Some(false) || !is_open_at(record, side, close.ts) {
            return;
        }
        self.change(slot, close.ts, |record| {
            let known = &mut record.rare.get_or_insert_default().closed[side.index()];
            let same = known.as_ref().is_none_or(|Closed(before, _)| before.as_ref() == Some(&close.process));
            *known = Some(Closed(same.then(|| close.process.clone()), close.rung));
        });
    }

    /// A flow has begun: the claims that came before it are held against it.
    pub(super) fn name_waiting_caller(&mut self, slot: Slot) {
        if self.connects.waiting.is_empty() {
            return;
        }
        let tuple = self.table.get(slot).tuple();
        let Some(claims) = self.connects.waiting.get(&tuple) else { return };
        let fitting: Vec<(u64, Connect)> =
            claims.iter().filter(|(_, connect)| self.is_caller_of(connect, slot)).cloned().collect();
        self.connects.release(&tuple, |number| fitting.iter().any(|(taken, _)| *taken == number));
        for (_, connect) in &fitting {
            self.name_caller(slot, connect);
        }
    }

    /// The kernel's record says when the socket left SYN-SENT, and whereto: its connect() is over without an answer so
    /// far, or it took the SYN-ACK.
    fn end_connect(&mut self, slot: Slot, connect: &Connect) {
        let record = self.table.get(slot);
        if !is_originators(connect, record.orig, record.first) {
            return;
        }
        if connect.connected == Some(true) {
            return self.change(slot, connect.end, |record| {
                if let Some(flow) = &mut record.wire {
                    flow.take_word_of_syn_ack(connect.end);
                }
            });
        }
        if !record.wire.as_ref().is_some_and(Flow::is_unanswered) {
            return;
        }
        let let_go = self.is_let_go(slot, connect.end);
        self.change(slot, connect.end, |record| {
            if let Some(flow) = &mut record.wire {
                flow.abandon(connect.end, let_go);
            }
        });
    }

    /// Whether a SYN-SENT socket that is gone at `at` was let go by its process: before its timer ran out, by which the
    /// kernel tries again or ends the connect(). Once it may have run out, the two cannot be told apart.
    pub(super) fn is_let_go(&self, slot: Slot, at: Timestamp) -> bool {
        // The first timer of all runs for 1 s (RFC 6298 §2), and none after it for less.
        const SHORTEST: Duration = Duration::from_secs(1);
        // What is left of a timer is told in whole ticks of the kernel, with what has gone of this one (HZ is 100 at
        // least).
        const TICK: Duration = Duration::from_millis(10);
        let record = self.table.get(slot);
        if !record.wire.as_ref().is_some_and(Flow::is_unanswered) {
            return false;
        }
        let by_kernel = record.end(Side::Orig).and_then(|end| Some(end.began + end.socket.timer?.left - TICK));
        let last = || record.retries(Side::Orig, record.wire.as_ref()?.handshake().syn_at).last().copied();
        let due = by_kernel.max(last().map(|last| last + SHORTEST));
        due.is_some_and(|due| at + SLACK < due)
    }

    fn name_caller(&mut self, slot: Slot, connect: &Connect) {
        self.change(slot, connect.end, |record| {
            // Whoever connects is the originator.
            record.learn_opener(connect.peer, true);
            let side = side_of(record, connect.local);
            let claim = Connected::of(connect, record);
            let known = &mut record.rare.get_or_insert_default().connected[side.index()];
            *known = Some(match known.take() {
                Some(before) => before.or_better(claim),
                None => claim,
            });
        });
    }
}

/// Whether an end was still open on the wire at `ts`, to be closed then: a flow that had ended is of a connection
/// before.
fn is_open_at(record: &Record, side: Side, ts: Timestamp) -> bool {
    let Some(flow) = record.wire.as_ref().filter(|_| record.first <= ts + SLACK) else { return false };
    record.has_closed(side) == Some(false) || flow.state_since() + SLACK >= ts
}

impl Record {
    /// Who closed an end, by the kernel's trace, and on which rung that was found.
    pub(super) fn closed(&self, side: Side) -> Option<(&Arc<Process>, Rung)> {
        let Closed(process, rung) = self.rare.as_ref()?.closed[side.index()].as_ref()?;
        Some((process.as_ref()?, *rung))
    }

    /// Who connected an end, by the kernel's trace, and on which rung that was found.
    pub(super) fn connected(&self, side: Side) -> Option<(&Arc<Process>, Rung)> {
        let connected = self.rare.as_ref()?.connected[side.index()].as_ref()?;
        Some((connected.process.as_ref()?, connected.rung))
    }
}
