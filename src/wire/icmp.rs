//! ICMP errors that quote a TCP header: who refused or could not deliver which segment, and why.
//!
//! Read first: RFC 792, RFC 1122 §3.2.2.1, RFC 1191 §4, RFC 1812 §5.2.7, RFC 4443 §3. A quote is no segment: nothing of
//! it counts.

use std::net::IpAddr;

use etherparse::ip_number;

use super::ip::{self, Datagram};
use super::span::Span;
use super::{Flags, Frame, Stop};
use crate::base::{Endpoint, Scope, Seq, Timestamp};

/// An ICMP error about a TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpQuote {
    pub ts: Timestamp,
    pub scope: Scope,
    /// Who sent the error: the segment's destination, or something on the way to it.
    pub from: IpAddr,
    pub error: IcmpError,
    /// The quoted segment's ends and sequence number.
    pub src: Endpoint,
    pub dst: Endpoint,
    pub seq: Seq,
    /// Its flags; `None` where only the eight bytes that must be quoted are.
    pub flags: Option<Flags>,
    /// What the next link takes at most, bytes of IP packet, where the error is that the segment is too big (RFC 1191
    /// §4, RFC 4443 §3.2); `None` where it does not tell.
    pub mtu: Option<u32>,
}

/// What an ICMP error says: type and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IcmpError {
    pub v6: bool,
    pub kind: u8,
    pub code: u8,
}

impl IcmpError {
    const UNREACHABLE_V4: u8 = 3;
    const UNREACHABLE_V6: u8 = 1;
    const FRAGMENTATION_NEEDED: u8 = 4;
    const PACKET_TOO_BIG: u8 = 2;

    /// Whether it says that the destination cannot or may not be reached (and not that a packet was too big, or went
    /// too far).
    pub const fn is_unreachable(self) -> bool {
        match self.v6 {
            false => self.kind == Self::UNREACHABLE_V4 && !self.is_too_big(),
            true => self.kind == Self::UNREACHABLE_V6,
        }
    }

    /// Whether it says that the packet is too big for a link on its way.
    pub const fn is_too_big(self) -> bool {
        match self.v6 {
            false => self.kind == Self::UNREACHABLE_V4 && self.code == Self::FRAGMENTATION_NEEDED,
            true => self.kind == Self::PACKET_TOO_BIG,
        }
    }

    /// Whether it says that the packet passed more routers than it may.
    pub const fn is_too_far(self) -> bool {
        matches!((self.v6, self.kind, self.code), (false, 11, 0) | (true, 3, 0))
    }

    /// In words.
    pub const fn meaning(self) -> &'static str {
        match (self.v6, self.kind, self.code) {
            (false, 3, 0) => "network unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) => "port unreachable",
            (false, 3, 4) => "fragmentation needed",
            (false, 3, 5) => "source route failed",
            (false, 3, 6) => "network unknown",
            (false, 3, 7) => "host unknown",
            (false, 3, 8) => "source host isolated",
            (false, 3, 9) => "network prohibited",
            (false, 3, 10) => "host prohibited",
            (false, 3, 11) => "network unreachable for this service",
            (false, 3, 12) => "host unreachable for this service",
            (false, 3, 13) | (true, 1, 1) => "administratively prohibited",
            (false, 3, 14) => "host precedence violation",
            (false, 3, 15) => "precedence cutoff",
            (true, 1, 0) => "no route",
            (true, 1, 2) => "beyond scope of source address",
            (true, 1, 3) => "address unreachable",
            (true, 1, 4) => "port unreachable",
            (true, 1, 5) => "source address failed policy",
            (true, 1, 6) => "route rejected",
            (false, 3, _) | (true, 1, _) => "unreachable",
            (true, 2, _) => "packet too big",
            (false, 11, 0) | (true, 3, 0) => "time to live exceeded",
            (false, 11, _) | (true, 3, _) => "fragment reassembly time exceeded",
            _ => "parameter problem",
        }
    }
}

impl std::fmt::Display for IcmpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.meaning())
    }
}

/// Reads an ICMP message; anything but an error that quotes TCP is no concern of ours.
pub(super) fn quote(frame: &Frame<'_>, datagram: &Datagram<'_>) -> Result<IcmpQuote, Stop> {
    let v6 = datagram.protocol == ip_number::IPV6_ICMP;
    let ([kind, code, _, _, rest @ ..], quoted) = datagram.payload.header::<8>().ok_or(Stop::NotTcp)?;
    let is_error = if v6 { matches!(kind, 1..=4) } else { matches!(kind, 3 | 11 | 12) };
    if !is_error {
        return Err(Stop::NotTcp);
    }
    let error = IcmpError { v6, kind, code };
    let quote = quoted_tcp(quoted, frame, datagram.src, error).ok_or(Stop::NotTcp)?;
    Ok(IcmpQuote { mtu: mtu(error, rest), ..quote })
}

/// The MTU that an error tells in the second half of its header; of routers older than RFC 1191 it is 0.
fn mtu(error: IcmpError, rest: [u8; 4]) -> Option<u32> {
    let told = u32::from_be_bytes(rest) & if error.v6 { u32::MAX } else { 0xffff };
    (error.is_too_big() && told > 0).then_some(told)
}

fn quoted_tcp(quoted: Span<'_>, frame: &Frame<'_>, from: IpAddr, error: IcmpError) -> Option<IcmpQuote> {
    let quoted = ip::slice(quoted).ok()?;
    let first = quoted.part.is_none_or(|part| part.offset == 0);
    if quoted.protocol != ip_number::TCP || !first {
        return None;
    }
    let tcp = quoted.payload;
    Some(IcmpQuote {
        ts: frame.ts,
        scope: frame.scope,
        from: crate::base::Endpoint::new(from, 0).ip(),
        error,
        src: Endpoint::new(quoted.src, tcp.u16(0)?),
        dst: Endpoint::new(quoted.dst, tcp.u16(2)?),
        seq: Seq(tcp.u32(4)?),
        flags: tcp.u16(12).map(|bits| Flags(bits & 0x1ff)),
        mtu: None,
    })
}
