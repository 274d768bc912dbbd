//! ICMP errors about what the ends of an open connection send: who said what, how often, and whether the path has taken
//! it since.
//!
//! As of a handshake's, an error is a claim of whoever sent it and changes no state. One is taken where it quotes what
//! waits to be acknowledged, as the kernel takes it (a keep-alive too, which the kernel does not); a blind sender cannot
//! know these numbers. Read first: RFC 5927 §4.1, RFC 5461 §2, RFC 1191 §3; net/ipv4/tcp_ipv4.c (`tcp_v4_err`).

use std::fmt;
use std::net::IpAddr;

use super::Engine;
use super::record::Record;
use super::table::Slot;
use crate::base::{Seq, Timestamp};
use crate::flow::Side;
use crate::wire::{IcmpError, IcmpQuote};

/// Flows that are remembered to have had errors lately.
pub(super) const MOST: usize = 1_024;

/// What ICMP errors said of one end's segments, as long as these were not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathError {
    /// Who sent the latest: the far host, or something on the way to it.
    pub from: IpAddr,
    pub error: IcmpError,
    /// What the next link takes at most, bytes of IP packet, where it was told.
    pub mtu: Option<u32>,
    /// How many of this kind came from there, the first and the last.
    pub count: u32,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The number that the latest quotes, and the lowest that any of them does.
    pub seq: Seq,
    pub lowest: Seq,
}

impl PathError {
    fn of(quote: &IcmpQuote) -> Self {
        let IcmpQuote { ts, from, error, mtu, seq, .. } = *quote;
        Self { from, error, mtu, count: 1, first: ts, last: ts, seq, lowest: seq }
    }

    /// After one more, about the same end.
    fn and(self, quote: &IcmpQuote) -> Self {
        let next = Self::of(quote);
        if (self.from, self.error) != (next.from, next.error) {
            return next;
        }
        let lowest = if next.seq.before(self.lowest) { next.seq } else { self.lowest };
        Self { count: self.count.saturating_add(1), first: self.first, mtu: next.mtu.or(self.mtu), lowest, ..next }
    }

    /// The latest alone: some of those before it are over.
    const fn begun_anew(self) -> Self {
        Self { count: 1, first: self.last, lowest: self.seq, ..self }
    }
}

/// `10.0.0.1: host unreachable (7 times)`.
impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.from, self.error)?;
        if let Some(mtu) = self.mtu {
            write!(f, ", at most {mtu} bytes")?;
        }
        if self.count > 1 { write!(f, " ({} times)", self.count) } else { Ok(()) }
    }
}

impl Engine {
    /// Notes an error about a segment of the flow in `slot`, if it is about one that is on its way.
    pub(super) fn path_error(&mut self, slot: Slot, quote: &IcmpQuote) {
        let record = self.table.get(slot);
        let Some(side) = record.sent_what_is_quoted(quote) else { return };
        let before = record.path_error(side).and_then(|before| record.what_waits(side, before));
        let error = before.map_or_else(|| PathError::of(quote), |before| before.and(quote));
        let flow = record.id;
        self.change(slot, quote.ts, |record| {
            let errors = &mut record.rare.get_or_insert_default().path_errors;
            errors.get_or_insert_default()[side.index()] = Some(error);
        });
        if !self.path_errors.contains(&flow) {
            if self.path_errors.len() == MOST {
                self.path_errors.pop_front();
            }
            self.path_errors.push_back(flow);
        }
    }
}

impl Record {
    /// What ICMP errors said of the segments of `side`; the latest of them, whether or not it is over.
    pub(super) fn path_error(&self, side: Side) -> Option<PathError> {
        self.rare.as_ref()?.path_errors.as_ref()?[side.index()]
    }

    /// The same, while the path has not taken what they are about; `None` where the peer was never heard: its
    /// acknowledgments may go another way.
    pub(super) fn stands_in_its_way(&self, side: Side) -> Option<PathError> {
        let error = self.path_error(side)?;
        self.una(side).filter(|_| !self.is_closed())?;
        self.what_waits(side, error)
    }

    /// Of errors, those about what was not acknowledged since: all, or the latest, or none.
    fn what_waits(&self, side: Side, error: PathError) -> Option<PathError> {
        let all = self.waits_since(side, error.lowest, error.first);
        self.waits_since(side, error.seq, error.last).then(|| if all { error } else { error.begun_anew() })
    }

    /// Whether what was quoted at `at` still waits: for an acknowledgment, or a probe for any answer.
    fn waits_since(&self, side: Side, seq: Seq, at: Timestamp) -> bool {
        let Some(una) = self.una(side) else { return true };
        let heard = || self.course().and_then(|course| course.analysis.heard_at(side.peer()));
        !una.after(seq) || (una == seq + 1 && heard().is_none_or(|heard| heard <= at))
    }

    /// How far the peer of `side` has acknowledged.
    fn una(&self, side: Side) -> Option<Seq> {
        self.wire.as_ref()?.half(side).una
    }

    /// Who sent the quoted segment, if that is of an open connection and on its way.
    fn sent_what_is_quoted(&self, quote: &IcmpQuote) -> Option<Side> {
        let flow = self.wire.as_ref().filter(|flow| !flow.is_unproven() && !self.is_closed())?;
        let side = Side::BOTH.into_iter().find(|side| self.endpoint(*side) == quote.src)?;
        let half = flow.half(side);
        let waits = half.una.is_none_or(|una| !quote.seq.before(una - 1));
        (waits && quote.seq.before(half.nxt?)).then_some(side)
    }
}
