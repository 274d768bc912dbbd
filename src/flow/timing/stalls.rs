//! Stalls: acknowledgments that came late, and small writes that waited for one that was delayed (Nagle).
//!
//! May touch `base`. RFC 1122 §4.2.3.2 lets a receiver keep an ack back for less than 0.5 s (Linux: at least 40 ms) in
//! the hope of a second segment or of data to send with it; RFC 896 keeps a small write back while anything sent before
//! it is not acknowledged. Together they stall whoever writes twice and then reads.
//!
//! What is claimed, and why:
//! - **A late ack**: data that travelled alone was acknowledged without data, longer after it than the path has been
//!   seen to take, by [`DELAY`]. Alone, so that neither a queue of its own nor a second segment explains the time. A
//!   delayed ack looks like that; so does a path that was slow for once, which is why it is only called late.
//! - **A small write waited for a delayed ack (Nagle)**: that data was a small segment, and the very next segment of
//!   the flow is its sender's next small one, at once after the late ack. A process does not see acks; its kernel does.
//!   Where a busy host takes longer than [`AT_ONCE`] nothing is claimed, so it is a least count.
//!
//! Where the path's own time is not known nothing is claimed.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::span::Span;
use super::view;
use crate::base::Packing;

/// By how much later than the path takes an ack counts as late, nanoseconds: from a little under Linux's 40 ms to
/// RFC 1122's limit.
const DELAY: RangeInclusive<u64> = 35_000_000..=500_000_000;
/// "At once": the path back, and this, nanoseconds.
const AT_ONCE: u64 = 1_000_000;
/// Room that TCP's options can take of the MSS (RFC 9293 §3.1): a segment that lacks more than this is small.
const MOST_OPTIONS: u32 = 40;
/// RFC 9293 §3.7.1, where no MSS was offered or seen.
pub(super) const DEFAULT_MSS: u16 = 536;

/// What was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Stalls {
    late_acks: u32,
    small_writes: u32,
    /// Nanoseconds.
    waited: u64,
    worst: Span,
}

/// Whether a segment of `len` bytes is certainly less than a full one.
pub(super) fn is_small(len: u32, mss: u16) -> bool {
    len.saturating_add(MOST_OPTIONS) < u32::from(mss)
}

/// Whether an ack that took so many nanoseconds came late, on a path that has taken `path` at least.
pub(super) fn is_late(nanos: u64, path: Span) -> bool {
    path != Span::UNKNOWN && DELAY.contains(&nanos.saturating_sub(path.nanos()))
}

/// Whether what followed an ack after so many nanoseconds followed at once, where the way to its sender and back takes
/// `path`.
pub(super) fn is_at_once(nanos: u64, path: Span) -> bool {
    let path = if path == Span::UNKNOWN { 0 } else { path.nanos() };
    nanos <= path + AT_ONCE
}

impl Stalls {
    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        let Self { late_acks, small_writes, waited, worst } = self;
        into.word(late_acks);
        into.word(small_writes);
        if *small_writes > 0 {
            into.nanos(waited);
            worst.pack(into);
        }
    }

    pub(super) fn note_late(&mut self) {
        self.late_acks = self.late_acks.saturating_add(1);
    }

    /// A small write waited for an ack that took `ack`.
    pub(super) fn note_held(&mut self, ack: Span) {
        self.small_writes = self.small_writes.saturating_add(1);
        self.waited = self.waited.saturating_add(ack.nanos());
        self.worst = self.worst.max(ack);
    }

    pub(super) fn view(&self) -> Option<view::Stalls> {
        (self.late_acks > 0).then(|| view::Stalls {
            late_acks: self.late_acks,
            small_writes: self.small_writes,
            waited: Duration::from_nanos(self.waited),
            worst: self.worst.get(),
        })
    }
}
