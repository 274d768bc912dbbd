//! A segment in few bytes: the numbers that it says, for whoever needs no more of it.
//!
//! May touch `base` and `wire::Segment`.

use super::Side;
use crate::base::{Endpoint, Seq, Timestamp};
use crate::wire::{Flags, Options, Segment};

/// What a segment says in numbers: all of it but the frame and records of application data, if it
/// [is told in full](Self::tells).
#[derive(Debug, Clone, Copy)]
pub struct Brief {
    pub ts: Timestamp,
    pub(super) seq: Seq,
    pub(super) ack: Seq,
    pub(super) payload_len: u32,
    pub(super) timestamps: (u32, u32),
    pub(super) window: u16,
    /// The flags, and the bits below.
    pub(super) marks: u16,
    /// Of its digest, the lower bits.
    pub(super) digest: u16,
    pub(super) ttl: u8,
}

/// A brief in half a line of the processor's cache: its time is kept after another that is known.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Slip {
    /// Nanoseconds, the lower bits.
    after: u32,
    seq: Seq,
    ack: Seq,
    payload_len: u32,
    timestamps: (u32, u32),
    window: u16,
    marks: u16,
    digest: u16,
    ttl: u8,
    /// The higher bits.
    after_high: u8,
}

/// Bits of [`Brief::marks`] beside the nine flags.
pub(super) const FROM_RESP: u16 = 1 << 15;
pub(super) const HAS_TIMESTAMPS: u16 = 1 << 14;
const FLAGS: u16 = 0x1ff;

impl Brief {
    /// Of no segment.
    pub const BLANK: Self = Slip::NONE.brief(Timestamp::MIN);

    /// Whether a segment says no more than [`Self::of`] it holds.
    #[inline]
    pub fn tells(segment: &Segment) -> bool {
        segment.options.is_timestamps_at_most() & !segment.malformed & (segment.flags.0 & !FLAGS == 0)
    }

    /// The same of a SYN or SYN-ACK, but for what it offers, of which only the scale of windows matters to others than
    /// the flow.
    pub(super) fn tells_of_syn(segment: &Segment) -> bool {
        let options = &segment.options;
        let more = options.mptcp().is_some() || options.cut() || options.has_sack() || segment.malformed;
        !more && segment.flags.0 & !FLAGS == 0
    }

    /// Of a segment sent by `from`.
    #[inline]
    pub fn of(segment: &Segment, from: Side) -> Self {
        let from = (from as u16) * FROM_RESP;
        let has_timestamps = u16::from(segment.options.timestamps().is_some()) * HAS_TIMESTAMPS;
        Self {
            ts: segment.ts,
            seq: segment.seq,
            ack: segment.ack,
            payload_len: segment.payload_len,
            timestamps: segment.options.timestamps().unwrap_or_default(),
            window: segment.window,
            marks: segment.flags.0 & FLAGS | from | has_timestamps,
            digest: segment.digest as u16,
            ttl: segment.ttl,
        }
    }

    /// Who sent it.
    #[inline]
    pub const fn from(&self) -> Side {
        if self.marks & FROM_RESP == 0 { Side::Orig } else { Side::Resp }
    }

    pub(super) const fn flags(&self) -> Flags {
        Flags(self.marks & FLAGS)
    }

    /// TSval and TSecr.
    pub(super) const fn timestamps(&self) -> Option<(u32, u32)> {
        if self.marks & HAS_TIMESTAMPS == 0 { None } else { Some(self.timestamps) }
    }

    /// SEG.SEQ + SEG.LEN.
    pub(super) fn end(&self) -> Seq {
        let flags = self.flags();
        self.seq + self.payload_len.wrapping_add(u32::from(flags.syn()) + u32::from(flags.fin()))
    }

    /// The segment again, between the originator and the responder.
    pub fn segment(&self, [orig, resp]: [Endpoint; 2]) -> Segment {
        let (src, dst) = if self.from() == Side::Orig { (orig, resp) } else { (resp, orig) };
        Segment {
            digest: self.digest.into(),
            seq: self.seq,
            ack: self.ack,
            window: self.window,
            payload_len: self.payload_len,
            options: Options::default().with_timestamps(self.timestamps()),
            ttl: self.ttl,
            ..Segment::bare(self.ts, src, dst, self.flags())
        }
    }
}

impl Slip {
    /// Of no segment.
    pub const NONE: Self = Self {
        after: 0,
        seq: Seq(0),
        ack: Seq(0),
        payload_len: 0,
        timestamps: (0, 0),
        window: 0,
        marks: 0,
        digest: 0,
        ttl: 0,
        after_high: 0,
    };

    /// Of a segment sent by `from` at `since` or after it; `None` if it came before that, or more than 18 minutes after.
    #[inline]
    pub fn of(segment: &Segment, from: Side, since: Timestamp) -> Option<Self> {
        let after = u64::try_from(segment.ts.nanos().checked_sub(since.nanos())?).ok()?;
        let after_high = u8::try_from(after >> u32::BITS).ok()?;
        let Brief { ts: _, seq, ack, payload_len, timestamps, window, marks, digest, ttl } = Brief::of(segment, from);
        let after = after as u32;
        Some(Self { after, seq, ack, payload_len, timestamps, window, marks, digest, ttl, after_high })
    }

    /// All that it says.
    #[inline]
    pub const fn brief(&self, since: Timestamp) -> Brief {
        let Self { after, seq, ack, payload_len, timestamps, window, marks, digest, ttl, after_high } = *self;
        let after = (after_high as i64) << u32::BITS | after as i64;
        // As the time from one instant to another it does not overflow.
        let ts = Timestamp::from_nanos(since.nanos().wrapping_add(after));
        Brief { ts, seq, ack, payload_len, timestamps, window, marks, digest, ttl }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_slip_is_half_a_line() {
        assert_eq!(size_of::<Slip>(), 32);
    }

    #[test]
    fn a_slip_keeps_all_that_a_brief_says() {
        let end = |port| Endpoint::new(std::net::Ipv4Addr::LOCALHOST, port);
        let since = Timestamp::from_secs_nanos(1_700_000_000, 7);
        let told = |from, timestamps, ts| {
            let segment = Segment {
                digest: 0xffff_1234,
                seq: Seq(1),
                ack: Seq(2),
                window: 3,
                payload_len: u32::MAX,
                options: Options::default().with_timestamps(timestamps),
                ttl: 4,
                ..Segment::bare(ts, end(1), end(2), Flags(FLAGS))
            };
            let slip = Slip::of(&segment, from, since)?;
            assert_eq!(format!("{:?}", slip.brief(since)), format!("{:?}", Brief::of(&segment, from)));
            Some(slip)
        };
        let most = Duration::from_nanos((1 << 40) - 1);
        for ts in [since, since + Duration::from_secs(5), since + most] {
            assert!(told(Side::Orig, None, ts).is_some() && told(Side::Resp, Some((5, 6)), ts).is_some());
        }
        let unlike = [since + most + Duration::from_nanos(1), since - Duration::from_nanos(1), Timestamp::MIN];
        assert!(unlike.into_iter().all(|ts| told(Side::Orig, None, ts).is_none()));
    }
}
