//! What is kept of one half: the numbers, times and window of its sender's segments.
//!
//! May touch `base` and `wire::Segment`. Compact, since a table holds a million flows.

use super::mark::{Mark, Marks};
use crate::base::{Packing, Sent, Seq, Timestamp};
use crate::flow::stamp::Marks as Bits;
use crate::wire::{Flags, Segment};

/// By how much a sender's windows are scaled (RFC 7323 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shift {
    /// Its SYN was not seen.
    Unknown,
    /// A SYN without the option was seen.
    Refused,
    /// By this count, at most 14.
    By(u8),
}

impl Shift {
    fn number(self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Refused => 1,
            Self::By(count) => 2 + u64::from(count),
        }
    }

    fn of_number(number: u64) -> Self {
        match number {
            0 => Self::Unknown,
            1 => Self::Refused,
            count => Self::By((count - 2) as u8),
        }
    }
}

/// How often the sender has repeated its latest acknowledgment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicates(u32);

impl Duplicates {
    const NONE: Self = Self(0);
    /// Not a number of duplicates: an acknowledgment of unseen data was told, and is not told again. (Wireshark keeps
    /// that in the same counter, so it also counts as two or more.)
    pub(super) const TOLD: Self = Self(u32::MAX);

    pub(super) fn one_more(&mut self) -> u32 {
        self.0 = if *self == Self::TOLD { 1 } else { self.0 + 1 };
        self.0
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Enough for a fast retransmission: Wireshark asks for two, where RFC 5681 §3.2 has three.
    pub(super) fn are_many(self) -> bool {
        self.0 >= 2
    }
}

/// Bits of [`Half::facts`].
pub(super) mod fact {
    /// `base` holds a number.
    pub(in super::super) const BASE: u8 = 1;
    /// It has sent a segment: `high`, `contig`, `window` and the times are set.
    pub(in super::super) const SENT: u8 = 2;
    /// `ack` holds an acknowledgment.
    pub(in super::super) const ACK: u8 = 4;
    /// It has sent a SYN, and no segment with ACK and without SYN since: its window is not scaled.
    pub(in super::super) const FRESH: u8 = 8;
}

/// What was last seen of a half, for those who need no marks.
#[derive(Debug, Clone, Copy)]
pub(in crate::flow) struct Latest {
    /// The window field of its latest segment, unscaled.
    pub(in crate::flow) window: u16,
    /// When that was sent, and when the highest number was.
    pub(in crate::flow) sent_at: Timestamp,
    pub(in crate::flow) high_at: Timestamp,
}

/// One half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Half {
    /// When `high` last rose.
    pub(super) high_at: Timestamp,
    /// When it last sent a segment of any kind.
    sent_at: Timestamp,
    /// The number before its first byte, or a guess from mid-stream; serves only to tell port reuse.
    base: Seq,
    /// The highest end of a segment.
    pub(super) high: Seq,
    /// The end of what was captured without a hole: what the peer may acknowledge.
    pub(super) contig: Seq,
    pub(super) ack: Seq,
    pub(super) duplicates: Duplicates,
    pub(super) window: u16,
    /// What its previous segment was marked with.
    previous: u16,
    pub(super) shift: Shift,
    /// The flow's Multipath TCP subtypes as of its previous segment.
    pub(super) mptcp: u8,
    pub(super) facts: Bits,
}

impl Half {
    pub(super) const fn new() -> Self {
        const ZERO: Seq = Seq(0);
        Self {
            high_at: Timestamp::MIN,
            sent_at: Timestamp::MIN,
            base: ZERO,
            high: ZERO,
            contig: ZERO,
            ack: ZERO,
            duplicates: Duplicates::NONE,
            window: 0,
            previous: 0,
            shift: Shift::Unknown,
            mptcp: 0,
            facts: Bits::NONE,
        }
    }

    /// `own` is what it sent, `peer` what its peer did.
    pub(super) fn pack(&mut self, own: Sent, peer: Sent, into: &mut impl Packing) {
        into.time(&mut self.high_at);
        into.time(&mut self.sent_at);
        into.number_as(&mut self.shift, Shift::number, Shift::of_number);
        let mut facts = Bits::NONE;
        facts.set(fact::BASE | fact::SENT | fact::ACK);
        let usual = Self {
            high_at: self.high_at,
            sent_at: self.sent_at,
            base: own.first,
            high: own.next,
            contig: own.next,
            ack: peer.next,
            duplicates: Duplicates::NONE,
            window: own.window,
            previous: 0,
            shift: self.shift,
            mptcp: 0,
            facts,
        };
        into.unless(self, usual, |into, half| half.pack_unusual(into));
    }

    fn pack_unusual(&mut self, into: &mut impl Packing) {
        // The times and the shift stand before it.
        let Self { base, high, contig, ack, duplicates, window, previous, mptcp, facts, .. } = self;
        for seq in [base, high, contig, ack] {
            into.seq(seq);
        }
        into.word(&mut duplicates.0);
        into.short(window);
        into.short(previous);
        into.number_as(mptcp, u64::from, |bits| bits as u8);
        facts.pack(into);
    }

    pub(super) fn base(&self) -> Option<Seq> {
        self.facts.has(fact::BASE).then_some(self.base)
    }

    pub(super) fn begin(&mut self, base: Seq) {
        self.base = base;
        self.facts.set(fact::BASE);
    }

    /// Whether it has sent a segment.
    pub(super) fn has_sent(&self) -> bool {
        self.facts.has(fact::SENT)
    }

    /// The highest end of its segments; `None` before the first.
    pub(super) fn high(&self) -> Option<Seq> {
        self.has_sent().then_some(self.high)
    }

    /// The end of what was captured of it without a hole.
    pub(super) fn contig(&self) -> Option<Seq> {
        self.has_sent().then_some(self.contig)
    }

    /// The acknowledgment field of its latest segment, whether or not the flag was set; `None` if both are 0.
    pub(super) fn ack(&self) -> Option<Seq> {
        self.facts.has(fact::ACK).then_some(self.ack)
    }

    pub(super) fn latest(&self) -> Option<Latest> {
        let Self { window, sent_at, high_at, .. } = *self;
        self.has_sent().then_some(Latest { window, sent_at, high_at })
    }

    /// The window field of its latest segment, unscaled.
    pub(super) fn window(&self) -> Option<u16> {
        self.has_sent().then_some(self.window)
    }

    /// The same in bytes, where the scale is known; the window of a SYN is not scaled.
    pub(super) fn window_bytes(&self) -> Option<u32> {
        let raw = u32::from(self.window()?);
        match self.shift {
            Shift::Unknown => None,
            Shift::Refused => Some(raw),
            Shift::By(_) if self.facts.has(fact::FRESH) => Some(raw),
            Shift::By(count) => Some(raw << count),
        }
    }

    /// By how much windows of its segments are scaled, but for a SYN's, if it has sent any.
    pub(super) fn scale(&self) -> Option<u8> {
        match self.shift {
            Shift::Refused if self.has_sent() => Some(0),
            Shift::By(count) if self.has_sent() => Some(count),
            _ => None,
        }
    }

    pub(super) fn previous(&self) -> Marks {
        Marks::of_bits(self.previous)
    }

    /// From the last rise of `high` to `now`.
    pub(super) fn since_high(&self, now: Timestamp) -> u64 {
        unsigned_span(self.high_at, now)
    }

    /// From its latest segment to `now`.
    pub(super) fn since_sent(&self, now: Timestamp) -> u64 {
        unsigned_span(self.sent_at, now)
    }

    /// Forgets that anything beyond the first hole was seen.
    pub(super) fn retreat(&mut self) {
        self.high = self.contig;
    }

    /// The hole at `contig` was acknowledged by the peer: it is not asked about again.
    pub(super) fn close_hole(&mut self) {
        self.contig = self.high;
    }

    /// Takes in a segment that was judged (rules 10 and 13).
    pub(super) fn take(&mut self, segment: &Segment, marks: Marks) {
        let ack = acknowledged(segment);
        if ack != self.ack() {
            self.duplicates = Duplicates::NONE;
        }
        let first = !self.has_sent();
        // A probe's byte is not taken by its receiver, so it is not taken for sent.
        if first || !marks.has(Mark::ZeroWindowProbe) {
            let end = end_of(segment);
            if first || end.after(self.high) {
                (self.high, self.high_at) = (end, segment.ts);
            }
            // It jumps over later holes too.
            if first || segment.seq == self.contig {
                self.contig = self.high;
            }
        }
        self.facts.set(fact::SENT);
        self.facts.put(fact::ACK, ack.is_some());
        self.ack = ack.unwrap_or_default();
        self.window = segment.window;
        self.sent_at = segment.ts;
        self.previous = marks.bits();
    }

    /// Takes in a segment without a mark that is next in line and has ACK without SYN, but for its numbers.
    pub(super) fn take_plain(&mut self, segment: &Segment) {
        self.take_latest(segment.ack, segment.window, segment.ts);
    }

    /// The same of what its latest of such segments says.
    pub(super) fn take_latest(&mut self, ack: Seq, window: u16, sent_at: Timestamp) {
        if ack != self.ack {
            self.duplicates = Duplicates::NONE;
        }
        (self.ack, self.window, self.sent_at) = (ack, window, sent_at);
        self.previous = 0;
        self.facts.clear(fact::FRESH);
    }

    pub(super) fn note_syn(&mut self, flags: Flags) {
        if flags.syn() {
            self.facts.set(fact::FRESH);
        } else if flags.ack() {
            self.facts.clear(fact::FRESH);
        }
    }
}

/// The acknowledgment field, even without its flag; an unset flag with 0 in the field is no acknowledgment.
pub(super) fn acknowledged(segment: &Segment) -> Option<Seq> {
    (segment.flags.ack() || segment.ack != Seq(0)).then_some(segment.ack)
}

/// The number after the segment: SYN and FIN count for one, together too.
pub(super) fn end_of(segment: &Segment) -> Seq {
    segment.seq + segment.payload_len + u32::from(segment.flags.syn() || segment.flags.fin())
}

/// From `earlier` to `later` in nanoseconds. Time that runs backwards gives a span longer than any limit.
fn unsigned_span(earlier: Timestamp, later: Timestamp) -> u64 {
    super::signed_span(earlier, later).cast_unsigned()
}
