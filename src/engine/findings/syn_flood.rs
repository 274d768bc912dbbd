//! What is told of the ends with which handshakes pile up: a walk of its own, only where there is one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use crate::base::{Endpoint, Timestamp};
use crate::findings::{Crowding, Open, Pile, Piles, Run, SYN_FLOOD_COUNTED, Senders};
use crate::flow::{Flow, Side};

use super::super::minute;
use super::super::opener::listening_ends;
use super::super::record::Record;
use super::super::{Engine, FlowId};
use super::crowds::{Crowds, Uncompleted, syn_recv};
use super::holder;

/// Handshakes that are not completed.
#[derive(Debug)]
struct Count {
    unanswered: Open,
    half_open: Open,
    syn_again: u64,
    syn_ack_again: u64,
    syn_recv: Option<u64>,
    addresses: HashSet<IpAddr, FixedState>,
    /// The first SYN, and the first flow.
    first: Timestamp,
    flow: FlowId,
}

impl Count {
    fn new(hasher: FixedState) -> Self {
        Self {
            unanswered: Open::default(),
            half_open: Open::default(),
            syn_again: 0,
            syn_ack_again: 0,
            syn_recv: None,
            addresses: HashSet::with_hasher(hasher),
            first: Timestamp::MAX,
            flow: FlowId(u64::MAX),
        }
    }

    fn add(&mut self, record: &Record, one: Uncompleted) {
        let open = if one.answered { &mut self.half_open } else { &mut self.unanswered };
        open.count += 1;
        open.waiting += u64::from(one.waits);
        self.syn_again += u64::from(one.syn_again);
        self.syn_ack_again += u64::from(one.syn_ack_again);
        if syn_recv(record).is_some() {
            *self.syn_recv.get_or_insert(0) += 1;
        }
        self.note(record.orig.ip());
        (self.first, self.flow) = (self.first.min(record.first), self.flow.min(record.id));
    }

    fn note(&mut self, address: IpAddr) {
        if self.addresses.len() <= SYN_FLOOD_COUNTED {
            self.addresses.insert(address);
        }
    }

    /// These and `more`.
    fn and(mut self, more: Self) -> Self {
        for (own, more) in [(&mut self.unanswered, more.unanswered), (&mut self.half_open, more.half_open)] {
            own.count += more.count;
            own.waiting += more.waiting;
        }
        self.syn_again += more.syn_again;
        self.syn_ack_again += more.syn_ack_again;
        self.syn_recv = self.syn_recv.map(|own| own + more.syn_recv.unwrap_or(0)).or(more.syn_recv);
        more.addresses.into_iter().for_each(|address| self.note(address));
        (self.first, self.flow) = (self.first.min(more.first), self.flow.min(more.flow));
        self
    }

    const fn waiting(&self) -> u64 {
        self.unanswered.waiting + self.half_open.waiting
    }

    fn senders(&self) -> Senders {
        match (self.addresses.len(), self.addresses.iter().next()) {
            (1, Some(address)) => Senders::One(*address),
            (some, _) if some <= SYN_FLOOD_COUNTED => Senders::Several(some as u64),
            _ => Senders::Many,
        }
    }
}

/// What is gathered of one end.
struct Gathered {
    to: Endpoint,
    overdue: Count,
    young: Count,
    /// Those of clients that try again, and are not answered.
    in_vain: u64,
    /// First and last SYN of each minute, to tell since when they go on.
    minutes: BTreeMap<i64, (Timestamp, Timestamp)>,
    completed: Completed,
}

/// Handshakes that completed, by how many seconds ago.
#[derive(Debug, Clone)]
struct Completed([u64; minute::SECONDS]);

impl Completed {
    const NONE: Self = Self([0; minute::SECONDS]);

    /// Adds one that completed at `at`.
    fn add(&mut self, at: Timestamp, now: Timestamp) {
        if let Some(count) = minute::seconds_ago(at, now).and_then(|ago| self.0.get_mut(ago)) {
            *count += 1;
        }
    }

    /// Those of the last so many seconds.
    fn of(&self, seconds: usize) -> u64 {
        self.0.iter().take(seconds).sum()
    }
}

/// What all flows tell.
struct Seen {
    ends: Vec<Gathered>,
    /// Those with any end.
    completed: Completed,
    /// Some flow tells more than the beginning of a handshake.
    shows_more: bool,
}

impl Gathered {
    fn new(to: Endpoint, hasher: &FixedState) -> Self {
        let [overdue, young] = [(); 2].map(|()| Count::new(hasher.clone()));
        Self { to, overdue, young, in_vain: 0, minutes: BTreeMap::new(), completed: Completed::NONE }
    }

    /// Adds a handshake that is not completed.
    fn add(&mut self, record: &Record, one: Uncompleted) {
        const MINUTE: Duration = Run::PAUSE;
        if !one.answered && one.syn_again {
            self.in_vain += u64::from(one.lately);
            return;
        }
        let first = record.first;
        let (from, until) = self.minutes.entry(first.bin(MINUTE)).or_insert((first, first));
        (*from, *until) = (first.min(*from), first.max(*until));
        if one.lately {
            (if one.overdue { &mut self.overdue } else { &mut self.young }).add(record, one);
        }
    }

    /// Since when they go on without a pause: bins are as wide as that is long.
    fn since(&self) -> Option<Timestamp> {
        let mut newest_first = self.minutes.values().rev().copied();
        let (newest, _) = newest_first.next()?;
        let before = newest_first.scan(newest, |since, (from, until)| {
            let goes_on = since.since(until) < Run::PAUSE;
            *since = from;
            goes_on.then_some(from)
        });
        Some(before.last().unwrap_or(newest))
    }

    /// What is told of it: of those that are no older than any handshake under way only where they are too many.
    fn told(
        self,
        crowding: Crowding,
        forgotten: impl Fn(usize) -> u64,
        watched: Duration,
        now: Timestamp,
    ) -> Option<Pile> {
        let since = self.since()?;
        let at_once = crowding.is_by(self.overdue.waiting() + self.young.waiting());
        let counted = if at_once { self.overdue.and(self.young) } else { self.overdue };
        let seconds = (minute::seconds_ago(counted.first, now)? + 1).min(minute::SECONDS);
        Some(Pile {
            to: self.to,
            at_once,
            unanswered: counted.unanswered,
            half_open: counted.half_open,
            syn_again: counted.syn_again,
            syn_ack_again: counted.syn_ack_again,
            in_vain: self.in_vain,
            completed: self.completed.of(seconds),
            forgotten: forgotten(seconds),
            within: now.since(counted.first).min(watched),
            from: counted.senders(),
            since,
            flow: counted.flow,
            here: false,
            syn_recv: counted.syn_recv,
            limit: None,
            who: None,
        })
    }
}

/// Whether a flow has what captures of only some flags lack: data, or the mere ACK with which a handshake completes.
fn shows_more_than_a_beginning(flow: &Flow) -> bool {
    let halves = Side::BOTH.map(|side| flow.half(side));
    let is_ended = halves.iter().any(|half| half.fins + half.rsts > 0);
    let carries = halves.iter().any(|half| half.payload_bytes > 0);
    carries || (flow.outcome().is_completed() && !is_ended)
}

impl Engine {
    /// Half-open flows that had to go in the run of those that goes on, if one does.
    fn half_open_evicted(&self, now: Timestamp) -> u64 {
        let lasting = self.crowded_out.told().filter(|grown| grown.run.lasts(now));
        lasting.map_or(0, |grown| grown.count)
    }

    /// The ends with which handshakes pile up.
    pub(super) fn piles(&self, crowds: &Crowds, now: Timestamp) -> Piles {
        let crowding = Crowding { evicted: self.half_open_evicted(now), flows: self.table.len() as u64 };
        let suspects = crowds.suspects(crowding);
        if suspects.is_empty() {
            return Piles::default();
        }
        let Seen { ends, completed, shows_more } = self.gather_piles(&suspects, now);
        let forgotten = |seconds| self.handshakes.completed(seconds, now).saturating_sub(completed.of(seconds));
        let (watch, watched) = (&self.kernel.watch, minute::watched(self.since, now));
        let told = ends.into_iter().filter_map(|end| end.told(crowding, forgotten, watched, now));
        let mut all: Vec<Pile> = told.collect();
        all.iter_mut().for_each(|pile| self.add_kernel(pile));
        Piles { all, cookies: watch.cookies.told(), drops: watch.drops.told(), crowding, shows_more }
    }

    /// What all flows tell of these ends, which are in order.
    fn gather_piles(&self, suspects: &[Endpoint], now: Timestamp) -> Seen {
        let hasher = self.table.hasher();
        let mut ends: Vec<Gathered> = suspects.iter().map(|to| Gathered::new(*to, &hasher)).collect();
        let (mut with_any, mut shows_more, mut place) = (Completed::NONE, false, 0);
        for (_, record) in self.table.iter() {
            let one = Uncompleted::of(record, now);
            let flow = record.wire.as_ref();
            shows_more = shows_more || (one.is_none() && flow.is_some_and(shows_more_than_a_beginning));
            let completed = flow.filter(|flow| flow.outcome().is_completed()).and_then(Flow::concluded_at);
            if one.is_none() && completed.is_none() {
                continue;
            }
            completed.into_iter().for_each(|at| with_any.add(at, now));
            // Of a flood nearly all are with one end.
            if suspects[place] != record.resp {
                let Ok(found) = suspects.binary_search(&record.resp) else { continue };
                place = found;
            }
            one.into_iter().for_each(|one| ends[place].add(record, one));
            completed.into_iter().for_each(|at| ends[place].completed.add(at, now));
        }
        Seen { ends, completed: with_any, shows_more }
    }

    /// Adds what the kernel of this host says of that end.
    fn add_kernel(&self, pile: &mut Pile) {
        pile.here = self.locality(pile.to, pile.to)[0];
        let ends = listening_ends(pile.to);
        let at = |end: &Endpoint| self.kernel.listeners.iter().find(|listener| listener.socket.local == *end);
        if let Some(listener) = ends.iter().find_map(at).filter(|_| pile.here) {
            (pile.limit, pile.who) = (listener.socket.send_q, holder(&listener.owner));
        }
    }
}
