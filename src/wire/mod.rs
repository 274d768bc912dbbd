//! Captured bytes → [`Segment`]. Total: it never panics, and counts what it cannot decode, by reason.
//!
//! May touch `base` and etherparse; no clock and no flow state. Read first: RFC 9293 §3.1 (header format),
//! <https://www.tcpdump.org/linktypes.html>.

mod digest;
mod ip;
mod link;
mod options;
mod segment;
mod tcp;

#[cfg(test)]
mod tests;

pub use segment::{Flags, Options, SackBlocks, Segment};

use crate::base::{Scope, Timestamp};

/// A link type number as in capture files (`LINKTYPE_…`): 1 is EN10MB, 113 LINUX_SLL, 276 LINUX_SLL2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

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
    /// A fragment of a datagram: not reassembled.
    Fragment,
    /// An encapsulation that is not read (PPPoE, MPLS, GRE, IP in IP, VXLAN).
    Tunnel,
    /// The TCP header is cut before its fixed 20 bytes end.
    TcpCut,
    /// The TCP header contradicts itself (data offset under 20 or past the segment's end).
    TcpMalformed,
}

impl Undecoded {
    /// Every reason, in the order reports list them.
    pub const ALL: [Self; 7] =
        [Self::LinkType, Self::Link, Self::Ip, Self::Fragment, Self::Tunnel, Self::TcpCut, Self::TcpMalformed];

    /// The reason in words, as reports and JSON keys write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkType => "link_type",
            Self::Link => "link",
            Self::Ip => "ip",
            Self::Fragment => "fragment",
            Self::Tunnel => "tunnel",
            Self::TcpCut => "tcp_cut",
            Self::TcpMalformed => "tcp_malformed",
        }
    }
}

/// What became of the frames of a source, so that nothing is lost silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameCounts {
    pub frames: u64,
    pub segments: u64,
    pub not_tcp: u64,
    undecoded: [u64; Undecoded::ALL.len()],
}

impl FrameCounts {
    /// Counts one frame.
    pub fn count(&mut self, decoded: &Decoded) {
        self.frames += 1;
        match decoded {
            Decoded::Tcp(_) => self.segments += 1,
            Decoded::NotTcp => self.not_tcp += 1,
            Decoded::Undecoded(reason) => self.undecoded[*reason as usize] += 1,
        }
    }

    /// The counts of two sources together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut undecoded = self.undecoded;
        for (sum, more) in undecoded.iter_mut().zip(other.undecoded) {
            *sum += more;
        }
        Self {
            frames: self.frames + other.frames,
            segments: self.segments + other.segments,
            not_tcp: self.not_tcp + other.not_tcp,
            undecoded,
        }
    }

    /// How many frames could not be decoded for `reason`.
    pub const fn undecoded(&self, reason: Undecoded) -> u64 {
        self.undecoded[reason as usize]
    }

    /// How many frames could not be decoded, for any reason.
    pub fn undecoded_total(&self) -> u64 {
        self.undecoded.iter().sum()
    }
}

/// Decodes one frame: link header, then IP, then TCP. Allocates nothing.
pub fn decode(frame: &Frame<'_>) -> Decoded {
    match segment_of(frame) {
        Ok(segment) => Decoded::Tcp(segment),
        Err(Stop::NotTcp) => Decoded::NotTcp,
        Err(Stop::Undecoded(reason)) => Decoded::Undecoded(reason),
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

fn segment_of(frame: &Frame<'_>) -> Result<Segment, Stop> {
    let network = link::network(frame.link, frame.bytes)?;
    // What was captured was on the wire, whatever len claims.
    let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
    let link_header = u32::try_from(frame.bytes.len() - network.datagram.len()).unwrap_or(u32::MAX);
    let datagram = ip::slice(network.datagram, frame.len.max(captured) - link_header)?;
    tcp::segment(frame, network.vlan, &datagram)
}
