//! The decoded TCP unit, with the numbers as they stood on the wire. Read first: RFC 9293 §3.1, RFC 7323, RFC 2018.

use super::Options;
use super::route::{Tunnel, VlanId};
use crate::base::{Endpoint, Scope, Seq, Timestamp};

/// One TCP segment. As large as two lines of the processor's cache, since each crosses from one core to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub ts: Timestamp,
    pub scope: Scope,
    /// The interface's number in its capture.
    pub iface: u32,
    pub src: Endpoint,
    pub dst: Endpoint,
    pub seq: Seq,
    /// The acknowledgment field, whether or not the ACK flag is set.
    pub ack: Seq,
    pub flags: Flags,
    /// The window field, unscaled.
    pub window: u16,
    /// Payload bytes by the IP header (not by what was captured).
    pub payload_len: u32,
    /// Its data offset points past the segment's end. No endpoint accepts it: it is counted, without payload, and
    /// changes no state.
    pub malformed: bool,
    /// Length of the whole frame on the wire, for rates.
    pub frame_len: u32,
    pub options: Options,
    /// IPv4 TTL or IPv6 hop limit.
    pub ttl: u8,
    /// The outermost VLAN id, if the frame was tagged.
    pub vlan: Option<VlanId>,
    /// The outermost tunnel it came through, if any.
    pub tunnel: Option<Tunnel>,
    /// A digest of the datagram from the IP header on: the same on every interface that shows the same datagram.
    pub digest: u32,
    /// What TLS application data begins in the payload. Who reads payloads (`names`) fills it in.
    pub app_records: AppRecords,
}

/// TLS records of application data that begin in a payload, as far as it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AppRecords {
    /// How many; two stands for more.
    pub count: u8,
    /// The length of each, header left out, if all are of the same; else 0.
    pub len: u16,
}

impl Segment {
    /// One that says no more than its time, ends and flags: of a file, all numbers 0, without options and payload.
    pub fn bare(ts: Timestamp, src: Endpoint, dst: Endpoint, flags: Flags) -> Self {
        Self {
            ts,
            scope: Scope::FILE,
            iface: 0,
            src,
            dst,
            seq: Seq(0),
            ack: Seq(0),
            flags,
            window: 0,
            payload_len: 0,
            malformed: false,
            frame_len: 0,
            options: Options::default(),
            ttl: 0,
            vlan: None,
            tunnel: None,
            digest: 0,
            app_records: AppRecords::default(),
        }
    }

    /// SEG.LEN of RFC 9293: payload plus one for SYN and one for FIN; wraps, whatever length a hostile segment claims.
    pub fn seg_len(&self) -> u32 {
        self.payload_len.wrapping_add(u32::from(self.flags.syn()) + u32::from(self.flags.fin()))
    }

    /// The sequence number just past the segment: SEG.SEQ + SEG.LEN.
    pub fn end(&self) -> Seq {
        self.seq + self.seg_len()
    }
}

/// The flag bits of the header's 13th and 14th bytes: AE CWR ECE URG ACK PSH RST SYN FIN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u16);

impl Flags {
    pub const FIN: Self = Self(0x001);
    pub const SYN: Self = Self(0x002);
    pub const RST: Self = Self(0x004);
    pub const PSH: Self = Self(0x008);
    pub const ACK: Self = Self(0x010);
    pub const URG: Self = Self(0x020);
    pub const ECE: Self = Self(0x040);
    pub const CWR: Self = Self(0x080);
    pub const AE: Self = Self(0x100);

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    pub const fn fin(self) -> bool {
        self.contains(Self::FIN)
    }
    pub const fn syn(self) -> bool {
        self.contains(Self::SYN)
    }
    pub const fn rst(self) -> bool {
        self.contains(Self::RST)
    }
    pub const fn ack(self) -> bool {
        self.contains(Self::ACK)
    }
    pub const fn psh(self) -> bool {
        self.contains(Self::PSH)
    }
    /// ACK, and neither SYN, FIN nor RST.
    #[inline]
    pub const fn is_text(self) -> bool {
        self.0 & (Self::FIN.0 | Self::SYN.0 | Self::RST.0 | Self::ACK.0) == Self::ACK.0
    }
    /// SYN without ACK: the first step of a handshake.
    pub const fn pure_syn(self) -> bool {
        self.syn() && !self.ack()
    }
    /// SYN with ACK: the second step.
    pub const fn syn_ack(self) -> bool {
        self.syn() && self.ack()
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// As tcpdump prints them: `S`, `S.`, `.`, `P.`, `F.`, `R`.
impl std::fmt::Display for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const LETTERS: [(Flags, char); 9] = [
            (Flags::FIN, 'F'),
            (Flags::SYN, 'S'),
            (Flags::RST, 'R'),
            (Flags::PSH, 'P'),
            (Flags::ACK, '.'),
            (Flags::URG, 'U'),
            (Flags::ECE, 'E'),
            (Flags::CWR, 'W'),
            (Flags::AE, 'e'),
        ];
        let text: String = LETTERS.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, c)| c).collect();
        f.pad(if text.is_empty() { "none" } else { &text })
    }
}

impl std::fmt::Debug for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read_as_tcpdump_prints_them() {
        assert_eq!((Flags::SYN | Flags::ACK).to_string(), "S.");
        assert_eq!((Flags::FIN | Flags::PSH | Flags::ACK).to_string(), "FP.");
        assert_eq!(Flags(0).to_string(), "none");
    }
}
