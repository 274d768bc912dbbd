//! Handshakes that nobody completes, by the end that they are with.
//!
//! The walk that every screen takes finds the ends with which there are many, in bounded space; only where there is one,
//! a second walk gathers what is told of it. Read first: Misra and Gries, "Finding repeated elements" (1982).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::findings::{Crowding, Open, Pile, Piles, Run, SYN_FLOOD_COUNTED, SYN_FLOOD_PATIENCE, Senders};
use crate::flow::{Flow, HandshakeOutcome, Side};
use crate::kernel::Timer;

use super::super::minute::{self, lately};
use super::super::opener::listening_ends;
use super::super::record::Record;
use super::super::{Engine, FlowId};
use super::holder;

/// Ends that are counted apart at once: more than one in so many of all handshakes are never missed. Of the 1,000,000
/// that a table usually holds these are fewer than a pile.
const APART: usize = 8_192;

/// A handshake that is not completed.
#[derive(Debug, Clone, Copy)]
struct Uncompleted {
    answered: bool,
    syn_again: bool,
    syn_ack_again: bool,
    waits: bool,
    overdue: bool,
    /// It waits, or ended in the last minute.
    lately: bool,
}

impl Uncompleted {
    fn of(record: &Record, now: Timestamp) -> Option<Self> {
        match &record.wire {
            Some(flow) => Self::by_wire(flow, record.first, now),
            None => Self::by_kernel(record, now),
        }
    }

    #[inline]
    fn by_wire(flow: &Flow, first: Timestamp, now: Timestamp) -> Option<Self> {
        use HandshakeOutcome::{HalfOpen, Unanswered, Waiting};
        let outcome = flow.outcome();
        // Of one that began with a SYN-ACK the originator's segments are not captured.
        if !matches!(outcome, Waiting | HalfOpen | Unanswered) || flow.sent(Side::Orig).0 == 0 {
            return None;
        }
        let waits = outcome == Waiting || flow.state(Side::Orig) != Some(TcpState::Closed);
        let [syn_again, syn_ack_again] = flow.retries().map(|times| times > 0);
        Some(Self {
            answered: !flow.is_unproven(),
            syn_again,
            syn_ack_again,
            waits,
            overdue: !waits || now.since(first) >= SYN_FLOOD_PATIENCE,
            lately: waits || flow.concluded_at().is_some_and(|at| lately(at, now)),
        })
    }

    /// The kernel of the responder holds it, and no segment of it was seen.
    fn by_kernel(record: &Record, now: Timestamp) -> Option<Self> {
        let syn_ack_again = syn_recv(record)?.is_some_and(|timer| timer.retries > 0);
        let overdue = syn_ack_again || now.since(record.first) >= SYN_FLOOD_PATIENCE;
        Some(Self { answered: true, syn_again: false, syn_ack_again, waits: true, overdue, lately: true })
    }

    /// Whether the rule counts it: what a client tries again in vain is another's.
    const fn counts(self) -> bool {
        self.lately && (self.answered || !self.syn_again)
    }
}

/// The responder's socket is in SYN-RECV now: its timer.
fn syn_recv(record: &Record) -> Option<Option<Timer>> {
    let end = record.end(Side::Resp).filter(|end| end.is_there() && end.socket.state.0 == TcpState::SynRecv)?;
    Some(end.socket.timer)
}

/// How many handshakes are not completed, and of these overdue.
#[derive(Debug, Clone, Copy, Default)]
struct Crowd {
    open: u64,
    overdue: u64,
}

impl Crowd {
    const fn and(self, more: Self) -> Self {
        Self { open: self.open + more.open, overdue: self.overdue + more.overdue }
    }

    const fn less(self, count: u64) -> Self {
        Self { open: self.open.saturating_sub(count), overdue: self.overdue.saturating_sub(count) }
    }
}

/// The ends with which many handshakes are not completed, whatever else there is.
#[derive(Debug, Clone)]
pub(super) struct Crowds {
    apart: HashMap<Endpoint, Crowd, FixedState>,
    /// The end that the last was with, of which this is to be added: most of a flood are with one.
    last: (Endpoint, Crowd),
    /// By how much a count is too low at most.
    missed: u64,
}

impl Crowds {
    /// None yet. Packets choose the keys, so the hash is keyed.
    pub(super) const fn keyed(hasher: FixedState) -> Self {
        Self {
            apart: HashMap::with_hasher(hasher),
            last: (Endpoint::WILDCARD, Crowd { open: 0, overdue: 0 }),
            missed: 0,
        }
    }

    /// Counts a flow, if its handshake is not completed.
    #[inline]
    pub(super) fn offer(&mut self, record: &Record, now: Timestamp) {
        let Some(one) = Uncompleted::of(record, now).filter(|one| one.counts()) else { return };
        if self.last.0 != record.resp {
            self.turn_to(record.resp);
        }
        self.last.1 = self.last.1.and(Crowd { open: 1, overdue: one.overdue.into() });
    }

    fn turn_to(&mut self, next: Endpoint) {
        let (to, crowd) = std::mem::replace(&mut self.last, (next, Crowd::default()));
        self.add(to, crowd);
    }

    /// Where there is no room, all are counted down together until there is: the many stay.
    fn add(&mut self, to: Endpoint, mut crowd: Crowd) {
        if let Some(known) = self.apart.get_mut(&to) {
            *known = known.and(crowd);
            return;
        }
        if self.apart.len() == APART {
            let least = self.apart.values().fold(crowd.open, |least, known| least.min(known.open));
            self.apart.retain(|_, known| {
                *known = known.less(least);
                known.open > 0
            });
            crowd = crowd.less(least);
            self.missed += least;
        }
        if crowd.open > 0 {
            self.apart.insert(to, crowd);
        }
    }

    /// The ends that the rule may tell of, in order.
    fn suspects(&self, crowding: Crowding) -> Vec<Endpoint> {
        let (last, more) = self.last;
        let crowd = |to: &Endpoint| {
            let known = self.apart.get(to).copied().unwrap_or_default();
            if *to == last { known.and(more) } else { known }
        };
        let may_be = |to: &Endpoint| {
            let Crowd { open, overdue } = crowd(to);
            open > 0 && crowding.may_be_by(open + self.missed, overdue + self.missed)
        };
        let ends: BTreeSet<Endpoint> = self.apart.keys().chain([&last]).copied().filter(may_be).collect();
        ends.into_iter().collect()
    }
}

/// What is gathered of one end.
struct Gathered {
    pile: Pile,
    addresses: HashSet<IpAddr, FixedState>,
    /// First and last SYN of each minute, to tell since when they go on.
    minutes: BTreeMap<i64, (Timestamp, Timestamp)>,
    /// The first SYN of those that are counted.
    first: Timestamp,
    /// Handshakes that completed, by how many seconds ago.
    completed: [u64; minute::SECONDS],
}

impl Gathered {
    fn new(to: Endpoint, hasher: FixedState) -> Self {
        let pile = Pile {
            to,
            unanswered: Open::default(),
            half_open: Open::default(),
            syn_again: 0,
            syn_ack_again: 0,
            in_vain: 0,
            waiting: 0,
            completed: 0,
            within: Duration::ZERO,
            from: Senders::Several(0),
            since: Timestamp::MAX,
            flow: FlowId(u64::MAX),
            here: false,
            syn_recv: None,
            limit: None,
            who: None,
        };
        Self {
            pile,
            addresses: HashSet::with_hasher(hasher),
            minutes: BTreeMap::new(),
            first: Timestamp::MAX,
            completed: [0; minute::SECONDS],
        }
    }

    /// Adds a handshake that is not completed.
    fn add(&mut self, record: &Record, one: Uncompleted) {
        const MINUTE: Duration = Run::PAUSE;
        let pile = &mut self.pile;
        if !one.answered && one.syn_again {
            pile.in_vain += u64::from(one.lately);
            return;
        }
        let first = record.first;
        let (from, until) = self.minutes.entry(first.bin(MINUTE)).or_insert((first, first));
        (*from, *until) = (first.min(*from), first.max(*until));
        if !one.lately {
            return;
        }
        let open = if one.answered { &mut pile.half_open } else { &mut pile.unanswered };
        *(if one.overdue { &mut open.overdue } else { &mut open.young }) += 1;
        if syn_recv(record).is_some() {
            *pile.syn_recv.get_or_insert(0) += 1;
        }
        pile.syn_again += u64::from(one.syn_again);
        pile.syn_ack_again += u64::from(one.syn_ack_again);
        pile.waiting += u64::from(one.waits);
        pile.flow = pile.flow.min(record.id);
        self.first = self.first.min(first);
        if self.addresses.len() <= SYN_FLOOD_COUNTED {
            self.addresses.insert(record.orig.ip());
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

    /// Adds one that completed at `at`.
    fn add_completed(&mut self, at: Timestamp, now: Timestamp) {
        if let Some(count) = minute::seconds_ago(at, now).and_then(|ago| self.completed.get_mut(ago)) {
            *count += 1;
        }
    }

    fn told(self, watched: Duration, now: Timestamp) -> Option<Pile> {
        let since = self.since()?;
        let within = now.since(self.first).min(watched);
        let seconds = minute::seconds_ago(self.first, now).unwrap_or(minute::SECONDS);
        let completed = self.completed.iter().take(seconds + 1).sum();
        let from = match (self.addresses.len(), self.addresses.iter().next()) {
            (1, Some(address)) => Senders::One(*address),
            (some, _) if some <= SYN_FLOOD_COUNTED => Senders::Several(some as u64),
            _ => Senders::Many,
        };
        Some(Pile { since, from, within, completed, ..self.pile })
    }
}

impl Engine {
    /// The ends with which handshakes pile up.
    pub(super) fn piles(&self, crowds: &Crowds, now: Timestamp) -> Piles {
        let crowding = Crowding { evicted: self.table.evicted.half_open, flows: self.table.len() as u64 };
        let suspects = crowds.suspects(crowding);
        if suspects.is_empty() {
            return Piles::default();
        }
        let (gathered, shows_more) = self.gather_piles(&suspects, now);
        let (watch, watched) = (&self.kernel.watch, minute::watched(self.since, now));
        Piles {
            all: gathered.into_iter().filter_map(|end| Some(self.with_kernel(end.told(watched, now)?))).collect(),
            cookies: watch.cookies.told(),
            drops: watch.drops.told(),
            crowding,
            shows_more,
        }
    }

    /// What all flows tell of these ends, which are in order; and whether any tells more than the beginning of a
    /// handshake.
    fn gather_piles(&self, suspects: &[Endpoint], now: Timestamp) -> (Vec<Gathered>, bool) {
        let mut all: Vec<Gathered> = suspects.iter().map(|to| Gathered::new(*to, self.table.hasher())).collect();
        let mut place = 0;
        let mut shows_more = false;
        for (_, record) in self.table.iter() {
            let one = Uncompleted::of(record, now);
            let flow = record.wire.as_ref();
            shows_more |= one.is_none() && flow.is_some_and(|flow| !flow.outcome().is_silence());
            let completed = flow.filter(|flow| flow.outcome().is_completed()).and_then(Flow::concluded_at);
            if one.is_none() && completed.is_none() {
                continue;
            }
            // Of a flood nearly all are with one end.
            if suspects[place] != record.resp {
                let Ok(found) = suspects.binary_search(&record.resp) else { continue };
                place = found;
            }
            if let Some(one) = one {
                all[place].add(record, one);
            } else if let Some(at) = completed {
                all[place].add_completed(at, now);
            }
        }
        (all, shows_more)
    }

    /// And what the kernel of this host says of that end.
    fn with_kernel(&self, pile: Pile) -> Pile {
        let ends = listening_ends(pile.to);
        let here = self.locality(pile.to, pile.to)[0];
        let mut at = ends
            .iter()
            .filter(|_| here)
            .filter_map(|end| self.kernel.listeners.iter().find(|listener| listener.socket.local == *end));
        let listener = at.next();
        Pile {
            here,
            limit: listener.and_then(|listener| listener.socket.send_q),
            who: listener.and_then(|listener| holder(&listener.owner)),
            ..pile
        }
    }
}
