//! Captured bytes → [`Segment`]. Total: it never panics, and counts what it cannot decode, by reason.
//!
//! May touch `base` and etherparse; no clock and no flow state. One [`Decoder`] for each source: it keeps the fragments
//! that wait for others. Read first: RFC 9293 §3.1 (header format),
//! <https://www.tcpdump.org/linktypes.html>.

mod counts;
mod decoder;
mod digest;
mod fragments;
mod headers;
mod icmp;
mod ip;
mod link;
mod options;
mod plain;
mod rebuild;
mod route;
mod segment;
mod span;
mod tcp;
mod told;
mod tunnel;
mod udp_tunnel;

#[cfg(test)]
mod tests;

pub use counts::FrameCounts;
pub use decoder::{Carried, Decoder};
pub use icmp::{IcmpError, IcmpQuote};
pub use plain::Plain;
pub use route::{Tunnel, TunnelId, TunnelKind, VlanId};
pub use segment::{AppRecords, Flags, Segment};
pub use told::Options;

use crate::base::{Scope, Timestamp};

/// A link type number as in capture files (`LINKTYPE_…`): 1 is EN10MB, 113 LINUX_SLL, 276 LINUX_SLL2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    pub const ETHERNET: Self = Self(1);
    /// Cooked capture with interface ids.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One captured frame, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub ts: Timestamp,
    pub scope: Scope,
    /// The interface's number in its capture; what it is called is the source's business.
    pub iface: u32,
    pub link: LinkType,
    /// The captured bytes (caplen of them).
    pub bytes: &'a [u8],
    /// The frame's length on the wire (len).
    pub len: u32,
}

/// What a frame turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    Tcp(Segment),
    /// An ICMP error that quotes TCP.
    Icmp(IcmpQuote),
    /// Well-formed as far as it was read, and not TCP.
    NotTcp,
    Undecoded(Undecoded),
}

/// Why a frame gave no segment although it may have carried one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Undecoded {
    /// A link type that is not read.
    LinkType,
    /// The link header is cut by the snap length or malformed.
    Link,
    /// The IP header or its extension headers are cut or malformed.
    Ip,
    /// A fragment of a datagram that is not complete: not yet, or never.
    Fragment,
    /// A fragment that contradicts another of its datagram, which is dropped whole, as RFC 5722 has it for IPv6 and
    /// Linux for both.
    Overlap,
    /// A tunnel's header is cut or malformed, of a kind that is not read, or nested too deep.
    Tunnel,
    /// Encrypted by the link (IEEE 802.11, PPP, MACsec) or a tunnel (CAPWAP).
    Encrypted,
    /// The TCP header is cut before its window field ends.
    TcpCut,
    /// The TCP header contradicts itself (fewer than 16 bytes, or a data offset under 20).
    TcpMalformed,
}

impl Undecoded {
    /// Every reason, in the order reports list them.
    pub const ALL: [Self; 9] = [
        Self::LinkType,
        Self::Link,
        Self::Ip,
        Self::Fragment,
        Self::Overlap,
        Self::Tunnel,
        Self::Encrypted,
        Self::TcpCut,
        Self::TcpMalformed,
    ];

    /// The reason in words, as reports and JSON keys write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkType => "link_type",
            Self::Link => "link",
            Self::Ip => "ip",
            Self::Fragment => "fragment",
            Self::Overlap => "fragment_overlap",
            Self::Tunnel => "tunnel",
            Self::Encrypted => "encrypted",
            Self::TcpCut => "tcp_cut",
            Self::TcpMalformed => "tcp_malformed",
        }
    }
}

/// Why decoding ended before a segment was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    NotTcp,
    Undecoded(Undecoded),
}

impl From<Undecoded> for Stop {
    fn from(reason: Undecoded) -> Self {
        Self::Undecoded(reason)
    }
}
