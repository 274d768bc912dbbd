//! Older links: loopback by address family, Cisco HDLC, Frame Relay, FDDI, Token Ring.
//!
//! Read first: <https://www.tcpdump.org/linktypes.html>, RFC 1390 (FDDI), RFC 2427 (Frame Relay).

use super::{Header, Layer, ether, whole};
use crate::wire::Stop;
use crate::wire::span::Span;

/// NULL and LOOP: four bytes of address family, for NULL in the byte order of the machine that captured. AF_INET is 2
/// everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
pub(super) fn behind_address_family(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let (family, rest) = whole(span.header::<4>())?;
    let big = u32::from_be_bytes(family);
    match big.min(big.swap_bytes()) {
        2 | 10 | 24 | 28 | 30 => Ok(Layer::new(Header::Ip, rest)),
        // OpenBSD's and NetBSD's AF_MPLS.
        33 | 34 => Ok(Layer::new(Header::Mpls, rest)),
        _ => Err(Stop::NotTcp),
    }
}

/// Unicast and multicast.
pub(super) const fn is_cisco_address(address: u8) -> bool {
    matches!(address, 0x0f | 0x8f)
}

/// Address, control, an ether type (RFC 1547 §4.3.1).
pub(super) fn cisco_hdlc(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let ([address, _control, high, low], rest) = whole(span.header::<4>())?;
    if !is_cisco_address(address) {
        return Err(Stop::NotTcp);
    }
    Ok(Layer::new(Header::EtherType(u16::from_be_bytes([high, low])), rest))
}

/// An address of two to four bytes, then the NLPID (RFC 2427) or, as Cisco has it, an ether type.
pub(super) fn frame_relay(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    const LAST: u8 = 1;
    let last = span.bytes.iter().take(4).position(|byte| byte & LAST != 0);
    let rest = whole(span.skip(whole(last)? + 1))?;
    let ([control, mut protocol], mut payload) = whole(rest.header::<2>())?;
    if control != 0x03 {
        return Ok(Layer::new(Header::EtherType(u16::from_be_bytes([control, protocol])), payload));
    }
    if protocol == 0 {
        ([protocol], payload) = whole(payload.header::<1>())?;
    }
    match protocol {
        0xcc | 0x8e => Ok(Layer::new(Header::Ip, payload)),
        0x80 => ether::snap(payload),
        _ => Err(Stop::NotTcp),
    }
}

/// Frame control and two addresses; LLC follows in asynchronous and synchronous LLC frames.
pub(super) fn fddi(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let (header, rest) = whole(span.header::<13>())?;
    if header[0] & 0x70 != 0x50 {
        return Err(Stop::NotTcp);
    }
    Ok(Layer::new(Header::Llc, rest))
}

/// Access control, frame control, two addresses and, where the source's first bit says so, routing.
pub(super) fn token_ring(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let (header, rest) = whole(span.header::<14>())?;
    if header[1] & 0xc0 != 0x40 {
        return Err(Stop::NotTcp);
    }
    let routing = if header[8] & 0x80 == 0 { 0 } else { usize::from(whole(rest.u8(0))? & 0x1f) };
    Ok(Layer::new(Header::Llc, whole(rest.skip(routing))?))
}
