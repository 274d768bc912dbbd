//! Round trips: from data to its acknowledgment, by number and by timestamp.
//!
//! May touch `base` and `wire::Segment`. What an observer measures between data and its ack is the way from the capture
//! point to the receiver and back, not the sender's round trip; that takes both halves. Read first: RFC 6298 §3 (Karn's
//! rule, one sample a round trip), RFC 7323 §4.1 (which echoes may be used).
//!
//! Two segments are timed at once: a receiver acknowledges at least every second one (RFC 1122 §4.2.3.2), so that of
//! two in a row one is acknowledged by its very end. An ack of more or less tells by number nothing that is exact.

use crate::base::{Packing, Seq, Timestamp};
use crate::flow::Brief;
use crate::flow::stamp::nanos_between;

/// A segment with data that waits for its acknowledgment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Timed {
    pub(super) at: Timestamp,
    pub(super) end: Seq,
    /// Its TSval, if no segment before carried it: else its echo may be that segment's.
    pub(super) tsval: Option<u32>,
    /// Nothing up to its end was sent twice.
    pub(super) once: bool,
    /// It travelled alone: all before it was acknowledged. With what follows, see `stalls`.
    pub(super) alone: bool,
    pub(super) small: bool,
}

/// The segments of a half that are timed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Watch([Option<Timed>; 2]);

/// What an acknowledgment gave: times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Answer {
    /// By number.
    pub(super) by_ack: Option<ByAck>,
    pub(super) by_timestamps: Option<u64>,
    /// One of those that it covers was as long as its half's segments get.
    pub(super) full: bool,
}

/// What an acknowledgment of a segment by its very end took, nanoseconds; and of the segment, how it was [`Timed`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ByAck {
    pub(super) took: u64,
    pub(super) alone: bool,
    pub(super) small: bool,
}

impl Timed {
    fn pack(&mut self, into: &mut impl Packing) {
        let Self { at, end, tsval, once, alone, small } = self;
        into.time(at);
        into.seq(end);
        into.option(tsval, || 0, Packing::word);
        for fact in [once, alone, small] {
            into.flag(fact);
        }
    }
}

impl Watch {
    pub(super) const NONE: Self = Self([None; 2]);

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        const BLANK: Timed =
            Timed { at: Timestamp::MIN, end: Seq(0), tsval: None, once: false, alone: false, small: false };
        into.unless(self, Self::NONE, |into, watch| {
            for timed in &mut watch.0 {
                into.option(timed, || BLANK, |into, timed| timed.pack(into));
            }
        });
    }

    /// Whether one more can be timed.
    #[inline]
    pub(super) const fn has_room(&self) -> bool {
        self.0[0].is_none() | self.0[1].is_none()
    }

    /// Times a segment that was sent for the first time, if there is room.
    pub(super) fn begin(&mut self, timed: Timed) {
        if let Some(free) = self.0.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(timed);
        }
    }

    /// Karn's rule (RFC 6298 §3: "RTT samples MUST NOT be made using segments that were retransmitted"): numbers from
    /// `seq` on were sent again, so that an ack of what ends beyond them may answer either copy.
    pub(super) fn repeated(&mut self, seq: Seq) {
        for timed in self.0.iter_mut().flatten().filter(|timed| timed.end.after(seq)) {
            timed.once = false;
        }
    }

    /// Times what was sent again, by its timestamp alone: that tells the copies apart (RFC 7323 §4.1). It takes the
    /// place of what it repeats.
    pub(super) fn begin_again(&mut self, seq: Seq, timed: Timed) {
        if timed.tsval.is_some()
            && let Some(slot) = self.0.iter_mut().find(|slot| slot.is_none_or(|timed| timed.end.after(seq)))
        {
            *slot = Some(timed);
        }
    }

    /// An acknowledgment of something new: what it says of the segments that it covers, which are timed no longer.
    /// RFC 7323 §4.1: an echo counts only if it comes with such an ack.
    #[inline]
    pub(super) fn acknowledge(&mut self, segment: &Brief) -> Answer {
        let mut answer = Answer::default();
        for slot in &mut self.0 {
            let Some(Timed { at, end, tsval, once, alone, small }) = *slot else { continue };
            if end.after(segment.ack) {
                continue;
            }
            *slot = None;
            answer.full |= !small;
            // In no time, or in less than none, nothing was measured.
            let took = nanos_between(at, segment.ts).filter(|nanos| *nanos > 0);
            let Some(took) = took else { continue };
            if once && end == segment.ack {
                answer.by_ack = Some(ByAck { took, alone, small });
            }
            if tsval.is_some() && tsval == segment.timestamps().map(|(_, tsecr)| tsecr) {
                answer.by_timestamps = Some(took);
            }
        }
        answer
    }
}
