//! Frames with what a system's own capture puts before them: cooked capture, NFLOG, pflog, PKTAP.
//!
//! Read first: <https://www.tcpdump.org/linktypes.html>, linux/netfilter/nfnetlink_log.h, net/if_pflog.h.

use super::{Header, Layer, whole};
use crate::wire::span::Span;
use crate::wire::{LinkType, Stop, Undecoded};

/// LINUX_SLL and LINUX_SLL2: the protocol, an ether type or 4 for LLC, stands at `protocol`; the payload begins at
/// `payload`.
pub(super) fn cooked(span: Span<'_>, protocol: usize, payload: usize) -> Result<Layer<'_>, Stop> {
    const ETH_P_802_2: u16 = 4;
    let rest = whole(span.skip(payload))?;
    match whole(span.u16(protocol))? {
        ETH_P_802_2 => Ok(Layer::new(Header::Llc, rest)),
        linux_only if linux_only < 0x600 => Err(Stop::NotTcp),
        kind => Ok(Layer::new(Header::EtherType(kind), rest)),
    }
}

/// NFLOG: family, version, resource, then attributes, of which one is the packet. Their numbers are in the byte order
/// of the machine that captured.
pub(super) fn nflog(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    const VERSION: u8 = 0;
    let ([_family, version, _, _], attributes) = whole(span.header::<4>())?;
    if version != VERSION {
        return Err(Undecoded::Link.into());
    }
    let packet = nflog_packet(attributes, u16::from_le_bytes).or_else(|| nflog_packet(attributes, u16::from_be_bytes));
    Ok(Layer::new(Header::Ip, whole(packet)?))
}

fn nflog_packet(mut span: Span<'_>, number: fn([u8; 2]) -> u16) -> Option<Span<'_>> {
    const PAYLOAD: u16 = 9;
    const HEADER: u16 = 4;
    loop {
        let ([a, b, c, d], value) = span.header::<4>()?;
        let (len, kind) = (number([a, b]), number([c, d]));
        let value_len = len.checked_sub(HEADER)?;
        if kind == PAYLOAD {
            return Some(value.limit(value_len.into()));
        }
        span = span.skip(usize::from(len).next_multiple_of(4))?;
    }
}

/// OpenBSD's pflog: the header begins with its own length, which padding rounds up.
pub(super) fn pflog(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let len = usize::from(whole(span.u8(0))?).next_multiple_of(4);
    if len < 8 {
        return Err(Undecoded::Link.into());
    }
    Ok(Layer::new(Header::Ip, whole(span.skip(len))?))
}

/// Apple's PKTAP: its length, a record type, and the link type of what follows, little-endian.
pub(super) fn pktap(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let field = |at| span.u32(at).map(u32::swap_bytes);
    let len = whole(field(0).filter(|len| *len >= 12).and_then(|len| usize::try_from(len).ok()))?;
    let link = u16::try_from(whole(field(8))?).map_err(|_| Undecoded::LinkType)?;
    Ok(Layer::new(Header::Link(LinkType(link)), whole(span.skip(len))?))
}
