//! A datagram → the TCP bytes in it, and how long they were on the wire by the IP header.
//!
//! Read first: RFC 791 §3.1, RFC 8200 §3–4, RFC 2675 (jumbograms).

use std::net::IpAddr;

use etherparse::{IpNumber, LaxIpSlice, LaxIpv4Slice, LaxIpv6Slice, UdpHeaderSlice, ip_number};

use super::digest::digest;
use super::{Stop, Undecoded};

/// A whole datagram that carries TCP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    /// IPv4 TTL or IPv6 hop limit.
    pub(super) ttl: u8,
    /// The captured bytes from the TCP header on, link padding excluded.
    pub(super) tcp: &'a [u8],
    /// Length of TCP header and payload on the wire.
    pub(super) tcp_len: u32,
    pub(super) digest: u64,
}

/// Takes the IP header and its extension headers off. `wire_len` is what the frame's original length leaves for the
/// datagram.
pub(super) fn slice(bytes: &[u8], wire_len: u32) -> Result<Datagram<'_>, Stop> {
    let (ip, stopped) = LaxIpSlice::from_slice(bytes).map_err(|_| Undecoded::Ip)?;
    expect_tcp(&ip, stopped.is_some())?;
    let (ttl, headers, len) = match &ip {
        LaxIpSlice::Ipv4(ip) => (ip.header().ttl(), headers_v4(ip), total_v4(ip, wire_len)?),
        LaxIpSlice::Ipv6(ip) => (ip.header().hop_limit(), headers_v6(ip), total_v6(ip, wire_len)?),
    };
    let tcp = ip.payload().payload;
    let captured = &bytes[..bytes.len().min(headers + tcp.len())];
    let tcp_len = len.checked_sub(u32::try_from(headers).unwrap_or(u32::MAX)).ok_or(Undecoded::Ip)?;
    Ok(Datagram { src: ip.source_addr(), dst: ip.destination_addr(), ttl, tcp, tcp_len, digest: digest(captured) })
}

/// Stops unless a whole TCP segment follows the headers.
fn expect_tcp(ip: &LaxIpSlice<'_>, stopped: bool) -> Result<(), Stop> {
    use ip_number::{AUTH, GRE, IPV4, IPV6, IPV6_DEST_OPTIONS, IPV6_ROUTE, TCP, UDP};

    let payload = ip.payload();
    if payload.fragmented {
        // In a later fragment what looks like an extension header is payload: only the first number can be trusted.
        let number = match ip {
            LaxIpSlice::Ipv4(ip) => ip.header().protocol(),
            LaxIpSlice::Ipv6(_) => payload.ip_number,
        };
        let may_be_tcp = matches!(number, TCP | AUTH | IPV6_DEST_OPTIONS | IPV6_ROUTE);
        return Err(if may_be_tcp { Undecoded::Fragment.into() } else { Stop::NotTcp });
    }
    if stopped {
        return Err(Undecoded::Ip.into());
    }
    match payload.ip_number {
        TCP => Ok(()),
        GRE | IPV4 | IPV6 => Err(Undecoded::Tunnel.into()),
        UDP if is_tunnel(payload.payload) => Err(Undecoded::Tunnel.into()),
        IpNumber(_) => Err(Stop::NotTcp),
    }
}

/// Whether a UDP datagram goes to the port of VXLAN (RFC 7348) or Geneve (RFC 8926).
fn is_tunnel(udp: &[u8]) -> bool {
    const PORTS: [u16; 2] = [4789, 6081];
    UdpHeaderSlice::from_slice(udp).is_ok_and(|header| PORTS.contains(&header.destination_port()))
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
