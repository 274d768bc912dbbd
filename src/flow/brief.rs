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
    pub(super) digest: u64,
    pub(super) seq: Seq,
    pub(super) ack: Seq,
    pub(super) payload_len: u32,
    timestamps: (u32, u32),
    pub(super) window: u16,
    /// The flags, and the bits below.
    marks: u16,
    pub ttl: u8,
}

/// Bits of [`Brief::marks`] beside the nine flags.
const FROM_RESP: u16 = 1 << 15;
const HAS_TIMESTAMPS: u16 = 1 << 14;
const FLAGS: u16 = 0x1ff;

impl Brief {
    /// Of no segment.
    pub const NONE: Self = Self {
        ts: Timestamp::MIN,
        digest: 0,
        seq: Seq(0),
        ack: Seq(0),
        payload_len: 0,
        timestamps: (0, 0),
        window: 0,
        marks: 0,
        ttl: 0,
    };

    /// Whether a segment says no more than [`Self::of`] it holds.
    #[inline]
    pub fn tells(segment: &Segment) -> bool {
        let Options { mss, wscale, sack_permitted, sack, timestamps: _, fast_open, mptcp, cut } = &segment.options;
        let offers = mss.is_some() | wscale.is_some() | sack_permitted | fast_open | mptcp.is_some();
        let more = offers | cut | !sack.as_slice().is_empty() | segment.malformed;
        !more & (segment.flags.0 & !FLAGS == 0)
    }

    /// Of a segment sent by `from`.
    #[inline]
    pub fn of(segment: &Segment, from: Side) -> Self {
        let from = (from as u16) * FROM_RESP;
        let has_timestamps = u16::from(segment.options.timestamps.is_some()) * HAS_TIMESTAMPS;
        Self {
            ts: segment.ts,
            digest: segment.digest,
            seq: segment.seq,
            ack: segment.ack,
            payload_len: segment.payload_len,
            timestamps: segment.options.timestamps.unwrap_or_default(),
            window: segment.window,
            marks: segment.flags.0 & FLAGS | from | has_timestamps,
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
            digest: self.digest,
            seq: self.seq,
            ack: self.ack,
            window: self.window,
            payload_len: self.payload_len,
            options: Options { timestamps: self.timestamps(), ..Options::default() },
            ttl: self.ttl,
            ..Segment::bare(self.ts, src, dst, self.flags())
        }
    }
}
