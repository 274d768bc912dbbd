//! An IP header and its extension headers → what they carry, and how long it was on the wire.
//!
//! Read first: RFC 791 §3.1, RFC 8200 §3–4, RFC 2675 (jumbograms).

use std::net::IpAddr;

use etherparse::{IpNumber, LaxIpSlice, LaxIpv4Slice, LaxIpv6Slice, ip_number};

use super::span::Span;
use super::{Stop, Undecoded};

/// A datagram, or a fragment of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    /// IPv4 TTL or IPv6 hop limit.
    pub(super) ttl: u8,
    /// What `payload` is. Of a fragment: what the datagram's payload begins with.
    pub(super) protocol: IpNumber,
    /// What follows the headers, link padding excluded.
    pub(super) payload: Span<'a>,
    /// The captured bytes from the IP header on, link padding excluded.
    pub(super) captured: &'a [u8],
    /// Which part of a datagram it is, if not a whole one.
    pub(super) part: Option<Part>,
}

/// A fragment's place in its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// The identification: 16 bits in IPv4.
    pub(super) id: u32,
    /// Where it begins, bytes.
    pub(super) offset: u32,
    /// Others follow it.
    pub(super) more: bool,
}

/// Reads the headers at the beginning of `span`, which ends where the frame does.
pub(super) fn slice(span: Span<'_>) -> Result<Datagram<'_>, Stop> {
    let (ip, stopped) = LaxIpSlice::from_slice(span.bytes).map_err(|_| Undecoded::Ip)?;
    if ip.payload().fragmented {
        return fragment(span, &ip);
    }
    if stopped.is_some() {
        return Err(Undecoded::Ip.into());
    }
    let (ttl, headers, len) = match &ip {
        LaxIpSlice::Ipv4(ip) => (ip.header().ttl(), headers_v4(ip), total_v4(ip, span.wire_len)?),
        LaxIpSlice::Ipv6(ip) => (ip.header().hop_limit(), headers_v6(ip), total_v6(ip, span.wire_len)?),
    };
    let protocol = ip.payload().ip_number;
    whole(&ip, ttl, protocol, span.limit(len), headers, None)
}

fn whole<'a>(
    ip: &LaxIpSlice<'_>,
    ttl: u8,
    protocol: IpNumber,
    datagram: Span<'a>,
    headers: usize,
    part: Option<Part>,
) -> Result<Datagram<'a>, Stop> {
    let (src, dst) = (ip.source_addr(), ip.destination_addr());
    let payload = datagram.skip(headers).ok_or(Undecoded::Ip)?;
    Ok(Datagram { src, dst, ttl, protocol, payload, captured: datagram.bytes, part })
}

/// A fragment. In a later one what looks like an extension header is payload, so only what stands before the place of
/// the fragment header is read.
fn fragment<'a>(span: Span<'a>, ip: &LaxIpSlice<'a>) -> Result<Datagram<'a>, Stop> {
    match ip {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            let part = Part {
                id: header.identification().into(),
                offset: u32::from(header.fragments_offset().value()) * 8,
                more: header.more_fragments(),
            };
            let datagram = span.limit(total_v4(v4, span.wire_len)?);
            whole(ip, header.ttl(), header.protocol(), datagram, header.slice().len(), Some(part))
        }
        LaxIpSlice::Ipv6(v6) => {
            let datagram = span.limit(total_v6(v6, span.wire_len)?);
            let (protocol, headers, part) =
                fragment_header(datagram.bytes, v6.header().next_header()).ok_or(Undecoded::Ip)?;
            whole(ip, v6.header().hop_limit(), protocol, datagram, headers, Some(part))
        }
    }
}

/// The fragment header behind others (RFC 8200 §4.5): what follows it, where that begins, and its place.
fn fragment_header(bytes: &[u8], mut next: IpNumber) -> Option<(IpNumber, usize, Part)> {
    use ip_number::{AUTH, IPV6_DEST_OPTIONS, IPV6_FRAG, IPV6_HOP_BY_HOP, IPV6_ROUTE};
    let mut at = 40;
    loop {
        let header: [u8; 8] = *bytes.get(at..)?.first_chunk()?;
        let len = usize::from(header[1]);
        at += match next {
            IPV6_FRAG => {
                let place = u16::from_be_bytes([header[2], header[3]]);
                let id = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
                let part = Part { id, offset: u32::from(place & !7), more: place & 1 != 0 };
                return Some((IpNumber(header[0]), at + 8, part));
            }
            IPV6_HOP_BY_HOP | IPV6_ROUTE | IPV6_DEST_OPTIONS => 8 * (len + 1),
            AUTH => 4 * (len + 2),
            _ => return None,
        };
        next = IpNumber(header[0]);
    }
}

fn headers_v4(ip: &LaxIpv4Slice<'_>) -> usize {
    ip.header().slice().len() + ip.extensions().auth.map_or(0, |auth| auth.slice().len())
}

fn headers_v6(ip: &LaxIpv6Slice<'_>) -> usize {
    ip.header().slice().len() + ip.extensions().slice().len()
}

/// The datagram's length. Segmentation offload leaves a total length of 0 where the frame is captured: then it is all
/// that the frame holds.
fn total_v4(ip: &LaxIpv4Slice<'_>, wire_len: u32) -> Result<u32, Undecoded> {
    let header = ip.header();
    match header.total_len() {
        0 => Ok(wire_len),
        total if usize::from(total) < header.slice().len() => Err(Undecoded::Ip),
        total => Ok(wire_len.min(u32::from(total))),
    }
}

/// The datagram's length. A payload length of 0 needs a jumbo payload option, or a frame too long for any other number
/// (Linux's "BIG TCP" before the header is cut into segments).
fn total_v6(ip: &LaxIpv6Slice<'_>, wire_len: u32) -> Result<u32, Undecoded> {
    const HEADER: u32 = 40;
    match ip.header().payload_length() {
        0 => match jumbo_payload(ip) {
            Some(payload) => Ok(wire_len.min(payload.saturating_add(HEADER))),
            None if wire_len > HEADER + u32::from(u16::MAX) => Ok(wire_len),
            None => Err(Undecoded::Ip),
        },
        payload => Ok(wire_len.min(HEADER + u32::from(payload))),
    }
}

/// The jumbo payload option of a hop-by-hop header, which may only tell lengths over 65,535 (RFC 2675 §2).
fn jumbo_payload(ip: &LaxIpv6Slice<'_>) -> Option<u32> {
    const JUMBO: u8 = 0xc2;
    if ip.header().next_header() != ip_number::IPV6_HOP_BY_HOP {
        return None;
    }
    let extensions = ip.extensions().slice();
    let len = 8 * (usize::from(*extensions.get(1)?) + 1);
    let mut options = extensions.get(2..len)?;
    loop {
        match *options {
            [0, ref rest @ ..] => options = rest,
            [JUMBO, 4, a, b, c, d, ..] => {
                return Some(u32::from_be_bytes([a, b, c, d])).filter(|len| *len > u32::from(u16::MAX));
            }
            [_, len, ref rest @ ..] => options = rest.get(usize::from(len)..)?,
            _ => return None,
        }
    }
}
