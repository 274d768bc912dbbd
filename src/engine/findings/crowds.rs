//! The ends with which many handshakes are not completed, found by one walk over all flows in bounded space.
//!
//! Read first: Misra and Gries, "Finding repeated elements" (1982); `crate::findings::Crowding`.

use std::collections::BTreeSet;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::findings::{Crowding, SYN_FLOOD_PATIENCE};
use crate::flow::{Flow, HandshakeOutcome, Side};
use crate::kernel::Timer;

use super::super::minute::lately;
use super::super::record::Record;

/// Ends that are counted apart at once: more than one in so many of all handshakes are never missed. Of the 1,000,000
/// that a table usually holds these are fewer than a pile.
const APART: usize = 8_192;

/// A handshake that is not completed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uncompleted {
    pub(super) answered: bool,
    pub(super) syn_again: bool,
    pub(super) syn_ack_again: bool,
    pub(super) waits: bool,
    /// It is over, or has waited for long.
    pub(super) overdue: bool,
    /// It waits, or ended in the last minute.
    pub(super) lately: bool,
}

impl Uncompleted {
    pub(super) fn of(record: &Record, now: Timestamp) -> Option<Self> {
        match &record.wire {
            Some(flow) => Self::by_wire(flow, now),
            None => Self::by_kernel(record, now),
        }
    }

    #[inline]
    fn by_wire(flow: &Flow, now: Timestamp) -> Option<Self> {
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
            // Since its first SYN, or its first SYN-ACK.
            overdue: !waits || now.since(flow.state_since()) >= SYN_FLOOD_PATIENCE,
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
pub(super) fn syn_recv(record: &Record) -> Option<Option<Timer>> {
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
        self.count(record.resp, Crowd { open: 1, overdue: one.overdue.into() });
    }

    #[inline]
    fn count(&mut self, to: Endpoint, more: Crowd) {
        if self.last.0 != to {
            let (before, crowd) = std::mem::replace(&mut self.last, (to, Crowd::default()));
            self.add(before, crowd);
        }
        self.last.1 = self.last.1.and(more);
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
    pub(super) fn suspects(&self, crowding: Crowding) -> Vec<Endpoint> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is suspected of so many ends with each of which five wait, and of one with which five times so many do.
    fn suspects(ends: u32, of_one: u32, overdue: bool) -> Vec<Endpoint> {
        let mut crowds = Crowds::keyed(FixedState::with_seed(7));
        let one = Crowd { open: 1, overdue: overdue.into() };
        let every = ends / of_one;
        for n in (0..5).flat_map(|_| 0..ends) {
            crowds.count(Endpoint::new(std::net::Ipv4Addr::from(0x0a00_0000 + n), 80), one);
            if n % every == 0 && n / every < of_one {
                crowds.count(flooded(), one);
            }
        }
        assert!(crowds.apart.len() <= APART);
        crowds.suspects(Crowding::default())
    }

    fn flooded() -> Endpoint {
        Endpoint::new([192, 0, 2, 1], 80)
    }

    #[test]
    fn one_among_more_ends_than_are_counted_is_found() {
        for (ends, of_one, overdue, expected) in [
            (100, 25, true, vec![]),
            (100, 26, true, vec![flooded()]),
            (20_000, 26, true, vec![flooded()]),
            (20_000, 10, true, vec![]),
            (20_000, 26, false, vec![]),
        ] {
            assert_eq!(suspects(ends, of_one, overdue), expected, "{ends} {of_one} {overdue}");
        }
    }
}
