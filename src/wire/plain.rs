//! The short way: Ethernet, an IP header of the usual length, and TCP behind it, as nearly every frame has them.
//!
//! Gives exactly what [`super::Decoder`] gives the long way, or nothing: a test holds them against each other.
//! Read first: RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1.

use super::digest::digest;
use super::{AppRecords, Flags, Frame, LinkType, Options, Segment, options};
use crate::base::{Endpoint, Seq};

const TCP: u8 = 6;
/// TCP's header without options.
const FIXED: usize = 20;

/// A plain frame: what its segment is made of is there, but for options that the snap length took.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a> {
    ip: Ip<'a>,
    /// TCP's header without options, and where that with options ends in the datagram.
    fixed: &'a [u8; FIXED],
    headers: usize,
    payload_len: u32,
}

/// Looks whether a frame is plain.
#[inline(always)]
pub(super) fn open<'a>(frame: &Frame<'a>) -> Option<Plain<'a>> {
    if frame.link != LinkType::ETHERNET {
        return None;
    }
    let (link, ip) = frame.bytes.split_first_chunk::<14>()?;
    let captured = u32::try_from(frame.bytes.len()).ok()?;
    let on_wire = frame.len.max(captured) - 14;
    let ip = match [link[12], link[13]] {
        [0x08, 0x00] => v4(ip, on_wire)?,
        [0x86, 0xdd] => v6(ip, on_wire)?,
        _ => return None,
    };
    let fixed = ip.datagram.get(ip.header..)?.first_chunk::<FIXED>()?;
    let headers = ip.header + usize::from(fixed[12] >> 4) * 4;
    let payload_len = ip.on_wire.checked_sub(u32::try_from(headers).ok()?)?;
    (headers >= ip.header + FIXED).then_some(Plain { ip, fixed, headers, payload_len })
}

#[inline(always)]
fn v4(bytes: &[u8], on_wire: u32) -> Option<Ip<'_>> {
    const HEADER: usize = 20;
    let ip = bytes.first_chunk::<{ HEADER + FIXED }>()?;
    let is_part = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0;
    let len = u16::from_be_bytes([ip[2], ip[3]]);
    if ip[0] != 0x45 || is_part || ip[9] != TCP || usize::from(len) < HEADER + FIXED {
        return None;
    }
    let end = |at: usize, port: usize| {
        Endpoint::new([ip[at], ip[at + 1], ip[at + 2], ip[at + 3]], u16::from_be_bytes([ip[port], ip[port + 1]]))
    };
    let ends = [end(12, HEADER), end(16, HEADER + 2)];
    let datagram = &bytes[..bytes.len().min(len.into())];
    Some(Ip { ends, ttl: ip[8], datagram, header: HEADER, on_wire: on_wire.min(len.into()) })
}

#[inline(always)]
fn v6(bytes: &[u8], on_wire: u32) -> Option<Ip<'_>> {
    const HEADER: usize = 40;
    let ip = bytes.first_chunk::<{ HEADER + FIXED }>()?;
    let payload = u16::from_be_bytes([ip[4], ip[5]]);
    if ip[0] >> 4 != 6 || ip[6] != TCP || usize::from(payload) < FIXED {
        return None;
    }
    let len = HEADER + usize::from(payload);
    let end = |at: usize, port: usize| {
        let address = *ip[at..].first_chunk::<16>()?;
        Some(Endpoint::new(address, u16::from_be_bytes([ip[port], ip[port + 1]])))
    };
    let ends = [end(8, HEADER)?, end(24, HEADER + 2)?];
    let datagram = &bytes[..bytes.len().min(len)];
    let on_wire = on_wire.min(u32::try_from(len).ok()?);
    Some(Ip { ends, ttl: ip[7], datagram, header: HEADER, on_wire })
}

/// A datagram whose IP header, of `header` bytes, is read.
#[derive(Debug, Clone, Copy)]
struct Ip<'a> {
    ends: [Endpoint; 2],
    ttl: u8,
    /// What of it was captured.
    datagram: &'a [u8],
    header: usize,
    on_wire: u32,
}

impl<'a> Plain<'a> {
    /// The source's port and the destination's.
    #[inline(always)]
    pub fn ports(&self) -> [u16; 2] {
        self.ip.ends.map(Endpoint::port)
    }

    #[inline(always)]
    pub fn flags(&self) -> Flags {
        Flags(self.two(12) & 0x1ff)
    }

    /// The sequence number of its payload's first byte: a SYN takes one before it.
    #[inline(always)]
    pub fn first_byte(&self) -> Seq {
        Seq(self.four(4)) + u32::from(self.flags().syn())
    }

    /// Its segment, but for its options. To be called where that is kept: it is large beside what it takes to read it.
    #[inline(always)]
    pub fn segment(&self, frame: &Frame<'_>) -> Segment {
        let Self { ip: Ip { ends: [src, dst], ttl, datagram, .. }, payload_len, .. } = *self;
        Segment {
            ts: frame.ts,
            scope: frame.scope,
            iface: frame.iface,
            src,
            dst,
            seq: Seq(self.four(4)),
            ack: Seq(self.four(8)),
            flags: self.flags(),
            window: self.two(14),
            payload_len,
            malformed: false,
            frame_len: frame.len,
            options: Options::default(),
            ttl,
            vlan: None,
            tunnel: None,
            digest: digest(datagram),
            app_records: AppRecords::default(),
        }
    }

    /// Reads its options into a segment that has none yet.
    #[inline(always)]
    pub fn read_options(&self, into: &mut Options) {
        let (datagram, begin) = (self.ip.datagram, self.ip.header + FIXED);
        if self.headers > begin {
            let captured = &datagram[begin..self.headers.min(datagram.len())];
            options::read_into(into, captured, self.headers > datagram.len());
        }
    }

    #[inline(always)]
    fn two(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.fixed[at], self.fixed[at + 1]])
    }

    #[inline(always)]
    fn four(&self, at: usize) -> u32 {
        u32::from_be_bytes([self.fixed[at], self.fixed[at + 1], self.fixed[at + 2], self.fixed[at + 3]])
    }

    /// What was captured of its payload.
    #[inline(always)]
    pub fn payload(&self) -> &'a [u8] {
        if self.payload_len > 0 { self.ip.datagram.get(self.headers..).unwrap_or_default() } else { &[] }
    }
}
